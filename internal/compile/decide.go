package compile

import (
	"math"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/policy"
)

const (
	// lowMask takes the x32 bit, and bit 31 with it, off a number.
	lowMask = arch.X32Bit - 1
	// maxNR is the largest number a filter can see: -1, a tracer's skip.
	maxNR = math.MaxUint32
)

// A decider builds the diagram of a policy.
//
// Clauses are tried in order, so a call that looks at arguments is decided one word
// after the other: the values of the word are cut where a condition changes, and in
// each piece the clauses that cannot hold any more are dropped. What is left
// after the last word is the first clause that holds. The result is canonical
// for the order of the words, and no test in it is implied by an earlier one.
type decider struct {
	g          *Diagram
	fallback   NodeID // where no clause holds
	exhaustive bool

	order []Word
	facts Facts
	steps int // of work left before the decider gives up on an order
	left  int // work left for further orders
	used  []bool
	cuts  []uint32
}

// decide builds the diagram of a policy: a switch on the AUDIT_ARCH value, a
// switch on the number for each number space, and the diagram of the arguments
// for each call that looks at them.
func decide(r *policy.Resolved, exhaustive bool) *Diagram {
	b := &decider{
		g:          &Diagram{nodes: make([]Node, 0, 128), cases: make([]Case, 0, 512)},
		exhaustive: exhaustive,
		left:       workOnOrders,
		cuts:       make([]uint32, 0, 1024),
	}
	g := b.g
	b.fallback = g.leaf(r.Default)
	g.usual = b.fallback
	bad := g.leaf(r.BadArch)
	calls := b.calls(r)
	numbers := make([]Case, 0, 256)
	spaces := make([]Case, 0, 2*len(r.Spaces)+1)
	for i := range r.Spaces {
		s := &r.Spaces[i]
		numbers = b.numbers(numbers[:0], s, calls[i])
		spaces = append(spaces, Case{s.Audit, s.Audit, g.switchOn(NR, numbers, "")})
		g.spaces = append(g.spaces, space{s.Audit, s.ABIs})
	}
	g.root = g.switchOn(Arch, around(spaces, bad), "")
	return g
}

// calls returns the nodes of the calls of each number space. Those with 32-bit
// arguments are built first: a call with 64-bit ones, whose upper words are mostly
// to be zero, can then go on to its twin. Calls that share their clauses, as those of
// one rule do, share the node.
func (b *decider) calls(r *policy.Resolved) [][]NodeID {
	nodes := make([][]NodeID, len(r.Spaces))
	type shared struct {
		first *policy.Clause
		n     int
	}
	built := make(map[shared]NodeID)
	for i := range r.Spaces {
		nodes[i] = make([]NodeID, len(r.Spaces[i].Calls))
	}
	for _, bits := range [2]int{32, 64} {
		for i := range r.Spaces {
			for j := range r.Spaces[i].Calls {
				c := &r.Spaces[i].Calls[j]
				if c.ABI.Bits() != bits {
					continue
				}
				key := shared{&c.Clauses[0], len(c.Clauses)}
				node, ok := built[key]
				if !ok {
					node = b.call(c.Clauses)
					built[key] = node
				}
				nodes[i][j] = node
			}
		}
	}
	return nodes
}

// around completes a list of disjoint cases with another child for all other values.
func around(cases []Case, other NodeID) []Case {
	sortCases(cases)
	all := make([]Case, 0, 2*len(cases)+1)
	next := uint64(0)
	for _, c := range cases {
		if next < uint64(c.First) {
			all = appendCase(all, c.First-1, other)
		}
		all = appendCase(all, c.Last, c.To)
		next = uint64(c.Last) + 1
	}
	if next <= math.MaxUint32 {
		all = appendCase(all, math.MaxUint32, other)
	}
	return all
}

// numbers appends the cases of one number space. The numbers are cut wherever a call
// or an interval begins and where it ends, so what decides the first number of a
// piece decides all of it.
func (b *decider) numbers(cases []Case, s *policy.Space, nodes []NodeID) []Case {
	cuts := append(b.cuts[:0], 0)
	for i := range s.Calls {
		cuts = append(cuts, s.Calls[i].NR, s.Calls[i].NR+1)
	}
	for _, x := range s.Ranges {
		cuts = append(cuts, x.First, x.Last+1) // 0 behind the largest number: a cut anyway
	}
	slices.Sort(cuts)
	b.cuts = slices.Compact(cuts)
	call, ranges := 0, s.Ranges
	for i, first := range b.cuts {
		last := uint32(maxNR)
		if i+1 < len(b.cuts) {
			last = b.cuts[i+1] - 1
		}
		for call < len(s.Calls) && s.Calls[call].NR < first {
			call++
		}
		for len(ranges) > 0 && ranges[0].Last < first {
			ranges = ranges[1:]
		}
		to := b.fallback
		switch {
		case len(ranges) > 0 && ranges[0].First <= first:
			to = b.g.leaf(ranges[0].Action)
		case call < len(s.Calls) && s.Calls[call].NR == first:
			to = nodes[call]
		}
		cases = appendCase(cases, last, to)
	}
	return cases
}
