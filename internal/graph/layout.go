package graph

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// Lengths are in hundredths of a pixel, and integers: those are the same on every
// host.
const (
	pixel      = 100
	charWidth  = 7*pixel + 25 // of a monospace font of 12 pixels
	lineHeight = 16 * pixel
	padding    = 8 * pixel  // around the text of a box
	portGap    = 16 * pixel // between arrows that leave a box
	rowGap     = 12 * pixel // between boxes of a column
	bendGap    = 6 * pixel  // between arrows that pass a column
	columnGap  = 46 * pixel // for the bends between columns
	margin     = 16 * pixel
)

// A layout places a graph in columns from left to right, in the manner of
// Sugiyama, Tagawa and Toda (Methods for visual understanding of hierarchical
// system structures, 1981): a box goes behind everything that leads to it, arrows
// over several columns get a place in each, places are ordered for few crossings
// and then moved close to their neighbours.
type layout struct {
	g       *Graph
	places  []place
	columns [][]int // places from top to bottom
	// Of each column: where its boxes begin, how wide they are, and how much room
	// the labels behind them take.
	x, width, labels []int
	height           int
}

// A place is a box or, with node -1, where an arrow passes a column.
type place struct {
	node     int
	column   int
	row      int
	height   int
	y        int   // of the middle
	from, to []int // places of neighbour columns
}

func newLayout(g *Graph) *layout {
	l := &layout{g: g}
	l.rank()
	l.route()
	l.order()
	l.measure()
	l.settle()
	return l
}

// rank finds the column of each box: the longest way to it.
func (l *layout) rank() {
	l.places = make([]place, len(l.g.nodes))
	for i := range l.g.nodes { // arrows go to later boxes
		n := &l.g.nodes[i]
		p := &l.places[i]
		p.node = i
		p.height = max(len(n.lines)*lineHeight, len(n.edges)*portGap) + padding
		for _, e := range n.edges {
			q := &l.places[e.to]
			q.column = max(q.column, p.column+1)
		}
	}
}

// route gives long arrows a place in each column that they pass, and lists the
// places of each column in the order of a walk from the root.
func (l *layout) route() {
	for i := range l.g.nodes {
		for _, e := range l.g.nodes[i].edges {
			last := i
			for column := l.places[i].column + 1; column < l.places[e.to].column; column++ {
				l.places = append(l.places, place{node: -1, column: column, height: pixel})
				l.join(last, len(l.places)-1)
				last = len(l.places) - 1
			}
			l.join(last, e.to)
		}
	}
	seen := make([]bool, len(l.places))
	var visit func(int)
	visit = func(i int) {
		if seen[i] {
			return
		}
		seen[i] = true
		p := &l.places[i]
		for len(l.columns) <= p.column {
			l.columns = append(l.columns, nil)
		}
		p.row = len(l.columns[p.column])
		l.columns[p.column] = append(l.columns[p.column], i)
		for _, to := range p.to {
			visit(to)
		}
	}
	visit(0)
}

func (l *layout) join(from, to int) {
	l.places[from].to = append(l.places[from].to, to)
	l.places[to].from = append(l.places[to].from, from)
}

// sweeps is how often the columns are ordered there and back.
const sweeps = 8

// order orders the places of each column by the median of their neighbours, and
// keeps the order with the fewest crossings.
func (l *layout) order() {
	best := l.snapshot()
	fewest := l.crossings()
	for range sweeps {
		if fewest == 0 {
			break
		}
		for c := 1; c < len(l.columns); c++ {
			l.sort(l.columns[c], func(p *place) []int { return p.from })
		}
		for c := len(l.columns) - 2; c >= 0; c-- {
			l.sort(l.columns[c], func(p *place) []int { return p.to })
		}
		if n := l.crossings(); n < fewest {
			best, fewest = l.snapshot(), n
		}
	}
	l.columns = best
	for _, column := range l.columns {
		l.number(column)
	}
}

func (l *layout) snapshot() [][]int {
	var copies [][]int
	for _, column := range l.columns {
		copies = append(copies, slices.Clone(column))
	}
	return copies
}

func (l *layout) sort(column []int, neighbours func(*place) []int) {
	median := make(map[int]int, len(column)) // twice the median
	for _, i := range column {
		p := &l.places[i]
		var rows []int
		for _, j := range neighbours(p) {
			rows = append(rows, l.places[j].row)
		}
		slices.Sort(rows)
		switch n := len(rows); {
		case n == 0:
			median[i] = 2 * p.row
		default:
			median[i] = rows[(n-1)/2] + rows[n/2]
		}
	}
	slices.SortStableFunc(column, func(i, j int) int { return cmp.Compare(median[i], median[j]) })
	l.number(column)
}

