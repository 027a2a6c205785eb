package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Socket is where container runtimes connect.
type Socket struct {
	listener *net.UnixListener
	path     string
	file     fs.FileInfo
	close    sync.Once
}

// Listen makes a socket that only this process's user, and root, can connect to. A socket
// at the same path that nobody listens at any more is replaced; anything else there is an
// error.
func Listen(path string) (*Socket, error) {
	if strings.HasPrefix(path, "@") {
		return nil, fmt.Errorf("agent: %s: every user can connect to an abstract socket (name a file)", path)
	}
	const most = 107 // sys/un.h: sun_path has 108 bytes, the last of which ends it
	if len(path) > most {
		return nil, fmt.Errorf("agent: %s: the path of a socket has %d bytes at most, and this has %d (use a shorter one)", path, most, len(path))
	}
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("agent: %s: %w", path, err)
	}
	config := net.ListenConfig{Control: private}
	l, err := config.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("agent: %s: %w", path, because(err))
	}
	s := &Socket{listener: l.(*net.UnixListener), path: path}
	s.listener.SetUnlinkOnClose(false) // it may be another's by then
	if s.file, err = os.Lstat(path); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("agent: %w", err)
	}
	return s, nil
}

// Close closes the socket and removes its file.
func (s *Socket) Close() {
	s.close.Do(func() {
		if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.file) {
			_ = os.Remove(s.path)
		}
		_ = s.listener.Close()
	})
}

// removeStale removes a socket that an agent left behind when it was killed.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return because(err)
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("exists and is not a socket (name another file)")
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		_ = conn.Close()
		return errors.New("an agent listens there already (stop it, or name another file)")
	case errors.Is(err, syscall.ECONNREFUSED):
		return because(os.Remove(path))
	}
	return because(err)
}

// because returns the reason of an error that names the path once more.
func because(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
