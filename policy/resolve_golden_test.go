package policy_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/golden"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

var update = flag.Bool("update", false, "rewrite the golden files from what the code does now")

// Every profile of testdata/resolve has a text twin: a first line of options as
// TestVerdicts takes them, and then all that Resolve says with these.
func TestResolveGoldens(t *testing.T) {
	files, err := os.ReadDir("testdata/resolve")
	if err != nil {
		t.Fatal(err)
	}
	twins := map[string]int{}
	for _, f := range files {
		twins[strings.TrimSuffix(f.Name(), filepath.Ext(f.Name()))]++
	}
	for stem, n := range twins {
		if n != 2 {
			t.Errorf("%s: want a .json and a .txt file", stem)
			continue
		}
		t.Run(stem, func(t *testing.T) {
			twin := filepath.Join("testdata/resolve", stem+".txt")
			want, err := os.ReadFile(twin)
			if err != nil {
				t.Fatal(err)
			}
			options, _, _ := strings.Cut(string(want), "\n")
			got := options + "\n" + resolveTranscript(t, filepath.Join("testdata/resolve", stem+".json"), options)
			golden.Check(t, *update, twin, got)
		})
	}
}

func resolveTranscript(t *testing.T, profile, options string) string {
	t.Helper()
	data, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := oci.Read(data, policy.Target{})
	if err != nil {
		t.Fatal(err)
	}
	o, err := parseOptions(strings.Fields(options)[1:])
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	r, warnings, err := policy.Resolve(p, o)
	if err != nil {
		fmt.Fprintln(&b, err)
	}
	for _, w := range warnings {
		fmt.Fprintf(&b, "warning: %v\n", w)
	}
	if r != nil {
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
		b.WriteString(r.String())
	}
	return b.String()
}
