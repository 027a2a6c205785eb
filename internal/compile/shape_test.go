package compile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
)

// shapeSize is what an instruction costs in the tests of shapes.
const shapeSize = 42

// shaped returns a dispatcher that has found all runs of some spans.
func shaped(tree *Tree, w Word, exhaustive bool, spans []span) *dispatcher {
	d := &dispatcher{tree: tree, exhaustive: exhaustive}
	d.start(w, spans, "")
	d.size = shapeSize
	d.findRuns()
	return d
}

func (k shapeKind) String() string { return [...]string{"uniform", "chain", "cube", "cubeApart"}[k] }

// TestShape has the shape of the run of all spans, what it costs, and its tests.
func TestShape(t *testing.T) {
	const arg = Word(4)
	tests := []struct {
		rule        string
		word        Word
		exhaustive  bool
		spans, want string
	}{
		{"one span needs no test", NR, false, "0..:a*7", `
			uniform costs 0
			t0: ERRNO(1)
			root t0
		`},
		{"single values are tested, what is left is the outcome of the rest", NR, false, "0..4:a 5:b*1 6..8:a 9:c*1 10..:a*1", `
			chain costs 89
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: nr == 5 ? t1 : t0
			t4: nr == 9 ? t2 : t3
			root t4
		`},
		{"the heaviest value is tested first", NR, false, "0..4:a 5:b*16 6..8:a 9:c*64 10..11:a*1 12:d*32 13..:a", `
			chain costs 305
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: ERRNO(4)
			t4: nr == 5 ? t1 : t0
			t5: nr == 12 ? t3 : t4
			t6: nr == 9 ? t2 : t5
			root t6
		`},
		{"of equal weight the later value is tested first", NR, false, "0..4:a 5:b*1 6..8:a 9:c*1 10..:a", `
			chain costs 87
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: nr == 5 ? t1 : t0
			t4: nr == 9 ? t2 : t3
			root t4
		`},
		{"of single values the commonest outcome is the rest", NR, false, "1:b*1 2:a*1 3:c*1 4:a*1 5:d*1", `
			chain costs 138
			t0: ERRNO(2)
			t1: ERRNO(1)
			t2: ERRNO(3)
			t3: ERRNO(4)
			t4: nr == 1 ? t0 : t1
			t5: nr == 3 ? t2 : t4
			t6: nr == 5 ? t3 : t5
			root t6
		`},
		{"a range that comes late is the rest", NR, false, "1:b*1 2:a*1 3:b*1 4..6:a*1", `
			chain costs 91
			t0: ERRNO(2)
			t1: ERRNO(1)
			t2: nr == 1 ? t0 : t1
			t3: nr == 3 ? t0 : t2
			root t3
		`},
		{"two ranges of different outcomes are no chain", NR, false, "0..1:a 2:b 3..4:c", `
			none
		`},
		{"a chain has at most eight tests", NR, false, "0:a 1:b 2:a 3:c 4:a 5:d 6:a 7:e 8:a 9:f 10:a 11:g 12:a 13:h", `
			chain costs 294
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: ERRNO(4)
			t4: ERRNO(5)
			t5: ERRNO(6)
			t6: ERRNO(7)
			t7: ERRNO(8)
			t8: nr == 1 ? t1 : t0
			t9: nr == 3 ? t2 : t8
			t10: nr == 5 ? t3 : t9
			t11: nr == 7 ? t4 : t10
			t12: nr == 9 ? t5 : t11
			t13: nr == 11 ? t6 : t12
			t14: nr == 13 ? t7 : t13
			root t14
		`},
		{"nine tests are no chain", NR, false, "0:a 1:b 2:c 3:d 4:e 5:f 6:g 7:h 8:i 9:j", `
			none
		`},
		{"a bit that the first outcome never has", NR, false, "0..3:a 4..7:b 8..11:a", `
			cube costs 42
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: nr & 0x4 ? t1 : t0
			root t2
		`},
		{"a bit that the second outcome never has", NR, false, "4..7:a 8..11:b 12..15:a", `
			cube costs 42
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: nr & 0x4 ? t0 : t1
			root t2
		`},
		{"two spans need no bits: a comparison parts them", NR, false, "0..3:a 4..7:b", `
			none
		`},
		{"any of some bits", NR, false, "0:a 1..2:b 3:b 4:a 5..7:b", `
			cube costs 42
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: nr & 0x3 ? t1 : t0
			root t2
		`},
		{"bits that the second outcome always has the same, which takes two instructions", NR, false, "0..1:a*1 2..3:b*1 4..9:a 10..11:b*1 12..17:a 18..19:b*2 20..25:a", `
			cube costs 94
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: nr & 0xffffffe6 == 0x2 ? t1 : t0
			root t2
		`},
		{"bits that the first outcome always has the same", arg, false, "2..3:a*1 4..9:b 10..11:a 12..17:b 18..19:a 20..25:b", `
			cube costs 86
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: arg0.lo & 0xffffffe6 == 0x2 ? t0 : t1
			root t2
		`},
		{"two instructions do not pay for five spans", NR, false, "2..3:a 4..9:b 10..11:a 12..17:b 18..19:a", `
			none
		`},
		{"a bit, but for one value, which is less likely than the others without it", arg, false, "0..3:a*8 4..5:b*1 6:a*1 7:b*1 8..11:a*2", `
			cubeApart costs 100
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: arg0.lo == 0x6 ? t0 : t1
			t3: arg0.lo & 0x4 ? t2 : t0
			root t3
		`},
		{"a bit, but for one value, which is likelier than the others without it", arg, false, "0..3:a*8 4..5:b*1 6:a*9 7:b*1 8..11:a", `
			cubeApart costs 113
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: arg0.lo & 0x4 ? t1 : t0
			t3: arg0.lo == 0x6 ? t0 : t2
			root t3
		`},
		{"a bit of the first outcome, but for one value", arg, false, "4..5:a*1 6:b*9 7:a*1 8..11:b*1 12..15:a", `
			cubeApart costs 99
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: arg0.lo & 0x4 ? t0 : t1
			t3: arg0.lo == 0x6 ? t1 : t2
			root t3
		`},
		{"the fast effort does not get past three outcomes and two ranges", arg, false, "0..3:a 4..6:b*1 7:c*9 8..11:a", `
			none
		`},
		{"the exhaustive one does", arg, true, "0..3:a 4..6:b*1 7:c*9 8..11:a", `
			cubeApart costs 95
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: arg0.lo & 0x4 ? t1 : t0
			t4: arg0.lo == 0x7 ? t2 : t3
			root t4
		`},
		{"of twelve spans any one may be apart", arg, true, "0..1:a 2..3:b 4..5:a 6..7:b 8..9:a 10..11:b 12..13:a 14..15:b 16..17:a 18:c 19:b 20..21:a", `
			cubeApart costs 84
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: arg0.lo == 0x12 ? t2 : t1
			t4: arg0.lo & 0x2 ? t3 : t0
			root t4
		`},
		{"of thirteen none", arg, true, "0..1:a 2..3:b 4..5:a 6..7:b 8..9:a 10..11:b 12..13:a 14..15:b 16..17:a 18:c 19:b 20..21:a 22..23:b", `
			none
		`},
		{"numbers look for no bits but for one value", NR, false, "0..3:a*8 4..5:b*1 6:a*9 7:b*1 8..11:a", `
			none
		`},
		{"except for the last ones, as where bit 30 is x32's but for -1", NR, false, "0..0x3fffffff:a*8 0x40000000..0x7fffffff:b*1 0x80000000..0xbfffffff:a 0xc0000000..0xfffffffe:b 0xffffffff:c", `
			cubeApart costs 94
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: nr == 4294967295 ? t2 : t1
			t4: nr & 0x40000000 ? t3 : t0
			root t4
		`},
		{"but not the last of other lists", NR, false, "0..0x3fffffff:a*8 0x40000000..0x7fffffff:b*1 0x80000000..0xbfffffff:a 0xc0000000..0xfffffffd:b 0xfffffffe:c", `
			none
		`},
		{"and with the exhaustive effort", NR, true, "0..3:a*8 4..5:b*1 6:a*9 7:b*1 8..11:a", `
			cubeApart costs 113
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: nr & 0x4 ? t1 : t0
			t3: nr == 6 ? t0 : t2
			root t3
		`},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			tree := &Tree{}
			spans := parseSpans(t, tree, tt.spans)
			d := shaped(tree, tt.word, tt.exhaustive, spans)
			got := "none"
			for _, r := range d.runs {
				if r.from == 0 && r.to == len(spans) {
					tree.root = d.emit(r)
					got = fmt.Sprintf("%v costs %d\n%v", r.shape.kind, r.shape.cost, tree)
				}
			}
			same(t, got, tt.want)
		})
	}
}

