package conformance

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/conformance/internal/page"
)

// Each way around a preset is open without it, unless this kernel closes it itself, and
// closed under it.
func TestWaysAroundPresetsAreClosed(t *testing.T) {
	command := buildCommand(t)
	bypass := filepath.Join(t.TempDir(), "bypass")
	if out, err := exec.Command(need.Program(t, "cc", "gcc"), "-O1", "-Wall", "-Werror", "-o", bypass, "testdata/bypass.c").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	service, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "@seccompile-test", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	const killed, open = "killed", "through"
	for _, tt := range []struct{ preset, way, without, under string }{
		{"no-network", "inet", open, "EAFNOSUPPORT"},
		{"no-network", "inet-garbage", open, "EAFNOSUPPORT"},
		{"no-network", "netlink", open, "EAFNOSUPPORT"},
		{"no-network", "inet-ring", open, "EPERM"},
		{"no-network", "x32", "ENOSYS", killed},
		{"no-network", "getfd", open, "EPERM"},
		{"no-network", "request-key", "ENOKEY", "EPERM"},
		{"no-network", "unix", open, open},
		{"no-network", "datagram seccompile-test", open, open},
		{"no-af-unix", "unix", open, "EAFNOSUPPORT"},
		{"no-af-unix", "unix-garbage", open, "EAFNOSUPPORT"},
		{"no-af-unix", "unix-ring", open, "EPERM"},
		{"no-af-unix", "getfd", open, "EPERM"},
		{"no-af-unix", "datagram seccompile-test", open, "EAFNOSUPPORT"},
		{"no-af-unix", "raw-pair seccompile-test", open, "EAFNOSUPPORT"},
		{"no-af-unix", "inet", open, open},
		{"no-new-namespaces", "unshare", open, "EPERM"},
		{"no-new-namespaces", "unshare-time", open, "EPERM"},
		{"no-new-namespaces", "clone", open, "EPERM"},
		{"no-new-namespaces", "clone3", open, "ENOSYS"},
		{"no-new-namespaces", "clone3-fork", open, "ENOSYS"},
		{"no-new-namespaces", "setns", open, "EPERM"},
		{"no-io-uring", "inet-ring", open, "EPERM"},
		{"no-ptrace", "ptrace", open, "EPERM"},
		{"no-ptrace", "seize", open, "EPERM"},
		{"no-ptrace", "readv", open, "EPERM"},
		{"no-ptrace", "writev", open, "EPERM"},
		{"no-ptrace", "kcmp", open, "EPERM"},
		{"no-ptrace", "getfd", open, "EPERM"},
		{"no-keyctl", "add-key", open, "ENOSYS"},
		{"no-keyctl", "keyctl", open, "ENOSYS"},
		{"no-keyctl", "request-key", "ENOKEY", "ENOSYS"},
		{"no-userfaultfd", "fault", open, "EPERM"},
		{"no-userfaultfd", "fault-device", open, "EPERM"},
		{"no-new-privileged-sockets", "packet", open, "EAFNOSUPPORT"},
		{"no-new-privileged-sockets", "sock-packet", open, "EAFNOSUPPORT"},
		{"no-new-privileged-sockets", "alg", "EAFNOSUPPORT", "EAFNOSUPPORT"},
		{"no-new-privileged-sockets", "audit", open, "EAFNOSUPPORT"},
		{"no-new-privileged-sockets", "inet-ring", open, "EPERM"},
		{"no-new-privileged-sockets", "inet", open, open},
		{"no-new-privileged-sockets", "netlink", open, open},
		{"w-xor-x", "wx", open, "EACCES"},
		{"w-xor-x", "mprotect", open, "EACCES"},
		{"w-xor-x", "pkey", open, "EACCES"},
		{"w-xor-x", "shm", open, "EACCES"},
		{"w-xor-x", "personality", open, "EACCES"},
		{"w-xor-x", "memfd", open, "ENOSYS"},
		{"w-xor-x", "ring-pages", "EPERM", "EPERM"},
		{"w-xor-x", "perf-pages", "EPERM", "EPERM"},
		{"w-xor-x", "map-pages", "EPERM", "EPERM"},
		{"w-xor-x", "poke", open, "EPERM"},
		{"w-xor-x", "fault", open, "EPERM"},
		{"w-xor-x", "fault-device", open, "EPERM"},
	} {
		way := strings.Fields(tt.way)
		without, _ := exec.Command(bypass, way...).Output()
		if got := strings.TrimSpace(string(without)); got != tt.without && got != open {
			t.Logf("%s: this kernel closes it itself: %s", tt.way, got)
		}
		cmd := exec.Command(command, append([]string{"run", "--preset", tt.preset, "--", bypass}, way...)...)
		out, err := cmd.Output()
		got := strings.TrimSpace(string(out))
		if err != nil && strings.Contains(err.Error(), "bad system call") {
			got = killed
		}
		if got != tt.under {
			t.Errorf("%s under %s: %q, %v; want %s", tt.way, tt.preset, got, err, tt.under)
		}
	}
}

// The commands of docs/SANDBOX.md run in its order, in one directory, and print what the page
// says: each block of text is the output of the block of commands before it.
func TestSandboxPage(t *testing.T) {
	need.Program(t, "bwrap", "bubblewrap")
	need.Program(t, "python3", "python3")
	need.Program(t, "node", "nodejs")
	session := page.Session{Dir: t.TempDir(), Env: []string{"PATH=" + filepath.Dir(buildCommand(t)) + ":" + os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1"}}
	if ran := session.Run(t, "../docs/SANDBOX.md", nil); ran["sh"] < 5 {
		t.Errorf("only %d blocks of commands", ran["sh"])
	}
}
