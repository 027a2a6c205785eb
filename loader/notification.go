package loader

import (
	"errors"
	"os"
	"sync"
	"syscall"

	"github.com/seccompile/seccompile/cbpf"
)

var (
	// ErrGone says that a notification is over: its target died, or a signal took
	// it out of the call, which it may make again. Nothing needs to be answered.
	ErrGone = errors.New("loader: the notification is gone")
	// ErrAnswered says that a notification has been answered already.
	ErrAnswered = errors.New("loader: the notification has been answered")
)

// A Notification is a call that waits for its answer. It is answered once, by
// Return, Fail, Continue, or AddFile with Answer set. These and AddFile fail with
// [ErrGone] if nobody waits any more, and with [ErrAnswered], without asking the
// kernel, if an earlier one of them succeeded. After any other error the call
// still waits. All methods may be used by several goroutines at once.
type Notification struct {
	// ID identifies the notification among all of its listener's.
	ID uint64
	// PID is the id of the calling thread as this process sees it, 0 if the
	// thread is not in this process's pid namespace or below it. It may be that of
	// another thread once the notification is gone: see Valid.
	PID int
	// Data is the call as the filter saw it.
	Data cbpf.Data

	listener *Listener
	// answering serialises answers; over is what all later ones get.
	answering sync.Mutex
	over      error
}

// Return makes the call return a value without being executed. Most ABIs have
// error numbers as negative values: -4095 to -1 are for Fail.
func (n *Notification) Return(value int64) error { return n.answer(response{value: value}) }

// Fail makes the call fail with an error number, 1 to 4095, without being
// executed. It is a number of the target's ABI, which may have others than this
// process if one of the two is emulated.
func (n *Notification) Fail(errno syscall.Errno) error {
	if errno < 1 || errno > maxErrno {
		return errors.New("loader: error numbers go from 1 to 4095 (use Return for success)")
	}
	return n.answer(response{errno: int32(errno)})
}

// maxErrno is the largest error number of any ABI (linux/err.h: MAX_ERRNO).
const maxErrno = 4095

// Continue lets the kernel execute the call, as far as the target's other filters
// allow. The error wraps [errors.ErrUnsupported] before Linux 5.5.
//
// Do not use Continue to allow a call because of what its pointers point to: after
// this process has read the memory and before the kernel does, another thread of
// the target, or another process that shares its memory, can change it
// (seccomp_unotify(2)). Where the content matters, do what the call asks for in
// its place, and use Return or AddFile.
func (n *Notification) Continue() error { return n.answer(response{proceed: true}) }

// A response is struct seccomp_notif_resp.
type response struct {
	value   int64
	errno   int32
	proceed bool
}

func (n *Notification) answer(r response) error {
	return n.once(func() (bool, error) { return true, n.send(r) })
}

// once calls the kernel unless the notification is over. What it calls tells
// whether that was meant as the answer.
func (n *Notification) once(call func() (final bool, err error)) error {
	n.answering.Lock()
	defer n.answering.Unlock()
	if n.over != nil {
		return n.over
	}
	final, err := call()
	switch {
	case final && err == nil:
		n.over = ErrAnswered
	case err == ErrGone || err == ErrAnswered:
		n.over = err
	}
	return err
}

// AddFileOptions choose how a file enters the target's table. The zero value
// gives it the lowest free number, closed on exec, and leaves the call waiting.
type AddFileOptions struct {
	// Replace puts the file at Number in place of the file that may be there, as
	// dup3(2) does. Without it Number must be 0.
	Replace bool
	Number  int
	// KeepOnExec leaves the file open when the target executes another program.
	KeepOnExec bool
	// Answer makes the call return the file's number, in one step with adding
	// it. Without it a signal can take the target out of its call between
	// AddFile and Return, which leaves it with a file that it does not know of. The
	// error wraps [errors.ErrUnsupported] before Linux 5.14.
	Answer bool
}

// AddFile puts f into the target's table of open files and returns its number
// there. f stays open here. The error wraps [errors.ErrUnsupported] before Linux
// 5.9; EMFILE says that the target's table is full, EBADF that Number is beyond
// its limit.
func (n *Notification) AddFile(f *os.File, o AddFileOptions) (number int, err error) {
	if o.Number < 0 || !o.Replace && o.Number != 0 || int64(o.Number) > maxFile {
		return 0, errors.New("loader: a file number goes from 0 to 2147483647 and needs Replace")
	}
	err = n.once(func() (bool, error) {
		number, err = n.addFile(f, o)
		return o.Answer, err
	})
	return number, err
}

// maxFile is the largest number that a file can have: the kernel's int.
const maxFile = 1<<31 - 1

// Valid returns nil while the call waits for its answer, [ErrAnswered] or
// [ErrGone] otherwise.
//
// What PID names is the target for sure only if Valid returns nil after it was
// looked up: open files of /proc/PID, a pidfd, or the like first, then ask Valid,
// then use them.
func (n *Notification) Valid() error {
	return n.once(func() (bool, error) { return false, n.valid() })
}

// gone reports whether the call has ended without an answer. It does not wait for
// whoever is giving one.
func (n *Notification) gone() bool {
	if !n.answering.TryLock() {
		return false
	}
	defer n.answering.Unlock()
	if n.over == nil && n.valid() == ErrGone {
		n.over = ErrGone
	}
	return n.over == ErrGone
}

// ReadMemory fills b with the target's memory at addr. As with [io.ReaderAt], the
// error says why fewer bytes than len(b) were read: EFAULT where memory ends. The
// bytes are the target's for sure: the call still waited after they were read.
// Otherwise the count is 0 and the error ErrGone or ErrAnswered.
//
// The target may change its memory at any time: read once, and see Continue.
// Reading needs permission to trace the target (ptrace(2): CAP_SYS_PTRACE, or the
// same user and no security module that objects).
func (n *Notification) ReadMemory(b []byte, addr uint64) (int, error) {
	read, err := n.readMemory(b, addr)
	if over := n.Valid(); over != nil {
		return 0, over
	}
	return read, err
}

// ReadString reads the bytes at addr up to a NUL, which is not returned. The error
// wraps ENAMETOOLONG if there is none in the first limit bytes, and is otherwise
// that of ReadMemory. It never reads beyond the page that has the NUL, so a
// string may end where the memory does.
func (n *Notification) ReadString(addr uint64, limit int) (string, error) {
	s, err := n.readString(addr, limit)
	if over := n.Valid(); over != nil {
		return "", over
	}
	return s, err
}
