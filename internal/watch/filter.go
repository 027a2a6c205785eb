package watch

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/policy"
)

// Denied returns a filter that notifies of the calls that a policy denies. All other
// calls run at full speed.
func Denied(r *policy.Resolved) (*cbpf.Program, error) { return notifying(r, nil) }

// DeniedAndInstalls returns a filter that also notifies of the calls that may put a filter
// in force.
func DeniedAndInstalls(r *policy.Resolved) (*cbpf.Program, error) {
	equal := func(arg uint8, v uint64) policy.Cond { // the kernel reads an int
		return policy.Cond{Arg: arg, Op: policy.MaskedEqual, Mask: 0xffffffff, Value: v}
	}
	return notifying(r, map[string][]policy.Cond{
		"seccomp": {equal(0, setModeFilter)},
		"prctl":   {equal(0, prSetSeccomp), equal(1, modeFilter)},
	})
}

// Operations of seccomp(2) and prctl(2), and a flag of the first (linux/seccomp.h,
// linux/prctl.h).
const (
	setModeFilter = 1
	newListener   = 1 << 3
	prSetSeccomp  = 22
	modeFilter    = 2
)

// PutsFilter reports whether a call puts a filter in force, on a thread that is under one
// with a listener.
func PutsFilter(d *cbpf.Data) bool {
	op := uint32(d.Args[0])
	switch policy.Names().Syscall(d.Arch, d.NR) {
	case "seccomp": // without a filter it asks which flags the kernel has
		return op == setModeFilter && d.Args[1]&newListener == 0 && d.Args[2] != 0
	case "prctl":
		return op == prSetSeccomp && uint32(d.Args[1]) == modeFilter && d.Args[2] != 0
	}
	return false
}

// notifying returns a filter that notifies of the calls that a policy denies, and of more,
// by name.
func notifying(r *policy.Resolved, more map[string][]policy.Cond) (*cbpf.Program, error) {
	ask := func(a *cbpf.Action) {
		if !a.Permits(cbpf.Alone) {
			*a = cbpf.Notify
		}
	}
	asking := *r
	ask(&asking.Default)
	ask(&asking.BadArch)
	asking.Spaces = slices.Clone(r.Spaces)
	for i := range asking.Spaces {
		s := &asking.Spaces[i]
		s.Ranges = slices.Clone(s.Ranges)
		for j := range s.Ranges {
			ask(&s.Ranges[j].Action)
		}
		s.Calls = slices.Clone(s.Calls)
		for j := range s.Calls {
			c := &s.Calls[j]
			c.Clauses = slices.Clone(c.Clauses)
			for k := range c.Clauses {
				ask(&c.Clauses[k].Action)
			}
		}
		for _, abi := range s.ABIs {
			for name, conds := range more {
				if nr, ok := policy.Names().Number(abi.String(), name); ok {
					insert(s, asking.Default, nr, abi, policy.Clause{Conds: conds, Action: cbpf.Notify})
				}
			}
		}
	}
	p, _, err := compiler.Compile(&asking, compiler.Options{})
	return p, err
}

// insert has a clause decide about a call first. Numbers of which all calls notify stay.
func insert(s *policy.Space, standard cbpf.Action, nr uint32, abi arch.ABI, first policy.Clause) {
	i, known := slices.BinarySearchFunc(s.Calls, nr, func(c policy.Call, nr uint32) int { return cmp.Compare(c.NR, nr) })
	if !known {
		for _, x := range s.Ranges {
			switch {
			case nr < x.First || x.Last < nr:
			case x.Action == cbpf.Notify:
				return
			default:
				standard = x.Action
			}
		}
		s.Ranges = except(s.Ranges, nr)
		s.Calls = slices.Insert(s.Calls, i, policy.Call{NR: nr, ABI: abi, Clauses: []policy.Clause{{Action: standard}}})
	}
	s.Calls[i].Clauses = slices.Insert(s.Calls[i].Clauses, 0, first)
}

// except returns ranges without a number.
func except(ranges []policy.Range, nr uint32) []policy.Range {
	var rest []policy.Range
	for _, x := range ranges {
		if nr < x.First || x.Last < nr {
			rest = append(rest, x)
			continue
		}
		before, after := x, x
		before.Last, after.First = nr-1, nr+1
		if x.First < nr {
			rest = append(rest, before)
		}
		if nr < x.Last {
			rest = append(rest, after)
		}
	}
	return rest
}

// every returns a filter that notifies of all calls, except for the few with which a
// thread ends or comes back from a signal: these leave nothing to answer.
func every() (*cbpf.Program, error) {
	r, _, err := policy.Resolve(&policy.Policy{Default: cbpf.ErrnoClass, Rules: []policy.Rule{
		{Names: []string{"exit", "exit_group", "restart_syscall", "rt_sigreturn", "sigreturn"}, Action: cbpf.Allow},
	}}, policy.Options{})
	if err != nil {
		return nil, err
	}
	return Denied(r)
}
