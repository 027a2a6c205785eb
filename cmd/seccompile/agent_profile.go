package main

import (
	"maps"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// unasked returns the calls that an agent cannot be asked about, because a runtime makes
// them under the filter before it has said where the listener is, and would wait for ever:
// runc says so by write, for which it therefore refuses NOTIFY, as it does as the default
// action (libcontainer/seccomp/seccomp_linux.go). The others are those of Go's runtime,
// which runs on that thread, and may make them or not (runtime/os_linux.go, runtime/sys_*.s),
// and what free(3) needs.
func unasked() []string {
	return []string{
		"brk", "clock_gettime", "futex", "getpid", "gettid", "gettimeofday", "madvise", "mmap", "munmap", "nanosleep",
		"rt_sigprocmask", "rt_sigreturn", "sched_yield", "sigaltstack", "tgkill", "write",
	}
}

// agentProfile returns the profile that has the agent at a socket decide the calls of the
// ABIs that a policy does not simply allow. Calls without a name get the given action.
//
// The agent decides a call that is allowed with some arguments whatever its arguments are:
// profiles cannot say the opposite of several conditions.
func agentProfile(r *policy.Resolved, abis []arch.ABI, unnamed cbpf.Action, socket string) (*policy.Policy, error) {
	names := make(map[cbpf.Action][]string)
	for _, name := range callsOf(abis) {
		action, settled := settle(r, name)
		if !settled || !action.Permits(cbpf.Alone) && !slices.Contains(unasked(), name) {
			action = cbpf.Notify
		}
		names[action] = append(names[action], name)
	}
	switch {
	case names[cbpf.Notify] == nil:
		return nil, failure.Nof("trace: the profile does not deny anything")
	case slices.Contains(names[cbpf.Notify], "write"):
		return nil, failure.Nof("trace: the profile allows write with some arguments only, and no runtime lets an agent decide write")
	}
	p := &policy.Policy{ABIs: abis, ListenerPath: socket}
	p.Default, p.DefaultErrno = written(unnamed)
	for _, action := range slices.Backward(slices.SortedFunc(maps.Keys(names), cbpf.Action.Compare)) {
		rule := policy.Rule{Names: names[action]}
		rule.Action, rule.Errno = written(action)
		p.Rules = append(p.Rules, rule)
	}
	return p, nil
}

// written returns an action as profiles have it.
func written(a cbpf.Action) (class cbpf.Action, data *uint) {
	if a.Class() == cbpf.ErrnoClass || a.Class() == cbpf.TraceClass {
		n := uint(a.Data())
		data = &n
	}
	return a.Class(), data
}

// settle returns what a policy does with a call whatever its arguments are, if that is the
// same on all of the policy's ABIs that have it.
func settle(r *policy.Resolved, name string) (action cbpf.Action, settled bool) {
	call, _ := syscalltables.Lookup(name)
	for _, abi := range r.ABIs() {
		nr, ok := call.Number(abi)
		if !ok {
			continue
		}
		if clauses := r.Clauses(abi.Audit(), nr); len(clauses) > 0 && len(clauses[0].Conds) > 0 {
			return 0, false
		}
		a := r.Eval(&cbpf.Data{Arch: abi.Audit(), NR: nr})
		if settled && a != action {
			return 0, false
		}
		action, settled = a, true
	}
	return action, settled
}

// callsOf returns the names of all calls that some of the ABIs have.
func callsOf(abis []arch.ABI) []string {
	var names []string
	for _, abi := range abis {
		for _, call := range syscalltables.All(abi) {
			names = append(names, call.Name())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// putPolicy writes a policy as a profile.
func (a *app) putPolicy(path string, p *policy.Policy) error {
	text, err := ocijson.Print(p)
	if err != nil {
		return err
	}
	return a.put(&output{path}, []byte(text))
}
