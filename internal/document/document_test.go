package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSyntaxErrorsNameTheirPlace(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "1:1: the input is empty"},
		{" \n\t", "2:2: the input is empty"},
		{"\ufeff", "1:1: the input is empty"},
		{"{", "1:2: expected a key in double quotes, got end of input"},
		{"{\n", "2:1: expected a key in double quotes, got end of input"},
		{`{"a"`, "1:5: expected ':' after a key, got end of input"},
		{`{"a" 1}`, "1:6: expected ':' after a key, got '1'"},
		{`{"a":`, "1:6: expected a value, got end of input"},
		{`{"a":}`, "1:6: expected a value, got '}'"},
		{`{"a":1`, "1:7: expected ',' or '}', got end of input"},
		{`{"a":1 "b":2}`, `1:8: expected ',' or '}', got '"'`},
		{`{"a":1,}`, "1:7: a comma before '}' (remove the comma)"},
		{`{,}`, "1:2: expected a key in double quotes, got ','"},
		{`{a: 1}`, "1:2: expected a key in double quotes, got 'a'"},
		{`{'a': 1}`, `1:2: expected a key in double quotes, got '\''`},
		{"[1,\n 2,\n 3\n", "4:1: expected ',' or ']', got end of input"},
		{`[1,]`, "1:3: a comma before ']' (remove the comma)"},
		{"[1,\n 2 , \n]", "2:4: a comma before ']' (remove the comma)"},
		{`[,]`, "1:2: expected a value, got ','"},
		{`[1 2]`, "1:4: expected ',' or ']', got '2'"},
		{`[}`, "1:2: expected a value, got '}'"},
		{`{} {}`, "1:4: '{' after the end of the document"},
		{"{}\x00", `1:3: '\x00' after the end of the document`},
		{"// comment\n{}", "1:1: a comment, which JSON does not have"},
		{"# comment\n{}", "1:1: a comment, which JSON does not have"},
		{"{ /* comment */", "1:3: a comment, which JSON does not have"},
		{"{} # comment", "1:4: a comment, which JSON does not have"},
		{"[1 // comment", "1:4: a comment, which JSON does not have"},
		{`{"a": // comment`, "1:7: a comment, which JSON does not have"},
		{`{"a" # comment`, "1:6: a comment, which JSON does not have"},
		{`{"a": EPERM}`, "1:7: expected a value, got EPERM (write a number, or put text in double quotes)"},
		{`[ True]`, "1:3: expected a value, got True "},
		{"# comment\nkind: Pod", "1:1: YAML, not JSON"},
		{"#", "1:1: a comment, which JSON does not have"},
		{"---\na: 1", "1:1: YAML, not JSON"},
		{"- a\n- b", "1:1: YAML, not JSON"},
		{"names:\n- read", "1:1: YAML, not JSON"},
		{" [Service]\nType=simple", "1:2: a systemd unit or another INI file"},
		{"The profile:\n\n {\n{}", "1:1: text before the first brace, which is at 4:1 (remove the text)"},
		{"profile = {}", "1:1: text before the first brace, which is at 1:11 (remove the text)"},
		{"<html>\n", "1:1: the text is not JSON"},
		{"root:x:0:0:\n", "1:1: the text is not JSON"},
		{`nul`, "1:1: the text is not JSON"},
		{`True`, "1:1: the text is not JSON"},
		{`NaN`, "1:1: the text is not JSON"},
		{`truth`, "1:1: the text is not JSON"},
		{`truex`, "1:1: the text is not JSON"},
		{`-`, "1:1: the text is not JSON"},
		{`[-`, "1:3: expected a digit, got end of input"},
		{`+1`, "1:1: expected a value, got '+'"},
		{`.5`, "1:1: expected a value, got '.'"},
		{`5.`, "1:3: expected a digit, got end of input"},
		{`5e`, "1:3: expected a digit, got end of input"},
		{`5e+x`, "1:4: expected a digit, got 'x'"},
		{`-01`, "1:3: a number with a leading zero"},
		{`0x7E`, "1:2: 'x' in a number"},
		{`"a`, "1:3: end of input inside a string"},
		{`"a\`, "1:4: end of input inside a string"},
		{`"\u12`, "1:6: end of input inside a string"},
		{`"\x41"`, "1:3: 'x' after a backslash"},
		{`"\u12g4"`, "1:6: expected four hexadecimal digits after \\u, got 'g'"},
		{"\"a\nb\"", `1:3: '\n' inside a string (write it as \u000a)`},
		{"\"a\x00b\"", `1:3: '\x00' inside a string (write it as \u0000)`},
		{"\"\xff\"", "1:2: byte 0xff is not UTF-8"},
		{"\"\xc0\xaf\"", "1:2: byte 0xc0 is not UTF-8"},
		{"\"\xed\xa0\x80\"", "1:2: byte 0xed is not UTF-8"},
		{"\xff\xfe{\x00}\x00", "1:1: expected a value, got byte 0xff"},
		{`"\ud83d"`, "1:8: unpaired surrogate"},
		{`"\ud83d\u0041"`, "1:14: unpaired surrogate"},
		{`"\ude00\ud83d"`, "1:8: unpaired surrogate"},
		{"{\"é\":\n \"日本\" x}", "2:11: expected ',' or '}', got 'x'"},
		{strings.Repeat("[", maxDepth+1), "1:101: nested deeper than 100 levels"},
		{strings.Repeat(`{"a":`, maxDepth+1), "1:501: nested deeper than 100 levels"},
		{strings.Repeat("[", 1<<20), "1:101: nested deeper than 100 levels"},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(tt.text))
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%.40q: error %v, want %q", tt.text, err, tt.want)
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
		if _, err := Parse([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		checkScan(t, []byte(text))
	}
}

