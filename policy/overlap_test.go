package policy

import (
	"math/rand/v2"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
)

// With arguments of five bits every value can be tried.
const tinyWidth = 1<<5 - 1

func tinyCond(random *rand.Rand, arg uint8) Cond {
	c := Cond{Arg: arg, Op: NotEqual + Op(random.IntN(7)), Mask: tinyWidth, Value: random.Uint64N(tinyWidth + 1)}
	if c.Op == MaskedEqual {
		c.Mask = 1 + random.Uint64N(tinyWidth)
		c.Value &= c.Mask
	}
	return c
}

func TestRegionFindsTheLeastValue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	found := 0
	for range 20000 {
		a, b := tinyCond(random, 0), tinyCond(random, 0)
		want, exists := uint64(0), false
		for v := uint64(0); v <= tinyWidth && !exists; v++ {
			want, exists = v, a.holds(v) && b.holds(v)
		}
		r := newRegion(tinyWidth)
		possible := r.add(a) && r.add(b)
		got, ok := r.least()
		if ok = ok && possible; ok != exists || ok && got != want {
			t.Fatalf("%v and %v: got %d %v, want %d %v", a, b, got, ok, want, exists)
		}
		if ok {
			found++
		}
	}
	if found < 2000 || found > 18000 {
		t.Errorf("%d of 20000 pairs overlap: the test tests little", found)
	}
}

// The ends of 32-bit and 64-bit arguments, where arithmetic wraps.
func TestRegionAtTheEndOfTheWidth(t *testing.T) {
	for _, width := range []uint64{1<<32 - 1, 1<<64 - 1} {
		for _, test := range []struct {
			name  string
			conds [2]Cond
			want  uint64
			ok    bool
		}{
			{"above the last", [2]Cond{{Op: Greater, Value: width}, {Op: GreaterEqual}}, 0, false},
			{"below the first", [2]Cond{{Op: Less, Value: 0}, {Op: GreaterEqual}}, 0, false},
			{"the last", [2]Cond{{Op: GreaterEqual, Value: width}, {Op: LessEqual, Value: width}}, width, true},
			{"not the last", [2]Cond{{Op: GreaterEqual, Value: width}, {Op: NotEqual, Value: width}}, 0, false},
			{"all but the last two", [2]Cond{{Op: Greater, Value: width - 2}, {Op: NotEqual, Value: width - 1}}, width, true},
			{"the last even one", [2]Cond{{Op: MaskedEqual, Mask: 1}, {Op: GreaterEqual, Value: width - 1}}, width - 1, true},
			{"no even one", [2]Cond{{Op: MaskedEqual, Mask: 1}, {Op: GreaterEqual, Value: width}}, 0, false},
			{"the top bit", [2]Cond{{Op: MaskedEqual, Mask: width>>1 + 1, Value: width>>1 + 1}, {Op: Greater, Value: 5}}, width>>1 + 1, true},
		} {
			r := newRegion(width)
			possible := true
			for _, c := range test.conds {
				if c.Op != MaskedEqual {
					c.Mask = width
				}
				possible = possible && r.add(c)
			}
			got, ok := r.least()
			if ok = ok && possible; ok != test.ok || ok && got != test.want {
				t.Errorf("%s of %#x: got %#x %v", test.name, width, got, ok)
			}
		}
	}
}

// Every pair of rules with different actions that hold for one call is found,
// with such a call.
func TestOverlapsAreExact(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 1))
	reported := 0
	for range 2000 {
		var r resolver
		var list []candidate
		for i := range 2 + random.IntN(6) {
			r.rules = append(r.rules, rule{action: []cbpf.Action{cbpf.Allow, cbpf.Log}[random.IntN(2)]})
			c := candidate{rule: int32(i)}
			for arg := range uint8(2) {
				if random.IntN(3) > 0 {
					c.conds = append(c.conds, tinyCond(random, arg))
				}
			}
			list = append(list, c)
		}
		got := map[[2]int32]bool{}
		if !r.overlaps(list, tinyWidth, func(first, later *candidate, args [6]uint64) bool {
			pair := [2]int32{first.rule, later.rule}
			if got[pair] || pair[0] >= pair[1] || !holdsAll(first, &args) || !holdsAll(later, &args) {
				t.Fatalf("%v: pair %v, witness %v", list, pair, args)
			}
			got[pair] = true
			return true
		}) {
			t.Fatal("a few rules are too many")
		}
		for i := range list {
			for j := range i {
				want := r.rules[i].action != r.rules[j].action && meet(&list[i], &list[j])
				if got[[2]int32{int32(j), int32(i)}] != want {
					t.Fatalf("%v: pair %d %d: want %v", list, j, i, want)
				}
			}
		}
		reported += len(got)
	}
	if reported < 2000 {
		t.Errorf("%d overlaps: the test tests little", reported)
	}
}

func holdsAll(c *candidate, args *[6]uint64) bool {
	clause := Clause{Conds: c.conds}
	return clause.holds(args)
}

// meet tries every call.
func meet(a, b *candidate) bool {
	for x := uint64(0); x <= tinyWidth; x++ {
		for y := uint64(0); y <= tinyWidth; y++ {
			if args := [6]uint64{x, y}; holdsAll(a, &args) && holdsAll(b, &args) {
				return true
			}
		}
	}
	return false
}
