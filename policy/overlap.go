package policy

import (
	"cmp"
	"math/bits"
	"slices"
)

// maxExcluded bounds the search for a value that no condition excludes.
const maxExcluded = 64

// A region is the values of one argument that satisfy conditions on it: those from lo to
// hi that have bits under mask and are not excluded.
type region struct {
	width      uint64 // all values of the argument have no bit outside
	lo, hi     uint64
	mask, bits uint64
	excluded   []Cond
}

func newRegion(width uint64) region { return region{width: width, hi: width} }

// add leaves only the values that satisfy c too. It reports whether any may be left.
func (r *region) add(c Cond) bool {
	if !c.Op.masked() && c.Op != Equal && c.Op != NotEqual {
		r.hi = min(r.hi, c.Mask) // of a bound on the lower half, values without an upper one
	}
	switch c.Op {
	case Equal, MaskedEqual:
		if (r.bits^c.Value)&r.mask&c.Mask != 0 {
			return false
		}
		r.mask |= c.Mask
		r.bits |= c.Value
	case NotEqual, MaskedNotEqual:
		r.excluded = append(r.excluded, c)
	case Less:
		if c.Value == 0 {
			return false
		}
		r.hi = min(r.hi, c.Value-1)
	case LessEqual:
		r.hi = min(r.hi, c.Value)
	case GreaterEqual:
		r.lo = max(r.lo, c.Value)
	case Greater:
		if c.Value == c.Mask {
			return false
		}
		r.lo = max(r.lo, c.Value+1)
	}
	return r.lo <= r.hi
}

// least returns the smallest value of the region. It gives up where exclusions leave out
// too many.
func (r *region) least() (v uint64, ok bool) {
	v, ok = r.masked(r.lo)
	for range maxExcluded {
		if !ok || v > r.hi {
			break
		}
		i := slices.IndexFunc(r.excluded, func(c Cond) bool { return v&c.Mask == c.Value })
		if i < 0 {
			return v, true
		}
		free := r.excluded[i].Mask &^ r.mask
		below := free&-free - 1 // the bits below the lowest one that leads out
		if free == 0 || v|below >= r.hi {
			return 0, false
		}
		v, ok = r.masked((v | below) + 1)
	}
	return 0, false
}

// masked returns the smallest value from lo on that has the region's bits under
// its mask.
func (r *region) masked(lo uint64) (v uint64, ok bool) {
	free := r.width &^ r.mask
	v = lo&free | r.bits
	if v == lo {
		return v, true
	}
	top := uint64(1) << (bits.Len64(v^lo) - 1) // the highest bit that the mask changes in lo
	if v&top == 0 {
		// It lowers v: the next free bit above that lo does not have makes up for it.
		carry := free &^ lo &^ (top - 1)
		if carry == 0 {
			return 0, false
		}
		top = carry & -carry
		v |= top
	}
	return v &^ (free & (top - 1)), true
}

// A span is the values between the least and the greatest that a rule may allow
// one argument to have.
type span struct {
	lo, hi uint64
	at     int32 // place of the rule in the list
}

// Limits on the search for overlaps on one call. With them its time is linear in
// the number of rules, however they lie; without, it finds every pair.
const (
	maxOverlaps  = 8
	minPairs     = 1 << 15
	pairsPerRule = 32
)

// overlaps calls report for pairs of rules with different actions that some
// call satisfies both of, the earlier one in the list first, with the arguments of
// such a call. It returns whether these are all; report returns whether it wants
// more.
func (r *resolver) overlaps(list []candidate, width uint64, report func(first, later *candidate, args [6]uint64) bool) (all bool) {
	if !r.differ(list) {
		return true
	}
	pairs := minPairs + pairsPerRule*len(list)
	var open []span // those that may reach to the next one
	for _, s := range spans(list, width) {
		open = slices.DeleteFunc(open, func(o span) bool { return o.hi < s.lo })
		if pairs -= len(open); pairs < 0 {
			return false
		}
		for _, o := range open {
			first, later := &list[min(o.at, s.at)], &list[max(o.at, s.at)]
			if r.rules[first.rule].action == r.rules[later.rule].action {
				continue
			}
			if args, ok := witness(first.conds, later.conds, width); ok && !report(first, later, args) {
				return false
			}
		}
		open = append(open, s)
	}
	return true
}

// differ reports whether rules have different actions.
func (r *resolver) differ(list []candidate) bool {
	return slices.ContainsFunc(list, func(c candidate) bool {
		return r.rules[c.rule].action != r.rules[list[0].rule].action
	})
}

// spans returns the spans of rules on the argument that most of them test, by
// ascending lo. Rules that hold for no value of it are left out.
func spans(list []candidate, width uint64) []span {
	var tests [6]int
	for i := range list {
		for _, c := range list[i].conds {
			tests[c.Arg]++
		}
	}
	arg := uint8(0)
	for i := range tests {
		if tests[i] > tests[arg] {
			arg = uint8(i)
		}
	}
	all := make([]span, 0, len(list))
	for i := range list {
		s := span{0, width, int32(i)}
		possible := true
		for _, c := range list[i].conds {
			if c.Arg == arg {
				s.lo, s.hi, possible = hull(c, width)
			}
		}
		if possible {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.at, b.at)) })
	return all
}

// hull returns bounds of the values that satisfy a condition.
func hull(c Cond, width uint64) (lo, hi uint64, possible bool) {
	r := newRegion(width)
	possible = r.add(c)
	return max(r.lo, r.bits), min(r.hi, r.bits|width&^r.mask), possible
}

// witness returns arguments that satisfy the conditions of both lists.
func witness(a, b []Cond, width uint64) (args [6]uint64, ok bool) {
	var regions [6]region
	for i := range regions {
		regions[i] = newRegion(width)
	}
	for _, conds := range [...][]Cond{a, b} {
		for _, c := range conds {
			if !regions[c.Arg].add(c) {
				return args, false
			}
		}
	}
	for i := range regions {
		if args[i], ok = regions[i].least(); !ok {
			return args, false
		}
	}
	return args, true
}
