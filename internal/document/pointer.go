package document

import (
	"cmp"
	"strconv"
	"strings"
)

// A Place is where a value stands: its JSON pointer (RFC 6901), and its 1-based line
// and column, which counts bytes.
type Place struct {
	Pointer      string
	Line, Column int
}

// Compare orders values of one document by where they stand in it.
func (v Value) Compare(w Value) int { return cmp.Compare(v.index, w.index) }

// Places returns the places of values, which may be keys, given in the order of the
// document. It walks the document once.
func (d *Document) Places(wanted []Value) []Place {
	if len(wanted) == 0 {
		return nil
	}
	w := pointerWalk{wanted: wanted, found: make([]Place, 0, len(wanted))}
	w.walk(d.Root())
	var p positioner
	for i, v := range wanted {
		w.found[i].Line, w.found[i].Column = v.position(&p)
	}
	return w.found
}

// Position returns the 1-based line and column, in bytes, of the value that a JSON
// pointer names. ok is false if there is no such value.
func (d *Document) Position(pointer string) (line, column int, ok bool) {
	v := d.Lookup(pointer)
	if v.doc == nil {
		return 0, 0, false
	}
	line, column = v.position(new(positioner))
	return line, column, true
}

// Place returns the 1-based line and column, in bytes, at which a value stands.
func (v Value) Place() (line, column int) { return v.position(new(positioner)) }

// position returns where a value stands; p has not passed it yet.
func (v Value) position(p *positioner) (line, column int) {
	if spots := v.doc.spots; spots != nil {
		return int(spots[v.index].Line), int(spots[v.index].Column)
	}
	return p.position(v.doc.text, v.offset())
}

type pointerWalk struct {
	wanted []Value
	found  []Place
	path   []byte
}

func (w *pointerWalk) walk(v Value) {
	w.visit(v)
	mark := len(w.path)
	for i, elem := range v.Elements() {
		if w.ahead(elem) {
			w.path = strconv.AppendInt(append(w.path, '/'), int64(i), 10)
			w.walk(elem)
			w.path = w.path[:mark]
		}
	}
	for key, val := range v.Members() {
		if w.ahead(key) || w.ahead(val) {
			w.path = append(append(w.path, '/'), escapePointer(key.Text())...)
			w.visit(key)
			w.walk(val)
			w.path = w.path[:mark]
		}
	}
}

// visit records the path for v as often as it is among the wanted values.
func (w *pointerWalk) visit(v Value) {
	for len(w.found) < len(w.wanted) && w.wanted[len(w.found)].index == v.index {
		w.found = append(w.found, Place{Pointer: string(w.path)})
	}
}

// ahead reports whether the next wanted token is v or part of it.
func (w *pointerWalk) ahead(v Value) bool {
	return len(w.found) < len(w.wanted) && w.wanted[len(w.found)].index < v.token().next
}

// escapePointer writes a key as a reference token of a JSON pointer (RFC 6901).
func escapePointer(key string) string {
	if !strings.ContainsAny(key, "~/") {
		return key
	}
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

// Lookup returns the value that a JSON pointer names, or the zero Value. It finds keys
// as [Value.Member] does.
func (d *Document) Lookup(pointer string) Value {
	v := d.Root()
	for pointer != "" && v.doc != nil {
		if pointer[0] != '/' {
			return Value{}
		}
		name, rest := pointer[1:], ""
		if i := strings.IndexByte(name, '/'); i >= 0 {
			name, rest = name[:i], name[i:]
		}
		v, pointer = v.child(unescapePointer(name)), rest
	}
	return v
}

// child returns the member or element with this name, or the zero Value.
func (v Value) child(name string) Value {
	if v.Kind() == Object {
		return v.Member(name)
	}
	index, err := strconv.Atoi(name)
	if err != nil || strconv.Itoa(index) != name {
		return Value{}
	}
	for i, elem := range v.Elements() {
		if i == index {
			return elem
		}
	}
	return Value{}
}

func unescapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
}

// A positioner turns ascending offsets into lines and columns, in one pass over
// the text.
type positioner struct {
	offset   int // reached so far
	newlines int // before offset
	line     int // offset of the line that offset is on
}

func (p *positioner) position(text string, offset int) (line, column int) {
	passed := text[p.offset:offset]
	p.newlines += strings.Count(passed, "\n")
	if i := strings.LastIndexByte(passed, '\n'); i >= 0 {
		p.line = p.offset + i + 1
	}
	p.offset = offset
	return p.newlines + 1, offset - p.line + 1
}
