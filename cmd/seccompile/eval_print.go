package main

import (
	"fmt"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/intake"
)

// answer prints the verdict, why, and the trace if asked.
func (a *app) answer(e *evalFlags, x *answer.Evaluation) error {
	if e.json {
		return a.putJSON(new(output), x.Document())
	}
	p := a.paint()
	if e.trace {
		printTrace(a, p, x.Steps, x.Verdict.Action)
	}
	fmt.Fprintf(a.out, "%s: %s\n", x.Text(a.numeric), p.action(x.Verdict.Action, intake.ActionText(x.Verdict.Action, x.ABI)))
	if x.Because != "" {
		fmt.Fprintf(a.out, "  %s\n", x.Because)
	}
	return nil
}

// printTrace prints the steps in columns, X only where it is used.
func printTrace(a *app, p painter, steps []answer.Step, verdict cbpf.Action) {
	usesX := false
	for _, s := range steps {
		usesX = usesX || s.X != 0
	}
	var t table
	for i, s := range steps {
		row := plain(fmt.Sprintf("%4d", s.PC), s.Instruction, fmt.Sprintf("A=0x%08x", s.A))
		if usesX {
			row = append(row, plain(fmt.Sprintf("X=0x%08x", s.X))...)
		}
		last := cell{text: s.Meaning}
		if i == len(steps)-1 {
			last.paint = func(s string) string { return p.action(verdict, s) }
		}
		t.row(append(row, last)...)
	}
	t.print(a.out)
}
