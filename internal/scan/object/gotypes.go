package object

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"
)

// The kinds of types that have more than the common part (internal/abi/type.go: Kind).
const (
	goArray         = 17
	goChan          = 18
	goFunc          = 19
	goInterface     = 20
	goMap           = 21
	goPointer       = 22
	goSlice         = 23
	goStruct        = 25
	goUnsafePointer = 26
)

const (
	goTypeSize     = 48 // of the common part (abi.Type)
	goUncommonSize = 16 // of abi.UncommonType
	goMethodSize   = 16 // of abi.Method
	goItabSize     = 24 // of abi.ITab without methods
	bucketMapSize  = 88 // of abi.MapType before Go 1.24
)

// Flags of a type (abi.TFlag).
const (
	goUncommon  = 1 << 0
	goExtraStar = 1 << 1 // the name has a star in front
	goFlags     = 1<<6 - 1
)

// readTypes collects all types: since no list of all exists, whatever looks like one in the
// part of memory that is for types. The checks are strict enough that nothing else does.
func (g *goReader) readTypes() {
	data, _ := g.file.bytesOf(g.types, g.etypes-g.types)
	for at := -g.types & 7; at+goTypeSize <= uint64(len(data)); at += 8 {
		if t, ok := g.readType(g.types+at, data[at:]); ok {
			g.file.Go.Types = append(g.file.Go.Types, t)
		}
	}
}

// A goType is the common part of a type.
type goType struct {
	addr uint64
	data []byte // from addr to the end of the types
	kind byte
	flag byte
}

func (t goType) word32(offset uint64) uint32 { return binary.LittleEndian.Uint32(t.data[offset:]) }
func (t goType) word16(offset uint64) uint16 { return binary.LittleEndian.Uint16(t.data[offset:]) }

// readType reads the type at addr, if one is there.
func (g *goReader) readType(addr uint64, data []byte) (Type, bool) {
	t := goType{addr, data, data[23] & 0x1f, data[20]}
	if t.kind == 0 || t.kind > goUnsafePointer || t.flag&^goFlags != 0 || !g.plausible(t) {
		return Type{}, false
	}
	name, ok := g.name(t.word32(40))
	if !ok || name.text == "" {
		return Type{}, false
	}
	result := Type{Addr: addr, Name: name.text}
	if t.flag&goExtraStar != 0 {
		result.Name = strings.TrimPrefix(name.text, "*")
	}
	if offset := t.word32(44); offset != 0 {
		pointer, ok := g.typeAt(offset)
		if !ok {
			return Type{}, false
		}
		result.Refers = append(result.Refers, pointer)
	}
	size, ok := g.special(t, &result)
	if !ok || t.flag&goUncommon != 0 && !g.methods(t, size, &result) {
		return Type{}, false
	}
	result.Refers = distinct(result.Refers)
	return result, true
}

// plausible checks the numbers and addresses of the common part.
func (g *goReader) plausible(t goType) bool {
	powerOfTwo := func(n byte) bool { return n != 0 && n&(n-1) == 0 && n <= 64 }
	le := binary.LittleEndian
	size, pointers := le.Uint64(t.data), le.Uint64(t.data[8:])
	if !powerOfTwo(t.data[21]) || !powerOfTwo(t.data[22]) || pointers > size || size >= 1<<47 {
		return false
	}
	equal, known := g.file.Word(t.addr + 24)
	if known && equal != 0 { // a function value: the address of a word with that of the code
		if code, ok := g.file.Word(equal); !ok || !g.file.Executable(code) {
			return false
		}
	}
	mask, known := g.file.Word(t.addr + 32)
	return !known || mask == 0 || g.file.segment(mask) != nil
}

// A goName is a name of a type, field or method.
type goName struct {
	text     string
	exported bool
}

// name returns the name at an offset from the start of types.
func (g *goReader) name(offset uint32) (goName, bool) {
	const (
		exported = 1 << 0
		flags    = 1<<4 - 1 // exported, with tag, with package path, embedded
	)
	if offset == 0 {
		return goName{}, true
	}
	if uint64(offset)+2 > g.etypes-g.types {
		return goName{}, false
	}
	data, _ := g.file.bytesOf(g.types+uint64(offset), g.etypes-g.types-uint64(offset))
	size, n := binary.Uvarint(data[1:])
	if data[0]&^flags != 0 || n <= 0 || size > uint64(len(data)-1-n) || size > maxText {
		return goName{}, false
	}
	// Names are not copied: many types share few of them, and a hostile file could make them long.
	if start := uint64(offset) + 1 + uint64(n); start <= uint64(len(g.names)) {
		text := g.names[start : start+size]
		return goName{text, data[0]&exported != 0}, utf8.ValidString(text)
	}
	return goName{}, false
}

