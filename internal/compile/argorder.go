package compile

import (
	"cmp"
	"slices"
)

// orders returns the orders of the words to try for a call, the most promising
// first. The order is free, and decides the size of the diagram: lower words first
// lets the tests of upper words against zero be shared between calls.
func (b *decider) orders(rules []rule) [][]Word {
	var count [WordCount]int
	for i := range rules {
		for _, c := range rules[i].conds {
			if c.First == 0 && c.Last == c.Mask {
				continue // every value
			}
			if uint32(c.Mask) != 0 && (c.single() || uint32(c.First) != 0 || uint32(c.Last+1) != 0) {
				count[c.Word]++
			}
			if c.Mask>>32 != 0 {
				count[c.Word+1]++
			}
		}
	}
	words := make([]Word, 0, WordCount)
	for w := Lo(0); w < WordCount; w++ {
		if count[w] > 0 {
			words = append(words, w)
		}
	}
	if len(words) < 2 {
		return [][]Word{words}
	}
	upperLast := slices.Clone(words)
	slices.SortStableFunc(upperLast, func(v, w Word) int { return int(v&1) - int(w&1) })
	orders := [][]Word{upperLast, words}
	if len(words) == 2 {
		slices.Reverse(words)
		return orders
	}
	busiest := slices.Clone(upperLast)
	slices.SortStableFunc(busiest, func(v, w Word) int { return count[w] - count[v] })
	last := slices.Clone(upperLast)
	slices.Reverse(last)
	orders = append(orders, busiest, last)
	if len(words) <= maxPermuted || b.exhaustive && len(words) <= maxPermutedExhaustive {
		orders = append(orders, permutations(words)...)
	}
	return orders
}

// Numbers of words of which all orders are tried.
const (
	maxPermuted           = 4
	maxPermutedExhaustive = 6
)

// permutations returns all orders of words, the given one first.
func permutations(words []Word) [][]Word {
	if len(words) == 0 {
		return [][]Word{nil}
	}
	var all [][]Word
	for i, w := range words {
		for _, p := range permutations(slices.Delete(slices.Clone(words), i, i+1)) {
			all = append(all, append([]Word{w}, p...))
		}
	}
	return all
}

// cost estimates the instructions that a node adds to what earlier calls use
// already, to compare orders with.
func (b *decider) cost(id NodeID) int {
	b.used = append(b.used, make([]bool, len(b.g.nodes)-len(b.used))...)
	var seen []NodeID
	total := 0
	var visit func(NodeID)
	visit = func(id NodeID) {
		n := &b.g.nodes[id]
		if b.used[id] || n.Kind == Leaf {
			return
		}
		b.used[id] = true
		seen = append(seen, id)
		total += 2 // load and test
		if n.Kind == Masked {
			visit(n.Yes)
			visit(n.No)
			return
		}
		total += len(n.Cases) - 2
		for i, c := range n.Cases {
			if 0 < i && i < len(n.Cases)-1 && c.First == c.Last && n.Cases[i-1].To == n.Cases[i+1].To {
				total-- // one JEQ instead of two JGE
			}
			visit(c.To)
		}
	}
	visit(id)
	for _, id := range seen {
		b.used[id] = false
	}
	return total
}

// use marks what is reachable from a node as part of the program.
func (b *decider) use(id NodeID) {
	b.used = append(b.used, make([]bool, len(b.g.nodes)-len(b.used))...)
	if n := &b.g.nodes[id]; !b.used[id] && n.Kind != Leaf {
		b.used[id] = true
		if n.Kind == Masked {
			b.use(n.Yes)
			b.use(n.No)
		}
		for _, c := range n.Cases {
			b.use(c.To)
		}
	}
}

func sortCases(cases []Case) {
	slices.SortFunc(cases, func(a, b Case) int { return cmp.Compare(a.First, b.First) })
}
