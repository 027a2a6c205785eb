package proof

import (
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A goal is what the policy wants of the calls on a path: that the first of the clauses
// that holds decides, or else the action.
type goal struct {
	numbers pieces          // where the number is still to be looked at: all of the space
	clauses []policy.Clause // where it is not: those of the call
	list    int32           // names them
	live    []int32         // those that may hold, ascending
	granted granted         // what is taken to be so of the first of these
	action  cbpf.Action
}

// grantedOf returns what is taken to be so of the i-th live clause.
func (g *goal) grantedOf(i int) granted {
	if i == 0 {
		return g.granted
	}
	return grantNothing
}

// at returns the i-th live clause.
func (g *goal) at(i int) *policy.Clause { return &g.clauses[g.live[i]] }

// narrowed reports whether the live clauses are not all from one on.
func (g *goal) narrowed() bool {
	n := len(g.live)
	return n > 0 && int(g.live[0]) != len(g.clauses)-n
}

// granted is, for each condition of a clause by three bits, what a lemma takes to be so
// without facts about its words.
type granted uint32

const (
	grantNothing granted = iota
	grantAll             // the condition holds
	grantUpper           // the upper halves are equal, so the lower one decides
	grantLower           // the lower half has the bits, or is less: the upper one decides
	denyLower            // it has not, or is not: the upper one decides
)

const grantBits = 3

func (g granted) of(cond int) granted { return g >> (grantBits * cond) & (1<<grantBits - 1) }

// A half is the part of a condition that is about one word.
type half struct {
	word        int
	mask, value uint32
}

// A stand is what a path knows of a condition.
type stand struct {
	holds truth
	// Whether the upper halves may be equal, and what the answers may be if not.
	equal   bool
	unequal truth
	lower   truth // if they are
	negated bool  // the condition holds where these say that it does not
}

func upper(c *policy.Cond) half {
	return half{wordArgs + 2*int(c.Arg), uint32(c.Mask >> 32), uint32(c.Value >> 32)}
}

func lower(c *policy.Cond) half {
	return half{wordArgs + 2*int(c.Arg) + 1, uint32(c.Mask), uint32(c.Value)}
}

// isImpossible reports whether no argument satisfies a condition.
func isImpossible(c policy.Cond) bool {
	return c.Op == policy.Less && c.Value == 0 || c.Op == policy.Greater && c.Value == c.Mask
}

// Sets of operators, a bit for each: of those that ask for "less", or "less or equal", or the
// opposite of one, and of those that are the opposite of what stand answers.
const (
	ordered = 1<<policy.Less | 1<<policy.LessEqual | 1<<policy.GreaterEqual | 1<<policy.Greater
	negated = 1<<policy.NotEqual | 1<<policy.MaskedNotEqual | 1<<policy.GreaterEqual | 1<<policy.Greater
)

// isOrdered reports whether an operator, which policy.Resolved.Validate knows, is ordered.
func isOrdered(o policy.Op) bool { return ordered>>(o&15)&1 != 0 }

// isNegated reports whether it is negated.
func isNegated(o policy.Op) bool { return negated>>(o&15)&1 != 0 }

// stand answers what is known of a condition. Upper and lower half are different words,
// and nothing known relates two words, so any answer about one goes with any about
// the other.
func (s *facts) stand(c *policy.Cond, g granted) stand {
	s.steps++
	d := stand{negated: isNegated(c.Op)}
	if g == grantAll {
		d.holds, d.negated = always, false
		return d
	}
	u, l := upper(c), lower(c)
	inOrder := isOrdered(c.Op)
	switch {
	case g == grantUpper || u.mask == 0:
		d.equal = true
	case inOrder:
		f := &s.of[u.word]
		d.equal = s.in(u.word, u.mask, u.value)&always != 0
		if f.first < u.value {
			d.unequal |= always
		}
		if f.last > u.value {
			d.unequal |= never
		}
	default:
		t := s.in(u.word, u.mask, u.value)
		d.equal = t&always != 0
		d.unequal = t & never
	}
	switch {
	case !d.equal: // it does not matter
		d.lower = sometimes
	case g == grantLower:
		d.lower = always
	case g == denyLower:
		d.lower = never
	case !inOrder:
		d.lower = s.in(l.word, l.mask, l.value)
	default:
		d.lower = s.less(l.word, lessOf(c.Op, l.value))
	}
	d.holds = d.unequal
	if d.equal {
		d.holds |= d.lower
	}
	if d.negated {
		d.holds = d.holds.not()
	}
	return d
}

// holds is what stand says of whether a condition holds.
func (s *facts) holds(c *policy.Cond, g granted) truth {
	if g != grantNothing {
		return s.stand(c, g).holds
	}
	s.steps++
	t := never
	if isOrdered(c.Op) {
		t = s.below(c)
	} else if l := lower(c); (s.of[l.word].value^l.value)&s.of[l.word].mask&l.mask == 0 { // unlike most
		t = always
		if u := upper(c); u.mask != 0 {
			t = s.in(u.word, u.mask, u.value)
		}
		if t&always != 0 {
			t = t&never | s.in(l.word, l.mask, l.value)
		}
	}
	if isNegated(c.Op) {
		return t.not()
	}
	return t
}

// below answers whether an argument is less, or less or equal, as an ordered condition asks.
func (s *facts) below(c *policy.Cond) (t truth) {
	l, u := lower(c), upper(c)
	low := s.less(l.word, lessOf(c.Op, l.value))
	if u.mask == 0 {
		return low
	}
	f := &s.of[u.word]
	if f.first < u.value {
		t |= always
	}
	if f.last > u.value {
		t |= never
	}
	if low&^t != 0 && s.in(u.word, u.mask, u.value)&always != 0 { // equal, so that the lower half decides
		t |= low
	}
	return t
}

// lessOf returns the number that the lower half is below if it is less, or less or
// equal: one more than there are if it always is.
func lessOf(o policy.Op, value uint32) uint64 {
	if o == policy.LessEqual || o == policy.Greater {
		return uint64(value) + 1
	}
	return uint64(value)
}

// upperOpen reports whether the upper half may still go either way.
func (d *stand) upperOpen() bool { return d.equal && d.unequal != 0 || d.unequal == sometimes }

// grant returns what a lemma may take to be so of the condition.
func (d *stand) grant(c *policy.Cond) granted {
	switch {
	case d.holds == always:
		return grantAll
	case d.lower == sometimes:
		if !d.upperOpen() && uint32(c.Mask>>32) != 0 {
			return grantUpper
		}
	case uint32(c.Mask) == 0:
	case d.lower == always:
		return grantLower
	default:
		return denyLower
	}
	return grantNothing
}

// question returns a test that brings the answer about an open condition closer.
func (s *facts) question(c *policy.Cond, d *stand) (word int, t test) {
	if d.upperOpen() {
		u := upper(c)
		if !isOrdered(c.Op) {
			return u.word, test{bitsAre, u.mask, u.value}
		}
		if s.of[u.word].first < u.value {
			return u.word, test{op: lessThan, value: u.value}
		}
		return u.word, test{op: lessThan, value: u.value + 1}
	}
	l := lower(c)
	if !isOrdered(c.Op) {
		return l.word, test{bitsAre, l.mask, l.value}
	}
	return l.word, test{op: lessThan, value: uint32(lessOf(c.Op, l.value))}
}

// clause answers whether a clause holds, given what is granted of it; if it may or may not,
// also which condition is the first open one, and whether it is the only one.
func (s *facts) clause(c *policy.Clause, g granted) (holds truth, ask int, alone bool) {
	if len(c.Conds) == 1 { // as most have
		return s.holds(&c.Conds[0], g.of(0)), 0, true
	}
	holds, alone = always, true
	for j := range c.Conds {
		switch s.holds(&c.Conds[j], g.of(j)) {
		case never:
			return never, 0, false
		case sometimes:
			if holds == always {
				holds, ask = sometimes, j
			} else {
				alone = false
			}
		}
	}
	return holds, ask, alone
}

// advance drops the clauses at the front of a goal that do not hold. One that always
// does is all that is left.
func (s *facts) advance(g *goal) {
	for ; len(g.live) > 0; g.live, g.granted = g.live[1:], 0 {
		c := g.at(0)
		switch holds, _, _ := s.clause(c, g.granted); holds {
		case always:
			*g = goal{action: c.Action}
			return
		case sometimes:
			return
		}
	}
}
