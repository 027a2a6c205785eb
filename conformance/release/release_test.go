package release

import (
	"bytes"
	"crypto/sha256"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/conformance/internal/debian"
)

// version is that of the release under test.
const version = "v0.0.1"

// TestRelease makes a release twice, and judges the first.
func TestRelease(t *testing.T) {
	if os.Getenv("SECCOMPILE_RELEASE") == "" {
		t.Skip("SECCOMPILE_RELEASE is not set (make test-release sets it): it takes minutes")
	}
	first := filepath.Join(t.TempDir(), "first")
	root := checkout(t)
	makeRelease(t, root, first)

	t.Run("Reproducible", func(t *testing.T) {
		second := filepath.Join(t.TempDir(), "another", "place", "second")
		clone := filepath.Join(t.TempDir(), "clone")
		run(t, exec.Command("git", "clone", "-q", root, clone))
		// What must make no difference: where it is, when, the modes of files, what Go is told.
		makeRelease(t, clone, second, "TZ=Asia/Kolkata", "LC_ALL=C.UTF-8", "GOFLAGS=-tags=other", "GOARM=5", "GO386=softfloat", "USER=other", "UMASK=077")
		compare(t, digests(t, first), digests(t, second))
	})
	t.Run("MakeInstall", func(t *testing.T) { testMakeInstall(t, root) })
	t.Run("Binaries", func(t *testing.T) { testBinaries(t, root, first) })
	t.Run("Packages", func(t *testing.T) { testPackages(t, root, first) })
	t.Run("Page", func(t *testing.T) { testPage(t, first) })
	t.Run("SBOMs", func(t *testing.T) { testSBOMs(t, first) })
	t.Run("Verification", func(t *testing.T) { testVerification(t, root, first) })
}

// checkout copies this project, as it is, into a repository of its own with one commit.
func checkout(t *testing.T) string {
	t.Helper()
	from, to := filepath.Join("..", ".."), t.TempDir()
	list := run(t, exec.Command("git", "-C", from, "ls-files", "-z", "--cached", "--others", "--exclude-standard"))
	for _, name := range strings.Split(strings.TrimRight(list, "\x00"), "\x00") {
		info, err := os.Lstat(filepath.Join(from, name))
		if err != nil || !info.Mode().IsRegular() {
			continue // removed, but not from the index
		}
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"commit", "-q", "-m", "everything"}} {
		git := exec.Command("git", append([]string{"-C", to, "-c", "user.name=a", "-c", "user.email=a@b.example"}, args...)...)
		git.Env = append(os.Environ(), "GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000")
		run(t, git)
	}
	return to
}

// makeRelease runs make release. UMASK is not for it but for the shell.
func makeRelease(t *testing.T, root, out string, env ...string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", `umask "${UMASK:-022}" && exec make -s release VERSION=`+version+` OUT="$0"`, out)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), env...)
	run(t, cmd)
}

// testMakeInstall runs make install, without a release.
func testMakeInstall(t *testing.T, root string) {
	to := t.TempDir()
	cmd := exec.Command("make", "-s", "install", "DESTDIR="+to, "PREFIX=/usr")
	cmd.Dir = root
	run(t, cmd)
	share := filepath.Join(to, "usr", "share")
	for _, file := range []string{"man/man1/seccompile.1", "man/man1/seccompile-run.1", "bash-completion/completions/seccompile",
		"fish/vendor_completions.d/seccompile.fish", "zsh/site-functions/_seccompile"} {
		if info, err := os.Stat(filepath.Join(share, file)); err != nil || info.Size() < 100 {
			t.Errorf("%s: %v", file, err)
		}
	}
	if out := run(t, exec.Command(filepath.Join(to, "usr/bin/seccompile"), "version")); !strings.HasPrefix(out, "seccompile ") {
		t.Errorf("version: %s", out)
	}
}

// run runs a command and returns its standard output.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd.Args, err, debian.Tail(string(out), 20), debian.Tail(stderr.String(), 20))
	}
	return string(out)
}

// digests returns what the files in a directory have in them, by name.
func digests(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	sums := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		var data []byte
		if d.Type().IsRegular() { // links count by their names
			data, err = os.ReadFile(path)
		}
		sums[strings.TrimPrefix(path, dir)] = sha256.Sum256(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

func compare(t *testing.T, a, b map[string][32]byte) {
	t.Helper()
	if len(a) < 13+13+6+6+2+2 {
		t.Errorf("only %d files: %v", len(a), slices.Sorted(maps.Keys(a)))
	}
	for name, sum := range a {
		if b[name] != sum {
			t.Errorf("%s: differs", name)
		}
	}
	if len(a) != len(b) {
		t.Errorf("%d files and %d", len(a), len(b))
	}
}

// only returns the one file that matches a pattern.
func only(t *testing.T, dir, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %v, %v", pattern, files, err)
	}
	return files[0]
}
