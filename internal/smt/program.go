package smt

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/cbpf"
)

// Classic BPF opcodes (linux/bpf_common.h): all that a seccomp filter may use
// (kernel/seccomp.c: seccomp_check_filter).
const (
	opLdImm  = 0x00
	opLdAbs  = 0x20
	opLdMem  = 0x60
	opLdLen  = 0x80
	opLdxImm = 0x01
	opLdxMem = 0x61
	opLdxLen = 0x81
	opSt     = 0x02
	opStx    = 0x03
	opTax    = 0x07
	opTxa    = 0x87
	opRetK   = 0x06
	opRetA   = 0x16
	opJa     = 0x05

	// Classes, whose instructions also have an operation and an operand.
	classMask = 0x07
	classALU  = 0x04
	classJump = 0x05
	opMask    = 0xf0
	operandX  = 0x08 // X, else K
)

// A program is the Subject of a filter.
type program struct{ *cbpf.Program }

// validate does nothing: a Program is one that kernels accept.
func (program) validate() error { return nil }

// zero is the constant with which registers start.
const zero = "#x00000000"

// registers are the terms in A, X and M.
type registers struct {
	a, x string
	m    [16]string
}

// A way leads to an instruction: under a condition, with the registers as they are then.
type way struct {
	when string
	registers
}

// An execution writes the definitions of one program.
type execution struct {
	*script
	name    string
	big     bool
	ways    [][]way  // to each instruction
	returns []choice // exactly one condition holds
}

func (p program) define(s *script, name string) string {
	if p.Len() == 0 {
		return word(cbpf.KillThread) // as the zero Program is evaluated
	}
	e := &execution{script: s, name: name, big: p.Order() == binary.BigEndian, ways: make([][]way, p.Len())}
	start := way{when: "true", registers: registers{a: zero, x: zero}}
	for i := range start.m {
		start.m[i] = zero
	}
	e.ways[0] = []way{start}
	for pc := range p.Len() {
		if len(e.ways[pc]) > 0 { // otherwise nothing leads here
			e.step(pc, p.At(pc), e.meet(pc))
			e.ways[pc] = nil
		}
	}
	return e.only(name+".return", e.returns)
}

// id names what belongs to an instruction.
func (e *execution) id(pc int, what string) string { return fmt.Sprintf("%s.%d.%s", e.name, pc, what) }

// meet returns the one way that stands for all that lead to an instruction.
func (e *execution) meet(pc int) way {
	ways := e.ways[pc]
	if len(ways) == 1 {
		return ways[0]
	}
	merged := func(what string, register func(*way) string) string {
		var choices []choice
		for i := range ways {
			choices = append(choices, choice{ways[i].when, register(&ways[i])})
		}
		return e.only(e.id(pc, what), choices)
	}
	var conditions []string
	for i := range ways {
		conditions = append(conditions, ways[i].when)
	}
	w := way{when: e.truth(e.id(pc, "reached"), join("or", conditions, "false"))}
	w.a = merged("a", func(w *way) string { return w.a })
	w.x = merged("x", func(w *way) string { return w.x })
	for i := range w.m {
		w.m[i] = merged(fmt.Sprintf("m%d", i), func(w *way) string { return w.m[i] })
	}
	return w
}

// step executes the instruction at pc and sends the way on to those that follow.
func (e *execution) step(pc int, ins bpf.RawInstruction, w way) {
	switch ins.Op {
	case opLdImm:
		w.a = word(ins.K)
	case opLdAbs:
		w.a = e.load(ins.K)
	case opLdMem:
		w.a = w.m[ins.K]
	case opLdLen:
		w.a = word(uint32(cbpf.DataSize))
	case opLdxImm:
		w.x = word(ins.K)
	case opLdxMem:
		w.x = w.m[ins.K]
	case opLdxLen:
		w.x = word(uint32(cbpf.DataSize))
	case opSt:
		w.m[ins.K] = w.a
	case opStx:
		w.m[ins.K] = w.x
	case opTax:
		w.x = w.a
	case opTxa:
		w.a = w.x
	case opRetK:
		e.returns = append(e.returns, choice{w.when, word(ins.K)})
		return
	case opRetA:
		e.returns = append(e.returns, choice{w.when, w.a})
		return
	case opJa:
		e.send(pc+1+int(ins.K), w)
		return
	default:
		if ins.Op&classMask == classJump {
			e.jump(pc, ins, w)
			return
		}
		e.compute(pc, ins, &w)
	}
	e.send(pc+1, w)
}

