package algebra_test

import (
	"testing"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// strictest returns which of two actions the order of a chain takes.
func strictest(a, b cbpf.Action) bool {
	const enosys = 38
	rank := func(a cbpf.Action) int {
		if a == cbpf.Errno(enosys) {
			return -1
		}
		return int(a.Data())
	}
	c := a.Compare(b)
	return c < 0 || c == 0 && rank(a) < rank(b)
}

var abiSets = [][]arch.ABI{
	{arch.X86_64}, {arch.X86_64, arch.X86}, {arch.X86_64, arch.X86, arch.X32}, {arch.AArch64, arch.ARM}, {arch.S390X}, {arch.X86},
}

// What random sources mean together is what each of them says, call by call; and what is
// written means that, or there is a refusal.
func TestRandomSources(t *testing.T) {
	reasons := map[string]int{}
	n := gen.Many(100, 500)
	for seed := range uint64(n) {
		r := gen.New(seed)
		var sources []algebra.Source
		for range 1 + r.IntN(3) {
			abis := abiSets[r.IntN(len(abiSets)-2)]
			p := gen.Policy(r, gen.Options{ABIs: abis, Entries: 1 + r.IntN(6), Dense: r.IntN(3) == 0, Family: gen.Family(r.IntN(3)), Beyond: r.IntN(6) == 0, FirstMatch: r.IntN(6) == 0})
			resolved, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
			if err == nil {
				sources = append(sources, algebra.Source{Policy: p, Meaning: resolved})
			}
		}
		if len(sources) == 0 {
			continue
		}
		op := algebra.Op(r.IntN(2))
		result, err := algebra.Combine(op, algebra.Options{}, sources...)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := result.Meaning.Validate(); err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, result.Meaning)
		}
		for _, s := range sources {
			for d := range gen.Points(r, s.Meaning, nil, 2) {
				want := sources[0].Meaning.Eval(d)
				for _, s := range sources[1:] {
					if a := s.Meaning.Eval(d); op == algebra.Intersect && strictest(a, want) || op == algebra.Union && strictest(want, a) {
						want = a
					}
				}
				if got := result.Meaning.Eval(d); got != want {
					t.Fatalf("seed %d: %v of %d: %+v: %v, want %v\n%v", seed, op, len(sources), d, got, want, result.Meaning)
				}
			}
		}
		if (result.Profile == nil) == (result.Refusal == nil) {
			t.Fatalf("seed %d: profile %v, refusal %v", seed, result.Profile, result.Refusal)
		}
		if result.Refusal != nil {
			reasons[result.Refusal.Reason.String()]++
			checkRefusal(t, result)
			accepted(t, op, result, sources)
			continue
		}
		reasons["exact"]++
		if !equal(t, result.Meaning, written(t, result, policy.Options{})) {
			t.Fatalf("seed %d: the profile means something else", seed)
		}
	}
	t.Log(reasons)
	if reasons["exact"] < n/5 {
		t.Errorf("only %d of %d are profiles", reasons["exact"], n)
	}
}

// accepted combines sources again, accepts what the refusal says, and gets the nearest profile
// or one that is nearer.
func accepted(t *testing.T, op algebra.Op, refused *algebra.Result, sources []algebra.Source) {
	t.Helper()
	accept := refused.Refusal.Accept
	if accept == 0 {
		return
	}
	r := combine(t, op, algebra.Options{Accept: accept}, sources...)
	if r.Refusal != nil || r.Except == 0 || r.Except&^accept != 0 {
		t.Fatalf("accepted %v: except %v, %v", accept, r.Except, r.Refusal)
	}
	changes, err := proof.Diff(proof.Policy(r.Meaning), proof.Policy(written(t, r, policy.Options{})), proof.Limits{})
	if err != nil || len(changes) == 0 {
		t.Fatal(changes, err)
	}
	for _, c := range changes {
		data := accept&algebra.ExceptData != 0 && c.From.Class() == c.To.Class()
		foreign := accept&algebra.ExceptForeign != 0 && c.First >= 1<<30
		unassigned := accept&algebra.ExceptUnassigned == algebra.ExceptUnassigned
		if !data && (!foreign && !unassigned || isCall(r.Meaning.ABIs(), c.Audits, c.First, c.Last)) {
			t.Fatalf("accepted %v: %+v", accept, c)
		}
	}
}
