package gen

import (
	"math/rand/v2"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// Classic BPF opcodes (linux/bpf_common.h), as struct sock_filter codes.
const (
	opLdAbs  = 0x20
	opLdImm  = 0x00
	opLdLen  = 0x80
	opLdMem  = 0x60
	opLdxImm = 0x01
	opLdxLen = 0x81
	opLdxMem = 0x61
	opSt     = 0x02
	opStx    = 0x03
	opTax    = 0x07
	opTxa    = 0x87
	opRetK   = 0x06
	opRetA   = 0x16
	opJa     = 0x05
	opAlu    = 0x04
	opJmp    = 0x05
	srcX     = 0x08
)

// ALU and jump operations, to be OR-ed into opAlu and opJmp.
var (
	aluOps  = []uint16{0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0xa0, 0x60, 0x70} // add sub mul div or and xor lsh rsh
	jumpOps = []uint16{0x10, 0x20, 0x30, 0x40}                               // jeq jgt jge jset
)

const (
	aluNeg = 0x80
	aluDiv = 0x30
	aluLsh = 0x60
	aluRsh = 0x70
)

// Program draws a program of n instructions, 1 to 4096, that the kernel accepts
// and that uses every opcode it takes. Dead code is part of it.
func Program(r *rand.Rand, n int) []bpf.RawInstruction {
	g := &programs{Rand: r, n: n, stored: make([]uint16, n+1)}
	for i := range g.stored {
		g.stored[i] = 0xffff
	}
	g.plain = r.IntN(4)
	for range 1 + r.IntN(6) {
		g.ks = append(g.ks, uint32(Word(r)))
	}
	for a := range arch.All() {
		if chance(r, 8) {
			g.ks = append(g.ks, a.Audit())
		}
	}
	out := make([]bpf.RawInstruction, 0, n)
	live := uint16(0) // scratch words stored on every path to this instruction
	for pc := range n {
		live &= g.stored[pc]
		ins := g.instruction(pc, live)
		live = g.flow(pc, ins, live)
		out = append(out, ins)
	}
	return out
}

// programs draws the instructions of one program.
type programs struct {
	*rand.Rand
	n      int
	plain  int      // 0: every opcode alike; else mostly loads and tests
	ks     []uint32 // constants to reuse
	stored []uint16 // per instruction, scratch words stored on every jump to it
}

// flow follows the kernel's account of scratch words
// (net/core/filter.c: check_load_and_stores).
func (g *programs) flow(pc int, ins bpf.RawInstruction, live uint16) uint16 {
	switch {
	case ins.Op == opSt || ins.Op == opStx:
		return live | 1<<ins.K
	case ins.Op == opJa:
		g.stored[pc+1+int(ins.K)] &= live
		return 0xffff
	case ins.Op&7 == opJmp:
		g.stored[pc+1+int(ins.Jt)] &= live
		g.stored[pc+1+int(ins.Jf)] &= live
		return 0xffff
	}
	return live
}

func (g *programs) k() uint32 {
	if chance(g.Rand, 2) {
		return pick(g.Rand, g.ks)
	}
	return uint32(Word(g.Rand))
}

func (g *programs) instruction(pc int, live uint16) bpf.RawInstruction {
	left := g.n - pc - 1 // instructions after this one
	if left == 0 {
		return g.ret()
	}
	kind := g.IntN(16)
	if g.plain > 0 && !chance(g.Rand, 8) {
		kind = pick(g.Rand, []int{0, 0, 0, 1, 8, 10, 10, 10, 10, 15})
	}
	switch kind {
	case 0, 1:
		return bpf.RawInstruction{Op: opLdAbs, K: 4 * uint32(g.IntN(16))}
	case 2:
		return pick(g.Rand, []bpf.RawInstruction{{Op: opLdImm, K: g.k()}, {Op: opLdLen}, {Op: opLdxImm, K: g.k()}, {Op: opLdxLen}})
	case 3, 4:
		return bpf.RawInstruction{Op: pick(g.Rand, []uint16{opSt, opStx}), K: uint32(g.IntN(16))}
	case 5, 6:
		return g.scratch(live)
	case 7:
		return bpf.RawInstruction{Op: pick(g.Rand, []uint16{opTax, opTax, opTxa})}
	case 8, 9:
		return g.alu()
	case 14:
		return bpf.RawInstruction{Op: opJa, K: uint32(g.IntN(min(left, 6)))}
	case 15:
		if chance(g.Rand, 3) {
			return g.ret()
		}
	}
	ins := bpf.RawInstruction{Op: opJmp | pick(g.Rand, jumpOps), K: g.k()}
	if g.plain == 0 && chance(g.Rand, 3) {
		ins.Op, ins.K = ins.Op|srcX, 0
	}
	reach := min(left, 1<<g.IntN(9))
	ins.Jt, ins.Jf = uint8(g.IntN(min(reach, 256))), uint8(g.IntN(min(reach, 256)))
	return ins
}

// scratch loads a scratch word that every path has stored, if there is one.
func (g *programs) scratch(live uint16) bpf.RawInstruction {
	for _, k := range g.Perm(16) {
		if live&(1<<k) != 0 {
			return bpf.RawInstruction{Op: pick(g.Rand, []uint16{opLdMem, opLdxMem}), K: uint32(k)}
		}
	}
	return bpf.RawInstruction{Op: opTax}
}

func (g *programs) alu() bpf.RawInstruction {
	op := pick(g.Rand, aluOps)
	switch {
	case chance(g.Rand, 12):
		return bpf.RawInstruction{Op: opAlu | aluNeg}
	case g.plain == 0 && chance(g.Rand, 3):
		return bpf.RawInstruction{Op: opAlu | op | srcX}
	case op == aluLsh || op == aluRsh:
		return bpf.RawInstruction{Op: opAlu | op, K: uint32(g.IntN(32))}
	case op == aluDiv:
		return bpf.RawInstruction{Op: opAlu | op, K: max(1, g.k())}
	}
	return bpf.RawInstruction{Op: opAlu | op, K: g.k()}
}

func (g *programs) ret() bpf.RawInstruction {
	if chance(g.Rand, 8) {
		return bpf.RawInstruction{Op: opRetA}
	}
	return bpf.RawInstruction{Op: opRetK, K: uint32(word(pick(g.Rand, classes), uint16(1+g.IntN(3))))}
}

// Data draws a call whose words are mostly constants of the program.
func Data(r *rand.Rand, p []bpf.RawInstruction) cbpf.Data {
	half := func() uint32 {
		if len(p) > 0 && !chance(r, 3) {
			return pick(r, p).K + uint32(r.IntN(3)) - 1
		}
		return uint32(Word(r))
	}
	full := func() uint64 { return uint64(half())<<32 | uint64(half()) }
	d := cbpf.Data{NR: half(), Arch: half(), IP: full()}
	for i := range d.Args {
		if d.Args[i] = full(); chance(r, 3) {
			d.Args[i] &= 0xffffffff
		}
	}
	return d
}
