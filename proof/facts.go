package proof

import "math"

// facts are what a path knows about all words. No fact relates two words.
type facts struct {
	of    [words]fact
	trail []change // what of was before, to go back to
	// holes are the tests bitsAreNot that do not narrow a fact: a word without some values
	// is neither an interval nor one with known bits. Those of the path start at base;
	// a lemma's path begins with none.
	holes []hole
	base  int
	steps int // made
	limit int // of steps
}

type hole struct {
	word        int
	mask, value uint32
}

// holesInStep is how many holes take as long to look at as one step.
const holesInStep = 16

// A change is what was known of a word before.
type change struct {
	of  *fact
	was fact
}

// A mark is a place on a path to go back to.
type mark struct{ changes, holes int }

// mark returns where the path is.
func (s *facts) mark() mark { return mark{len(s.trail), len(s.holes)} }

// undo goes back to a place that the path has passed.
func (s *facts) undo(m mark) {
	for n := len(s.trail) - 1; n >= m.changes; n-- {
		*s.trail[n].of = s.trail[n].was
	}
	s.trail, s.holes = s.trail[:m.changes], s.holes[:m.holes]
}

// forget returns to knowing nothing.
func (s *facts) forget() {
	for i := range s.of {
		s.of[i] = anything()
	}
	s.base = len(s.holes)
}

// assume adds the outcome of a test. It reports false if nothing has it, as far as one
// hole at a time shows; what is known of the word then is of no use.
func (s *facts) assume(word int, t test) bool {
	f := &s.of[word]
	was := *f
	switch t.op {
	case bitsAreNot:
		return s.exclude(word, t)
	case atLeast:
		if t.value <= was.first {
			return true
		}
		if t.value > was.last {
			return false
		}
		f.first = t.value
	case lessThan:
		if t.value > was.last {
			return true
		}
		if t.value <= was.first {
			return false
		}
		f.last = t.value - 1
	case bitsAre:
		if (was.value^t.value)&was.mask&t.mask != 0 {
			return false
		}
		if t.mask&^was.mask == 0 {
			return true
		}
		f.mask |= t.mask
		f.value |= t.value
	}
	s.trail = append(s.trail, change{f, was})
	return f.settle() && (len(s.holes) == s.base || s.outside(word))
}

// meet adds another fact about a word. It reports false if nothing has both, as assume does.
func (s *facts) meet(word int, other fact) bool {
	f := &s.of[word]
	if (f.value^other.value)&f.mask&other.mask != 0 {
		return false
	}
	s.trail = append(s.trail, change{f, *f})
	*f = fact{max(f.first, other.first), min(f.last, other.last), f.mask | other.mask, f.value | other.value}
	return f.settle() && s.outside(word)
}

// outside reports whether a word may be outside of each hole.
func (s *facts) outside(word int) bool {
	holes := s.holes[s.base:]
	s.steps += len(holes) / holesInStep
	f := &s.of[word]
	for i := range holes {
		if h := &holes[i]; h.word == word && f.inside(h.mask, h.value) {
			return false
		}
	}
	return true
}

// exclude adds that the bits of a word are not those of t.
func (s *facts) exclude(word int, t test) bool {
	f := &s.of[word]
	if (f.value^t.value)&f.mask&t.mask != 0 {
		return true // they never are
	}
	unknown := t.mask &^ f.mask
	if unknown == 0 {
		return false
	}
	if unknown&(unknown-1) == 0 {
		return s.assume(word, test{bitsAre, unknown, unknown &^ t.value})
	}
	n, ok := next(f.first, f.mask|t.mask, f.value|t.value)
	if !ok || n > f.last {
		return true
	}
	if f.mask|t.mask == math.MaxUint32 { // only n
		switch n {
		case f.first:
			return s.assume(word, test{op: atLeast, value: n + 1})
		case f.last:
			return s.assume(word, test{op: lessThan, value: n})
		}
	}
	s.holes = append(s.holes, hole{word, t.mask, t.value})
	return true
}

// in answers whether the bits of a word under a mask are value.
func (s *facts) in(word int, mask, value uint32) truth {
	f := &s.of[word]
	if (f.value^value)&f.mask&mask != 0 {
		return never
	}
	mask |= f.mask
	if mask == f.mask {
		return always
	}
	value |= f.value
	if *f != anything() {
		if n, ok := next(f.first, mask, value); !ok || n > f.last {
			return never
		}
	}
	if len(s.holes) == s.base {
		return sometimes
	}
	holes := s.holes[s.base:]
	s.steps += len(holes) / holesInStep
	for i := range holes {
		if h := &holes[i]; h.word == word && h.mask&^mask == 0 && value&h.mask == h.value {
			return never
		}
	}
	return sometimes
}

// less answers whether a word is less than v.
func (s *facts) less(word int, v uint64) truth {
	f := &s.of[word]
	switch {
	case uint64(f.last) < v:
		return always
	case uint64(f.first) >= v:
		return never
	}
	return sometimes
}

// pick narrows each word with holes to values outside all of them. It reports false
// and the word if one has none: then no call has these facts. Once the limit is hit the
// answer means nothing.
func (s *facts) pick() (word int, ok bool) {
	for _, h := range s.holes[s.base:] {
		if !s.pickWord(h.word) {
			return h.word, false
		}
	}
	return 0, true
}

// pickWord decides, for a hole that the word may be in, its unknown bits one by one.
// Each bit takes either the word out of the hole, or one from the hole's unknown bits.
func (s *facts) pickWord(word int) bool {
	holes := s.holes[s.base:]
	if s.steps += 1 + len(holes)/holesInStep; s.steps > s.limit {
		return true
	}
	f := &s.of[word]
	for i := range holes {
		h := holes[i]
		if h.word != word || (f.value^h.value)&f.mask&h.mask != 0 {
			continue
		}
		unknown := h.mask &^ f.mask // not 0: assume refuses a word that is inside of a hole
		bit := unknown & -unknown
		m := s.mark()
		if s.assume(word, test{bitsAre, bit, bit &^ h.value}) && s.pickWord(word) {
			return true
		}
		s.undo(m)
		return s.assume(word, test{bitsAre, bit, bit & h.value}) && s.pickWord(word)
	}
	return true
}
