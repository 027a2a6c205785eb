package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/conformance/internal/debian"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
)

// inSid is set in the tests that run with the libraries of Debian sid.
const inSid = "CONFORMANCE_IN_SID"

// TestLibseccomp again, with the libseccomp of Debian sid: this test runs as a program of
// sid's, with few policies.
func TestLibseccompOfSid(t *testing.T) {
	if os.Getenv(inSid) != "" {
		t.Skip("this is it")
	}
	root := sid(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	libraries, err := filepath.Glob(filepath.Join(root, "usr/lib/*/libseccomp.so.2.*"))
	if err != nil || len(libraries) != 1 {
		t.Fatalf("libseccomp: %v, %v", libraries, err)
	}
	_, version, _ := strings.Cut(filepath.Base(libraries[0]), ".so.2.")
	words := append(debian.Command(root, self), "-test.run=^TestLibseccomp$", "-test.v")
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Env = append(os.Environ(), inSid+"=1", "SECCOMPILE_CASES=20")
	out, err := cmd.CombinedOutput()
	var told []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "policies agree") || strings.Contains(line, "FAIL") || strings.Contains(line, "seed") {
			told = append(told, strings.TrimSpace(line))
		}
	}
	t.Log(strings.Join(told, "\n"))
	if err != nil || !strings.Contains(string(out), "libseccomp 2."+version+":") {
		t.Errorf("%v; libseccomp 2.%s did not answer", err, version)
	}
	if scmp.Version() == "2."+version {
		t.Log("this machine has the same release")
	}
}
