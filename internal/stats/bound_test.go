package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seccompile/seccompile/internal/compile"
)

// least returns the size of the smallest tree of JGE and JEQ tests, by trying all
// of them. values[i] is the outcome of value i; the last stands for all above,
// so that no test for equality takes it out.
type least struct {
	values []compile.NodeID
	size   map[uint]int // by the set of values that get here
}

func (l *least) of(set uint) int {
	if n, ok := l.size[set]; ok {
		return n
	}
	outcomes := map[compile.NodeID]bool{}
	for i, v := range l.values {
		if set>>i&1 == 1 {
			outcomes[v] = true
		}
	}
	best := math.MaxInt
	if len(outcomes) == 1 {
		best = 0
	}
	for i := range len(l.values) {
		atLeast := set &^ (1<<i - 1)
		equal := set & (1 << i)
		if i == len(l.values)-1 {
			equal = 0 // one of a great many values
		}
		for _, yes := range []uint{atLeast, equal} {
			if no := set &^ yes; yes != 0 && no != 0 && best > 0 {
				best = min(best, 1+l.of(yes)+l.of(no))
			}
		}
	}
	l.size[set] = best
	return best
}

// cases turns outcomes into the cases of a switch.
func cases(values []compile.NodeID) []compile.Case {
	var all []compile.Case
	for i, to := range values {
		last := uint32(i)
		if i == len(values)-1 {
			last = math.MaxUint32
		}
		if n := len(all); n > 0 && all[n-1].To == to {
			all[n-1].Last = last
			continue
		}
		all = append(all, compile.Case{First: uint32(i), Last: last, To: to})
	}
	return all
}

func TestBoundIsTheSizeOfTheSmallestTree(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 1500 {
		values := make([]compile.NodeID, 2+rnd.IntN(8))
		outcomes := 1 + rnd.Int32N(4)
		for i := range values {
			values[i] = compile.NodeID(rnd.Int32N(outcomes))
			if i > 0 && rnd.IntN(3) == 0 {
				values[i] = values[i-1] // cases of several values
			}
		}
		l := least{values, map[uint]int{}}
		if got, want := comparisons(cases(values)), l.of(1<<len(values)-1); got != want {
			t.Fatalf("%v: bound %d, smallest tree %d", values, got, want)
		}
	}
}
