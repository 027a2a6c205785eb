package report

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
	"github.com/seccompile/seccompile/words"
)

// caseText writes conditions on a call that must all hold.
func caseText(abi arch.ABI, nr uint32, c proof.Case) string {
	call, _ := syscalltables.ByNumber(abi, nr)
	var out []string
	for i := range c {
		x := argument{words.At(abi, call, c[i].Arg), 1<<abi.Bits() - 1}
		for j := range c {
			if v, ok := single(&c[j].Values); ok && c[j].Arg != c[i].Arg {
				x.Arg = x.Given(c[j].Arg, v)
			}
		}
		text := x.condition(&c[i].Values)
		if len(c) > 1 && strings.Contains(text, " or ") {
			text = "(" + text + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, " and ")
}

// single returns the only value of a set.
func single(v *proof.Values) (uint64, bool) {
	if !v.Not && len(v.Ranges) == 1 && v.Ranges[0].First == v.Ranges[0].Last {
		return v.Ranges[0].First, true
	}
	return 0, false
}

// An argument of a call has all bits of its ABI's arguments.
type argument struct {
	words.Arg
	all uint64
}

// condition writes a set of values as a condition.
func (x argument) condition(v *proof.Values) string {
	if len(v.Masks) > 0 {
		return x.masks(v)
	}
	mask := x.all
	if v.Width == 32 {
		mask = 1<<32 - 1
	}
	if len(v.Ranges) == 1 {
		switch r := v.Ranges[0]; {
		case r.First == r.Last && v.Not:
			return x.Compare("!=", mask, r.First)
		case r.First == r.Last:
			return x.Compare("==", mask, r.First)
		case r.First == 0 && v.Not:
			return x.Compare(">", mask, r.Last)
		case r.First == 0:
			return x.Compare("<=", mask, r.Last)
		case r.Last == mask && v.Not:
			return x.Compare("<", mask, r.First)
		case r.Last == mask:
			return x.Compare(">=", mask, r.First)
		}
	}
	var items []string
	for _, r := range v.Ranges {
		item := x.Text(r.First)
		if r.Last == mask && r.First != mask {
			item += " and above"
		} else if r.First != r.Last {
			item += " to " + x.Text(r.Last)
		}
		items = append(items, item)
	}
	return x.in(mask, v.Not, items)
}

// in writes that a value is, or is not, in a list.
func (x argument) in(mask uint64, not bool, items []string) string {
	text := x.Name()
	if mask != x.all {
		text += fmt.Sprintf(" & %#x", mask)
	}
	if not {
		text += " not"
	}
	return text + " in {" + strings.Join(items, ", ") + "}"
}

// masks writes a condition on bits, or on the values that it leaves if they are few.
func (x argument) masks(v *proof.Values) string {
	if items := x.members(v.Masks); items != nil {
		return x.in(x.all, v.Not, items)
	}
	op, and := "==", " or "
	if v.Not {
		op, and = "!=", " and "
	}
	var tests []string
	for _, m := range v.Masks {
		tests = append(tests, x.Compare(op, m.Mask, m.Value))
	}
	return strings.Join(tests, and)
}

// maxMembers is how many values are listed instead of the bits that they have.
const maxMembers = 16

// members lists the values that masks leave, nil if they are many or one.
func (x argument) members(masks []proof.Mask) []string {
	var values []uint64
	for _, m := range masks {
		free := x.all &^ m.Mask
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
		items = append(items, x.Text(v))
	}
	return items
}

// maxRulings is how many exclusive cases of one call are listed.
const maxRulings = 64

// rulings writes a decision by arguments as cases that exclude each other, the last
// for all that remains. more says that some are left out.
func rulings(abi arch.ABI, nr uint32, t *proof.Tree) (list []ruling, more bool) {
	last := t
	for len(last.Arms) > 0 {
		last = last.Arms[len(last.Arms)-1].Then
	}
	var walk func(t *proof.Tree, when proof.Case)
	walk = func(t *proof.Tree, when proof.Case) {
		switch {
		case more || len(t.Arms) == 0 && t.Action == last.Action:
		case len(t.Arms) == 0 && len(list) == maxRulings:
			more = true
		case len(t.Arms) == 0:
			list = append(list, ruling{chip: chipOf(abi, t.Action), When: caseText(abi, nr, when)})
		default:
			for _, arm := range t.Arms {
				walk(arm.Then, append(when[:len(when):len(when)], proof.When{Arg: t.Arg, Values: arm.Values}))
			}
		}
	}
	walk(t, nil)
	return append(list, ruling{chip: chipOf(abi, last.Action), When: "otherwise"}), more
}
