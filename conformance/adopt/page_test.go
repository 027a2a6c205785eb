package adopt

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/conformance/internal/need"
)

// page returns the blocks of docs/ADOPT.md: the first line of each says what it is.
func page(t *testing.T) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/ADOPT.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, block := range strings.Split(string(text), "```") {
		if i%2 == 1 {
			blocks = append(blocks, block)
		}
	}
	return blocks
}

// The Go code of the page is that of this package.
func TestPageShowsThisCode(t *testing.T) {
	var code strings.Builder
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	found := 0
	for _, block := range page(t) {
		if example, ok := strings.CutPrefix(block, "go\n"); ok {
			found++
			if !strings.Contains(code.String(), example) {
				t.Errorf("not here:\n%s", example)
			}
		}
	}
	if found < 4 {
		t.Errorf("only %d pieces of code", found)
	}
}

// The commands of the page run in its order, in one directory, and print what it says.
func TestPageCommands(t *testing.T) {
	need.Wanted(t, "podman")
	if os.Getuid() != 0 {
		t.Fatal("only root can run these containers: be root, or set CONFORMANCE_SKIP=podman")
	}
	dir := t.TempDir()
	environment := append(os.Environ(), "LC_ALL=C", "PATH="+tools(t, dir)+":"+os.Getenv("PATH"))
	ran, output := 0, ""
	for _, block := range page(t) {
		kind, text, _ := strings.Cut(block, "\n")
		name, file := strings.CutPrefix(kind, "text ")
		switch {
		case file:
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		case kind == "sh":
			cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", text)
			cmd.Dir, cmd.Env = dir, environment
			out, err := cmd.CombinedOutput()
			ran, output = ran+1, string(out)
			t.Logf("%s%v\n%s", text, err, out)
		case kind == "text":
			if output != text {
				t.Errorf("the commands before print %q, the page says %q", output, text)
			}
		}
	}
	if ran < 2 {
		t.Errorf("only %d blocks of commands", ran)
	}
}

// tools makes rootfs in dir, where every command is busybox, and returns a directory with
// seccompile and podman.
func tools(t *testing.T, dir string) string {
	t.Helper()
	podman, crun := need.Program(t, "podman", "podman"), need.Program(t, "crun", "crun")
	busybox, err := os.ReadFile(need.Program(t, "busybox", "busybox-static"))
	if err != nil {
		t.Fatal(err)
	}
	bin, root := t.TempDir(), filepath.Join(dir, "rootfs/bin")
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sh", "mkdir"} {
		if err := os.WriteFile(filepath.Join(root, name), busybox, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "rootfs/tmp"), 0o777); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "seccompile"), "./cmd/seccompile")
	build.Dir = "../.."
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Podman without what this machine may lack: its network, cgroups, and limits as high as
	// its own. A hybrid cgroup mount with controllers in its unified part is more than crun
	// puts up with: take it out of the way, in a mount namespace of its own.
	state := t.TempDir()
	script := `#!/bin/sh -eu
[ "$1" = run ]
shift
if [ -z "${APART-}" ]; then APART=1 exec unshare --mount "$0" run "$@"; fi
umount /sys/fs/cgroup/unified 2>/dev/null || true
exec ` + podman + ` --root ` + state + `/root --runroot ` + state + `/run --tmpdir ` + state + `/tmp --storage-driver vfs \
	--cgroup-manager cgroupfs --events-backend none --runtime ` + crun + ` \
	run --network none --cgroups disabled --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"
`
	if err := os.WriteFile(filepath.Join(bin, "podman"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return bin
}
