package seccomp

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// A bundle is a container that runc can run.
type bundle struct{ dir, id string }

// newBundle writes the files of a scenario's container.
func newBundle(t *testing.T, p programs, s scenario) bundle {
	t.Helper()
	b := bundle{dir: t.TempDir(), id: fmt.Sprintf("seccompile-%d", os.Getpid())}
	spec := &specs.Spec{
		Version: specs.Version,
		Root:    &specs.Root{Path: p.rootfs(t)},
		Process: &specs.Process{
			Args:            []string{"/bin/sh", "-c", s.script},
			Cwd:             "/",
			Env:             []string{"PATH=/bin"},
			NoNewPrivileges: s.nnp,
			Capabilities:    &specs.LinuxCapabilities{}, // no privileges, once it runs
			Rlimits:         []specs.POSIXRlimit{{Type: "RLIMIT_CORE"}},
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs"},
			{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"mode=1777"}},
		},
		Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{
			{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace},
		}},
	}
	if s.hook != "" {
		spec.Hooks = &specs.Hooks{StartContainer: []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", s.hook}}}}
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	// The profile as it stands: the type forgets an empty list of flags.
	config := strings.Replace(string(text), `"linux":{`, `"linux":{"seccomp":`+s.profile+`,`, 1)
	if err := os.WriteFile(filepath.Join(b.dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command(p.runc, "--root", filepath.Join(b.dir, "state"), "delete", "--force", b.id).Run()
	})
	return b
}

// runc returns a command of runc about the container.
func (b bundle) runc(t *testing.T, p programs, args ...string) *exec.Cmd {
	return exec.CommandContext(background(t), p.runc, append([]string{"--debug", "--root", filepath.Join(b.dir, "state")}, args...)...)
}

func startContainer(t *testing.T, p programs, s scenario) (*exec.Cmd, func() error, error) {
	b := newBundle(t, p, s)
	return b.runc(t, p, "run", "--bundle", b.dir, b.id), nil, nil
}

// A process that joins a container is confined like the first, with a listener of
// its own.
func checkExec(t *testing.T, p programs, a *agent, nnp bool) {
	t.Run(fmt.Sprintf("exec, noNewPrivileges %v", nnp), func(t *testing.T) {
		profile := strings.ReplaceAll(notify("mkdir", "mkdirat"), "AGENT", a.socket)
		b := newBundle(t, p, scenario{profile: profile, nnp: nnp, script: "sleep 1000"})
		if err := b.runc(t, p, "run", "--detach", "--bundle", b.dir, b.id).Run(); err != nil {
			t.Fatal(err)
		}
		out, err := b.runc(t, p, "exec", b.id, "/bin/sh", "-c", mkdir+" && stat /dev/shm/foo-bar").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "seccomp filter flags: 12") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// A startContainer hook has standard input, output and error, and no other file:
// the fourth is ls's own.
func checkHook(t *testing.T, p programs, a *agent, nnp bool) {
	t.Run(fmt.Sprintf("files of a hook, noNewPrivileges %v", nnp), func(t *testing.T) {
		scenario{
			profile: notify("mkdir"), nnp: nnp, script: "true",
			hook: `ls -l /proc/self/fd >/dev/shm/fds; [ "$(ls /proc/self/fd | wc -l)" -eq 4 ] || { cat /dev/shm/fds >&2; exit 1; }`,
		}.run(t, p, a, startContainer)
	})
}
