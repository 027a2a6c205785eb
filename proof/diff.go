package proof

import (
	"errors"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A Change is calls that one subject gives one action and another subject
// another.
type Change struct {
	// Audits are the AUDIT_ARCH values of the calls, as ranges.
	Audits policy.Intervals
	// First and Last are the smallest and the largest of their numbers.
	First, Last uint32
	// When says for which arguments: any one of these must hold. A change for all
	// arguments has one case without conditions.
	When []Case
	// More says that there are more cases than When lists.
	More bool
	// From is the first subject's action, To the second's. To is weaker if it compares as
	// greater, by [cbpf.Action.Compare], and neither weaker nor stricter if only its data
	// is another.
	From, To cbpf.Action
	// Witness is one of the calls.
	Witness Witness
}

// A Case is conditions on the instruction pointer and arguments that must all
// hold.
type Case []When

// A When is one condition.
type When struct {
	Arg    int // 0 to 5, or [IP]
	Values Values
}

// maxCases is how many cases of one change are listed.
const maxCases = 64

// Diff returns the calls that a and b treat differently, grouped by AUDIT_ARCH
// value, number and pair of actions; none if they are equal. The error is a
// [*LimitError], or as for [Equal].
func Diff(a, b Subject, l Limits) ([]Change, error) {
	if err := errors.Join(validate(a), validate(b)); err != nil {
		return nil, err
	}
	u := newUniverse(newOrder(groups{}), l.orDefault())
	oa, ob := a.lift(u), b.lift(u)
	if len(oa.computed) > 0 || len(ob.computed) > 0 {
		u.exhausted("Actions")
	}
	pairs, sets := u.pairs(oa, ob)
	var out []Change
	for _, class := range u.classes(sets) {
		here := u.inIntervals(wordArch, class.audits)
		for _, p := range u.split(class.rest, wordNR) {
			numbers := u.inIntervals(wordNR, []policy.Interval{{First: p.first, Last: p.last}})
			for _, s := range p.rest {
				c := pairs[s.index]
				c.Audits, c.First, c.Last = class.audits, p.first, p.last
				c.When, c.More = u.cases(s.calls)
				calls := u.and(u.and(here, numbers), s.calls)
				if u.over != "" {
					return nil, &LimitError{u.reason()}
				}
				w, err := u.witness(calls, a, b)
				if err != nil {
					return nil, err
				}
				c.Witness = *w
				out = append(out, c)
			}
		}
	}
	if u.over != "" {
		return nil, &LimitError{u.reason()}
	}
	return out, nil
}

// pairs returns the pairs of different actions that calls get, and the calls of
// each.
func (u *universe) pairs(a, b *outcome) ([]Change, tuple) {
	var pairs []Change
	var t tuple
	for _, ra := range a.regions {
		for _, rb := range b.regions {
			if ra.action == rb.action || !u.spend(1) {
				continue
			}
			if s := u.and(ra.calls, rb.calls); s != none {
				t = append(t, slot{len(pairs), s})
				pairs = append(pairs, Change{From: ra.action, To: rb.action})
			}
		}
	}
	return pairs, t
}

// inIntervals returns the calls whose word w is in some intervals.
func (u *universe) inIntervals(w int, in []policy.Interval) set {
	s, v := none, u.word(w)
	for _, i := range in {
		first, last := constant(i.First), constant(i.Last)
		s = u.or(s, u.without(u.isAbove(&v, &first, true), u.isAbove(&v, &last, false)))
	}
	return s
}

// cases lists the arguments in a set that tests nothing else.
func (u *universe) cases(s set) (cases []Case, more bool) {
	const out, in cbpf.Action = 0, 1
	var walk func(t *Tree, c Case)
	walk = func(t *Tree, c Case) {
		switch {
		case more || len(t.Arms) == 0 && t.Action == out:
		case len(t.Arms) == 0 && len(cases) == maxCases:
			more = true
		case len(t.Arms) == 0:
			cases = append(cases, slices.Clone(c))
		default:
			for _, arm := range t.Arms {
				walk(arm.Then, append(c, When{t.Arg, arm.Values}))
			}
		}
	}
	split := tuple{{int(in), s}}
	if s != all {
		split = tuple{{int(out), s.not()}, {int(in), s}}
	}
	walk(u.planter([]cbpf.Action{out, in}).tree(split), nil)
	return cases, more
}
