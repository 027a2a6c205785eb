package compile

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// Work on further orders of the words of a call, in the units of work.
const (
	workOnOrders           = 1 << 11
	workOnOrdersExhaustive = 1 << 16
)

// maxPermuted is the number of words of which all orders are tried at exhaustive effort.
const maxPermuted = 6

// Orders is what the search for an order of the words remembers. The order is free,
// and decides the size of the diagram.
type orders struct {
	marks []int32 // of nodes: inUse, or the order that was tried when it was last counted
	tried int32
	spent int // instructions of the order, as far as its diagram is built
	bound int // an order that takes so many is given up
	left  int // of the work on orders
	floor int // what an order costs at least: a test of each word, unless nodes in use can be shared
}

// patience is the number of orders in a row that need not be better.
const patience = 8

// inUse marks the nodes of the program, which cost nothing more.
const inUse = -1

// search returns the diagram of the best order that it finds, and its cost.
func (m *matcher) search() (best NodeID, cost int) {
	m.all = zeros(m.all, m.size)
	for r := range m.rules {
		m.all.add(r)
	}
	m.pairs = zeros(m.pairs, 2*len(m.columns)*m.size)
	m.memo.forget()
	m.cases = m.cases[:0]
	m.bound = math.MaxInt
	m.left = workOnOrders + 4*m.conds*m.size
	if m.exhaustive {
		m.left += workOnOrdersExhaustive
	}
	m.floor = 2 * len(m.columns)
	first := m.promising()
	order := first[0]
	for i := range first {
		seen := slices.ContainsFunc(first[:i], func(o []uint8) bool { return slices.Equal(o, first[i]) })
		if !seen && m.bound > 0 && m.try(first[i], &best) {
			order = first[i]
		}
	}
	m.sift(order, &best)
	if m.exhaustive && len(m.columns) <= maxPermuted {
		m.floor = 0
		slices.Sort(order)
		for m.left > 0 && m.bound > 0 && permute(order) {
			m.try(order, &best)
		}
	}
	return best, m.bound
}

// sift moves each word to where it costs least. It ends after a number of orders in a row
// that were no better.
func (m *matcher) sift(order []uint8, best *NodeID) {
	next := make([]uint8, len(order))
	idle := 0
	for c := range m.columns {
		from := slices.Index(order, uint8(c))
		found := from
		for to := range order {
			if to == from || to == from-1 || m.left < 0 || m.bound <= m.floor || idle >= patience {
				continue // one place on is one back for the word there
			}
			idle++
			if m.try(moved(next, order, from, to), best) {
				found, idle = to, 0
			}
		}
		copy(order, moved(next, order, from, found))
	}
}

// moved returns an order in which a word has another place, in given room.
func moved(room, order []uint8, from, to int) []uint8 {
	copy(room, order)
	switch w := order[from]; {
	case from < to:
		copy(room[from:], order[from+1:to+1])
		room[to] = w
	case to < from:
		copy(room[to+1:], order[to:from])
		room[to] = w
	}
	return room
}

// try builds the diagram for one order. It reports whether that is the best so far.
func (m *matcher) try(order []uint8, best *NodeID) bool {
	m.tried++
	m.spent = 0
	id, work, ok := m.inOrder(order)
	m.left -= work
	if ok {
		*best, m.bound = id, m.spent
	}
	return ok
}

// promising returns the orders to try first: lower words first, which lets the tests of
// upper words against zero be shared between calls; the words as they are; those with
// most tests first; upper words first.
func (m *matcher) promising() [][]uint8 {
	n := len(m.columns)
	room := make([]uint8, 5*maxArgWords)
	place := func(i int, order []uint8) []uint8 {
		return append(room[i*maxArgWords:][:0:maxArgWords], order...)
	}
	asTheyAre := room[:n]
	for i := range asTheyAre {
		asTheyAre[i] = uint8(i)
	}
	upperLast := place(1, asTheyAre)
	slices.SortStableFunc(upperLast, func(i, j uint8) int { return int(m.columns[i].word&1) - int(m.columns[j].word&1) })
	busiest := place(2, upperLast)
	slices.SortStableFunc(busiest, func(i, j uint8) int { return m.columns[j].tests - m.columns[i].tests })
	last := place(3, upperLast)
	slices.Reverse(last)
	return [][]uint8{upperLast, asTheyAre, busiest, last, m.endingLast(place(4, upperLast))}
}

