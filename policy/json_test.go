package policy

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSyntaxErrorsNameTheirPlace(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "1:1: the input is empty"},
		{" \n\t", "2:2: the input is empty"},
		{"\ufeff", "1:1: the input is empty"},
		{"{", "1:2: end of input, want a key"},
		{"{\n", "2:1: end of input, want a key"},
		{`{"a"`, "1:5: end of input after a key, want ':'"},
		{`{"a" 1}`, "1:6: '1' after a key, want ':'"},
		{`{"a":`, "1:6: end of input, want a value"},
		{`{"a":}`, "1:6: '}', want a value"},
		{`{"a":1`, "1:7: end of input, want ',' or '}'"},
		{`{"a":1 "b":2}`, `1:8: '"', want ',' or '}'`},
		{`{"a":1,}`, "1:8: '}' after a comma, want a key"},
		{`{,}`, "1:2: ',', want a key"},
		{`{a: 1}`, "1:2: 'a', want a key in double quotes"},
		{`{'a': 1}`, `1:2: '\'', want a key in double quotes`},
		{"[1,\n 2,\n 3\n", "4:1: end of input, want ',' or ']'"},
		{`[1,]`, "1:4: ']', want a value"},
		{`[1 2]`, "1:4: '2', want ',' or ']'"},
		{`[}`, "1:2: '}', want a value"},
		{`{} {}`, "1:4: '{' after the end of the document"},
		{"{}\x00", `1:3: '\x00' after the end of the document`},
		{"// comment\n{}", "1:1: '/', want a value"},
		{`nul`, "1:1: 'n', want a value"},
		{`True`, "1:1: 'T', want a value"},
		{`NaN`, "1:1: 'N', want a value"},
		{`truth`, "1:1: 't', want a value"},
		{`truex`, "1:5: 'x' after the end of the document"},
		{`-`, "1:2: end of input, want a digit"},
		{`+1`, "1:1: '+', want a value"},
		{`.5`, "1:1: '.', want a value"},
		{`5.`, "1:3: end of input, want a digit"},
		{`5e`, "1:3: end of input, want a digit"},
		{`5e+x`, "1:4: 'x', want a digit"},
		{`-01`, "1:3: a number with a leading zero"},
		{`0x7E`, "1:2: 'x' in a number"},
		{`"a`, "1:3: end of input inside a string"},
		{`"a\`, "1:4: end of input inside a string"},
		{`"\u12`, "1:6: end of input inside a string"},
		{`"\x41"`, "1:3: 'x' after a backslash"},
		{`"\u12g4"`, "1:6: 'g', want four hexadecimal digits"},
		{"\"a\nb\"", `1:3: '\n' inside a string (write it as \u000a)`},
		{"\"a\x00b\"", `1:3: '\x00' inside a string (write it as \u0000)`},
		{"\"\xff\"", "1:2: byte 0xff is not UTF-8"},
		{"\"\xc0\xaf\"", "1:2: byte 0xc0 is not UTF-8"},
		{"\"\xed\xa0\x80\"", "1:2: byte 0xed is not UTF-8"},
		{"\xff\xfe{\x00}\x00", "1:1: byte 0xff, want a value"},
		{`"\ud83d"`, "1:8: half of a surrogate pair"},
		{`"\ud83d\u0041"`, "1:14: half of a surrogate pair"},
		{`"\ude00\ud83d"`, "1:8: half of a surrogate pair"},
		{"{\"é\":\n \"日本\" x}", "2:11: 'x', want ',' or '}'"},
		{strings.Repeat("[", maxDepth+1), "1:101: nested deeper than 100 levels"},
		{strings.Repeat(`{"a":`, maxDepth+1), "1:501: nested deeper than 100 levels"},
		{strings.Repeat("[", 1<<20), "1:101: nested deeper than 100 levels"},
	}
	for _, tt := range tests {
		_, _, err := Read([]byte(tt.text), Target{})
		if err == nil || !strings.HasPrefix(err.Error(), "policy: "+tt.want) {
			t.Errorf("%.40q: error %v, want %q", tt.text, err, tt.want)
		}
		if f := Sniff([]byte(tt.text)); f != 0 {
			t.Errorf("%.40q: sniffed as %v", tt.text, f)
		}
		if json.Valid([]byte(tt.text)) && !strings.Contains(tt.want, "surrogate") && !strings.Contains(tt.want, "UTF-8") {
			t.Errorf("%.40q: encoding/json takes it", tt.text)
		}
	}
}

