package compile

import (
	"cmp"
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
type decider struct {
	g        *Diagram
	fallback NodeID // where no clause holds
	args     matcher
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
		g: &Diagram{nodes: make([]Node, 0, 32), cases: make([]Case, 0, min(2*total+32, 512))},
	}
	g := b.g
	b.fallback = g.leaf(r.Default)
	b.args = matcher{g: g, fallback: b.fallback, leaf: b.fallback, exhaustive: exhaustive, lists: map[list]NodeID{}, twins: map[uint32]twin{}}
	g.usual = b.fallback
	bad := g.leaf(r.BadArch)
	b.conditional(r)
	numbers := make([]Case, 0, min(2*total+8, 128))
	spaces := make([]Case, 0, 2*len(r.Spaces)+1)
	for i := range r.Spaces {
		s := &r.Spaces[i]
		numbers = b.numbers(numbers[:0], s)
		spaces = append(spaces, Case{s.Audit, s.Audit, g.switchOn(NR, numbers, "")})
		g.spaces = append(g.spaces, space{s.Audit, s.ABIs})
	}
	g.root = g.switchOn(Arch, around(spaces, bad), "")
	return g
}

// conditional builds the nodes of the calls that look at arguments. Those with 32-bit
// arguments are built first: a call with 64-bit ones, whose upper words are mostly to be
// zero, can then go on to its twin. Those with few conditions come before those with many,
// which can end with what the few ask.
func (b *decider) conditional(r *policy.Resolved) {
	var calls []*policy.Call
	for i := range r.Spaces {
		for j := range r.Spaces[i].Calls {
			if c := &r.Spaces[i].Calls[j]; len(c.Clauses[0].Conds) > 0 {
				calls = append(calls, c)
			}
		}
	}
	slices.SortStableFunc(calls, func(c, d *policy.Call) int {
		return cmp.Or(cmp.Compare(c.ABI.Bits(), d.ABI.Bits()), cmp.Compare(conditions(c.Clauses), conditions(d.Clauses)))
	})
	for _, c := range calls {
		b.args.call(c.Clauses)
	}
}

// conditions counts those of clauses, up to about manyConditions.
func conditions(clauses []policy.Clause) (n int) {
	for i := range clauses {
		if n += len(clauses[i].Conds); n > manyConditions {
			break
		}
	}
	return n
}

const manyConditions = 100

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
func (b *decider) numbers(cases []Case, s *policy.Space) []Case {
	next := uint64(0) // the first number without a case
	put := func(first, last uint32, to NodeID) {
		if next < uint64(first) {
			cases = appendCase(cases, first-1, b.fallback)
		}
		cases = appendCase(cases, last, to)
		next = uint64(last) + 1
	}
	calls, ranges := s.Calls, s.Ranges
	for len(calls) > 0 || len(ranges) > 0 {
		if len(calls) == 0 || len(ranges) > 0 && ranges[0].First < calls[0].NR {
			put(ranges[0].First, ranges[0].Last, b.g.leaf(ranges[0].Action))
			ranges = ranges[1:]
			continue
		}
		to, n := b.args.call(calls[0].Clauses), 1
		for n < len(calls) && calls[n].NR == calls[n-1].NR+1 && b.args.call(calls[n].Clauses) == to {
			n++
		}
		put(calls[0].NR, calls[n-1].NR, to)
		calls = calls[n:]
	}
	if next <= maxNR {
		cases = appendCase(cases, maxNR, b.fallback)
	}
	return cases
}
