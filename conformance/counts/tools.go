package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/cpu"

	"github.com/seccompile/seccompile/arch"
)

// Tools are the programs that are counted, and what they were made with.
type tools struct {
	dir            string // for files that are not kept
	bench, harness string
	versions       versions
}

// Versions are what numbers depend on: ours on Go, valgrind and whether copying and
// clearing memory has vectors of AVX2, libseccomp's on itself.
type versions struct{ toolchain, valgrind, memory, libseccomp string }

// comparable reports whether our numbers are comparable.
func (v *versions) comparable(w *versions) bool {
	return v.toolchain == w.toolchain && v.valgrind == w.valgrind && v.memory == w.memory
}

// String names what our numbers depend on.
func (v *versions) String() string { return v.toolchain + ", " + v.valgrind + " and " + v.memory }

// environment makes programs of Go count the same each time: their heap lies where it
// always does, is not collected, and no signal interrupts them.
func environment() []string {
	return append(os.Environ(), "GODEBUG=asyncpreemptoff=1", "GOGC=off", "GOMAXPROCS=1", "GOMEMLIMIT=off")
}

// buildEnvironment makes the same program of the same sources everywhere. The experiment
// keeps the heap where it was before Go 1.26.
func buildEnvironment(experiment string) []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1",
		"GOEXPERIMENT="+experiment, "GOFLAGS=-mod=mod -buildvcs=false")
}

// build makes the two programs, ours with the library in tree.
func build(dir, tree string) (*tools, error) {
	t := &tools{dir: dir, bench: filepath.Join(dir, "bench"), harness: filepath.Join(dir, "harness")}
	tree, err := filepath.Abs(tree)
	if err != nil {
		return nil, err
	}
	overlay, err := overlay(dir, tree)
	if err != nil {
		return nil, err
	}
	modfile, err := modfile(dir, tree)
	if err != nil {
		return nil, err
	}
	for _, experiment := range []string{"norandomizedheapbase64", ""} {
		c := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-modfile="+modfile, "-overlay="+overlay, "-o", t.bench, "./counts/bench")
		c.Env = buildEnvironment(experiment)
		if _, err = output(c); err == nil || !strings.Contains(err.Error(), "unknown GOEXPERIMENT") {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	if _, err := output(exec.Command("cc", "-O2", "-static", "-o", t.harness, "counts/harness/harness.c", "-lseccomp")); err != nil {
		return nil, fmt.Errorf("%w (needs Debian's libseccomp-dev and valgrind)", err)
	}
	for _, v := range []struct {
		into *string
		args []string
	}{
		{&t.versions.toolchain, []string{"go", "env", "GOVERSION"}},
		{&t.versions.valgrind, []string{"valgrind", "--version"}},
		{&t.versions.libseccomp, []string{t.harness}},
	} {
		text, err := output(exec.Command(v.args[0], v.args[1:]...))
		if err != nil {
			return nil, err
		}
		*v.into = strings.TrimSpace(string(text))
	}
	t.versions.memory = "no AVX2"
	if cpu.X86.HasAVX2 {
		t.versions.memory = "AVX2"
	}
	return t, nil
}

// overlay returns the name of a file that tells go build to take bench/kernel.go.txt
// for the kernel: package loader's only call of seccomp(2) becomes one of its answer.
func overlay(dir, tree string) (string, error) {
	original := filepath.Join(tree, "loader/seccomp_linux.go")
	text, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	const asks, answers = "unix.RawSyscall(unix.SYS_SECCOMP, op, uintptr(flags), uintptr(arg))", "answer(op, flags, arg)"
	if bytes.Count(text, []byte(asks)) != 1 {
		return "", fmt.Errorf("%s: expected one %q", original, asks)
	}
	changed := filepath.Join(dir, "seccomp_linux.go")
	if err := os.WriteFile(changed, bytes.Replace(text, []byte(asks), []byte(answers), 1), 0o666); err != nil {
		return "", err
	}
	kernel, err := filepath.Abs("counts/bench/kernel.go.txt")
	if err != nil {
		return "", err
	}
	return write(dir, "overlay.json", map[string]map[string]string{"Replace": {
		original: changed,
		filepath.Join(tree, "loader/answer_linux.go"): kernel,
	}})
}

func write(dir, name string, v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	name = filepath.Join(dir, name)
	return name, os.WriteFile(name, text, 0o666)
}

// modfile returns the name of a go.mod like that of this module, for the library in tree.
func modfile(dir, tree string) (string, error) {
	name := filepath.Join(dir, "go.mod")
	for _, file := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o666); err != nil {
			return "", err
		}
	}
	_, err := output(exec.Command("go", "mod", "edit", "-replace=github.com/seccompile/seccompile="+tree, name))
	return name, err
}

// output runs a program and returns what it prints. An error has what it complained.
func output(c *exec.Cmd) ([]byte, error) {
	text, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
		err = fmt.Errorf("%s: %w: %s", filepath.Base(c.Path), err, strings.Join(lines[max(0, len(lines)-5):], "\n"))
	}
	return text, err
}

// count returns the counts of one input.
func (t *tools) count(in *input, dir string) (map[key]count, error) {
	if err := os.Mkdir(dir, 0o777); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // there may be a second count
	profile := filepath.Join(dir, "profile.json")
	if err := os.WriteFile(profile, in.profile, 0o666); err != nil {
		return nil, err
	}
	names := make([]string, len(in.abis))
	for i, a := range in.abis {
		names[i] = a.String()
	}
	args := []string{"-file", profile, "-abis", strings.Join(names, ","), "-caps", strings.Join(in.caps, ","),
		"-enosys=" + strconv.FormatBool(!in.exact), "-n", strconv.Itoa(in.times)}
	native := exec.Command(t.bench, append(slices.Clip(args), "-allocs")...)
	native.Env = environment()
	text, err := output(native)
	if err != nil {
		return nil, err
	}
	allocations, err := parseReport(text)
	if err != nil {
		return nil, err
	}
	instructions, err := callgrind(dir, "ours", nil, t.bench, args...)
	if err != nil {
		return nil, err
	}
	counts := map[key]count{}
	for i, m := range instructions {
		if i >= len(allocations) || allocations[i].work != m.work {
			return nil, fmt.Errorf("with callgrind the work is not the same as without: %s", m.work)
		}
		counts[key{in.name, m.work}] = count{m.instructions, allocations[i].allocations}
	}
	if in.alone {
		return counts, nil
	}
	rules, err := in.rules()
	if err != nil {
		return counts, err
	}
	for level, work := range []string{"list", "tree"} {
		theirs, err := callgrind(dir, work, rules, t.harness, strconv.Itoa(level+1), strconv.Itoa(in.times))
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit) && exit.ExitCode() == refused: // not expressible
		case err != nil:
			return counts, err
		default:
			counts[key{in.name, work}] = count{instructions: theirs[0].instructions}
		}
	}
	return counts, nil
}

// refused is the exit status of the harness if libseccomp refuses the rules.
const refused = 2

// abiToken returns libseccomp's number for an ABI (seccomp.h: SCMP_ARCH_X32).
func abiToken(a arch.ABI) uint32 {
	if a == arch.X32 {
		return 0x4000003e
	}
	return a.Audit()
}
