package policy

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// A Resolved is a policy with numbers. Eval defines what the policy means. It is
// immutable once made by [Resolve]; treat its fields as read-only. One that is made
// by hand must be as the comments here say: see [Resolved.Validate].
//
// nil and the zero Resolved are no policy: they kill the thread on every call.
type Resolved struct {
	Default cbpf.Action
	BadArch cbpf.Action
	// Spaces are the number spaces that the filter tells apart by AUDIT_ARCH
	// value, in the order of the target ABIs: one at least, each value once, all of
	// one byte order.
	Spaces []Space
}

// A Space is the number space of one AUDIT_ARCH value: that of one ABI, or of
// x86_64 and x32 together.
type Space struct {
	Audit uint32
	ABIs  []arch.ABI // one at least, all with this AUDIT_ARCH value
	// Unknown numbers get ENOSYS, and Foreign ones, if not unknown, BadArch.
	// Both are sorted, disjoint and not adjacent.
	Unknown []Interval
	Foreign []Interval
	ENOSYS  cbpf.Action // ERRNO(ENOSYS) with the ABI's own error number
	// Calls that rules decide, by ascending number. None is unknown or foreign.
	Calls []Call
}

// An Interval is the numbers from First to Last, both included.
type Interval struct{ First, Last uint32 }

// A Call is one number that rules decide.
type Call struct {
	NR  uint32
	ABI arch.ABI // one of the space's
	// Clauses are tried in order and the first that holds decides. There is one at
	// least, and only the last one can be unconditional.
	Clauses []Clause
}

// A Clause is a rule for one number: an action and the conditions under which it
// is taken. No conditions always hold.
type Clause struct {
	Conds   []Cond // by ascending argument, each argument at most once
	Action  cbpf.Action
	Pointer string // of the rule in the profile
}

// A Cond compares Arg&Mask with Value. Under MaskedEqual the mask is the rule's,
// within the ABI's argument width, otherwise that width, so that 32-bit ABIs never
// look at the upper half. Value has no bit outside Mask.
type Cond struct {
	Arg         uint8 // 0 to 5
	Op          Op
	Mask, Value uint64
}

// Order returns the byte order of the target: little-endian if there is no target.
func (r *Resolved) Order() binary.ByteOrder {
	var first arch.ABI
	if r != nil && len(r.Spaces) > 0 && len(r.Spaces[0].ABIs) > 0 {
		first = r.Spaces[0].ABIs[0]
	}
	return first.ByteOrder()
}

// Eval returns the action for one call: the meaning of the policy. A clause with a
// condition on an argument, or with an operator, that does not exist kills the
// process where its other conditions hold.
func (r *Resolved) Eval(d *cbpf.Data) cbpf.Action { return r.Decide(d).Action }

// A Verdict is an action and what decided it.
type Verdict struct {
	Action  cbpf.Action
	Reason  Reason
	Pointer string // of the rule that decided, if one did
}

// A Reason says what decided a call.
type Reason uint8

// The reasons, in the order in which they are tried.
const (
	ByBadArch Reason = iota // the ABI, or the number's ABI, is not a target
	ByENOSYS                // the number is newer than the profile
	ByRule                  // a rule holds
	ByDefault               // no rule holds
)

var reasons = [...]string{ByBadArch: "bad-arch", ByENOSYS: "enosys", ByRule: "rule", ByDefault: "default"}

// String returns "bad-arch", "enosys", "rule" or "default".
func (r Reason) String() string {
	if int(r) >= len(reasons) {
		return "Reason(" + strconv.Itoa(int(r)) + ")"
	}
	return reasons[r]
}

// Decide returns the action for one call and what decided it.
func (r *Resolved) Decide(d *cbpf.Data) Verdict {
	if r == nil {
		return Verdict{}
	}
	s := r.space(d.Arch)
	switch {
	case s == nil:
		return Verdict{Action: r.BadArch, Reason: ByBadArch}
	case contains(s.Unknown, d.NR):
		return Verdict{Action: s.ENOSYS, Reason: ByENOSYS}
	case contains(s.Foreign, d.NR):
		return Verdict{Action: r.BadArch, Reason: ByBadArch}
	}
	if call := s.call(d.NR); call != nil {
		if c := call.first(&d.Args); c != nil {
			return Verdict{Action: c.action(), Reason: ByRule, Pointer: c.Pointer}
		}
	}
	return Verdict{Action: r.Default, Reason: ByDefault}
}

func (r *Resolved) space(audit uint32) *Space {
	for i := range r.Spaces {
		if r.Spaces[i].Audit == audit {
			return &r.Spaces[i]
		}
	}
	return nil
}

// contains reports whether a number is in one of sorted intervals.
func contains(set []Interval, nr uint32) bool {
	i, _ := slices.BinarySearchFunc(set, nr, func(i Interval, nr uint32) int { return cmp.Compare(i.Last, nr) })
	return i < len(set) && set[i].First <= nr
}

func (s *Space) call(nr uint32) *Call {
	i, ok := slices.BinarySearchFunc(s.Calls, nr, func(c Call, nr uint32) int { return cmp.Compare(c.NR, nr) })
	if !ok {
		return nil
	}
	return &s.Calls[i]
}

// first returns the first clause that holds, nil if none does.
func (c *Call) first(args *[6]uint64) *Clause {
	for i := range c.Clauses {
		if c.Clauses[i].holds(args) {
			return &c.Clauses[i]
		}
	}
	return nil
}

func (c *Clause) holds(args *[6]uint64) bool {
	for _, cond := range c.Conds {
		if cond.possible() && !cond.Holds(args[cond.Arg]) {
			return false
		}
	}
	return true
}

// action returns what the clause does where it holds. A condition that says nothing
// may have been to narrow a rule that allows, or one that denies.
func (c *Clause) action() cbpf.Action {
	if slices.ContainsFunc(c.Conds, func(c Cond) bool { return !c.possible() }) {
		return cbpf.KillProcess
	}
	return c.Action
}

// possible reports whether argument and operator exist.
func (c Cond) possible() bool { return c.Arg <= 5 && NotEqual <= c.Op && c.Op <= MaskedEqual }

// Holds reports whether an argument satisfies the condition. Nothing satisfies an
// operator that does not exist.
func (c Cond) Holds(arg uint64) bool {
	v := arg & c.Mask
	switch c.Op {
	case Equal, MaskedEqual:
		return v == c.Value
	case NotEqual:
		return v != c.Value
	case Less:
		return v < c.Value
	case LessEqual:
		return v <= c.Value
	case GreaterEqual:
		return v >= c.Value
	case Greater:
		return v > c.Value
	}
	return false
}
