package loader

import (
	"errors"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
)

// seccomp is seccomp(2), in the form that the scheduler does not hear of: on its
// way back from the other form the runtime may make calls that the filter, which
// is in force by then, kills. The kernel is done in less than a millisecond.
func seccomp(op uintptr, flags cbpf.Flag, arg unsafe.Pointer) (uintptr, unix.Errno) {
	r, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, op, uintptr(flags), uintptr(arg))
	return r, errno
}

// heap returns a copy of v that stays where it is, which a variable on the stack
// does not.
//
//go:noinline
func heap[T any](v T) *T { return &v }

// fakedError says that an answer of the kernel is a filter's.
func fakedError(call string) error {
	return &Error{
		Call:   call,
		Err:    errors.ErrUnsupported,
		Reason: "an earlier filter answers in the kernel's place (let it allow " + call + ")",
	}
}

// askError explains why a question to the kernel got no answer.
func askError(errno unix.Errno) error {
	e := &Error{Call: "seccomp", Err: errno}
	switch errno {
	case 0:
		return fakedError(e.Call)
	case unix.ENOSYS:
		e.Reason = "the kernel has no seccomp(2) or an earlier filter hides it (needs Linux 3.17 with CONFIG_SECCOMP)"
	case unix.EINVAL:
		e.Err = errors.ErrUnsupported
		e.Reason = "the kernel has no filters (build it with CONFIG_SECCOMP_FILTER)"
	default:
		e.Reason = "an earlier filter or a security module denies the call (let it allow seccomp)"
	}
	return e
}

// installError explains why the kernel did not install a program of n
// instructions (kernel/seccomp.c: seccomp_set_mode_filter and what it calls).
func installError(errno unix.Errno, n int) error {
	e := &Error{Call: "seccomp", Err: errno}
	switch errno {
	case unix.EACCES:
		e.Reason = "needs no_new_privs or CAP_SYS_ADMIN (leave KeepPrivs unset, or install before dropping the capability)"
	case unix.EBUSY:
		e.Reason = "an earlier filter of this thread has a listener and there can be only one (put all NOTIFY rules into one program)"
	case unix.ENOMEM:
		e.Reason = "no memory, or over 32768 instructions in all filters of the thread, each filter counting 4 more, as the kernel translates them (this program has " +
			strconv.Itoa(n) + ": install fewer filters or shorter ones)"
	case unix.EMFILE, unix.ENFILE:
		e.Reason = "no free descriptor for the listener (close files or raise the limit)"
	case unix.EINVAL:
		e.Reason = "this thread is in strict mode, or the kernel refuses the program (check it with cbpf.Verify)"
	default:
		e.Reason = "an earlier filter or a security module denies the call (let it allow seccomp)"
	}
	return e
}
