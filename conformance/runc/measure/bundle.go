package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// A bundle is a container, with Docker's default profile and without.
type bundle struct{ dir, with, without string }

const id = "seccompile-measure"

// newBundle writes the files of the container.
func newBundle(dir string) (*bundle, error) {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return nil, fmt.Errorf("%w: install Debian's package busybox-static", err)
	}
	program, err := os.ReadFile(busybox)
	if err != nil {
		return nil, err
	}
	root := filepath.Join(dir, "rootfs")
	for _, sub := range []string{"proc", "dev"} {
		err = errors.Join(err, os.MkdirAll(filepath.Join(root, sub), 0o755))
	}
	err = errors.Join(err, os.WriteFile(filepath.Join(root, "true"), program, 0o755))
	p, _, readErr := oci.Read(preset.Docker(), policy.Target{Caps: preset.Caps("docker")})
	if err := errors.Join(err, readErr); err != nil {
		return nil, err
	}
	profile, err := oci.Spec(p)
	if err != nil {
		return nil, err
	}
	spec := &specs.Spec{
		Version: specs.Version,
		Root:    &specs.Root{Path: root},
		Process: &specs.Process{Args: []string{"/true"}, Cwd: "/", NoNewPrivileges: true, Capabilities: &specs.LinuxCapabilities{}},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs"},
		},
		Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{
			{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace},
		}},
	}
	b := &bundle{dir: dir, with: filepath.Join(dir, "with"), without: filepath.Join(dir, "without")}
	if err := write(b.without, spec); err != nil {
		return nil, err
	}
	spec.Linux.Seccomp = profile
	return b, write(b.with, spec)
}

func write(dir string, spec *specs.Spec) error {
	text, err := json.Marshal(spec)
	return errors.Join(err, os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "config.json"), text, 0o600))
}

// measure starts containers with one of the programs, once each.
func (b *bundle) measure(ctx context.Context, of *build) error {
	profiled := !strings.Contains(of.tags, "-seccomp")
	if profiled {
		took, err := b.start(ctx, of.path, b.with)
		if err != nil {
			return err
		}
		of.start = append(of.start, took)
	}
	took, err := b.start(ctx, of.path, b.without)
	if err != nil {
		return err
	}
	of.plain = append(of.plain, took)
	config := b.without
	if profiled {
		config = b.with
	}
	memory, err := b.peak(ctx, of.path, config)
	of.memory = append(of.memory, memory)
	return err
}

func (b *bundle) runc(ctx context.Context, program string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, program, append([]string{"--root", filepath.Join(b.dir, "state")}, args...)...)
}

// start runs the container to its end.
func (b *bundle) start(ctx context.Context, program, config string) (cost, error) {
	time.Sleep(30 * time.Millisecond) // the kernel is still at work on the last one's end
	begin := time.Now()
	cmd := b.runc(ctx, program, "run", "--bundle", config, id)
	if out, err := cmd.CombinedOutput(); err != nil {
		return cost{}, fmt.Errorf("runc run: %w\n%s", err, out)
	}
	work := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime() // those of its children, too
	return cost{time.Since(begin).Seconds(), work.Seconds()}, nil
}

// peak returns how much memory runc init has taken at most, in KiB, when it has installed
// its filter and waits for runc start.
func (b *bundle) peak(ctx context.Context, program, config string) (_ float64, err error) {
	pidFile := filepath.Join(b.dir, "pid")
	create := b.runc(ctx, program, "create", "--pid-file", pidFile, "--bundle", config, id)
	create.Stderr = os.Stderr // a file: init keeps it, and Run does not wait for a file's end
	if err := create.Run(); err != nil {
		return 0, fmt.Errorf("runc create: %w", err)
	}
	defer func() {
		err = errors.Join(err, b.runc(ctx, program, "delete", "--force", id).Run())
	}()
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		return 0, err
	}
	status, err := os.ReadFile(filepath.Join("/proc", string(pid), "status"))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "\nVmHWM:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	return strconv.ParseFloat(number, 64)
}
