package compile

import (
	"math"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
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
	recent     NodeID // the leaf asked for last
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
	total := 0
	for i := range r.Spaces {
		total += len(r.Spaces[i].Calls)
	}
	b := &decider{
		g:          &Diagram{nodes: make([]Node, 0, 32), cases: make([]Case, 0, min(2*total+32, 512))},
		exhaustive: exhaustive,
		left:       workOnOrders,
	}
	g := b.g
	b.fallback = g.leaf(r.Default)
	b.recent = b.fallback
	g.usual = b.fallback
	bad := g.leaf(r.BadArch)
	calls := b.calls(r, make([]NodeID, 0, total))
	numbers := make([]Case, 0, min(2*total+8, 128))
	spaces := make([]Case, 0, 2*len(r.Spaces)+1)
	for i := range r.Spaces {
		s := &r.Spaces[i]
		numbers = b.numbers(numbers[:0], s, calls[:len(s.Calls)])
		calls = calls[len(s.Calls):]
		spaces = append(spaces, Case{s.Audit, s.Audit, g.switchOn(NR, numbers, "")})
		g.spaces = append(g.spaces, space{s.Audit, s.ABIs})
	}
	g.root = g.switchOn(Arch, around(spaces, bad), "")
	return g
}

// calls appends the nodes of the calls of each number space, one after the other. Those
// with 32-bit arguments are built first: a call with 64-bit ones, whose upper words are
// mostly to be zero, can then go on to its twin. Calls that share their clauses, as those
// of one rule do, share the node.
func (b *decider) calls(r *policy.Resolved, nodes []NodeID) []NodeID {
	type conditional struct {
		call *policy.Call
		at   int // of its node
	}
	var rest []conditional
	for i := range r.Spaces {
		s := &r.Spaces[i]
		for j := range s.Calls {
			c := &s.Calls[j]
			if first := &c.Clauses[0]; len(first.Conds) == 0 {
				nodes = append(nodes, b.action(first.Action))
				continue
			}
			rest = append(rest, conditional{c, len(nodes)})
			nodes = append(nodes, b.fallback)
		}
	}
	type shared struct {
		first *policy.Clause
		n     int
	}
	built := make(map[shared]NodeID)
	for _, bits := range [2]int{32, 64} {
		for _, c := range rest {
			if c.call.ABI.Bits() != bits {
				continue
			}
			key := shared{&c.call.Clauses[0], len(c.call.Clauses)}
			node, ok := built[key]
			if !ok {
				node = b.call(c.call.Clauses)
				built[key] = node
			}
			nodes[c.at] = node
		}
	}
	return nodes
}

// action returns the leaf of an action, which is mostly that of the call before.
func (b *decider) action(a cbpf.Action) NodeID {
	if n := &b.g.nodes[b.recent]; n.Action != a {
		b.recent = b.g.leaf(a)
	}
	return b.recent
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

// numbers appends the cases of one number space, of which calls and ranges are parts that
// do not overlap.
func (b *decider) numbers(cases []Case, s *policy.Space, nodes []NodeID) []Case {
	calls, ranges := s.Calls, s.Ranges
	next := uint64(0) // the first number without a case
	until := func(last uint32, to NodeID) {
		cases = appendCase(cases, last, to)
		next = uint64(last) + 1
	}
	for len(calls) > 0 || len(ranges) > 0 {
		isCall := len(ranges) == 0 || len(calls) > 0 && calls[0].NR < ranges[0].First
		first := uint32(0)
		if isCall {
			first = calls[0].NR
		} else {
			first = ranges[0].First
		}
		if next < uint64(first) {
			until(first-1, b.fallback)
		}
		if isCall {
			until(first, nodes[0])
			calls, nodes = calls[1:], nodes[1:]
		} else {
			until(ranges[0].Last, b.action(ranges[0].Action))
			ranges = ranges[1:]
		}
	}
	if next <= maxNR {
		until(maxNR, b.fallback)
	}
	return cases
}
