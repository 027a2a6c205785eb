package listing_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/policy"
)

func TestWhere(t *testing.T) {
	const width = 1<<64 - 1
	equal := func(arg uint8, v uint64) policy.Cond {
		return policy.Cond{Arg: arg, Op: policy.Equal, Mask: width, Value: v}
	}
	masked := func(op policy.Op, mask, v uint64) policy.Cond { return policy.Cond{Op: op, Mask: mask, Value: v} }
	on := func(a cbpf.Action, conds ...policy.Cond) policy.Clause { return policy.Clause{Action: a, Conds: conds} }
	tests := []struct {
		clauses []policy.Clause
		want    string // when ALLOW
	}{
		{[]policy.Clause{on(cbpf.Allow)}, "[[]]"},
		{[]policy.Clause{on(cbpf.KillThread)}, "[]"},
		{[]policy.Clause{on(cbpf.Allow, equal(0, 1), equal(1, 2)), on(cbpf.KillThread)}, "[[a0 == 0x1 a1 == 0x2]]"},
		{[]policy.Clause{on(cbpf.KillThread, equal(0, 1), equal(1, 2)), on(cbpf.Allow)}, "[[a0 != 0x1] [a1 != 0x2]]"},
		{[]policy.Clause{on(cbpf.KillThread, equal(0, 0)), on(cbpf.Allow, equal(0, 0)), on(cbpf.Trap)}, "[]"},
		{[]policy.Clause{on(cbpf.KillThread, equal(0, 0)), on(cbpf.Trap, equal(0, 5)), on(cbpf.Allow)}, "[[a0 >= 0x1 a0 != 0x5]]"},
		{[]policy.Clause{on(cbpf.Trap, masked(policy.MaskedEqual, 6, 6)), on(cbpf.Allow)}, "[[a0 & 0x6 != 0x6]]"},
		{[]policy.Clause{on(cbpf.Trap, masked(policy.MaskedEqual, 4, 4)), on(cbpf.Allow)}, "[[a0 & 0x4 == 0x0]]"},
		{[]policy.Clause{on(cbpf.Trap, masked(policy.MaskedEqual, 4, 4)), on(cbpf.Allow, equal(0, 4)), on(cbpf.Log)}, "[]"},
	}
	for _, tt := range tests {
		c := listing.Call{Name: "x", ABI: arch.X86_64, Clauses: tt.clauses}
		lists, ok := c.Where(cbpf.Allow)
		if got := fmt.Sprint(lists); got != tt.want || !ok {
			t.Errorf("%v: got %s, %v, want %s", tt.clauses, got, ok, tt.want)
		}
	}
}

// Conditions that stand for others hold for the same values.
func TestAlternatives(t *testing.T) {
	r := gen.New(1)
	half := uint64(1<<32 - 1)
	for range 3000 {
		op := []policy.Op{policy.Less, policy.LessEqual, policy.Greater, policy.GreaterEqual, policy.MaskedNotEqual}[r.IntN(5)]
		c := policy.Cond{Op: op, Mask: half, Value: []uint64{0, 1, 2, half - 1, half, r.Uint64() & half}[r.IntN(6)]}
		list := listing.Prefixes
		if op == policy.MaskedNotEqual {
			c.Mask = r.Uint64() & r.Uint64()
			c.Value &= c.Mask
			list = listing.Bits
		}
		for _, v := range []uint64{0, half, half + 1, c.Value, c.Value - 1, c.Value + 1, r.Uint64()} {
			holds := func(c policy.Cond) bool { return eval(c, v) }
			if got, want := slices.ContainsFunc(list(c), holds), holds(c); got != want {
				t.Fatalf("%v of %#x: got %v, want %v: %v", c, v, got, want, list(c))
			}
			if holds(listing.Opposite(c)) == holds(c) {
				t.Fatalf("%v and its opposite, of %#x", c, v)
			}
		}
	}
}

// eval asks a policy with one rule.
func eval(c policy.Cond, v uint64) bool {
	r := policy.Resolved{Spaces: []policy.Space{{Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64}, Calls: []policy.Call{
		{NR: 1, ABI: arch.X86_64, Clauses: []policy.Clause{{Conds: []policy.Cond{c}, Action: cbpf.Allow}}},
	}}}}
	return r.Eval(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: 1, Args: [6]uint64{v}}) == cbpf.Allow
}

// Errors that say the same of several calls become one, each at its place.
func TestGrouped(t *testing.T) {
	errs := policy.Errors{
		listing.Fails("1:1", "read: no word for %v", cbpf.Trap), listing.Fails("1:1", "write: no word for TRAP"),
		listing.Fails("1:1", "write: no word for TRAP"), listing.Fails("2:1", "close: no word for TRAP"), listing.Fails("", "the default"),
	}
	want := "policy: 1:1: read, write: no word for TRAP\npolicy: 2:1: close: no word for TRAP\npolicy: the default"
	if got := listing.Grouped(errs).Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
