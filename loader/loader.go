// Package loader installs seccomp filters, receives and answers the calls that they pass
// to a supervisor (NOTIFY), reads the filters of running processes, and asks the kernel
// what it supports. It knows neither names nor profiles: a runtime can compile at build
// time and link only this package. Outside Linux every call fails with an error that
// wraps [errors.ErrUnsupported].
//
// Start with [Install], or [InstallListener] if the program returns NOTIFY.
//
// A filter stays for good: nothing removes it from a thread. Threads and
// processes that a confined thread starts inherit it, and it survives execve(2).
// Filters add up: all of a thread's run on each call, and the strictest answer
// counts. A Go program cannot handle the signal of a TRAP: the runtime ends it.
package loader

import (
	"github.com/seccompile/seccompile/cbpf"
)

// Options choose how a filter is installed. The zero value is the strictest: all
// threads of the process, with no_new_privs.
type Options struct {
	// ThisThread installs on the calling thread alone; processes that it starts
	// inherit the filter. The goroutine is locked to the thread as by
	// [runtime.LockOSThread] and stays so if the installation succeeds, because a
	// goroutine that wandered off would leave its confinement behind. Go's runtime
	// does not start its own threads from a locked one, so other goroutines stay
	// free, those that this one starts included. When the goroutine ends, so does
	// the thread; only the main thread of a process is parked instead, still
	// confined, and keeps a later filter from being installed on all threads.
	//
	// Without ThisThread all threads get the filter or none does, whatever
	// goroutines run on them; threads started later inherit it. The threads also
	// get the earlier filters of the calling thread.
	ThisThread bool
	// KeepPrivs leaves no_new_privs as it is. The kernel then requires CAP_SYS_ADMIN
	// or an earlier no_new_privs.
	KeepPrivs bool
	// TrustPrctl believes what prctl(PR_SET_NO_NEW_PRIVS) returns. Otherwise the loader
	// asks prctl(PR_GET_NO_NEW_PRIVS), reads /proc/thread-self/status if that call
	// fails, and gives up if neither answers. Set it only where an earlier filter denies
	// both, or kills for asking, and does not make up answers.
	TrustPrctl bool
	// Flags are the flags that the profile asks for. nil means that it does not
	// say: SPEC_ALLOW where the kernel supports it. Otherwise exactly those are
	// used, and each must be supported. cbpf.TSync, cbpf.TSyncESRCH and cbpf.NewListener follow
	// from the rest and need not be named.
	Flags []cbpf.Flag
}

// Install installs p. A program that returns NOTIFY needs
// [InstallListener] and is refused.
//
// Everything that can be checked without a trace is checked first, and all
// problems are reported together: the program and its byte order, the flags, and
// that the kernel knows the flags and the actions. Only then is no_new_privs set on
// the calling thread, from where the kernel hands it on with the filter, and
// the filter installed. If the kernel still refuses, no filter has been
// installed on any thread, but no_new_privs stays set on the calling one: it
// cannot be taken back. Installing is the last call that this package makes, so p need
// not allow any other for it. Go's runtime makes calls of its own at any time: on a
// confined thread rt_sigreturn, when it preempts a goroutine by a signal, and calls for
// memory and of futex; without ThisThread also those of its other threads, such as
// nanosleep.
//
// An earlier filter can answer in the kernel's place, also with error number 0,
// which looks like success (SECCOMP_RET_ERRNO). Install then fails. Only somebody
// who chooses each answer anew can deceive it: the supervisor or tracer of an earlier
// filter (SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE), or a tracer of the process.
//
// Mistakes in p and o are [ErrNoProgram], [ErrByteOrder], [ErrNotify] and [ErrFlags]. The
// kernel's refusals are [*Error], [*TSyncError] and [*UnsupportedError]; [errors.Is] finds
// the error number in the first two.
func Install(p *cbpf.Program, o Options) error { return install(p, o) }

// InstallListener installs p and returns the listener that its NOTIFY
// actions report to. Errors are those of [Install]; a program that never returns
// NOTIFY is refused, and so is a thread that has a listener already.
//
// Making the listener takes calls of fcntl(2) and epoll_ctl(2) after the filter is
// in force. They run on another thread, so that under ThisThread p may do with
// them what it likes; if all threads are confined, p must allow them, as well as
// poll(2) and ioctl(2), if this process is to receive. It must not notify of calls
// that Go's runtime or the supervisor makes itself: nobody would answer.
func InstallListener(p *cbpf.Program, o Options) (*Listener, error) { return installListener(p, o) }

// InstallDescriptor is [InstallListener] for a process that does not supervise
// itself: it returns the number of the listener's descriptor, which is closed on
// exec and the caller's to close. It makes no call once the filter is in force, so p
// may notify of anything that the caller does not need to pass the listener on to
// the supervisor, which has [OpenListener].
func InstallDescriptor(p *cbpf.Program, o Options) (fd int, err error) {
	return installDescriptor(p, o)
}

// Features is what the running kernel supports. Two are compared with
// [reflect.DeepEqual].
type Features struct {
	Flags   []cbpf.Flag   // supported filter flags, in the order of their bits
	Actions []cbpf.Action // supported action classes, strictest first
	// Sizes of struct seccomp_notif, seccomp_notif_resp and seccomp_data in
	// bytes, zero where the kernel has no listener.
	NotifSize, RespSize, DataSize int
}

// Probe asks the kernel. It changes nothing. The error wraps
// [errors.ErrUnsupported] where there are no filters at all.
func Probe() (Features, error) { return probe() }
