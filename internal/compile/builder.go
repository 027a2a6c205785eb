package compile

import (
	"fmt"
	"math"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// A Builder makes a diagram that comes from no policy, children first. Paths may test
// words in any order, and a word again and again, with one exception: see
// [Builder.Diagram]. The zero Builder is ready for use.
type Builder struct{ g Diagram }

// Leaf returns the node for an action.
func (b *Builder) Leaf(a cbpf.Action) NodeID { return b.g.leaf(a) }

// Switch returns the node that goes on at the case that holds w. The cases are
// ascending and cover all 32-bit values without a gap, or the error says where
// they do not. Neighbours with the same child become one.
func (b *Builder) Switch(w Word, cases []Case) (NodeID, error) {
	if w > Hi(5) {
		return 0, noWord(w)
	}
	merged := make([]Case, 0, len(cases))
	next := uint64(0)
	for _, c := range cases {
		if uint64(c.First) != next || c.Last < c.First {
			return 0, fmt.Errorf("compiler: switch on %v: case %#x..%#x where one from %#x on is due", w, c.First, c.Last, next)
		}
		if err := b.check(c.To); err != nil {
			return 0, err
		}
		merged = appendCase(merged, c.Last, c.To)
		next = uint64(c.Last) + 1
	}
	if next <= math.MaxUint32 {
		return 0, fmt.Errorf("compiler: switch on %v: no case from %#x on", w, next)
	}
	return b.g.switchOn(w, merged, ""), nil
}

// Masked returns the node that goes to yes where w&mask == value and to no elsewhere.
func (b *Builder) Masked(w Word, mask, value uint32, yes, no NodeID) (NodeID, error) {
	if w > Hi(5) {
		return 0, noWord(w)
	}
	for _, id := range [2]NodeID{yes, no} {
		if err := b.check(id); err != nil {
			return 0, err
		}
	}
	switch {
	case value&^mask != 0:
		return no, nil
	case mask == 0:
		return yes, nil
	}
	return b.g.masked(w, mask, value, yes, no, ""), nil
}

// Member returns the node that goes to in for the values of a set and to out for all
// others.
func (b *Builder) Member(s *ValueSet, in, out NodeID) (NodeID, error) {
	if s.Word < IPLo || s.Word > Lo(5) || s.Word%2 != 0 {
		return 0, fmt.Errorf("compiler: a value has no lower half in word %d (take IPLo, or Lo of arguments 0 to 5)", s.Word)
	}
	for _, id := range [2]NodeID{in, out} {
		if err := b.check(id); err != nil {
			return 0, err
		}
	}
	return b.g.member(s, in, out, ""), nil
}

func noWord(w Word) error {
	return fmt.Errorf("compiler: a call has no word %d (take NR, Arch, IPLo, IPHi, and Lo and Hi of arguments 0 to 5)", w)
}

func (b *Builder) check(id NodeID) error {
	if id < 0 || int(id) >= len(b.g.nodes) {
		return fmt.Errorf("compiler: no node n%d in this diagram", id)
	}
	return nil
}

// Diagram returns the diagram that starts at root; the Builder must not be used
// any more. usual is the node for calls that nothing special is said about:
// paths to others are kept shorter. It is an error if a node below a switch on NR
// tests NR again: the tree for x32 numbers is that for x86_64, without the x32 bit, and
// the bit would be missing there.
func (b *Builder) Diagram(root, usual NodeID) (*Diagram, error) {
	for _, id := range [2]NodeID{root, usual} {
		if err := b.check(id); err != nil {
			return nil, err
		}
	}
	tested := make([]bool, len(b.g.nodes)) // whether a node or one below tests NR
	for id := range b.g.nodes {
		n := &b.g.nodes[id]
		below := n.Kind == Masked && (tested[n.Yes] || tested[n.No]) ||
			slices.ContainsFunc(n.Cases, func(c Case) bool { return tested[c.To] })
		if below && n.Kind == Switch && n.Word == NR {
			return nil, fmt.Errorf("compiler: below n%d, a switch on nr, nr is tested again (decide by it once)", id)
		}
		tested[id] = below || n.Kind != Leaf && n.Word == NR
	}
	b.g.root, b.g.usual = root, usual
	if n := &b.g.nodes[root]; n.Kind == Switch && n.Word == Arch {
		for a := range arch.All() {
			if c := find(n.Cases, a.Audit()); c.First == c.Last {
				b.g.addABI(a)
			}
		}
	}
	return &b.g, nil
}

func (g *Diagram) addABI(a arch.ABI) {
	for i := range g.spaces {
		if s := &g.spaces[i]; s.audit == a.Audit() {
			s.abis = append(s.abis, a)
			return
		}
	}
	g.spaces = append(g.spaces, space{a.Audit(), []arch.ABI{a}})
}
