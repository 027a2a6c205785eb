package code

// twoByteOp translates the opcodes after 0F.
func (t *amd64) twoByteOp() {
	in, width := &t.in, t.width()
	switch o := in.op; {
	case o == 0x05:
		t.emit(op{kind: opSite})
	case o == 0x34:
		t.emit(op{kind: opLegacy})
	case o == 0x0b, o == 0xb9, o == 0xff, o == 0x07, o == 0x35: // UD, SYSRET, SYSEXIT
		t.emit(op{kind: opTrap})
	case o >= 0x40 && o < 0x50: // CMOV
		src := t.load(width)
		t.emit(op{kind: opSelect, dst: reg(in.reg), a: reg(in.reg), b: src, width: width})
	case o >= 0x80 && o < 0x90:
		t.branch(o)
	case o >= 0x90 && o < 0xa0: // SET
		t.unknownRM(1)
	case o == 0xb6, o == 0xb7, o == 0xbe, o == 0xbf:
		t.extend(o, width)
	case o >= 0xc8 && o < 0xd0: // BSWAP
		t.clobber(reg(in.rm))
	case o == 0xc3: // MOVNTI
		t.memory(op{kind: opStore, dst: reg(in.reg), width: width})
	default:
		t.twoByteWrites(o)
	}
}

// extend translates MOVZX and MOVSX.
func (t *amd64) extend(o byte, width uint8) {
	size := uint8(1 + o&1)
	kind := opMove
	if o >= 0xbe {
		kind = opExtend
	}
	dst, src := reg(t.in.reg), reg(0)
	switch {
	case t.in.mod != 3:
		src = t.load(size)
	case size == 1:
		r, high := t.byteReg(t.in.rm)
		if high {
			t.clobber(dst)
			return
		}
		src = r
	default:
		src = reg(t.in.rm)
	}
	if width == 2 {
		t.clobber(dst)
		return
	}
	t.emit(op{kind: kind, dst: dst, a: src, width: size})
	if width == 4 && kind == opExtend {
		t.emit(op{kind: opMove, dst: dst, a: dst, width: 4})
	}
}

// twoByteWrites makes unknown what the remaining opcodes after 0F write to general registers
// and to memory.
func (t *amd64) twoByteWrites(o byte) {
	in, width := &t.in, t.width()
	switch {
	case o == 0x01: // SMSW, XGETBV, RDTSCP and others
		t.clobber(rax, rcx, rdx)
		t.unknownRM(8)
	case o == 0x00, o == 0x78, o == 0xa4, o == 0xa5, o == 0xab, o == 0xac, o == 0xad, o == 0xb3, o == 0xbb,
		o == 0xba && in.reg&7 > 4: // SLDT, VMREAD, SHLD, BTS, SHRD, BTR, BTC
		t.unknownRM(width)
	case o == 0x02, o == 0x03, o == 0x2c, o == 0x2d, o == 0x50, o == 0xaf, o == 0xb2, o == 0xb4, o == 0xb5,
		o == 0xb8, o == 0xbc, o == 0xbd, o == 0xc5, o == 0xd7: // LAR, CVT, MOVMSK, IMUL, POPCNT, BSF, PEXTRW, PMOVMSKB
		t.touch()
		t.clobber(reg(in.reg))
	case o >= 0x20 && o < 0x24: // MOV from and to control registers
		t.clobber(reg(in.rm))
	case o >= 0x30 && o < 0x34 && o != 0x30, o == 0x37: // RDTSC, RDMSR, RDPMC
		t.clobber(rax, rcx, rdx, rbx)
	case o == 0xa2: // CPUID
		t.clobber(rax, rbx, rcx, rdx)
	case o == 0xa0, o == 0xa8: // PUSH FS, GS
		t.push(other, 0)
	case o == 0xa1, o == 0xa9:
		t.popTo(temp)
	case o == 0x1e && in.rep == 0xf3 && in.mod == 3 && in.reg&7 == 1, // RDSSP
		o == 0xae && in.rep == 0xf3 && in.mod == 3, // RDFSBASE and others
		o == 0x7e && in.rep == 0 && in.mod == 3:    // MOVD
		t.clobber(reg(in.rm))
	case o == 0xb0, o == 0xb1: // CMPXCHG
		t.use(reg(in.reg))
		t.unknownRM(t.byteOr(o, width))
		t.clobber(rax)
	case o == 0xc0, o == 0xc1: // XADD
		r := reg(in.reg)
		if o == 0xc0 {
			r, _ = t.byteReg(in.reg)
		}
		t.unknownRM(t.byteOr(o, width))
		t.clobber(r)
	case o == 0xc7: // CMPXCHG16B, RDRAND, XSAVEC and others
		t.unknownRM(64)
		t.clobber(rax, rdx)
	case o == 0x0d, o >= 0x18 && o < 0x20: // PREFETCH, NOP
	case o == 0x6e && in.mod == 3: // MOVD
		t.use(reg(in.rm))
	default:
		t.vectorMemory()
	}
}

// byteOr returns 1 if the low bit of an opcode says that it works on bytes.
func (t *amd64) byteOr(o byte, width uint8) uint8 {
	if o&1 == 0 {
		return 1
	}
	return width
}

