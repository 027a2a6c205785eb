package oci_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/oci"
)

// container returns the state that a runtime sends.
func container() *specs.ContainerProcessState {
	return &specs.ContainerProcessState{
		Version:  specs.Version,
		Fds:      []string{"of", "no", "matter"},
		Pid:      4711,
		Metadata: "for the agent",
		State: specs.State{
			Version: specs.Version, ID: "one", Status: specs.StateCreating, Pid: 4711, Bundle: "/bundle",
			Annotations: map[string]string{"key": "value"},
		},
	}
}

// A handOver installs a filter whose NOTIFY is for getppid, hands the listener
// over to the agent at a path and prints what getppid returns.
func handOver() error {
	failed := make(chan error)
	go func() { failed <- confineAndHandOver(os.Args[1]) }()
	return <-failed
}

func confineAndHandOver(path string) error {
	if err := mayInstall(); err != nil {
		return err
	}
	fd, err := oci.Install(&specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"getppid"}, Action: specs.ActNotify}},
	}, oci.Options{})
	if err != nil {
		return err
	}
	listener := os.NewFile(uintptr(fd), "listener")
	if err := oci.SendState(context.Background(), path, container(), listener); err != nil {
		return err
	}
	if err := listener.Close(); err != nil { // otherwise nobody would be missed
		return err
	}
	for range 2 {
		ppid, _, errno := unix.Syscall(unix.SYS_GETPPID, 0, 0, 0)
		fmt.Println(ppid, errno)
	}
	return nil
}

// agent listens where a runtime shall connect.
func agent(t testing.TB, path string) *net.UnixListener {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.(*net.UnixListener)
}

// short returns a path in a directory whose name is short enough for a socket.
func short(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "oci")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "agent")
}

