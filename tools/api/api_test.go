package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// thing is a module with one of each kind of name. "go run ./api -root api/testdata/thing
// -write" rewrites its api.txt.
const thing = "testdata/thing"

func TestLines(t *testing.T) {
	got, err := exported(thing, platforms())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(thing, "api.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := splitLines(string(text))
	for _, line := range missing(want, got) {
		t.Errorf("lacks %s", line)
	}
	for _, line := range missing(got, want) {
		t.Errorf("has   %s", line)
	}
	if !slices.Equal(got, want) && !t.Failed() {
		t.Error("another order")
	}
}

func TestBrokenModule(t *testing.T) {
	dir := repository(t)
	edit(t, dir, "shape/shape.go", "float64", "nothing")
	if _, err := exported(dir, platforms()[:1]); err == nil || !strings.Contains(err.Error(), "undefined: nothing") {
		t.Errorf("error %v, want the compiler's", err)
	}
}

// A change of the API goes through all that the check says, one after the other.
func TestCheck(t *testing.T) {
	dir := repository(t)
	want := func(step, out, problem string) {
		t.Helper()
		var b strings.Builder
		err := check(&b, dir, "")
		if !strings.Contains(b.String(), out) {
			t.Errorf("%s: no %q in\n%s", step, out, b.String())
		}
		switch {
		case err == nil && problem != "":
			t.Errorf("%s: no error, want %q", step, problem)
		case err != nil && (problem == "" || !strings.Contains(err.Error(), problem)):
			t.Errorf("%s: error %v, want %q", step, err, problem)
		}
	}
	want("unchanged", "incompatible with HEAD: 0 lines\n", "")

	edit(t, dir, "thing.go", "// Gone is a variable.", "var New int\n")
	want("a new name", "+pkg thing, var New int\n", "stale")
	rewrites(t, dir)
	want("a new name, written", "incompatible with HEAD: 0 lines\n", "")

	edit(t, dir, "shape/shape.go", "Radius float64", "Radius float32")
	want("a changed field", "-pkg shape, type Circle struct, Radius float64\n+pkg shape, type Circle struct, Radius float32\n", "stale")
	rewrites(t, dir)
	want("a changed field, written", "incompatible with HEAD: 1 lines\n-pkg shape, type Circle struct, Radius float64\n", "names shape (")
	edit(t, dir, "CHANGELOG.md", "### Added\n", "### Changed\n\n- `reshape` is rounder.\n\n### Added\n")
	want("another package's news", ": 1 lines\n", "names shape (")
	edit(t, dir, "CHANGELOG.md", "## [0.1.0]\n", "## [0.1.0]\n\n- `shape` is round.\n")
	want("news of a release that is out", ": 1 lines\n", "names shape (")
	edit(t, dir, "CHANGELOG.md", "- `reshape` is rounder.", "- `shape` is rounder.")
	want("announced", "incompatible with HEAD: 1 lines\n", "")

	git(t, dir, "tag", "v1")
	git(t, dir, "commit", "-qam", "second")
	want("committed after a tag", "incompatible with v1: 1 lines\n", "")
	git(t, dir, "tag", "-f", "v1")
	want("tagged", "incompatible with v1: 0 lines\n", "")
	var b strings.Builder
	if err := check(&b, dir, "nowhere"); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("no such revision: error %v", err)
	}
}

// A revision before api.txt existed promised nothing.
func TestFirstTime(t *testing.T) {
	dir := repository(t)
	git(t, dir, "rm", "-q", "--cached", "api.txt")
	git(t, dir, "commit", "-qm", "without")
	var b strings.Builder
	if err := check(&b, dir, "HEAD"); err != nil || b.String() != "incompatible with HEAD: 0 lines\n" {
		t.Errorf("%q, error %v", b.String(), err)
	}
}

func TestSourceArchive(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(thing)); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := check(&b, dir, ""); err != nil || !strings.HasPrefix(b.String(), "no git repository") {
		t.Errorf("%q, error %v", b.String(), err)
	}
	edit(t, dir, "thing.go", "// Gone is a variable.", "var New int\n")
	if err := check(&b, dir, ""); err == nil || !strings.Contains(err.Error(), "stale") {
		t.Errorf("error %v, want one of a stale list", err)
	}
}

// The news of a package are those of its whole path.
func TestUnannounced(t *testing.T) {
	gone := []string{"pkg a/b (linux-amd64), func F()", "pkg a, func F()", "pkg a, func G()", "pkg c, func F()"}
	if got := unannounced(gone, []string{"- `a/b`: F.", "- c.F"}); !slices.Equal(got, []string{"a"}) {
		t.Errorf("%q are not announced, want a", got)
	}
}

// repository returns a copy of thing, committed.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(thing)); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "init", "-q")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-qm", "first")
	return dir
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	if _, err := run(dir, "git", append([]string{"-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"}, args...)...); err != nil {
		t.Fatal(err)
	}
}

func edit(t *testing.T, dir, file, from, to string) {
	t.Helper()
	path := filepath.Join(dir, file)
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), from) {
		t.Fatalf("%s: no %q, error %v", file, from, err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), from, to)), 0o666); err != nil {
		t.Fatal(err)
	}
}

func rewrites(t *testing.T, dir string) {
	t.Helper()
	if err := rewrite(dir); err != nil {
		t.Fatal(err)
	}
}
