package policy

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzRead feeds bytes to the reader, to be read in some format. It must not panic,
// must agree with encoding/json on what is JSON, and what it reads must print as the
// same policy.
func FuzzRead(f *testing.F) {
	profiles, err := filepath.Glob("testdata/read/*.json")
	if err != nil || len(profiles) == 0 {
		f.Fatalf("no profiles: %v", err)
	}
	for _, profile := range append(profiles, "docker/default.json") {
		data, err := os.ReadFile(profile)
		if err != nil {
			f.Fatal(err)
		}
		for format := range FormatPodman + 2 {
			f.Add(data, uint8(format))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, format uint8) {
		checkScan(t, data)
		target := goldenTarget()
		target.Format = Format(format)
		p, _, err := Read(data, target)
		if (p == nil) == (err == nil) {
			t.Fatalf("policy %v, error %v", p, err)
		}
		if err != nil {
			if errs, ok := err.(Errors); !ok || len(errs) == 0 {
				t.Fatalf("error %#v", err)
			}
			return
		}
		if format == 0 && Sniff(data) == 0 {
			t.Error("read, but of no format")
		}
		places := NewLocator(data)
		for _, r := range p.Rules {
			if _, _, ok := places.Position(r.Pointer); !ok {
				t.Errorf("no rule at %s", r.Pointer)
			}
		}
		checkLaw(t, p)
	})
}

func BenchmarkRead(b *testing.B) {
	data, err := os.ReadFile("docker/default.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Read(data, goldenTarget()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFromOCI(b *testing.B) {
	data, err := os.ReadFile("docker/default.json")
	if err != nil {
		b.Fatal(err)
	}
	p, _, err := Read(data, goldenTarget())
	if err != nil {
		b.Fatal(err)
	}
	s := p.OCI()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FromOCI(s); err != nil {
			b.Fatal(err)
		}
	}
}
