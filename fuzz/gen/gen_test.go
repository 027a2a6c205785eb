package gen

import (
	"reflect"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

func TestPolicyIsDeterminedByItsSeed(t *testing.T) {
	for seed := range uint64(50) {
		r1, r2 := New(seed), New(seed)
		o1, o2 := ResolveOptions(r1), ResolveOptions(r2)
		p1 := Policy(r1, Options{ABIs: o1.ABIs})
		p2 := Policy(r2, Options{ABIs: o2.ABIs})
		if !reflect.DeepEqual(p1, p2) || !reflect.DeepEqual(o1, o2) {
			t.Fatalf("seed %d: two draws differ", seed)
		}
	}
}

func TestABIsOfOneByteOrder(t *testing.T) {
	seen := map[arch.ABI]bool{}
	for seed := range uint64(1000) {
		abis := ABIs(New(seed))
		for i, a := range abis {
			seen[a] = true
			if a.BigEndian() != abis[0].BigEndian() || slices.Index(abis, a) != i {
				t.Fatalf("seed %d: %v", seed, abis)
			}
		}
	}
	for a := range arch.All() {
		if !seen[a] {
			t.Errorf("%v is never drawn", a)
		}
	}
}

func TestMostPoliciesResolve(t *testing.T) {
	for _, f := range []Family{Any, Masks, OneArg} {
		ok := 0
		var first error
		for seed := range uint64(300) {
			r := New(seed)
			o := ResolveOptions(r)
			o.Mode = policy.Runc
			if _, _, err := policy.Resolve(Policy(r, Options{ABIs: o.ABIs, Family: f}), o); err == nil {
				ok++
			} else if first == nil {
				first = err
			}
		}
		if ok < 150 {
			t.Errorf("family %d: only %d of 300 policies resolve, first error: %v", f, ok, first)
		}
	}
}

func TestOneArgFamilyHasOneArgumentAndOneActionPerName(t *testing.T) {
	for seed := range uint64(300) {
		type use struct {
			index  uint
			high   uint64
			action cbpf.Action
			errno  *uint
		}
		first := map[string]use{}
		for _, rule := range Policy(New(seed), Options{Family: OneArg}).Rules {
			u := use{action: rule.Action, errno: rule.Errno}
			if len(rule.Args) > 1 {
				t.Fatalf("seed %d: %d conditions", seed, len(rule.Args))
			}
			for _, a := range rule.Args {
				v := a.Value
				if a.Op == policy.MaskedEqual {
					v = a.ValueTwo
				}
				u.index, u.high = a.Index, v>>32
			}
			for _, n := range rule.Names {
				if was, ok := first[n]; ok && was != u {
					t.Fatalf("seed %d: %s: %+v and %+v", seed, n, was, u)
				}
				first[n] = u
			}
		}
	}
}

func TestProgramsAreAcceptable(t *testing.T) {
	codes := map[uint16]bool{}
	for seed := range uint64(2000) {
		r := New(seed)
		n := 1 + r.IntN(80)
		if seed%200 == 0 {
			n = cbpf.MaxInstructions
		}
		raw := Program(r, n)
		if err := cbpf.Verify(raw); err != nil || len(raw) != n {
			t.Fatalf("seed %d: %d instructions: %v", seed, len(raw), err)
		}
		for _, ins := range raw {
			codes[ins.Op] = true
		}
	}
	// The whitelist of kernel/seccomp.c: seccomp_check_filter.
	if len(codes) != 41 {
		t.Errorf("%d opcodes drawn, the kernel takes 41", len(codes))
	}
}

func TestPointsReachTheFirstClauseOfEveryCall(t *testing.T) {
	type clause struct {
		audit, nr uint32
		pointer   string
	}
	for seed := range uint64(100) {
		r := New(seed)
		o := ResolveOptions(r)
		res, _, err := policy.Resolve(Policy(r, Options{ABIs: o.ABIs, Family: Masks}), o)
		if err != nil {
			continue
		}
		hit := map[clause]bool{}
		for d := range Points(r, res, nil, 8) {
			hit[clause{d.Arch, d.NR, res.Decide(d).Pointer}] = true
		}
		for _, s := range res.Spaces {
			for _, c := range s.Calls {
				if first := c.Clauses[0].Pointer; !hit[clause{s.Audit, c.NR, first}] {
					t.Errorf("seed %d: rule %s of %v %d is never reached", seed, first, c.ABI, c.NR)
				}
			}
		}
	}
}
