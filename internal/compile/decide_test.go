package compile

import (
	"math"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// Calls and ranges of a space become cases without gaps, and neighbours with the same
// outcome become one.
func TestNumbersOfASpace(t *testing.T) {
	const max = math.MaxUint32
	call := func(nr uint32, a cbpf.Action) policy.Call {
		return policy.Call{NR: nr, ABI: arch.X86_64, Clauses: []policy.Clause{{Action: a}}}
	}
	deny, allow, log := cbpf.Errno(1), cbpf.Allow, cbpf.Log // deny is the default
	for _, tt := range []struct {
		rule   string
		calls  []policy.Call
		ranges []policy.Range
		want   []cbpf.Action // of the cases, which end at last
		last   []uint32
	}{
		{"nothing is said", nil, nil, []cbpf.Action{deny}, []uint32{max}},
		{"the first and the last number", []policy.Call{call(0, allow), call(max, allow)}, nil, []cbpf.Action{allow, deny, allow}, []uint32{0, max - 1, max}},
		{"neighbours", []policy.Call{call(3, allow), call(4, allow), call(5, log), call(7, allow)}, nil,
			[]cbpf.Action{deny, allow, log, deny, allow, deny}, []uint32{2, 4, 5, 6, 7, max}},
		{"a call like the default", []policy.Call{call(3, deny), call(4, allow)}, nil, []cbpf.Action{deny, allow, deny}, []uint32{3, 4, max}},
		{"ranges beside calls", []policy.Call{call(3, allow), call(9, log)}, []policy.Range{{First: 4, Last: 8, Action: log}, {First: 10, Last: max, Action: allow}},
			[]cbpf.Action{deny, allow, log, allow}, []uint32{2, 3, 9, max}},
		{"ranges alone", nil, []policy.Range{{First: 0, Last: 8, Action: log}, {First: 9, Last: 10, Action: log}, {First: 12, Last: 12, Action: allow}},
			[]cbpf.Action{log, deny, allow, deny}, []uint32{10, 11, 12, max}},
		{"one range of everything", nil, []policy.Range{{First: 0, Last: max, Action: log}}, []cbpf.Action{log}, []uint32{max}},
	} {
		r := &policy.Resolved{Default: deny, Spaces: []policy.Space{
			{Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64}, Calls: tt.calls, Ranges: tt.ranges},
		}}
		g := decide(r, false)
		root := &g.nodes[g.root]
		got := []Case{{0, max, root.Cases[1].To}}
		if n := &g.nodes[got[0].To]; n.Kind == Switch {
			got = n.Cases
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s: cases %v, want %d", tt.rule, got, len(tt.want))
			continue
		}
		next := uint32(0)
		for i, c := range got {
			if a := g.nodes[c.To].Action; a != tt.want[i] || c.First != next || c.Last != tt.last[i] {
				t.Errorf("%s: case %d is %d..%d: %v, want %d..%d: %v", tt.rule, i, c.First, c.Last, a, next, tt.last[i], tt.want[i])
			}
			next = c.Last + 1
		}
	}
}
