package loader

import (
	"encoding/binary"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// send answers the call.
func (n *Notification) send(r response) error {
	size := respSize
	if n.listener != nil {
		size = n.listener.respSize
	}
	b := make([]byte, size)
	binary.NativeEndian.PutUint64(b, n.ID)
	binary.NativeEndian.PutUint64(b[respVal:], uint64(r.value))
	binary.NativeEndian.PutUint32(b[respError:], uint32(-r.errno))
	if r.proceed {
		binary.NativeEndian.PutUint32(b[respFlags:], unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE)
	}
	_, err := n.listener.ioctl(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&b[0]))
	if err == unix.EINVAL && r.proceed {
		return tooOld("CONTINUE", "5.5")
	}
	return notificationError(err)
}

// notificationError explains what the kernel said about a notification.
func notificationError(err error) error {
	switch err {
	case nil, os.ErrInvalid, os.ErrClosed:
		return err
	case unix.ENOENT, unix.ESRCH:
		return ErrGone
	case unix.EINPROGRESS: // by another process that has the listener
		return ErrAnswered
	}
	return ioctlError(err)
}

func (n *Notification) valid() error {
	id := n.ID
	_, err := n.listener.ioctl(unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&id))
	return notificationError(err)
}

// addfd is struct seccomp_notif_addfd, whose size is part of the request.
type addfd struct {
	id       uint64
	flags    uint32
	from, to uint32
	toFlags  uint32
}

func (n *Notification) addFile(f *os.File, o AddFileOptions) (number int, err error) {
	request := addfd{id: n.ID, to: uint32(o.Number)}
	if o.Replace {
		request.flags |= unix.SECCOMP_ADDFD_FLAG_SETFD
	}
	if o.Answer {
		request.flags |= unix.SECCOMP_ADDFD_FLAG_SEND
	}
	if !o.KeepOnExec {
		request.toFlags = unix.O_CLOEXEC
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	closed := conn.Control(func(from uintptr) {
		request.from = uint32(from)
		var r uintptr
		add := func() { r, err = n.listener.ioctl(unix.SECCOMP_IOCTL_NOTIF_ADDFD, unsafe.Pointer(&request)) }
		if o.Answer {
			holdSignals(add)
		} else {
			add()
		}
		number = int(r)
	})
	switch {
	case closed != nil:
		return 0, os.ErrClosed
	case err == unix.EINVAL && o.Answer:
		return 0, tooOld("answer together with a file", "5.14")
	case err == unix.EINVAL:
		return 0, tooOld("way to add a file", "5.9")
	case err == unix.EMFILE, err == unix.EBADF, err == unix.EBUSY:
		return 0, &Error{Call: "ioctl", Err: err, Reason: "the target cannot have the file (is its table full, the number beyond its limit, or another file on its way?)"}
	}
	return number, notificationError(err)
}

// holdSignals runs f on a thread that takes no signals meanwhile. One that comes
// while the kernel waits for the target to take a file would make the target's
// call return 0, as if that were the file's number (kernel/seccomp.c:
// seccomp_notify_addfd). Only what stops this process can still do that.
func holdSignals(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i]--
	}
	if unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before) == nil {
		defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil) }()
	}
	f()
}
