package agent_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/internal/agent"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/oci"
)

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func() error{"container": container})
}

// container hands its listener over, in the name of the container that its arguments
// describe, and makes a call for each line that it reads.
func container() error {
	failed := make(chan error)
	go func() { failed <- confined(os.Args[1], os.Args[2], os.Args[3]) }()
	return <-failed
}

func confined(socket, id, bundle string) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
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
	state := &specs.ContainerProcessState{Version: specs.Version, Pid: os.Getpid(), State: specs.State{ID: id, Bundle: bundle}}
	if err := errors.Join(oci.SendState(context.Background(), socket, state, listener), listener.Close()); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		_, _, errno := unix.Syscall(unix.SYS_GETPPID, 0, 0, 0)
		fmt.Println(errno)
	}
	return nil
}

// A process is a container's.
type process struct {
	*exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Reader
}

func start(t *testing.T, socket, id, bundle string) *process {
	t.Helper()
	p := &process{Cmd: reexec.Command(t, "container", socket, id, bundle)}
	out, err1 := p.StdoutPipe()
	in, err2 := p.StdinPipe()
	if err := errors.Join(err1, err2, p.Start()); err != nil {
		t.Fatal(err)
	}
	p.stdin, p.lines = in, bufio.NewReader(out)
	return p
}

// call has the process make a call and returns what came of it.
func (p *process) call(t *testing.T) string {
	t.Helper()
	if _, err := io.WriteString(p.stdin, "\n"); err != nil {
		t.Fatal(err)
	}
	line, err := p.lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func (p *process) end(t *testing.T) {
	t.Helper()
	if err := errors.Join(p.stdin.Close(), p.Wait()); err != nil {
		t.Error(err)
	}
}

// A log is what an agent did.
type log struct {
	mu     sync.Mutex
	events []string
}

func (l *log) add(event string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, event)
}

// await waits for an event and everything before it.
func (l *log) await(t *testing.T, event string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		l.mu.Lock()
		events := slices.Clone(l.events)
		l.mu.Unlock()
		if slices.ContainsFunc(events, func(e string) bool { return strings.HasSuffix(e, event) }) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %q in %q", event, events)
		}
	}
}

// A session writes what happens to it to a log.
type session struct {
	*log
	name string
	busy bool
}

func (s *session) Handle(n *loader.Notification) error {
	if s.busy { // a race is an error under the race detector, too
		s.add(s.name + ": two calls at once")
	}
	s.busy = true
	defer func() { s.busy = false }()
	s.add(s.name + ": call")
	if s.name == "helpless" {
		return errors.New("no idea")
	}
	return n.Continue()
}

func (s *session) End() { s.add(s.name + ": end") }

// serve runs an agent until the test or stop ends it.
func serve(t *testing.T) (socket string, l *log, stop func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent") // whose name is short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket = filepath.Join(dir, "socket")
	s, err := agent.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	l = new(log)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		(&agent.Agent{
			Begin: func(name string, _ int) (agent.Session, error) {
				if name == "unwelcome" {
					return nil, errors.New("not here")
				}
				l.add(name + ": begin")
				return &session{log: l, name: name}, nil
			},
			Warn: func(err error) { l.add("warning: " + err.Error()) },
		}).Serve(ctx, s)
	}()
	stop = func() {
		cancel()
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			t.Fatal("the agent does not stop")
		}
	}
	t.Cleanup(stop)
	return socket, l, stop
}

