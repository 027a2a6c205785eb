package code

import (
	"math"
	"slices"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// A flow computes the values in one function, block by block until nothing changes.
type flow struct {
	m       *Module
	fn      int
	ops     []op
	sp      reg
	frame   reg
	base    int64 // where words of the caller begin, from the stack pointer on entry
	blocks  []block
	work    []bool             // blocks whose state changed since they were run ...
	pending int                // ... and how many,
	cursor  int                // all at or after this one
	escaped [parts]int64       // the lowest place in each part of the stack whose address went elsewhere
	moved   bool               // there is a lower one than when the run began
	tables  []uint64           // where jump tables of the function lead
	at      *state             // join of what was at indirect jumps
	open    []int              // blocks that are entered with it, as nothing else reaches them
	results map[uint64][]int64 // by function, see resultWords
	kept    [nregs][]uint64    // words of the GOT whose contents registers hold over calls
	giving  giving
	left    int // steps that the function may still take
}

// A block is a piece of code that is entered at its start only.
type block struct {
	from, to int // ops
	in       *state
	visits   int
}

// A function takes at most baseSteps steps, and stepsPerOp for each op; real ones need a third of
// that. A block that is visited more than widenAfter times knows only what never changed.
const (
	baseSteps  = 1 << 16
	stepsPerOp = 256
	widenAfter = 12
)

// Flow computes the values in the function with index fn of m.
func (m *Module) Flow(fn int) Flow {
	f := flow{m: m, fn: fn, ops: m.translate(fn, nil), results: map[uint64][]int64{}}
	f.sp, f.frame = m.stackRegs()
	if m.File.Machine == object.AMD64 {
		f.base = 8 // the return address is below
	}
	f.escaped = [parts]int64{math.MaxInt64 - 64, math.MaxInt64 - 64, math.MaxInt64 - 64}
	f.left = baseSteps + stepsPerOp*len(f.ops)
	f.cut()
	for f.moved = true; f.moved; {
		f.moved = false
		f.run()
	}
	return f.result()
}

// run computes the states of all blocks.
func (f *flow) run() {
	for i := range f.blocks {
		f.blocks[i].in, f.blocks[i].visits = nil, 0
	}
	f.at, f.open = nil, nil
	if len(f.blocks) == 0 {
		return
	}
	f.enter(0, f.entryState())
	for _, addr := range f.m.indexed().inner[f.fn] {
		f.enterAt(addr, f.lostState())
	}
	f.settle()
	// What no jump reaches is entered through a jump table, by an unwinder, or not at all.
	for i := range f.blocks {
		if f.blocks[i].in != nil {
			continue
		}
		if f.at != nil {
			f.open = append(f.open, i)
			f.enter(i, f.at)
		} else {
			f.enter(i, f.lostState())
		}
		f.settle()
	}
}

// entryState has in every place what it holds on entry.
func (f *flow) entryState() *state {
	s := &state{}
	for r := range s.regs {
		s.regs[r] = onEntry(Place(r))
	}
	s.regs[temp] = unknown
	s.regs[f.sp] = stackAddr(0)
	return s
}

// lostState knows nothing, but for what an unwinder leaves in registers: what they held over calls. Its stack pointer is what others say it is there: in compiled code
// each instruction has its own depth of the stack.
func (f *flow) lostState() *state {
	s := &state{lost: true}
	for r := range s.regs {
		s.regs[r] = unknown
		if len(f.kept[r]) > 0 {
			s.regs[r] = &value{unknown: true, slots: f.kept[r]}
		}
	}
	s.regs[f.sp] = nil
	return s
}

// cut divides the ops into blocks.
func (f *flow) cut() {
	starts := make([]bool, len(f.ops)+1)
	starts[0] = true
	for _, addr := range f.m.indexed().inner[f.fn] {
		starts[opAt(f.ops, addr)] = true
	}
	indirect := false
	for i := range f.ops {
		switch o := &f.ops[i]; o.kind {
		case opBranch, opJump:
			starts[i+1] = true
			if f.inside(o.imm) {
				starts[opAt(f.ops, o.imm)] = true
			}
		case opJumpTo:
			indirect = true
			starts[i+1] = true
		case opJumpAt, opRet, opTrap:
			starts[i+1] = true
		case opCall, opCallAt:
			if f.m.stops(o) {
				starts[i+1] = true
			}
		}
	}
	if indirect {
		f.findTables()
		for _, addr := range f.tables {
			starts[opAt(f.ops, addr)] = true
		}
	}
	for i := range f.ops {
		if starts[i] {
			f.blocks = append(f.blocks, block{from: i, to: i + 1})
		} else {
			f.blocks[len(f.blocks)-1].to = i + 1
		}
	}
	f.work = make([]bool, len(f.blocks))
}

func (f *flow) inside(addr uint64) bool {
	fn := &f.m.File.Funcs[f.fn]
	return addr-fn.Addr < fn.Size
}

// blockAt returns the index of the block at addr, or -1 at the end of the function.
func (f *flow) blockAt(addr uint64) int {
	op := opAt(f.ops, addr)
	i, ok := slices.BinarySearchFunc(f.blocks, op, func(b block, op int) int { return b.from - op })
	if !ok {
		return -1
	}
	return i
}

// enter joins s into the state at the start of block i.
func (f *flow) enter(i int, s *state) {
	b := &f.blocks[i]
	switch {
	case b.in == nil:
		b.in = s.clone()
	case !b.in.merge(s, f.base, b.visits > widenAfter):
		return
	}
	if !f.work[i] {
		f.work[i] = true
		f.pending++
	}
	f.cursor = min(f.cursor, i)
}

// enterAt joins s into the state of the block at addr, if that lies in the function.
func (f *flow) enterAt(addr uint64, s *state) {
	if !f.inside(addr) {
		return
	}
	if i := f.blockAt(addr); i >= 0 {
		f.enter(i, s)
	}
}

// settle runs blocks whose state changed until none does, or until that takes too long.
func (f *flow) settle() {
	for f.pending > 0 && f.left > 0 {
		i := f.cursor
		f.cursor++
		if f.work[i] {
			f.work[i] = false
			f.pending--
			f.runBlock(i) // lowers the cursor when it changes a block before
		}
	}
}

// runBlock follows block i from its state to the blocks behind it.
func (f *flow) runBlock(i int) {
	b := &f.blocks[i]
	b.visits++
	f.left -= b.to - b.from + len(b.in.slots)
	s := b.in.clone()
	for k := b.from; k < b.to; k++ {
		o := &f.ops[k]
		switch o.kind {
		case opBranch:
			s = f.branch(s, k, k == b.from)
		case opJump:
			f.enterAt(o.imm, s)
		case opJumpTo:
			f.jumpTo(s)
		case opCall, opCallAt:
			f.step(s, o)
			if f.m.stops(o) {
				return
			}
			continue
		}
		if o.ends() {
			return
		}
		f.step(s, o)
	}
	if i+1 < len(f.blocks) {
		f.enter(i+1, s)
	}
}

// branch passes s to where op k perhaps jumps, and returns the state if it does not. Where a
// register was just compared with a number and is equal, it holds that number.
// Flags from another block, or from before another instruction, are not followed.
func (f *flow) branch(s *state, k int, first bool) *state {
	o := &f.ops[k]
	if first || o.cond == anyCond || !f.testedBy(k) {
		f.enterAt(o.imm, s)
		return s
	}
	test := &f.ops[k-1]
	equal := s.clone()
	equal.regs[test.a] = number(test.imm)
	if o.cond == isOther {
		f.enterAt(o.imm, s)
		return equal
	}
	f.enterAt(o.imm, equal)
	return s
}

// testedBy tells whether the instruction before branch k, or its own, compares a register.
func (f *flow) testedBy(k int) bool {
	test := &f.ops[k-1]
	return test.kind == opTest && test.a != f.sp && test.at+uint64(test.length) >= f.ops[k].at
}

// jumpTo passes s to wherever jump tables lead, and to what nothing else reaches.
func (f *flow) jumpTo(s *state) {
	if f.at == nil {
		f.at = s.clone()
	} else {
		f.at.merge(s, f.base, false)
	}
	for _, addr := range f.tables {
		f.enterAt(addr, s)
	}
	for _, i := range f.open {
		f.enter(i, s)
	}
}
