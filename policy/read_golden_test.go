package policy

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

var update = flag.Bool("update", false, "rewrite the golden files from what the code does now")

// goldenTarget is what the profiles of testdata/read are read for.
func goldenTarget() Target {
	return Target{ABI: arch.X86_64, Caps: DefaultCaps(), Kernel: syscalltables.Version{Major: 6, Minor: 12}}
}

// Every profile of testdata/read has a text twin: all that Read says about it. Those
// whose names end in -as-FORMAT are read in that format.
func TestReadGoldens(t *testing.T) {
	profiles, err := filepath.Glob("testdata/read/*.json")
	if err != nil || len(profiles) == 0 {
		t.Fatalf("no profiles: %v", err)
	}
	twins := make(map[string]bool)
	for _, profile := range profiles {
		twin := strings.TrimSuffix(profile, ".json") + ".txt"
		twins[twin] = true
		t.Run(filepath.Base(profile), func(t *testing.T) {
			data, err := os.ReadFile(profile)
			if err != nil {
				t.Fatal(err)
			}
			target := goldenTarget()
			if _, name, named := strings.Cut(strings.TrimSuffix(profile, ".json"), "-as-"); named {
				if target.Format, err = ParseFormat(name); err != nil {
					t.Fatal(err)
				}
			}
			got := transcript(data, target)
			if *update {
				if err := os.WriteFile(twin, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(twin)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s is -, this run + (-update if that is right)\n%s", twin, diff)
			}
		})
	}
	texts, err := filepath.Glob("testdata/read/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if !twins[text] {
			t.Errorf("%s: its profile is gone", text)
		}
	}
}

// transcript is all that Read says about a profile.
func transcript(data []byte, target Target) string {
	var b strings.Builder
	if fmt.Fprintf(&b, "format %v", Sniff(data)); target.Format != 0 {
		fmt.Fprintf(&b, ", read as %v", target.Format)
	}
	b.WriteByte('\n')
	p, warnings, err := Read(data, target)
	if errs, ok := err.(Errors); ok {
		for _, e := range errs {
			fmt.Fprintf(&b, "%d:%d: %v\n", e.Line, e.Column, e)
		}
	}
	for _, w := range warnings {
		fmt.Fprintf(&b, "warning: %v\n", w)
	}
	if p == nil {
		return b.String()
	}
	fmt.Fprintf(&b, "pointer %q\n", p.Pointer)
	for _, r := range p.Rules {
		fmt.Fprintf(&b, "%s is %s\n", r.Pointer, strings.Join(r.Names, " "))
	}
	return b.String() + p.String()
}
