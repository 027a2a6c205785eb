package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// mutate runs the command on a package in testdata/suite, with a text for equivalent.txt.
func mutate(t *testing.T, pkg, match string, count int, argued string) (out string, ok bool, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "equivalent.txt")
	if err := os.WriteFile(file, []byte(argued), 0o666); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	ok, err = run(t.Context(), &b, options{
		root: "testdata/suite", argued: file, packages: []string{pkg}, count: count, seed: 1,
		match: regexp.MustCompile(match), grace: time.Second,
	})
	return b.String(), ok, err
}

func TestFates(t *testing.T) {
	const argued = `# A comment.

sums Larger
- if a > b {
+ if a >= b {
Of equal numbers either is the larger one.
`
	tests := []struct {
		rule, match, argued string
		ok                  bool
		want                string
	}{
		{"a failing test kills, and so does one that hangs; an argument excuses; the same code is the same", "Sum|Larger|Same|Count", argued, true, `seed 1: 26 of 40 mutants
  package  mutants  killed  same  argued  survived
     sums       22      17     4       1         0
      all       22      17     4       1         0
`},
		{"what no test sees survives, and so does what an argument would excuse", "Product|Larger", "", false, `seed 1: 8 of 40 mutants
  package  mutants  killed  same  argued  survived
     sums        6       4     0       0         2
      all        6       4     0       0         2

survived: sums/sums.go:18
sums Product
- func Product(a, b int) int { return a * b }
+ func Product(a, b int) int { return a / b }

survived: sums/sums.go:22
sums Larger
- if a > b {
+ if a >= b {
`},
		{"constants outside of functions are mutants, generated ones are not", "most|generated", "", true, `seed 1: 2 of 40 mutants
  package  mutants  killed  same  argued  survived
     sums        2       2     0       0         0
      all        2       2     0       0         0
`},
		{"an argument must hold, and fit", "Sum", "sums Sum\n- sum = a + b\n+ sum = a - b\nThe sum may be zero.\n\n" +
			"sums Sum\n- sum = a+b\n+ sum = a - b\nIt is gone.\n\nother Sum\n- x\n+\nOf another package.", false, `seed 1: 3 of 40 mutants
  package  mutants  killed  same  argued  survived
     sums        2       2     0       0         0
      all        2       2     0       0         0

argued for, but a test kills it: sums/sums.go:13
sums Sum
- sum = a + b
+ sum = a - b
The sum may be zero.

argued for, but not a mutant (correct or remove the entry):
sums Sum
- sum = a+b
+ sum = a - b
It is gone.
`},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			out, ok, err := mutate(t, "sums", tt.match, 100, tt.argued)
			if err != nil {
				t.Fatal(err)
			}
			if ok != tt.ok {
				t.Errorf("ok is %v, want %v", ok, tt.ok)
			}
			if out != tt.want {
				t.Errorf("got\n%s\nwant\n%s", out, tt.want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	tests := []struct{ pkg, argued, want string }{
		{"failing", "", "failing: the tests fail without a mutant"},
		{"nowhere", "", "nowhere"},
		{"sums", "sums Sum\n- x\n+ y\n", "expected PACKAGE FUNCTION, "},
		{"sums", "sums\n- x\n+ y\nNo function.\n", "expected PACKAGE FUNCTION, "},
		{"sums", "sums Sum\n+ x\n- y\nThe wrong way round.\n", "expected PACKAGE FUNCTION, "},
	}
	for _, tt := range tests {
		if out, ok, err := mutate(t, tt.pkg, "", 1, tt.argued); ok || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %q: %v, error %v, want %q\n%s", tt.pkg, tt.argued, ok, err, tt.want, out)
		}
	}
}

// listed returns what mutants make of lines in the body of a function.
func listed(t *testing.T, lines string) []string {
	t.Helper()
	dir := t.TempDir()
	text := "package p\n\nfunc f() {\n" + lines + "\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	list, err := mutants(dir, ".")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range list {
		if m.function != "f" {
			t.Errorf("function %q", m.function)
		}
		if a, b := strings.Count(m.source(text), "\n"), strings.Count(text, "\n"); a != b {
			t.Errorf("%q: %d lines, want %d", m.after, a, b)
		}
		all = append(all, cmp.Or(m.after, "deleted"))
	}
	return all
}

func TestMutants(t *testing.T) {
	tests := []struct{ lines, want string }{
		{"x := a == b", "x := a != b"},
		{"x := a < b", "x := a <= b; x := a >= b"},
		{"x := a && !b", "x := a || !b; x := a && b"},
		{"x := a&b | c", "x := a&b & c; x := a|b | c; x := a&^b | c"},
		{"x := ^a << b", "x := ^a >> b; x := a << b"},
		{"x := -1", "x := 1; x := -0; x := -2"},
		{"x := 0", "x := 1"},
		{"x := 0xff", "x := 0xfe; x := 0x100"},
		{"x := true", "x := false"},
		{`x := "a" + b + c`, ""},
		{"x := a.b", ""},
		{"x += y", "x -= y; deleted"},
		{"x |= y", "x &= y; deleted"},
		{"x = y", "deleted"},
		{"x++", "x--; deleted"},
		{"f()", "deleted"},
		{"if a < b {\n}", "if false {; if true {; if a <= b {; if a >= b {"},
		{"if !a {\n}", "if false {; if true {; if a {"},
		{"if a || b {\n}", "if false {; if true {; if !(a || b) {; if a && b {"},
		{"if a &&\nb {\n}", "if false {; if true {; if !(a && b) {; if a ||"},
		{"if a > b {\npanic(1)\n}", ""},
		{"for a {\nbreak\n}", "for false {; for !(a) {; deleted"},
		{"for {\ncontinue\n}", "deleted"},
		{"for range 3 {\nreturn\n}", "for range 2 {; for range 4 {; deleted"},
		{"switch {\ncase a, b:\n}", "case false, b:; case true, b:; case !(a), b:; case a, false:; case a, true:; case a, !(b):"},
		{"switch a {\ncase 0:\n}", "case 1:"},
		{"x := make([]int, 1, 9)", "x := make([]int, 0, 9); x := make([]int, 2, 9)"},
		{"x := make(map[int]int, 9)", ""},
		{"x := slices.Grow(y[:0], 2*n)", "x := slices.Grow(y[:1], 2*n)"},
		{"var x [4]int", "var x [3]int"},
		{"return 0, err", "deleted"},
		{"return 0, false", "deleted; return 0, true"},
		{"return 0, fmt.Errorf(a)", "deleted"},
		{"return 1, 0, err", "deleted; return 0, 0, err; return 2, 0, err"},
		{"return 0, true", "deleted; return 1, true; return 0, false"},
		{"return 0", "deleted; return 1"},
		{"panic(a + 1)", "deleted"},
		{"x = a\nf()\nx = b\nf()", "deleted; x = a; deleted; x = b"}, // f() alone says not which
	}
	for _, tt := range tests {
		if got := strings.Join(listed(t, tt.lines), "; "); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.lines, got, tt.want)
		}
	}
}

// A draw has about its share of each file, another seed draws others, and what is added
// to the sources changes little.
func TestDraw(t *testing.T) {
	draw := func(seed uint64, skip int) (drawn []string) {
		var list []*mutant
		for i := range 900 {
			m := &mutant{file: "large", entry: entry{before: fmt.Sprint(i)}}
			if i%3 == 0 {
				m.file = "small"
			}
			if i != skip {
				list = append(list, m)
			}
		}
		shuffle(list, seed)
		small := 0
		for _, m := range list[:300] {
			if m.file == "small" {
				small++
			}
			drawn = append(drawn, m.before)
		}
		if small < 80 || small > 120 {
			t.Errorf("seed %d: %d of a small file, want about 100", seed, small)
		}
		return drawn
	}
	one := draw(1, -1)
	if again := draw(1, -1); !slices.Equal(one, again) {
		t.Errorf("the same seed draws %v and %v", one, again)
	}
	if two := draw(2, -1); slices.Equal(one, two) {
		t.Errorf("both seeds draw %v", one)
	}
	less := draw(1, 7)
	if others := slices.DeleteFunc(less, func(m string) bool { return slices.Contains(one, m) }); len(others) > 1 {
		t.Errorf("one mutant less draws %v", others)
	}
}
