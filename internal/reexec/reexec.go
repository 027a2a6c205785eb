// Package reexec runs functions of a test binary in child processes of their
// own, for tests that change a process for good.
//
// The test binary names its children in TestMain:
//
//	func TestMain(m *testing.M) {
//		reexec.Main(m, map[string]func() error{"confine": confine})
//	}
//
// and a test runs one with [Run], or with [Command] to prepare it first.
package reexec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// variable names the child to run in the environment of the test binary.
const variable = "SECCOMPILE_REEXEC"

// Main runs the tests, or, in a process that [Command] started, the child that it
// named. It does not return. A child's error goes to stderr and makes its exit
// status 1; its arguments are in [os.Args] from index 1.
func Main(m *testing.M, children map[string]func() error) {
	name, ok := os.LookupEnv(variable)
	if !ok {
		os.Exit(m.Run())
	}
	_ = os.Unsetenv(variable) // the child's own children are not meant
	child, ok := children[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "reexec: no child %q\n", name)
		os.Exit(1)
	}
	if err := child(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// patience is how long a child may take before it is killed.
const patience = 2 * time.Minute

// Command returns the command that runs a child with arguments. The child is
// killed when the test ends or after two minutes.
func Command(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	// Under the race detector a process would sleep for a second before it ends.
	cmd.Env = append(os.Environ(), variable+"="+name, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// A Result is how a child ended and what it wrote.
type Result struct {
	Code           int            // exit status, -1 if a signal ended it
	Signal         syscall.Signal // the signal that ended it, or 0
	Stdout, Stderr string
}

// Run runs a child to its end.
func Run(t testing.TB, name string, args ...string) Result {
	t.Helper()
	cmd := Command(t, name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := Result{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		r.Signal = status.Signal()
	}
	return r
}

// OK runs a child to its end and fails the test unless it exits with 0.
func OK(t testing.TB, name string, args ...string) Result {
	t.Helper()
	r := Run(t, name, args...)
	if r.Code != 0 {
		t.Fatalf("child %s: exit status %d, signal %d\n%s%s", name, r.Code, r.Signal, r.Stdout, r.Stderr)
	}
	return r
}
