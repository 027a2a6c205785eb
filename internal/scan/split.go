package scan

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/internal/scan/object"
)

// maxSplits bounds how often a file is read again because code in it shows more functions.
const maxSplits = 3

// split divides functions of a file where others begin of which the file says nothing, as in
// musl's libc: at targets of calls, and in gaps between known functions at targets of jumps
// and of pointers. It reports whether there were any.
func split(f *object.File, m *code.Module) bool {
	inside := func(addr uint64) (*object.Func, bool) {
		i := sort.Search(len(f.Funcs), func(i int) bool { return f.Funcs[i].Addr > addr }) - 1
		if i < 0 || addr == f.Funcs[i].Addr || addr-f.Funcs[i].Addr >= f.Funcs[i].Size {
			return nil, false
		}
		return &f.Funcs[i], true
	}
	var starts []uint64
	pointer := func(addr uint64) {
		if fn, ok := inside(addr); ok && fn.Gap && looksLikeStart(f, addr) {
			starts = append(starts, addr)
		}
	}
	for i := range m.Funcs {
		for _, c := range m.Funcs[i].Calls {
			if c.Middle == 0 {
				continue
			}
			if fn, ok := inside(c.Middle); ok && (fn.Gap || !c.Tail) {
				starts = append(starts, c.Middle)
			}
		}
		for _, addr := range m.Funcs[i].Mentions {
			pointer(addr)
		}
	}
	for _, r := range f.Relocs {
		if r.Symbol < 0 {
			pointer(r.Addend)
		}
	}
	if len(starts) == 0 {
		return false
	}
	slices.Sort(starts)
	var parts []object.Func
	for _, start := range slices.Compact(starts) {
		fn, _ := inside(start)
		end := fn.Addr + fn.Size
		parts = append(parts, object.Func{Addr: start, Size: end - start, Gap: fn.Gap})
	}
	f.Funcs = append(f.Funcs, parts...)
	slices.SortStableFunc(f.Funcs, func(a, b object.Func) int { return cmp.Compare(a.Addr, b.Addr) })
	for i := range f.Funcs[:len(f.Funcs)-1] {
		fn := &f.Funcs[i]
		fn.Size = min(fn.Size, f.Funcs[i+1].Addr-fn.Addr)
	}
	return true
}

// looksLikeStart reports whether code before an address does not run into it: then the
// address is that of a function, and not of a place in one.
func looksLikeStart(f *object.File, addr uint64) bool {
	for _, s := range f.Segments {
		at := addr - s.Addr
		if addr < s.Addr || at < 4 || at > uint64(len(s.Data)) {
			continue
		}
		before := s.Data[:at]
		if f.Machine == object.AMD64 {
			const ret, trap, nop, hlt, ud2 = 0xc3, 0xcc, 0x90, 0xf4, 0x0b // the last bytes of these
			return addr%16 == 0 || bytes.IndexByte([]byte{ret, trap, nop, hlt, ud2}, before[at-1]) >= 0
		}
		const ret, nop, udf, jump = 0xd65f03c0, 0xd503201f, 0, 5 // jump: the upper bits of B
		last := binary.LittleEndian.Uint32(before[at-4:])
		return last == ret || last == nop || last == udf || last>>26 == jump
	}
	return false
}