// endingLast moves the words of the longest ending of any rule behind the others.
func (m *matcher) endingLast(order []uint8) []uint8 {
	m.steps = work
	var end ending
	for i := range m.rules {
		if r := &m.rules[i]; r.alone {
			if e := m.ending(r); bits.OnesCount16(e.words) > bits.OnesCount16(end.words) {
				end = e
			}
		}
	}
	order = slices.DeleteFunc(order, func(i uint8) bool { return end.words>>m.columns[i].word&1 != 0 })
	for o := end.order; o != 0; o >>= 4 {
		order = append(order, m.at[o&0xf])
	}
	return order
}

// permute turns an order into the next one of the same numbers; the last one stays.
func permute(order []uint8) bool {
	i := len(order) - 2
	for i >= 0 && order[i] > order[i+1] {
		i--
	}
	if i < 0 {
		return false
	}
	j := len(order) - 1
	for order[j] < order[i] {
		j--
	}
	order[i], order[j] = order[j], order[i]
	slices.Reverse(order[i+1:])
	return true
}

// single builds a call of one rule: lower words first, and last those tests that other
// calls end with.
func (m *matcher) single(r *rule) NodeID {
	slices.SortStableFunc(r.tests, func(t, u wordTest) int { return int(t.word&1) - int(u.word&1) })
	m.steps = work
	end := m.ending(r)
	id := end.id
	for i := len(r.tests) - 1; i >= 0; i-- {
		if end.words>>r.tests[i].word&1 == 0 {
			id = m.g.test(&r.tests[i], id, m.fallback, r.origin)
		}
	}
	return id
}

// An ending is a node of the program that has some of a rule's tests, before the action.
type ending struct {
	id    NodeID
	words uint16 // tested
	order uint64 // of these words, four bits each, the last one highest
}

// ending returns the longest ending of a rule.
func (m *matcher) ending(r *rule) ending {
	best := ending{id: r.to}
	m.extend(r, best, &best)
	return best
}

func (m *matcher) extend(r *rule, e ending, best *ending) {
	if bits.OnesCount16(e.words) > bits.OnesCount16(best.words) {
		*best = e
	}
	for i := len(r.tests) - 1; i >= 0 && m.steps > 0; i-- {
		t := &r.tests[i]
		if e.words>>t.word&1 != 0 {
			continue
		}
		m.steps--
		if next, ok := m.g.testOf(t, e.id, m.fallback); ok && m.mark(next) == inUse {
			m.extend(r, ending{next, e.words | 1<<t.word, e.order<<4 | uint64(t.word)}, best)
		}
	}
}

// mark returns the mark of a node.
func (m *matcher) mark(id NodeID) int32 {
	if n := len(m.g.nodes) - len(m.marks); n > 0 {
		m.marks = append(m.marks, make([]int32, max(n, 64))...)
	}
	return m.marks[id]
}

// charge counts a node of the order that is tried, if it is a new one.
func (m *matcher) charge(id NodeID) (counted bool) {
	switch m.mark(id) {
	case inUse:
		m.floor = 0
		return false
	case m.tried:
		return false
	}
	m.marks[id] = m.tried
	m.spent += m.g.nodes[id].cost()
	return true
}

// cost estimates the instructions that a node adds to what earlier calls use
// already, to compare orders with.
func (m *matcher) cost(id NodeID) int {
	m.tried++
	m.spent, m.bound = 0, math.MaxInt
	m.chargeAll(id)
	return m.spent
}

func (m *matcher) chargeAll(id NodeID) {
	if m.spent >= m.bound || !m.charge(id) {
		return
	}
	n := &m.g.nodes[id]
	if n.Kind == Masked {
		m.chargeAll(n.Yes)
		m.chargeAll(n.No)
	}
	for _, c := range n.Cases {
		m.chargeAll(c.To)
	}
}

// cost estimates the instructions of a node alone.
func (n *Node) cost() int {
	if n.Kind != Switch {
		return 2 * min(1, int(n.Kind)) // load and test
	}
	total := len(n.Cases)
	for i, c := range n.Cases {
		if 0 < i && i < len(n.Cases)-1 && c.First == c.Last && n.Cases[i-1].To == n.Cases[i+1].To {
			total-- // one JEQ instead of two JGE
		}
	}
	return total
}

// use marks what is reachable from a node as part of the program.
func (m *matcher) use(id NodeID) {
	n := &m.g.nodes[id]
	if n.Kind == Leaf || m.mark(id) == inUse {
		return
	}
	m.marks[id] = inUse
	if n.Kind == Masked {
		m.use(n.Yes)
		m.use(n.No)
	}
	for _, c := range n.Cases {
		m.use(c.To)
	}
}

func sortCases(cases []Case) {
	slices.SortFunc(cases, func(a, b Case) int { return cmp.Compare(a.First, b.First) })
}
