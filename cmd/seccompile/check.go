package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/grade"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	ocijson "github.com/seccompile/seccompile/language/oci"
)

const checkLong = `Check reviews profiles before they ship. It reports why a profile would be refused,
what its author may not have meant, and what a filter cannot enforce. Each finding
has a place (line, column and JSON pointer), a reason, an ID and a fix.

With --for, check also reports what that program ignores, refuses or does
differently, and which calls it needs to start a container.

An error means that the profile is refused or does not do what it says. A warning
means that it most likely does not do what its author meant. A note is good to know;
-v shows the notes. The exit status is 1 if a finding is at least as severe as
--fail-on says, 2 if a profile cannot be read, and else 0: by default warnings and notes
leave it 0. The last line says "ok" only where there are no errors and no warnings.
"ok" of --json means the same. --explain ID explains a kind of finding; --explain list lists them all.

--fix writes the profile to -o with all cured that has one cure: calls that programs or
the runtime need are allowed, clone3 gets ENOSYS, swapped masks are swapped back. Notes
are cured only where that does not change the filter. The rest of the file stays as it
is. What is printed, and the exit status, are then about the result.

--grade adds a grade from A to F and up to 100 points: what a program can still do, by
the proof, on every ABI of the kernel. It takes filters, too, where there is no --for.
--min-grade makes a lower grade a reason to exit with 1.

--for podman and --for cri-o review for crun and runc both.

--for kep-6061 reviews a profile that a runtime is to pull from a registry: its JSON, the
manifest of its artifact with the layer beside it, or the directory of an OCI image
layout. With --baseline, it also proves that the profile is at least as strict as the
one that the runtime will intersect it with, or names the calls for which it is not.

Without -a, check reviews a profile for the ABIs that it names, or for the host's ABI
if it names none.`

// The checkFlags are the flags of check.
type checkFlags struct {
	targetFlags
	patience // of the comparison with a baseline, and of grades
	gradeFlags
	consumer, failOn string
	baselines        []string
	bases            []*intake.Input // the baselines
	json, sarif      bool
	explain          string
	start, fix       bool
	to               output
}

func (a *app) checkCommand() *cobra.Command {
	var c checkFlags
	cmd := &cobra.Command{
		Use:        "check [flags] PROFILE...",
		Short:      "report mistakes and weaknesses in profiles",
		SuggestFor: []string{"audit", "lint", "review", "validate", "verify", "vet"},
		Long:       checkLong,
		Example: `  seccompile check profile.json
  seccompile check --for podman -v profile.json
  seccompile check --for kubernetes --fail-on warning --sarif *.json >findings.sarif
  seccompile check --compat strict -a x86_64,aarch64 --json config.json
  seccompile check --for docker --fix -o fixed.json profile.json
  seccompile check --for kep-6061 --baseline docker-default artifact/
  seccompile check --grade profile.json filter.bpf
  seccompile check -q --min-grade B --badge grade.svg profile.json
  seccompile check --explain open-twin`,
		ValidArgsFunction: completeProfile,
		RunE:              func(_ *cobra.Command, args []string) error { return a.check(&c, args) },
	}
	c.addConsumer(cmd)
	c.addPlace(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&c.baselines, "baseline", nil, "with --for kep-6061, the node's `PROFILE`, and given again a Pod's base profile: docker-default or a file")
	annotate(cmd, "baseline", readsFile)
	f.StringVar(&c.failOn, "fail-on", lint.Error.String(), "exit with 1 if a finding has at least this `SEVERITY`: note, warning or error")
	f.StringVar(&c.explain, "explain", "", "explain the findings with this `ID`, or list all IDs, and check nothing")
	addJSON(cmd, &c.json)
	f.BoolVar(&c.fix, "fix", false, "write the profile with its mistakes corrected to -o")
	c.to.add(cmd)
	annotate(cmd, "output", changesFile, "")
	f.BoolVar(&c.sarif, "sarif", false, "write SARIF 2.1.0 for code scanning")
	c.addReading(cmd)
	c.patience.add(cmd)
	c.gradeFlags.add(cmd)
	cmd.MarkFlagsMutuallyExclusive("json", "sarif")
	var ids []string
	for _, e := range lint.Catalog() {
		ids = append(ids, e.ID+"\t"+e.Title)
	}
	completeFlag(cmd, "fail-on", oneOf("note", "warning", "error"))
	completeFlag(cmd, "explain", oneOf(ids...))
	return cmd
}

