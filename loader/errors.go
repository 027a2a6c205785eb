package loader

import (
	"errors"
	"strconv"
	"strings"
	"syscall"

	"github.com/seccompile/seccompile/cbpf"
)

// A problem is a mistake found before the kernel was asked to install anything.
type problem string

func (p problem) Error() string { return "loader: " + string(p) }

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
	// TID is the id of that thread as gettid(2) in it returns, 0 if unknown. It is
	// unknown only with a listener, and then only if the threads' numbers of
	// filters in /proc do not tell.
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
	Flags   Flag          // unsupported flags, 0 if none
	Actions []cbpf.Action // unsupported action classes that the program returns
}

// Error implements error.
func (e *UnsupportedError) Error() string {
	var lacking []string
	for i := range flagTable {
		if f := Flag(1) << i; e.Flags&f != 0 {
			lacking = append(lacking, f.String()+" (new in Linux "+flagTable[i].since+")")
		}
	}
	for _, a := range e.Actions {
		lacking = append(lacking, "action "+a.String())
	}
	text := "loader: this kernel does not support " + strings.Join(lacking, ", ")
	if e.Flags&TSyncESRCH != 0 {
		text += " (without TSYNC_ESRCH only a single thread can have a listener)"
	}
	return text
}

// Unwrap returns [errors.ErrUnsupported].
func (e *UnsupportedError) Unwrap() error { return errors.ErrUnsupported }
