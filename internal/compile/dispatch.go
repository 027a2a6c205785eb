package compile

import (
	"math"
	"math/bits"
	"slices"
)

// A span is a case of a switch on its way to becoming tests.
type span struct {
	first, last uint32
	to          Ref
	weight      uint64
}

func (s *span) single() bool { return s.first == s.last }

// A dispatcher turns the cases of a switch into a tree of two-way tests.
//
// A boundary between two cases needs a comparison at it, or an equality test
// that takes a single value out of its surroundings. So the cases are cut into
// runs, a tree of comparisons finds the run, and the tests inside the run tell
// its cases apart: see shape. Up to a number of cases the best combination is
// found: see intervals. For more, the runs are chosen first, with an estimate of
// the depth at which the tree will hold each, and then the tree over them. What would
// have more tests than a plain list of the values is planned again with shortWeight.
type dispatcher struct {
	tree       *Tree
	exhaustive bool
	word       Word
	origin     string
	spans      []span
	sum        []uint64 // sum[i] is the weight of spans[:i]

	size   uint64 // what an instruction costs
	tally  []int  // of the tests in a list, by outcome
	log    uint64 // of the weight of all: see fixedLog
	cells  []cell // of the intervals of spans: see intervals
	runs   []run  // that cells refer to
	prefix []prefix
	chosen []run
	cost   []uint64 // of the comparison tree over the runs i..j, by triangle(i, j)
	split  []uint8  // the last run before its root
}

// A run is a stretch of spans with the tests that tell them apart.
type run struct {
	from, to int // spans[from:to]
	shape    shape
}

// dispatch returns the tree that takes each value of a word to its span's ref. It
// may change spans.
func (d *dispatcher) dispatch(w Word, spans []span, origin string) Ref {
	if len(spans) == 1 {
		return spans[0].to
	}
	if hot := hottest(spans); hot >= 0 && !d.exhaustive {
		s := spans[hot]
		rest := d.dispatch(w, absorb(spans, hot), origin)
		return d.tree.test(Test{Op: Equal, Word: w, K: s.first, Yes: s.to, No: rest, Origin: origin})
	}
	d.start(w, spans, origin)
	if rest, most := d.list(spans); d.plan() > most && most <= maxList {
		if d.size = shortWeight; d.plan() > most {
			return d.listed(rest)
		}
	}
	return d.planned()
}

// byIntervals reports whether every tree is looked at.
func (d *dispatcher) byIntervals() bool { return d.exhaustive && len(d.spans) <= maxIntervals }

// plan finds the tree that costs least, and returns how many instructions it has.
func (d *dispatcher) plan() int {
	if d.byIntervals() {
		d.intervals()
		return d.testsOf(0, len(d.spans)-1, 0)
	}
	d.choose()
	n := len(d.chosen) - 1
	for _, r := range d.chosen {
		n += d.testsOfRun(r)
	}
	return n
}

// planned emits the tree of the last plan.
func (d *dispatcher) planned() Ref {
	if d.byIntervals() {
		return d.build(0, len(d.spans)-1, 0)
	}
	return d.search(0, len(d.chosen)-1)
}

// start sets what the tree is for.
func (d *dispatcher) start(w Word, spans []span, origin string) {
	d.word, d.spans, d.origin, d.size = w, spans, origin, sizeWeight
	d.sum = append(slices.Grow(d.sum[:0], len(spans)+1), 0)
	for i := range spans {
		d.sum = append(d.sum, d.sum[i]+spans[i].weight)
	}
	d.log = fixedLog(d.sum[len(spans)])
}

// hottest returns the single value that weighs more than all others together: a
// tree that does not test it first takes it two comparisons. It returns -1 if
// there is none.
func hottest(spans []span) int {
	total, hot := uint64(0), 0
	for i := range spans {
		if total += spans[i].weight; spans[i].weight > spans[hot].weight {
			hot = i
		}
	}
	if spans[hot].single() && spans[hot].weight > total/2 {
		return hot
	}
	return -1
}

// absorb gives the value of a single span, which does not get there, to a
// neighbour. It changes spans.
func absorb(spans []span, i int) []span {
	if i == 0 {
		spans[1].first = spans[0].first
		return spans[1:]
	}
	spans[i-1].last = spans[i].last
	return slices.Delete(spans, i, i+1)
}

func (d *dispatcher) weight(from, to int) uint64 { return d.sum[to] - d.sum[from] }

// findRuns finds all runs that have a shape, by their first span.
func (d *dispatcher) findRuns() {
	d.runs = slices.Grow(d.runs[:0], 4*len(d.spans))
	var s shaper
	for i := range d.spans {
		s.start(d, i)
		for more := true; more; more = s.extend() {
			if s.find(math.MaxUint64) {
				d.runs = append(d.runs, run{i, i + s.n, s.best})
			}
		}
	}
}

// guess returns what it costs to get to a run before there is a tree: about as many
// comparisons as its share of the weight says, and one on each side that is not
// the edge.
func (d *dispatcher) guess(from, to int) uint64 {
	w := d.weight(from, to)
	sides := uint64(0)
	if from > 0 {
		sides += log2One
	}
	if to < len(d.spans) {
		sides += log2One
	}
	return w * max(sides, d.log-fixedLog(w)) / log2One
}

