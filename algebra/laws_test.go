package algebra_test

import (
	"slices"
	"testing"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// lattices yields three policies each: random ones, for the same ABIs or for others, and what
// Docker allows with more and fewer capabilities.
func lattices(t *testing.T, check func(a, b, c *policy.Resolved)) {
	t.Helper()
	for seed := range uint64(gen.Many(10, 60)) {
		r := gen.New(seed)
		var p [3]*policy.Resolved
		first := abiSets[r.IntN(3)]
		for i := range p {
			abis := first
			if r.IntN(3) == 0 {
				abis = abiSets[r.IntN(3)]
			}
			for p[i] == nil {
				random := gen.Policy(r, gen.Options{ABIs: abis, Entries: 1 + r.IntN(4), Family: gen.Family(r.IntN(3)), Beyond: r.IntN(4) == 0})
				p[i], _, _ = policy.Resolve(random, policy.Options{ABIs: abis})
			}
		}
		check(p[0], p[1], p[2])
	}
	caps := preset.Caps("docker")
	check(docker(t, caps).Meaning, docker(t, nil, arch.X86_64).Meaning, docker(t, append(caps, "CAP_SYS_ADMIN")).Meaning)
}

// docker is Docker's default profile for x86_64 with x86 and x32, or for other ABIs.
func docker(t testing.TB, caps []string, abis ...arch.ABI) algebra.Source {
	t.Helper()
	p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: arch.X86_64, Caps: caps})
	if err != nil {
		t.Fatal(err)
	}
	if abis == nil {
		abis = p.ABIs
	}
	return source(t, p, abis...)
}

// With the data of a chain, intersection and union are those of a lattice.
func TestLaws(t *testing.T) {
	and := func(m ...*policy.Resolved) *policy.Resolved {
		return meaning(t, algebra.Intersect, false, m...)
	}
	or := func(m ...*policy.Resolved) *policy.Resolved {
		return meaning(t, algebra.Union, false, m...)
	}
	lattices(t, func(a, b, c *policy.Resolved) {
		for law, sides := range map[string][2]*policy.Resolved{
			"a∧a = a":             {and(a, a), a},
			"a∨a = a":             {or(a, a), a},
			"a∧b = b∧a":           {and(a, b), and(b, a)},
			"a∨b = b∨a":           {or(a, b), or(b, a)},
			"a∧(b∧c) = a∧b∧c":     {and(a, and(b, c)), and(a, b, c)},
			"a∨(b∨c) = a∨b∨c":     {or(a, or(b, c)), or(a, b, c)},
			"a∧(a∨b) = a":         {and(a, or(a, b)), a},
			"a∨(a∧b) = a":         {or(a, and(a, b)), a},
			"a∧(b∨c) = a∧b ∨ a∧c": {and(a, or(b, c)), or(and(a, b), and(a, c))},
		} {
			if !equal(t, sides[0], sides[1]) {
				t.Errorf("%s does not hold for\n%v\n%v\n%v", law, a, b, c)
			}
		}
		for _, p := range [][2]*policy.Resolved{{and(a, b), a}, {a, or(a, b)}, {and(a, c), and(or(a, b), c)}, {or(and(a, b), c), or(a, c)}} {
			if ok, w, err := algebra.NoWeaker(proof.Policy(p[0]), proof.Policy(p[1]), proof.Limits{}); !ok || err != nil {
				t.Errorf("%v %v: weaker:\n%v\n%v", w, err, p[0], p[1])
			}
		}
	})
}