// typeAt returns the address of the type at an offset from the start of types.
func (g *goReader) typeAt(offset uint32) (uint64, bool) {
	addr := g.types + uint64(offset)
	return addr, g.isType(addr)
}

func (g *goReader) isType(addr uint64) bool {
	return addr >= g.types && addr < g.etypes && addr%8 == 0
}

// refer adds the types that the words at addrs refer to. A type of another module (of a
// plugin, or a shared library) is none of this file.
func (g *goReader) refer(t *Type, addrs ...uint64) bool {
	for _, addr := range addrs {
		target, known := g.file.Word(addr)
		if known && !g.isType(target) {
			return false
		}
		if known {
			t.Refers = append(t.Refers, target)
		}
	}
	return true
}

// special reads what follows the common part by kind, and returns the size of both.
func (g *goReader) special(t goType, to *Type) (size uint64, ok bool) {
	const first = goTypeSize
	sizes := [...]uint64{
		goArray: 72, goChan: 64, goFunc: 56, goInterface: 80, goMap: bucketMapSize,
		goPointer: 56, goSlice: 56, goStruct: 80, goUnsafePointer: first,
	}
	size = max(sizes[t.kind], first)
	if size > uint64(len(t.data)) {
		return 0, false
	}
	switch t.kind {
	case goArray:
		ok = g.refer(to, t.addr+first, t.addr+first+8) // element, slice
	case goChan, goPointer, goSlice:
		ok = g.refer(to, t.addr+first)
	case goMap:
		ok = g.refer(to, t.addr+first, t.addr+first+8, t.addr+first+16) // key, element, group or bucket
		size = g.mapSize(t)
	case goFunc:
		ok = g.signature(t, to)
	case goInterface:
		ok = g.wants(t, to)
	case goStruct:
		ok = g.fields(t, to)
	default:
		ok = true
	}
	return size, ok
}

// mapSize returns the size of the descriptor of a map type. From Go 1.24 on, unless built
// with GOEXPERIMENT=noswissmap, it repeats the size of its groups; before, small numbers stand
// there, which together are larger than that of the bucket.
func (g *goReader) mapSize(t goType) uint64 {
	if g.layout.mapSize == bucketMapSize {
		return bucketMapSize
	}
	group, _ := g.file.Word(t.addr + goTypeSize + 16)
	if size, ok := g.file.Word(group); ok && size == binary.LittleEndian.Uint64(t.data[goTypeSize+32:]) {
		return g.layout.mapSize
	}
	return bucketMapSize
}

// signature reads the types of parameters and results, which follow the uncommon part.
func (g *goReader) signature(t goType, to *Type) bool {
	const variadic = 1 << 15
	count := uint64(t.word16(goTypeSize)) + uint64(t.word16(goTypeSize+2)&^variadic)
	at := t.addr + 56
	if t.flag&goUncommon != 0 {
		at += goUncommonSize
	}
	if at+8*count > g.etypes || !g.spend(8*count) {
		return false
	}
	for ; count > 0; count, at = count-1, at+8 {
		if !g.refer(to, at) {
			return false
		}
	}
	return true
}

// list returns the slice in a type at an offset, whose elements must lie among the types.
func (g *goReader) list(t goType, offset, size uint64) (at, count uint64, ok bool) {
	at, known := g.file.Word(t.addr + offset)
	count = binary.LittleEndian.Uint64(t.data[offset+8:])
	if count == 0 {
		return 0, 0, true
	}
	if !known || count != binary.LittleEndian.Uint64(t.data[offset+16:]) || at < g.types || at > g.etypes ||
		count > (g.etypes-at)/size || !g.spend(count*size) {
		return 0, 0, false
	}
	return at, count, true
}

// wants reads the methods of an interface.
func (g *goReader) wants(t goType, to *Type) bool {
	at, count, ok := g.list(t, goTypeSize+8, 8)
	for ; ok && count > 0; count, at = count-1, at+8 {
		entry, _ := g.file.bytesOf(at, 8)
		var method Method
		if method, ok = g.method(entry); ok {
			to.Wants = append(to.Wants, method)
			to.Refers = append(to.Refers, method.Type)
		}
	}
	return ok
}

