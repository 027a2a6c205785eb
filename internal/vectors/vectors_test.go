package vectors

import (
	"flag"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/golden"
)

// The evaluator shares no code with what it judges.
func TestEvaluatorIsIndependent(t *testing.T) {
	for _, file := range []string{"facts_test.go", "read_test.go", "meaning_test.go", "order_test.go", "misreadings_test.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			if strings.Contains(i.Path.Value, ".") {
				t.Errorf("%s imports %s", file, i.Path.Value)
			}
		}
	}
}

var update = flag.Bool("update", false, "rewrite the table of verdicts")

// The committed table is what the evaluator says, and nothing else is there.
func TestTableIsFresh(t *testing.T) {
	g := newGenerator(t)
	for _, section := range []func(){
		g.abis, g.conditions, g.actions, g.order, g.bounds, g.multiplexers, g.runtimes, g.bad, g.formats, g.pairs,
	} {
		section()
	}
	files, size := g.files(), 0
	for name, text := range files {
		golden.Check(t, *update, dir+name, text)
		size += len(text)
	}
	found, err := filepath.Glob(dir + "profiles/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		if name := strings.TrimPrefix(filepath.ToSlash(file), dir); files[name] == "" {
			if *update {
				err = os.Remove(file)
			}
			if !*update || err != nil {
				t.Errorf("%s: no row is about it (-update removes it): %v", name, err)
			}
		}
	}
	t.Logf("%d rows, %d profiles, %d bytes", len(g.rows), len(g.profiles), size)
	if len(g.rows) < 5000 || size > 1_500_000 {
		t.Errorf("%d rows, want 5000; %d bytes, want at most 1.5 MB", len(g.rows), size)
	}
}

// Each paragraph of the page has rows, but for those that no verdict depends on.
func TestEveryParagraphHasRows(t *testing.T) {
	text, err := os.ReadFile("../../docs/MEANING.md")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, r := range readRows(t) {
		count[r.paragraph]++
	}
	without := []string{"9.1", "9.6", "10.1", "10.2"}
	var known []string
	for _, m := range regexp.MustCompile(`(?m)^\*\*(\d+\.\d+)\*\*`).FindAllStringSubmatch(string(text), -1) {
		known = append(known, m[1])
		if n := count[m[1]]; n == 0 != slices.Contains(without, m[1]) {
			t.Errorf("paragraph %s has %d rows", m[1], n)
		}
	}
	for paragraph := range count {
		if !slices.Contains(known, paragraph) {
			t.Errorf("rows for paragraph %s, which the page does not have", paragraph)
		}
	}
	t.Logf("%d paragraphs", len(known))
}
