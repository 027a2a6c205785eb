// Package record makes profiles of the system calls that programs were seen to make.
//
// A [Recording] collects calls and keeps of their arguments what a profile could
// test; [Recording.Profile] is the profile that allows them and little else. It may
// start from a profile that exists, and then allows what that lacks. [Allow] is
// the same for a single call: the rules that a profile lacks.
//
// Everything here is pure: how calls are observed is someone else's business.
package record

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// Options choose what a Recording becomes. The zero value makes a profile from
// nothing that tests no arguments.
type Options struct {
	// Base is a profile that is kept, to which the rules are added that it lacks;
	// nil is none. Reading says what it means, except for the ABIs: those of the
	// profile and the native one count.
	Base    *policy.Policy
	Reading policy.Options
	// Args makes the profile test arguments, also of calls that Base has no
	// conditions on: those whose values are constants with names, such as the family
	// of a socket, and flags. The profile allows the combinations of constants that
	// were recorded, and with each the flags that were.
	Args bool
}

// A Recording is a set of calls. Its methods are for one goroutine at a time.
type Recording struct {
	options Options // with a base
	fresh   bool    // the base is not the caller's
	base    *policy.Resolved
	calls   map[number]*call
}

// A number identifies a system call: the AUDIT_ARCH value and the number.
type number struct{ audit, nr uint32 }

// A call is what was recorded of one number.
type call struct {
	Call
	name   syscalltables.Call // 0 if no table has the number
	lenses [6]lens
	tested bool // whether any lens keeps something
	strict bool // a rule of the base denies some arguments, so all must be tested
	// seen has the values that the lenses keep, and for each the bits that were set
	// beside them.
	seen map[[6]uint64]*[6]uint64
}

// A Call is a system call that was recorded.
type Call struct {
	ABI   arch.ABI // zero if none has the AUDIT_ARCH value
	First cbpf.Data
	Count uint64
}

// Name returns the name of the call, "" if the tables do not know the number.
func (c *Call) Name() string {
	return syscalltables.Names{}.Syscall(c.First.Arch, c.First.NR)
}

// New starts a recording. The error is that of [policy.Resolve] for the base.
func New(o Options) (*Recording, error) {
	r := &Recording{options: o, calls: make(map[number]*call)}
	r.options.Reading.ABIs = nil
	if o.Base == nil {
		r.options.Base, r.fresh = fresh(), true
	}
	var err error
	if r.base, _, err = policy.Resolve(r.options.Base, r.options.Reading); err != nil {
		return nil, err
	}
	return r, nil
}

// Base returns the policy to start from. What it allows need not be recorded. Without
// a base that is what no program can do without: see [Recording.Profile].
func (r *Recording) Base() *policy.Resolved { return r.base }

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

// Calls returns the calls recorded, by ABI and number.
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
