package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A fate is what became of a mutant.
type fate uint8

const (
	pending fate = iota
	notCompiled
	same
	killed
	survived
)

// A subject is a package with its tests.
type subject struct {
	root, pkg string
	grace     time.Duration
	limit     time.Duration     // of the processor's time, after which tests hang
	code      [sha256.Size]byte // of the package as it is
	combined  string            // the program of the tests of many mutants
	// The tests that take little time are run first.
	first, then string // flags
}

func newSubject(ctx context.Context, root, pkg, dir string, grace time.Duration) (*subject, error) {
	s := &subject{root: root, pkg: pkg, grace: grace, combined: filepath.Join(dir, "combined", pkg)}
	msg, err := s.compile(ctx, filepath.Join(dir, "original"), nil)
	if s.code = sha256.Sum256(msg); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", pkg, err, msg)
	}
	return s, nil
}

// quickTest is how many seconds a test may take that is run first.
const quickTest = 0.05

// measure runs the tests without a mutant: they must pass. Then it knows how long they
// take.
func (s *subject) measure(ctx context.Context) error {
	s.limit = 10 * time.Minute
	out, used, err := s.test(ctx, s.combined, 0, "-test.v")
	if err != nil {
		return fmt.Errorf("%s: the tests fail without a mutant: %w\n%s", s.pkg, err, out)
	}
	s.limit = s.grace + 3*used
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^--- PASS: (\w+) \((\d+\.\d+)s\)$`).FindAllSubmatch(out, -1) {
		var took float64
		if _, err := fmt.Sscan(string(m[2]), &took); err == nil && took <= quickTest {
			names = append(names, string(m[1]))
		}
	}
	pattern := "^(" + strings.Join(names, "|") + ")$"
	s.first, s.then = "-test.run="+pattern, "-test.skip="+pattern
	return nil
}

// judge finds out what becomes of a mutant, with the help of a directory of which it is
// the only user. Only what no test kills as a part of the combined program is built
// alone.
func (s *subject) judge(ctx context.Context, m *mutant, dir string) (fate, error) {
	if m.number > 0 {
		if passes, err := s.passes(ctx, s.combined, m.number); !passes || err != nil {
			return killed, err
		}
	}
	original, err := os.ReadFile(filepath.Join(s.root, m.file))
	if err != nil {
		return 0, err
	}
	texts := map[string]string{m.file: m.source(string(original))}
	code, err := s.compile(ctx, filepath.Join(dir, "alone"), texts)
	switch {
	case err != nil && refused(code):
		return notCompiled, nil
	case err != nil:
		return 0, fmt.Errorf("%w\n%s", err, code)
	case sha256.Sum256(code) == s.code:
		return same, nil
	case m.number > 0:
		return survived, nil
	}
	bin := filepath.Join(dir, "tests")
	msg, err := s.build(ctx, bin, texts)
	switch {
	case err != nil && refused(msg):
		return notCompiled, nil // with the tests
	case err != nil:
		return 0, fmt.Errorf("%w\n%s", err, msg)
	}
	if passes, err := s.passes(ctx, bin, 0); !passes || err != nil {
		return killed, err
	}
	return survived, nil
}

// refused reports whether it was the compiler that failed.
func refused(msg []byte) bool { return regexp.MustCompile(`\.go:\d+(:\d+)?: `).Match(msg) }

// passes reports whether all tests pass.
func (s *subject) passes(ctx context.Context, bin string, number int) (bool, error) {
	_, _, err := s.test(ctx, bin, number, s.first)
	if err == nil {
		_, _, err = s.test(ctx, bin, number, s.then)
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return false, nil
	}
	return err == nil, err
}

// build builds the tests of the package, with other text for some of its files.
func (s *subject) build(ctx context.Context, bin string, texts map[string]string) (msg []byte, err error) {
	return s.run(ctx, bin, texts, "test", "-c", "-o", bin, "-vet=off", "-gcflags=-e", "-ldflags=-s -w")
}

// compile compiles the package and returns its code as the compiler lists it, which for
// equal code is the same. A program is not: the linker leaves out what tests do not call.
func (s *subject) compile(ctx context.Context, dir string, texts map[string]string) (code []byte, err error) {
	return s.run(ctx, dir, texts, "build", "-gcflags=-S -dwarf=false")
}

// run runs the go command on the package, with other text for some of its files.
func (s *subject) run(ctx context.Context, name string, texts map[string]string, args ...string) (out []byte, err error) {
	replace := make(map[string]string)
	if err := os.MkdirAll(name+".src", 0o777); err != nil {
		return nil, err
	}
	for file, text := range texts {
		changed := filepath.Join(name+".src", filepath.Base(file))
		replace[filepath.Join(s.root, file)] = changed
		if err := os.WriteFile(changed, []byte(text), 0o666); err != nil {
			return nil, err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(name+".json", overlay, 0o666); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "-trimpath", "-overlay", name+".json", "./"+s.pkg)...)
	cmd.Dir = s.root
	cmd.Env = append(os.Environ(), oneProcessor, "GOGC=400", "CGO_ENABLED=0")
	out, err = cmd.CombinedOutput()
	return out, errors.Join(err, ctx.Err())
}

// oneProcessor leaves the other to the other worker.
const oneProcessor = "GOMAXPROCS=1"

// test runs tests, and returns what they print and how much of the processor's time they
// used, which other work on the machine changes little. Those that run wild get 4 GiB of
// addresses, and those that wait for ever ten minutes.
func (s *subject) test(ctx context.Context, bin string, number int, args ...string) ([]byte, time.Duration, error) {
	script := fmt.Sprintf(`ulimit -v 4194304; ulimit -t %d; exec "$0" "$@"`, int(s.limit.Seconds())+1)
	args = slices.Concat([]string{"-c", script, bin, "-test.short", "-test.failfast", "-test.timeout=10m"}, args)
	cmd := exec.CommandContext(ctx, "sh", args...)
	cmd.Dir = filepath.Join(s.root, s.pkg)
	cmd.Env = append(os.Environ(), oneProcessor, fmt.Sprintf("%s=%d", chosen, number))
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	used := time.Duration(0)
	if cmd.ProcessState != nil {
		used = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	return out, used, err
}
