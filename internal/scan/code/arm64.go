package code

import (
	"encoding/binary"
	"math/bits"
)

// An arm64 translates instructions of aarch64 into ops. It reads the fields of instructions
// itself: golang.org/x/arch/arm64/arm64asm, with which tests compare it, keeps offsets and
// shifts to itself and takes a microsecond for each. Source of encodings: Arm Architecture
// Reference Manual, C4 "A64 Instruction Set Encoding".
type arm64 struct {
	ops []op
	at  uint64
	w   uint32
}

// Register 31 is the stack pointer in some operands and zero in others.
const (
	sp64 reg = 31
	link reg = 30
)

// translateARM64 appends the ops of code, which lies at addr, to ops.
func translateARM64(code []byte, addr uint64, ops []op) []op {
	t := arm64{ops: ops}
	for i := 0; i+4 <= len(code); i += 4 {
		t.at, t.w = addr+uint64(i), binary.LittleEndian.Uint32(code[i:])
		switch t.w >> 25 & 15 {
		case 0b1000, 0b1001:
			t.immediateOp()
		case 0b1010, 0b1011:
			t.controlOp()
		case 0b0100, 0b0110, 0b1100, 0b1110:
			t.memoryOp()
		case 0b0101, 0b1101:
			t.registerOp()
		case 0b0111, 0b1111:
			t.vectorOp()
		case 0b0010: // SVE
			t.use(t.rn(), t.rm())
			if t.w>>29 == 7 {
				t.emit(op{kind: opStore, dst: other, a: reg(t.bits(5, 5)), b: noReg})
			} else {
				t.clobber(t.rd())
			}
		default:
			if t.w>>31 == 0 {
				t.emit(op{kind: opTrap, fault: true}) // UDF and what is not allocated
			} else {
				t.clobber(t.rd())
			}
		}
	}
	return t.ops
}

func (t *arm64) emit(o op) {
	o.at, o.length = t.at, 4
	t.ops = append(t.ops, o)
}

// result emits an op that writes a register other than zero.
func (t *arm64) result(o op) {
	if o.dst != noReg {
		t.emit(o)
	}
}

func (t *arm64) clobber(r reg) { t.result(op{kind: opClobber, dst: r}) }

// use notes that registers are read for a purpose that is not followed.
func (t *arm64) use(regs ...reg) {
	for _, r := range regs {
		t.emit(op{kind: opUse, dst: noReg, a: r})
	}
}

func (t *arm64) bits(from, n uint) uint32 { return t.w >> from & (1<<n - 1) }

func (t *arm64) signed(from, n uint) uint64 {
	return uint64(int64(uint64(t.bits(from, n))<<(64-n)) >> (64 - n))
}

// orZero returns register n, or noReg for 31, which is zero.
func orZero(n uint32) reg {
	if n == 31 {
		return noReg
	}
	return reg(n)
}

func (t *arm64) rd() reg { return orZero(t.bits(0, 5)) }
func (t *arm64) rn() reg { return orZero(t.bits(5, 5)) }
func (t *arm64) rm() reg { return orZero(t.bits(16, 5)) }

// width returns the operand size of most instructions.
func (t *arm64) width() uint8 { return uint8(4 + 4*t.bits(31, 1)) }

// immediateOp translates data processing with a constant.
func (t *arm64) immediateOp() {
	width := t.width()
	switch t.bits(23, 3) {
	case 0, 1: // ADR, ADRP
		off := t.signed(5, 19)<<2 | uint64(t.bits(29, 2))
		if t.w>>31 == 1 {
			t.result(op{kind: opAddr, dst: t.rd(), imm: t.at&^0xfff + off<<12})
		} else {
			t.result(op{kind: opLea, dst: t.rd(), a: noReg, b: noReg, imm: t.at + off, width: 8})
		}
	case 2: // ADD, SUB
		imm := uint64(t.bits(10, 12)) << (12 * t.bits(22, 1))
		dst := reg(t.bits(0, 5))
		if t.bits(29, 1) == 1 {
			dst = t.rd()
		}
		if t.bits(29, 2) == 0b11 && width == 8 && dst == noReg { // CMP
			t.emit(op{kind: opTest, dst: noReg, a: reg(t.bits(5, 5)), imm: imm})
		}
		if t.bits(30, 1) == 1 {
			imm = -imm
		}
		t.result(op{kind: opAdd, dst: dst, a: reg(t.bits(5, 5)), b: noReg, imm: imm, width: width})
	case 4: // AND, ORR, EOR, ANDS
		dst, opc := reg(t.bits(0, 5)), t.bits(29, 2)
		if opc == 3 {
			dst = t.rd()
		}
		mask, ok := bitMask(t.bits(22, 1), t.bits(16, 6), t.bits(10, 6), width)
		if !ok {
			t.clobber(dst)
			return
		}
		kind := [4]opKind{opAnd, opOr, opXor, opAnd}[opc]
		t.binary(kind, dst, t.rn(), noReg, mask, width)
	case 5:
		t.moveWide(width)
	case 6:
		t.bitField(width)
	default: // ADDG, EXTR
		t.clobber(t.rd())
	}
}

