package lint

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/policy"
)

// docs/CHECKS.md is made of the catalog.
func TestPageIsFresh(t *testing.T) {
	const path = "../docs/CHECKS.md"
	got := page()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is -, the catalog + (-update if that is right)\n%s", path, diff)
	}
}

func page() string {
	var b strings.Builder
	b.WriteString(`# Checks

What ` + "`seccompile check`" + ` reports, by ID. An error means that a profile is refused or does not do
what it says, a warning that it most likely does not do what is wanted, a note what is
good to know. The severities are the usual ones: a consumer, named with ` + "`--for`" + `, can make
them worse or better.

`)
	for _, e := range Catalog() {
		fmt.Fprintf(&b, "- [`%s`](#%s) (%s): %s\n", e.ID, e.ID, e.Severity, e.Title)
	}
	b.WriteString(`
## Consumers

| ` + "`--for`" + ` | reads | and hands it to |
|---|---|---|
`)
	for _, c := range Consumers() {
		runtime := c.runtime().title()
		if c.runtime() == c {
			runtime = "the kernel"
		}
		format := c.format(0).String()
		if c.format(0) != c.format(policy.FormatConfig) {
			format += ", config"
		}
		fmt.Fprintf(&b, "| `%v` | %s | %s |\n", c, format, runtime)
	}
	b.WriteString(`
What they do was read in, and where it decides about an error tried with, these releases:
moby/profiles 0.2.4, containers/common 0.50 and 0.64, runc 1.1.5 and 1.5.2, crun 1.8.1 and
1.29, containerd 2.4, libseccomp 2.5.4. Podman runs containers with crun by default and
the others with runc; with another runtime, name that.
`)
	for _, e := range Catalog() {
		fmt.Fprintf(&b, "\n## %s\n\n%s: %s.\n\n%s\n\nFix: %s.\n", e.ID, e.Severity, e.Title, wrap(e.Why), e.Fix)
	}
	return b.String()
}

// wrap breaks a text into lines.
func wrap(text string) string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > 90 {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return strings.Join(append(lines, line), "\n")
}
