package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// Validate returns an error for the first place where a policy is not as the comments of
// [Resolved] and its parts say, which only one made by hand can be. Everything that takes
// a Resolved and returns an error calls it. nil and the zero Resolved, which have no
// target ABI, are not valid.
func (r *Resolved) Validate() error {
	if fault := r.fault(); fault != "" {
		return errors.New("policy: " + fault)
	}
	return nil
}

// fault says where the first fault is, what it is and its cure; "" if there is none.
// So do the faults of the parts.
func (r *Resolved) fault() string {
	if r == nil || len(r.Spaces) == 0 {
		return "no target ABI (use Resolve)"
	}
	if f := actionFault(r.Default); f != "" {
		return "default " + f
	}
	if f := actionFault(r.BadArch); f != "" {
		return "bad-arch " + f
	}
	for i := range r.Spaces {
		s := &r.Spaces[i]
		f := s.fault()
		switch {
		case f != "":
		case slices.ContainsFunc(r.Spaces[:i], func(t Space) bool { return t.Audit == s.Audit }):
			f = "another space has its AUDIT_ARCH value, too (make one of the two)"
		case s.ABIs[0].ByteOrder() != r.Spaces[0].ABIs[0].ByteOrder():
			f = "byte order: not that of space " + r.Spaces[0].ABIs[0].String() + " (make a policy for each)"
		}
		if f != "" {
			return "space " + s.name() + ": " + f
		}
	}
	return ""
}

func (s *Space) name() string {
	if len(s.ABIs) == 0 {
		return fmt.Sprintf("%#08x", s.Audit)
	}
	return s.ABIs[0].String()
}

func (s *Space) fault() string {
	if len(s.ABIs) == 0 {
		return "no ABI (name those with this AUDIT_ARCH value)"
	}
	for i, a := range s.ABIs {
		switch {
		case !a.Valid():
			return a.String() + ": unknown ABI (use one that package arch declares)"
		case a.Audit() != s.Audit:
			return fmt.Sprintf("the AUDIT_ARCH value of %v is %#08x, not %#08x (make a space of its own)", a, a.Audit(), s.Audit)
		case slices.Contains(s.ABIs[:i], a):
			return a.String() + " is there twice"
		}
	}
	for i, x := range s.Ranges {
		f := actionFault(x.Action)
		switch {
		case f != "":
		case x.First > x.Last:
			f = "ends before it starts"
		case i > 0 && x.First <= s.Ranges[i-1].Last:
			f = "comes after " + s.Ranges[i-1].numbers() + " (sort the ranges, and join those that overlap)"
		}
		if f != "" {
			return "range " + x.numbers() + ": " + f
		}
	}
	for i, calls := 0, s.Calls; i < len(calls); {
		c := &calls[i]
		f := c.fault(s)
		if i > 0 && c.NR <= calls[i-1].NR {
			f = "comes after call " + numberString(calls[i-1].NR) + " (sort the calls by number, each once)"
		}
		if f != "" {
			return "call " + numberString(c.NR) + ": " + f
		}
		i += alike(calls[i:])
	}
	for _, x := range s.Ranges {
		if calls := s.from(x.First); len(calls) > 0 && calls[0].NR <= x.Last {
			return "call " + numberString(calls[0].NR) + ": is in range " + x.numbers() + ", too, so that its clauses do not count"
		}
	}
	return ""
}

// alike returns how many calls from the first on are of one ABI, in order, and have the
// very same clauses, as most neighbours do.
func alike(calls []Call) int {
	abi, clauses, next := calls[0].ABI, calls[0].Clauses, uint64(0)
	first := &clauses[0]
	for n := range calls {
		c := &calls[n]
		if uint64(c.NR) < next || c.ABI != abi || len(c.Clauses) != len(clauses) || &c.Clauses[0] != first {
			return n
		}
		next = uint64(c.NR) + 1
	}
	return len(calls)
}

func (c *Call) fault(s *Space) string {
	if !slices.Contains(s.ABIs, c.ABI) {
		return c.ABI.String() + " is not an ABI of the space"
	}
	if len(c.Clauses) == 0 {
		return "no clauses (leave the call out: it gets the default action)"
	}
	for i := range c.Clauses {
		f := c.Clauses[i].fault(c.ABI)
		if f == "" && len(c.Clauses[i].Conds) == 0 && i < len(c.Clauses)-1 {
			f = "always holds, and there is another one after it (leave that out)"
		}
		if f != "" {
			return fmt.Sprintf("clause %d: %s", i, f)
		}
	}
	return ""
}

func (c *Clause) fault(a arch.ABI) string {
	if f := actionFault(c.Action); f != "" {
		return f
	}
	for i, cond := range c.Conds {
		f := cond.fault(a)
		if f == "" && i > 0 && cond.Arg < c.Conds[i-1].Arg {
			f = fmt.Sprintf("argument %d: comes after argument %d (sort them)", cond.Arg, c.Conds[i-1].Arg)
		}
		if f != "" {
			return fmt.Sprintf("condition %d: %s", i, f)
		}
	}
	return ""
}

func (c Cond) fault(a arch.ABI) string {
	width := widthOf(a)
	switch {
	case c.Arg > 5:
		return fmt.Sprintf("argument %d: a call has only arguments 0 to 5", c.Arg)
	case !c.possible():
		return c.Op.String() + ": unknown operator (use one that package policy declares)"
	case c.Mask&^width != 0:
		return fmt.Sprintf("mask %#x: an argument of %v has only %d bits", c.Mask, a, a.Bits())
	case !c.Op.masked() && c.Mask != width && c.Mask != 1<<32-1:
		return fmt.Sprintf("mask %#x: %v compares all %d bits of the argument or the lower 32 (only %v and %v have a mask of their own)", c.Mask, c.Op, a.Bits(), MaskedEqual, MaskedNotEqual)
	case c.Value&^c.Mask != 0:
		return fmt.Sprintf("value %#x has bits outside of the mask, %#x", c.Value, c.Mask)
	}
	return ""
}

// actionFault leaves the size of an error number to the kernel, which caps it.
func actionFault(a cbpf.Action) string {
	if a.Effective() == a || a.Class() == cbpf.ErrnoClass {
		return ""
	}
	return "action " + a.String() + ": the kernel has no such action (name one, with data only for ERRNO, TRACE and TRAP)"
}
