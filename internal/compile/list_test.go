package compile

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A list tests one value after the other, the heaviest first, and nothing that the tests
// before it have decided.
func TestListed(t *testing.T) {
	tests := []struct {
		rule, spans string
		tests       int
		want        string
	}{
		{"heavier values first", "0..4:a 5:b*2 6..9:a 10:b*9 11..:a", 2, `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: nr == 5 ? t1 : t0
			t3: nr == 10 ? t1 : t2
			root t3
		`},
		{"a range takes two comparisons", "0..4:a 5..9:b 10..:a", 2, `
			t0: ERRNO(1)
			t1: ERRNO(2)
			t2: nr >= 10 ? t0 : t1
			t3: nr >= 5 ? t2 : t0
			root t3
		`},
		{"at an edge it takes one, and beside what is gone already", "0..4:b*9 5..9:c*8 10..19:a 20:d 21..29:a 30..:c*7", 5, `
			t0: ERRNO(2)
			t1: ERRNO(3)
			t2: ERRNO(1)
			t3: ERRNO(4)
			t4: nr == 20 ? t3 : t2
			t5: nr >= 30 ? t1 : t4
			t6: nr >= 10 ? t5 : t1
			t7: nr >= 5 ? t6 : t0
			root t7
		`},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			tree := &Tree{}
			spans := parseSpans(t, tree, tt.spans)
			d := dispatcher{tree: tree}
			d.start(NR, slices.Clone(spans), "")
			rest, n := d.list(spans)
			if n != tt.tests {
				t.Errorf("%d tests, want %d", n, tt.tests)
			}
			tree.root = d.listed(rest)
			checkSpans(t, tree, NR, spans)
			if diff := cmp.Diff(lines(tt.want), lines(tree.String())); diff != "" {
				t.Errorf("wanted is -, got +\n%s", diff)
			}
		})
	}
}

// No switch has more tests than a list, unless that is long. A value that weighs more than
// all others together is tested first, for which one test more is not too many.
func TestNoTreeIsLongerThanAList(t *testing.T) {
	lists := 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 9))
		tree := &Tree{}
		spans := randomSpans(r, tree, 2+r.IntN(60))
		d := dispatcher{tree: tree, exhaustive: seed%8 == 0}
		rest, most := d.list(spans)
		if hottest(spans) >= 0 && !d.exhaustive {
			most++
		}
		w := []Word{NR, Arch, Lo(1)}[seed%3]
		tree.root = d.dispatch(w, slices.Clone(spans), "")
		checkSpans(t, tree, w, spans)
		n := tree.sizeOn(w, tree.root)
		if most <= maxList && n > most {
			t.Errorf("seed %d: %s: %d tests, a list has %d", seed, spansText(tree, spans), n, most)
		}
		d.start(w, slices.Clone(spans), "")
		tree.root = d.listed(rest)
		checkSpans(t, tree, w, spans)
		if got := tree.sizeOn(w, tree.root); got > most {
			t.Errorf("seed %d: %s: the list has %d tests, want at most %d", seed, spansText(tree, spans), got, most)
		}
		if n == most {
			lists++
		}
	}
	if lists < 100 {
		t.Errorf("only %d trees are as long as a list", lists)
	}
}
