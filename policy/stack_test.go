package policy_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// together returns what the kernel makes of the answers of several filters, the oldest
// first.
func together(answers []cbpf.Action) cbpf.Action {
	slices.Reverse(answers)
	strictest := answers[0]
	for _, a := range answers {
		if a.Compare(strictest) < 0 {
			strictest = a
		}
	}
	return strictest
}

// A stack means what its members mean together, each on its own ABIs.
func TestStackMeansWhatItsMembersMean(t *testing.T) {
	rounds := 1500
	if testing.Short() {
		rounds = 200
	}
	random := rand.New(rand.NewPCG(7, 11))
	stacks, byRule := 0, 0
	for range rounds {
		abis := pick(random, testABIs)
		var members []*reading
		for range 1 + random.IntN(4) {
			m := randomReading(random)
			m.o.StrictestWins, m.o.Mode, m.o.BadArch, m.o.ABIs = false, policy.Runc, 0, abis
			m.o.ENOSYS = policy.ENOSYS{Off: random.IntN(2) == 0}
			if len(members) > 0 {
				m.o.ENOSYS = members[0].o.ENOSYS
			}
			if random.IntN(2) == 0 {
				m.p.ABIs = []arch.ABI{pick(random, abis)}
				m.o.ABIs = m.p.ABIs
			}
			if _, _, err := policy.Resolve(m.p, m.o); err == nil {
				members = append(members, m)
			}
		}
		if len(members) < 2 {
			continue
		}
		stacks++
		everywhere := func(m *reading) bool { return len(m.p.ABIs) == 0 }
		if !slices.ContainsFunc(members, everywhere) { // or some target may be nobody's
			continue
		}
		newest := *members[len(members)-1].p
		for _, m := range members[:len(members)-1] {
			newest.Older = append(newest.Older, m.p)
		}
		o := members[0].o
		o.ABIs = abis
		r, _, err := policy.Resolve(&newest, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Validate(); err != nil {
			t.Fatalf("%v\n%v", err, r)
		}
		for range 200 {
			d := randomCall(random, pick(random, members))
			if random.IntN(2) == 0 {
				d.Arch = pick(random, abis).Audit()
			}
			var answers []cbpf.Action
			for _, m := range members {
				answers = append(answers, m.eval(d))
			}
			got, want := r.Decide(d), together(answers)
			if got.Action != want {
				t.Fatalf("%+v: %+v gets %v by %v %s, want %v\n%v", o, d, got.Action, got.Reason, got.Pointer, want, r)
			}
			if got.Reason == policy.ByRule {
				byRule++
			}
		}
	}
	if stacks < rounds/3 || byRule < 10*stacks {
		t.Errorf("%d stacks, %d calls decided by rules: the test tests little", stacks, byRule)
	}
}

// Of an ABI that is left out nothing is known, though the policies let it pass.
func TestStackDeniesABIsThatAreLeftOut(t *testing.T) {
	pass := &policy.Policy{Default: cbpf.Allow, Elsewhere: cbpf.Allow, ABIs: []arch.ABI{arch.X86_64}}
	x86, x32 := *pass, *pass
	x86.ABIs, x32.ABIs = []arch.ABI{arch.X86}, []arch.ABI{arch.X32}
	x86.Rules = []policy.Rule{{Numbers: []uint32{2}, Action: cbpf.Log}}
	data := func(a arch.ABI, nr uint32) *cbpf.Data { return &cbpf.Data{Arch: a.Audit(), NR: nr} }
	for _, tt := range []struct {
		older    *policy.Policy
		options  policy.Options
		x86, x32 cbpf.Action
	}{
		{pass, policy.Options{}, cbpf.Allow, cbpf.Allow},
		{&x86, policy.Options{}, cbpf.Allow, cbpf.Allow},
		{&x86, policy.Options{ABIs: pass.ABIs}, cbpf.KillThread, cbpf.Allow},
		{&x86, policy.Options{ABIs: pass.ABIs, BadArch: cbpf.Log}, cbpf.Log, cbpf.Allow},
		{&x32, policy.Options{}, cbpf.Allow, cbpf.Allow},
		{&x32, policy.Options{ABIs: pass.ABIs}, cbpf.KillThread, cbpf.KillThread},
		{&x32, policy.Options{ABIs: pass.ABIs, BadArch: cbpf.Errno(3)}, cbpf.Errno(3), cbpf.Errno(3)},
	} {
		newest := *pass
		newest.Older = []*policy.Policy{tt.older}
		r, _, err := policy.Resolve(&newest, tt.options)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Eval(data(arch.X86, 1)); got != tt.x86 {
			t.Errorf("%v under %+v: x86 gets %v\n%v", tt.older.ABIs, tt.options, got, r)
		}
		if got := r.Eval(data(arch.X32, arch.X32Bit+1)); got != tt.x32 {
			t.Errorf("%v under %+v: x32 gets %v\n%v", tt.older.ABIs, tt.options, got, r)
		}
		for _, nr := range []uint32{1, 2} {
			if got := r.Eval(data(arch.X86_64, nr)); got != cbpf.Allow {
				t.Errorf("%v under %+v: call %d of x86_64 gets %v", tt.older.ABIs, tt.options, nr, got)
			}
		}
	}
}

// A policy in another language than OCI's holds on its own ABIs, whatever the options say.
func TestPolicyOfOtherLanguagesHoldsOnItsABIs(t *testing.T) {
	for _, p := range []*policy.Policy{{Order: policy.FirstMatch}, {NoBound: true}} {
		p.Default, p.ABIs = cbpf.Allow, []arch.ABI{arch.X86_64, arch.X32}
		r, _, err := policy.Resolve(p, policy.Options{ABIs: p.ABIs[:1]})
		if err != nil {
			t.Fatal(err)
		}
		for nr, want := range map[uint32]cbpf.Action{1: cbpf.Allow, arch.X32Bit + 1: cbpf.KillThread} {
			if got := r.Eval(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: nr}); got != want {
				t.Errorf("%+v: call %#x gets %v", p, nr, got)
			}
		}
		_, _, err = policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86}})
		if err == nil || !strings.HasPrefix(err.Error(), "policy: target x86: the policy is for x86_64, x32 alone ") {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

func TestStackProblems(t *testing.T) {
	fine := func() *policy.Policy { return &policy.Policy{Default: cbpf.Allow} }
	broken := &policy.Policy{Default: cbpf.Allow, Rules: []policy.Rule{{Names: []string{""}, Pointer: "7:1"}}}
	stacked := fine()
	stacked.Older = []*policy.Policy{fine()}
	many := func(index uint) *policy.Policy {
		p := fine()
		for v := range uint64(200) {
			p.Rules = append(p.Rules, policy.Rule{Names: []string{"read"}, Action: cbpf.KillThread - cbpf.Action(v%2)<<31,
				Args: []policy.Arg{{Index: index, Op: policy.MaskedEqual, Value: 0xffff<<8 | v, ValueTwo: v}}})
		}
		return p
	}
	for _, tt := range []struct {
		older []*policy.Policy
		want  string
	}{
		{[]*policy.Policy{nil}, "a policy of the stack is missing"},
		{[]*policy.Policy{stacked}, "a policy of the stack has older ones itself"},
		{[]*policy.Policy{broken, fine(), broken}, "policy: 7:1: the name is empty (name a system call or remove it)\npolicy: 7:1: the name is empty"},
		{[]*policy.Policy{many(0), many(1), many(2)}, "too many cases of one call"},
	} {
		newest := fine()
		newest.Older = tt.older
		_, _, err := policy.Resolve(newest, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}

// Targets are what other policies' are: sorted, each once, of one byte order.
func TestTargetsOfStack(t *testing.T) {
	p := &policy.Policy{Default: cbpf.Allow, Older: []*policy.Policy{{Default: cbpf.Allow}}}
	r, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86, arch.X86_64, arch.X86}})
	if err != nil || !slices.Equal(r.ABIs(), []arch.ABI{arch.X86_64, arch.X86}) {
		t.Errorf("%v, %v", r.ABIs(), err)
	}
	if _, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.S390X}}); err == nil || !strings.Contains(err.Error(), "mixed byte order") {
		t.Error(err)
	}
}