// binary emits dst = a kind b (or imm), where a register that is noReg holds zero.
func (t *arm64) binary(kind opKind, dst, a, b reg, imm uint64, width uint8) {
	switch {
	case a != noReg:
		t.result(op{kind: kind, dst: dst, a: a, b: b, imm: imm, width: width})
	case b != noReg && (kind == opAdd || kind == opOr || kind == opXor):
		t.result(op{kind: opMove, dst: dst, a: b, width: width})
	case b != noReg:
		t.clobber(dst)
	case kind == opAnd:
		t.result(op{kind: opConst, dst: dst, width: width})
	default:
		t.result(op{kind: opConst, dst: dst, imm: imm, width: width})
	}
}

// bitMask decodes the constant of a logical instruction.
func bitMask(n, immr, imms uint32, width uint8) (uint64, bool) {
	length := bits.Len32(n<<6|^imms&63) - 1
	if length < 1 || n == 1 && width == 4 {
		return 0, false
	}
	size := uint(1) << length
	ones, rotate := uint(imms)&(size-1)+1, uint(immr)&(size-1)
	if ones == size {
		return 0, false
	}
	all := ^uint64(0) >> (64 - size)
	element := uint64(1)<<ones - 1
	element = (element>>rotate | element<<(size-rotate)) & all
	for ; size < 64; size *= 2 {
		element |= element << size
	}
	return element & mask(width), true
}

// moveWide translates MOVN, MOVZ and MOVK.
func (t *arm64) moveWide(width uint8) {
	shift := 16 * t.bits(21, 2)
	imm := uint64(t.bits(5, 16)) << shift
	dst := t.rd()
	switch t.bits(29, 2) {
	case 0:
		t.result(op{kind: opConst, dst: dst, imm: ^imm & mask(width), width: width})
	case 2:
		t.result(op{kind: opConst, dst: dst, imm: imm, width: width})
	case 3:
		t.result(op{kind: opAnd, dst: dst, a: dst, b: noReg, imm: ^(uint64(0xffff) << shift), width: width})
		t.result(op{kind: opOr, dst: dst, a: dst, b: noReg, imm: imm, width: width})
	default:
		t.clobber(dst)
	}
}

// bitField translates shifts and extensions.
func (t *arm64) bitField(width uint8) {
	opc, immr, imms := t.bits(29, 2), t.bits(16, 6), t.bits(10, 6)
	dst, src, size := t.rd(), t.rn(), uint32(width)*8
	switch {
	case src == noReg || dst == noReg:
		t.clobber(dst)
	case opc == 2 && imms == size-1: // LSR
		t.emit(op{kind: opShr, dst: dst, a: src, b: noReg, imm: uint64(immr), width: width})
	case opc == 2 && imms+1 == immr: // LSL
		t.emit(op{kind: opShl, dst: dst, a: src, b: noReg, imm: uint64(size - immr), width: width})
	case opc == 2 && immr == 0: // UXTB, UXTH and other masks
		t.emit(op{kind: opAnd, dst: dst, a: src, b: noReg, imm: uint64(1)<<(imms+1) - 1, width: width})
	case opc == 0 && immr == 0 && (imms == 7 || imms == 15 || imms == 31): // SXTB, SXTH, SXTW
		t.emit(op{kind: opExtend, dst: dst, a: src, width: uint8(imms+1) / 8})
		if width == 4 {
			t.emit(op{kind: opMove, dst: dst, a: dst, width: 4})
		}
	default:
		t.clobber(dst)
	}
}

// controlOp translates branches, exceptions and system instructions.
func (t *arm64) controlOp() {
	switch {
	case t.bits(26, 5) == 0b00101: // B, BL
		kind := opJump
		if t.w>>31 == 1 {
			kind = opCall
		}
		t.emit(op{kind: kind, imm: t.at + t.signed(0, 26)<<2})
	case t.bits(24, 8) == 0x54, t.bits(25, 6) == 0b011010: // B.cond, CBZ
		t.branch()
	case t.bits(25, 6) == 0b011011: // TBZ
		t.emit(op{kind: opBranch, imm: t.at + t.signed(5, 14)<<2})
	case t.bits(25, 7) == 0b1101011:
		switch t.bits(21, 3) {
		case 0:
			t.emit(op{kind: opJumpTo, a: reg(t.bits(5, 5))})
		case 1:
			t.emit(op{kind: opCallTo, a: reg(t.bits(5, 5))})
		case 2:
			t.emit(op{kind: opRet})
		default:
			t.emit(op{kind: opTrap})
		}
	case t.bits(24, 8) == 0xd4:
		if t.w&0xe0001f == 1 {
			t.emit(op{kind: opSite})
		} else {
			t.emit(op{kind: opTrap})
		}
	case t.w&0xfff00000 == 0xd5300000, t.w&0xfff80000 == 0xd5280000: // MRS, SYSL
		t.clobber(t.rd())
	}
}

