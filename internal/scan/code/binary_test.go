package code

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// A tally is what is known of the numbers of all system-call instructions of a file.
type tally struct {
	sites    int
	numbers  []uint64 // that are constant: sorted
	wrappers []string // functions whose callers give the number
	unknown  []string // functions with a number that is not known
}

func count(t *testing.T, path string) tally {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := object.Read(path, data)
	if err != nil {
		t.Fatal(err)
	}
	m := read(t, f)
	var all tally
	for i := range m.Funcs {
		if len(m.Funcs[i].Sites) == 0 || f.Funcs[i].Gap {
			continue
		}
		for _, s := range m.Flow(i).Sites {
			all.sites++
			all.numbers = append(all.numbers, s.Number.Consts...)
			if len(s.Number.Entry) > 0 {
				all.wrappers = append(all.wrappers, f.Funcs[i].Name)
			}
			if s.Number.Unknown {
				all.unknown = append(all.unknown, f.Funcs[i].Name)
			}
		}
	}
	all.numbers = set(all.numbers)
	return all
}

// TestGo builds a Go program for both machines: all its system calls have a known number, or
// are in one of the functions that pass one on.
func TestGo(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not installed")
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	const text = "package main\n\nimport \"os\"\n\nfunc main() { os.Stdout.WriteString(\"hello\\n\") }\n"
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		arch string
		has  []uint64 // futex, mmap, exit_group, clone, and rt_sigreturn, which is in the vDSO of aarch64
	}{{"amd64", []uint64{202, 9, 231, 56, 15}}, {"arm64", []uint64{98, 222, 94, 220}}} {
		for _, flags := range []string{"", "-s -w"} {
			t.Run(strings.TrimSpace(test.arch+" "+flags), func(t *testing.T) {
				path := filepath.Join(dir, "main-"+test.arch)
				build := exec.Command("go", "build", "-ldflags", flags, "-o", path, source)
				build.Env = append(os.Environ(), "GOARCH="+test.arch, "GOOS=linux", "CGO_ENABLED=0", "GOFLAGS=", "GO111MODULE=off")
				if out, err := build.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				got := count(t, path)
				if got.sites < 20 || len(got.unknown) > 0 {
					t.Errorf("%d sites, number unknown in %q", got.sites, got.unknown)
				}
				for _, nr := range test.has {
					if !slices.Contains(got.numbers, nr) {
						t.Errorf("call %d is missing in %d", nr, got.numbers)
					}
				}
				if !slices.ContainsFunc(got.wrappers, func(name string) bool { return strings.HasSuffix(name, "Syscall6") }) {
					t.Errorf("Syscall6 is missing in the functions that pass a number on: %q", got.wrappers)
				}
			})
		}
	}
}

// TestLibraries reads the C libraries that are installed: what they repeat in all threads when an
// identity changes is not known (two functions of glibc, one of musl), and nothing else.
func TestLibraries(t *testing.T) {
	for _, test := range []struct {
		path    string
		sites   int // at least
		unknown int
	}{
		{"/lib/x86_64-linux-gnu/libc.so.6", 300, 2},
		{"/lib64/ld-linux-x86-64.so.2", 20, 0},
		{"/usr/lib/x86_64-linux-musl/libc.so", 300, 1},
		{"/usr/aarch64-linux-gnu/lib/libc.so.6", 300, 2},
		{"/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1", 20, 0},
	} {
		if _, err := os.Stat(test.path); err != nil {
			t.Logf("%s is not installed", test.path)
			continue
		}
		got := count(t, test.path)
		if got.sites < test.sites || len(got.unknown) > test.unknown {
			t.Errorf("%s: %d sites, number unknown in %d: %q; want at most %d", test.path, got.sites, len(got.unknown), got.unknown, test.unknown)
		}
		t.Logf("%s: %d sites, %d different numbers, %d that pass one on", test.path, got.sites, len(got.numbers), len(got.wrappers))
	}
}
