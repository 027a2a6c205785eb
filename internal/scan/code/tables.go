package code

import "slices"

// maxTable is the number of entries of a jump table that are read.
const maxTable = 1 << 12

// findTables collects where the jump tables of the function can lead: any read-only data that
// it mentions and that reads as such a table counts as one, and so do labels whose address it
// takes. Two forms are read: offsets of four bytes from the table, and addresses.
func (f *flow) findTables() {
	fn := &f.m.Funcs[f.fn]
	for _, addr := range set(slices.Concat(fn.Mentions, fn.Direct)) {
		if f.inside(addr) {
			f.tables = append(f.tables, addr)
			continue
		}
		s := f.m.segment(addr)
		if s == nil || s.Writable {
			continue
		}
		f.readTable(addr, 4, func(at uint64) (uint64, bool) {
			n, ok := f.m.word(at, 4)
			return addr + uint64(int64(int32(n))), ok
		})
		f.readTable(addr, 8, func(at uint64) (uint64, bool) {
			if r, ok := f.m.File.Reloc(at); ok {
				return r.Addend, r.Symbol < 0
			}
			return f.m.word(at, 8)
		})
	}
	slices.Sort(f.tables)
	f.tables = slices.Compact(f.tables)
}

// readTable adds entries as long as they lie in the function.
func (f *flow) readTable(addr, size uint64, entry func(at uint64) (uint64, bool)) {
	for i := range uint64(maxTable) {
		to, ok := entry(addr + i*size)
		if !ok || !f.inside(to) {
			return
		}
		f.tables = append(f.tables, to)
	}
}
