package compile

import (
	"cmp"
	"math"
	"slices"
)

// maxList is the number of tests up to which a list bounds the length of a tree. A longer
// one would save an instruction in eight, and have some paths run all of it.
const maxList = 48

// list returns how many tests a plain list of spans takes, which asks for one value after the
// other, and what outcome it leaves for all that it does not ask for.
func (d *dispatcher) list(spans []span) (rest Ref, tests int) {
	if n := d.tree.Len() - len(d.tally); n > 0 {
		d.tally = append(d.tally, make([]int, n)...)
	}
	rest = spans[0].to
	for i := range spans {
		s := &spans[i]
		n := s.inList()
		tests += n
		if d.tally[s.to] += n; d.tally[s.to] > d.tally[rest] {
			rest = s.to
		}
	}
	tests -= d.tally[rest]
	for i := range spans {
		d.tally[spans[i].to] = 0
	}
	return rest, tests
}

// inList returns how many tests a list has for a span.
func (s *span) inList() int {
	if s.single() || s.first == 0 || s.last == math.MaxUint32 {
		return 1
	}
	return 2
}

// listed emits a list, with heavier spans first.
func (d *dispatcher) listed(rest Ref) Ref {
	order := make([]int, 0, len(d.spans)) // of the spans to take out
	for i := range d.spans {
		if d.spans[i].to != rest {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(d.spans[j].weight, d.spans[i].weight) })
	taken := make([]bool, len(d.spans))
	tests := make([]listTest, len(order))
	first, last := 0, len(d.spans)-1 // of the spans that get to a test
	for n, i := range order {
		tests[n] = listTest{below: i > first, above: i < last}
		taken[i] = true
		for first < last && taken[first] {
			first++
		}
		for first < last && taken[last] {
			last--
		}
	}
	next := rest
	for n, i := range slices.Backward(order) {
		next = d.without(&d.spans[i], tests[n], next)
	}
	return next
}

// A listTest says on which sides of a span there are values that still get to its test.
type listTest struct{ below, above bool }

// without emits the tests that take a span out of what goes elsewhere.
func (d *dispatcher) without(s *span, t listTest, next Ref) Ref {
	if s.single() {
		return d.tree.test(Test{Op: Equal, Word: d.word, K: s.first, Yes: s.to, No: next, Origin: d.origin})
	}
	to := s.to
	if t.above {
		to = d.tree.test(Test{Op: AtLeast, Word: d.word, K: s.last + 1, Yes: next, No: to, Origin: d.origin})
	}
	if t.below {
		to = d.tree.test(Test{Op: AtLeast, Word: d.word, K: s.first, Yes: to, No: next, Origin: d.origin})
	}
	return to
}
