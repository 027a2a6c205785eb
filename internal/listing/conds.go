package listing

import (
	"math/bits"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// most bounds the lists of conditions that one call's rules become. Who wrote them wrote
// fewer, and languages without an else need some more.
const most = 512

// Where returns when a call gets an action: any of some lists of conditions, all of which
// must hold. ok is false if that takes too many. Lists for different actions never hold
// together.
func (c *Call) Where(action cbpf.Action) (lists [][]policy.Cond, ok bool) {
	width := ^uint64(0) >> (64 - c.ABI.Bits())
	left := [][]policy.Cond{nil} // of calls with another action, what no clause has decided yet
	for _, clause := range c.Clauses {
		if clause.Action == action {
			lists = append(lists, and(left, [][]policy.Cond{clause.Conds}, width)...)
			continue
		}
		var fails [][]policy.Cond
		for _, cond := range clause.Conds {
			fails = append(fails, []policy.Cond{Opposite(cond)})
		}
		if left = minimal(and(left, fails, width)); len(left) > most || len(lists) > most {
			return nil, false
		}
	}
	return minimal(lists), true
}

// Opposite returns the condition that holds where another one does not.
func Opposite(c policy.Cond) policy.Cond {
	c.Op = map[policy.Op]policy.Op{
		policy.Equal: policy.NotEqual, policy.NotEqual: policy.Equal, policy.Less: policy.GreaterEqual, policy.GreaterEqual: policy.Less,
		policy.Greater: policy.LessEqual, policy.LessEqual: policy.Greater, policy.MaskedEqual: policy.MaskedNotEqual, policy.MaskedNotEqual: policy.MaskedEqual,
	}[c.Op]
	return c
}

// and returns the lists of which one of x and one of y are made.
func and(x, y [][]policy.Cond, width uint64) (both [][]policy.Cond) {
	for _, a := range x {
		for _, b := range y {
			if list, ok := reduced(append(slices.Clone(a), b...), width); ok {
				both = append(both, list)
			}
			if len(both) > 2*most {
				return both
			}
		}
	}
	return both
}

// minimal leaves out lists that hold only where another one does.
func minimal(lists [][]policy.Cond) (kept [][]policy.Cond) {
	for i, list := range lists {
		implied := func(j int) bool {
			other := lists[j]
			all := !slices.ContainsFunc(other, func(c policy.Cond) bool { return !slices.Contains(list, c) })
			return i != j && all && (len(other) < len(list) || j < i)
		}
		redundant := false
		for j := range lists {
			redundant = redundant || implied(j)
		}
		if !redundant {
			kept = append(kept, list)
		}
	}
	return kept
}

// reduced returns the conditions that a list comes to, sorted by argument; ok is false if
// they cannot hold together. Those on different arguments have nothing to do with each other.
func reduced(list []policy.Cond, width uint64) (out []policy.Cond, ok bool) {
	for arg := range uint8(6) {
		v := values{high: width}
		for _, c := range list {
			if c.Arg == arg && !v.add(c, width) {
				return nil, false
			}
		}
		conds, ok := v.conds(arg, width)
		if !ok {
			return nil, false
		}
		out = append(out, conds...)
	}
	return out, true
}

// Values are those of an argument for which conditions hold.
type values struct {
	low, high uint64
	not       []uint64
	mask, bit uint64        // the bits that are known
	others    []policy.Cond // MaskedNotEqual, and comparisons of the lower half
}

func (v *values) add(c policy.Cond, width uint64) (ok bool) {
	if c.Op == policy.MaskedNotEqual && bits.OnesCount64(c.Mask) == 1 {
		c.Op, c.Value = policy.MaskedEqual, c.Value^c.Mask
	}
	switch {
	case c.Op == policy.MaskedEqual || c.Op == policy.Equal && c.Mask != width:
		if both := v.mask & c.Mask; v.bit&both != c.Value&both {
			return false
		}
		v.mask, v.bit = v.mask|c.Mask, v.bit|c.Value
	case c.Mask != width:
		if c.Op == policy.NotEqual {
			c.Op = policy.MaskedNotEqual
		}
		if !slices.Contains(v.others, c) {
			v.others = append(v.others, c)
		}
	case c.Op == policy.Equal:
		v.low, v.high = max(v.low, c.Value), min(v.high, c.Value)
	case c.Op == policy.NotEqual || c.Op == policy.MaskedNotEqual:
		v.not = append(v.not, c.Value)
	case c.Op == policy.Less:
		if c.Value == 0 {
			return false
		}
		v.high = min(v.high, c.Value-1)
	case c.Op == policy.LessEqual:
		v.high = min(v.high, c.Value)
	case c.Op == policy.GreaterEqual:
		v.low = max(v.low, c.Value)
	case c.Op == policy.Greater:
		if c.Value == width {
			return false
		}
		v.low = max(v.low, c.Value+1)
	}
	return true
}

// conds returns the fewest conditions for the values.
func (v *values) conds(arg uint8, width uint64) (list []policy.Cond, ok bool) {
	if v.mask == width {
		v.low, v.high, v.mask = max(v.low, v.bit), min(v.high, v.bit), 0
		if v.low > v.high {
			return nil, false
		}
	}
	slices.Sort(v.not)
	for _, n := range v.not {
		if v.low == n && v.low <= v.high {
			if v.low == v.high {
				return nil, false
			}
			v.low++
		}
	}
	for _, n := range slices.Backward(v.not) {
		if v.high == n && v.low <= v.high {
			if v.low == v.high {
				return nil, false
			}
			v.high--
		}
	}
	add := func(op policy.Op, mask, value uint64) {
		list = append(list, policy.Cond{Arg: arg, Op: op, Mask: mask, Value: value})
	}
	switch {
	case v.low > v.high:
		return nil, false
	case v.low == v.high:
		holds := v.low&v.mask == v.bit&v.mask
		for _, c := range v.others {
			holds = holds && c.Op != policy.MaskedNotEqual || holds && v.low&c.Mask != c.Value
		}
		if !holds {
			return nil, false
		}
		add(policy.Equal, width, v.low)
		return append(list, slices.DeleteFunc(v.others, func(c policy.Cond) bool { return c.Op == policy.MaskedNotEqual })...), true
	}
	if v.low > 0 {
		add(policy.GreaterEqual, width, v.low)
	}
	if v.high < width {
		add(policy.LessEqual, width, v.high)
	}
	for _, n := range slices.Compact(v.not) {
		if v.low < n && n < v.high {
			add(policy.NotEqual, width, n)
		}
	}
	if v.mask != 0 {
		add(policy.MaskedEqual, v.mask, v.bit)
	}
	for _, c := range v.others {
		if c.Op != policy.MaskedNotEqual {
			list = append(list, c)
		} else if known := c.Mask & v.mask; v.bit&known == c.Value&known { // else it holds anyway
			if known == c.Mask {
				return nil, false
			}
			add(policy.MaskedNotEqual, c.Mask&^known, c.Value&^known)
		}
	}
	return list, true
}

// Bits returns conditions of which one holds where a masked comparison fails: one for each
// bit that may be another.
func Bits(c policy.Cond) (any []policy.Cond) {
	for rest := c.Mask; rest != 0; rest &= rest - 1 {
		bit := uint64(1) << bits.TrailingZeros64(rest)
		any = append(any, policy.Cond{Arg: c.Arg, Op: policy.MaskedEqual, Mask: bit, Value: ^c.Value & bit})
	}
	return any
}

// Prefixes returns masked comparisons of which one holds where a comparison of the lower
// half does.
func Prefixes(c policy.Cond) (any []policy.Cond) {
	limit, below := c.Value, c.Op == policy.Less || c.Op == policy.LessEqual
	switch c.Op {
	case policy.LessEqual, policy.Greater: // equal counts as below
		if limit == c.Mask {
			if below {
				return []policy.Cond{{Arg: c.Arg, Op: policy.MaskedEqual}}
			}
			return nil
		}
		limit++
	default:
	}
	for rest := c.Mask; rest != 0; rest &= rest - 1 { // the lowest bit in which the two differ first
		bit := uint64(1) << bits.TrailingZeros64(rest)
		if (limit&bit != 0) == below {
			any = append(any, policy.Cond{Arg: c.Arg, Op: policy.MaskedEqual, Mask: rest, Value: limit&rest ^ bit})
		}
	}
	if !below {
		any = append(any, policy.Cond{Arg: c.Arg, Op: policy.MaskedEqual, Mask: c.Mask, Value: limit})
	}
	return any
}
