package code

import (
	"github.com/seccompile/seccompile/internal/scan/object"
)

// step changes s as o does. Jumps change nothing.
func (f *flow) step(s *state, o *op) {
	var v *value
	switch o.kind {
	case opClobber:
		v = unknown
	case opConst:
		v = number(o.imm)
	case opAddr:
		v = address(o.imm)
	case opMove:
		v = f.get(s, o.a).low(o.width)
	case opExtend:
		v = f.get(s, o.a).extended(o.width)
	case opAdd, opSub, opAnd, opOr, opXor, opShl, opShr:
		v = f.arithmetic(s, o)
	case opSelect:
		first := number(0)
		if o.a != noReg {
			first = f.get(s, o.a)
		}
		v = join(first, f.get(s, o.b)).low(o.width)
	case opLea:
		v = f.address(s, o).low(o.width)
	case opLoad:
		v = f.load(s, o)
	case opStore:
		f.store(s, o)
		return
	case opCall, opCallAt, opCallTo:
		f.call(s, o)
		return
	case opSite, opLegacy:
		f.site(s)
		return
	default:
		return
	}
	f.set(s, o, v)
}

// get returns the value of a register.
func (f *flow) get(s *state, r reg) *value {
	if r >= nregs {
		return unknown
	}
	return s.regs[r]
}

// set gives the register that o writes its value. Stack addresses that are not in the stack or
// frame pointer are for others to use.
func (f *flow) set(s *state, o *op, v *value) {
	if o.dst >= nregs {
		return
	}
	if v != nil && v.stack && o.dst != f.sp && o.dst != f.frame && o.dst != temp {
		f.escape(v.offset)
	}
	s.regs[o.dst] = v
}

// stackRegs returns the stack and frame pointers.
func (m *Module) stackRegs() (sp, frame reg) {
	if m.File.Machine == object.ARM64 {
		return sp64, 29
	}
	return rsp, rbp
}

// The parts of the stack: words of the caller, those of the function, and those behind an
// alignment of the stack pointer.
const (
	callers = iota
	own
	behind
	parts
)

func (f *flow) part(offset int64) int {
	switch {
	case offset >= f.base:
		return callers
	case offset > -aligned/2:
		return own
	}
	return behind
}

// escape notes that the address of a place on the stack goes elsewhere. What lies above it in its
// part of the stack may belong to the same object.
func (f *flow) escape(offset int64) {
	if p := f.part(offset); offset < f.escaped[p] {
		f.escaped[p], f.moved = offset, true
	}
}

// aligned is how far below the stack lies, for a function that aligns it: it is not known by
// how much it moves, and so it is taken for another stack.
const aligned = 1 << 20

func (f *flow) arithmetic(s *state, o *op) *value {
	a, b := f.get(s, o.a), number(o.imm)
	if o.b != noReg {
		b = f.get(s, o.b)
	}
	if o.kind == opAnd && o.dst == f.sp && a.isStack() {
		return stackAddr(a.offset - aligned)
	}
	v := compute(o.kind, a, b, o.width)
	if v == nil || !v.stack {
		for _, w := range []*value{a, b} {
			if w.isStack() && o.dst != f.sp {
				f.escape(w.offset)
			}
		}
	}
	return v
}

// address returns the address of a memory operand.
func (f *flow) address(s *state, o *op) *value {
	if o.far {
		return unknown
	}
	if a, ok := o.constAddr(); ok {
		return address(a)
	}
	v := number(o.imm)
	if o.a != noReg {
		v = f.get(s, o.a)
		if v != nil {
			v = plus(v, o.imm)
		}
	}
	if o.b == noReg {
		return v
	}
	if v.isStack() {
		f.escape(v.offset)
	}
	index := f.get(s, o.b)
	if o.scale > 1 {
		index = compute(opShl, index, number(uint64(scaleShift(o.scale))), 8)
	}
	return compute(opAdd, v, index, 8)
}

func scaleShift(scale uint8) uint8 {
	switch scale {
	case 2:
		return 1
	case 4:
		return 2
	case 8:
		return 3
	}
	return 0
}

