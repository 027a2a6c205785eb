package scan

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A set has names of system calls.
type set map[string]bool

// sorted returns the names in order.
func (s set) sorted() []string {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// minus returns the names that others lacks, in order.
func (s set) minus(other set) []string {
	return slices.DeleteFunc(s.sorted(), func(name string) bool { return other[name] })
}

// straceWords run a program under strace such that each thread has a file of its own, which
// begins with the name and ends with the thread's number.
func straceWords(prefix string) []string {
	return []string{"strace", "-ff", "-qq", "-s", "0", "-e", "signal=none", "-o", prefix, "--"}
}

// A thread is one file of strace's.
type thread struct {
	lines  []string
	parent string // the number of the thread that started it; "" if strace did
	born   int    // in which line of the parent's
}

var (
	callLine  = regexp.MustCompile(`^([a-z_0-9]+)\(`)
	birthLine = regexp.MustCompile(`^(?:clone|clone3|fork|vfork)\(.* = (\d+)`)
	execLine  = regexp.MustCompile(`^execve\("([^"]+)",.* = 0$`)
)

// straced returns the calls of each executable that strace saw.
func straced(t *testing.T, prefix string) map[string]set {
	t.Helper()
	files, err := filepath.Glob(prefix + ".*")
	if err != nil || len(files) == 0 {
		t.Fatalf("strace left no files, %v", err)
	}
	threads := make(map[string]*thread)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		threads[strings.TrimPrefix(file, prefix+".")] = &thread{lines: strings.Split(string(text), "\n")}
	}
	return attribute(threads)
}

// attribute finds out which executable made each call: a thread begins in the one that its
// parent was in, and changes it with execve, which is a call of the one before.
func attribute(threads map[string]*thread) map[string]set {
	for number, parent := range threads {
		for i, line := range parent.lines {
			if m := birthLine.FindStringSubmatch(line); m != nil && threads[m[1]] != nil && m[1] != number {
				threads[m[1]].parent, threads[m[1]].born = number, i
			}
		}
	}
	calls := make(map[string]set)
	for _, th := range threads {
		executable := ""
		if th.parent != "" {
			executable = executableAt(threads, th.parent, th.born, 0)
		}
		for _, line := range th.lines {
			if m := callLine.FindStringSubmatch(line); m != nil && executable != "" {
				if calls[executable] == nil {
					calls[executable] = make(set)
				}
				calls[executable][m[1]] = true
			}
			if m := execLine.FindStringSubmatch(line); m != nil && m[1] != "/proc/self/exe" {
				executable = resolved(m[1])
			}
		}
	}
	return calls
}

// executableAt returns what a thread ran before a line of it.
func executableAt(threads map[string]*thread, number string, line, depth int) string {
	th := threads[number]
	for i := line - 1; i >= 0; i-- {
		if m := execLine.FindStringSubmatch(th.lines[i]); m != nil && m[1] != "/proc/self/exe" {
			return resolved(m[1])
		}
	}
	if th.parent == "" || depth > len(threads) {
		return ""
	}
	return executableAt(threads, th.parent, th.born, depth+1)
}

// resolved returns the executable that running a path loads: behind symbolic links, and the
// interpreter of a script.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	f, err := os.Open(path)
	if err != nil {
		return path // gone since
	}
	defer f.Close()
	head := make([]byte, 256)
	n, _ := f.Read(head)
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	if words := strings.Fields(strings.TrimPrefix(line, "#!")); strings.HasPrefix(line, "#!") && len(words) > 0 {
		return resolved(words[0])
	}
	return path
}

// unseen are calls which say nothing of the program: the kernel makes restart_syscall in the
// place of one that a signal interrupted.
var unseen = set{"restart_syscall": true}

// frequencies reads the calls that record counted.
func frequencies(t *testing.T, path string) set {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	calls := make(set)
	for line := range strings.Lines(string(text)) {
		var name string
		var count float64
		if _, err := fmt.Sscan(line, &name, &count); err != nil {
			t.Fatalf("%s: %q: %v", path, line, err)
		}
		calls[name] = count > 0
	}
	return calls
}

func TestAttribute(t *testing.T) {
	calls := attribute(map[string]*thread{
		"1": {lines: []string{
			`execve("/nowhere/a", ["a"], 0x7ffd /* 9 vars */) = 0`,
			`vfork() = 2`,
			`wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 2`,
			`execve("/nowhere/c", ["c"], 0x7ffd /* 9 vars */) = -1 ENOENT (No such file or directory)`,
			`exit_group(0) = ?`,
		}},
		"2": {lines: []string{
			`close(3) = 0`,
			`clone3({flags=CLONE_VM}, 88) = 3`,
			`execve("/nowhere/b", ["b"], 0x7ffd /* 9 vars */) = 0`,
			`getpid() = 2`,
		}},
		"3": {lines: []string{`sync() = 0`}},
	})
	want := map[string]string{
		"/nowhere/a": "clone3 close execve exit_group sync vfork wait4",
		"/nowhere/b": "getpid",
	}
	for executable, names := range want {
		if got := strings.Join(calls[executable].sorted(), " "); got != names {
			t.Errorf("%s: got %s, want %s", executable, got, names)
		}
	}
	if len(calls) != len(want) {
		t.Errorf("got %v", calls)
	}
}
