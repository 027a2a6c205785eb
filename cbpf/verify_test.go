package cbpf

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

// ret ends the programs of the table.
var ret = bpf.RawInstruction{Op: opRetK, K: uint32(Allow)}

func TestVerifyRules(t *testing.T) {
	ins := func(op uint16, jt, jf uint8, k uint32) bpf.RawInstruction {
		return bpf.RawInstruction{Op: op, Jt: jt, Jf: jf, K: k}
	}
	type program = []bpf.RawInstruction
	tests := []struct {
		name   string
		raw    program
		pc     int
		reason string // part of it; "" if the kernel accepts the program
	}{
		{"empty", program{}, -1, "no instructions"},
		{"one RET", program{ret}, 0, ""},
		{"4096 instructions", slices.Repeat(program{ret}, 4096), 0, ""},
		{"4097 instructions", slices.Repeat(program{ret}, 4097), -1, "at most 4096"},

		{"last is no RET", program{ret, ins(opLdAbs, 0, 0, 0)}, 1, "not a RET"},
		{"last is RET A", program{ins(opRetA, 0, 0, 0)}, 0, ""},
		{"last is RET X", program{ins(0x0e, 0, 0, 0)}, 0, "opcode 0x0e"},
		{"last is a jump", program{ins(opJa, 0, 0, 0)}, 0, "skips 0 of the 0"},
		{"unreachable code", program{ret, ins(opTax, 0, 0, 0), ret}, 0, ""},
		{"ignored fields", program{ins(opTax, 255, 255, 1<<32-1), ins(opRetA, 9, 9, 9)}, 0, ""},

		{"load at 60", program{ins(opLdAbs, 0, 0, 60), ret}, 0, ""},
		{"load at 64", program{ins(opLdAbs, 0, 0, 64), ret}, 0, "at byte 64"},
		{"load at 2", program{ins(opLdAbs, 0, 0, 2), ret}, 0, "inside a word"},
		{"load of an ancillary word", program{ins(opLdAbs, 0, 0, 0xfffff000), ret}, 0, "at byte 4294963200"},
		{"half word load", program{ins(0x28, 0, 0, 0), ret}, 0, "half words"},
		{"byte load", program{ins(0x30, 0, 0, 0), ret}, 0, "no bytes"},
		{"indirect load", program{ins(0x40, 0, 0, 0), ret}, 0, "computed offset"},
		{"IP header length", program{ins(0xb1, 0, 0, 0), ret}, 0, "packets"},
		{"LDX ABS, the kernel's internal form", program{ins(0x21, 0, 0, 0), ret}, 0, "opcode 0x21"},
		{"MOD K", program{ins(0x94, 0, 0, 3), ret}, 0, "no MOD"},
		{"MOD X", program{ins(0x9c, 0, 0, 0), ret}, 0, "no MOD"},
		{"opcode beyond a byte", program{ins(0x600, 0, 0, 0), ret}, 0, "byte order"},
		{"JLT, an eBPF opcode", program{ins(0xa5, 0, 0, 0), ret}, 0, "opcode 0xa5"},

		{"DIV by 0", program{ins(opDivK, 0, 0, 0), ret}, 0, "division by 0"},
		{"DIV by X", program{ins(opDivX, 0, 0, 0), ret}, 0, ""},
		{"LSH by 31", program{ins(opLshK, 0, 0, 31), ret}, 0, ""},
		{"LSH by 32", program{ins(opLshK, 0, 0, 32), ret}, 0, "shift by 32"},
		{"RSH by 32", program{ins(opRshK, 0, 0, 32), ret}, 0, "shift by 32"},

		{"JA to the last", program{ins(opJa, 0, 0, 0), ret}, 0, ""},
		{"JA past the end", program{ins(opJa, 0, 0, 1), ret}, 0, "skips 1 of the 1"},
		{"JA over 2^32-1", program{ins(opJa, 0, 0, 1<<32-1), ret}, 0, "skips 4294967295 of the 1"},
		{"JT past the end", program{ins(opJeqK, 1, 0, 0), ret}, 0, "jump if true"},
		{"JF past the end", program{ins(opJsetX, 0, 255, 0), ret}, 0, "jump if false"},

		{"M[15]", program{ins(opSt, 0, 0, 15), ins(opLdxMem, 0, 0, 15), ret}, 0, ""},
		{"M[16]", program{ins(opStx, 0, 0, 16), ret}, 0, "M[16]"},
		{"M read unwritten", program{ins(opLdMem, 0, 0, 0), ret}, 0, "not written"},
		{"M written on one path", program{
			ins(opJeqK, 0, 1, 0), ins(opSt, 0, 0, 0), ins(opLdMem, 0, 0, 0), ret}, 2, "not written"},
		{"M written on both paths", program{
			ins(opJeqK, 0, 2, 0), ins(opSt, 0, 0, 0), ins(opJa, 0, 0, 1), ins(opSt, 0, 0, 0), ins(opLdMem, 0, 0, 0), ret}, 0, ""},
		{"M read in unreachable code after a jump", program{
			ins(opJa, 0, 0, 1), ins(opLdMem, 0, 0, 0), ret}, 0, ""},
		{"M read in unreachable code after a RET", program{
			ret, ins(opLdMem, 0, 0, 0), ret}, 1, "not written"},
		{"M written on the only path, around a RET", program{
			ins(opJeqK, 0, 2, 0), ins(opSt, 0, 0, 0), ins(opJa, 0, 0, 1), ret, ins(opLdMem, 0, 0, 0), ret}, 4, "follows a RET"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Verify(tt.raw)
			if tt.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var v *VerifyError
			if !errors.As(err, &v) {
				t.Fatalf("got %v, want a VerifyError", err)
			}
			if v.PC != tt.pc || !strings.Contains(v.Reason, tt.reason) {
				t.Errorf("got %v, want %q at %d", err, tt.reason, tt.pc)
			}
		})
	}
}

// TestVerifyOpcodes pins the set of accepted opcodes to linux/filter.h's macros.
func TestVerifyOpcodes(t *testing.T) {
	const (
		ld, ldx, st, stx, alu, jmp, rets, misc = 0, 1, 2, 3, 4, 5, 6, 7
		w, imm, abs, mem, length               = 0x00, 0x00, 0x20, 0x60, 0x80
		k, x, a                                = 0x00, 0x08, 0x10
		tax, txa                               = 0x00, 0x80
		add, sub, mul, div, or, and, lsh, rsh  = 0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70
		neg, xor                               = 0x80, 0xa0
		ja, jeq, jgt, jge, jset                = 0x00, 0x10, 0x20, 0x30, 0x40
	)
	want := []uint16{
		ld | w | abs, ld | imm, ld | mem, ld | w | length, ldx | imm, ldx | mem, ldx | w | length,
		st, stx, misc | tax, misc | txa, alu | neg, jmp | ja, rets | k, rets | a,
	}
	for _, op := range []uint16{add, sub, mul, div, or, and, lsh, rsh, xor} {
		want = append(want, alu|op|k, alu|op|x)
	}
	for _, op := range []uint16{jeq, jgt, jge, jset} {
		want = append(want, jmp|op|k, jmp|op|x)
	}
	for op := range 1 << 16 {
		accepted := offence(bpf.RawInstruction{Op: uint16(op), K: 4}, 10) == ""
		if accepted != slices.Contains(want, uint16(op)) {
			t.Errorf("opcode %#x: accepted is %v", op, accepted)
		}
	}
}