func TestTooLargeInputIsRefused(t *testing.T) {
	_, err := Parse(bytes.Repeat([]byte{' '}, maxBytes+1))
	if want := "16777217 bytes are too many"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

// checkScan compares the scanner with encoding/json, which lets half surrogate
// pairs and bytes that are not UTF-8 pass and knows no byte order mark.
func checkScan(t *testing.T, text []byte) {
	t.Helper()
	d, err := Parse(text)
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
		v := Value{d, int32(i)}
		if v.Kind() != String {
			continue
		}
		var want string
		tok := v.token()
		if err := json.Unmarshal(text[tok.start-1:tok.end+1], &want); err != nil {
			t.Errorf("%q: %v", v.raw(), err)
		} else if got := v.Text(); got != want {
			t.Errorf("%q is %q, want %q", v.raw(), got, want)
		}
	}
}

func TestPointersNameValuesAndKeys(t *testing.T) {
	d, problem := Parse([]byte(`{"a": [10, {"b/c": 1, "~": [[]]}], "": {"\u0061": null}}`))
	if problem != nil {
		t.Fatal(problem)
	}
	pointers := func(tokens ...int32) (list []string) {
		var values []Value
		for _, i := range tokens {
			values = append(values, Value{d, i})
		}
		for _, p := range d.Places(values) {
			list = append(list, p.Pointer)
		}
		return list
	}
	var all []int32
	for i := range d.tokens {
		all = append(all, int32(i))
	}
	got := pointers(all...)
	want := []string{"", "/a", "/a", "/a/0", "/a/1", "/a/1/b~1c", "/a/1/b~1c", "/a/1/~0", "/a/1/~0", "/a/1/~0/0", "/", "/", "//a", "//a"}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for i, pointer := range want {
		if v := d.Lookup(pointer); v.doc == nil || v.index != int32(i) && v.index != int32(i)+1 {
			t.Errorf("%q leads to token %d, want %d or the value of that key", pointer, v.index, i)
		}
	}
	twice := pointers(3, 3, 9)
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
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		line, column, ok := d.Position(tt.pointer)
		if line != tt.line || column != tt.column || ok != tt.ok {
			t.Errorf("%q: %d:%d %v, want %d:%d %v", tt.pointer, line, column, ok, tt.line, tt.column, tt.ok)
		}
	}
}

// FuzzParse holds the scanner against encoding/json.
func FuzzParse(f *testing.F) {
	for _, text := range []string{`{"a": [1, "\\u0041", null, true]}`, "\ufeff[]", `"\\ud83d"`, `{"a":1,}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(checkScan)
}

// Whatever byte stands where among whatever others, plain finds the first that is special.
func TestPlainStopsAtTheFirstSpecialByte(t *testing.T) {
	naive := func(text string, pos int) int {
		for pos < len(text) && isPlain(text[pos]) {
			pos++
		}
		return pos
	}
	for _, filler := range []byte{'a', ' ', '!', '#', '[', ']', '~', 0x7f} {
		for _, after := range []byte{filler, 0, '\x1f', '"', '\\', 0x80, 0xff} {
			for c := range 256 {
				for _, n := range []int{1, 7, 8, 9, 17} {
					for at := range n {
						text := bytes.Repeat([]byte{filler}, n)
						text[at] = byte(c)
						if at+1 < n {
							text[at+1] = after
						}
						if got, want := plain(string(text), n%3), naive(string(text), n%3); got != want {
							t.Fatalf("%q from %d: got %d, want %d", text, n%3, got, want)
						}
					}
				}
			}
		}
	}
}

func TestCursorsGoAlongElements(t *testing.T) {
	for text, want := range map[string]string{
		`[]`: "", `{"a":[1]}`: "", `"abc"`: "", `null`: "",
		`[1]`:                     "0 1;",
		`["a",["b",{"c":1}],"d"]`: `0 "a";1 ["b",{"c":1}];2 "d";`,
	} {
		d, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got, c := "", d.Root().Cursor()
		n := c.Room(1)
		for c.Next() {
			got += fmt.Sprint(c.Index) + " " + c.Value.JSON() + ";"
		}
		if got != want || n != strings.Count(want, ";") || c.Next() || c.Room(1) != 0 {
			t.Errorf("%s: got %s of %d, want %s", text, got, n, want)
		}
	}
	if c := (Value{}).Cursor(); c.Room(1) != 0 || c.Next() {
		t.Error("an absent value has elements")
	}
}

// Elements that are too small to be what is looked for get no room.
func TestRoomIsForWhatFits(t *testing.T) {
	for text, want := range map[string]int{`[1,1,1,1,1,1]`: 1, `[[1,2,3,4],[1,2,3,4]]`: 2, `[[1,2,3,4],1]`: 1, `[1,2,3,4]`: 0, `[]`: 0} {
		d, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		c := d.Root().Cursor()
		if got := c.Room(5); got != want {
			t.Errorf("%s: room for %d, want %d", text, got, want)
		}
	}
}

func TestTextsAreNotCopied(t *testing.T) {
	d, err := Parse([]byte(`["clock_nanosleep_time64", 18446744073709551615]`))
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() {
		for c := d.Root().Cursor(); c.Next(); {
			_ = c.Value.Text()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
