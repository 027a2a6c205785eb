package compile

import (
	"math"
	"slices"

	"github.com/seccompile/seccompile/policy"
)

// maxRules bounds the rules of one call that are decided together. A program with more
// tests than that would be too long anyway.
const maxRules = 4096

// A rule is a conjunction of tests: the action of a clause is taken where all hold. A
// clause with conditions on two words that one of both can meet is several rules.
type rule struct {
	tests  []wordTest
	words  uint16 // bit w: there is a test of word w
	alone  bool   // each word is tested once at most
	to     NodeID
	origin string
}

// A wordTest is whether a word is between first and last, both included, or, with a
// mask, equals first under that; or, negated, whether not.
type wordTest struct {
	word        Word
	negated     bool
	mask        uint32
	first, last uint32
}

func between(w Word, first, last uint32) wordTest { return wordTest{word: w, first: first, last: last} }

// always reports whether every value passes.
func (t *wordTest) always() bool {
	return t.mask == 0 && t.first == 0 && t.last == math.MaxUint32 && !t.negated
}

// equalTest returns the test of a word for one value under a mask.
func equalTest(w Word, mask, value uint32) wordTest {
	if first, last, ok := interval(mask, value); ok {
		return between(w, first, last)
	}
	return wordTest{word: w, mask: mask, first: value}
}

// implies reports whether all values that pass one test of a word pass another, as far
// as that is easy to see.
func (t *wordTest) implies(u *wordTest) bool {
	switch {
	case *t == *u:
		return true
	case t.mask != 0 || t.word != u.word:
		return false
	case u.mask != 0:
		return !t.negated && t.first == t.last && (t.first&u.mask == u.first) != u.negated
	case t.negated:
		return u.negated && t.first <= u.first && u.last <= t.last
	case u.negated:
		return t.last < u.first || u.last < t.first
	}
	return u.first <= t.first && t.last <= u.last
}

// A conjunction is the tests of both words of an argument of which all must hold.
type conjunction struct {
	tests [2]wordTest
	n     int
}

func (c *conjunction) add(t wordTest) {
	if !t.always() {
		c.tests[c.n] = t
		c.n++
	}
}

// alternatives returns the conjunctions of which one must hold for a condition to hold.
func alternatives(c policy.Cond) (alts [2]conjunction, n int) {
	s := conditionOf(c)
	if !s.single() {
		return s.bound()
	}
	for _, w := range [2]Word{s.Word, s.Word + 1} {
		mask, value := s.half(w)
		t := equalTest(w, mask, value)
		switch {
		case !s.negated:
			alts[0].add(t)
			n = 1
		case !t.always():
			t.negated = true
			alts[n].add(t)
			n++
		}
	}
	return alts, n
}

// bound returns the alternatives of a condition that an argument is v or more, or v or
// less: its upper word is beyond that of v, or equal and its lower word decides.
func (c *condition) bound() (alts [2]conjunction, n int) {
	first, last := c.First, c.Last
	switch {
	case c.negated && first > 0:
		first, last = 0, first-1
	case c.negated && last < c.Mask:
		first, last = last+1, c.Mask
	case c.negated:
		return alts, 0
	}
	lo, hi := c.Word, c.Word+1
	equal, beyond := between(lo, uint32(first), uint32(last)), between(hi, uint32(first>>32), uint32(last>>32))
	upper := beyond.first
	if first == 0 {
		upper = beyond.last
	}
	switch {
	case c.Mask>>32 == 0:
		alts[0].add(equal)
		return alts, 1
	case equal.always():
		alts[0].add(beyond)
		return alts, 1
	}
	alts[0].add(equal)
	alts[0].add(between(hi, upper, upper))
	switch {
	case first > 0 && upper < math.MaxUint32:
		beyond.first++
	case first == 0 && upper > 0:
		beyond.last--
	default:
		return alts, 1
	}
	alts[1].add(beyond)
	return alts, 2
}

func hashRules(rules []rule) uint32 {
	h := uint32(len(rules))
	for i := range rules {
		h = mix(h, uint32(rules[i].to))
		for _, t := range rules[i].tests {
			h = mix(mix(mix(h, t.mask|uint32(t.word)), t.first), t.last)
		}
	}
	return h
}

// same reports whether two rules say the same.
func (r rule) same(other rule) bool {
	return r.to == other.to && slices.Equal(r.tests, other.tests)
}

// test returns the first test of a word.
func (r *rule) test(w Word) *wordTest {
	for i := range r.tests {
		if r.tests[i].word == w {
			return &r.tests[i]
		}
	}
	panic("compiler: BUG: a rule does not test a word of its own")
}

