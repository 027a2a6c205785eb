package symbols

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGeneratedFilesAreFresh runs the generator and compares what it writes with
// what is here.
func TestGeneratedFilesAreFresh(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("go", "-C", "_gen", "run", ".", "-o", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, here := generated(t, dir), generated(t, ".")
	if len(want) == 0 {
		t.Error("the generator writes nothing")
	}
	if d := cmp.Diff(want, here); d != "" {
		t.Errorf("go generate would change this (-fresh +here):\n%s", d)
	}
}

func generated(t *testing.T, dir string) map[string]string {
	paths, err := filepath.Glob(filepath.Join(dir, "z*.go"))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(p)] = string(text)
	}
	return texts
}

// TestImportingCostsNothing re-executes the test binary with a trace of all package
// initialisation: this package must have none.
func TestImportingCostsNothing(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("measuring coverage adds work at start-up")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !regexp.MustCompile(`(?m)^init os @`).Match(out) {
		t.Fatalf("no trace of package initialisation:\n%s", out)
	}
	if m := regexp.MustCompile(`(?m)^init \S*seccompile/internal/symbols @.*`).Find(out); m != nil {
		t.Errorf("there is work at start-up: %s", m)
	}
}
