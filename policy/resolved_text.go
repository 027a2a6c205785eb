package policy

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// String returns the whole policy as text, a line for each clause, by ascending
// number: the form that people read and tests compare.
func (r *Resolved) String() string {
	if r == nil {
		r = &Resolved{}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "default %v\nbad-arch %v\n", r.Default, r.BadArch)
	for i := range r.Spaces {
		s := &r.Spaces[i]
		fmt.Fprintf(&b, "\n%#08x", s.Audit)
		for _, a := range s.ABIs {
			fmt.Fprintf(&b, " %v", a)
		}
		b.WriteByte('\n')
		for _, x := range s.Ranges {
			what := x.Action.String()
			if x.Reason == ByBadArch {
				what = "bad-arch"
			}
			fmt.Fprintf(&b, "  %v: %s\n", x.numbers(), what)
		}
		for j := range s.Calls {
			s.Calls[j].write(&b)
		}
	}
	return b.String()
}

func (c *Call) write(b *strings.Builder) {
	name := numberString(c.NR)
	if call, ok := syscalltables.ByNumber(c.ABI, c.NR); ok {
		name += " " + call.Name()
	}
	for _, clause := range c.Clauses {
		fmt.Fprintf(b, "  %s: %v\n", name, clause)
	}
}

// String returns the clause as in "ALLOW if a0 == 0x1 && a2 & 0xff < 0x7 (/syscalls/3)".
func (c Clause) String() string {
	var b strings.Builder
	b.WriteString(c.Action.String())
	for i, cond := range c.Conds {
		b.WriteString([...]string{" if ", " && "}[min(i, 1)])
		b.WriteString(cond.String())
	}
	if c.Pointer != "" {
		b.WriteString(" (" + c.Pointer + ")")
	}
	return b.String()
}

// String returns the condition as in "a0 == 0x1" or, with a mask of its own, "a0 & 0xff
// == 0x1".
func (c Cond) String() string {
	s := "a" + strconv.Itoa(int(c.Arg))
	if c.Op.masked() {
		s += " & " + hex(c.Mask)
	}
	return s + " " + c.Op.symbol() + " " + hex(c.Value)
}

// symbol returns how programmers write the operator.
func (o Op) symbol() string {
	switch o {
	case Equal, MaskedEqual:
		return "=="
	case NotEqual, MaskedNotEqual:
		return "!="
	case Less:
		return "<"
	case LessEqual:
		return "<="
	case GreaterEqual:
		return ">="
	case Greater:
		return ">"
	}
	return o.String()
}

// String returns the interval as in "400-0x3fffffff", a single number alone.
func (i Interval) String() string {
	if i.First == i.Last {
		return numberString(i.First)
	}
	return numberString(i.First) + "-" + numberString(i.Last)
}

func (x *Range) numbers() string { return Interval{x.First, x.Last}.String() }

// numberString returns a system call number, in hexadecimal where bits of it have
// a meaning.
func numberString(nr uint32) string {
	if nr >= arch.X32Bit-1 {
		return fmt.Sprintf("%#x", nr)
	}
	return strconv.FormatUint(uint64(nr), 10)
}
