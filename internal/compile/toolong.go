package compile

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

// maxCostliest is how many calls a TooLongError names.
const maxCostliest = 5

// blame names the calls that take most instructions by a given account, which counts
// what calls share for each of them.
func (e *TooLongError) blame(r *policy.Resolved, size func(*policy.Space, *policy.Call) int) {
	type call struct {
		name string
		size int
	}
	var calls []call
	for i := range r.Spaces {
		s := &r.Spaces[i]
		for j := range s.Calls {
			c := &s.Calls[j]
			name := fmt.Sprintf("%v %d", c.ABI, c.NR)
			if known, ok := syscalltables.ByNumber(c.ABI, c.NR); ok {
				name = fmt.Sprintf("%v %s", c.ABI, known.Name())
			}
			calls = append(calls, call{name, size(s, c)})
		}
	}
	slices.SortStableFunc(calls, func(a, b call) int { return cmp.Compare(b.size, a.size) })
	for _, c := range calls[:min(maxCostliest, len(calls))] {
		e.Costliest = append(e.Costliest, fmt.Sprintf("%s (about %d)", c.name, c.size))
	}
}

// callSize estimates the instructions of one call's part of the diagram.
func (g *Diagram) callSize(s *policy.Space, c *policy.Call) int {
	numbers := g.nodes[find(g.nodes[g.root].Cases, s.Audit).To].Cases
	if len(numbers) == 0 {
		return 0
	}
	return g.size(find(numbers, c.NR).To)
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
