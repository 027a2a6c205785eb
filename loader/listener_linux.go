package loader

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
)

// Layout of the kernel's structures (linux/seccomp.h: seccomp_notif,
// seccomp_notif_resp), in bytes.
const (
	notifPID  = 8
	notifData = 16
	notifSize = notifData + cbpf.DataSize

	respVal   = 8
	respError = 16
	respFlags = 20
	respSize  = 24
)

// listenerSizes asks for the sizes of the kernel's structures, which may be
// larger than those that this package knows: then memory for them must be, too.
func listenerSizes() (notif, resp int, err error) {
	notif, resp, data, err := notifSizes()
	switch {
	case err != nil:
		return 0, 0, err
	case notif == 0:
		return 0, 0, &UnsupportedError{Flags: cbpf.NewListener}
	case notif < notifSize || resp < respSize || data < cbpf.DataSize:
		return 0, 0, &Error{
			Call: "seccomp",
			Err:  errors.ErrUnsupported,
			Reason: "the kernel's notifications have " + strconv.Itoa(notif) + ", answers " + strconv.Itoa(resp) + " and calls " + strconv.Itoa(data) +
				" bytes, less than the 80, 24 and 64 of Linux 5.0 (is seccomp(2) emulated here?)",
		}
	}
	return notif, resp, nil
}

func openListener(f *os.File) (*Listener, error) {
	notif, resp, err := listenerSizes()
	if err != nil {
		return nil, err
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	var dup error
	if err := conn.Control(func(old uintptr) {
		fd, dup = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 1)
	}); err != nil {
		return nil, err
	}
	if dup != nil {
		return nil, &Error{Call: "fcntl", Err: dup, Reason: "no descriptor for the listener (close files or raise the limit)"}
	}
	if fd == 0 {
		return nil, fakedError("fcntl")
	}
	l := newListener(fd, notif, resp)
	// A listener knows no notification 0.
	var id uint64
	_, err = l.ioctl(unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&id))
	if err == unix.ENOENT {
		_ = f.Close()
		return l, nil
	}
	_ = l.Close()
	if err == nil {
		return nil, fakedError("ioctl")
	}
	return nil, &Error{Call: "ioctl", Err: err, Reason: "the file is not a seccomp listener (pass the one that the filter was installed with)"}
}

// newListener takes a listener's descriptor over. The calls that this takes are
// made by a goroutine of its own: a thread with a filter of its own is locked to
// the caller and cannot run it.
func newListener(fd, notif, resp int) *Listener {
	file := make(chan *os.File)
	go func() {
		// Failing leaves a listener that works but cannot be waited for.
		_ = unix.SetNonblock(fd, true)
		file <- os.NewFile(uintptr(fd), "seccomp listener")
	}()
	l := &Listener{file: <-file, notifSize: notif, respSize: resp, turn: make(chan struct{}, 1)}
	l.conn, _ = l.file.SyscallConn() // fails only without a file
	l.pollable = l.file.SetReadDeadline(time.Time{}) == nil
	return l
}

// ioctl asks the kernel about the listener, again if a signal interrupts it.
func (l *Listener) ioctl(request uintptr, arg unsafe.Pointer) (r uintptr, err error) {
	if l == nil || l.conn == nil {
		return 0, os.ErrInvalid
	}
	closed := l.conn.Control(func(fd uintptr) { r, err = ioctl(fd, request, arg) })
	if closed != nil {
		return 0, os.ErrClosed
	}
	return r, err
}

