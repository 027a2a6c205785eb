package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/loader"
)

func sendState(ctx context.Context, path string, state *specs.ContainerProcessState, listener *os.File) error {
	if path == "" {
		return errors.New("oci: seccomp listenerPath is not set (name the agent's socket in the profile)")
	}
	document := *state
	document.Fds = []string{specs.SeccompFdName}
	text, err := json.Marshal(&document)
	if err != nil {
		return fmt.Errorf("oci: container process state: %w", err)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("oci: failed to connect with seccomp agent specified in the seccomp profile: %w", err)
	}
	defer conn.Close()
	defer interruptible(ctx, conn)()
	if err := send(conn.(*net.UnixConn), text, listener); err != nil {
		return fmt.Errorf("oci: seccomp agent at %s: sending the listener: %w", path, because(ctx, err))
	}
	return nil
}

// send writes text, and with its first byte the file.
func send(conn *net.UnixConn, text []byte, file *os.File) error {
	raw, err := file.SyscallConn() // [os.File.Fd] would change the file's mode
	if err != nil {
		return err
	}
	var n int
	closed := raw.Control(func(fd uintptr) {
		n, _, err = conn.WriteMsgUnix(text, unix.UnixRights(int(fd)), nil)
	})
	if err := errors.Join(closed, err); err != nil {
		return err
	}
	if n < len(text) {
		_, err = conn.Write(text[n:])
	}
	return err
}

// interruptible makes reading and writing fail when ctx ends, until stop is called.
func interruptible(ctx context.Context, conn net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(0, 1)) })
}

// because returns ctx's error instead of the one that it caused.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return ctx.Err()
	}
	return err
}

// Limits on what a runtime may send. The specification has one file.
const (
	maxState = 1 << 20 // bytes of JSON
	maxFiles = 16
)

func receiveState(ctx context.Context, conn *net.UnixConn) (*specs.ContainerProcessState, *loader.Listener, error) {
	defer conn.Close()
	defer interruptible(ctx, conn)()
	r := &stateReader{conn: conn}
	defer r.closeFiles()
	state := new(specs.ContainerProcessState)
	if err := json.NewDecoder(r).Decode(state); err != nil {
		if r.err != nil {
			err = r.err // the decoder may hide it
		}
		return nil, nil, fmt.Errorf("oci: container process state: %w", because(ctx, err))
	}
	listener, err := r.listener(state.Fds)
	if err != nil {
		return nil, nil, fmt.Errorf("oci: container process state: /fds: %w", err)
	}
	return state, listener, nil
}

// A stateReader reads the document of a connection and collects the files that
// come along.
type stateReader struct {
	conn  *net.UnixConn
	n     int // bytes read
	files []int
	err   error // why reading failed
}

// Read implements io.Reader.
func (r *stateReader) Read(b []byte) (int, error) {
	if r.err == nil {
		n, err := r.receive(b)
		if err == nil {
			return n, nil
		}
		r.err = err
	}
	return 0, r.err
}

func (r *stateReader) receive(b []byte) (int, error) {
	if r.n >= maxState {
		return 0, fmt.Errorf("more than %d bytes", maxState)
	}
	oob := make([]byte, unix.CmsgSpace(4*maxFiles))
	n, oobn, flags, _, err := r.conn.ReadMsgUnix(b, oob) // closed on exec
	files, malformed := received(oob[:oobn])
	r.files = append(r.files, files...)
	first := r.n == 0
	r.n += n
	switch {
	case errors.Is(err, io.EOF) && first:
		return 0, io.EOF
	case errors.Is(err, io.EOF):
		return 0, io.ErrUnexpectedEOF
	case err != nil:
		return 0, err
	case malformed != nil:
		return 0, malformed
	case flags&unix.MSG_CTRUNC != 0:
		return 0, fmt.Errorf("more than %d files, or more than this process can open", maxFiles)
	case len(files) > 0 && !first:
		return 0, errors.New("files after the first byte")
	}
	return n, nil
}

// received returns the files of a control message.
func received(oob []byte) ([]int, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	var files []int
	for i := range messages {
		if messages[i].Header.Type != unix.SCM_RIGHTS {
			continue // credentials, if the socket asks for them
		}
		some, failed := unix.ParseUnixRights(&messages[i])
		files = append(files, some...)
		err = errors.Join(err, failed)
	}
	return files, err
}

// listener returns the listener among the files. names are those of all files.
func (r *stateReader) listener(names []string) (*loader.Listener, error) {
	i := slices.Index(names, specs.SeccompFdName)
	switch {
	case i < 0:
		return nil, fmt.Errorf("expected %q", specs.SeccompFdName)
	case slices.Contains(names[i+1:], specs.SeccompFdName):
		return nil, fmt.Errorf("%q listed twice", specs.SeccompFdName)
	case len(names) != len(r.files):
		return nil, fmt.Errorf("%d names for %d files", len(names), len(r.files))
	}
	file := os.NewFile(uintptr(r.files[i]), specs.SeccompFdName)
	r.files[i] = -1
	listener, err := loader.OpenListener(file)
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return listener, nil
}

func (r *stateReader) closeFiles() {
	for _, fd := range r.files {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}
