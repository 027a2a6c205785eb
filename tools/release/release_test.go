package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// checkout returns a repository with one commit, and a function that runs git in it.
func checkout(t *testing.T) (root string, git func(args ...string) string) {
	root = t.TempDir()
	git = func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", root, "-c", "user.name=a", "-c", "user.email=a@b.example"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE=1700000000 +0000")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	write(t, filepath.Join(root, "a"), "a")
	git("add", ".")
	git("commit", "-q", "-m", "one")
	return root, git
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestVersions(t *testing.T) {
	root, _ := checkout(t)
	for version, ok := range map[string]bool{
		"v0.1.0": true, "v10.20.30": true, "v1.0.0-rc.1": true,
		"0.1.0": false, "v0.1": false, "v01.0.0": false, "v1.0.0-": false, "v1.0.0+x": false, "v1.0.0 -X main.x=y": false, "v1.0.0-a/b": false, "": false,
	} {
		if _, err := openSource(t.Context(), root, version, false); (err == nil) != ok {
			t.Errorf("%q: %v", version, err)
		}
	}
}

func TestCheckoutsThatAreRefused(t *testing.T) {
	root, git := checkout(t)
	first := git("rev-parse", "HEAD")
	open := func(dirty bool) (*source, error) { return openSource(t.Context(), root, "v0.1.0", dirty) }
	s, err := open(false)
	if err != nil || s.commit != first || s.revision() != first || s.time != time.Unix(1700000000, 0).UTC() {
		t.Fatalf("a clean checkout: %+v, %v", s, err)
	}

	write(t, filepath.Join(root, "new"), "not tracked")
	if _, err := open(false); err == nil || !strings.Contains(err.Error(), "?? new") {
		t.Errorf("a file that is not tracked: %v", err)
	}
	if s, err := open(true); err != nil || s.revision() != first+"-dirty" {
		t.Errorf("-dirty: %+v, %v", s, err)
	}
	git("add", ".")
	git("commit", "-q", "-m", "two")

	for _, annotate := range [][]string{nil, {"-a", "-m", "annotated"}} {
		git(append(append([]string{"tag", "-f"}, annotate...), "v0.1.0")...)
		if _, err := open(false); err != nil {
			t.Errorf("the tag of the commit, %v: %v", annotate, err)
		}
		git(append(append([]string{"tag", "-f"}, annotate...), "v0.1.0", first)...)
		if _, err := open(false); err == nil || !strings.Contains(err.Error(), "tag v0.1.0 is "+first) {
			t.Errorf("the tag of another commit, %v: %v", annotate, err)
		}
	}
	if _, err := openSource(t.Context(), t.TempDir(), "v0.1.0", false); err == nil {
		t.Error("opened a directory without git")
	}
}

// What is compiled is the commit, whatever git is told to overlook in the checkout.
func TestExport(t *testing.T) {
	root, git := checkout(t)
	write(t, filepath.Join(root, ".gitignore"), "ignored.go\n")
	if err := os.Mkdir(filepath.Join(root, "dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "dir", "b"), "b\n")
	git("add", ".")
	git("commit", "-q", "-m", "two")
	write(t, filepath.Join(root, "ignored.go"), "ignored")
	git("config", "status.showUntrackedFiles", "no")
	write(t, filepath.Join(root, "untracked.go"), "untracked")
	git("update-index", "--assume-unchanged", "a")
	write(t, filepath.Join(root, "a"), "changed")
	git("config", "core.autocrlf", "true")

	s, err := openSource(t.Context(), root, "v0.1.0", false)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.export(t.Context(), filepath.Join(t.TempDir(), "new"))
	if err != nil || got.commit != s.commit || got.version != s.version {
		t.Fatalf("%+v, %v", got, err)
	}
	files := map[string]string{}
	err = filepath.WalkDir(got.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, got.root)] = string(data)
		return err
	})
	if want := map[string]string{"/.gitignore": "ignored.go\n", "/a": "a", "/dir/b": "b\n"}; err != nil || !maps.Equal(files, want) {
		t.Errorf("%q, %v; want %q", files, err, want)
	}
}

