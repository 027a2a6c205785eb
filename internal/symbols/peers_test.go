package symbols

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
)

// TestValuesAreThoseOfGo compares with golang.org/x/sys/unix for every GOARCH of Linux.
// Its files are made by C compilers of each architecture from headers of the kernel and
// of glibc.
func TestValuesAreThoseOfGo(t *testing.T) {
	const (
		large = "glibc has large files by other names than the kernel"
		times = "glibc chooses by the width of its time_t: here they are SO_*_OLD and SO_*_NEW"
		regs  = "glibc has requests that the kernel does not"
	)
	explained := map[string]string{
		"F_GETLK": large, "F_SETLK": large, "F_SETLKW": large, "F_GETLK64": large, "F_SETLK64": large, "F_SETLKW64": large,
		"O_LARGEFILE": large, "SO_RCVTIMEO": times, "SO_SNDTIMEO": times, "SO_TIMESTAMP": times, "SO_TIMESTAMPNS": times,
		"SO_TIMESTAMPING": times, "PTRACE_GETREGS": regs, "PTRACE_SETREGS": regs,
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Fatalf("go list -m golang.org/x/sys: %v %q (go mod download fetches it)", err, dir)
	}
	common := peerValues(t, filepath.Join(dir, "unix", "zerrors_linux.go"))
	rows := readRows(t)
	abis, compared, used := 0, 0, map[string]bool{}
	for a := range arch.All() {
		if a.GOARCH() == "" {
			continue
		}
		path := filepath.Join(dir, "unix", "zerrors_linux_"+a.GOARCH()+".go")
		if _, err := os.Stat(path); err != nil {
			continue // Go has no such port any more
		}
		abis++
		own := peerValues(t, path)
		for i := range rows {
			r := &rows[i]
			want, ok := own[r.name]
			if !ok {
				want, ok = common[r.name]
			}
			got, have := r.number(a)
			if !ok {
				continue
			}
			compared++
			if uint32(got) == uint32(want) && have {
				continue
			}
			if explained[r.name] != "" {
				used[r.name] = true
				continue
			}
			t.Errorf("%v: %s is %#x there, but %#x, %v here", a, r.name, uint32(want), uint32(got), have)
		}
	}
	for name := range explained {
		if !used[name] {
			t.Errorf("%s is no difference any more: drop it here", name)
		}
	}
	t.Logf("%d values of %d ABIs", compared, abis)
	if abis != 14 || compared < 14*1398 {
		t.Errorf("compared %d values of %d ABIs: the files are not what they were", compared, abis)
	}
}

// peerValues reads the constants of one of Go's files: the numbers, the typed errors
// and signals.
func peerValues(t *testing.T, path string) map[string]int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]int64{}
	for _, m := range regexp.MustCompile(`(?m)^\t([A-Za-z_]\w*) += (?:syscall\.Signal\()?(-?0x[0-9a-f]+|-?\d+)\)?$`).FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.ParseInt(m[2], 0, 64)
		if err == nil { // others have 64 bits
			values[m[1]] = n
		}
	}
	return values
}
