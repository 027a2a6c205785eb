package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/conformance/internal/need"
)

// The command as an agent of real runtimes: what it records is what containers need, and
// what it traces is what they are denied.
func TestAgent(t *testing.T) {
	command := filepath.Join(t.TempDir(), "seccompile")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", command, "./cmd/seccompile")
	build.Dir = ".." // whose go.mod has what the command needs
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, runtime := range []string{"runc", "crun"} {
		t.Run(runtime, func(t *testing.T) {
			need.Program(t, runtime, runtime)
			t.Run("record", func(t *testing.T) { checkAgentRecord(t, command, runtime) })
			t.Run("trace", func(t *testing.T) { checkAgentTrace(t, command, runtime) })
		})
	}
}

// Several containers at once; each recording then starts its container 20 times of 20.
func checkAgentRecord(t *testing.T, command, runtime string) {
	scripts := map[string]string{
		"one":   `echo one; mkdir /tmp/a`,
		"two":   `echo two; cat /proc/self/status | grep Seccomp:`,
		"three": `echo three; (sleep 0.1; true) & wait`,
	}
	a := startAgent(t, command, "record")
	profile := a.profile(t)
	var together sync.WaitGroup
	for name, script := range scripts {
		c := agentContainer(t, runtime, name, profile)
		together.Go(func() {
			if out, err := c.shell(script); err != nil || !bytes.Contains(out, []byte(name)) {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		})
	}
	together.Wait()
	// A process that joins a container adds to its recording.
	joined := agentContainer(t, runtime, "joined", profile)
	joined.joined(t, `mkdir /tmp/joined`)
	messages := a.stop(t)
	for name, script := range scripts {
		recorded := readAgentProfile(t, filepath.Join(a.dir, name+".json"))
		if has(recorded, "mkdir") != (name == "one") {
			t.Errorf("%s: the recording has another container's calls: %v", name, recorded.Syscalls)
		}
		failed := 0
		for i := range 20 {
			c := agentContainer(t, runtime, fmt.Sprintf("%s-%d", name, i), recorded)
			if out, err := c.shell(script); err != nil || !bytes.Contains(out, []byte(name)) {
				t.Logf("%s: %v\n%s", name, err, out)
				failed++
			}
		}
		if failed > 0 {
			t.Errorf("%s: %d of 20 starts failed\n%s", name, failed, messages)
		}
	}
	if !has(readAgentProfile(t, filepath.Join(a.dir, "joined.json")), "mkdir") {
		t.Errorf("the recording lacks the calls of a process that joined\n%s", messages)
	}
}

// The denials of several containers at once, under Docker's default.
func checkAgentTrace(t *testing.T, command, runtime string) {
	a := startAgent(t, command, "trace")
	profile := a.profile(t)
	var together sync.WaitGroup
	for _, name := range []string{"one", "two"} {
		c := agentContainer(t, runtime, name, profile)
		together.Go(func() {
			out, err := c.shell(`unshare -U true || echo refused`)
			if err != nil || !bytes.Contains(out, []byte("Operation not permitted")) || !bytes.Contains(out, []byte("refused")) {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		})
	}
	together.Wait()
	messages := a.stop(t)
	for _, name := range []string{"one", "two"} {
		if !strings.Contains(messages, name+" | seccompile: denied: unshare[") {
			t.Errorf("%s is not traced:\n%s", name, messages)
		}
	}
}

// An agentProcess is the command as an agent.
type agentProcess struct {
	*exec.Cmd
	args     []string
	dir      string
	messages bytes.Buffer
}

func startAgent(t *testing.T, command, verb string) *agentProcess {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent") // whose name is short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	a := &agentProcess{dir: dir, args: []string{verb, "--agent", filepath.Join(dir, "socket")}}
	args := a.args
	if verb == "record" {
		args = append(args, "-o", dir)
	}
	a.Cmd = exec.CommandContext(t.Context(), command, args...)
	a.Stderr = &a.messages
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(a.args[2]); err == nil {
			return a
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// profile returns the profile for the agent's containers.
func (a *agentProcess) profile(t *testing.T) *specs.LinuxSeccomp {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), a.Path, append(a.args, "--agent-profile")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return parseAgentProfile(t, out)
}

// stop ends the agent and returns what it said.
func (a *agentProcess) stop(t *testing.T) string {
	t.Helper()
	if err := errors.Join(a.Process.Signal(syscall.SIGTERM), a.Wait()); err != nil {
		t.Errorf("%v\n%s", err, &a.messages)
	}
	return a.messages.String()
}

func readAgentProfile(t *testing.T, path string) *specs.LinuxSeccomp {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parseAgentProfile(t, text)
}

func parseAgentProfile(t *testing.T, text []byte) *specs.LinuxSeccomp {
	t.Helper()
	s := new(specs.LinuxSeccomp)
	if err := json.Unmarshal(text, s); err != nil {
		t.Fatal(err)
	}
	return s
}

func has(s *specs.LinuxSeccomp, name string) bool {
	for _, rule := range s.Syscalls {
		for _, n := range rule.Names {
			if n == name {
				return true
			}
		}
	}
	return false
}

// agentContainer returns a container of a runtime with a profile that the runtime itself
// compiles.
func agentContainer(t *testing.T, runtime, id string, profile *specs.LinuxSeccomp) *crunContainer {
	t.Helper()
	c := newContainer(t, nil)
	c.program, c.id = need.Program(t, runtime, runtime), id
	c.spec.Linux.Seccomp = profile
	return c
}

// shell runs a command in the container.
func (c *crunContainer) shell(script string) ([]byte, error) {
	c.spec.Process.Args = []string{"/bin/sh", "-c", script}
	return c.crun("run", "--bundle", c.dir, c.id)
}

// joined runs a command in the container beside its first process.
func (c *crunContainer) joined(t *testing.T, script string) {
	t.Helper()
	c.spec.Process.Args = []string{"/bin/sleep", "1000"}
	if out, err := c.crun("run", "--detach", "--bundle", c.dir, c.id); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := c.crun("exec", c.id, "/bin/sh", "-c", script)
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := c.crun("delete", "--force", c.id); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
