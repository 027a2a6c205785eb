package scan

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// A fid is a function of a program: of the module with an index.
type fid struct{ mod, fn int32 }

// none stands for the kernel, which starts what is no function's doing.
var none = fid{-1, -1}

// A node is what is known of a function while a program is explored.
type node struct {
	reached bool
	taken   bool  // its address is known to code that may call it with any arguments ...
	stored  bool  // ... and may be anywhere, not only where functions load it from the GOT
	taker   fid   // of several the first
	takers  []fid // of each module that has some, the first
	root    bool  // the kernel, ld.so or an unknown caller enters it
	parent  fid
	how     string
	callers []edge
}

// An edge is a call of a function.
type edge struct {
	from fid
	call int32 // index into Function.Calls
}

// A load is a function that loads the address of another from a word of the GOT.
type load struct {
	from fid
	slot uint64
}

// A reach is the exploration of a program from where it starts: breadth first, so that the
// parents of a function are the shortest way to it that is known then.
type reach struct {
	queue  []fid
	loads  map[fid][]load
	late   map[fid][]lateEdge
	again  bool // all is reached, and shorten looks for shorter ways
	golang golang
}

// explore starts at the entries of a program and goes on until nothing new is reached.
func (p *program) explore() {
	p.enter(p.modules)
	for {
		p.drain()
		p.releaseGuards()
		p.goMethods()
		p.follow()
		rest(p.files.open)
		if len(p.queue) == 0 {
			return
		}
	}
}

// enter reaches what runs when modules are loaded.
func (p *program) enter(modules []*module) {
	p.guard(modules)
	p.roots(modules)
}

// roots reaches what the kernel and ld.so call in modules, and what data of the program points to.
func (p *program) roots(modules []*module) {
	for _, m := range modules {
		f := m.file
		if f.Entry != 0 && (m.index == 0 || m.why == "interpreter") {
			p.visit(target{m, f.Entry}, none, "entry", false)
		}
		if m.why == "interpreter" {
			p.stages(m)
		}
		for _, addr := range f.Init {
			p.visit(target{m, addr}, none, "constructor", false)
		}
		for _, addr := range f.Fini {
			p.visit(target{m, addr}, none, "destructor", false)
		}
		if f.Go != nil {
			for _, addr := range f.Go.InitTask {
				p.visit(target{m, addr}, none, "package initialisation", false)
			}
		}
		for _, r := range m.relocs {
			switch {
			case r.Resolver:
				p.visit(target{m, r.Addend}, none, "IFUNC resolver", false)
			case m.index == 0 && f.Go == nil && !r.GOT, f.Threads.Start <= r.Addr && r.Addr < f.Threads.End:
				p.refer(m, r, none, "in data")
			}
		}
	}
}

// stages reaches the functions in which musl's ld.so (ldso/dynlink.c) goes on once it has
// relocated itself: it looks for them by name, as for symbols of a library.
func (p *program) stages(m *module) {
	for _, name := range [...]string{"__dls2b", "__dls3"} {
		for _, i := range m.defs[name] {
			p.visit(target{m, m.file.Symbols[i].Addr}, none, "entry", false)
		}
	}
}

// drain explores what functions in the queue lead to.
func (p *program) drain() {
	for len(p.queue) > 0 {
		id := p.queue[0]
		p.queue = p.queue[1:]
		p.expand(id)
	}
}

// expand follows all that a function leads to.
func (p *program) expand(id fid) {
	m := p.modules[id.mod]
	f := &m.code.Funcs[id.fn]
	for i, c := range f.Calls {
		if c.Slot == 0 {
			p.call(id, i, target{m, c.To}, "call")
			continue
		}
		r, ok := m.reloc(c.Slot)
		switch {
		case !ok:
			if to, ok := m.word(c.Slot); ok && to != 0 {
				p.call(id, i, target{m, to}, "call")
			}
		default:
			for _, t := range p.targets(m, r, id, "plt") {
				p.call(id, i, t, "plt")
			}
		}
	}
	if p.isStub(m, m.file.Funcs[id.fn].Addr) {
		return // on aarch64 it computes the address of the word that it jumps through
	}
	for i, addr := range f.Mentions {
		if fn, ok := m.fn(addr); ok && i+1 < len(f.Mentions) && m.inside(f.Mentions[i+1], fn) {
			p.reachFunc(fid{id.mod, int32(fn)}, id, "compared", false)
			continue
		}
		p.mention(m, addr, id)
	}
	for _, addr := range f.Direct {
		if r, ok := m.reloc(addr); ok && r.GOT {
			p.loadWord(m, r, id)
			continue
		}
		p.walk(target{m, addr}, id)
	}
	if p.again {
		p.visitLateOf(id)
	}
}

// call reaches what a function calls.
func (p *program) call(from fid, index int, to target, how string) {
	fn, ok := to.mod.fn(to.addr)
	if !ok {
		return
	}
	id := fid{int32(to.mod.index), int32(fn)}
	if p.holds(from, id, index, how) {
		return
	}
	p.addCaller(id, edge{from, int32(index)})
	p.reachFunc(id, from, how, false)
}

// addCaller notes a call of a function.
func (p *program) addCaller(id fid, e edge) {
	if !p.again {
		n := &p.modules[id.mod].nodes[id.fn]
		n.callers = append(n.callers, e)
	}
}

// mention follows an address that a function computes.
func (p *program) mention(m *module, addr uint64, from fid) {
	if r, ok := m.reloc(addr); ok && r.GOT {
		p.word(m, r, from)
		return
	}
	p.visit(target{m, addr}, from, "mentioned", true)
}

