package cbpf

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
			golden(t, name+".bpf", raw)
			golden(t, name+".txt", []byte(p.Disassemble(vocabulary{})))
			roundTrip(t, p, vocabulary{}, nil)
		})
	}
	if sources == 0 {
		t.Error("no sources")
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run go test -update)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (run go test -update if that is right):\n%s", file, diff)
	}
}
