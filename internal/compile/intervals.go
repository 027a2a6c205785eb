package compile

import (
	"math"
	"slices"
)

const (
	// maxIntervals is the number of spans up to which the exhaustive effort looks
	// at every tree. Its time grows with the third power.
	maxIntervals = 256
	// maxHoles is how many values of an interval may be tested above comparisons.
	maxHoles = 4
)

// intervals finds the tree of least cost among all of this kind: an interval of
// spans is a run with its shape; or a comparison splits it; or one of its heaviest
// single values is tested for equality, which leaves the interval with a hole.
//
// What is left to decide is always an interval with some of its heaviest values
// taken out, and every such set of every interval is looked at once. With at most
// maxHoles single values that is every tree of comparisons and equality tests.
func (d *dispatcher) intervals() {
	n := len(d.spans)
	d.cells = slices.Grow(d.cells[:0], triangle(0, n))[:triangle(0, n)]
	for i := range d.cells {
		d.cells[i] = cell{}
		d.cells[i].best[0].cost = math.MaxUint64
	}
	d.findRuns()
	for i, r := range d.runs {
		d.cell(r.from, r.to-1).best[0] = choice{r.shape.cost, byRun, int32(i)}
	}
	for j := range n {
		for i := j; i >= 0; i-- {
			d.heaviest(i, j)
			d.settle(i, j)
		}
	}
}

// A cell is what is known of an interval of spans. Its holes are numbered by its own
// heavy values. For example, of the spans
//
//	0..39:a 40:b*50 41..69:a 70:c*90 71..:a
//
// the interval of all five has the heavy values 70 and 40. Holes 0b01 are it without
// 70; 0b10, without 40; and 0b11, without both, which leaves a alone: byRest. With
// holes 0b10, a comparison with 70 leaves 0..69, where 40 is the heaviest value and the
// holes are 0b01, and 70 and above, which has none.
type cell struct {
	heavy [maxHoles]int32 // its heaviest single values, heaviest first
	count int             // of them
	// best[holes] is for the interval without those heavy values whose bit is set.
	best [1 << maxHoles]choice
}

// A choice is the best that can be done with an interval.
type choice struct {
	cost uint64
	how  uint8
	at   int32
}

const (
	byRun   = iota // at is the index of the run
	byRest         // all but the holes is like the span at
	bySplit        // at is the last span before the comparison
	byTest         // the heavy value at is tested
)

// cell returns the cell of the interval i..j.
func (d *dispatcher) cell(i, j int) *cell { return &d.cells[triangle(i, j)] }

// heaviest finds the heaviest single values of an interval.
func (d *dispatcher) heaviest(i, j int) {
	c := d.cell(i, j)
	if i < j {
		before := d.cell(i, j-1)
		c.heavy, c.count = before.heavy, before.count
	}
	if !d.spans[j].single() {
		return
	}
	// Of equal weight, the earlier one is the heavier: a part agrees with the whole.
	at := c.count
	for at > 0 && d.spans[c.heavy[at-1]].weight < d.spans[j].weight {
		at--
	}
	if at < maxHoles {
		c.count = min(c.count+1, maxHoles)
		copy(c.heavy[at+1:], c.heavy[at:])
		c.heavy[at] = int32(j)
	}
}

// settle finds the best choices for an interval, with more holes first: a test leaves
// one more.
func (d *dispatcher) settle(i, j int) {
	c := d.cell(i, j)
	splits := d.splits(c, i, j)
	for holes := 1<<c.count - 1; holes >= 0; holes-- {
		if at, ok := d.alike(c, i, j, uint(holes)); ok {
			c.best[holes] = choice{0, byRest, at}
			continue
		}
		weight := d.size + d.weight(i, j+1)
		for h := range c.count {
			if holes>>h&1 != 0 {
				weight -= d.spans[c.heavy[h]].weight
			}
		}
		best := choice{cost: math.MaxUint64}
		if holes == 0 {
			best = c.best[0] // the run
		}
		for h := range c.count {
			if holes>>h&1 != 0 {
				continue
			}
			if cost := weight + c.best[holes|1<<h].cost; cost < best.cost {
				best = choice{cost, byTest, int32(h)}
			}
		}
		if s := splits[holes]; i < j && weight+s.cost < best.cost {
			best = choice{weight + s.cost, bySplit, s.at}
		}
		c.best[holes] = best
	}
}

