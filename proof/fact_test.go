package proof

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/internal/gen"
)

// members lists the values of a word of few bits that pass all tests, by trying each.
// The bits are spread over the word, so that facts meet both ends of it.
func members(tests []test, spread uint32) (list []uint32) {
	for v := uint32(0); ; v = (v - spread) & spread {
		if !slices.ContainsFunc(tests, func(t test) bool { return !t.holds(v) }) {
			list = append(list, v)
		}
		if v == spread {
			return list
		}
	}
}

func (t test) holds(v uint32) bool {
	switch t.op {
	case bitsAre:
		return v&t.mask == t.value
	case bitsAreNot:
		return v&t.mask != t.value
	case atLeast:
		return v >= t.value
	default:
		return v < t.value
	}
}

func randomTest(r *rand.Rand, spread uint32) test {
	t := test{op: testOp(r.IntN(4)), mask: r.Uint32() & spread, value: r.Uint32() & spread}
	switch {
	case t.op == atLeast || t.op == lessThan:
		t.mask = 0
	case r.IntN(3) == 0:
		t.mask = ^uint32(0)
	default:
		t.value &= t.mask
	}
	return t
}

// A word of which all bits but few are known has few members, so that what facts say of it
// can be compared with a list of them.
func TestFactsAgreeWithAListOfMembers(t *testing.T) {
	impossible, holes := 0, 0
	for seed := range uint64(gen.Many(20_000, 500_000)) {
		r := gen.New(seed)
		spread := uint32(0)
		for range 1 + r.IntN(7) {
			spread |= 1 << r.IntN(32)
		}
		var s facts
		s.limit = 1 << 20
		s.forget()
		tests := []test{{bitsAre, ^spread, 0}}
		s.assume(wordNR, tests[0])
		for range 1 + r.IntN(6) {
			next := randomTest(r, spread)
			before := members(tests, spread)
			asked := s
			checkAnswers(t, seed, &asked, next, before)
			tests = append(tests, next)
			left := members(tests, spread)
			if !s.assume(wordNR, next) {
				if len(left) > 0 {
					t.Fatalf("seed %d: %v: none left, but %#x", seed, tests, left)
				}
				impossible++
				break
			}
			f := s.of[wordNR]
			for _, v := range left {
				if v < f.first || v > f.last || v&f.mask != f.value {
					t.Fatalf("seed %d: %v: %v lacks %#x", seed, tests, f, v)
				}
			}
			if (f.first^f.value)&f.mask != 0 || (f.last^f.value)&f.mask != 0 || f.first > f.last {
				t.Fatalf("seed %d: %v: %v has an end that is no member", seed, tests, f)
			}
			if len(s.holes) == 0 && (left[0] != f.first || left[len(left)-1] != f.last) {
				t.Fatalf("seed %d: %v: %v, want ends %#x", seed, tests, f, left)
			}
			holes += len(s.holes)
			picked := s
			if word, ok := picked.pick(); !ok && word != wordNR || ok != (len(left) > 0) || ok && !slices.Contains(left, picked.of[wordNR].first) {
				t.Fatalf("seed %d: %v: picked %v %v of %#x", seed, tests, ok, picked.of[wordNR], left)
			}
			if len(left) == 0 {
				break
			}
		}
	}
	if impossible < 1000 || holes < 1000 {
		t.Errorf("%d impossible, %d holes", impossible, holes)
	}
}

// checkAnswers compares what facts say about a test with what members do.
func checkAnswers(t *testing.T, seed uint64, s *facts, ask test, members []uint32) {
	t.Helper()
	var got truth
	switch ask.op {
	case bitsAre, bitsAreNot:
		got = s.in(wordNR, ask.mask, ask.value&ask.mask)
		ask.op = bitsAre
	default:
		got = s.less(wordNR, uint64(ask.value))
		ask.op = lessThan
	}
	var want truth
	for _, v := range members {
		if ask.holds(v) {
			want |= always
		} else {
			want |= never
		}
	}
	// Several holes together may leave less than one at a time shows.
	if got&want != want || len(s.holes) == 0 && got != want {
		t.Fatalf("seed %d: %v %v: %d, want %d of %#x", seed, s.of[wordNR], ask, got, want, members)
	}
}

func TestFactsInText(t *testing.T) {
	var s facts
	s.limit = 1
	s.forget()
	s.assume(0, test{op: atLeast, value: 5})
	s.assume(0, test{op: lessThan, value: 16})
	s.assume(0, test{bitsAre, 1, 0})
	if got, want := s.of[0].String(), "0x6..0xe &0x1=0x0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for text, it := range map[string]test{
		"& 0xf == 0x1": {bitsAre, 15, 1}, "& 0xf != 0x1": {bitsAreNot, 15, 1},
		">= 0x2": {op: atLeast, value: 2}, "< 0x2": {op: lessThan, value: 2},
	} {
		if got := it.String(); got != text || it.not().not() != it {
			t.Errorf("%s, want %s", got, text)
		}
	}
}
