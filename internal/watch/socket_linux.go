package watch

import (
	"io"

	"golang.org/x/sys/unix"
)

// A socket is one end of the pair between Run and the process that becomes the
// program. Run sends the filter. The other end answers with the listener, and with a
// text if it fails: an error before, and an error number of execve(2) after that.
// It is closed on exec, so its end says that the program runs.
type socket int

// maxMessage is the largest message: the longest filter.
const maxMessage = 1 << 16

// socketPair returns both ends. Ours is closed on exec.
func socketPair() (ours, theirs socket, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, err
	}
	ours, theirs = socket(fds[0]), socket(fds[1])
	if _, err := unix.FcntlInt(uintptr(theirs), unix.F_SETFD, 0); err != nil {
		ours.close()
		theirs.close()
		return -1, -1, err
	}
	return ours, theirs, nil
}

func (s socket) close() { _ = unix.Close(int(s)) }

// send sends a message, perhaps with files. It never raises SIGPIPE.
func (s socket) send(message []byte, files ...int) error {
	if len(message) == 0 {
		message = []byte{0} // an empty message looks like the end
	}
	var rights []byte
	if len(files) > 0 {
		rights = unix.UnixRights(files...)
	}
	for {
		err := unix.Sendmsg(int(s), message, rights, nil, unix.MSG_NOSIGNAL)
		switch errno, _ := err.(unix.Errno); errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return barred("sendmsg", errno)
		}
	}
}

// receive returns the next message and its files, or io.EOF once the other end is
// closed.
func (s socket) receive(flags int) (message []byte, files []int, err error) {
	message, rights := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	for {
		n, m, _, _, err := unix.Recvmsg(int(s), message, rights, flags|unix.MSG_CMSG_CLOEXEC)
		switch {
		case err == unix.EINTR:
			continue
		case err == nil && n == 0, err == unix.ECONNRESET:
			return nil, nil, io.EOF
		case err != nil:
			return nil, nil, barred("recvmsg", err.(unix.Errno))
		}
		controls, err := unix.ParseSocketControlMessage(rights[:m])
		for _, c := range controls {
			if files, err = unix.ParseUnixRights(&c); err != nil {
				return nil, nil, err
			}
		}
		return message[:n], files, err
	}
}
