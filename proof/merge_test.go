package proof

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// Where two paths meet, each register and each word of memory has the value of the path
// that the call came by.
func TestPathsMeetWithTheirMemory(t *testing.T) {
	ins := func(op uint16, k uint32) bpf.RawInstruction { return bpf.RawInstruction{Op: op, K: k} }
	store := func(v uint32) []bpf.RawInstruction { return []bpf.RawInstruction{ins(opLdImm, v), ins(opSt, 0)} }
	for _, tt := range []struct {
		name            string
		before, yes, no []bpf.RawInstruction
	}{
		{"both store", nil, store(5), store(6)},
		{"the first stores again", store(4), store(5), nil},
		{"the second stores again", store(4), nil, store(6)},
		{"neither does", store(4), nil, nil},
	} {
		var code []bpf.RawInstruction
		code = append(code, tt.before...)
		code = append(code, ins(opLdAbs, 0), bpf.RawInstruction{Op: 0x15, K: 7, Jf: uint8(len(tt.yes) + 1)})
		code = append(code, tt.yes...)
		code = append(code, ins(opJa, uint32(len(tt.no))))
		code = append(code, tt.no...)
		code = append(code, ins(opLdMem, 0), ins(opRetA, 0))
		p := mustProgram(t, binary.LittleEndian, code...)
		u, o := lifted(Program(p), Limits{})
		if len(o.computed) > 0 {
			t.Errorf("%s: two values are not told apart", tt.name)
		}
		for nr := range uint32(12) {
			d := cbpf.Data{NR: nr}
			if got, want := u.action(t, o, &d), p.Eval(&d); got != want {
				t.Errorf("%s: call %d gets %#x, want %#x", tt.name, nr, uint32(got), uint32(want))
			}
		}
	}
}

// AUDIT_ARCH values for which everything is the same are told together, and those that a
// program does not know come last.
func TestExplanationJoinsArchitectures(t *testing.T) {
	jump := func(k uint32, jt, jf uint8) bpf.RawInstruction {
		return bpf.RawInstruction{Op: 0x15, K: k, Jt: jt, Jf: jf}
	}
	p := mustProgram(t, binary.LittleEndian,
		bpf.RawInstruction{Op: opLdAbs, K: 4}, jump(3, 3, 0), jump(5, 3, 0), jump(9, 1, 0),
		bpf.RawInstruction{Op: opRetK}, bpf.RawInstruction{Op: opRetK, K: uint32(cbpf.Allow)}, bpf.RawInstruction{Op: opRetK, K: uint32(cbpf.Log)})
	spaces, err := Explain(Program(p), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := []policy.Intervals{{{First: 3, Last: 3}, {First: 9, Last: 9}}, {{First: 5, Last: 5}}, {{First: 0, Last: 2}, {First: 4, Last: 4}, {First: 6, Last: 8}, {First: 10, Last: 1<<32 - 1}}}
	for i, s := range spaces {
		if i >= len(want) || len(s.Audits) != len(want[i]) {
			t.Fatalf("%d: %v", i, s.Audits)
		}
		for j, v := range s.Audits {
			if v != want[i][j] {
				t.Errorf("%d: %v, want %v", i, s.Audits, want[i])
			}
		}
	}
	if len(spaces) != len(want) {
		t.Errorf("%d spaces", len(spaces))
	}
}

// What a program does not know are the values of more than half of all, if there are any.
func TestExplanationEndsWithWhatMostArchitecturesGet(t *testing.T) {
	for above, want := range map[uint32]uint32{ // where the first space begins
		1 << 31:   1<<31 + 1, // the lower class has 1<<31 + 1 values
		1<<31 - 1: 0,         // both have as many
		1<<31 - 2: 0,
	} {
		p := mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opLdAbs, K: 4}, bpf.RawInstruction{Op: 0x25, K: above, Jf: 1},
			bpf.RawInstruction{Op: opRetK, K: uint32(cbpf.Allow)}, bpf.RawInstruction{Op: opRetK})
		spaces, err := Explain(Program(p), Limits{})
		if err != nil || len(spaces) != 2 || spaces[0].Audits[0].First != want {
			t.Errorf("above %#x: %+v, error %v", above, spaces, err)
		}
	}
}

// A word is split into as many parts as the limit says, and not into more.
func TestPartsAreLimited(t *testing.T) {
	for rows, want := range map[int]int{2: 0, 3: 3, 4: 3} {
		u := newUniverse(newOrder(groups{}), Limits{Rows: rows}.orDefault())
		parts := u.split((&outcome{regions: []region{{cbpf.Log, u.wordIs(wordNR, 5)}, {cbpf.Allow, u.wordIs(wordNR, 5).not()}}}).tuple(), wordNR)
		if len(parts) != want || (u.over != "") != (want == 0) {
			t.Errorf("limit %d: %d parts, over %q", rows, len(parts), u.over)
		}
	}
}

