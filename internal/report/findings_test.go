package report

import (
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/lint"
)

// A comparison shows what check finds in one profile alone, and folds what it finds in both.
func TestFindingsOfTwo(t *testing.T) {
	a, b := read(t, "a", rule("read", "ALLOW"), arch.X86_64), read(t, "b", rule("read", "ALLOW"), arch.X86_64)
	old := lint.Finding{ID: "old", Severity: lint.Warning, Reason: "mount is odd", Line: 1}
	both := lint.Finding{ID: "both", Severity: lint.Warning, Reason: "socket is odd", Line: 2}
	moved := both
	moved.Line = 7
	a.Findings = []lint.Finding{old, both}
	b.Findings = []lint.Finding{moved}
	content, _, err := Compare(a, b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(content), `id="findings"`)
	section, _, _ = strings.Cut(section, "</section>")
	own, folded, ok := strings.Cut(section, "<details")
	if !ok || strings.Count(own, "mount is odd") != 1 || strings.Contains(own, "socket is odd") || !strings.Contains(own, "None beyond those that both have.") {
		t.Errorf("findings of one profile alone: %s", own)
	}
	if strings.Count(folded, "socket is odd") != 1 || !strings.Contains(folded, "line 7") || !strings.Contains(folded, "1 finding that A and B share") {
		t.Errorf("findings of both: %s", folded)
	}
}

// Findings begin with names of calls, which have no capitals.
func TestFindingsKeepTheirLetters(t *testing.T) {
	if strings.Contains(pageCSS, "text-transform") {
		t.Error("the page rewrites letters")
	}
}
