package object

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"slices"
	"strings"
)

// stubs finds the entries of the PLT by their code: a jump through a word that ld.so fills.
func (r *reader) stubs() {
	for _, area := range r.stubAreas() {
		code, _ := r.file.bytesOf(area.addr, area.size)
		if r.file.Machine == ARM64 {
			r.stubsARM64(area.addr, code)
		} else {
			r.stubsAMD64(area.addr, code)
		}
	}
	slices.SortFunc(r.file.PLT, func(a, b Stub) int { return cmp.Compare(a.Addr, b.Addr) })
	r.file.PLT = slices.CompactFunc(r.file.PLT, func(a, b Stub) bool { return a.Addr == b.Addr })
	for _, stub := range r.file.PLT {
		name := ""
		if reloc, _ := r.file.Reloc(stub.Slot); reloc.Symbol >= 0 && !reloc.Resolver {
			name = r.file.Symbols[reloc.Symbol].Name + "@plt"
		}
		r.starts = append(r.starts, start{addr: stub.Addr, size: stub.Size, name: name})
	}
}

// stubAreas returns the sections of the PLT, or all code if sections do not tell.
func (r *reader) stubAreas() []start {
	code := r.code()
	named := slices.DeleteFunc(slices.Clone(code), func(s start) bool {
		return !strings.HasPrefix(s.name, ".plt") && s.name != ".iplt"
	})
	if len(named) > 0 {
		return named
	}
	return code
}

// stub adds an entry if the slot is one that relocation fills; the first entry of a PLT, for
// lazy binding, jumps through a word that is not.
func (r *reader) stub(addr, size, slot uint64) bool {
	if _, ok := r.file.Reloc(slot); !ok {
		return false
	}
	r.file.PLT = append(r.file.PLT, Stub{Addr: addr, Size: size, Slot: slot})
	return true
}

var endbr64 = []byte{0xf3, 0x0f, 0x1e, 0xfa}

// stubsAMD64 finds JMP [RIP+slot], perhaps behind ENDBR64, MOV R11D, index (mold) and with a
// BND prefix, at addresses divisible by 8. An entry of 16 bytes goes on with PUSH and JMP or
// padding, one of 8 with a short NOP (0x66 0x90); anything else is a function that ends in
// such a jump.
func (r *reader) stubsAMD64(addr uint64, code []byte) {
	skip := -addr & 7
	if skip > uint64(len(code)) {
		return
	}
	addr, code = addr+skip, code[skip:]
	for len(code) >= 8 {
		size := r.stubAMD64(addr, code)
		step := max(size, 8)
		addr, code = addr+step, code[min(step, uint64(len(code))):]
	}
}

// stubAMD64 adds an entry at the start of code and returns its size, 0 for other code.
func (r *reader) stubAMD64(addr uint64, code []byte) uint64 {
	n := 0
	if bytes.HasPrefix(code, endbr64) {
		n = len(endbr64)
		if bytes.HasPrefix(code[n:], []byte{0x41, 0xbb}) {
			n += 6
		}
	}
	if n < len(code) && code[n] == 0xf2 {
		n++
	}
	if len(code) < n+6 || code[n] != 0xff || code[n+1] != 0x25 {
		return 0
	}
	end := uint64(n + 6)
	slot := addr + end + uint64(int32(binary.LittleEndian.Uint32(code[n+2:])))
	rest := code[end:min(16, len(code))]
	size := uint64(16)
	switch {
	case n == 0 && bytes.HasPrefix(rest, []byte{0x66, 0x90}):
		size = 8
	case n == 0 && len(rest) == 10 && rest[0] == 0x68 && rest[5] == 0xe9:
	case len(code) >= 16 && padding(AMD64, rest) == len(rest):
	default:
		return 0
	}
	if !r.stub(addr, size, slot) {
		return 0
	}
	return size
}

