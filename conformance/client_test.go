package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// compile returns the raw filter that the command makes of a profile for this
// host, as users get it.
func compile(t testing.TB, profile string) []byte {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "seccompile")
	build := exec.Command("go", "build", "-o", bin, "./cmd/seccompile")
	build.Dir = ".." // the command's module, not this one
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(bin, "compile", "-a", "native", "-f", "raw", profile)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	filter, err := cmd.Output()
	if err != nil {
		t.Fatalf("seccompile compile: %v\n%s", err, stderr.String())
	}
	if len(filter) == 0 || len(filter)%8 != 0 {
		t.Fatalf("seccompile compile: wrote %d bytes, want whole instructions", len(filter))
	}
	return filter
}

// deny writes a profile that allows everything but some calls and returns its
// path. The error number is for actions that carry one, 0 for the others.
func deny(t testing.TB, action specs.LinuxSeccompAction, errno uint, names ...string) string {
	t.Helper()
	rule := specs.LinuxSyscall{Names: names, Action: action}
	if errno != 0 {
		rule.ErrnoRet = &errno
	}
	text, err := json.Marshal(specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{rule}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "profile.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Error numbers that nothing but a filter gives mkdir and rmdir, and what the C
// library calls them.
const (
	errNetDown, netDown = 100, "Network is down"
	errNoMsg, noMessage = 42, "No message of desired type"
)

// expect fails unless the output contains every one of the texts.
func expect(t *testing.T, output []byte, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !strings.Contains(string(output), s) {
			t.Errorf("no %q in the output", s)
		}
	}
	if t.Failed() {
		t.Logf("output:\n%s", output)
	}
}
