package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/oci"
)

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func() error{
		"agent":     func() error { main(); return nil },
		"container": container,
	})
}

// A process is a child that speaks in lines.
type process struct {
	*exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Reader
}

// start runs a child whose lines go to stderr if it is the agent, and otherwise to
// stdout.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: reexec.Command(t, name, args...)}
	pipe := p.StdoutPipe
	if p.Stderr = os.Stderr; name == "agent" {
		p.Stderr, pipe = nil, p.StderrPipe
	}
	out, err := pipe()
	if err == nil {
		p.lines = bufio.NewReader(out)
		p.stdin, err = p.StdinPipe()
	}
	if err := errors.Join(err, p.Start()); err != nil {
		t.Fatal(err)
	}
	return p
}

// expect fails unless the process's next line ends as it should.
func (p *process) expect(t *testing.T, want string) {
	t.Helper()
	line, err := p.lines.ReadString('\n')
	if err != nil || !strings.HasSuffix(line, want+"\n") {
		t.Fatalf("%q, %v; want %q", line, err, want)
	}
}

// ask has a container make a call.
func (p *process) ask(t *testing.T, call, want string) {
	t.Helper()
	if _, err := io.WriteString(p.stdin, call+"\n"); err != nil {
		t.Fatal(err)
	}
	p.expect(t, call+": "+want)
}

func TestAgent(t *testing.T) {
	sockets, err := os.MkdirTemp("", "agent") // whose name is short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(sockets) })
	socket := filepath.Join(sockets, "socket")
	agent := start(t, "agent", "-socket", socket)
	agent.expect(t, "waiting for containers at "+socket)

	dirs := map[string]string{"one": t.TempDir(), "two": t.TempDir()}
	containers := map[string]*process{}
	for id, dir := range dirs {
		if err := os.Symlink("../..", filepath.Join(dir, "out")); err != nil {
			t.Fatal(err)
		}
		containers[id] = start(t, "container", id, socket, dir)
		agent.expect(t, fmt.Sprintf("%s: supervised, process %d", id, containers[id].Process.Pid))
		containers[id].expect(t, "confined")
	}
	for id, c := range containers {
		c.ask(t, "mkdir a", "errno 0")
		c.ask(t, "mkdir a", "file exists")
		c.ask(t, "mkdirat b", "errno 0")
		c.ask(t, "mkdir no/where", "no such file or directory")
		c.ask(t, "mkdir out/side", "operation not permitted")
		agent.expect(t, "path escapes from parent")
		c.ask(t, "chmod a-"+id, "no medium found")
		c.ask(t, "rmdir a-"+id, "errno 0") // executed
		if _, err := os.Stat(filepath.Join(dirs[id], "b-"+id)); err != nil {
			t.Error(err)
		}
	}
	_ = containers["one"].stdin.Close()
	if err := containers["one"].Wait(); err != nil {
		t.Error(err)
	}
	agent.expect(t, "one: gone")

	if err := agent.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	agent.expect(t, "two: left alone")
	if rest, err := io.ReadAll(agent.lines); err != nil || len(rest) > 0 {
		t.Errorf("the agent still says %q, %v", rest, err)
	}
	if err := agent.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
	containers["two"].ask(t, "mkdir c", "function not implemented")
	_ = containers["two"].stdin.Close()
	if err := containers["two"].Wait(); err != nil {
		t.Error(err)
	}
}

// container confines a thread, hands the listener over and makes the calls that it
// reads.
func container() error {
	failed := make(chan error)
	go func() { failed <- confined(os.Args[1], os.Args[2], os.Args[3]) }()
	return <-failed
}

func confined(id, socket, dir string) error {
	if err := errors.Join(os.Chdir(dir), unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); err != nil {
		return err
	}
	fd, err := oci.Install(&specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"mkdir", "mkdirat", "rmdir", "unlinkat", "chmod", "fchmodat"}, Action: specs.ActNotify}},
	}, oci.Options{})
	if err != nil {
		return err
	}
	listener := os.NewFile(uintptr(fd), "listener")
	state := &specs.ContainerProcessState{Version: specs.Version, Pid: os.Getpid(), Metadata: id, State: specs.State{ID: id}}
	if err := errors.Join(oci.SendState(context.Background(), socket, state, listener), listener.Close()); err != nil {
		return err
	}
	fmt.Println("confined")
	for calls := bufio.NewScanner(os.Stdin); calls.Scan(); {
		name, path, _ := strings.Cut(calls.Text(), " ")
		var err error
		switch name {
		case "mkdir":
			err = unix.Mkdir(path, 0o755)
		case "mkdirat":
			var here int
			if here, err = unix.Open(".", unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
				err = unix.Mkdirat(here, path, 0o755)
			}
		case "chmod":
			err = unix.Chmod(path, 0o700)
		case "rmdir":
			err = unix.Rmdir(path)
		default:
			err = fmt.Errorf("no such call")
		}
		if err == nil {
			err = unix.Errno(0)
		}
		fmt.Printf("%s: %v\n", calls.Text(), err)
	}
	return nil
}
