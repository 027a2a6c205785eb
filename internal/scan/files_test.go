package scan

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What changes a file while it is scanned fails the scan, but for its replacement by another
// file, as package managers do it: the scan goes on with the one that was there.
func TestFilesThatChangeMeanwhile(t *testing.T) {
	for _, test := range []struct {
		name, want string
		change     func(path string) error
	}{
		{"nothing", "", func(string) error { return nil }},
		{"cut off", "f: changed while it was read: scan again", func(path string) error { return os.Truncate(path, 0) }},
		{"written to", "f: changed while it was read: scan again", func(path string) error {
			return os.Chtimes(path, time.Time{}, time.Unix(1, 0))
		}},
		{"replaced", "", func(path string) error {
			if err := os.WriteFile(path+".new", []byte("short"), 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		}},
		{"deleted", "", os.Remove},
		{"cut off and deleted", "a file cannot be read any more", func(path string) error {
			return cmp.Or(os.Truncate(path, 0), os.Remove(path))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "f")
			if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
				t.Fatal(err)
			}
			c := &contents{tree: tree{dir}}
			err := c.guard(func() error {
				data, err := c.read("/f")
				if err != nil {
					t.Fatal(err)
				}
				if !c.open[0].mapped {
					t.Skip("files are not mapped here")
				}
				if err := test.change(path); err != nil {
					t.Fatal(err)
				}
				rest(c.open)
				for _, b := range data {
					if b != 0 {
						t.Fatal("another file")
					}
				}
				return nil
			})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if c.open != nil {
				t.Error("files are still mapped")
			}
		})
	}
}

// A defect is not taken for a file that changed.
func TestDefectsAreNotHidden(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the panic is gone")
		}
	}()
	err := (&contents{}).guard(func() error {
		var none *contents
		return none.open[0].info.Sys().(error)
	})
	t.Error("went on:", err)
}

// A run of text that a zero byte ends is found wherever it starts.
func TestStringsInData(t *testing.T) {
	for offset := range 7 {
		for _, test := range []struct{ data, want string }{
			{"abc\x00", "abc"}, {"ab\x00", ""}, {"ab\x00cd\x00efg\x00", "efg"}, {"abc", ""}, {"abc\x01def\x00", "def"}, {"\x00\x00abcd\x00ab\x00abc\x00", "abcd abc"},
			{"abc\xff", ""}, {"", ""},
		} {
			var got []string
			eachString([]byte(strings.Repeat("\x01", offset)+test.data), func(s string) { got = append(got, s) })
			if strings.Join(got, " ") != test.want {
				t.Errorf("%q behind %d bytes: %q, want %q", test.data, offset, got, test.want)
			}
		}
	}
}
