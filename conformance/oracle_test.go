package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/peers"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

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
		program, err := o.compiler.Compile(spec(t, p), abis)
		if err != nil {
			t.Fatal(err)
		}
		o.alone[k] = program
	}
	return o.alone[k].Eval(d)
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

// adapt turns a random policy into one that this libseccomp can answer for: names
// that it gives another number on one of the ABIs, being older or newer, are left
// out (package syscalltables' numbers are compared with it elsewhere), and so is
// what single releases get wrong.
func adapt(p *policy.Policy, abis []arch.ABI) {
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
			if a := &rule.Args[j]; a.Op == policy.MaskedEqual && strings.HasPrefix(scmp.Version(), "2.5.") {
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

// spec returns a policy that OCI has words for as its peers take it.
func spec(t testing.TB, p *policy.Policy) *specs.LinuxSeccomp {
	t.Helper()
	s, err := oci.Spec(p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
