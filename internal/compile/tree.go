package compile

import (
	"fmt"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
)

// An Op is what a test of a tree does with its word.
type Op uint8

// The operations of tests, and the two nodes that test nothing.
const (
	Return    Op = iota // the end of a path: K is the action
	Equal               // Word == K
	AtLeast             // Word >= K
	AnySet              // Word & K != 0
	MaskEqual           // Word & Mask == K
	DropX32             // go on at Yes with the number without the x32 bit
)

// A Ref is the index of a test in its tree.
type Ref int32

// A Test is a two-way branch on one word.
type Test struct {
	Op      Op
	Word    Word
	K, Mask uint32
	Yes, No Ref
	Origin  string // JSON pointer of the rule that it was first made for
}

// A Tree is a diagram made of two-way tests, each of which is one instruction or
// two: switches have become search trees. Tests are hash-consed, so it is a tree
// only to those who walk it; children have smaller refs.
type Tree struct {
	tests []Test
	root  Ref
	table []Ref // open addressing, refs are stored +1
}

// Root returns the test that every call starts at.
func (t *Tree) Root() Ref { return t.root }

// Test returns a test.
func (t *Tree) Test(r Ref) Test { return t.tests[r] }

// Len returns the number of tests made, some of which may not be reachable.
func (t *Tree) Len() int { return len(t.tests) }

// Eval returns the action for one call.
func (t *Tree) Eval(d *cbpf.Data) cbpf.Action {
	c := *d
	for r := t.root; ; {
		n := &t.tests[r]
		w := n.Word.Of(&c)
		holds := true
		switch n.Op {
		case Return:
			return cbpf.Action(n.K)
		case Equal:
			holds = w == n.K
		case AtLeast:
			holds = w >= n.K
		case AnySet:
			holds = w&n.K != 0
		case MaskEqual:
			holds = w&n.Mask == n.K
		case DropX32:
			c.NR &= lowMask
		}
		if r = n.No; holds {
			r = n.Yes
		}
	}
}

// size returns the number of instructions of the test itself.
func (n *Test) size() int {
	if n.Op == MaskEqual {
		return 2
	}
	return 1
}

// sizeOn returns the number of instructions of the tests of a word that a tree begins with.
func (t *Tree) sizeOn(w Word, root Ref) int {
	seen := make([]bool, len(t.tests))
	var visit func(Ref) int
	visit = func(r Ref) int {
		n := &t.tests[r]
		if seen[r] || n.Op == Return || n.Word != w {
			return 0
		}
		seen[r] = true
		return n.size() + visit(n.Yes) + visit(n.No)
	}
	return visit(root)
}

func (t *Tree) ret(a cbpf.Action) Ref { return t.intern(Test{Op: Return, K: uint32(a)}) }

// test returns the branch, or its child where both are the same.
func (t *Tree) test(n Test) Ref {
	if n.Yes == n.No {
		return n.Yes
	}
	return t.intern(n)
}

func (t *Tree) intern(n Test) Ref {
	if 2*len(t.tests) >= len(t.table) {
		t.grow()
	}
	mask := uint32(len(t.table) - 1)
	for i := n.hash() & mask; ; i = (i + 1) & mask {
		r := t.table[i] - 1
		if r < 0 {
			t.tests = append(t.tests, n)
			t.table[i] = Ref(len(t.tests))
			return Ref(len(t.tests) - 1)
		}
		if m := &t.tests[r]; m.Op == n.Op && m.Word == n.Word && m.K == n.K && m.Mask == n.Mask && m.Yes == n.Yes && m.No == n.No {
			return r
		}
	}
}

func (t *Tree) grow() {
	size := max(32, 2*len(t.table))
	for size < 2*cap(t.tests) {
		size *= 2
	}
	t.table = make([]Ref, size)
	mask := uint32(len(t.table) - 1)
	for r := range t.tests {
		i := t.tests[r].hash() & mask
		for t.table[i] != 0 {
			i = (i + 1) & mask
		}
		t.table[i] = Ref(r + 1)
	}
}

func (n *Test) hash() uint32 {
	h := mix(mix(uint32(n.Op)<<8|uint32(n.Word), n.K), n.Mask)
	return mix(mix(h, uint32(n.Yes)), uint32(n.No))
}

// reachable returns which tests the root reaches.
func (t *Tree) reachable() []bool {
	reach := make([]bool, len(t.tests))
	reach[t.root] = true
	for r := t.root; r >= 0; r-- {
		if n := &t.tests[r]; reach[r] && n.Op != Return {
			reach[n.Yes], reach[n.No] = true, true
		}
	}
	return reach
}

// String prints the reachable tests, children first.
func (t *Tree) String() string {
	var b strings.Builder
	for r, ok := range t.reachable() {
		if ok {
			fmt.Fprintf(&b, "t%d: %v\n", r, t.tests[r])
		}
	}
	fmt.Fprintf(&b, "root t%d\n", t.root)
	return b.String()
}

// String returns the test as "nr >= 17 ? t3 : t8".
func (n Test) String() string {
	k := Case{n.K, n.K, 0}.values(n.Word)
	switch n.Op {
	case Return:
		return cbpf.Action(n.K).String()
	case Equal:
		return fmt.Sprintf("%v == %s ? t%d : t%d", n.Word, k, n.Yes, n.No)
	case AtLeast:
		return fmt.Sprintf("%v >= %s ? t%d : t%d", n.Word, k, n.Yes, n.No)
	case AnySet:
		return fmt.Sprintf("%v & %#x ? t%d : t%d", n.Word, n.K, n.Yes, n.No)
	case MaskEqual:
		return fmt.Sprintf("%v & %#x == %#x ? t%d : t%d", n.Word, n.Mask, n.K, n.Yes, n.No)
	case DropX32:
		return fmt.Sprintf("nr &= %#x, t%d", lowMask, n.Yes)
	}
	return fmt.Sprintf("Op(%d)", n.Op)
}