// inside reports whether an address is in the middle of a function: a place to jump to, not
// one to call. Code that knows such a place and the start compares program counters with
// both, as musl does to cancel a thread in a system call, and does not call the function.
func (m *module) inside(addr uint64, fn int) bool {
	f := &m.file.Funcs[fn]
	return !f.Gap && addr > f.Addr && addr-f.Addr < f.Size
}

// word follows one word of the GOT.
func (p *program) word(m *module, r object.Reloc, from fid) {
	if !m.exact[r.Addr] {
		m.exact[r.Addr] = true
		p.refer(m, r, from, "mentioned")
	}
}

// loadWord follows a word of the GOT that a function reads.
func (p *program) loadWord(m *module, r object.Reloc, from fid) {
	for _, t := range p.targets(m, r, from, "mentioned") {
		fn, ok := t.mod.fn(t.addr)
		id := fid{int32(t.mod.index), int32(fn)}
		if !ok || t.mod.inside(t.addr, fn) || p.guardOf(from, id) != nil {
			p.word(m, r, from)
			return
		}
		if !p.again {
			p.loads[id] = append(p.loads[id], load{from, r.Addr})
		}
		p.take(id, from)
		p.reachFunc(id, from, "mentioned", false)
	}
}

// refer follows a relocation.
func (p *program) refer(m *module, r object.Reloc, from fid, how string) {
	for _, t := range p.targets(m, r, from, how) {
		p.visit(t, from, how, true)
	}
}

// targets returns what a relocated word points to: several places if it is not known which
// version of a symbol counts. If no module has the symbol, the reference waits for one.
func (p *program) targets(m *module, r object.Reloc, from fid, how string) []target {
	if r.Symbol < 0 || r.Symbol >= len(m.file.Symbols) {
		return []target{{m, r.Addend}}
	}
	if p.holdsName(m, m.file.Symbols[r.Symbol].Name) {
		return nil
	}
	found, key := p.symbol(m, r.Symbol, r.Copy)
	if found == nil && p.again {
		return nil
	}
	if found == nil {
		p.missing[key.name] = append(p.missing[key.name], wanting{from, how, key})
		return nil
	}
	if r.Addend == 0 || r.GOT {
		return found
	}
	found = slices.Clone(found)
	for i := range found {
		found[i].addr += r.Addend
	}
	return found
}

// visit reaches a function, or follows what is in an object in data.
func (p *program) visit(t target, from fid, how string, taken bool) {
	if fn, ok := t.mod.fn(t.addr); ok {
		if id := (fid{int32(t.mod.index), int32(fn)}); !p.holds(from, id, -1, how) {
			p.reachFunc(id, from, how, taken && !t.mod.inside(t.addr, fn))
		}
		return
	}
	p.walk(t, from)
}

// reachFunc notes that a function is reached.
func (p *program) reachFunc(id, from fid, how string, taken bool) {
	n := &p.modules[id.mod].nodes[id.fn]
	if taken && from != id {
		n.stored = true
		p.take(id, from)
	}
	n.root = n.root || from == none
	if n.reached {
		return
	}
	n.reached, n.parent, n.how = true, from, how
	p.queue = append(p.queue, id)
	p.noteFunc(id)
}

// take notes that a function knows the address of another.
func (p *program) take(id, from fid) {
	n := &p.modules[id.mod].nodes[id.fn]
	if !n.taken {
		n.taken, n.taker = true, from
	}
	if !slices.ContainsFunc(n.takers, func(id fid) bool { return id.mod == from.mod }) {
		n.takers = append(n.takers, from)
	}
}

// walk follows the pointers in an object and in all objects that these lead to. What it
// reaches is reached from the function that mentions the first.
func (p *program) walk(t target, from fid) {
	stack := []target{t}
	for len(stack) > 0 {
		t := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		m := t.mod
		p.goType(m, t.addr, from)
		r, ok := m.object(t.addr)
		if !ok || m.walked[r.Start] || m.listed(t.addr) {
			continue
		}
		m.walked[r.Start] = true
		p.goType(m, r.Start, from)
		for _, rel := range m.within(r) {
			if rel.GOT && rel.Addr != t.addr {
				continue
			}
			for _, to := range p.targets(m, rel, from, "in data") {
				if _, ok := to.mod.fn(to.addr); ok {
					p.visit(to, from, "in data", true)
					continue
				}
				stack = append(stack, to)
			}
		}
	}
}

// callers returns the calls of a function that are known so far.
func (p *program) callers(id fid) []edge { return slices.Clip(p.modules[id.mod].nodes[id.fn].callers) }

func compareFid(a, b fid) int { return cmp.Or(cmp.Compare(a.mod, b.mod), cmp.Compare(a.fn, b.fn)) }

// chain returns the way from an entry to a function.
func (p *program) steps(id fid) (steps []Step) {
	for id != none {
		n := &p.modules[id.mod].nodes[id.fn]
		steps = append(steps, p.step(id, n.how))
		id = n.parent
	}
	slices.Reverse(steps)
	return steps
}

func (p *program) step(id fid, how string) Step {
	m := p.modules[id.mod]
	return Step{Module: m.file.Path, Addr: m.file.Funcs[id.fn].Addr, Name: m.name(int(id.fn)), How: how}
}

// place names a function in messages.
func (p *program) place(id fid) string {
	s := p.step(id, "")
	return filepath.Base(s.Module) + ":" + cmp.Or(s.Name, fmt.Sprintf("%#x", s.Addr))
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
