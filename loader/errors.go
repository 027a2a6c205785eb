package loader

import (
	"errors"
	"strconv"
	"strings"
	"syscall"

	"github.com/seccompile/seccompile/cbpf"
)

// Mistakes in what is to be installed, found before anything changes. [errors.Is] finds
// them in errors of [Install], [InstallListener] and [InstallDescriptor], which join all
// mistakes and say more about each.
var (
	// ErrNoProgram says that the program is nil or has no instructions.
	ErrNoProgram = errors.New("no program")
	// ErrByteOrder says that the program is for machines of the other byte order.
	ErrByteOrder = errors.New("wrong byte order")
	// ErrNotify says that the program returns NOTIFY and there would be no listener,
	// or that there would be one and the program never returns NOTIFY.
	ErrNotify = errors.New("NOTIFY and listener do not match")
	// ErrFlags says that a flag is unknown, or contradicts the other options.
	ErrFlags = errors.New("wrong flags")
)

// A mistake is one of the above, with its details.
type mistake struct {
	class  error
	reason string
}

func (m *mistake) Error() string { return "loader: " + m.reason }

func (m *mistake) Unwrap() error { return m.class }

// An Error is a refusal of the kernel.
type Error struct {
	Call   string // the system call that failed, such as "seccomp" or "prctl"
	Err    error  // its error number, a [syscall.Errno], or [errors.ErrUnsupported]
	Reason string // what that means here, and the cure in parentheses
}

// Error implements error.
func (e *Error) Error() string {
	return "loader: " + e.Call + ": " + e.Err.Error() + ": " + e.Reason
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// A TSyncError says that a filter could not be installed on all threads, because
// one has diverged: it is in strict mode or has a filter that the calling thread
// lacks. No thread got the filter.
type TSyncError struct {
	// TID is the id of that thread as gettid(2) returns it there, 0 if unknown. It is
	// unknown only with a listener, and then only if the threads' numbers of
	// filters in /proc do not show it.
	TID int
}

// Error implements error.
func (e *TSyncError) Error() string {
	thread := "a thread"
	if e.TID > 0 {
		thread += " (id " + strconv.Itoa(e.TID) + ")"
	}
	return "loader: " + thread + " cannot be synchronised: it is in strict mode or has a filter that the calling thread lacks" +
		" (install for all threads before threads confine themselves, or only on this thread)"
}

// Unwrap returns ESRCH, the kernel's number for it.
func (e *TSyncError) Unwrap() error { return syscall.ESRCH }

// An UnsupportedError names what the running kernel lacks of what was asked. It
// wraps [errors.ErrUnsupported].
type UnsupportedError struct {
	Flags   cbpf.Flag     // unsupported flags, 0 if none
	Actions []cbpf.Action // unsupported action classes that the program returns
}

// Error implements error.
func (e *UnsupportedError) Error() string {
	var lacking []string
	for i := range flagSince {
		if f := cbpf.Flag(1) << i; e.Flags&f != 0 {
			lacking = append(lacking, f.String()+" (new in Linux "+flagSince[i]+")")
		}
	}
	for _, a := range e.Actions {
		lacking = append(lacking, "action "+a.String())
	}
	text := "loader: this kernel does not support " + strings.Join(lacking, ", ")
	if e.Flags&cbpf.TSyncESRCH != 0 {
		text += " (without TSYNC_ESRCH only a single thread can have a listener)"
	}
	return text
}

// Unwrap returns [errors.ErrUnsupported].
func (e *UnsupportedError) Unwrap() error { return errors.ErrUnsupported }
