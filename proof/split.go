package proof

import (
	"encoding/binary"
	"slices"
)

// A tuple is several disjoint sets, such as the regions of an outcome, without
// the empty ones.
type tuple []slot

// A slot is the calls of one set of a tuple, which is known by its index.
type slot struct {
	index int
	calls set
}

// tuple returns the regions' sets by their indices.
func (o *outcome) tuple() tuple {
	t := make(tuple, len(o.regions))
	for i, r := range o.regions {
		t[i] = slot{i, r.calls}
	}
	return t
}

// is reports whether every call is in the set with this index.
func (t tuple) is(index int) bool { return len(t) == 1 && t[0] == slot{index, all} }

// key makes tuples comparable.
func (t tuple) key() string {
	b := make([]byte, 0, 8*len(t))
	for _, s := range t {
		b = binary.NativeEndian.AppendUint32(b, uint32(s.index))
		b = binary.NativeEndian.AppendUint32(b, uint32(s.calls))
	}
	return string(b)
}

// first returns the first level that a tuple tests.
func (u *universe) first(t tuple) uint16 {
	first := lastLevel
	for _, s := range t {
		first = min(first, u.level(s.calls))
	}
	return first
}

// halves returns what a tuple leaves where the bit of level is zero and one. It
// costs a step for each set and reports false when there are none left.
func (u *universe) halves(t tuple, level uint16) (lo, hi tuple, ok bool) {
	if !u.spend(len(t)) {
		return nil, nil, false
	}
	for _, s := range t {
		l, h := u.at(s.calls, level)
		if l != none {
			lo = append(lo, slot{s.index, l})
		}
		if h != none {
			hi = append(hi, slot{s.index, h})
		}
	}
	return lo, hi, true
}

// spend counts steps and reports whether there were so many left.
func (u *universe) spend(n int) bool {
	if u.steps += n; u.steps > u.limits.Steps {
		u.exhausted("Steps")
	}
	return u.over == ""
}

// A part is neighbouring values of one word of seccomp_data for which a tuple
// leaves the same: rest is the tuple for these values, and no longer tests the
// word.
type part struct {
	first, last uint32
	rest        tuple
}

// split returns the parts of a word, by ascending value: all of them, or none once a
// limit is hit. The tuple must not test earlier words, and the word must be a group of
// its own.
func (u *universe) split(t tuple, w int) []part {
	var parts []part
	level := u.levels[w][31]
	u.splitFrom(t, level, level+32, 0, &parts)
	if u.over != "" {
		return nil
	}
	return parts
}

func (u *universe) splitFrom(t tuple, level, end uint16, first uint32, parts *[]part) {
	if u.over != "" {
		return
	}
	if u.first(t) >= end {
		last := first + (1<<(end-level) - 1)
		if n := len(*parts); n > 0 && slices.Equal((*parts)[n-1].rest, t) {
			(*parts)[n-1].last = last
			return
		}
		if len(*parts) >= u.limits.Rows {
			u.exhausted("Rows")
			return
		}
		*parts = append(*parts, part{first, last, t})
		return
	}
	if lo, hi, ok := u.halves(t, level); ok {
		u.splitFrom(lo, level+1, end, first, parts)
		u.splitFrom(hi, level+1, end, first|1<<(end-level-1), parts)
	}
}
