package conformance

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/oci"
)

// crun loads the filter that a container's annotation carries in place of one
// of its own: real containers, our bytes.
func TestCrun(t *testing.T) {
	noMkdir := compile(t, deny(t, specs.ActErrno, errNetDown, "mkdir", "mkdirat"))
	docker := compile(t, "docker-default")

	t.Run("one rule", func(t *testing.T) {
		out := newContainer(t, noMkdir).run(`mkdir /tmp/a; echo text >/tmp/b && cat /tmp/b; grep Seccomp /proc/self/status`)
		expect(t, out, netDown, "text", "Seccomp:\t2", "Seccomp_filters:\t1")
	})
	t.Run("docker-default", func(t *testing.T) {
		out := newContainer(t, docker).run(`unshare -U true || echo refused; mkdir /tmp/a && echo made; grep Seccomp: /proc/self/status`)
		expect(t, out, "Operation not permitted", "refused", "made", "Seccomp:\t2")
	})
	t.Run("kill", func(t *testing.T) {
		filter := compile(t, deny(t, specs.ActKillProcess, 0, "mkdir", "mkdirat"))
		out := newContainer(t, filter).run(`sh -c 'mkdir /tmp/a'; echo status $?; echo text`)
		expect(t, out, "Bad system call", "status 159", "text") // 128 + SIGSYS
	})
	t.Run("notify", func(t *testing.T) {
		c := newContainer(t, compile(t, deny(t, specs.ActNotify, 0, "mkdir", "mkdirat")))
		path := filepath.Join(c.dir, "agent")
		c.spec.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, ListenerPath: path, ListenerMetadata: "made by us"}
		asked := agent(t, path)
		out := c.run(`mkdir /tmp/a; mkdir /tmp/b && echo made`)
		expect(t, out, netDown, "made")
		want := []string{"metadata made by us", "/tmp/a", "/tmp/b"}
		if got := <-asked; !slices.Equal(got, want) {
			t.Errorf("the agent was told %q, want %q", got, want)
		}
	})
	t.Run("exec", func(t *testing.T) {
		// What joins a running container later gets the same filter.
		c := newContainer(t, noMkdir)
		c.spec.Process.Args = []string{"/bin/sleep", "1000"}
		if out, err := c.crun("run", "--detach", "--bundle", c.dir, c.id); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Cleanup(func() {
			if out, err := c.crun("delete", "--force", c.id); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
		out, err := c.crun("exec", c.id, "/bin/sh", "-c", `mkdir /tmp/a; grep Seccomp /proc/self/status`)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		expect(t, out, netDown, "Seccomp:\t2", "Seccomp_filters:\t1")
	})
}

// agent takes one listener at path and decides its container's mkdir calls: the
// first fails, the others go on. What it was told can be received when the
// container has ended.
func agent(t *testing.T, path string) (asked <-chan []string) {
	t.Helper()
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	done := make(chan []string, 1)
	go func() {
		var told []string
		defer func() { done <- told }()
		conn, err := socket.AcceptUnix()
		if err != nil {
			t.Error(err)
			return
		}
		state, listener, err := oci.ReceiveState(t.Context(), conn)
		if err != nil {
			t.Error(err)
			return
		}
		defer listener.Close()
		told = append(told, "metadata "+state.Metadata)
		err = listener.Serve(t.Context(), func(_ context.Context, n *loader.Notification) {
			name := n.Data.Args[0]
			if n.Data.NR == unix.SYS_MKDIRAT {
				name = n.Data.Args[1]
			}
			path, err := n.ReadString(name, 4096)
			if err != nil {
				t.Error(err)
				return
			}
			told = append(told, path)
			if len(told) == 2 {
				_ = n.Fail(syscall.Errno(errNetDown))
			} else {
				_ = n.Continue()
			}
		}, loader.ServeOptions{Limit: 1})
		if err != nil {
			t.Error(err)
		}
	}()
	return done
}

// A crunContainer is a container of busybox alone.
type crunContainer struct {
	t       testing.TB
	before  []string // what runs the program, if it does not run alone
	program string   // crun
	dir, id string   // the bundle and the container's name
	spec    *specs.Spec
	seccomp json.RawMessage // a profile as it stands, instead of the spec's
}

// newContainer makes the bundle of a container whose filter is ours. nil means
// that the annotation is left out.
func newContainer(t testing.TB, filter []byte) *crunContainer {
	t.Helper()
	dir := t.TempDir()
	c := &crunContainer{t: t, program: need.Program(t, "crun", "crun"), dir: dir, id: "seccompile-" + filepath.Base(filepath.Dir(dir)) + filepath.Base(dir)}
	rootfs(t, filepath.Join(dir, "rootfs"), need.Program(t, "busybox", "busybox-static"))
	c.spec = &specs.Spec{
		Version:  "1.0.2", // crun 1.8 refuses newer ones
		Hostname: "conformance",
		Root:     &specs.Root{Path: "rootfs"},
		Process: &specs.Process{
			Args:            []string{"/bin/true"},
			Cwd:             "/",
			Env:             []string{"PATH=/bin"},
			NoNewPrivileges: true,
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs"},
		},
		Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{
			{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace},
		}},
	}
	if filter != nil {
		c.spec.Annotations = map[string]string{"run.oci.seccomp_bpf_data": base64.StdEncoding.EncodeToString(filter)}
	}
	return c
}

// run runs a shell command in the container and returns its output.
func (c *crunContainer) run(script string) []byte {
	c.t.Helper()
	c.spec.Process.Args = []string{"/bin/sh", "-c", script}
	out, err := c.crun("run", "--bundle", c.dir, c.id)
	if err != nil {
		c.t.Fatalf("crun: %v\n%s", err, out)
	}
	return out
}

// crun runs a command of crun.
func (c *crunContainer) crun(args ...string) ([]byte, error) {
	c.t.Helper()
	cmd := c.command(args...)
	// Not a pipe: a detached container would hold it open.
	out, err := os.CreateTemp(c.dir, "output")
	if err != nil {
		c.t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	failure := cmd.Run()
	_, err1 := out.Seek(0, io.SeekStart)
	text, err2 := io.ReadAll(out)
	if err := errors.Join(err1, err2); err != nil {
		c.t.Fatal(err)
	}
	return text, failure
}

// command writes the container's configuration and returns a command of crun.
func (c *crunContainer) command(args ...string) *exec.Cmd {
	c.t.Helper()
	config, err := json.Marshal(c.spec)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.seccomp != nil {
		config = bytes.Replace(config, []byte(`"linux":{`), slices.Concat([]byte(`"linux":{"seccomp":`), c.seccomp, []byte(",")), 1)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "config.json"), config, 0o600); err != nil {
		c.t.Fatal(err)
	}
	// A hybrid cgroup mount with controllers in its unified part is more than
	// crun puts up with: take it out of the way, in a mount namespace of our own.
	words := []string{"--mount", "/bin/sh", "-c", `umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"`, "sh"}
	words = append(append(words, c.before...), c.program, "--root", filepath.Join(c.dir, "state"))
	return exec.Command("unshare", append(words, args...)...)
}

// rootfs makes a root directory in which every command is busybox.
func rootfs(t testing.TB, dir, busybox string) {
	t.Helper()
	for _, d := range []string{"bin", "proc", "tmp", "dev", "sys"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.ReadFile(busybox)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bin/busybox"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	for applet := range strings.FieldsSeq("sh cat grep mkdir sleep true unshare") {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", applet)); err != nil {
			t.Fatal(err)
		}
	}
}
