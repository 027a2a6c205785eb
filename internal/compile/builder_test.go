package compile_test

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
)

// boundaries are where the cases of random switches start, and what calls are made of.
var boundaries = []uint32{1, 2, 3, 5, arch.X32Bit, arch.X32Bit + 2, arch.X32Bit + 5, 1 << 31, math.MaxUint32}

// A sketch draws the nodes of a diagram.
type sketch struct {
	*rand.Rand
	compile.Builder
	t   *testing.T
	ids []compile.NodeID
}

func (s *sketch) pick() compile.NodeID { return s.ids[s.IntN(len(s.ids))] }

func (s *sketch) must(id compile.NodeID, err error) compile.NodeID {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	s.ids = append(s.ids, id)
	return id
}

func (s *sketch) switchOn(w compile.Word) compile.NodeID {
	var cases []compile.Case
	first := uint32(0)
	for _, k := range boundaries {
		if s.IntN(2) == 0 {
			cases = append(cases, compile.Case{First: first, Last: k - 1, To: s.pick()})
			first = k
		}
	}
	return s.must(s.Switch(w, append(cases, compile.Case{First: first, Last: math.MaxUint32, To: s.pick()})))
}

// Words in any order and as often as one likes, but for NR: one switch at most.
func TestDiagramsWithWordsInAnyOrder(t *testing.T) {
	amd64, x86 := arch.X86_64.Audit(), arch.X86.Audit()
	for seed := range uint64(1000) {
		s := &sketch{Rand: rand.New(rand.NewPCG(seed, 0)), t: t}
		for _, a := range []cbpf.Action{cbpf.Allow, cbpf.Errno(1), cbpf.Trap} {
			s.must(s.Leaf(a), nil)
		}
		for range s.IntN(12) {
			if w := compile.Arch + compile.Word(s.IntN(15)); s.IntN(3) == 0 {
				mask := s.Uint32() & s.Uint32()
				s.must(s.Masked(w, mask, mask&s.Uint32(), s.pick(), s.pick()))
			} else {
				s.switchOn(w)
			}
		}
		below := len(s.ids)
		root := s.switchOn(compile.NR)
		if s.IntN(2) == 0 { // and tests above it
			other := s.ids[s.IntN(below)]
			root = s.must(s.Switch(compile.Arch, []compile.Case{
				{Last: x86 - 1, To: other}, {First: x86, Last: x86, To: root}, {First: x86 + 1, Last: amd64 - 1, To: s.pick()},
				{First: amd64, Last: amd64, To: root}, {First: amd64 + 1, Last: math.MaxUint32, To: other},
			}))
			s.must(s.Masked(compile.NR, 5, 4, other, root))
			root = s.switchOn(compile.Hi(3))
		}
		g, err := s.Diagram(root, s.ids[0])
		if err != nil {
			t.Fatal(err)
		}
		order := []binary.ByteOrder{binary.LittleEndian, binary.BigEndian}[seed%2]
		res, err := compile.CompileDiagram(g, order, compile.Options{Exhaustive: efforts[seed/2%2]})
		if err != nil {
			t.Fatal(err)
		}
		values := slices.Concat(boundaries, []uint32{0, 4, x86, amd64})
		half := func() uint32 { return values[s.IntN(len(values))] - uint32(s.IntN(2)) }
		for range 200 {
			d := cbpf.Data{NR: half(), Arch: []uint32{x86, amd64, half()}[s.IntN(3)], IP: uint64(half())<<32 | uint64(half())}
			for i := range d.Args {
				d.Args[i] = uint64(half())<<32 | uint64(half())
			}
			if got, want := res.Program.Eval(&d), g.Eval(&d); got != want {
				t.Fatalf("seed %d: %+v: program %v, diagram %v\n%v", seed, d, got, want, g)
			}
		}
	}
}

