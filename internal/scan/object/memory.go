package object

import (
	"cmp"
	"encoding/binary"
	"slices"
)

func compare(a, b uint64) int { return cmp.Compare(a, b) }

// segment returns the segment that holds addr, or nil.
func (f *File) segment(addr uint64) *Segment {
	i, ok := slices.BinarySearchFunc(f.Segments, addr, func(s Segment, addr uint64) int { return cmp.Compare(s.Addr, addr) })
	if !ok {
		i--
	}
	if i < 0 || addr-f.Segments[i].Addr >= f.Segments[i].Size {
		return nil
	}
	return &f.Segments[i]
}

// Bytes returns what the file has from addr to the end of its segment; nil outside.
func (f *File) Bytes(addr uint64) []byte {
	s := f.segment(addr)
	if s == nil || addr-s.Addr >= uint64(len(s.Data)) {
		return nil
	}
	return s.Data[addr-s.Addr:]
}

// bytesOf returns size bytes at addr, all in the file.
func (f *File) bytesOf(addr, size uint64) ([]byte, bool) {
	b := f.Bytes(addr)
	if uint64(len(b)) < size {
		return nil, false
	}
	return b[:size:size], true
}

// Executable tells whether addr lies in code.
func (f *File) Executable(addr uint64) bool {
	s := f.segment(addr)
	return s != nil && s.Executable
}

// Reloc returns the relocation of the word at addr.
func (f *File) Reloc(addr uint64) (Reloc, bool) {
	i, ok := slices.BinarySearchFunc(f.Relocs, addr, func(r Reloc, addr uint64) int { return cmp.Compare(r.Addr, addr) })
	if !ok {
		return Reloc{}, false
	}
	return f.Relocs[i], true
}

// Word returns the 8 bytes at addr as relocation leaves them: if the word belongs to another
// file, or to what a resolver chooses, it is not known.
func (f *File) Word(addr uint64) (uint64, bool) {
	if r, ok := f.Reloc(addr); ok {
		switch {
		case r.Resolver || r.Copy:
			return 0, false
		case r.Symbol < 0:
			return r.Addend, true
		case f.Symbols[r.Symbol].Defined && !f.Symbols[r.Symbol].Resolver:
			return f.Symbols[r.Symbol].Addr + r.Addend, true
		}
		return 0, false
	}
	s := f.segment(addr)
	if s == nil || s.Size-(addr-s.Addr) < 8 {
		return 0, false
	}
	var word [8]byte // zero behind what the file has
	copy(word[:], f.Bytes(addr))
	return binary.LittleEndian.Uint64(word[:]), true
}

// Func returns the index of the function that holds addr, or -1.
func (f *File) Func(addr uint64) int {
	from, to := 0, len(f.Funcs) // the last one that starts at addr or before is in this range, less one
	for from < to {             // without calls: this is asked for every branch in the file
		if i := int(uint(from+to) / 2); f.Funcs[i].Addr <= addr {
			from = i + 1
		} else {
			to = i
		}
	}
	if from == 0 || addr-f.Funcs[from-1].Addr >= f.Funcs[from-1].Size {
		return -1
	}
	return from - 1
}
