package object

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// A goLayout is where the moduledata of some releases of Go holds what is read of it
// (runtime/symtab.go).
type goLayout struct {
	types      uint64
	descriptor uint64 // typedesclen, the size of the part of types that holds types; 0 if absent
	etypes     uint64
	sections   uint64 // textsectmap
	typelinks  uint64 // 0 if absent
	itablinks  uint64 // 0 if itabs are found by itaboffset
	itaboffset uint64 // of itabs from the start of types, and the size of all
	inittasks  uint64 // 0 if absent
	size       uint64
	mapSize    uint64 // of abi.MapType, from Go 1.24 on
}

// Offsets of moduledata that all releases share, and sizes of what it refers to.
const (
	goNames       = 8
	goFuncs       = 128
	goMinPC       = 160
	goText        = 176
	goHeader      = 72 // of pcHeader
	goSectionSize = 24 // of textsect
)

// goLayouts returns those that are known.
func goLayouts() []goLayout {
	return []goLayout{
		{296, 304, 312, 360, 0, 0, 320, 448, 568, 136},         // Go 1.27
		{296, 0, 304, 336, 360, 384, 0, 472, 592, 112},         // 1.26
		{296, 0, 304, 328, 352, 376, 0, 464, 584, 112},         // 1.20 (where inittasks reads as empty) to 1.25
		{280, 0, 288, 312, 336, 360, 0, 0, 544, bucketMapSize}, // 1.18, 1.19
	}
}

// A goList is a slice of moduledata and the size of its elements.
type goList struct{ offset, size uint64 }

// lists returns those that list everything.
func (l goLayout) lists() []goList {
	lists := []goList{{l.sections, goSectionSize}, {l.typelinks, 4}, {l.itablinks, 8}, {l.inittasks, 8}}
	return slices.DeleteFunc(lists, func(list goList) bool { return list.offset == 0 })
}

// A goReader reads the tables of a Go program.
type goReader struct {
	*reader
	module   uint64 // address of moduledata
	layout   goLayout
	pclntab  uint64
	table    []byte // the pclntab, to the end of its segment
	types    uint64
	etypes   uint64
	names    string // the bytes from types to etypes, of which names are parts
	text     uint64
	sections []goSection
}

// A goSection is a part of the text that the linker moved as a whole.
type goSection struct{ offset, end, addr uint64 }

// golang finds and reads the tables of a Go program: the pclntab by its header, and
// moduledata by its reference to it, since section names and symbols may be missing.
func (r *reader) golang() {
	g := &goReader{reader: r}
	if !g.find() {
		for _, s := range r.sections {
			if strings.HasSuffix(s.name, ".gopclntab") {
				r.note("go: no moduledata of a release from 1.18 on: all functions count as reached")
				r.file.Go = &Go{Version: r.goVersion()}
			}
		}
		return
	}
	r.file.Go = &Go{Version: r.goVersion()}
	g.functions()
	if g.layout.size == 0 {
		r.note("go: moduledata of an unknown release (%s): all functions count as reached", r.file.Go.Version)
		return
	}
	data, _ := r.file.bytesOf(g.types, g.etypes-g.types)
	g.names = string(data)
	g.initTasks()
	g.readItabs()
	g.readTypes()
	g.lists()
}

// find looks for the pclntab and moduledata.
func (g *goReader) find() bool {
	header := []byte{0xff, 0xff, 0xff, 0, 0, 1, 8} // of the magic without its first byte
	if g.file.Machine == ARM64 {
		header[5] = 4 // the smallest instruction
	}
	tries := 16 // each looks at the whole file
	for _, s := range g.file.Segments {
		for at := 1; at < len(s.Data) && tries > 0; at++ {
			next := bytes.Index(s.Data[at:], header)
			if next < 0 {
				break
			}
			at += next
			// 0xf0 from Go 1.18 on, 0xf1 from Go 1.20 on
			g.pclntab, g.table = s.Addr+uint64(at-1), s.Data[at-1:]
			if g.pclntab%8 != 0 || g.table[0]&^1 != 0xf0 || len(g.table) <= goHeader {
				continue
			}
			if g.findModule() {
				return true
			}
			tries--
		}
	}
	return false
}