func TestBuilderRefuses(t *testing.T) {
	var b compile.Builder
	allow, deny := b.Leaf(cbpf.Allow), b.Leaf(cbpf.Errno(1))
	halves := func(at uint32, below, above compile.NodeID) []compile.Case {
		return []compile.Case{{Last: at - 1, To: below}, {First: at, Last: math.MaxUint32, To: above}}
	}
	for what, ask := range map[string]func() (compile.NodeID, error){
		"a gap":             func() (compile.NodeID, error) { return b.Switch(compile.NR, []compile.Case{{First: 1, Last: 5}}) },
		"an end too soon":   func() (compile.NodeID, error) { return b.Switch(compile.NR, []compile.Case{{Last: 5}}) },
		"no cases":          func() (compile.NodeID, error) { return b.Switch(compile.NR, nil) },
		"a node to come":    func() (compile.NodeID, error) { return b.Switch(compile.NR, halves(1, allow, 2)) },
		"a negative node":   func() (compile.NodeID, error) { return b.Masked(compile.NR, 1, 1, -1, allow) },
		"a switch on arg 6": func() (compile.NodeID, error) { return b.Switch(compile.Lo(6), halves(1, allow, deny)) },
		"a set of arg 6":    func() (compile.NodeID, error) { return b.Member(&compile.ValueSet{Word: compile.Lo(6)}, allow, deny) },
		"a set of a number": func() (compile.NodeID, error) { return b.Member(&compile.ValueSet{Word: compile.NR}, allow, deny) },
		"a set of a half":   func() (compile.NodeID, error) { return b.Member(&compile.ValueSet{Word: compile.Hi(0)}, allow, deny) },
		"a set, then none":  func() (compile.NodeID, error) { return b.Member(&compile.ValueSet{Word: compile.IPLo}, allow, 2) },
		"a mask of arg 6":   func() (compile.NodeID, error) { return b.Masked(compile.Hi(5)+1, 1, 1, allow, deny) },
	} {
		if id, err := ask(); err == nil {
			t.Errorf("%s: n%d", what, id)
		}
	}
	for _, g := range []*compile.Diagram{nil, {}} {
		if res, err := compile.CompileDiagram(g, binary.LittleEndian, compile.Options{}); err == nil {
			t.Errorf("no nodes: %v", res)
		}
	}
}

// Numbers of x32 went on without the x32 bit, for which a second test of NR asks.
func TestNumberTestedAgainIsRefused(t *testing.T) {
	for _, masked := range []bool{false, true} {
		var b compile.Builder
		allow, deny := b.Leaf(cbpf.Allow), b.Leaf(cbpf.Errno(1))
		again, err1 := b.Switch(compile.NR, []compile.Case{{Last: arch.X32Bit - 1, To: deny}, {First: arch.X32Bit, Last: math.MaxUint32, To: allow}})
		if masked {
			again, err1 = b.Masked(compile.NR, arch.X32Bit, arch.X32Bit, allow, deny)
		}
		var cases []compile.Case
		for _, bit := range []uint32{0, arch.X32Bit} {
			for nr := bit; nr < bit+40; nr += 2 {
				cases = append(cases, compile.Case{First: nr, Last: nr, To: again}, compile.Case{First: nr + 1, Last: nr + 1, To: deny})
			}
			cases[len(cases)-1].Last = bit | (arch.X32Bit - 1)
		}
		cases[len(cases)-1].Last = math.MaxUint32
		numbers, err2 := b.Switch(compile.NR, cases)
		audit := arch.X86_64.Audit()
		root, err3 := b.Switch(compile.Arch, []compile.Case{
			{Last: audit - 1, To: deny}, {First: audit, Last: audit, To: numbers}, {First: audit + 1, Last: math.MaxUint32, To: deny},
		})
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		g, err := b.Diagram(root, deny)
		if err != nil {
			continue
		}
		res, err := compile.CompileDiagram(g, binary.LittleEndian, compile.Options{})
		d := cbpf.Data{Arch: audit, NR: arch.X32Bit + 2}
		t.Errorf("masked %v: diagram %v, program %v, %v", masked, g.Eval(&d), res.Program.Eval(&d), err)
	}
}
