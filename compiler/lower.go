package compiler

import (
	"maps"
	"math"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// lower turns a diagram into a tree of two-way tests.
func lower(g *Diagram, o Options) *Tree {
	l := &lowerer{
		g:    g,
		refs: make([]Ref, len(g.nodes)),
		d: dispatcher{
			tree:       &Tree{tests: make([]Test, 0, 512)},
			exhaustive: o.Effort == Exhaustive,
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
	l.spans = l.spans[:0]
	for _, c := range n.Cases {
		l.spans = append(l.spans, span{c.First, c.Last, l.refs[c.To], weight(c)})
	}
	return l.spans
}

// archWeight prefers the number spaces in their order.
func (l *lowerer) archWeight(c Case) uint64 {
	for i, s := range l.g.spaces {
		if c.First == s.audit && c.Last == s.audit {
			return 1 << max(0, 10-2*i)
		}
	}
	return 0
}

// argWeight prefers values that a rule names, and ranges of them, to the rest.
func (l *lowerer) argWeight(c Case) uint64 {
	switch {
	case c.To == l.g.usual:
		return 4
	case c.First == c.Last:
		return 16
	}
	return 64
}

// Weights of numbers. A call that is always allowed or denied is looked at when
// the kernel emulates the filter for each number, once, and where there is no
// bitmap of such calls. A call whose arguments decide runs the filter each time; by
// how much that counts more was chosen on Docker's profile: see docs/RATIONALE.md.
const (
	emulated     = 480 // numbers of an ABI that weigh one; Linux 7.2 emulates 472
	argumentCall = 20  // more for calls whose arguments decide
)

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

func (l *lowerer) numberWeight(s space, c Case) uint64 {
	w := uint64(0)
	for _, a := range s.abis {
		first := max(uint64(c.First), uint64(a.Base()))
		last := min(uint64(c.Last), uint64(a.Base())+emulated-1)
		if first <= last {
			w += last - first + 1
		}
	}
	if l.g.nodes[c.To].Kind != Leaf {
		w += argumentCall * (uint64(c.Last) - uint64(c.First) + 1)
	}
	for _, f := range l.hot {
		if f.audit == s.audit && c.First <= f.nr && f.nr <= c.Last {
			w += f.weight
		}
	}
	return min(w, math.MaxUint32)
}

// A frequency is the weight of a number in a frequency profile.
type frequency struct {
	audit, nr uint32
	weight    uint64
}

// frequencyWeight is the weight of a whole frequency profile, maxFrequency the
// largest weight in one: what is above counts as that.
const (
	frequencyWeight = 1 << 14
	maxFrequency    = 1 << 48
)

// frequencies resolves a frequency profile. Names that an ABI does not have weigh
// nothing there.
func frequencies(spaces []space, weights map[string]uint64) []frequency {
	var list []frequency
	total := uint64(0)
	names := slices.Sorted(maps.Keys(weights))
	for _, name := range names {
		total += min(weights[name], maxFrequency)
	}
	for _, name := range names {
		call, ok := syscalltables.Lookup(name)
		if !ok || weights[name] == 0 {
			continue
		}
		w := min(weights[name], maxFrequency) * frequencyWeight / total
		for _, s := range spaces {
			for _, a := range s.abis {
				if nr, ok := call.Number(a); ok {
					list = append(list, frequency{s.audit, nr, w})
				}
			}
		}
	}
	return list
}
