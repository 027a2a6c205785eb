package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/internal/golden"
)

var update = flag.Bool("update", false, "write the page, with the times and sizes that it has")

const repository = "../.."

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(path.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The numbers that do not depend on the machine are what the repository says now, and the rows
// are those of this program.
func TestPageIsFresh(t *testing.T) {
	m, err := readMeasured(read(t, file))
	if err != nil {
		t.Fatal(err)
	}
	got, err := page(os.DirFS(repository), m)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, *update, path.Join(repository, file), got)
}

// What was measured has the form of what is measured now.
func TestMeasuredForm(t *testing.T) {
	m, err := readMeasured(read(t, file))
	if err != nil {
		t.Fatal(err)
	}
	if form := regexp.MustCompile(`^Measured with go1\.\S+ on \w+/\w+, [0-9]+ processors(, .+)?\.$`); !form.MatchString(m.machine) {
		t.Errorf("the machine is %q", m.machine)
	}
	for i, v := range m.values {
		form := regexp.MustCompile(`^([1-9][0-9]{0,2} (ns|µs)|[1-9][0-9]*\.[0-9] ms)$`)
		if i >= len(measures()) {
			form = regexp.MustCompile(`^[1-9][0-9]*\.[0-9] MB$`)
		}
		if !form.MatchString(v) {
			t.Errorf("value %d is %q", i, v)
		}
	}
}

// Each command of the page can run: what it names is there.
func TestCommandsExist(t *testing.T) {
	ran := 0
	for _, m := range regexp.MustCompile("`((?:make|go|CGO_ENABLED=0 go) [^`]+)`").FindAllStringSubmatch(read(t, file), -1) {
		ran++
		if err := exists(t, strings.Fields(m[1])); err != nil {
			t.Errorf("%s: %v", m[1], err)
		}
	}
	if ran < 30 {
		t.Errorf("only %d commands", ran)
	}
}

func exists(t *testing.T, words []string) error {
	t.Helper()
	if words[0] == "make" {
		makefile, targets := "Makefile", words[1:]
		if words[1] == "-C" {
			makefile, targets = words[2]+"/Makefile", words[3:]
		}
		text := read(t, makefile)
		for _, target := range targets {
			if !strings.Contains(text, "\n"+target+":") {
				return fmt.Errorf("%s lacks the target %s", makefile, target)
			}
		}
		return nil
	}
	var tests string
	for _, w := range words {
		pkg, ok := strings.CutPrefix(strings.TrimSuffix(w, "/..."), "./")
		if !ok {
			continue
		}
		files, err := fs.Glob(os.DirFS(path.Join(repository, pkg)), "*")
		if err != nil || len(files) == 0 {
			return fmt.Errorf("no files in %s: %v", pkg, err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				tests += read(t, path.Join(pkg, f))
			}
		}
	}
	for i, w := range words[:len(words)-1] {
		name, _, _ := strings.Cut(strings.Trim(words[i+1], "'^$"), "$/")
		if w == "-bench" && !strings.Contains(tests, "\nfunc "+name+"(") || w == "-run" && name != "" && !strings.Contains(tests, "\nfunc Test"+name) {
			return fmt.Errorf("%s is not there", name)
		}
	}
	return nil
}

// README says no other numbers.
func TestReadmeAgrees(t *testing.T) {
	readme, numbers := read(t, "README.md"), read(t, file)
	for _, tt := range []struct{ readme, numbers string }{
		{`for ([0-9]+) system call ABIs`, `Of the ([0-9]+) ABIs`},
		{`\n  ([0-9]+) instructions, at most`, `\| x86_64, x32, x86 \| ([0-9]+) \|`},
		{`as runc makes it, has ([0-9,]+) instructions`, `\| runc: its stub, .* ([0-9,]+) \|`},
	} {
		a, b := regexp.MustCompile(tt.readme).FindStringSubmatch(readme), regexp.MustCompile(tt.numbers).FindStringSubmatch(numbers)
		if a == nil || b == nil || a[1] != b[1] {
			t.Errorf("%s: README has %q, %s %q", tt.readme, a, file, b)
		}
	}
}

// What is missing in the repository is an error, and not a page with fewer numbers.
func TestMissingFiles(t *testing.T) {
	m := &measurement{values: make([]string, len(measures())+len(programs()))}
	whole := fstest.MapFS{}
	for _, name := range []string{
		"testdata/golden/sizes.txt", "docs/PERFORMANCE.md", "conformance/counts/testdata/counts.txt",
		"testdata/vectors/verdicts.tsv", "testdata/vectors/pairs.tsv", "docs/KERNELS.md",
	} {
		whole[name] = &fstest.MapFile{Data: []byte(read(t, name))}
	}
	for _, name := range []string{"testdata/golden/a.bpf", "testdata/profiles/a.json", "language/a/a.go"} {
		whole[name] = new(fstest.MapFile)
	}
	if _, err := page(whole, m); err != nil {
		t.Fatal(err)
	}
	for name, file := range whole {
		delete(whole, name)
		if _, err := page(whole, m); err == nil {
			t.Errorf("without %s there is a page", name)
		}
		whole[name] = file
	}
	for _, bad := range []string{"", "\n## On one machine\n\nm\n\n| a | b | c |\n|---|---|---|\n| a | b | c |\n"} {
		if _, err := readMeasured(bad); err == nil {
			t.Errorf("%q has been measured", bad)
		}
	}
}

func TestFormats(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 37557491: "37,557,491"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	for ns, want := range map[float64]string{35.06: "35 ns", 103_774: "104 µs", 1_013_151: "1.0 ms"} {
		if got := duration(ns); got != want {
			t.Errorf("%v: %s, want %s", ns, got, want)
		}
	}
	rows, after := table("text\n| a | b |\n|---|---|\n| 1 | |\n| 2 | 3 |\nafter\n")
	if len(rows) != 2 || !slices.Equal(rows[0], []string{"1", ""}) || after != "after\n" {
		t.Errorf("%q, %q", rows, after)
	}
}