// ioctl is ioctl(2), in the form that the scheduler hears of: the kernel may wait
// for a target, which may be a thread of this process.
func ioctl(fd, request uintptr, arg unsafe.Pointer) (uintptr, error) {
	for {
		r, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg))
		switch errno {
		case 0:
			return r, nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

func (l *Listener) syncWakeUp() error {
	if l == nil || l.conn == nil {
		return os.ErrInvalid
	}
	// The argument is the flags themselves.
	var errno unix.Errno
	closed := l.conn.Control(func(fd uintptr) {
		_, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
	})
	switch {
	case closed != nil:
		return os.ErrClosed
	case errno == unix.EINVAL:
		return tooOld("wake-ups on one processor", "6.6")
	case errno != 0:
		return ioctlError(errno)
	}
	return nil
}

func (l *Listener) receive(ctx context.Context) (*Notification, error) {
	if l == nil || l.conn == nil {
		return nil, os.ErrInvalid
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	}
	if ctx.Err() != nil { // select does not prefer it
		return nil, ctx.Err()
	}
	defer l.interrupt(ctx)()
	for {
		var n *Notification
		var err error
		failure := l.conn.Read(func(fd uintptr) bool {
			n, err = l.take(fd)
			return n != nil || err != nil
		})
		switch {
		case failure == nil:
			return n, err
		case errors.Is(failure, os.ErrDeadlineExceeded) && ctx.Err() != nil:
			return nil, ctx.Err()
		case !l.pollable:
			return nil, &Error{Call: "poll", Err: failure, Reason: "cannot wait for the listener (its filter must allow this process fcntl and epoll_ctl)"}
		}
		// Go's poller takes the file for broken until something happens to it: the kernel
		// says so if a signal interrupts it while it looks (kernel/seccomp.c:
		// seccomp_notify_poll).
		closed := l.conn.Control(func(fd uintptr) {
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 100)
			n, err = l.take(fd)
		})
		switch {
		case closed != nil:
			return nil, os.ErrClosed
		case n != nil || err != nil:
			return n, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
	}
}

// interrupt makes waiting for the file end when ctx does, until the function that
// it returns is called.
func (l *Listener) interrupt(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	disarm := context.AfterFunc(ctx, func() {
		_ = l.file.SetReadDeadline(time.Unix(0, 1)) // fails only if closed
		close(done)
	})
	return func() {
		if !disarm() {
			<-done
			_ = l.file.SetReadDeadline(time.Time{})
		}
	}
}

// take receives a notification if one waits. It returns nil, nil if none does.
func (l *Listener) take(fd uintptr) (*Notification, error) {
	for {
		// Receiving would wait, even though the file is in non-blocking mode
		// (kernel/seccomp.c: seccomp_notify_recv).
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		_, err := unix.Poll(ready, 0)
		switch got := ready[0].Revents; {
		case err == unix.EINTR || got&unix.POLLERR != 0: // a signal, in both cases
			continue
		case err != nil:
			return nil, ioctlError(err)
		case got&unix.POLLIN != 0:
		case got&unix.POLLHUP != 0:
			return nil, io.EOF
		default:
			return nil, nil
		}
		b := make([]byte, l.notifSize) // must be zero
		switch _, err := ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&b[0])); err {
		case nil:
			n := l.notification(b)
			if n.Data.Arch == 0 { // no ABI has this number
				return nil, fakedError("ioctl")
			}
			return n, nil
		case unix.ENOENT: // it died since
		default:
			return nil, ioctlError(err)
		}
	}
}

// ended reports whether no process has the filter any more, or the listener is
// closed.
func (l *Listener) ended() (ended bool) {
	closed := l.conn.Control(func(fd uintptr) {
		hangUp := []unix.PollFd{{Fd: int32(fd)}}
		_, err := unix.Poll(hangUp, 0)
		ended = err == nil && hangUp[0].Revents&unix.POLLHUP != 0
	})
	return ended || closed != nil
}

// notification decodes struct seccomp_notif.
func (l *Listener) notification(b []byte) *Notification {
	order := binary.NativeEndian
	n := &Notification{listener: l, ID: order.Uint64(b), PID: int(order.Uint32(b[notifPID:]))}
	b = b[notifData:]
	n.Data.NR = order.Uint32(b[cbpf.OffNR:])
	n.Data.Arch = order.Uint32(b[cbpf.OffArch:])
	n.Data.IP = order.Uint64(b[cbpf.OffIP:])
	for i := range n.Data.Args {
		n.Data.Args[i] = order.Uint64(b[cbpf.OffArgs+8*i:])
	}
	return n
}

// tooOld says that the kernel has listeners but not what was asked of one.
func tooOld(what, since string) error {
	return &Error{Call: "ioctl", Err: errors.ErrUnsupported, Reason: "this kernel has no " + what + " (new in Linux " + since + ")"}
}

// ioctlError explains an error number that the kernel has no reason to return.
func ioctlError(err error) error {
	return &Error{Call: "ioctl", Err: err, Reason: "an earlier filter or a security module denies the call (let it allow ioctl and poll)"}
}
