package code

import "slices"

// A pager finds the addresses that aarch64 code computes from a page (ADRP) and an offset in
// the page. Compilers load a page once and use it far away, behind branches and calls, so
// which page a register holds is followed backward from each use over the blocks of the
// function. Pages that code stores in memory are not followed: none of the compilers does.
type pager struct {
	ops    []op
	regs   [nregs]bool  // registers into which a page is loaded somewhere
	all    [nregs]pages // and all pages that are
	blocks []pageBlock  // in the order of the code
	jumps  []int        // blocks that end in a jump to an unknown place
	uses   func(addr uint64, o *op)
	m      *Module
	known  map[pageUse]pages
}

// A pageUse is a use of a register that was defined before the block.
type pageUse struct {
	block int
	r     reg
}

type pages []uint64

// A pageBlock is a piece of code that is entered at its start only.
type pageBlock struct {
	from, to int
	preds    []int
	defines  [nregs]bool
	leaves   [nregs]uint64 // the page that a register defined in the block holds at its end, if not 0
}

// findPages calls use for every address that the ops of a function may compute or access
// relative to a page.
func (m *Module) findPages(ops []op, use func(addr uint64, o *op)) {
	p := pager{m: m, ops: ops, uses: use, known: map[pageUse]pages{}}
	found := false
	for i := range ops {
		if o := &ops[i]; o.kind == opAddr {
			p.regs[o.dst], found = true, true
			p.all[o.dst] = append(p.all[o.dst], o.imm)
		}
	}
	if !found {
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
	link := func(from, to int) { p.blocks[to].preds = append(p.blocks[to].preds, from) }
	for b := range p.blocks {
		last := &ops[p.blocks[b].to-1]
		if (last.kind == opBranch || last.kind == opJump) && inside(last.imm) {
			link(b, blockOf[opAt(ops, last.imm)])
		}
		if last.kind == opJumpTo {
			p.jumps = append(p.jumps, b)
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
		p.define(&p.ops[i], &block.defines, &block.leaves)
	}
}

// define notes which registers o writes, and with which page.
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
	page := uint64(0)
	if o.kind == opAddr {
		page = o.imm
	}
	defines[o.dst], holds[o.dst] = true, page
}

// use finds the uses of pages in block b.
func (p *pager) use(b int) {
	block := &p.blocks[b]
	var defined [nregs]bool
	var holds [nregs]uint64
	for i := block.from; i < block.to; i++ {
		o := &p.ops[i]
		switch o.kind {
		case opAdd, opLoad, opStore, opTouch:
			if o.a >= nregs || !p.regs[o.a] || o.kind == opAdd && o.b != noReg {
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

// reaching returns the pages that r can hold at the start of block b.
func (p *pager) reaching(b int, r reg) pages {
	use := pageUse{b, r}
	found, ok := p.known[use]
	if !ok {
		found = p.search(b, r)
		p.known[use] = found
	}
	return found
}

func (p *pager) search(b int, r reg) pages {
	var found pages
	seen := make([]bool, len(p.blocks))
	for work := []int{b}; len(work) > 0; {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		preds := p.blocks[b].preds
		if len(preds) == 0 && b > 0 {
			if preds = p.jumps; len(preds) == 0 {
				return p.all[r] // entered by an unwinder, or by another function
			}
		}
		for _, q := range preds {
			switch {
			case seen[q]:
				continue
			case !p.blocks[q].defines[r]:
				work = append(work, q)
			case p.blocks[q].leaves[r] != 0:
				found = append(found, p.blocks[q].leaves[r])
			}
			seen[q] = true
		}
	}
	return set(found)
}