// outcomes returns the outcomes of a run without one of its spans, in order.
func outcomes(run []span, but int) []Ref {
	var all []Ref
	for i, s := range run {
		if i != but && !slices.Contains(all, s.to) {
			all = append(all, s.to)
		}
	}
	return all
}

// valuesOf returns the values of a run with an outcome, but for one span's.
func valuesOf(run []span, to Ref, but int) []uint32 {
	var all []uint32
	for i, s := range run {
		for v := s.first; i != but && s.to == to && v <= s.last; v++ {
			all = append(all, v)
		}
	}
	return all
}

func weightOf(run []span) (sum uint64) {
	for _, s := range run {
		sum += s.weight
	}
	return sum
}

// chainCost returns what a run costs as a chain at best, and if the rest is the
// worst of the commonest outcomes; or the largest number.
func chainCost(run []span) (best, worst uint64) {
	best, worst = math.MaxUint64, math.MaxUint64
	fewest := maxChain + 1
	for _, rest := range outcomes(run, -1) {
		var odd []uint64
		singles := true
		for _, s := range run {
			if s.to != rest {
				odd = append(odd, s.weight)
				singles = singles && s.single()
			}
		}
		if !singles || len(odd) > maxChain {
			continue
		}
		slices.Sort(odd)
		cost, left := uint64(0), weightOf(run)
		for _, w := range slices.Backward(odd) {
			cost += shapeSize + left
			left -= w
		}
		best = min(best, cost)
		switch {
		case len(odd) < fewest:
			fewest, worst = len(odd), cost
		case len(odd) == fewest:
			worst = max(worst, cost)
		}
	}
	return best, worst
}

