package oci

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// FuzzRead feeds bytes to the reader, to be read in some format. It must not panic,
// and what it reads must print as the same policy.
func FuzzRead(f *testing.F) {
	profiles, err := filepath.Glob("testdata/read/*.json")
	if err != nil { // that there are none is right for libFuzzer's programs, which have seeds of their own
		f.Fatal(err)
	}
	texts := [][]byte{preset.Docker()}
	for _, profile := range profiles {
		data, err := os.ReadFile(profile)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, data)
	}
	formats := append([]Format{"", "none"}, inOrder[:]...)
	for _, text := range texts {
		for format := range formats {
			f.Add(text, uint8(format))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, format uint8) {
		source := language.NewSource(data)
		named := formats[int(format)%len(formats)]
		reading, err := Language{Format: named}.Read(source, goldenTarget())
		p := reading.Policy
		if (p == nil) == (err == nil) {
			t.Fatalf("policy %v, error %v", p, err)
		}
		if err != nil {
			if errs, ok := err.(policy.Errors); !ok || len(errs) == 0 {
				t.Fatalf("error %#v", err)
			}
			return
		}
		if named == "" && Detect(source) == "" {
			t.Error("read, but of no format")
		}
		for _, r := range p.Rules {
			if line, _ := source.Position(r.Pointer); line == 0 {
				t.Errorf("no rule at %s", r.Pointer)
			}
		}
		checkLaw(t, p)
	})
}

// A name costs a token and a place in its list: not memory of its own.
func TestReadAllocatesLittle(t *testing.T) {
	if gen.Race {
		t.Skip("the race detector allocates")
	}
	data, target := preset.Docker(), goldenTarget()
	const most = 130
	if n := testing.AllocsPerRun(10, func() {
		if _, _, err := Read(data, target); err != nil {
			t.Fatal(err)
		}
	}); n > most {
		t.Errorf("%v allocations, want at most %d", n, most)
	}
}

func BenchmarkRead(b *testing.B) {
	data := preset.Docker()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Read(data, goldenTarget()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFromSpec(b *testing.B) {
	data := preset.Docker()
	p, _, err := Read(data, goldenTarget())
	if err != nil {
		b.Fatal(err)
	}
	s := spec(b, p)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FromSpec(s); err != nil {
			b.Fatal(err)
		}
	}
}
