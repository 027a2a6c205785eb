package compile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// x32Outcomes are what the numbers of these tests go to: a and b return, the others
// look at an argument first. Those of f, g and h look like tests of the number: of
// one above all numbers, of one among them, and of the x32 bit.
func x32Outcomes(tree *Tree) map[string]Ref {
	a, b := tree.ret(cbpf.Errno(1)), tree.ret(cbpf.Errno(2))
	test := func(op Op, k uint32) Ref {
		return tree.test(Test{Op: op, Word: Lo(0), K: k, Yes: a, No: b})
	}
	return map[string]Ref{
		"a": a, "b": b, "c": tree.ret(cbpf.Errno(3)),
		"f": test(AtLeast, 0x80000000), "g": test(AtLeast, 12), "h": test(AtLeast, arch.X32Bit),
		"i": test(Equal, 12), "j": test(AnySet, 12),
		"k": tree.test(Test{Op: AtLeast, Word: Lo(1), K: 11, Yes: test(AtLeast, 300), No: test(AtLeast, 5)}),
	}
}

// x32Spans reads spans as "0..4:a 5:f 6..:a", of which the last ends at last, and
// adds bit to all values but that.
func x32Spans(t *testing.T, outcomes map[string]Ref, text string, bit, last uint32) []span {
	t.Helper()
	var spans []span
	for _, field := range strings.Fields(text) {
		values, outcome, _ := strings.Cut(field, ":")
		from, to, more := strings.Cut(values, "..")
		s := span{first: number(t, from) + bit, to: outcomes[outcome]}
		switch {
		case !more:
			s.last = s.first
		case to == "":
			s.last = last
		default:
			s.last = number(t, to) + bit
		}
		s.weight = uint64(min(s.last-s.first+1, 480))
		spans = append(spans, s)
	}
	return spans
}

// lowerX32 lowers the number space of x86_64 and x32.
func lowerX32(l *lowerer, low, high []span) *Tree {
	spans := append([]span{}, low...)
	if n := len(spans); spans[n-1].to == high[0].to { // neighbours in a switch differ
		spans[n-1].last = high[0].last
		spans[n-1].weight += high[0].weight
		high = high[1:]
	}
	l.d.tree.root = l.withX32(append(spans, high...))
	return l.d.tree
}