func (l *layout) number(column []int) {
	for row, i := range column {
		l.places[i].row = row
	}
}

// crossings counts the pairs of arrows between neighbour columns that cross.
func (l *layout) crossings() int {
	total := 0
	for c := 1; c < len(l.columns); c++ {
		// Arrows in the order of their starts cross where their ends are out of
		// order. tree counts ends up to a row, as a binary indexed tree.
		tree := make([]int, len(l.columns[c])+1)
		n := 0
		for _, i := range l.columns[c-1] {
			var ends []int
			for _, j := range l.places[i].to {
				ends = append(ends, l.places[j].row)
			}
			for _, row := range ends {
				total += n
				for k := row + 1; k > 0; k -= k & -k {
					total -= tree[k]
				}
			}
			for _, row := range ends {
				for k := row + 1; k < len(tree); k += k & -k {
					tree[k]++
				}
			}
			n += len(ends)
		}
	}
	return total
}

// measure finds the widths of the columns.
func (l *layout) measure() {
	l.x = make([]int, len(l.columns))
	l.width = make([]int, len(l.columns))
	l.labels = make([]int, len(l.columns))
	x := margin
	for c, column := range l.columns {
		for _, i := range column {
			if l.places[i].node < 0 {
				continue
			}
			n := &l.g.nodes[l.places[i].node]
			for _, line := range n.lines {
				l.width[c] = max(l.width[c], textWidth(line)+2*padding)
			}
			for _, e := range n.edges {
				l.labels[c] = max(l.labels[c], textWidth(e.label)+padding)
			}
		}
		l.x[c] = x
		x += l.width[c] + l.labels[c] + columnGap
	}
}

func textWidth(s string) int { return utf8.RuneCountInString(s) * charWidth }

// settle moves the places of each column close to their neighbours, there and
// back, and ends with parents in the middle of their children.
func (l *layout) settle() {
	for _, column := range l.columns {
		l.pull(column, func(*place) []int { return nil })
	}
	for range sweeps {
		for c := 1; c < len(l.columns); c++ {
			l.pull(l.columns[c], func(p *place) []int { return p.from })
		}
		for c := len(l.columns) - 2; c >= 0; c-- {
			l.pull(l.columns[c], func(p *place) []int { return p.to })
		}
	}
	top, bottom := l.places[0].y, l.places[0].y
	for i := range l.places {
		p := &l.places[i]
		top, bottom = min(top, p.y-p.height/2), max(bottom, p.y+p.height/2)
	}
	for i := range l.places {
		l.places[i].y += margin - top
	}
	l.height = bottom - top + 2*margin
}

// A block is neighbours of a column that touch, and where the first of them would
// be if it could choose for all.
type block struct {
	first, n, sum int
}

func (b block) at() int { return b.sum / b.n }

// pull moves the places of a column as close as their order and heights allow to
// the mean of their neighbours. Without heights the order says that no place is
// above the one before; the best such positions, by least squares, are the means
// of blocks (pool adjacent violators: Ayer et al., An empirical distribution
// function for sampling with incomplete information, 1955).
func (l *layout) pull(column []int, neighbours func(*place) []int) {
	var blocks []block
	offsets := make([]int, len(column))
	offset := 0
	for k, i := range column {
		p := &l.places[i]
		if k > 0 {
			q := &l.places[column[k-1]]
			gap := rowGap
			if p.node < 0 || q.node < 0 {
				gap = bendGap
			}
			offset += q.height/2 + gap + p.height/2
		}
		offsets[k] = offset
		blocks = append(blocks, block{k, 1, l.wish(p, neighbours(p)) - offset})
		for n := len(blocks); n > 1 && blocks[n-2].at() > blocks[n-1].at(); n-- {
			blocks[n-2].n += blocks[n-1].n
			blocks[n-2].sum += blocks[n-1].sum
			blocks = blocks[:n-1]
		}
	}
	for _, b := range blocks {
		for k := b.first; k < b.first+b.n; k++ {
			l.places[column[k]].y = b.at() + offsets[k]
		}
	}
}

// wish returns the mean of a place's neighbours, or where it is if it has none.
func (l *layout) wish(p *place, neighbours []int) int {
	if len(neighbours) == 0 {
		return p.y
	}
	sum := 0
	for _, j := range neighbours {
		sum += l.places[j].y
	}
	return sum / len(neighbours)
}
