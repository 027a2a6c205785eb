package compiler

import (
	"math"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/policy"
)

const (
	// lowMask takes the x32 bit, and bit 31 with it, off a number.
	lowMask = arch.X32Bit - 1
	// maxNR is the largest number a filter can see: -1, a tracer's skip.
	maxNR = math.MaxUint32
)

// decide builds the diagram of a policy: a switch on the AUDIT_ARCH value, a
// switch on the number for each number space, and the diagram of the arguments
// for each call that looks at them.
func decide(r *policy.Resolved, exhaustive bool) *Diagram {
	b := &argBuilder{
		g:          &Diagram{nodes: make([]Node, 0, 128), cases: make([]Case, 0, 512)},
		exhaustive: exhaustive,
		left:       workOnOrders,
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
		numbers = b.numbers(numbers[:0], s, calls[i], bad)
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
func (b *argBuilder) calls(r *policy.Resolved) [][]NodeID {
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

// numbers appends the cases of one number space: what is unknown, what is
// foreign, the calls that rules decide, and the default action in between.
func (b *argBuilder) numbers(cases []Case, s *policy.Space, nodes []NodeID, bad NodeID) []Case {
	enosys := b.g.leaf(s.ENOSYS)
	unknown, foreign, calls := s.Unknown, s.Foreign, s.Calls
	for nr := uint64(0); nr <= maxNR; {
		for len(unknown) > 0 && uint64(unknown[0].Last) < nr {
			unknown = unknown[1:]
		}
		for len(foreign) > 0 && uint64(foreign[0].Last) < nr {
			foreign = foreign[1:]
		}
		last, to := uint64(maxNR), b.fallback
		if len(unknown) > 0 {
			if first := uint64(unknown[0].First); first <= nr {
				cases = appendCase(cases, unknown[0].Last, enosys)
				nr = uint64(unknown[0].Last) + 1
				continue
			} else {
				last = first - 1
			}
		}
		switch {
		case len(foreign) > 0 && uint64(foreign[0].First) <= nr:
			last, to = min(last, uint64(foreign[0].Last)), bad
		default:
			if len(foreign) > 0 {
				last = min(last, uint64(foreign[0].First)-1)
			}
			for len(calls) > 0 && uint64(calls[0].NR) < nr {
				calls, nodes = calls[1:], nodes[1:]
			}
			if len(calls) > 0 && uint64(calls[0].NR) == nr {
				last, to = nr, nodes[0]
				calls, nodes = calls[1:], nodes[1:]
			} else if len(calls) > 0 {
				last = min(last, uint64(calls[0].NR)-1)
			}
		}
		cases = appendCase(cases, uint32(last), to)
		nr = last + 1
	}
	return cases
}
