package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/conformance/internal/need"
)

// A program that was recorded on the host with --for starts in a container under its
// profile each time, with no_new_privs and without. SECCOMPILE_STARTS says how often (10).
func TestRecordedForRuntime(t *testing.T) {
	starts := 10
	if s := os.Getenv("SECCOMPILE_STARTS"); s != "" {
		var err error
		if starts, err = strconv.Atoi(s); err != nil || starts < 1 {
			t.Fatalf("SECCOMPILE_STARTS=%s: expected a number from 1 up", s)
		}
	}
	seccompile := buildCommand(t)
	for _, runtime := range []string{"runc", "crun"} {
		t.Run(runtime, func(t *testing.T) {
			path := need.Program(t, runtime, runtime)
			for _, nnp := range []bool{true, false} {
				c := newContainer(t, nil)
				c.program = path
				c.spec.Process.NoNewPrivileges = nnp
				c.spec.Linux.Seccomp = recordFor(t, seccompile, c, runtime)
				for range starts {
					expect(t, c.run(recorded), "made", "Seccomp:\t2")
				}
			}
		})
	}
}

// Without what the runtime itself needs, it does not.
func TestRecordedForNoRuntime(t *testing.T) {
	c := newContainer(t, nil)
	c.program = need.Program(t, "runc", "runc")
	c.spec.Linux.Seccomp = recordFor(t, buildCommand(t), c, "")
	c.spec.Process.Args = []string{"/bin/sh", "-c", recorded}
	if out, err := c.crun("run", "--bundle", c.dir, c.id); err == nil {
		t.Errorf("the container started: %s", out)
	}
}

const recorded = `mkdir -p /tmp/a && echo made; grep Seccomp: /proc/self/status`

func buildCommand(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seccompile")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/seccompile")
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// recordFor records on the host what the container is going to run.
func recordFor(t *testing.T, seccompile string, c *crunContainer, runtime string) *specs.LinuxSeccomp {
	t.Helper()
	bin := filepath.Join(c.dir, "rootfs/bin")
	args := []string{"-q", "record"}
	if runtime != "" {
		args = append(args, "--for", runtime)
	}
	profile := filepath.Join(t.TempDir(), "profile.json")
	cmd := exec.Command(seccompile, append(args, "-o", profile, "--", filepath.Join(bin, "sh"), "-c", recorded)...)
	cmd.Env = []string{"PATH=" + bin}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "made") {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	p := new(specs.LinuxSeccomp)
	if err := json.Unmarshal(text, p); err != nil {
		t.Fatal(err)
	}
	return p
}
