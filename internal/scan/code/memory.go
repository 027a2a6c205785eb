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
		switch {
		case width != 8:
			return unknown
		case r.GOT && r.Symbol >= 0 && m.File.Go == nil:
			return loaded(addr)
		case r.Symbol < 0 && !r.Resolver && !r.Copy:
			return address(r.Addend)
		}
		return unknown
	}
	n, ok := m.word(addr, width)
	switch {
	case !ok:
		return unknown
	case !s.Writable && (!s.Sealed || m.File.Go != nil):
		return number(n)
	}
	if m.File.Go == nil || m.pointed(addr) {
		return join(number(n), unknown)
	}
	return join(number(n), m.stored(addr, width))
}

// An index has what Flow must know of other functions, which Funcs has by function.
type index struct {
	inner    map[int][]uint64 // where others enter a function in its middle
	pointers []uint64         // addresses that code and data of a Go program hold: sorted
	writers  map[uint64][]int // which functions of a Go program write to a constant address
}

// indexed returns the index, which the first caller builds.
func (m *Module) indexed() *index {
	m.once.Do(func() {
		x := &m.index
		x.inner, x.writers = map[int][]uint64{}, map[uint64][]int{}
		for i := range m.Funcs {
			f := &m.Funcs[i]
			for _, c := range f.Calls {
				if to := m.File.Func(c.enters()); c.Middle != 0 && to >= 0 {
					x.inner[to] = append(x.inner[to], c.enters())
				}
			}
			for _, addr := range f.Written {
				x.writers[addr] = append(x.writers[addr], i)
			}
			if m.File.Go != nil {
				x.pointers = append(x.pointers, f.Mentions...)
			}
		}
		if m.File.Go != nil {
			x.pointers = append(x.pointers, m.dataPointers()...)
			slices.Sort(x.pointers)
			x.pointers = slices.Compact(x.pointers)
		}
	})
	return &m.index
}

// dataPointers returns the addresses of writable data that data holds.
func (m *Module) dataPointers() []uint64 {
	var pointers []uint64
	for i := range m.File.Segments {
		s := &m.File.Segments[i]
		for off := -s.Addr & 7; !s.Executable && off+8 <= uint64(len(s.Data)); off += 8 {
			n := binary.LittleEndian.Uint64(s.Data[off:])
			if to := m.segment(n); to != nil && to.Writable {
				pointers = append(pointers, n)
			}
		}
	}
	for _, r := range m.File.Relocs {
		pointers = append(pointers, r.Addend)
	}
	return pointers
}

// pointed tells whether a pointer to a variable of a Go program exists: code computes its
// address, or data holds it. In Go, a pointer to a variable that is a number is its very address.
func (m *Module) pointed(addr uint64) bool {
	_, ok := slices.BinarySearch(m.indexed().pointers, addr)
	return ok
}

// stored returns what the functions that write to a constant address store there.
func (m *Module) stored(addr uint64, width uint8) *value {
	var v *value
	for _, fn := range m.indexed().writers[addr] {
		for _, o := range m.translate(fn, nil) {
			if at, ok := o.constAddr(); !ok || at != addr || o.kind != opStore {
				continue
			}
			if o.dst != noReg || o.width < width {
				return unknown
			}
			v = join(v, number(o.val&mask(width)))
		}
	}
	return v
}

// mask has the low width bytes set.
func mask(width uint8) uint64 {
	if width >= 8 {
		return ^uint64(0)
	}
	return uint64(1)<<(8*width) - 1
}
