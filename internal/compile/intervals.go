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

// intervals returns the tree of least cost among all of this kind: an interval of
// spans is a run with its shape; or a comparison splits it; or one of its heaviest
// single values is tested for equality, which leaves the interval with a hole.
//
// What is left to decide is always an interval with some of its heaviest values
// taken out, and every such set of every interval is looked at once. With at most
// maxHoles single values that is every tree of comparisons and equality tests.
func (d *dispatcher) intervals() Ref {
	n := len(d.spans)
	d.cells = slices.Grow(d.cells[:0], n*n)[:n*n]
	for i := range d.cells {
		d.cells[i] = cell{}
		for h := range d.cells[i].best {
			d.cells[i].best[h].cost = math.MaxUint64
		}
	}
	d.findRuns()
	for i, r := range d.runs {
		d.cells[r.from*n+r.to-1].best[0] = choice{r.shape.cost, byRun, int32(i)}
	}
	for size := range n {
		for i := 0; i+size < n; i++ {
			d.heaviest(n, i, i+size)
			for holes := 1<<d.cells[i*n+i+size].count - 1; holes >= 0; holes-- {
				d.settle(n, i, i+size, uint(holes))
			}
		}
	}
	return d.build(n, 0, n-1, 0)
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

// heaviest finds the heaviest single values of an interval.
func (d *dispatcher) heaviest(n, i, j int) {
	c := &d.cells[i*n+j]
	if i < j {
		c.heavy, c.count = d.cells[i*n+j-1].heavy, d.cells[i*n+j-1].count
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

// settle finds the best choice for an interval with holes.
func (d *dispatcher) settle(n, i, j int, holes uint) {
	c := &d.cells[i*n+j]
	best := &c.best[holes]
	if at, ok := d.alike(c, i, j, holes); ok {
		*best = choice{0, byRest, at}
		return
	}
	weight := sizeWeight + d.weight(i, j+1)
	for h := range c.count {
		if holes>>h&1 != 0 {
			weight -= d.spans[c.heavy[h]].weight
		}
	}
	for h := range c.count {
		if holes>>h&1 != 0 {
			continue
		}
		if cost := weight + c.best[holes|1<<h].cost; cost < best.cost {
			*best = choice{cost, byTest, int32(h)}
		}
	}
	for m := i; m < j; m++ {
		left, right := d.part(c, n, i, j, m, holes)
		if cost := weight + d.cells[i*n+m].best[left].cost + d.cells[(m+1)*n+j].best[right].cost; cost < best.cost {
			*best = choice{cost, bySplit, int32(m)}
		}
	}
}

// part returns the holes of the intervals i..m and m+1..j: a heavy value of the
// whole is one of its part, too.
func (d *dispatcher) part(c *cell, n, i, j, m int, holes uint) (left, right uint) {
	for h := 0; holes>>h != 0; h++ {
		if holes>>h&1 == 0 {
			continue
		}
		if at := c.heavy[h]; int(at) <= m {
			left |= d.cells[i*n+m].hole(at)
		} else {
			right |= d.cells[(m+1)*n+j].hole(at)
		}
	}
	return left, right
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

// build emits the tree of an interval with holes.
func (d *dispatcher) build(n, i, j int, holes uint) Ref {
	c := &d.cells[i*n+j]
	switch best := c.best[holes]; best.how {
	case byRun:
		return d.emit(d.runs[best.at])
	case byTest:
		s := &d.spans[c.heavy[best.at]]
		rest := d.build(n, i, j, holes|1<<best.at)
		return d.tree.test(Test{Op: Equal, Word: d.word, K: s.first, Yes: s.to, No: rest, Origin: d.origin})
	case bySplit:
		m := int(best.at)
		left, right := d.part(c, n, i, j, m, holes)
		return d.compare(m+1, d.build(n, i, m, left), d.build(n, m+1, j, right))
	default:
		return d.spans[best.at].to
	}
}
