package code

// Registers of x86_64 by their machine number.
const (
	rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi reg = 0, 1, 2, 3, 4, 5, 6, 7
	r11                                    reg = 11
)

// An amd64 translates instructions of x86_64 into ops, which it appends to ops.
type amd64 struct {
	ops []op
	in  inst
	at  uint64
}

// translateAMD64 appends the ops of code, which lies at addr. Bytes that are no instruction
// end control, and reading goes on at the next one.
func translateAMD64(code []byte, addr uint64, ops []op) []op {
	t := amd64{ops: ops}
	for i := 0; i < len(code); i += t.in.length {
		in, ok := decodeInst(code[i:])
		t.in, t.at = in, addr+uint64(i)
		if !ok {
			t.in.length = 1
			t.emit(op{kind: opTrap, fault: true})
			continue
		}
		switch {
		case in.vector != 0:
			t.vectorOp()
		case in.table == 0:
			t.oneByteOp()
		case in.table == 1:
			t.twoByteOp()
		default:
			t.threeByteOp()
		}
	}
	return t.ops
}

func (t *amd64) emit(o op) {
	o.at, o.length = t.at, uint8(t.in.length)
	t.ops = append(t.ops, o)
}

// width returns the operand size in bytes of an instruction that follows the usual rules.
func (t *amd64) width() uint8 {
	switch {
	case t.in.rexW:
		return 8
	case t.in.size16:
		return 2
	}
	return 4
}

// end returns the address of the next instruction.
func (t *amd64) end() uint64 { return t.at + uint64(t.in.length) }

// memory emits an op with the memory operand of the instruction.
func (t *amd64) memory(o op) {
	o.a, o.b, o.scale, o.imm, o.far = t.in.base, t.in.index, t.in.scale, uint64(t.in.disp), t.in.far
	if t.in.rip {
		o.imm += t.end()
	}
	t.emit(o)
}

// load returns the register that holds the operand ModRM.rm, after emitting the load if it is in memory.
func (t *amd64) load(width uint8) reg {
	if t.in.mod == 3 {
		return reg(t.in.rm)
	}
	t.memory(op{kind: opLoad, dst: temp, width: width})
	return temp
}

// touch notes that memory is read or written for a purpose of no interest.
func (t *amd64) touch() {
	if t.in.modrm && t.in.mod != 3 {
		t.memory(op{kind: opTouch, dst: noReg})
	}
}

// use notes that registers are read for a purpose that is not followed.
func (t *amd64) use(regs ...reg) {
	for _, r := range regs {
		t.emit(op{kind: opUse, dst: noReg, a: r})
	}
}

func (t *amd64) clobber(regs ...reg) {
	for _, r := range regs {
		t.emit(op{kind: opClobber, dst: r})
	}
}

// byteReg returns the register of which operand n of byte size is a part; high tells whether
// that part is AH, CH, DH or BH.
func (t *amd64) byteReg(n uint8) (r reg, high bool) {
	if n >= 4 && n < 8 && !t.in.rex {
		return reg(n - 4), true
	}
	return reg(n), false
}

// unknownRM makes the operand ModRM.rm, of the given width, unknown.
func (t *amd64) unknownRM(width uint8) {
	if t.in.mod != 3 {
		t.memory(op{kind: opTouch, dst: noReg})
		t.memory(op{kind: opStore, dst: other, width: width})
		return
	}
	r := reg(t.in.rm)
	if width == 1 {
		r, _ = t.byteReg(t.in.rm)
	}
	t.clobber(r)
}

// setPart replaces the low width bytes of r, which are fewer than four, by imm.
func (t *amd64) setPart(r reg, width uint8, imm uint64) {
	mask := uint64(1)<<(8*width) - 1
	t.emit(op{kind: opAnd, dst: r, a: r, b: noReg, imm: ^mask, width: 8})
	t.emit(op{kind: opOr, dst: r, a: r, b: noReg, imm: imm & mask, width: 8})
}

// push and pop move a word between the stack and a register; push of noReg takes val.
func (t *amd64) push(r reg, val uint64) {
	t.emit(op{kind: opAdd, dst: rsp, a: rsp, b: noReg, imm: ^uint64(7), width: 8})
	t.emit(op{kind: opStore, dst: r, val: val, a: rsp, b: noReg, width: 8})
}

func (t *amd64) pop(r reg) {
	t.emit(op{kind: opLoad, dst: r, a: rsp, b: noReg, width: 8})
	t.emit(op{kind: opAdd, dst: rsp, a: rsp, b: noReg, imm: 8, width: 8})
}

// binary emits dst = dst kind src (or imm), where only whole registers are followed.
func (t *amd64) binary(kind opKind, dst, src reg, imm uint64, width uint8) {
	if width < 4 {
		t.clobber(dst)
		return
	}
	t.emit(op{kind: kind, dst: dst, a: dst, b: src, imm: imm, width: width})
}

