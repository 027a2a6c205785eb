package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// Validate returns the first fault of a policy that was not made by [Resolve]: where
// it is not as the comments of [Resolved] and its parts say. Everything that takes a
// Resolved and returns an error calls it. nil and the zero Resolved, which have no
// target ABI, are faults.
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
		case s.ABIs[0].BigEndian() != r.Spaces[0].ABIs[0].BigEndian():
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
			return a.String() + ": no such ABI (take one that package arch declares)"
		case a.Audit() != s.Audit:
			return fmt.Sprintf("the AUDIT_ARCH value of %v is %#08x, not %#08x (make a space of its own)", a, a.Audit(), s.Audit)
		case slices.Contains(s.ABIs[:i], a):
			return a.String() + " is there twice"
		}
	}
	if f := actionFault(s.ENOSYS); f != "" {
		return "ENOSYS " + f
	}
	if f := intervalFault(s.Unknown); f != "" {
		return "unknown " + f
	}
	if f := intervalFault(s.Foreign); f != "" {
		return "foreign " + f
	}
	unknown, foreign := s.Unknown, s.Foreign
	for i := range s.Calls {
		c := &s.Calls[i]
		f := c.fault()
		unknown, foreign = from(unknown, c.NR), from(foreign, c.NR)
		switch {
		case i > 0 && c.NR <= s.Calls[i-1].NR:
			f = "comes after call " + numberString(s.Calls[i-1].NR) + " (sort the calls by number, each once)"
		case !slices.Contains(s.ABIs, c.ABI):
			f = c.ABI.String() + " is not an ABI of the space"
		case len(unknown) > 0 && unknown[0].First <= c.NR:
			f = "is unknown, too, so that its clauses do not count"
		case len(foreign) > 0 && foreign[0].First <= c.NR:
			f = "is foreign, too, so that its clauses do not count"
		}
		if f != "" {
			return "call " + numberString(c.NR) + ": " + f
		}
	}
	return ""
}

// from returns sorted intervals without those below a number.
func from(set []Interval, nr uint32) []Interval {
	for len(set) > 0 && set[0].Last < nr {
		set = set[1:]
	}
	return set
}

func intervalFault(set []Interval) string {
	for i, v := range set {
		switch {
		case v.First > v.Last:
			return v.String() + ": ends before it starts"
		case i > 0 && uint64(v.First) <= uint64(set[i-1].Last)+1:
			return v.String() + ": comes after " + set[i-1].String() + " (sort them, and join those that meet)"
		}
	}
	return ""
}

func (c *Call) fault() string {
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
		if f == "" && i > 0 && cond.Arg <= c.Conds[i-1].Arg {
			f = fmt.Sprintf("argument %d: comes after argument %d (sort them, each once)", cond.Arg, c.Conds[i-1].Arg)
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
		return c.Op.String() + ": no such operator (take one that this package declares)"
	case c.Mask&^width != 0:
		return fmt.Sprintf("mask %#x: an argument of %v has only %d bits", c.Mask, a, a.Bits())
	case c.Op != MaskedEqual && c.Mask != width:
		return fmt.Sprintf("mask %#x: %v compares all %d bits of the argument (only %v has a mask of its own)", c.Mask, c.Op, a.Bits(), MaskedEqual)
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
