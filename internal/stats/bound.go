package stats

import "github.com/seccompile/seccompile/internal/compile"

// A Bound is a lower bound of the length of programs that decide a diagram by
// comparisons: programs that go along the diagram's edges, decide each Switch by
// JGE and JEQ tests of its own and each Masked node by one test of bits. Each
// part is a number of instructions.
//
// The compiler also decides switches by tests of bits, and shares the tests of
// switches that are alike, above all between x86_64 and x32. So it can get below
// the bound, but not far: the bound is a yardstick, and not a proof of optimality.
type Bound struct {
	Arch      int // tests of the AUDIT_ARCH value
	Numbers   int // tests of the number
	Arguments int // tests of arguments, and the AND that some need
	Loads     int // one for each node that is reached with another word in the accumulator
	Returns   int // one for each action
}

// Total is the least number of instructions.
func (b Bound) Total() int { return b.Arch + b.Numbers + b.Arguments + b.Loads + b.Returns }

// LowerBound returns the lower bound for a diagram.
func LowerBound(g *compile.Diagram) Bound {
	var b Bound
	reached := make([]reach, g.Len())
	reached[g.Root()] = reach{node: true, load: true}
	for id := g.Root(); id >= 0; id-- { // children have smaller ids
		if !reached[id].node {
			continue
		}
		n := g.Node(id)
		if n.Kind == compile.Leaf {
			b.Returns++
			continue
		}
		tests, keeps := testsOf(n)
		switch n.Word {
		case compile.Arch:
			b.Arch += tests
		case compile.NR:
			b.Numbers += tests
		default:
			b.Arguments += tests
		}
		if reached[id].load {
			b.Loads++
		}
		visit := func(to compile.NodeID) {
			reached[to].node = true
			if m := g.Node(to); m.Word != n.Word || !keeps {
				reached[to].load = true
			}
		}
		if n.Kind == compile.Masked {
			visit(n.Yes)
			visit(n.No)
		}
		for _, c := range n.Cases {
			visit(c.To)
		}
	}
	return b
}

// A reach says how a node is reached.
type reach struct {
	node bool // at all
	load bool // with another word in the accumulator, or a masked one
}

// testsOf returns the least number of instructions that decide a node once its
// word is loaded, and whether the word is still in the accumulator then.
func testsOf(n compile.Node) (tests int, keeps bool) {
	if n.Kind == compile.Switch {
		return comparisons(n.Cases), true
	}
	if n.Value == 0 || n.Value == n.Mask && n.Mask&(n.Mask-1) == 0 {
		return 1, true // JSET
	}
	return 2, false // AND, JEQ
}

// comparisons returns the least number of tests "word >= k" and "word == k" with
// which any program tells the cases of a switch apart.
//
// Take any such program. Its tests "word >= k" cut the 32-bit values into
// stretches. Two values of a stretch can only be told apart by a test for equality
// with one of them; so all values of a stretch without such a test take the same
// path, and have one outcome, and every value of the stretch with another outcome
// has a test of its own. Its tests are thus at least as many as the cuts and, in
// each stretch, the values of other outcomes than one.
//
// Only cuts between cases have to be tried. If a cut is inside a case whose
// outcome is the common one on both sides, the two stretches are one without it.
// Else there is a side where the values of the case have tests of their own: move
// the cut to that end of the case, and they either need none any more or still
// the same.
//
// And so few suffice: a search tree over the stretches uses each cut once, and a
// chain of tests for equality in each stretch uses each value once. The minimum
// is exact, by a pass over the cases that keeps for each outcome the least number
// of tests if it is the common one of the last stretch so far.
func comparisons(cases []compile.Case) int {
	// least[o] is that number less the sum of the sizes so far, so that only the
	// entry of the current case changes: to all others its values are single
	// ones. Outcomes not seen yet have 0: all values so far are single ones in
	// the first stretch.
	least := make(map[compile.NodeID]int64)
	sum, best := int64(0), int64(0)
	for i, c := range cases {
		tests := least[c.To] + sum
		if i > 0 {
			tests = min(tests, best+1) // a stretch that begins here
		}
		// For all other outcomes the values of c cost at least one test more than
		// the best so far: none is less.
		best = tests
		sum += int64(c.Last) - int64(c.First) + 1
		least[c.To] = best - sum
	}
	return int(best)
}
