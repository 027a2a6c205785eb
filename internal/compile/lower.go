package compile

import (
	"slices"

	"github.com/seccompile/seccompile/arch"
)

// lower turns a diagram into a tree of two-way tests.
func lower(g *Diagram, o Options) *Tree {
	l := &lowerer{
		g:    g,
		refs: make([]Ref, len(g.nodes)),
		d: dispatcher{
			tree:       &Tree{tests: make([]Test, 0, min(len(g.cases)+16, 512))},
			exhaustive: o.Exhaustive,
		},
		hot: frequencies(g.spaces, o.Weights),
	}
	for i := range l.refs {
		l.refs[i] = -1
	}
	l.d.tree.root = l.node(g.root)
	return l.d.tree
}

// A lowerer lowers each node of a diagram once.
type lowerer struct {
	g     *Diagram
	refs  []Ref // of nodes done, -1 for the others
	d     dispatcher
	spans []span
	hot   []frequency
}

// node returns the tests of a node.
func (l *lowerer) node(id NodeID) Ref {
	if l.refs[id] >= 0 {
		return l.refs[id]
	}
	n := &l.g.nodes[id]
	var ref Ref
	switch n.Kind {
	case Leaf:
		ref = l.d.tree.ret(n.Action)
	case Masked:
		ref = l.masked(n)
	case Switch:
		for _, c := range n.Cases {
			l.node(c.To)
		}
		switch n.Word {
		case NR:
			ref = l.numbers(id, n)
		case Arch:
			ref = l.d.dispatch(n.Word, l.weigh(n, l.archWeight), n.Origin)
		default:
			ref = l.d.dispatch(n.Word, l.weigh(n, l.argWeight), n.Origin)
		}
	}
	l.refs[id] = ref
	return ref
}

// masked lowers a test of bits: one instruction where no bit may be set, or where
// one must.
func (l *lowerer) masked(n *Node) Ref {
	yes, no := l.node(n.Yes), l.node(n.No)
	t := Test{Op: MaskEqual, Word: n.Word, K: n.Value, Mask: n.Mask, Yes: yes, No: no, Origin: n.Origin}
	switch {
	case n.Value == 0:
		t = Test{Op: AnySet, Word: n.Word, K: n.Mask, Yes: no, No: yes, Origin: n.Origin}
	case n.Value == n.Mask && n.Mask&(n.Mask-1) == 0:
		t = Test{Op: AnySet, Word: n.Word, K: n.Mask, Yes: yes, No: no, Origin: n.Origin}
	}
	return l.d.tree.test(t)
}

// weigh returns the cases of a switch as spans.
func (l *lowerer) weigh(n *Node, weight func(Case) uint64) []span {
	l.spans = slices.Grow(l.spans[:0], len(n.Cases))
	for _, c := range n.Cases {
		l.spans = append(l.spans, span{c.First, c.Last, l.refs[c.To], weight(c)})
	}
	return l.spans
}

// numbers lowers the switch on the number.
func (l *lowerer) numbers(id NodeID, n *Node) Ref {
	s := l.space(id)
	spans := l.weigh(n, func(c Case) uint64 { return l.numberWeight(s, c) })
	if slices.Contains(s.abis, arch.X86_64) && slices.Contains(s.abis, arch.X32) {
		return l.withX32(spans)
	}
	return l.d.dispatch(NR, spans, "")
}

// space returns the number space of a node, the first one if several share it.
func (l *lowerer) space(id NodeID) space {
	if root := &l.g.nodes[l.g.root]; root.Kind == Switch && root.Word == Arch {
		for _, s := range l.g.spaces {
			if find(root.Cases, s.audit).To == id {
				return s
			}
		}
	}
	return space{}
}