// The numbers of low are those of x86_64, the numbers of high those of x32 without
// their bit.
func TestX32(t *testing.T) {
	tests := []struct{ name, low, high, want string }{
		{
			"the same numbers take one tree, entered without the bit",
			"0..9:a 10:f 11..19:b 20..:c", "0..9:a 10:f 11..19:b 20..:c", `
				t0: ERRNO(1)
				t1: ERRNO(2)
				t2: ERRNO(3)
				t3: arg0.lo >= 0x80000000 ? t0 : t1
				t12: nr >= 11 ? t1 : t3
				t13: nr >= 10 ? t12 : t0
				t14: nr >= 20 ? t2 : t13
				t16: nr &= 0x3fffffff, t13
				t17: nr >= 1073741844 ? t2 : t16
				t18: nr >= 1073741824 ? t17 : t14
				root t18
			`,
		},
		{
			"a number of its own is tested before the common tree",
			"0..9:a 10:b 11..19:a 20..29:b 30..39:a 40..49:f 50..:c", "0..9:a 10:b 11..19:a 20..24:b 25:i 26..29:b 30..39:a 40..49:f 50..:c", `
				t0: ERRNO(1)
				t1: ERRNO(2)
				t2: ERRNO(3)
				t3: arg0.lo >= 0x80000000 ? t0 : t1
				t6: arg0.lo == 0xc ? t0 : t1
				t12: nr == 10 ? t1 : t0
				t13: nr >= 40 ? t3 : t0
				t14: nr >= 30 ? t13 : t1
				t15: nr >= 20 ? t14 : t12
				t22: nr == 25 ? t6 : t15
				t24: nr &= 0x3fffffff, t22
				t25: nr >= 1073741874 ? t2 : t24
				t26: nr >= 1073741824 ? t25 : t2
				t27: nr >= 50 ? t26 : t15
				root t27
			`,
		},
		{
			"a range of its own in the middle",
			"0..9:a 10:b 11..39:a 40..49:f 50..59:b 60..:c", "0..9:a 10:b 11..19:a 20..29:b 30..39:a 40..49:f 50..59:b 60..:c", `
				t0: ERRNO(1)
				t1: ERRNO(2)
				t2: ERRNO(3)
				t3: arg0.lo >= 0x80000000 ? t0 : t1
				t12: nr == 10 ? t1 : t0
				t13: nr >= 50 ? t1 : t3
				t14: nr >= 40 ? t13 : t12
				t22: nr >= 20 ? t1 : t14
				t23: nr >= 30 ? t14 : t22
				t26: nr &= 0x3fffffff, t23
				t27: nr >= 1073741884 ? t2 : t26
				t28: nr >= 1073741824 ? t27 : t2
				t29: nr >= 60 ? t28 : t14
				root t29
			`,
		},
		{
			"an outcome that tests an argument for being above all numbers is not part of the search",
			"0..9:a 10..19:f 20..29:b 30..:c", "0..9:a 10..14:f 15:b 16..19:f 20..29:b 30..:c", `
				t0: ERRNO(1)
				t1: ERRNO(2)
				t2: ERRNO(3)
				t3: arg0.lo >= 0x80000000 ? t0 : t1
				t12: nr >= 20 ? t1 : t3
				t13: nr >= 10 ? t12 : t0
				t14: nr >= 30 ? t2 : t13
				t20: nr == 15 ? t1 : t13
				t24: nr &= 0x3fffffff, t20
				t25: nr >= 1073741854 ? t2 : t24
				t26: nr >= 1073741824 ? t25 : t14
				root t26
			`,
		},
		{
			"nor is one that has the constant of a comparison of the number",
			"0..11:a 12..19:g 20..29:b 30..:c", "0..11:a 12..14:g 15:b 16..19:g 20..29:b 30..:c", `
				t0: ERRNO(1)
				t1: ERRNO(2)
				t2: ERRNO(3)
				t4: arg0.lo >= 0xc ? t0 : t1
				t12: nr >= 20 ? t1 : t4
				t13: nr >= 12 ? t12 : t0
				t14: nr >= 30 ? t2 : t13
				t20: nr == 15 ? t1 : t13
				t24: nr &= 0x3fffffff, t20
				t25: nr >= 1073741854 ? t2 : t24
				t26: nr >= 1073741824 ? t25 : t14
				root t26
			`,
		},
		{
			"numbers that only one of them has",
			"0..9:a 10..14:f 15..19:b 20..29:f 30..:c", "0..9:a 10..14:f 15..29:b 30..511:c 512..519:f 520..:b", `
				t0: ERRNO(1)
				t1: ERRNO(2)
				t2: ERRNO(3)
				t3: arg0.lo >= 0x80000000 ? t0 : t1
				t12: nr >= 15 ? t1 : t3
				t13: nr >= 20 ? t3 : t12
				t14: nr >= 10 ? t13 : t0
				t15: nr >= 30 ? t2 : t14
				t17: nr >= 512 ? t3 : t2
				t20: nr >= 10 ? t12 : t0
				t24: nr >= 30 ? t17 : t20
				t29: nr &= 0x3fffffff, t24
				t30: nr >= 1073742344 ? t1 : t29
				t36: nr >= 1073741824 ? t30 : t15
				root t36
			`,
		},
		{
			"nothing in common",
			"0..9:f 10..19:a 20..29:g 30..:a", "0..4:b 5..14:c 15..24:b 25..34:c 35..:b", `
				t0: ERRNO(1)
				t1: ERRNO(2)
				t2: ERRNO(3)
				t3: arg0.lo >= 0x80000000 ? t0 : t1
				t4: arg0.lo >= 0xc ? t0 : t1
				t12: nr >= 20 ? t4 : t0
				t13: nr >= 10 ? t12 : t3
				t14: nr >= 30 ? t0 : t13
				t48: nr >= 1073741829 ? t2 : t1
				t49: nr >= 1073741849 ? t2 : t1
				t50: nr >= 1073741839 ? t49 : t48
				t51: nr >= 1073741859 ? t1 : t50
				t52: nr >= 1073741824 ? t51 : t14
				root t52
			`,
		},
		{
			"numbers of x32 that all go where the last ones of x86_64 go take no test of the bit",
			"0..5:g 6..:a", "0..:a", `
				t0: ERRNO(1)
				t1: ERRNO(2)
				t4: arg0.lo >= 0xc ? t0 : t1
				t11: nr >= 6 ? t0 : t4
				root t11
			`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := &lowerer{d: dispatcher{tree: new(Tree)}}
			outcomes := x32Outcomes(l.d.tree)
			low := x32Spans(t, outcomes, tt.low, 0, arch.X32Bit-1)
			high := x32Spans(t, outcomes, tt.high, arch.X32Bit, math.MaxUint32)
			same(t, lowerX32(l, low, high).String(), tt.want)
		})
	}
}

