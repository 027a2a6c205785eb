package compiler

import (
	"math"
	"slices"

	"github.com/seccompile/seccompile/policy"
)

// argBuilder builds the diagrams of calls that look at arguments.
//
// Clauses are tried in order, so a diagram is built by deciding one word after
// the other: the values of the word are cut where a condition changes, and in
// each piece the clauses that cannot hold any more are dropped. What is left
// after the last word is the first clause that holds. The result is canonical
// for the order of the words, and no test in it is implied by an earlier one.
type argBuilder struct {
	g          *Diagram
	fallback   NodeID // where no clause holds
	exhaustive bool

	order []Word
	facts [wordCount]fact
	steps int // of work left before the builder gives up on an order
	left  int // work left for further orders
	used  []bool
	cuts  []uint32
}

const wordCount = 16

// A fact is what the path knows about a word: its range, and the outcome of
// tests of masks that are no range.
type fact struct {
	first, last uint32
	tested      []maskTest
}

type maskTest struct {
	mask, value uint32
	holds       bool
}

// Rules looked at for one order of the words of one call. Conditions on several
// arguments can multiply: a call that takes more work is built by chain, whose
// size is linear.
const (
	work       = 1024
	workOfCond = 32
)

// Rules looked at for further orders of the words: of all calls together, or of
// each where the effort is exhaustive.
const (
	workOnOrders     = 1 << 14
	workOnOrdersEach = 1 << 15
)

// A rule is a clause with its conditions taken apart.
type rule struct {
	conds  []halves
	to     NodeID
	origin string
}

// call returns the node that decides a call by its clauses.
func (b *argBuilder) call(clauses []policy.Clause) NodeID {
	if len(clauses[0].Conds) == 0 {
		return b.g.leaf(clauses[0].Action)
	}
	rules := b.take(clauses)
	var best NodeID
	bestCost := math.MaxInt
	if b.exhaustive {
		b.left = workOnOrdersEach
	}
	for i, order := range b.orders(rules) {
		if i > 0 && b.left < 0 {
			break
		}
		if id, ok := b.inOrder(order, rules); ok {
			if c := b.cost(id); c < bestCost {
				best, bestCost = id, c
			}
		}
	}
	if bestCost == math.MaxInt {
		best = b.prune(b.chain(rules))
	}
	b.use(best)
	return best
}

// take takes clauses apart.
func (b *argBuilder) take(clauses []policy.Clause) []rule {
	n := 0
	for i := range clauses {
		n += len(clauses[i].Conds)
	}
	rules := make([]rule, len(clauses))
	conds := make([]halves, 0, n)
	for i := range clauses {
		from := len(conds)
		for _, c := range clauses[i].Conds {
			conds = append(conds, split(c))
		}
		rules[i] = rule{conds[from:], b.g.leaf(clauses[i].Action), clauses[i].Pointer}
	}
	return rules
}

// inOrder builds the canonical diagram for one order of the words. ok is false
// if that took too much work.
func (b *argBuilder) inOrder(order []Word, rules []rule) (id NodeID, ok bool) {
	b.order = order
	b.steps = work
	for i := range rules {
		b.steps += workOfCond * len(rules[i].conds)
	}
	budget := b.steps
	for i := range b.facts {
		b.facts[i] = fact{last: math.MaxUint32}
	}
	id = b.decide(0, b.live(rules))
	b.left -= budget - b.steps
	return id, b.steps >= 0
}

// decide decides the words from the i-th on, for rules that are live.
func (b *argBuilder) decide(i int, rules []rule) NodeID {
	if id, done := b.decided(rules); done {
		return id
	}
	return b.g.switchOn(b.order[i], b.pieces(nil, i, rules), rules[0].origin)
}

// decided returns what live rules decide without a further test. It also gives up
// when there was too much work: what it returns then is not used.
func (b *argBuilder) decided(rules []rule) (id NodeID, done bool) {
	if b.steps -= len(rules); len(rules) == 0 || b.steps < 0 {
		return b.fallback, true
	}
	return rules[0].to, b.holds(&rules[0]) == yes
}

// pieces appends the cases of the i-th word within the range that is known of it.
func (b *argBuilder) pieces(cases []Case, i int, rules []rule) []Case {
	f := &b.facts[b.order[i]]
	cut, ok := b.cut(b.order[i], rules)
	if !ok || b.steps < 0 {
		return appendCase(cases, f.last, b.rest(i, rules))
	}
	b.steps -= len(rules)
	saved := *f
	f.last = cut - 1
	cases = b.pieces(cases, i, b.live(rules))
	f.first, f.last = cut, saved.last
	cases = b.pieces(cases, i, b.live(rules))
	*f = saved
	return cases
}

