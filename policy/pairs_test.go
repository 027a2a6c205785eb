package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// How many pairs of rules are compared grows with the rules, from 32768 on.
func TestPairsOfOverlapsAreBounded(t *testing.T) {
	for n, want := range map[int]bool{ // n*(n-1)/2 pairs of 32768+32*n
		290: true,
		291: false,
	} {
		var r resolver
		var list []candidate
		for i := range n {
			r.rules = append(r.rules, rule{action: []cbpf.Action{cbpf.Allow, cbpf.Log}[i%2]})
			list = append(list, candidate{rule: int32(i), conds: []Cond{{0, NotEqual, 1<<64 - 1, 31}, {1, Equal, 1<<64 - 1, uint64(i)}}})
		}
		// All test both arguments, so spans are of the first one, of which all values are open.
		got := r.overlaps(list, 1<<64-1, func(first, later *candidate, _ [6]uint64) bool {
			t.Errorf("%d rules: %v and %v overlap", n, first, later)
			return false
		})
		if got != want {
			t.Errorf("%d rules: all pairs are compared: %v", n, got)
		}
	}
}

// The same holds for the pairs of a dropped rule and a clause.
func TestPairsOfDroppedRulesAreBounded(t *testing.T) {
	const dropped = 64 // 64*544 is 32768+32*64
	for clauses, want := range map[int]int{544: 0, 545: 1} {
		p := &Policy{Default: cbpf.ErrnoClass}
		for i := range max(dropped, clauses) {
			value := func(v int) []Arg { return []Arg{{Index: 1, Op: Equal, Value: uint64(v)}} }
			if i < dropped {
				p.Rules = append(p.Rules, Rule{Names: []string{"ioctl"}, Args: value(2 * i), Action: cbpf.ErrnoClass})
			}
			if i < clauses {
				p.Rules = append(p.Rules, Rule{Names: []string{"ioctl"}, Args: value(2*i + 1), Action: cbpf.Allow})
			}
		}
		_, warnings, err := Resolve(p, Options{ABIs: []arch.ABI{arch.X86_64}})
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, w := range warnings {
			if w.Kind == Dropped {
				got++
				if !strings.HasPrefix(w.Message, "not all rules that are dropped") || w.Pointer != "/syscalls" {
					t.Errorf("%d clauses: %v", clauses, w)
				}
			}
		}
		if got != want {
			t.Errorf("%d clauses: %d warnings, want %d", clauses, got, want)
		}
	}
}

// Rules are sorted by the argument that most of them test, the first one of several.
func TestSpansAreOfTheArgumentThatMostRulesTest(t *testing.T) {
	const width = 1<<64 - 1
	at := func(arg uint8, op Op, v uint64) Cond { return Cond{arg, op, width, v} }
	for _, tt := range []struct {
		name string
		list []candidate
		want []span
	}{
		{"no conditions", []candidate{{}, {}}, []span{{0, width, 0}, {0, width, 1}}},
		{"the busier one", []candidate{
			{conds: []Cond{at(0, Equal, 7), at(3, Equal, 9)}}, {conds: []Cond{at(3, LessEqual, 5)}}, {conds: []Cond{at(0, Equal, 1), at(3, Greater, 6)}}, {},
		}, []span{{0, 5, 1}, {0, width, 3}, {7, width, 2}, {9, 9, 0}}},
		{"of equally busy ones the first", []candidate{{conds: []Cond{at(1, Equal, 7), at(2, Equal, 9)}}}, []span{{7, 7, 0}}},
		{"impossible ones are left out", []candidate{{conds: []Cond{at(1, Less, 0)}}, {conds: []Cond{at(1, Greater, width)}}, {conds: []Cond{at(1, Less, 1)}}}, []span{{0, 0, 2}}},
		{"bits are bounds, too", []candidate{{conds: []Cond{{1, MaskedEqual, 0xf0, 0x30}}}}, []span{{0x30, width - 0xc0, 0}}},
	} {
		if got := spans(tt.list, width); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// An arena has room for two lists of conditions of every rule that tests something, and
// for one of each test.
func TestArenaHasRoom(t *testing.T) {
	rules := []Rule{{}, {Args: []Arg{{Op: Equal, Value: 1}, {Op: Equal, Value: 2}}}, {Args: []Arg{{Op: Equal, Value: 1}, {Index: 1, Op: Equal, Value: 2}}}}
	a := newArena(rules)
	if cap(a.conds) != 8 || cap(a.lists) != 12 {
		t.Errorf("room for %d conditions and %d lists", cap(a.conds), cap(a.lists))
	}
	for _, r := range rules {
		a.alternatives(r.Args, 1<<32-1, testsTwice(r.Args))
		a.alternatives(r.Args, 1<<64-1, testsTwice(r.Args))
	}
	if len(a.conds) != 8 || len(a.lists) != 6 {
		t.Errorf("%d conditions and %d lists", len(a.conds), len(a.lists))
	}
}
