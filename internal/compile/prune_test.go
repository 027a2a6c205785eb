package compile

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
)

// pruneRoot returns the diagram with its root pruned, and the work that is left.
func pruneRoot(g *Diagram) (pruned *Diagram, left int) {
	b := matcher{g: g}
	root := b.prune(g.root)
	h := *g
	h.root = root
	return &h, b.steps
}

func TestPrune(t *testing.T) {
	tests := []struct{ rule, in, want string }{
		{"an action stays", `
			n0: ALLOW
			root n0
		`, `
			n0: ALLOW
			root n0
		`},
		{"a bit that is not clear is set", `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo & 0x4 == 0x4 ? n0 : n1
			n3: arg0.lo & 0x4 == 0x0 ? n1 : n2
			root n3
		`, `
			n0: ALLOW
			n1: ERRNO(1)
			n4: arg0.lo & 0x4 == 0x0 ? n1 : n0
			root n4
		`},
		{"of two bits that are not clear, one may be", `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo & 0x6 == 0x6 ? n0 : n1
			n3: arg0.lo & 0x6 == 0x0 ? n1 : n2
			root n3
		`, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo & 0x6 == 0x6 ? n0 : n1
			n3: arg0.lo & 0x6 == 0x0 ? n1 : n2
			root n3
		`},
		{"a range inside one case decides a switch", `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo
				0x0..0x9: n0
				0xa..0xffffffff: n1
			n3: arg0.lo
				0x0..0x3: n2
				0x4..0xffffffff: n1
			root n3
		`, `
			n0: ALLOW
			n1: ERRNO(1)
			n4: arg0.lo
				0x0..0x3: n0
				0x4..0xffffffff: n1
			root n4
		`},
		{"cases that meet a range at one value stay, those beside it go", `
			n0: ALLOW
			n1: ERRNO(1)
			n2: ERRNO(2)
			n3: ERRNO(3)
			n4: arg0.lo
				0x0..0x4: n0
				0x5: n1
				0x6: n2
				0x7..0xffffffff: n3
			n5: arg0.lo
				0x0..0x4: n1
				0x5..0x6: n4
				0x7..0xffffffff: n0
			root n5
		`, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: ERRNO(2)
			n6: arg0.lo
				0x0..0x5: n1
				0x6..0xffffffff: n2
			n7: arg0.lo
				0x0..0x4: n1
				0x5..0x6: n6
				0x7..0xffffffff: n0
			root n7
		`},
		{"the range of an outer case holds below an inner one", `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo
				0x0..0x5: n0
				0x6..0xffffffff: n1
			n3: arg0.lo
				0x0..0x2: n1
				0x3..0xffffffff: n2
			n4: arg0.lo
				0x0..0x5: n3
				0x6..0xffffffff: n1
			root n4
		`, `
			n0: ALLOW
			n1: ERRNO(1)
			n5: arg0.lo
				0x0..0x2: n1
				0x3..0xffffffff: n0
			n6: arg0.lo
				0x0..0x5: n5
				0x6..0xffffffff: n1
			root n6
		`},
		{"neighbours that became the same are one case", `
			n0: ALLOW
			n1: ERRNO(1)
			n2: ERRNO(2)
			n3: arg0.lo
				0x0..0x9: n0
				0xa..0xffffffff: n1
			n4: arg0.lo
				0x0..0x3: n3
				0x4..0x5: n0
				0x6..0xffffffff: n2
			root n4
		`, `
			n0: ALLOW
			n2: ERRNO(2)
			n5: arg0.lo
				0x0..0x5: n0
				0x6..0xffffffff: n2
			root n5
		`},
		{"a range decides a mask that fits none of its values, or all", `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo & 0x6 == 0x4 ? n0 : n1
			n3: arg0.lo
				0x0..0x3: n2
				0x4..0x5: n2
				0x6..0xffffffff: n2
			root n3
		`, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo & 0x6 == 0x4 ? n0 : n1
			n4: arg0.lo
				0x0..0x3: n1
				0x4..0x5: n0
				0x6..0xffffffff: n2
			root n4
		`},
		{"a mask that holds decides those inside it, one that does not those around it", `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo & 0x2 == 0x2 ? n0 : n1
			n3: arg0.lo & 0x5 == 0x4 ? n2 : n1
			n4: arg0.lo & 0x4 == 0x4 ? n3 : n2
			n5: arg0.lo & 0x7 == 0x6 ? n4 : n3
			root n5
		`, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo & 0x2 == 0x2 ? n0 : n1
			n3: arg0.lo & 0x5 == 0x4 ? n2 : n1
			n6: arg0.lo & 0x7 == 0x6 ? n0 : n3
			root n6
		`},
		{"what one branch knows the other does not", `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo & 0x4 == 0x4 ? n0 : n1
			n3: arg0.lo & 0x1 == 0x1 ? n2 : n1
			n4: arg0.lo & 0x4 == 0x4 ? n3 : n2
			root n4
		`, `
			n0: ALLOW
			n1: ERRNO(1)
			n5: arg0.lo & 0x1 == 0x1 ? n0 : n1
			n6: arg0.lo & 0x4 == 0x4 ? n5 : n1
			root n6
		`},
		{"a range ends with its case", `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo
				0x0..0x9: n0
				0xa..0xffffffff: n1
			n3: arg0.lo
				0x0..0x3: n2
				0x4..0xffffffff: n0
			n4: arg1.lo
				0x0: n3
				0x1..0xffffffff: n2
			root n4
		`, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo
				0x0..0x9: n0
				0xa..0xffffffff: n1
			n5: arg1.lo
				0x0: n0
				0x1..0xffffffff: n2
			root n5
		`},
		{"one word says nothing of another, nor one half of the other half", `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo
				0x0: n0
				0x1..0xffffffff: n1
			n3: arg0.hi
				0x0: n2
				0x1..0xffffffff: n1
			n4: arg1.lo
				0x0: n3
				0x1..0xffffffff: n1
			root n4
		`, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo
				0x0: n0
				0x1..0xffffffff: n1
			n3: arg0.hi
				0x0: n2
				0x1..0xffffffff: n1
			n4: arg1.lo
				0x0: n3
				0x1..0xffffffff: n1
			root n4
		`},
		{"masks narrow no range", `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo
				0x0..0x3: n0
				0x4..0xffffffff: n1
			n3: arg0.lo & 0x4 == 0x4 ? n2 : n1
			root n3
		`, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo
				0x0..0x3: n0
				0x4..0xffffffff: n1
			n3: arg0.lo & 0x4 == 0x4 ? n2 : n1
			root n3
		`},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			pruned, _ := pruneRoot(parseDiagram(t, tt.in))
			same(t, pruned.String(), tt.want)
		})
	}
}

// randomDiagram makes a diagram of tests of a few words in any order, with values
// that are near each other, so that paths decide later tests.
func randomDiagram(r *rand.Rand, words []Word, n int) *Diagram {
	g := &Diagram{}
	ids := []NodeID{g.leaf(cbpf.Allow), g.leaf(cbpf.Errno(1)), g.leaf(cbpf.KillProcess)}
	pick := func() NodeID { return ids[max(r.IntN(len(ids)), r.IntN(len(ids)))] }
	for range n {
		w := words[r.IntN(len(words))]
		if r.IntN(2) == 0 {
			mask := uint32(1+r.IntN(15)) | uint32(r.IntN(2))<<31
			ids = append(ids, g.masked(w, mask, mask&r.Uint32(), pick(), pick(), ""))
			continue
		}
		var cases []Case
		for next := uint64(0); next <= math.MaxUint32; {
			last := next + uint64(r.IntN(4))
			if len(cases) > 4 || r.IntN(5) == 0 {
				last = []uint64{1<<31 - 2, 1<<31 - 1, 1 << 31, math.MaxUint32 - 1, math.MaxUint32}[r.IntN(5)]
			}
			if last = min(last, math.MaxUint32); last >= next {
				cases = appendCase(cases, uint32(last), pick())
				next = last + 1
			}
		}
		ids = append(ids, g.switchOn(w, cases, ""))
	}
	g.root = ids[len(ids)-1]
	return g
}

// edges returns the values near which a random diagram changes its mind.
func edges() []uint32 {
	var all []uint32
	for v := range uint32(24) {
		all = append(all, v, 1<<31-8+v, math.MaxUint32-v)
	}
	return all
}

func TestPruneChangesNoDecision(t *testing.T) {
	lists := [][]Word{{NR}, {Lo(0), Hi(0)}, {Arch, Lo(1), Hi(5)}}
	diagrams, changed := uint64(600), uint64(0)
	if testing.Short() {
		diagrams = 200
	}
	for seed := range diagrams {
		r := rand.New(rand.NewPCG(seed, 2))
		words := lists[r.IntN(len(lists))]
		g := randomDiagram(r, words, 1+r.IntN(24))
		before := g.String()
		pruned, _ := pruneRoot(g)
		if pruned.root != g.root {
			changed++
		}
		if g.String() != before {
			t.Fatalf("seed %d: the diagram itself changed", seed)
		}
		check := func(d *cbpf.Data) {
			if got, want := pruned.Eval(d), g.Eval(d); got != want {
				t.Fatalf("seed %d: %+v: %v, want %v\n%v\n%v", seed, *d, got, want, g, pruned)
			}
		}
		values := edges()
		for range 200 {
			var d cbpf.Data
			for _, w := range words {
				put(&d, w, values[r.IntN(len(values))])
			}
			for _, v := range values {
				put(&d, words[r.IntN(len(words))], v)
				check(&d)
			}
			if len(words) == 1 {
				break // those were all
			}
		}
		again, _ := pruneRoot(pruned)
		if again.root != pruned.root {
			t.Fatalf("seed %d: there was more to prune\n%v\n%v", seed, pruned, again)
		}
	}
	if changed < diagrams/3 {
		t.Errorf("only %d of %d diagrams changed", changed, diagrams)
	}
}

// ladder makes a diagram of n steps, each of which looks at two words: its paths
// double with each step.
func ladder(n int) *Diagram {
	g := &Diagram{}
	next := [2]NodeID{g.leaf(cbpf.Allow), g.leaf(cbpf.KillProcess)}
	for i := range n {
		w, v := Lo(uint8(i%6)), uint32(i/6)+2
		next[0], next[1] =
			g.switchOn(w, []Case{{0, v - 1, next[0]}, {v, math.MaxUint32, next[1]}}, ""),
			g.masked(w, v, v&-v, next[1], next[0], "")
	}
	g.root = g.switchOn(NR, []Case{{0, 0, next[0]}, {1, math.MaxUint32, next[1]}}, "")
	return g
}

func TestPruneEndsWithItsWork(t *testing.T) {
	for _, n := range []int{8, 200} {
		g := ladder(n)
		size := g.Len()
		pruned, left := pruneRoot(g)
		if spent := left < 0; spent != (n == 200) {
			t.Errorf("%d steps: %d work left", n, left)
		}
		// All that there are, and as many as 8192 steps get to.
		if added, want := g.Len()-size, map[int]int{8: 45, 200: 411}[n]; added != want {
			t.Errorf("%d steps: %d nodes added, want %d", n, added, want)
		}
		r := rand.New(rand.NewPCG(uint64(n), 3))
		for range 20000 {
			d := cbpf.Data{NR: r.Uint32N(2)}
			for i := range d.Args {
				d.Args[i] = r.Uint64N(uint64(n/6) + 4)
			}
			if got, want := pruned.Eval(&d), g.Eval(&d); got != want {
				t.Fatalf("%d steps: %+v: %v, want %v", n, d, got, want)
			}
		}
	}
}
