package compile

import (
	"fmt"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// A Word is one 32-bit word of struct seccomp_data, named by what it holds and
// not by its offset, so that a diagram reads the same for both byte orders.
type Word uint8

// The words of a call. The words of the arguments follow: see [Lo] and [Hi].
const (
	NR   Word = 0
	Arch Word = 1
	IPLo Word = 2 // lower half of the instruction pointer
	IPHi Word = 3
)

// WordCount is the number of words.
const WordCount = 16

// Lo returns the word with the lower half of an argument.
func Lo(arg uint8) Word { return Word(4 + 2*arg) }

// Hi returns the word with the upper half of an argument.
func Hi(arg uint8) Word { return Word(5 + 2*arg) }

// Arg returns the argument that w is half of, and which half; ok is false for
// the other words.
func (w Word) Arg() (arg uint8, hi, ok bool) { return uint8(w-4) / 2, w&1 == 1, w >= 4 }

// Of returns the value of the word in one call.
func (w Word) Of(d *cbpf.Data) uint32 {
	switch w {
	case NR:
		return d.NR
	case Arch:
		return d.Arch
	case IPLo:
		return uint32(d.IP)
	case IPHi:
		return uint32(d.IP >> 32)
	}
	arg, hi, _ := w.Arg()
	if hi {
		return uint32(d.Args[arg] >> 32)
	}
	return uint32(d.Args[arg])
}

// String returns "nr", "arch", "arg0.lo" and so on.
func (w Word) String() string {
	switch w {
	case NR:
		return "nr"
	case Arch:
		return "arch"
	case IPLo:
		return "ip.lo"
	case IPHi:
		return "ip.hi"
	}
	arg, hi, _ := w.Arg()
	if hi {
		return fmt.Sprintf("arg%d.hi", arg)
	}
	return fmt.Sprintf("arg%d.lo", arg)
}

// A NodeID is the index of a node in its diagram. Children have smaller ids.
type NodeID int32

// A Kind is a kind of diagram nodes.
type Kind uint8

// The kinds of nodes.
const (
	Leaf   Kind = iota // an action
	Switch             // intervals of one word, each with its child
	Masked             // Word&Mask == Value, for masks that are no intervals
)

// A Case is the values First to Last of a switch's word, both included.
type Case struct {
	First, Last uint32
	To          NodeID
}

// A Node is a node of a decision diagram.
type Node struct {
	Kind   Kind
	Word   Word        // of Switch and Masked
	Action cbpf.Action // of Leaf
	// Mask and Value are Masked's test, Yes and No its children.
	Mask, Value uint32
	Yes, No     NodeID
	// Cases of a Switch cover all 32-bit values in ascending order; neighbours
	// have different children.
	Cases []Case
	// Origin is the JSON pointer of the rule that the node was first made for.
	Origin string
}

// A Diagram is a decision diagram: what a policy decides, as tests of words in a
// fixed order on every path. Nodes are hash-consed, so equal decisions of
// different rules, calls and ABIs are one node. It is immutable once compiled.
type Diagram struct {
	nodes []Node
	root  NodeID
	table []NodeID // open addressing, by hash of content; 0 is free, so ids are stored +1
	cases []Case   // arena of the nodes' cases

	spaces []space // number spaces, the most important first
	usual  NodeID  // where calls go that nothing special is said of
}

// A space is the number space of an AUDIT_ARCH value and the ABIs in it.
type space struct {
	audit uint32
	abis  []arch.ABI
}

// Root returns the node that every call starts at.
func (g *Diagram) Root() NodeID { return g.root }

// Node returns a node. Its Cases are the diagram's own: read only.
func (g *Diagram) Node(id NodeID) Node { return g.nodes[id] }

// Len returns the number of nodes made, some of which may not be reachable.
func (g *Diagram) Len() int { return len(g.nodes) }

// Eval returns the action for one call.
func (g *Diagram) Eval(d *cbpf.Data) cbpf.Action {
	id := g.root
	for {
		n := &g.nodes[id]
		switch n.Kind {
		case Leaf:
			return n.Action
		case Switch:
			id = find(n.Cases, n.Word.Of(d)).To
		case Masked:
			if id = n.No; n.Word.Of(d)&n.Mask == n.Value {
				id = n.Yes
			}
		}
	}
}

// find returns the case that holds v.
func find(cases []Case, v uint32) *Case {
	lo, hi := 0, len(cases)-1
	for lo < hi {
		if mid := (lo + hi) / 2; v <= cases[mid].Last {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return &cases[lo]
}

func (g *Diagram) leaf(a cbpf.Action) NodeID { return g.intern(&Node{Kind: Leaf, Action: a}, "") }

// masked returns the node for w&mask == value, which is yes or no itself where
// the test decides nothing.
func (g *Diagram) masked(w Word, mask, value uint32, yes, no NodeID, origin string) NodeID {
	if yes == no {
		return yes
	}
	return g.intern(&Node{Kind: Masked, Word: w, Mask: mask, Value: value, Yes: yes, No: no}, origin)
}

// switchOn returns the node for a complete list of cases, which it copies.
func (g *Diagram) switchOn(w Word, cases []Case, origin string) NodeID {
	if len(cases) == 1 {
		return cases[0].To
	}
	return g.intern(&Node{Kind: Switch, Word: w, Cases: cases}, origin)
}

// intern returns the id of the node with n's content. A new one has its own copy of the
// cases, and the origin.
func (g *Diagram) intern(n *Node, origin string) NodeID {
	if 2*len(g.nodes) >= len(g.table) {
		g.grow()
	}
	at, id, ok := g.slot(n)
	if ok {
		return id
	}
	from := len(g.cases)
	g.cases = append(g.cases, n.Cases...)
	g.nodes = append(g.nodes, Node{
		Kind: n.Kind, Word: n.Word, Action: n.Action, Mask: n.Mask, Value: n.Value, Yes: n.Yes, No: n.No,
		Cases: g.cases[from:len(g.cases):len(g.cases)], Origin: origin,
	})
	g.table[at] = NodeID(len(g.nodes))
	return NodeID(len(g.nodes) - 1)
}

// slot returns the id of the node with n's content, or where in the table it belongs.
func (g *Diagram) slot(n *Node) (at uint32, id NodeID, ok bool) {
	mask := uint32(len(g.table) - 1)
	for at = n.hash() & mask; ; at = (at + 1) & mask {
		id = g.table[at] - 1
		if id < 0 || g.nodes[id].same(n) {
			return at, id, id >= 0
		}
	}
}

func (g *Diagram) grow() {
	g.table = make([]NodeID, max(256, 2*len(g.table)))
	mask := uint32(len(g.table) - 1)
	for id := range g.nodes {
		i := g.nodes[id].hash() & mask
		for g.table[i] != 0 {
			i = (i + 1) & mask
		}
		g.table[i] = NodeID(id + 1)
	}
}

func (n *Node) hash() uint32 {
	h := mix(uint32(n.Kind)<<8|uint32(n.Word), uint32(n.Action))
	h = mix(mix(h, n.Mask), n.Value)
	h = mix(mix(h, uint32(n.Yes)), uint32(n.No))
	for _, c := range n.Cases {
		h = mix(mix(h, c.Last), uint32(c.To))
	}
	return h
}

// mix is one round of a multiplicative hash; the constant is 2^32 by the golden ratio.
func mix(h, v uint32) uint32 {
	h = (h ^ v) * 0x9e3779b1
	return h ^ h>>15
}

// same reports whether two nodes decide alike. Origins do not matter.
func (n *Node) same(m *Node) bool {
	if n.Kind != m.Kind || n.Word != m.Word || n.Action != m.Action || n.Mask != m.Mask || n.Value != m.Value ||
		n.Yes != m.Yes || n.No != m.No || len(n.Cases) != len(m.Cases) {
		return false
	}
	for i, c := range n.Cases {
		if c != m.Cases[i] {
			return false
		}
	}
	return true
}

// appendCase adds a case after the last one, or widens that if the child is the same.
func appendCase(cases []Case, last uint32, to NodeID) []Case {
	n := len(cases)
	if n == 0 {
		return append(cases, Case{0, last, to})
	}
	if cases[n-1].To == to {
		cases[n-1].Last = last
		return cases
	}
	return append(cases, Case{cases[n-1].Last + 1, last, to})
}

// String prints the reachable nodes, children first.
func (g *Diagram) String() string {
	reach := make([]bool, len(g.nodes))
	reach[g.root] = true
	for id := g.root; id >= 0; id-- {
		if n := &g.nodes[id]; reach[id] {
			if n.Kind == Masked {
				reach[n.Yes], reach[n.No] = true, true
			}
			for _, c := range n.Cases {
				reach[c.To] = true
			}
		}
	}
	var b strings.Builder
	for id := range g.nodes {
		if !reach[id] {
			continue
		}
		n := &g.nodes[id]
		switch n.Kind {
		case Leaf:
			fmt.Fprintf(&b, "n%d: %v\n", id, n.Action)
		case Masked:
			fmt.Fprintf(&b, "n%d: %v & %#x == %#x ? n%d : n%d\n", id, n.Word, n.Mask, n.Value, n.Yes, n.No)
		case Switch:
			fmt.Fprintf(&b, "n%d: %v\n", id, n.Word)
			for _, c := range n.Cases {
				fmt.Fprintf(&b, "\t%s: n%d\n", c.values(n.Word), c.To)
			}
		}
	}
	fmt.Fprintf(&b, "root n%d\n", g.root)
	return b.String()
}

func (c Case) values(w Word) string {
	format := "%#x"
	if w == NR {
		format = "%d"
	}
	if c.First == c.Last {
		return fmt.Sprintf(format, c.First)
	}
	return fmt.Sprintf(format+".."+format, c.First, c.Last)
}
