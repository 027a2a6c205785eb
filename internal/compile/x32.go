package compile

import (
	"math"
	"slices"
	"sort"

	"github.com/seccompile/seccompile/arch"
)

// withX32 lowers the number space that x86_64 and x32 share.
//
// The two ABIs differ only in some numbers. So the tree for x32 numbers is that
// for x86_64, entered without the x32 bit, but for the parts of it where the
// outcomes differ; and the test of the x32 bit is one more comparison in the tree
// for x86_64, at the far end of it. Few numbers are one switch, where that is shorter.
func (l *lowerer) withX32(spans []span) Ref {
	low, high := cutSpans(spans, arch.X32Bit)
	if len(high) == 1 {
		return l.d.dispatch(NR, append(low, high[0]), "")
	}
	stub := l.d.tree.intern(Test{Op: DropX32, Word: NR, Yes: -1, No: -1}) // stands for the tree of x32
	weight := uint64(0)
	for _, s := range high {
		weight += s.weight
	}
	far := span{arch.X32Bit, math.MaxUint32, stub, weight / x32Weight}
	below := l.d.dispatch(NR, slices.Concat(low, []span{far}), "")

	x := newOverlay(&l.d, low, stub)
	above := Ref(-1)
	size := math.MaxInt
	if tail := high[len(high)-1]; tail.first > arch.X32Bit && tail.first <= 2*arch.X32Bit {
		x.want(high[:len(high)-1])
		over := x.over(x.find(below), 0, tail.first-arch.X32Bit-1)
		drop := l.d.tree.intern(Test{Op: DropX32, Word: NR, Yes: over, No: over})
		above = l.d.tree.test(Test{Op: AtLeast, Word: NR, K: tail.first, Yes: tail.to, No: drop})
		size = x.fresh(above, size)
	}
	// A tree of its own takes rarely less than three tests for five spans.
	if l.d.exhaustive || size > len(high)*3/5 {
		if own := l.d.dispatch(NR, slices.Clone(high), ""); x.fresh(own, size) < size {
			above = own
		}
	}
	tree := x.replace(below, above)
	if _, most := l.d.list(spans); most <= maxList && l.d.tree.sizeOn(NR, tree) > most {
		for i := range spans {
			if spans[i].first >= arch.X32Bit {
				spans[i].weight /= x32Weight
			}
		}
		return l.d.dispatch(NR, spans, "")
	}
	return tree
}

// cutSpans returns copies of the spans before and from a value on.
func cutSpans(spans []span, at uint32) (below, above []span) {
	i := 0
	for spans[i].last < at {
		i++
	}
	all := append(make([]span, 0, len(spans)+1), spans[:i]...)
	if s := spans[i]; s.first < at {
		s.last = at - 1
		all = append(all, s)
	}
	n := len(all)
	all = append(all, spans[i:]...)
	all[n].first = max(all[n].first, at)
	return all[:n:n], all[n:]
}

// An overlay makes a tree for one list of spans out of that for another.
type overlay struct {
	d     *dispatcher
	low   []span // what the tree decides
	high  []span // what the result decides instead
	diffs []span // where the two differ; to is high's
	// The tree that the result is made from has a stub where the result will be.
	// The tests that lead to it cannot be used as they are.
	stub    Ref
	leads   []bool // which tests lead to the stub, of those made before the overlay
	seen    []int32
	visits  int32
	left    int // tests that fresh may still count
	scratch []span
	found   []finder // arena
}

// A finder is a tree that finds what decides a number, as far as comparisons of
// the number go. Where it ends there is another test of the number or the
// outcome, which tests arguments, perhaps for being at least a number, too. So
// nothing that has a finder can take a test of an argument for one of the number.
type finder struct {
	tree         Ref     // the whole
	k            uint32  // numbers from k on are found by above, others by below
	below, above *finder // nil where the finder ends
}

func newOverlay(d *dispatcher, low []span, stub Ref) *overlay {
	n := d.tree.Len()
	x := &overlay{d: d, low: low, stub: stub, leads: make([]bool, n), found: make([]finder, 0, 2*len(low))}
	for r := range x.leads {
		n := &d.tree.tests[r]
		x.leads[r] = Ref(r) == stub || n.Op != Return && n.Word == NR && (n.leadsTo(x.leads))
	}
	return x
}

func (n *Test) leadsTo(to []bool) bool { return n.Yes >= 0 && (to[n.Yes] || to[n.No]) }

// want sets the wanted spans, with the x32 bit, and finds the differences.
func (x *overlay) want(high []span) {
	x.high = make([]span, 0, len(high))
	for _, s := range high {
		s.first -= arch.X32Bit
		s.last -= arch.X32Bit
		x.high = append(x.high, s)
	}
	i := 0
	for _, h := range x.high {
		for at := h.first; ; {
			for x.low[i].last < at {
				i++
			}
			last := min(h.last, x.low[i].last)
			if x.low[i].to != h.to {
				x.differ(span{first: at, last: last, to: h.to})
			}
			if last == h.last {
				break
			}
			at = last + 1
		}
	}
}

