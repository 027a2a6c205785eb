package lint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// FuzzCheck reviews any bytes for any consumer, and fixes them. Check must not panic, and
// everything that it finds must have a reason and a fix, and a place in the document. What
// is fixed must be JSON if it was, no worse than before, and need no second time.
func FuzzCheck(f *testing.F) {
	// libFuzzer's programs run where no profiles are, with seeds of their own.
	profiles, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	docker, err := filepath.Glob("../../preset/release/moby@0.2.4.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range append(profiles, docker...) {
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
		r := Check(language.NewSource(data), o)
		if r.Program == nil && r.Worst() < Error && !o.For.only(Crun) { // which takes what cannot be compiled
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
		fixed := Fix(language.NewSource(data), o)
		checkFixed(t, fixed, o)
		if _, err := language.NewSource(data).JSON(); err == nil {
			if _, err := language.NewSource(fixed.Text).JSON(); err != nil {
				t.Errorf("became %q: %v", fixed.Text, err)
			}
		}
		if r.Policy != nil && fixed.Report.Policy == nil || r.Program != nil && fixed.Report.Program == nil {
			t.Errorf("became %q: %s", fixed.Text, transcript(fixed.Report))
		}
	})
}