// splits returns for all holes of an interval the best place to split it, and what its
// parts cost together.
func (d *dispatcher) splits(c *cell, i, j int) (best [1 << maxHoles]choice) {
	all := best[:1<<c.count]
	for holes := range all {
		all[holes].cost = math.MaxUint64
	}
	holes := c.parts(i)
	for m := i; m < j; m++ {
		if c.hole(int32(m)) != 0 {
			holes = c.parts(m)
		}
		left, right := d.cell(i, m), d.cell(m+1, j)
		for h := range all {
			p := holes[h]
			if cost := left.best[p.left].cost + right.best[p.right].cost; cost < all[h].cost {
				all[h].cost, all[h].at = cost, int32(m)
			}
		}
	}
	return best
}

// parts are the holes of the two parts of an interval.
type parts struct{ left, right uint8 }

// parts returns for all holes of an interval those of its parts, of which one ends at
// span m: the heavy values of the whole that a part has are its heaviest, too.
func (c *cell) parts(m int) (all [1 << maxHoles]parts) {
	next := parts{1, 1} // the bits of the heaviest values that are left
	for h, at := range c.heavy[:c.count] {
		var bit parts
		if int(at) <= m {
			bit.left = next.left
			next.left <<= 1
		} else {
			bit.right = next.right
			next.right <<= 1
		}
		for holes, p := range all[:1<<h] {
			all[1<<h|holes] = parts{p.left | bit.left, p.right | bit.right}
		}
	}
	return all
}

// alike reports whether all spans of an interval but its holes have one outcome,
// and returns one of them.
func (d *dispatcher) alike(c *cell, i, j int, holes uint) (at int32, ok bool) {
	at = int32(i)
	first := true
	for k := i; k <= j; k++ {
		switch {
		case c.hole(int32(k))&holes != 0:
		case first:
			at, first = int32(k), false
		case d.spans[k].to != d.spans[at].to:
			return 0, false
		}
	}
	return at, true
}

// hole returns the bit of a heavy value.
func (c *cell) hole(at int32) uint {
	for h := range c.count {
		if c.heavy[h] == at {
			return 1 << h
		}
	}
	return 0
}

// testsOf returns how many instructions build makes of an interval with holes.
func (d *dispatcher) testsOf(i, j int, holes uint8) int {
	c := d.cell(i, j)
	switch best := c.best[holes]; best.how {
	case byRun:
		return d.testsOfRun(d.runs[best.at])
	case byTest:
		return 1 + d.testsOf(i, j, holes|1<<best.at)
	case bySplit:
		m := int(best.at)
		p := c.parts(m)[holes]
		return 1 + d.testsOf(i, m, p.left) + d.testsOf(m+1, j, p.right)
	default:
		return 0
	}
}

// build emits the tree of an interval with holes.
func (d *dispatcher) build(i, j int, holes uint8) Ref {
	c := d.cell(i, j)
	switch best := c.best[holes]; best.how {
	case byRun:
		return d.emit(d.runs[best.at])
	case byTest:
		s := &d.spans[c.heavy[best.at]]
		rest := d.build(i, j, holes|1<<best.at)
		return d.tree.test(Test{Op: Equal, Word: d.word, K: s.first, Yes: s.to, No: rest, Origin: d.origin})
	case bySplit:
		m := int(best.at)
		p := c.parts(m)[holes]
		return d.compare(m+1, d.build(i, m, p.left), d.build(m+1, j, p.right))
	default:
		return d.spans[best.at].to
	}
}
