package object

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"slices"
	"strings"
)

const symbolSize = 24 // of elf.Sym64

// symbols reads the dynamic symbols, which keep their order so far, and those of .symtab.
func (r *reader) symbols() {
	r.dynamicSymbols()
	for _, s := range r.sections {
		if elf.SectionType(s.Type) != elf.SHT_SYMTAB || uint64(s.Link) >= uint64(len(r.sections)) {
			continue
		}
		if !r.spend(s.Size) {
			return
		}
		texts := r.sectionText(r.sections[s.Link])
		data := r.sectionData(s)
		r.file.Symbols = slices.Grow(r.file.Symbols, len(data)/symbolSize)
		for ; len(data) >= symbolSize; data = data[symbolSize:] {
			raw := symbolAt(data)
			symbol := r.symbol(raw, texts)
			// Mapping symbols ($x, $d) and labels within functions name nothing.
			local := elf.ST_BIND(raw.Info) == elf.STB_LOCAL && elf.ST_TYPE(raw.Info) == elf.STT_NOTYPE
			if symbol.Defined && symbol.Name != "" && !local && symbol.Addr != 0 {
				symbol.Name, symbol.Version, _ = strings.Cut(symbol.Name, "@")
				symbol.Version = strings.TrimPrefix(symbol.Version, "@")
				r.file.Symbols = append(r.file.Symbols, symbol)
			}
		}
	}
}

func symbolAt(data []byte) elf.Sym64 {
	le := binary.LittleEndian
	return elf.Sym64{
		Name: le.Uint32(data), Info: data[4], Other: data[5], Shndx: le.Uint16(data[6:]),
		Value: le.Uint64(data[8:]), Size: le.Uint64(data[16:]),
	}
}

// symbol translates a symbol. One that is not code or data (thread-local, section, file)
// counts as undefined.
func (r *reader) symbol(raw elf.Sym64, texts string) Symbol {
	s := Symbol{
		Name: textAt(texts, uint64(raw.Name)), Size: raw.Size,
		Weak: elf.ST_BIND(raw.Info) == elf.STB_WEAK,
	}
	switch elf.ST_TYPE(raw.Info) {
	case elf.STT_FUNC:
		s.Func = true
	case elf.STT_GNU_IFUNC:
		s.Func, s.Resolver = true, true
	case elf.STT_OBJECT, elf.STT_COMMON:
		s.object = true
	case elf.STT_NOTYPE:
	default:
		return s
	}
	if index := elf.SectionIndex(raw.Shndx); index == elf.SHN_UNDEF || index == elf.SHN_ABS {
		return s
	}
	s.Addr, s.Defined = raw.Value, true
	return s
}

// dynamicSymbols reads .dynsym. Entry 0, which is no symbol, stays, so that relocations keep
// their indices until sortSymbols.
func (r *reader) dynamicSymbols() {
	at := r.dyn.values[elf.DT_SYMTAB]
	if at == 0 {
		return
	}
	data := r.file.Bytes(at)
	count := min(r.symbolCount(at), uint64(len(data))/symbolSize)
	versions := r.versions(count)
	r.file.Symbols = make([]Symbol, count)
	for i := range r.file.Symbols {
		s := r.symbol(symbolAt(data[i*symbolSize:]), r.dyn.texts)
		s.Dynamic = true
		if i < len(versions) {
			s.Version, s.Hidden = versions[i].name, versions[i].hidden
		}
		r.file.Symbols[i] = s
	}
}

// symbolCount finds out how long .dynsym is, which no tag tells: what hash tables cover, what
// relocations mention, and what the section header says.
func (r *reader) symbolCount(at uint64) uint64 {
	count := max(r.hashCount(), r.gnuHashCount())
	for _, table := range r.relocationTables() {
		for ; len(table) >= relaSize; table = table[relaSize:] {
			count = max(count, uint64(binary.LittleEndian.Uint32(table[12:]))+1)
		}
	}
	for _, s := range r.sections {
		if elf.SectionType(s.Type) == elf.SHT_DYNSYM && s.Addr == at {
			count = max(count, s.Size/symbolSize)
		}
	}
	return count
}

// hashCount returns the number of chains of DT_HASH, which is that of symbols.
func (r *reader) hashCount() uint64 {
	at := r.dyn.values[elf.DT_HASH]
	table, ok := r.file.bytesOf(at, 8)
	if at == 0 || !ok {
		return 0
	}
	return uint64(binary.LittleEndian.Uint32(table[4:]))
}

