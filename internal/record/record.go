// Package record makes profiles from the system calls that a program made.
//
// A [Recording] collects calls and keeps those parts of their arguments that a profile
// could test; [Recording.Profile] is the profile that allows these calls and little else.
// It can start from an existing profile and add the rules that this one lacks. [Allow]
// does the same for a single call.
//
// Everything here is pure: package watch observes the calls.
package record

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/runtimes"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// Options configure a Recording. The zero value makes a profile from scratch that tests
// few arguments: namespaces of clone and unshare, personalities, families of sockets.
type Options struct {
	// Base is an existing profile, to which the recording adds the rules that it lacks;
	// nil means none. Reading says how to read it, except for Exact: what a program calls
	// need not exist on all ABIs. Its ABIs are those of the machine that the profile is for,
	// the main one first, and none means the native one; those of the profile come with
	// them.
	Base    *policy.Policy
	Reading policy.Options
	// Args makes the profile test arguments whose values are named constants, such as
	// the family of a socket, or flags, even if Base has no conditions on the call. The
	// profile allows the recorded combinations of constants, each with its recorded
	// flags.
	Args bool
	// For are the runtimes of which the profile allows what they call themselves.
	For []runtimes.Runtime

	single bool // one call as the base has it: nothing comes with it
}

// A Recording is a set of calls. It is not safe for concurrent use.
type Recording struct {
	options Options // with a base
	fresh   bool    // the base is not the caller's
	base    *policy.Resolved
	calls   map[number]*call
	clone3  bool // the program called clone3, about which the base has no rule
}

// A number identifies a system call: the AUDIT_ARCH value and the number.
type number struct{ audit, nr uint32 }

// A call is what was recorded for one number.
type call struct {
	Call
	name   syscalltables.Call // 0 if no table has the number
	masks  [6]argMask
	tested bool // whether any mask keeps something
	strict bool // a rule of the base denies some arguments, so all must be tested
	open   bool // its arguments were not kept, though the base tests some
	// netlink means that only for AF_NETLINK the protocol of a socket counts.
	netlink bool
	// seen has the values that the masks keep, and for each the bits that were set along
	// with them.
	seen map[[6]uint64]*[6]uint64
}

// A Call is a recorded system call.
type Call struct {
	ABI   arch.ABI // zero if none has the AUDIT_ARCH value
	First cbpf.Data
	Count uint64
}

// Name returns the name of the call, or "" if the tables do not have the number.
func (c *Call) Name() string {
	return policy.Names().Syscall(c.First.Arch, c.First.NR)
}

// New starts a recording. Its error is that of [policy.Resolve] for the base.
func New(o Options) (*Recording, error) {
	r := &Recording{options: o, calls: make(map[number]*call)}
	if o.Base == nil {
		r.options.Base, r.fresh = fresh(r.machine()), true
	}
	var err error
	if r.base, err = r.resolve(r.options.Base); err != nil {
		return nil, err
	}
	return r, nil
}

// machine returns the ABIs of the machine that the profile is for, the main one first.
func (r *Recording) machine() []arch.ABI {
	if native := arch.Native(); len(r.options.Reading.ABIs) == 0 && native != 0 {
		return []arch.ABI{native}
	}
	return r.options.Reading.ABIs
}

func (r *Recording) resolve(p *policy.Policy) (*policy.Resolved, error) {
	res, _, err := policy.Resolve(p, Reading(p, r.options.Reading))
	return res, err
}

// Reading returns the options with which a recording resolves a profile: its Reading, for
// the ABIs of the profile, too.
func Reading(p *policy.Policy, o policy.Options) policy.Options {
	if len(o.ABIs) > 0 {
		o.ABIs = slices.Concat(o.ABIs, p.ABIs)
	}
	o.Exact = false
	return o
}

// Base returns the policy to start from; what it allows need not be recorded. Without
// Options.Base it allows only what every program needs: see [Recording.Profile].
func (r *Recording) Base() *policy.Resolved { return r.base }

// Refuses decides a call that a program makes while it is recorded. It returns the action
// that answers the call if the profile is going to deny it, too: because a rule of the base
// does, or because it is clone3, whose flags no filter can see.
func (r *Recording) Refuses(d *cbpf.Data) (a cbpf.Action, refused bool) {
	v := r.base.Decide(d)
	switch {
	case v.Action.Permits(cbpf.Alone):
		return 0, false
	case v.Reason == policy.ByRule:
		return v.Action, true
	case policy.Names().Syscall(d.Arch, d.NR) == clone3:
		r.clone3 = true
		return cbpf.Errno(uint16(*noClone3(r.machine()).Errno)), true
	}
	return 0, false
}

// Add records a call. It reports whether it is the first of its number.
func (r *Recording) Add(d *cbpf.Data) (first bool) {
	id := number{d.Arch, d.NR}
	c := r.calls[id]
	if c == nil {
		c = r.meet(d)
		r.calls[id] = c
	}
	c.Count++
	if c.tested {
		c.see(&d.Args)
	}
	return c.Count == 1
}

// meet makes the record of a call that was not seen before.
func (r *Recording) meet(d *cbpf.Data) *call {
	c := &call{Call: Call{First: *d}}
	abi, ok := arch.ByAudit(d.Arch, d.NR)
	if !ok {
		return c
	}
	c.ABI = abi
	c.name, _ = syscalltables.ByNumber(abi, d.NR)
	c.shape(r)
	return c
}

// Calls returns the recorded calls, sorted by ABI and number.
func (r *Recording) Calls() []Call {
	var list []Call
	for _, c := range r.sorted() {
		list = append(list, c.Call)
	}
	return list
}

func (r *Recording) sorted() []*call {
	list := make([]*call, 0, len(r.calls))
	for _, c := range r.calls {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *call) int {
		return cmp.Or(cmp.Compare(a.ABI, b.ABI), cmp.Compare(a.First.Arch, b.First.Arch), cmp.Compare(a.First.NR, b.First.NR))
	})
	return list
}
