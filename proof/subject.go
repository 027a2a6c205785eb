package proof

import (
	"errors"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A Subject is something that decides calls: a [Policy], a [Program] or a
// [Stack] of them.
type Subject interface {
	// Eval decides one call by running the subject, not by the proof.
	Eval(*cbpf.Data) cbpf.Action

	// validate returns an error if what the subject does is undefined.
	validate() error
	// groups joins the words of seccomp_data that the subject compares with each other.
	groups(*groups)
	// lift returns what the subject does with every call.
	lift(*universe) *outcome
}

// Policy makes a resolved policy a subject. Questions about one that
// [policy.Resolved.Validate] refuses end with its error.
func Policy(r *policy.Resolved) Subject { return meaning{r} }

// Program makes a filter a subject.
func Program(p *cbpf.Program) Subject { return program{p} }

// Stack makes several subjects, in the order of installation, a subject that
// decides as a kernel does with all of them installed: the strictest action
// wins, of equally strict ones the newest's, and an allowed call has no data
// (kernel/seccomp.c: seccomp_run_filters).
func Stack(oldestFirst ...Subject) Subject { return stack(oldestFirst) }

type stack []Subject

// Eval implements Subject.
func (s stack) Eval(d *cbpf.Data) cbpf.Action {
	result := cbpf.Allow
	for i := len(s) - 1; i >= 0; i-- {
		if a := s[i].Eval(d); a.Compare(result) < 0 {
			result = a
		}
	}
	return result
}

// validate returns an error if what a subject does is undefined, or if there is none.
func validate(s Subject) error {
	if s == nil {
		return errors.New("proof: no subject (use Policy, Program or Stack)")
	}
	return s.validate()
}

func (s stack) validate() error {
	var errs []error
	for _, one := range s {
		errs = append(errs, validate(one))
	}
	return errors.Join(errs...)
}

func (s stack) groups(g *groups) {
	for _, one := range s {
		one.groups(g)
	}
}

func (s stack) lift(u *universe) *outcome {
	result := &outcome{regions: []region{{cbpf.Allow, all}}}
	for i := len(s) - 1; i >= 0; i-- {
		result = u.strictest(result, s[i].lift(u))
	}
	return result
}

// strictest joins the outcome of newer filters with that of an older one.
func (u *universe) strictest(newer, older *outcome) *outcome {
	if len(older.computed) > 0 {
		u.exhausted("Actions")
	}
	result := &outcome{}
	for _, n := range newer.regions {
		for _, o := range older.regions {
			if !u.spend(1) {
				return result
			}
			action := n.action
			if o.action.Compare(n.action) < 0 {
				action = o.action
			}
			result.add(u, action, u.and(n.calls, o.calls))
		}
	}
	return result
}
