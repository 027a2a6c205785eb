package compiler

import (
	"math"
	"slices"
)

// maxIntervals is the number of spans up to which the exhaustive effort looks at
// every tree. Its time grows with the third power.
const maxIntervals = 640

// intervals returns the tree of least cost among all that are made of comparisons
// between spans and shapes of runs: each interval of spans is either a run or
// split by a comparison, and every shape and every comparison is tried.
func (d *dispatcher) intervals() Ref {
	n := len(d.spans)
	d.cells = slices.Grow(d.cells[:0], n*n)[:n*n]
	for i := range d.cells {
		d.cells[i] = cell{cost: math.MaxUint64, run: -1}
	}
	d.findRuns()
	for i, r := range d.runs {
		d.cells[r.from*n+r.to-1] = cell{cost: r.shape.cost, run: int32(i)}
	}
	for size := 1; size < n; size++ {
		for i := 0; i+size < n; i++ {
			d.splitInterval(n, i, i+size)
		}
	}
	return d.build(n, 0, n-1)
}

// A cell is what is known of an interval of spans.
type cell struct {
	cost uint64
	at   int32 // the last span before the best comparison, or
	run  int32 // the index of the shape of a run if that is better, else -1
}

// splitInterval finds the best comparison in an interval.
func (d *dispatcher) splitInterval(n, i, j int) {
	best, at := uint64(math.MaxUint64), i
	for m := i; m < j; m++ {
		if sum := d.cells[i*n+m].cost + d.cells[(m+1)*n+j].cost; sum < best {
			best, at = sum, m
		}
	}
	if c := &d.cells[i*n+j]; best+sizeWeight+d.weight(i, j+1) < c.cost {
		*c = cell{best + sizeWeight + d.weight(i, j+1), int32(at), -1}
	}
}

// build emits the tree of an interval.
func (d *dispatcher) build(n, i, j int) Ref {
	c := &d.cells[i*n+j]
	if c.run >= 0 {
		return d.emit(d.runs[c.run])
	}
	m := int(c.at)
	return d.compare(m+1, d.build(n, i, m), d.build(n, m+1, j))
}