// arithmetic are the operations of opcodes 00 to 3F and of groups 80 to 83, by number; those
// that depend on carry are unknown, and CMP writes nothing.
var arithmetic = [8]opKind{opAdd, opOr, opClobber, opClobber, opAnd, opSub, opXor, opTouch}

// arith translates operation n on ModRM.rm and src, or imm if src is noReg.
func (t *amd64) arith(n uint8, src reg, imm uint64, width uint8) {
	kind := arithmetic[n&7]
	switch {
	case kind == opTouch && t.in.mod == 3 && src == noReg && width == 8: // CMP r, imm
		t.emit(op{kind: opTest, dst: noReg, a: reg(t.in.rm), imm: imm})
	case kind == opTouch:
		t.touch()
	case t.in.mod != 3 || width < 4 || kind == opClobber:
		if src != noReg && width >= 4 {
			t.use(src)
		}
		t.unknownRM(width)
	default:
		t.binary(kind, reg(t.in.rm), src, imm, width)
	}
}

// arithReg translates operation n on ModRM.reg and ModRM.rm.
func (t *amd64) arithReg(n uint8, width uint8) {
	kind := arithmetic[n&7]
	dst := reg(t.in.reg)
	switch {
	case kind == opTouch:
		t.touch()
	case width == 1:
		t.touch()
		dst, _ = t.byteReg(t.in.reg)
		t.clobber(dst)
	case kind == opClobber:
		t.touch()
		t.clobber(dst)
	default:
		t.binary(kind, dst, t.load(width), 0, width)
	}
}

func (t *amd64) oneByteOp() {
	in, width, imm := &t.in, t.width(), uint64(t.in.imm)
	switch o := in.op; {
	case privileged(o):
		t.emit(op{kind: opTrap, fault: true})
	case o < 0x40:
		t.arithOpcode(o)
	case o < 0x58:
		t.push(t.pushed(), 0)
	case o < 0x60:
		t.popTo(reg(in.rm))
	case o == 0x63: // MOVSXD
		src := t.load(4)
		t.emit(op{kind: opExtend, dst: reg(in.reg), a: src, width: 4})
	case o == 0x68, o == 0x6a:
		t.push(noReg, imm)
	case o == 0x69, o == 0x6b:
		t.touch()
		t.clobber(reg(in.reg))
	case o >= 0xa4 && o < 0xa8, o >= 0xaa && o < 0xb0:
		t.stringOp()
	case o < 0x80:
		t.branch(o)
	case o == 0x80:
		t.arith(in.reg, noReg, imm, 1)
	case o == 0x81, o == 0x83:
		t.arith(in.reg, noReg, imm, width)
	case o == 0x85 && in.mod == 3 && in.reg == in.rm && width == 8: // TEST r, r
		t.emit(op{kind: opTest, dst: noReg, a: reg(in.rm)})
	case o < 0x86, o == 0x8e:
		t.touch()
	case o < 0x8c, o >= 0xa0 && o < 0xa4, o >= 0xb0 && o < 0xc0, o == 0xc6, o == 0xc7:
		t.move(o)
	case o == 0x8c:
		t.unknownRM(2)
	case o == 0x8d:
		t.memory(op{kind: opLea, dst: reg(in.reg), width: width})
	case o == 0x8f:
		t.popTo(t.poppedRM())
	case o >= 0x90 && o < 0x98:
		if in.rm != 0 {
			t.clobber(rax, reg(in.rm))
		}
	case o == 0x98: // CDQE
		t.emit(op{kind: opExtend, dst: rax, a: rax, width: width / 2})
	case o == 0x99:
		t.clobber(rdx)
	case o == 0x9c:
		t.push(other, 0)
	case o == 0x9d:
		t.popTo(temp)
	case o == 0x9f, o == 0xd7:
		t.clobber(rax)
	default:
		t.oneByteControl(o)
	}
}

// branch translates conditional jumps.
func (t *amd64) branch(o byte) {
	c := [16]cond{4: isEqual, 5: isOther}[o&15]
	t.emit(op{kind: opBranch, imm: t.end() + uint64(t.in.imm), cond: c})
}

// privileged tells whether the kernel alone may execute an opcode: IN, OUT, INS, OUTS, CLI and STI.
func privileged(o byte) bool {
	return o >= 0x6c && o < 0x70 || o >= 0xe4 && o < 0xe8 || o >= 0xec && o < 0xf0 || o == 0xfa || o == 0xfb
}

// pushed returns the register of PUSH r. What RSP was before is not followed.
func (t *amd64) pushed() reg {
	if r := reg(t.in.rm); r != rsp {
		return r
	}
	return other
}

// popTo translates POP. With an operand-size prefix, or into RSP, it moves the stack pointer
// in ways that nobody uses.
func (t *amd64) popTo(r reg) {
	t.pop(r)
	if r == rsp {
		t.clobber(rsp)
	}
}

