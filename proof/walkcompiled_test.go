package proof_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

func TestWalkProvesEveryProfileInTheTree(t *testing.T) {
	files, err := filepath.Glob("../testdata/profiles/*.json")
	if err != nil {
		t.Fatal(err)
	}
	three := []arch.ABI{arch.X86_64, arch.X86, arch.X32}
	walked, most := 0, 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := oci.Read(b, policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")})
		if err != nil {
			continue
		}
		for _, abis := range [][]arch.ABI{p.ABIs, three} {
			if len(abis) == 0 {
				abis = three[:1]
			}
			res, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
			if err != nil {
				continue
			}
			c, err := compile.Compile(res, compile.Options{})
			if err != nil {
				continue
			}
			walked++
			got, err := proof.Walk(res, c.Program)
			most = max(most, got.Steps)
			if err != nil || got.Verdict != proof.Same {
				t.Errorf("%s, %v: %v %v %q, %v", file, abis, got.Verdict, got.Witness, got.Reason, err)
			}
		}
	}
	t.Logf("%d programs, at most %d steps", walked, most)
	if walked < 20 {
		t.Errorf("only %d programs", walked)
	}
}

func TestWalkProvesDockerDefaultForEveryFamily(t *testing.T) {
	for a := range arch.All() {
		if a.Main() != a {
			continue
		}
		res, c := compiled(t, a.Family()...)
		got, err := proof.Walk(res, c)
		if err != nil || got.Verdict != proof.Same {
			t.Errorf("%v: %v %v %q, %v", a, got.Verdict, got.Witness, got.Reason, err)
		}
	}
}

// drawn is a random policy of package fuzz's kinds, and its program.
func drawn(seed uint64) (*policy.Resolved, *cbpf.Program, bool) {
	r := gen.New(seed)
	o := gen.ResolveOptions(r)
	kind := int(seed % 5)
	if kind == 0 { // dense, for x86_64 with x32
		o.ABIs = arch.X86_64.Family()[:2+r.IntN(2)]
	}
	p := gen.Policy(r, gen.Options{ABIs: o.ABIs, Family: gen.Family(r.IntN(3)), Dense: kind < 2, Entries: 1 + r.IntN(8)})
	res, _, err := policy.Resolve(p, o)
	if err != nil {
		return nil, nil, false
	}
	c, err := compile.Compile(res, compile.Options{})
	return res, c.Program, err == nil
}

func TestWalkProvesCompiledRandomPolicies(t *testing.T) {
	walked, most, sum := 0, 0, 0
	for seed := range uint64(gen.Many(300, 10_000)) {
		res, c, ok := drawn(seed)
		if !ok {
			continue
		}
		got, err := proof.Walk(res, c)
		if err != nil || got.Verdict != proof.Same {
			t.Errorf("seed %d: %v %v %q, %v", seed, got.Verdict, got.Witness, got.Reason, err)
		}
		walked++
		most, sum = max(most, got.Steps), sum+got.Steps
	}
	t.Logf("%d programs, %d steps on average, at most %d", walked, sum/walked, most)
}

// A fault that no call within reach of the constants shows is left to the general proof.
func TestWalkFindsFaultsInCompiledPrograms(t *testing.T) {
	var verdicts [3]int
	for seed := range uint64(gen.Many(60, 2000)) {
		res, c, ok := drawn(seed)
		if !ok {
			continue
		}
		r := gen.New(seed)
		some := max(1, c.Len()/6) // of them are tried
		for what, raw := range gen.Faults(c.Raw()) {
			if r.IntN(some) > 0 {
				continue
			}
			bad, err := cbpf.New(raw, c.Order())
			if err != nil {
				continue
			}
			what := fmt.Sprintf("seed %d: %s", seed, what)
			got, err := proof.Walk(res, bad)
			verdicts[got.Verdict]++
			switch {
			case err != nil || got.Verdict == proof.Unknown:
				t.Errorf("%s: %+v, %v", what, got, err)
			case got.Verdict == proof.Different:
				if w := got.Witness; res.Eval(&w.Call) != w.A || bad.Eval(&w.Call) != w.B || w.A == w.B {
					t.Errorf("%s: witness %v", what, w)
				}
			default:
				want, err := proof.Equal(proof.Policy(res), proof.Program(bad), proof.Limits{})
				if err != nil || want.Verdict == proof.Different {
					t.Errorf("%s: same, but Equal: %v, %v", what, want.Witness, err)
				}
			}
		}
	}
	t.Logf("%d unknown, %d same, %d different", verdicts[proof.Unknown], verdicts[proof.Same], verdicts[proof.Different])
	if verdicts[proof.Different] < gen.Many(300, 3000) {
		t.Error("hardly any differs")
	}
}

// The walk comes with every compile, so it allocates little.
func TestWalkAllocatesLittle(t *testing.T) {
	res, c := compiled(t, arch.X86_64, arch.X86, arch.X32)
	allocations := testing.AllocsPerRun(10, func() {
		if r, err := proof.Walk(res, c); err != nil || r.Verdict != proof.Same {
			t.Fatal(r, err)
		}
	})
	t.Logf("%.0f allocations", allocations)
	if allocations > 20 {
		t.Errorf("%.0f allocations, want at most 20", allocations)
	}
}

// Many values of one argument make a search tree whose leaves share the test of the upper
// half, so that all paths join there.
func TestWalkProvesTreesThatShareTheirEnds(t *testing.T) {
	steps := map[int]int{}
	for _, n := range []int{300, 3000} {
		p := &policy.Policy{Default: cbpf.ErrnoClass}
		for i := range uint64(n) {
			p.Rules = append(p.Rules, policy.Rule{
				Names: []string{"ioctl"}, Action: cbpf.Allow, Args: []policy.Arg{{Index: 1, Value: i * i * i, Op: policy.Equal}},
			})
		}
		res, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
		if err != nil {
			t.Fatal(err)
		}
		c, err := compile.Compile(res, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := proof.Walk(res, c.Program)
		if err != nil || got.Verdict != proof.Same {
			t.Errorf("%d rules: %+v, %v", n, got, err)
		}
		steps[n] = got.Steps
	}
	if steps[3000] > 20*steps[300] {
		t.Errorf("steps %v: not nearly linear", steps)
	}
}
