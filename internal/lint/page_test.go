package lint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/golden"
	"github.com/seccompile/seccompile/language/oci"
)

// docs/CHECKS.md is made of the catalog.
func TestPageIsFresh(t *testing.T) {
	const path = "../../docs/CHECKS.md"
	got := page()
	golden.Check(t, *update, path, got)
}

// exits is what the page says of exit statuses and of --fix.
const exits = "The exit status depends on the worst finding and on `--fail-on`, which is `error` by default.\n" +
	"It is also 1 where the grade is below `--min-grade` ([GRADE.md](GRADE.md)), and 2 if a profile\n" +
	"cannot be read or the command line is wrong.\n\n" +
	"| worst finding | `--fail-on error` | `--fail-on warning` | `--fail-on note` | last line |\n|---|---|---|---|---|\n" +
	"| none | 0 | 0 | 0 | ok |\n| note | 0 | 0 | 1 | ok, or bad |\n| warning | 0 | 1 | 1 | passed, or bad |\n| error | 1 | 1 | 1 | bad |\n\n" +
	"`ok` of `--json` is true where the last line says ok.\n\n" +
	"`--fix -o FILE` writes the profile with all cured that has one cure, and says what it did;\n" +
	"`--json` calls these findings `fixable`, and `--sarif` has each cure as a fix. It cures errors\n" +
	"and warnings, and notes where that does not change the filter. It guesses nothing: names of\n" +
	"calls that do not exist stay, and so does what depends on capabilities, architectures or\n" +
	"kernels. Order, layout, comments and unknown keys stay as they are. Allowing a call that is\n" +
	"newer than all others of the profile raises the number above which calls get ENOSYS.\n\n"

func page() string {
	var b strings.Builder
	b.WriteString(`# Checks

What ` + "`seccompile check`" + ` reports, by ID. An error means that the profile is refused or does
not do what it says, a warning that it most likely does not do what its author meant, and
a note is good to know. The severities shown are the usual ones; the consumer that ` + "`--for`" + `
names can raise or lower them.

`)
	b.WriteString(exits)
	for _, e := range Catalog() {
		fmt.Fprintf(&b, "- [`%s`](#%s) (%s): %s\n", e.ID, e.ID, e.Severity, e.Title)
	}
	b.WriteString(`
## Consumers

| ` + "`--for`" + ` | reads | and passes it to |
|---|---|---|
`)
	for _, c := range Consumers() {
		var names []string
		for _, r := range c.runtimes() {
			names = append(names, r.title())
		}
		runtime := strings.Join(names, " or ")
		if c.direct() {
			runtime = "the kernel"
		}
		format := string(c.format(""))
		if c.format("") != c.format(oci.Config) {
			format += ", config"
		}
		fmt.Fprintf(&b, "| `%v` | %s | %s |\n", c, format, runtime)
	}
	b.WriteString(`
What they do comes from the sources of these releases, and from trying them where it
decides about an error: moby/profiles 0.2.4, containers/common 0.50 and 0.64, runc 1.1.5 and
1.5.2, crun 1.8.1 and 1.29, containerd 2.4, CRI-O 1.36, libseccomp 2.5.4; of youki, the
sources of 0.4 and 0.7 alone. [RUNTIMES.md](RUNTIMES.md) has what a profile means to each
runtime. Podman runs containers with crun, or with runc where crun is absent, and CRI-O with
crun since 1.31 and with runc before: for these, check reports what either of the two minds. Name
` + "`podman/crun` or `podman/runc`" + ` for one of them. ` + "`kep-6061`" + ` is what runtimes are to do with a profile
from a registry: the text of the KEP, and security-profiles-merger and CRI-O as they were in September
2026, with crun or runc. The others use runc. If you use another runtime, name that runtime.
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
