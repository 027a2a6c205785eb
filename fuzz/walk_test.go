package fuzz

import (
	"testing"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// FuzzWalk asks both proofs about filters of random policies, right ones and ones with
// planted faults.
func FuzzWalk(f *testing.F) {
	for seed := range uint64(24) {
		r := gen.New(seed)
		data := make([]byte, 16<<r.IntN(5))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f.Add(data, uint8(seed), uint16(r.Uint32()))
	}
	f.Fuzz(func(t *testing.T, data []byte, entries uint8, fault uint16) {
		r := gen.FromBytes(data)
		k := kinds()[r.IntN(len(kinds()))]
		d := k.draw(t, r, 1+int(entries%8))
		if d == nil {
			return
		}
		c := compiled(t, d.Resolved, compile.Options{})
		if c == nil {
			return
		}
		agree(t, d.Resolved, c.Program)
		if bad := planted(c.Program, int(fault)); bad != nil {
			agree(t, d.Resolved, bad)
		}
	})
}

// planted returns a program with one of its possible faults, nil if kernels refuse that.
func planted(p *cbpf.Program, which int) *cbpf.Program {
	n := 0
	for range gen.Faults(p.Raw()) {
		n++
	}
	for _, raw := range gen.Faults(p.Raw()) {
		if n--; n == which%max(1, n) {
			bad, err := cbpf.New(raw, p.Order())
			if err != nil {
				return nil
			}
			return bad
		}
	}
	return nil
}

// agree asks both proofs whether a program means a policy. Either may give up.
func agree(t *testing.T, r *policy.Resolved, p *cbpf.Program) {
	t.Helper()
	fast, err := proof.Walk(r, p)
	if err != nil {
		t.Fatal(err)
	}
	general, err := proof.Equal(proof.Policy(r), proof.Program(p), small)
	if err != nil {
		t.Fatal(err)
	}
	if fast.Verdict != general.Verdict && fast.Verdict != proof.Unknown && general.Verdict != proof.Unknown {
		t.Errorf("the walk says %v %v, the general proof %v %v\n%v\n%v", fast.Verdict, fast.Witness, general.Verdict, general.Witness, r, p.Disassemble(nil))
	}
	for _, w := range []*proof.Witness{fast.Witness, general.Witness} {
		if w != nil && r.Eval(&w.Call) == p.Eval(&w.Call) {
			t.Errorf("no witness: %v", w)
		}
	}
}