// send leads a way to an instruction.
func (e *execution) send(pc int, w way) { e.ways[pc] = append(e.ways[pc], w) }

// load returns the word of seccomp_data at a byte. The low half of a field of 64 bits is
// the first one in a little-endian kernel, and the second one in a big-endian one.
func (e *execution) load(at uint32) string {
	half := ".lo"
	if (at%8 == 4) != e.big {
		half = ".hi"
	}
	switch {
	case at == cbpf.OffNR:
		return "nr"
	case at == cbpf.OffArch:
		return "arch"
	case at < cbpf.OffArgs:
		return "ip" + half
	}
	return fmt.Sprintf("a%d%s", (at-cbpf.OffArgs)/8, half)
}

// operand returns the second operand of an operation or a comparison.
func operand(ins bpf.RawInstruction, w *way) string {
	if ins.Op&operandX != 0 {
		return w.x
	}
	return word(ins.K)
}

// jump sends a way on in the two directions of a conditional jump.
func (e *execution) jump(pc int, ins bpf.RawInstruction, w way) {
	var test string
	switch with := operand(ins, &w); ins.Op & opMask {
	case 0x10: // JEQ
		test = fmt.Sprintf("(= %s %s)", w.a, with)
	case 0x20: // JGT
		test = fmt.Sprintf("(bvugt %s %s)", w.a, with)
	case 0x30: // JGE
		test = fmt.Sprintf("(bvuge %s %s)", w.a, with)
	case 0x40: // JSET
		test = fmt.Sprintf("(distinct (bvand %s %s) %s)", w.a, with, zero)
	default:
		panic(fmt.Sprintf("BUG: smt: a Program holds opcode %#02x", ins.Op))
	}
	test = e.truth(e.id(pc, "test"), test)
	yes, no := w, w
	yes.when = e.truth(e.id(pc, "yes"), fmt.Sprintf("(and %s %s)", w.when, test))
	no.when = e.truth(e.id(pc, "no"), fmt.Sprintf("(and %s (not %s))", w.when, test))
	e.send(pc+1+int(ins.Jt), yes)
	e.send(pc+1+int(ins.Jf), no)
}

// compute executes an arithmetic instruction. Division by an X of 0 returns 0
// (net/core/filter.c: bpf_convert_filter), and shifts use the lower five bits of X
// (RFC 9669, section 4.1).
func (e *execution) compute(pc int, ins bpf.RawInstruction, w *way) {
	var term string
	with := operand(ins, w)
	binary := func(op string) string { return fmt.Sprintf("(%s %s %s)", op, w.a, with) }
	shift := func(op string) string { return fmt.Sprintf("(%s %s (bvand %s %s))", op, w.a, with, word(uint32(31))) }
	switch ins.Op & opMask {
	case 0x00:
		term = binary("bvadd")
	case 0x10:
		term = binary("bvsub")
	case 0x20:
		term = binary("bvmul")
	case 0x30:
		if ins.Op&operandX != 0 {
			byZero := e.truth(e.id(pc, "zero"), fmt.Sprintf("(and %s (= %s %s))", w.when, with, zero))
			e.returns = append(e.returns, choice{byZero, zero})
			w.when = e.truth(e.id(pc, "divides"), fmt.Sprintf("(and %s (not %s))", w.when, byZero))
		}
		term = binary("bvudiv")
	case 0x40:
		term = binary("bvor")
	case 0x50:
		term = binary("bvand")
	case 0x60:
		term = shift("bvshl")
	case 0x70:
		term = shift("bvlshr")
	case 0x80:
		term = fmt.Sprintf("(bvneg %s)", w.a)
	case 0xa0:
		term = binary("bvxor")
	default:
		panic(fmt.Sprintf("BUG: smt: a Program holds opcode %#02x", ins.Op))
	}
	w.a = e.bits(e.id(pc, "a"), term)
}
