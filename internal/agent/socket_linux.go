package agent

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// private gives a socket's file, which does not exist yet, the mode 0600: the file gets
// the mode of the socket (net/unix/af_unix.c: unix_bind_bsd).
func private(_, _ string, c syscall.RawConn) error {
	var err error
	closed := c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), 0o600) })
	return errors.Join(closed, err)
}
