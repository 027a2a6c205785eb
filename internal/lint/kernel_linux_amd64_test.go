package lint

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
)

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func() error{"start": start, "netlink": netlink})
}

// confine puts a profile in force on this thread and those that it starts.
func confine(profile string) error {
	p, _, err := oci.Read([]byte(profile), policy.Target{})
	if err != nil {
		return err
	}
	r, _, err := policy.Resolve(p, policy.Options{})
	if err != nil {
		return err
	}
	c, _, err := compiler.Compile(r, compiler.Options{})
	if err != nil {
		return err
	}
	return loader.Install(c, loader.Options{ThisThread: true})
}

// start becomes the program of its last argument under the profile of its first.
func start() error {
	runtime.LockOSThread()
	if err := confine(os.Args[1]); err != nil {
		return err
	}
	return syscall.Exec(os.Args[2], os.Args[2:], nil)
}

// but is a profile that allows everything but some calls.
func but(action string, names []string) string {
	return fmt.Sprintf(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["%s"], "action": "SCMP_ACT_%s}]}`,
		strings.Join(names, `", "`), action)
}

const (
	failing = `ERRNO", "errnoRet": 1`
	unknown = `ERRNO", "errnoRet": 38`
	killing = `KILL_PROCESS"`
)

// What is said to be needed is: a program does not start without, whatever the error. What
// is said to be made is: a program starts if it fails, and does not if it kills.
func TestProgramsNeedWhatIsSaid(t *testing.T) {
	if _, err := loader.Probe(); err != nil {
		t.Skip(err)
	}
	for i := range programs {
		p := &programs[i]
		if p.abi == 0 {
			continue
		}
		t.Run(p.title, func(t *testing.T) {
			file := build(t, p.title)
			starts := func(profile string) bool { return reexec.Run(t, "start", profile, file).Code == 0 }
			if !starts(`{"defaultAction": "SCMP_ACT_ALLOW"}`) {
				t.Fatal("does not start even if everything is allowed")
			}
			for need := range strings.FieldsSeq(p.needs) {
				if strings.HasPrefix(need, "exit_group") {
					continue // musl and Go try it for ever
				}
				for _, action := range []string{failing, unknown} {
					if starts(but(action, strings.Split(need, "|"))) {
						t.Errorf("starts without %s", need)
					}
				}
			}
			for call := range strings.FieldsSeq(p.makes) {
				if !starts(but(failing, strings.Split(call, "|"))) {
					t.Errorf("does not start if %s fails", call)
				}
				if starts(but(killing, strings.Split(call, "|"))) {
					t.Errorf("starts if %s kills", call)
				}
			}
		})
	}
}

// build makes an empty program of the kind that a title names. The test is skipped where
// that is not to be had in the release that was tried.
func build(t *testing.T, title string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	words := strings.Fields(title)
	release := words[len(words)-1]
	var tool string
	args := []string{"-O2", "-o", file, "testdata/start/main.c"}
	switch words[len(words)-2] {
	case "Go":
		if !strings.HasPrefix(runtime.Version(), "go"+release) {
			t.Skipf("this is %s", runtime.Version())
		}
		tool, args = "go", []string{"build", "-o", file, "testdata/start/main.go"}
	case "glibc":
		tool = "gcc"
		if out, err := exec.Command("ldd", "--version").Output(); err != nil || !strings.Contains(string(out), " "+release+"\n") {
			t.Skip("glibc is not " + release)
		}
	case "musl":
		tool = "musl-gcc"
	}
	if words[0] == "static" {
		args = append(args, "-static")
	}
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("%v\n%s", err, out)
	}
	return file
}

const noNetlink = `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
	{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}]}]}`

// netlink says how two calls of socket fare, the second with a bit that the kernel
// ignores.
func netlink() error {
	runtime.LockOSThread()
	if err := confine(noNetlink); err != nil {
		return err
	}
	for _, family := range []uintptr{syscall.AF_NETLINK, syscall.AF_NETLINK | 1<<32} {
		fd, _, errno := syscall.RawSyscall(syscall.SYS_SOCKET, family, syscall.SOCK_RAW, 0)
		fmt.Println(errno == 0 && fd > 0)
	}
	return nil
}

func TestUpperHalvesAreIgnoredByTheKernel(t *testing.T) {
	if _, err := loader.Probe(); err != nil {
		t.Skip(err)
	}
	if r := reexec.OK(t, "netlink"); r.Stdout != "false\ntrue\n" {
		t.Errorf("got %q", r.Stdout)
	}
	found := Check(language.NewSource([]byte(noNetlink)), Options{}).Findings
	if !slices.ContainsFunc(found, func(f Finding) bool { return f.ID == "upper-half" }) {
		t.Errorf("findings %v", found)
	}
}
