package compile

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// The first orders are guesses: lower words first, as they are, the busiest first, upper
// words first.
func TestPromisingOrders(t *testing.T) {
	equal := func(arg uint8, mask uint64) policy.Cond {
		return policy.Cond{Arg: arg, Op: policy.Equal, Mask: mask, Value: 5 & mask}
	}
	wide := func(arg uint8) policy.Cond { return equal(arg, math.MaxUint64) }
	narrow := func(arg uint8) policy.Cond { return equal(arg, math.MaxUint32) }
	atLeast := func(v uint64) policy.Cond {
		return policy.Cond{Op: policy.GreaterEqual, Mask: math.MaxUint64, Value: v}
	}
	less := func(v uint64) policy.Cond { return policy.Cond{Op: policy.Less, Mask: math.MaxUint64, Value: v} }
	for _, tt := range []struct {
		name  string
		conds []policy.Cond // each of a clause of its own
		want  string
	}{
		{"a narrow argument has one word", []policy.Cond{narrow(2)}, "[arg2.lo]"},
		{"a wide one has two", []policy.Cond{wide(0)}, "[arg0.lo arg0.hi] [arg0.hi arg0.lo]"},
		{"a mask of one word", []policy.Cond{equal(1, 0xff<<32)}, "[arg1.hi]"},
		{"a bound between upper words", []policy.Cond{atLeast(3 << 32)}, "[arg0.hi]"},
		{"an upper bound between upper words", []policy.Cond{less(3 << 32)}, "[arg0.hi]"},
		{"a bound within one", []policy.Cond{atLeast(3<<32 + 1)}, "[arg0.lo arg0.hi] [arg0.hi arg0.lo]"},
		{"two narrow ones", []policy.Cond{narrow(0), narrow(3), narrow(4), narrow(4)}, "[arg0.lo arg3.lo arg4.lo] [arg4.lo arg0.lo arg3.lo] [arg4.lo arg3.lo arg0.lo]"},
		{"the busiest first", []policy.Cond{wide(0), narrow(1), equal(1, 0xff)},
			"[arg0.lo arg1.lo arg0.hi] [arg0.lo arg0.hi arg1.lo] [arg1.lo arg0.lo arg0.hi] [arg0.hi arg1.lo arg0.lo]"},
	} {
		m := newMatcher()
		var clauses []policy.Clause
		for i, c := range tt.conds {
			clauses = append(clauses, policy.Clause{Conds: []policy.Cond{c}, Action: cbpf.Errno(uint16(2 + i))})
		}
		if !m.read(clauses) || !m.tabulate() {
			t.Fatal(tt.name)
		}
		var got []string
		for _, order := range m.promising() {
			var words []Word
			for _, c := range order {
				words = append(words, m.columns[c].word)
			}
			if text := fmt.Sprint(words); !slices.Contains(got, text) {
				got = append(got, text)
			}
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, text, tt.want)
		}
	}
}

// newMatcher returns a matcher for a diagram that has only ERRNO(1), its fallback.
func newMatcher() *matcher {
	g := &Diagram{}
	return &matcher{g: g, fallback: g.leaf(cbpf.Errno(1)), lists: map[list]NodeID{}, twins: map[uint32]twin{}}
}

func TestPermute(t *testing.T) {
	order := []uint8{0, 1, 2, 3}
	seen := map[string]bool{fmt.Sprint(order): true}
	for permute(order) {
		seen[fmt.Sprint(order)] = true
	}
	if len(seen) != 24 || !slices.Equal(order, []uint8{3, 2, 1, 0}) {
		t.Errorf("%d orders of four, the last one %v", len(seen), order)
	}
	for _, order := range [][]uint8{nil, {7}} {
		if permute(order) {
			t.Errorf("%v has another order", order)
		}
	}
}

