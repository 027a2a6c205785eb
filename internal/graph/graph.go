// Package graph draws the stages of a compiled policy: its decision diagram and
// its dispatch tree, as a self-contained SVG, for Graphviz, for Mermaid and as
// text. Calls, arguments and ABIs have their names, and runs of calls with the
// same verdict are one word. Equal input gives equal bytes.
package graph

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
)

// Options choose what is drawn.
type Options struct {
	// ABIs are the targets that the policy was compiled for. They give names to
	// numbers.
	ABIs []arch.ABI
	// Syscall, if not empty, leaves only what this call meets on its way, on each
	// of the ABIs that have it.
	Syscall string
	// Title is shown by programs that show titles.
	Title string
	// Words, if not nil, has words for tests of arguments and names for their values.
	Words interface {
		Test(audit, nr uint32, index int, op string, mask, v uint32) string
	}
	// Lines, if not zero, is how many lines of calls a box shows at most.
	Lines int
	// ID, if not empty, makes SVG an element for an HTML page: without a style
	// sheet and a background, which the page has to give to the classes, and with
	// ids of its own that begin with ID.
	ID string
	// Marks, if set, gives the boxes of SVG their numbers as data-node, and the arrows
	// those of their ends as data-from and data-to: see Graph.Mark.
	Marks bool
}

// A Graph is a drawing's content: boxes and arrows, without places. A Graph is
// immutable.
type Graph struct {
	title string
	id    string
	marks bool
	calls []call
	nodes []node // the first is the root; arrows go to later ones
}

// Len returns the number of boxes.
func (g *Graph) Len() int { return len(g.nodes) }

// A node is a box.
type node struct {
	lines []string // the first is the test or the verdict
	look  look
	title string // where it comes from, for a tooltip
	edges []edge
	set   []bool // the calls that get here
	mark  Mark   // but for its calls
}

// An edge is an arrow to nodes[to].
type edge struct {
	to    int
	label string
	title string // all of a label that was cut short
	// takes reports whether a value of the box's word goes along the arrow; nil if all do.
	takes func(v uint32) bool
}

// A look is a kind of boxes: a test, or what a verdict does to the call.
type look uint8

const (
	test  look = iota
	allow      // the call runs
	note       // it runs and is logged
	ask        // somebody else decides
	fail       // it fails
	kill       // the caller dies or gets a signal
	looks
)

// String returns the name of the look in style sheets.
func (l look) String() string {
	return [...]string{"test", "allow", "log", "ask", "errno", "kill"}[l]
}

// Look returns the class that drawings give a verdict: "allow", "log", "ask", "errno" or "kill".
func Look(a cbpf.Action) string { return lookOf(a).String() }

func lookOf(a cbpf.Action) look {
	switch a.Class() {
	case cbpf.Allow:
		return allow
	case cbpf.Log:
		return note
	case cbpf.Notify, cbpf.TraceClass:
		return ask
	case cbpf.ErrnoClass:
		return fail
	}
	return kill
}

// Diagram draws a decision diagram. The error says that no target ABI has the
// call that the options name.
func Diagram(d *compile.Diagram, o Options) (*Graph, error) {
	b, err := newBuilder(o, d.Len())
	if err != nil {
		return nil, err
	}
	b.diagram(d)
	return b.finish(), nil
}

// Tree draws a dispatch tree. The error says that no target ABI has the call that
// the options name.
func Tree(t *compile.Tree, o Options) (*Graph, error) {
	b, err := newBuilder(o, t.Len())
	if err != nil {
		return nil, err
	}
	b.tree(t)
	return b.finish(), nil
}

// A builder makes a Graph from the nodes of a stage, which it visits by
// descending id: parents first.
type builder struct {
	options Options
	calls   []call
	slice   bool     // only what some call reaches
	reach   [][]bool // by id of the stage: the calls that get there; nil if nothing does
	box     []int    // by id of the stage: its place in nodes
	nodes   []node
}

func newBuilder(o Options, ids int) (*builder, error) {
	b := &builder{options: o, slice: o.Syscall != "", reach: make([][]bool, ids), box: make([]int, ids)}
	b.calls = callsOf(o.ABIs, o.Syscall)
	if b.slice && len(b.calls) == 0 {
		return nil, fmt.Errorf("graph: no target ABI has a call %q", o.Syscall)
	}
	return b, nil
}

// everything is what gets to the root.
func (b *builder) everything() []bool {
	all := make([]bool, len(b.calls))
	for i := range all {
		all[i] = true
	}
	return all
}

// want makes sure that a node of the stage gets a box if some of the calls reach
// it, and reports that.
func (b *builder) want(id int, calls []bool) bool {
	if b.slice && !some(calls) {
		return false
	}
	if b.reach[id] == nil {
		b.reach[id] = make([]bool, len(b.calls))
	}
	for i, ok := range calls {
		b.reach[id][i] = b.reach[id][i] || ok
	}
	return true
}

// add adds a box and returns its place.
func (b *builder) add(n node) int {
	b.nodes = append(b.nodes, n)
	return len(b.nodes) - 1
}

// leaf adds the box of a verdict that only one arrow goes to, with some calls.
func (b *builder) leaf(a cbpf.Action, set []bool, lines []string, origin string) int {
	return b.add(node{lines: append([]string{b.verdict(a)}, lines...), look: lookOf(a), title: origin,
		set: set, mark: Mark{Leaf: true, Action: a, Origin: origin}})
}

// verdict names an action, and its error as the first ABI calls it.
func (b *builder) verdict(a cbpf.Action) string {
	if a.Class() == cbpf.ErrnoClass && len(b.options.ABIs) > 0 {
		if name := b.options.ABIs[0].ErrnoName(a.Data()); name != "" {
			return "ERRNO(" + name + ")"
		}
	}
	return a.String()
}

// finish orders the boxes as they are met from the root, arrows in their order.
// Until then arrows to nodes of the stage are negative: see later.
func (b *builder) finish() *Graph {
	g := &Graph{title: b.options.Title, id: b.options.ID, marks: b.options.Marks, calls: b.calls}
	place := make([]int, len(b.nodes)) // of boxes met, plus one
	var order []int
	for i := range b.nodes {
		for j := range b.nodes[i].edges {
			if e := &b.nodes[i].edges[j]; e.to < 0 {
				e.to = b.box[-1-e.to]
			}
		}
	}
	var visit func(int)
	visit = func(i int) {
		if place[i] != 0 {
			return
		}
		place[i] = 1
		edges := b.nodes[i].edges
		for j := range edges {
			visit(edges[len(edges)-1-j].to)
		}
		order = append(order, i)
	}
	visit(0)
	for k := range order {
		i := order[len(order)-1-k]
		place[i] = k
		g.nodes = append(g.nodes, b.nodes[i])
	}
	for i := range g.nodes {
		for j := range g.nodes[i].edges {
			e := &g.nodes[i].edges[j]
			e.to = place[e.to]
		}
	}
	return g
}

// later is an arrow to a node of the stage that has no box yet.
func later(id int) int { return -1 - id }

func some(set []bool) bool {
	for _, ok := range set {
		if ok {
			return true
		}
	}
	return false
}