func hasChain(run []span) bool {
	best, _ := chainCost(run)
	return best < math.MaxUint64
}

// never returns the bits that some values of rest have and none of odd, and whether
// each of rest has one of them.
func never(odd, rest []uint32) (mask uint32, apart bool) {
	for _, v := range rest {
		mask |= v
	}
	for _, v := range odd {
		mask &^= v
	}
	return mask, !slices.ContainsFunc(rest, func(v uint32) bool { return v&mask == 0 })
}

// always reports whether the bits that all values of odd have the same are not so
// in any value of rest.
func always(odd, rest []uint32) bool {
	mask := uint32(math.MaxUint32)
	for _, v := range odd {
		mask &^= v ^ odd[0]
	}
	return !slices.ContainsFunc(rest, func(v uint32) bool { return v&mask == odd[0]&mask })
}

// cubeCost returns what a run costs as a test of bits, or the largest number.
func cubeCost(run []span) uint64 {
	all := outcomes(run, -1)
	if len(run) < 3 || len(all) != 2 {
		return math.MaxUint64
	}
	a, b := valuesOf(run, all[0], -1), valuesOf(run, all[1], -1)
	_, ab := never(a, b)
	_, ba := never(b, a)
	switch {
	case ab || ba:
		return shapeSize + weightOf(run)
	case len(run) >= minMasked && (always(a, b) || always(b, a)):
		return 2 * (shapeSize + weightOf(run))
	}
	return math.MaxUint64
}

// apartCost returns what a run costs as a test of bits but for one value: the
// best, and what the worse choices of sides for each value cost at best.
func apartCost(run []span) (best, worse uint64) {
	best, worse = math.MaxUint64, math.MaxUint64
	if len(run) <= 3 || len(run) > maxApart {
		return best, worse
	}
	for one, s := range run {
		all := outcomes(run, one)
		if !s.single() || len(all) != 2 {
			continue
		}
		sides, dearest := 0, uint64(0)
		for range 2 {
			odd, rest := valuesOf(run, all[0], one), valuesOf(run, all[1], one)
			mask, apart := never(odd, rest)
			if apart {
				sides++
			}
			if apart && mask&s.first != 0 {
				inCube := uint64(0)
				for i := range run {
					if i != one && run[i].to == all[0] {
						inCube += run[i].weight
					}
				}
				cost := 2*shapeSize + 2*weightOf(run) - max(s.weight, inCube)
				best, dearest = min(best, cost), max(dearest, cost)
			}
			slices.Reverse(all)
		}
		if sides == 1 && dearest > 0 {
			worse = min(worse, dearest)
		}
	}
	return best, worse
}

