package compiler

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A TooLongError says that a policy needs more than [cbpf.MaxInstructions].
type TooLongError struct {
	Len       int      // instructions needed
	Costliest []string // the calls that cost most, as "x86_64 ioctl (812 instructions)"
}

// Error names the costliest calls.
func (e *TooLongError) Error() string {
	cure := ""
	if len(e.Costliest) > 0 {
		cure = " (shorten the rules of " + strings.Join(e.Costliest, ", ") + ")"
	}
	return fmt.Sprintf("compiler: the filter needs %d instructions, the kernel takes %d%s", e.Len, cbpf.MaxInstructions, cure)
}

// named is how many calls a TooLongError names.
const named = 5

// name finds the calls with the largest diagrams. Tests that calls share count for
// each of them.
func (e *TooLongError) name(r *policy.Resolved, g *Diagram) {
	type call struct {
		name string
		size int
	}
	var calls []call
	for i := range r.Spaces {
		s := &r.Spaces[i]
		numbers := g.nodes[find(g.nodes[g.root].Cases, s.Audit).To].Cases
		for j := range s.Calls {
			c := &s.Calls[j]
			size := 0
			if len(numbers) > 0 {
				size = g.size(find(numbers, c.NR).To)
			}
			name := fmt.Sprintf("%v %d", c.ABI, c.NR)
			if known, ok := syscalltables.ByNumber(c.ABI, c.NR); ok {
				name = fmt.Sprintf("%v %s", c.ABI, known.Name())
			}
			calls = append(calls, call{name, size})
		}
	}
	slices.SortStableFunc(calls, func(a, b call) int { return cmp.Compare(b.size, a.size) })
	for _, c := range calls[:min(named, len(calls))] {
		e.Costliest = append(e.Costliest, fmt.Sprintf("%s (about %d)", c.name, c.size))
	}
}

// size estimates the instructions of the nodes under id.
func (g *Diagram) size(id NodeID) int {
	seen := make(map[NodeID]bool)
	var visit func(NodeID) int
	visit = func(id NodeID) int {
		n := &g.nodes[id]
		if seen[id] || n.Kind == Leaf {
			return 0
		}
		seen[id] = true
		if n.Kind == Masked {
			return 2 + visit(n.Yes) + visit(n.No)
		}
		size := len(n.Cases)
		for _, c := range n.Cases {
			size += visit(c.To)
		}
		return size
	}
	return visit(id)
}
