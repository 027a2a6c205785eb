package conformance

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/peers"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/fuzz/gen"
	"github.com/seccompile/seccompile/policy"
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
	for _, abis := range abiSets() {
		for _, f := range families {
			t.Run(fmt.Sprintf("%v/%s", abis, f.name), func(t *testing.T) {
				t.Parallel()
				var done tally
				for seed := range uint64(cases(t)) {
					r := gen.New(seed)
					p := gen.Policy(r, gen.Options{ABIs: abis, Family: f.Family})
					agreeOnNames(p, abis)
					done.compare(t, seed, r, p, abis)
					if t.Failed() {
						return
					}
				}
				t.Log(&done)
				if done.compared == 0 {
					t.Error("no policy was compared")
				}
			})
		}
	}
}

// A tally counts what became of the random policies.
type tally struct {
	compared, calls, contradictory, refused int
	itself                                  int // calls on which libseccomp disagrees with itself
}

func (c *tally) String() string {
	return fmt.Sprintf("%d policies compared on %d calls; libseccomp disagrees with itself on %d, calls %d policies contradictory; both refuse %d",
		c.compared, c.calls, c.itself, c.contradictory, c.refused)
}

// compare compiles a policy with libseccomp and compares the program with the
// policy's meaning on all boundaries of both.
func (c *tally) compare(t *testing.T, seed uint64, r *rand.Rand, p *policy.Policy, abis []arch.ABI) {
	t.Helper()
	meant, _, ours := policy.Resolve(p, policy.Options{ABIs: abis})
	libseccomp := peers.Libseccomp{Options: scmp.Options{Level: 1 + r.IntN(2)}}
	theirs, err := libseccomp.Compile(p.OCI(), abis)
	switch {
	case errors.Is(err, syscall.EEXIST):
		c.contradictory++ // it sees contradictions where there is an order too
		return
	case ours != nil && err != nil:
		c.refused++
		return
	case ours != nil || err != nil:
		t.Errorf("seed %d: error %v, libseccomp %v", seed, ours, err)
		return
	}
	c.compared++
	alone := map[[2]uint32]*cbpf.Program{}
	for d := range gen.Points(r, meant, theirs, 4) {
		c.calls++
		want, got := theirs.Eval(d), meant.Eval(d)
		if got == want {
			continue
		}
		// Its programs for several calls at once are sometimes wrong: blocks are
		// shared that expect different words in the accumulator, the number is not
		// loaded, a copied RET keeps the host's byte order. What it says about the
		// call alone counts.
		key := [2]uint32{d.Arch, d.NR}
		if alone[key] == nil {
			q, abi := only(p, abis, d)
			if alone[key], err = libseccomp.Compile(q.OCI(), abi); err != nil {
				t.Fatal(err)
			}
		}
		if want := alone[key].Eval(d); got != want {
			t.Errorf("seed %d: %v, libseccomp at level %d %v: %s", seed, got, libseccomp.Options.Level, want, about(meant, d))
			return
		}
		c.itself++
	}
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

// reaches reports whether a name has the number on an ABI, or may be multiplexed
// by the call that has it.
func reaches(a arch.ABI, name string, nr uint32) bool {
	c, _ := syscalltables.Lookup(name)
	if n, ok := c.Number(a); ok && n == nr {
		return true
	}
	theirs, _ := scmp.Resolve(a, name)
	socketcall, _ := a.Socketcall()
	ipc, _ := a.IPC()
	return nr != 0 && (nr == socketcall || nr == ipc) && theirs < -100 && theirs > -300
}

// about tells what a policy says about a call.
func about(meant *policy.Resolved, d *cbpf.Data) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%+v, decided by %s; default %v", *d, meant.Decide(d).Pointer, meant.Default)
	for _, space := range meant.Spaces {
		for _, call := range space.Calls {
			if space.Audit != d.Arch || call.NR != d.NR {
				continue
			}
			for _, clause := range call.Clauses {
				fmt.Fprintf(&s, "\n%+v", clause)
			}
		}
	}
	return s.String()
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
	case theirs < -100 && theirs > -300:
		return true
	case theirs < 0:
		return !ok
	}
	return ok && ours == uint32(theirs)
}
