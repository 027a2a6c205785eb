package code

// memoryOp translates loads and stores.
func (t *arm64) memoryOp() {
	switch vector := t.bits(26, 1) == 1; {
	case t.bits(27, 3) == 0b011 && t.bits(24, 2) == 0:
		t.literal(vector)
	case t.bits(27, 3) == 0b101:
		t.pair(vector)
	case t.bits(27, 3) == 0b111:
		t.single(vector)
	case t.bits(24, 6) == 0b001000:
		t.exclusive()
	case vector: // LD1 to ST4
		t.memory(op{kind: opTouch, dst: noReg, width: 64}, reg(t.bits(5, 5)), 0)
		if t.bits(22, 1) == 0 {
			t.memory(op{kind: opStore, dst: other, width: 64}, reg(t.bits(5, 5)), 0)
		}
		if t.bits(23, 1) == 1 {
			t.clobber(reg(t.bits(5, 5)))
		}
	default:
		t.otherMemory()
	}
}

// memory emits an op on memory at a register and an offset.
func (t *arm64) memory(o op, base reg, imm uint64) {
	o.a, o.b, o.imm = base, noReg, imm
	t.emit(o)
}

// literal translates loads relative to the program counter.
func (t *arm64) literal(vector bool) {
	opc := t.bits(30, 2)
	o := op{kind: opLoad, dst: t.rd(), a: noReg, b: noReg, imm: t.at + t.signed(5, 19)<<2, width: 4}
	switch {
	case vector || opc == 3:
		o.kind, o.dst = opTouch, noReg
	case opc == 1:
		o.width = 8
	}
	t.read(o)
	if !vector && opc == 2 && o.dst != noReg {
		t.emit(op{kind: opExtend, dst: o.dst, a: o.dst, width: 4})
	}
}

// read emits a load, of which at least the address counts.
func (t *arm64) read(o op) {
	if o.dst == noReg {
		o.kind = opTouch
	}
	t.emit(o)
}

// How an access changes its base register.
const (
	offsetOnly = 0
	postIndex  = 1
	preIndex   = 3
)

// An access is a load or store of one or two registers.
type access struct {
	load, vector bool
	extend       bool // loaded words are sign-extended to 64 bits
	regs         []reg
	base         reg
	offset       uint64
	width        uint8
	mode         uint32
}

// access emits the loads or stores and what they do to the base register.
func (t *arm64) access(a access) {
	update := op{kind: opAdd, dst: a.base, a: a.base, b: noReg, imm: a.offset, width: 8}
	switch a.mode {
	case preIndex:
		t.emit(update)
		a.offset = 0
	case postIndex:
		a.offset = 0
	}
	for i := range a.regs {
		if a.load && len(a.regs) == 2 && a.regs[0] == a.base {
			i = 1 - i // the one that holds the address is loaded last
		}
		t.transfer(a, a.regs[i], a.offset+uint64(i)*uint64(a.width))
	}
	if a.mode == postIndex {
		t.emit(update)
	}
}

// transfer emits the load or store of one register.
func (t *arm64) transfer(a access, r reg, offset uint64) {
	switch {
	case a.load && (a.vector || r == noReg):
		t.memory(op{kind: opTouch, dst: noReg, width: a.width}, a.base, offset)
	case a.load:
		t.memory(op{kind: opLoad, dst: r, width: a.width}, a.base, offset)
		if a.extend {
			t.emit(op{kind: opExtend, dst: r, a: r, width: a.width})
		}
	case a.vector:
		t.memory(op{kind: opStore, dst: other, width: a.width}, a.base, offset)
	default:
		t.memory(op{kind: opStore, dst: r, width: a.width}, a.base, offset)
	}
}

// pair translates LDP and STP.
func (t *arm64) pair(vector bool) {
	opc, load := t.bits(30, 2), t.bits(22, 1) == 1
	a := access{
		load: load, vector: vector, extend: load && !vector && opc == 1, base: reg(t.bits(5, 5)),
		regs: []reg{orZero(t.bits(0, 5)), orZero(t.bits(10, 5))}, width: uint8(4 << opc), mode: t.bits(23, 2),
	}
	if !vector && a.width > 4 { // 1: LDPSW, of four bytes, or STGP; 2: of eight
		a.width = 8
		if a.extend {
			a.width = 4
		}
	}
	a.offset = t.signed(15, 7) * uint64(a.width)
	if !vector && opc == 1 && !load {
		a.offset *= 2
	}
	if a.mode == 2 {
		a.mode = offsetOnly
	}
	t.access(a)
}

