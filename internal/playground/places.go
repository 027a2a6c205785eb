package playground

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/language"
)

// Places turn the places of a text in lines and bytes into those of the page's editor.
type places struct {
	text   string
	source *language.Source
	lines  []int // where each begins, in bytes
	units  []int // and in UTF-16 units
	start  int   // of the text behind a byte order mark
}

func newPlaces(s *language.Source) *places {
	p := &places{text: string(s.Data()), source: s, lines: []int{0}, units: []int{0}}
	if strings.HasPrefix(p.text, "\ufeff") {
		p.start = len("\ufeff")
	}
	unit := 0
	for i, r := range p.text {
		unit += unitsOf(r)
		if r == '\n' {
			p.lines = append(p.lines, i+1)
			p.units = append(p.units, unit)
		}
	}
	return p
}

// unitsOf returns how many UTF-16 units a character has.
func unitsOf(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

// unit returns the UTF-16 position of a byte.
func (p *places) unit(offset int) int {
	offset = max(0, min(offset, len(p.text)))
	line, high := 0, len(p.lines)
	for high-line > 1 {
		if middle := (line + high) / 2; p.lines[middle] <= offset {
			line = middle
		} else {
			high = middle
		}
	}
	unit := p.units[line]
	for _, r := range p.text[p.lines[line]:offset] {
		unit += unitsOf(r)
	}
	return unit
}

// offset returns the byte at a 1-based line and column, as far as the text has them.
func (p *places) offset(line, column int) int {
	if line < 1 {
		return 0
	}
	if line > len(p.lines) {
		return len(p.text)
	}
	start, end := p.lines[line-1], p.lineEnd(line)
	if line == 1 {
		start = min(p.start, end) // columns do not count a byte order mark
	}
	at := min(start+max(column-1, 0), end)
	for at > start && at < end && !utf8.RuneStart(p.text[at]) {
		at--
	}
	return at
}

// lineEnd returns where a line ends, without white space.
func (p *places) lineEnd(line int) int {
	end := len(p.text)
	if line < len(p.lines) {
		end = p.lines[line]
	}
	start := p.lines[line-1]
	return start + len(strings.TrimRight(p.text[start:end], " \t\r\n"))
}

// span returns where a pointer's value stands; a line and a column that are known go before
// the pointer's own. What has no place in this text has the empty span at its beginning.
func (p *places) span(pointer string, line, column int) Span {
	if line == 0 {
		line, column = p.source.Position(pointer)
	}
	if line == 0 {
		return Span{}
	}
	from := p.offset(line, column)
	to := p.lineEnd(min(line, len(p.lines)))
	if n := p.length(pointer, from); n > 0 {
		to = from + n
	}
	return Span{p.unit(from), p.unit(max(from, to))}
}

// spans returns where the values of pointers stand, those that stand in this text. Elements of
// lists, as rules are, are looked up list by list: there can be many.
func (p *places) spans(pointers []string) map[string]Span {
	found := make(map[string]Span, len(pointers))
	doc, err := p.source.JSON()
	if err == nil && doc.Original() {
		p.elements(doc, pointers, found)
	}
	for _, pointer := range pointers {
		if _, ok := found[pointer]; ok {
			continue
		}
		if span := p.span(pointer, 0, 0); span != (Span{}) {
			found[pointer] = span
		}
	}
	return found
}

// elements is spans for those pointers that name elements of a document's lists.
func (p *places) elements(doc *document.Document, pointers []string, found map[string]Span) {
	wanted := make(map[string]bool, len(pointers))
	lists := make(map[string]document.Value)
	for _, pointer := range pointers {
		wanted[pointer] = true
		list := pointer[:max(0, strings.LastIndexByte(pointer, '/'))]
		if _, ok := lists[list]; !ok {
			lists[list] = doc.Lookup(list)
		}
	}
	var values []document.Value
	for _, pointer := range slices.SortedFunc(maps.Keys(lists), func(a, b string) int { return lists[a].Compare(lists[b]) }) {
		for i, v := range lists[pointer].Elements() {
			if wanted[pointer+"/"+strconv.Itoa(i)] {
				values = append(values, v)
			}
		}
	}
	slices.SortFunc(values, document.Value.Compare) // a list may be inside of another
	for i, place := range doc.Places(values) {
		from := p.offset(place.Line, place.Column)
		found[place.Pointer] = Span{p.unit(from), p.unit(from + len(values[i].JSON()))}
	}
}

// length returns the length of the JSON value that a pointer names if it stands at a place
// of the text, or 0.
func (p *places) length(pointer string, at int) int {
	doc, err := p.source.JSON()
	if err != nil || !doc.Original() || pointer == "" { // the whole text: its first line will do
		return 0
	}
	v := doc.Lookup(pointer)
	if !v.Exists() || !strings.HasPrefix(p.text[at:], v.JSON()) {
		return 0
	}
	return len(v.JSON())
}

// line returns the span of a line without the white space around it.
func (p *places) line(n int) Span {
	if n < 1 || n > len(p.lines) {
		return Span{}
	}
	from, to := p.lines[n-1], p.lineEnd(n)
	from += len(p.text[from:to]) - len(strings.TrimLeft(p.text[from:to], " \t"))
	return Span{p.unit(from), p.unit(to)}
}
