package code

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// segment returns the segment that addr lies in, or nil.
func (m *Module) segment(addr uint64) *object.Segment {
	all := m.File.Segments
	i, ok := slices.BinarySearchFunc(all, addr, func(s object.Segment, addr uint64) int { return cmp.Compare(s.Addr, addr) })
	if !ok {
		i--
	}
	if i < 0 || addr-all[i].Addr >= all[i].Size {
		return nil
	}
	return &all[i]
}

// bytes returns the code of a function, as far as the file has it.
func (m *Module) bytes(f *object.Func) []byte {
	b := m.File.Bytes(f.Addr)
	return b[:min(f.Size, uint64(len(b)))]
}

// word returns the width bytes that memory holds at addr when the program starts, without
// relocation.
func (m *Module) word(addr uint64, width uint8) (uint64, bool) {
	s := m.segment(addr)
	if s == nil || s.Size-(addr-s.Addr) < uint64(width) {
		return 0, false
	}
	var b [8]byte
	if off := addr - s.Addr; off < uint64(len(s.Data)) {
		copy(b[:width], s.Data[off:])
	}
	return binary.LittleEndian.Uint64(b[:]), true
}

// load returns what width bytes at a constant address can hold.
func (m *Module) load(addr uint64, width uint8) *value {
	s := m.segment(addr)
	if s == nil || width > 8 || width == 0 {
		return unknown
	}
	if r, ok := m.File.Reloc(addr); ok {
		if r.Symbol < 0 && !r.Resolver && !r.Copy && width == 8 {
			return address(r.Addend)
		}
		return unknown
	}
	n, ok := m.word(addr, width)
	switch {
	case !ok:
		return unknown
	case !s.Writable:
		return number(n)
	}
	stored := m.stored[addr]
	if m.File.Go == nil || stored.other || m.pointed(addr) {
		return join(number(n), unknown)
	}
	v := number(n)
	for _, c := range stored.consts {
		v = join(v, number(c&mask(width)))
	}
	return v
}

// A written is what a module stores to an address that its code names.
type written struct {
	consts []uint64
	other  bool // something that is not constant, or too much
}

// noteStore remembers a store to a constant address.
func (m *Module) noteStore(addr uint64, o *op) {
	w := m.stored[addr]
	switch {
	case o.dst != noReg || len(w.consts) == MaxConsts:
		w.other = true
	case !slices.Contains(w.consts, o.val):
		w.consts = append(w.consts, o.val)
	}
	m.stored[addr] = w
}

// pointed tells whether a pointer to a variable at addr exists: code computes its address, or
// data holds it. In Go, a pointer to a variable that is a number is its very address.
func (m *Module) pointed(addr uint64) bool {
	m.sorting.Do(func() {
		for i := range m.File.Segments {
			s := &m.File.Segments[i]
			for off := -s.Addr & 7; !s.Executable && off+8 <= uint64(len(s.Data)); off += 8 {
				n := binary.LittleEndian.Uint64(s.Data[off:])
				if to := m.segment(n); to != nil && to.Writable {
					m.pointers = append(m.pointers, n)
				}
			}
		}
		for _, r := range m.File.Relocs {
			m.pointers = append(m.pointers, r.Addend)
		}
		slices.Sort(m.pointers)
		m.pointers = slices.Compact(m.pointers)
	})
	_, ok := slices.BinarySearch(m.pointers, addr)
	return ok
}

// mask has the low width bytes set.
func mask(width uint8) uint64 {
	if width >= 8 {
		return ^uint64(0)
	}
	return uint64(1)<<(8*width) - 1
}
