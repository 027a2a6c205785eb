package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/compile"
)

// diagram makes boxes of a diagram's nodes. A verdict gets a box of its own for
// each arrow to it, so that arrows stay short; in those of a switch on the number
// stand the calls that get there.
func (b *builder) diagram(d *compile.Diagram) {
	if root := d.Node(d.Root()); root.Kind == compile.Leaf {
		b.leaf(root.Action, b.everything(), nil, root.Origin)
		return
	}
	b.want(int(d.Root()), b.everything())
	for id := d.Root(); id >= 0; id-- {
		n := d.Node(id)
		set := b.reach[id]
		if set == nil || n.Kind == compile.Leaf {
			continue
		}
		b.box[id] = b.add(node{title: n.Origin, set: set, mark: Mark{Word: n.Word, Origin: n.Origin}})
		var edges []edge
		var lines []string
		if n.Kind == compile.Masked {
			lines = append([]string{fmt.Sprintf("%v & %#x == %s", n.Word, n.Mask, value(n.Word, n.Value))},
				b.words(n.Word, set, &comparison{"==", n.Mask, n.Value})...)
			edges = b.masked(d, n, set)
		} else {
			lines = append([]string{n.Word.String()}, b.words(n.Word, set, nil)...)
			edges = b.groups(d, n, set)
		}
		box := &b.nodes[b.box[id]]
		box.lines, box.edges = lines, edges
	}
}

func (b *builder) masked(d *compile.Diagram, n compile.Node, set []bool) []edge {
	holds := func(v uint32) bool { return v&n.Mask == n.Value }
	return []edge{
		{to: b.child(d, n.Yes, set, nil), label: "yes", takes: holds},
		{to: b.child(d, n.No, set, nil), label: "no", takes: func(v uint32) bool { return !holds(v) }},
	}
}

// child returns where an arrow to a diagram's node goes.
func (b *builder) child(d *compile.Diagram, id compile.NodeID, set []bool, lines []string) int {
	if n := d.Node(id); n.Kind == compile.Leaf {
		return b.leaf(n.Action, set, lines, n.Origin)
	}
	b.want(int(id), set)
	return later(int(id))
}

// A group is the cases of a switch that go to one child.
type group struct {
	to    compile.NodeID
	cases []compile.Case
	size  uint64 // values
	calls []bool // that go there
}

// has reports whether a value is in one of the cases.
func (g *group) has(v uint32) bool {
	_, ok := slices.BinarySearchFunc(g.cases, v, func(c compile.Case, v uint32) int {
		switch {
		case c.Last < v:
			return -1
		case c.First > v:
			return 1
		}
		return 0
	})
	return ok
}

// groups returns the arrows of a switch: one for each child.
func (b *builder) groups(d *compile.Diagram, n compile.Node, set []bool) []edge {
	var groups []group
	at := make(map[compile.NodeID]int)
	for _, c := range n.Cases {
		i, ok := at[c.To]
		if !ok {
			i = len(groups)
			at[c.To] = i
			groups = append(groups, group{to: c.To, calls: make([]bool, len(b.calls))})
		}
		groups[i].cases = append(groups[i].cases, c)
		groups[i].size += uint64(c.Last) - uint64(c.First) + 1
	}
	rest := 0 // the group that is called else
	for i := range groups {
		if groups[i].size > groups[rest].size {
			rest = i
		}
	}
	for i, ok := range set {
		if ok {
			b.share(n, groups, at, i)
		}
	}
	var edges []edge
	for i := range groups {
		g := &groups[i]
		if b.slice && !some(g.calls) {
			continue
		}
		e := edge{title: intervals(n.Word, g.cases), takes: g.has}
		switch {
		case n.Word == compile.NR:
			b.numbers(d, g, set, &e)
		default:
			e.to = b.child(d, g.to, g.calls, nil)
			e.label = "else"
			if i != rest || len(n.Cases) == 2 && n.Word != compile.Arch {
				e.label = short(b.namedIntervals(n.Word, g.cases, g.calls), valuesWidth)
			}
		}
		edges = append(edges, e)
	}
	return edges
}

// share adds a call to the groups that it can get to.
func (b *builder) share(n compile.Node, groups []group, at map[compile.NodeID]int, i int) {
	v := b.calls[i].nr
	if n.Word == compile.Arch {
		v = b.calls[i].abi.Audit()
	}
	for j := range groups {
		if _, _, arg := n.Word.Arg(); arg {
			groups[j].calls[i] = true
			continue
		}
		if groups[j].has(v) {
			groups[j].calls[i] = true
		}
	}
}

// numbers fills in the arrow of a group of numbers: to a verdict, in whose box the
// calls stand, or to the test of an argument.
func (b *builder) numbers(d *compile.Diagram, g *group, set []bool, e *edge) {
	runs := b.runs(g.calls, set)
	if d.Node(g.to).Kind != compile.Leaf {
		e.to = b.child(d, g.to, g.calls, nil)
		e.label = short(runs, labelWidth)
		return
	}
	lines := wrap(runs, listWidth)
	if len(runs) == 0 {
		lines = []string{short(intervalWords(compile.NR, g.cases), listWidth)}
	}
	if n := b.options.Lines; n > 0 && len(lines) > n {
		lines = append(lines[:n-1], "…")
	}
	e.to = b.child(d, g.to, g.calls, lines)
	box := &b.nodes[e.to]
	if n := count(g.calls); n > 1 && !b.slice {
		box.lines[0] += fmt.Sprintf(": %d calls", n)
	}
	box.title, e.title = e.title, ""
}

func count(set []bool) int {
	n := 0
	for _, ok := range set {
		if ok {
			n++
		}
	}
	return n
}

func intervalWords(w compile.Word, cases []compile.Case) []string {
	var words []string
	for _, c := range cases {
		words = append(words, interval(c, func(v uint32) string { return value(w, v) }))
	}
	return words
}

// namedIntervals has the names of values that all calls of a set agree on.
func (b *builder) namedIntervals(w compile.Word, cases []compile.Case, set []bool) []string {
	var words []string
	for _, c := range cases {
		words = append(words, interval(c, func(v uint32) string { return b.named(w, v, set) }))
	}
	return words
}

func intervals(w compile.Word, cases []compile.Case) string {
	return w.String() + " " + strings.Join(intervalWords(w, cases), ", ")
}
