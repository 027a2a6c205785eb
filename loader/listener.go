package loader

import (
	"context"
	"os"
	"syscall"
)

// A Listener receives the calls for which a filter answers NOTIFY
// (seccomp_unotify(2)): it makes this process the supervisor of the processes that
// the filter confines, the targets. [InstallListener] and [OpenListener] make one.
// Its methods may be used by several goroutines at once; each notification is
// received by one of them.
type Listener struct {
	file *os.File
	conn syscall.RawConn // of file
	// pollable is whether Go's poller waits for the file.
	pollable bool
	// Sizes of struct seccomp_notif and seccomp_notif_resp in bytes, at least
	// those that this package knows; the kernel's may be larger.
	notifSize, respSize int
	// turn is held by the goroutine that waits: the file has one deadline, which
	// is how a context interrupts a wait.
	turn chan struct{}
}

// OpenListener returns the listener of a file that another process passed on,
// which may be in blocking mode. The file is taken over: it is closed, and the
// listener has a duplicate with close-on-exec set. If there is an error f is
// as before.
//
// All duplicates of a listener are one queue. Receive from one of them at a time:
// if somebody else takes the notification that Receive asks for, the kernel waits for
// the next one, and nothing else ends that wait.
func OpenListener(f *os.File) (*Listener, error) { return openListener(f) }

// File returns the listener's file, for passing it to another process. It stays
// the listener's: do not close it.
func (l *Listener) File() *os.File { return l.file }

// Close closes the listener. Once all its duplicates are closed, in other
// processes too, the calls that wait for an answer and all later ones fail with
// ENOSYS. Receive ends with [os.ErrClosed].
func (l *Listener) Close() error { return l.file.Close() }

// SyncWakeUp tells the kernel that supervisor and target take turns, so that it
// runs both on one processor, one handing over to the other. That can make answers
// faster where little else runs; it costs where targets should run in parallel. It
// holds for all duplicates of the listener. The error wraps
// [errors.ErrUnsupported] before Linux 6.6 (SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP).
func (l *Listener) SyncWakeUp() error { return l.syncWakeUp() }

// Receive waits for the next call. Waiting takes no thread. The error is
//   - [io.EOF] once no process has the filter any more (Linux 5.9; earlier
//     kernels do not report it, and Receive keeps waiting),
//   - [os.ErrClosed] after Close,
//   - ctx's error when ctx ends first.
//
// A notification that the kernel has handed over is always returned, also when
// ctx ends meanwhile: somebody has to answer it. One whose target dies before is
// skipped. If a signal takes a target out of its call, and the target then
// makes it again, that is a new notification (unless the filter was installed with
// cbpf.WaitKillableRecv, which delays the signal).
func (l *Listener) Receive(ctx context.Context) (*Notification, error) { return l.receive(ctx) }
