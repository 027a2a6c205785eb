package record

import (
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
)

// An argMask says what a recording keeps of an argument: the value of some bits, and of others
// whether they were ever set. The zero argMask keeps nothing.
type argMask struct{ value, set uint64 }

// maxValues is how many combinations of values a profile names before it leaves
// an argument open: more are numbers that were computed, not chosen.
const maxValues = 16

// maxSeen bounds the memory for combinations of values of one call.
const maxSeen = 4096

// shape chooses the masks of a call: those that show what the base tests and, if asked
// for, what the tables know to be constants and flags.
func (c *call) shape(r *Recording) {
	base := r.base.Clauses(c.First.Arch, c.First.NR)
	c.strict = slices.ContainsFunc(base, func(c policy.Clause) bool { return !c.Action.Permits(cbpf.Alone) })
	for i := range c.masks {
		known := r.argMask(c, i)
		c.masks[i] = known.showing(base, uint8(i))
	}
	c.netlink = c.name.Name() == "socket" && !r.options.Args && onlyNetlink(base)
	if c.tested = c.masks != [6]argMask{}; c.tested {
		c.seen = make(map[[6]uint64]*[6]uint64)
	}
}

// argMask returns the mask for an argument without regard to the base. Which operations a
// program asks of futex is a matter of luck.
func (r *Recording) argMask(c *call, arg int) argMask {
	if r.options.single {
		return argMask{}
	}
	name := c.name.Name()
	l := guard(c.ABI, name, arg)
	if r.options.Args && c.name.Valid() && name != "futex" && name != "futex_time64" {
		known := argMaskFor(symbols.At(c.ABI, c.name, arg))
		l.value |= known.value
		l.set = (l.set | known.set) &^ l.value
	}
	return l
}

// argMaskFor returns the mask for an argument whose values have names.
func argMaskFor(x symbols.Arg) argMask {
	switch x.Kind() {
	case symbols.Enum:
		return argMask{value: ^uint64(0)}
	case symbols.Flags:
		// No flag is above bit 31. Larger numbers are lost on programs that take those
		// of JSON for floating-point ones.
		l := argMask{set: 1<<32 - 1}
		for _, c := range x.Constants() {
			if c.Mask != c.Value && c.Mask != ^uint64(0) { // a field, such as that of O_RDWR
				l.value |= c.Mask
			}
		}
		l.set &^= l.value
		return l
	default:
		return argMask{}
	}
}

// showing returns the mask that also shows all that clauses test of an argument. Where
// they only ask that flags are unset to let the call pass, it is enough to know which
// were ever set; otherwise each value counts.
func (l argMask) showing(list []policy.Clause, arg uint8) argMask {
	var mask uint64
	flags, fits := true, true
	for _, clause := range list {
		for _, c := range clause.Conds {
			if c.Arg != arg {
				continue
			}
			mask |= c.Mask
			flags = flags && clause.Action.Permits(cbpf.Alone) && c.Op == policy.MaskedEqual && c.Value == 0
			fits = fits && clause.Action.Permits(cbpf.Alone) && l.fits(c)
		}
	}
	switch {
	case mask == 0 || fits:
		return l
	case flags:
		return argMask{l.value, (l.set | mask) &^ l.value}
	}
	mask |= l.value
	return argMask{mask, l.set &^ mask}
}

// fits reports whether a condition is of the kind that the mask leads to.
func (l argMask) fits(c policy.Cond) bool {
	switch c.Op {
	case policy.Equal:
		return c.Mask&^l.value == 0
	case policy.MaskedEqual:
		return l.value&^c.Mask == 0 && c.Mask&^(l.value|l.set) == 0 && c.Value&^l.value == 0
	default:
		return false
	}
}

// see keeps what the masks show of the arguments of a call.
func (c *call) see(args *[6]uint64) {
	var values [6]uint64
	for i, l := range c.masks {
		values[i] = args[i] & l.value
	}
	if c.netlink && values[0] != afNetlink {
		values[2] = 0
	}
	set := c.seen[values]
	if set == nil {
		if len(c.seen) == maxSeen {
			return
		}
		set = new([6]uint64)
		c.seen[values] = set
	}
	for i, l := range c.masks {
		set[i] |= args[i] & l.set
	}
}

// A combination is what the masks keep of the arguments of some calls: values, and
// the bits that were set along with them.
type combination struct{ values, set [6]uint64 }

// combinations returns what was recorded of the arguments, sorted, and the masks that
// it was reduced to. Of too many combinations the arguments with the most values
// are left open.
func (c *call) combinations() (list []combination, masks [6]argMask, open bool) {
	masks = c.masks
	seen := c.seen
	for len(seen) > maxValues && !c.strict {
		seen = forget(seen, mostValues(seen, &masks), &masks)
		open = true
	}
	for v, b := range seen {
		list = append(list, combination{v, *b})
	}
	slices.SortFunc(list, func(a, b combination) int { return slices.Compare(a.values[:], b.values[:]) })
	return list, masks, open
}

// mostValues returns the argument with the most values, the last of several.
func mostValues(seen map[[6]uint64]*[6]uint64, masks *[6]argMask) (arg int) {
	most := 0
	for i := range masks {
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
func forget(seen map[[6]uint64]*[6]uint64, arg int, masks *[6]argMask) map[[6]uint64]*[6]uint64 {
	masks[arg] = argMask{}
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
