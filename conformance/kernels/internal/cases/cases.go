// Package cases makes the policies that kernels are tested with, and picks the
// calls to make under them. A policy depends on nothing but the ABI of the kernel,
// so that the harness and its guests compile the same ones.
package cases

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

// Error numbers that no system call returns, so that each tells a verdict: the
// kernel's own end at 168 but for one of MIPS, 1133, and from 512 on they mean
// that a call restarts.
const (
	defaultErrno   = 197
	badArchErrno   = 198
	enosysErrno    = 199
	firstRuleErrno = 200 // of rule 0; the next rule has the next
)

// A Case is a policy whose verdicts show in the error numbers of calls, as far as
// they are [Askable].
type Case struct {
	Name     string
	Seed     uint64
	Resolved *policy.Resolved
}

// Random is how many random policies there are for each kernel.
const Random = 40

// All returns the cases for programs of an ABI: Docker's default profile as it
// is; the same with an error number for each of its rules; a policy about the
// boundaries of argument words; and random ones.
func All(native arch.ABI) ([]Case, error) {
	profile, _, err := oci.Read(preset.Docker(), policy.Target{ABI: native, Caps: preset.Caps("docker")})
	if err != nil {
		return nil, fmt.Errorf("cases: Docker's default profile for %v: %w", native, err)
	}
	abis := append(slices.Clone(profile.ABIs), native)
	asIs, err := resolve(profile, policy.Options{ABIs: abis, BadArch: cbpf.Errno(badArchErrno)})
	if err != nil {
		return nil, err
	}
	shown, err := watch(watched(profile), policy.Options{ABIs: abis})
	if err != nil {
		return nil, err
	}
	argWords, err := watch(words(native), policy.Options{ABIs: native.Family(), ENOSYS: policy.ENOSYS{Off: true}})
	if err != nil {
		return nil, err
	}
	cases := []Case{{"docker", 0, asIs}, {"docker, watched", 0, shown}, {"words", 0, argWords}}
	for seed := uint64(0); len(cases) < 3+Random; seed++ {
		if seed == 10*Random {
			return nil, fmt.Errorf("cases: most random policies for %v do not resolve", native)
		}
		if res, err := draw(gen.New(seed), native); err == nil { // else: rules that contradict each other
			cases = append(cases, Case{fmt.Sprintf("random %d", seed), seed, res})
		}
	}
	return cases, nil
}

func resolve(p *policy.Policy, o policy.Options) (*policy.Resolved, error) {
	res, _, err := policy.Resolve(p, o)
	if err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	return res, nil
}

// watch resolves a policy so that the verdicts of no rule show too. The kernel
// itself answers ENOSYS to numbers that it does not have.
func watch(p *policy.Policy, o policy.Options) (*policy.Resolved, error) {
	errno := uint(defaultErrno)
	p.Default, p.DefaultErrno = cbpf.ErrnoClass, &errno
	o.BadArch = cbpf.Errno(badArchErrno)
	res, err := resolve(p, o)
	if err != nil {
		return nil, err
	}
	shown := &policy.Resolved{Default: res.Default, BadArch: res.BadArch, Spaces: slices.Clone(res.Spaces)}
	for i := range shown.Spaces {
		ranges := slices.Clone(shown.Spaces[i].Ranges)
		for j := range ranges {
			if ranges[j].Reason == policy.ByENOSYS {
				ranges[j].Action = cbpf.Errno(enosysErrno)
			}
		}
		shown.Spaces[i].Ranges = ranges
	}
	return shown, nil
}

// watched returns the policy with an error number of its own for each rule, but
// that calls of the lifeline are allowed.
func watched(p *policy.Policy) *policy.Policy {
	out := &policy.Policy{ABIs: p.ABIs, Rules: []policy.Rule{{Names: lifeline(), Action: cbpf.Allow}}}
	for i, rule := range p.Rules {
		errno := uint(firstRuleErrno + i)
		rule.Action, rule.Errno = cbpf.ErrnoClass, &errno
		out.Rules = append(out.Rules, without(rule, lifeline())...)
	}
	return out
}

