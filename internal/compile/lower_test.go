package compile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

func TestLower(t *testing.T) {
	tests := []struct {
		rule     string
		abis     []arch.ABI
		options  Options
		in, want string
	}{
		{"an action is a return", nil, Options{}, `
			n0: TRAP
			root n0
		`, `
			t0: TRAP
			root t0
		`},
		{"no bit may be set: one test with its sides swapped", nil, Options{}, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo & 0x6 == 0x0 ? n0 : n1
			root n2
		`, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: arg0.lo & 0x6 ? t1 : t0
			root t2
		`},
		{"one bit must be set: one test", nil, Options{}, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo & 0x4 == 0x4 ? n0 : n1
			n3: arg0.hi & 0x1 == 0x1 ? n2 : n1
			root n3
		`, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: arg0.lo & 0x4 ? t0 : t1
			t3: arg0.hi & 0x1 ? t2 : t1
			root t3
		`},
		{"all of two bits must be set, or one of two: under a mask", nil, Options{}, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo & 0x6 == 0x6 ? n0 : n1
			n3: arg0.hi & 0x6 == 0x2 ? n2 : n1
			root n3
		`, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: arg0.lo & 0x6 == 0x6 ? t0 : t1
			t3: arg0.hi & 0x6 == 0x2 ? t2 : t1
			root t3
		`},
		{"what two nodes lead to is there once", nil, Options{}, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.hi
				0x0..0x8: n0
				0x9..0xffffffff: n1
			n3: arg0.lo
				0x0: n2
				0x1..0x4: n1
				0x5: n0
				0x6..0xffffffff: n2
			root n3
		`, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: arg0.hi >= 0x9 ? t1 : t0
			t3: arg0.lo >= 0x5 ? t0 : t1
			t4: arg0.lo >= 0x1 ? t3 : t2
			t5: arg0.lo >= 0x6 ? t2 : t4
			root t5
		`},
		{"the first ABI is asked for first", []arch.ABI{arch.AArch64, arch.ARM, arch.X86}, Options{}, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: ERRNO(2)
			n3: KILL_PROCESS
			n4: arch
				0x0..0x40000002: n3
				0x40000003: n2
				0x40000004..0x40000027: n3
				0x40000028: n1
				0x40000029..0xc00000b6: n3
				0xc00000b7: n0
				0xc00000b8..0xffffffff: n3
			root n4
		`, `
			t0: KILL_PROCESS
			t1: ERRNO(2)
			t2: ERRNO(1)
			t3: ALLOW
			t4: arch == 0x40000003 ? t1 : t0
			t5: arch == 0x40000028 ? t2 : t4
			t6: arch == 0xc00000b7 ? t3 : t5
			root t6
		`},
		{"the call that is made most is asked for first", []arch.ABI{arch.AArch64}, Options{Weights: map[string]uint64{"close": 90, "read": 5}}, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: ERRNO(2)
			n3: nr
				0..56: n1
				57: n0
				58..62: n1
				63: n2
				64..4294967295: n1
			n4: arch
				0x0..0xc00000b6: n1
				0xc00000b7: n3
				0xc00000b8..0xffffffff: n1
			root n4
		`, `
			t0: ERRNO(1)
			t1: ALLOW
			t2: ERRNO(2)
			t3: nr == 63 ? t2 : t0
			t4: nr == 57 ? t1 : t3
			t5: arch == 0xc00000b7 ? t4 : t0
			root t5
		`},
		{"a call whose arguments decide is asked for first", []arch.ABI{arch.AArch64}, Options{}, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: arg0.lo
				0x0..0x8: n0
				0x9..0xffffffff: n1
			n3: nr
				0..599: n1
				600: n2
				601..609: n1
				610: n0
				611..4294967295: n1
			n4: arch
				0x0..0xc00000b6: n1
				0xc00000b7: n3
				0xc00000b8..0xffffffff: n1
			root n4
		`, `
			t0: ERRNO(1)
			t1: ALLOW
			t2: arg0.lo >= 0x9 ? t0 : t1
			t3: nr == 610 ? t1 : t0
			t4: nr == 600 ? t2 : t3
			t5: arch == 0xc00000b7 ? t4 : t0
			root t5
		`},
		{"x86_64 without x32 is one search", []arch.ABI{arch.X86_64}, Options{}, `
			n0: ALLOW
			n1: ERRNO(1)
			n2: nr
				0..4: n0
				5..1073741824: n1
				1073741825..1073741828: n0
				1073741829: n1
				1073741830: n0
				1073741831..4294967295: n1
			n3: arch
				0x0..0xc000003d: n1
				0xc000003e: n2
				0xc000003f..0xffffffff: n1
			root n3
		`, `
			t0: ERRNO(1)
			t1: ALLOW
			t2: nr == 1073741830 ? t1 : t0
			t3: nr >= 1073741829 ? t2 : t1
			t4: nr >= 1073741825 ? t3 : t0
			t5: nr >= 5 ? t4 : t1
			t6: arch == 0xc000003e ? t5 : t0
			root t6
		`},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			g := parseDiagram(t, tt.in)
			for _, a := range tt.abis {
				g.addABI(a)
			}
			g.usual = 1
			same(t, lower(g, tt.options).String(), tt.want)
		})
	}
}

// archDiagram makes a random diagram with number spaces, and weights for calls.
func archDiagram(r *rand.Rand) (*Diagram, Options) {
	g := randomDiagram(r, []Word{Lo(0), Hi(0), Lo(3)}, 1+r.IntN(12))
	nodes := []NodeID{g.root, 0, 1}
	var spaces []Case
	for _, a := range []arch.ABI{arch.AArch64, arch.ARM, arch.MIPS64N32, arch.X86}[r.IntN(3):] {
		var cases []Case
		for _, first := range randomCuts(r, 1+r.IntN(30))[1:] {
			cases = appendCase(cases, first-1, nodes[r.IntN(len(nodes))])
		}
		cases = appendCase(cases, math.MaxUint32, nodes[r.IntN(len(nodes))])
		spaces = append(spaces, Case{a.Audit(), a.Audit(), g.switchOn(NR, cases, "/nr")})
		g.addABI(a)
	}
	g.usual = nodes[r.IntN(len(nodes))]
	g.root = g.switchOn(Arch, around(spaces, 1), "/arch")
	o := Options{Exhaustive: r.IntN(2) == 1, Weights: map[string]uint64{"read": r.Uint64N(100), "openat": r.Uint64(), "close": 3}}
	if r.IntN(2) == 0 {
		o.Weights = nil
	}
	return g, o
}

func TestLowerMeansWhatTheDiagramDoes(t *testing.T) {
	diagrams := uint64(400)
	if testing.Short() {
		diagrams = 80
	}
	for seed := range diagrams {
		r := rand.New(rand.NewPCG(seed, 9))
		g, o := archDiagram(r)
		tree := lower(g, o)
		numbers, values := edges(), edges()
		for id := range g.nodes {
			for _, c := range g.nodes[id].Cases {
				numbers = append(numbers, c.First, c.Last)
			}
		}
		audits := []uint32{0, arch.X86_64.Audit()}
		for _, s := range g.spaces {
			audits = append(audits, s.audit, s.audit, s.audit, s.audit+1)
		}
		for range 2000 {
			pick := func(from []uint32) uint32 { return from[r.IntN(len(from))] }
			d := cbpf.Data{NR: pick(numbers), Arch: pick(audits)}
			for _, w := range []Word{Lo(0), Hi(0), Lo(3)} {
				put(&d, w, pick(values))
			}
			if got, want := tree.Eval(&d), g.Eval(&d); got != want {
				t.Fatalf("seed %d: %+v: %v, want %v\n%v\n%v", seed, d, got, want, g, tree)
			}
		}
	}
}

// A ladder has more paths than anybody could walk.
func TestLowerDoesEachNodeOnce(t *testing.T) {
	if n := lower(ladder(200), Options{}).Len(); n > 1000 {
		t.Errorf("%d tests of a ladder of 200 steps", n)
	}
}

func TestWeightsOfCases(t *testing.T) {
	g := &Diagram{}
	usual, other := g.leaf(cbpf.Errno(1)), g.leaf(cbpf.Allow)
	call := g.switchOn(Lo(0), []Case{{0, 5, usual}, {6, math.MaxUint32, other}}, "")
	g.usual = usual
	for _, a := range []arch.ABI{arch.AArch64, arch.ARM, arch.MIPS64N32, arch.X86_64, arch.X32, arch.X86, arch.PPC64} {
		g.addABI(a)
	}
	l := &lowerer{g: g, hot: []frequency{{arch.AArch64.Audit(), 57, 1000}, {arch.AArch64.Audit(), 63, 500}, {arch.ARM.Audit(), 57, 9}}}
	number := func(a arch.ABI) func(Case) uint64 {
		for _, s := range g.spaces {
			if s.audit == a.Audit() {
				return func(c Case) uint64 { return l.numberWeight(s, c) }
			}
		}
		return nil
	}
	base := arch.MIPS64N32.Base()
	tests := []struct {
		rule   string
		weight func(Case) uint64
		c      Case
		want   uint64
	}{
		{"the first space", l.archWeight, Case{arch.AArch64.Audit(), arch.AArch64.Audit(), usual}, 1024},
		{"the second one", l.archWeight, Case{arch.ARM.Audit(), arch.ARM.Audit(), usual}, 256},
		{"the sixth one", l.archWeight, Case{arch.PPC64.Audit(), arch.PPC64.Audit(), usual}, 1},
		{"no space", l.archWeight, Case{7, 7, usual}, 0},
		{"a range that begins with a space", l.archWeight, Case{arch.ARM.Audit(), math.MaxUint32, usual}, 0},
		{"a range that ends with a space", l.archWeight, Case{0, arch.ARM.Audit(), usual}, 0},
		{"what nothing is said of", l.argWeight, Case{3, 3, usual}, 4},
		{"a value", l.argWeight, Case{3, 3, other}, 16},
		{"a range", l.argWeight, Case{3, 4, other}, 64},
		{"one number", number(arch.ARM), Case{5, 5, usual}, 1},
		{"all numbers", number(arch.ARM), Case{0, math.MaxUint32, usual}, emulated + 9},
		{"the last number that weighs", number(arch.ARM), Case{emulated - 1, 2000, usual}, 1},
		{"those behind", number(arch.ARM), Case{emulated, 2000, usual}, 0},
		{"numbers with a base", number(arch.MIPS64N32), Case{0, base + 9, usual}, 10},
		{"those before it", number(arch.MIPS64N32), Case{0, base - 1, usual}, 0},
		{"two ABIs in a space", number(arch.X86_64), Case{0, math.MaxUint32, usual}, 2 * emulated},
		{"a call whose arguments decide", number(arch.ARM), Case{5, 5, call}, 1 + argumentCall},
		{"two of them", number(arch.ARM), Case{5, 6, call}, 2 + 2*argumentCall},
		{"more than fits", number(arch.ARM), Case{5, math.MaxUint32, call}, math.MaxUint32},
		{"a frequent call", number(arch.AArch64), Case{57, 57, usual}, 1001},
		{"two of them in a range", number(arch.AArch64), Case{57, 63, usual}, 1507},
		{"between them", number(arch.AArch64), Case{58, 62, usual}, 5},
	}
	for _, tt := range tests {
		if got := tt.weight(tt.c); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.rule, got, tt.want)
		}
	}
}

func TestFrequencies(t *testing.T) {
	g := &Diagram{}
	for _, a := range []arch.ABI{arch.AArch64, arch.ARM} {
		g.addABI(a)
	}
	arm64, arm := arch.AArch64.Audit(), arch.ARM.Audit()
	tests := []struct {
		rule    string
		weights map[string]uint64
		want    []frequency
	}{
		{"none", nil, nil},
		{"one call, in each ABI by its number", map[string]uint64{"read": 7}, []frequency{{arm64, 63, frequencyWeight}, {arm, 3, frequencyWeight}}},
		{"shares, by name", map[string]uint64{"read": 3, "close": 1}, []frequency{
			{arm64, 57, frequencyWeight / 4}, {arm, 6, frequencyWeight / 4}, {arm64, 63, frequencyWeight * 3 / 4}, {arm, 3, frequencyWeight * 3 / 4}}},
		{"a call that one ABI does not have", map[string]uint64{"open": 1}, []frequency{{arm, 5, frequencyWeight}}},
		{"an unknown name weighs, but nowhere", map[string]uint64{"open": 1, "nosuchcall": 1}, []frequency{{arm, 5, frequencyWeight / 2}}},
		{"a call that is never made", map[string]uint64{"read": 0, "open": 1}, []frequency{{arm, 5, frequencyWeight}}},
		{"nothing but calls that are never made", map[string]uint64{"read": 0}, nil},
		{"the largest weight there is", map[string]uint64{"open": math.MaxUint64, "creat": maxFrequency}, []frequency{
			{arm, 8, frequencyWeight / 2}, {arm, 5, frequencyWeight / 2}}},
		{"which is 1<<48", map[string]uint64{"open": 1 << 49, "creat": 1 << 47}, []frequency{
			{arm, 8, frequencyWeight / 3}, {arm, 5, frequencyWeight * 2 / 3}}},
	}
	for _, tt := range tests {
		if got := frequencies(g.spaces, tt.weights); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %v, want %v", tt.rule, got, tt.want)
		}
	}
}
