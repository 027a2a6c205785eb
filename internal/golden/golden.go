// Package golden compares what tests make with files that say what it was before.
package golden

import (
	"os"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// Check fails the test if the file is not what was made or, if update, makes it so.
func Check(t testing.TB, update bool, file, got string) {
	t.Helper()
	if update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	switch {
	case err != nil:
		t.Fatalf("%v (-update writes it)", err)
	case string(want) == got:
	case utf8.ValidString(got):
		t.Errorf("%s is -, this run + (-update if that is right)\n%s", file, cmp.Diff(string(want), got))
	default:
		t.Errorf("%s has other bytes than this run (-update if that is right)", file)
	}
}
