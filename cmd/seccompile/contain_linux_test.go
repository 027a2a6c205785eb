package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
	"unsafe"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/oci"
)

// contain runs a program as a container runtime does: contain PROFILE ID COMMAND [ARG...].
// A second process installs the filter, says by write where its listener is, and executes
// the program once the first has taken the listener from it and handed it to the agent.
func contain() {
	run := startContained
	if os.Getenv("CONTAINED") != "" {
		run = becomeContained
	}
	err := run(os.Args[1], os.Args[2], os.Args[3:])
	if exit, ok := err.(*exec.ExitError); ok {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "contain:", err)
		os.Exit(1)
	}
}

func readSeccomp(path string) (*specs.LinuxSeccomp, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := new(specs.LinuxSeccomp)
	return s, json.Unmarshal(text, s)
}

func startContained(profile, id string, _ []string) error {
	s, err := readSeccomp(profile)
	if err != nil {
		return err
	}
	listeners, theirs, err1 := os.Pipe()
	wait, done, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	cmd := exec.Cmd{
		Path: "/proc/self/exe", Args: os.Args, Env: append(os.Environ(), "CONTAINED=yes"),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, ExtraFiles: []*os.File{theirs, wait},
	}
	if err := errors.Join(cmd.Start(), theirs.Close(), wait.Close()); err != nil {
		return err
	}
	if err := handOver(cmd.Process.Pid, listeners, s.ListenerPath, id); err != nil {
		return errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	if err := done.Close(); err != nil {
		return err
	}
	return cmd.Wait()
}

// handOver passes the listener of a process to the agent.
func handOver(pid int, listeners *os.File, agent, id string) error {
	number := make([]byte, 16)
	n, err := listeners.Read(number)
	if err != nil {
		return fmt.Errorf("the filter was not installed: %w", err)
	}
	theirs, err := strconv.Atoi(string(number[:n]))
	if err != nil {
		return err
	}
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	fd, err := unix.PidfdGetfd(process, theirs, 0)
	if err != nil {
		return err
	}
	listener := os.NewFile(uintptr(fd), "listener")
	state := &specs.ContainerProcessState{
		Version: specs.Version, Pid: pid, State: specs.State{Version: specs.Version, ID: id, Status: specs.StateCreating, Pid: pid, Bundle: "/" + id},
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err = oci.SendState(ctx, agent, state, listener)
	for ctx.Err() == nil && (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ECONNREFUSED)) { // it is about to listen
		time.Sleep(10 * time.Millisecond)
		err = oci.SendState(ctx, agent, state, listener)
	}
	return errors.Join(err, listener.Close())
}

func becomeContained(profile, _ string, args []string) error {
	s, err := readSeccomp(profile)
	if err != nil {
		return err
	}
	filter, err := oci.Compile(s, oci.Options{})
	if err != nil {
		return err
	}
	path, err := exec.LookPath(args[0])
	if err != nil {
		return err
	}
	if err := errors.Join(os.Unsetenv("CONTAINED"), unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); err != nil {
		return err
	}
	unix.CloseOnExec(3)
	unix.CloseOnExec(4)
	return watch.Exec(path, args, func() error {
		fd, err := filter.Install(oci.Options{})
		if err == nil {
			_, err = unix.Write(3, strconv.AppendInt(nil, int64(fd), 10))
			var b [1]byte
			unix.RawSyscall(unix.SYS_READ, 4, uintptr(unsafe.Pointer(&b)), 1) // until the listener is handed over
		}
		return err
	})
}
