package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/policy"
)

func (a *app) checkCommand() *cobra.Command {
	var t target
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check [flags] PROFILE...",
		Short: "find all problems of profiles",
		Long: `Check reads and compiles profiles, and reports every error and warning with its
place: line and column, and JSON pointer. Without -a a profile is checked for the
ABIs that it names, and for the host's if it names none.

The exit status is 1 if a profile has errors. Warnings alone leave it 0.`,
		Example: `  seccompile check profile.json
  seccompile check --compat strict -a x86_64,aarch64 *.json
  seccompile check --json config.json`,
		ValidArgsFunction: completeProfile,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{""}
			}
			place, err1 := t.place()
			options, err2 := t.options()
			if err := cmp.Or(err1, err2); err != nil {
				return err
			}
			return a.checkAll(args, place, options, asJSON)
		},
	}
	t.addPlace(cmd)
	t.addReading(cmd)
	addJSON(cmd, &asJSON)
	return cmd
}

// checkAll checks profiles and prints what it finds of each.
func (a *app) checkAll(args []string, place policy.Target, options policy.Options, asJSON bool) error {
	doc := checksJSON{Version: jsonVersion, OK: true, Profiles: []*checkJSON{}}
	answer := &failure{code: 0}
	for _, arg := range args {
		in, err := a.read(arg)
		if err == nil && in.kind != kindProfile {
			_, _, err = in.policy(place)
		}
		if err != nil {
			answer.code, doc.OK = a.report(nil, err), false
			continue
		}
		c := a.check(in, place, options)
		doc.Profiles = append(doc.Profiles, c)
		if !c.OK {
			answer.code, doc.OK = max(answer.code, exitNo), false
		}
		if !asJSON {
			a.printCheck(c)
		}
	}
	if asJSON {
		if err := a.putJSON(new(output), doc); err != nil {
			return err
		}
	}
	if doc.OK {
		return nil
	}
	return answer
}

// A checksJSON is the document of check --json.
type checksJSON struct {
	Version  int          `json:"version"`
	OK       bool         `json:"ok"`
	Profiles []*checkJSON `json:"profiles"`
}

// A checkJSON is what was found out about one profile.
type checkJSON struct {
	File         string        `json:"file"`
	OK           bool          `json:"ok"` // no errors
	ABIs         []string      `json:"abis,omitempty"`
	Instructions int           `json:"instructions,omitempty"`
	Findings     []findingJSON `json:"findings"`
}

// A findingJSON is one error or warning.
type findingJSON struct {
	Severity string `json:"severity"`       // "error" or "warning"
	Kind     string `json:"kind,omitempty"` // of a warning
	Pointer  string `json:"pointer,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Message  string `json:"message"`
}

const (
	severityError   = "error"
	severityWarning = "warning"
)

// check takes a profile through all stages, collecting what each has to say, in
// the order of the file.
func (a *app) check(in *input, place policy.Target, options policy.Options) *checkJSON {
	c := &checkJSON{File: in.name, Findings: []findingJSON{}}
	defer func() {
		slices.SortStableFunc(c.Findings, func(f, g findingJSON) int {
			return cmp.Or(cmp.Compare(f.Line, g.Line), cmp.Compare(f.Column, g.Column))
		})
	}()
	p, warnings, err := in.policy(place)
	a.addWarnings(c, in, warnings)
	if err != nil {
		c.addErrors(in, err)
		return c
	}
	if len(options.ABIs) == 0 {
		options.ABIs = ownABIs(p)
	}
	r, warnings, err := policy.Resolve(p, options)
	a.addWarnings(c, in, warnings)
	if err != nil {
		c.addErrors(in, err)
		return c
	}
	c.ABIs = abiList(resolvedABIs(r))
	result, err := compiler.Compile(r, compiler.Options{})
	if err != nil {
		c.addErrors(in, err)
		return c
	}
	c.OK, c.Instructions = true, result.Program.Len()
	return c
}

func (a *app) addWarnings(c *checkJSON, in *input, warnings []policy.Warning) {
	for _, w := range a.loud(warnings) {
		f := findingJSON{Severity: severityWarning, Kind: w.Kind.String(), Pointer: w.Pointer, Message: w.Message}
		if line, column, ok := policy.Position(in.data, w.Pointer); ok {
			f.Line, f.Column = line, column
		}
		c.Findings = append(c.Findings, f)
	}
}

func (c *checkJSON) addErrors(in *input, err error) {
	var problems policy.Errors
	if !errors.As(err, &problems) {
		var file *fileError
		if errors.As(err, &file) {
			err = file.err
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			c.Findings = append(c.Findings, findingJSON{Severity: severityError, Message: unprefixed(line)})
		}
		return
	}
	for _, p := range problems {
		f := findingJSON{Severity: severityError, Pointer: p.Pointer, Line: p.Line, Column: p.Column, Message: p.Reason}
		if line, column, ok := policy.Position(in.data, p.Pointer); ok && f.Line == 0 && p.Pointer != "" {
			f.Line, f.Column = line, column
		}
		c.Findings = append(c.Findings, f)
	}
}

// printCheck prints the findings, one a line, and a summary.
func (a *app) printCheck(c *checkJSON) {
	p := a.paint()
	count := map[string]int{}
	for _, f := range c.Findings {
		count[f.Severity]++
		place := c.File
		if f.Line != 0 {
			place += fmt.Sprintf(":%d:%d", f.Line, f.Column)
		}
		kind := ""
		if f.Kind != "" {
			kind = " (" + f.Kind + ")"
		}
		severity := p.action(severityAction(f.Severity), f.Severity)
		fmt.Fprintf(a.out, "%s%s\n", strings.Join(nonempty(place, severity, f.Pointer, f.Message), ": "), kind)
	}
	found := plural(count[severityWarning], "warning")
	if !c.OK {
		fmt.Fprintf(a.out, "%s: %s: %s, %s\n", c.File, p.text(red, "bad"), plural(count[severityError], "error"), found)
		return
	}
	fmt.Fprintf(a.out, "%s: %s: %s, %s for %s\n", c.File, p.text(green, "ok"), found,
		plural(c.Instructions, "instruction"), strings.Join(c.ABIs, ", "))
}

// severityAction lends severities the colours of actions.
func severityAction(severity string) cbpf.Action {
	if severity == severityError {
		return cbpf.KillProcess
	}
	return cbpf.ErrnoClass
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