// With the kernel's data an intersection is what filters do that are loaded in this order.
func TestKernelsData(t *testing.T) {
	lattices(t, func(a, b, c *policy.Resolved) {
		stack := proof.Stack(proof.Policy(a), proof.Policy(b), proof.Policy(c))
		r, err := proof.Equal(stack, proof.Policy(meaning(t, algebra.Intersect, true, a, b, c)), proof.Limits{})
		if err != nil || r.Verdict != proof.Same {
			t.Errorf("%v %v", r.Witness, err)
		}
		chained := meaning(t, algebra.Intersect, false, a, b, c)
		for _, p := range [][2]proof.Subject{{stack, proof.Policy(chained)}, {proof.Policy(chained), stack}} {
			if ok, w, err := algebra.NoWeaker(p[0], p[1], proof.Limits{}); !ok || err != nil {
				t.Errorf("with a chain the class is another: %v %v", w, err)
			}
		}
		last := meaning(t, algebra.Union, true, a, b)
		for d := range gen.Points(gen.New(1), a, nil, 1) {
			want := b.Eval(d)
			if a.Eval(d).Compare(want) > 0 {
				want = a.Eval(d)
			}
			if got := last.Eval(d); got != want {
				t.Fatalf("union: %+v: %v, want %v", d, got, want)
			}
		}
	})
}

func TestNoWeaker(t *testing.T) {
	resolve := func(standard string, rules ...string) proof.Subject {
		return proof.Policy(source(t, profile(t, standard, rules...), arch.X86_64).Meaning)
	}
	strict, weak := resolve("ERRNO(1)", "ALLOW read"), resolve("ERRNO(1)", "ALLOW read write")
	tests := []struct {
		name string
		a, b proof.Subject
		want bool
	}{
		{"stricter", strict, weak, true},
		{"weaker", weak, strict, false},
		{"the same", weak, weak, true},
		{"other data", resolve("ERRNO(1)", "ALLOW read"), resolve("ERRNO(2)", "ALLOW read"), true},
		{"a stack and one of it", proof.Stack(strict, weak), weak, true},
		{"LOG lets more happen than TRACE", resolve("LOG"), resolve("TRACE(1)"), false},
		{"for one value alone", resolve("ALLOW"), resolve("ALLOW", "ERRNO(1) ioctl a1 EQ 7"), false},
	}
	for _, tt := range tests {
		ok, w, err := algebra.NoWeaker(tt.a, tt.b, proof.Limits{})
		if err != nil || ok != tt.want || (w == nil) != ok {
			t.Errorf("%s: %v %v %v", tt.name, ok, w, err)
		}
		if w != nil && (tt.a.Eval(&w.Call) != w.A || tt.b.Eval(&w.Call) != w.B || w.A.Compare(w.B) <= 0) {
			t.Errorf("%s: the witness does not show it: %v", tt.name, w)
		}
	}
	if _, _, err := algebra.NoWeaker(strict, weak, proof.Limits{Nodes: 10}); err == nil {
		t.Error("no error at a limit")
	}
	if _, _, err := algebra.NoWeaker(nil, weak, proof.Limits{}); err == nil {
		t.Error("no error without a subject")
	}
}

// A profile combined with itself is that profile, rule for rule.
func TestIdempotent(t *testing.T) {
	sources := []algebra.Source{docker(t, nil), docker(t, preset.Caps("docker")), docker(t, nil, arch.X86_64)}
	for seed := range uint64(gen.Many(40, 100)) {
		r := gen.New(seed)
		abis := abiSets[r.IntN(len(abiSets))]
		p := gen.Policy(r, gen.Options{ABIs: abis, Entries: 1 + r.IntN(8)})
		if m, _, err := policy.Resolve(p, policy.Options{ABIs: abis}); err == nil {
			sources = append(sources, algebra.Source{Policy: p, Meaning: m})
		}
	}
	for i, s := range sources {
		for _, op := range []algebra.Op{algebra.Intersect, algebra.Union} {
			r := combine(t, op, algebra.Options{}, s, s)
			if r.Profile == nil {
				t.Errorf("%d: %v: %v", i, op, r.Refusal)
				continue
			}
			if !slices.Equal(show(r.Profile), show(s.Policy)) {
				t.Errorf("%d: %v: got %v, want %v", i, op, show(r.Profile), show(s.Policy))
			}
			if !equal(t, r.Meaning, s.Meaning) {
				t.Errorf("%d: %v means something else", i, op)
			}
		}
	}
}