// read makes the rules of clauses. ok is false if they would be too many.
func (m *matcher) read(clauses []policy.Clause) (ok bool) {
	m.rules, m.tests = m.rules[len(m.rules):], m.tests[len(m.tests):] // those of twins stay
	if n := len(clauses); cap(m.rules) < n {
		m.rules = make([]rule, 0, max(n, 32))
	}
	if n := 4 * len(clauses); cap(m.tests) < n {
		m.tests = make([]wordTest, 0, max(n, 64))
	}
	m.conds = 0
	for i := range clauses {
		c := &clauses[i]
		m.conds += len(c.Conds)
		m.steps = work + workOfCond*len(c.Conds)
		m.expand(c.Conds, m.path[:0], &rule{to: m.g.leaf(c.Action), origin: c.Pointer})
		switch n := len(m.rules); {
		case n > maxRules || m.steps < 0:
			return false
		case n > 0 && len(m.rules[n-1].tests) == 0:
			return true // no clause behind this one is ever looked at
		}
	}
	return true
}

// expand adds a rule for every way in which conditions can hold, behind tests that
// earlier conditions are.
func (m *matcher) expand(conds []policy.Cond, path []wordTest, r *rule) {
	if m.steps--; m.steps < 0 {
		return
	}
	if len(conds) == 0 {
		m.add(path, *r)
		return
	}
	alts, n := alternatives(conds[0])
	for i := range n {
		m.expand(conds[1:], append(path, alts[i].tests[:alts[i].n]...), r)
	}
}

// add adds a rule with some tests, unless no call passes them all, or the rule before
// can take it in.
func (m *matcher) add(tests []wordTest, r rule) {
	from := len(m.tests)
	r.alone = true
next:
	for _, t := range tests {
		if r.words>>t.word&1 == 0 {
			r.words |= 1 << t.word
			m.tests = append(m.tests, t)
			continue
		}
		for j := from; j < len(m.tests); j++ {
			u := &m.tests[j]
			if u.word != t.word || u.mask|t.mask != 0 || u.negated || t.negated {
				continue
			}
			if u.first, u.last = max(u.first, t.first), min(u.last, t.last); u.first > u.last {
				m.tests = m.tests[:from]
				return
			}
			continue next
		}
		r.alone = false
		m.tests = append(m.tests, t)
	}
	r.tests = m.tests[from:len(m.tests):len(m.tests)]
	if n := len(m.rules); n > 0 && m.rules[n-1].merge(&r) {
		m.tests = m.tests[:from]
		return
	}
	m.rules = append(m.rules, r)
}

// merge makes one rule of two neighbours, of which one test differs in that its
// values follow, or overlap, those of the other. It reports whether that is so.
func (r *rule) merge(next *rule) bool {
	if r.to != next.to || r.words != next.words || len(r.tests) != len(next.tests) {
		return false
	}
	var apart *wordTest
	var first, last uint32
	for i := range r.tests {
		t, u := &r.tests[i], &next.tests[i]
		if *t == *u {
			continue
		}
		touch := uint64(t.first) <= uint64(u.last)+1 && uint64(u.first) <= uint64(t.last)+1
		if apart != nil || t.word != u.word || t.mask|u.mask != 0 || t.negated || u.negated || !touch {
			return false
		}
		apart, first, last = t, min(t.first, u.first), max(t.last, u.last)
	}
	if apart != nil {
		apart.first, apart.last = first, last
	}
	return true
}

// maxCompared is the number of rules of which each is compared with each.
const maxCompared = 16

// simplify drops the rules that decide nothing: an earlier rule holds wherever they
// hold, or a later one does and takes the same action as all between. What is left may
// look at fewer words.
func (m *matcher) simplify() {
	if len(m.rules) > maxCompared {
		return
	}
	kept := m.rules[:0]
	for j := range m.rules {
		r := &m.rules[j]
		if !slices.ContainsFunc(kept, func(e rule) bool { return r.implies(&e) }) && !r.repeated(m.rules[j+1:]) {
			kept = append(kept, *r)
		}
	}
	m.rules = kept
}

// repeated reports whether a later rule says what r says, and none between another thing.
func (r *rule) repeated(later []rule) bool {
	for i := range later {
		if later[i].to != r.to {
			return false
		}
		if r.implies(&later[i]) {
			return true
		}
	}
	return false
}

// implies reports whether r holds only where another rule holds.
func (r *rule) implies(other *rule) bool {
	if other.words&^r.words != 0 {
		return false
	}
	for i := range other.tests {
		u := &other.tests[i]
		if !slices.ContainsFunc(r.tests, func(t wordTest) bool { return t.implies(u) }) {
			return false
		}
	}
	return true
}