func TestHandOver(t *testing.T) {
	for _, path := range []string{short(t), fmt.Sprintf("@seccompile-%d", os.Getpid())} {
		socket := agent(t, path)
		cmd := reexec.Command(t, "hand over", path)
		var stdout bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		conn, err := socket.AcceptUnix()
		if err != nil {
			t.Fatal(err)
		}
		state, l, err := oci.ReceiveState(t.Context(), conn)
		if err != nil {
			t.Fatal(err)
		}
		want := container()
		want.Fds = []string{specs.SeccompFdName}
		if diff := cmp.Diff(want, state); diff != "" {
			t.Error(diff)
		}
		answerOnce(t, l)
		if err := l.Close(); err != nil { // the agent is gone
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		if got, want := stdout.String(), "4711 errno 0\n"; !strings.HasPrefix(got, want) || !strings.Contains(got, "function not implemented") {
			t.Errorf("%s: %q, want %q and ENOSYS", path, got, want)
		}
	}
}

// answerOnce lets the first call of a target return 4711.
func answerOnce(t *testing.T, l *loader.Listener) {
	t.Helper()
	for {
		n, err := l.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		switch err := n.Return(4711); {
		case err == nil:
			return
		case !errors.Is(err, loader.ErrGone): // a signal makes the target call anew
			t.Fatal(err)
		}
	}
}

// lent returns a listener whose target has nothing to say.
func lent(t *testing.T) *loader.Listener {
	t.Helper()
	path := short(t)
	socket := agent(t, path)
	cmd := reexec.Command(t, "hand over", path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := socket.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	_, l, err := oci.ReceiveState(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // closing lets the target go
		_ = l.Close()
		_ = cmd.Wait()
	})
	return l
}

// connect returns the two ends of a connection to an agent.
func connect(t testing.TB) (runtime, agent *net.UnixConn) {
	t.Helper()
	runtime, agent, err := connection()
	if err != nil {
		t.Fatal(err)
	}
	return runtime, agent
}

func connection() (runtime, agent *net.UnixConn, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	var ends [2]*net.UnixConn
	for i, fd := range pair {
		f := os.NewFile(uintptr(fd), "socket")
		conn, err := net.FileConn(f)
		if err != nil {
			return nil, nil, err
		}
		_ = f.Close()
		ends[i] = conn.(*net.UnixConn)
	}
	return ends[0], ends[1], nil
}

// put writes one message with files.
func put(conn *net.UnixConn, text string, files ...*os.File) error {
	var fds []int
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	var oob []byte
	if fds != nil {
		oob = unix.UnixRights(fds...)
	}
	_, _, err := conn.WriteMsgUnix([]byte(text), oob, nil)
	return err
}

const document = `{"ociVersion": "1.3.0", "fds": ["seccompFd"], "pid": 1, "state": {"ociVersion": "1.3.0", "id": "x", "status": "creating", "bundle": "/"}}`

func TestReceiveState(t *testing.T) {
	l := lent(t)
	null := devNull(t)
	pages := strings.Repeat("x", maxState/2)
	for _, test := range []struct {
		rule string
		send func(t *testing.T, conn *net.UnixConn) error
	}{
		{"one message", func(_ *testing.T, c *net.UnixConn) error { return put(c, document, l.File()) }},
		{"the connection stays open", func(t *testing.T, c *net.UnixConn) error {
			t.Cleanup(func() { _ = c.Close() })
			c2, err := c.File() // which keeps it open
			t.Cleanup(func() { _ = c2.Close() })
			return errors.Join(err, put(c, document, l.File()))
		}},
		{"several messages", func(_ *testing.T, c *net.UnixConn) error {
			return errors.Join(put(c, document[:1], l.File()), put(c, document[1:20]), put(c, document[20:]))
		}},
		{"other files", func(_ *testing.T, c *net.UnixConn) error {
			return put(c, strings.Replace(document, `["`, `["stdin", "`, 1), null, l.File())
		}},
		{"a large document", func(_ *testing.T, c *net.UnixConn) error {
			text := strings.Replace(document, `"pid"`, `"metadata": "`+pages+`", "pid"`, 1)
			if err := put(c, text[:1], l.File()); err != nil {
				return err
			}
			_, err := c.Write([]byte(text[1:]))
			return err
		}},
		{"unknown keys", func(_ *testing.T, c *net.UnixConn) error {
			return put(c, strings.Replace(document, `{`, `{"new": [{}], `, 1), l.File())
		}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			before := openFiles(t)
			client, server := connect(t)
			sent := make(chan error, 1)
			go func() {
				sent <- test.send(t, client)
				_ = client.Close()
			}()
			state, got, err := oci.ReceiveState(t.Context(), server)
			if err := errors.Join(<-sent, err); err != nil {
				t.Fatal(err)
			}
			if state.State.ID != "x" || !slices.Contains(state.Fds, specs.SeccompFdName) {
				t.Errorf("%+v", state)
			}
			if err := got.Close(); err != nil {
				t.Error(err)
			}
			if test.rule != "the connection stays open" {
				expectOpenFiles(t, before)
			}
		})
	}
}

// maxState is the largest document, in bytes.
const maxState = 1 << 20

