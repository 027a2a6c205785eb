package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// A watched is a program that was started.
type watched struct {
	*Command
	process  *os.Process
	socket   socket
	listener *loader.Listener
	runs     bool // the program, and not what becomes it
}

func run(c *Command) (int, error) {
	w, err := launch(c)
	if err != nil {
		return 0, err
	}
	defer w.socket.close()
	defer w.listener.Close()

	ended := make(chan struct{})
	var state *os.ProcessState
	var waiting error
	go func() {
		defer close(ended)
		state, waiting = w.process.Wait()
	}()
	stop := w.control(ended)
	err = w.serve()
	if err != nil {
		_ = w.process.Kill()
		w.listener.Close()
	}
	<-ended
	stop()
	if err := errors.Join(err, waiting, w.failure()); err != nil {
		return 0, err
	}
	return exitStatus(state), nil
}

// launch starts what becomes the program.
func launch(c *Command) (*watched, error) {
	filter, err := c.Filter.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("watch: no socket: %w", err)
	}
	w := &watched{Command: c, socket: ours}
	if err := w.spawn(theirs, filter); err != nil {
		ours.close()
		return nil, err
	}
	return w, nil
}

func (w *watched) spawn(theirs socket, filter []byte) error {
	cmd := exec.Cmd{
		Path:  "/proc/self/exe",
		Args:  append([]string{os.Args[0], entry, strconv.Itoa(int(theirs)), w.Path}, w.Args...),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}
	err := w.socket.send(filter)
	if err == nil {
		err = cmd.Start()
	}
	theirs.close()
	if err != nil {
		return fmt.Errorf("watch: this executable cannot be run again: %w", err)
	}
	w.process = cmd.Process
	message, files, err := w.socket.receive(0)
	if err == nil && len(files) == 1 {
		w.listener, err = loader.OpenListener(os.NewFile(uintptr(files[0]), "listener"))
		if err == nil {
			_ = w.listener.SyncWakeUp() // slower without
			return nil
		}
		_ = cmd.Process.Kill()
	}
	werr := cmd.Wait()
	switch {
	case err == io.EOF:
		return fmt.Errorf("watch: the process that should become the program ended: %w", werr)
	case err != nil:
		return err
	}
	return errors.New(string(message))
}

// serve has the calls answered until no process is left that could make any.
func (w *watched) serve() error {
	for {
		n, err := w.listener.Receive(context.Background())
		switch {
		case err == io.EOF, err == os.ErrClosed:
			return nil
		case err != nil:
			return err
		}
		handle := w.Handle
		if !w.runs {
			handle = w.before(&n.Data)
		}
		if err := handle(n); err != nil && err != loader.ErrGone {
			return err
		}
	}
}

// before returns what handles a call that may come before the program runs: the
// execve(2) is the program's, what else the thread does is not.
func (w *watched) before(d *cbpf.Data) func(*loader.Notification) error {
	_, _, err := w.socket.receive(unix.MSG_PEEK | unix.MSG_DONTWAIT)
	if err == io.EOF {
		w.runs = true
	}
	if w.runs || d.NR == unix.SYS_EXECVE && d.Arch == arch.Native().Audit() {
		return w.Handle
	}
	return (*loader.Notification).Continue
}

// failure returns why the program was not executed, nil if it was.
func (w *watched) failure() error {
	message, _, err := w.socket.receive(unix.MSG_DONTWAIT)
	if err != nil {
		return nil
	}
	errno, err := strconv.Atoi(string(message))
	if err != nil {
		return errors.New(string(message))
	}
	return &ExecError{w.Path, syscall.Errno(errno)}
}

// patience is how long the kernel may take to find that a program that has ended
// left nobody behind.
const patience = 200 * time.Millisecond

// control passes signals on until the program has ended. From then on they end
// the run. It stops when the function that it returns is called.
func (w *watched) control(ended <-chan struct{}) (stop func()) {
	signals := make(chan os.Signal, 16)
	for _, s := range []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2} {
		if !signal.Ignored(s) { // or the program would not inherit that
			signal.Notify(signals, s)
		}
	}
	if !signal.Ignored(unix.SIGPIPE) {
		// For good: when this process has more to say and nobody listens any more, it
		// must not die before it has written what it found out.
		signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	}
	done := make(chan struct{})
	go func() {
		alone := false
		orphaned := (<-chan time.Time)(nil)
		for {
			select {
			case <-done:
				return
			case <-ended:
				alone, ended = true, nil
				orphaned = time.After(patience)
			case <-orphaned:
				if w.Orphaned != nil {
					w.Orphaned()
				}
			case s := <-signals:
				switch {
				case !alone && !fromTerminal(s):
					_ = w.process.Signal(s)
				case alone && s != unix.SIGUSR1 && s != unix.SIGUSR2:
					w.listener.Close()
				}
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}

// fromTerminal reports whether a signal may come from a terminal, which sends it
// to the program as well.
func fromTerminal(s os.Signal) bool {
	if s != unix.SIGINT && s != unix.SIGQUIT {
		return false
	}
	fd, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// exitStatus returns the status of a process as shells tell it.
func exitStatus(s *os.ProcessState) int {
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return s.ExitCode()
}
