package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/syscalltables"
)

// become installs filters, the oldest first, on this thread alone and executes a program
// on it.
func become(stack []*confinement, keepPrivs bool, path string, args []string) error {
	if err := cmp.Or(nests(stack), startable(stack, path)); err != nil {
		return err
	}
	err := watch.Exec(path, args, func() error {
		for _, c := range stack {
			if err := loader.Install(c.program, loader.Options{ThisThread: true, KeepPrivs: keepPrivs, Flags: c.flags}); err != nil {
				return err
			}
		}
		return nil
	})
	return notStarted("run", err)
}

// nests asks each filter about the calls that install the next one: if these kill, nobody is
// left to report it.
func nests(stack []*confinement) error {
	calls := []struct {
		nr, op uint64
		name   string
	}{
		{unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, "seccomp"},
		{unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, "seccomp"},
		{unix.SYS_PRCTL, unix.PR_GET_NO_NEW_PRIVS, "prctl"},
	}
	for i, c := range stack[:len(stack)-1] {
		for _, call := range calls {
			d := cbpf.Data{NR: uint32(call.nr), Arch: arch.Native().Audit(), Args: [6]uint64{call.op, 0, anyPointer}}
			if call.nr == unix.SYS_PRCTL {
				d.Args = [6]uint64{call.op}
			}
			if action := c.program.Eval(&d); !action.Permits(cbpf.Alone) {
				return failure.Usagef("run: %s cannot be installed on top of %s: %s gets %s", stack[i+1].name, c.name, call.name, intake.ActionText(action, arch.Native())).
					Hintf("give %s last, or make one filter of them: seccompile intersect -f raw", c.name)
			}
		}
	}
	return nil
}

// anyPointer stands for any address.
const anyPointer = 0x10000

// notStarted explains why a program did not start. verb is the command that was to start
// it.
func notStarted(verb string, err error) *failure.Error {
	var failed *watch.ExecError
	if !errors.As(err, &failed) {
		return &failure.Error{Status: exitFailed, Err: fmt.Errorf("%s: %s", verb, failure.Unprefixed(err.Error()))}
	}
	f := &failure.Error{Status: exitCannotExec, Err: fmt.Errorf("%s: %s: %w", verb, failed.Path, failed.Err)}
	switch {
	case errors.Is(failed, syscall.ENOENT):
		return f.Hintf("the interpreter named in the program does not exist")
	case errors.Is(failed, syscall.EPERM), errors.Is(failed, syscall.ENOSYS):
		return f.Hintf("a program can start only if the profile allows execve")
	}
	return f
}

// startable asks the filters about the call that starts the program: if that call kills,
// nobody is left to report it.
func startable(stack []*confinement, path string) error {
	for _, c := range stack {
		if execve := startedBy(c.program); !execve.Permits(cbpf.WithTracer) { // there may be one
			return unstartable("run", path, execve)
		}
	}
	return nil
}

// startedBy returns the action that the call gets which starts a program.
func startedBy(p *cbpf.Program) cbpf.Action {
	return p.Eval(&cbpf.Data{NR: unix.SYS_EXECVE, Arch: arch.Native().Audit(), Args: [6]uint64{anyPointer, anyPointer, anyPointer}})
}

// unstartable reports that the call which starts a program gets an action that does not
// let it.
func unstartable(verb, path string, execve cbpf.Action) error {
	f := &failure.Error{Status: exitCannotExec, Err: fmt.Errorf("%s: %s: no program can start under the profile: execve gets %s",
		verb, path, intake.ActionText(execve, arch.Native()))}
	return f.Hintf("a program can start only if the profile allows execve")
}

// untraceable reports that execve gets TRAP: the signal would end seccompile's own child,
// with a dump of its stacks in place of the program's output.
func untraceable(p *cbpf.Program, path string) error {
	if execve := startedBy(p); execve.Class() == cbpf.Trap {
		return unstartable("trace", path, execve)
	}
	return nil
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
