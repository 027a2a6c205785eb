package proof

import (
	"fmt"
	"math"
	"math/bits"
)

// A fact is what a path knows about one word of seccomp_data: it is in first to
// last, and its bits under mask are those of value. Both ends have these bits, and the
// bits above the first on which the ends differ are among them; so a fact always has
// members, and a test that leaves none is noticed at once.
type fact struct{ first, last, mask, value uint32 }

// anything is the fact about a word of which nothing is known.
func anything() fact { return fact{last: math.MaxUint32} }

// String returns the fact as "5..9", followed by the bits known if it is not all numbers
// between: "5..9 &1=1".
func (f fact) String() string {
	s := fmt.Sprintf("%#x..%#x", f.first, f.last)
	if known := f.mask &^ agreed(f.first, f.last); known != 0 {
		s += fmt.Sprintf(" &%#x=%#x", known, f.value&known)
	}
	return s
}

// agreed returns ones for the bits above the first on which a and b differ.
func agreed(a, b uint32) uint32 { return ^uint32(1<<bits.Len32(a^b) - 1) }

// highest returns the highest of some bits.
func highest(set uint32) uint32 { return 1 << 31 >> bits.LeadingZeros32(set) }

// settle moves the ends inward to members and notes the bits that follow. It reports
// whether there are any members.
func (f *fact) settle() bool {
	if f.mask == math.MaxUint32 { // one number
		ok := f.first <= f.value && f.value <= f.last
		f.first, f.last = f.value, f.value
		return ok
	}
	if (f.first^f.value)&f.mask != 0 {
		first, ok := next(f.first, f.mask, f.value)
		if !ok {
			return false
		}
		f.first = first
	}
	if (f.last^f.value)&f.mask != 0 {
		// The largest member is the smallest of the complements.
		last, ok := next(^f.last, f.mask, ^f.value&f.mask)
		if !ok {
			return false
		}
		f.last = ^last
	}
	if f.first > f.last {
		return false
	}
	f.mask |= agreed(f.first, f.last)
	f.value |= f.first & f.mask
	return true
}

// next returns the smallest number from a given one on whose bits under mask are value.
func next(from, mask, value uint32) (n uint32, ok bool) {
	wrong := (from ^ value) & mask
	if wrong == 0 {
		return from, true
	}
	below := uint32(1<<bits.Len32(wrong) - 1) // the first wrong bit and those below it
	if value&(below^below>>1) == 0 {
		// That bit is too large: another one above it must grow.
		free := ^(from | mask | below)
		if free == 0 {
			return 0, false
		}
		grown := free & -free
		return from&^(grown-1) | grown | value&(grown-1), true
	}
	return from&^below | value&below, true
}

// inside reports whether all members of f have bits of a value under a mask.
func (f *fact) inside(mask, value uint32) bool {
	return mask&^f.mask == 0 && f.value&mask == value
}

// A test is what a program or a condition asks of a word.
type test struct {
	op          testOp
	mask, value uint32 // comparisons have no mask
}

type testOp uint8

const (
	bitsAre    testOp = iota // the bits under mask are value
	bitsAreNot               // they are not
	atLeast                  // the word is value or more
	lessThan                 // it is not
)

// not returns the opposite.
func (t test) not() test {
	t.op ^= 1
	return t
}

// String returns the test as an expression of C.
func (t test) String() string {
	switch t.op {
	case bitsAre:
		return fmt.Sprintf("& %#x == %#x", t.mask, t.value)
	case bitsAreNot:
		return fmt.Sprintf("& %#x != %#x", t.mask, t.value)
	case atLeast:
		return fmt.Sprintf(">= %#x", t.value)
	default:
		return fmt.Sprintf("< %#x", t.value)
	}
}

// A truth is the set of answers that a question may have: that of a test, or of a
// condition, within what a path knows. It is never empty.
type truth uint8

const (
	never     truth = 1
	always    truth = 2
	sometimes       = never | always
)

// not returns the answers to the opposite question.
func (t truth) not() truth { return t>>1 | t&1<<1 }
