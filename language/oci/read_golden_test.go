package oci

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/golden"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

var update = flag.Bool("update", false, "rewrite the golden files from what the code does now")

// goldenTarget is what the profiles of testdata/read are read for.
func goldenTarget() policy.Target {
	return policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker"), Kernel: syscalltables.Version{Major: 6, Minor: 12}}
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
			_, format, _ := strings.Cut(strings.TrimSuffix(profile, ".json"), "-as-")
			got := transcript(data, Format(format))
			golden.Check(t, *update, twin, got)
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

// transcript is all that reading says about a profile.
func transcript(data []byte, format Format) string {
	var b strings.Builder
	source := language.NewSource(data)
	if fmt.Fprintf(&b, "format %v", cmp.Or(Detect(source), "none")); format != "" {
		fmt.Fprintf(&b, ", read as %v", format)
	}
	b.WriteByte('\n')
	reading, err := Language{Format: format}.Read(source, goldenTarget())
	if errs, ok := err.(policy.Errors); ok {
		for _, e := range errs {
			fmt.Fprintf(&b, "%d:%d: %v\n", e.Line, e.Column, e)
		}
	}
	for _, w := range reading.Warnings {
		fmt.Fprintf(&b, "warning: %v\n", w)
	}
	p := reading.Policy
	if p == nil {
		return b.String()
	}
	fmt.Fprintf(&b, "pointer %q\n", p.Pointer)
	for _, r := range p.Rules {
		fmt.Fprintf(&b, "%s is %s\n", r.Pointer, strings.Join(r.Names, " "))
	}
	text, err := Print(p)
	if err != nil {
		fmt.Fprintln(&b, err)
	}
	return b.String() + text
}
