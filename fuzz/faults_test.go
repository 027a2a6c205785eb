package fuzz

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// tally counts planted faults.
type tally struct{ planted, seen, caught int }

// plant plants every fault that pick chooses into the filter of a policy. Those
// that a dense sample shows to change the meaning must be caught by the proof,
// and whatever it catches must be real.
func (c *tally) plant(t *testing.T, res *policy.Resolved, seed uint64, oneIn int) {
	t.Helper()
	p, _, err := compiler.Compile(res, compiler.Options{})
	if err != nil {
		return
	}
	var calls []cbpf.Data
	var want []cbpf.Action
	for d := range gen.Points(gen.New(seed), res, p, 2) {
		calls = append(calls, *d)
		want = append(want, res.Eval(d))
	}
	r := gen.New(seed)
	for what, raw := range gen.Faults(p.Raw()) {
		if r.IntN(oneIn) != 0 {
			continue
		}
		bad, err := cbpf.New(raw, p.Order())
		if err != nil {
			continue
		}
		c.planted++
		changed := -1
		for i := range calls {
			if bad.Eval(&calls[i]) != want[i] {
				changed = i
				c.seen++
				break
			}
		}
		got, err := proof.Equal(proof.Policy(res), proof.Program(bad), proof.Limits{})
		switch {
		case err != nil || got.Verdict == proof.Unknown:
			t.Errorf("seed %d: %s: %v %s %v", seed, what, got.Verdict, got.Reason, err)
		case got.Verdict == proof.Different:
			c.caught++
			if w := got.Witness; res.Eval(&w.Call) == bad.Eval(&w.Call) {
				t.Errorf("seed %d: %s: no witness: %v", seed, what, w)
			}
		case changed >= 0:
			t.Errorf("seed %d: %s: not caught: %+v", seed, what, calls[changed])
		}
	}
}

func TestPlantedFaultsInThousandsOfFiltersAreCaught(t *testing.T) {
	t.Parallel() // behind the others: a filter that is wrong shows sooner
	programs := gen.Many(100, 2000)
	sparse := kinds()[2:] // a dense policy has a thousand faults to prove
	var c tally
	for seed := uint64(0); programs > 0 && !t.Failed(); seed++ {
		r := gen.New(seed)
		if d := sparse[r.IntN(len(sparse))].draw(t, r, 1+r.IntN(4)); d != nil {
			programs--
			c.plant(t, d.Resolved, seed, 80)
		}
	}
	t.Logf("%d faults planted, %d seen to change the meaning by sampling, %d caught", c.planted, c.seen, c.caught)
	if c.seen < c.planted/4 || c.caught < c.seen {
		t.Errorf("%d faults planted, %d seen, %d caught", c.planted, c.seen, c.caught)
	}
}

func TestPlantedFaultsInDockerDefaultAreCaught(t *testing.T) {
	t.Parallel()
	p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	res, _, err := policy.Resolve(p, policy.Options{ABIs: arch.X86_64.Family()})
	if err != nil {
		t.Fatal(err)
	}
	var c tally
	c.plant(t, res, 1, 16)
	t.Logf("%d faults planted, %d seen to change the meaning by sampling, %d caught", c.planted, c.seen, c.caught)
	if c.seen < 10 || c.caught < c.seen {
		t.Errorf("%d faults planted, %d seen, %d caught", c.planted, c.seen, c.caught)
	}
}
