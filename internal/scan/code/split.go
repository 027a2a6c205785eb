package code

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// maxSplits is how often gaps are divided: what is found to never return shows where more
// functions end.
const maxSplits = 3

// splitGaps divides the space between known functions where functions seem to start, and where
// other code calls, jumps to or mentions something in it; it tells whether it did. Files without
// .eh_frame, such as those of musl, hide their static functions there; stripped, they have no
// others. A place that is not the start of a function does no harm: what runs into it calls it.
func (r *reading) splitGaps() bool {
	var seem []uint64
	for i := range r.m.File.Funcs {
		if r.inGap(i) {
			r.ops = r.m.translate(i, r.ops[:0])
			seem = r.seemingStarts(&r.m.File.Funcs[i], seem)
		}
	}
	used := r.usedStarts()
	before := len(r.m.File.Funcs)
	r.m.File.Funcs = split(split(r.m.File.Funcs, set(seem), true), set(used), false)
	return len(r.m.File.Funcs) > before
}

// inGap tells whether function i is a gap or a part of one.
func (r *reading) inGap(i int) bool { return r.gapAt(r.m.File.Funcs[i].Addr) }

// gapAt tells whether an address is in a gap.
func (r *reading) gapAt(addr uint64) bool {
	gap, ok := slices.BinarySearchFunc(r.gaps, addr, func(g object.Func, addr uint64) int { return cmp.Compare(g.Addr, addr) })
	if !ok {
		gap--
	}
	return gap >= 0 && addr-r.gaps[gap].Addr < r.gaps[gap].Size
}

// usedStarts returns the places in gaps that calls, jumps and pointers lead to, and those in
// functions that are called: what assemblers write has a name for the first of several.
func (r *reading) usedStarts() []uint64 {
	m := r.m
	var starts []uint64
	add := func(addr uint64) {
		if !r.gapAt(addr) {
			return // there are few gaps, and many functions
		}
		if to := m.File.Func(addr); to >= 0 && r.inGap(to) {
			starts = append(starts, addr)
		}
	}
	for i := range m.Funcs {
		for _, c := range m.Funcs[i].Calls {
			switch {
			case c.Middle == 0:
				add(c.To)
			case c.Tail && r.inGap(i):
				// It is in seemingStarts if it looks like a call.
			case c.Tail:
				add(c.enters())
			default:
				starts = append(starts, c.enters())
			}
		}
		for _, addr := range m.Funcs[i].Mentions {
			add(addr)
		}
	}
	for _, r := range m.File.Relocs {
		if r.Symbol < 0 {
			add(r.Addend)
		}
	}
	if m.File.Fixed { // its tables of functions have no relocations
		Words(m.File, func(_, word uint64) { add(word) })
	}
	for _, addr := range slices.Concat(m.File.Init, m.File.Fini, []uint64{m.File.Entry}) {
		add(addr)
	}
	return starts
}

// Words calls a function with the words of a file's data that lie in the file, and where they
// are: at any address, as C may pack them, but in a Go program only where Go aligns them.
func Words(f *object.File, each func(at, word uint64)) {
	if len(f.Segments) == 0 {
		return
	}
	last := &f.Segments[len(f.Segments)-1]
	low, size := f.Segments[0].Addr, last.Addr+last.Size-f.Segments[0].Addr
	for _, s := range f.Segments {
		if s.Executable {
			continue
		}
		from, step := uint64(0), uint64(1)
		if f.Go != nil {
			from, step = -s.Addr%8, 8
		}
		for i := from; i+8 <= uint64(len(s.Data)); i += step {
			if word := binary.LittleEndian.Uint64(s.Data[i:]); word-low < size {
				each(s.Addr+i, word)
			}
		}
	}
}

// split cuts functions at the given places. What begins at one is a gap or not, as told.
func split(funcs []object.Func, starts []uint64, gap bool) []object.Func {
	var all []object.Func
	for _, f := range funcs {
		for len(starts) > 0 && starts[0] < f.Addr+f.Size {
			switch at := starts[0]; {
			case at == f.Addr:
				f.Gap = f.Gap && gap
			case at > f.Addr:
				first := f
				first.Size = at - f.Addr
				all = append(all, first)
				f = object.Func{Addr: at, Size: f.Size - first.Size, Gap: gap}
			}
			starts = starts[1:]
		}
		all = append(all, f)
	}
	return all
}

// seemingStarts adds where functions seem to start in a gap, whose ops were just read: aligned,
// behind code that ends, and reached by nothing but unconditional jumps from outside.
func (r *reading) seemingStarts(f *object.Func, starts []uint64) []uint64 {
	crossed := make([]int, len(r.ops)+1) // jumps that begin to cross the place before an op, less those that end
	for i := range r.ops {
		o := &r.ops[i]
		if o.kind != opJump && o.kind != opBranch || o.imm-f.Addr >= f.Size {
			continue
		}
		to := opAt(r.ops, o.imm)
		if o.kind == opJump && o.imm&15 == 0 && to > 0 && r.m.stops(&r.ops[to-1]) {
			starts = append(starts, o.imm)
			continue
		}
		crossed[min(i, to)+1]++
		crossed[min(max(i, to)+1, len(r.ops))]--
	}
	sum := 0
	for i := 1; i < len(r.ops); i++ {
		sum += crossed[i]
		last := &r.ops[i-1]
		if at := (last.at + uint64(last.length) + 15) &^ 15; sum == 0 && at <= r.ops[i].at && r.ops[i].kind != opTrap && r.m.stops(last) {
			starts = append(starts, at)
		}
	}
	return starts
}

// dropData forgets what was read of parts of gaps that cannot be functions: assemblers put tables
// of constants between functions.
func (r *reading) dropData() {
	for i := range r.m.Funcs {
		if !r.inGap(i) {
			continue
		}
		r.ops = r.m.translate(i, r.ops[:0])
		if isData(r.ops) {
			r.m.Funcs[i], r.returns[i] = Function{}, returning{always: true, call: -1}
		}
	}
}

// isData tells whether control comes to something that only data holds, before it ends.
func isData(ops []op) bool {
	for i := range ops {
		switch {
		case ops[i].fault:
			return true
		case ops[i].ends():
			return false
		}
	}
	return false
}