// findModule looks for a word that refers to the pclntab, with which moduledata begins.
func (g *goReader) findModule() bool {
	for _, reloc := range g.file.Relocs {
		if reloc.Symbol < 0 && reloc.Addend == g.pclntab && g.isModule(reloc.Addr) {
			return true
		}
	}
	word := binary.LittleEndian.AppendUint64(nil, g.pclntab)
	for _, s := range g.file.Segments {
		if s.Executable {
			continue
		}
		for at := 0; ; at++ {
			next := bytes.Index(s.Data[at:], word)
			if next < 0 {
				break
			}
			at += next
			if g.isModule(s.Addr + uint64(at)) {
				return true
			}
		}
	}
	return false
}

// isModule tells whether moduledata is at addr, and chooses its layout.
func (g *goReader) isModule(addr uint64) bool {
	if addr%8 != 0 {
		return false
	}
	g.module = addr
	names, _, ok := g.slice(goNames, 1)
	if !ok || names != g.pclntab+g.header(4) {
		return false
	}
	funcs, count, ok := g.slice(goFuncs, 8)
	if !ok || funcs != g.pclntab+g.header(8) || count == 0 || count != g.header(1)+1 {
		return false
	}
	g.text = g.word(goText)
	if !g.file.Executable(g.text) {
		return false
	}
	for _, layout := range goLayouts() {
		g.layout = layout
		if g.fits() {
			return true
		}
	}
	g.layout = goLayout{}
	g.sections = nil
	return true
}

// header returns a word of the header of the pclntab, after the magic.
func (g *goReader) header(index int) uint64 { return binary.LittleEndian.Uint64(g.table[8*index:]) }

// word returns a word of moduledata.
func (g *goReader) word(offset uint64) uint64 {
	word, _ := g.file.Word(g.module + offset)
	return word
}

// slice returns the address and length of a slice of moduledata, as the linker makes it: as
// long as its capacity, and within a segment.
func (g *goReader) slice(offset, size uint64) (addr, count uint64, ok bool) {
	addr, count = g.word(offset), g.word(offset+8)
	if count != g.word(offset+16) || count > uint64(len(g.data))/size {
		return 0, 0, false
	}
	if count == 0 {
		return addr, 0, true
	}
	_, ok = g.file.bytesOf(addr, count*size)
	return addr, count, ok
}

// fits tells whether moduledata makes sense in the layout, and takes its bounds.
func (g *goReader) fits() bool {
	g.types, g.etypes = g.word(g.layout.types), g.word(g.layout.etypes)
	if g.types > g.etypes {
		return false
	}
	if _, ok := g.file.bytesOf(g.types, g.etypes-g.types); !ok {
		return false
	}
	size := g.etypes - g.types
	if g.layout.descriptor != 0 && g.word(g.layout.descriptor) > size {
		return false
	}
	if at := g.layout.itaboffset; at != 0 && (g.word(at) > size || g.word(at+8) > size-g.word(at)) {
		return false
	}
	for _, list := range g.layout.lists() {
		if _, _, ok := g.slice(list.offset, list.size); !ok {
			return false
		}
	}
	return g.textSections()
}

// textSections reads how offsets of code translate to addresses: the text is in parts where
// it is too long for direct calls.
func (g *goReader) textSections() bool {
	const most = 1 << 10
	at, count, ok := g.slice(g.layout.sections, goSectionSize)
	if !ok || count == 0 || count > most {
		return false
	}
	g.sections = make([]goSection, 0, count)
	for ; count > 0; count, at = count-1, at+goSectionSize {
		var words [3]uint64
		for i := range words {
			words[i], _ = g.file.Word(at + 8*uint64(i))
		}
		g.sections = append(g.sections, goSection{words[0], words[1], words[2]})
	}
	return g.sections[0].offset == 0 && g.sections[0].addr == g.text
}

// code translates an offset of code; ok is false if no code is there.
func (g *goReader) code(offset uint32) (addr uint64, ok bool) {
	addr = g.text + uint64(offset)
	if len(g.sections) > 1 {
		for i, s := range g.sections {
			if o := uint64(offset); o >= s.offset && (o < s.end || o == s.end && i == len(g.sections)-1) {
				addr = s.addr + o - s.offset
				break
			}
		}
	}
	return addr, g.file.Executable(addr)
}

