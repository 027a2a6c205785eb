package optimize

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// Each order of words, and each of the ways that are taken where there is too
// much work, gives a program of the same meaning.
func TestEveryWayToSplitArguments(t *testing.T) {
	for seed, left := uint64(0), gen.Many(10, 20); left > 0; seed++ {
		res := randomPolicy(seed, 3)
		if res == nil {
			continue
		}
		want := proof.Policy(res)
		spaces, err := proof.Explain(want, small)
		if err != nil || len(conditional(spaces)) == 0 {
			continue
		}
		left--
		for i := range orders() {
			for _, work := range []int{workOfAll, 300, 0} {
				s := &search{spaces: spaces, bytes: res.Order(), orders: orders(), usual: usual(spaces), work: work}
				g, err := s.diagram(i)
				if err != nil {
					t.Fatal(err)
				}
				c, err := compile.CompileDiagram(g, s.bytes, compile.Options{})
				if err != nil {
					t.Log(err)
					continue
				}
				r, err := proof.Equal(want, proof.Program(c.Program), small)
				if err != nil || r.Verdict == proof.Different {
					t.Fatalf("seed %d, order %v, work %d: %v %v", seed, s.orders[i], work, r.Witness, err)
				}
			}
		}
	}
}

// However many sets there are to look at, the splitter ends with its work: it stops
// inside the arm at which there is none left.
func TestSplittingEndsWithItsWork(t *testing.T) {
	for name, p := range crowded(t) {
		spaces, err := proof.Explain(proof.Program(p), proof.Limits{})
		if err != nil {
			continue
		}
		for _, work := range []int{workOfAll, 3000, 0} {
			for i, o := range orders() {
				if work == workOfAll && i > 0 {
					break
				}
				s := &splitter{b: &compile.Builder{}, order: o, left: work}
				most := 0 // sets of an arm
				for _, tree := range conditional(spaces) {
					s.tree(tree, map[*proof.Tree]compile.NodeID{})
					for i := range tree.Arms {
						most = max(most, len(tree.Arms[i].Values.Ranges)+len(tree.Arms[i].Values.Masks))
					}
				}
				if s.err != nil || s.left < -most-1 {
					t.Errorf("%s, order %v: %d work left of %d, %v", name, o, s.left, work, s.err)
				}
			}
		}
	}
}

func TestOrdersHaveEveryWordOnce(t *testing.T) {
	for _, o := range orders() {
		var seen [compile.WordCount]bool
		for _, w := range o {
			if w < compile.IPLo || seen[w] {
				t.Errorf("%v: %v", o, w)
			}
			seen[w] = true
		}
	}
}

// The check with the evaluator stands by itself: of the faults that change what a
// program means it finds nearly all, where the proof finds all.
func TestPointsFindFaults(t *testing.T) {
	n := gen.Many(16, 40)
	faults, missed := 0, 0
	check := func(p *cbpf.Program, every int) {
		spaces, err := proof.Explain(proof.Program(p), proof.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, raw := range gen.Faults(p.Raw()) {
			if n++; n%every != 0 {
				continue
			}
			bad, err := cbpf.New(raw, p.Order())
			if err != nil {
				continue
			}
			r, err := proof.Equal(proof.Program(p), proof.Program(bad), proof.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != proof.Different {
				continue
			}
			faults++
			found := false
			for d := range points(spaces, []*cbpf.Program{bad, p}) {
				if found = p.Eval(d) != bad.Eval(d); found {
					break
				}
			}
			if !found {
				missed++
			}
		}
	}
	check(dockerDefault(t, policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86, arch.X32}}), 17)
	for seed := range uint64(n) {
		res := randomPolicy(seed, 3)
		if res == nil {
			continue
		}
		if c, err := proved.Compile(res, compile.Options{}); err == nil && c.Program.Len() < 60 {
			check(c.Program, 1)
		}
	}
	t.Logf("%d faults, %d missed", faults, missed)
	if faults < 15*n || 100*missed > faults {
		t.Errorf("%d of %d faults missed", missed, faults)
	}
}

func TestPointsAreBounded(t *testing.T) {
	for name, p := range crowded(t) {
		spaces, err := proof.Explain(proof.Program(p), proof.Limits{})
		if err != nil {
			continue
		}
		n := 0
		for range points(spaces, []*cbpf.Program{p, p}) {
			n++
		}
		if n == 0 || n > maxAudits+maxNumbers+maxArguments+16*len(spaces)+len(conditional(spaces)) {
			t.Errorf("%s: %d calls", name, n)
		}
	}
}