func TestCutSpans(t *testing.T) {
	tree := new(Tree)
	outcomes := x32Outcomes(tree)
	tests := []struct{ spans, below, above string }{
		{"0..4:a 5:b 6..:a", "0..4:a 5:b 6..9:a", "10..:a"},
		{"0..9:a 10:b 11..:a", "0..9:a", "10:b 11..:a"},
		{"0..10:a 11..:b", "0..9:a", "10:a 11..:b"},
	}
	text := func(spans []span) string {
		var b strings.Builder
		for _, s := range spans {
			fmt.Fprintf(&b, "%d..%d:%d ", s.first, s.last, s.to)
		}
		return b.String()
	}
	for _, tt := range tests {
		spans := x32Spans(t, outcomes, tt.spans, 0, math.MaxUint32)
		before := text(spans)
		below, above := cutSpans(spans, 10)
		if got, want := text(below), text(x32Spans(t, outcomes, tt.below, 0, math.MaxUint32)); got != want {
			t.Errorf("%s: below %s, want %s", tt.spans, got, want)
		}
		if got, want := text(above), text(x32Spans(t, outcomes, tt.above, 0, math.MaxUint32)); got != want {
			t.Errorf("%s: above %s, want %s", tt.spans, got, want)
		}
		if text(spans) != before {
			t.Errorf("%s: changed to %s", tt.spans, text(spans))
		}
	}
}

// randomX32 draws the outcomes of numbers up to 40 or so, and changes some of them
// for x32.
func randomX32(r *rand.Rand, names []string) (low, high string) {
	names = names[:2+r.IntN(len(names)-1)]
	common := make([]string, 1+r.IntN(40))
	for i := range common {
		if common[i] = names[r.IntN(len(names))]; i > 0 && r.IntN(3) > 0 {
			common[i] = common[i-1]
		}
	}
	text := func(outcomes []string) string {
		var b strings.Builder
		for first := 0; first < len(outcomes); {
			end := first + 1
			for end < len(outcomes) && outcomes[end] == outcomes[first] {
				end++
			}
			switch {
			case end == len(outcomes):
				fmt.Fprintf(&b, "%d..:%s ", first, outcomes[first])
			case end-first == 1:
				fmt.Fprintf(&b, "%d:%s ", first, outcomes[first])
			default:
				fmt.Fprintf(&b, "%d..%d:%s ", first, end-1, outcomes[first])
			}
			first = end
		}
		return b.String()
	}
	other := append([]string{}, common...)
	for range r.IntN(6) {
		first, name := r.IntN(len(other)), names[r.IntN(len(names))]
		for i := first; i < len(other) && i <= first+r.IntN(4); i++ {
			other[i] = name
		}
	}
	for range r.IntN(3) * r.IntN(8) {
		other = append(other, names[r.IntN(len(names))])
	}
	return text(common), text(other)
}

// tops are numbers that x32 can have beyond those of any table: the bit is not all
// that their tree has to take off them.
func tops(r *rand.Rand, names []string) string {
	if r.IntN(4) > 0 {
		return ""
	}
	name := func() string { return names[r.IntN(len(names))] }
	return fmt.Sprintf("0x3fffffff:%s 0x40000000..0x40000009:%s 0x4000000a:%s 0x4000000b..:%s", name(), name(), name(), name())
}

func TestX32MeansWhatItsNumbersDo(t *testing.T) {
	names := []string{"a", "b", "f", "g", "h", "c", "i", "j", "k"}
	shared, count := 0, 4000
	if testing.Short() {
		count = 1000
	}
	for seed := range uint64(count) {
		r := rand.New(rand.NewPCG(seed, 32))
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		low, high := randomX32(r, names)
		l := &lowerer{d: dispatcher{tree: new(Tree), exhaustive: seed%4 == 0}}
		outcomes := x32Outcomes(l.d.tree)
		spans := x32Spans(t, outcomes, low, 0, arch.X32Bit-1)
		if top := tops(r, names); top != "" {
			high = strings.TrimSuffix(high, " ")
			i := strings.LastIndex(high, "..:")
			high = high[:i+2] + "0x3ffffffe" + high[i+2:] + " " + top
		}
		above := x32Spans(t, outcomes, high, arch.X32Bit, math.MaxUint32)
		if r.IntN(2) == 0 { // is tested first
			spans[r.IntN(len(spans))].weight = 1 << 20
		}
		tree := lowerX32(l, spans, above)
		if strings.Contains(tree.String(), "nr &=") {
			shared++
		}
		for _, s := range append(spans, above...) {
			want := *tree
			want.root = s.to
			for _, nr := range []uint32{s.first, s.first + (s.last-s.first)/2, s.last} {
				for _, arg := range []uint32{0, 4, 5, 10, 11, 12, 299, 300, arch.X32Bit - 1, arch.X32Bit, 0x7fffffff, 0x80000000, math.MaxUint32} {
					d := cbpf.Data{NR: nr, Args: [6]uint64{uint64(arg), uint64(arg)}}
					if got, want := tree.Eval(&d), want.Eval(&d); got != want {
						t.Fatalf("seed %d: number %#x with argument %#x: %v, want %v\nx86_64 %s\nx32    %s\n%v", seed, nr, arg, got, want, low, high, tree)
					}
				}
			}
		}
	}
	if shared < count/4 {
		t.Errorf("only %d of %d trees are shared", shared, count)
	}
}
