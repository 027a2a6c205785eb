package lint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/policy"
)

// FuzzCheck reviews any bytes for any consumer. Check must not panic, and everything that
// it finds must have a reason and a fix, and a place in the document.
func FuzzCheck(f *testing.F) {
	profiles, err := filepath.Glob("testdata/*.json")
	if err != nil || len(profiles) == 0 {
		f.Fatalf("no profiles: %v", err)
	}
	for _, p := range append(profiles, "../policy/docker/default.json") {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		for _, c := range append(Consumers(), 0) {
			f.Add(data, uint8(c))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, consumer uint8) {
		o := Options{For: Consumer(consumer % uint8(len(consumers))), Target: policy.Target{ABI: arch.X86_64}}
		r := Check(data, o)
		if r.Program == nil && r.Worst() < Error && o.For.runtime() != Crun { // which takes what cannot be compiled
			t.Error("not compiled, and no error says why")
		}
		for _, f := range r.Findings {
			if f.Reason == "" || f.Fix == "" || strings.HasSuffix(f.Reason, ".") {
				t.Errorf("%+v", f)
			}
			if f.Line == 0 && f.ID != "syntax" {
				t.Errorf("no place: %+v", f)
			}
		}
	})
}
