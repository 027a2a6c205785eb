package compile

import (
	"fmt"
	"math"
	"testing"

	"github.com/seccompile/seccompile/policy"
)

// Each order is tried once; the first ones are guesses.
func TestOrdersOfWords(t *testing.T) {
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
		name       string
		conds      []policy.Cond
		exhaustive bool
		first      string // of the orders
		n          int    // of them
	}{
		{"a narrow argument has one word", []policy.Cond{narrow(2)}, false, "[[arg2.lo]]", 1},
		{"a wide one has two", []policy.Cond{wide(0)}, false, "[[arg0.lo arg0.hi] [arg0.hi arg0.lo]]", 2},
		{"a mask of one word", []policy.Cond{equal(1, 0xff<<32)}, false, "[[arg1.hi]]", 1},
		{"every value is no test", []policy.Cond{atLeast(0), narrow(1)}, false, "[[arg1.lo]]", 1},
		{"a bound between upper words", []policy.Cond{atLeast(3 << 32)}, false, "[[arg0.hi]]", 1},
		{"an upper bound between upper words", []policy.Cond{less(3 << 32)}, false, "[[arg0.hi]]", 1},
		{"a bound within one", []policy.Cond{atLeast(3<<32 + 1)}, false, "[[arg0.lo arg0.hi] [arg0.hi arg0.lo]]", 2},
		{"two narrow ones", []policy.Cond{narrow(0), narrow(3), narrow(3)}, false, "[[arg0.lo arg3.lo] [arg3.lo arg0.lo]]", 2},
		{"three words: lower first, as they are, the busiest first, lower last, and all", []policy.Cond{wide(0), narrow(1), narrow(1)}, false,
			"[[arg0.lo arg1.lo arg0.hi] [arg0.lo arg0.hi arg1.lo] [arg1.lo arg0.lo arg0.hi] [arg0.hi arg1.lo arg0.lo] [arg0.lo arg0.hi arg1.lo] [arg0.lo arg1.lo arg0.hi]", 4 + 6},
		{"four words", []policy.Cond{wide(0), wide(1)}, false, "[[arg0.lo arg1.lo arg0.hi arg1.hi] [arg0.lo arg0.hi arg1.lo arg1.hi]", 4 + 24},
		{"five words", []policy.Cond{wide(0), wide(1), narrow(2)}, false, "[[arg0.lo arg1.lo arg2.lo arg0.hi arg1.hi]", 4},
		{"five words, exhaustively", []policy.Cond{wide(0), wide(1), narrow(2)}, true, "[[arg0.lo arg1.lo arg2.lo arg0.hi arg1.hi]", 4 + 120},
		{"six words, exhaustively", []policy.Cond{wide(0), wide(1), wide(2)}, true, "[[arg0.lo arg1.lo arg2.lo arg0.hi arg1.hi arg2.hi]", 4 + 720},
		{"seven words, exhaustively", []policy.Cond{wide(0), wide(1), wide(2), narrow(5)}, true, "[[arg0.lo arg1.lo arg2.lo arg5.lo ", 4},
	} {
		var rules []rule
		for _, c := range tt.conds {
			rules = append(rules, rule{conds: []condition{conditionOf(c)}})
		}
		b := &decider{exhaustive: tt.exhaustive}
		got := b.orders(rules)
		text := fmt.Sprint(got)
		if len(got) != tt.n || len(text) < len(tt.first) || text[:len(tt.first)] != tt.first {
			t.Errorf("%s: %d orders, want %d\ngot  %.200s\nwant %s", tt.name, len(got), tt.n, text, tt.first)
		}
	}
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
		b := &decider{g: g}
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
		b := &decider{g: g}
		b.use(used)
		if got := b.cost(10); got != want {
			t.Errorf("with n%d in use: cost %d, want %d", used, got, want)
		}
	}
}

// A ladder has more paths than anybody could walk.
func TestCostAndSizeLookAtEachNodeOnce(t *testing.T) {
	g := ladder(200)
	b := &decider{g: g}
	if cost, size := b.cost(g.root), g.size(g.root); cost != 2*401 || size != 2*401 {
		t.Errorf("cost %d, size %d of 401 nodes", cost, size)
	}
	b.use(g.root)
	if cost := b.cost(g.root); cost != 0 {
		t.Errorf("cost %d of what is used", cost)
	}
}
