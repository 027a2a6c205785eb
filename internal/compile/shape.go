package compile

import "math"

// A shape is a way to tell the spans of a run apart without comparisons.
type shape struct {
	kind  shapeKind
	odd   int // index of a span with the outcome that the test is for
	rest  int // index of a span with the outcome of all other values
	apart int // index of the single value that cubeApart tests as well
	mask  uint32
	value uint32
	cost  uint64
}

type shapeKind uint8

const (
	// uniform runs have one span.
	uniform shapeKind = iota
	// chain tests single values for equality, heaviest first; what is left has
	// the outcome of rest.
	chain
	// cube has two outcomes, and a mask tells them: odd's values are those with
	// value under mask.
	cube
	// cubeApart is a cube but for one of the values with bits of the mask set.
	cubeApart
)

const (
	maxRun    = 14 // spans of a run
	maxChain  = 8  // tests of a chain
	maxApart  = 12 // spans of a cube but for one value: each is tried
	minMasked = 6  // spans that a test of two instructions can pay for
)

// A shaper finds the best shape of each run that starts at one span.
type shaper struct {
	d        *dispatcher
	from, to int
	best     shape

	rest    int // a span whose outcome is not that of single values, -1 for none yet
	noCube  bool
	noChain bool
	a, b    int // spans of the first two outcomes, b is -1 until there are two
	or, and [2]uint32

	odd     []uint64 // weights of the values that a chain tests, ascending
	counted int      // spans before it are in odd
}

// next goes on to a longer run that has a shape.
func (s *shaper) next() bool {
	d := s.d
	if s.to == 0 {
		s.to, s.a, s.b, s.rest = s.from+1, s.from, -1, -1
		if !d.spans[s.from].single() {
			s.rest = s.from
		}
		s.or[0], s.and[0] = bitsOf(&d.spans[s.from])
		s.best = shape{kind: uniform, rest: s.from}
		return true
	}
	for (!s.noChain || !s.noCube || d.exhaustive) && s.to < len(d.spans) && s.to-s.from < maxRun {
		s.add(s.to)
		s.to++
		s.best = shape{cost: math.MaxUint64}
		if !s.noChain {
			s.chain()
		}
		if !s.noCube {
			s.cube()
		}
		if s.to-s.from > 3 && (d.exhaustive || d.word != NR) && s.to-s.from <= maxApart {
			s.cubeApart()
		}
		if s.best.cost < math.MaxUint64 {
			return true
		}
	}
	return false
}

// add takes a span into the run.
func (s *shaper) add(i int) {
	x := &s.d.spans[i]
	if !x.single() {
		switch {
		case s.rest < 0:
			s.rest = i
		case s.d.spans[s.rest].to != x.to:
			s.noChain = true
		}
	}
	or, and := bitsOf(x)
	switch {
	case x.to == s.d.spans[s.a].to:
		s.or[0] |= or
		s.and[0] &= and
	case s.b < 0:
		s.b = i
		s.or[1], s.and[1] = or, and
	case x.to == s.d.spans[s.b].to:
		s.or[1] |= or
		s.and[1] &= and
	default:
		s.noCube = true
	}
}

// chain prices the run as a chain of equality tests.
func (s *shaper) chain() {
	if s.rest < 0 { // single values all: the commonest outcome is left for last
		s.odd = s.odd[:0]
		rest := s.commonest()
		for i := s.from; i < s.to; i++ {
			if !s.takeOdd(i, rest) {
				s.noChain = true
				return
			}
		}
		s.priceChain(rest)
		s.counted = s.from
		return
	}
	if s.counted == s.from { // the outcome that is left is known only now
		s.odd = s.odd[:0]
	}
	for ; s.counted < s.to; s.counted++ {
		if !s.takeOdd(s.counted, s.rest) {
			s.noChain = true
			return
		}
	}
	s.priceChain(s.rest)
}

// takeOdd adds the weight of a span to those that a chain tests, which ascend,
// unless it has the outcome that is left. It reports whether there is room.
func (s *shaper) takeOdd(i, rest int) bool {
	x := &s.d.spans[i]
	if x.to == s.d.spans[rest].to {
		return true
	}
	if len(s.odd) == maxChain {
		return false
	}
	at := len(s.odd)
	s.odd = append(s.odd, 0)
	for ; at > 0 && s.odd[at-1] > x.weight; at-- {
		s.odd[at] = s.odd[at-1]
	}
	s.odd[at] = x.weight
	return true
}

func (s *shaper) priceChain(rest int) {
	cost, left := uint64(0), s.d.weight(s.from, s.to)
	for i := len(s.odd) - 1; i >= 0; i-- { // each test costs all that get to it
		cost += sizeWeight + left
		left -= s.odd[i]
	}
	if cost < s.best.cost {
		s.best = shape{kind: chain, rest: rest, cost: cost}
	}
}

// commonest returns a span with the most frequent outcome of the run.
func (s *shaper) commonest() int {
	best, most := s.from, 0
	for i := s.from; i < s.to && 2*most < s.to-s.from; i++ {
		n := 0
		for j := i; j < s.to; j++ {
			if s.d.spans[j].to == s.d.spans[i].to {
				n++
			}
		}
		if n > most {
			best, most = i, n
		}
	}
	return best
}

