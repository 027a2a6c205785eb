package policy

import (
	"bytes"
	"iter"
	"strconv"
	"strings"
)

// A value is one value of a document. The zero value is none.
type value struct {
	doc   *document
	index int32
}

func (d *document) root() value { return value{d, 0} }

func (v value) token() *token { return &v.doc.tokens[v.index] }

func (v value) kind() kind { return v.token().kind }

// present reports whether v is there and not null. runtime-spec's types treat
// null as absent.
func (v value) present() bool { return v.doc != nil && v.kind() != nullKind }

// raw returns the text of v as it is written, a string without its quotes.
func (v value) raw() []byte {
	t := v.token()
	return v.doc.text[t.start:t.end]
}

// string returns the text of a string, decoded, or of a number.
func (v value) string() string {
	if !v.token().escaped {
		return string(v.raw())
	}
	var b strings.Builder
	s := scanner{document: document{text: v.raw()}}
	for s.pos < len(s.text) {
		if s.text[s.pos] != '\\' {
			b.WriteByte(s.text[s.pos])
			s.pos++
			continue
		}
		r, err := s.escape()
		if err != nil {
			panic("BUG: a scanned string has a bad escape: " + err.Reason)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// is reports whether v is the string s.
func (v value) is(s string) bool {
	if v.token().escaped {
		return v.string() == s
	}
	return string(v.raw()) == s
}

// inside returns the range of the tokens inside v, which is empty if v is no
// container of this kind.
func (v value) inside(k kind) (first, end int32) {
	if v.doc == nil || v.kind() != k {
		return 0, 0
	}
	return v.index + 1, v.token().next
}

// elements yields the elements of an array, and nothing of any other value.
func (v value) elements() iter.Seq2[int, value] {
	return func(yield func(int, value) bool) {
		i, end := v.inside(arrayKind)
		for n := 0; i < end; n++ {
			if !yield(n, value{v.doc, i}) {
				return
			}
			i = v.doc.tokens[i].next
		}
	}
}

// members yields the keys and values of an object in file order, and nothing of
// any other value.
func (v value) members() iter.Seq2[value, value] {
	return func(yield func(key, val value) bool) {
		i, end := v.inside(objectKind)
		for i < end {
			if !yield(value{v.doc, i}, value{v.doc, i + 1}) {
				return
			}
			i = v.doc.tokens[i+1].next
		}
	}
}

// member returns the member of an object with this key, the first if there are
// several.
func (v value) member(key string) value {
	for k, val := range v.members() {
		if k.is(key) {
			return val
		}
	}
	return value{}
}

// offset is where v begins in the text, at its quote if it has one.
func (v value) offset() int {
	t := v.token()
	if t.kind == stringKind {
		return int(t.start) - 1
	}
	return int(t.start)
}

// pointers yields the JSON pointers of some tokens, keys as well as values,
// given by ascending index. It walks the document once.
func (d *document) pointers(wanted []int32) []string {
	w := pointerWalk{wanted: wanted, found: make([]string, 0, len(wanted))}
	w.walk(d.root())
	return w.found
}

type pointerWalk struct {
	wanted []int32
	found  []string
	path   []byte
}

func (w *pointerWalk) walk(v value) {
	w.visit(v)
	mark := len(w.path)
	for i, elem := range v.elements() {
		if w.ahead(elem) {
			w.path = strconv.AppendInt(append(w.path, '/'), int64(i), 10)
			w.walk(elem)
			w.path = w.path[:mark]
		}
	}
	for key, val := range v.members() {
		if w.ahead(key) || w.ahead(val) {
			w.path = append(append(w.path, '/'), escapePointer(key.string())...)
			w.visit(key)
			w.walk(val)
			w.path = w.path[:mark]
		}
	}
}

// visit records the path for v as often as it is wanted.
func (w *pointerWalk) visit(v value) {
	for len(w.found) < len(w.wanted) && w.wanted[len(w.found)] == v.index {
		w.found = append(w.found, string(w.path))
	}
}

// ahead reports whether the next wanted token is v or part of it.
func (w *pointerWalk) ahead(v value) bool {
	return len(w.found) < len(w.wanted) && w.wanted[len(w.found)] < v.token().next
}

// escapePointer writes a key as a reference token of a JSON pointer (RFC 6901).
func escapePointer(key string) string {
	if !strings.ContainsAny(key, "~/") {
		return key
	}
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

// lookup returns the value that a JSON pointer names, or none.
func (d *document) lookup(pointer string) value {
	v := d.root()
	for pointer != "" && v.doc != nil {
		if pointer[0] != '/' {
			return value{}
		}
		name, rest := pointer[1:], ""
		if i := strings.IndexByte(name, '/'); i >= 0 {
			name, rest = name[:i], name[i:]
		}
		v, pointer = v.child(unescapePointer(name)), rest
	}
	return v
}

// child returns the member or element with this name, or none.
func (v value) child(name string) value {
	if v.kind() == objectKind {
		return v.member(name)
	}
	index, err := strconv.Atoi(name)
	if err != nil || strconv.Itoa(index) != name {
		return value{}
	}
	for i, elem := range v.elements() {
		if i == index {
			return elem
		}
	}
	return value{}
}

func unescapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
}

// A Locator finds the values of a JSON document by their pointers.
type Locator struct{ doc *document }

// NewLocator returns a Locator for a document. If that is not JSON, it finds nothing.
func NewLocator(data []byte) *Locator {
	d, err := scan(data)
	if err != nil {
		d = nil
	}
	return &Locator{d}
}

// Position returns the 1-based line and column, in bytes, of the value that a JSON
// pointer names. ok is false if there is no such value.
func (l *Locator) Position(pointer string) (line, column int, ok bool) {
	if l.doc == nil {
		return 0, 0, false
	}
	v := l.doc.lookup(pointer)
	if v.doc == nil {
		return 0, 0, false
	}
	var p positioner
	line, column = p.position(l.doc.text, v.offset())
	return line, column, true
}

// A positioner turns ascending offsets into lines and columns, in one pass over
// the text.
type positioner struct {
	offset   int // reached so far
	newlines int // before offset
	line     int // offset of the line that offset is on
}

func (p *positioner) position(text []byte, offset int) (line, column int) {
	passed := text[p.offset:offset]
	p.newlines += bytes.Count(passed, []byte{'\n'})
	if i := bytes.LastIndexByte(passed, '\n'); i >= 0 {
		p.line = p.offset + i + 1
	}
	p.offset = offset
	return p.newlines + 1, offset - p.line + 1
}
