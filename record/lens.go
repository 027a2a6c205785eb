package record

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/words"
)

// A lens says what is kept of an argument: the value of some bits, and of others
// whether they were ever set. The zero lens keeps nothing.
type lens struct{ value, set uint64 }

// maxValues is how many combinations of values a profile names before it leaves
// an argument open: more are numbers that were computed, not chosen.
const maxValues = 16

// maxSeen bounds the memory for combinations of values of one call.
const maxSeen = 4096

// shape chooses the lenses of a call: those that show what the base tests and, if asked
// for, what the tables know to be constants and flags.
func (c *call) shape(r *Recording) {
	base := Clauses(r.base, &c.First)
	c.strict = slices.ContainsFunc(base, func(c policy.Clause) bool { return !Passes(c.Action) })
	for i := range c.lenses {
		var known lens
		if r.options.Args && c.name.Valid() {
			known = lensFor(words.At(c.ABI, c.name, i))
		}
		c.lenses[i] = known.showing(base, uint8(i))
	}
	if c.tested = c.lenses != [6]lens{}; c.tested {
		c.seen = make(map[[6]uint64]*[6]uint64)
	}
}

// lensFor returns the lens for an argument without regard to the base.
func lensFor(x words.Arg) lens {
	switch x.Kind() {
	case words.Enum:
		return lens{value: ^uint64(0)}
	case words.Flags:
		// No flag is above bit 31. Larger numbers are lost on programs that take those
		// of JSON for floating-point ones.
		l := lens{set: 1<<32 - 1}
		for _, c := range x.Constants() {
			if c.Mask != c.Value && c.Mask != ^uint64(0) { // a field, such as that of O_RDWR
				l.value |= c.Mask
			}
		}
		l.set &^= l.value
		return l
	default:
		return lens{}
	}
}

// Passes reports whether the kernel executes a call that gets an action, with no
// tracer and no listener around.
func Passes(a cbpf.Action) bool {
	return a.Class() == cbpf.Allow || a.Class() == cbpf.Log
}

// Clauses returns the clauses of a policy for the number of a call, nil if there are
// none.
func Clauses(r *policy.Resolved, d *cbpf.Data) []policy.Clause {
	if r == nil {
		return nil
	}
	for _, s := range r.Spaces {
		if s.Audit != d.Arch {
			continue
		}
		i, ok := slices.BinarySearchFunc(s.Calls, d.NR, func(c policy.Call, nr uint32) int { return cmp.Compare(c.NR, nr) })
		if ok {
			return s.Calls[i].Clauses
		}
	}
	return nil
}

// showing returns the lens that also shows all that clauses test of an argument. Where
// they only ask that flags are unset to let the call pass, it is enough to know which
// were ever set; otherwise each value counts.
func (l lens) showing(list []policy.Clause, arg uint8) lens {
	var mask uint64
	flags, fits := true, true
	for _, clause := range list {
		for _, c := range clause.Conds {
			if c.Arg != arg {
				continue
			}
			mask |= c.Mask
			flags = flags && Passes(clause.Action) && c.Op == policy.MaskedEqual && c.Value == 0
			fits = fits && Passes(clause.Action) && l.fits(c)
		}
	}
	switch {
	case mask == 0 || fits:
		return l
	case flags:
		return lens{l.value, (l.set | mask) &^ l.value}
	}
	mask |= l.value
	return lens{mask, l.set &^ mask}
}

// fits reports whether a condition is of the kind that the lens leads to.
func (l lens) fits(c policy.Cond) bool {
	switch c.Op {
	case policy.Equal:
		return c.Mask&^l.value == 0
	case policy.MaskedEqual:
		return l.value&^c.Mask == 0 && c.Mask&^(l.value|l.set) == 0 && c.Value&^l.value == 0
	default:
		return false
	}
}

// see keeps what the lenses show of the arguments of a call.
func (c *call) see(args *[6]uint64) {
	var values [6]uint64
	for i, l := range c.lenses {
		values[i] = args[i] & l.value
	}
	set := c.seen[values]
	if set == nil {
		if len(c.seen) == maxSeen {
			return
		}
		set = new([6]uint64)
		c.seen[values] = set
	}
	for i, l := range c.lenses {
		set[i] |= args[i] & l.set
	}
}

// A combination is what the lenses keep of the arguments of some calls: values, and
// the bits that were set beside them.
type combination struct{ values, set [6]uint64 }

// combinations returns what was recorded of the arguments, sorted, and the lenses that
// it was reduced to. Of too many combinations the arguments with the most values
// are left open.
func (c *call) combinations() (list []combination, lenses [6]lens, open bool) {
	lenses = c.lenses
	seen := c.seen
	for len(seen) > maxValues && !c.strict {
		seen = forget(seen, mostValues(seen, &lenses), &lenses)
		open = true
	}
	for v, b := range seen {
		list = append(list, combination{v, *b})
	}
	slices.SortFunc(list, func(a, b combination) int { return slices.Compare(a.values[:], b.values[:]) })
	return list, lenses, open
}

// mostValues returns the argument with the most values, the last of several.
func mostValues(seen map[[6]uint64]*[6]uint64, lenses *[6]lens) (arg int) {
	most := 0
	for i := range lenses {
		distinct := make(map[uint64]bool)
		for v := range seen {
			distinct[v[i]] = true
		}
		if len(distinct) >= most {
			arg, most = i, len(distinct)
		}
	}
	return arg
}

// forget leaves an argument open.
func forget(seen map[[6]uint64]*[6]uint64, arg int, lenses *[6]lens) map[[6]uint64]*[6]uint64 {
	lenses[arg] = lens{}
	left := make(map[[6]uint64]*[6]uint64)
	for v, b := range seen {
		v[arg] = 0
		if left[v] == nil {
			left[v] = new([6]uint64)
		}
		for i := range b {
			left[v][i] |= b[i]
		}
	}
	return left
}
