package syscalltables

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
)

// A difference is a fact on which a peer and these tables differ, and why.
type difference struct {
	abi  string // "" for any
	name string
	why  string
}

// compare reports every difference between a peer's table of one ABI and ours
// that is not explained, and marks those that are as used.
func compare(t *testing.T, a arch.ABI, theirs map[string]uint32, explained []difference, used map[difference]bool) {
	excuse := func(name string) bool {
		for _, d := range explained {
			if d.name == name && (d.abi == "" || d.abi == a.String()) {
				used[d] = true
				return true
			}
		}
		return false
	}
	for name, nr := range theirs {
		c, _ := Lookup(name)
		if got, ok := c.Number(a); (!ok || got != nr) && !excuse(name) {
			t.Errorf("%v: %s is %d there, but %d, %v here", a, name, nr, got, ok)
		}
	}
	for nr, c := range All(a) {
		if _, ok := theirs[c.Name()]; !ok && !excuse(c.Name()) {
			t.Errorf("%v: %v is %d here, but not there", a, c, nr)
		}
	}
}

// stillTrue fails for explanations that explain nothing.
func stillTrue(t *testing.T, explained []difference, used map[difference]bool) {
	for _, d := range explained {
		if !used[d] {
			t.Errorf("%s %s is no difference any more: drop it here", d.abi, d.name)
		}
	}
}

// TestNumbersAreThoseOfGo compares with golang.org/x/sys/unix for every GOARCH of
// Linux. Its files are made from the headers of the same kernel.
func TestNumbersAreThoseOfGo(t *testing.T) {
	explained := []difference{
		{"arm", "syscall_mask", "__NR_SYSCALL_MASK of arm's unistd.h is no call"},
		{"", "arch_specific_syscall", "__NR_arch_specific_syscall of asm-generic/unistd.h starts a range"},
	}
	for _, name := range []string{"breakpoint", "cacheflush", "usr26", "usr32", "set_tls", "get_tls"} {
		explained = append(explained, difference{"arm", name, "arm's private calls have names of another form, __ARM_NR_*"})
	}
	for _, name := range strings.Fields("reserved82 reserved177 reserved193 reserved221 unused18 unused28 unused59 unused84 unused109 unused150") {
		explained = append(explained, difference{"", name, "MIPS has rows that only keep a number free"})
	}
	used := map[difference]bool{}
	constant := regexp.MustCompile(`(?m)^\s*SYS_([A-Z0-9_]+)\s*=\s*(\d+)\s*$`)
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Fatalf("go list -m golang.org/x/sys: %v %q (go mod download fetches it)", err, dir)
	}
	files, err := filepath.Glob(filepath.Join(dir, "unix", "zsysnum_linux_*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var unknown []string
	for _, path := range files {
		goarch := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "zsysnum_linux_"), ".go")
		a, err := arch.Parse(goarch)
		if err != nil {
			unknown = append(unknown, goarch)
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		theirs := map[string]uint32{}
		for _, m := range constant.FindAllStringSubmatch(string(text), -1) {
			nr, err := strconv.ParseUint(m[2], 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			theirs[strings.ToLower(m[1])] = uint32(nr)
		}
		compare(t, a, theirs, explained, used)
	}
	if want := []string{"sparc64"}; !slices.Equal(unknown, want) || len(files) != 15 {
		t.Errorf("%d files, of them %v of ABIs that are not ours; want 15, of them %v", len(files), unknown, want)
	}
	stillTrue(t, explained, used)
}
