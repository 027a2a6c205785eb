package lint

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// Python programs that do not work under a profile with a finding, and work under the same
// profile once it is fixed.
const (
	thread = "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()"
	wait   = "import threading, time\nt = threading.Thread(target=time.sleep, args=(0.05,))\nt.start()\nt.join()"
	clock  = "import time\ntime.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)" // not the vDSO's to tell
)

func TestProgramsWorkOnceFixed(t *testing.T) {
	if _, err := loader.Probe(); err != nil {
		t.Skip(err)
	}
	python := realPython(t)
	for _, tt := range []struct{ id, profile, program string }{
		{"clone3-error", but(failing, []string{"clone3"}), thread},
		{"no-futex", but(failing, []string{"futex"}), wait},
		{"no-vdso", but(failing, []string{"clock_gettime"}), clock},
	} {
		t.Run(tt.id, func(t *testing.T) {
			works := func(profile string) bool {
				r := reexec.Run(t, "start", profile, python, "-c", tt.program)
				return r.Code == 0 && !strings.Contains(r.Stderr, "Error")
			}
			if !works(`{"defaultAction": "SCMP_ACT_ALLOW"}`) {
				t.Skip("does not work even if everything is allowed")
			}
			fixed := Fix(language.NewSource([]byte(tt.profile)), Options{})
			if !slices.ContainsFunc(fixed.Cured, func(f Finding) bool { return f.ID == tt.id }) {
				t.Fatalf("not found: %v", fixed.Cured)
			}
			if works(tt.profile) {
				t.Error("works with the finding")
			}
			if !works(string(fixed.Text)) {
				t.Errorf("does not work once fixed: %s", fixed.Text)
			}
		})
	}
}

// realPython returns the path of an interpreter, not of a script that looks for one.
func realPython(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Skip(err)
	}
	return strings.TrimSpace(string(out))
}

// A mask that leaves namespaces open leaves them open, and one that has changed places
// leaves them all open: Docker's profile with other masks.
func TestNamespacesAreLeftOpen(t *testing.T) {
	if _, err := loader.Probe(); err != nil {
		t.Skip(err)
	}
	if os.Geteuid() != 0 {
		t.Skip("only root makes namespaces")
	}
	python := realPython(t)
	p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := oci.Print(p)
	if err != nil {
		t.Fatal(err)
	}
	const call = "import ctypes, os, sys\npid = ctypes.CDLL(None).syscall(56, 0x04000000 | 17, 0, 0, 0, 0)\nif pid == 0: os._exit(0)\nprint(pid > 0)"
	opens := func(profile string) bool {
		r := reexec.OK(t, "start", profile, python, "-c", call)
		return strings.Contains(r.Stdout, "True")
	}
	if opens(whole) {
		t.Error("Docker's profile lets a namespace be made")
	}
	for id, values := range map[string]string{
		"open-namespace": `"value": 1879179264, "op"`, // without CLONE_NEWUTS and others
		"swapped-mask":   `"value": 0, "valueTwo": 2114060288, "op"`,
	} {
		wrong := regexp.MustCompile(`"value": 2114060288,\s*"op"`).ReplaceAllString(whole, values)
		fixed := Fix(language.NewSource([]byte(wrong)), Options{})
		if len(fixed.Cured) != 1 || fixed.Cured[0].ID != id {
			t.Errorf("%s: cured %v", id, fixed.Cured)
		}
		if !opens(wrong) || opens(string(fixed.Text)) {
			t.Errorf("%s: a namespace is made: %v, and %v once fixed", id, opens(wrong), opens(string(fixed.Text)))
		}
	}
}

// No program starts under a profile that denies execve, and any can that needs nothing else
// once that is allowed.
func TestNoProgramStarts(t *testing.T) {
	if _, err := loader.Probe(); err != nil {
		t.Skip(err)
	}
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip(err)
	}
	file := filepath.Join(t.TempDir(), "program")
	const source = `void _start(void) { __asm__ volatile("mov $231, %eax\n xor %edi, %edi\n syscall"); }`
	cmd := exec.CommandContext(t.Context(), gcc, "-nostdlib", "-static", "-o", file, "-x", "c", "-")
	cmd.Stdin = strings.NewReader(source)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("%v\n%s", err, out)
	}
	const profile = `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"names": ["read", "futex", "write", "clock_gettime"], "action": "SCMP_ACT_ALLOW"}]}`
	r := Check(language.NewSource([]byte(profile)), Options{})
	if r.Worst() != Error {
		t.Errorf("worst is %v", r.Worst())
	}
	if reexec.Run(t, "start", profile, file).Code == 0 {
		t.Error("starts")
	}
	fixed := Fix(language.NewSource([]byte(profile)), Options{})
	if got := reexec.Run(t, "start", string(fixed.Text), file); got.Code != 0 {
		t.Errorf("does not start under %s: %+v", fixed.Text, got)
	}
}