// A prefix is the best choice of runs for the spans before one of them.
type prefix struct {
	cost uint64
	last run // ends there
}

// choose chooses runs that make up all spans so that the cost is least, as far as
// it can be guessed before there is a tree over them.
func (d *dispatcher) choose() {
	n := len(d.spans)
	d.prefix = slices.Grow(d.prefix[:0], n+1)[:n+1]
	for i := range d.prefix {
		d.prefix[i].cost = math.MaxUint64
	}
	d.prefix[0].cost = 0
	var s shaper
	for i := range d.spans {
		base := d.prefix[i].cost + d.size
		s.start(d, i)
		for more := true; more; more = s.extend() {
			p := &d.prefix[i+s.n]
			if !s.find(max(p.cost, base) - base) {
				continue
			}
			if c := base + s.best.cost + d.guess(i, i+s.n); c < p.cost {
				*p = prefix{c, run{i, i + s.n, s.best}}
			}
		}
	}
	d.chosen = d.chosen[:0]
	for to := n; to > 0; to = d.chosen[len(d.chosen)-1].from {
		d.chosen = append(d.chosen, d.prefix[to].last)
	}
	slices.Reverse(d.chosen)
}

// maxSearch is the number of runs up to which the tree over them is optimal. More
// are first halved by weight, so that time stays linear.
const maxSearch = 128

// search returns the tree of comparisons over the chosen runs from..to.
func (d *dispatcher) search(from, to int) Ref {
	if from == to {
		return d.emit(d.chosen[from])
	}
	if to-from >= maxSearch {
		mid := d.middle(from, to)
		return d.compare(d.chosen[mid].to, d.search(from, mid), d.search(mid+1, to))
	}
	runs := d.chosen[from : to+1]
	d.optimize(runs)
	return d.follow(runs, 0, len(runs)-1)
}

// optimize finds the tree of comparisons over runs whose weighted depth is least.
// The best split of i..j lies between those of i..j-1 and i+1..j (Knuth, Optimum
// binary search trees, 1971).
func (d *dispatcher) optimize(runs []run) {
	n := len(runs)
	d.cost = slices.Grow(d.cost[:0], triangle(0, n))[:triangle(0, n)]
	d.split = slices.Grow(d.split[:0], triangle(0, n))[:triangle(0, n)]
	var shorter []uint8 // the splits of i..j-1
	for j := range n {
		cost, split := d.cost[triangle(0, j):][:j+1], d.split[triangle(0, j):][:j+1]
		cost[j], split[j] = 0, uint8(j)
		weight := d.sum[runs[j].to]
		for i := j - 1; i >= 0; i-- {
			at := int(shorter[i])
			before := triangle(i, at)
			best := d.cost[before] + cost[at+1]
			for m, last := at+1, min(int(split[i+1]), j-1); m <= last; m++ {
				before += m // triangle(i, m)
				if c := d.cost[before] + cost[m+1]; c < best {
					best, at = c, m
				}
			}
			cost[i], split[i] = best+weight-d.sum[runs[i].from], uint8(at)
		}
		shorter = split
	}
}

// triangle returns the index of i..j among all pairs i <= j, by ascending j.
func triangle(i, j int) int { return j*(j+1)/2 + i }

// follow emits the tree over the runs i..j that optimize found.
func (d *dispatcher) follow(runs []run, i, j int) Ref {
	if i == j {
		return d.emit(runs[i])
	}
	m := int(d.split[triangle(i, j)])
	return d.compare(runs[m].to, d.follow(runs, i, m), d.follow(runs, m+1, j))
}

// compare returns the test that parts the spans from the at-th on from those before it.
func (d *dispatcher) compare(at int, below, above Ref) Ref {
	return d.tree.test(Test{Op: AtLeast, Word: d.word, K: d.spans[at].first, Yes: above, No: below, Origin: d.origin})
}

// middle returns the chosen run behind which the weights of from..to are nearest
// to equal, but leaves an eighth of the runs on each side.
func (d *dispatcher) middle(from, to int) int {
	first, last := d.chosen[from].from, d.chosen[to].to
	half := d.sum[first] + d.weight(first, last)/2
	lo, hi := from, to-1
	for lo < hi {
		if m := (lo + hi) / 2; d.sum[d.chosen[m].to] < half {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return min(max(lo, from+(to-from)/8), to-1-(to-from)/8)
}

// log2One is 1 in the fixed point of fixedLog.
const log2One = 16

// fixedLog returns the logarithm of x to base 2 in sixteenths, rounded down to what the
// topmost bits say, and 0 for 0: integers keep the output the same on every host.
func fixedLog(x uint64) uint64 {
	if x == 0 {
		return 0
	}
	n := bits.Len64(x) - 1
	fraction := x << (63 - n) << 1 >> 60 // the four bits behind the leading one
	return uint64(n)*log2One + uint64(logTable[fraction])
}

// logTable[i] is 16*log2(1+i/16), rounded.
var logTable = [16]uint8{0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15}
