package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A witness is a test that only notes what is wrong.
type witness struct {
	testing.TB
	failed string
}

func (w *witness) Helper() {}

func (w *witness) Errorf(format string, args ...any) { w.failed = fmt.Sprintf(format, args...) }

func (w *witness) Fatalf(format string, args ...any) { w.Errorf(format, args...) }

func TestCheck(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	for _, tt := range []struct {
		update    bool
		got, want string
	}{
		{false, "one", "(-update writes it)"},
		{true, "one", ""},
		{false, "one", ""},
		{false, "two", "this run + (-update if that is right)"},
		{false, "\xff", "other bytes than this run"},
		{true, "", ""},
		{false, "", ""},
	} {
		w := &witness{TB: t}
		if Check(w, tt.update, file, tt.got); (w.failed == "") != (tt.want == "") || !strings.Contains(w.failed, tt.want) {
			t.Errorf("%q, update %v: %q, want %q", tt.got, tt.update, w.failed, tt.want)
		}
		if now, err := os.ReadFile(file); tt.update && (err != nil || string(now) != tt.got) {
			t.Errorf("has %q, error %v; want %q", now, err, tt.got)
		}
	}
}
