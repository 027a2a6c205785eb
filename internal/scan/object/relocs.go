package object

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"math/bits"
	"slices"
)

const relaSize = 24 // of elf.Rela64

// A relocKind is what a relocation does, as far as it matters for code: those of thread-local
// storage store no address of code that the file itself holds.
type relocKind uint8

const (
	relocNone relocKind = iota
	relocSymbol
	relocSlot // relocSymbol, of the global offset table
	relocRelative
	relocResolver
	relocCopy
	relocUnknown
)

func (r *reader) relocKind(kind uint32) relocKind {
	if r.file.Machine == ARM64 {
		switch elf.R_AARCH64(kind) {
		case elf.R_AARCH64_ABS64:
			return relocSymbol
		case elf.R_AARCH64_GLOB_DAT, elf.R_AARCH64_JUMP_SLOT:
			return relocSlot
		case elf.R_AARCH64_RELATIVE:
			return relocRelative
		case elf.R_AARCH64_IRELATIVE:
			return relocResolver
		case elf.R_AARCH64_COPY:
			return relocCopy
		case elf.R_AARCH64_NONE, elf.R_AARCH64_NULL, elf.R_AARCH64_TLS_DTPMOD64, elf.R_AARCH64_TLS_DTPREL64,
			elf.R_AARCH64_TLS_TPREL64, elf.R_AARCH64_TLSDESC:
			return relocNone
		}
		return relocUnknown
	}
	switch elf.R_X86_64(kind) {
	case elf.R_X86_64_64:
		return relocSymbol
	case elf.R_X86_64_GLOB_DAT, elf.R_X86_64_JMP_SLOT:
		return relocSlot
	case elf.R_X86_64_RELATIVE, elf.R_X86_64_RELATIVE64:
		return relocRelative
	case elf.R_X86_64_IRELATIVE:
		return relocResolver
	case elf.R_X86_64_COPY:
		return relocCopy
	case elf.R_X86_64_NONE, elf.R_X86_64_DTPMOD64, elf.R_X86_64_DTPOFF64, elf.R_X86_64_TPOFF64,
		elf.R_X86_64_TLSDESC, elf.R_X86_64_SIZE32, elf.R_X86_64_SIZE64:
		return relocNone
	}
	return relocUnknown
}

// relocationTables returns the tables that are applied at start: by ld.so, or, without
// PT_DYNAMIC, by the start-up code of a static program (IRELATIVE ones).
func (r *reader) relocationTables() [][]byte {
	tables := [][]byte{r.table(elf.DT_RELA, elf.DT_RELASZ), r.table(elf.DT_JMPREL, elf.DT_PLTRELSZ)}
	if r.dyn.present {
		return tables
	}
	for _, s := range r.sections {
		if elf.SectionType(s.Type) == elf.SHT_RELA && elf.SectionFlag(s.Flags)&elf.SHF_ALLOC != 0 {
			tables = append(tables, r.sectionData(s))
		}
	}
	return tables
}

func (r *reader) relocations() {
	for _, name := range []string{".got", ".got.plt"} {
		if i := slices.IndexFunc(r.sections, func(s section) bool { return s.name == name }); i >= 0 {
			r.got = append(r.got, r.sections[i])
		}
	}
	for _, table := range r.relocationTables() {
		if !r.spend(uint64(len(table))) {
			continue
		}
		r.file.Relocs = slices.Grow(r.file.Relocs, len(table)/relaSize)
		for ; len(table) >= relaSize; table = table[relaSize:] {
			r.relocation(table)
		}
	}
	r.relative(r.table(dtRelr, dtRelrSize))
	if _, ok := r.dyn.values[dtAndroidRela]; ok {
		r.note("packed relocations of Android are not read: link the file without --pack-dyn-relocs=android")
	}
	slices.SortStableFunc(r.file.Relocs, func(a, b Reloc) int { return cmp.Compare(a.Addr, b.Addr) })
	r.file.Relocs = slices.CompactFunc(r.file.Relocs, func(a, b Reloc) bool { return a.Addr == b.Addr })
	r.sortSymbols()
}