// poppedRM makes the operand of POP r/m unknown if it is in memory.
func (t *amd64) poppedRM() reg {
	if t.in.mod == 3 {
		return reg(t.in.rm)
	}
	t.unknownRM(8)
	return temp
}

// arithOpcode translates opcodes 00 to 3F.
func (t *amd64) arithOpcode(o byte) {
	n, width := o>>3, t.width()
	switch o & 7 {
	case 0:
		src, _ := t.byteReg(t.in.reg)
		t.arith(n, src, 0, 1)
	case 1:
		if n := arithmetic[n]; t.in.mod == 3 && t.in.reg == t.in.rm && (n == opXor || n == opSub) && width >= 4 {
			t.emit(op{kind: opConst, dst: reg(t.in.rm), width: 8})
			return
		}
		t.arith(n, reg(t.in.reg), 0, width)
	case 2:
		t.arithReg(n, 1)
	case 3:
		if n := arithmetic[n]; t.in.mod == 3 && t.in.reg == t.in.rm && (n == opXor || n == opSub) && width >= 4 {
			t.emit(op{kind: opConst, dst: reg(t.in.rm), width: 8})
			return
		}
		t.arithReg(n, width)
	case 4:
		if arithmetic[n] != opTouch {
			t.clobber(rax)
		}
	case 5:
		switch kind := arithmetic[n]; kind {
		case opTouch:
		case opClobber:
			t.clobber(rax)
		default:
			t.binary(kind, rax, noReg, uint64(t.in.imm), width)
		}
	}
}

// stringOp makes the pointers and the counter of a string instruction unknown, and what it
// writes: how much is not known.
func (t *amd64) stringOp() {
	if o := t.in.op &^ 1; o == 0xa4 || o == 0xaa {
		t.emit(op{kind: opStore, dst: other, a: rdi, b: noReg})
	}
	t.clobber(rsi, rdi)
	if t.in.rep != 0 {
		t.clobber(rcx)
	}
	if t.in.op&0xfe == 0xac {
		t.clobber(rax)
	}
}

// move translates the moves among the one-byte opcodes, and XCHG.
func (t *amd64) move(o byte) {
	in, width, imm := &t.in, t.width(), uint64(t.in.imm)
	switch {
	case o == 0x86 || o == 0x87: // XCHG
		r := reg(in.reg)
		if o == 0x86 {
			r, _ = t.byteReg(in.reg)
			width = 1
		}
		t.unknownRM(width)
		t.clobber(r)
	case o == 0x88:
		if in.mod == 3 {
			t.unknownRM(1)
			return
		}
		t.memory(op{kind: opStore, dst: other, width: 1})
	case o == 0x89 && in.mod == 3:
		t.moveReg(reg(in.rm), reg(in.reg), width)
	case o == 0x89:
		t.memory(op{kind: opStore, dst: reg(in.reg), width: width})
	case o == 0x8a:
		t.touch()
		r, _ := t.byteReg(in.reg)
		t.clobber(r)
	case o == 0x8b && (in.mod == 3 || width < 4):
		t.moveReg(reg(in.reg), t.load(width), width)
	case o == 0x8b:
		t.memory(op{kind: opLoad, dst: reg(in.reg), width: width})
	case o <= 0xa1 && o >= 0xa0:
		t.clobber(rax)
	case o < 0xb0: // MOV moffs: an absolute address, which compilers do not use
		t.use(rax)
		t.emit(op{kind: opStore, dst: other, a: noReg, b: noReg, imm: imm, width: 8})
	case o < 0xb8:
		if r, high := t.byteReg(in.rm); high {
			t.clobber(r)
		} else {
			t.setPart(r, 1, imm)
		}
	case o < 0xc0:
		t.moveImm(reg(in.rm), imm, width)
	case o == 0xc6:
		if in.mod != 3 {
			t.memory(op{kind: opStore, dst: noReg, val: imm & 0xff, width: 1})
		} else {
			t.unknownRM(1)
		}
	case in.mod == 3:
		t.moveImm(reg(in.rm), imm, width)
	default:
		t.memory(op{kind: opStore, dst: noReg, val: imm, width: width})
	}
}

func (t *amd64) moveReg(dst, src reg, width uint8) {
	if width < 4 {
		t.clobber(dst)
		return
	}
	t.emit(op{kind: opMove, dst: dst, a: src, width: width})
}

func (t *amd64) moveImm(dst reg, imm uint64, width uint8) {
	switch width {
	case 2:
		t.setPart(dst, 2, imm)
	case 4:
		t.emit(op{kind: opConst, dst: dst, imm: uint64(uint32(imm)), width: 4})
	default:
		t.emit(op{kind: opConst, dst: dst, imm: imm, width: 8})
	}
}
