package scan

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/conformance/internal/need"
)

// few are the workloads of a test run that is not asked for all: they need only packages
// which other tests need as well.
var few = []string{
	"bash", "busybox-static", "curl", "find", "glibc-static", "go-hello", "go-httpsrv", "grep",
	"nginx", "openssl", "python3", "redis-server", "sort", "tar",
}

// workloads returns those that are asked for, by the lists that they are in:
// SECCOMPILE_SCAN=all, or names with commas between them.
func workloads(t *testing.T) []*workload {
	t.Helper()
	files, err := filepath.Glob("testdata/*/*.sh")
	if err != nil || len(files) == 0 {
		t.Fatalf("no workloads, %v", err)
	}
	wanted := few
	if names := os.Getenv("SECCOMPILE_SCAN"); names != "" {
		wanted = strings.Split(names, ",")
	}
	var list []*workload
	for _, file := range files {
		w, err := readWorkload(file)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(wanted, w.name) || slices.Contains(wanted, w.list) || slices.Contains(wanted, "all") {
			list = append(list, w)
		}
	}
	if len(list) < len(wanted) {
		t.Fatalf("of %q, there are only %d", wanted, len(list))
	}
	slices.SortFunc(list, func(a, b *workload) int { return cmp.Or(cmp.Compare(a.list, b.list), cmp.Compare(a.name, b.name)) })
	return list
}

// Each program runs its workload three times: under strace and under record, whose calls scan
// must have found, and under the profile that scan wrote, which must let it succeed.
func TestPrograms(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the programs are those of x86_64")
	}
	need.Program(t, "strace", "strace")
	need.Program(t, "time", "time")
	seccompile := filepath.Join(shared(t), "seccompile")
	build(t, seccompile, "../..", "./cmd/seccompile")
	s := &scanner{command: seccompile, found: make(map[string]*found), profiler: filepath.Join(t.TempDir(), "seccomp-profiler")}
	build(t, s.profiler, "..", "github.com/elastic/go-seccomp-bpf/cmd/seccomp-profiler")
	var all table
	for _, w := range workloads(t) {
		t.Run(w.name, func(t *testing.T) {
			need.Wanted(t, w.name)
			w.find(t)
			all = append(all, compare(t, s, w))
		})
	}
	t.Logf("calls that programs made and that scan found\n%s", all)
	if path := os.Getenv("SECCOMPILE_TABLE"); path != "" {
		if err := os.WriteFile(path, []byte(all.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// compare runs a workload and returns what there is to say of it.
func compare(t *testing.T, s *scanner, w *workload) row {
	dir := shared(t)
	w.run(t, "strace", straceWords(filepath.Join(dir, "strace"))...)
	calls := straced(t, filepath.Join(dir, "strace"))
	profile, counts := filepath.Join(dir, "recorded.json"), filepath.Join(dir, "counts")
	w.run(t, "record", s.command, "-q", "record", "-o", profile, "--frequencies", counts, "--")
	seen := calls[w.real]
	if len(calls) == 1 { // record does not tell executables apart
		for name := range frequencies(t, counts) {
			if name != "execve" { // the first is record's
				seen[name] = true
			}
		}
	}

	f := s.scan(t, w.real, w.with)
	r := row{workload: w, found: f, seen: seen, missed: missed(seen, f.calls)}
	if len(r.missed) > 0 {
		t.Errorf("%s: made and not found: %s", w.program, strings.Join(r.missed, " "))
	}
	for executable, made := range calls {
		if executable == w.real || builtByGo(executable) {
			continue
		}
		if !slices.Contains(w.executables(t), executable) {
			t.Errorf("the workload runs %s, of which its comments do not tell", executable)
		} else if names := missed(made, s.scan(t, executable, w.with).calls); len(names) > 0 {
			t.Errorf("%s: made and not found: %s", executable, strings.Join(names, " "))
		}
	}
	profile = filepath.Join(dir, "scanned.json")
	s.write(t, profile, append([]string{w.real}, w.executables(t)...), w.with)
	w.run(t, "run", s.command, "-q", "run", "--profile", profile, "--")
	r.ran = true
	return r
}

// builtByGo reports whether the go command built an executable for itself, as it does with its
// lesser tools, and has removed it: its calls are those of no program at hand.
func builtByGo(executable string) bool {
	_, err := os.Stat(executable)
	return strings.Contains(executable, "/go-build") && errors.Is(err, fs.ErrNotExist)
}

// missed returns the calls that were made and not found.
func missed(made, found set) []string {
	return slices.DeleteFunc(made.minus(found), func(name string) bool { return unseen[name] })
}

// build builds a command of a module in a directory.
func build(t *testing.T, to, dir, pkg string) {
	t.Helper()
	w := workload{program: to}
	w.shell(t, "cd "+filepath.Join("..", dir)+" && go build -o \"$PROGRAM\" "+pkg)
}

// discard returns a logger for what only concerns the one who did it.
func discard() *log.Logger { return log.New(io.Discard, "", 0) }
