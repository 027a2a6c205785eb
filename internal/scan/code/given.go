package code

import (
	"maps"
	"slices"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// Compilers load the address of an imported function from the GOT once and call it several
// times, in a loop for example. Whether a function does nothing else with what it loaded
// decides whether others can call it: registers are followed until the value is overwritten,
// and whatever else an instruction does with one counts as giving it away. That code computes
// with the address of a function by instructions that are not followed, to get the address
// again elsewhere, is left out.

// A giving finds the words of the GOT whose contents a function gives away.
type giving struct {
	words  map[uint64]bool // that it gives away
	sent   map[uint64]bool // see Flow.Sent
	loaded map[uint64]bool // that it loads into registers
	pages  map[*op]uint64  // by what reads it, at an address computed from a page
}

// startGiving prepares that ops tell what they give away.
func (f *flow) startGiving() {
	f.giving = giving{words: make(map[uint64]bool), sent: make(map[uint64]bool), loaded: make(map[uint64]bool), pages: make(map[*op]uint64)}
	f.m.findPages(f.ops, func(addr uint64, o *op) {
		if f.m.imported(addr) {
			f.giving.pages[o] = addr
		}
	})
}

// given returns the words that the function gives away: those as well that it reads in other ways
// than by loads of which the address is known.
func (f *flow) given() []uint64 {
	g := &f.giving
	for _, addr := range f.m.Funcs[f.fn].Direct {
		if f.m.imported(addr) && (!g.loaded[addr] || g.words[anySlot]) {
			g.words[addr] = true
		}
	}
	return slices.Sorted(maps.Keys(g.words))
}

// reads notes which words of the GOT an op reads.
func (f *flow) reads(s *state, o *op) {
	at := f.address(s, o)
	if at != nil && len(at.addrs) == 1 && at.equal(address(at.addrs[0])) && o.kind == opLoad && o.width == 8 {
		f.giving.loaded[at.addrs[0]] = true
		return
	}
	if addr, ok := f.giving.pages[o]; ok {
		f.giving.words[addr] = true
	}
	if at == nil {
		return
	}
	for _, addr := range at.addrs {
		if f.m.imported(addr) {
			f.giving.words[addr] = true
		}
	}
}

// imported tells whether a word of the GOT is that of a symbol.
func (m *Module) imported(addr uint64) bool {
	r, ok := m.File.Reloc(addr)
	return ok && r.GOT && r.Symbol >= 0
}

// keep notes which registers hold contents of the GOT over a call. An unwinder leaves them to
// code that nothing else reaches.
func (f *flow) keep(s *state) {
	for r, v := range s.regs {
		if v.holds() {
			if all := unionSlots(f.kept[r], v.slots); !slices.Equal(all, f.kept[r]) {
				f.kept[r], f.moved = all, true
			}
		}
	}
}

// give notes that contents of the GOT which a value can be go elsewhere.
func (f *flow) give(v *value) {
	if v.holds() {
		for _, addr := range v.slots {
			f.giving.words[addr] = true
		}
	}
}

// send notes that contents of the GOT which a value can be leave the function.
func (f *flow) send(v *value) {
	if v.holds() {
		for _, addr := range v.slots {
			f.giving.sent[addr] = true
		}
	}
}

// sends notes which contents of the GOT leave the function by a call, a return or a store.
func (f *flow) sends(s *state, o *op) {
	switch o.kind {
	case opCall, opCallAt, opCallTo, opJump, opBranch, opJumpAt, opJumpTo:
		if (o.kind == opJump || o.kind == opBranch) && f.inside(o.imm) {
			return
		}
		args := amd64Args[:]
		if f.m.File.Machine == object.ARM64 {
			args = []reg{0, 1, 2, 3, 4, 5, 6, 7, 8}
		}
		for _, r := range args {
			f.send(s.regs[r])
		}
		f.send(s.regs[rcx]) // the kernel has R10 in its place
	case opRet:
		f.send(s.regs[0])
	case opStore:
		if at := f.address(s, o); at == nil || !at.isStack() && (at.unknown || len(at.entry)+len(at.slots) > 0) {
			f.send(f.get(s, o.dst))
		}
	}
}

// giveAll notes that what registers hold is there for code which is not followed, but for what
// control goes through.
func (f *flow) giveAll(s *state, but reg) {
	for r, v := range s.regs {
		if reg(r) != but {
			f.give(v)
		}
	}
}

// gives notes which contents of the GOT an op gives away.
func (f *flow) gives(s *state, o *op) {
	switch o.kind {
	case opLoad, opTouch:
		f.reads(s, o)
	case opTest, opConst, opAddr, opTrap:
	case opMove, opExtend, opSelect:
		if o.width != 8 {
			f.give(f.get(s, o.a))
			f.give(f.get(s, o.b))
		}
	case opClobber: // perhaps computed from what was there
		f.give(f.get(s, o.dst))
	case opStore:
		f.reads(s, o)
		f.give(f.get(s, o.dst))
	case opUse, opAdd, opSub, opAnd, opOr, opXor, opShl, opShr, opLea:
		f.give(f.get(s, o.a))
		f.give(f.get(s, o.b))
	case opCall, opCallAt, opCallTo, opSite, opLegacy:
		f.giveCallee(s, o)
	case opRet:
		for r := range reg(nregs) {
			if !f.m.preserved(r) {
				f.give(s.regs[r])
			}
		}
	case opJump, opBranch:
		if !f.inside(o.imm) {
			f.giveAll(s, noReg)
		}
	case opJumpAt:
		f.giveAll(s, noReg)
	case opJumpTo:
		f.giveAll(s, f.through(o))
	}
}

// giveCallee notes what a call gives away: what registers hold that it does not preserve. Of
// those, the one with its target has nothing for the callee, unless it is one for arguments.
func (f *flow) giveCallee(s *state, o *op) {
	target := noReg
	if o.kind == opCallTo {
		target = f.through(o)
	}
	for r := range reg(nregs) {
		if !f.m.preserved(r) && r != target {
			f.give(s.regs[r])
		}
	}
}

// through returns the register that has the target of a call or jump, noReg if it may also have
// an argument.
func (f *flow) through(o *op) reg {
	args := amd64Args[:]
	if f.m.File.Machine == object.ARM64 {
		args = []reg{0, 1, 2, 3, 4, 5, 6, 7, 8}
	} else if o.a == rcx { // the kernel has R10 in its place
		return noReg
	}
	if slices.Contains(args, o.a) {
		return noReg
	}
	return o.a
}