// cube prices the run as one test of bits: that some of those which one outcome
// never has are set, or else that all which one outcome always has the same are
// so.
func (s *shaper) cube() {
	if s.b < 0 || s.to-s.from < 3 {
		return
	}
	w := s.d.weight(s.from, s.to)
	for side, odd := range [2]int{s.a, s.b} {
		rest := s.a + s.b - odd
		never := ^s.or[side] & s.or[1-side]
		if cost := sizeWeight + w; cost < s.best.cost && s.apart(rest, never, 0) {
			s.best = shape{kind: cube, odd: odd, rest: rest, mask: never, cost: cost}
		}
		if s.to-s.from < minMasked {
			continue
		}
		same := ^(s.or[side] ^ s.and[side])
		if cost := 2 * (sizeWeight + w); cost < s.best.cost && s.apart(rest, same, s.and[side]&same) {
			s.best = shape{kind: cube, odd: odd, rest: rest, mask: same, value: s.and[side] & same, cost: cost}
		}
	}
}

// cubeApart prices the run as a test that no bit of a mask is set, and one for
// equality with a single value that has some: whichever decides more first.
func (s *shaper) cubeApart() {
	d := s.d
	for one := s.from; one < s.to; one++ {
		if !d.spans[one].single() {
			continue
		}
		odd, rest, mask := s.without(one)
		if mask&d.spans[one].first == 0 {
			continue
		}
		w, first := d.weight(s.from, s.to), d.spans[one].weight
		inCube := uint64(0)
		for i := s.from; i < s.to; i++ {
			if d.spans[i].to == d.spans[odd].to && i != one {
				inCube += d.spans[i].weight
			}
		}
		if cost := 2*sizeWeight + 2*w - max(first, inCube); cost < s.best.cost {
			s.best = shape{kind: cubeApart, odd: odd, rest: rest, apart: one, mask: mask, cost: cost}
		}
	}
}

// without returns the two outcomes of the run without one span, and the mask of
// which the values of the first have no bit and those of the other have some; 0 if
// there are no such two outcomes or no such mask.
func (s *shaper) without(one int) (odd, rest int, mask uint32) {
	d := s.d
	a, b := -1, -1
	var or [2]uint32
	for i := s.from; i < s.to; i++ {
		if i == one {
			continue
		}
		bits, _ := bitsOf(&d.spans[i])
		switch {
		case a < 0 || d.spans[i].to == d.spans[a].to:
			a = max(a, i)
			or[0] |= bits
		case b < 0 || d.spans[i].to == d.spans[b].to:
			b = max(b, i)
			or[1] |= bits
		default:
			return a, b, 0
		}
	}
	if b < 0 {
		return a, b, 0
	}
	if mask = or[1] &^ or[0]; s.apartBut(b, mask, one) {
		return a, b, mask
	}
	if mask = or[0] &^ or[1]; s.apartBut(a, mask, one) {
		return b, a, mask
	}
	return a, b, 0
}

// apartBut is apart for the run without one span.
func (s *shaper) apartBut(rest int, mask uint32, one int) bool {
	for i := s.from; i < s.to; i++ {
		if x := &s.d.spans[i]; i != one && x.to == s.d.spans[rest].to {
			if v, ok := nextMatch(x.first, mask, 0); ok && v <= x.last {
				return false
			}
		}
	}
	return true
}

// apart reports whether no value with the outcome of rest has value under mask.
func (s *shaper) apart(rest int, mask, value uint32) bool {
	for i := s.from; i < s.to; i++ {
		if x := &s.d.spans[i]; x.to == s.d.spans[rest].to {
			if v, ok := nextMatch(x.first, mask, value); ok && v <= x.last {
				return false
			}
		}
	}
	return true
}

// bitsOf returns the bits that some value of a span has, and those that all have.
func bitsOf(x *span) (or, and uint32) {
	vary := spread(x.first, x.last)
	return x.last | vary, x.first &^ vary
}

// emit returns the tests of a run.
func (d *dispatcher) emit(r run) Ref {
	rest := d.spans[r.shape.rest].to
	switch r.shape.kind {
	case chain:
		return d.emitChain(r, rest)
	case cube:
		t := Test{Op: AnySet, Word: d.word, K: r.shape.mask, Yes: rest, No: d.spans[r.shape.odd].to, Origin: d.origin}
		if r.shape.value != 0 {
			t = Test{Op: MaskEqual, Word: d.word, K: r.shape.value, Mask: r.shape.mask, Yes: t.No, No: t.Yes, Origin: d.origin}
		}
		return d.tree.test(t)
	case cubeApart:
		one, odd := &d.spans[r.shape.apart], d.spans[r.shape.odd].to
		equal := Test{Op: Equal, Word: d.word, K: one.first, Yes: one.to, No: rest, Origin: d.origin}
		none := Test{Op: AnySet, Word: d.word, K: r.shape.mask, Yes: rest, No: odd, Origin: d.origin}
		inCube := uint64(0)
		for i := r.from; i < r.to; i++ {
			if d.spans[i].to == odd && i != r.shape.apart {
				inCube += d.spans[i].weight
			}
		}
		if one.weight > inCube {
			equal.No = d.tree.test(none)
			return d.tree.test(equal)
		}
		none.Yes = d.tree.test(equal)
		return d.tree.test(none)
	}
	return rest
}

func (d *dispatcher) emitChain(r run, rest Ref) Ref {
	var odd [maxChain]int // ascending weight
	n := 0
	for i := r.from; i < r.to; i++ {
		if d.spans[i].to == rest {
			continue
		}
		at := n
		for ; at > 0 && d.spans[odd[at-1]].weight > d.spans[i].weight; at-- {
			odd[at] = odd[at-1]
		}
		odd[at] = i
		n++
	}
	for _, i := range odd[:n] {
		rest = d.tree.test(Test{Op: Equal, Word: d.word, K: d.spans[i].first, Yes: d.spans[i].to, No: rest, Origin: d.origin})
	}
	return rest
}
