package cbpf

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/golden"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden assembles testdata/NAME.s, compares with NAME.bpf and disassembles
// that to NAME.txt.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	sources := 0
	for _, file := range files {
		name, ext := strings.TrimSuffix(file, filepath.Ext(file)), filepath.Ext(file)
		if ext != ".s" {
			if _, err := os.Stat(name + ".s"); err != nil {
				t.Errorf("%s has no source %s.s (remove it)", file, name)
			}
			continue
		}
		sources++
		t.Run(filepath.Base(name), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := must(t, string(source))
			raw, _ := p.AppendBinary(nil)
			golden.Check(t, *update, name+".bpf", string(raw))
			golden.Check(t, *update, name+".txt", p.Disassemble(vocabulary{}))
			roundTrip(t, p, vocabulary{}, nil)
		})
	}
	if sources == 0 {
		t.Error("no sources")
	}
}
