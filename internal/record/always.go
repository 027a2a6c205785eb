package record

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A group is calls that a profile allows whether they were seen or not, and why. None of
// them gives a program power over others: all container engines allow them by default.
type group struct{ comment, names string }

// always are in every profile made from scratch.
var always = [...]group{
	{"A thread ends with these, or resumes after a signal.",
		"exit exit_group restart_syscall rt_sigreturn sigreturn"},
	{"A program that aborts says why with these.",
		"getpid gettid rt_sigaction rt_sigprocmask tgkill tkill write writev"},
	{"The vDSO answers these without a system call, but not on every machine.",
		"clock_getres clock_getres_time64 clock_gettime clock_gettime64 getcpu getrandom gettimeofday riscv_flush_icache riscv_hwprobe time"},
}

// threads are in the profile of a program that starts threads or processes.
var threads = group{"Whether threads make these depends on how they are scheduled.",
	"brk clock_nanosleep clock_nanosleep_time64 futex futex_time64 madvise mmap mmap2 mprotect mremap munmap nanosleep rseq sched_yield set_robust_list"}

// rule returns the rule for those of the calls that one of the ABIs has.
func (g *group) rule(abis []arch.ABI) policy.Rule {
	rule := policy.Rule{Comment: g.comment, Action: cbpf.Allow}
	for name := range strings.FieldsSeq(g.names) {
		call, _ := syscalltables.Lookup(name)
		if slices.ContainsFunc(abis, func(a arch.ABI) bool { _, ok := call.Number(a); return ok }) {
			rule.Names = append(rule.Names, name)
		}
	}
	return rule
}

// fresh returns the profile that allows nothing else; like Docker's, it answers EPERM.
func fresh(abis []arch.ABI) *policy.Policy {
	errno := uint(1)
	return &policy.Policy{Default: cbpf.ErrnoClass, DefaultErrno: &errno, ABIs: slices.Clone(abis), Rules: alwaysRules(abis)}
}

// alwaysRules are the rules of a profile made from scratch for ABIs.
func alwaysRules(abis []arch.ABI) (rules []policy.Rule) {
	for i := range always {
		rules = append(rules, always[i].rule(abis))
	}
	return append(rules, noClone3(abis))
}

// Endings returns the policy that allows no more than the calls with which a thread ends or
// resumes after a signal.
func Endings(abis []arch.ABI) (*policy.Resolved, error) {
	p := fresh(abis)
	p.Rules = []policy.Rule{always[0].rule(abis)}
	r, _, err := policy.Resolve(p, policy.Options{})
	return r, err
}

const clone3 = "clone3"

// noClone3 is the rule that, on a machine with these ABIs, makes programs use clone, whose flags a filter can see.
func noClone3(abis []arch.ABI) policy.Rule {
	enosys := uint16(38)
	if len(abis) > 0 {
		enosys, _ = abis[0].Errno("ENOSYS")
	}
	errno := uint(enosys)
	return policy.Rule{
		Comment: "No filter sees the flags of clone3. C libraries that get ENOSYS use clone.",
		Names:   []string{clone3}, Action: cbpf.ErrnoClass, Errno: &errno,
	}
}

// Flags of clone(2) and unshare(2) that make namespaces (linux/sched.h). Of clone, the
// bit of newTime is part of the signal.
const (
	newTime    = 0x80       // CLONE_NEWTIME
	namespaces = 0x7e020000 // CLONE_NEW: NS, CGROUP, UTS, IPC, USER, PID, NET
)

// guard returns what a profile tests of an argument whether Options.Args is set or not:
// what gives a program power over others, and has few values.
func guard(a arch.ABI, name string, arg int) argMask {
	flags := 0 // the index of clone's (kernel: CONFIG_CLONE_BACKWARDS2)
	if a == arch.S390 || a == arch.S390X {
		flags = 1
	}
	switch {
	case name == "clone" && arg == flags:
		return argMask{set: namespaces}
	case name == "unshare" && arg == 0:
		return argMask{set: namespaces | newTime}
	case name == "personality" && arg == 0,
		name == "socket" && (arg == 0 || arg == 2):
		return argMask{value: ^uint64(0)}
	}
	return argMask{}
}

// Tests reports whether every recording tests arguments of a call.
func Tests(a arch.ABI, name string) bool {
	for arg := range 6 {
		if guard(a, name, arg) != (argMask{}) {
			return true
		}
	}
	return false
}

// Families of sockets (linux/socket.h).
const (
	afUnix    = 1
	afInet    = 2
	afInet6   = 10
	afNetlink = 16
)

// sockets are the families of which a profile allows all if the program used one: the
// files of the machine that it runs on decide which of them a resolver uses. The last
// condition is the protocol NETLINK_ROUTE.
func sockets() [][]policy.Arg {
	family := func(f uint64) policy.Arg { return policy.Arg{Index: 0, Op: policy.Equal, Value: f} }
	return [][]policy.Arg{
		{family(afUnix)}, {family(afInet)}, {family(afInet6)},
		{family(afNetlink), {Index: 2, Op: policy.Equal, Value: 0}},
	}
}

// onlyNetlink reports whether clauses test the protocol of sockets of AF_NETLINK at most.
func onlyNetlink(list []policy.Clause) bool {
	netlink := func(c policy.Cond) bool { return c.Arg == 0 && c.Op == policy.Equal && c.Value == afNetlink }
	protocol := func(c policy.Cond) bool { return c.Arg == 2 }
	return !slices.ContainsFunc(list, func(c policy.Clause) bool {
		return slices.ContainsFunc(c.Conds, protocol) && !slices.ContainsFunc(c.Conds, netlink)
	})
}

// addSockets adds the rules for sockets if a family of theirs was used.
func (c *call) addSockets(r *policy.Resolved, rules *ruleSet) {
	used := false
	for values := range c.seen {
		switch values[0] {
		case afUnix, afInet, afInet6, afNetlink:
			used = true
		}
	}
	if !used {
		return
	}
	for _, args := range sockets() {
		d := c.First
		d.Args = [6]uint64{args[0].Value}
		if !r.Eval(&d).Permits(cbpf.Alone) {
			rules.add(c.name.Name(), args)
		}
	}
}
