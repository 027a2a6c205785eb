package code

import (
	"cmp"
	"slices"
)

// A state is what a function knows at one point: the values of registers and of words on
// the stack.
type state struct {
	regs  [nregs]*value
	slots []slot // sorted, not overlapping; what lies between is unknown, or as on entry
	lost  bool   // nothing is known of the stack beyond slots
}

// A slot is a part of the stack that was written.
type slot struct {
	offset int64 // from the stack pointer on entry
	width  int64
	val    *value
}

func (s *state) clone() *state {
	c := *s
	c.slots = slices.Clone(s.slots)
	return &c
}

// slotAt returns the index of the first slot that ends after offset.
func (s *state) slotAt(offset int64) int {
	i, _ := slices.BinarySearchFunc(s.slots, offset, func(t slot, offset int64) int {
		if t.offset+t.width <= offset {
			return -1
		}
		return 1
	})
	return i
}

// read returns the width bytes of the stack at offset. Base is where words of the caller begin.
func (s *state) read(offset int64, width uint8, base int64) *value {
	i := s.slotAt(offset)
	if i < len(s.slots) && s.slots[i].offset < offset+int64(width) {
		if t := &s.slots[i]; t.offset == offset && int64(width) <= t.width {
			return t.val.low(width)
		}
		return unknown
	}
	if word := offset - base; !s.lost && word >= 0 && word%8 == 0 && word/8 < maxStack && width >= 4 {
		return onEntry(Stack(int(word / 8)))
	}
	return unknown
}

// maxStack is the number of words of the caller that are followed.
const maxStack = 64

// maxSlots is the number of slots that are kept; others are unknown.
const maxSlots = 512

// write stores width bytes at offset. Parts of words are not followed.
func (s *state) write(offset, width int64, v *value) {
	if len(s.slots) >= maxSlots {
		s.slots, s.lost = s.slots[:0], true
	}
	if width <= 0 || offset > 1<<40 || offset < -1<<40 {
		return
	}
	i := s.slotAt(offset)
	j := i
	var keep [2]slot // what of overlapped slots remains, unknown
	n := 0
	for ; j < len(s.slots) && s.slots[j].offset < offset+width; j++ {
		t := s.slots[j]
		if t.offset < offset {
			keep[n] = slot{t.offset, offset - t.offset, unknown}
			n++
		}
		if end := t.offset + t.width; end > offset+width {
			keep[n] = slot{offset + width, end - offset - width, unknown}
			n++
		}
	}
	put := append(keep[:n:n], slot{offset, width, v})
	slices.SortFunc(put, func(a, b slot) int { return cmp.Compare(a.offset, b.offset) })
	s.slots = slices.Replace(s.slots, i, j, put...)
}

// merge joins t into s and tells whether that changed s. Base is as for read.
func (s *state) merge(t *state, base int64, widen bool) bool {
	changed := false
	for i := range s.regs {
		if v, grew := grow(s.regs[i], t.regs[i], widen); grew {
			s.regs[i], changed = v, true
		}
	}
	if t.lost && !s.lost {
		s.lost, changed = true, true
	}
	return s.mergeSlots(t, base, widen) || changed
}

// grow joins w into v and tells whether v changed. Widened, what changes is just unknown from
// then on.
func grow(v, w *value, widen bool) (*value, bool) {
	j := join(v, w)
	switch {
	case j.equal(v):
		return v, false
	case widen && v != nil && j.holds():
		j = &value{unknown: true, slots: j.slots}
		return j, !j.equal(v)
	case widen && v == unknown:
		return v, false
	case widen && v != nil:
		return unknown, true
	}
	return j, true
}

// mergeSlots joins the stack of t into that of s. It keeps the slots of s as they are cut, and
// adds those of t where s has none.
func (s *state) mergeSlots(t *state, base int64, widen bool) bool {
	changed := false
	for _, u := range t.slots {
		i := s.slotAt(u.offset)
		if i < len(s.slots) && s.slots[i].offset < u.offset+u.width {
			changed = s.cover(u.offset, u.offset+u.width, base) || changed
			continue
		}
		v := join(s.read(u.offset, uint8(min(u.width, 64)), base), u.val)
		if v.unknown && (s.lost || u.offset < base) {
			continue // unknown without the slot as well
		}
		s.write(u.offset, u.width, v)
		changed = true
	}
	for i := range s.slots {
		old := &s.slots[i]
		if v, grew := grow(old.val, t.whole(old.offset, old.width, base), widen); grew {
			old.val, changed = v, true
		}
	}
	return changed
}

// cover makes unknown what lies between the slots from one offset to another, and tells whether
// anything did that was known.
func (s *state) cover(from, to, base int64) bool {
	changed := false
	for from < to {
		next := to
		if i := s.slotAt(from); i < len(s.slots) {
			if t := &s.slots[i]; t.offset <= from {
				from = t.offset + t.width
				continue
			} else if t.offset < to {
				next = t.offset
			}
		}
		if next > base && !s.lost {
			s.write(from, next-from, unknown)
			changed = true
		}
		from = next
	}
	return changed
}

// whole returns what t knows of a slot of the given place.
func (s *state) whole(offset, width, base int64) *value {
	i := s.slotAt(offset)
	if i < len(s.slots) && s.slots[i].offset < offset+width {
		if s.slots[i].offset == offset && s.slots[i].width == width {
			return s.slots[i].val
		}
		return unknown
	}
	if width > 8 {
		return unknown
	}
	return s.read(offset, uint8(width), base)
}
