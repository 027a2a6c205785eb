package proof

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// meaning is the Subject of a resolved policy.
type meaning struct{ *policy.Resolved }

func (r meaning) validate() error { return r.Validate() }

// groups does nothing: conditions compare arguments with constants only.
func (meaning) groups(*groups) {}

// lift follows the order of [policy.Resolved.Decide]: first the AUDIT_ARCH
// value, then unknown numbers, then foreign ones, then the rules.
func (r meaning) lift(u *universe) *outcome {
	out := &outcome{}
	elsewhere := all
	known := make(map[listed]*outcome)
	for i := range r.Spaces {
		s := &r.Spaces[i]
		here := u.and(elsewhere, u.wordIs(wordArch, s.Audit))
		elsewhere = u.without(elsewhere, here)
		runs, outcomes := r.runs(u, s, known)
		for _, action := range allActions(outcomes) {
			var stretches []stretch
			for _, r := range runs {
				c := outcomes[r.outcome].with(action)
				if n := len(stretches); n == 0 || stretches[n-1].calls != c {
					stretches = append(stretches, stretch{r.first, c})
				}
			}
			out.add(u, action, u.and(here, u.numbers(stretches, 0, 32)))
		}
	}
	out.add(u, r.BadArch, elsewhere)
	return out
}

// wordIs returns the calls with a given value of a word.
func (u *universe) wordIs(w int, k uint32) set {
	v, c := u.word(w), constant(k)
	return u.isEqual(&v, &c)
}

// allActions returns every action of some outcomes, sorted.
func allActions(outcomes []*outcome) []cbpf.Action {
	var s []cbpf.Action
	for _, o := range outcomes {
		s = append(s, o.actions()...)
	}
	slices.Sort(s)
	return slices.Compact(s)
}

// A run is neighbouring numbers with the same outcome: from first to where the
// next run starts.
type run struct {
	first   uint32
	outcome int // index
}

// runs returns what a number space does with every number, by ascending number.
// known are the outcomes of lists of clauses that were met before.
func (r meaning) runs(u *universe, s *policy.Space, known map[listed]*outcome) ([]run, []*outcome) {
	const byDefault = 0
	outcomes := []*outcome{{}}
	outcomes[byDefault].add(u, r.Default, all)
	calls := map[uint32]int{} // number to index of outcome
	cuts := []uint32{0}
	cut := func(first, last uint32) {
		if cuts = append(cuts, first); last != ^uint32(0) {
			cuts = append(cuts, last+1)
		}
	}
	for i := range s.Calls {
		c := &s.Calls[i]
		if _, ok := calls[c.NR]; !ok {
			calls[c.NR] = len(outcomes)
			outcomes = append(outcomes, r.list(u, c.Clauses, known))
			cut(c.NR, c.NR)
		}
	}
	ranges := map[cbpf.Action]int{} // action to index of outcome
	for _, x := range s.Ranges {
		if _, ok := ranges[x.Action]; !ok {
			ranges[x.Action] = len(outcomes)
			outcomes = append(outcomes, &outcome{})
			outcomes[ranges[x.Action]].add(u, x.Action, all)
		}
		cut(x.First, x.Last)
	}
	slices.Sort(cuts)
	var runs []run
	for _, nr := range slices.Compact(cuts) {
		out := byDefault
		if i, ok := calls[nr]; ok {
			out = i
		}
		for _, x := range s.Ranges {
			if x.First <= nr && nr <= x.Last {
				out = ranges[x.Action]
			}
		}
		runs = append(runs, run{nr, out})
	}
	return runs, outcomes
}

// A listed is a list of clauses that many calls may share, as those of one rule do.
type listed struct {
	first *policy.Clause
	n     int
}

// list returns what the rules for one number do.
func (r meaning) list(u *universe, clauses []policy.Clause, known map[listed]*outcome) *outcome {
	key := listed{&clauses[0], len(clauses)}
	if known[key] == nil {
		known[key] = r.clauses(u, clauses)
	}
	return known[key]
}

// clauses returns what the rules for one number do: the first that holds decides.
func (r meaning) clauses(u *universe, clauses []policy.Clause) *outcome {
	out := &outcome{}
	undecided := all
	for i := range clauses {
		holds := undecided
		for _, c := range clauses[i].Conds {
			holds = u.and(holds, u.condition(c))
		}
		out.add(u, clauses[i].Action, holds)
		undecided = u.without(undecided, holds)
	}
	out.add(u, r.Default, undecided)
	return out
}

// condition returns the calls for which a condition holds.
func (u *universe) condition(c policy.Cond) set {
	switch c.Op {
	case policy.Equal, policy.MaskedEqual:
		return u.argument(c, true)
	case policy.NotEqual, policy.MaskedNotEqual:
		return u.argument(c, true).not()
	case policy.GreaterEqual:
		return u.argument(c, false)
	case policy.Less:
		return u.argument(c, false).not()
	case policy.Greater:
		return u.without(u.argument(c, false), u.argument(c, true))
	case policy.LessEqual:
		return u.or(u.argument(c, false).not(), u.argument(c, true))
	}
	return none
}

// argument returns the calls for which arg&mask is equal to, or at least, the
// value of a condition. It goes from the least significant bit to the most.
func (u *universe) argument(c policy.Cond, equal bool) set {
	s := all
	for i := range 64 {
		one := none
		if c.Mask>>i&1 != 0 {
			half := wordArgs + 2*int(c.Arg) + 1 - i/32
			one = u.make(u.levels[half][i%32], none, all)
		}
		switch wanted := c.Value>>i&1 != 0; {
		case wanted: // one here, or already smaller
			s = u.and(one, s)
		case equal: // zero here, or already different
			s = u.without(s, one)
		default: // one here is already greater
			s = u.or(one, s)
		}
	}
	return s
}

// A stretch is neighbouring numbers, from first to where the next stretch
// starts, and which calls with such a number are meant.
type stretch struct {
	first uint32
	calls set
}

// numbers returns the calls that are meant among those whose numbers share all
// but their last free bits with first. The stretches are those of such numbers.
func (u *universe) numbers(s []stretch, first uint32, free int) set {
	if len(s) == 1 {
		return s[0].calls
	}
	free--
	middle := first + 1<<free
	high, exact := slices.BinarySearchFunc(s, middle, func(s stretch, nr uint32) int { return cmp.Compare(s.first, nr) })
	low := s[:high]
	if !exact {
		high-- // it starts below and goes on
	}
	bit := u.make(u.levels[wordNR][free], none, all)
	return u.choose(bit, u.numbers(s[high:], middle, free), u.numbers(low, first, free))
}
