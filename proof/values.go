package proof

import (
	"fmt"
	"strings"
)

// Values is a set of values of an argument, or of the instruction pointer. It is
// written as the shortest of: ranges, masks, or everything but one of these.
type Values struct {
	// Width is 64, or 32 if only the lower half of the argument counts.
	Width int
	// Not says that the set is all values but the listed ones.
	Not bool
	// Ranges or Masks lists the values; the other is nil.
	Ranges []Range
	Masks  []Mask
}

// A Range is the values from First to Last, both included.
type Range struct{ First, Last uint64 }

// A Mask is the values v with v&Mask == Value.
type Mask struct{ Mask, Value uint64 }

// Contains reports whether a value is in the set.
func (v *Values) Contains(arg uint64) bool {
	if v.Width == 32 {
		arg &= 0xffffffff
	}
	found := false
	for _, r := range v.Ranges {
		found = found || r.First <= arg && arg <= r.Last
	}
	for _, m := range v.Masks {
		found = found || arg&m.Mask == m.Value
	}
	return found != v.Not
}

// String returns the set as a condition on what stands to its left: "== 0x5",
// "!= 0x5", "in 0x1..0x3, 0x7", "& 0xff == 0x1". A trailing "(low 32 bits)" is
// the Width.
func (v *Values) String() string {
	var items []string
	for _, r := range v.Ranges {
		switch {
		case r.First == r.Last:
			items = append(items, fmt.Sprintf("%#x", r.First))
		default:
			items = append(items, fmt.Sprintf("%#x..%#x", r.First, r.Last))
		}
	}
	for _, m := range v.Masks {
		items = append(items, fmt.Sprintf("& %#x == %#x", m.Mask, m.Value))
	}
	s := strings.Join(items, ", ")
	single := len(v.Ranges) == 1 && v.Ranges[0].First == v.Ranges[0].Last
	switch {
	case len(items) == 0 && v.Not:
		s = "any"
	case len(items) == 0:
		s = "none"
	case single && v.Not:
		s = "!= " + s
	case single:
		s = "== " + s
	case len(v.Masks) == 1 && v.Not:
		s = fmt.Sprintf("& %#x != %#x", v.Masks[0].Mask, v.Masks[0].Value)
	case len(v.Masks) > 0 && v.Not:
		s = "not (" + strings.Join(items, " or ") + ")"
	case len(v.Masks) > 0:
		s = strings.Join(items, " or ")
	case v.Not:
		s = "not in " + s
	default:
		s = "in " + s
	}
	if v.Width == 32 {
		s += " (low 32 bits)"
	}
	return s
}

// describe writes a set that tests only the 64 bits of one field, whose upper
// half is the word w.
func (u *universe) describe(s set, w int) Values {
	v := Values{Width: 64}
	level, end := u.levels[w][31], u.levels[w+1][0]+1
	if u.level(s) >= u.levels[w+1][31] && s > all {
		v.Width, level = 32, u.levels[w+1][31]
	}
	for limit := 16; ; limit = min(16*limit, u.limits.Rows) {
		if u.shortest(&v, s, level, end, limit) {
			return v
		}
		if limit >= u.limits.Rows {
			u.exhausted("Rows")
			return v
		}
	}
}

// shortest writes a set in the shortest form, if one has at most limit items.
func (u *universe) shortest(v *Values, s set, level, end uint16, limit int) (found bool) {
	for _, not := range []bool{false, true} {
		t := s
		if not {
			t = s.not()
		}
		if r, ok := u.ranges(t, level, end, limit); ok {
			v.Not, v.Ranges, v.Masks = not, r, nil
			limit, found = len(r)-1, true
		}
		if m, ok := u.masks(t, level, end, limit); ok {
			v.Not, v.Ranges, v.Masks = not, nil, m
			limit, found = len(m)-1, true
		}
	}
	return found
}

// ranges lists a set as ranges, at most limit of them.
func (u *universe) ranges(s set, level, end uint16, limit int) ([]Range, bool) {
	var out []Range
	var walk func(s set, level uint16, first uint64) bool
	walk = func(s set, level uint16, first uint64) bool {
		if s == none {
			return true
		}
		if s != all {
			lo, hi := u.at(s, level)
			return u.spend(1) && walk(lo, level+1, first) && walk(hi, level+1, first|1<<(end-level-1))
		}
		last := first + (1<<(end-level) - 1)
		if n := len(out); n > 0 && out[n-1].Last == first-1 {
			out[n-1].Last = last
			return true
		}
		out = append(out, Range{first, last})
		return len(out) <= limit
	}
	return out, walk(s, level, 0) && len(out) <= limit
}

// masks lists a set as masks, one for each path through its diagram, at most
// limit of them.
func (u *universe) masks(s set, level, end uint16, limit int) ([]Mask, bool) {
	var out []Mask
	var walk func(s set, m Mask) bool
	walk = func(s set, m Mask) bool {
		switch s {
		case none:
			return true
		case all:
			out = append(out, m)
			return len(out) <= limit
		}
		at := u.level(s)
		lo, hi := u.at(s, at)
		bit := uint64(1) << (end - at - 1)
		m.Mask |= bit
		return u.spend(1) && walk(lo, m) && walk(hi, Mask{m.Mask, m.Value | bit})
	}
	return out, walk(s, Mask{}) && len(out) <= limit
}