// States without memory meet in one without memory.
func TestStatesWithoutMemoryMeet(t *testing.T) {
	l := &lifter{universe: newUniverse(newOrder(groups{}), Limits{}.orDefault())}
	odd := l.make(l.levels[wordNR][0], none, all)
	s, other := state{calls: odd, count: 3}, state{calls: odd.not(), a: constant(1), count: 4}
	l.merge(&s, &other)
	if s.m != nil || s.calls != all || s.count != 4 || s.a[0] != odd.not() {
		t.Errorf("%+v", s)
	}
	// What is not written is zero.
	for _, first := range []bool{true, false} {
		s, other := state{calls: odd}, state{calls: odd.not()}
		m := &[memSize]word{5: constant(1)}
		want := odd.not()
		if other.m = m; first {
			s.m, other.m, want = m, nil, odd
		}
		l.merge(&s, &other)
		if s.m == nil || s.m[5] != (word{want}) || s.m[4] != (word{}) || m[5] != constant(1) {
			t.Errorf("first %v: %+v", first, s)
		}
	}
	// Where an instruction needs no memory, states that differ in it are one.
	l.live, l.pending = []uint32{0}, make([][]state, 1)
	for i, calls := range []set{odd, odd.not()} {
		l.arrive(0, state{calls: calls, a: constant(uint32(i)), x: constant(uint32(i)), m: &[memSize]word{constant(uint32(i))}})
	}
	if got := l.pending[0]; len(got) != 1 || got[0].calls != all || got[0].m != nil {
		t.Errorf("%d states", len(got))
	}
}

// A policy made by hand that is none gets no answer.
func TestInvalidPoliciesAreRefused(t *testing.T) {
	bad, p := Policy(&policy.Resolved{}), mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opRetK})
	good := Program(p)
	const want = "policy: no target ABI (use Resolve)"
	for name, ask := range map[string]func() error{
		"Check":          func() error { _, err := Check(bad, p, Limits{}); return err },
		"Equal":          func() error { _, err := Equal(bad, good, Limits{}); return err },
		"Equal, swapped": func() error { _, err := Equal(good, bad, Limits{}); return err },
		"Diff":           func() error { _, err := Diff(bad, good, Limits{}); return err },
		"Diff, swapped":  func() error { _, err := Diff(good, bad, Limits{}); return err },
		"Explain":        func() error { _, err := Explain(bad, Limits{}); return err },
	} {
		if err := ask(); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

// What an older filter computes cannot be weighed against what a newer one does.
func TestStackOfComputedActionsIsUnknown(t *testing.T) {
	computed := Program(mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opLdAbs}, bpf.RawInstruction{Op: opRetA}))
	one := Program(mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opRetK, K: uint32(cbpf.Log)}))
	r, err := Equal(Stack(computed, one), Stack(computed, one), Limits{})
	if err != nil || r.Verdict != Unknown || r.Reason == "" {
		t.Errorf("%+v, error %v", r, err)
	}
	if _, err := Explain(Stack(computed, one), Limits{}); err == nil {
		t.Error("an explanation")
	}
}

// Memory that nothing reads any more is none, so that it keeps no states apart.
func TestDeadMemoryIsDropped(t *testing.T) {
	m := [memSize]word{2: constant(7), 9: constant(8)}
	if got := trim(&m, regMem&^(1<<2|1<<9)); got == nil || *got != [memSize]word{} {
		t.Errorf("what was never written: %v", got)
	}
	if trim(&m, 0) != nil || trim(&m, regA|regX) != nil {
		t.Error("memory is kept that nothing reads")
	}
	if got := trim(&m, 1<<2|1<<9|regA); got != &m {
		t.Error("memory is copied that does not change")
	}
	if got := trim(&m, 1<<9); got[2] != (word{}) || got[9] != m[9] || m[2] == (word{}) {
		t.Errorf("%v of %v", got, m)
	}
}

