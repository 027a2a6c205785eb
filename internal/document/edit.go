package document

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// An Edit replaces a part of a document's text, from one byte to before another, not
// counting a byte order mark.
type Edit struct {
	From, To int
	Text     string
}

// Replace returns the edit that writes JSON in the place of a value.
func (v Value) Replace(text string) Edit {
	from, to := v.span()
	return Edit{from, to, text}
}

// Rename returns the edit that writes another key in the place of v, which is a key.
func (v Value) Rename(key string) Edit {
	quoted, err := json.Marshal(key)
	if err != nil {
		panic("BUG: a string has no JSON: " + err.Error())
	}
	return v.Replace(string(quoted))
}

// Rewrite returns the edits that leave out those children of v, a list or an object, for
// which drop holds, and append others: values to a list, or members with their keys to an
// object. What stays keeps its text, and what is new the layout of what is there.
func (v Value) Rewrite(drop func(index int) bool, added []string) (edits []Edit) {
	spans := v.children()
	if len(spans) == 0 {
		return v.fill(added)
	}
	first, last := spans[0].From, spans[len(spans)-1].To
	between := v.between(spans)
	kept := -1 // the last child that stays
	for i := range spans {
		if !drop(i) {
			kept = i
		}
	}
	if kept < 0 {
		return []Edit{{first, last, join(added, between)}}
	}
	for i := 0; i < kept; i++ {
		if drop(i) {
			edits = append(edits, Edit{spans[i].From, spans[i+1].From, ""})
		}
	}
	tail := join(added, between)
	if tail != "" {
		tail = between + tail
	}
	if from := spans[kept].To; from < last || tail != "" {
		edits = append(edits, Edit{from, last, tail})
	}
	return edits
}

// between returns what stands between children, which are there.
func (v Value) between(spans []Edit) string {
	if n := len(spans); n > 1 {
		return v.doc.text[spans[n-2].To:spans[n-1].From]
	}
	return "," + v.doc.text[v.token().start+1:spans[0].From]
}

// fill returns the edits that put values into an empty list or object.
func (v Value) fill(added []string) []Edit {
	if len(added) == 0 {
		return nil
	}
	at := int(v.token().start) + 1
	return []Edit{{at, at, join(added, ", ")}}
}

func join(texts []string, between string) (all string) {
	for i, text := range texts {
		if i > 0 {
			all += between
		}
		all += text
	}
	return all
}

// children returns where the elements or members of v stand.
func (v Value) children() (spans []Edit) {
	for _, elem := range v.Elements() {
		from, to := elem.span()
		spans = append(spans, Edit{From: from, To: to})
	}
	for key, val := range v.Members() {
		from, _ := key.span()
		_, to := val.span()
		spans = append(spans, Edit{From: from, To: to})
	}
	return spans
}

// span returns where a value begins and ends in the text, with the quotes of a string.
func (v Value) span() (from, to int) {
	to = int(v.token().end)
	if v.Kind() == String {
		to++
	}
	return v.offset(), to
}

// Outermost returns edits in the order of the text, without those inside a part that another
// one replaces. What is put in front of such a part stays.
func Outermost(edits []Edit) (outermost []Edit) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int {
		if c := cmp.Compare(a.From, b.From); c != 0 || a.From == a.To || b.From == b.To {
			return cmp.Or(c, cmp.Compare(a.To, b.To))
		}
		return cmp.Compare(b.To, a.To)
	})
	at := 0
	for _, e := range edits {
		if e.From >= at {
			outermost, at = append(outermost, e), e.To
		}
	}
	return outermost
}

// Apply returns the text of the document with the outermost of edits.
func (d *Document) Apply(edits []Edit) []byte {
	var text []byte
	at := 0
	for _, e := range Outermost(edits) {
		text = append(append(text, d.text[at:e.From]...), e.Text...)
		at = e.To
	}
	return append(text, d.text[at:]...)
}

// Insert returns the edits that put values in front of a child of v, by its index, or for the
// number of children behind the last one, in the layout of what is there.
func (v Value) Insert(index int, added []string) []Edit {
	spans := v.children()
	if index == len(spans) {
		return v.Rewrite(func(int) bool { return false }, added)
	}
	at, between := spans[index].From, v.between(spans)
	return []Edit{{at, at, join(added, between) + between}}
}

// Follow returns the edit that puts values behind a child of v, by its index, or in its place.
func (v Value) Follow(index int, replace bool, added []string) Edit {
	spans := v.children()
	at, between := spans[index], v.between(spans)
	if replace {
		return Edit{at.From, at.To, join(added, between)}
	}
	return Edit{at.To, at.To, between + join(added, between)}
}

// JSON returns the text of v as it was written.
func (v Value) JSON() string {
	from, to := v.span()
	return v.doc.text[from:to]
}

// LaidOut returns the text of a value in the layout of v, an object: on one line, or with a
// line for each value if the members of v have lines of their own.
func (v Value) LaidOut(text []byte) string {
	for key := range v.Members() {
		outer, inner := v.margin(), key.margin()
		indent, deeper := strings.CutPrefix(inner, outer)
		var b bytes.Buffer
		line, _ := v.Place()
		if first, _ := key.Place(); deeper && line < first && strings.TrimSpace(inner) == "" && json.Indent(&b, text, outer, indent) == nil {
			return b.String()
		}
		break
	}
	return string(text)
}

// margin returns what stands before v on its line.
func (v Value) margin() string {
	before := v.doc.text[:v.offset()]
	return before[strings.LastIndexByte(before, '\n')+1:]
}
