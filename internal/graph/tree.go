package graph

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
)

// tree makes boxes of a tree's tests. A verdict gets a box of its own for each
// arrow to it; behind a test of the number the calls that get there stand in it.
func (b *builder) tree(t *compile.Tree) {
	if root := t.Test(t.Root()); root.Op == compile.Return {
		b.leaf(cbpf.Action(root.K), b.everything(), nil, root.Origin)
		return
	}
	b.want(int(t.Root()), b.everything())
	for r := t.Root(); r >= 0; r-- {
		n := t.Test(r)
		set := b.reach[r]
		if set == nil || n.Op == compile.Return {
			continue
		}
		b.box[r] = b.add(node{title: n.Origin, set: set, mark: Mark{
			Word: n.Word, Origin: n.Origin, K: n.K, Compares: n.Op != compile.DropX32, DropX32: n.Op == compile.DropX32,
		}})
		var edges []edge
		if n.Op == compile.DropX32 {
			for i, ok := range set {
				if ok {
					b.calls[i].held &= arch.X32Bit - 1
				}
			}
			b.want(int(n.Yes), set)
			edges = []edge{{to: later(int(n.Yes))}}
		} else {
			yes, no := b.split(n, set)
			edges = b.outcomes(t, n, yes, no)
		}
		box := &b.nodes[b.box[r]]
		box.lines, box.edges = b.question(n, set), edges
	}
}

// split divides the calls that get to a test by its outcome.
func (b *builder) split(n compile.Test, set []bool) (yes, no []bool) {
	yes, no = make([]bool, len(set)), make([]bool, len(set))
	for i, ok := range set {
		if !ok {
			continue
		}
		v := b.calls[i].held
		switch n.Word {
		case compile.NR:
		case compile.Arch:
			v = b.calls[i].abi.Audit()
		default:
			yes[i], no[i] = true, true
			continue
		}
		yes[i] = holds(n, v)
		no[i] = !yes[i]
	}
	return yes, no
}

// holds reports the outcome of a test for a value of its word.
func holds(n compile.Test, v uint32) bool {
	switch n.Op {
	case compile.Equal:
		return v == n.K
	case compile.AtLeast:
		return v >= n.K
	case compile.AnySet:
		return v&n.K != 0
	case compile.MaskEqual:
		return v&n.Mask == n.K
	case compile.Return, compile.DropX32:
	}
	return false
}

// outcomes returns the arrows of a test, the one for smaller values first.
func (b *builder) outcomes(t *compile.Tree, n compile.Test, yes, no []bool) []edge {
	var edges []edge
	add := func(to compile.Ref, set []bool, outcome bool) {
		if b.slice && !some(set) {
			return
		}
		e := edge{label: "no", takes: func(v uint32) bool { return holds(n, v) == outcome }}
		if outcome {
			e.label = "yes"
		}
		if m := t.Test(to); m.Op == compile.Return {
			var lines []string
			if n.Word == compile.NR {
				lines = wrap(b.runs(set, set), listWidth)
			}
			e.to = b.leaf(cbpf.Action(m.K), set, lines, m.Origin)
		} else {
			b.want(int(to), set)
			e.to = later(int(to))
		}
		edges = append(edges, e)
	}
	if n.Op == compile.AtLeast {
		add(n.No, no, false)
		add(n.Yes, yes, true)
		return edges
	}
	add(n.Yes, yes, true)
	add(n.No, no, false)
	return edges
}

// comparisonOf returns a test of an argument as C has it.
func comparisonOf(n compile.Test) *comparison {
	const all = 1<<32 - 1
	switch n.Op {
	case compile.Equal:
		return &comparison{"==", all, n.K}
	case compile.AtLeast:
		return &comparison{">=", all, n.K}
	case compile.AnySet:
		return &comparison{"!=", n.K, 0}
	case compile.MaskEqual:
		return &comparison{"==", n.Mask, n.K}
	case compile.DropX32, compile.Return:
	}
	return nil
}

// question is the text of a test.
func (b *builder) question(n compile.Test, set []bool) []string {
	name := n.Word.String()
	var line string
	switch n.Op {
	case compile.Equal:
		line = fmt.Sprintf("%s == %s", name, value(n.Word, n.K))
	case compile.AtLeast:
		line = fmt.Sprintf("%s >= %s", name, value(n.Word, n.K))
	case compile.AnySet:
		line = fmt.Sprintf("%s & %#x != 0", name, n.K)
	case compile.MaskEqual:
		line = fmt.Sprintf("%s & %#x == %s", name, n.Mask, value(n.Word, n.K))
	case compile.DropX32:
		return []string{"nr without the x32 bit"}
	case compile.Return:
	}
	if n.Word != compile.NR {
		return append([]string{line}, b.words(n.Word, set, comparisonOf(n))...)
	}
	if call := b.number(n.K, set); call != "" && (n.Op == compile.Equal || n.Op == compile.AtLeast) {
		line += " (" + call + ")"
	}
	return []string{line}
}