// single translates loads and stores of one register, and the atomic operations.
func (t *arm64) single(vector bool) {
	opc, size := t.bits(22, 2), t.bits(30, 2)
	a := access{
		load: opc != 0, vector: vector, regs: []reg{orZero(t.bits(0, 5))}, base: reg(t.bits(5, 5)), width: 1 << size,
	}
	switch {
	case vector:
		a.load = opc&1 == 1
		if opc >= 2 {
			a.width = 16
		}
	case opc == 2 && size == 3 && (t.bits(24, 1) == 1 || t.bits(21, 1) == 0 || t.bits(10, 2) == 2): // PRFM
		return
	case opc >= 2:
		a.extend = opc == 2
	}
	sign32 := !vector && opc == 3
	switch {
	case t.bits(24, 1) == 1:
		a.offset = uint64(t.bits(10, 12)) * uint64(a.width)
	case t.bits(21, 1) == 0:
		a.offset = t.signed(12, 9)
		if mode := t.bits(10, 2); mode != 2 { // 2: LDTR
			a.mode = mode
		}
	case t.bits(10, 2) == 2:
		t.indexed(a, size)
		if sign32 {
			t.clobber(a.regs[0])
		}
		return
	case t.bits(10, 2) == 0:
		t.atomic(a)
		return
	default: // LDRAA
		t.clobber(orZero(t.bits(0, 5)))
		t.clobber(reg(t.bits(5, 5)))
		return
	}
	t.access(a)
	if sign32 {
		t.clobber(a.regs[0])
	}
}

// indexed translates an access at the sum of two registers.
func (t *arm64) indexed(a access, size uint32) {
	if a.vector && a.width == 16 {
		size = 4
	}
	index := t.extended(t.rm(), t.bits(13, 3), 0)
	o := op{kind: opLoad, dst: a.regs[0], a: a.base, b: index, scale: 1, width: a.width}
	if t.bits(12, 1) == 1 {
		o.scale = 1 << size
	}
	switch {
	case a.load && (a.vector || o.dst == noReg):
		o.kind, o.dst = opTouch, noReg
	case !a.load:
		o.kind = opStore
		if a.vector {
			o.dst = other
		}
	}
	t.emit(o)
	if a.extend {
		t.result(op{kind: opExtend, dst: o.dst, a: o.dst, width: a.width})
	}
}

// atomic translates the operations that read and write memory in one step, and LDAPR.
func (t *arm64) atomic(a access) {
	t.memory(op{kind: opTouch, dst: noReg, width: a.width}, a.base, 0)
	if t.bits(12, 4) != 0b1100 {
		t.use(t.rm())
		t.memory(op{kind: opStore, dst: other, width: a.width}, a.base, 0)
	}
	if !a.vector {
		t.clobber(a.regs[0])
	}
}

// exclusive translates LDXR, STXR, LDAR, STLR and CAS, single and in pairs.
func (t *arm64) exclusive() {
	load, ordered, both := t.bits(22, 1) == 1, t.bits(23, 1) == 1, t.bits(21, 1) == 1
	width := uint8(1) << t.bits(30, 2)
	base, r, status := reg(t.bits(5, 5)), orZero(t.bits(0, 5)), orZero(t.bits(16, 5))
	switch {
	case ordered && !both && load: // LDAR
		t.transfer(access{load: true, base: base, width: width}, r, 0)
	case ordered && !both: // STLR
		t.transfer(access{base: base, width: width}, r, 0)
	case ordered || both && t.w>>31 == 0: // CAS, CASP
		t.use(r, orZero(t.bits(0, 5)|1))
		t.memory(op{kind: opTouch, dst: noReg, width: width}, base, 0)
		t.memory(op{kind: opStore, dst: other, width: 16}, base, 0)
		t.clobber(status)
		if !ordered && status != noReg {
			t.clobber(orZero(t.bits(16, 5) + 1))
		}
	case load: // LDXR, LDXP
		t.memory(op{kind: opTouch, dst: noReg, width: width}, base, 0)
		t.clobber(r)
		if both {
			t.clobber(orZero(t.bits(10, 5)))
		}
	default: // STXR, STXP
		t.use(r, orZero(t.bits(10, 5)))
		t.memory(op{kind: opStore, dst: other, width: 16}, base, 0)
		t.clobber(status)
	}
}

// otherMemory makes unknown what the rest of loads and stores can write: those ordered with an
// offset, memory tags, and copies of memory.
func (t *arm64) otherMemory() {
	base := reg(t.bits(5, 5))
	switch {
	case t.bits(24, 8) == 0xd9 && t.bits(21, 1) == 1: // STG, LDG
		if mode := t.bits(10, 2); mode == postIndex || mode == preIndex {
			t.clobber(base)
		}
		t.clobber(orZero(t.bits(0, 5)))
	case t.bits(24, 6) == 0b011001 && t.bits(10, 2) == 0 && t.bits(21, 1) == 0: // LDAPUR, STLUR
		t.memory(op{kind: opTouch, dst: noReg, width: 8}, base, t.signed(12, 9))
		if t.bits(22, 2) == 0 {
			t.use(orZero(t.bits(0, 5)))
			t.memory(op{kind: opStore, dst: other, width: 8}, base, t.signed(12, 9))
		} else {
			t.clobber(orZero(t.bits(0, 5)))
		}
	default: // CPY, SET: of two registers, either may hold where they write
		t.memory(op{kind: opStore, dst: other}, base, 0)
		t.memory(op{kind: opStore, dst: other}, reg(t.bits(0, 5)), 0)
		t.clobber(base)
		t.clobber(orZero(t.bits(0, 5)))
		t.clobber(orZero(t.bits(16, 5)))
	}
}
