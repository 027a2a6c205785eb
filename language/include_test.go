package language_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// open opens a file and then, one from the other, those that it includes.
func open(files fstest.MapFS, name string, includes ...string) (*language.Source, error) {
	s := language.NewSource(files[name].Data).In(files, name)
	var err error
	for _, name := range includes {
		if err != nil {
			break
		}
		s, err = s.Include(name)
	}
	return s, err
}

func TestInclude(t *testing.T) {
	files := fstest.MapFS{
		"etc/a":        {Data: []byte("a")},
		"etc/b":        {Data: []byte("b")},
		"etc/sub/c":    {Data: []byte("c")},
		"usr/share/d":  {Data: []byte("d")},
		"etc/sub/pipe": {Mode: 0o644 | 1<<25},
		"etc/huge":     {Data: make([]byte, 16<<20+1)},
	}
	tests := []struct {
		includes []string
		want     string // name and text, or the error
	}{
		{[]string{"b"}, "etc/b b"},
		{[]string{"./sub/c", "../b"}, "etc/b b"},
		{[]string{"/usr/share/d"}, "usr/share/d d"},
		{[]string{"/../../usr/share/d"}, "usr/share/d d"},
		{[]string{"a"}, "a: files that include each other: etc/a includes etc/a"},
		{[]string{"b", "sub/c", "../a"}, "../a: files that include each other: etc/a includes etc/b includes etc/sub/c includes etc/a"},
		{[]string{"../../usr/share/d"}, "open ../usr/share/d: file does not exist"},
		{[]string{"nothing"}, "open etc/nothing: file does not exist"},
		{[]string{"sub"}, "etc/sub: not a regular file"},
		{[]string{"sub/pipe"}, "etc/sub/pipe: not a regular file"},
		{[]string{"huge"}, "etc/huge: larger than 16 MiB"},
		{[]string{""}, "etc: not a regular file"},
	}
	for _, tt := range tests {
		s, err := open(files, "etc/a", tt.includes...)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = s.Name() + " " + string(s.Data())
		}
		if got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.includes, got, tt.want)
		}
	}
	if _, err := language.NewSource(nil).Include("etc/a"); err == nil || err.Error() != "etc/a: only a policy in a file can include others" {
		t.Error(err)
	}
}

func TestIncludesEnd(t *testing.T) {
	files := fstest.MapFS{}
	var names []string
	for c := 'a'; c < 'p'; c++ {
		files[string(c)] = &fstest.MapFile{}
		names = append(names, string(c))
	}
	if _, err := open(files, "a", names[1:11]...); err != nil {
		t.Error(err)
	}
	if _, err := open(files, "a", names[1:12]...); err == nil || !strings.HasPrefix(err.Error(), "l: more than 10 files deep: a includes b includes") {
		t.Error(err)
	}
}

// A place in the first file becomes a line and a column; one in another file stays.
func TestPlaces(t *testing.T) {
	s := language.NewSource(nil).In(fstest.MapFS{"b": {}}, "a")
	included, err := s.Include("b")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Place(3, 4) + " " + included.Place(5, 6); got != "3:4 b:5:6" {
		t.Error(got)
	}
	warnings := []policy.Warning{{Pointer: included.Place(1, 1)}, {Pointer: s.Place(3, 4)}}
	problem := &policy.Error{Pointer: s.Place(7, 8)}
	s.Locate(warnings, policy.Errors{problem})
	if w := warnings; w[0].Line != 3 || w[0].Column != 4 || w[1].Line != 0 || w[1].Pointer != "b:1:1" || problem.Line != 7 || problem.Column != 8 {
		t.Errorf("%+v %+v", warnings, problem)
	}
}

func TestGlob(t *testing.T) {
	files := fstest.MapFS{"etc/a": {}, "etc/a.d/2.conf": {}, "etc/a.d/10.conf": {}, "etc/a.d/x/3.conf": {}, "etc/a.d/4": {}, "b.conf": {}}
	s := language.NewSource(files["etc/a"].Data).In(files, "etc/a")
	for pattern, want := range map[string]string{
		"a.d/*.conf": "[/etc/a.d/10.conf /etc/a.d/2.conf]", "../*.conf": "[/b.conf]", "/etc/a": "[/etc/a]", "../../*": "[]", "c.d/*": "[]",
	} {
		names, err := s.Glob(pattern)
		if got := fmt.Sprint(names); got != want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", pattern, got, err, want)
		}
		for _, name := range names[:min(len(names), 1)] {
			if _, err := s.Include(name); err != nil && name != "/etc/a" {
				t.Error(err)
			}
		}
	}
	if names, err := s.Glob("["); err == nil || err.Error() != "[: syntax error in pattern" {
		t.Error(names, err)
	}
	if names, err := language.NewSource(nil).Glob("*"); names != nil || err != nil {
		t.Error(names, err)
	}
}

// A pipe nobody writes to is not opened, wherever the pattern looks.
func TestGlobOpensDirectoriesAlone(t *testing.T) {
	files := pipes{fstest.MapFS{"pipe": {Mode: fs.ModeNamedPipe}, "d/a": {}}, t}
	s := language.NewSource(nil).In(files, "x")
	for pattern, want := range map[string]string{"*/a": "[/d/a]", "pipe/*": "[]", "p*": "[/pipe]", "pipe": "[/pipe]"} {
		if names, err := s.Glob(pattern); fmt.Sprint(names) != want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", pattern, names, err, want)
		}
	}
}

// pipes are files whose pipes must not be opened.
type pipes struct {
	fs.StatFS
	t *testing.T
}

func (p pipes) Open(name string) (fs.File, error) {
	if info, err := p.Stat(name); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		p.t.Errorf("%s: opened", name)
	}
	return p.StatFS.Open(name)
}

// Links to /dev/null mask, links below the root count as files, and others are errors that
// say what to do.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	top := filepath.Join(dir, "top")
	for _, d := range []string{"top/a.d", "elsewhere"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"top/b", "elsewhere/c"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(file), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"1": "/dev/null", "2": "/dev//null", "3": "../b", "4": "../../elsewhere/c", "5": "/elsewhere/c", "6": "nothing", "7": "7",
	} {
		if err := os.Symlink(target, filepath.Join(top, "a.d", name)); err != nil {
			t.Skip("no links here:", err)
		}
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	s := language.NewSource(nil).In(root.FS(), "a")
	names, err := s.Glob("a.d/*")
	if got := fmt.Sprint(names); got != "[/a.d/3 /a.d/4 /a.d/5 /a.d/6 /a.d/7]" || err != nil {
		t.Error(got, err)
	}
	for name, want := range map[string]string{
		"a.d/4": "a.d/4: links to ../../elsewhere/c: path escapes from parent (give a root that holds it)",
		"a.d/5": "a.d/5: an absolute link, to /elsewhere/c, is not followed (replace it by the file, or by a relative link)",
	} {
		if _, err := s.Include(name); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if b, err := s.Include("a.d/3"); err != nil || string(b.Data()) != "top/b" {
		t.Error(err)
	}
	if _, err := s.Include("a.d/6"); !errors.Is(err, fs.ErrNotExist) || strings.HasSuffix(err.Error(), ")") {
		t.Error("a link to nothing:", err)
	}
	if _, err := s.Include("a.d/7"); err == nil {
		t.Error("a link to itself was read")
	}
	wide, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer wide.Close()
	if c, err := language.NewSource(nil).In(wide.FS(), "top/a").Include("a.d/4"); err != nil || string(c.Data()) != "elsewhere/c" {
		t.Error("with a root that holds it:", err)
	}
}
