package adopt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/oci"
)

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func() error{"container": container})
}

const patience = time.Minute

// container is a process that goes the way of a runtime's, and then makes two calls that its
// profile notifies of.
func container() error {
	s := &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"mkdirat", "sethostname"}, Action: specs.ActNotify}},
		ListenerPath:  os.Args[1],
	}
	fd, err := oci.Install(s, oci.Options{})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	state := &specs.ContainerProcessState{Version: specs.Version, Pid: os.Getpid(), State: specs.State{ID: "web", Status: specs.StateCreating}}
	listener := os.NewFile(uintptr(fd), specs.SeccompFdName)
	if err := errors.Join(oci.SendState(ctx, s.ListenerPath, state, listener), listener.Close()); err != nil {
		return err
	}
	for _, err := range []error{unix.Mkdirat(unix.AT_FDCWD, os.Args[1]+"-new", 0o700), unix.Sethostname([]byte("new"))} {
		if !errors.Is(err, syscall.ENOSYS) {
			return fmt.Errorf("%v, want ENOSYS", err)
		}
	}
	return nil
}

// The notifier reports each call, which fails, and ends with the container.
func TestNotify(t *testing.T) {
	dir, err := os.MkdirTemp("", "notify") // whose name is short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "socket")
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := socket.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	cmd := reexec.Command(t, "container", path)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := socket.AcceptUnix()
	if err != nil {
		t.Fatal(errors.Join(err, cmd.Process.Kill(), cmd.Wait()))
	}
	defer conn.Close()
	told := make(chan string, 2)
	err = Notify(ctx, conn, func(container, call string) { told <- container + ": " + call })
	if err := errors.Join(err, cmd.Wait()); err != nil {
		t.Fatal(err)
	}
	close(told)
	var got []string
	for call := range told {
		got = append(got, call)
	}
	if want := []string{"web: mkdirat", "web: sethostname"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