// method reads the name and type that methods of interfaces and of other types begin with.
func (g *goReader) method(entry []byte) (Method, bool) {
	le := binary.LittleEndian
	name, ok := g.name(le.Uint32(entry))
	if !ok || name.text == "" {
		return Method{}, false
	}
	addr, ok := g.typeAt(le.Uint32(entry[4:]))
	return Method{Name: name.text, Type: addr, Exported: name.exported}, ok
}

// fields reads the types of the fields of a struct.
func (g *goReader) fields(t goType, to *Type) bool {
	const fieldSize = 24 // name, type, offset
	at, count, ok := g.list(t, goTypeSize+8, fieldSize)
	for ; ok && count > 0; count, at = count-1, at+fieldSize {
		ok = g.refer(to, at+8)
	}
	return ok
}

// methods reads the method table of a type, behind its uncommon part at offset. The linker
// puts -1 in place of code and of types that it left out: no interface has such a method.
func (g *goReader) methods(t goType, offset uint64, to *Type) bool {
	const unreachable = 1<<32 - 1
	if offset+goUncommonSize > uint64(len(t.data)) {
		return false
	}
	if path, ok := g.name(t.word32(offset)); !ok || path.exported {
		return false
	}
	count, exported := uint64(t.word16(offset+4)), t.word16(offset+6)
	from := offset + uint64(t.word32(offset+8))
	if uint64(exported) > count || from > uint64(len(t.data)) || count > (uint64(len(t.data))-from)/goMethodSize ||
		!g.spend(count*goMethodSize) {
		return false
	}
	for entries := t.data[from : from+count*goMethodSize]; len(entries) > 0; entries = entries[goMethodSize:] {
		signature, called := binary.LittleEndian.Uint32(entries[4:]), binary.LittleEndian.Uint32(entries[8:])
		if signature == unreachable || called == unreachable {
			continue
		}
		method, ok := g.method(entries)
		if !ok {
			return false
		}
		if method.Func, ok = g.code(called); !ok {
			return false
		}
		to.Methods = append(to.Methods, method)
	}
	return true
}

// readItabs reads the tables of methods that the linker built, by one of two lists.
func (g *goReader) readItabs() {
	if offset := g.layout.itaboffset; offset != 0 {
		at := g.types + g.word(offset)
		for end := at + g.word(offset+8); at+goItabSize < end; {
			itab, ok := g.readItab(at)
			if !ok {
				g.note("go: itab at %#x cannot be read, nor those that follow", at)
				break
			}
			g.file.Go.Itabs = append(g.file.Go.Itabs, itab)
			at += goItabSize + 8*max(1, uint64(len(itab.Funcs)))
		}
		return
	}
	at, count, _ := g.slice(g.layout.itablinks, 8)
	for ; count > 0; count, at = count-1, at+8 {
		addr, known := g.file.Word(at)
		if !known {
			continue // of another module
		}
		itab, ok := g.readItab(addr)
		if !ok {
			g.note("go: itab at %#x cannot be read", addr)
			continue
		}
		g.file.Go.Itabs = append(g.file.Go.Itabs, itab)
	}
	slices.SortFunc(g.file.Go.Itabs, func(a, b Itab) int { return cmp.Compare(a.Addr, b.Addr) })
}

// readItab reads the method table at addr, which is as long as its interface.
func (g *goReader) readItab(addr uint64) (Itab, bool) {
	itab := Itab{Addr: addr}
	itab.Interface, _ = g.file.Word(addr)
	itab.Type, _ = g.file.Word(addr + 8)
	data, ok := g.file.bytesOf(itab.Interface, goTypeSize+32)
	if !ok || data[23]&0x1f != goInterface || !g.isType(itab.Interface) {
		return itab, false
	}
	_, count, ok := g.list(goType{addr: itab.Interface, data: data}, goTypeSize+8, 8)
	if _, in := g.file.bytesOf(addr, goItabSize+8*count); !ok || !in || !g.spend(8*count) {
		return itab, false
	}
	for i := range count {
		code, known := g.file.Word(addr + goItabSize + 8*i)
		if known && code != 0 && !g.file.Executable(code) {
			return itab, false
		}
		itab.Funcs = append(itab.Funcs, code)
	}
	return itab, true
}
