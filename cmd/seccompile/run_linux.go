package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/syscalltables"
)

// become puts a filter in force on this thread alone and executes a program on it.
func become(p *cbpf.Program, o loader.Options, path string, args []string) error {
	if err := startable(p, path); err != nil {
		return err
	}
	err := watch.Exec(path, args, func() error { return loader.Install(p, o) })
	return notStarted("run", err)
}

// notStarted explains why a program did not start. verb is the command that wanted
// to start it.
func notStarted(verb string, err error) *failure {
	var failed *watch.ExecError
	if !errors.As(err, &failed) {
		return &failure{code: exitFailed, err: fmt.Errorf("%s: %s", verb, unprefixed(err.Error()))}
	}
	f := &failure{code: exitCannotExec, err: fmt.Errorf("%s: %s: %w", verb, failed.Path, failed.Err)}
	switch {
	case errors.Is(failed, syscall.ENOENT):
		return f.hintf("the interpreter that it names does not exist")
	case errors.Is(failed, syscall.EPERM), errors.Is(failed, syscall.ENOSYS):
		return f.hintf("the profile must allow execve for a program to start")
	}
	return f
}

// startable asks the filter about the call that starts the program: if it kills,
// nobody is left to tell.
func startable(p *cbpf.Program, path string) error {
	const pointer = 0x10000 // any address
	execve := p.Eval(&cbpf.Data{
		NR: unix.SYS_EXECVE, Arch: arch.Native().Audit(), Args: [6]uint64{pointer, pointer, pointer},
	})
	switch execve.Class() {
	case cbpf.Allow, cbpf.Log, cbpf.TraceClass: // there may be a tracer
		return nil
	}
	f := &failure{code: exitCannotExec, err: fmt.Errorf("run: %s: the profile does not let a program start: execve gets %s",
		path, actionText(execve, arch.Native()))}
	return f.hintf("the profile must allow execve")
}

// kernelRelease returns the release of the running kernel, as uname(1) prints it.
func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// runningKernel returns the version of the running kernel, zero if it does not
// look like one.
func runningKernel() syscalltables.Version {
	major, rest, _ := strings.Cut(kernelRelease(), ".")
	minor := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	v, err := syscalltables.ParseVersion(major + "." + minor)
	if err != nil {
		return syscalltables.Version{}
	}
	return v
}

// processorTime returns how long this process has run on processors.
func processorTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// isCooked reports whether a stream is a terminal that edits lines, so that no
// program has its whole screen.
func isCooked(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil && t.Lflag&unix.ICANON != 0
}