func TestReceiveStateRefuses(t *testing.T) {
	null := devNull(t)
	for _, test := range []struct {
		rule string
		send func(conn *net.UnixConn) error
		want string
	}{
		{"nothing", func(*net.UnixConn) error { return nil }, "state: EOF"},
		{"no file", func(c *net.UnixConn) error { return put(c, document) }, "/fds: 1 names for 0 files"},
		{"no name", func(c *net.UnixConn) error {
			return put(c, strings.Replace(document, "seccompFd", "seccompfd", 1), null)
		}, `/fds: expected "seccompFd"`},
		{"no names", func(c *net.UnixConn) error { return put(c, `{}`, null) }, `/fds: expected "seccompFd"`},
		{"the name twice", func(c *net.UnixConn) error {
			return put(c, strings.Replace(document, `["`, `["seccompFd", "`, 1), null, null)
		}, `/fds: "seccompFd" listed twice`},
		{"a file without a name", func(c *net.UnixConn) error { return put(c, document, null, null) }, "/fds: 1 names for 2 files"},
		{"a file that is no listener", func(c *net.UnixConn) error { return put(c, document, null) }, "/fds: loader: ioctl: "},
		{"many files", func(c *net.UnixConn) error { return put(c, document, slices.Repeat([]*os.File{null}, 17)...) }, "more than 16 files"},
		{"as many files as a message can have", func(c *net.UnixConn) error {
			return put(c, document, slices.Repeat([]*os.File{null}, 253)...)
		}, "more than 16 files"},
		{"files with a later message", func(c *net.UnixConn) error {
			return errors.Join(put(c, document[:1], null), drained(c), put(c, document[1:], null))
		}, "files after the first byte"},
		{"a listener only with a later message", func(c *net.UnixConn) error {
			return errors.Join(put(c, document[:1]), drained(c), put(c, document[1:], null))
		}, "files after the first byte"},
		{"half a document", func(c *net.UnixConn) error { return put(c, document[:40], null) }, "unexpected EOF"},
		{"no JSON", func(c *net.UnixConn) error { return put(c, "hello\n", null) }, "invalid character 'h'"},
		{"another type", func(c *net.UnixConn) error { return put(c, `{"fds": "seccompFd"}`, null) }, "cannot unmarshal string"},
		{"no end", func(c *net.UnixConn) error {
			err := put(c, `{"metadata": "`, null)
			for err == nil { // until the agent has enough
				_, err = c.Write(bytes.Repeat([]byte{'x'}, 1<<16))
			}
			return nil
		}, "more than 1048576 bytes"},
		{"no end of nesting", func(c *net.UnixConn) error { _, err := c.Write(bytes.Repeat([]byte{'['}, 50_000)); return err }, "exceeded max depth"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			before := openFiles(t)
			client, server := connect(t)
			sent := make(chan error, 1)
			go func() {
				sent <- test.send(client)
				_ = client.Close()
			}()
			state, l, err := oci.ReceiveState(t.Context(), server)
			if err == nil || state != nil || l != nil {
				t.Fatalf("%v, %v, %v", state, l, err)
			}
			if !strings.HasPrefix(err.Error(), "oci: container process state: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q, want %q", err, test.want)
			}
			if err := <-sent; err != nil && test.rule != "no end of nesting" {
				t.Error(err)
			}
			expectOpenFiles(t, before)
		})
	}
}

// A process that cannot open another file gets none and keeps none.
func TestReceiveStateWhenFull(t *testing.T) { reexec.OK(t, "full") }

func receiveWhenFull() error {
	client, server, err := connection()
	if err != nil {
		return err
	}
	if err := put(client, document, os.Stdin, os.Stdout); err != nil {
		return err
	}
	// The lowest free number is the last that there may be.
	next, err := unix.Dup(0)
	if err != nil {
		return err
	}
	if err := errors.Join(unix.Close(next), unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(next) + 1, Max: uint64(next) + 1})); err != nil {
		return err
	}
	if _, _, err = oci.ReceiveState(context.Background(), server); err == nil || !strings.Contains(err.Error(), "more than this process can open") {
		return fmt.Errorf("with one number left: %v", err)
	}
	if again, err := unix.Dup(0); err != nil || again > next {
		return fmt.Errorf("next number %d, was %d: %v", again, next, err)
	}
	return nil
}

