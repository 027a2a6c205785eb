package seccomp

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/conformance/internal/runctree"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// programs are what the scenarios need.
type programs struct {
	tree                 *runctree.Tree // runc's source with package oci in it
	runc, agent, busybox string
	// calls are runc's own test programs, and profiles what they are run under.
	calls, profiles [2]string
	docker          string // Docker's default profile, as its daemon hands it over
}

// build makes the programs, runc as docs/RUNC.md says among them.
func build(t *testing.T) programs {
	t.Helper()
	need.Wanted(t, "runc")
	if os.Getuid() != 0 {
		t.Fatal("only root can run these containers: be root, or set CONFORMANCE_SKIP=runc")
	}
	busybox := need.Program(t, "busybox", "busybox-static")
	need.Program(t, "git", "git")
	tree, err := runctree.Copy(t.Context(), filepath.Join(t.TempDir(), "runc"))
	if err != nil {
		t.Fatal(err)
	}
	follow(t, tree, runctree.Adopt)
	follow(t, tree, runctree.Build)
	dir := t.TempDir()
	p := programs{tree: tree, busybox: busybox, runc: filepath.Join(tree.Dir, "runc"), agent: filepath.Join(dir, "agent"), docker: dockerProfile(t)}
	for i := range p.calls {
		name := []string{"seccomp_syscall_test1", "seccomp_syscall_test2"}[i]
		data := filepath.Join(tree.Dir, "tests/integration/testdata", name)
		p.calls[i] = filepath.Join(dir, name)
		run(t, ".", "gcc", "-static", "-o", p.calls[i], data+".c")
		profile, err := os.ReadFile(data + ".json")
		if err != nil {
			t.Fatal(err)
		}
		p.profiles[i] = string(profile)
	}
	run(t, ".", "go", "build", "-o", p.agent, "github.com/seccompile/seccompile/examples/agent")
	return p
}

// follow executes a section's commands and returns their output.
func follow(t *testing.T, tree *runctree.Tree, section string) string {
	t.Helper()
	start := time.Now()
	out, err := tree.Follow(t.Context(), section)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %.0f s", section, time.Since(start).Seconds())
	return out
}

func dockerProfile(t *testing.T) string {
	t.Helper()
	p, _, err := oci.Read(preset.Docker(), policy.Target{Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	spec, err := oci.Spec(p)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rootfs makes a root directory in which every command is busybox, and the test
// programs.
func (p programs) rootfs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, sub := range []string{"bin", "proc", "sys", "dev/shm"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, filepath.Join(dir, "dev/null")) // enough of one to be read
	copyFile(t, filepath.Join(dir, "bin/busybox"), p.busybox)
	for _, applet := range []string{"sh", "mkdir", "ls", "stat", "true", "wc", "chmod", "touch", "dmesg", "pwd", "sleep", "unshare", "env"} {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", applet)); err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range p.calls {
		copyFile(t, filepath.Join(dir, filepath.Base(program)), program)
	}
	return dir
}

// copyFile writes an executable file that is several others, one after the other.
func copyFile(t *testing.T, to string, from ...string) {
	t.Helper()
	var all []byte
	for _, name := range from {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	if err := os.WriteFile(to, all, 0o755); err != nil {
		t.Fatal(err)
	}
}

// run returns the output of a command, which must not fail.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
