package compile

import "math"

// A ValueSet is some of the values of an argument, or of the instruction pointer:
// those that lie between First and Last, both included, under Mask. Mask has ones in
// all bits of the argument, 32 or 64 of them, unless First is Last.
type ValueSet struct {
	Word              Word // the lower half; the next word is the upper one
	Mask, First, Last uint64
}

// single reports whether one value under the mask makes the set.
func (s *ValueSet) single() bool { return s.First == s.Last }

// half returns the mask of one of the words, and the value of a single set.
func (s *ValueSet) half(w Word) (mask, value uint32) {
	if w == s.Word {
		return uint32(s.Mask), uint32(s.First)
	}
	return uint32(s.Mask >> 32), uint32(s.First >> 32)
}

// In says whether the value is in a set.
func (f *Facts) In(s *ValueSet) Truth {
	lo, hi := &f[s.Word], &f[s.Word+1]
	if s.single() {
		a, z := hi.equal(s.half(s.Word+1)), lo.equal(s.half(s.Word))
		switch {
		case a == No || z == No:
			return No
		case a == Yes && z == Yes:
			return Yes
		}
		return Open
	}
	least := (uint64(hi.First)<<32 | uint64(lo.First)) & s.Mask
	most := (uint64(hi.Last)<<32 | uint64(lo.Last)) & s.Mask
	switch {
	case most < s.First || s.Last < least:
		return No
	case s.First <= least && most <= s.Last:
		return Yes
	}
	return Open
}

// Cuts appends the values of a word, within what is known of it, from which on an
// open set may have another truth.
func (f *Facts) Cuts(cuts []uint32, w Word, s *ValueSet) []uint32 {
	if w&^1 != s.Word || f.In(s) != Open {
		return cuts
	}
	if !s.single() {
		return f.cutsAtLeast(f.cutsAtLeast(cuts, w, s, s.First), w, s, s.Last+1)
	}
	mask, value := s.half(w)
	if first, last, ok := interval(mask, value); ok && mask != 0 {
		cuts = f[w].cut(f[w].cut(cuts, first), last+1)
	}
	return cuts
}

// cutsAtLeast appends the values of a word of s at which "v or more" changes. Of the
// upper word that is v's upper half or the value behind it, as the lower word says.
func (f *Facts) cutsAtLeast(cuts []uint32, w Word, s *ValueSet, v uint64) []uint32 {
	if w == s.Word {
		return f[w].cut(cuts, uint32(v))
	}
	if s.Mask>>32 == 0 {
		return cuts
	}
	hi, low := uint32(v>>32), f[s.Word].atLeast(uint32(v))
	if low != No {
		cuts = f[w].cut(cuts, hi)
	}
	if low != Yes {
		cuts = f[w].cut(cuts, hi+1)
	}
	return cuts
}

// cut appends a value if it parts what is known of the word, which 0, also as the one
// behind the largest value, never does.
func (f *Fact) cut(cuts []uint32, v uint32) []uint32 {
	if f.First < v && v <= f.Last {
		cuts = append(cuts, v)
	}
	return cuts
}

// Masked returns the test of a word under a mask that is not an interval, if a set is
// open because of one. It is for a word that no value in Cuts parts any more.
func (f *Facts) Masked(w Word, s *ValueSet) (mask, value uint32, ok bool) {
	if w&^1 != s.Word || !s.single() || f.In(s) != Open {
		return 0, 0, false
	}
	mask, value = s.half(w)
	return mask, value, f[w].equal(mask, value) == Open
}

// member returns the node that goes to in for the values of a set and to out for
// all others.
func (g *Diagram) member(s *ValueSet, in, out NodeID, origin string) NodeID {
	if s.single() {
		for _, w := range [2]Word{s.Word, s.Word + 1} {
			mask, value := s.half(w)
			in = g.equal(w, mask, value, in, out, origin)
		}
		return in
	}
	from := g.atLeast(s, s.First, in, out, origin)
	if s.Last == s.Mask {
		return from
	}
	return g.atLeast(s, s.Last+1, out, from, origin)
}

// atLeast returns the node that goes to in where the argument of s is v or more.
func (g *Diagram) atLeast(s *ValueSet, v uint64, in, out NodeID, origin string) NodeID {
	lo, hi := uint32(v), uint32(v>>32)
	same := in
	if lo > 0 && in != out {
		same = g.switchOn(s.Word, []Case{{0, lo - 1, out}, {lo, math.MaxUint32, in}}, origin)
	}
	if s.Mask>>32 == 0 {
		return same
	}
	cases := make([]Case, 0, 3)
	if hi > 0 {
		cases = appendCase(cases, hi-1, out)
	}
	cases = appendCase(cases, hi, same)
	if hi < math.MaxUint32 {
		cases = appendCase(cases, math.MaxUint32, in)
	}
	return g.switchOn(s.Word+1, cases, origin)
}

// equal returns the node that goes to in where w&mask == v.
func (g *Diagram) equal(w Word, mask, v uint32, in, out NodeID, origin string) NodeID {
	first, last, ok := interval(mask, v)
	if !ok {
		return g.masked(w, mask, v, in, out, origin)
	}
	return g.switchOn(w, around([]Case{{first, last, in}}, out), origin)
}

// test returns the node that goes to in for the values that pass a test.
func (g *Diagram) test(t *wordTest, in, out NodeID, origin string) NodeID {
	if in == out {
		return in
	}
	var cases [3]Case
	n := t.node(cases[:0], in, out)
	return g.intern(&n, origin)
}

// testOf returns the node that test would make, if there is one.
func (g *Diagram) testOf(t *wordTest, in, out NodeID) (id NodeID, ok bool) {
	var cases [3]Case
	n := t.node(cases[:0], in, out)
	_, id, ok = g.slot(&n)
	return id, ok
}

// node returns the test as a node, with cases behind those given.
func (t *wordTest) node(cases []Case, in, out NodeID) Node {
	if t.negated {
		in, out = out, in
	}
	if t.mask != 0 {
		return Node{Kind: Masked, Word: t.word, Mask: t.mask, Value: t.first, Yes: in, No: out}
	}
	if t.first > 0 {
		cases = append(cases, Case{0, t.first - 1, out})
	}
	cases = append(cases, Case{t.first, t.last, in})
	if t.last < math.MaxUint32 {
		cases = append(cases, Case{t.last + 1, math.MaxUint32, out})
	}
	return Node{Kind: Switch, Word: t.word, Cases: cases}
}
