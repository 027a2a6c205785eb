package conformance

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/peers"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// cases is how many random policies each set of ABIs gets; SECCOMPILE_CASES
// sets another number.
func cases(t *testing.T) int {
	s, ok := os.LookupEnv("SECCOMPILE_CASES")
	if !ok {
		return 200
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("SECCOMPILE_CASES=%q: want a number above 0", s)
	}
	return n
}

// abiSets are the sets of ABIs to compare on: each alone that libseccomp knows,
// and those that one kernel presents together.
func abiSets() [][]arch.ABI {
	var sets [][]arch.ABI
	for a := range arch.All() {
		if !scmp.Supports(a) {
			continue
		}
		sets = append(sets, []arch.ABI{a})
		if family := a.Family(); a == a.Main() && len(family) > 1 && !slices.ContainsFunc(family, func(a arch.ABI) bool { return !scmp.Supports(a) }) {
			sets = append(sets, family)
		}
	}
	return append(sets,
		[]arch.ABI{arch.X86_64, arch.X86}, []arch.ABI{arch.X86_64, arch.X32}, []arch.ABI{arch.X86, arch.X32},
		[]arch.ABI{arch.AArch64, arch.X86_64, arch.RISCV64, arch.PPC64LE}, []arch.ABI{arch.S390X, arch.PPC64, arch.PPC})
}

// What a profile means is what runc and libseccomp do with it, on the families
// of profiles for which libseccomp implements its own rules.
func TestLibseccomp(t *testing.T) {
	families := []struct {
		name string
		gen.Options
	}{
		{"masks", gen.Options{Family: gen.Masks}},
		{"one argument", gen.Options{Family: gen.OneArg}},
		{"dense masks", gen.Options{Family: gen.Masks, Dense: true}},
		{"dense one argument", gen.Options{Family: gen.OneArg, Dense: true}},
	}
	var total tally
	var mu sync.Mutex // of total
	t.Cleanup(func() { t.Logf("libseccomp %s: %v", scmp.Version(), &total) })
	for set, abis := range abiSets() {
		for _, f := range families {
			t.Run(fmt.Sprintf("%v/%s", abis, f.name), func(t *testing.T) {
				t.Parallel()
				var done tally
				o := f.Options
				o.ABIs = abis
				count := cases(t)
				if o.Dense { // libseccomp takes as long for one as for ten others
					count = max(1, count/5)
				}
				for n := range uint64(count) {
					seed := uint64(set)<<32 | n
					r := gen.New(seed)
					p := gen.Policy(r, o)
					adapt(p, abis)
					done.compare(t, seed, r, p, abis)
					if t.Failed() {
						return
					}
				}
				if done.compared == 0 {
					t.Error("no policy was compared")
				}
				mu.Lock()
				defer mu.Unlock()
				total.add(&done)
			})
		}
	}
}

// A tally counts what became of the random policies.
type tally struct {
	compared, proved, calls int
	contradictory, refused  int
	itself                  int // calls on which libseccomp disagrees with itself
	tied                    int // calls that rules of equal rank decide
}

func (c *tally) add(d *tally) {
	c.compared, c.proved, c.calls = c.compared+d.compared, c.proved+d.proved, c.calls+d.calls
	c.contradictory, c.refused = c.contradictory+d.contradictory, c.refused+d.refused
	c.itself, c.tied = c.itself+d.itself, c.tied+d.tied
}

func (c *tally) String() string {
	return fmt.Sprintf("%d policies agree, %d of them proved, the others on %d calls (on %d libseccomp disagrees with itself, on %d rules tie); %d policies are contradictory to libseccomp, %d to both",
		c.compared, c.proved, c.calls, c.itself, c.tied, c.contradictory, c.refused)
}

