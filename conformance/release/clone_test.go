package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seccompile/seccompile/conformance/internal/debian"
	"github.com/seccompile/seccompile/conformance/internal/need"
)

// What README says works on a new machine: in a Debian with git, make and its own Go, which
// fetches a newer one, two commands set up, run and test a fresh clone.
func TestFreshClone(t *testing.T) {
	test := os.Getenv("SECCOMPILE_CLONE")
	if test == "" {
		t.Skip("SECCOMPILE_CLONE is not set (make test-clone sets it): it takes as long as all tests do")
	}
	need.Program(t, "debootstrap", "debootstrap")
	mirror, err := debian.FindMirror(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "trixie")
	clean := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "debootstrap", "--variant=minbase",
		"--include=git,make,golang-go,ca-certificates,strace", "trixie", root, mirror)
	run(t, clean)
	// The network is this machine's: its resolver, and the authorities that it trusts.
	for _, file := range []string{"/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"} {
		if data, err := os.ReadFile(file); err == nil {
			if err := os.WriteFile(filepath.Join(root, file), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	from := checkout(t)
	run(t, exec.Command("git", "clone", "-q", from, filepath.Join(root, "seccompile")))
	for _, command := range []string{"make demo", test} {
		start := time.Now()
		cmd := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
			`mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && mount --bind /dev/pts "$0/dev/pts" && exec chroot "$0" sh -c "cd /seccompile && $1"`, root, command)
		cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LC_ALL=C.UTF-8"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, unpassed(string(out)))
		}
		t.Logf("%s: %v\n%s", command, time.Since(start).Round(time.Second), debian.Tail(string(out), 5))
	}
}

// unpassed leaves out what go test says of packages that pass.
func unpassed(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "ok  \t") && !strings.HasPrefix(line, "?   \t") {
			b.WriteString(line)
		}
	}
	return b.String()
}
