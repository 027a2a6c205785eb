package object

import (
	"cmp"
	"slices"
	"strings"
)

// A start is where a function, or an area of code, begins; size 0 is unknown.
type start struct {
	addr, size uint64
	name       string
}

// functions lays out all code as functions: from symbols, .eh_frame, the pclntab, the PLT,
// the entry point and what runs at start and exit, with the gaps between.
func (r *reader) functions() {
	r.frames()
	for _, s := range r.file.Symbols {
		inGo := r.goText.Start <= s.Addr && s.Addr < r.goText.End
		if s.Defined && !s.object && s.Addr != 0 && !inGo && r.file.Executable(s.Addr) {
			r.starts = append(r.starts, start{addr: s.Addr, size: s.Size, name: s.Name})
		}
	}
	for _, addr := range slices.Concat([]uint64{r.file.Entry}, r.file.Init, r.file.Fini) {
		if addr != 0 {
			r.starts = append(r.starts, start{addr: addr})
		}
	}
	for _, reloc := range r.file.Relocs {
		if reloc.Resolver && r.file.Executable(reloc.Addend) {
			r.starts = append(r.starts, start{addr: reloc.Addend})
		}
	}
	starts := mergeStarts(r.starts)
	for _, area := range r.code() {
		from, _ := slices.BinarySearchFunc(starts, area.addr, byAddr)
		to, _ := slices.BinarySearchFunc(starts, area.addr+area.size, byAddr)
		r.area(area, starts[from:to])
	}
}

func byAddr(s start, addr uint64) int { return cmp.Compare(s.addr, addr) }

// mergeStarts sorts them and makes one of those at one address: the plainest name, the
// largest size.
func mergeStarts(starts []start) []start {
	slices.SortFunc(starts, func(a, b start) int {
		return cmp.Or(cmp.Compare(a.addr, b.addr), compareNames(a.name, b.name), cmp.Compare(b.size, a.size))
	})
	merged := starts[:0]
	for _, s := range starts {
		if n := len(merged); n > 0 && merged[n-1].addr == s.addr {
			merged[n-1].size = max(merged[n-1].size, s.size)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// compareNames orders the names of one function by how much they tell a reader: open before
// open64, __open and none.
func compareNames(a, b string) int {
	rank := func(name string) int {
		if name == "" {
			return 1 << 30
		}
		return 1000*(len(name)-len(strings.TrimLeft(name, "_"))) + len(name)
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
}

// area adds the functions of one area of code. One whose size is unknown goes as far as the
// next, and counts as a gap unless it has a name: without .eh_frame, much else can be behind
// the entry point. What follows a start within another function still belongs to code.
func (r *reader) area(area start, starts []start) {
	end := area.addr + area.size
	at := area.addr // up to where code is accounted for
	for i, s := range starts {
		r.gap(at, s.addr)
		next := end
		if i+1 < len(starts) {
			next = starts[i+1].addr
		}
		unknown := s.size == 0 && at <= s.addr
		if unknown {
			at = next
		}
		at = max(at, s.addr+min(s.size, end-s.addr))
		r.file.Funcs = append(r.file.Funcs, Func{
			Addr: s.addr, Size: min(at, next) - s.addr, Name: s.name, Gap: unknown && s.name == "",
		})
	}
	r.gap(at, end)
}

// gap adds the space between two functions, but for the padding around what it holds.
func (r *reader) gap(from, to uint64) {
	if to <= from {
		return
	}
	code, ok := r.file.bytesOf(from, to-from)
	if !ok {
		return
	}
	if n := uint64(padding(r.file.Machine, code)); n < to-from {
		r.file.Funcs = append(r.file.Funcs, Func{Addr: from + n, Size: to - from - n, Gap: true})
	}
}
