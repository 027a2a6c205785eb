// Package watch runs a program and lets this process decide about its system calls
// before the kernel carries them out. It needs neither privileges nor ptrace(2): the
// program runs under a filter that notifies (seccomp_unotify(2)) and with no_new_privs,
// so set-user-ID programs gain nothing.
//
// Under a filter that notifies of every call, a thread cannot make a single call without
// an answer from the supervisor. Therefore a second run of this executable starts the
// program: one of its threads installs the filter and executes the program, and another
// thread, which is not confined, sends the listener. That happens in [Main], which a
// program's main calls before anything else.
package watch

import (
	"context"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// A Command is a program to watch. It inherits the standard streams, the environment, the
// working directory and all inheritable files of this process.
type Command struct {
	Path string   // of the executable
	Args []string // the program's name first
	// Filter notifies of the calls to handle. It also applies to the threads and
	// processes that the program starts.
	Filter *cbpf.Program
	// Handle answers a call, most often with Continue. One goroutine calls it for one
	// call after the other; the first can only be the execve(2) that starts the program.
	// An error other than [loader.ErrGone] ends the run.
	Handle func(*loader.Notification) error
	// Denied, if not nil, is told of the calls that an earlier filter denies, if this
	// process is under some: its answer comes first, and Handle does not hear of the call.
	// The program is traced then (ptrace(2)) if possible, and every call of it takes longer. Another
	// goroutine calls Denied, but never while Handle runs. Blind is told at the end if some
	// or all of these calls may have been missed, and why.
	Denied func(*Denial)
	Blind  func(reason error)
	// Orphaned, if not nil, is called by another goroutine if processes that the program
	// started go on after it has ended.
	Orphaned func()
	// Left, if not nil, is called if a signal ends the run while processes go on under the
	// filter: about how many, 0 if that is unknown.
	Left func(processes int)
}

// Run runs the program until it and all processes that it started have ended. It returns
// the exit status of the program as shells do: 128 plus the number of the signal if a
// signal ended it.
//
// Run forwards SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1 and SIGUSR2 to the program,
// unless this process ignores them or a terminal has sent them to both. Once the program
// has ended, the first four end the run; calls of the remaining processes then fail with
// ENOSYS. The same happens to all processes if this process dies: nothing hangs.
//
// Errors are those of [loader.InstallDescriptor] and of Handle, and [*ExecError]. Run
// kills the program after an error of Handle.
func Run(c *Command) (status int, err error) { return run(c) }

// Attach watches a running process, its threads and the processes that they start, until
// all have ended or ctx ends: then it lets go of them. denied is told of each call that
// their filters deny, or leave to a listener or a tracer. Calls take longer meanwhile, and
// as the process is stopped for a moment at the start and at the end, some that wait fail
// with EINTR (signal(7)). This process must not wait for the other meanwhile, and not start
// any. The errors and requirements are those of [loader.Dump].
func Attach(ctx context.Context, pid int, denied func(*Denial)) error {
	return attach(ctx, pid, denied)
}

// Earlier returns how many filters this process is under, at least 1 if the kernel only
// says that there are some (before Linux 5.9), and why [Run] cannot see what they deny: nil
// if nothing is known that keeps it from that.
func Earlier() (filters int, blind error) { return earlier() }

// Main becomes the program if Run has started this process for that; otherwise it
// returns at once. Call it before anything else looks at the arguments.
func Main() { start() }

// Enforce answers a call as the kernel does if a filter returns the action, as far as a
// supervisor can:
//   - TRAP sends SIGSYS, without the fields of siginfo that describe the call, and the
//     registers show ENOSYS;
//   - KILL_THREAD ends the process, as KILL_PROCESS does; both use SIGKILL instead of
//     SIGSYS if the program handles, blocks or ignores SIGSYS;
//   - TRACE and NOTIFY have nobody to answer them: the call fails with ENOSYS.
func Enforce(n *loader.Notification, a cbpf.Action) error { return enforce(n, a.Effective()) }

// A Process is a process that makes a call.
type Process struct {
	PID  int    // of the process, 0 if unknown
	Name string // of the thread (proc_pid_comm(5))
}

// Caller returns the process that makes a call. The call must not have been answered yet.
func Caller(n *loader.Notification) Process { return caller(n) }

// An ExecError reports that a program could not be executed.
type ExecError struct {
	Path string
	Err  error // the error number of execve(2)
}

// Error implements error.
func (e *ExecError) Error() string { return "watch: " + e.Path + ": " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *ExecError) Unwrap() error { return e.Err }
