package optimize

import (
	"math"

	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/proof"
)

// A truth is what the words decided so far say about a condition.
type truth uint8

const (
	open truth = iota
	yes
	no
)

// An item is values of the 64 bits of an argument, or of the instruction
// pointer: a range, or those with some bits set and others not.
type item struct {
	ranged      bool
	wide        bool   // the upper half counts
	first, last uint64 // if ranged
	mask, value uint64 // if not
}

// items returns the listed values of v.
func items(v *proof.Values) []item {
	var out []item
	wide := v.Width == 64
	for _, r := range v.Ranges {
		out = append(out, item{ranged: true, wide: wide, first: r.First, last: r.Last})
	}
	for _, m := range v.Masks {
		out = append(out, item{wide: wide, mask: m.Mask, value: m.Value})
	}
	return out
}

// words returns the words of seccomp_data with the halves of an argument.
func words(arg int) (lo, hi compiler.Word) {
	if arg == proof.IP {
		return compiler.IPLo, compiler.IPHi
	}
	return compiler.Lo(uint8(arg)), compiler.Hi(uint8(arg))
}

// wordCount is the number of words of seccomp_data.
const wordCount = 16

// A fact is what is known about a word: its range, and the outcome of tests of
// masks.
type fact struct {
	first, last uint32
	tested      []outcome
}

// An outcome is that of a test of a mask.
type outcome struct {
	mask, value uint32
	holds       bool
}

// facts are by word.
type facts [wordCount]fact

func (f *facts) forget() {
	for i := range f {
		f[i] = fact{last: math.MaxUint32}
	}
}

// truth tells whether an argument is in an item.
func (f *facts) truth(arg int, i *item) truth {
	l, h := words(arg)
	lo, hi := &f[l], &f[h]
	if !i.ranged {
		a, b := hi.equal(uint32(i.mask>>32), uint32(i.value>>32)), lo.equal(uint32(i.mask), uint32(i.value))
		switch {
		case a == no || b == no:
			return no
		case a == yes && b == yes:
			return yes
		}
		return open
	}
	least, most := uint64(lo.first), uint64(lo.last)
	if i.wide {
		least, most = uint64(hi.first)<<32|least, uint64(hi.last)<<32|most
	}
	switch {
	case most < i.first || i.last < least:
		return no
	case i.first <= least && most <= i.last:
		return yes
	}
	return open
}

// equal tells whether the word under mask equals v.
func (f *fact) equal(mask, v uint32) truth {
	if mask == 0 {
		return yes
	}
	if first, last, ok := interval(mask, v); ok && (f.last < first || last < f.first) {
		return no
	}
	common := ^spread(f.first ^ f.last)
	switch {
	case (f.first^v)&mask&common != 0:
		return no
	case mask&^common == 0:
		return yes
	}
	for _, t := range f.tested {
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

// spread returns ones from the highest one of x down.
func spread(x uint32) uint32 {
	for n := 1; n < 32; n *= 2 {
		x |= x >> n
	}
	return x
}

// interval returns the values with v under mask if they are one interval: if the
// mask is a run of ones from bit 31 down.
func interval(mask, v uint32) (first, last uint32, ok bool) {
	return v, v | ^mask, ^mask&(^mask+1) == 0
}

// cuts appends the values of a word, within what is known of it, from which on an
// item with one of its halves in the word may have another truth.
func (f *facts) cuts(out []uint32, w compiler.Word, arg int, i *item) []uint32 {
	known := &f[w]
	add := func(v uint32) {
		if known.first < v && v <= known.last {
			out = append(out, v)
		}
	}
	lo, hi := words(arg)
	bound := func(v uint64) { // where "at least v" changes
		switch {
		case w == lo:
			add(uint32(v))
		case i.wide:
			add(uint32(v >> 32))
			if uint32(v) != 0 && uint32(v>>32) != math.MaxUint32 {
				add(uint32(v>>32) + 1)
			}
		}
	}
	switch {
	case w != lo && w != hi || f.truth(arg, i) != open:
	case i.ranged:
		bound(i.first)
		if i.last != math.MaxUint64 && (i.wide || i.last != math.MaxUint32) {
			bound(i.last + 1)
		}
	default:
		mask, value := i.half(w == hi)
		if first, last, ok := interval(mask, value); ok && mask != 0 {
			add(first)
			if last != math.MaxUint32 {
				add(last + 1)
			}
		}
	}
	return out
}

// half returns mask and value of one half.
func (i *item) half(upper bool) (mask, value uint32) {
	if upper {
		return uint32(i.mask >> 32), uint32(i.value >> 32)
	}
	return uint32(i.mask), uint32(i.value)
}
