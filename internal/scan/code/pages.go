package code

import "slices"

// A pager finds the addresses that aarch64 code computes from a page (ADRP) and an offset in
// the page, and from such addresses: GCC reaches several variables from one. Compilers load
// an address once and use it far away, behind branches and calls, so what registers hold is
// followed over the blocks of the function. What code stores in memory is not followed, nor
// what it leaves in registers for parts of the function elsewhere, which compilers do not do.
type pager struct {
	ops    []op
	all    [nregs]pages // the addresses that are put into a register anywhere
	blocks []pageBlock  // in the order of the code
	uses   func(addr uint64, o *op)
	m      *Module
	before [nregs][]pages // by register, what it can hold at the start of each block
	left   int            // addresses that may still be found
}

// An address that is one of more than maxPages is taken for any of the function, of which
// maxFound are found for each op: compilers need few.
const (
	maxPages = 16
	maxFound = 64
)

type pages []uint64

// A pageBlock is a piece of code that is entered at its start only.
type pageBlock struct {
	from, to int
	succs    []int
	entered  bool // from another block
	defines  [nregs]bool
	leaves   [nregs]uint64 // the address that a register defined in the block holds at its end, if not 0
}

// findPages calls use for every address that the ops of a function may compute or access
// relative to another.
func (m *Module) findPages(ops []op, use func(addr uint64, o *op)) {
	p := pager{m: m, ops: ops, uses: use, left: maxFound * len(ops)}
	if !slices.ContainsFunc(ops, func(o op) bool { return o.kind == opAddr }) {
		return
	}
	p.cut()
	for b := range p.blocks {
		p.follow(b)
	}
	for b := range p.blocks {
		p.use(b)
	}
}

// opAt returns the index of the first op at or after addr, or of the instruction that addr lies
// in: x86_64 code jumps over a LOCK prefix.
func opAt(ops []op, addr uint64) int {
	i, _ := slices.BinarySearchFunc(ops, addr, func(o op, addr uint64) int {
		if o.at+uint64(o.length) <= addr {
			return -1
		}
		return 1
	})
	return i
}

// cut divides the ops into blocks and links them.
func (p *pager) cut() {
	ops := p.ops
	starts := make([]bool, len(ops)+1)
	starts[0] = true
	inside := func(addr uint64) bool {
		return addr >= ops[0].at && addr <= ops[len(ops)-1].at
	}
	for i := range ops {
		o := &ops[i]
		if o.kind == opBranch || o.ends() {
			starts[i+1] = true
			if (o.kind == opBranch || o.kind == opJump) && inside(o.imm) {
				starts[opAt(ops, o.imm)] = true
			}
		}
	}
	blockOf := make([]int, len(ops))
	for i := range ops {
		if starts[i] {
			p.blocks = append(p.blocks, pageBlock{from: i})
		}
		blockOf[i] = len(p.blocks) - 1
		p.blocks[blockOf[i]].to = i + 1
	}
	link := func(from, to int) {
		p.blocks[from].succs = append(p.blocks[from].succs, to)
		p.blocks[to].entered = true
	}
	for b := range p.blocks {
		last := &ops[p.blocks[b].to-1]
		if (last.kind == opBranch || last.kind == opJump) && inside(last.imm) {
			link(b, blockOf[opAt(ops, last.imm)])
		}
		if !last.ends() && b+1 < len(p.blocks) {
			link(b, b+1)
		}
	}
}

// follow notes what block b leaves in registers.
func (p *pager) follow(b int) {
	block := &p.blocks[b]
	for i := block.from; i < block.to; i++ {
		o := &p.ops[i]
		p.define(o, &block.defines, &block.leaves)
		if o.dst < nregs && block.leaves[o.dst] != 0 && o.kind < opStore {
			p.all[o.dst] = append(p.all[o.dst], block.leaves[o.dst])
		}
	}
}

// define notes which registers o writes, and with which address.
func (p *pager) define(o *op, defines *[nregs]bool, holds *[nregs]uint64) {
	switch o.kind {
	case opStore, opTouch, opJump, opBranch, opJumpAt, opJumpTo, opRet, opTrap:
		return
	case opCall, opCallAt, opCallTo:
		for r := range reg(nregs) {
			if !p.m.preserved(r) {
				defines[r], holds[r] = true, 0
			}
		}
		return
	case opSite, opLegacy:
		defines[0], holds[0] = true, 0
		return
	}
	if o.dst >= nregs {
		return
	}
	addr := uint64(0)
	switch {
	case o.kind == opAddr, o.kind == opLea && o.a == noReg && o.b == noReg:
		addr = o.imm
	case o.kind == opAdd && o.b == noReg && o.width == 8 && holds[o.a] != 0:
		addr = holds[o.a] + o.imm
	case o.kind == opMove && o.width == 8 && o.a < nregs:
		addr = holds[o.a]
	}
	defines[o.dst], holds[o.dst] = true, addr
}

// use finds the uses of addresses in block b.
func (p *pager) use(b int) {
	block := &p.blocks[b]
	var defined [nregs]bool
	var holds [nregs]uint64
	for i := block.from; i < block.to; i++ {
		o := &p.ops[i]
		switch o.kind {
		case opAdd, opLoad, opStore, opTouch:
			if o.a >= nregs || len(p.all[o.a]) == 0 || o.kind == opAdd && o.b != noReg {
				break
			}
			if !defined[o.a] {
				for _, page := range p.reaching(b, o.a) {
					p.uses(page+o.imm, o)
				}
			} else if holds[o.a] != 0 {
				p.uses(holds[o.a]+o.imm, o)
			}
		}
		p.define(o, &defined, &holds)
	}
}

// reaching returns the addresses that r can hold at the start of block b.
func (p *pager) reaching(b int, r reg) pages {
	if p.before[r] == nil {
		p.before[r] = p.spread(r)
	}
	found := p.before[r][b]
	found = found[:min(len(found), max(p.left, 0))]
	p.left -= len(found)
	return found
}

// spread computes what r can hold at the start of all blocks.
func (p *pager) spread(r reg) []pages {
	before := make([]pages, len(p.blocks))
	all := set(slices.Clone(p.all[r]))
	var work []int
	add := func(b int, addrs pages) {
		more := set(slices.Concat(before[b], addrs))
		if len(more) > maxPages {
			more = all
		}
		if len(more) > len(before[b]) {
			before[b] = more
			work = append(work, b)
		}
	}
	leave := func(b int, addrs pages) {
		for _, next := range p.blocks[b].succs {
			add(next, addrs)
		}
	}
	for b := range p.blocks {
		if !p.blocks[b].entered && b > 0 {
			add(b, all) // entered by a jump through a table, an unwinder, or another function
		}
		if p.blocks[b].leaves[r] != 0 {
			leave(b, pages{p.blocks[b].leaves[r]})
		}
	}
	for len(work) > 0 {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		if !p.blocks[b].defines[r] {
			leave(b, before[b])
		}
	}
	return before
}
