package smt

import (
	"fmt"

	"github.com/seccompile/seccompile/policy"
)

// A meaning is the Subject of a resolved policy.
type meaning struct{ *policy.Resolved }

func (r meaning) validate() error { return r.Validate() }

// define follows [policy.Resolved.Decide].
func (r meaning) define(s *script, name string) string {
	var spaces []choice
	for i := range r.Spaces {
		space := &r.Spaces[i]
		spaces = append(spaces, choice{
			when: "(= arch " + word(space.Audit) + ")",
			word: r.space(s, fmt.Sprintf("%s.%d", name, i), space),
		})
	}
	return s.first(name+".arch", spaces, word(r.BadArch))
}

func (r meaning) space(s *script, name string, space *policy.Space) string {
	var decided []choice
	for _, x := range space.Ranges {
		decided = append(decided, choice{
			when: fmt.Sprintf("(and (bvule %s nr) (bvule nr %s))", word(x.First), word(x.Last)),
			word: word(x.Action),
		})
	}
	for i := range space.Calls {
		call := &space.Calls[i]
		decided = append(decided, choice{
			when: "(= nr " + word(call.NR) + ")",
			word: r.call(s, fmt.Sprintf("%s.nr%d", name, call.NR), call),
		})
	}
	return s.first(name+".number", decided, word(r.Default))
}

func (r meaning) call(s *script, name string, call *policy.Call) string {
	var clauses []choice
	for i := range call.Clauses {
		c := &call.Clauses[i]
		clauses = append(clauses, choice{all(c.Conds), word(c.Action)})
	}
	return s.first(name, clauses, word(r.Default))
}

// all returns the term for conditions that all hold.
func all(conds []policy.Cond) string {
	var terms []string
	for _, c := range conds {
		terms = append(terms, holds(c))
	}
	return join("and", terms, "true")
}

// holds returns the term for a condition. A policy that is valid has no other operators.
func holds(c policy.Cond) string {
	arg := fmt.Sprintf("(bvand a%d %s)", c.Arg, long(c.Mask))
	compare := func(op string) string { return fmt.Sprintf("(%s %s %s)", op, arg, long(c.Value)) }
	switch c.Op {
	case policy.Equal, policy.MaskedEqual:
		return compare("=")
	case policy.NotEqual, policy.MaskedNotEqual:
		return compare("distinct")
	case policy.Less:
		return compare("bvult")
	case policy.LessEqual:
		return compare("bvule")
	case policy.GreaterEqual:
		return compare("bvuge")
	case policy.Greater:
		return compare("bvugt")
	}
	panic("BUG: smt: Validate accepts the operator " + c.Op.String())
}
