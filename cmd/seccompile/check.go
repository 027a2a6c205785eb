package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/lint"
	"github.com/seccompile/seccompile/policy"
)

const checkLong = `Check reviews profiles before they ship. It reports what a profile is refused for,
what its author may not have meant, and what a filter cannot do for it: each with
its place (line and column, and JSON pointer), a reason, an ID and what to do.

--for says who is going to read the file. Then check also reports what that program
ignores, refuses or does otherwise, and calls that it needs to start a container.

Errors mean that the profile is refused or does not do what it says, warnings that
it most likely does not do what is wanted, notes what is good to know; -v shows the
notes. The exit status is 1 if there is a finding of the severity of --fail-on or
above. docs/CHECKS.md lists all kinds of findings, and --explain tells about one.

Without -a a profile is checked for the ABIs that it names, and for the host's if
it names none.`

// A checking is what the flags of check say.
type checking struct {
	target
	consumer, failOn string
	json, sarif      bool
	explain          string
}

func (a *app) checkCommand() *cobra.Command {
	var c checking
	cmd := &cobra.Command{
		Use:   "check [flags] PROFILE...",
		Short: "review profiles",
		Long:  checkLong,
		Example: `  seccompile check profile.json
  seccompile check --for podman -v profile.json
  seccompile check --for kubernetes --fail-on warning --sarif *.json >findings.sarif
  seccompile check --compat strict -a x86_64,aarch64 --json config.json
  seccompile check --explain open-twin`,
		ValidArgsFunction: completeProfile,
		RunE:              func(_ *cobra.Command, args []string) error { return a.check(&c, args) },
	}
	f := cmd.Flags()
	f.StringVar(&c.failOn, "fail-on", lint.Error.String(), "the `SEVERITY` from which the exit status is 1: note, warning or error")
	f.BoolVar(&c.sarif, "sarif", false, "write a SARIF 2.1.0 document, for code scanning")
	f.StringVar(&c.explain, "explain", "", "tell about the findings with this `ID`, and check nothing")
	c.addPlace(cmd)
	c.addReading(cmd)
	c.addConsumer(cmd)
	addJSON(cmd, &c.json)
	cmd.MarkFlagsMutuallyExclusive("json", "sarif")
	var ids []string
	for _, e := range lint.Catalog() {
		ids = append(ids, e.ID+"\t"+e.Title)
	}
	completeFlag(cmd, "fail-on", oneOf("note", "warning", "error"))
	completeFlag(cmd, "explain", oneOf(ids...))
	return cmd
}

// addConsumer adds the flag that says whom the profiles are for.
func (c *checking) addConsumer(cmd *cobra.Command) {
	var consumers []string
	for _, x := range lint.Consumers() {
		consumers = append(consumers, x.String())
	}
	cmd.Flags().StringVar(&c.consumer, "for", "", "the `PROGRAM` that the profiles are for: docker, podman, runc, crun, containerd or kubernetes")
	completeFlag(cmd, "for", oneOf(consumers...))
}

// check reviews the profiles and prints what it finds.
func (a *app) check(c *checking, args []string) error {
	if c.explain != "" {
		return a.explainFinding(c.explain)
	}
	failOn, err := lint.ParseSeverity(c.failOn)
	if err != nil {
		return flagValue("--fail-on", err)
	}
	if len(args) == 0 {
		args = []string{""}
	}
	answer := &failure{code: 0}
	var profiles []*checked
	for _, arg := range args {
		in, err := a.read(arg)
		if err == nil && in.kind != kindProfile {
			_, _, err = in.policy(policy.Target{})
		}
		if err != nil {
			answer.code = max(answer.code, a.report(nil, err))
			continue
		}
		p, err := c.look(in)
		if err != nil {
			return err
		}
		if p.ok = p.report.Worst() < failOn; !p.ok {
			answer.code = max(answer.code, exitNo)
		}
		profiles = append(profiles, p)
	}
	if err := a.printChecked(c, profiles, answer.code == 0); err != nil || answer.code == 0 {
		return err
	}
	return answer
}

// A checked is a profile and what was found in it.
type checked struct {
	in     *input
	report *lint.Report
	ok     bool // nothing is found as bad as --fail-on says
}