// addConsumer adds the flag that says which program the profiles are for.
func (c *checkFlags) addConsumer(cmd *cobra.Command) {
	var consumers []string
	for _, x := range lint.Consumers() {
		consumers = append(consumers, x.String())
	}
	cmd.Flags().StringVar(&c.consumer, "for", "", "also review for `PROGRAM`: docker, podman, podman/crun, podman/runc, runc, crun, youki, youki@0.6, containerd, kubernetes, kep-6061 or cri-o")
	cmd.Flags().BoolVar(&c.start, "start", true, "programs must be able to start under the profile; off for a filter that a program installs on itself")
	completeFlag(cmd, "for", oneOf(consumers...))
}

// check reviews the profiles and prints what it finds.
func (a *app) check(c *checkFlags, args []string) error {
	if c.explain != "" {
		return a.explainFinding(c.explain)
	}
	failOn, err := lint.ParseSeverity(c.failOn)
	if err != nil {
		return failure.Flag("--fail-on", err)
	}
	if len(args) == 0 {
		args = []string{""}
	}
	if err := c.settings(len(args)); err != nil {
		return err
	}
	if err := a.readBaselines(c); err != nil {
		return err
	}
	answer := &failure.Error{Status: 0}
	var profiles []*checked
	written := false
	add := func(p *checked) {
		p.failOn = failOn
		if p.bad() {
			answer.Status = max(answer.Status, failure.No)
		}
		profiles = append(profiles, p)
	}
	for _, arg := range args {
		in, manifest, err := a.checkInput(c, arg)
		if manifest != nil {
			add(manifest)
		}
		if in == nil && err == nil {
			continue
		}
		if err != nil {
			answer.Status = max(answer.Status, a.report(nil, err))
			profiles = append(profiles, unchecked(cmp.Or(arg, standardInput), err))
			continue
		}
		p := &checked{in: in, report: new(lint.Report)}
		if !p.filter() {
			p, err = c.look(in)
		}
		switch {
		case err != nil || !c.fix:
		case manifest != nil:
			return failure.Usagef("--fix: %s is a manifest, which has the digest of the profile (correct the profile and push it again)", manifest.in.Name)
		case p.options.Language != nil || in.YAML:
			return failure.Usagef("--fix: %s is in another language than OCI's, Docker's and Podman's (change it by hand, as the fixes say)", in.Name)
		default:
			written, err = a.fixed(c, p)
		}
		if err != nil {
			return err
		}
		if err := c.grade(p); err != nil {
			answer.Status = max(answer.Status, a.report(nil, err))
			profiles = append(profiles, unchecked(in.Path, err))
			continue
		}
		add(p)
	}
	if c.to.path != "-" || !written { // else the profile is there
		if err := a.printChecked(c, profiles); err != nil {
			return err
		}
	}
	if err := a.putBadge(&c.gradeFlags, profiles[len(profiles)-1]); err != nil {
		return err
	}
	if answer.Status == 0 {
		return nil
	}
	return answer
}

// settings refuses flags that contradict each other, for so many profiles.
func (c *checkFlags) settings(profiles int) error {
	switch {
	case c.fix && !c.to.explicit():
		return failure.Usagef("--fix: where to write the profile is missing").Hintf("name a file with -o; - is standard output, without the findings")
	case c.fix && profiles > 1:
		return failure.Usagef("--fix: expected one profile, got %d", profiles)
	case !c.fix && c.to.explicit():
		return failure.Usagef("-o is for --fix").Hintf("redirect standard output to save the findings")
	}
	if err := c.gradeFlags.check(profiles); err != nil {
		return err
	}
	_, err := c.limits()
	return err
}

// fixed writes the profile with its mistakes corrected, and reviews that in its place. A
// profile that still cannot be read is not written: it may be about to replace a good one.
func (a *app) fixed(c *checkFlags, p *checked) (written bool, err error) {
	fixed := lint.Fix(p.in.Source, p.options)
	if fixed.Report.Policy == nil {
		a.report(nil, failure.Nof("--fix: %s has errors that have to be corrected by hand, so nothing is written", p.in.Name))
		return false, nil
	}
	if err := a.put(&c.to, fixed.Text); err != nil {
		return false, err
	}
	p.cured, p.report = fixed.Cured, fixed.Report
	if c.to.path != "-" {
		p.in = intake.New(c.to.path, failure.Shown(c.to.path), fixed.Text)
	}
	return true, nil
}

// unchecked returns what is known of a profile that could not be read.
func unchecked(path string, err error) *checked {
	return &checked{in: &intake.Input{Path: path}, report: new(lint.Report), unread: strings.Join(failure.Messages(err), "\n")}
}

