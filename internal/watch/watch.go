// Package watch runs a program in such a way that this process hears of its system
// calls before the kernel carries them out, and decides about them. It takes
// neither privileges nor ptrace(2): the program runs under a filter that notifies
// (seccomp_unotify(2)), and with no_new_privs, so that set-user-ID programs gain
// nothing.
//
// Under a filter that notifies of everything a thread makes not a single call
// that no supervisor answers. So the program is started by this executable, run
// once more: one of its threads installs the filter and executes the program,
// another one, which is not confined, passes the listener on. [Main], called
// before anything else in a program's main, is where that happens.
package watch

import (
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// A Command is a program to watch. It gets the standard streams, the environment,
// the directory and all inherited files of this process.
type Command struct {
	Path string   // of the executable
	Args []string // the program's name first
	// Filter notifies of the calls to hear of. Threads and processes that the
	// program starts have it, too.
	Filter *cbpf.Program
	// Handle answers a call, most often by Continue. It is called by one goroutine,
	// for one call after the other; the first can only be the execve(2) that starts
	// the program. An error other than [loader.ErrGone] ends the run.
	Handle func(*loader.Notification) error
	// Orphaned, if not nil, is called by another goroutine when the program has
	// ended and processes that it started go on.
	Orphaned func()
}

// Run runs the program until it and all processes that it started have ended. It
// returns the exit status of the program as shells tell it: 128 and the number
// of the signal if one ended it.
//
// Meanwhile SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1 and SIGUSR2 are passed on to
// the program, unless this process ignores them or a terminal has sent them to
// both. Once the program has ended, the first four end the run, and so leave the
// processes that go on with calls that fail with ENOSYS. The same befalls all
// of them if this process dies: nobody hangs.
//
// Errors are those of [loader.InstallDescriptor], of Handle, and [*ExecError]. After
// an error of Handle the program is killed.
func Run(c *Command) (status int, err error) { return run(c) }

// Main becomes the program if Run has started this process for that. Otherwise it
// returns at once. It is to be called before anything else looks at the arguments.
func Main() { start() }

// Enforce answers a call as the kernel does when a filter answers with an action,
// as far as a supervisor can:
//   - TRAP sends SIGSYS, without the fields of siginfo that tell of a filter, and the
//     registers show ENOSYS;
//   - KILL_THREAD ends the process, as KILL_PROCESS does; both end it with SIGKILL in
//     place of SIGSYS if the program handles, blocks or ignores SIGSYS;
//   - TRACE and NOTIFY find nobody who answers: the call fails with ENOSYS.
func Enforce(n *loader.Notification, a cbpf.Action) error { return enforce(n, a.Effective()) }

// A Process is the one that makes a call.
type Process struct {
	PID  int    // of the process, 0 if it cannot be told
	Name string // of the thread (proc_pid_comm(5))
}

// Caller returns the process that makes a call. The call must still wait for its
// answer.
func Caller(n *loader.Notification) Process { return caller(n) }

// An ExecError says that a program could not be executed.
type ExecError struct {
	Path string
	Err  error // the error number of execve(2)
}

// Error implements error.
func (e *ExecError) Error() string { return "watch: " + e.Path + ": " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *ExecError) Unwrap() error { return e.Err }
