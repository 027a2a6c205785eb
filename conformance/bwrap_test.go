package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/conformance/internal/need"
)

// bubblewrap takes raw filters from file descriptors and loads them as they are.
func TestBubblewrap(t *testing.T) {
	bwrap := need.Program(t, "bwrap", "bubblewrap")
	noMkdir := compile(t, deny(t, specs.ActErrno, errNetDown, "mkdir", "mkdirat"))

	t.Run("one filter", func(t *testing.T) {
		out := sandbox(t, bwrap, [][]byte{noMkdir}, `mkdir /tmp/a; touch /tmp/b && echo touched; grep Seccomp /proc/self/status`)
		expect(t, out, netDown, "touched", "Seccomp:\t2", "Seccomp_filters:\t1")
	})
	t.Run("two filters", func(t *testing.T) {
		// The kernel runs both; where both deny with ERRNO, the newer one's number counts.
		noRmdir := compile(t, deny(t, specs.ActErrno, errNoMsg, "rmdir", "unlinkat", "mkdir", "mkdirat"))
		out := sandbox(t, bwrap, [][]byte{noRmdir, noMkdir}, `mkdir /tmp/a; rmdir /tmp; touch /tmp/b && echo touched; grep Seccomp /proc/self/status`)
		expect(t, out, netDown, noMessage, "touched", "Seccomp:\t2", "Seccomp_filters:\t2")
	})
	t.Run("docker-default", func(t *testing.T) {
		out := sandbox(t, bwrap, [][]byte{compile(t, "docker-default")}, `unshare --user true || echo refused; mkdir /tmp/a && echo made`)
		expect(t, out, "Operation not permitted", "refused", "made")
	})
}

// sandbox runs a shell command under filters, the first loaded first, and
// returns its output.
func sandbox(t *testing.T, bwrap string, filters [][]byte, script string) []byte {
	t.Helper()
	cmd := exec.Command(bwrap, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--unshare-pid")
	for i, filter := range filters {
		f := file(t, filter)
		defer f.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
		option := "--add-seccomp-fd"
		if len(filters) == 1 {
			option = "--seccomp"
		}
		cmd.Args = append(cmd.Args, option, strconv.Itoa(3+i))
	}
	cmd.Args = append(cmd.Args, "--", "/bin/sh", "-c", script)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return out
}

// file returns an open file with the given content.
func file(t *testing.T, content []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "filter")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