// Listeners of one container are one session; others have sessions of their own, even if
// they have the same ID.
func TestContainers(t *testing.T) {
	socket, l, _ := serve(t)
	first := start(t, socket, "web", "/a")
	l.await(t, "web: begin")
	executed := start(t, socket, "web", "/a") // as runc exec does
	crun := start(t, socket, "web", ".")      // as crun exec does
	for _, p := range []*process{executed, crun} {
		if got := p.call(t); got != "errno 0" {
			t.Errorf("a process that joined: %s", got)
		}
	}
	other := start(t, socket, "web", "/b")
	l.await(t, "web-2: begin")
	for _, p := range []*process{first, executed, other} {
		if got := p.call(t); got != "errno 0" {
			t.Errorf("the call returned %s", got)
		}
	}
	first.end(t)
	unknown := start(t, socket, "web", ".") // of two
	l.await(t, "web-3: begin")
	unknown.end(t)
	crun.end(t)
	if got := executed.call(t); got != "errno 0" {
		t.Errorf("after the first process: %s", got)
	}
	executed.end(t)
	l.await(t, "web: end")
	again := start(t, socket, "web", "/a")
	again.call(t)
	again.end(t)
	other.end(t)
	l.await(t, "web-2: end")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		l.mu.Lock()
		slices.Sort(l.events)
		got := strings.Join(l.events, "\n")
		l.mu.Unlock()
		want := strings.Join([]string{
			"web-2: begin", "web-2: call", "web-2: end", "web-3: begin", "web-3: end",
			"web: begin", "web: begin", "web: call", "web: call", "web: call", "web: call", "web: call", "web: call", "web: end", "web: end",
		}, "\n")
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// An agent that stops ends all sessions, and the containers' calls fail with ENOSYS.
func TestStop(t *testing.T) {
	socket, l, stop := serve(t)
	p := start(t, socket, "web", "/a")
	p.call(t)
	stop()
	l.await(t, "web: end")
	if got := p.call(t); got != unix.ENOSYS.Error() {
		t.Errorf("the call returned %s", got)
	}
	p.end(t)
	if _, err := os.Lstat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

// A call that cannot be handled is denied, and said once.
func TestFailures(t *testing.T) {
	socket, l, _ := serve(t)
	p := start(t, socket, "helpless", "/a")
	for range 2 {
		if got := p.call(t); got != unix.EPERM.Error() {
			t.Errorf("the call returned %s", got)
		}
	}
	p.end(t)
	l.await(t, "helpless: end")
	l.mu.Lock()
	warnings := slices.DeleteFunc(slices.Clone(l.events), func(e string) bool { return !strings.HasPrefix(e, "warning") })
	l.mu.Unlock()
	if want := []string{"warning: agent: helpless: a call failed with EPERM: no idea"}; !slices.Equal(warnings, want) {
		t.Errorf("%q, want %q", warnings, want)
	}
	p = start(t, socket, "unwelcome", "/a")
	l.await(t, "warning: agent: unwelcome: not here")
	if got := p.call(t); got != unix.ENOSYS.Error() {
		t.Errorf("the call returned %s", got)
	}
	p.end(t)
}

// send sends text, and files with its first byte, and closes the connection.
func send(t *testing.T, socket string, text []byte, files ...*os.File) {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var fds []int
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	var rights []byte
	if fds != nil {
		rights = unix.UnixRights(fds...)
	}
	if len(text) > 0 {
		n, _, err := conn.WriteMsgUnix(text, rights, nil)
		for err == nil && n < len(text) { // the agent may close first
			var more int
			more, err = conn.Write(text[n:])
			n += more
		}
	}
}

// Whoever can connect can send anything. Nothing of it is kept, and containers go on.
func TestHostileConnections(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	before := resources(t)
	socket, l, stop := serve(t)
	p := start(t, socket, "web", "/a")
	p.call(t)
	state := func(fds ...string) []byte {
		text, err := json.Marshal(&specs.ContainerProcessState{Fds: fds, State: specs.State{ID: "evil"}})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	many := slices.Repeat([]*os.File{null}, 100)
	for _, tt := range []struct {
		rule  string
		text  []byte
		files []*os.File
		want  string
	}{
		{"garbage", []byte("\x00\xff garbage"), nil, "invalid character"},
		{"a truncated state", state(specs.SeccompFdName)[:20], nil, "unexpected EOF"},
		{"a huge state", []byte(`{"ociVersion": "` + strings.Repeat("x", 2<<20)), nil, "more than 1048576 bytes"},
		{"no file", state(specs.SeccompFdName), nil, "1 names for 0 files"},
		{"many files", state(specs.SeccompFdName), many, "more than 16 files"},
		{"no name", state(), []*os.File{null}, "expected"},
		{"a file that is not a listener", state(specs.SeccompFdName), []*os.File{null}, "not a seccomp listener"},
	} {
		l.mu.Lock()
		l.events = nil
		l.mu.Unlock()
		send(t, socket, tt.text, tt.files...)
		l.await(t, "")
		l.mu.Lock()
		if got := l.events[0]; !strings.HasPrefix(got, "warning: agent: refused a connection: ") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.rule, got, tt.want)
		}
		l.mu.Unlock()
	}
	l.mu.Lock()
	l.events = nil
	l.mu.Unlock()
	if _, err := agent.Listen(socket); err == nil {
		t.Error("a second agent listens at the same socket")
	}
	send(t, socket, []byte("garbage"))
	l.await(t, "") // what comes later is reported
	l.mu.Lock()
	if got := l.events; len(got) != 1 || !strings.Contains(got[0], "invalid character") {
		t.Errorf("a second agent that only asked led to %q", got)
	}
	l.mu.Unlock()
	var clients []net.Conn
	for range 1000 { // which stay open and say nothing
		conn, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, conn)
	}
	if got := p.call(t); got != "errno 0" {
		t.Errorf("beside 1000 connections the call returned %s", got)
	}
	if n := runtime.NumGoroutine(); n > before.goroutines+200 {
		t.Errorf("%d goroutines for 1000 connections", n)
	}
	for _, c := range clients {
		_ = c.Close()
	}
	late := start(t, socket, "late", "/a")
	if got := late.call(t); got != "errno 0" {
		t.Errorf("after 1000 connections the call returned %s", got)
	}
	late.end(t)
	l.await(t, "late: end")
	stop()
	p.call(t)
	p.end(t)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		now := resources(t)
		if now.goroutines <= before.goroutines && now.files <= before.files {
			break
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("left %+v, before %+v\n%s", now, before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

type kept struct{ goroutines, files int }

// resources counts what this process has.
func resources(t *testing.T) kept {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return kept{runtime.NumGoroutine(), len(files)}
}

// Only the user and root can connect, whatever the umask is.
func TestSocketIsPrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	socket, _, _ := serve(t)
	info, err := os.Stat(socket)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestSocketExists(t *testing.T) {
	socket, _, stop := serve(t)
	refused := func(path, want string) {
		t.Helper()
		if s, err := agent.Listen(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, %v, want %q", s, err, want)
		}
	}
	refused(socket, "an agent listens there already")
	refused(filepath.Join(socket+"-none", "socket"), "no such file or directory")
	refused(filepath.Join(t.TempDir(), strings.Repeat("x", 200)), "107 bytes at most")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(file, "not a socket")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	refused(link, "not a socket")
	if text, err := os.ReadFile(file); string(text) != "mine" {
		t.Errorf("%q, %v", text, err)
	}

	// One that was removed under a running agent is not its own any more.
	if err := os.Remove(socket); err != nil {
		t.Fatal(err)
	}
	second, err := agent.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if _, err := os.Lstat(socket); err != nil {
		t.Errorf("the first agent removed the second one's socket: %v", err)
	}
	second.Close()

	// One that a killed agent left behind is replaced.
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: socket}), unix.Close(fd))
	}
	if err != nil {
		t.Fatal(err)
	}
	third, err := agent.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	third.Close()
}
