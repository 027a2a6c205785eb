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
	dtRelrSize    elf.DynTag = 35
	dtRelr        elf.DynTag = 36
	dtAndroidRela elf.DynTag = 0x60000011
)

// maxList bounds the libraries that a file needs, and the folders in which it looks for them.
const maxList = 1 << 10

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
	if p, ok := r.prog(elf.PT_INTERP); ok {
		data, _ := r.cut(p.Off, min(p.Filesz, maxText))
		r.file.Interp, _, _ = strings.Cut(string(data), "\x00")
	}
	p, ok := r.prog(elf.PT_DYNAMIC)
	if !ok {
		return
	}
	// ld.so reads the table in memory, wherever the file has it.
	data, ok := r.file.bytesOf(p.Vaddr, p.Filesz)
	if !ok {
		r.note("dynamic table lies outside of the file")
		return
	}
	var needed []uint64
	for ; len(data) >= 16; data = data[16:] {
		tag := elf.DynTag(int64(binary.LittleEndian.Uint64(data)))
		value := binary.LittleEndian.Uint64(data[8:])
		if tag == elf.DT_NULL {
			break
		}
		switch tag {
		case elf.DT_NEEDED, elf.DT_FILTER, elf.DT_AUXILIARY: // ld.so loads what a file filters, too
			needed = append(needed, value)
			r.file.Filter = r.file.Filter || tag != elf.DT_NEEDED
		default:
			r.dyn.values[tag] = value
		}
	}
	r.dyn.present = true
	r.dyn.texts = string(r.table(elf.DT_STRTAB, elf.DT_STRSZ))
	for _, at := range needed {
		if name := r.text(elf.DT_NEEDED, at); name != "" {
			r.file.Needed = append(r.file.Needed, name)
		}
	}
	r.file.Needed = r.atMost(elf.DT_NEEDED, r.file.Needed)
	r.file.Audit = append(r.tagList(elf.DT_AUDIT), r.tagList(elf.DT_DEPAUDIT)...)
	r.file.SOName = r.tagText(elf.DT_SONAME)
	r.file.RPath = r.tagList(elf.DT_RPATH)
	r.file.RunPath = r.tagList(elf.DT_RUNPATH)
}

// text returns a text of the dynamic table.
func (r *reader) text(tag elf.DynTag, at uint64) string {
	text := textAt(r.dyn.texts, at)
	if text == "" {
		r.note("%s: no text at %#x", tag, at)
	}
	return text
}

// tagText returns the text of a tag, "" if the table lacks it.
func (r *reader) tagText(tag elf.DynTag) string {
	at, ok := r.dyn.values[tag]
	if !ok {
		return ""
	}
	return r.text(tag, at)
}

// tagList returns the list of a tag, whose text has colons between its elements.
func (r *reader) tagList(tag elf.DynTag) []string {
	text := r.tagText(tag)
	if text == "" {
		return nil
	}
	return r.atMost(tag, strings.Split(text, ":"))
}

// atMost returns a list, or as much of it as a file may have.
func (r *reader) atMost(tag elf.DynTag, list []string) []string {
	if len(list) > maxList {
		r.note("%s: more than %d elements: the others are not read", tag, maxList)
		list = list[:maxList]
	}
	return list
}
