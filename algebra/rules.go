package algebra

import (
	"math/bits"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// A choice is a rule without names.
type choice struct {
	args   []policy.Arg
	action cbpf.Action // with data
}

// rulesOf returns rules that give a call what a tree does, but for what the default action
// does. No two of them hold together, so their order does not matter. width is the mask of an
// argument of the ABI. ok is false if they are more than most.
func rulesOf(t *proof.Tree, standard cbpf.Action, width uint64, most int) (rules []choice, ok bool) {
	var walk func(t *proof.Tree, args []policy.Arg) bool
	walk = func(t *proof.Tree, args []policy.Arg) bool {
		if len(t.Arms) == 0 {
			if t.Action != standard {
				rules = append(rules, choice{args, t.Action})
			}
			return len(rules) <= most
		}
		for i := range t.Arms {
			arm := &t.Arms[i]
			if only(arm.Then, standard) {
				continue
			}
			tests := testsOf(&arm.Values, uint(t.Arg), width, most)
			if tests == nil {
				return false
			}
			for _, test := range tests {
				if !walk(arm.Then, append(args[:len(args):len(args)], test...)) {
					return false
				}
			}
		}
		return true
	}
	return rules, walk(t, nil) && len(rules) <= most
}

// only reports whether a tree has no other action.
func only(t *proof.Tree, a cbpf.Action) bool { return len(t.Arms) == 0 && t.Action == a }

// testsOf returns tests of one argument, each none or one condition, of which exactly one
// holds for each of some values; nil if they are more than most.
//
// A rule holds on 32-bit ABIs, too, where the upper halves of its values are cut off. So values
// from n on are those greater than n-1: greater or equal to 1<<32 would be any there. And
// what is about the upper half alone is greater than 1<<32 - 1: a mask would be no condition.
func testsOf(v *proof.Values, index uint, width uint64, most int) (tests [][]policy.Arg) {
	top := ^uint64(0) >> (64 - v.Width)
	test := func(op policy.Op, value, two uint64) {
		tests = append(tests, []policy.Arg{{Index: index, Op: op, Value: value, ValueTwo: two}})
	}
	masked := func(m proof.Mask) {
		switch m.Mask {
		case 0:
			tests = append(tests, nil)
		case width:
			test(policy.Equal, m.Value, 0)
		default:
			test(policy.MaskedEqual, m.Mask, m.Value)
		}
	}
	if v.Masks != nil {
		masks := v.Masks
		if v.Not {
			start := proof.Mask{}
			if below := func(m proof.Mask) bool { return m.Mask&upper == upper && m.Value&upper == 0 }; top == width && top > low && all(masks, below) {
				test(policy.Greater, low, 0)
				start.Mask = upper
			}
			masks = others(start, v.Masks, top, most)
		}
		for _, m := range masks {
			masked(m)
		}
		return bounded(tests, most)
	}
	if single := len(v.Ranges) == 1 && v.Ranges[0].First == v.Ranges[0].Last; single && v.Not && top == width {
		test(policy.NotEqual, v.Ranges[0].First, 0)
		return tests
	}
	ranges := v.Ranges
	if v.Not {
		ranges = between(v.Ranges, top)
	}
	for _, r := range ranges {
		switch {
		case top == width && r.First == 0 && r.Last < top:
			test(policy.LessEqual, r.Last, 0)
		case top == width && 0 < r.First && r.First < r.Last && r.Last == top:
			test(policy.Greater, r.First-1, 0)
		default:
			for _, m := range prefixes(r, top) {
				masked(m)
			}
		}
	}
	return bounded(tests, most)
}

const (
	low   = 1<<32 - 1 // the half of an argument that 32-bit ABIs have
	upper = ^uint64(low)
)

func all(masks []proof.Mask, holds func(proof.Mask) bool) bool {
	return !slices.ContainsFunc(masks, func(m proof.Mask) bool { return !holds(m) })
}

func bounded(tests [][]policy.Arg, most int) [][]policy.Arg {
	if len(tests) > most {
		return nil
	}
	return tests
}

// between returns the values up to top that are in none of some ascending ranges.
func between(ranges []proof.Range, top uint64) (gaps []proof.Range) {
	next := uint64(0)
	for _, r := range ranges {
		if next < r.First {
			gaps = append(gaps, proof.Range{First: next, Last: r.First - 1})
		}
		if r.Last == top {
			return gaps
		}
		next = r.Last + 1
	}
	return append(gaps, proof.Range{First: next, Last: top})
}

// prefixes returns the masks that a range is made of, disjoint.
func prefixes(r proof.Range, top uint64) (masks []proof.Mask) {
	for first := r.First; ; {
		size := uint64(1)
		for size<<1 != 0 && first&(size<<1-1) == 0 && size<<1-1 <= r.Last-first {
			size <<= 1
		}
		masks = append(masks, proof.Mask{Mask: top &^ (size - 1), Value: first})
		if r.Last-first < size {
			return masks
		}
		first += size
	}
}

// others returns masks that together hold for the values of start for which none of some
// masks does; they are disjoint. It stops when they are more than most.
func others(start proof.Mask, masks []proof.Mask, top uint64, most int) []proof.Mask {
	left := []proof.Mask{start}
	for _, m := range masks {
		var next []proof.Mask
		for _, cube := range left {
			if (cube.Value^m.Value)&cube.Mask&m.Mask != 0 {
				next = append(next, cube)
				continue
			}
			for free := m.Mask &^ cube.Mask & top; free != 0; { // one more bit is the mask's, and then one is not
				bit := uint64(1) << (63 - bits.LeadingZeros64(free))
				next = append(next, proof.Mask{Mask: cube.Mask | bit, Value: cube.Value | ^m.Value&bit})
				cube.Mask, cube.Value = cube.Mask|bit, cube.Value|m.Value&bit
				free &^= bit
			}
		}
		if left = next; len(left) > most {
			break
		}
	}
	return left
}
