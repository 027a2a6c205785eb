package proof

import (
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
)

// What an instruction reads is live before it, and what it overwrites is not.
func TestLiveRegisters(t *testing.T) {
	const m2, m3 = 1 << 2, 1 << 3
	ins := func(op uint16, k uint32) bpf.RawInstruction { return bpf.RawInstruction{Op: op, K: k} }
	jump := func(op uint16, jt, jf uint8) bpf.RawInstruction { return bpf.RawInstruction{Op: op, Jt: jt, Jf: jf} }
	// Behind them, everything that follows is live: all of M[2], M[3], A and X.
	after := []bpf.RawInstruction{
		ins(0x0c, 0),     // ADD X
		ins(opLdxMem, 2), //
		ins(0x0c, 0),     //
		ins(opLdxMem, 3), //
		ins(0x0c, 0),     //
		ins(opRetA, 0),   //
	}
	const everything = m2 | m3 | regA | regX
	for _, tt := range []struct {
		name  string
		first []bpf.RawInstruction
		want  uint32
	}{
		{"nothing", nil, everything},
		{"load", []bpf.RawInstruction{ins(opLdAbs, 0)}, everything &^ regA},
		{"load of a constant", []bpf.RawInstruction{ins(opLdImm, 7)}, everything &^ regA},
		{"load of the length", []bpf.RawInstruction{ins(opLdLen, 0)}, everything &^ regA},
		{"load of memory", []bpf.RawInstruction{ins(opLdMem, 3)}, everything &^ regA},
		{"load of a constant to X", []bpf.RawInstruction{ins(opLdxImm, 7)}, everything &^ regX},
		{"load of the length to X", []bpf.RawInstruction{ins(opLdxLen, 0)}, everything &^ regX},
		{"load of memory to X", []bpf.RawInstruction{ins(opLdxMem, 2)}, everything &^ regX},
		{"load of memory that nothing else needs", []bpf.RawInstruction{ins(opSt, 2), ins(opLdxMem, 2)}, everything &^ (m2 | regX)},
		{"store", []bpf.RawInstruction{ins(opSt, 2)}, everything &^ m2},
		{"store of X", []bpf.RawInstruction{ins(opStx, 3)}, everything &^ m3},
		{"to X", []bpf.RawInstruction{ins(opTax, 0)}, everything &^ regX},
		{"from X", []bpf.RawInstruction{ins(opTxa, 0)}, everything &^ regA},
		{"to X behind a load", []bpf.RawInstruction{ins(opLdImm, 1), ins(opTax, 0)}, everything &^ (regA | regX)},
		{"from X behind a load", []bpf.RawInstruction{ins(opLdxImm, 1), ins(opTxa, 0)}, everything &^ (regA | regX)},
		{"store behind a load", []bpf.RawInstruction{ins(opLdImm, 1), ins(opSt, 3)}, everything &^ (regA | m3)},
		{"store of X behind a load", []bpf.RawInstruction{ins(opLdxImm, 1), ins(opStx, 3)}, everything &^ (regX | m3)},
		{"return", []bpf.RawInstruction{ins(opRetK, 0)}, 0},
		{"return of A", []bpf.RawInstruction{ins(opRetA, 0)}, regA},
		{"jump over a return", []bpf.RawInstruction{ins(opJa, 1), ins(opRetK, 0)}, everything},
		{"jump to a return", []bpf.RawInstruction{ins(opJa, 0), ins(opRetK, 0)}, 0},
		{"test of A", []bpf.RawInstruction{jump(0x15, 1, 1), ins(opRetK, 0), ins(opRetK, 0)}, regA},
		{"test of X", []bpf.RawInstruction{jump(0x1d, 1, 1), ins(opRetK, 0), ins(opRetK, 0)}, regA | regX},
		{"a test's first side", []bpf.RawInstruction{jump(0x15, 1, 0), ins(opRetK, 0)}, everything},
		{"a test's second side", []bpf.RawInstruction{jump(0x15, 0, 1), ins(opRetK, 0)}, everything},
		{"arithmetic", []bpf.RawInstruction{ins(0x04, 1), ins(opRetA, 0)}, regA},
		{"arithmetic with X", []bpf.RawInstruction{ins(0x0c, 0), ins(opRetA, 0)}, regA | regX},
	} {
		written := []bpf.RawInstruction{ins(opSt, 2), ins(opSt, 3)} // as the kernel asks
		p := mustProgram(t, binary.LittleEndian, slices.Concat(written, tt.first, after)...)
		live := liveness(p)
		if got := live[len(written)]; got != tt.want {
			t.Errorf("%s: %#x, want %#x", tt.name, got, tt.want)
		}
		if got, want := live[0], tt.want&^(m2|m3)|regA; got != want {
			t.Errorf("%s, behind two stores: %#x, want %#x", tt.name, got, want)
		}
	}
}

func TestGroupsOfWords(t *testing.T) {
	var g groups
	for w := range words {
		if g.joined(w) || g.of(w) != w {
			t.Errorf("word %d is not by itself", w)
		}
	}
	g.join(5, 3)
	g.join(3, 5)
	g.joinAll(1<<7 | 1<<9 | 1<<12)
	g.join(12, 5)
	g.joinAll(0)
	g.joinAll(1 << 1)
	for w := range words {
		in := w == 3 || w == 5 || w == 7 || w == 9 || w == 12
		first := w
		if in {
			first = 3
		}
		if g.joined(w) != in || g.of(w) != first {
			t.Errorf("word %d: joined %v, to %d", w, g.joined(w), g.of(w))
		}
	}
}