// A checked is a profile and its findings.
type checked struct {
	in      *intake.Input
	options lint.Options
	report  *lint.Report
	cured   []lint.Finding
	failOn  lint.Severity
	grade   *grade.Grade // nil if nobody asked, or the profile is refused
	low     bool         // whether that is below --min-grade
	unread  string       // why the profile could not be read, "" if it was
}

// bad reports whether a finding is as severe as --fail-on says, or the grade is too low.
func (c *checked) bad() bool { return c.report.Worst() >= c.failOn || c.low }

// ok reports whether the profile was read and nothing is worse than a note, or than
// --fail-on allows.
func (c *checked) ok() bool { return c.unread == "" && !c.bad() && c.report.Worst() < lint.Warning }

// look reviews one profile.
func (c *checkFlags) look(in *intake.Input) (*checked, error) {
	var consumer lint.Consumer
	if c.consumer != "" {
		var err error
		if consumer, err = lint.ParseConsumer(c.consumer); err != nil {
			var known []string
			for _, x := range lint.Consumers() {
				known = append(known, x.String())
			}
			f := failure.Usagef("--for: %s", failure.Unprefixed(err.Error()))
			return nil, f.HintNearest(c.consumer, known, "")
		}
	}
	lang, place, err1 := c.Place(in)
	options, err2 := c.Options()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, err
	}
	if consumer != 0 && c.DefaultCaps() {
		place.Caps = consumer.DefaultCaps()
	}
	o := lint.Options{For: consumer, NoStart: !c.start, Target: place, Resolve: options}
	if l, ok := lang.(ocijson.Language); ok {
		o.Format = l.Format
	} else {
		o.Language = lang
	}
	var failed error
	if len(c.bases) > 0 {
		o.Further = func(r *lint.Report) (list []lint.Finding) {
			for _, base := range c.bases {
				found, err := c.beyond(r, in, base)
				list, failed = append(list, found...), cmp.Or(failed, err)
			}
			return list
		}
	}
	p := &checked{in: in, options: o, report: lint.Check(in.Source, o)}
	return p, failed
}

// printChecked prints the findings of all profiles in the form that is asked for.
func (a *app) printChecked(c *checkFlags, profiles []*checked) error {
	switch {
	case c.json:
		return a.putJSON(new(output), a.checksDocument(profiles))
	case c.sarif:
		return a.putJSON(new(output), a.sarifDocument(profiles))
	}
	notes := a.verbose || c.failOn == lint.Note.String()
	for _, p := range profiles {
		if p.unread == "" {
			a.printFindings(p, notes)
		}
	}
	return nil
}

// shown returns the findings to show: -q leaves those that decide the exit status, and
// notes are optional.
func (a *app) shown(c *checked, notes bool) []lint.Finding {
	return slices.DeleteFunc(slices.Clone(c.report.Findings), func(f lint.Finding) bool {
		return a.quiet && f.Severity < c.failOn || !notes && f.Severity == lint.Note
	})
}

// printFindings prints the findings of one profile, two lines each, and a summary.
func (a *app) printFindings(c *checked, notes bool) {
	p := a.paint()
	for _, f := range c.cured {
		fmt.Fprintf(a.out, "%s (%s)\n    done: %s\n", failure.Join(p.text(green, "fixed"), failure.Shown(f.Pointer), f.Reason), f.ID, f.Done())
	}
	for _, f := range a.shown(c, notes) {
		place := failure.Place(c.in.Name, f.Line, f.Column, "", "")
		if fmt.Sprintf("%d:%d", f.Line, f.Column) == f.Pointer {
			f.Pointer = ""
		}
		severity := p.action(severityAction(f.Severity), f.Severity.String())
		fmt.Fprintf(a.out, "%s (%s)\n", failure.Join(place, severity, failure.Shown(f.Pointer), f.Reason), f.ID)
		fmt.Fprintf(a.out, "    fix: %s\n", f.Fix)
	}
	if !c.filter() && c.report.Stopped() {
		fmt.Fprintf(a.out, "%s: the review stopped at these errors: correct them and check again\n", c.in.Name)
	}
	word := p.text(green, "ok")
	switch {
	case c.bad():
		word = p.text(red, "bad")
	case !c.ok():
		word = p.text(yellow, "passed")
	}
	var summary []string
	if !c.filter() {
		summary = append(summary, a.counts(c))
	}
	if r := c.report; r.Program != nil {
		summary = append(summary, fmt.Sprintf("%s for %s", plural(r.Program.Len(), "instruction"), strings.Join(intake.ABINames(r.Resolved.ABIs()), ", ")))
	}
	if c.grade != nil {
		summary = append(summary, c.gradeText())
	}
	fmt.Fprintf(a.out, "%s: %s: %s\n", c.in.Name, word, strings.Join(summary, "; "))
	if c.grade != nil && !a.quiet {
		a.printGrade(c.grade)
	}
}

