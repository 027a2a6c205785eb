package scan

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
	"strings"

	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/internal/scan/object"
)

// A unit is what is known of one file, whatever program loads it.
type unit struct {
	file   *object.File
	code   *code.Module
	relocs []object.Reloc   // of the file and, if it is at a fixed address, of words that are addresses of it
	starts []uint64         // where objects in data begin
	whole  []object.Range   // data symbols: an object is not less than one
	defs   map[string][]int // symbols that other files see
	byFunc map[int][]int    // symbols of functions
	types  map[uint64]int   // of Go
	itabs  map[uint64]int
	flows  map[int]*code.Flow
}

// newUnit prepares what is known of a file.
func newUnit(f *object.File, m *code.Module) *unit {
	u := &unit{
		file: f, code: m, relocs: f.Relocs,
		defs: make(map[string][]int), byFunc: make(map[int][]int),
		types: make(map[uint64]int), itabs: make(map[uint64]int), flows: make(map[int]*code.Flow),
	}
	if f.Fixed {
		u.relocs = slices.Concat(u.relocs, u.words())
		slices.SortStableFunc(u.relocs, func(a, b object.Reloc) int { return cmp.Compare(a.Addr, b.Addr) })
	}
	if f.Go != nil {
		for i, t := range f.Go.Types {
			u.types[t.Addr] = i
		}
		for i, t := range f.Go.Itabs {
			u.itabs[t.Addr] = i
		}
	}
	u.readSymbols()
	u.findStarts()
	return u
}

// words returns the words of a file at a fixed address that are addresses of its functions
// or, of Go programs, whose data is not all taken for reached, of its data. C may pack them
// at any address; Go aligns them.
func (u *unit) words() (list []object.Reloc) {
	code.Words(u.file, func(at, to uint64) {
		if u.listed(at) {
			return
		}
		if fn, ok := u.fn(to); ok && u.file.Funcs[fn].Addr == to || !ok && u.file.Go != nil && u.segment(to) != nil {
			list = append(list, object.Reloc{Addr: at, Symbol: -1, Addend: to})
		}
	})
	return list
}

// listed reports whether an address is in a table of Go that lists everything.
func (u *unit) listed(addr uint64) bool {
	return u.file.Go != nil && slices.ContainsFunc(u.file.Go.Lists, func(r object.Range) bool { return r.Start <= addr && addr < r.End })
}

func (u *unit) readSymbols() {
	for i, s := range u.file.Symbols {
		if !s.Defined {
			continue
		}
		if s.Dynamic {
			u.defs[s.Name] = append(u.defs[s.Name], i)
		}
		if fn, ok := u.fn(s.Addr); ok {
			if u.file.Funcs[fn].Addr == s.Addr {
				u.byFunc[fn] = append(u.byFunc[fn], i)
			}
		} else if s.Size > 0 && !strings.HasSuffix(s.Name, "*") && u.segment(s.Addr) != nil { // Go's "type:*" and such hold others
			u.whole = append(u.whole, object.Range{Start: s.Addr, End: s.Addr + min(s.Size, 1<<40)})
		}
	}
	u.whole = union(u.whole)
}