// branch translates B.cond, CBZ and CBNZ.
func (t *arm64) branch() {
	o := op{kind: opBranch, imm: t.at + t.signed(5, 19)<<2}
	equal := t.bits(0, 4)
	if t.bits(25, 6) == 0b011010 {
		equal = t.bits(24, 1)
		if t.w>>31 == 1 && t.rd() != noReg {
			t.emit(op{kind: opTest, dst: noReg, a: t.rd()})
		}
	}
	if equal < 2 {
		o.cond = isEqual + cond(equal)
	}
	t.emit(o)
}

// registerOp translates data processing between registers.
func (t *arm64) registerOp() {
	width, dst := t.width(), t.rd()
	switch {
	case t.bits(24, 5) == 0b01010:
		t.logical(width)
	case t.bits(24, 5) == 0b01011:
		t.sum(width)
	case t.bits(21, 8) == 0b11010100: // CSEL, CSINC, CSINV, CSNEG
		t.selects(width)
	case t.bits(21, 8) == 0b11010010: // CCMP
	default:
		t.clobber(dst)
	}
}

// logical translates AND, ORR, EOR and their complements.
func (t *arm64) logical(width uint8) {
	dst, a, b := t.rd(), t.rn(), t.rm()
	kind := [4]opKind{opAnd, opOr, opXor, opAnd}[t.bits(29, 2)]
	switch {
	case dst == noReg:
	case t.bits(21, 1) == 1: // MVN of zero is -1
		if a == noReg && b == noReg && kind != opAnd {
			t.emit(op{kind: opConst, dst: dst, imm: mask(width), width: width})
			return
		}
		t.clobber(dst)
	default:
		t.binary(kind, dst, a, t.shifted(b, t.bits(22, 2), t.bits(10, 6), width), 0, width)
	}
}

// shifted emits the shift of a second operand and returns where it is.
func (t *arm64) shifted(r reg, shift, n uint32, width uint8) reg {
	switch {
	case r == noReg || n == 0:
		return r
	case shift == 0:
		t.emit(op{kind: opShl, dst: temp, a: r, b: noReg, imm: uint64(n), width: width})
	case shift == 1:
		t.emit(op{kind: opShr, dst: temp, a: r, b: noReg, imm: uint64(n), width: width})
	default:
		t.clobber(temp)
	}
	return temp
}

// extended emits the extension and shift of a second operand and returns where it is.
func (t *arm64) extended(r reg, option, n uint32) reg {
	if r == noReg {
		return r
	}
	kind := opMove
	if option >= 4 {
		kind = opExtend
	}
	if size := uint8(1) << (option & 3); size < 8 {
		t.emit(op{kind: kind, dst: temp, a: r, width: size})
		r = temp
	}
	return t.shifted(r, 0, n, 8)
}

// sum translates ADD and SUB.
func (t *arm64) sum(width uint8) {
	a, b, dst := t.rn(), t.rm(), t.rd()
	kind := opAdd
	if t.bits(30, 1) == 1 {
		kind = opSub
	}
	if t.bits(21, 1) == 1 {
		a = reg(t.bits(5, 5))
		if t.bits(29, 1) == 0 {
			dst = reg(t.bits(0, 5))
		}
		b = t.extended(b, t.bits(13, 3), t.bits(10, 3))
	} else {
		b = t.shifted(b, t.bits(22, 2), t.bits(10, 6), width)
	}
	t.binary(kind, dst, a, b, 0, width)
}

// selects translates the conditional selections, of which one operand may be changed.
func (t *arm64) selects(width uint8) {
	dst, a, b := t.rd(), t.rn(), t.rm()
	if dst == noReg {
		return
	}
	op2, invert := t.bits(10, 2), t.bits(30, 1) == 1
	second := op{dst: temp, a: b, b: noReg, width: width}
	switch {
	case op2 == 0 && !invert:
		second.kind = opMove
	case op2 == 1 && !invert:
		second.kind, second.imm = opAdd, 1
	case op2 == 0:
		second.kind, second.imm = opXor, ^uint64(0)
	default:
		second.kind = opClobber
	}
	if b == noReg {
		second.kind = opConst
		if op2 == 1 && invert {
			second.imm = 0
		}
		second.imm &= mask(width)
	}
	t.emit(second)
	t.emit(op{kind: opSelect, dst: dst, a: a, b: temp, width: width})
}

// vectorOp translates the vector instructions that write general registers.
func (t *arm64) vectorOp() {
	toGeneral := t.w&0x5f20fc00 == 0x1e200000 && t.bits(17, 2) != 1 && t.bits(16, 3) != 7 || // FCVT, FMOV
		t.w&0x5f3e0000 == 0x1e180000 || // FCVTZ with a scale
		t.w&0xbfe0fc00 == 0x0e003c00 || t.w&0xbfe0fc00 == 0x0e002c00 // UMOV, SMOV
	fromGeneral := t.w&0x5f20fc00 == 0x1e200000 && t.bits(16, 3) == 7 || // FMOV
		t.w&0xbfe0fc00 == 0x0e000c00 || t.w&0xffe0fc00 == 0x4e001c00 // DUP, INS
	switch {
	case toGeneral:
		t.clobber(t.rd())
	case fromGeneral:
		t.use(t.rn())
	}
}
