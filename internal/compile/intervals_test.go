package compile

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomSpans makes spans of few outcomes, the longer ones of the weight of
// several values.
func randomSpans(r *rand.Rand, t *Tree, n int) []span {
	outcomes := []Ref{t.ret(0), t.ret(1), t.ret(2)}[:2+r.IntN(2)]
	var spans []span
	next, last := uint32(0), Ref(-1)
	for i := range n {
		to := outcomes[r.IntN(len(outcomes))]
		for to == last {
			to = outcomes[r.IntN(len(outcomes))]
		}
		s := span{first: next, last: next + uint32(r.IntN(2)*r.IntN(6)), to: to, weight: uint64(r.IntN(40))}
		if i == n-1 {
			s.last = math.MaxUint32
		}
		spans = append(spans, s)
		next, last = s.last+1, to
	}
	return spans
}

// price returns what a tree costs: its weighted depth, and a weight for each
// instruction.
func price(t *Tree, root Ref, spans []span, each uint64) uint64 {
	total := uint64(0)
	for _, s := range spans {
		for r := root; t.tests[r].Op != Return; {
			n := &t.tests[r]
			total += s.weight * uint64(n.size())
			holds := false
			switch n.Op {
			case Equal:
				holds = s.first == n.K && s.single()
			case AtLeast:
				holds = s.first >= n.K
			case AnySet:
				holds = s.first&n.K != 0
			case MaskEqual:
				holds = s.first&n.Mask == n.K
			}
			if r = n.No; holds {
				r = n.Yes
			}
		}
	}
	seen := map[Ref]bool{}
	var size func(Ref) uint64
	size = func(r Ref) uint64 {
		n := &t.tests[r]
		if n.Op == Return || seen[r] {
			return 0
		}
		seen[r] = true
		return uint64(n.size()) + size(n.Yes) + size(n.No)
	}
	return total + each*size(root)
}

// least returns the cost of the best tree made of comparisons between spans and
// of equality tests of single values, found by trying all: at any place, any
// value may be compared, or any single one tested and taken out.
func least(spans []span) uint64 {
	alike := true
	weight := uint64(0)
	for i := range spans {
		alike = alike && spans[i].to == spans[0].to
		weight += spans[i].weight
	}
	if alike {
		return 0
	}
	best := uint64(math.MaxUint64)
	for i := range spans {
		if i > 0 {
			best = min(best, least(spans[:i])+least(spans[i:]))
		}
		if spans[i].single() {
			rest := append(append([]span(nil), spans[:i]...), spans[i+1:]...)
			best = min(best, least(rest))
		}
	}
	return best + weight + sizeWeight
}

func TestExhaustiveTreesCostLeast(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		tree := &Tree{}
		spans := randomSpans(r, tree, 2+r.IntN(6))
		cost := func(exhaustive bool) uint64 {
			d := dispatcher{tree: tree, exhaustive: exhaustive}
			d.start(NR, slices.Clone(spans), "")
			d.plan()
			return price(tree, d.planned(), spans, sizeWeight)
		}
		best, fast := cost(true), cost(false)
		if best > fast {
			t.Errorf("seed %d: exhaustive costs %d, fast %d: %v", seed, best, fast, spans)
		}
		singles := 0
		for i := range spans {
			if spans[i].single() {
				singles++
			}
		}
		if bound := least(spans); singles <= maxHoles && best > bound {
			t.Errorf("seed %d: exhaustive costs %d, of all trees of comparisons %d: %v", seed, best, bound, spans)
		}
	}
}

// TestHolesAreNumberedByTheirInterval holds the example at the type cell.
func TestHolesAreNumberedByTheirInterval(t *testing.T) {
	tree := &Tree{}
	d := dispatcher{tree: tree, exhaustive: true}
	d.dispatch(NR, parseSpans(t, tree, "0..39:a 40:b*50 41..69:a 70:c*90 71..:a"), "")
	c := d.cell(0, 4)
	if c.count != 2 || c.heavy[0] != 3 || c.heavy[1] != 1 {
		t.Errorf("heavy values %v of %v, want spans 3 and 1", c.heavy[:c.count], d.spans)
	}
	for _, tt := range []struct {
		m, holes    int
		left, right uint8
	}{
		{2, 0b00, 0b00, 0b00}, {2, 0b01, 0b00, 0b01}, {2, 0b10, 0b01, 0b00}, {2, 0b11, 0b01, 0b01},
		{3, 0b01, 0b01, 0b00}, {3, 0b10, 0b10, 0b00}, {0, 0b10, 0b00, 0b10},
	} {
		if p := c.parts(tt.m)[tt.holes]; p.left != tt.left || p.right != tt.right {
			t.Errorf("split behind span %d, holes %02b: %02b and %02b, want %02b and %02b", tt.m, tt.holes, p.left, p.right, tt.left, tt.right)
		}
	}
	for holes, how := range map[uint]uint8{0b11: byRest, 0b01: byTest, 0b10: byTest} {
		if got := c.best[holes].how; got != how {
			t.Errorf("holes %02b: decided by %d, want %d", holes, got, how)
		}
	}
}
