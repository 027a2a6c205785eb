package object

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// ErrFormat is matched by the errors of Open and Read for files that are no programs or
// libraries of the machines that can be read: text, archives, object files, 32-bit programs.
var ErrFormat = errors.New("not a 64-bit little-endian ELF program or library for x86_64 or aarch64")

// Limits of what is read, which no sound file comes near: parts of a hostile file can overlap,
// so that work on each of many would not be bounded by the size of the file.
const (
	maxFile     = 1 << 30 // bytes that Open takes into memory
	maxSegments = 1 << 10
	maxText     = 1 << 15 // bytes of a name
	maxNotes    = 50
)

const (
	headerSize  = 64 // of elf.Header64
	progSize    = 56 // of elf.Prog64
	sectionSize = 64 // of elf.Section64
)

// Open reads the file at path.
func Open(path string) (*File, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("object: %w", err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, fmt.Errorf("object: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("object: %s: not a regular file: %w", path, ErrFormat)
	}
	// Most files of a directory are not ELF: look before reading all of one.
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(in, head); err != nil {
		return nil, fmt.Errorf("object: %s: %w", path, ErrFormat)
	}
	if _, err := parseHeader(head); err != nil {
		return nil, fmt.Errorf("object: %s: %w", path, err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("object: %s: %d bytes, more than %d: leave it out", path, info.Size(), maxFile)
	}
	data := make([]byte, info.Size())
	n, err := in.ReadAt(data, 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("object: %w", err)
	}
	return Read(path, data[:n])
}

// Read reads a file from its bytes, which the File refers to afterwards. The path is only
// noted.
func Read(path string, data []byte) (*File, error) {
	header, err := parseHeader(data)
	if err != nil {
		return nil, fmt.Errorf("object: %s: %w", path, err)
	}
	r := &reader{data: data, header: header, budget: uint64(len(data)), file: &File{Path: path, Fixed: header.Type == uint16(elf.ET_EXEC)}}
	r.file.Machine = machine(header)
	if err := r.programs(); err != nil {
		return nil, fmt.Errorf("object: %s: %w", path, err)
	}
	r.sectionHeaders()
	if r.debugOnly() {
		return nil, fmt.Errorf("object: %s: debug information without the code: %w", path, ErrFormat)
	}
	if r.cutOff != nil {
		return nil, fmt.Errorf("object: %s: %w", path, r.cutOff)
	}
	r.packed()
	r.bounds()
	r.buildID()
	r.dynamic()
	r.symbols()
	r.relocations()
	r.initializers()
	r.entry()
	r.stubs()
	r.golang()
	r.functions()
	r.reachAll()
	return r.file, nil
}

// machine returns the machine of a header, 0 for those whose code cannot be read.
func machine(h elf.Header64) Machine {
	switch elf.Machine(h.Machine) {
	case elf.EM_X86_64:
		return AMD64
	case elf.EM_AARCH64:
		return ARM64
	}
	return 0
}

// A reader holds what is needed of a file only while it is read.
type reader struct {
	file     *File
	data     []byte
	header   elf.Header64
	progs    []elf.Prog64
	sections []section
	got      []section // .got and .got.plt
	dyn      dynamic
	budget   uint64  // bytes that lists may still take: those of a sound file do not overlap
	starts   []start // of functions
	cutOff   error   // the file ends before the bytes that it loads
	goText   Range   // code whose functions the pclntab names
}

// A section is a header of a section and its name.
type section struct {
	elf.Section64
	name string
}

// note records what was left out, once.
func (r *reader) note(format string, args ...any) {
	if len(r.file.Notes) >= maxNotes {
		return
	}
	if text := fmt.Sprintf(format, args...); !slices.Contains(r.file.Notes, text) {
		r.file.Notes = append(r.file.Notes, text)
	}
}

// spend takes the size of a list from what lists may take.
func (r *reader) spend(size uint64) bool {
	if size > r.budget {
		r.note("lists overlap: not all are read")
		return false
	}
	r.budget -= size
	return true
}

// prog returns the program header of a kind of which a file has one.
func (r *reader) prog(kind elf.ProgType) (elf.Prog64, bool) {
	i := slices.IndexFunc(r.progs, func(p elf.Prog64) bool { return elf.ProgType(p.Type) == kind })
	if i < 0 {
		return elf.Prog64{}, false
	}
	return r.progs[i], true
}

func parseHeader(data []byte) (elf.Header64, error) {
	var h elf.Header64
	if len(data) < headerSize || !strings.HasPrefix(string(data[:4]), elf.ELFMAG) {
		return h, ErrFormat
	}
	if data[elf.EI_CLASS] != byte(elf.ELFCLASS64) || data[elf.EI_DATA] != byte(elf.ELFDATA2LSB) {
		return h, fmt.Errorf("%s %s: %w", elf.Class(data[elf.EI_CLASS]), elf.Data(data[elf.EI_DATA]), ErrFormat)
	}
	decode(data[:headerSize], &h)
	if machine(h) == 0 {
		return h, fmt.Errorf("%s: %w", elf.Machine(h.Machine), ErrFormat)
	}
	if t := elf.Type(h.Type); t != elf.ET_EXEC && t != elf.ET_DYN {
		return h, fmt.Errorf("%s: %w", t, ErrFormat)
	}
	return h, nil
}

// decode fills a structure of fixed size, which has been cut out in its full length.
func decode(data []byte, to any) {
	if _, err := binary.Decode(data, binary.LittleEndian, to); err != nil {
		panic("BUG: " + err.Error())
	}
}

// cut returns a part of the file.
func (r *reader) cut(offset, size uint64) ([]byte, bool) {
	n := uint64(len(r.data))
	if offset > n || size > n-offset {
		return nil, false
	}
	return r.data[offset : offset+size : offset+size], true
}

// programs reads the program headers and lays out the segments.
func (r *reader) programs() error {
	h := r.header
	table, ok := r.cut(h.Phoff, uint64(h.Phnum)*progSize)
	if !ok || h.Phentsize != progSize || h.Phnum == 0 {
		return errors.New("program headers lie outside of the file: get a complete copy of it")
	}
	budget := 2 * uint64(len(r.data)) // segments of a sound file hardly overlap in it
	for ; len(table) > 0; table = table[progSize:] {
		var p elf.Prog64
		decode(table[:progSize], &p)
		r.progs = append(r.progs, p)
		if elf.ProgType(p.Type) != elf.PT_LOAD || p.Memsz == 0 {
			continue
		}
		if len(r.file.Segments) == maxSegments {
			return fmt.Errorf("more than %d segments", maxSegments)
		}
		if p.Vaddr+p.Memsz < p.Vaddr {
			return fmt.Errorf("segment at %#x: %d bytes exceed the address space", p.Vaddr, p.Memsz)
		}
		size := min(p.Filesz, p.Memsz)
		data, ok := r.cut(p.Off, size)
		if !ok {
			r.cutOff = fmt.Errorf("segment at %#x: its data is cut off at the end of the file: get a complete copy of it", p.Vaddr)
		}
		if uint64(len(data)) > budget {
			return errors.New("segments overlap in the file")
		}
		budget -= uint64(len(data))
		r.file.Segments = append(r.file.Segments, Segment{
			Addr: p.Vaddr, Data: data, Size: p.Memsz,
			Executable: elf.ProgFlag(p.Flags)&elf.PF_X != 0,
			Writable:   elf.ProgFlag(p.Flags)&elf.PF_W != 0,
		})
	}
	return r.arrange()
}

// arrange sorts the segments and sets apart what is made read-only after relocation.
func (r *reader) arrange() error {
	slices.SortFunc(r.file.Segments, func(a, b Segment) int { return compare(a.Addr, b.Addr) })
	for i, s := range r.file.Segments[min(1, len(r.file.Segments)):] {
		if before := r.file.Segments[i]; before.Addr+before.Size > s.Addr {
			return fmt.Errorf("segments at %#x and %#x overlap", before.Addr, s.Addr)
		}
	}
	p, ok := r.prog(elf.PT_GNU_RELRO)
	if !ok || p.Vaddr+p.Memsz < p.Vaddr {
		return nil
	}
	end := p.Vaddr + p.Memsz
	r.split(p.Vaddr)
	r.split(end)
	for i, s := range r.file.Segments {
		if s.Addr >= p.Vaddr && s.Addr+s.Size <= end {
			r.file.Segments[i].Sealed = s.Writable
			r.file.Segments[i].Writable = false
		}
	}
	return nil
}

// split makes two segments of the one in which addr lies, if it is writable.
func (r *reader) split(addr uint64) {
	i := slices.IndexFunc(r.file.Segments, func(s Segment) bool {
		return s.Writable && s.Addr < addr && addr < s.Addr+s.Size
	})
	if i < 0 {
		return
	}
	low := r.file.Segments[i]
	high := low
	high.Addr, high.Size, low.Size = addr, low.Size-(addr-low.Addr), addr-low.Addr
	cut := min(low.Size, uint64(len(low.Data)))
	low.Data, high.Data = low.Data[:cut:cut], high.Data[cut:]
	r.file.Segments[i] = low
	r.file.Segments = slices.Insert(r.file.Segments, i+1, high)
}

// sectionHeaders reads the section headers; a file does without them.
func (r *reader) sectionHeaders() {
	h := r.header
	if h.Shoff == 0 {
		return
	}
	first, ok := r.cut(h.Shoff, sectionSize)
	if !ok || h.Shentsize != sectionSize {
		r.note("section headers lie outside of the file")
		return
	}
	count, names := uint64(h.Shnum), uint64(h.Shstrndx)
	var null elf.Section64
	decode(first, &null)
	if count == 0 {
		count = null.Size
	}
	if names == uint64(elf.SHN_XINDEX) {
		names = uint64(null.Link)
	}
	if count > uint64(len(r.data))/sectionSize {
		r.note("section headers lie outside of the file")
		return
	}
	table, ok := r.cut(h.Shoff, count*sectionSize)
	if !ok {
		r.note("section headers lie outside of the file")
		return
	}
	r.sections = make([]section, count)
	for i := range r.sections {
		decode(table[i*sectionSize:][:sectionSize], &r.sections[i].Section64)
	}
	r.sectionNames(names)
	for _, s := range r.sections[min(1, count):] { // the first is none
		r.sectionData(s) // notes what the file lacks
	}
}

// sectionNames gives the sections their names, which are in one of them.
func (r *reader) sectionNames(at uint64) {
	if at >= uint64(len(r.sections)) {
		return
	}
	texts := r.sectionText(r.sections[at])
	for i := range r.sections {
		r.sections[i].name = textAt(texts, uint64(r.sections[i].Name))
	}
}

// debugOnly tells whether the file is what objcopy --only-keep-debug leaves: its segments are
// those of the program, of which it has no bytes.
func (r *reader) debugOnly() bool {
	return slices.ContainsFunc(r.sections, func(s section) bool {
		return elf.SectionType(s.Type) == elf.SHT_NOBITS && elf.SectionFlag(s.Flags)&elf.SHF_EXECINSTR != 0
	})
}

// packed notes a program that unpacks itself, of which only that part can be read.
func (r *reader) packed() {
	if bytes.Contains(r.data[:min(1024, len(r.data))], []byte("UPX!")) {
		r.note("packed by UPX: its code cannot be read: scan the program from before, or unpack it (upx -d)")
	}
}

// sectionData returns what the file has of a section.
func (r *reader) sectionData(s section) []byte {
	if elf.SectionType(s.Type) == elf.SHT_NOBITS {
		return nil
	}
	data, ok := r.cut(s.Off, s.Size)
	if !ok {
		r.note("section %s lies outside of the file", s.name)
	}
	return data
}

// sectionText returns a string table, of which names are parts without a copy of their own.
func (r *reader) sectionText(s section) string { return string(r.sectionData(s)) }

// textAt returns the text that ends with a NUL at an offset of a string table.
func textAt(table string, offset uint64) string {
	if offset >= uint64(len(table)) {
		return ""
	}
	table = table[offset:]
	end := strings.IndexByte(table[:min(maxText, len(table))], 0)
	return table[:max(end, 0)]
}

// buildID takes the identity that the linker noted, or computes one.
func (r *reader) buildID() {
	for _, p := range r.progs {
		if elf.ProgType(p.Type) != elf.PT_NOTE {
			continue
		}
		data, ok := r.cut(p.Off, p.Filesz)
		if !ok || !r.spend(p.Filesz) {
			r.note("note segment lies outside of the file")
			continue
		}
		if id := gnuBuildID(data, max(p.Align, 4)); len(id) > 0 {
			r.file.BuildID = hex.EncodeToString(id)
			return
		}
	}
	sum := sha256.Sum256(r.data)
	r.file.BuildID = "sha256:" + hex.EncodeToString(sum[:])
}

// gnuBuildID finds NT_GNU_BUILD_ID (3) of owner GNU among notes.
func gnuBuildID(notes []byte, align uint64) []byte {
	if align != 4 && align != 8 {
		return nil
	}
	up := func(n uint64) uint64 { return (n + align - 1) &^ (align - 1) }
	for len(notes) >= 12 {
		le := binary.LittleEndian
		owner, size, kind := uint64(le.Uint32(notes)), uint64(le.Uint32(notes[4:])), le.Uint32(notes[8:])
		from := up(12 + owner)
		next := up(from + size)
		if from+size > uint64(len(notes)) {
			return nil
		}
		if kind == 3 && bytes.Equal(notes[12:12+owner], []byte("GNU\x00")) {
			return notes[from : from+size]
		}
		notes = notes[min(next, uint64(len(notes))):]
	}
	return nil
}

// entry takes the entry point if there is code.
func (r *reader) entry() {
	if r.header.Entry != 0 && r.file.Executable(r.header.Entry) {
		r.file.Entry = r.header.Entry
	}
}

// bounds notes where sections, the dynamic table and what is copied for threads are.
func (r *reader) bounds() {
	list := &r.file.Bounds
	for _, s := range r.sections {
		if elf.SectionFlag(s.Flags)&elf.SHF_ALLOC != 0 {
			*list = append(*list, s.Addr, s.Addr+s.Size)
		}
	}
	for _, p := range r.progs {
		switch elf.ProgType(p.Type) {
		case elf.PT_DYNAMIC:
			*list = append(*list, p.Vaddr, p.Vaddr+p.Memsz)
		case elf.PT_TLS:
			r.file.Threads = Range{p.Vaddr, p.Vaddr + min(p.Filesz, p.Memsz)}
		}
	}
	slices.Sort(*list)
	*list = slices.Compact(*list)
}
