package compile

import "math"

// A shape is a way to tell the spans of a run apart without comparisons.
type shape struct {
	kind  shapeKind
	odd   Ref   // the outcome that the test is for
	rest  Ref   // that of all other values
	apart int32 // index of the single value that cubeApart tests as well
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
	d      *dispatcher
	from   int    // the first span of the run
	spans  []span // those from it on that a run may have
	n      int    // how many of them it has
	weight uint64 // of those
	best   shape

	// A chain tests single values, and leaves one outcome: that of the spans which are
	// more than one value.
	noChain bool
	rest    Ref              // -1 as long as all are single values
	counted int              // spans that the chain takes in already
	odd     [maxChain]uint64 // weights of the values that it tests, ascending
	odds    int              // number of them
	saved   uint64           // what it costs less than if every value took each of its tests

	// A cube has two outcomes.
	noCube bool
	a, b   side
}

// A side is one of the two outcomes of a cube.
type side struct {
	to      Ref    // -1 as long as there is none
	or, and uint32 // the bits that some value with this outcome has, and those that all have
	// Two tests of bits: that none of those which no value of the outcome has is set, and
	// that those which all have alike are so.
	never, alike bitTest
}

// failed reports whether no longer run passes either test.
func (s *side) failed() bool { return s.never.failed && s.alike.failed }

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
	s.d, s.from, s.spans = d, from, d.spans[from:min(from+maxRun, len(d.spans))]
	s.n, s.weight = 0, 0
	s.noChain, s.rest, s.counted, s.odds, s.saved = false, -1, 0, 0, 0
	s.noCube, s.a, s.b = false, side{to: -1}, side{to: -1}
	s.add()
}

// extend takes in the next span. It returns false at the end of the spans, and where no
// longer run has a shape.
func (s *shaper) extend() bool {
	if s.n == len(s.spans) || s.noChain && s.noCube && !s.d.exhaustive {
		return false
	}
	s.add()
	return true
}

// add takes in the next span.
func (s *shaper) add() {
	x := &s.spans[s.n]
	s.n++
	s.weight += x.weight
	or, and := x.last, x.first
	if !x.single() {
		or, and = bitsOf(x)
		if s.rest < 0 {
			s.rest = x.to
		}
		s.noChain = s.noChain || s.rest != x.to
	}
	s.noCube = s.noCube || !s.a.take(x.to, or, and) && !s.b.take(x.to, or, and)
}

// take adds the bits of values to those of their outcome, if it is that of the side.
func (s *side) take(to Ref, or, and uint32) bool {
	switch s.to {
	case to:
		s.or |= or
		s.and &= and
		return true
	case -1:
		s.to, s.or, s.and = to, or, and
		return true
	}
	return false
}

// find finds the best shape that costs less than a limit.
func (s *shaper) find(limit uint64) bool {
	if s.n == 1 {
		s.best = shape{kind: uniform, rest: s.spans[0].to}
		return limit > 0
	}
	if limit <= s.d.size+s.weight && s.rest >= 0 && !s.mayBeApart() {
		return false // that is the least of a test that all values take
	}
	s.best.cost = limit
	if !s.noChain {
		s.chain()
	}
	if !s.noCube && s.n > 2 {
		s.cube()
	}
	if s.n > 3 && s.mayBeApart() && s.n <= maxApart {
		s.cubeApart()
	}
	return s.best.cost < limit
}

// mayBeApart reports whether the shape cubeApart is looked at. Of numbers, the fast effort
// looks only at the last ones: there a bit tells what is in no table, but for -1.
func (s *shaper) mayBeApart() bool {
	return s.d.exhaustive || s.d.word != NR || s.spans[s.n-1].last == math.MaxUint32
}

