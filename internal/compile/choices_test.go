package compile_test

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/golden"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// The compiler is free to choose between programs that mean the same. The tests here hold
// what it chooses: a change of a limit, a weight or a guess shows up in them, for better
// or worse.

func TestChoicesAreThoseOfTheGoldenPrograms(t *testing.T) {
	for name, r := range goldenPolicies(t) {
		want, err := os.ReadFile("../../testdata/golden/" + name + ".bpf")
		if err != nil {
			t.Fatal(err)
		}
		res, err := compile.Compile(r, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := res.Program.AppendBinary(nil); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d instructions, other ones than the golden program's %d (error %v)", name, len(got)/8, len(want)/8, err)
		}
	}
}

// goldenPolicies are those of most golden programs.
func goldenPolicies(t *testing.T) map[string]*policy.Resolved {
	t.Helper()
	all := make(map[string]*policy.Resolved)
	for a := range arch.All() {
		if a.Main() == a {
			all["docker-"+a.String()] = resolve(t, preset.Docker(), policy.Options{ABIs: a.Family()})
		}
	}
	files, err := filepath.Glob("../../testdata/profiles/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no profiles: %v", err)
	}
	for _, file := range files {
		profile, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := oci.Read(profile, policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.ABIs) == 0 {
			p.ABIs = []arch.ABI{arch.X86_64}
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = resolve(t, profile, policy.Options{ABIs: p.ABIs})
	}
	return all
}

// TestChoices compares with testdata/choices.txt: for each random policy the lengths of
// three programs, the usual one, one of exhaustive effort and one with weights, and a sum
// of what is in them.
func TestChoices(t *testing.T) {
	const file = "testdata/choices.txt"
	var b strings.Builder
	b.WriteString("policy usual exhaustive weighted sum\n")
	for seed := range uint64(100) {
		r := randomChoices(rand.New(rand.NewPCG(seed, 7)))
		if err := r.Validate(); err != nil {
			t.Fatal(err)
		}
		sum := fnv.New32a()
		fmt.Fprintf(&b, "%3d", seed)
		few := len(r.Spaces[0].Calls) < 50 // exhaustive effort takes long for many
		for _, o := range []compile.Options{{}, {Exhaustive: few}, {Weights: map[string]uint64{"read": 9, "futex": 300, "ioctl": 80, "clone": 1, "nosuchcall": 5}}} {
			res, err := compile.Compile(r, o)
			if err != nil {
				t.Fatal(err)
			}
			code, err := res.Program.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			sum.Write(code)
			fmt.Fprintf(&b, " %4d", res.Program.Len())
		}
		fmt.Fprintf(&b, " %08x\n", sum.Sum32())
	}
	got := b.String()
	golden.Check(t, *update, file, got)
}

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

// randomChoices returns a policy without a meaning: few actions, so that much is shared,
// few values, so that conditions meet, and a call or two of many conditions.
func randomChoices(random *rand.Rand) *policy.Resolved {
	r := &policy.Resolved{Default: cbpf.Errno(1), BadArch: cbpf.KillThread}
	spaces := pick(random,
		[][]arch.ABI{{arch.X86_64}},
		[][]arch.ABI{{arch.X86_64, arch.X32}, {arch.X86}},
		[][]arch.ABI{{arch.X86_64, arch.X32}},
		[][]arch.ABI{{arch.AArch64}, {arch.ARM}},
		[][]arch.ABI{{arch.S390X}, {arch.S390}},
	)
	lists := make(map[int][][]policy.Clause) // by width, so that calls of several ABIs share them
	for _, bits := range []int{32, 64} {
		for range 4 {
			lists[bits] = append(lists[bits], randomClauses(random, bits))
		}
	}
	for _, abis := range spaces {
		s := policy.Space{Audit: abis[0].Audit(), ABIs: abis}
		step := 1 + random.Uint32N(12)
		most := pick[uint32](random, 30, 30, 30, 60, 60, 300)
		first := make(map[uint32][]policy.Clause) // of the numbers of the first ABI
		for _, a := range abis {
			shared := random.IntN(3) > 0
			last := uint32(0)
			for nr := random.Uint32N(3); nr < most; nr += 1 + random.Uint32N(step) {
				clauses := pick(random, nil, []policy.Clause{{Action: cbpf.Allow}}, []policy.Clause{{Action: cbpf.Allow}}, []policy.Clause{{Action: cbpf.Log}})
				if random.IntN(20) == 0 {
					clauses = pick(random, lists[a.Bits()]...)
				}
				if a == arch.X32 && shared && len(first[nr]) > 0 && len(first[nr][0].Conds) == 0 {
					clauses = first[nr]
				}
				if clauses != nil {
					last = a.Base() + nr
					s.Calls = append(s.Calls, policy.Call{NR: last, ABI: a, Clauses: clauses})
				}
				if a == abis[0] {
					first[nr] = clauses
				}
			}
			if random.IntN(2) == 0 {
				s.Ranges = append(s.Ranges, policy.Range{First: max(last, a.Base()) + 1, Last: a.Base() + 0x3fffffff, Action: cbpf.Errno(38)})
			}
		}
		r.Spaces = append(r.Spaces, s)
	}
	return r
}

// randomClauses returns clauses of calls whose arguments have so many bits.
func randomClauses(random *rand.Rand, bits int) (list []policy.Clause) {
	width := uint64(1)<<63 - 1 + 1<<63
	if bits == 32 {
		width = 1<<32 - 1
	}
	args := pick(random, 1, 1, 2, 3)
	near := pick(random, uint64(0), 16, 1000, 1<<31, 1<<32-3)
	for range 1 + random.IntN(pick(random, 3, 8, 20)) {
		c := policy.Clause{Action: pick(random, cbpf.Allow, cbpf.Allow, cbpf.Errno(22), cbpf.Log)}
		for arg := range args {
			if random.IntN(3) == 0 && len(c.Conds)+args-arg > 1 {
				continue
			}
			cond := policy.Cond{Arg: uint8(arg), Op: pick(random, policy.Equal, policy.Equal, policy.MaskedEqual, policy.NotEqual, policy.Less, policy.LessEqual, policy.Greater, policy.GreaterEqual), Mask: width}
			cond.Value = (near + random.Uint64N(pick[uint64](random, 2, 8, 40))) & width
			if cond.Op == policy.MaskedEqual {
				cond.Mask = pick(random, uint64(1), 6, 0xf0, 0xffffff00, 1<<33|1, 0x7e020000) & width
				cond.Value &= cond.Mask
			}
			c.Conds = append(c.Conds, cond)
		}
		list = append(list, c)
	}
	if random.IntN(2) == 0 {
		list = append(list, policy.Clause{Action: cbpf.Trap})
	}
	return list
}