// counts says how many findings of each severity there are, or are shown.
func (a *app) counts(c *checked) string {
	var n [lint.Error + 1]int
	for _, f := range a.shown(c, true) {
		n[f.Severity]++
	}
	var parts []string
	for s := lint.Error; s >= lint.Note; s-- {
		if n[s] > 0 {
			parts = append(parts, plural(n[s], s.String()))
		}
	}
	switch {
	case a.quiet && c.failOn == lint.Error && parts == nil:
		return "no errors"
	case a.quiet && c.failOn == lint.Warning && parts == nil:
		return "no errors or warnings"
	case parts == nil:
		return "nothing found"
	}
	return strings.Join(parts, ", ")
}

// severityAction lends severities the colours of actions.
func severityAction(s lint.Severity) cbpf.Action {
	switch s {
	case lint.Error:
		return cbpf.KillProcess
	case lint.Warning:
		return cbpf.ErrnoClass
	}
	return cbpf.Log
}

func plural(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// explainFinding explains a kind of finding.
func (a *app) explainFinding(id string) error {
	var ids []string
	var t table
	for _, e := range lint.Catalog() {
		t.row(plain(e.ID, e.Severity.String(), e.Title)...)
		if e.ID == id {
			fmt.Fprintf(a.out, "%s: %s (%s)\n\n%s\n\nFix: %s.\n", e.ID, e.Title, e.Severity, wrapped(e.Why), e.Fix)
			return nil
		}
		ids = append(ids, e.ID)
	}
	if id == "list" {
		t.print(a.out)
		return nil
	}
	return failure.Usagef("--explain: unknown finding %q", id).HintNearest(id, ids, "seccompile check --explain list shows the IDs")
}

// wrapped breaks a text into lines.
func wrapped(text string) string {
	const width = 80
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

// A checksJSON is the document of check --json.
type checksJSON struct {
	Version  int         `json:"version"`
	OK       bool        `json:"ok"`
	Profiles []checkJSON `json:"profiles"`
}

// A checkJSON is what was found in one profile.
type checkJSON struct {
	File         string        `json:"file"`
	OK           bool          `json:"ok"`                // no errors, no warnings, and nothing that --fail-on names
	Error        string        `json:"error,omitempty"`   // why the file could not be read
	Stopped      bool          `json:"stopped,omitempty"` // errors kept the review from the rest
	ABIs         []string      `json:"abis,omitempty"`
	Instructions int           `json:"instructions,omitempty"`
	Fixed        []findingJSON `json:"fixed,omitempty"` // what --fix cured, at its place before
	Findings     []findingJSON `json:"findings"`
	Grade        *gradeJSON    `json:"grade,omitempty"`
}

// A findingJSON is one finding.
type findingJSON struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Pointer  string `json:"pointer,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Message  string `json:"message"`
	Fix      string `json:"fix"`
	Fixable  bool   `json:"fixable,omitempty"` // --fix does it
}

func newFindingJSON(f *lint.Finding) findingJSON {
	return findingJSON{f.ID, f.Severity.String(), f.Pointer, f.Line, f.Column, f.Reason, f.Fix, f.Fixable()}
}

func (a *app) checksDocument(profiles []*checked) checksJSON {
	doc := checksJSON{Version: jsonVersion, OK: true, Profiles: []checkJSON{}}
	for _, c := range profiles {
		p := checkJSON{File: c.in.Path, OK: c.ok(), Error: c.unread, Stopped: c.unread == "" && !c.filter() && c.report.Stopped(), Findings: []findingJSON{}, Grade: newGradeJSON(c.grade)}
		if r := c.report; r.Program != nil {
			p.ABIs, p.Instructions = intake.ABINames(r.Resolved.ABIs()), r.Program.Len()
		}
		for _, f := range a.shown(c, true) {
			p.Findings = append(p.Findings, newFindingJSON(&f))
		}
		for _, f := range c.cured {
			j := newFindingJSON(&f)
			j.Fix, j.Fixable = f.Done(), false // any more
			p.Fixed = append(p.Fixed, j)
		}
		doc.OK = doc.OK && p.OK
		doc.Profiles = append(doc.Profiles, p)
	}
	return doc
}