// rest decides the tests of masks that are left on the i-th word, then the other words.
func (b *argBuilder) rest(i int, rules []rule) NodeID {
	if id, done := b.decided(rules); done {
		return id
	}
	w := b.order[i]
	for j := range rules {
		for k := range rules[j].conds {
			t, ok := b.maskOn(w, &rules[j].conds[k])
			if !ok {
				continue
			}
			f := &b.facts[w]
			n := len(f.tested)
			t.holds = true
			f.tested = append(f.tested, t)
			pass := b.rest(i, b.live(rules))
			f.tested[n].holds = false
			fail := b.rest(i, b.live(rules))
			f.tested = f.tested[:n]
			return b.g.masked(w, t.mask, t.value, pass, fail, rules[j].origin)
		}
	}
	return b.decide(i+1, rules)
}

// live drops the rules that cannot hold, and all behind one that must. It returns
// its argument, or the front of it, where nothing else goes.
func (b *argBuilder) live(rules []rule) []rule {
	for i := range rules {
		switch b.holds(&rules[i]) {
		case yes:
			return rules[:i+1]
		case no:
			return b.liveFrom(slices.Clone(rules[:i]), rules[i+1:])
		case open:
		}
	}
	return rules
}

func (b *argBuilder) liveFrom(kept, rules []rule) []rule {
	for i := range rules {
		t := b.holds(&rules[i])
		if t != no {
			kept = append(kept, rules[i])
		}
		if t == yes {
			break
		}
	}
	return kept
}

// holds tells whether all conditions of a rule hold.
func (b *argBuilder) holds(r *rule) truth {
	all := yes
	for i := range r.conds {
		switch b.truth(&r.conds[i]) {
		case no:
			return no
		case open:
			all = open
		case yes:
		}
	}
	return all
}

// chain builds the clauses one by one: a test of all conditions of a clause, and
// what follows where one fails. Its size is linear in the number of conditions.
func (b *argBuilder) chain(rules []rule) NodeID {
	next := b.fallback
	for i := len(rules) - 1; i >= 0; i-- {
		r := &rules[i]
		to := r.to
		for j := len(r.conds) - 1; j >= 0; j-- {
			to = b.cond(&r.conds[j], to, next, r.origin)
		}
		next = to
	}
	return next
}

// cond returns the node that goes to pass where h holds and to fail elsewhere.
func (b *argBuilder) cond(h *halves, pass, fail NodeID, origin string) NodeID {
	switch h.constant {
	case yes:
		return pass
	case no:
		return fail
	case open:
	}
	if h.negated {
		pass, fail = fail, pass
	}
	lo, hi := Lo(h.arg), Hi(h.arg)
	if !h.ordered {
		return b.equal(hi, h.maskHi, h.hi, b.equal(lo, h.maskLo, h.lo, pass, fail, origin), fail, origin)
	}
	same := b.atLeast(lo, h.lo, pass, fail, origin)
	if !h.wide {
		return same
	}
	cases := make([]Case, 0, 3)
	if h.hi > 0 {
		cases = appendCase(cases, h.hi-1, fail)
	}
	cases = appendCase(cases, h.hi, same)
	if h.hi < math.MaxUint32 {
		cases = appendCase(cases, math.MaxUint32, pass)
	}
	return b.g.switchOn(hi, cases, origin)
}

// atLeast returns the node that goes to pass where w >= v.
func (b *argBuilder) atLeast(w Word, v uint32, pass, fail NodeID, origin string) NodeID {
	if v == 0 || pass == fail {
		return pass
	}
	return b.g.switchOn(w, []Case{{0, v - 1, fail}, {v, math.MaxUint32, pass}}, origin)
}

// equal returns the node that goes to pass where w&mask == v.
func (b *argBuilder) equal(w Word, mask, v uint32, pass, fail NodeID, origin string) NodeID {
	if mask == 0 || pass == fail {
		return pass
	}
	first, last, ok := interval(mask, v)
	if !ok {
		return b.g.masked(w, mask, v, pass, fail, origin)
	}
	return b.g.switchOn(w, around([]Case{{first, last, pass}}, fail), origin)
}

// interval returns the values with v under mask if they are one interval: if the
// mask is a run of ones from bit 31 down.
func interval(mask, v uint32) (first, last uint32, ok bool) {
	return v, v | ^mask, ^mask&(^mask+1) == 0
}
