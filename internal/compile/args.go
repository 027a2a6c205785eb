package compile

import (
	"math"
	"slices"

	"github.com/seccompile/seccompile/policy"
)

// Sets of rules looked at for one order of the words of one call, in words of 64 rules.
// Conditions on several arguments can multiply: a call that takes more work is built by
// chain, whose size is linear.
const (
	work       = 1024
	workOfCond = 32
)

// A matcher builds the diagrams of calls that look at arguments.
//
// Each rule of a call tests single words, so all that matters of the words that a path
// has decided is which rules are still live. The values of the next word are cut where a
// test changes; in each piece the rules that fail drop out, and those behind one that has
// passed all its tests. What is left after the last word is the first rule that
// holds. The result is canonical for the order of the words but for tests under masks,
// and no test in it is implied by an earlier one.
type matcher struct {
	g          *Diagram
	fallback   NodeID // where no rule holds
	leaf       NodeID // the last action of a call without conditions, or any other
	exhaustive bool

	rules   []rule
	tests   []wordTest // of the rules
	columns []column   // of the words, in ascending order
	at      [WordCount]uint8
	room    ruleSet // of the columns
	size    int     // words of a ruleSet
	conds   int     // conditions of the clauses

	path  [2 * maxArgWords]wordTest
	order []uint8 // of columns
	// open[i*size:] are the rules with tests of the words from the i-th on, and suffix[i] is
	// the order of these words.
	open   ruleSet
	suffix [maxArgWords + 1]uint64
	all    ruleSet
	pairs  ruleSet // two sets for each word in the order
	cases  []Case  // of the nodes on the path
	memo   memo
	steps  int // of work left before an order is given up

	lists map[list]NodeID
	twins map[uint32]twin // by the hash of the rules

	orders
	facts Facts
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
func (m *matcher) call(clauses []policy.Clause) NodeID {
	if c := &clauses[0]; len(c.Conds) == 0 {
		if m.g.nodes[m.leaf].Action != c.Action { // mostly it is the one of the call before
			m.leaf = m.g.leaf(c.Action)
		}
		return m.leaf
	}
	key := list{&clauses[0], len(clauses)}
	if node, ok := m.lists[key]; ok {
		return node
	}
	node := m.conditional(clauses)
	m.use(node)
	m.lists[key] = node
	return node
}

// A list is the clauses of a call, which calls of one rule share.
type list struct {
	first *policy.Clause
	n     int
}

// A twin is the rules of a call, and what decides by them. Calls of several rules, or of
// several ABIs, may have the same.
type twin struct {
	rules []rule
	node  NodeID
}

// conditional builds the diagram of clauses with conditions.
func (m *matcher) conditional(clauses []policy.Clause) NodeID {
	if !m.read(clauses) {
		return m.prune(m.chain(clauses))
	}
	m.simplify()
	switch {
	case len(m.rules) == 0:
		return m.fallback
	case len(m.rules[0].tests) == 0:
		return m.rules[0].to
	case len(m.rules) == 1 && m.rules[0].alone:
		return m.single(&m.rules[0])
	}
	hash := hashRules(m.rules)
	if t, ok := m.twins[hash]; ok && slices.EqualFunc(m.rules, t.rules, rule.same) {
		return t.node
	}
	node := m.several(clauses)
	m.twins[hash] = twin{m.rules, node}
	return node
}

// several builds the diagram of rules, which clauses were turned into. Where a word has many
// outcomes, trying one clause after the other can be shorter, and that shorter yet with
// tests on some paths that others have decided: without them, less is shared.
func (m *matcher) several(clauses []policy.Clause) NodeID {
	if !m.tabulate() {
		return m.prune(m.chain(clauses))
	}
	best, cost := m.search()
	if cost > m.conds {
		chain := m.chain(clauses)
		for _, other := range [2]NodeID{m.prune(chain), chain} {
			if c := m.cost(other); c < cost {
				best, cost = other, c
			}
		}
	}
	return best
}

// inOrder builds the canonical diagram for one order of the words, and says how much work
// that was. ok is false if it took too much, or the diagram does not cost less than the bound.
func (m *matcher) inOrder(order []uint8) (id NodeID, done int, ok bool) {
	n := len(order)
	m.order = order
	budget := work + workOfCond*m.conds*m.size
	m.steps = budget
	m.open = zeros(m.open, (n+1)*m.size)
	m.suffix[n] = 0
	for i := n - 1; i >= 0; i-- {
		m.suffix[i] = m.suffix[i+1]<<4 | uint64(order[i]+1)
		set := m.openFrom(i)
		copy(set, m.openFrom(i+1))
		set.unite(m.columns[order[i]].asked)
	}
	id = m.decide(0, m.all)
	return id, budget - m.steps, m.steps >= 0 && m.spent < m.bound
}

// openFrom returns the rules that test words from the i-th on.
func (m *matcher) openFrom(i int) ruleSet { return m.open[i*m.size : (i+1)*m.size] }

// decide decides the words from the i-th on for rules that are live.
func (m *matcher) decide(i int, live ruleSet) NodeID {
	r := live.first()
	switch {
	case r < 0 || m.steps < 0 || m.spent >= m.bound:
		return m.fallback // what is built then is not used
	case !m.openFrom(i).has(r):
		return m.rules[r].to
	}
	for !live.meets(m.columns[m.order[i]].asked) {
		i++
	}
	hash := hashOf(m.suffix[i], live)
	id, known := m.memo.get(hash, m.suffix[i], live)
	if known {
		m.chargeAll(id)
		return id
	}
	if rule := &m.rules[r]; rule.alone && live.single() {
		id = m.g.test(rule.test(m.columns[m.order[i]].word), m.decide(i+1, live), m.fallback, rule.origin)
	} else {
		id = m.word(i, live)
	}
	m.charge(id)
	if m.steps >= 0 && m.spent < m.bound {
		m.memo.put(hash, m.suffix[i], live, id)
	}
	return id
}

// word makes the switch on the i-th word.
func (m *matcher) word(i int, live ruleSet) NodeID {
	c := &m.columns[m.order[i]]
	m.steps -= len(c.ends) * m.size
	now, next := ruleSet(m.pairs[2*i*m.size:][:m.size]), ruleSet(m.pairs[(2*i+1)*m.size:][:m.size])
	base := len(m.cases)
	m.inPiece(now, c, 0, i, live)
	first := uint32(0)
	for p := 1; p < len(c.ends); p++ {
		m.inPiece(next, c, p, i, live)
		if next.equal(now) {
			continue
		}
		last := c.ends[p-1]
		m.addCase(base, last, m.piece(i, Fact{First: first, Last: last}, now))
		now, next, first = next, now, last+1
	}
	m.addCase(base, math.MaxUint32, m.piece(i, Fact{First: first, Last: math.MaxUint32}, now))
	id := m.g.switchOn(c.word, m.cases[base:], m.rules[live.first()].origin)
	m.cases = m.cases[:base]
	return id
}

// inPiece finds the rules that are live in the p-th piece of the i-th word.
func (m *matcher) inPiece(set ruleSet, c *column, p, i int, live ruleSet) {
	pass, open := c.live[p*m.size:][:m.size], m.openFrom(i+1)
	for j := range set {
		set[j] = live[j] & pass[j]
	}
	set.settle(open, c.bits)
}

// addCase adds a case to those from base on.
func (m *matcher) addCase(base int, last uint32, to NodeID) {
	n := len(m.cases)
	switch {
	case n == base:
		m.cases = append(m.cases, Case{0, last, to})
	case m.cases[n-1].To == to:
		m.cases[n-1].Last = last
	default:
		m.cases = append(m.cases, Case{m.cases[n-1].Last + 1, last, to})
	}
}

// piece decides the rest for some values of the i-th word: first the tests under masks.
func (m *matcher) piece(i int, f Fact, live ruleSet) NodeID {
	if c := &m.columns[m.order[i]]; len(c.masks) > 0 && live.meets(c.bits) {
		known := f // f itself stays off the heap
		return m.masked(i, &known, slices.Clone(live))
	}
	return m.decide(i+1, live)
}

// masked decides the tests under masks of the i-th word, and then the other words.
// It changes live.
func (m *matcher) masked(i int, f *Fact, live ruleSet) NodeID {
	c := &m.columns[m.order[i]]
	m.steps -= len(c.masks) * m.size
	open := make(ruleSet, m.size)
	for j := range c.masks {
		t := &c.masks[j]
		switch f.equal(t.mask, t.value) {
		case Yes:
			live.remove(t.fails)
		case No:
			live.remove(t.passes)
		case Open:
			open.unite(t.passes)
			open.unite(t.fails)
		}
	}
	live.settle(open, m.openFrom(i+1))
	t := c.test(f, live)
	if t == nil || m.steps < 0 {
		return m.decide(i+1, live)
	}
	r := min(uint(live.firstOf(t.passes)), uint(live.firstOf(t.fails)))
	pass, fail := f.Either(t.mask, t.value, func(bool) NodeID { return m.masked(i, f, slices.Clone(live)) })
	id := m.g.masked(c.word, t.mask, t.value, pass, fail, m.rules[r].origin)
	m.charge(id)
	return id
}

// test returns the test under a mask that the first live rule with an open one has; nil
// if none has.
func (c *column) test(f *Fact, live ruleSet) *maskColumn {
	var best *maskColumn
	first := uint(math.MaxUint)
	for j := range c.masks {
		t := &c.masks[j]
		r := min(uint(live.firstOf(t.passes)), uint(live.firstOf(t.fails)))
		if r < first && f.equal(t.mask, t.value) == Open {
			best, first = t, r
		}
	}
	return best
}

// chain builds the clauses one by one: a test of all conditions of a clause, and
// what follows where one fails. Its size is linear in the number of conditions.
func (m *matcher) chain(clauses []policy.Clause) NodeID {
	next := m.fallback
	for i := len(clauses) - 1; i >= 0; i-- {
		c := &clauses[i]
		to := m.g.leaf(c.Action)
		for j := len(c.Conds) - 1; j >= 0; j-- {
			cond := conditionOf(c.Conds[j])
			in, out := to, next
			if cond.negated {
				in, out = out, in
			}
			to = m.g.member(&cond.ValueSet, in, out, c.Pointer)
		}
		next = to
	}
	return next
}
