package programs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seccompile/seccompile/conformance/internal/need"
)

// A program is a real program and a way to exercise it.
type program struct {
	name  string
	needs string // an executable and, behind a space, Debian's package that has it
	slow  bool   // runs a quarter as often
	// run runs the program behind a command that it is an argument of, in a directory of
	// its own, and returns what was wrong.
	run func(c *session) error
}

// A session is one run.
type session struct {
	ctx     context.Context
	under   []string // seccompile and its flags
	dir     string   // fresh
	server  string   // the program in testdata/server
	classes string   // the directory of the compiled Java class
}

// command returns a command behind what it is run under. Whatever it leaves behind is
// in its process group.
func (s *session) command(args ...string) *exec.Cmd {
	all := append(append([]string{}, s.under...), args...)
	cmd := exec.CommandContext(s.ctx, all[0], all[1:]...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// output runs a command that must print a text.
func (s *session) output(want string, args ...string) error {
	out, err := s.command(args...).CombinedOutput()
	if err == nil && !strings.Contains(string(out), want) {
		err = fmt.Errorf("no %q", want)
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// count reads a number from the environment.
func count(t *testing.T, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s: expected a number from 1 up", name, text)
	}
	return n
}

// Each program is recorded several times by the default options, and runs under each
// recording, first as the machine is and then beside eight loops.
func TestRecordings(t *testing.T) {
	recordings, runs := count(t, "SECCOMPILE_RECORDINGS", 1), count(t, "SECCOMPILE_RUNS", 2)
	dir := shared(t)
	seccompile := filepath.Join(dir, "seccompile")
	build(t, seccompile, "../..", "./cmd/seccompile")
	server := filepath.Join(dir, "server")
	build(t, server, ".", "./testdata/server")
	for _, p := range programs() {
		t.Run(p.name, func(t *testing.T) {
			need.Wanted(t, p.name)
			if p.needs != "" {
				executable, pkg, _ := strings.Cut(p.needs, " ")
				need.Program(t, executable, pkg)
			}
			runs := runs
			if p.slow {
				runs = max(1, runs/4)
			}
			one := func(t *testing.T, under ...string) error {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				s := &session{ctx: ctx, under: append([]string{seccompile, "-q"}, under...), dir: shared(t), server: server, classes: dir}
				defer os.RemoveAll(s.dir)
				return p.run(s)
			}
			if p.name == "java" {
				compileJava(t, dir)
			}
			done, failed := 0, 0
			for i := range recordings {
				profile := filepath.Join(shared(t), fmt.Sprintf("%s.%d.json", p.name, i))
				record(t, profile, one)
				for _, loops := range []int{0, 8} {
					stop := busy(t, loops)
					for range runs {
						done++
						if err := one(t, "run", "-p", profile, "--"); err != nil {
							failed++
							keep(t, profile)
							t.Errorf("recording %d, %d loops: %v", i, loops, err)
						}
					}
					stop()
					t.Logf("%s: recording %d, %d loops: %d runs, %d failed so far", p.name, i, loops, runs, failed)
				}
			}
			t.Logf("%s: %d recordings, %d runs, %d failed", p.name, recordings, done, failed)
		})
	}
}

// record records a program. While it is recorded on a busy machine, a signal may make a
// call fail that never does otherwise (record --help says so), and the program with it: then
// there is another try, from nothing.
func record(t *testing.T, profile string, one func(t *testing.T, under ...string) error) {
	t.Helper()
	const tries = 3
	for i := 1; ; i++ {
		err := one(t, "record", "-o", profile, "--")
		if err == nil {
			return
		}
		if i == tries {
			t.Fatalf("recording failed %d times: %v", tries, err)
		}
		t.Logf("recording failed: %v", err)
		if err := os.RemoveAll(profile); err != nil {
			t.Fatal(err)
		}
	}
}

// keep copies a profile under which a program failed to the directory that
// SECCOMPILE_KEEP names.
func keep(t *testing.T, profile string) {
	dir := os.Getenv("SECCOMPILE_KEEP")
	text, err := os.ReadFile(profile)
	if err != nil || dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, filepath.Base(profile)), text, 0o644); err != nil {
		t.Error(err)
	}
}

// shared returns a new directory that every user may use.
func shared(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "programs")
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// build builds a command of the module in a directory.
func build(t *testing.T, to, dir, pkg string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", to, pkg)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func compileJava(t *testing.T, dir string) {
	t.Helper()
	javac := need.Program(t, "javac", "default-jdk-headless")
	if out, err := exec.CommandContext(t.Context(), javac, "-d", dir, "testdata/Main.java").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// busy starts loops that yield to everything else but take all processors otherwise.
func busy(t *testing.T, loops int) (stop func()) {
	t.Helper()
	var started []*exec.Cmd
	for range loops {
		cmd := exec.CommandContext(t.Context(), "nice", "-n", "19", "sh", "-c", "while kill -0 $PPID; do :; done 2>/dev/null")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		started = append(started, cmd)
	}
	return func() {
		for _, cmd := range started {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
}
