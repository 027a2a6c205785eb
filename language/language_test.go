package language_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// Whoever asks gets the document of the first scan, or its error.
func TestSourceIsParsedOnce(t *testing.T) {
	s := language.NewSource(preset.Docker())
	first, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if oci.Detect(s) != oci.Docker {
		t.Error("not Docker's format")
	}
	if line, column := s.Position("/syscalls/0/names/0"); line < 2 || column < 2 {
		t.Errorf("position %d:%d", line, column)
	}
	if again, err := s.JSON(); again != first || err != nil {
		t.Errorf("another document, %v", err)
	}
	// Scanning would allocate the tokens.
	if n := testing.AllocsPerRun(10, func() { s.Position("/syscalls/0/names/0") }); n > 0 {
		t.Errorf("Position allocates %v times", n)
	}
	bad := language.NewSource([]byte(strings.Repeat("[1,\n", 50) + "?"))
	want := policy.Errors{{Kind: policy.Syntax, Reason: "expected a value, got '?'", Line: 51, Column: 1}}
	if _, err := bad.JSON(); err == nil || err.Error() != want.Error() {
		t.Errorf("%v, want %v", err, want)
	}
	if n := testing.AllocsPerRun(10, func() { bad.Position("/0") }); n > 0 {
		t.Errorf("Position in a broken text allocates %v times", n)
	}
}

// Goroutines that read a source, first at once and then each for targets of its own,
// get what one gets that has the text to itself.
func TestSourceServesManyAtOnce(t *testing.T) {
	abis := slices.Collect(arch.All())
	for name, text := range map[string][]byte{
		"good":   preset.Docker(),
		"bad":    []byte(`{"defaultAction": "SCMP_ACT_NONE", "archMap": [], "syscalls": [{"names": ["read"], "nam": 1}]}`),
		"broken": []byte(`{"defaultAction": `),
	} {
		t.Run(name, func(t *testing.T) {
			shared := language.NewSource(text)
			var readers sync.WaitGroup
			for _, a := range abis {
				readers.Add(1)
				go func() {
					defer readers.Done()
					got, want := transcript(shared, a), transcript(language.NewSource(text), a)
					if got != want {
						t.Errorf("%v: %s\nwant %s", a, got, want)
					}
				}()
			}
			readers.Wait()
		})
	}
}

// transcript reads a source and returns all that comes of it.
func transcript(s *language.Source, a arch.ABI) string {
	reading, err := oci.Language{}.Read(s, policy.Target{ABI: a})
	warnings := append([]policy.Warning{{Pointer: "/syscalls/0/action"}}, reading.Warnings...)
	s.Locate(warnings, err)
	line, column := s.Position("/syscalls/0")
	text := fmt.Sprint(oci.Detect(s), warnings, err, line, column)
	if reading.Policy != nil {
		printed, err := oci.Print(reading.Policy)
		text += fmt.Sprint(printed, err)
	}
	return text
}

func TestPosition(t *testing.T) {
	const text = "{\n  \"a\": [1, {\"b/c\": 2,\n \"~\": 3}],\n  \"\": 4, \"a\": 5\n}"
	tests := []struct {
		name, text, pointer string
		line, column        int
	}{
		{"the document", text, "", 1, 1},
		{"a member", text, "/a", 2, 8},
		{"an element", text, "/a/0", 2, 9},
		{"a key with a slash", text, "/a/1/b~1c", 2, 20},
		{"a key with a tilde", text, "/a/1/~0", 3, 7},
		{"an empty key", text, "/", 4, 7},
		{"an absent member: the object", text, "/a/1/x", 2, 12},
		{"inside an absent member: the object", text, "/a/1/x/y/z", 2, 12},
		{"an absent element: the list", text, "/a/2", 2, 8},
		{"an element of a number: the number", text, "/a/0/7", 2, 9},
		{"an index with a zero: the list", text, "/a/01", 2, 8},
		{"an index below zero: the list", text, "/a/-1", 2, 8},
		{"an index beyond all integers: the list", text, "/a/18446744073709551616", 2, 8},
		{"no pointer: the document", text, "a", 1, 1},
		{"nothing but slashes: what the empty key has", text, strings.Repeat("/", 100_000), 4, 7},
		{"behind blank lines", "\n\r\n  7", "/x", 3, 3},
		{"behind a byte order mark", "\ufeff[1]", "/0", 1, 2},
		{"text that is not JSON", "{\"a\": 1,}", "/a", 0, 0},
		{"no text", "", "", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if line, column := language.NewSource([]byte(tt.text)).Position(tt.pointer); line != tt.line || column != tt.column {
				t.Errorf("%d:%d, want %d:%d", line, column, tt.line, tt.column)
			}
		})
	}
}

// Locate fills in what is missing, leaves the rest alone, and sorts.
func TestLocate(t *testing.T) {
	s := language.NewSource([]byte("{\n\"a\": [\n10]}"))
	warnings := []policy.Warning{{Pointer: "/a/0"}, {Pointer: "/a/5"}, {Pointer: "/b"}, {}, {Pointer: "/a", Line: 7, Column: 8}}
	problems := policy.Errors{{Pointer: "/a/0"}, {}, {Pointer: "/a", Line: 7, Column: 8}}
	s.Locate(warnings, fmt.Errorf("of a caller: %w", problems))
	var got [][2]int
	for _, w := range warnings {
		got = append(got, [2]int{w.Line, w.Column})
	}
	for _, e := range problems {
		got = append(got, [2]int{e.Line, e.Column})
	}
	want := [][2]int{{1, 1}, {2, 6}, {3, 1}, {7, 8}, {0, 0}, {3, 1}, {7, 8}, {0, 0}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	s.Locate(nil, nil)
	s.Locate(nil, errors.New("of another kind"))
	broken := []policy.Warning{{Pointer: "/a"}}
	if language.NewSource([]byte("{")).Locate(broken, nil); broken[0].Line != 0 {
		t.Errorf("a place in a text that is not JSON: %v", broken)
	}
}

func TestData(t *testing.T) {
	text := []byte("any text")
	if got := language.NewSource(text).Data(); &got[0] != &text[0] || len(got) != len(text) {
		t.Errorf("%q", got)
	}
}
