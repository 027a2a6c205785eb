package playground

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/seccompile/seccompile/language"
)

// cut returns the part of a text that an editor has at a span.
func cut(text string, s Span) string {
	units := utf16.Encode([]rune(text))
	return string(utf16.Decode(units[s.From:s.To]))
}

func TestPlaces(t *testing.T) {
	const smile = "\U0001f642"
	for _, test := range []struct{ name, text, pointer, want string }{
		{"string", `{"a": ["x", "y"]}`, "/a/1", `"y"`},
		{"behind characters of two units", `{"` + smile + `": ["é` + smile + `", [true]]}`, "/" + smile + "/1", "[true]"},
		{"on another line", "{\n  \"" + smile + "\": 1,\n\t\"b\": {\n\t}\n}", "/b", "{\n\t}"},
		{"carriage returns", "{\r\n\"a\": 1,\r\n\"b\": 22}", "/b", "22"},
		{"byte order mark", "\ufeff{\"a\": 3}", "/a", "3"},
		{"byte order mark and a line", "\ufeff\n{\"a\": 3}", "/a", "3"},
		{"absent: the nearest around", "{\n\"a\": {}\n}", "/a/b/c", "{}"},
		{"the whole text: its first line", "{ \n\"a\": {}\n}", "", "{"},
		{"line and column", "read: 1\nwrite: 1 \n", "2:1", "write: 1"},
		{"in a line, behind two units", smile + smile + "read", "1:9", "read"},
		{"inside of a character", smile + " read", "1:3", smile + " read"},
		{"behind the line", "a\nb", "1:9", ""},
		{"behind the text", "a\nb", "9:1", ""},
		{"of another file", "a\nb", "other.policy:1:1", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlaces(language.NewSource([]byte(test.text)))
			if got := cut(test.text, p.span(test.pointer, 0, 0)); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// All rules of a long list have their places, found in one go or one by one.
func TestSpans(t *testing.T) {
	text := `{"a": [` + strings.Repeat(`{"b": [1, "é"]},`, 20) + `{}], "c": [7]}`
	p := newPlaces(language.NewSource([]byte(text)))
	pointers := []string{"/c/0", "/a/20", "/a/3/b/1", "/a/3", "/a/0", "/a/0/b", "/x/0", "3:4"}
	found := p.spans(pointers)
	for _, pointer := range pointers {
		if one := p.span(pointer, 0, 0); found[pointer] != one && pointer != "/x/0" {
			t.Errorf("%s: %v, alone %v", pointer, found[pointer], one)
		}
	}
	if got := cut(text, found["/a/3/b/1"]); got != `"é"` {
		t.Errorf("%q", got)
	}
}

func FuzzPlaces(f *testing.F) {
	f.Add("{\"a\": [\"\U0001f642\", 1]}", "/a/1", 1, 1)
	f.Add("\ufeffread: 1\r\n", "1:3", 2, -1)
	f.Fuzz(func(t *testing.T, text, pointer string, line, column int) {
		p := newPlaces(language.NewSource([]byte(text)))
		units := len(utf16.Encode([]rune(text)))
		for _, s := range []Span{p.span(pointer, line, column), p.line(line), p.spans([]string{pointer})[pointer]} {
			if s.From < 0 || s.To < s.From || s.To > units {
				t.Errorf("%v of %d", s, units)
			}
		}
	})
}
