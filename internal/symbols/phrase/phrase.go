// Package phrase writes the conditions that [proof] finds as text:
// "family not in {AF_UNIX, AF_VSOCK}", "flags & CLONE_NEWUSER == 0". It is a package of
// its own because proof works without names. Start with [Call].
package phrase

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Call is the call that conditions apply to: a number on an ABI. With the zero ABI
// arguments have no names. It is comparable.
type Call struct {
	ABI arch.ABI
	NR  uint32
	// Numeric asks for hexadecimal numbers in place of the names of values.
	Numeric bool
}

// Case writes the conditions of a case, which must all hold. No conditions are "".
func (c Call) Case(all proof.Case) string {
	var out []string
	for i := range all {
		text := c.When(all, i)
		if len(all) > 1 && strings.Contains(text, " or ") {
			text = "(" + text + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, " and ")
}

// When writes one condition of a case, by its index. The others may decide what the
// values of its argument mean.
func (c Call) When(all proof.Case, i int) string {
	v := &all[i].Values
	x := operand{name: "ip", last: ^uint64(0), numeric: true}
	if all[i].Arg != proof.IP {
		x.arg, x.numeric = c.argument(all, i), c.Numeric
		x.name = x.arg.Name()
	}
	if v.Width == 32 {
		x.last = 1<<32 - 1
		x.narrow = c.ABI.Bits() != 32
	}
	if len(v.Masks) > 0 {
		return x.masks(v)
	}
	return x.ranges(v)
}

// argument returns the argument that a condition tests, as the others decide it.
func (c Call) argument(all proof.Case, i int) symbols.Arg {
	call, _ := syscalltables.ByNumber(c.ABI, c.NR)
	arg := symbols.At(c.ABI, call, all[i].Arg)
	for j := range all {
		v := &all[j].Values
		if j != i && !v.Not && len(v.Ranges) == 1 && v.Ranges[0].First == v.Ranges[0].Last {
			arg = arg.Given(all[j].Arg, v.Ranges[0].First)
		}
	}
	return arg
}

// An operand is what a condition tests: an argument of a call, or the instruction
// pointer.
type operand struct {
	arg     symbols.Arg
	name    string
	last    uint64 // the largest value, all bits that count
	narrow  bool   // only its lower half counts, though there is an upper one
	numeric bool
}

// text writes a value.
func (x *operand) text(v uint64, numeric bool) string {
	if numeric {
		return fmt.Sprintf("%#x", v)
	}
	return x.arg.Text(v)
}

// compare writes a comparison with a value of the bits that a mask leaves.
func (x *operand) compare(op string, mask, v uint64) string {
	if mask == x.last && !x.narrow {
		mask = ^uint64(0) // there is no more
	}
	switch {
	case !x.numeric:
		return x.arg.Compare(op, mask, v)
	case mask == ^uint64(0):
		return fmt.Sprintf("%s %s %#x", x.name, op, v)
	}
	return fmt.Sprintf("%s & %#x %s %#x", x.name, mask, op, v)
}

// ranges writes values that are listed as ranges.
func (x *operand) ranges(v *proof.Values) string {
	if len(v.Ranges) == 1 {
		not := 0
		if v.Not {
			not = 1
		}
		switch r := v.Ranges[0]; {
		case r.First == r.Last:
			return x.compare([...]string{"==", "!="}[not], x.last, r.First)
		case r.First == 0:
			return x.compare([...]string{"<=", ">"}[not], x.last, r.Last)
		case r.Last == x.last:
			return x.compare([...]string{">=", "<"}[not], x.last, r.First)
		}
	}
	var items []string
	for _, r := range v.Ranges {
		between := x.numeric || x.arg.Kind() == symbols.Flags // no set of flags is between others
		switch {
		case r.First == r.Last:
			items = append(items, x.text(r.First, x.numeric))
		case r.Last == x.last:
			items = append(items, x.text(r.First, between)+" and above")
		default:
			items = append(items, x.text(r.First, between)+".."+x.text(r.Last, between))
		}
	}
	return x.in(v.Not, items)
}

// in writes that a value is, or is not, in a list.
func (x *operand) in(not bool, items []string) string {
	text := x.name
	if x.narrow {
		text += " & 0xffffffff"
	}
	if not {
		text += " not"
	}
	return text + " in {" + strings.Join(items, ", ") + "}"
}

// masks writes a condition on bits, or on the values that it leaves if they are few.
func (x *operand) masks(v *proof.Values) string {
	if items := x.members(v.Masks); items != nil {
		return x.in(v.Not, items)
	}
	op, and := "==", " or "
	if v.Not {
		op, and = "!=", " and "
	}
	var tests []string
	for _, m := range v.Masks {
		tests = append(tests, x.compare(op, m.Mask, m.Value))
	}
	return strings.Join(tests, and)
}

// maxMembers is how many values are listed instead of the bits that they have.
const maxMembers = 16

// members lists the values that masks leave, nil if they are many or one.
func (x *operand) members(masks []proof.Mask) []string {
	var values []uint64
	for _, m := range masks {
		free := x.last &^ m.Mask
		if bits.OnesCount64(free) > 4 {
			return nil
		}
		for sub := free; ; sub = (sub - 1) & free {
			values = append(values, m.Value|sub)
			if sub == 0 {
				break
			}
		}
	}
	slices.Sort(values)
	if values = slices.Compact(values); len(values) == 1 || len(values) > maxMembers {
		return nil
	}
	var items []string
	for _, v := range values {
		items = append(items, x.text(v, x.numeric))
	}
	return items
}
