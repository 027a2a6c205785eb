package scan_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/seccompile/seccompile/internal/scan"
)

// A program whose bytes were changed at random gives a result or an error, and no panic. That
// its libraries, which it names itself, may be missing is part of the result.
func TestHostilePrograms(t *testing.T) {
	program := build(t, `package main; func main() { println("x") }`)
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	for range 25 {
		changed := append([]byte(nil), data...)
		for range 1 + r.IntN(200) {
			at := r.IntN(len(changed))
			if r.IntN(2) == 0 {
				at = r.IntN(4096) // headers
			}
			changed[at] = byte(r.UintN(256))
		}
		if r.IntN(4) == 0 {
			changed = changed[:r.IntN(len(changed))]
		}
		copy(changed, data[:20]) // still ELF, for this machine
		if err := os.WriteFile(filepath.Join(root, "program"), changed, 0o755); err != nil {
			t.Fatal(err)
		}
		if res, err := scan.Scan(scan.Options{Root: root, Paths: []string{"/program"}}); err == nil && len(res.Programs) != 1 {
			t.Errorf("%d programs", len(res.Programs))
		}
	}
}