// without drops names from a rule, and the rule if none is left.
func without(rule policy.Rule, names []string) []policy.Rule {
	rule.Names = slices.DeleteFunc(slices.Clone(rule.Names), func(n string) bool { return slices.Contains(names, n) })
	if len(rule.Names) == 0 {
		return nil
	}
	return []policy.Rule{rule}
}

// draw draws a policy for an ABI and some of those that its kernel may present
// beside it.
func draw(r *rand.Rand, native arch.ABI) (*policy.Resolved, error) {
	abis := []arch.ABI{native}
	for _, abi := range native.Family() {
		if abi != native && r.IntN(3) > 0 {
			abis = append(abis, abi)
		}
	}
	o := policy.Options{ABIs: abis, StrictestWins: r.IntN(4) == 0, Mode: policy.Mode(r.IntN(2))}
	switch r.IntN(4) {
	case 0:
		o.ENOSYS.Off = true
	case 1:
		o.ENOSYS.Kernel = syscalltables.Version{Major: 5, Minor: uint8(r.IntN(20))}
	}
	drawn := gen.Policy(r, gen.Options{ABIs: abis})
	p := watched(drawn)
	for i := range p.Rules[1:] {
		// Now and then a rule becomes one of a harmless call, to which it may say
		// ALLOW.
		rule := &p.Rules[1+i]
		if r.IntN(3) > 0 {
			continue
		}
		rule.Names = []string{harmless()[r.IntN(len(harmless()))]}
		if r.IntN(2) == 0 {
			rule.Action, rule.Errno = cbpf.Allow, nil
		}
	}
	return watch(p, o)
}

// words is about every operator on values where the halves of an argument and
// their signs matter. Each condition has a call of its own.
func words(native arch.ABI) *policy.Policy {
	ops := []policy.Op{policy.NotEqual, policy.Less, policy.LessEqual, policy.Equal, policy.GreaterEqual, policy.Greater, policy.MaskedEqual}
	p := &policy.Policy{Rules: []policy.Rule{{Names: lifeline(), Action: cbpf.Allow}}}
	free := slices.DeleteFunc(names(native), func(n string) bool { return slices.Contains(lifeline(), n) })
	for i, v := range boundaries() {
		for j, op := range ops {
			n := i*len(ops) + j
			errno := uint(firstRuleErrno + n)
			arg := policy.Arg{Index: uint(n % 6), Op: op, Value: v}
			if op == policy.MaskedEqual {
				arg.ValueTwo = v & 0xfffffffe_7fffffff
			}
			p.Rules = append(p.Rules, policy.Rule{
				Names: free[n : n+1], Args: []policy.Arg{arg}, Action: cbpf.ErrnoClass, Errno: &errno, Pointer: fmt.Sprintf("/%d", n),
			})
		}
	}
	return p
}

// boundaries are values at which the halves of an argument or their signs change.
func boundaries() []uint64 {
	return []uint64{
		1, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - 1, 1 << 32, 1<<32 + 1,
		1<<32 | 1<<31, 1<<63 - 1, 1 << 63, 1<<63 + 1, 1<<63 | 1<<31, 1<<64 - 1<<32, 1<<64 - 1,
	}
}

// names returns the names of an ABI's calls by ascending number.
func names(abi arch.ABI) []string {
	var names []string
	for _, c := range syscalltables.All(abi) {
		names = append(names, c.Name())
	}
	return names
}

// lifeline are the calls that Go's runtime may make on a confined thread. Every
// policy allows them, and nobody makes them as a test.
func lifeline() []string {
	return []string{
		"clock_gettime", "clock_gettime64", "exit", "exit_group", "futex", "futex_time64", "getpid", "gettid",
		"madvise", "mmap", "mmap2", "munmap", "nanosleep", "read", "rt_sigaction", "rt_sigprocmask",
		"rt_sigreturn", "sched_yield", "sigaltstack", "sigreturn", "tgkill", "write",
	}
}

// harmless are calls that take no arguments and always succeed: an ALLOW for
// them can be watched.
func harmless() []string {
	return []string{"getegid", "geteuid", "getgid", "getpgrp", "getppid", "getuid"}
}
