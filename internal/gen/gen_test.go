package gen

import (
	"encoding/binary"
	"math/bits"
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
		p1 := Policy(r1, Options{ABIs: o1.ABIs, Dense: seed%2 == 0})
		p2 := Policy(r2, Options{ABIs: o2.ABIs, Dense: seed%2 == 0})
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
			if a.ByteOrder() != abis[0].ByteOrder() || slices.Index(abis, a) != i {
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

func TestEverySetOfABIsOfOneKernelIsDrawn(t *testing.T) {
	seen := map[uint32]int{}
	setOf := func(abis []arch.ABI) (set uint32) {
		for _, a := range abis {
			set |= 1 << a
		}
		return set
	}
	const draws = 10000
	for seed := range uint64(draws) {
		seen[setOf(ABIs(New(seed)))]++
	}
	for a := range arch.All() {
		family := a.Family()
		for some := 1; some < 1<<len(family); some++ {
			var set []arch.ABI
			for i, b := range family {
				if some>>i&1 != 0 {
					set = append(set, b)
				}
			}
			if seen[setOf(set)] == 0 {
				t.Errorf("%v is never drawn", set)
			}
		}
	}
	x86 := arch.X86_64.Family()
	if both, all := seen[setOf(x86[:2])], seen[setOf(x86)]; both < draws/20 || all < draws/10 {
		t.Errorf("of %d draws only %d are x86_64 with x32, and %d with x86 too", draws, both, all)
	}
}

// Dense policies name few calls, all, and every share between, for both
// directions of the default.
func TestDensePoliciesNameAnyShare(t *testing.T) {
	abis := arch.X86_64.Family()
	all := len((&policies{Rand: New(0), Options: Options{ABIs: abis}}).known())
	type tenth struct {
		permits bool
		share   int
	}
	seen := map[tenth]int{}
	for seed := range uint64(2000) {
		p := Policy(New(seed), Options{ABIs: abis, Dense: true})
		names := map[string]bool{}
		for _, rule := range p.Rules {
			for _, n := range rule.Names {
				names[n] = true
			}
		}
		share := len(names) * 10 / all
		if len(names) > all*98/100 {
			share = 10
		}
		seen[tenth{p.Default == cbpf.Allow, share}]++
	}
	for _, permits := range []bool{false, true} {
		for share := range 11 {
			if n := seen[tenth{permits, share}]; n < 3 {
				t.Errorf("default ALLOW %v: %d of 2000 policies name %d tenths of %d calls", permits, n, share, all)
			}
		}
	}
}

func TestMasksOfEveryShape(t *testing.T) {
	ones := func(m uint64) int { return bits.OnesCount64(m) }
	run := func(m uint64) bool { m /= m & -m; return m&(m+1) == 0 }
	shapes := map[string]func(uint64) bool{
		"none":                     func(m uint64) bool { return m == 0 },
		"all":                      func(m uint64) bool { return m == 1<<64-1 },
		"upper bits of a word":     func(m uint64) bool { return m != 0 && m>>32 == 0 && ones(m) > 1 && m>>31 == 1 && run(m) },
		"lower bits":               func(m uint64) bool { return ones(m) > 1 && m&(m+1) == 0 },
		"in the middle":            func(m uint64) bool { return ones(m) > 1 && m>>31 == 0 && m&1 == 0 && run(m) },
		"upper bits of both words": func(m uint64) bool { return m>>63 == 1 && ones(m) > 32 && ones(m) < 64 && run(m) },
		"upper bits of the upper":  func(m uint64) bool { return m>>63 == 1 && ones(m) < 32 && ones(m) > 1 && run(m) },
		"scattered":                func(m uint64) bool { return ones(m) == 4 && !run(m) },
		"alternating":              func(m uint64) bool { return m == 0xaaaaaaaa || m == 0xaaaaaaaa_aaaaaaaa },
		"all but one bit":          func(m uint64) bool { return ones(m) == 63 },
		"all but one of a word":    func(m uint64) bool { return ones(m) == 31 && m>>32 == 0 && !run(m) },
		"bit 0":                    func(m uint64) bool { return m == 1 },
		"bit 31":                   func(m uint64) bool { return m == 1<<31 },
		"bit 32":                   func(m uint64) bool { return m == 1<<32 },
		"bit 63":                   func(m uint64) bool { return m == 1<<63 },
		"upper word alone":         func(m uint64) bool { return m<<32 == 0 && m != 0 },
		"lower word alone":         func(m uint64) bool { return m>>32 == 0 && m != 0 },
		"both words":               func(m uint64) bool { return m<<32 != 0 && m>>32 != 0 },
	}
	r := New(0)
	for range 20000 {
		m := anyMask(r)
		for name, is := range shapes {
			if is(m) {
				delete(shapes, name)
			}
		}
	}
	for name := range shapes {
		t.Errorf("%s: never drawn", name)
	}
}

// Without Beyond, OCI can say every policy. With it, many need more, of every kind.
func TestPoliciesBeyondOCI(t *testing.T) {
	for _, beyond := range []bool{false, true} {
		numbers, skips, abis, data := 0, 0, 0, 0
		for seed := range uint64(300) {
			r := New(seed)
			for _, rule := range Policy(r, Options{ABIs: ABIs(r), Beyond: beyond}).Rules {
				if len(rule.Numbers) > 0 {
					numbers++
				}
				if slices.Contains(rule.Numbers, 1<<32-1) {
					skips++
				}
				if len(rule.ABIs) > 0 {
					abis++
				}
				if rule.Action.Class() == cbpf.Trap && rule.Action.Data() != 0 {
					data++
				}
			}
		}
		for _, n := range []int{numbers, skips, abis, data} {
			if beyond && n < 30 || !beyond && n > 0 {
				t.Errorf("beyond %v: %d rules with numbers, %d with -1, %d for some ABIs, %d with data of TRAP", beyond, numbers, skips, abis, data)
				break
			}
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
			if _, _, err := policy.Resolve(Policy(r, Options{ABIs: o.ABIs, Family: f, Dense: seed%2 == 0}), o); err == nil {
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
		r := New(seed)
		for _, rule := range Policy(r, Options{ABIs: ABIs(r), Family: OneArg, Dense: seed%2 == 0}).Rules {
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

// The calls beside a rule's boundaries are made with its number and with the one
// that differs in the x32 bit alone, whichever of the two the rule is for.
func TestPointsReachBothHalvesAndTheEndsOfMasks(t *testing.T) {
	for _, abi := range []arch.ABI{arch.X86_64, arch.X32} {
		p := &policy.Policy{Default: cbpf.KillProcess, Rules: []policy.Rule{{
			Names: []string{"close"}, Action: cbpf.Allow,
			Args: []policy.Arg{{Index: 2, Op: policy.MaskedEqual, Value: 0x00ff0000, ValueTwo: 0x00420000}},
		}}}
		res, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{abi}})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[[2]uint64]bool{}
		for d := range Points(New(0), res, nil, 1) {
			seen[[2]uint64{uint64(d.NR), d.Args[2]}] = true
		}
		for _, nr := range []uint64{3, 3 | arch.X32Bit} {
			for _, v := range []uint64{
				0x420000, 0x42ffff, 0x41ffff, 0x430000, // the first block and its neighbours
				0xffffffff_ff42ffff, 0xffffffff_ff430000, // the last value, and the one behind it
				0xc20000, // the highest bit of the mask
			} {
				if !seen[[2]uint64{nr, v}] {
					t.Errorf("%v: no point %#x(_, _, %#x)", abi, nr, v)
				}
			}
		}
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

func TestRewriteKeepsTheMeaning(t *testing.T) {
	changed := 0
	for seed := range uint64(500) {
		r := New(seed)
		raw := Program(r, 1+r.IntN(60))
		again := Rewrite(r, raw)
		if again == nil {
			continue
		}
		p, err1 := cbpf.New(raw, binary.BigEndian)
		q, err2 := cbpf.New(again, binary.BigEndian)
		if err1 != nil || err2 != nil {
			t.Fatalf("seed %d: %v, %v", seed, err1, err2)
		}
		if !slices.Equal(raw, again) {
			changed++
		}
		for range 200 {
			d := Data(r, raw)
			if a, b := p.Eval(&d), q.Eval(&d); a != b {
				t.Fatalf("seed %d: %v, rewritten %v: %+v", seed, a, b, d)
			}
		}
	}
	if changed < 400 {
		t.Errorf("only %d programs were rewritten", changed)
	}
}
