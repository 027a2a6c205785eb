package loader_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
)

// AUDIT_ARCH values of linux/audit.h, and getppid's number on x86.
const (
	auditX86    = 0x40000003
	auditX86_64 = 0xc000003e
	getppidX86  = 64
)

// caller builds testdata/caller for an ABI of this machine.
func caller(t *testing.T, goarch string) string {
	t.Helper()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip(err)
	}
	file := filepath.Join(t.TempDir(), "caller")
	build := exec.CommandContext(t.Context(), goTool, "build", "-o", file, "./testdata/caller")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

func TestFilterTellsTheABIsOfOneKernelApart(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("needs x86_64")
	}
	programs := map[string]string{"amd64": caller(t, "amd64"), "386": caller(t, "386")}
	if err := exec.CommandContext(t.Context(), programs["386"]).Run(); err != nil {
		t.Skipf("this kernel does not run x86 programs: %v", err)
	}
	for _, test := range []struct {
		filter, goarch string
		want           reexec.Result
	}{
		{"each ABI", "386", reexec.Result{Stderr: "77\n"}},
		{"each ABI", "amd64", reexec.Result{Stderr: "78\n"}},
		{"x86_64 alone", "386", reexec.Result{Code: -1, Signal: unix.SIGSYS}},
		{"x86_64 alone", "amd64", reexec.Result{Stderr: "78\n"}},
	} {
		t.Run(test.filter+"/"+test.goarch, func(t *testing.T) {
			if got := reexec.Run(t, "exec", test.filter, programs[test.goarch]); got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
	}
}

// execUnder installs a filter and becomes another program.
func execUnder() error {
	x86 := []bpf.Instruction{ret(cbpf.KillProcess)}
	if os.Args[1] == "each ABI" {
		x86 = []bpf.Instruction{
			loadNR,
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: getppidX86, SkipFalse: 1},
			ret(cbpf.Errno(77)),
			ret(cbpf.Allow),
		}
	}
	p := program(append([]bpf.Instruction{
		bpf.LoadAbsolute{Off: cbpf.OffArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditX86_64, SkipFalse: 4},
		loadNR,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_GETPPID, SkipFalse: 1},
		ret(cbpf.Errno(78)),
		ret(cbpf.Allow),
	}, x86...)...)
	if err := loader.Install(p, loader.Options{}); err != nil {
		return err
	}
	return syscall.Exec(os.Args[2], os.Args[2:], os.Environ())
}
