package compile

import (
	"math"
	"slices"

	"github.com/seccompile/seccompile/policy"
)

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

// A rule is a clause whose conditions are sets of values.
type rule struct {
	conds  []condition
	to     NodeID
	origin string
}

// A condition is whether an argument is in a set, or, negated, that it is not.
type condition struct {
	ValueSet
	negated bool
}

// conditionOf returns a condition of a policy: x >= v is v and all above, x <= v all
// up to v, x < v and x > v their opposites.
func conditionOf(c policy.Cond) condition {
	t := condition{ValueSet: ValueSet{Lo(c.Arg), c.Mask, c.Value, c.Value}}
	switch c.Op {
	case policy.NotEqual, policy.MaskedNotEqual:
		t.negated = true
	case policy.Less, policy.GreaterEqual:
		t.Last = c.Mask
		t.negated = c.Op == policy.Less
	case policy.LessEqual, policy.Greater:
		t.First = 0
		t.negated = c.Op == policy.Greater
	case policy.Equal, policy.MaskedEqual:
	}
	return t
}

// call returns the node that decides a call by its clauses.
func (b *decider) call(clauses []policy.Clause) NodeID {
	if len(clauses[0].Conds) == 0 {
		return b.g.leaf(clauses[0].Action)
	}
	rules := b.rules(clauses)
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

// rules returns clauses as rules.
func (b *decider) rules(clauses []policy.Clause) []rule {
	n := 0
	for i := range clauses {
		n += len(clauses[i].Conds)
	}
	rules := make([]rule, len(clauses))
	conds := make([]condition, 0, n)
	for i := range clauses {
		from := len(conds)
		for _, c := range clauses[i].Conds {
			conds = append(conds, conditionOf(c))
		}
		rules[i] = rule{conds[from:], b.g.leaf(clauses[i].Action), clauses[i].Pointer}
	}
	return rules
}

// inOrder builds the canonical diagram for one order of the words. ok is false
// if that took too much work.
func (b *decider) inOrder(order []Word, rules []rule) (id NodeID, ok bool) {
	b.order = order
	b.steps = work
	for i := range rules {
		b.steps += workOfCond * len(rules[i].conds)
	}
	budget := b.steps
	b.facts.Forget()
	id = b.decide(0, b.live(rules))
	b.left -= budget - b.steps
	return id, b.steps >= 0
}

// decide decides the words from the i-th on, for rules that are live.
func (b *decider) decide(i int, rules []rule) NodeID {
	if id, done := b.decided(rules); done {
		return id
	}
	return b.g.switchOn(b.order[i], b.pieces(nil, i, rules), rules[0].origin)
}

// decided returns what live rules decide without a further test. It also gives up
// when there was too much work: what it returns then is not used.
func (b *decider) decided(rules []rule) (id NodeID, done bool) {
	if b.steps -= len(rules); len(rules) == 0 || b.steps < 0 {
		return b.fallback, true
	}
	return rules[0].to, b.holds(&rules[0]) == Yes
}

// pieces appends the cases of the i-th word within the range that is known of it.
func (b *decider) pieces(cases []Case, i int, rules []rule) []Case {
	f := &b.facts[b.order[i]]
	cut, ok := b.cut(b.order[i], rules)
	if !ok || b.steps < 0 {
		return appendCase(cases, f.Last, b.rest(i, rules))
	}
	b.steps -= len(rules)
	saved := *f
	f.Last = cut - 1
	cases = b.pieces(cases, i, b.live(rules))
	f.First, f.Last = cut, saved.Last
	cases = b.pieces(cases, i, b.live(rules))
	*f = saved
	return cases
}

// cut returns a value at which the pieces of w split: the middle one of those at
// which a condition changes inside the range known of w.
func (b *decider) cut(w Word, rules []rule) (at uint32, ok bool) {
	b.cuts = b.cuts[:0]
	for i := range rules {
		for j := range rules[i].conds {
			b.cuts = b.facts.Cuts(b.cuts, w, &rules[i].conds[j].ValueSet)
		}
	}
	if len(b.cuts) == 0 {
		return 0, false
	}
	return median(b.cuts), true
}

// median returns a value near the middle of v: the median of a sample.
func median(v []uint32) uint32 {
	var sample [15]uint32
	n := min(len(v), len(sample))
	for i := range n {
		sample[i] = v[i*len(v)/n]
	}
	slices.Sort(sample[:n])
	return sample[n/2]
}

// rest decides the tests of masks that are left on the i-th word, then the other words.
func (b *decider) rest(i int, rules []rule) NodeID {
	if id, done := b.decided(rules); done {
		return id
	}
	w := b.order[i]
	for j := range rules {
		for k := range rules[j].conds {
			mask, value, ok := b.facts.Masked(w, &rules[j].conds[k].ValueSet)
			if !ok {
				continue
			}
			pass, fail := b.facts[w].Either(mask, value, func(bool) NodeID { return b.rest(i, b.live(rules)) })
			return b.g.masked(w, mask, value, pass, fail, rules[j].origin)
		}
	}
	return b.decide(i+1, rules)
}

// live drops the rules that cannot hold, and all behind one that must. It returns
// its argument, or the front of it, where nothing else goes.
func (b *decider) live(rules []rule) []rule {
	for i := range rules {
		switch b.holds(&rules[i]) {
		case Yes:
			return rules[:i+1]
		case No:
			return b.liveFrom(slices.Clone(rules[:i]), rules[i+1:])
		case Open:
		}
	}
	return rules
}

func (b *decider) liveFrom(kept, rules []rule) []rule {
	for i := range rules {
		t := b.holds(&rules[i])
		if t != No {
			kept = append(kept, rules[i])
		}
		if t == Yes {
			break
		}
	}
	return kept
}

// holds says whether all conditions of a rule hold.
func (b *decider) holds(r *rule) Truth {
	all := Yes
	for i := range r.conds {
		c := &r.conds[i]
		switch b.facts.In(&c.ValueSet).negate(c.negated) {
		case No:
			return No
		case Open:
			all = Open
		case Yes:
		}
	}
	return all
}

// chain builds the clauses one by one: a test of all conditions of a clause, and
// what follows where one fails. Its size is linear in the number of conditions.
func (b *decider) chain(rules []rule) NodeID {
	next := b.fallback
	for i := len(rules) - 1; i >= 0; i-- {
		r := &rules[i]
		to := r.to
		for j := len(r.conds) - 1; j >= 0; j-- {
			in, out := to, next
			if r.conds[j].negated {
				in, out = out, in
			}
			to = b.g.member(&r.conds[j].ValueSet, in, out, r.origin)
		}
		next = to
	}
	return next
}
