package loader

import (
	"errors"
	"syscall"
)

// BreakPoller makes waiting for the listener fail the given number of times, as Go's
// poller does where the kernel says that the file has an error.
func (l *Listener) BreakPoller(times int) { l.conn = &brokenConn{l.conn, times} }

type brokenConn struct {
	syscall.RawConn
	left int
}

func (c *brokenConn) Read(f func(uintptr) bool) error {
	if c.left == 0 {
		return c.RawConn.Read(f)
	}
	c.left--
	return errors.New("not pollable")
}