// functions reads the table of functions, which covers all code that Go's tools made.
func (g *goReader) functions() {
	le := binary.LittleEndian
	count, names, base := g.header(1), g.header(4), g.header(8) // isModule found them in the file
	texts := ""
	if end := g.header(5); end >= names && end <= uint64(len(g.table)) { // cutab follows
		texts = string(g.table[names:end])
	}
	table := g.table[base:]
	for i := range count {
		entry, ok := g.code(le.Uint32(table[8*i:]))
		next, _ := g.code(le.Uint32(table[8*i+8:]))
		at := uint64(le.Uint32(table[8*i+4:]))
		if !ok || at+8 > uint64(len(table)) || next < entry {
			g.note("go: entries of the pclntab contradict the file")
			continue
		}
		name := textAt(texts, uint64(le.Uint32(table[at+4:])))
		g.starts = append(g.starts, start{addr: entry, size: next - entry, name: name})
	}
	g.goText = Range{g.word(goMinPC), g.word(goMinPC + 8)}
}

// initTasks collects the functions that initialise packages: those of inittasks, and by their
// names those of the runtime, whose list the runtime has in a variable, and of releases that
// have no list.
func (g *goReader) initTasks() {
	var at, count uint64
	if g.layout.inittasks != 0 {
		at, count, _ = g.slice(g.layout.inittasks, 8)
	}
	for ; count > 0; count, at = count-1, at+8 {
		task, _ := g.file.Word(at)
		head, ok := g.file.bytesOf(task, 8) // state, number of functions
		if !ok {
			continue
		}
		size := 8 * uint64(binary.LittleEndian.Uint32(head[4:]))
		if _, ok := g.file.bytesOf(task+8, size); !ok || !g.spend(size) {
			g.note("go: list of initialisers at %#x lies outside of the file", task)
			continue
		}
		g.file.Go.InitTask = g.array(g.file.Go.InitTask, task+8, size)
	}
	for _, s := range g.starts {
		if isInit(s.name) {
			g.file.Go.InitTask = append(g.file.Go.InitTask, s.addr)
		}
	}
	g.file.Go.InitTask = distinct(g.file.Go.InitTask)
}

// isInit tells whether a function initialises its package: path.init, path.init.0, or
// path.map.init.0 (a variable); methods and closures do not.
func isInit(name string) bool {
	name = name[strings.LastIndexByte(name, '/')+1:]
	_, name, _ = strings.Cut(name, ".") // dots of the package's name are escaped
	name = strings.TrimPrefix(name, "map.")
	number, ok := strings.CutPrefix(name, "init.")
	return name == "init" || ok && strings.Trim(number, "0123456789") == ""
}

// reachAll takes every function of a Go program whose types are unknown as one that runs.
func (r *reader) reachAll() {
	if r.file.Go == nil || len(r.file.Go.Types) > 0 {
		return
	}
	for _, fn := range r.file.Funcs {
		r.file.Go.InitTask = append(r.file.Go.InitTask, fn.Addr)
	}
	r.file.Go.InitTask = distinct(r.file.Go.InitTask)
}

// lists notes the tables that list everything for the runtime.
func (g *goReader) lists() {
	add := func(addr, size uint64) {
		if size > 0 {
			g.file.Go.Lists = append(g.file.Go.Lists, Range{addr, addr + size})
		}
	}
	add(g.module, g.layout.size)
	add(g.pclntab, g.header(8)+8*(g.header(1)+1))
	for _, list := range g.layout.lists() {
		addr, count, _ := g.slice(list.offset, list.size)
		add(addr, count*list.size)
	}
	slices.SortFunc(g.file.Go.Lists, func(a, b Range) int { return cmp.Compare(a.Start, b.Start) })
}

// goVersion returns the release that built the program, as its build information tells.
func (r *reader) goVersion() string {
	const (
		headSize = 32
		inline   = 2 // flag: the version follows as text, since Go 1.18
	)
	for _, s := range r.file.Segments {
		at := bytes.Index(s.Data, []byte("\xff Go buildinf:"))
		if at < 0 || len(s.Data)-at < headSize || s.Data[at+15]&inline == 0 {
			continue
		}
		size, n := binary.Uvarint(s.Data[at+headSize:])
		if n > 0 && size <= uint64(len(s.Data)-at-headSize-n) {
			return string(s.Data[at+headSize+n:][:size])
		}
	}
	return ""
}