// compare compiles a policy with libseccomp and compares the program with the
// policy's meaning: for all calls, or, where the program is wrong about some, on
// the boundaries of both.
func (c *tally) compare(t *testing.T, seed uint64, r *rand.Rand, p *policy.Policy, abis []arch.ABI) {
	t.Helper()
	meant, _, ours := policy.Resolve(p, policy.Options{ABIs: abis})
	o := oracle{compiler: peers.Libseccomp{Options: scmp.Options{Level: 1 + r.IntN(2)}}, policy: p, abis: abis, alone: map[key]*cbpf.Program{}}
	var err error
	o.program, err = o.compiler.Compile(spec(t, p), abis)
	switch {
	case errors.Is(err, syscall.EEXIST):
		c.contradictory++ // it sees contradictions where there is an order too
		return
	case ours != nil && err != nil:
		c.refused++
		return
	case contradiction(ours):
		c.refused++ // among rules that a shorter one on the same multiplexed call shadows
		return
	case ours != nil || err != nil:
		t.Errorf("seed %#x: error %v, libseccomp %v", seed, ours, err)
		return
	}
	c.compared++
	answer, err := proof.Equal(proof.Policy(meant), proof.Program(o.program), proof.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	calls := gen.Points(r, meant, o.program, 4)
	switch answer.Verdict {
	case proof.Same:
		c.proved++
		return
	case proof.Different:
		calls = after(&answer.Witness.Call, calls)
	case proof.Unknown:
	}
	for d := range calls {
		c.calls++
		got := meant.Eval(d)
		if got == o.program.Eval(d) {
			continue
		}
		want := o.verdict(t, d)
		switch {
		case got == want:
			c.itself++
		case tie(meant, d):
			c.tied++
		default:
			t.Errorf("seed %#x: %v, libseccomp at level %d %v: %s", seed, got, o.compiler.Options.Level, want, about(meant, d))
			return
		}
	}
}

// after yields a call and then others.
func after(d *cbpf.Data, others iter.Seq[*cbpf.Data]) iter.Seq[*cbpf.Data] {
	return func(yield func(*cbpf.Data) bool) {
		if yield(d) {
			others(yield)
		}
	}
}

// contradiction reports whether all that is wrong with a profile is that rules on
// a multiplexer contradict each other.
func contradiction(err error) bool {
	var problems policy.Errors
	if !errors.As(err, &problems) {
		return false
	}
	return !slices.ContainsFunc(problems, func(e *policy.Error) bool {
		return !strings.Contains(e.Reason, ": socketcall under") && !strings.Contains(e.Reason, ": ipc under")
	})
}

// tie reports whether two conditions on the call tie: one of them looks at other
// bits of the upper half of an argument than the other, and both want the same
// there. libseccomp then goes by which half came first in any rule, which it
// forgets when a later rule makes that one redundant; we go by profile order.
func tie(meant *policy.Resolved, d *cbpf.Data) bool {
	var conds []policy.Cond
	for _, clause := range callOf(meant, d).Clauses {
		conds = append(conds, clause.Conds...)
	}
	for i, a := range conds {
		for _, b := range conds[:i] {
			if a.Arg == b.Arg && (a.Op != b.Op || a.Mask>>32 != b.Mask>>32) && a.Value>>32 == b.Value>>32 {
				return true
			}
		}
	}
	return false
}

// callOf returns what the policy says about a call; no clauses if nothing.
func callOf(meant *policy.Resolved, d *cbpf.Data) policy.Call {
	for _, space := range meant.Spaces {
		for _, call := range space.Calls {
			if space.Audit == d.Arch && call.NR == d.NR {
				return call
			}
		}
	}
	return policy.Call{}
}

// about tells what a policy says about a call.
func about(meant *policy.Resolved, d *cbpf.Data) string {
	s := fmt.Sprintf("%+v, decided by %q; default %v", *d, meant.Decide(d).Pointer, meant.Default)
	for _, clause := range callOf(meant, d).Clauses {
		s += fmt.Sprintf("\n%+v", clause)
	}
	return s
}
