package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
)

const explainLong = `Explain lists the action that each system call gets, and under which arguments: for
each ABI that FILE distinguishes, and for all other ABIs together. FILE is a profile,
a raw filter, assembly text or an artifact. Explain works from the meaning, not from
the text: a profile and a filter that mean the same have the same explanation, and it
is complete and without repetition.

By action, calls that always get the same action are listed together, followed by
those that depend on arguments. By syscall, each call has a line, in the order of the
numbers. Numbers without a call are listed as numbers, large ones in hex (0x). With
-n, each name is followed by its number.

-a chooses the ABIs: those to read a profile for, or those of a filter to show.`

// The explainFlags are the flags of explain.
type explainFlags struct {
	targetFlags
	patience
	by   string
	json bool
}

func (a *app) explainCommand() *cobra.Command {
	var e explainFlags
	var o output
	cmd := &cobra.Command{
		Use:        "explain [flags] [FILE]",
		Short:      "list the action that each system call gets",
		SuggestFor: []string{"describe", "list", "print", "show"},
		Long:       explainLong,
		Example: `  seccompile explain -a x86_64 docker-default
  seccompile explain filter.bpf
  seccompile explain --by syscall -n -a aarch64 profile.json
  seccompile explain --json filter.bpf | jq '.abis[0].runs[0]'`,
		Args:              one("file"),
		ValidArgsFunction: completeOneOfFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			if e.by != "action" && e.by != "syscall" {
				return failure.Usagef("--by: unknown grouping %q (known: action, syscall)", e.by)
			}
			return a.explain(&e, &o, first(args))
		},
	}
	e.addPlace(cmd)
	cmd.Flags().StringVar(&e.by, "by", "action", "group by `KEY`: action or syscall")
	a.addNumeric(cmd)
	o.add(cmd)
	addJSON(cmd, &e.json)
	e.addReading(cmd)
	e.patience.add(cmd)
	completeFlag(cmd, "by", oneOf("action", "syscall"))
	return cmd
}

// explain reads FILE and prints what it does.
func (a *app) explain(e *explainFlags, o *output, arg string) error {
	limits, err := e.limits()
	if err != nil {
		return err
	}
	s, err := a.side(&e.Target, arg)
	if err != nil {
		return err
	}
	abis, err := intake.ParseABIs(e.ABIs)
	if err := cmp.Or(e.CheckSettings(s.Policy != nil), err); err != nil {
		return err
	}
	x, err := answer.Explain(s, abis, a.numeric, limits)
	if err != nil {
		return err
	}
	if e.json {
		return a.putJSON(o, x.Document())
	}
	p := a.paint()
	if o.explicit() {
		p = false
	}
	return a.put(o, explainedText(p, x, e.by == "syscall"))
}

// explainedText renders an explanation for people.
func explainedText(p painter, x *answer.Explanation, bySyscall bool) []byte {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	for i := range x.Treatments {
		t := &x.Treatments[i]
		action, always := t.Always()
		switch {
		case always:
			fmt.Fprintf(w, "%s: %s\n", p.text(bold, t.Title), p.action(action, intake.ActionText(action, t.ABI)))
		case bySyscall:
			printBySyscall(w, p, t)
		default:
			printByAction(w, p, t)
		}
	}
	w.Flush() // a buffer takes everything
	return b.Bytes()
}

// cells returns the words of a sentence, its verdicts painted.
func cells(p painter, s answer.Sentence) (out []cell) {
	for _, w := range s {
		c := cell{text: w.Text}
		if w.Verdict {
			c.paint = func(s string) string { return p.action(w.Action, s) }
		}
		out = append(out, c)
	}
	return out
}

// printByAction prints the calls of each action, the most permissive first, and then
// those that depend on arguments.
func printByAction(w *bufio.Writer, p painter, t *answer.Treatment) {
	fmt.Fprintln(w, p.text(bold, t.Title))
	always, depends := t.ByAction()
	for _, l := range always {
		fmt.Fprintf(w, "  %s: %s\n", p.action(l.Action, intake.ActionText(l.Action, t.ABI)), l.Count())
		fill(w, 4, plain(l.Words(t.Numeric)...))
	}
	if len(depends) > 0 {
		fmt.Fprintln(w, "  by arguments")
	}
	for _, d := range depends {
		words := d.Words(t.Numeric)
		words[len(words)-1] += ":"
		fill(w, 4, plain(words...))
		fill(w, 6, cells(p, d.Sentence))
	}
}

// printBySyscall prints a line for each call.
func printBySyscall(w *bufio.Writer, p painter, t *answer.Treatment) {
	fmt.Fprintln(w, p.text(bold, t.Title))
	var rows table
	for _, x := range t.BySyscall() {
		row := plain("", cmp.Or(x.Name, x.String()))
		if t.Numeric && x.Name != "" {
			row = plain("", x.String(), x.Name)
		} else if t.Numeric {
			row = plain("", "", x.String())
		}
		rows.row(append(row, cell{x.Sentence.String(), func(string) string { return painted(cells(p, x.Sentence)) }})...)
	}
	rows.print(w)
}

// painted returns words as one text, in their colours.
func painted(words []cell) string {
	var out []string
	for _, c := range words {
		text := c.text
		if c.paint != nil {
			text = c.paint(text)
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}
