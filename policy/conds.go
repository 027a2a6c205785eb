package policy

import (
	"cmp"
	"slices"
)

// reduced returns conditions that hold for the same arguments as some conditions do
// together, sorted: of each argument at most one that compares bits, or the whole, one
// bound at each end, and those that exclude values. Conditions that are alone on their
// argument stay as they are. ok is false if it is plain that they cannot all hold. width is
// the mask of an argument.
func reduced(conds []Cond, width uint64) (simple []Cond, ok bool) {
	slices.SortStableFunc(conds, func(x, y Cond) int { return cmp.Compare(x.Arg, y.Arg) })
	for len(conds) > 0 {
		n := 1
		for n < len(conds) && conds[n].Arg == conds[0].Arg {
			n++
		}
		if n == 1 {
			simple = append(simple, conds[0])
		} else if simple, ok = reduceArg(simple, conds[:n], width); !ok {
			return nil, false
		}
		conds = conds[n:]
	}
	return simple, true
}

// reduceArg appends what conditions on one argument are together.
func reduceArg(simple, conds []Cond, width uint64) ([]Cond, bool) {
	r := newRegion(width)
	for _, c := range conds {
		if c.Mask != width && Less <= c.Op && c.Op <= Greater && c.Op != Equal {
			return append(simple, conds...), true // a part of the argument has no place in the region
		}
		if !r.add(c) {
			return nil, false
		}
	}
	arg := conds[0].Arg
	least, most := r.bits, r.bits|width&^r.mask // of the values with these bits
	lo, hi := max(r.lo, least), min(r.hi, most)
	if lo > hi {
		return nil, false
	}
	if lo == hi {
		v, ok := r.least()
		return append(simple, Cond{arg, Equal, width, v}), ok
	}
	if r.mask != 0 {
		simple = append(simple, Cond{arg, MaskedEqual, r.mask, r.bits})
	}
	if lo > least {
		simple = append(simple, Cond{arg, GreaterEqual, width, lo})
	}
	if hi < most {
		simple = append(simple, Cond{arg, LessEqual, width, hi})
	}
	from := len(simple)
	for _, c := range r.excluded {
		if (c.Value^r.bits)&c.Mask&r.mask != 0 {
			continue // other bits exclude it
		}
		left := Cond{arg, MaskedNotEqual, c.Mask &^ r.mask, c.Value &^ r.mask}
		switch {
		case left.Mask == 0:
			return nil, false
		case c.Mask == width && (c.Value < lo || hi < c.Value):
			continue
		case left.Mask == width:
			left.Op = NotEqual
		}
		if !slices.Contains(simple[from:], left) {
			simple = append(simple, left)
		}
	}
	return simple, true
}