// gnuHashCount follows the chain of the last bucket of DT_GNU_HASH to its end.
func (r *reader) gnuHashCount() uint64 {
	at := r.dyn.values[elf.DT_GNU_HASH]
	table := r.file.Bytes(at)
	if at == 0 || len(table) < 16 {
		return 0
	}
	le := binary.LittleEndian
	buckets, first, bloom := uint64(le.Uint32(table)), uint64(le.Uint32(table[4:])), uint64(le.Uint32(table[8:]))
	from := 16 + 8*bloom
	if from+4*buckets > uint64(len(table)) {
		r.note("%s: table lies outside of the file", elf.DT_GNU_HASH)
		return 0
	}
	last := uint64(0)
	for i := range buckets {
		last = max(last, uint64(le.Uint32(table[from+4*i:])))
	}
	if last < first {
		return first
	}
	chains := table[from+4*buckets:]
	for ; (last-first)*4+4 <= uint64(len(chains)); last++ {
		if le.Uint32(chains[(last-first)*4:])&1 != 0 {
			return last + 1
		}
	}
	return last
}

// sortSymbols puts the symbols in order of their addresses, those of relocations with them.
func (r *reader) sortSymbols() {
	symbols := r.file.Symbols
	order := make([]int, len(symbols))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(symbols[a].Addr, symbols[b].Addr), cmp.Compare(symbols[a].Name, symbols[b].Name))
	})
	place := make([]int, len(symbols))
	sorted := make([]Symbol, 0, len(symbols))
	for _, i := range order {
		place[i] = -1
		if symbols[i].Name != "" || symbols[i].Defined {
			place[i] = len(sorted)
			sorted = append(sorted, symbols[i])
		}
	}
	for i, reloc := range r.file.Relocs {
		if reloc.Symbol >= 0 {
			r.file.Relocs[i].Symbol = place[reloc.Symbol]
		}
	}
	r.file.Symbols = sorted
}

// A version is one of .gnu.version: what the symbol needs or defines.
type version struct {
	name   string
	hidden bool
}

// versions returns those of count symbols.
func (r *reader) versions(count uint64) []version {
	at := r.dyn.values[elf.DT_VERSYM]
	data := r.file.Bytes(at)
	if at == 0 || len(data) == 0 {
		return nil
	}
	names := map[uint16]string{}
	r.versionTable(elf.DT_VERDEF, elf.DT_VERDEFNUM, names)
	r.versionTable(elf.DT_VERNEED, elf.DT_VERNEEDNUM, names)
	versions := make([]version, min(count, uint64(len(data))/2))
	for i := range versions {
		index := binary.LittleEndian.Uint16(data[2*i:])
		versions[i] = version{names[index&0x7fff], index&0x8000 != 0}
	}
	return versions
}

// versionTable reads the names of a list of versions that are defined (Verdef, Verdaux) or
// needed (Verneed, Vernaux). Index 1 stands for the file itself and is left unnamed.
func (r *reader) versionTable(addr, number elf.DynTag, names map[uint16]string) {
	data := r.file.Bytes(r.dyn.values[addr])
	if r.dyn.values[addr] == 0 {
		return
	}
	le := binary.LittleEndian
	for range min(r.dyn.values[number], 1<<15) {
		if len(data) < 20 || !r.spend(20) {
			r.note("%s: table lies outside of the file", addr)
			return
		}
		var next uint32
		if addr == elf.DT_VERDEF {
			index, aux := le.Uint16(data[4:]), uint64(le.Uint32(data[12:]))
			if next = le.Uint32(data[16:]); aux+8 <= uint64(len(data)) && index > 1 {
				names[index&0x7fff] = textAt(r.dyn.texts, uint64(le.Uint32(data[aux:])))
			}
		} else {
			next = le.Uint32(data[12:])
			r.neededVersions(data, names)
		}
		if next == 0 || uint64(next) > uint64(len(data)) {
			return
		}
		data = data[next:]
	}
}

// neededVersions reads the versions that are needed of one library.
func (r *reader) neededVersions(need []byte, names map[uint16]string) {
	le := binary.LittleEndian
	count, aux := le.Uint16(need[2:]), uint64(le.Uint32(need[8:]))
	for range count {
		if aux+16 > uint64(len(need)) || !r.spend(16) {
			return
		}
		entry := need[aux:]
		names[le.Uint16(entry[6:])&0x7fff] = textAt(r.dyn.texts, uint64(le.Uint32(entry[8:])))
		next := uint64(le.Uint32(entry[12:]))
		if next == 0 {
			return
		}
		aux += next
	}
}
