package scan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// A scanner runs "seccompile scan", once for each program.
type scanner struct {
	command  string // seccompile
	profiler string // go-seccomp-bpf's seccomp-profiler
	found    map[string]*found
}

// found is what is found in one program.
type found struct {
	calls      set
	incomplete []string      // why calls may be missing
	time       time.Duration // of processors
	memory     int64         // in bytes, at most

	baseline set    // what all system-call instructions of the program and the libraries that it needs can do
	golang   bool   // a Go program
	profiler set    // what seccomp-profiler finds in it
	failed   string // why it does not
}

// A document is what scan prints with --json, as far as it matters here.
type document struct {
	Modules []struct {
		Path string
		Why  string
	}
	Calls []struct {
		ABI  string
		Name string
	}
	Unresolved []struct {
		scanStep
		Reason     string
		Incomplete bool
	}
}

type scanStep struct {
	Module  string
	Address uint64
	Name    string
}

// scan returns what is found in a program that also loads some files.
func (s *scanner) scan(t *testing.T, program string, with []string) *found {
	t.Helper()
	key := strings.Join(append([]string{program}, with...), ":")
	if s.found[key] == nil {
		s.found[key] = s.read(t, program, with)
	}
	return s.found[key]
}

func (s *scanner) read(t *testing.T, program string, with []string) *found {
	t.Helper()
	args := append(withFlags(with), "--json", program)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	// The memory that the kernel counts for a command begins with that of the process which starts it:
	// between this large one and scan stands the small time.
	peak := filepath.Join(t.TempDir(), "memory")
	cmd := exec.CommandContext(ctx, "time", append([]string{"-f", "%M", "-o", peak, s.command, "-q", "scan", "--cache", "none"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("scan %s: %v\n%s", program, err, complaint(err))
	}
	var doc document
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	f := &found{calls: make(set), time: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if f.memory, err = kilobytes(peak); err != nil {
		t.Fatal(err)
	}
	for _, c := range doc.Calls {
		f.calls[c.Name] = true
	}
	for _, u := range doc.Unresolved {
		if u.Incomplete {
			f.incomplete = append(f.incomplete, fmt.Sprintf("%s: %s %#x %s", filepath.Base(u.Module), u.Name, u.Address, u.Reason))
		}
	}
	var needed []string
	for _, m := range doc.Modules {
		if m.Why == "program" || m.Why == "interpreter" || strings.HasPrefix(m.Why, "needed by ") {
			needed = append(needed, m.Path)
		}
	}
	f.baseline, f.golang = allSites(t, needed)
	if f.golang {
		f.profiler, f.failed = s.profile(t, program)
	}
	return f
}

// kilobytes reads a number of them, in bytes.
func kilobytes(path string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n << 10, err
}

// write writes the profile of programs.
func (s *scanner) write(t *testing.T, profile string, programs, with []string) {
	t.Helper()
	args := append([]string{"-q", "scan", "--cache", "none", "-o", profile}, withFlags(with)...)
	if out, err := exec.CommandContext(t.Context(), s.command, append(args, programs...)...).CombinedOutput(); err != nil {
		t.Fatalf("scan %s: %v\n%s", programs, err, out)
	}
}

// withFlags returns the flags that name files which a program loads.
func withFlags(with []string) (flags []string) {
	for _, file := range with {
		flags = append(flags, "--with", file)
	}
	return flags
}

// profile returns what go-seccomp-bpf's seccomp-profiler finds in a Go program, or why it
// finds nothing.
func (s *scanner) profile(t *testing.T, program string) (set, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.profiler, "-format", "config", "-out", "-", program)
	// It keeps disassembly below HOME, as "go tool objdump", which it runs, does what it builds.
	cmd.Env = append(cmd.Environ(), "HOME="+t.TempDir(), "GOCACHE="+goEnv(t, "GOCACHE"))
	out, err := cmd.Output()
	if err != nil {
		return nil, "fails"
	}
	var config struct {
		Seccomp struct {
			Syscalls []struct{ Names []string }
		}
	}
	if err := yaml.Unmarshal(out, &config); err != nil {
		t.Fatalf("seccomp-profiler %s: %v\n%s", program, err, out)
	}
	names := make(set)
	for _, group := range config.Seccomp.Syscalls {
		for _, name := range group.Names {
			names[name] = true
		}
	}
	return names, ""
}

// complaint returns what a failed command printed.
func complaint(err error) []byte {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.Stderr
	}
	return nil
}

// The other tool must have found something, or the comparison with it is none.
func TestProfiler(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the programs are those of x86_64")
	}
	dir := t.TempDir()
	s := &scanner{profiler: filepath.Join(dir, "profiler")}
	build(t, s.profiler, "..", "github.com/elastic/go-seccomp-bpf/cmd/seccomp-profiler")
	hello := filepath.Join(dir, "hello")
	build(t, hello, ".", "./testdata/programs/hello")
	names, failed := s.profile(t, hello)
	if failed != "" || !names["write"] || !names["exit_group"] {
		t.Errorf("found %s, failed %q", names.sorted(), failed)
	}
}