func (r *reader) relocation(entry []byte) {
	le := binary.LittleEndian
	at, index, addend := le.Uint64(entry), le.Uint32(entry[12:]), le.Uint64(entry[16:])
	kind := r.relocKind(le.Uint32(entry[8:]))
	switch kind {
	case relocNone:
		return
	case relocUnknown:
		r.note("relocations of kind %d are unknown", le.Uint32(entry[8:]))
		return
	case relocSymbol, relocSlot, relocCopy, relocRelative, relocResolver:
	}
	reloc := Reloc{
		Addr: at, Symbol: -1, Addend: addend,
		Resolver: kind == relocResolver, Copy: kind == relocCopy, GOT: kind == relocSlot || r.inGOT(at),
	}
	if index != 0 && (kind == relocSymbol || kind == relocSlot || kind == relocCopy) {
		if uint64(index) >= uint64(len(r.file.Symbols)) {
			r.note("relocations of symbols outside of the table")
			return
		}
		reloc.Symbol = int(index)
	}
	if r.file.segment(at) == nil {
		r.note("relocations of addresses outside of the segments")
		return
	}
	r.file.Relocs = append(r.file.Relocs, reloc)
}

// inGOT tells whether the word at addr is in the global offset table, if sections tell: also
// addresses of the file itself are found there.
func (r *reader) inGOT(addr uint64) bool {
	for _, s := range r.got {
		if addr-s.Addr < s.Size {
			return true
		}
	}
	return false
}

// relative reads DT_RELR: words that hold addresses in place, given by the first address
// (even) and bitmaps (odd) of the 63 words that follow.
func (r *reader) relative(table []byte) {
	const perBitmap = 63
	var next, last uint64
	add := func(at uint64) bool {
		word, ok := r.file.bytesOf(at, 8)
		if !ok || at < last { // rising addresses bound what the table can expand to
			r.note("%s: addresses outside of the file or out of order", dtRelr)
			return false
		}
		last = at + 8
		r.file.Relocs = append(r.file.Relocs, Reloc{Addr: at, Symbol: -1, Addend: binary.LittleEndian.Uint64(word), GOT: r.inGOT(at)})
		return true
	}
	for ; len(table) >= 8; table = table[8:] {
		entry := binary.LittleEndian.Uint64(table)
		if entry&1 == 0 {
			if !add(entry) {
				return
			}
			next = entry + 8
			continue
		}
		for bitmap := entry >> 1; bitmap != 0; bitmap &= bitmap - 1 {
			if !add(next + 8*uint64(bits.TrailingZeros64(bitmap))) {
				return
			}
		}
		next += 8 * perBitmap
	}
}

// initializers collects what runs before main and at exit.
func (r *reader) initializers() {
	f := r.file
	dyn := r.dyn.values
	single := func(to []uint64, tag elf.DynTag) []uint64 {
		if at := dyn[tag]; at != 0 && f.Executable(at) {
			to = append(to, at)
		}
		return to
	}
	f.Init = single(f.Init, elf.DT_INIT)
	f.Fini = single(f.Fini, elf.DT_FINI)
	f.Init = r.array(f.Init, dyn[elf.DT_PREINIT_ARRAY], dyn[elf.DT_PREINIT_ARRAYSZ])
	f.Init = r.array(f.Init, dyn[elf.DT_INIT_ARRAY], dyn[elf.DT_INIT_ARRAYSZ])
	f.Fini = r.array(f.Fini, dyn[elf.DT_FINI_ARRAY], dyn[elf.DT_FINI_ARRAYSZ])
	for _, s := range r.sections {
		if elf.SectionFlag(s.Flags)&elf.SHF_ALLOC == 0 {
			continue
		}
		code := f.Executable(s.Addr)
		switch kind := elf.SectionType(s.Type); {
		case kind == elf.SHT_INIT_ARRAY || kind == elf.SHT_PREINIT_ARRAY || s.name == ".ctors":
			f.Init = r.array(f.Init, s.Addr, s.Size)
		case kind == elf.SHT_FINI_ARRAY || s.name == ".dtors":
			f.Fini = r.array(f.Fini, s.Addr, s.Size)
		case s.name == ".init" && code:
			f.Init = append(f.Init, s.Addr)
		case s.name == ".fini" && code:
			f.Fini = append(f.Fini, s.Addr)
		}
	}
	f.Init, f.Fini = distinct(f.Init), distinct(f.Fini)
}

// array appends the functions of an array of addresses.
func (r *reader) array(to []uint64, at, size uint64) []uint64 {
	if at == 0 || size == 0 {
		return to
	}
	if _, ok := r.file.bytesOf(at, size); !ok || !r.spend(size) {
		r.note("array of functions at %#x lies outside of the file", at)
		return to
	}
	for end := at + size; end-at >= 8; at += 8 {
		// 0 and -1 fill or end the array.
		if word, ok := r.file.Word(at); ok && r.file.Executable(word) {
			to = append(to, word)
		}
	}
	return to
}

func distinct(addrs []uint64) []uint64 {
	slices.Sort(addrs)
	return slices.Compact(addrs)
}
