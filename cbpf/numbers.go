package cbpf

import (
	"iter"
	"math/bits"
)

// A span is a range of 32-bit words, both ends included.
type span struct{ lo, hi uint32 }

// numbers is a set of words: sorted spans with gaps between them, never modified
// once made.
type numbers []span

// maxSpans bounds the work on hostile programs: a set of more pieces is taken for
// everything between its ends.
const maxSpans = 64

var everyNumber = numbers{{0, 1<<32 - 1}}

// size counts the words of s.
func (s numbers) size() uint64 {
	n := uint64(0)
	for _, r := range s {
		n += uint64(r.hi-r.lo) + 1
	}
	return n
}

// within reports whether s has a word from lo to hi.
func (s numbers) within(lo, hi uint32) bool {
	for _, r := range s {
		if r.lo <= hi && r.hi >= lo {
			return true
		}
	}
	return false
}

// union returns a set with all words of a and b.
func union(a, b numbers) numbers {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0 || len(a) == len(b) && &a[0] == &b[0]:
		return a
	}
	u := make(numbers, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		if len(b) == 0 || len(a) > 0 && a[0].lo <= b[0].lo {
			u.merge(a[0])
			a = a[1:]
		} else {
			u.merge(b[0])
			b = b[1:]
		}
	}
	return u.bounded()
}

// bounded returns s, or a set of one span around it if s has too many.
func (s numbers) bounded() numbers {
	if len(s) > maxSpans {
		return numbers{{s[0].lo, s[len(s)-1].hi}}
	}
	return s
}

// merge appends a span that starts no lower than the last one.
func (s *numbers) merge(r span) {
	if n := len(*s); n > 0 && ((*s)[n-1].hi >= r.lo || (*s)[n-1].hi == r.lo-1) {
		(*s)[n-1].hi = max((*s)[n-1].hi, r.hi)
		return
	}
	*s = append(*s, r)
}

// A block is a range of numbers that agree in their three upper bits. Within a
// block, masks and tests of x32's bit 30 do not get in the way of the order.
const block = 1<<29 - 1

// each yields the words of s.
func (s numbers) each(yield func(uint32) bool) {
	for _, r := range s {
		for w := r.lo; ; w++ {
			if !yield(w) {
				return
			}
			if w == r.hi {
				break
			}
		}
	}
}

// blocks yields the parts of s that lie in one block each.
func (s numbers) blocks(yield func(span) bool) {
	for _, r := range s {
		for lo := r.lo; ; {
			hi := min(r.hi, lo|block)
			if !yield(span{lo, hi}) {
				return
			}
			if hi == r.hi {
				break
			}
			lo = hi + 1
		}
	}
}

// hidden yields the parts of s by the upper bits that a mask hides.
func (s numbers) hidden(mask uint32) iter.Seq2[uint32, numbers] {
	return func(yield func(uint32, numbers) bool) {
		if mask == 0xffffffff {
			yield(0, s)
			return
		}
		for i := range uint32(8) {
			upper := i << 29
			var part numbers
			for r := range s.blocks {
				if r.lo&^(mask|block) == upper {
					part = append(part, r)
				}
			}
			if len(part) > 0 && !yield(upper, part) {
				return
			}
		}
	}
}

// split divides s by the outcome of the test (w & mask) op k of its words w. Where
// it would take too long to tell, a word is on both sides, perhaps with others.
func (s numbers) split(mask uint32, op uint16, k uint32) (yes, no numbers) {
	const few = 64
	small := s.size() <= few
	for r := range s.blocks {
		switch {
		case r.lo == r.hi || mask&block == block && (op != opJsetK || sameBits(r.lo&mask, r.hi&mask, k)):
			r.split(mask, op, k, &yes, &no)
		case small:
			for w := r.lo; ; w++ {
				span{w, w}.split(mask, op, k, &yes, &no)
				if w == r.hi {
					break
				}
			}
		default:
			yes.merge(r)
			no.merge(r)
		}
	}
	return yes.bounded(), no.bounded()
}

// split does it for a span whose words keep their order under the mask and the
// test.
func (r span) split(mask uint32, op uint16, k uint32, yes, no *numbers) {
	lo, hi := r.lo&mask, r.hi&mask
	back := r.lo - lo // from masked to plain words
	switch {
	case op == opJeqK && lo <= k && k <= hi:
		if lo < k {
			no.merge(span{r.lo, k - 1 + back})
		}
		yes.merge(span{k + back, k + back})
		if k < hi {
			no.merge(span{k + 1 + back, r.hi})
		}
	case op == opJgeK && lo < k && k <= hi:
		no.merge(span{r.lo, k - 1 + back})
		yes.merge(span{k + back, r.hi})
	case op == opJgtK && lo <= k && k < hi:
		no.merge(span{r.lo, k + back})
		yes.merge(span{k + 1 + back, r.hi})
	case holds(op, lo, k):
		yes.merge(r)
	default:
		no.merge(r)
	}
}

// sameBits reports whether all words from lo to hi agree on whether they share a
// bit with k.
func sameBits(lo, hi, k uint32) bool {
	vary := uint32(1)<<bits.Len32(lo^hi) - 1
	return lo&^vary&k != 0 || vary&k == 0
}

// holds reports the outcome of a conditional jump's test of a.
func holds(op uint16, a, k uint32) bool {
	switch op {
	case opJeqK, opJeqX:
		return a == k
	case opJgtK, opJgtX:
		return a > k
	case opJgeK, opJgeX:
		return a >= k
	case opJsetK, opJsetX:
		return a&k != 0
	}
	panic("BUG: cbpf: not a conditional jump")
}