// drained waits until the other end has read everything.
func drained(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	for range 10_000 {
		var waiting int
		closed := raw.Control(func(fd uintptr) { waiting, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
		if err := errors.Join(closed, err); err != nil || waiting == 0 {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return errors.New("nobody reads")
}

func TestReceiveStateEndsWithItsContext(t *testing.T) {
	null := devNull(t)
	for _, text := range []string{"", document[:40]} {
		before := openFiles(t)
		client, server := connect(t)
		if text != "" {
			if err := put(client, text, null); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if _, _, err := oci.ReceiveState(ctx, server); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %q: %v", text, err)
		}
		_ = client.Close()
		expectOpenFiles(t, before)
	}
}

func TestSendStateFails(t *testing.T) {
	null := devNull(t)
	closed := devNull(t)
	_ = closed.Close()
	path := short(t)
	agent(t, path)
	before := openFiles(t)
	for _, test := range []struct {
		rule  string
		path  string
		state *specs.ContainerProcessState
		file  *os.File
		want  string
	}{
		{"no path", "", container(), null, "oci: seccomp listenerPath is not set"},
		{"no agent", "/nowhere/agent", container(), null, "oci: failed to connect with seccomp agent specified in the seccomp profile: "},
		{"no agent in the abstract namespace", "@seccompile-nobody", container(), null, "oci: failed to connect with seccomp agent specified in the seccomp profile: "},
		{"a file, not a socket", os.DevNull, container(), null, "oci: failed to connect with seccomp agent specified in the seccomp profile: "},
		{"a closed listener", path, container(), closed, "oci: seccomp agent at " + path + ": sending the listener: "},
	} {
		if err := oci.SendState(t.Context(), test.path, test.state, test.file); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.rule, err, test.want)
		}
	}
	expectOpenFiles(t, before)
}

func TestSendStateEndsWithItsContext(t *testing.T) {
	path := short(t)
	socket := agent(t, path)
	endless := container()
	endless.Metadata = strings.Repeat("x", 16<<20)
	ctx, cancel := context.WithCancel(t.Context())
	accepted := make(chan *net.UnixConn)
	go func() { // an agent that stops reading
		conn, _ := socket.AcceptUnix()
		_, _ = conn.Read(make([]byte, 1))
		cancel()
		accepted <- conn
	}()
	err := oci.SendState(ctx, path, endless, devNull(t))
	if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "oci: seccomp agent at "+path+": sending the listener: ") {
		t.Error(err)
	}
	_ = (<-accepted).Close()
}

// The document is runtime-spec's, whatever the agent: one object and nothing else.
func TestSendStateSendsOneDocument(t *testing.T) {
	path := short(t)
	socket := agent(t, path)
	sent := make(chan error, 1)
	go func() { sent <- oci.SendState(t.Context(), path, container(), devNull(t)) }()
	conn, err := socket.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(4)) // as much as runc's agent reads
	n, oobn, flags, _, err := conn.ReadMsgUnix(text, oob)
	if err := errors.Join(<-sent, err); err != nil {
		t.Fatal(err)
	}
	if oobn != len(oob) || flags&unix.MSG_CTRUNC != 0 {
		t.Errorf("control message of %d bytes, flags %#x", oobn, flags)
	}
	closeRights(t, oob)
	var state specs.ContainerProcessState
	if err := json.Unmarshal(text[:n], &state); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{specs.SeccompFdName}, state.Fds); diff != "" {
		t.Error(diff)
	}
	if n, err := conn.Read(text); n != 0 || err == nil {
		t.Errorf("%d more bytes, %v", n, err)
	}
}

func closeRights(t *testing.T, oob []byte) {
	t.Helper()
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d control messages, %v", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		t.Fatalf("files %v, %v", fds, err)
	}
	_ = unix.Close(fds[0])
}

func devNull(t testing.TB) *os.File {
	t.Helper()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// openFiles returns the number of files that this process has open.
func openFiles(t testing.TB) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// expectOpenFiles fails unless the number of open files becomes want soon.
func expectOpenFiles(t testing.TB, want int) {
	t.Helper()
	got := openFiles(t)
	for range 1000 {
		if got == want {
			return
		}
		time.Sleep(time.Millisecond)
		got = openFiles(t)
	}
	t.Errorf("%d open files, were %d", got, want)
}

func FuzzReceiveState(f *testing.F) {
	f.Add([]byte(document), 1, uint8(1))
	f.Add([]byte(document), 40, uint8(0))
	f.Add([]byte(`{"fds": ["a", "seccompFd"]}`), 27, uint8(2))
	f.Add([]byte(`[[[[`), 2, uint8(17))
	f.Fuzz(func(t *testing.T, text []byte, cut int, files uint8) {
		null := devNull(t)
		before := openFiles(t)
		client, server := connect(t)
		var sending sync.WaitGroup
		sending.Go(func() {
			cut = max(0, min(cut, len(text)))
			_ = put(client, string(text[:cut]), slices.Repeat([]*os.File{null}, int(files%20))...)
			_ = put(client, string(text[cut:]))
			_ = client.Close()
		})
		if _, _, err := oci.ReceiveState(t.Context(), server); err == nil {
			t.Error("took a file that is no listener")
		}
		sending.Wait()
		expectOpenFiles(t, before)
	})
}
