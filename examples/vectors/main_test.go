package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
)

func TestEveryVerdictAgrees(t *testing.T) {
	if arch.Native() != arch.X86_64 {
		t.Skip("rows without targets are for a host of x86_64")
	}
	checked, wrong := check("../../testdata/vectors")
	for _, row := range wrong {
		t.Error(row)
	}
	if checked < 5000 {
		t.Errorf("%d rows, want 5000", checked)
	}
}

// Wrong verdicts are found: one of a call, one that a profile is refused, and one that it
// is not.
func TestWrongVerdictsAreFound(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "profiles"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"profiles/good.json": `{"defaultAction": "SCMP_ACT_ALLOW"}`,
		"profiles/bad.json":  `{"defaultAction": "ALLOW"}`,
		"verdicts.tsv": "# version and columns\n" +
			"1.1\tgood\trunc\t-\tx86_64\tx86_64:read\t0xc000003e\t0\t-\tALLOW\n" +
			"1.1\tgood\trunc\t-\tx86_64\tx86_64:read\t0xc000003e\t0\t-\tLOG\n" +
			"1.1\tgood\trunc\t-\tx86_64\t-\t-\t-\t-\tREFUSED\n" +
			"1.1\tbad\trunc\t-\tx86_64\t-\t-\t-\t-\tREFUSED\n" +
			"1.1\tbad\trunc\t-\tx86_64\tx86_64:read\t0xc000003e\t0\t1,0x2\tALLOW\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	checked, wrong := check(dir)
	if got := strings.Join(wrong, "\n"); checked != 5 || len(wrong) != 3 ||
		!strings.Contains(got, "LOG: got ALLOW") || !strings.Contains(got, "REFUSED: got not refused") || !strings.Contains(got, "ALLOW: got REFUSED") {
		t.Errorf("%d rows\n%s", checked, got)
	}
}
