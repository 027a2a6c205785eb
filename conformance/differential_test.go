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
	"github.com/seccompile/seccompile/fuzz/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
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
		gen.Family
	}{
		{"masks", gen.Masks},
		{"one argument", gen.OneArg},
	}
	var total tally
	var mu sync.Mutex // of total
	t.Cleanup(func() { t.Log(&total) })
	for set, abis := range abiSets() {
		for _, f := range families {
			t.Run(fmt.Sprintf("%v/%s", abis, f.name), func(t *testing.T) {
				t.Parallel()
				var done tally
				for n := range uint64(cases(t)) {
					seed := uint64(set)<<32 | n
					r := gen.New(seed)
					p := gen.Policy(r, gen.Options{ABIs: abis, Family: f.Family})
					agreeOnNames(p, abis)
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
	o.program, err = o.compiler.Compile(p.OCI(), abis)
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

// An oracle is what libseccomp says about a policy.
type oracle struct {
	compiler peers.Libseccomp
	policy   *policy.Policy
	abis     []arch.ABI
	program  *cbpf.Program
	alone    map[key]*cbpf.Program // for one call each
}

type key struct{ audit, nr uint32 }

// verdict returns what libseccomp says about a call when it is asked about that
// call alone. Its programs for several calls are sometimes wrong: blocks are
// shared that expect different words in the accumulator, and the number is not
// loaded where the first call is one that the ABI lacks.
func (o *oracle) verdict(t *testing.T, d *cbpf.Data) cbpf.Action {
	t.Helper()
	k := key{d.Arch, d.NR}
	if o.alone[k] == nil {
		p, abis := only(o.policy, o.abis, d)
		program, err := o.compiler.Compile(p.OCI(), abis)
		if err != nil {
			t.Fatal(err)
		}
		o.alone[k] = program
	}
	return o.alone[k].Eval(d)
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

// only returns the policy with every rule that is not on the call turned into one
// that does nothing, and the ABI that the call belongs to; all of them if it is
// none of theirs.
func only(p *policy.Policy, abis []arch.ABI, d *cbpf.Data) (*policy.Policy, []arch.ABI) {
	for _, a := range abis {
		if a.Audit() == d.Arch && (a != arch.X86_64 && a != arch.X32 || (a == arch.X32) == (d.NR&arch.X32Bit != 0)) {
			abis = []arch.ABI{a}
			break
		}
	}
	q := *p
	q.Rules = nil
	for _, rule := range p.Rules {
		for _, name := range rule.Names {
			one := rule
			one.Names = []string{name}
			if name != first && !slices.ContainsFunc(abis, func(a arch.ABI) bool { return reaches(a, name, d.NR) }) {
				one.Action, one.Errno, one.Args = p.Default, p.DefaultErrno, nil
			}
			q.Rules = append(q.Rules, one)
		}
	}
	return &q, abis
}

// reaches reports whether a rule on a name may decide the number on an ABI: it
// has it, or it is multiplexed or a multiplexer, whose rules are one whole.
func reaches(a arch.ABI, name string, nr uint32) bool {
	c, _ := syscalltables.Lookup(name)
	if n, ok := c.Number(a); ok && n == nr {
		return true
	}
	theirs, _ := scmp.Resolve(a, name)
	return multiplexed(a, theirs) || name == "socketcall" || name == "ipc"
}

// about tells what a policy says about a call.
func about(meant *policy.Resolved, d *cbpf.Data) string {
	s := fmt.Sprintf("%+v, decided by %q; default %v", *d, meant.Decide(d).Pointer, meant.Default)
	for _, clause := range callOf(meant, d).Clauses {
		s += fmt.Sprintf("\n%+v", clause)
	}
	return s
}

// agreeOnNames leaves out names that this libseccomp, being older or newer, gives
// another number than we do on one of the ABIs, and error numbers that it does not
// take. Package syscalltables' numbers are compared with it elsewhere.
func agreeOnNames(p *policy.Policy, abis []arch.ABI) {
	p.DefaultErrno = representable(p.DefaultErrno)
	p.Rules = slices.Clone(p.Rules)
	for i := range p.Rules {
		rule := &p.Rules[i]
		rule.Names = slices.DeleteFunc(slices.Clone(rule.Names), func(name string) bool {
			return slices.ContainsFunc(abis, func(a arch.ABI) bool { return !agreed(a, name) })
		})
		rule.Errno = representable(rule.Errno)
		rule.Args = slices.Clone(rule.Args)
		// Releases before 2.6 never match a datum with bits outside of its mask.
		for j := range rule.Args {
			if a := &rule.Args[j]; a.Op == policy.MaskedEqual {
				a.ValueTwo &= a.Value
			}
		}
	}
	p.Rules = slices.DeleteFunc(p.Rules, func(r policy.Rule) bool { return len(r.Names) == 0 })
	// runc's bound for ENOSYS takes no notice of names that an ABI multiplexes, so
	// that it may refuse the very calls that a rule allows. Ours counts them. Name
	// a call above all of them, which changes nothing else.
	p.Rules = append(p.Rules, policy.Rule{Names: []string{"openat2"}, Action: p.Default, Errno: p.DefaultErrno})
	// Where the first call of a list is one that the ABI lacks, libseccomp forgets
	// to load the number. An unconditional rule comes first.
	p.Rules = append(p.Rules, policy.Rule{Names: []string{first}, Action: other(p.Default)})
}

// first is a call that every ABI has.
const first = "getpid"

// other returns an action that is not the default.
func other(def cbpf.Action) cbpf.Action {
	if def == cbpf.Allow {
		return cbpf.KillThread
	}
	return cbpf.Allow
}

// representable returns an error number that libseccomp takes: its limit is one
// below the kernel's.
func representable(errno *uint) *uint {
	if errno == nil || *errno < 4095 {
		return errno
	}
	most := uint(4094)
	return &most
}

// agreed reports whether a name has the same number on an ABI for libseccomp, or
// is missing there for both. Below zero are names that the ABI lacks, or that
// libseccomp reaches through a multiplexer.
func agreed(a arch.ABI, name string) bool {
	theirs, known := scmp.Resolve(a, name)
	c, _ := syscalltables.Lookup(name)
	ours, ok := c.Number(a)
	switch {
	case name == "switch_endian" || name == "sys_debug_setcontext":
		return false // libseccomp has one number for both where it has neither
	case !known:
		return !ok
	case multiplexed(a, theirs):
		return true
	case theirs < 0:
		return !ok
	}
	return ok && ours == uint32(theirs)
}
