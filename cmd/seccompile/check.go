package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
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
	status := &failure.Error{Status: 0}
	var profiles []*answer.Checked
	written := false
	add := func(p *answer.Checked) {
		p.FailOn = failOn
		if p.Bad() {
			status.Status = max(status.Status, failure.No)
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
			status.Status = max(status.Status, a.report(nil, err))
			profiles = append(profiles, answer.Unchecked(cmp.Or(arg, standardInput), err))
			continue
		}
		p, err := c.look(in)
		switch {
		case err != nil || !c.fix:
		case manifest != nil:
			return failure.Usagef("--fix: %s is a manifest, which has the digest of the profile (correct the profile and push it again)", manifest.In.Name)
		case p.Options.Language != nil || in.YAML:
			return failure.Usagef("--fix: %s is in another language than OCI's, Docker's and Podman's (change it by hand, as the fixes say)", in.Name)
		default:
			written, err = a.fixed(c, p)
		}
		if err != nil {
			return err
		}
		if err := c.rate(p); err != nil {
			status.Status = max(status.Status, a.report(nil, err))
			profiles = append(profiles, answer.Unchecked(in.Path, err))
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
	if status.Status == 0 {
		return nil
	}
	return status
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
func (a *app) fixed(c *checkFlags, p *answer.Checked) (written bool, err error) {
	fixed := lint.Fix(p.In.Source, p.Options)
	if fixed.Report.Policy == nil {
		a.report(nil, failure.Nof("--fix: %s has errors that have to be corrected by hand, so nothing is written", p.In.Name))
		return false, nil
	}
	if err := a.put(&c.to, fixed.Text); err != nil {
		return false, err
	}
	p.Cured, p.Report = fixed.Cured, fixed.Report
	if c.to.path != "-" {
		p.In = intake.New(c.to.path, failure.Shown(c.to.path), fixed.Text)
	}
	return true, nil
}

// look reviews an input.
func (c *checkFlags) look(in *intake.Input) (*answer.Checked, error) {
	limits, err := c.limits()
	if err != nil {
		return nil, err
	}
	return answer.Check(&c.Target, in, answer.CheckOptions{For: c.consumer, NoStart: !c.start, Baselines: c.bases, Limits: limits})
}

// printChecked prints the findings of all profiles in the form that is asked for.
func (a *app) printChecked(c *checkFlags, profiles []*answer.Checked) error {
	switch {
	case c.json:
		return a.putJSON(new(output), answer.CheckDocument(profiles, a.quiet))
	case c.sarif:
		return a.putJSON(new(output), a.sarifDocument(profiles))
	}
	notes := a.verbose || c.failOn == lint.Note.String()
	for _, p := range profiles {
		if p.Unread == "" {
			a.printFindings(p, notes)
		}
	}
	return nil
}

// printFindings prints the findings of one profile, two lines each, and a summary.
func (a *app) printFindings(c *answer.Checked, notes bool) {
	p := a.paint()
	for _, f := range c.Cured {
		fmt.Fprintf(a.out, "%s (%s)\n    done: %s\n", failure.Join(p.text(green, "fixed"), failure.Shown(f.Pointer), f.Reason), f.ID, f.Done())
	}
	for _, f := range c.Shown(notes, a.quiet) {
		place := failure.Place(c.In.Name, f.Line, f.Column, "", "")
		if fmt.Sprintf("%d:%d", f.Line, f.Column) == f.Pointer {
			f.Pointer = ""
		}
		severity := p.action(severityAction(f.Severity), f.Severity.String())
		fmt.Fprintf(a.out, "%s (%s)\n", failure.Join(place, severity, failure.Shown(f.Pointer), f.Reason), f.ID)
		fmt.Fprintf(a.out, "    fix: %s\n", f.Fix)
	}
	if !c.IsFilter() && c.Report.Stopped() {
		fmt.Fprintf(a.out, "%s: the review stopped at these errors: correct them and check again\n", c.In.Name)
	}
	word := p.text(green, "ok")
	switch {
	case c.Bad():
		word = p.text(red, "bad")
	case !c.OK():
		word = p.text(yellow, "passed")
	}
	var summary []string
	if !c.IsFilter() {
		summary = append(summary, a.counts(c))
	}
	if r := c.Report; r.Program != nil {
		summary = append(summary, fmt.Sprintf("%s for %s", answer.Plural(r.Program.Len(), "instruction"), strings.Join(intake.ABINames(r.Resolved.ABIs()), ", ")))
	}
	if c.Grade != nil {
		summary = append(summary, gradeText(c))
	}
	fmt.Fprintf(a.out, "%s: %s: %s\n", c.In.Name, word, strings.Join(summary, "; "))
	if c.Grade != nil && !a.quiet {
		a.printGrade(c.Grade)
	}
}

// counts says how many findings of each severity there are, or are shown.
func (a *app) counts(c *answer.Checked) string {
	var n [lint.Error + 1]int
	for _, f := range c.Shown(true, a.quiet) {
		n[f.Severity]++
	}
	var parts []string
	for s := lint.Error; s >= lint.Note; s-- {
		if n[s] > 0 {
			parts = append(parts, answer.Plural(n[s], s.String()))
		}
	}
	switch {
	case a.quiet && c.FailOn == lint.Error && parts == nil:
		return "no errors"
	case a.quiet && c.FailOn == lint.Warning && parts == nil:
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