// chain prices the run as a chain of equality tests.
func (s *shaper) chain() {
	rest := s.rest
	if rest < 0 { // single values all: the commonest outcome is left for last
		rest = s.commonest()
		s.counted = 0 // it may be another one in the next run
	}
	if s.counted == 0 {
		s.odds, s.saved = 0, 0
	}
	for ; s.counted < s.n; s.counted++ {
		if x := &s.spans[s.counted]; x.to != rest && !s.takeOdd(x.weight) {
			s.noChain = true
			return
		}
	}
	if s.rest < 0 {
		s.counted = 0
	}
	if cost := uint64(s.odds)*(s.d.size+s.weight) - s.saved; cost < s.best.cost {
		s.best = shape{kind: chain, rest: rest, cost: cost}
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

// commonest returns the most frequent outcome of the run.
func (s *shaper) commonest() Ref {
	run := s.spans[:s.n]
	best, most := run[0].to, 0
	for i := 0; i < len(run) && 2*most < len(run); i++ {
		n := 0
		for j := i; j < len(run); j++ {
			if run[j].to == run[i].to {
				n++
			}
		}
		if n > most {
			best, most = run[i].to, n
		}
	}
	return best
}

// cube prices the run as one test of bits: that some of those which one outcome
// never has are set, or else that all which one outcome always has the same are
// so.
func (s *shaper) cube() {
	if s.b.to < 0 || s.weight+s.d.size >= s.best.cost {
		return
	}
	s.cubeOf(&s.a, &s.b)
	s.cubeOf(&s.b, &s.a)
	s.noCube = s.a.failed() && s.b.failed() && !s.mayBeApart()
}

// cubeOf prices the run as a test for the values of one outcome.
func (s *shaper) cubeOf(odd, rest *side) {
	never := ^odd.or & rest.or
	if cost := s.weight + s.d.size; cost < s.best.cost && !odd.never.failed && s.passes(&odd.never, rest.to, never, 0) {
		s.best = shape{kind: cube, odd: odd.to, rest: rest.to, mask: never, cost: cost}
	}
	// A short run does not pay for this one, but may show that no longer one passes it.
	alike := ^(odd.or ^ odd.and)
	if cost := 2 * (s.weight + s.d.size); (s.n >= minMasked || s.noChain) && cost < s.best.cost && !odd.alike.failed &&
		s.passes(&odd.alike, rest.to, alike, odd.and&alike) && s.n >= minMasked {
		s.best = shape{kind: cube, odd: odd.to, rest: rest.to, mask: alike, value: odd.and & alike, cost: cost}
	}
}

// passes reports whether no value with the outcome of rest has value under mask. Spans that
// passed with fewer bits pass again.
func (s *shaper) passes(t *bitTest, rest Ref, mask, value uint32) bool {
	fresh := s.spans[:s.n]
	if t.mask&^mask == 0 {
		fresh = fresh[t.spans:]
	}
	for i := range fresh {
		if x := &fresh[i]; x.to == rest && x.has(mask, value) {
			t.failed = true
			return false
		}
	}
	t.mask, t.spans = mask, int32(s.n)
	return true
}

// has reports whether some value of a span has value under mask.
func (s *span) has(mask, value uint32) bool {
	off := (s.first ^ value) & mask
	if off == 0 {
		return true
	}
	if off&^spread(s.first, s.last) != 0 {
		return false // all of them have a bit that is off
	}
	v, ok := nextMatch(s.first, mask, value)
	return ok && v <= s.last
}

// cubeApart prices the run as a test that no bit of a mask is set, and one for
// equality with a single value that has some: whichever decides more first.
func (s *shaper) cubeApart() {
	for i := range s.spans[:s.n] {
		one := &s.spans[i]
		// All values take a test, and those of the smaller part the other one.
		if !one.single() || 2*s.d.size+s.weight+min(one.weight, s.weight-one.weight) >= s.best.cost {
			continue
		}
		odd, rest, mask := s.without(i)
		if mask&one.first == 0 {
			continue
		}
		if cost := 2*(s.d.size+s.weight) - max(one.weight, inCube(s.spans[:s.n], i, odd)); cost < s.best.cost {
			s.best = shape{kind: cubeApart, odd: odd, rest: rest, apart: int32(s.from + i), mask: mask, cost: cost}
		}
	}
}

// inCube returns what the values with an outcome weigh, but for one span.
func inCube(run []span, one int, odd Ref) uint64 {
	sum := uint64(0)
	for i := range run {
		if run[i].to == odd && i != one {
			sum += run[i].weight
		}
	}
	return sum
}

// without returns the two outcomes of the run without one span, and the mask of
// which the values of the first have no bit and those of the other have some; 0 if
// there are no such two outcomes or no such mask.
func (s *shaper) without(one int) (odd, rest Ref, mask uint32) {
	a, b := Ref(-1), Ref(-1)
	var orA, orB uint32
	for i := range s.spans[:s.n] {
		if i == one {
			continue
		}
		x := &s.spans[i]
		or := x.last | spread(x.first, x.last)
		switch {
		case x.to == a || a < 0:
			a, orA = x.to, orA|or
		case x.to == b || b < 0:
			b, orB = x.to, orB|or
		default:
			return -1, -1, 0
		}
	}
	if b < 0 {
		return -1, -1, 0
	}
	if mask = orB &^ orA; s.apartBut(b, mask, one) {
		return a, b, mask
	}
	if mask = orA &^ orB; s.apartBut(a, mask, one) {
		return b, a, mask
	}
	return -1, -1, 0
}

// apartBut reports whether all values with the outcome of rest, but for one span, have a
// bit of the mask set.
func (s *shaper) apartBut(rest Ref, mask uint32, one int) bool {
	for i := range s.spans[:s.n] {
		if x := &s.spans[i]; i != one && x.to == rest && x.has(mask, 0) {
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

// testsOfRun returns how many instructions emit makes of a run.
func (d *dispatcher) testsOfRun(r run) int {
	switch h := &r.shape; h.kind {
	case chain:
		n := 0
		for i := r.from; i < r.to; i++ {
			if d.spans[i].to != h.rest {
				n++
			}
		}
		return n
	case cube:
		if h.value == 0 {
			return 1
		}
		return 2
	case cubeApart:
		return 2
	case uniform:
	}
	return 0
}

// emit returns the tests of a run.
func (d *dispatcher) emit(r run) Ref {
	h := &r.shape
	switch h.kind {
	case chain:
		return d.emitChain(r)
	case cube:
		t := Test{Op: AnySet, Word: d.word, K: h.mask, Yes: h.rest, No: h.odd, Origin: d.origin}
		if h.value != 0 {
			t = Test{Op: MaskEqual, Word: d.word, K: h.value, Mask: h.mask, Yes: h.odd, No: h.rest, Origin: d.origin}
		}
		return d.tree.test(t)
	case cubeApart:
		one := &d.spans[h.apart]
		equal := Test{Op: Equal, Word: d.word, K: one.first, Yes: one.to, No: h.rest, Origin: d.origin}
		none := Test{Op: AnySet, Word: d.word, K: h.mask, Yes: h.rest, No: h.odd, Origin: d.origin}
		if one.weight > inCube(d.spans[r.from:r.to], int(h.apart)-r.from, h.odd) {
			equal.No = d.tree.test(none)
			return d.tree.test(equal)
		}
		none.Yes = d.tree.test(equal)
		return d.tree.test(none)
	case uniform:
	}
	return h.rest
}

func (d *dispatcher) emitChain(r run) Ref {
	rest := r.shape.rest
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