func TestScanTakesWhatJSONAllows(t *testing.T) {
	for _, text := range []string{
		"null", "\ufeff{}", " [ ] ", `{"":{"":[[]]}}`, `-0.0e-00`, `1E+2`, `0`, "\"\u2028\x7f\"",
		`"\"\\\/\b\f\n\r\t\u0000\uFfFf\ud83d\ude00"`,
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth),
	} {
		if _, err := scan([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		checkScan(t, []byte(text))
	}
}

func TestTooLargeInputIsRefused(t *testing.T) {
	_, _, err := Read(bytes.Repeat([]byte{' '}, maxBytes+1), Target{})
	if want := "policy: 16777217 bytes are too many"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

// checkScan compares the scanner with encoding/json, which lets half surrogate
// pairs and bytes that are not UTF-8 pass and knows no byte order mark.
func checkScan(t *testing.T, text []byte) {
	t.Helper()
	d, err := scan(text)
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if err != nil {
		lenient := strings.Contains(err.Reason, "surrogate") || strings.Contains(err.Reason, "deeper") || !utf8.Valid(text)
		if json.Valid(text) && !lenient {
			t.Errorf("%q: %v, but encoding/json takes it", text, err)
		}
		return
	}
	if !json.Valid(text) {
		t.Errorf("%q: encoding/json does not take it", text)
		return
	}
	for i := range d.tokens {
		v := value{d, int32(i)}
		if v.kind() != stringKind {
			continue
		}
		var want string
		tok := v.token()
		if err := json.Unmarshal(text[tok.start-1:tok.end+1], &want); err != nil {
			t.Errorf("%q: %v", v.raw(), err)
		} else if got := v.string(); got != want {
			t.Errorf("%q is %q, want %q", v.raw(), got, want)
		}
	}
}

func TestPointersNameValuesAndKeys(t *testing.T) {
	d, problem := scan([]byte(`{"a": [10, {"b/c": 1, "~": [[]]}], "": {"\u0061": null}}`))
	if problem != nil {
		t.Fatal(problem)
	}
	all := make([]int32, len(d.tokens))
	for i := range all {
		all[i] = int32(i)
	}
	got := d.pointers(all)
	want := []string{"", "/a", "/a", "/a/0", "/a/1", "/a/1/b~1c", "/a/1/b~1c", "/a/1/~0", "/a/1/~0", "/a/1/~0/0", "/", "/", "//a", "//a"}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for i, pointer := range want {
		if v := d.lookup(pointer); v.doc == nil || v.index != int32(i) && v.index != int32(i)+1 {
			t.Errorf("%q leads to token %d, want %d or the value of that key", pointer, v.index, i)
		}
	}
	twice := d.pointers([]int32{3, 3, 9})
	if want := "/a/0 /a/0 /a/1/~0/0"; strings.Join(twice, " ") != want {
		t.Errorf("got %q, want %q", twice, want)
	}
}

func TestPosition(t *testing.T) {
	const text = "\ufeff{\n  \"a\": [10,\n\t{\"b/c\": \"é\", \"d\": 1}]\n}"
	tests := []struct {
		pointer      string
		line, column int
		ok           bool
	}{
		{"", 1, 1, true},
		{"/a", 2, 8, true},
		{"/a/0", 2, 9, true},
		{"/a/1", 3, 2, true},
		{"/a/1/b~1c", 3, 10, true},
		{"/a/1/d", 3, 21, true},
		{"/a/2", 0, 0, false},
		{"/a/01", 0, 0, false},
		{"/a/x", 0, 0, false},
		{"/a/0/0", 0, 0, false},
		{"/b", 0, 0, false},
		{"a", 0, 0, false},
	}
	for _, tt := range tests {
		line, column, ok := NewLocator([]byte(text)).Position(tt.pointer)
		if line != tt.line || column != tt.column || ok != tt.ok {
			t.Errorf("%q: %d:%d %v, want %d:%d %v", tt.pointer, line, column, ok, tt.line, tt.column, tt.ok)
		}
	}
	if _, _, ok := NewLocator([]byte("{")).Position(""); ok {
		t.Error("a place in what is not JSON")
	}
}
