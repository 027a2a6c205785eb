package proof

import (
	"math"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// numbered returns a walker before the numbers of a policy that allows calls 2 to 4 and 6,
// has a condition on call 8, and answers ERRNO to those from 10 to 19.
func numbered() *walker {
	always := []policy.Clause{{Action: cbpf.Allow}}
	sometimes := []policy.Clause{{Action: cbpf.Allow, Conds: []policy.Cond{{Op: policy.Equal, Mask: math.MaxUint64}}}}
	s := policy.Space{Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64}, Ranges: ranges(cbpf.Errno(38), policy.Interval{First: 10, Last: 19})}
	for _, nr := range []uint32{2, 3, 4, 6} {
		s.Calls = append(s.Calls, policy.Call{NR: nr, ABI: arch.X86_64, Clauses: always})
	}
	s.Calls = append(s.Calls, policy.Call{NR: 8, ABI: arch.X86_64, Clauses: sometimes})
	w := newWalker(&policy.Resolved{Spaces: []policy.Space{s}}, new(cbpf.Program), maxSteps)
	w.forget()
	w.goal.numbers = w.piecesOf(&s)
	return w
}

func TestPiecesAreNeighboursThatAreDecidedAlike(t *testing.T) {
	var got []uint32
	for _, p := range numbered().goal.numbers {
		got = append(got, p.first, p.last)
	}
	want := []uint32{0, 1, 2, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 19, 20, math.MaxUint32}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A span that one action decides is looked at piece by piece no more.
func TestActionsDecideSpans(t *testing.T) {
	tests := []struct {
		action      cbpf.Action
		first, last uint32
		holes       []uint32
		want        bool
	}{
		{cbpf.Allow, 2, 4, nil, true},
		{cbpf.Allow, 3, 3, nil, true},
		{cbpf.Allow, 2, 5, nil, false},
		{cbpf.Allow, 1, 4, nil, false},
		{cbpf.Allow, 2, 6, nil, false},
		{cbpf.Allow, 2, 6, []uint32{5}, true},
		{cbpf.Allow, 2, 6, []uint32{4}, false},
		{cbpf.Allow, 2, 8, []uint32{5, 7}, false},   // a condition decides 8
		{cbpf.Allow, 2, 8, []uint32{5, 7, 8}, true}, // which is left out
		{cbpf.KillThread, 9, 10, []uint32{10}, false},
		{cbpf.KillThread, 5, 7, []uint32{6}, true},
		{cbpf.KillThread, 20, math.MaxUint32, nil, true},
		{cbpf.Errno(38), 20, math.MaxUint32, nil, false},
	}
	for _, tt := range tests {
		w := numbered()
		for _, nr := range tt.holes {
			w.holes = append(w.holes, hole{wordNR, math.MaxUint32, nr})
		}
		for near := range w.goal.numbers {
			if w.near = near; w.decidesAll(tt.action, tt.first, tt.last) != tt.want {
				t.Errorf("%v for %d to %d but %v, from piece %d: not %v", tt.action, tt.first, tt.last, tt.holes, near, tt.want)
			}
		}
	}
}

// The next piece is one that has numbers with the known bits.
func TestPiecesThatKnownBitsLeaveOut(t *testing.T) {
	for first, piece := range numbered().goal.numbers {
		w := numbered()
		list := w.goal.numbers
		w.assume(wordNR, test{bitsAre, 3, 2})
		w.assume(wordNR, test{op: lessThan, value: 16})
		f := w.of[wordNR]
		var want []int
		for i := first + 1; i < len(list); i++ {
			for nr := list[i].first; nr <= min(list[i].last, f.last); nr++ {
				if nr&3 == 2 {
					want = append(want, i)
					break
				}
			}
		}
		var got []int
		for i := list.following(first, &f); i != -1; i = list.following(i, &f) {
			got = append(got, i)
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %v: %d, want %d", piece, got, want)
		}
	}
}
