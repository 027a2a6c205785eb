package cbpf

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"golang.org/x/net/bpf"
)

// bothOrders are the byte orders of targets.
var bothOrders = []binary.ByteOrder{binary.LittleEndian, binary.BigEndian}

// opcodes lists every accepted opcode.
func opcodes() []uint16 {
	var ops []uint16
	for i := range syntax {
		ops = append(ops, syntax[i].op)
	}
	return ops
}

// constants are worth comparing with: numbers of the test vocabulary, AUDIT_ARCH
// values, edges, masks and actions.
var constants = []uint32{
	0, 1, 2, 3, 4, 9, 16, 29, 31, 32, 40, 41, 54, 56, 63, 64, 102, 135, 136, 334, 435, 437, 1000,
	0x3fffffff, 0x40000000, 0x40000001, 0x40000202, 0x7fffffff, 0x80000000, 0xbfffffff, 0xfffffffe, 0xffffffff,
	auditX86_64, auditX86, auditAArch64, auditS390X, 0xff, 0xffff, 0x7e020000,
	uint32(Allow), uint32(KillProcess), uint32(Log), uint32(Errno(1)), uint32(Errno(38)), uint32(Trace(7)),
}

// A generator makes random programs and calls, the same ones for the same seed.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator {
	return generator{rand.New(rand.NewPCG(seed, 0x5ecc0))}
}

func (g generator) constant() uint32 {
	if g.IntN(4) == 0 {
		return g.Uint32()
	}
	return constants[g.IntN(len(constants))]
}

// instruction returns an instruction that fits before rest others, perhaps with
// values in fields that it ignores.
func (g generator) instruction(rest int) bpf.RawInstruction {
	ops := [...]uint16{opLdAbs, opLdAbs, opLdAbs, opJeqK, opJeqK, opJgeK, opJgtK, opJsetK, opAndK, opRetK, 0, 0, 0, 0}
	ins := bpf.RawInstruction{Op: ops[g.IntN(len(ops))], K: g.constant()}
	if ins.Op == 0 {
		ins.Op = syntax[g.IntN(len(syntax))].op
	}
	switch _, f := spelling(ins.Op); f {
	case formWord:
		ins.K = 4 * g.Uint32N(DataSize/4)
		if g.IntN(2) == 0 {
			ins.K %= OffIP
		}
	case formMem:
		ins.K = g.Uint32N(4) * 5
	case formJump:
		ins.K = g.skip(rest)
	case formBranch, formBranchX:
		ins.Jt = uint8(g.skip(min(rest, 256)))
		ins.Jf = uint8(g.skip(min(rest, 256)))
	case formNone, formImm, formX, formLen, formAction, formA:
	}
	switch ins.Op {
	case opLshK, opRshK:
		ins.K %= 32
	case opDivK:
		ins.K |= 1
	}
	if _, f := spelling(ins.Op); g.IntN(8) > 0 {
		ins = ignored(ins, f)
	} else if f != formBranch && f != formBranchX {
		ins.Jt, ins.Jf = uint8(g.Uint32()), uint8(g.Uint32())
	}
	return ins
}

// skip returns a distance below n, mostly a short one.
func (g generator) skip(n int) uint32 {
	if g.IntN(4) > 0 {
		n = min(n, 4)
	}
	return uint32(g.IntN(n))
}

// instructions returns a program of n instructions that the kernel accepts.
func (g generator) instructions(n int) []bpf.RawInstruction {
	raw := make([]bpf.RawInstruction, n)
	for pc := range n - 1 {
		raw[pc] = g.instruction(n - 1 - pc)
	}
	switch raw[n-1] = ret; g.IntN(4) {
	case 0:
		raw[n-1] = bpf.RawInstruction{Op: opRetA}
	case 1:
		raw[n-1].K = g.constant()
	}
	for pc := range unwrittenReads(raw) {
		raw[pc] = bpf.RawInstruction{Op: opSt, K: raw[pc].K}
	}
	return raw
}

func (g generator) program(t testing.TB, n int) *Program {
	t.Helper()
	p, err := New(g.instructions(n), bothOrders[g.IntN(2)])
	if err != nil {
		t.Fatalf("the generator made an unacceptable program: %v", err)
	}
	return p
}

// data returns a call that is likely to take unlikely branches of p.
func (g generator) data(p *Program) *Data {
	d := &Data{NR: g.word(p), Arch: g.word(p), IP: g.wide(p)}
	for i := range d.Args {
		d.Args[i] = g.wide(p)
	}
	return d
}

func (g generator) word(p *Program) uint32 {
	switch g.IntN(3) {
	case 0:
		return g.constant()
	case 1:
		return p.insns[g.IntN(len(p.insns))].K + g.Uint32N(3) - 1
	}
	return p.insns[g.IntN(len(p.insns))].K
}

func (g generator) wide(p *Program) uint64 {
	return uint64(g.word(p))<<32 | uint64(g.word(p))
}

// must returns the program of an assembly text.
func must(t testing.TB, text string) *Program {
	t.Helper()
	p, err := Assemble([]byte(text), vocabulary{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// nativeOrder returns the byte order of the machine that runs the tests.
func nativeOrder() binary.ByteOrder {
	if big, _ := isBig(binary.NativeEndian); big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}