// vectorMemory notes that memory is read or written by an instruction whose registers do not
// matter. Only its operand could tell which; it counts as both.
func (t *amd64) vectorMemory() {
	if !t.in.modrm || t.in.mod == 3 {
		return
	}
	t.touch()
	if t.writesVector() {
		t.memory(op{kind: opStore, dst: other, width: t.vectorWidth()})
	}
}

// vectorWidth returns at most how many bytes a vector instruction stores.
func (t *amd64) vectorWidth() uint8 {
	in := &t.in
	switch {
	case in.vector == 0 && in.table == 1 && (in.op == 0xae || in.op == 0xc7): // FXSAVE, XSAVE: the most that is followed
		return 255
	case in.vector == 0x62:
		return 64
	case in.vector == 0xc5 && in.wide:
		return 32
	case in.table == 1 && (in.op == 0x13 || in.op == 0x17 || in.op == 0xd6 || in.op == 0x7e || in.op == 0x11 && in.rep != 0):
		return 8
	}
	return 16
}

// writesVector tells whether a vector instruction of the table 0F writes its memory operand.
func (t *amd64) writesVector() bool {
	if t.in.table != 1 {
		return true
	}
	switch t.in.op {
	case 0x11, 0x13, 0x17, 0x29, 0x2b, 0x7e, 0x7f, 0x91, 0xd6, 0xe7, 0xae:
		return true
	}
	return false
}

// threeByteOp translates the opcodes after 0F38 and 0F3A.
func (t *amd64) threeByteOp() {
	in := &t.in
	switch {
	case in.table == 2 && (in.op == 0xf0 || in.op == 0xf1): // MOVBE, CRC32
		t.touch()
		if in.op == 0xf1 && in.rep == 0 && in.mod != 3 || in.op == 0xf0 && in.rep == 0 && in.mod != 3 {
			t.memory(op{kind: opStore, dst: other, width: 8})
		}
		t.clobber(reg(in.reg))
	case in.table == 2 && in.op == 0xf6 && (in.size16 || in.rep == 0xf3): // ADCX, ADOX
		t.touch()
		t.clobber(reg(in.reg))
	case in.table == 2 && (in.op >= 0xf5 && in.op <= 0xf9): // WRSS, MOVDIR64B, MOVDIRI
		t.use(reg(in.reg))
		t.vectorMemory()
	case in.table == 3 && in.op == 0x22 && in.mod == 3: // PINSR
		t.use(reg(in.rm))
	case in.table == 3 && in.op >= 0x14 && in.op < 0x18: // PEXTR
		t.unknownRM(8)
	default:
		t.touch()
	}
}

// vectorOp translates VEX, EVEX and XOP, of which only few write general registers.
func (t *amd64) vectorOp() {
	in := &t.in
	dst := reg(in.reg & 15)
	switch key := uint16(in.table)<<8 | uint16(in.op); {
	case in.vector == 0x8f, in.vector == 0x62 && in.table == 4: // XOP; APX
		t.vectorMemory()
		t.clobber(dst, reg(in.rm&15), reg(in.vvvv))
	case in.mod == 3 && (key == 0x16e || key == 0x27c || key == 0x322): // VMOVD, VPBROADCAST, VPINSR
		t.use(reg(in.rm & 15))
	case key == 0x12c, key == 0x12d, key == 0x150, key == 0x178, key == 0x179, key == 0x193, key == 0x1c5, key == 0x1d7,
		key == 0x52c, key == 0x52d, key == 0x578, key == 0x579,
		key == 0x2f2, key == 0x2f5, key == 0x2f7, key == 0x3f0, in.table == 2 && in.op&0xf0 == 0xe0:
		t.touch()
		t.clobber(dst)
	case key == 0x2f3:
		t.touch()
		t.clobber(reg(in.vvvv))
	case key == 0x2f6:
		t.touch()
		t.clobber(dst, reg(in.vvvv))
	case key == 0x17e && in.rep == 0 || key == 0x57e || key == 0x314 || key == 0x315 || key == 0x316 || key == 0x317:
		t.unknownRM(8)
	case in.table == 1, in.table == 5:
		t.vectorMemory()
	case in.table == 2 && vectorStores2(in.op), in.table == 3 && vectorStores3(in.op):
		t.vectorMemory()
	default:
		t.touch()
	}
}

// vectorStores2 tells whether an opcode after 0F38 stores: VMASKMOV, VPMASKMOV, VPMOV,
// VCOMPRESS, VSCATTER.
func vectorStores2(o byte) bool {
	switch {
	case o == 0x2e, o == 0x2f, o == 0x8e, o == 0x8a, o == 0x8b, o == 0x63, o >= 0xa0 && o < 0xa4, o >= 0x10 && o < 0x16,
		o >= 0x20 && o < 0x26, o >= 0x30 && o < 0x36:
		return true
	}
	return false
}

// vectorStores3 tells whether an opcode after 0F3A stores: VEXTRACT, VCVTPS2PH.
func vectorStores3(o byte) bool {
	switch o {
	case 0x19, 0x1b, 0x1d, 0x39, 0x3b:
		return true
	}
	return false
}
