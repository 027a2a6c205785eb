package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/syscalltables"
)

// become puts a filter in force on this thread alone and executes a program on
// it. The other threads of the Go runtime, which make calls of their own that the
// profile may not foresee, stay free and end with execve.
func become(p *cbpf.Program, o loader.Options, path string, args []string) error {
	if err := startable(p, path); err != nil {
		return err
	}
	// Go has raised the soft limit of open files. Exec puts it back, here with no
	// filter in force yet: no file has an empty name, so that is all it does.
	_ = syscall.Exec("", nil, nil)
	// Under the filter the runtime should make no calls of its own on this thread: no
	// collection, and with a fresh time slice no reason to preempt it.
	debug.SetGCPercent(-1)
	env := os.Environ()
	runtime.LockOSThread()
	runtime.Gosched()
	if err := loader.Install(p, o); err != nil {
		return &failure{code: exitFailed, err: fmt.Errorf("run: %s", unprefixed(err.Error()))}
	}
	err := syscall.Exec(path, args, env)
	f := &failure{code: exitCannotExec, err: fmt.Errorf("run: %s: %w", path, err)}
	switch {
	case errors.Is(err, syscall.ENOENT):
		return f.hintf("the interpreter that it names does not exist")
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOSYS):
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
