package grade

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A pair is a subject and one that may be weaker.
type pair struct{ strict, weak proof.Subject }

// drawPair draws a policy, Docker's default one time in four, and a policy that some rules
// were added to, or changed in.
func drawPair(t *testing.T, r *rand.Rand, base *policy.Policy, abis []arch.ABI) (pair, bool) {
	o := gen.ResolveOptions(r)
	o.ABIs, o.Mode = abis, policy.Runc
	before := base
	if r.IntN(4) > 0 {
		before = gen.Policy(r, gen.Options{ABIs: abis, Dense: r.IntN(2) == 0, Entries: 8})
	}
	after := *before
	after.Rules = slices.Clone(before.Rules)
	if n := len(after.Rules); n > 0 && r.IntN(2) == 0 {
		after.Rules[r.IntN(n)].Action = cbpf.Allow
	}
	for range 1 + r.IntN(3) {
		after.Rules = append(after.Rules, drawRule(r, abis))
	}
	a, _, err1 := policy.Resolve(before, o)
	o.BadArch = []cbpf.Action{o.BadArch, o.BadArch, cbpf.Log}[r.IntN(3)]
	b, _, err2 := policy.Resolve(&after, o)
	if err1 != nil || err2 != nil {
		return pair{}, false // rules contradict each other
	}
	return pair{proof.Policy(a), proof.Policy(b)}, true
}

// drawRule draws a rule that lets calls through, mostly calls that give a power.
func drawRule(r *rand.Rand, abis []arch.ABI) policy.Rule {
	var names []string
	if r.IntN(4) > 0 {
		for _, x := range rows() {
			names = append(names, strings.Fields(x.calls)...)
		}
	} else {
		for _, c := range syscalltables.All(abis[0]) {
			names = append(names, c.Name())
		}
	}
	name := names[r.IntN(len(names))]
	rule := policy.Rule{Names: []string{name}, Action: []cbpf.Action{cbpf.Allow, cbpf.Allow, cbpf.Log, cbpf.Trace(1)}[r.IntN(4)]}
	if r.IntN(2) == 0 {
		values := []uint64{0, 1, 2, 3, 4, 7, 8, 16, 17, 38, 40, 0x5412, 0x20000, 0x10000000, 0x7e020000, 0xffffffff, 1 << 32}
		value := func() uint64 { return values[r.IntN(len(values))] }
		ops := []policy.Op{policy.NotEqual, policy.Less, policy.LessEqual, policy.Equal, policy.GreaterEqual, policy.Greater, policy.MaskedEqual}
		rule.Args = []policy.Arg{{Index: uint(r.IntN(3)), Op: ops[r.IntN(len(ops))], Value: value(), ValueTwo: value()}}
	}
	return rule
}

// noWeaker reports whether the kernel's order has no call for which a is weaker than b: a
// then decides all calls where both are installed, and it is the newer one.
func noWeaker(t *testing.T, a, b proof.Subject) bool {
	t.Helper()
	result, err := proof.Equal(proof.Stack(b, a), a, proof.Limits{})
	if err != nil || result.Verdict == proof.Unknown {
		t.Fatal(result, err)
	}
	return result.Verdict == proof.Same
}

// What is proved to be weaker never has a better grade, nor more points for any power.
func TestMonotone(t *testing.T) {
	want := gen.Many(100, 1000)
	abis := [][]arch.ABI{{arch.RISCV64}, {arch.RISCV64}, {arch.AArch64, arch.ARM}, {arch.S390X}, arch.X86_64.Family(), {arch.X86_64}, {arch.X86, arch.X86_64}}
	scales := make([]*Scale, len(abis))
	bases := make([]*policy.Policy, len(abis))
	for i := range abis {
		scales[i], bases[i] = mustScale(t, abis[i]...), docker(t, abis[i][0])
	}
	pairs, worse := 0, 0
	for seed := uint64(0); pairs < want; seed++ {
		if seed > 20*uint64(want) {
			t.Fatalf("only %d pairs can be compared", pairs)
		}
		r := gen.New(seed)
		i := r.IntN(len(abis))
		p, ok := drawPair(t, r, bases[i], abis[i])
		if ok && r.IntN(3) == 0 { // two filters are no weaker than one of them
			p.strict = proof.Stack(p.weak, p.strict)
		}
		if ok && !noWeaker(t, p.strict, p.weak) {
			p.strict, p.weak = p.weak, p.strict
			ok = noWeaker(t, p.strict, p.weak)
		}
		if !ok {
			continue
		}
		pairs++
		a, b := mustGrade(t, scales[i], p.strict), mustGrade(t, scales[i], p.weak)
		for k := range a.Lines {
			if a.Lines[k].Lost > b.Lines[k].Lost {
				t.Errorf("seed %d: %s: the weaker one loses %d, the stricter one %d", seed, a.Lines[k].ID, b.Lines[k].Lost, a.Lines[k].Lost)
			}
		}
		if b.Points > a.Points || b.Letter() < a.Letter() {
			t.Errorf("seed %d: %s %d, but the weaker one %s %d", seed, a.Letter(), a.Points, b.Letter(), b.Points)
		}
		if b.Points < a.Points {
			worse++
		}
	}
	t.Logf("%d pairs, %d of them with fewer points for the weaker one", pairs, worse)
	if worse < want/4 {
		t.Errorf("only %d of %d pairs differ", worse, pairs)
	}
}
