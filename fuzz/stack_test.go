package fuzz

import (
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// One policy of a stack is proved equal to its members, for calls through the targets.
func TestStacksAreTheirMembers(t *testing.T) {
	all := kinds()
	k := all[slices.IndexFunc(all, func(k kind) bool { return k.stack })]
	proved, unknown, stacks := 0, 0, gen.Many(300, 6000)
	for seed := range stacks {
		r := gen.New(uint64(seed))
		d := k.draw(t, r, 1+r.IntN(8))
		if d == nil {
			continue
		}
		var members []proof.Subject
		for _, m := range append(slices.Clone(d.policy.Older), d.policy) {
			one, o := *m, d.options
			one.Older = nil
			if o.BadArch, o.ABIs = 0, d.Resolved.ABIs(); len(m.ABIs) == 1 {
				o.ABIs = slices.DeleteFunc(o.ABIs, func(a arch.ABI) bool { return a != m.ABIs[0] })
			}
			res, _, err := policy.Resolve(&one, o)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			members = append(members, proof.Policy(res))
		}
		// What an option says about other ABIs is not the members'.
		together := *d.Resolved
		o := d.options
		o.BadArch = 0
		if res, _, err := policy.Resolve(d.policy, o); err == nil {
			together = *res
		}
		got, err := proof.Equal(proof.Policy(&together), proof.Stack(members...), proof.Limits{})
		switch {
		case err != nil || got.Verdict == proof.Unknown:
			unknown++
		case got.Verdict == proof.Different:
			t.Fatalf("seed %d: %+v\n%v", seed, got.Witness, d)
		default:
			proved++
		}
	}
	if proved < stacks/3 || unknown > proved/20 {
		t.Errorf("%d of %d stacks proved, %d unknown", proved, stacks, unknown)
	}
	t.Logf("%d of %d stacks proved, %d unknown", proved, stacks, unknown)
}
