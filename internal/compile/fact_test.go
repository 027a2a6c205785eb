package compile

import (
	"fmt"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
)

// truth returns what a statement about some values is, as far as they all agree.
func truth(values []uint32, holds func(v uint32) bool) Truth {
	yes, no := false, false
	for _, v := range values {
		if holds(v) {
			yes = true
		} else {
			no = true
		}
	}
	switch {
	case yes && no:
		return Open
	case yes:
		return Yes
	}
	return No
}

// Of an interval a fact knows all that there is to know.
func TestFactsOfIntervalsAreExact(t *testing.T) {
	const most = 17
	for first := range uint32(most) {
		var values []uint32
		for last := first; last < most; last++ {
			values = append(values, last)
			f := Fact{First: first, Last: last}
			for v := range uint32(most) {
				if got, want := f.atLeast(v), truth(values, func(x uint32) bool { return x >= v }); got != want {
					t.Errorf("%d..%d: at least %d: %v, want %v", first, last, v, got, want)
				}
				for mask := range uint32(most) {
					if got, want := f.equal(mask, v), truth(values, func(x uint32) bool { return x&mask == v }); got != want && v&^mask == 0 {
						t.Errorf("%d..%d under %#x equals %#x: %v, want %v", first, last, mask, v, got, want)
					}
				}
			}
		}
	}
}

// Of a test under a mask, a fact knows what follows for another one.
func TestFactsOfMasks(t *testing.T) {
	for _, tt := range []struct {
		mask, value uint32
		holds       bool
		asked, v    uint32
		want        Truth
	}{
		{6, 4, true, 6, 4, Yes},
		{6, 4, true, 6, 2, No},
		{6, 4, true, 4, 4, Yes},
		{6, 4, true, 2, 2, No},
		{6, 4, true, 14, 12, Open},
		{6, 4, true, 14, 10, No},
		{6, 4, true, 8, 8, Open},
		{6, 4, false, 6, 4, No},
		{6, 4, false, 6, 2, Open},
		{6, 4, false, 4, 4, Open},
		{6, 4, false, 14, 12, No},
		{6, 4, false, 14, 10, Open},
		{4, 4, false, 4, 4, No},
		{4, 4, false, 4, 0, Yes}, // a bit has only two values
		{4, 0, false, 12, 12, Open},
		{4, 0, false, 12, 8, No},
	} {
		f := Fact{Last: 1<<32 - 1}
		var got Truth
		f.Either(tt.mask, tt.value, func(holds bool) NodeID {
			if holds == tt.holds {
				got = f.equal(tt.asked, tt.v)
			}
			return 0
		})
		if got != tt.want {
			t.Errorf("x&%#x == %#x is %v: x&%#x == %#x is %v, want %v", tt.mask, tt.value, tt.holds, tt.asked, tt.v, got, tt.want)
		}
		if len(f.tested) > 0 {
			t.Errorf("a test is left: %v", f.tested)
		}
	}
}

// Equal nodes and tests are one, also after the table has grown.
func TestNodesAndTestsAreMadeOnce(t *testing.T) {
	var b Builder
	tree := &Tree{}
	const n = 5000
	for range 2 {
		for i := range uint32(n) {
			if id := b.Leaf(cbpf.Action(i)); id != NodeID(i) {
				t.Fatalf("action %d is n%d", i, id)
			}
			if r := tree.ret(cbpf.Action(i)); r != Ref(i) {
				t.Fatalf("action %d is t%d", i, r)
			}
		}
	}
	// Nodes that differ in anything are two, but for their origin.
	node := Node{Kind: Masked, Word: 4, Mask: 3, Value: 2, Yes: 5, No: 6}
	nodes := []Node{node, node, node, node, node, node, node}
	nodes[1].Word, nodes[2].Mask, nodes[3].Value, nodes[4].Yes, nodes[5].No, nodes[6].Origin = 5, 7, 1, 7, 7, "/x"
	test := Test{Op: MaskEqual, Word: 4, K: 2, Mask: 3, Yes: 5, No: 6}
	tests := []Test{test, test, test, test, test, test, test, test}
	tests[1].Word, tests[2].Mask, tests[3].K, tests[4].Yes, tests[5].No, tests[6].Op, tests[7].Origin = 5, 7, 1, 7, 7, Equal, "/x"
	got := ""
	for _, x := range nodes {
		got += fmt.Sprint(" ", b.g.intern(&x, "")-n)
	}
	for _, x := range tests {
		got += fmt.Sprint(" ", tree.intern(x)-n)
	}
	if want := " 0 1 2 3 4 5 0 0 1 2 3 4 5 6 0"; got != want {
		t.Errorf("got %s, want%s", got, want)
	}
}

// A value that is tested before leaves its place to a neighbour: the one before it, if
// there is one.
func TestAbsorbedValuesGoToANeighbour(t *testing.T) {
	for _, tt := range []struct {
		spans string
		i     int
		want  string
	}{
		{"0:a*3 1:b 2..:c*1", 0, "0..1:b*0 2..:c*1"},
		{"0:a*3 1:b 2..:c*1", 1, "0..1:a*3 2..:c*1"},
		{"0..7:a 8..0xfffffffe:c 0xffffffff:b*9", 2, "0..7:a 8..:c"},
	} {
		tree := &Tree{}
		got := spansText(tree, absorb(parseSpans(t, tree, tt.spans), tt.i))
		if want := spansText(tree, parseSpans(t, tree, tt.want)); got != want {
			t.Errorf("%s without the one at %d: %s, want %s", tt.spans, tt.i, got, want)
		}
	}
}

func TestSpreadIsOfAllBitsBelow(t *testing.T) {
	for n := range 32 {
		first := uint32(0x5555_5555) &^ (1<<n<<1 - 1)
		if got, want := spread(first, first|1<<n), uint32(1<<n<<1-1); got != want {
			t.Errorf("bit %d: %#x, want %#x", n, got, want)
		}
	}
	if got := spread(7, 7); got != 0 {
		t.Errorf("one number: %#x", got)
	}
}

// The next value that matches is what counting up finds, at either end of a word.
func TestNextMatch(t *testing.T) {
	const most = 1 << 6
	for _, shift := range []uint{0, 32 - 6} {
		for mask := range uint32(most) {
			for v := range uint32(most) {
				for from := range uint32(most) {
					want := from
					for want < most && want&mask != v {
						want++
					}
					got, ok := nextMatch(from<<shift, mask<<shift, v<<shift)
					// Behind the lowest bits there are more: a match may be there.
					if found := want < most; found && (!ok || got != want<<shift) || !found && ok && (shift > 0 || got < most) {
						t.Fatalf("from %#x under %#x equals %#x: %#x, %v, want %#x (shifted by %d)", from, mask, v, got, ok, want, shift)
					}
				}
			}
		}
	}
}
