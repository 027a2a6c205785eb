package main

import (
	"bufio"
	"bytes"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/smt"
)

// checkQuestion finds mistakes about --smt2 before any work is done.
func (v *proveFlags) checkQuestion() error {
	if v.question == "-" && v.json {
		return failure.Usagef("--smt2: standard output already gets the JSON").Hintf("write the question to a file with --smt2 FILE")
	}
	return nil
}

// writeQuestion writes what prove answers for others to answer, and says how to ask them.
func (a *app) writeQuestion(v *proveFlags, profile, filter *answer.Side) error {
	if v.question == "" {
		return nil
	}
	var text bytes.Buffer
	if err := smt.Write(&text, smt.Policy(profile.Resolved), smt.Program(filter.Program)); err != nil {
		return err
	}
	if err := a.put(&output{v.question}, text.Bytes()); err != nil {
		return err
	}
	z3, cvc5 := "-in", ""
	if v.question != "-" {
		z3, cvc5 = failure.Shown(v.question), " "+failure.Shown(v.question)
	}
	a.note("to ask a solver, run z3 %s or cvc5 --lang=smt2 --bitblast=eager --ite-simp%s: unsat is proved, sat is different", z3, cvc5)
	return nil
}

// printAnswer prints prove's own answer: on standard error where standard output gets the
// question.
func (a *app) printAnswer(v *proveFlags, r *verified) error {
	switch {
	case v.json:
		return a.putJSON(new(output), r.document())
	case v.question == "-":
		w := bufio.NewWriter(a.stderr)
		r.print(w, false)
		return w.Flush()
	}
	r.print(a.out, a.paint())
	return nil
}
