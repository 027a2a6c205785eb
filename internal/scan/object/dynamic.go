package object

import (
	"debug/elf"
	"encoding/binary"
	"strings"
)

// A dynamic is what PT_DYNAMIC says to ld.so.
type dynamic struct {
	present bool
	values  map[elf.DynTag]uint64 // the last of each, which counts
	texts   string                // DT_STRTAB
}

// Tags that debug/elf does not name.
const (
	dtRelrSize elf.DynTag = 35
	dtRelr     elf.DynTag = 36
)

// table returns a table by the tags of its address and its size in bytes.
func (r *reader) table(addr, size elf.DynTag) []byte {
	at, n := r.dyn.values[addr], r.dyn.values[size]
	if at == 0 || n == 0 {
		return nil
	}
	data, ok := r.file.bytesOf(at, n)
	if !ok {
		r.note("%s: %d bytes at %#x lie outside of the file", addr, n, at)
	}
	return data
}

func (r *reader) dynamic() {
	r.dyn.values = map[elf.DynTag]uint64{}
	for _, p := range r.progs {
		switch elf.ProgType(p.Type) {
		case elf.PT_INTERP:
			data, _ := r.cut(p.Off, p.Filesz)
			r.file.Interp, _, _ = strings.Cut(string(data), "\x00")
		case elf.PT_DYNAMIC:
			r.dynamicTable(p)
		}
	}
}

func (r *reader) dynamicTable(p elf.Prog64) {
	// ld.so reads the table in memory, wherever the file has it.
	data, ok := r.file.bytesOf(p.Vaddr, p.Filesz)
	if !ok {
		r.note("dynamic table lies outside of the file")
		return
	}
	type reference struct {
		tag  elf.DynTag
		text uint64
	}
	var references []reference
	for ; len(data) >= 16; data = data[16:] {
		tag := elf.DynTag(int64(binary.LittleEndian.Uint64(data)))
		value := binary.LittleEndian.Uint64(data[8:])
		if tag == elf.DT_NULL {
			break
		}
		switch tag {
		case elf.DT_NEEDED, elf.DT_SONAME, elf.DT_RPATH, elf.DT_RUNPATH, elf.DT_FILTER, elf.DT_AUXILIARY:
			references = append(references, reference{tag, value})
		default:
			r.dyn.values[tag] = value
		}
	}
	r.dyn.present = true
	r.dyn.texts = string(r.table(elf.DT_STRTAB, elf.DT_STRSZ))
	for _, ref := range references {
		text := textAt(r.dyn.texts, ref.text)
		if text == "" {
			r.note("%s: no text at %#x", ref.tag, ref.text)
			continue
		}
		switch ref.tag {
		case elf.DT_SONAME:
			r.file.SOName = text
		case elf.DT_RPATH:
			r.file.RPath = append(r.file.RPath, strings.Split(text, ":")...)
		case elf.DT_RUNPATH:
			r.file.RunPath = append(r.file.RunPath, strings.Split(text, ":")...)
		default: // ld.so loads what a file filters as it loads what it needs
			r.file.Needed = append(r.file.Needed, text)
		}
	}
}
