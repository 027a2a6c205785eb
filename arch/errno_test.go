package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// maxErrno is the largest error that a filter can return (linux/err.h: MAX_ERRNO).
const maxErrno = 4095

func TestErrorNumbersDifferBetweenABIs(t *testing.T) {
	for _, c := range []struct {
		abi  ABI
		name string
		want uint16 // 0: no such error
	}{
		{X86_64, "EPERM", 1}, {MIPS, "EPERM", 1}, {PARISC, "EPERM", 1}, {SHEB, "EPERM", 1},
		{X86_64, "ERANGE", 34}, {MIPS64N32, "ERANGE", 34}, {PARISC64, "ERANGE", 34},
		{X86_64, "ENOSYS", 38}, {S390X, "ENOSYS", 38}, {MIPSEL, "ENOSYS", 89}, {MIPS64, "ENOSYS", 89}, {PARISC, "ENOSYS", 251},
		{ARM, "EDEADLK", 35}, {MIPS, "EDEADLK", 45}, {PARISC64, "EDEADLK", 45}, {PPC, "EDEADLK", 35},
		{ARM, "EDEADLOCK", 35}, {MIPS, "EDEADLOCK", 56}, {PARISC64, "EDEADLOCK", 45}, {PPC, "EDEADLOCK", 58}, {PPC64LE, "EDEADLOCK", 58},
		{M68K, "EHWPOISON", 133}, {MIPSEL64N32, "EHWPOISON", 168}, {PARISC, "EHWPOISON", 257},
		{X86, "EDQUOT", 122}, {MIPS, "EDQUOT", 1133}, {PARISC, "EDQUOT", 69},
		{X86, "EWOULDBLOCK", 11}, {MIPS, "EWOULDBLOCK", 11}, {PARISC, "EWOULDBLOCK", 11},
		{X86, "ENOTSUP", 95}, {MIPS, "ENOTSUP", 122}, {PARISC, "ENOTSUP", 0},
		{PARISC, "ECANCELED", 253}, {PARISC, "ECANCELLED", 253}, {X86, "ECANCELLED", 0},
		{PARISC, "EREFUSED", 239}, {X86, "EREFUSED", 0}, {PARISC, "ENOSYM", 215}, {MIPS, "EINIT", 141}, {X86, "EINIT", 0},
		{X86, "", 0}, {X86, "eperm", 0}, {X86, "PERM", 0}, {X86, "EPERM ENOENT", 0}, {X86, "ERESTARTSYS", 0},
	} {
		got, ok := c.abi.Errno(c.name)
		if got != c.want || ok != (c.want != 0) {
			t.Errorf("%v: %s is %d, %v, want %d", c.abi, c.name, got, ok, c.want)
		}
	}
	for _, c := range []struct {
		abi  ABI
		nr   uint16
		want string
	}{
		{X86_64, 0, ""}, {X86_64, 1, "EPERM"}, {X86_64, 11, "EAGAIN"}, {X86_64, 35, "EDEADLK"}, {X86_64, 38, "ENOSYS"},
		{X86_64, 41, ""}, {X86_64, 58, ""}, {PPC64, 58, "EDEADLOCK"}, {X86_64, 95, "EOPNOTSUPP"}, {X86_64, 134, "EFTYPE"},
		{X86_64, 135, ""}, {X86_64, 512, ""}, {X86_64, 4095, ""}, {X86_64, 65535, ""},
		{MIPS, 38, "EL2NSYNC"}, {MIPS, 89, "ENOSYS"}, {MIPS, 135, "EUCLEAN"}, {MIPS, 1133, "EDQUOT"}, {MIPS, 1134, ""},
		{PARISC, 38, "EL2NSYNC"}, {PARISC, 251, "ENOSYS"}, {PARISC, 253, "ECANCELED"}, {PARISC, 252, ""},
	} {
		if got := c.abi.ErrnoName(c.nr); got != c.want {
			t.Errorf("%v: %d is %q, want %q", c.abi, c.nr, got, c.want)
		}
	}
}

func TestErrnoUndoesErrnoName(t *testing.T) {
	for a := range All() {
		named := 0
		for n := range uint16(maxErrno + 1) {
			name := a.ErrnoName(n)
			if name == "" {
				continue
			}
			named++
			if got, ok := a.Errno(name); got != n || !ok {
				t.Errorf("%v: %d is %s is %d, %v", a, n, name, got, ok)
			}
		}
		if named < 130 {
			t.Errorf("%v has only %d errors", a, named)
		}
	}
}

// TestErrorNumbersAreThoseOfGo reads the files that golang.org/x/sys/unix has for
// the ABIs of Go programs, made from the C headers of each, and compares both ways.
func TestErrorNumbersAreThoseOfGo(t *testing.T) {
	dir := goUnix(t)
	line := regexp.MustCompile(`(?m)^\s+(E[A-Z0-9]+)\s+= syscall\.Errno\(0x([0-9a-f]+)\)$`)
	common, err := os.ReadFile(filepath.Join(dir, "zerrors_linux.go"))
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for a := range All() {
		text, err := os.ReadFile(filepath.Join(dir, "zerrors_linux_"+a.GOARCH()+".go"))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		theirs := map[string]uint16{}
		for _, m := range line.FindAllStringSubmatch(string(common)+string(text), -1) {
			n, err := strconv.ParseUint(m[2], 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			theirs[m[1]] = uint16(n)
			if got, ok := a.Errno(m[1]); got != uint16(n) || !ok {
				t.Errorf("%v: %s is %d, %v, want %d", a, m[1], got, ok, n)
			}
		}
		const newer = "EFTYPE" // than Linux 7.0, which Go's files are of
		if theirs[newer] != 0 {
			t.Errorf("%v: Go has %s now: drop it here", a, newer)
		}
		for n := range uint16(maxErrno + 1) {
			if name := a.ErrnoName(n); name != "" && name != newer && theirs[name] != n {
				t.Errorf("%v: %d is %s, which Go does not say", a, n, name)
			}
		}
		compared++
	}
	if compared != 15-1 { // all files but sparc64's
		t.Errorf("compared with %d files", compared)
	}
}

// goUnix returns the directory of golang.org/x/sys/unix at the version that go.mod
// requires.
func goUnix(t *testing.T) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Fatalf("go list -m golang.org/x/sys: %v %q (go mod download fetches it)", err, dir)
	}
	return filepath.Join(dir, "unix")
}
