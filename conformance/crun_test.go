package conformance

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// crun loads the filter that a container's annotation carries in place of one
// of its own: real containers, our bytes.
func TestCrun(t *testing.T) {
	crun := need(t, "crun", "crun")
	busybox := need(t, "busybox", "busybox-static")

	t.Run("one rule", func(t *testing.T) {
		filter := compile(t, deny(t, errNetDown, "mkdir", "mkdirat"))
		out := container(t, crun, busybox, filter, `mkdir /tmp/a; echo text >/tmp/b && cat /tmp/b; grep Seccomp /proc/self/status`)
		expect(t, out, netDown, "text", "Seccomp:\t2", "Seccomp_filters:\t1")
	})
	t.Run("docker-default", func(t *testing.T) {
		out := container(t, crun, busybox, compile(t, "docker-default"), `unshare -U true || echo refused; mkdir /tmp/a && echo made; grep Seccomp: /proc/self/status`)
		expect(t, out, "Operation not permitted", "refused", "made", "Seccomp:\t2")
	})
}

// container runs a shell command in a container with the filter and returns its
// output. It has no processes of its own besides busybox's.
func container(t *testing.T, crun, busybox string, filter []byte, script string) []byte {
	t.Helper()
	bundle := t.TempDir()
	rootfs(t, filepath.Join(bundle, "rootfs"), busybox)
	config, err := json.Marshal(bundleSpec(filter, script))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	// A hybrid cgroup mount with controllers in its unified part is more than
	// crun puts up with: take it out of the way, in a mount namespace of our own.
	cmd := exec.Command("unshare", "--mount", "/bin/sh", "-c",
		`umount /sys/fs/cgroup/unified 2>/dev/null; exec "$0" --root "$1/state" run --bundle "$1" "$2"`,
		crun, bundle, "seccompile-"+filepath.Base(bundle))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("crun: %v\n%s", err, out)
	}
	return out
}

func bundleSpec(filter []byte, script string) *specs.Spec {
	return &specs.Spec{
		Version:  "1.0.2", // crun 1.8 refuses newer ones
		Hostname: "conformance",
		Root:     &specs.Root{Path: "rootfs"},
		Process: &specs.Process{
			Args:            []string{"/bin/sh", "-c", script},
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
		Annotations: map[string]string{"run.oci.seccomp_bpf_data": base64.StdEncoding.EncodeToString(filter)},
	}
}

// rootfs makes a root directory in which every command is busybox.
func rootfs(t *testing.T, dir, busybox string) {
	t.Helper()
	for _, d := range []string{"bin", "proc", "tmp", "dev", "sys"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	from, err := os.Open(busybox)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(dir, "bin/busybox"), os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	for _, applet := range []string{"sh", "cat", "grep", "mkdir", "unshare", "true"} {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", applet)); err != nil {
			t.Fatal(err)
		}
	}
}
