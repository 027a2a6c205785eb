package compile

import (
	"math"
	"math/bits"
)

// A Truth is what a path knows about a statement.
type Truth uint8

// The truths.
const (
	Open Truth = iota
	Yes
	No
)

// Facts are what a path knows about every word.
type Facts [WordCount]Fact

// Forget returns to knowing nothing, as at the start of every path.
func (f *Facts) Forget() {
	for i := range f {
		f[i] = Fact{Last: math.MaxUint32}
	}
}

// A Fact is what a path knows about a word: that it is one of First to Last, and
// the outcome of tests of masks that are no interval.
type Fact struct {
	First, Last uint32
	tested      []maskTest
}

type maskTest struct {
	mask, value uint32
	holds       bool
}

// Either returns what decide returns where the word under mask equals value, and
// what it returns elsewhere. Meanwhile the fact includes which of the two it is.
func (f *Fact) Either(mask, value uint32, decide func(holds bool) NodeID) (pass, fail NodeID) {
	n := len(f.tested)
	f.tested = append(f.tested, maskTest{mask, value, true})
	pass = decide(true)
	f.tested[n].holds = false
	fail = decide(false)
	f.tested = f.tested[:n]
	return pass, fail
}

// atLeast says whether the word is v or more.
func (f *Fact) atLeast(v uint32) Truth {
	switch {
	case f.First >= v:
		return Yes
	case f.Last < v:
		return No
	}
	return Open
}

// equal says whether the word under mask equals v.
func (f *Fact) equal(mask, v uint32) Truth {
	if mask == 0 {
		return Yes
	}
	if next, ok := nextMatch(f.First, mask, v); !ok || next > f.Last {
		return No
	}
	if common := ^spread(f.First, f.Last); mask&^common == 0 {
		return Yes // every masked bit is known, and one value matches
	}
	for _, t := range f.tested {
		if !t.holds && t.mask&(t.mask-1) == 0 {
			t.holds, t.value = true, t.value^t.mask // a bit has only two values
		}
		switch both := t.mask & mask; {
		case t.holds && (t.value^v)&both != 0:
			return No
		case t.holds && both == mask:
			return Yes
		case !t.holds && both == t.mask && v&t.mask == t.value:
			return No
		}
	}
	return Open
}

// spread returns ones from the highest bit in which first and last differ down:
// the bits that vary in the interval.
func spread(first, last uint32) uint32 {
	return 1<<bits.Len32(first^last) - 1
}

// nextMatch returns the smallest x >= from with x&mask == v.
func nextMatch(from, mask, v uint32) (x uint32, ok bool) {
	if v&^mask != 0 {
		return 0, false
	}
	wrong := from&mask ^ v
	if wrong == 0 {
		return from, true
	}
	// x agrees with from above some bit, has a one there where from has a zero, and is as
	// small as the mask lets it below. That bit is the highest one that is wrong, if it has
	// to be a one, or else the lowest one above that is zero and free.
	bit := uint32(1) << (bits.Len32(wrong) - 1)
	if v&bit == 0 {
		free := ^(from | mask | (bit - 1))
		if bit = free & -free; bit == 0 {
			return 0, false
		}
	}
	return from&^(bit-1) | bit | v&(bit-1), true
}

// interval returns the values with v under mask if they are one interval: if the
// mask is a run of ones from bit 31 down.
func interval(mask, v uint32) (first, last uint32, ok bool) {
	return v, v | ^mask, ^mask&(^mask+1) == 0
}
