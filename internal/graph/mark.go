package graph

import (
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
)

// A Call is a number of an ABI that its table has.
type Call struct {
	ABI arch.ABI
	NR  uint32
}

// A Mark says what a box stands for: the calls that get to it, and the test or the
// verdict that it is.
type Mark struct {
	Calls  []Call // by ABI and number
	Leaf   bool
	Action cbpf.Action  // of a leaf
	Word   compile.Word // that it tests, unless it is a leaf or
	// DropX32, where the tree goes on with the number without the x32 bit.
	DropX32 bool
	// K is what a test of a tree compares with; Compares says that there is one.
	K        uint32
	Compares bool
	Origin   string // the pointer of a rule that it was made for, or ""
}

// Mark returns what a box stands for. Boxes are counted from 0, as SVG's marks have them.
func (g *Graph) Mark(box int) Mark {
	n := &g.nodes[box]
	m := n.mark
	for i, ok := range n.set {
		if ok {
			m.Calls = append(m.Calls, Call{g.calls[i].abi, g.calls[i].nr})
		}
	}
	return m
}

// Path returns the boxes that a call passes, the root first. In a drawing of one call,
// the path of another one ends where nothing more is drawn of it.
func (g *Graph) Path(d *cbpf.Data) []int {
	return g.reach(d.NR, func(w compile.Word) (uint32, bool) { return w.Of(d), true })
}

// Reach returns the boxes that the calls with a number may pass, whatever their arguments.
func (g *Graph) Reach(audit, nr uint32) []int {
	return g.reach(nr, func(w compile.Word) (uint32, bool) { return audit, w == compile.Arch })
}

// reach returns the boxes that are reached where the number is known, and as much of the
// other words as known says.
func (g *Graph) reach(nr uint32, known func(compile.Word) (v uint32, ok bool)) []int {
	held := make([]uint32, len(g.nodes)) // the number there, which may have lost the x32 bit
	reached := make([]bool, len(g.nodes))
	held[0], reached[0] = nr, true
	var boxes []int
	for i := range g.nodes { // arrows go to later boxes
		if !reached[i] {
			continue
		}
		boxes = append(boxes, i)
		n := &g.nodes[i]
		v, ok := held[i], true
		if n.mark.DropX32 {
			held[i] &= arch.X32Bit - 1
		} else if n.mark.Word != compile.NR {
			v, ok = known(n.mark.Word)
		}
		for _, e := range n.edges {
			if e.takes == nil || !ok || e.takes(v) {
				reached[e.to], held[e.to] = true, held[i]
			}
		}
	}
	return boxes
}