// Values are written as ranges or masks, whichever are fewer: ranges and what holds where
// they are equally many.
func TestOfEquallyShortFormsTheFirstIsWritten(t *testing.T) {
	u := newUniverse(newOrder(groups{}), Limits{}.orDefault())
	const w = wordArgs
	bit := func(i int) set { // of the lower word
		return u.make(u.levels[w+1][i], none, all)
	}
	upper := all
	for i := range 32 {
		upper = u.without(upper, u.make(u.levels[w][i], none, all))
	}
	for _, tt := range []struct {
		name string
		set  set
		want Values
	}{
		{"every value", all, Values{Width: 64, Not: true}},
		{"odd", bit(0), Values{Width: 32, Masks: []Mask{{1, 1}}}},
		{"even", bit(0).not(), Values{Width: 32, Masks: []Mask{{1, 0}}}},
		{"upper half of a word", bit(31), Values{Width: 32, Ranges: []Range{{1 << 31, 1<<32 - 1}}}},
		{"one bit of two", u.or(bit(0), bit(3)), Values{Width: 32, Not: true, Masks: []Mask{{9, 0}}}},
		{"both", u.and(bit(0), bit(3)), Values{Width: 32, Masks: []Mask{{9, 9}}}},
		{"small values", upper, Values{Width: 64, Ranges: []Range{{0, 1<<32 - 1}}}},
		{"large values", upper.not(), Values{Width: 64, Ranges: []Range{{1 << 32, 1<<64 - 1}}}},
		{"small odd values", u.and(upper, bit(0)), Values{Width: 64, Masks: []Mask{{1<<64 - 1<<32 + 1, 1}}}},
	} {
		got := u.describe(tt.set, w)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// Words are in one group where an instruction may bring them together, whatever way they
// took.
func TestWordsThatMeetAreJoined(t *testing.T) {
	ins := func(op uint16, k uint32) bpf.RawInstruction { return bpf.RawInstruction{Op: op, K: k} }
	jump := func(op uint16, jt, jf uint8) bpf.RawInstruction { return bpf.RawInstruction{Op: op, Jt: jt, Jf: jf} }
	const nr, arch, add, equal, equalX = 0, 4, 0x0c, 0x15, 0x1d
	load := func(at uint32) bpf.RawInstruction { return ins(opLdAbs, at) }
	type code []bpf.RawInstruction
	for _, tt := range []struct {
		name string
		code code
		want bool
	}{
		{"sum", code{load(nr), ins(opTax, 0), load(arch), ins(add, 0)}, true},
		{"comparison", code{load(nr), ins(opTax, 0), load(arch), jump(equalX, 0, 0)}, true},
		{"of one word with itself", code{load(nr), ins(opTax, 0), ins(add, 0)}, false},
		{"of a word with a constant", code{load(nr), ins(opTax, 0), load(arch), ins(opLdImm, 0), ins(add, 0)}, false},
		{"of a constant in X", code{load(arch), ins(opLdxImm, 1), ins(add, 0)}, false},
		{"of the length in X", code{load(nr), ins(opTax, 0), ins(opLdxLen, 0), load(arch), ins(add, 0)}, false},
		{"of the length in A", code{load(nr), ins(opTax, 0), load(arch), ins(opLdLen, 0), ins(add, 0)}, false},
		{"one after the other", code{load(nr), jump(equal, 0, 0), load(arch), jump(equal, 0, 0)}, false},
		{"through memory", code{load(nr), ins(opSt, 3), load(arch), ins(opLdxMem, 3), ins(add, 0)}, true},
		{"memory that is written again", code{load(nr), ins(opSt, 3), ins(opLdImm, 1), ins(opSt, 3), load(arch), ins(opLdxMem, 3), ins(add, 0)}, false},
		{"X through memory", code{load(nr), ins(opTax, 0), ins(opStx, 3), load(arch), ins(opTax, 0), ins(opLdMem, 3), ins(add, 0)}, true},
		{"back from X", code{load(nr), ins(opTax, 0), load(arch), ins(opTxa, 0), ins(add, 0)}, false},
		{"sums of sums", code{load(nr), ins(opTax, 0), ins(opLdImm, 1), ins(add, 0), ins(opTax, 0), load(arch), ins(add, 0)}, true},
		{"over a jump", code{load(nr), ins(opTax, 0), load(arch), ins(opJa, 1), ins(opRetK, 0), ins(add, 0)}, true},
		{"where a test holds", code{load(nr), ins(opTax, 0), load(arch), jump(equal, 1, 0), ins(opRetK, 0), ins(add, 0)}, true},
		{"where a test fails", code{load(nr), ins(opTax, 0), load(arch), jump(equal, 0, 1), ins(opRetK, 0), ins(add, 0)}, true},
		{"on one of two paths", code{load(nr), ins(opTax, 0), jump(equal, 0, 1), load(arch), ins(add, 0)}, true},
		{"on neither of two paths", code{load(arch), jump(equal, 0, 1), load(nr), ins(opTax, 0), ins(opLdImm, 0), ins(add, 0)}, false},
	} {
		var g groups
		join(mustProgram(t, binary.LittleEndian, append(tt.code, ins(opRetK, 0))...), &g)
		for w := range words {
			if got, want := g.joined(w), tt.want && (w == wordNR || w == wordArch); got != want {
				t.Errorf("%s: word %d joined: %v", tt.name, w, got)
			}
		}
	}
}

// All ways to choose between sets give the same set.
func TestChooseIsWhatItMeans(t *testing.T) {
	u := newUniverse(newOrder(groups{}), Limits{}.orDefault())
	bit := func(i int) set { return u.make(u.levels[wordNR][31-i], none, all) }
	sets := []set{none, all, bit(0), bit(1), bit(2), u.and(bit(0), bit(1)), u.xor(bit(1), bit(2)), u.or(bit(0), bit(2))}
	for _, s := range sets {
		sets = append(sets, s.not())
	}
	for _, f := range sets {
		for _, g := range sets {
			for _, h := range sets {
				if got, want := u.choose(f, g, h), u.or(u.and(f, g), u.without(h, f)); got != want {
					t.Fatalf("choose(%d, %d, %d) is %d, want %d", f, g, h, got, want)
				}
			}
			if got, want := u.xor(f, g), u.or(u.without(f, g), u.without(g, f)); got != want {
				t.Fatalf("xor(%d, %d) is %d, want %d", f, g, got, want)
			}
		}
	}
}

func TestSharesOfSets(t *testing.T) {
	p := newUniverse(newOrder(groups{}), Limits{}.orDefault()).planter(nil)
	bit := func(i int) set { return p.make(p.levels[wordNR][31-i], none, all) }
	for s, want := range map[set]float64{
		none: 0, all: 1, bit(0): 0.5, bit(3).not(): 0.5, p.and(bit(0), bit(1)): 0.25, p.or(bit(0), bit(1)): 0.75, p.wordIs(wordNR, 7): 1.0 / (1 << 32),
	} {
		if got := p.share(s); got != want {
			t.Errorf("set %d: %v, want %v", s, got, want)
		}
	}
}

// Bits of actions are those of single calls, whether they are listed or computed.
func TestBitsOfActions(t *testing.T) {
	u := newUniverse(newOrder(groups{}), Limits{}.orDefault())
	odd := u.make(u.levels[wordNR][31], none, all)
	upper := u.make(u.levels[wordNR][0], none, all)
	o := &outcome{
		regions:  []region{{0x5, u.and(odd, upper)}, {0x80000003, u.without(upper, odd)}},
		computed: []computed{{upper.not(), word{0: odd, 2: all, 31: odd.not()}}},
	}
	for i, want := range map[int]set{
		0:  u.or(upper, odd),
		1:  u.without(upper, odd),
		2:  u.or(upper.not(), odd),
		3:  none,
		31: odd.not(),
	} {
		if got := o.bit(u, i); got != want {
			t.Errorf("bit %d: set %d, want %d", i, got, want)
		}
	}
}

// A limit on nodes bounds memory, whatever is asked once it is hit.
func TestNodesAreBounded(t *testing.T) {
	u := newUniverse(newOrder(groups{}), Limits{Nodes: 100}.orDefault())
	for k := range uint32(200) {
		u.wordIs(wordNR, k)
	}
	if len(u.nodes) > 100 || u.over != "Nodes" {
		t.Errorf("%d nodes, over %q", len(u.nodes), u.over)
	}
}

func TestDefaultLimits(t *testing.T) {
	want := Limits{Nodes: 1 << 20, Steps: 1 << 24, States: 16, Actions: 256, Rows: 1 << 14}
	if got := (Limits{Nodes: -1, Rows: -5}).orDefault(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	want = Limits{Nodes: 1 << 30, Steps: 1, States: 2, Actions: 3, Rows: 4} // references have 31 bits
	if got := (Limits{Nodes: 1<<31 - 1, Steps: 1, States: 2, Actions: 3, Rows: 4}).orDefault(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// The kernel's bitmap is examined for the numbers of its tables, and for the last one
// that there is.
func TestBitmapIsExaminedToTheLastNumber(t *testing.T) {
	a := arch.AArch64
	r := &policy.Resolved{Default: cbpf.Allow, BadArch: cbpf.KillThread, Spaces: []policy.Space{{Audit: a.Audit(), ABIs: []arch.ABI{a}}}}
	p := mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opLdAbs, K: cbpf.OffArch}, bpf.RawInstruction{Op: 0x15, K: a.Audit(), Jf: 1},
		bpf.RawInstruction{Op: opRetK, K: uint32(cbpf.Allow)}, bpf.RawInstruction{Op: opRetK})
	report, err := Check(Policy(r), p, Limits{})
	if err != nil || !report.OK() {
		t.Fatalf("%+v, error %v", report, err)
	}
	want := bitmap{a.Audit(), policy.Intervals{{First: 0, Last: 1023}, {First: 1<<32 - 1, Last: 1<<32 - 1}}}
	for _, b := range report.bitmaps {
		if b.audit == want.audit && !slices.Equal(b.allowed, want.allowed) {
			t.Errorf("got %v, want %v", b, want)
		}
	}
	if !slices.ContainsFunc(report.bitmaps, func(b bitmap) bool { return b.audit == want.audit }) {
		t.Errorf("bitmaps %v", report.bitmaps)
	}
}