// look reviews one profile.
func (c *checking) look(in *input) (*checked, error) {
	var consumer lint.Consumer
	if c.consumer != "" {
		var err error
		if consumer, err = lint.ParseConsumer(c.consumer); err != nil {
			return nil, flagValue("--for", err)
		}
	}
	place, err1 := c.place(in)
	options, err2 := c.options()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, err
	}
	if consumer != 0 && slices.Equal(c.caps, []string{"default"}) {
		place.Caps = consumer.DefaultCaps()
	}
	return &checked{in: in, report: lint.Check(in.data, lint.Options{For: consumer, Target: place, Resolve: options})}, nil
}

// printChecked prints the findings of all profiles in the form that is asked for.
func (a *app) printChecked(c *checking, profiles []*checked, ok bool) error {
	switch {
	case c.json:
		return a.putJSON(new(output), a.checksDocument(profiles, ok))
	case c.sarif:
		return a.putJSON(new(output), a.sarifDocument(profiles))
	}
	notes := a.verbose || c.failOn == lint.Note.String()
	for _, p := range profiles {
		a.printFindings(p, notes)
	}
	return nil
}

// shown returns the findings that the -q flag leaves, with the notes or without.
func (a *app) shown(findings []lint.Finding, notes bool) []lint.Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f lint.Finding) bool {
		return a.quiet && f.Severity < lint.Error || !notes && f.Severity == lint.Note
	})
}

// printFindings prints the findings of one profile, two lines each, and a summary.
func (a *app) printFindings(c *checked, notes bool) {
	p := a.paint()
	for _, f := range a.shown(c.report.Findings, notes) {
		place := c.in.name
		if f.Line != 0 {
			place += fmt.Sprintf(":%d:%d", f.Line, f.Column)
		}
		severity := p.action(severityAction(f.Severity), f.Severity.String())
		fmt.Fprintf(a.out, "%s (%s)\n", strings.Join(nonempty(place, severity, shown(f.Pointer), f.Reason), ": "), f.ID)
		fmt.Fprintf(a.out, "    fix: %s\n", f.Fix)
	}
	word := p.text(green, "ok")
	if !c.ok {
		word = p.text(red, "bad")
	}
	summary := a.counts(c.report.Findings)
	if r := c.report; r.Program != nil {
		summary += fmt.Sprintf("; %s for %s", plural(r.Program.Len(), "instruction"), strings.Join(abiList(resolvedABIs(r.Resolved)), ", "))
	}
	fmt.Fprintf(a.out, "%s: %s: %s\n", c.in.name, word, summary)
}

// counts says how many findings of each severity there are, or are shown.
func (a *app) counts(findings []lint.Finding) string {
	var n [lint.Error + 1]int
	for _, f := range a.shown(findings, true) {
		n[f.Severity]++
	}
	var parts []string
	for s := lint.Error; s >= lint.Note; s-- {
		if n[s] > 0 {
			parts = append(parts, plural(n[s], s.String()))
		}
	}
	switch {
	case a.quiet && parts == nil:
		return "no errors"
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

// explainFinding tells about a kind of findings.
func (a *app) explainFinding(id string) error {
	var ids []string
	for _, e := range lint.Catalog() {
		if e.ID == id {
			fmt.Fprintf(a.out, "%s: %s (%s)\n\n%s\n\nFix: %s.\n", e.ID, e.Title, e.Severity, wrapped(e.Why), e.Fix)
			return nil
		}
		ids = append(ids, e.ID)
	}
	return usagef("--explain: no findings have the ID %q", id).hintNearest(id, ids, "docs/CHECKS.md lists them")
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
	OK           bool          `json:"ok"` // nothing is as bad as --fail-on says
	ABIs         []string      `json:"abis,omitempty"`
	Instructions int           `json:"instructions,omitempty"`
	Findings     []findingJSON `json:"findings"`
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
}

func (a *app) checksDocument(profiles []*checked, ok bool) checksJSON {
	doc := checksJSON{Version: jsonVersion, OK: ok, Profiles: []checkJSON{}}
	for _, c := range profiles {
		p := checkJSON{File: c.in.path, OK: c.ok, Findings: []findingJSON{}}
		if r := c.report; r.Program != nil {
			p.ABIs, p.Instructions = abiList(resolvedABIs(r.Resolved)), r.Program.Len()
		}
		for _, f := range a.shown(c.report.Findings, true) {
			p.Findings = append(p.Findings, findingJSON{f.ID, f.Severity.String(), f.Pointer, f.Line, f.Column, f.Reason, f.Fix})
		}
		doc.Profiles = append(doc.Profiles, p)
	}
	return doc
}
