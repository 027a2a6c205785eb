package document

import (
	"iter"
	"strings"
)

// A Value is one value of a document, or the key of a member. The zero Value stands for an absent one.
type Value struct {
	doc   *Document
	index int32
}

// Root returns the value that the document is.
func (d *Document) Root() Value { return Value{d, 0} }

func (v Value) token() *token { return &v.doc.tokens[v.index] }

// Kind returns the kind of v, zero if v is absent.
func (v Value) Kind() Kind {
	if v.doc == nil {
		return 0
	}
	return v.token().kind
}

// Exists reports whether v is a value at all.
func (v Value) Exists() bool { return v.doc != nil }

// Present reports whether v is there and not null. runtime-spec's types treat
// null as absent.
func (v Value) Present() bool { return v.doc != nil && v.Kind() != Null }

// raw returns the text of v as it is written, a string without its quotes.
func (v Value) raw() string {
	t := v.token()
	return v.doc.text[t.start:t.end]
}

// Text returns the text of a string, decoded, or of a number; "" if v is absent. It is a part
// of the document's text unless it has to be decoded.
func (v Value) Text() string {
	if v.doc == nil {
		return ""
	}
	if t := v.token(); !t.escaped {
		return v.doc.text[t.start:t.end]
	}
	return v.unescaped()
}

// unescaped returns the text of a string with a backslash in it, decoded.
func (v Value) unescaped() string {
	var b strings.Builder
	s := scanner{Document: Document{text: v.raw()}}
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

// Is reports whether v is the string s.
func (v Value) Is(s string) bool {
	if v.token().escaped {
		return v.Text() == s
	}
	return v.raw() == s
}

// folds reports whether v is the string s but for letter case.
func (v Value) folds(s string) bool {
	if v.token().escaped {
		return strings.EqualFold(v.Text(), s)
	}
	return strings.EqualFold(v.raw(), s)
}

// inside returns the range of the tokens inside v, which is empty if v is not a
// container of this kind.
func (v Value) inside(k Kind) (first, end int32) {
	if v.Kind() != k {
		return 0, 0
	}
	return v.index + 1, v.token().next
}

// Elements yields the elements of an array, and nothing of any other value.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		for c := v.Cursor(); c.Next(); {
			if !yield(c.Index, c.Value) {
				return
			}
		}
	}
}

// A Cursor goes along the elements of an array. It allocates nothing, as [Value.Elements] does
// where the loop is in another function.
type Cursor struct {
	Value Value // the element that Next reached
	Index int
	next  int32 // token
	end   int32
}

// Cursor returns a cursor before the first element of v, and at the end of any other value.
func (v Value) Cursor() Cursor {
	next, end := v.inside(Array)
	return Cursor{Value{v.doc, v.index}, -1, next, end}
}

// Room returns how many elements Next will reach, but not more than there can be if each, with
// what is inside it, has so many keys and values at least: what to make room for at once.
func (c *Cursor) Room(least int) (n int) {
	for i := c.next; i < c.end; i = c.Value.doc.tokens[i].next {
		n++
	}
	return min(n, int(c.end-c.next)/least)
}

// Next goes to the next element and reports whether there is one.
func (c *Cursor) Next() bool {
	if c.next >= c.end {
		return false
	}
	c.Index++
	c.Value.index, c.next = c.next, c.Value.doc.tokens[c.next].next
	return true
}

// Members yields the keys and values of an object in file order, and nothing of
// any other value.
func (v Value) Members() iter.Seq2[Value, Value] {
	return func(yield func(key, val Value) bool) {
		i, end := v.inside(Object)
		for i < end {
			if !yield(Value{v.doc, i}, Value{v.doc, i + 1}) {
				return
			}
			i = v.doc.tokens[i+1].next
		}
	}
}

// Member returns the member of an object with this key, the first if there are
// several, or else the first whose key differs in letter case only: Go's JSON package,
// with which most programs read profiles, takes that one.
func (v Value) Member(key string) Value {
	var folded Value
	for k, val := range v.Members() {
		if k.Is(key) {
			return val
		}
		if !folded.Exists() && k.folds(key) {
			folded = val
		}
	}
	return folded
}

// offset is where v begins in the text, at its quote if it has one.
func (v Value) offset() int {
	t := v.token()
	if t.kind == String {
		return int(t.start) - 1
	}
	return int(t.start)
}
