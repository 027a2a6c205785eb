package compile

// A shape is a way to tell the spans of a run apart without comparisons. The spans are
// given by their indices.
type shape struct {
	kind  shapeKind
	odd   int32 // a span with the outcome that the test is for
	rest  int32 // a span with the outcome of all other values
	apart int32 // the single value that cubeApart tests as well
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

// A shaper finds the best shape of each run that starts at one span: it starts with that
// span alone and takes in the next ones.
type shaper struct {
	d        *dispatcher
	from, to int
	best     shape

	// A chain tests single values, and leaves one outcome: that of the spans which are
	// more than one value.
	noChain bool
	rest    int              // such a span, -1 for none yet
	odd     [maxChain]uint64 // weights of the values tested, ascending
	odds    int              // number of them
	saved   uint64           // what the chain costs less than if all of the run took each of its tests
	counted int              // spans before it are in odd

	// A cube has two outcomes.
	noCube  bool
	a, b    int // the first span of each, b is -1 until there are two
	or, and [2]uint32
	// The tests of bits for each: that none of those which the outcome never has is set,
	// and that those which it always has alike are so.
	never, alike [2]bitTest
}

// A bitTest is a test of bits while its run grows. Once it takes a value of the other
// outcome for one of its own, it does so in every longer run: bits that no value of the
// other outcome had before do not tell those values apart, and bits are never alike again.
type bitTest struct {
	failed bool
	mask   uint32 // of the last one that passed
	spans  int32  // in the run then
}

// start starts with the run of one span.
func (s *shaper) start(d *dispatcher, from int) {
	s.d, s.from, s.to = d, from, from+1
	s.noChain, s.rest = false, -1
	s.odds, s.saved, s.counted = 0, 0, from
	s.noCube, s.a, s.b = false, from, -1
	x := &d.spans[from]
	if !x.single() {
		s.rest = from
	}
	s.or[0], s.and[0] = bitsOf(x)
	s.never = [2]bitTest{}
	s.alike = [2]bitTest{}
}

// extend takes in the next span. It returns false at the end of the spans, and where no
// longer run has a shape.
func (s *shaper) extend() bool {
	if s.to == len(s.d.spans) || s.to-s.from == maxRun || s.noChain && s.noCube && !s.d.exhaustive {
		return false
	}
	s.add(s.to)
	s.to++
	return true
}

// find finds the best shape that costs less than a limit.
func (s *shaper) find(limit uint64) bool {
	if s.to-s.from == 1 {
		s.best = shape{kind: uniform, rest: int32(s.from)}
		return limit > 0
	}
	s.best = shape{cost: limit}
	if !s.noChain {
		s.chain()
	}
	if !s.noCube {
		s.cube()
	}
	if s.to-s.from > 3 && s.mayBeApart() && s.to-s.from <= maxApart {
		s.cubeApart()
	}
	return s.best.cost < limit
}

// mayBeApart reports whether the shape cubeApart is looked at.
func (s *shaper) mayBeApart() bool { return s.d.exhaustive || s.d.word != NR }

// add takes a span into the run.
func (s *shaper) add(i int) {
	x := &s.d.spans[i]
	or, and := x.last, x.first
	if !x.single() {
		switch {
		case s.rest < 0:
			s.rest = i
		case s.d.spans[s.rest].to != x.to:
			s.noChain = true
		}
		or, and = bitsOf(x)
	}
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
	rest := s.rest
	if rest < 0 || s.counted == s.from {
		s.odds, s.saved, s.counted = 0, 0, s.from
	}
	if rest < 0 { // single values all: the commonest outcome is left for last
		rest = s.commonest()
	}
	to := s.d.spans[rest].to
	for ; s.counted < s.to; s.counted++ {
		if x := &s.d.spans[s.counted]; x.to != to && !s.takeOdd(x.weight) {
			s.noChain = true
			return
		}
	}
	if s.rest < 0 {
		s.counted = s.from // another outcome may be the commonest of the next run
	}
	if cost := uint64(s.odds)*(sizeWeight+s.d.weight(s.from, s.to)) - s.saved; cost < s.best.cost {
		s.best = shape{kind: chain, rest: int32(rest), cost: cost}
	}
}

// takeOdd adds a weight to those of the values that a chain tests, and reports whether
// there is room. The heavier ones, which are tested first, do not get to its test, and it
// does not get to those of the lighter ones.
func (s *shaper) takeOdd(weight uint64) bool {
	if s.odds == maxChain {
		return false
	}
	at := s.odds
	for ; at > 0 && s.odd[at-1] > weight; at-- {
		s.odd[at] = s.odd[at-1]
		s.saved += s.odd[at]
	}
	s.odd[at] = weight
	s.saved += uint64(at) * weight
	s.odds++
	return true
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
		if cost := sizeWeight + w; cost < s.best.cost && s.passes(&s.never[side], rest, never, 0) {
			s.best = shape{kind: cube, odd: int32(odd), rest: int32(rest), mask: never, cost: cost}
		}
		if s.to-s.from < minMasked {
			continue
		}
		same := ^(s.or[side] ^ s.and[side])
		if cost := 2 * (sizeWeight + w); cost < s.best.cost && s.passes(&s.alike[side], rest, same, s.and[side]&same) {
			s.best = shape{kind: cube, odd: int32(odd), rest: int32(rest), mask: same, value: s.and[side] & same, cost: cost}
		}
	}
	if s.never[0].failed && s.never[1].failed && s.alike[0].failed && s.alike[1].failed && !s.mayBeApart() {
		s.noCube = true
	}
}

// passes reports whether no value with the outcome of rest has value under mask. Spans that
// passed with fewer bits pass again.
func (s *shaper) passes(t *bitTest, rest int, mask, value uint32) bool {
	if t.failed {
		return false
	}
	run := s.d.spans[s.from:s.to]
	fresh := run
	if t.mask&^mask == 0 {
		fresh = run[t.spans:]
	}
	to := s.d.spans[rest].to
	for i := range fresh {
		if x := &fresh[i]; x.to == to && x.has(mask, value) {
			t.failed = true
			return false
		}
	}
	t.mask, t.spans = mask, int32(len(run))
	return true
}

// has reports whether some value of a span has value under mask.
func (x *span) has(mask, value uint32) bool {
	if x.first&mask == value {
		return true
	}
	if x.single() {
		return false
	}
	v, ok := nextMatch(x.first, mask, value)
	return ok && v <= x.last
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
			s.best = shape{kind: cubeApart, odd: int32(odd), rest: int32(rest), apart: int32(one), mask: mask, cost: cost}
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

// apartBut reports whether no value with the outcome of rest, but for one span, has a bit
// of the mask set.
func (s *shaper) apartBut(rest int, mask uint32, one int) bool {
	for i := s.from; i < s.to; i++ {
		if x := &s.d.spans[i]; i != one && x.to == s.d.spans[rest].to && x.has(mask, 0) {
			return false
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
			if d.spans[i].to == odd && i != int(r.shape.apart) {
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
