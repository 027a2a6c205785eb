package compile

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A meaning is what the newest stage decides after a pass.
type meaning struct {
	pass string
	eval func(*cbpf.Data) cbpf.Action
}

// everyPass runs the passes one by one and returns what each left.
func everyPass(t *testing.T, r *policy.Resolved, o Options) (*stages, []meaning) {
	t.Helper()
	s := &stages{policy: r, order: r.Order(), options: o}
	var all []meaning
	for _, p := range passes {
		if p.run == nil {
			continue
		}
		if err := p.run(s); err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		eval := s.Diagram.Eval
		switch {
		case s.Program != nil:
			eval = s.Program.Eval
		case s.Tree != nil:
			eval = s.Tree.Eval
		}
		all = append(all, meaning{p.name, eval})
	}
	return s, all
}

func TestEveryPassKeepsTheMeaning(t *testing.T) {
	n := gen.Many(80, 1000)
	compiled := 0
	for seed := range uint64(n) {
		rnd := gen.New(seed)
		p := gen.Policy(rnd, gen.Options{Beyond: seed%2 == 0})
		r, _, err := policy.Resolve(p, gen.ResolveOptions(rnd))
		if err != nil {
			continue
		}
		for _, o := range []Options{{}, {Exhaustive: true}, {Weights: weights(rnd, p)}} {
			s, all := everyPass(t, r, o)
			compiled++
			for d := range gen.Points(rnd, r, s.Program, 8) {
				want := r.Eval(d)
				for _, m := range all {
					if got := m.eval(d); got != want {
						t.Fatalf("seed %d: after %s: %+v: %v, want %v\n%v\n%v\n%v\n%v", seed, m.pass, *d, got, want, r, s.Diagram, s.Tree, s.Program)
					}
				}
			}
		}
	}
	if compiled < n {
		t.Errorf("only %d compiled", compiled)
	}
}

// weights draws a frequency profile in which one call is heavier than all others.
func weights(r *rand.Rand, p *policy.Policy) map[string]uint64 {
	w := make(map[string]uint64)
	for i := range p.Rules {
		for _, name := range p.Rules[i].Names {
			w[name] = r.Uint64N(100)
		}
	}
	for _, c := range syscalltables.All(arch.X86_64) {
		if r.IntN(100) == 0 {
			w[c.Name()] = 1 << r.UintN(64)
		}
	}
	return w
}

// TestArchitectureListsThePasses holds the table of passes in docs/ARCHITECTURE.md.
func TestArchitectureListsThePasses(t *testing.T) {
	b, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(b), "## The passes\n\n")
	table, _, _ = strings.Cut(table, "\n\n")
	want := "| pass | from, to | why it stands here |\n|---|---|---|"
	for _, p := range passes {
		name := p.name
		if p.inside != "" {
			name += " (inside " + p.inside + ")"
		}
		want += fmt.Sprintf("\n| %s | %s | %s |", name, p.turns, p.why)
		if _, err := os.Stat(p.name + ".go"); err != nil {
			t.Errorf("a pass without a file: %v", err)
		}
	}
	same(t, table, want)
}