// load returns what a load can find.
func (f *flow) load(s *state, o *op) *value {
	at := f.address(s, o)
	switch {
	case at == nil:
		return unknown
	case at.isStack():
		return s.read(at.offset, o.width, f.base)
	case at.unknown || at.stack || len(at.entry) > 0 || at.holds():
		return f.perhaps(at, o.width)
	}
	var v *value
	for _, a := range at.addrs {
		v = join(v, f.m.load(a, o.width))
	}
	for _, a := range at.consts {
		if !f.m.File.Fixed {
			return unknown
		}
		v = join(v, f.m.load(a, o.width))
	}
	return v
}

// perhaps returns what a load can find at an address that is not known, or is one of some.
func (f *flow) perhaps(at *value, width uint8) *value {
	v := unknown
	for _, a := range at.addrs {
		if w := f.m.load(a, width); w.holds() {
			v = join(v, w)
		}
	}
	return v
}

// store changes the stack. A store to an unknown place can only hit what has escaped: without its
// address, nothing that the program computes is a pointer to it, and a program whose pointers run
// out of their objects has no bounds at all.
func (f *flow) store(s *state, o *op) {
	at := f.address(s, o)
	v := number(o.val)
	if o.dst != noReg {
		v = f.get(s, o.dst)
	}
	if v != nil && v.stack && o.dst != f.frame {
		f.escape(v.offset)
	}
	switch {
	case at.isStack() && o.width == 0:
		f.escape(at.offset)
		f.forget(s)
	case at.isStack():
		s.write(at.offset, int64(o.width), v.low(o.width))
	case at == nil, at.unknown, at.stack, len(at.entry) > 0, at.holds():
		f.forget(s) // the base of an index has just escaped
	}
}

// forget makes unknown what has escaped.
func (f *flow) forget(s *state) { f.forgetAbove(s, f.escaped) }

// forgetAbove makes unknown the words from a place on in each part of the stack.
func (f *flow) forgetAbove(s *state, from [parts]int64) {
	for k := range s.slots {
		if t := &s.slots[k]; t.offset+t.width > from[f.part(t.offset)] {
			t.val = join(t.val, unknown)
		}
	}
	for at := from[callers] &^ 7; at < f.base+8*maxStack; at += 8 {
		if i := s.slotAt(at); i == len(s.slots) || s.slots[i].offset > at {
			s.write(at, 8, unknown)
		}
	}
}

// call makes unknown what a callee may change. In Go only the stack and frame pointers survive,
// and functions in assembly leave results in the words of the caller.
func (f *flow) call(s *state, o *op) {
	f.forget(s)
	if sp := s.regs[f.sp]; f.m.File.Go != nil && o.kind == opCall && sp.isStack() {
		for _, word := range f.resultWords(o.imm) {
			s.write(sp.offset+8*word, 8, unknown)
		}
	}
	for r := range s.regs {
		if !f.m.preserved(reg(r)) {
			s.regs[r] = unknown
		}
	}
	f.keep(s)
}

// resultWords returns the words of its caller that the function at addr writes through the stack
// pointer. A part of it behind a return is taken to have the frame of what is before.
func (f *flow) resultWords(addr uint64) []int64 {
	if words, ok := f.results[addr]; ok {
		return words
	}
	var words []int64
	if fn := f.m.File.Func(addr); fn >= 0 {
		depth, frame := int64(0), int64(0)
		for _, o := range f.m.translate(fn, nil) {
			switch {
			case o.ends():
				depth = frame
			case o.kind == opAdd && o.dst == f.sp && o.a == f.sp && o.b == noReg:
				depth += int64(o.imm)
				frame = min(frame, depth)
			case o.kind == opStore && o.a == f.sp && o.b == noReg:
				if at := depth + int64(o.imm) - f.base; at >= 0 && at < 8*maxStack {
					words = append(words, at/8)
				}
			}
		}
	}
	f.results[addr] = words
	return words
}

// preserved tells whether a register is the same after a call.
func (m *Module) preserved(r reg) bool {
	sp, frame := m.stackRegs()
	switch {
	case r == sp || r == frame:
		return true
	case m.File.Go != nil || r == temp:
		return false
	case sp == rsp:
		return r == rbx || r >= 12 && r < 16
	}
	return r >= 19 && r < 29
}

// site makes unknown what a system call changes: the result, and on x86_64 RCX and R11. What it
// writes to memory has escaped.
func (f *flow) site(s *state) {
	f.forget(s)
	s.regs[0] = unknown // RAX, X0
	if f.sp == rsp {
		s.regs[rcx], s.regs[r11] = unknown, unknown
	}
}
