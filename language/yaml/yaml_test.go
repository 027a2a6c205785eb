package yaml

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// compact writes a document as JSON, for comparing.
func compact(v document.Value) string {
	var parts []string
	switch v.Kind() {
	case document.Object:
		for key, val := range v.Members() {
			parts = append(parts, fmt.Sprintf("%q:%s", key.Text(), compact(val)))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case document.Array:
		for _, e := range v.Elements() {
			parts = append(parts, compact(e))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case document.String:
		return fmt.Sprintf("%q", v.Text())
	case document.Number:
		return v.Text()
	}
	return map[document.Kind]string{document.True: "true", document.False: "false", document.Null: "null"}[v.Kind()]
}

func read(text string) string {
	sources, err := Sources([]byte(text))
	if err != nil {
		var problems policy.Errors
		if !errors.As(err, &problems) {
			return "another error: " + err.Error()
		}
		p := problems[0]
		return fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Reason)
	}
	var all []string
	for _, s := range sources {
		d, err := s.JSON()
		if err != nil {
			return err.Error()
		}
		all = append(all, compact(d.Root()))
	}
	return strings.Join(all, " ")
}

func TestTranslation(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"a: b", `{"a":"b"}`},
		{"- 1\n- -2\n- +3\n- 0x1F\n- 010\n- 0o17\n- 0b101\n- 1_000", "[1,-2,3,31,8,15,5,1000]"},
		{"[18446744073709551615, -9223372036854775808, 18446744073709551616]", "[18446744073709551615,-9223372036854775808,18446744073709551616]"},
		{"[1.5, 1e3, .5, 1., 6.02e23, -0.0]", "[1.5,1000,0.5,1,6.02e+23,-0]"},
		{"[true, True, TRUE, yes, on, False, no, OFF]", "[true,true,true,true,true,false,false,false]"},
		{"[Y, y, n, N]", "[true,true,false,false]"},
		{`[tRue, "y", ye, "yes", 'no', "1", '~']`, `["tRue","y","ye","yes","no","1","~"]`},
		{"[null, ~, NULL, '', ]\n", `[null,null,null,""]`},
		{"a:\nb: ~", `{"a":null,"b":null}`},
		{"1: one\n0x10: sixteen", `{"1":"one","16":"sixteen"}`},
		{"a: 2001-12-14", `{"a":"2001-12-14"}`},
		{"a: 12:30:45", `{"a":"12:30:45"}`},
		{"a: |\n  x: 1\n  y\nb: >-\n  c\n  d\n", `{"a":"x: 1\ny\n","b":"c d"}`},
		{`a: "\x41\u00e9\U0001F600\0\t\"\\"`, `{"a":"Aé😀\x00\t\"\\"}`},
		{"[!!str 1, !!int '2', !!float 3, !!bool 'yes', !!null '']", `["1",2,3,true,null]`},
		{"a: &x {b: 1}\nc: *x\nd: [*x, *x]", `{"a":{"b":1},"c":{"b":1},"d":[{"b":1},{"b":1}]}`},
		{"&k a: 1\nb: *k", `{"a":1,"b":"a"}`},
		{"base: &b {x: 1, z: 2}\nc:\n  <<: *b\n  x: 3", `{"base":{"x":1,"z":2},"c":{"x":3,"z":2}}`},
		{"- &a {x: 1}\n- &b {x: 2, v: 3}\n- <<: [*a, *b]\n  z: 4", `[{"x":1},{"x":2,"v":3},{"z":4,"x":1,"v":3}]`},
		{"- &a {x: 1}\n- &b\n  <<: *a\n- <<: *b", `[{"x":1},{"x":1},{"x":1}]`},
		{`"<<": {a: 1}`, `{"<<":{"a":1}}`},
		{"{a: 1, b: [c, d]}", `{"a":1,"b":["c","d"]}`},
		{"\ufeff# comment\n%YAML 1.1\n---\na: 1\n...\n", `{"a":1}`},
		{"---\n---\na: 1\n---\n\n---\n- 2\n", `{"a":1} [2]`},
		{"a: 1\r\nb:\r\n- 2\r\n", `{"a":1,"b":[2]}`},
		{`{"a": "\u00e9", "b": [1, {}, []], "c": null}`, `{"a":"é","b":[1,{},[]],"c":null}`},
		{"? a\n: 1", `{"a":1}`},
	} {
		if got := read(tt.text); got != tt.want {
			t.Errorf("%q:\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

// Every text that is not YAML for a profile is refused with its place and a cure.
func TestBad(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "1:1: the input is empty (expected a YAML mapping)"},
		{"# nothing\n---\n", "1:1: the input is empty (expected a YAML mapping)"},
		{"a: \xff", "1:4: byte 0xff is not UTF-8 (YAML is UTF-8 text)"},
		{"a: b\nc: \x00", `2:4: '\x00' is not for YAML text (write it as an escape in double quotes)`},
		{"a: \x1b[1m", `1:4: '\x1b' is not for YAML text (write it as an escape in double quotes)`},
		{"a: 1\nb: 2\na: 3", `3:1: "a": the key is there twice, first at 1:1 (remove one)`},
		{"1: a\n0x1: b", `2:1: "1": the key is there twice, first at 1:1 (remove one)`},
		{"a:\n\t- 1", "2:1: not YAML: found character that cannot start any token (indent with spaces: YAML has no tabs there)"},
		{"a: @b", "1:4: not YAML: found character that cannot start any token (put the text in quotes)"},
		{"a: b: c", "1:5: not YAML: mapping values are not allowed in this context (put text with a colon in quotes, and indent keys alike)"},
		{"a: [1, 2\nb: 3", ""},
		{"a: {b: 1", ""},
		{"a: 1\n b: 2", ""},
		{"a:\n  - 1\n - 2", ""},
		{"a: \"b", ""},
		{"a: 'b\n---\n", ""},
		{"a: \"\\q\"", "1:5: not YAML: found unknown escape character (write two backslashes for one)"},
		{"a: 1\nb: *c", "2:4: not YAML: unknown anchor 'c' referenced (define it above, as &c)"},
		{"a: &x 1\n---\nb: *x", `3:4: "*x": the alias of an anchor in another document (repeat the anchor here)`},
		{"a: &x [1, *x]", "1:11: the alias *x is inside of what it stands for (write that out)"},
		{"a: &x\n  <<: *x", "2:7: the mapping is inside of what it merges (write that out)"},
		{"a: !foo 1", `1:4: "1": a value with the tag "!foo", which JSON cannot say (remove the tag)`},
		{"a: !!binary aGk=", `1:4: "aGk=": a value with the tag "!!binary", which JSON cannot say (remove the tag)`},
		{"a: !!set {b, c}", `1:4: "!!set": not a tag for a mapping (remove the tag)`},
		{"a: !x [b]", `1:4: "!x": not a tag for a list (remove the tag)`},
		{"a: !!int b", `1:4: "b": not what its tag "!!int" says (remove the tag)`},
		{"a: !!bool b", `1:4: "b": not what its tag "!!bool" says (remove the tag)`},
		{"a: .inf", `1:4: ".inf": not a number that JSON can say (use a finite number)`},
		{"a: .NaN", `1:4: ".NaN": not a number that JSON can say (use a finite number)`},
		{"a: 089", `1:4: "089": a number that begins with a zero is octal, with digits up to 7 (remove the zero, or put text in quotes)`},
		{"yes: 1", `1:1: "yes": a key that is a boolean in YAML (put it in quotes if it is text)`},
		{"~: 1", `1:1: "~": a key that is null in YAML (put it in quotes if it is text)`},
		{"[a]: 1", "1:1: a key that is a list or a mapping (use text)"},
		{"<<: 1", "1:5: << can merge mappings only (give the alias of one, or a list of these)"},
		{"- &a {x: 1}\n- x: 2\n  <<: *a", `3:3: << behind the key "x", which it gives, too: programs disagree about which holds (put << first)`},
		{"- &a {x: 1}\n- <<: *a\n  <<: *a", `3:3: "<<": the key is there twice, first at 2:3 (remove one)`},
		{"a: " + strings.Repeat("9", 200), `1:4: "` + strings.Repeat("9", 40) + `...": a number of more than 100 digits`},
		{"é: [è, ü, [ß]: 1]", ""},
	} {
		got := read(tt.text)
		if tt.want == "" {
			t.Logf("%q: %s", tt.text, got)
			var line, column int
			if n, _ := fmt.Sscanf(got, "%d:%d: ", &line, &column); n != 2 || line < 1 || column < 1 || !strings.HasSuffix(got, ")") {
				t.Errorf("%q: %s", tt.text, got)
			}
		} else if got != tt.want {
			t.Errorf("%q:\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
	if _, err := NewSource([]byte("a: 1\n---\nb: 2")); err == nil || !strings.Contains(err.Error(), "a second document") {
		t.Error(err)
	} else if p := err.(policy.Errors)[0]; p.Line != 3 || p.Column != 1 {
		t.Error(p.Line, p.Column)
	}
}

// Hostile texts end with an error, and cost little.
func TestBombs(t *testing.T) {
	aliases := "a0: &a0 [x]\n"
	merges := "a0: &a0 {x: 1}\n"
	for i := 1; i < 60; i++ {
		aliases += fmt.Sprintf("a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 8), i-1)
		merges += fmt.Sprintf("a%d: &a%d\n  <<: [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	for name, text := range map[string]string{
		"comments":     strings.Repeat("#\n", 1<<16) + strings.Repeat("- #a\n#b\n\n- 1\n", maxValues/2),
		"aliases":      aliases,
		"merges":       merges,
		"depth":        strings.Repeat("[", 50_000),
		"closed depth": strings.Repeat("[", 200) + strings.Repeat("]", 200),
		"block depth":  strings.Repeat("- ", 5000),
		"long strings": "a: &a " + strings.Repeat("x", 1<<20) + "\nb: [" + strings.Repeat("*a, ", 1<<16) + "]",
		"size":         strings.Repeat("a", maxBytes+1),
		"values":       strings.Repeat("- 1\n", maxValues),
	} {
		if got := read(text); !strings.Contains(got, "too m") && !strings.Contains(got, "depth") && !strings.Contains(got, "levels") {
			t.Errorf("%s: %.200s", name, got)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	read(aliases)
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 200<<20 {
		t.Errorf("aliases take %d bytes", allocated)
	}
}

// Places are those of the YAML text, in bytes, whatever ends its lines and however wide
// its characters are; what an alias repeats stands where it is written.
func TestPlaces(t *testing.T) {
	const text = "\ufeff# é\r\né: &e\n  - ü: 1\n    b: \"c\u2028d\"\n  - [ é, *e2 ]\n"
	s, err := NewSource([]byte(strings.Replace(text, "ü: 1", "ü: &e2 1", 1)))
	if err != nil {
		t.Fatal(err)
	}
	for pointer, want := range map[string]string{
		"": "2:1", "/é": "2:5", "/é/0": "3:5", "/é/0/ü": "3:9", "/é/0/b": "4:8", "/é/1": "5:5", "/é/1/0": "5:7", "/é/1/1": "3:9", "/é/7": "2:5",
	} {
		line, column := s.Position(pointer)
		if got := fmt.Sprintf("%d:%d", line, column); got != want {
			t.Errorf("%s: %s, want %s", pointer, got, want)
		}
	}
	d, _ := s.JSON()
	if d.Original() {
		t.Error("a translation is not the original")
	}
}

// A profile of OCI in YAML means what it means in JSON, and its problems have places.
func TestProfile(t *testing.T) {
	s, err := NewSource([]byte(`
defaultAction: SCMP_ACT_ERRNO
architectures: [SCMP_ARCH_X86_64]
syscalls:
- action: SCMP_ACT_ALLOW
  names:
  - read
  - wriet
- names: [exit]
  action: SCMP_ACT_ALOW
`))
	if err != nil {
		t.Fatal(err)
	}
	var problems policy.Errors
	_, err = oci.Language{}.Read(s, policy.Target{ABI: arch.X86_64})
	if !errors.As(err, &problems) || problems[0].Line != 10 || problems[0].Column != 11 {
		t.Errorf("%#v", problems)
	}
}

func FuzzSources(f *testing.F) {
	for _, text := range []string{"a: 1", "- &a b\n- *a", "<<: {a: 1}", "a: |\n  b\n", `{"a": [1, null]}`, "---\na\n...\n--- !t b", "? [a]\n: b", "\u2028a: \u0085b", "a: &a [*a]", "'a\n\n b': \"\\\n\"", "#c\n\n#d\na:#e\n - b #f\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sources, err := Sources(data)
		if err != nil {
			if p, ok := err.(policy.Errors); !ok || len(p) != 1 || p[0].Line == 0 && len(data) <= maxBytes || p[0].Column == 0 && p[0].Line > 0 {
				t.Fatalf("%#v", err)
			}
			return
		}
		lines := strings.Split(string(data), "\n")
		for _, s := range sources {
			d, err := s.JSON()
			if err != nil {
				t.Fatal(err)
			}
			if line, column := s.Position(""); line < 1 || line > len(lines) || column < 1 || column > len(lines[line-1])+1 {
				t.Fatalf("a document at %d:%d", line, column)
			}
			compact(d.Root())
		}
		// JSON is YAML.
		if own, err := document.Parse(data); err == nil && len(sources) == 1 {
			d, _ := sources[0].JSON()
			if got, want := compact(d.Root()), compact(own.Root()); got != want && !strings.ContainsAny(want, ".eE") && !strings.Contains(want, "-0") {
				t.Fatalf("as YAML %s, as JSON %s", got, want)
			}
		}
	})
}
