package proof

import (
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// randomPolicy draws a policy that resolves, and its plain compilation.
func randomPolicy(t testing.TB, seed uint64) (*policy.Resolved, *cbpf.Program) {
	t.Helper()
	r := gen.New(seed)
	for {
		o := gen.ResolveOptions(r)
		o.Mode = policy.Runc
		family := gen.Family(r.IntN(3))
		res, _, err := policy.Resolve(gen.Policy(r, gen.Options{ABIs: o.ABIs, Family: family, Entries: 8, Beyond: seed%2 == 0}), o)
		if err != nil {
			continue
		}
		if p, err := naive(res); err == nil {
			return res, p
		}
	}
}

func dockerDefault(t testing.TB, abis ...arch.ABI) *policy.Resolved {
	t.Helper()
	p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: abis[0], Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	res, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestRandomPoliciesEqualTheirPlainCompilation(t *testing.T) {
	for seed := range uint64(gen.Many(80, 500)) {
		res, p := randomPolicy(t, seed)
		got, err := Equal(Policy(res), Program(p), Limits{})
		if err != nil || got.Verdict != Same {
			t.Errorf("seed %d: %v %v, reason %q, %v", seed, got.Verdict, got.Witness, got.Reason, err)
		}
	}
}

func TestLiftedPolicyAgreesWithEval(t *testing.T) {
	for seed := range uint64(60) {
		res, p := randomPolicy(t, seed)
		u, o := lifted(Policy(res), Limits{})
		if u.over != "" {
			t.Fatalf("seed %d: %s", seed, u.reason())
		}
		for d := range gen.Points(gen.New(seed), res, p, 2) {
			if got, want := u.action(t, o, d), res.Eval(d); got != want {
				t.Fatalf("seed %d: %+v: lifted 0x%x, evaluated 0x%x", seed, *d, got, want)
			}
		}
	}
}

func TestDockerDefaultEqualsItsPlainCompilation(t *testing.T) {
	for a := range arch.All() {
		if a.Main() != a {
			continue
		}
		res := dockerDefault(t, a.Family()...)
		p, err := naive(res)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Equal(Policy(res), Program(p), Limits{})
		if err != nil || got.Verdict != Same {
			t.Errorf("%v: %v %v, reason %q, %v", a, got.Verdict, got.Witness, got.Reason, err)
		}
	}
}

func TestEveryPlantedFaultThatChangesMeaningIsCaught(t *testing.T) {
	planted, changed, caught := 0, 0, 0
	for seed := range uint64(30) {
		res, p := randomPolicy(t, seed)
		if p.Len() > 100 {
			continue
		}
		var points []cbpf.Data
		for d := range gen.Points(gen.New(seed), res, p, 2) {
			points = append(points, *d)
		}
		for what, raw := range gen.Faults(p.Raw()) {
			bad, err := cbpf.New(raw, p.Order())
			if err != nil {
				continue
			}
			planted++
			differs := slices.IndexFunc(points, func(d cbpf.Data) bool { return bad.Eval(&d) != res.Eval(&d) })
			if differs >= 0 {
				changed++
			}
			got, err := Equal(Policy(res), Program(bad), Limits{})
			switch {
			case err != nil || got.Verdict == Unknown:
				t.Errorf("seed %d: %s: %v %q %v", seed, what, got.Verdict, got.Reason, err)
			case got.Verdict == Different:
				caught++
				w := got.Witness
				if a, b := res.Eval(&w.Call), bad.Eval(&w.Call); a != w.A || b != w.B || a == b {
					t.Errorf("seed %d: %s: witness %v, but running gives %v and %v", seed, what, w, a, b)
				}
			case differs >= 0:
				t.Errorf("seed %d: %s: not caught: %+v", seed, what, points[differs])
			}
		}
	}
	t.Logf("%d faults planted, %d seen to change the meaning by sampling, %d caught", planted, changed, caught)
	if changed < 500 || caught < changed {
		t.Errorf("%d faults changed the meaning, %d were caught", changed, caught)
	}
}