// randomBytes makes spans of small values. Often a bit or two tell their outcomes
// but for a few values.
func randomBytes(r *rand.Rand, tree *Tree) []span {
	n, kinds := 1+r.IntN(20), 2+r.IntN(r.IntN(12)+1)
	mask, value := r.Uint32N(32)*r.Uint32N(2), r.Uint32N(32)
	step := 1 + r.IntN(5)
	flip := r.IntN(12)
	var spans []span
	for next := uint32(r.IntN(100)); len(spans) < n; {
		s := span{first: next, last: next + uint32(r.IntN(step)*r.IntN(2)), weight: uint64(r.IntN(100))}
		i := r.IntN(kinds)
		if mask > 0 {
			if i = 0; next&mask == value&mask {
				i = 1
			}
			if r.IntN(12) < flip/4 {
				i = r.IntN(kinds)
			}
		}
		s.to = outcomeRef(tree, i)
		next = s.last + 1
		if k := len(spans); k > 0 && spans[k-1].to == s.to {
			spans[k-1].last = s.last
			continue
		}
		spans = append(spans, s)
	}
	return spans
}

// Each run is found if there is a shape for it, at the least cost; its tests cost
// that, and tell its values apart.
func TestShapesTellTheirValuesApartAtTheLeastCost(t *testing.T) {
	lists := uint64(1000)
	if testing.Short() {
		lists = 250
	}
	var kinds [cubeApart + 1]int
	masked := 0
	for seed := range lists {
		r := rand.New(rand.NewPCG(seed, 5))
		tree := &Tree{}
		spans := randomBytes(r, tree)
		w, exhaustive := []Word{NR, Lo(3)}[r.IntN(2)], r.IntN(2) == 0
		d := shaped(tree, w, exhaustive, spans)
		runs := d.runs
		fail := func(run []span, format string, args ...any) {
			t.Helper()
			t.Fatalf("seed %d: %v, exhaustive %v: %sof %s: %s", seed, w, exhaustive, spansText(tree, run), spansText(tree, spans), fmt.Sprintf(format, args...))
		}
		for from := range spans {
			for to := from + 1; to <= min(len(spans), from+maxRun); to++ {
				run := spans[from:to]
				if front := run[:len(run)-1]; len(front) > 1 && !exhaustive && !hasChain(front) && len(outcomes(front, -1)) > 2 {
					break // the fast effort looks no further
				}
				least, most := chainCost(run)
				least, most = min(least, cubeCost(run)), min(most, cubeCost(run))
				switch best, worse := apartCost(run); {
				case exhaustive || w != NR:
					least, most = min(least, best), min(most, worse)
				case spans[to-1].last == math.MaxUint32:
					least = min(least, best) // the last numbers, if the run gets that far
				}
				if len(runs) == 0 || runs[0].from != from || runs[0].to != to {
					if most < math.MaxUint64 {
						fail(run, "no shape, want one that costs at most %d", most)
					}
					continue
				}
				s := runs[0].shape
				if s.cost < least || s.cost > most {
					fail(run, "%v costs %d, want %d to %d", s.kind, s.cost, least, most)
				}
				root := d.emit(runs[0])
				if got := price(tree, root, run, shapeSize); got != s.cost {
					fail(run, "%v costs %d, its tests %d", s.kind, s.cost, got)
				}
				tree.root = root
				for _, x := range run {
					for v := x.first; v <= x.last; v++ {
						var call cbpf.Data
						put(&call, w, v)
						if got, want := tree.Eval(&call), cbpf.Action(tree.tests[x.to].K); got != want {
							fail(run, "%v: %d: %v, want %v\n%v", s.kind, v, got, want, tree)
						}
					}
				}
				kinds[s.kind]++
				if s.value != 0 {
					masked++
				}
				runs = runs[1:]
			}
		}
		if len(runs) > 0 {
			fail(spans[runs[0].from:runs[0].to], "a shape where there is none")
		}
	}
	t.Logf("%v: %v, %d of the cubes with a value", []shapeKind{uniform, chain, cube, cubeApart}, kinds, masked)
	if slices.Min(kinds[:]) < 100 || masked < 20 {
		t.Errorf("some kind is rare: %v, %d cubes with a value", kinds, masked)
	}
}

// The bits of an interval are those of its values.
func TestBitsOf(t *testing.T) {
	for first := range uint32(64) {
		or, and := uint32(0), uint32(math.MaxUint32)
		for last := first; last < 64; last++ {
			or, and = or|last, and&last
			for _, shift := range []int{0, 13, 26} {
				low := uint32(1)<<shift - 1
				gotOr, gotAnd := bitsOf(&span{first: first << shift, last: last<<shift | low})
				if wantOr, wantAnd := or<<shift|low, and<<shift; gotOr != wantOr || gotAnd != wantAnd {
					t.Fatalf("%#x..%#x << %d: %#x and %#x, want %#x and %#x", first, last, shift, gotOr, gotAnd, wantOr, wantAnd)
				}
			}
		}
	}
}
