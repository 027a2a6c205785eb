package compile

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
)

// randomSet draws a set of the values of arg0, with few different bounds, so that
// some are at the ends of words.
func randomSet(r *rand.Rand) ValueSet {
	word := func() uint64 {
		return [...]uint64{0, 1, 7, 0x10, 0x7fffffff, 0x80000000, math.MaxUint32 - 1, math.MaxUint32}[r.IntN(8)]
	}
	s := ValueSet{Word: Lo(0), Mask: math.MaxUint64}
	if r.IntN(3) == 0 {
		s.Mask = math.MaxUint32
	}
	s.First, s.Last = (word()<<32|word())&s.Mask, (word()<<32|word())&s.Mask
	s.First, s.Last = min(s.First, s.Last), max(s.First, s.Last)
	if r.IntN(2) == 0 {
		s.Mask &= word()<<32 | word() | 1<<r.IntN(64)
		s.First &= s.Mask
		s.Last = s.First
	}
	return s
}

func (s *ValueSet) has(v uint64) bool { return s.First <= v&s.Mask && v&s.Mask <= s.Last }

// nextMiss returns the smallest x >= from with x&mask != v.
func nextMiss(from, mask, v uint32) (x uint32, ok bool) {
	if from&mask != v {
		return from, true
	}
	x = math.MaxUint32
	for bit := uint32(1); bit != 0; bit <<= 1 {
		if next, found := nextMatch(from, mask&bit, ^from&mask&bit); mask&bit != 0 && found {
			x, ok = min(x, next), true
		}
	}
	return x, ok
}

// decideSet takes every path of tests that part a set from the other values, one
// word after the other, and calls done with a value that takes the path.
func decideSet(t *testing.T, f *Facts, s *ValueSet, words []Word, value [2]uint32, done func(v uint64)) {
	if len(words) == 0 {
		done(uint64(value[1])<<32 | uint64(value[0]))
		return
	}
	w := words[0]
	cuts := f.Cuts(nil, w, s)
	slices.Sort(cuts)
	saved := f[w]
	for _, next := range append(slices.Compact(cuts), 0) { // 0 is the one behind the largest value
		f[w].Last = min(next-1, saved.Last)
		rest := func(v uint32) {
			value[w-s.Word] = v
			decideSet(t, f, s, words[1:], value, done)
		}
		if mask, want, ok := f.Masked(w, s); ok {
			f[w].Either(mask, want, func(holds bool) NodeID {
				v, found := nextMatch(f[w].First, mask, want)
				if !holds {
					v, found = nextMiss(f[w].First, mask, want)
				}
				if !found || v > f[w].Last {
					t.Fatalf("%+v: %v is tested under %#x, which is known", s, w, mask)
				}
				rest(v)
				return 0
			})
		} else {
			rest(f[w].First)
			rest(f[w].Last)
		}
		f[w].First = next
	}
	f[w] = saved
}

func TestCutsAndMasksDecideEverySet(t *testing.T) {
	in, out := 0, 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := randomSet(r)
		words := []Word{Lo(0), Hi(0)}
		if seed%2 == 1 {
			slices.Reverse(words)
		}
		var f Facts
		f.Forget()
		decideSet(t, &f, &s, words, [2]uint32{}, func(v uint64) {
			want := No
			if s.has(v) {
				want = Yes
				in++
			} else {
				out++
			}
			if got := f.In(&s); got != want {
				t.Errorf("seed %d, %+v: %#x: %v, want %v", seed, s, v, got, want)
			}
		})
	}
	if in < 1000 || out < 1000 {
		t.Errorf("the test tests little: %d values inside, %d outside", in, out)
	}
}

func TestMembersGoIn(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := randomSet(r)
		var b Builder
		yes, no := b.Leaf(cbpf.Allow), b.Leaf(cbpf.Trap)
		id, err := b.Member(&s, yes, no)
		if err != nil {
			t.Fatal(err)
		}
		g, err := b.Diagram(id, no)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []uint64{0, s.First - 1, s.First, s.Last, s.Last + 1, s.First ^ 1<<32, s.Last ^ 1<<63, s.First | ^s.Mask, s.Mask, r.Uint64()} {
			want := cbpf.Trap
			if s.has(v) {
				want = cbpf.Allow
			}
			if got := g.Eval(&cbpf.Data{Args: [6]uint64{v}}); got != want {
				t.Fatalf("seed %d, %+v: %#x: %v, want %v\n%v", seed, s, v, got, want, g)
			}
		}
	}
}