// Why a number gets an action without a rule is why it does in the policy that decides.
func TestReasonsInStack(t *testing.T) {
	strict := &policy.Policy{Default: cbpf.ErrnoClass, Rules: []policy.Rule{{Names: []string{"read"}, Action: cbpf.Allow}, {Names: []string{"getpid"}, Action: cbpf.Log}}}
	loose := &policy.Policy{Default: cbpf.Allow, Elsewhere: cbpf.Allow, NoBound: true, Rules: []policy.Rule{{Names: []string{"getpid"}, Action: cbpf.Trap}, {Names: []string{"lseek"}, Action: cbpf.Log}}}
	for _, p := range []*policy.Policy{
		{Default: strict.Default, Rules: strict.Rules, Older: []*policy.Policy{loose}},
		{Default: loose.Default, Elsewhere: loose.Elsewhere, NoBound: true, Rules: loose.Rules, Older: []*policy.Policy{strict}},
	} {
		r, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
		if err != nil {
			t.Fatal(err)
		}
		for nr, want := range map[uint32]policy.Verdict{
			0:          {Action: cbpf.Allow, Reason: policy.ByRule, Pointer: "/syscalls/0"},
			1:          {Action: cbpf.Errno(1), Reason: policy.ByDefault},
			8:          {Action: cbpf.Errno(1), Reason: policy.ByDefault}, // lseek, which one logs
			39:         {Action: cbpf.Trap, Reason: policy.ByRule, Pointer: "/syscalls/0"},
			40:         {Action: cbpf.Errno(38), Reason: policy.ByENOSYS},
			1000:       {Action: cbpf.Errno(38), Reason: policy.ByENOSYS},
			0x40000000: {Action: cbpf.KillThread, Reason: policy.ByBadArch},
			0xffffffff: {Action: cbpf.Errno(1), Reason: policy.ByDefault},
		} {
			if got := r.Decide(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: nr}); got != want {
				t.Errorf("%v: %+v, want %+v\n%v", nr, got, want, r)
			}
		}
		for i, x := range r.Spaces[0].Ranges {
			if i > 0 && x.First == r.Spaces[0].Ranges[i-1].Last+1 && x.Action == r.Spaces[0].Ranges[i-1].Action {
				t.Errorf("two ranges that are one: %+v", r.Spaces[0].Ranges)
			}
		}
	}
}