// stubsARM64 finds ADRP X16; LDR X17, [X16, ...]; ADD X16, X16, ...; BR X17, perhaps behind
// BTI and with AUTIA1716 before the BR.
func (r *reader) stubsARM64(addr uint64, code []byte) {
	const (
		bti       = 0xd503245f
		autia1716 = 0xd503219f
		nop       = 0xd503201f
		br17      = 0xd61f0220
	)
	word := func(i int) uint32 {
		if 4*i+4 > len(code) {
			return 0
		}
		return binary.LittleEndian.Uint32(code[4*i:])
	}
	for i := 0; 4*i+16 <= len(code); i++ {
		adrp, ldr, add := word(i), word(i+1), word(i+2)
		if adrp&0x9f00001f != 0x90000010 || ldr&0xffc003ff != 0xf9400211 || add&0xffc003ff != 0x91000210 {
			continue
		}
		from, end := i, i+3
		if word(end) == autia1716 {
			end++
		}
		if word(end) != br17 {
			continue
		}
		end++
		if from > 0 && word(from-1) == bti {
			from--
		}
		// Entries are 16 or 24 bytes long.
		for end-from > 4 && end-from < 6 && word(end) == nop {
			end++
		}
		pages := int64(int32((adrp>>5&0x7ffff)<<2|adrp>>29&3)<<11) >> 11
		at := (addr + 4*uint64(i)) &^ 0xfff
		slot := at + uint64(pages<<12) + uint64(ldr>>10&0xfff)*8
		r.stub(addr+4*uint64(from), 4*uint64(end-from), slot)
	}
}

// padding returns how many bytes at the start of code only fill it up.
func padding(machine Machine, code []byte) int {
	n := 0
	for n < len(code) {
		size := 0
		if machine == ARM64 {
			size = fillARM64(code[n:])
		} else {
			size = fillAMD64(code[n:])
		}
		if size == 0 {
			break
		}
		n += size
	}
	return n
}

// fillARM64 returns the size of a NOP, a zero word (UDF), or a rest shorter than a word.
func fillARM64(code []byte) int {
	if len(code) < 4 {
		return len(code)
	}
	if word := binary.LittleEndian.Uint32(code); word == 0xd503201f || word == 0 {
		return 4
	}
	return 0
}

// fillAMD64 returns the size of an INT3, a zero byte, or a NOP of any length as assemblers
// write it.
func fillAMD64(code []byte) int {
	if code[0] == 0xcc || code[0] == 0 {
		return 1
	}
	n := 0
	for n < len(code) && (code[n] == 0x66 || code[n] == 0x2e) {
		n++
	}
	rest := code[n:]
	if len(rest) > 0 && rest[0] == 0x90 {
		return n + 1
	}
	if len(rest) < 3 || rest[0] != 0x0f || rest[1] != 0x1f {
		return 0
	}
	size := 0
	switch rest[2] { // ModRM: address of RAX, RAX+8 bits, with SIB, RAX+32 bits, with SIB
	case 0x00:
		size = 3
	case 0x40:
		size = 4
	case 0x44:
		size = 5
	case 0x80:
		size = 7
	case 0x84:
		size = 8
	}
	if size == 0 || size > len(rest) {
		return 0
	}
	return n + size
}

// code returns the areas that hold code, sorted: executable sections, and what of the
// executable segments belongs to no section.
func (r *reader) code() []start {
	var areas []start
	for _, segment := range r.file.Segments {
		if !segment.Executable {
			continue
		}
		end := segment.Addr + uint64(len(segment.Data))
		at := segment.Addr
		for _, s := range r.sectionsIn(segment) {
			from, to := min(max(s.Addr, at), end), min(s.Addr+s.Size, end)
			if from > at {
				areas = append(areas, start{addr: at, size: from - at})
			}
			if to > from && elf.SectionFlag(s.Flags)&elf.SHF_EXECINSTR != 0 {
				areas = append(areas, start{addr: from, size: to - from, name: s.name})
			}
			at = max(at, to)
		}
		if end > at {
			areas = append(areas, start{addr: at, size: end - at})
		}
	}
	return areas
}

// isStart tells whether a segment begins with the header of the file, and the program headers
// behind it.
func (r *reader) isStart(segment Segment) bool {
	return r.header.Phoff == headerSize && bytes.HasPrefix(segment.Data, r.data[:headerSize])
}

// sectionsIn returns the sections that lie in a segment, sorted; the headers of the file, if
// they do, count as one.
func (r *reader) sectionsIn(segment Segment) []section {
	var in []section
	if r.isStart(segment) {
		head := section{name: "headers"}
		head.Addr, head.Size = segment.Addr, min(segment.Size, headerSize+progSize*uint64(len(r.progs)))
		in = append(in, head)
	}
	for _, s := range r.sections {
		kind, flags := elf.SectionType(s.Type), elf.SectionFlag(s.Flags)
		if flags&elf.SHF_ALLOC == 0 || flags&elf.SHF_TLS != 0 && kind == elf.SHT_NOBITS {
			continue
		}
		if s.Addr >= segment.Addr && s.Size <= segment.Size && s.Addr-segment.Addr <= segment.Size-s.Size {
			in = append(in, s)
		}
	}
	slices.SortStableFunc(in, func(a, b section) int { return cmp.Compare(a.Addr, b.Addr) })
	return in
}