func (x *overlay) differ(s span) {
	if n := len(x.diffs); n > 0 && x.diffs[n-1].to == s.to && x.diffs[n-1].last+1 == s.first {
		x.diffs[n-1].last = s.last
		return
	}
	x.diffs = append(x.diffs, s)
}

// within returns the differences in a range.
func (x *overlay) within(first, last uint32) []span {
	return overlapping(x.diffs, first, last)
}

// overlapping returns the spans that have a value in a range.
func overlapping(spans []span, first, last uint32) []span {
	from := sort.Search(len(spans), func(i int) bool { return spans[i].last >= first })
	spans = spans[from:]
	return spans[:sort.Search(len(spans), func(i int) bool { return spans[i].first > last })]
}

// find returns the finder that a tree begins with. The tree was made for low.
func (x *overlay) find(r Ref) *finder {
	f := finder{tree: r}
	if n := &x.d.tree.tests[r]; n.Op == AtLeast && n.Word == NR {
		f.k, f.below, f.above = n.K, x.find(n.No), x.find(n.Yes)
	}
	x.found = append(x.found, f)
	return &x.found[len(x.found)-1]
}

// over returns a tree that decides first..last as high does, made from one that
// decides them as low does.
func (x *overlay) over(f *finder, first, last uint32) Ref {
	if f.below != nil && f.k > last {
		return x.over(f.below, first, last)
	}
	diffs := x.within(first, last)
	own := x.leads[f.tree] // the tree ends in the result itself, so it cannot be used as it is
	if len(diffs) == 0 && !own {
		return f.tree
	}
	origin := x.d.tree.tests[f.tree].Origin
	best, size := Ref(-1), math.MaxInt
	try := func(r Ref) {
		if n := x.fresh(r, size); n < size {
			best, size = r, n
		}
	}
	patch := !own && len(diffs) <= 5
	again := len(overlapping(x.high, first, last)) <= maxRun
	if f.below != nil {
		above, below := x.over(f.above, f.k, last), x.over(f.below, first, f.k-1)
		r := x.d.tree.test(Test{Op: AtLeast, Word: NR, K: f.k, Yes: above, No: below, Origin: origin})
		if !patch && !again {
			return r
		}
		try(r)
	}
	if patch {
		try(x.patch(f.tree, diffs, first, last))
	}
	if again || best < 0 {
		try(x.d.dispatch(NR, x.wanted(first, last), origin))
	}
	return best
}

// replace returns the tree r with another one in place of the stub.
func (x *overlay) replace(r, with Ref) Ref {
	if r == x.stub {
		return with
	}
	if !x.leads[r] {
		return r
	}
	n := x.d.tree.tests[r]
	n.Yes, n.No = x.replace(n.Yes, with), x.replace(n.No, with)
	return x.d.tree.test(n)
}

// fresh counts the instructions under r that the tree it is made from does not have, as
// far as a limit.
func (x *overlay) fresh(r Ref, limit int) int {
	x.seen = append(x.seen, make([]int32, x.d.tree.Len()-len(x.seen))...)
	x.visits++
	x.left = limit
	x.visit(r)
	return limit - max(x.left, 0)
}

func (x *overlay) visit(r Ref) {
	n := &x.d.tree.tests[r]
	if int(r) < len(x.leads) && !x.leads[r] || n.Op == Return || x.left <= 0 || x.seen[r] == x.visits {
		return
	}
	x.seen[r] = x.visits
	x.left -= n.size()
	x.visit(n.Yes)
	x.visit(n.No)
}

// patch tests the values that differ before going on with the tree r.
func (x *overlay) patch(r Ref, diffs []span, first, last uint32) Ref {
	for _, s := range diffs {
		s.first, s.last = max(s.first, first), min(s.last, last)
		if s.single() {
			r = x.d.tree.test(Test{Op: Equal, Word: NR, K: s.first, Yes: s.to, No: r})
			continue
		}
		inner := s.to
		if s.first > first {
			inner = x.d.tree.test(Test{Op: AtLeast, Word: NR, K: s.first, Yes: s.to, No: r})
		}
		if s.last < last {
			inner = x.d.tree.test(Test{Op: AtLeast, Word: NR, K: s.last + 1, Yes: r, No: inner})
		}
		r = inner
	}
	return r
}

// wanted returns high's spans for first..last, valid until the next call.
func (x *overlay) wanted(first, last uint32) []span {
	x.scratch = x.scratch[:0]
	for _, s := range overlapping(x.high, first, last) {
		s.first, s.last = max(s.first, first), min(s.last, last)
		s.weight = uint64(s.last-s.first) + 1
		x.scratch = append(x.scratch, s)
	}
	return x.scratch
}
