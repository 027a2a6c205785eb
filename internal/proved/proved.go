// Package proved makes the filters that leave this project: programs that are proved to
// mean what their policy says. It is the only room that calls the compiler.
//
// There are two compilers and one judge. The optimising compiler's program is checked by
// [proof.Walk]. If it is refuted, or the walk gives up on it, the plain compiler's
// program takes its place, once it is proved: a runtime must neither run a wrong filter
// nor fail to start. The general proof never runs here, because it can take seconds.
package proved

import (
	"errors"
	"fmt"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// A Result is a program and the proof of it.
type Result struct {
	// Result has the program. The other stages are those of the optimising compiler,
	// whichever compiler made the program.
	compile.Result
	Choice Choice
	// Proof is what proved the program. Its Verdict is Same.
	Proof proof.Result
	// Warnings are defects of this project, of kind [policy.Defect], that cost the filter
	// some speed and no correctness.
	Warnings []policy.Warning
}

// A Choice says which compiler's program was taken, and why.
type Choice uint8

// The choices.
const (
	Optimised    Choice = iota // of the optimising compiler, as usual
	PlainShorter               // of the plain compiler: it is shorter, and the kernel's bitmap sees no less
	PlainFits                  // because the optimised one would exceed the kernel's limit
	PlainProved                // because the proof of the optimised one was given up
	PlainRight                 // because the optimised one was refuted
)

// String says why, in a few words.
func (c Choice) String() string {
	return [...]string{"optimised", "plain: shorter", "plain: fits", "plain: proved", "plain: right"}[c]
}

// Compile returns a program that returns r.Eval(d) for every call d, and is proved to.
// The error is that of [policy.Resolved.Validate]; a [*compile.TooLongError] if no
// program fits the kernel's limit; or wraps a [*proof.LimitError] if only the optimised
// one fits and its proof was given up.
func Compile(r *policy.Resolved, o compile.Options) (*Result, error) {
	optimised, err := compile.Compile(r, o)
	if optimised == nil {
		return nil, err
	}
	plain := func(limit int) (*cbpf.Program, error) { return compile.Plain(r, limit) }
	result, err := choose(r, optimised.Program, plain, err)
	if err != nil {
		return nil, err
	}
	result.Diagram, result.Tree = optimised.Diagram, optimised.Tree
	return result, nil
}

// PlainLength returns how many instructions the plain compiler's program has for a policy, 0
// if that does not fit the kernel's limit.
func PlainLength(r *policy.Resolved) int {
	p, err := compile.Plain(r, cbpf.MaxInstructions)
	if err != nil {
		return 0
	}
	return p.Len()
}

// A try is a program that may be taken.
type try struct {
	program *cbpf.Program
	choice  Choice
}

// choose returns the better of two programs for a policy if that is proved, and otherwise
// the other one: the shorter, unless its calls run where the other's do not. The plain
// program is made within a limit, because it is rarely the shorter one. An optimised
// program that is too long is nil, and tooLong says so.
func choose(r *policy.Resolved, optimised *cbpf.Program, plain func(limit int) (*cbpf.Program, error), tooLong error) (*Result, error) {
	var tries []try
	if optimised == nil {
		p, err := plain(cbpf.MaxInstructions)
		if err != nil {
			return nil, tooLong
		}
		tries = []try{{p, PlainFits}}
	} else {
		if p, err := plain(optimised.Len() - 1); err == nil && !slower(r, p, optimised) {
			tries = append(tries, try{p, PlainShorter})
		}
		tries = append(tries, try{optimised, Optimised})
	}
	var warnings []policy.Warning
	var reasons []error
	for i := 0; i < len(tries); i++ {
		t := tries[i]
		result, err := proof.Walk(r, t.program)
		switch {
		case err == nil && result.Verdict == proof.Same:
			if t.choice == PlainProved && len(warnings) > 0 {
				t.choice = PlainRight
			}
			return &Result{Result: compile.Result{Program: t.program}, Choice: t.choice, Proof: result, Warnings: warnings}, nil
		case err == nil && result.Verdict == proof.Different:
			err = fmt.Errorf("BUG: the %s does not mean what the profile says: %v", t.choice.compiler(), result.Witness)
			warnings = append(warnings, policy.Warning{
				Kind:    policy.Defect,
				Message: err.Error() + "; another one, which is proved, takes its place (please report this profile)",
			})
		case err == nil:
			err = &proof.LimitError{Reason: result.Reason}
		}
		reasons = append(reasons, err)
		if t.choice == Optimised && i == 0 {
			if p, err := plain(cbpf.MaxInstructions); err == nil {
				tries = append(tries, try{p, PlainProved})
			} else {
				tooLong = err
			}
		}
	}
	if tooLong != nil && len(warnings) == 0 {
		return nil, fmt.Errorf("%w; a shorter one has too many paths to be proved: %w", tooLong, reasons[0])
	}
	return nil, fmt.Errorf("no filter could be proved: %w", errors.Join(reasons...))
}

// slower reports whether a call that the kernel's bitmap allows without running one program
// needs the other one to run. A plain program asks all that the clauses say, even if
// together they allow everything.
func slower(r *policy.Resolved, plain, optimised *cbpf.Program) bool {
	for i := range r.Spaces {
		s := &r.Spaces[i]
		for j := range s.Calls {
			nr := s.Calls[j].NR
			if fast, _ := plain.ConstAllow(s.Audit, nr); fast {
				continue
			}
			if fast, _ := optimised.ConstAllow(s.Audit, nr); fast {
				return true
			}
		}
	}
	return false
}

// compiler names the program of a compiler.
func (c Choice) compiler() string {
	if c == Optimised {
		return "optimised filter"
	}
	return "plain filter"
}
