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
// nil and the zero Resolved are not policies: they kill the thread on every call.
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
	// Ranges are the numbers that get another action than the default one without a rule:
	// ascending and disjoint.
	Ranges []Range
	// Calls that rules decide, by ascending number. None is in a range.
	Calls []Call
}

// An Interval is the numbers from First to Last, both included.
type Interval struct{ First, Last uint32 }

// Intervals are a set of numbers: sorted, disjoint and not adjacent.
type Intervals []Interval

// Has reports whether a number is in the set.
func (s Intervals) Has(nr uint32) bool {
	i, _ := slices.BinarySearchFunc(s, nr, func(i Interval, nr uint32) int { return cmp.Compare(i.Last, nr) })
	return i < len(s) && s[i].First <= nr
}

// A Range is numbers that all get an action, and why: ByENOSYS if they are newer than the
// profile, ByBadArch if they are another ABI's, otherwise ByDefault.
type Range struct {
	First, Last uint32 // both included
	Action      cbpf.Action
	Reason      Reason
}

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
	Conds  []Cond // by ascending argument
	Action cbpf.Action
	// Pointer is that of the rule in the profile. Without one, no rule says so: it is the
	// default action of one of several policies.
	Pointer string
}

// A Cond compares Arg&Mask with Value. Under MaskedEqual and MaskedNotEqual the mask is
// the rule's, within the ABI's argument width, otherwise that width, so that 32-bit ABIs
// never look at the upper half, or the lower 32 bits. Value has no bit outside Mask.
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
	if s == nil {
		return Verdict{Action: r.BadArch, Reason: ByBadArch}
	}
	if x := s.in(d.NR); x != nil {
		return Verdict{Action: x.Action, Reason: x.Reason}
	}
	if call := s.call(d.NR); call != nil {
		if c := call.first(&d.Args); c != nil {
			if c.Pointer == "" {
				return Verdict{Action: c.action(), Reason: ByDefault}
			}
			return Verdict{Action: c.action(), Reason: ByRule, Pointer: c.Pointer}
		}
	}
	return Verdict{Action: r.Default, Reason: ByDefault}
}

func (r *Resolved) space(audit uint32) *Space {
	if r == nil {
		return nil
	}
	for i := range r.Spaces {
		if r.Spaces[i].Audit == audit {
			return &r.Spaces[i]
		}
	}
	return nil
}

// ABIs returns the ABIs that the policy is resolved for, in order. The slice is fresh.
func (r *Resolved) ABIs() []arch.ABI {
	if r == nil {
		return nil
	}
	var abis []arch.ABI
	for i := range r.Spaces {
		abis = append(abis, r.Spaces[i].ABIs...)
	}
	return abis
}

// Clauses returns the clauses that decide a number, nil if no rule names it.
func (r *Resolved) Clauses(audit, nr uint32) []Clause {
	if s := r.space(audit); s != nil {
		if c := s.call(nr); c != nil {
			return c.Clauses
		}
	}
	return nil
}

// in returns the range that a number is in, nil if it is in none.
func (s *Space) in(nr uint32) *Range {
	i, _ := slices.BinarySearchFunc(s.Ranges, nr, func(x Range, nr uint32) int { return cmp.Compare(x.Last, nr) })
	if i < len(s.Ranges) && s.Ranges[i].First <= nr {
		return &s.Ranges[i]
	}
	return nil
}

func (s *Space) call(nr uint32) *Call {
	if calls := s.from(nr); len(calls) > 0 && calls[0].NR == nr {
		return &calls[0]
	}
	return nil
}

// from returns the calls from a number on.
func (s *Space) from(nr uint32) []Call {
	i, _ := slices.BinarySearchFunc(s.Calls, nr, func(c Call, nr uint32) int { return cmp.Compare(c.NR, nr) })
	return s.Calls[i:]
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
		if cond.possible() && !cond.holds(args[cond.Arg]) {
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
func (c Cond) possible() bool { return c.Arg <= 5 && NotEqual <= c.Op && c.Op <= MaskedNotEqual }

// holds reports whether an argument satisfies the condition. Nothing satisfies an
// operator that does not exist.
func (c Cond) holds(arg uint64) bool {
	v := arg & c.Mask
	switch c.Op {
	case Equal, MaskedEqual:
		return v == c.Value
	case NotEqual, MaskedNotEqual:
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
