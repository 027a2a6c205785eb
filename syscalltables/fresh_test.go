package syscalltables

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGeneratedFilesAreFresh runs the generator and compares what it writes with
// what is here. A z*.go that it does not write is left over from another day.
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