func TestMovedWord(t *testing.T) {
	room := make([]uint8, 4)
	for _, tt := range []struct {
		from, to int
		want     []uint8
	}{{0, 0, []uint8{4, 5, 6, 7}}, {0, 3, []uint8{5, 6, 7, 4}}, {3, 0, []uint8{7, 4, 5, 6}}, {1, 2, []uint8{4, 6, 5, 7}}, {2, 1, []uint8{4, 6, 5, 7}}} {
		if got := moved(room, []uint8{4, 5, 6, 7}, tt.from, tt.to); !slices.Equal(got, tt.want) {
			t.Errorf("from %d to %d: %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
}

// A call of one rule ends with the tests that another call has already.
func TestOneRuleEndsAsAnotherCall(t *testing.T) {
	m := newMatcher()
	equal := func(arg uint8, v uint64) policy.Cond {
		return policy.Cond{Arg: arg, Op: policy.Equal, Mask: math.MaxUint64, Value: v}
	}
	first := m.call([]policy.Clause{{Action: cbpf.Allow, Conds: []policy.Cond{equal(0, 3)}}})
	before := len(m.g.nodes)
	second := m.call([]policy.Clause{{Action: cbpf.Allow, Conds: []policy.Cond{equal(0, 3), equal(1, 4)}}})
	if n := len(m.g.nodes) - before; n != 2 {
		t.Errorf("%d new nodes, want two\n%v", n, m.g)
	}
	reached := false
	for id := second; m.g.nodes[id].Kind == Switch; id = find(m.g.nodes[id].Cases, m.g.nodes[id].Word.value(3, 4)).To {
		reached = reached || id == first
	}
	if !reached {
		t.Errorf("n%d does not lead to n%d\n%v", second, first, m.g)
	}
}

// value returns the word where the first two arguments have some values.
func (w Word) value(args ...uint64) uint32 {
	var d cbpf.Data
	copy(d.Args[:], args)
	return w.Of(&d)
}

// Two estimates of what a node takes: of what earlier calls do not have yet, to compare
// orders with, and of all of it, to say which call is the largest.
func TestCostAndSizeOfNodes(t *testing.T) {
	g := parseDiagram(t, `
		n0: ERRNO(1)
		n1: ALLOW
		n2: LOG
		n3: arg0.lo & 0x5 == 0x1 ? n0 : n1
		n4: arg0.lo
			0x0..0x4: n0
			0x5..0xffffffff: n1
		n5: arg0.lo
			0x0..0x4: n0
			0x5: n1
			0x6..0xffffffff: n0
		n6: arg0.lo
			0x0..0x4: n0
			0x5..0x6: n1
			0x7..0xffffffff: n0
		n7: arg0.lo
			0x0..0x4: n0
			0x5: n1
			0x6..0xffffffff: n2
		n8: arg0.lo
			0x0: n1
			0x1..0xfffffffe: n0
			0xffffffff: n1
		n9: arg0.hi & 0x6 == 0x2 ? n3 : n5
		n10: arg0.hi
			0x0: n9
			0x1: n3
			0x2..0xffffffff: n9
		root n10
	`)
	for _, tt := range []struct {
		name       string
		id         NodeID
		cost, size int
	}{
		{"an action", 0, 0, 0},
		{"a mask", 3, 2, 2},
		{"a bound", 4, 2, 2},
		{"a single value", 5, 2, 3},
		{"a range", 6, 3, 3},
		{"a single value between two outcomes", 7, 3, 3},
		{"single values at the ends", 8, 3, 3},
		{"both sides of a mask", 9, 2 + 2 + 2, 2 + 2 + 3},
		{"what is there twice counts once", 10, 2 + 6, 3 + 7},
	} {
		b := &matcher{g: g}
		for range 2 { // an estimate leaves no trace
			if got := b.cost(tt.id); got != tt.cost {
				t.Errorf("%s: cost %d, want %d", tt.name, got, tt.cost)
			}
		}
		if got := g.size(tt.id); got != tt.size {
			t.Errorf("%s: size %d, want %d", tt.name, got, tt.size)
		}
		b.use(tt.id)
		if got := b.cost(tt.id); got != 0 {
			t.Errorf("%s: cost %d when it is used already", tt.name, got)
		}
	}
	for used, want := range map[NodeID]int{3: 6, 5: 6, 4: 8, 9: 2} {
		b := &matcher{g: g}
		b.use(used)
		if got := b.cost(10); got != want {
			t.Errorf("with n%d in use: cost %d, want %d", used, got, want)
		}
	}
}

// A ladder has more paths than anybody could walk.
func TestCostAndSizeLookAtEachNodeOnce(t *testing.T) {
	g := ladder(200)
	b := &matcher{g: g}
	if cost, size := b.cost(g.root), g.size(g.root); cost != 2*401 || size != 2*401 {
		t.Errorf("cost %d, size %d of 401 nodes", cost, size)
	}
	b.use(g.root)
	if cost := b.cost(g.root); cost != 0 {
		t.Errorf("cost %d of what is used", cost)
	}
}
