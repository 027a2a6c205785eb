package compiler

import (
	"math"

	"github.com/seccompile/seccompile/policy"
)

// A halves is a condition taken apart into the two words of its argument: whether
// both equal a value under a mask, or, ordered, whether the argument is at least
// a value; negated for the opposite.
type halves struct {
	arg              uint8
	ordered, negated bool
	wide             bool // the upper word counts
	maskHi, maskLo   uint32
	hi, lo           uint32
	constant         truth // yes or no where nothing is left to test
}

// A truth is what is known about a condition.
type truth uint8

const (
	open truth = iota
	yes
	no
)

func (t truth) negate(really bool) truth {
	if !really || t == open {
		return t
	}
	return yes + no - t
}

// split takes a condition apart. x > v is x >= v+1, x <= v its opposite.
func split(c policy.Cond) halves {
	t := halves{arg: c.Arg, wide: c.Mask>>32 != 0}
	v := c.Value
	switch c.Op {
	case policy.NotEqual:
		t.negated = true
	case policy.Less:
		t.ordered, t.negated = true, true
	case policy.LessEqual, policy.Greater:
		t.ordered, t.negated = true, c.Op == policy.LessEqual
		if v == c.Mask { // no value is greater than the largest
			t.constant = no.negate(t.negated)
			return t
		}
		v++
	case policy.GreaterEqual:
		t.ordered = true
	case policy.Equal, policy.MaskedEqual:
	}
	if t.ordered && v == 0 {
		t.constant = yes.negate(t.negated)
	}
	t.maskHi, t.maskLo = uint32(c.Mask>>32), uint32(c.Mask)
	t.hi, t.lo = uint32(v>>32), uint32(v)
	return t
}

// truth tells whether a condition holds, as far as the facts go.
func (b *argBuilder) truth(t *halves) truth {
	if t.constant != open {
		return t.constant
	}
	hi, lo := &b.facts[Hi(t.arg)], &b.facts[Lo(t.arg)]
	if !t.ordered {
		a, z := hi.equal(t.maskHi, t.hi), lo.equal(t.maskLo, t.lo)
		switch {
		case a == no || z == no:
			return no.negate(t.negated)
		case a == yes && z == yes:
			return yes.negate(t.negated)
		}
		return open
	}
	z := lo.atLeast(t.lo)
	if !t.wide {
		return z.negate(t.negated)
	}
	// The argument is at least the value if the upper word is above the value's,
	// or equal to it and the lower word at least the value's.
	switch a := hi.atLeast(t.hi); {
	case a == no:
		return no.negate(t.negated)
	case a == yes && (z == yes || t.hi < math.MaxUint32 && hi.atLeast(t.hi+1) == yes):
		return yes.negate(t.negated)
	case z == no && (t.hi == math.MaxUint32 || hi.atLeast(t.hi+1) == no):
		return no.negate(t.negated)
	}
	return open
}

func (f *fact) atLeast(v uint32) truth {
	switch {
	case f.first >= v:
		return yes
	case f.last < v:
		return no
	}
	return open
}

// equal tells whether the word under mask equals v.
func (f *fact) equal(mask, v uint32) truth {
	if mask == 0 {
		return yes
	}
	if next, ok := nextMatch(f.first, mask, v); !ok || next > f.last {
		return no
	}
	if common := ^spread(f.first, f.last); mask&^common == 0 {
		return yes // every masked bit is known, and one value matches
	}
	for _, t := range f.tested {
		if !t.holds && t.mask&(t.mask-1) == 0 {
			t.holds, t.value = true, t.value^t.mask // a bit has only two values
		}
		switch both := t.mask & mask; {
		case t.holds && (t.value^v)&both != 0:
			return no
		case t.holds && both == mask:
			return yes
		case !t.holds && both == t.mask && v&t.mask == t.value:
			return no
		}
	}
	return open
}

// spread returns ones from the highest bit in which first and last differ down:
// the bits that vary in the interval.
func spread(first, last uint32) uint32 {
	x := first ^ last
	x |= x >> 1
	x |= x >> 2
	x |= x >> 4
	x |= x >> 8
	return x | x>>16
}

// nextMatch returns the smallest x >= from with x&mask == v.
func nextMatch(from, mask, v uint32) (x uint32, ok bool) {
	if v&^mask != 0 {
		return 0, false
	}
	if from&mask == v {
		return from, true
	}
	// x agrees with from above some bit, has a one there where from has a zero,
	// and is as small as the mask lets it below: the lowest such bit wins.
	for bit := uint32(1); bit != 0; bit <<= 1 {
		above := ^(bit | (bit - 1))
		if from&bit != 0 || from&above&mask != v&above || mask&bit != 0 && v&bit == 0 {
			continue
		}
		return from&above | bit | v&(bit-1), true
	}
	return 0, false
}

// cut returns a value at which the pieces of w split: the middle one of those at
// which a condition changes inside the range known of w.
func (b *argBuilder) cut(w Word, rules []rule) (at uint32, ok bool) {
	b.cuts = b.cuts[:0]
	arg, upper, _ := w.Arg()
	for i := range rules {
		for j := range rules[i].conds {
			if t := &rules[i].conds[j]; arg == t.arg && b.truth(t) == open {
				b.cutsOf(w, t, upper)
			}
		}
	}
	if len(b.cuts) == 0 {
		return 0, false
	}
	return median(b.cuts), true
}

// cutsOf adds the values of w at which an open condition changes.
func (b *argBuilder) cutsOf(w Word, t *halves, upper bool) {
	f := &b.facts[w]
	add := func(v uint32) {
		if f.first < v && v <= f.last {
			b.cuts = append(b.cuts, v)
		}
	}
	mask, v := t.half(upper)
	switch {
	case !t.ordered:
		if first, last, ok := interval(mask, v); ok && mask != 0 {
			add(first)
			if last < math.MaxUint32 {
				add(last + 1)
			}
		}
	case !upper:
		add(v)
	case t.wide:
		z := b.facts[Lo(t.arg)].atLeast(t.lo)
		if z != no {
			add(v)
		}
		if z != yes && v < math.MaxUint32 {
			add(v + 1)
		}
	}
}

// maskOn returns the test of w under a mask that is no interval, if the condition
// is open because of one.
func (b *argBuilder) maskOn(w Word, t *halves) (m maskTest, ok bool) {
	arg, upper, _ := w.Arg()
	if arg != t.arg || t.ordered || b.truth(t) != open {
		return m, false
	}
	m.mask, m.value = t.half(upper)
	return m, b.facts[w].equal(m.mask, m.value) == open
}

// half returns the mask and value of one word.
func (t *halves) half(upper bool) (mask, value uint32) {
	if upper {
		return t.maskHi, t.hi
	}
	return t.maskLo, t.lo
}
