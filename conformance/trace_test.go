package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// The command as a container's entrypoint, as docs/CONTAINERS.md says: what the
// container's filter denies is found and explained, and a recording has what the program
// did.
func TestEntrypoint(t *testing.T) {
	command := filepath.Join(t.TempDir(), "seccompile")
	build := exec.Command("go", "build", "-o", command, "./cmd/seccompile")
	build.Dir = ".."                                  // the command's module, not this one
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // static
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, runtime := range []string{"runc", "crun"} {
		t.Run(runtime, func(t *testing.T) {
			need.Program(t, runtime, runtime)
			t.Run("trace", func(t *testing.T) {
				out := entrypoint(t, runtime, command, dockerSpec(t)).run(`seccompile trace --outer docker-default -- unshare -U true || echo failed`)
				expect(t, out, "1 filter is in force already", "denied by an earlier filter: unshare[", "unshare(flags=CLONE_NEWUSER): EPERM\n"+
					"  why: unshare is allowed only with CAP_SYS_ADMIN by /syscalls/21, so the default action at /defaultAction decides (docker-default)\n",
					"Operation not permitted", "unshare(flags=CLONE_NEWUSER): EPERM by an earlier filter, once", "failed")
			})
			t.Run("trace without ptrace", func(t *testing.T) {
				profile := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{
					{Names: []string{"ptrace", "unshare"}, Action: specs.ActErrno},
				}}
				out := entrypoint(t, runtime, command, profile).run(`seccompile trace -- unshare -U true || echo failed`)
				expect(t, out, "the profile denied nothing\n", "not all calls denied there could be seen: ptrace: operation not permitted\n", "failed")
				if strings.Contains(string(out), "nothing was denied") {
					t.Errorf("%s", out)
				}
			})
			t.Run("record", func(t *testing.T) {
				const program = `mkdir /tmp/a; cat /proc/self/status >/dev/null; unshare -U true; true`
				for name, spec := range map[string]*specs.LinuxSeccomp{"none": nil, "docker": dockerSpec(t)} {
					c := entrypoint(t, runtime, command, spec)
					out := c.run(`seccompile record -o /tmp/p.json -- sh -c '` + program + `'; status=$?; cat /tmp/p.json; echo status $status`)
					expect(t, out, `"execve"`, `"mkdir"`, `"exit_group"`, "status 0")
					warned := strings.Contains(string(out), "an earlier filter denied unshare(flags=CLONE_NEWUSER) with EPERM, once")
					if recorded := strings.Contains(string(out), `"unshare"`); recorded != (spec == nil) || warned == recorded {
						t.Errorf("%s: recorded %v, warned %v\n%s", name, recorded, warned, out)
					}
				}
			})
			t.Run("orphan", func(t *testing.T) {
				// As the first process of its namespace the command is the parent of orphans.
				c := entrypoint(t, runtime, command, dockerSpec(t))
				c.spec.Process.Args = []string{"/bin/seccompile", "trace", "--", "sh", "-c", "(sleep 0.2; unshare -U true) & exit 3"}
				out, err := c.crun("run", "--bundle", c.dir, c.id)
				if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 3 {
					t.Errorf("%v, want status 3", err)
				}
				expect(t, out, "sh has ended; still tracing", "unshare(flags=CLONE_NEWUSER): EPERM by an earlier filter, once")
			})
		})
	}
}

// entrypoint makes a container of a runtime with the command in it.
func entrypoint(t *testing.T, runtime, command string, profile *specs.LinuxSeccomp) *crunContainer {
	t.Helper()
	c := newContainer(t, nil)
	c.program = need.Program(t, runtime, runtime)
	c.spec.Linux.Seccomp = profile
	c.spec.Process.Capabilities = &specs.LinuxCapabilities{}
	binary, err := os.ReadFile(command)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "rootfs/bin/seccompile"), binary, 0o755); err != nil {
		t.Fatal(err)
	}
	return c
}

// dockerSpec returns Docker's profile as its daemon hands it to a runtime.
func dockerSpec(t *testing.T) *specs.LinuxSeccomp {
	t.Helper()
	p, _, err := oci.Read(preset.Docker(), policy.Target{Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	spec, err := oci.Spec(p)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}
