package compile

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// dispatched makes the tree of some spans, which stay as they are.
func dispatched(tree *Tree, w Word, exhaustive bool, spans []span) {
	d := dispatcher{tree: tree, exhaustive: exhaustive}
	tree.root = d.dispatch(w, slices.Clone(spans), "/origin")
}

func TestDispatch(t *testing.T) {
	const arg = Word(5)
	tests := []struct {
		rule        string
		word        Word
		exhaustive  bool
		spans, want string
	}{
		{"one outcome needs no test", NR, false, "0..:a", `
			t0: ERRNO(1)
			root t0
		`},
		{"one boundary is one comparison", arg, false, "0..4:a 5..:b", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: arg0.hi >= 0x5 ? t1 : t0
			root t2
		`},
		{"a single value is tested for equality", arg, false, "0..4:a 5:b 6..:a", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: arg0.hi == 0x5 ? t1 : t0
			root t2
		`},
		{"the largest value is a single one", NR, false, "0..0xfffffffe:a 0xffffffff:b", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: nr == 4294967295 ? t1 : t0
			root t2
		`},
		{"a value that outweighs all others is tested first, and its neighbours join", NR, false, "0..4:a*3 5..7:b*9 8:c*23 9..11:b*9 12..:a*1", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: nr >= 12 ? t0 : t1
			t4: nr >= 5 ? t3 : t0
			t5: nr == 8 ? t2 : t4
			root t5
		`},
		{"they join although one was a single value", NR, false, "0..4:b*1 5:a*1 6:c*20 7..9:a*1 10..:b*1", `
			t0: ERRNO(2)
			t1: ERRNO(1)
			t2: ERRNO(3)
			t3: nr >= 10 ? t0 : t1
			t4: nr >= 5 ? t3 : t0
			t5: nr == 6 ? t2 : t4
			root t5
		`},
		{"or the one before takes its place", NR, false, "0..4:a*3 5..7:b*9 8:c*23 9..11:d*9 12..:a*1", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: ERRNO(4)
			t4: nr >= 5 ? t1 : t0
			t5: nr >= 12 ? t0 : t3
			t6: nr >= 9 ? t5 : t4
			t7: nr == 8 ? t2 : t6
			root t7
		`},
		{"or the one behind, at the start", NR, false, "0:a*30 1..7:b*9 8..11:d*9 12..:a*1", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(4)
			t3: nr >= 12 ? t0 : t2
			t4: nr >= 8 ? t3 : t1
			t5: nr == 0 ? t0 : t4
			root t5
		`},
		{"or the one before, at the end", NR, false, "0..7:b*9 8..0xfffffffe:d*9 0xffffffff:a*30", `
			t0: ERRNO(2)
			t1: ERRNO(4)
			t2: ERRNO(1)
			t3: nr >= 8 ? t1 : t0
			t4: nr == 4294967295 ? t2 : t3
			root t4
		`},
		{"half of the weight is not enough", NR, false, "0..4:a*3 5..7:b*9 8:c*22 9..11:b*9 12..:a*1", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: nr == 8 ? t2 : t1
			t4: nr >= 12 ? t0 : t3
			t5: nr >= 5 ? t4 : t0
			root t5
		`},
		{"a range is not tested for equality, however heavy", NR, false, "0..4:a*1 5..7:b*50 8..:c*1", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: nr >= 8 ? t2 : t1
			t4: nr >= 5 ? t3 : t0
			root t4
		`},
		{"after the heaviest value the next", NR, false, "0..4:a*1 5:b*100 6..8:a*1 9:c*30 10..11:a*1 12..20:b*2 21..:a", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: nr >= 21 ? t0 : t1
			t4: nr >= 12 ? t3 : t0
			t5: nr == 9 ? t2 : t4
			t6: nr == 5 ? t1 : t5
			root t6
		`},
		{"runs are told apart by comparisons, and in themselves by their shapes", NR, false, "0..9:a*10 10:b*1 11..19:a*9 20:b*1 21..39:a*19 40..99:c*60 100..103:a*4 104..107:b*4 108..111:a*4 112..115:b*4 116..:c*1", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: nr == 10 ? t1 : t0
			t4: nr == 20 ? t1 : t3
			t5: nr & 0x4 ? t0 : t1
			t6: nr >= 116 ? t2 : t5
			t7: nr >= 100 ? t6 : t2
			t8: nr >= 40 ? t7 : t4
			root t8
		`},
		{"a heavy run is near the root", NR, false, "0..9:a*1 10..19:b*1 20..29:c*1 30..39:d*1 40..49:e*1 50..59:f*1 60..69:g*1 70..:h*50", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: ERRNO(4)
			t4: ERRNO(5)
			t5: ERRNO(6)
			t6: ERRNO(7)
			t7: ERRNO(8)
			t8: nr >= 20 ? t2 : t1
			t9: nr >= 10 ? t8 : t0
			t10: nr >= 40 ? t4 : t3
			t11: nr >= 60 ? t6 : t5
			t12: nr >= 50 ? t11 : t10
			t13: nr >= 30 ? t12 : t9
			t14: nr >= 70 ? t7 : t13
			root t14
		`},
		{"of equal runs none is nearer than others", NR, false, "0..9:a*5 10..19:b*5 20..29:c*5 30..39:d*5 40..49:e*5 50..59:f*5 60..69:g*5 70..:h*5", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: ERRNO(4)
			t4: ERRNO(5)
			t5: ERRNO(6)
			t6: ERRNO(7)
			t7: ERRNO(8)
			t8: nr >= 10 ? t1 : t0
			t9: nr >= 30 ? t3 : t2
			t10: nr >= 20 ? t9 : t8
			t11: nr >= 50 ? t5 : t4
			t12: nr >= 70 ? t7 : t6
			t13: nr >= 60 ? t12 : t11
			t14: nr >= 40 ? t13 : t10
			root t14
		`},
		{"the exhaustive effort tests heavy values above comparisons", NR, true, "0..9:a*1 10..19:b*1 20:c*60 21..29:b*1 30..39:a*1 40..49:d*1 50:e*40 51..:d*1", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: ERRNO(4)
			t4: ERRNO(5)
			t5: nr >= 10 ? t1 : t0
			t6: nr >= 40 ? t3 : t0
			t7: nr >= 30 ? t6 : t5
			t8: nr == 50 ? t4 : t7
			t9: nr == 20 ? t2 : t8
			root t9
		`},
		{"light ones below them", NR, true, "0..9:a*9 10..19:b*9 20:c*1 21..29:a*9 30..39:b*9 40..49:d*9", `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: ERRNO(3)
			t3: ERRNO(4)
			t4: nr >= 10 ? t1 : t0
			t5: nr == 20 ? t2 : t0
			t6: nr >= 40 ? t3 : t1
			t7: nr >= 30 ? t6 : t5
			t8: nr >= 20 ? t7 : t4
			root t8
		`},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			tree := &Tree{}
			spans := parseSpans(t, tree, tt.spans)
			dispatched(tree, tt.word, tt.exhaustive, spans)
			same(t, tree.String(), tt.want)
			checkSpans(t, tree, tt.word, spans)
		})
	}
}

// checkSpans fails unless a tree takes the values of spans to their outcomes: the
// first and the last, and for each bit some that have it and some that do not.
func checkSpans(t *testing.T, tree *Tree, w Word, spans []span) {
	t.Helper()
	for _, s := range spans {
		want := cbpf.Action(tree.tests[s.to].K)
		check := func(v uint32) {
			if v < s.first || s.last < v {
				return
			}
			var call cbpf.Data
			put(&call, w, v)
			if got := tree.Eval(&call); got != want {
				t.Fatalf("%s: %#x: %v, want %v\n%v", spansText(tree, spans), v, got, want, tree)
			}
		}
		check(s.first)
		if s.single() {
			continue
		}
		check(s.last)
		for bit := uint32(1); bit != 0; bit <<= 1 {
			if bit > s.last-s.first {
				break
			}
			check(s.first + bit)
			check(s.last - bit)
			check(s.first | bit)
			check(s.last &^ bit)
			check((s.first+bit)&-bit | bit)
		}
	}
}

// randomCuts returns n ascending values at which spans begin, the first one 0.
func randomCuts(r *rand.Rand, n int) []uint32 {
	anchors := []uint64{0, 1, arch.X32Bit - uint64(n), arch.X32Bit, 1<<31 - uint64(n), 1 << 31, math.MaxUint32 - uint64(2*n), math.MaxUint32}
	next := anchors[r.IntN(len(anchors))]
	step := []func() uint64{
		func() uint64 { return 1 },
		func() uint64 { return 1 + r.Uint64N(6) },
		func() uint64 { return 1 + r.Uint64N(2)*r.Uint64N(4) },
		func() uint64 { return 4 << r.Uint64N(2) },
		func() uint64 { return 1 + r.Uint64N(1<<24) },
		func() uint64 { return 1 << r.Uint64N(25) },
	}[r.IntN(6)]
	cuts := []uint32{0}
	for ; next <= math.MaxUint32 && len(cuts) < n; next += step() {
		if next > 0 {
			cuts = append(cuts, uint32(next))
		}
	}
	return cuts
}

// randomList makes up to n spans that cover all values, near each other or far
// apart, near the ends of ranges that matter, with outcomes by chance or by bits.
func randomList(r *rand.Rand, tree *Tree, n int) []span {
	kinds := 2 + r.IntN(r.IntN(19)+1)
	mask := uint32(0)
	if r.IntN(2) == 0 {
		mask = r.Uint32N(64)
	}
	cuts := randomCuts(r, n)
	var spans []span
	for i, first := range cuts {
		s := span{first: first, last: math.MaxUint32}
		if i+1 < len(cuts) {
			s.last = cuts[i+1] - 1
		}
		outcome := r.IntN(kinds)
		if mask != 0 && r.IntN(20) > 0 {
			if outcome = 0; first&mask == mask&0x15 {
				outcome = 1
			}
		}
		s.to = outcomeRef(tree, outcome)
		if k := len(spans); k > 0 && spans[k-1].to == s.to {
			spans[k-1].last = s.last
			continue
		}
		spans = append(spans, s)
	}
	weigh(r, spans)
	return spans
}

// weigh gives spans weights of one pattern.
func weigh(r *rand.Rand, spans []span) {
	pattern, hot := r.IntN(8), r.IntN(len(spans))
	for i := range spans {
		s := &spans[i]
		switch pattern {
		case 0: // none
		case 1:
			s.weight = 1
		case 2:
			s.weight = min(uint64(s.last-s.first)+1, 480)
		case 3:
			s.weight = uint64(i)
		case 4:
			s.weight = uint64(len(spans) - i)
		case 5:
			s.weight = 1 << min(i, 32)
		case 6:
			s.weight = r.Uint64N(100)
			if i == hot {
				s.weight = math.MaxUint32
			}
		case 7:
			s.weight = r.Uint64N(math.MaxUint32)
		}
	}
}

// ways counts how the exhaustive tree was made: by runs of each shape, and by
// the other choices.
func (d *dispatcher) ways(i, j int, holes uint8, shapes []int, how []int) {
	c := d.cell(i, j)
	best := c.best[holes]
	how[best.how]++
	switch best.how {
	case byRun:
		shapes[d.runs[best.at].shape.kind]++
	case byTest:
		d.ways(i, j, holes|1<<best.at, shapes, how)
	case bySplit:
		m := int(best.at)
		p := c.parts(m)[holes]
		d.ways(i, m, p.left, shapes, how)
		d.ways(m+1, j, p.right, shapes, how)
	}
}

func TestDispatchTakesEachValueToItsOutcome(t *testing.T) {
	lists := uint64(3000)
	if testing.Short() {
		lists = 1200
	}
	shapes := [2][]int{make([]int, cubeApart+1), make([]int, cubeApart+1)}
	how := make([]int, byTest+1)
	masked := 0
	var d dispatcher // one for all: it forgets the list before
	for seed := range lists {
		r := rand.New(rand.NewPCG(seed, 6))
		w := []Word{NR, Arch, Lo(0), Hi(4)}[r.IntN(4)]
		exhaustive, n := seed%3 == 0, 1+r.IntN(1+r.IntN(300))
		if exhaustive {
			n = 1 + r.IntN(40)
		}
		tree := &Tree{}
		spans := randomList(r, tree, n)
		made := tree.Len()
		d.tree, d.exhaustive = tree, exhaustive
		tree.root = d.dispatch(w, slices.Clone(spans), "/origin")
		checkSpans(t, tree, w, spans)
		for _, n := range tree.tests[made:] {
			if n.Word != w || n.Origin != "/origin" {
				t.Fatalf("seed %d: %v of %q", seed, n, n.Origin)
			}
			if n.Op == MaskEqual {
				masked++
			}
		}
		switch {
		case len(spans) == 1:
		case exhaustive:
			d.ways(0, len(spans)-1, 0, shapes[1], how)
		case hottest(spans) < 0:
			for _, r := range d.chosen {
				shapes[0][r.shape.kind]++
			}
		}
	}
	t.Logf("shapes fast %v, exhaustive %v, %d under a mask; %v", shapes[0], shapes[1], masked, how)
	if slices.Min(shapes[0]) < 20 || slices.Min(shapes[1][chain:]) < 8 || slices.Min(how) < 20 || masked < 8 {
		t.Errorf("some kind is rare: shapes fast %v, exhaustive %v, %d under a mask; %v", shapes[0], shapes[1], masked, how)
	}
}

// Each heaviest value outweighs the rest, so one after the other is taken out, and
// what they leave joins.
func TestDispatchTakesOutHeavyValues(t *testing.T) {
	taken := 0
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 10))
		tree := &Tree{}
		var spans []span
		for i := range 2 + r.IntN(10) {
			s := span{to: outcomeRef(tree, r.IntN(3))}
			if i > 0 {
				s.first = spans[i-1].last + 1
				for s.to == spans[i-1].to {
					s.to = outcomeRef(tree, r.IntN(3))
				}
			}
			s.last = s.first + r.Uint32N(3)*r.Uint32N(2)
			spans = append(spans, s)
		}
		for i, at := range r.Perm(len(spans)) {
			spans[at].weight = 1 << (2 * i)
		}
		spans[len(spans)-1].last = math.MaxUint32
		dispatched(tree, NR, false, spans)
		checkSpans(t, tree, NR, spans)
		hot := hottest(spans)
		if hot < 0 {
			continue
		}
		taken++
		if n := tree.tests[tree.root]; n.Op != Equal || n.K != spans[hot].first {
			t.Errorf("seed %d: %s: the heaviest value is not tested first\n%v", seed, spansText(tree, spans), tree)
		}
	}
	if taken < 300 {
		t.Errorf("only %d lists have a value that outweighs the rest", taken)
	}
}

// The longest list that the exhaustive effort looks at as a whole, and one that it
// does not.
func TestDispatchOfLongLists(t *testing.T) {
	for _, n := range []int{maxIntervals, maxIntervals + 1, 5000} {
		if testing.Short() && n == maxIntervals {
			continue
		}
		tree := &Tree{}
		var spans []span
		for i := range n {
			spans = append(spans, span{uint32(7 * i), uint32(7*i + 6), outcomeRef(tree, i%20), uint64(i % 50)})
		}
		spans[n-1].last = math.MaxUint32
		d := dispatcher{tree: tree, exhaustive: true}
		tree.root = d.dispatch(NR, slices.Clone(spans), "")
		if whole := d.cells != nil; whole != (n <= maxIntervals) {
			t.Errorf("%d spans: all trees looked at: %v", n, whole)
		}
		checkSpans(t, tree, NR, spans)
		if d.depth(tree.root) > 2*len(spans)/100+20 {
			t.Errorf("%d spans: %d tests deep", n, d.depth(tree.root))
		}
	}
}

func (d *dispatcher) depth(r Ref) int {
	n := &d.tree.tests[r]
	if n.Op == Return {
		return 0
	}
	return 1 + max(d.depth(n.Yes), d.depth(n.No))
}

// chosenRuns makes n runs of one span each, none of which shares its outcome.
func chosenRuns(r *rand.Rand, tree *Tree, n int) *dispatcher {
	var spans []span
	for i := range n {
		spans = append(spans, span{first: uint32(3 * i), last: uint32(3*i + 2), to: outcomeRef(tree, i)})
	}
	spans[n-1].last = math.MaxUint32
	weigh(r, spans)
	d := shaped(tree, Arch, false, spans)
	for _, run := range d.runs {
		if run.shape.kind == uniform {
			d.chosen = append(d.chosen, run)
		}
	}
	return d
}

func TestDispatchGuessesTheWayToARun(t *testing.T) {
	tree := &Tree{}
	d := shaped(tree, NR, false, parseSpans(t, tree, "0..9:a*8 10..19:b*8 20..29:c*16 30..39:d*32 40..:e"))
	for _, tt := range []struct {
		from, to int
		want     uint64 // weight times comparisons
	}{
		{0, 5, 0},      // nothing leads there
		{0, 1, 8 * 3},  // an eighth of the weight
		{1, 2, 8 * 3},  // the same
		{3, 4, 32 * 2}, // half of it, but with a comparison on each side
		{1, 5, 56 * 1}, // most of it, but with a comparison on one side
		{0, 4, 64 * 1}, // all of it, with a comparison on the other
		{1, 3, 24 * 2}, // three eighths
		{1, 4, 56 * 2}, // most of it, in the middle
		{4, 5, 0},      // none of it
		{2, 3, 16 * 2}, // a quarter
	} {
		if got := d.guess(tt.from, tt.to); got != tt.want {
			t.Errorf("spans %d..%d: %d, want %d", tt.from, tt.to-1, got, tt.want)
		}
	}
}

// leastDepth returns the least weighted depth of a tree of comparisons, by trying
// every split.
func leastDepth(spans []span) uint64 {
	n := len(spans)
	cost := make([][]uint64, n+1)
	for i := range cost {
		cost[i] = make([]uint64, n+1)
	}
	for size := 2; size <= n; size++ {
		for i := 0; i+size <= n; i++ {
			best := uint64(math.MaxUint64)
			for m := i + 1; m < i+size; m++ {
				best = min(best, cost[i][m]+cost[m][i+size])
			}
			cost[i][i+size] = best + weightOf(spans[i:i+size])
		}
	}
	return cost[0][n]
}

func TestDispatchSearchesTheTreeOfLeastDepth(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		n := 1 + r.IntN(40)
		if seed < 2 {
			n = maxSearch + 200*int(seed)
		}
		tree := &Tree{}
		d := chosenRuns(r, tree, n)
		outcomes := tree.Len()
		tree.root = d.search(0, n-1)
		checkSpans(t, tree, Arch, d.spans)
		if made := tree.Len() - outcomes; made != n-1 {
			t.Errorf("seed %d: %d comparisons for %d runs", seed, made, n)
		}
		got := price(tree, tree.root, d.spans, sizeWeight) - sizeWeight*uint64(n-1)
		if want := leastDepth(d.spans); n <= maxSearch && got != want {
			t.Errorf("seed %d: %s: weighted depth %d, want %d\n%v", seed, spansText(tree, d.spans), got, want, tree)
		}
	}
}

// Many runs are halved by weight, but never so that a side has less than an eighth.
func TestDispatchHalvesManyRuns(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 8))
		tree := &Tree{}
		n := 20 + r.IntN(300)
		d := chosenRuns(r, tree, n)
		from := r.IntN(n / 2)
		to := from + 8 + r.IntN(n-from-8)
		half, below := weightOf(d.spans[from:to+1])/2, uint64(0)
		want := from
		for ; want < to-1; want++ {
			if below += d.spans[want].weight; below >= half {
				break
			}
		}
		eighth := (to - from) / 8
		want = min(max(want, from+eighth), to-1-eighth)
		if got := d.middle(from, to); got != want {
			t.Errorf("seed %d: %s: runs %d..%d are parted behind %d, want %d", seed, spansText(tree, d.spans), from, to, got, want)
		}
	}
}

func TestLog2(t *testing.T) {
	for i := range 64 {
		for _, x := range []uint64{1 << i, 1<<i | 1<<i>>1, 1<<i | 1<<i>>2 | 1<<i>>4, 2<<i - 1} {
			top := x >> max(0, i-4) << max(0, i-4) // the five topmost bits
			want := uint64(math.Round(16 * math.Log2(float64(top))))
			if got := fixedLog(x); got != want {
				t.Errorf("%#x: %d sixteenths, want %d", x, got, want)
			}
		}
	}
	if got := fixedLog(0); got != 0 {
		t.Errorf("0: %d sixteenths, want 0", got)
	}
}
