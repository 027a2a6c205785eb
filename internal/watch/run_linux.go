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
	"sync"
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
	filter   *cbpf.Program // the one that is installed
	process  *os.Process
	socket   socket
	listener *loader.Listener
	runs     bool       // the program, and not what becomes it
	start    uint64     // when it started, as in stat
	earlier  int        // filters
	blind    error      // why what they deny is not seen
	witness  *witness   // nil if there are none, or it would be blind
	telling  sync.Mutex // held while Handle or Denied is called
}

func run(c *Command) (int, error) {
	w, err := launch(c)
	if err != nil {
		return 0, err
	}
	defer w.socket.close()
	defer w.listener.Close()

	ended, served := make(chan struct{}), make(chan struct{})
	var status syscall.WaitStatus
	var waiting error
	go func() {
		defer close(ended)
		if status, waiting = w.wait(); waiting != nil {
			<-served // it may still run
		}
	}()
	stop := w.control(ended)
	err = w.serve()
	close(served)
	if err != nil {
		_ = w.process.Kill()
		w.leave()
	}
	if w.witness != nil {
		w.witness.abandon()
	}
	<-ended
	stop()
	if w.witness != nil {
		w.blind = w.witness.finish()
	}
	if err := errors.Join(err, w.failure()); err != nil {
		return 0, err
	}
	if w.blind != nil && w.Blind != nil {
		w.Blind(w.blind)
	}
	if waiting != nil {
		return 0, waiting
	}
	return exitStatus(status), nil
}

// wait returns how the program has ended.
func (w *watched) wait() (syscall.WaitStatus, error) {
	if w.witness != nil {
		if status, ok := <-w.witness.status; ok { // a tracer is told first
			return syscall.WaitStatus(status), nil
		}
	}
	if state, err := w.process.Wait(); err == nil {
		return state.Sys().(syscall.WaitStatus), nil
	}
	return look(w.process.Pid)
}

// leave stops listening.
func (w *watched) leave() {
	if w.witness != nil {
		w.witness.deaf.Store(true)
	}
	w.listener.Close()
}

// launch starts what becomes the program.
func launch(c *Command) (*watched, error) {
	w := &watched{Command: c, filter: c.Filter}
	if c.Denied != nil {
		w.earlier, w.blind = earlier()
	}
	traced := w.earlier > 0 && w.blind == nil
	if traced {
		// Only a call that ours notifies of shows that an earlier filter was stricter.
		var err error
		if w.filter, err = every(); err != nil {
			return nil, err
		}
	}
	filter, err := w.filter.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("watch: cannot make a socket: %w", err)
	}
	w.socket = ours
	if err := w.spawn(theirs, filter); err != nil {
		ours.close()
		return nil, err
	}
	if traced {
		w.witness = newWitness(w.filter, w.earlier, w.process, func(d *Denial) {
			w.telling.Lock()
			defer w.telling.Unlock()
			c.Denied(d)
		})
	}
	return w, nil
}

func (w *watched) spawn(theirs socket, filter []byte) error {
	cmd := exec.Cmd{
		Path:  "/proc/self/exe",
		Args:  append([]string{os.Args[0], entry, strconv.Itoa(int(theirs)), w.Path}, w.Args...),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}
	if err := w.socket.send(filter); err != nil {
		theirs.close()
		return err
	}
	err := cmd.Start()
	theirs.close()
	if err != nil {
		return fmt.Errorf("watch: cannot run this executable again: %w", err)
	}
	w.process = cmd.Process
	begun, _ := statOf(w.process.Pid)
	w.start = begun.start
	message, files, err := w.socket.receive(0)
	if err == nil && len(files) == 1 {
		file := os.NewFile(uintptr(files[0]), "listener")
		w.listener, err = loader.OpenListener(file)
		if err == nil {
			_ = w.listener.SyncWakeUp() // slower without
			return nil
		}
		_ = file.Close() // it waits for an answer
		_ = cmd.Process.Kill()
	}
	werr := cmd.Wait()
	switch {
	case err == io.EOF:
		return fmt.Errorf("watch: the process that was to become the program ended: %w", werr)
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
		handle := w.handle
		if !w.runs {
			handle = w.before(n)
		} else if w.witness != nil {
			w.witness.hear(n)
		}
		if err := handle(n); err != nil && err != loader.ErrGone {
			return err
		}
	}
}

// handle has a call answered: by Handle, if its filter would have notified of it.
func (w *watched) handle(n *loader.Notification) error {
	if w.witness == nil {
		return w.Handle(n)
	}
	if w.Filter.Eval(&n.Data) != cbpf.Notify {
		return n.Continue()
	}
	w.telling.Lock()
	defer w.telling.Unlock()
	return w.Handle(n)
}

// before returns what handles a call that may come before the program runs: the
// execve(2) is the program's, what else the thread does is not.
func (w *watched) before(n *loader.Notification) func(*loader.Notification) error {
	_, _, err := w.socket.receive(unix.MSG_PEEK | unix.MSG_DONTWAIT)
	if err == io.EOF {
		w.runs = true
	}
	starts := n.Data.NR == unix.SYS_EXECVE && n.Data.Arch == arch.Native().Audit()
	switch {
	case !w.runs && !starts:
		return (*loader.Notification).Continue
	case w.witness != nil && w.runs:
		w.witness.hear(n)
	case w.witness != nil:
		w.witness.start(n.PID)
	}
	return w.handle
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
					if w.Left != nil {
						w.Left(since(w.start, w.earlier))
					}
					w.leave()
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

// exitStatus returns the exit status of a process as shells do.
func exitStatus(s syscall.WaitStatus) int {
	if s.Signaled() {
		return 128 + int(s.Signal())
	}
	return s.ExitStatus()
}
