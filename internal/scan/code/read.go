package code

import (
	"errors"
	"slices"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// A reading gathers what all functions of a module do.
type reading struct {
	m       *Module
	ops     []op
	returns []returning   // by function
	gaps    []object.Func // the space between functions, as the file has it

	scratch Function // whose lists take what a function does while it is read
	calls   arena[Call]
	addrs   arena[uint64]
}

// Read translates all functions of a file and infers which never return. It knows the names
// of imported functions that never return (exit, abort, __stack_chk_fail, ...). Where calls
// lead into the space between the functions of f, it adds functions to f. A Module with
// the same File and Funcs, as a cache keeps them, is as good as one that Read returns.
func Read(f *object.File) (*Module, error) {
	if f.Machine != object.AMD64 && f.Machine != object.ARM64 {
		return nil, errors.New("code: the file is for a machine whose code is not read: use one for x86_64 or aarch64")
	}
	m := &Module{File: f}
	r := reading{m: m}
	for _, fn := range f.Funcs {
		if fn.Gap {
			r.gaps = append(r.gaps, fn)
		}
	}
	r.run(nil)
	for range maxSplits {
		before := f.Funcs
		if !r.splitGaps() {
			break
		}
		r.run(before)
	}
	r.dropData()
	m.addFallThrough(r.returns)
	return m, nil
}

// run summarizes all functions and infers which never return. Those that were functions before
// and call the same functions as then are taken over.
func (r *reading) run(before []object.Func) {
	m, done, returns := r.m, r.m.Funcs, r.returns
	m.Funcs, r.returns = make([]Function, len(m.File.Funcs)), make([]returning, len(m.File.Funcs))
	old := 0
	for i := range m.Funcs {
		f := &m.File.Funcs[i]
		for old < len(before) && before[old].Addr < f.Addr {
			old++
		}
		if old < len(before) && before[old].Addr == f.Addr && before[old].Size == f.Size && m.current(&done[old]) {
			m.Funcs[i], r.returns[i] = done[old], returns[old]
			continue
		}
		r.ops = m.translate(i, r.ops[:0])
		s := summary{m: m, index: i, fn: r.emptyScratch()}
		r.returns[i] = s.summarize(r.ops)
		m.Funcs[i] = r.keep(s.fn)
	}
	r.inferNoReturn()
}

// emptyScratch returns a function that does nothing so far.
func (r *reading) emptyScratch() *Function {
	f := &r.scratch
	*f = Function{Calls: f.Calls[:0], Mentions: f.Mentions[:0], Direct: f.Direct[:0], Written: f.Written[:0],
		Sites: f.Sites[:0], Legacy: f.Legacy[:0], Indirect: f.Indirect[:0]}
	return f
}

// keep returns a copy of a function.
func (r *reading) keep(f *Function) Function {
	return Function{Calls: r.calls.keep(f.Calls), Mentions: r.addrs.keep(f.Mentions), Direct: r.addrs.keep(f.Direct), Written: r.addrs.keep(f.Written),
		Sites: r.addrs.keep(f.Sites), Legacy: r.addrs.keep(f.Legacy), Indirect: r.addrs.keep(f.Indirect)}
}

// current tells whether calls of fn into the middle of functions still are such.
func (m *Module) current(fn *Function) bool {
	return !slices.ContainsFunc(fn.Calls, func(c Call) bool {
		return c.Middle != 0 && m.File.Funcs[m.File.Func(c.enters())].Addr != c.To
	})
}

// bytesPerOp is how many bytes of code usually make an op.
const bytesPerOp = 4

// translate appends the ops of a function to ops.
func (m *Module) translate(fn int, ops []op) []op {
	f := &m.File.Funcs[fn]
	code := m.bytes(f)
	ops = slices.Grow(ops, len(code)/bytesPerOp+1) // without .eh_frame and symbols, one function may be all code
	if m.File.Machine == object.ARM64 {
		return translateARM64(code, f.Addr, ops)
	}
	return translateAMD64(code, f.Addr, ops)
}

// A summary reads the ops of one function.
type summary struct {
	m     *Module
	index int
	fn    *Function

	known   [nregs]uint64 // addresses that registers hold in the order of the code
	has     [nregs]bool
	indexed [nregs]bool   // the register comes from a table by an index
	page    [nregs]bool   // the address is that of a page, to which an offset is still to be added
	slot    [nregs]uint64 // the register was loaded from this word of the GOT
}

// summarize fills in the function and returns how it may return.
func (s *summary) summarize(ops []op) returning {
	ret := returning{call: -1}
	for i := range ops {
		o := &ops[i]
		switch o.kind {
		case opCall, opCallAt, opJump, opJumpAt, opBranch:
			s.transfer(o, &ret)
			s.forget(o)
		case opCallTo, opJumpTo:
			s.indirect(o, &ret)
		case opRet:
			ret.always = true
		case opSite:
			s.fn.Sites = append(s.fn.Sites, o.at)
		case opLegacy:
			s.fn.Sites = append(s.fn.Sites, o.at)
			s.fn.Legacy = append(s.fn.Legacy, o.at)
		default:
			s.data(o)
		}
	}
	s.m.findPages(ops, func(addr uint64, o *op) {
		if o.kind == opAdd {
			s.mention(addr)
		} else {
			s.direct(addr)
		}
		if o.kind == opStore && s.m.File.Go != nil {
			s.fn.Written = append(s.fn.Written, addr)
		}
	})
	s.fn.Mentions, s.fn.Direct, s.fn.Written = set(s.fn.Mentions), set(s.fn.Direct), set(s.fn.Written)
	ret.end(ops, s.m.File.Funcs[s.index].Addr)
	return ret
}

// transfer notes a call or jump to a constant place.
func (s *summary) transfer(o *op, ret *returning) {
	switch o.kind {
	case opCallAt, opJumpAt:
		s.fn.Calls = append(s.fn.Calls, Call{At: o.at, Slot: o.imm, Tail: o.kind == opJumpAt})
		if o.kind == opJumpAt {
			if !s.m.slotNeverReturns(o.imm) {
				ret.always = true
			}
		}
		return
	}
	to := s.m.File.Func(o.imm)
	if to == s.index && o.kind != opCall {
		return // within the function
	}
	if to < 0 {
		if o.kind != opCall {
			ret.always = true
		}
		return
	}
	start := s.m.File.Funcs[to].Addr
	c := Call{At: o.at, To: start, Tail: o.kind != opCall, Middle: uint32(o.imm - start)} // code is shorter than its file
	s.fn.Calls = append(s.fn.Calls, c)
	if c.Tail {
		ret.tails = append(ret.tails, start)
	}
}

// indirect notes a call or jump through a register, which may come from the GOT.
func (s *summary) indirect(o *op, ret *returning) {
	jump := o.kind == opJumpTo
	slot := s.slot[o.a]
	switch {
	case slot != 0:
		s.fn.Calls = append(s.fn.Calls, Call{At: o.at, Slot: slot, Tail: jump})
	case !jump || !s.indexed[o.a]:
		s.fn.Indirect = append(s.fn.Indirect, o.at)
	}
	if jump && (slot == 0 || !s.m.slotNeverReturns(slot)) {
		ret.always = true
	}
	s.forget(o)
}

// forget clears what a call may change.
func (s *summary) forget(o *op) {
	if o.kind != opCall && o.kind != opCallAt && o.kind != opCallTo {
		return
	}
	for r := range reg(nregs) {
		if !s.m.preserved(r) {
			s.has[r], s.indexed[r], s.slot[r] = false, false, 0
		}
	}
}

// data notes the addresses that an op mentions and follows those that registers hold.
func (s *summary) data(o *op) {
	addr, constant := o.constAddr()
	switch o.kind {
	case opAddr:
		s.set(o.dst, o.imm)
		s.page[o.dst] = true
		return
	case opLea:
		if constant {
			s.mention(addr)
			s.set(o.dst, addr)
			return
		}
		s.relative(o)
	case opLoad, opTouch:
		if constant {
			s.direct(addr)
		} else {
			s.relative(o)
		}
	case opStore:
		s.store(o, addr, constant)
		return
	case opConst:
		s.number(o.imm)
	case opAdd:
		s.add(o)
		return
	case opMove:
		if o.width == 8 && o.a < nregs {
			s.known[o.dst], s.has[o.dst] = s.known[o.a], s.has[o.a]
			s.page[o.dst], s.indexed[o.dst], s.slot[o.dst] = s.page[o.a], s.indexed[o.a], s.slot[o.a]
			return
		}
	}
	if o.dst >= nregs || o.kind == opTouch {
		return
	}
	table, slot := false, uint64(0)
	switch o.kind {
	case opLoad:
		table = o.b != noReg && (o.a < nregs && s.has[o.a] || s.fixed(o.imm))
		slot = s.gotSlot(o)
	case opExtend, opMove, opShl:
		table = o.a < nregs && s.indexed[o.a]
	}
	s.has[o.dst], s.indexed[o.dst], s.slot[o.dst] = false, table, slot
}

// gotSlot returns the word of the GOT that o loads, or 0.
func (s *summary) gotSlot(o *op) uint64 {
	addr, ok := o.constAddr()
	if !ok && o.a < nregs && s.has[o.a] && o.b == noReg {
		addr, ok = s.known[o.a]+o.imm, true
	}
	if !ok || o.width != 8 {
		return 0
	}
	if r, ok := s.m.File.Reloc(addr); !ok || !r.GOT {
		return 0
	}
	return addr
}

// store notes where a store goes, and addresses stored as numbers.
func (s *summary) store(o *op, addr uint64, constant bool) {
	if constant {
		s.direct(addr)
		if s.m.File.Go != nil {
			s.fn.Written = append(s.fn.Written, addr)
		}
	} else {
		s.relative(o)
	}
	if o.dst == noReg {
		s.number(o.val)
	}
}

// add follows the sum of an address and a number, and that of a table and its element.
func (s *summary) add(o *op) {
	if o.b == noReg && s.has[o.a] {
		page := s.page[o.a]
		s.set(o.dst, s.known[o.a]+o.imm)
		if !page {
			s.mention(s.known[o.dst])
		}
		return
	}
	s.number(o.imm)
	table := o.b != noReg && (s.indexed[o.a] || o.b < nregs && s.indexed[o.b])
	s.has[o.dst], s.indexed[o.dst], s.slot[o.dst] = false, table, 0
}

// relative notes the address of a memory operand with registers: a table in a fixed file, or a
// place relative to a known address.
func (s *summary) relative(o *op) {
	s.number(o.imm)
	if o.a < nregs && s.has[o.a] && !s.page[o.a] {
		s.direct(s.known[o.a] + o.imm)
	}
}

func (s *summary) set(r reg, addr uint64) {
	if r < nregs {
		s.known[r], s.has[r], s.page[r], s.indexed[r], s.slot[r] = addr, true, false, false, 0
	}
}

// number notes a number that is an address in a file that is not moved.
func (s *summary) number(n uint64) {
	if s.fixed(n) {
		s.mention(n)
	}
}

func (s *summary) fixed(n uint64) bool { return s.m.File.Fixed && n != 0 && s.m.segment(n) != nil }

// mention notes an address that lies in the file.
func (s *summary) mention(addr uint64) {
	if s.m.segment(addr) == nil {
		return
	}
	s.fn.Mentions = append(s.fn.Mentions, addr)
}

// direct notes an address in the file that is read or written.
func (s *summary) direct(addr uint64) {
	if s.m.segment(addr) != nil {
		s.fn.Direct = append(s.fn.Direct, addr)
	}
}

// set sorts a list and takes out what is there twice.
func set(list []uint64) []uint64 {
	slices.Sort(list)
	return slices.Compact(list)
}