// union returns ranges of which no two overlap.
func union(list []object.Range) []object.Range {
	slices.SortFunc(list, func(a, b object.Range) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	n := 0
	for _, r := range list {
		if n > 0 && r.Start < list[n-1].End {
			list[n-1].End = max(list[n-1].End, r.End)
			continue
		}
		list[n] = r
		n++
	}
	return list[:n]
}

// findStarts finds where objects in data begin: at addresses that code computes, that
// relocations point to, and at symbols. What code reads or writes without computing its
// address is a field, which would cut its object in two.
func (u *unit) findStarts() {
	add := func(addr uint64) {
		if s := u.segment(addr); s != nil && !s.Executable {
			u.starts = append(u.starts, addr)
		}
	}
	for i := range u.code.Funcs {
		for _, addr := range u.code.Funcs[i].Mentions {
			add(addr)
		}
	}
	for _, r := range u.file.Relocs {
		if r.Symbol < 0 && !r.Resolver {
			add(r.Addend)
		}
	}
	for _, s := range u.file.Symbols {
		if s.Defined {
			add(s.Addr)
		}
	}
	for _, addr := range u.file.Bounds {
		add(addr)
	}
	for addr := range u.types {
		add(addr)
	}
	for addr := range u.itabs {
		add(addr)
	}
	if u.file.Go != nil {
		u.findClosures(add)
	}
	slices.Sort(u.starts)
	u.starts = slices.Compact(u.starts)
}

// findClosures finds the function values of a Go program: what is pointed to and starts with
// the address of a function is that word alone, as static closures capture nothing.
func (u *unit) findClosures(add func(uint64)) {
	for _, r := range u.relocs {
		if _, code := u.fn(r.Addend); !code && r.Symbol < 0 && u.isClosure(r.Addend) {
			add(r.Addend)
		}
	}
	for _, addr := range slices.Clone(u.starts) {
		if u.isClosure(addr) {
			add(addr + 8)
		}
	}
}

// isClosure reports whether the word at an address is that of a function.
func (u *unit) isClosure(addr uint64) bool {
	r, ok := u.reloc(addr)
	if !ok || r.Symbol >= 0 {
		return false
	}
	fn, ok := u.fn(r.Addend)
	return ok && u.file.Funcs[fn].Addr == r.Addend
}

// object returns the object in data that an address is in.
func (u *unit) object(addr uint64) (object.Range, bool) {
	s := u.segment(addr)
	if s == nil || s.Executable {
		return object.Range{}, false
	}
	r := object.Range{Start: s.Addr, End: s.Addr + s.Size}
	i, exact := slices.BinarySearch(u.starts, addr)
	if exact {
		i++
	}
	if i > 0 {
		r.Start = max(r.Start, u.starts[i-1])
	}
	if i < len(u.starts) {
		r.End = min(r.End, u.starts[i])
	}
	i = sort.Search(len(u.whole), func(i int) bool { return u.whole[i].End > addr })
	if i < len(u.whole) && u.whole[i].Start <= addr {
		r.Start, r.End = min(r.Start, u.whole[i].Start), max(r.End, u.whole[i].End)
	}
	return r, true
}

// within returns the relocations of a range.
func (u *unit) within(r object.Range) []object.Reloc {
	at := func(addr uint64) int {
		return sort.Search(len(u.relocs), func(i int) bool { return u.relocs[i].Addr >= addr })
	}
	return u.relocs[at(r.Start):at(r.End)]
}

// reloc returns the relocation of the word at an address.
func (u *unit) reloc(addr uint64) (object.Reloc, bool) {
	list := u.within(object.Range{Start: addr, End: addr + 1})
	if len(list) == 0 {
		return object.Reloc{}, false
	}
	return list[0], true
}

// word returns what the file has at an address.
func (u *unit) word(addr uint64) (uint64, bool) {
	s := u.segment(addr)
	if s == nil || addr-s.Addr > uint64(len(s.Data)) || uint64(len(s.Data))-(addr-s.Addr) < 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(s.Data[addr-s.Addr:]), true
}

// segment returns the segment that an address is in, nil if none.
func (u *unit) segment(addr uint64) *object.Segment {
	for i := range u.file.Segments { // there are few
		if s := &u.file.Segments[i]; addr >= s.Addr && addr-s.Addr < s.Size {
			return s
		}
	}
	return nil
}

// fn returns the index of the function that an address is in.
func (u *unit) fn(addr uint64) (int, bool) {
	funcs := u.file.Funcs
	i := sort.Search(len(funcs), func(i int) bool { return funcs[i].Addr > addr }) - 1
	if i < 0 || addr-funcs[i].Addr >= max(funcs[i].Size, 1) {
		return 0, false
	}
	return i, true
}

// flow returns the values in a function.
func (u *unit) flow(fn int) *code.Flow {
	f := u.flows[fn]
	if f == nil {
		values := u.code.Flow(fn)
		f = &values
		u.flows[fn] = f
	}
	return f
}

// names returns the names of a function, "" for one that has none.
func (u *unit) name(fn int) string {
	if name := u.file.Funcs[fn].Name; name != "" {
		return name
	}
	for _, i := range u.byFunc[fn] {
		return u.file.Symbols[i].Name
	}
	return ""
}

// strings calls do for the strings in what a file only reads, which linkers may put beside code.
// A string may be the end of a longer one, which linkers share, or of text that no zero byte
// ends, as in Rust: what the file points to counts as well.
func (u *unit) strings(do func(string)) {
	for _, s := range u.file.Segments {
		if !s.Writable {
			eachString(s.Data, do)
		}
	}
	for _, addr := range u.starts {
		s := u.segment(addr)
		if s == nil || s.Writable || addr == s.Addr || addr-s.Addr >= uint64(len(s.Data)) || s.Data[addr-s.Addr-1] == 0 {
			continue
		}
		text, _, found := bytes.Cut(s.Data[addr-s.Addr:][:min(maxString, uint64(len(s.Data))-(addr-s.Addr))], []byte{0})
		if found && len(text) > 2 && printable(text) {
			do(string(text))
		}
	}
}

// maxString is the length of names and paths, which are not longer (linux/limits.h: PATH_MAX).
const maxString = 4096

// printable reports whether a text has nothing but printable characters of ASCII.
func printable(text []byte) bool {
	return !bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// eachString calls do for every run of printable characters that ends with a zero byte. Of three
// bytes in a row, one is in any run that is long enough.
func eachString(data []byte, do func(string)) {
	text := func(i int) bool { return ' ' <= data[i] && data[i] <= '~' }
	for i := 2; i < len(data); i += 3 {
		if !text(i) {
			continue
		}
		start, end := i, i+1
		for start > 0 && text(start-1) {
			start--
		}
		for end < len(data) && text(end) {
			end++
		}
		if end < len(data) && data[end] == 0 && end-start > 2 {
			do(string(data[start:end]))
		}
		i = end
	}
}
