package code

// oneByteControl translates the rest of the one-byte opcodes: shifts, control and groups.
func (t *amd64) oneByteControl(o byte) {
	width, imm := t.width(), uint64(t.in.imm)
	switch {
	case o == 0xc0, o == 0xd0, o == 0xd2:
		t.unknownRM(1)
	case o == 0xc1, o == 0xd1, o == 0xd3:
		t.shift(o, width)
	case o == 0xc2, o == 0xc3:
		t.emit(op{kind: opRet})
	case o == 0xca, o == 0xcb, o == 0xcf: // to another code segment
		t.emit(op{kind: opRet, fault: true})
	case o == 0xc8: // ENTER
		t.clobber(rsp, rbp)
	case o == 0xc9: // LEAVE
		t.emit(op{kind: opMove, dst: rsp, a: rbp, width: 8})
		t.pop(rbp)
	case o == 0xcc, o == 0xf1, o == 0xf4:
		t.emit(op{kind: opTrap})
	case o == 0xcd && imm&0xff == 0x80:
		t.emit(op{kind: opLegacy})
	case o == 0xcd:
		t.emit(op{kind: opTrap})
	case o >= 0xd8 && o < 0xe0: // x87
		t.x87()
	case o >= 0xe0 && o < 0xe4:
		if o != 0xe3 {
			t.clobber(rcx)
		}
		t.emit(op{kind: opBranch, imm: t.end() + imm})
	case o == 0xe8 && imm == 0: // to the next instruction, which pops its own address
		t.push(other, 0)
	case o == 0xe8:
		t.emit(op{kind: opCall, imm: t.end() + imm})
	case o == 0xe9, o == 0xeb:
		t.emit(op{kind: opJump, imm: t.end() + imm})
	case o == 0xf6:
		t.group3(1)
	case o == 0xf7:
		t.group3(width)
	case o == 0xfe:
		t.unknownRM(1)
	case o == 0xff:
		t.group5(width)
	default:
		t.touch()
	}
}

func (t *amd64) shift(o byte, width uint8) {
	kind := [8]opKind{4: opShl, 5: opShr, 6: opShl}[t.in.reg&7]
	if t.in.mod != 3 || o == 0xd3 || kind == 0 {
		t.unknownRM(width)
		return
	}
	n := uint64(1)
	if o == 0xc1 {
		n = uint64(t.in.imm)
	}
	t.binary(kind, reg(t.in.rm), noReg, n&(8*uint64(width)-1), width)
}

// x87 notes what floating-point instructions write: FNSTSW to AX, others to memory.
func (t *amd64) x87() {
	if t.in.mod == 3 {
		if t.in.op == 0xdf {
			t.clobber(rax)
		}
		return
	}
	t.touch()
	if t.in.op&1 == 1 && t.in.reg&7 != 0 && t.in.reg&7 != 4 && t.in.reg&7 != 5 {
		t.memory(op{kind: opStore, dst: other, width: 28})
	}
}

// group3 translates TEST, NOT, NEG, MUL and DIV.
func (t *amd64) group3(width uint8) {
	switch n := t.in.reg & 7; {
	case n < 2:
		t.touch()
	case n == 2 && width >= 4 && t.in.mod == 3:
		t.binary(opXor, reg(t.in.rm), noReg, ^uint64(0), width)
	case n < 4:
		t.unknownRM(width)
	default:
		t.touch()
		t.clobber(rax, rdx)
	}
}

// group5 translates INC, DEC, CALL, JMP and PUSH.
func (t *amd64) group5(width uint8) {
	switch t.in.reg & 7 {
	case 0, 1:
		t.arith([2]uint8{0, 5}[t.in.reg&7], noReg, 1, width)
	case 2:
		t.through(opCallAt, opCallTo)
	case 4:
		t.through(opJumpAt, opJumpTo)
	case 3:
		t.through(opCallTo, opCallTo)
	case 5:
		t.through(opJumpTo, opJumpTo)
	case 6:
		t.push(t.load(8), 0)
	}
}

// through emits a call or jump through memory or a register.
func (t *amd64) through(at, to opKind) {
	if at != to && t.in.mod != 3 && t.in.base == noReg && t.in.index == noReg && !t.in.far {
		t.memory(op{kind: at})
		return
	}
	target := t.load(8)
	t.emit(op{kind: to, a: target, scale: t.in.scale})
}