func TestSourceDateEpoch(t *testing.T) {
	root, _ := checkout(t)
	for text, ok := range map[string]bool{"1600000000": true, "0": false, "": false, "-1": false, "99999999999": false, "today": false} {
		t.Setenv("SOURCE_DATE_EPOCH", text)
		if s, err := openSource(t.Context(), root, "v0.1.0", false); (err == nil) != ok || ok && s.time.Unix() != 1600000000 {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
}

// What differs between machines is not in an archive.
func TestTarball(t *testing.T) {
	when := time.Unix(1700000000, 0)
	files := []file{{"b/c", []byte("2"), 0o755}, {"a", []byte("1"), 0o644}}
	one, err := tarball("dir", files, when)
	if err != nil {
		t.Fatal(err)
	}
	files[0], files[1] = files[1], files[0]
	if two, err := tarball("dir", files, when.In(time.FixedZone("", 3600))); err != nil || !bytes.Equal(one, two) {
		t.Errorf("other bytes in another order or time zone: %v", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(one))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || !h.ModTime.Equal(when) {
			t.Errorf("%+v", h)
		}
		names = append(names, h.FileInfo().Mode().String()+" "+h.Name)
	}
	if got, want := strings.Join(names, ", "), "-rw-r--r-- dir/a, -rwxr-xr-x dir/b/c"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Only what build has written is signed: complete, unchanged, of a clean checkout.
func TestIncompleteReleasesAreNotSigned(t *testing.T) {
	s := &source{version: "v0.1.0", commit: strings.Repeat("a", 40), time: time.Unix(1, 0)}
	made := func(dirty bool) string {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "x.tar.gz"), "x")
		s.dirty = dirty
		if err := finish(s, dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	if err := complete(made(false)); err != nil {
		t.Errorf("a release: %v", err)
	}
	if err := complete(made(true)); err == nil || !strings.Contains(err.Error(), "no provenance.json") {
		t.Errorf("a dirty one: %v", err)
	}
	for name, change := range map[string]func(dir string) error{
		"a file more":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "y"), nil, 0o644) },
		"a file less":    func(dir string) error { return os.Remove(filepath.Join(dir, "x.tar.gz")) },
		"another file":   func(dir string) error { return os.WriteFile(filepath.Join(dir, "x.tar.gz"), []byte("y"), 0o644) },
		"no checksums":   func(dir string) error { return os.Remove(filepath.Join(dir, sumsFile)) },
		"signed already": func(dir string) error { return os.WriteFile(filepath.Join(dir, sumsFile+signatureExt), nil, 0o644) },
	} {
		dir := made(false)
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		if err := sign(t.Context(), "key", dir, io.Discard); err == nil || strings.Contains(err.Error(), "cosign") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBuildKeepsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	if err := build(t.Context(), &source{root: dir}, dir, func(string) {}); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Error(err)
	}
}

func TestDestinations(t *testing.T) {
	for _, tt := range []struct{ name, format, want string }{
		{"seccompile", "deb", "/usr/bin/seccompile"},
		{"LICENSE", "deb", ""},
		{"LICENSE", "rpm", "/usr/share/licenses/seccompile/LICENSE"},
		{"man/man1/seccompile.1", "rpm", "/usr/share/man/man1/seccompile.1"},
		{"completions/seccompile.bash", "deb", "/usr/share/bash-completion/completions/seccompile"},
		{"completions/seccompile.fish", "deb", "/usr/share/fish/vendor_completions.d/seccompile.fish"},
		{"completions/_seccompile", "deb", "/usr/share/zsh/vendor-completions/_seccompile"},
		{"completions/_seccompile", "rpm", "/usr/share/zsh/site-functions/_seccompile"},
		{"README.md", "deb", "/usr/share/doc/seccompile/README.md"},
	} {
		if got := destination(tt.name, tt.format); got != tt.want {
			t.Errorf("%s in .%s: got %q, want %q", tt.name, tt.format, got, tt.want)
		}
	}
}

// The Go that releases are compiled with is the newest that the tests run with.
func TestReleasesUseTheNewestGo(t *testing.T) {
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(text), "\nRELEASES ")
	line, _, _ = strings.Cut(line, "\n")
	if f := strings.Fields(line); len(f) == 0 || "go"+f[len(f)-1] != goRelease {
		t.Errorf("goRelease is %s, the Makefile's RELEASES are %q", goRelease, f)
	}
}
