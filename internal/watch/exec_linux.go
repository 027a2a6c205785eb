package watch

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// Exec confines this thread and executes a program on it. The other threads of
// Go's runtime, which make calls of their own that a filter may not foresee, stay
// free and end with execve(2). It returns only if something fails: what confine
// returns, or an [*ExecError].
func Exec(path string, args []string, confine func() error) error {
	// Go has raised the soft limit of open files. Exec puts it back, here with no
	// filter in force yet: no file has an empty name, so that is all it does.
	_ = syscall.Exec("", nil, nil)
	// Under the filter the runtime should make no calls of its own on this thread: no
	// collection, nothing to allocate, and with a fresh time slice no reason to preempt
	// it.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(math.MaxInt64)
	program, err0 := syscall.BytePtrFromString(path)
	argv, err1 := syscall.SlicePtrFromStrings(args)
	env, err2 := syscall.SlicePtrFromStrings(os.Environ())
	if err := cmp.Or(err0, err1, err2); err != nil {
		return &ExecError{path, err}
	}
	failed := &ExecError{Path: path}
	runtime.LockOSThread()
	runtime.Gosched()
	if err := confine(); err != nil {
		return err
	}
	_, _, errno := unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(program)), uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&env[0])))
	failed.Err = errno
	return failed
}

// entry is the first argument of this executable when it is to become a watched
// program. The number of a socket, a path and the program's arguments follow.
const entry = "watch:become"

// start is Main.
func start() {
	if len(os.Args) < 5 || os.Args[1] != entry {
		return
	}
	fd, err := strconv.Atoi(os.Args[2])
	if err != nil {
		return
	}
	become(socket(fd), os.Args[3], os.Args[4:])
	os.Exit(1) // Run has been told why
}

// become confines a thread, passes the listener on and executes the program. If
// that fails it says so.
func become(s socket, path string, args []string) {
	unix.CloseOnExec(int(s))
	filter, _, err := s.receive(0)
	if err != nil {
		return // Run is gone
	}
	p, err := cbpf.Decode(filter, binary.NativeEndian)
	if err != nil {
		_ = s.send([]byte(err.Error()))
		return
	}
	// Once confined the thread may wait for an answer without the scheduler's
	// knowledge, holding what Go calls a processor. There must be others.
	runtime.GOMAXPROCS(4)
	var h handover
	go h.pass(s)
	err = Exec(path, args, func() error {
		_ = os.WriteFile("/proc/thread-self/comm", []byte("seccompile"), 0) // or execve would be called by "exe"
		return holdSignals(func() error {
			// What took time may have used up the time slice. To be preempted behind the
			// installation takes a call that nobody answers yet.
			runtime.Gosched()
			fd, err := loader.InstallDescriptor(p, loader.Options{ThisThread: true, Flags: flags()})
			if err == nil {
				h.give(fd)
			}
			return err
		})
	})
	var failed *ExecError
	if errors.As(err, &failed) {
		if errno, ok := failed.Err.(syscall.Errno); ok {
			_ = s.send([]byte(strconv.Itoa(int(errno))))
		}
		return
	}
	_ = s.send([]byte(err.Error()))
}

// holdSignals runs f while the thread takes no signals. One with which Go preempts
// goroutines could come when the filter is in force and nobody has the listener yet,
// and even the return from its handler is a call that may wait for an answer.
func holdSignals(f func() error) error {
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i]--
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before); err != nil {
		return err
	}
	return errors.Join(f(), unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil))
}

// A handover passes the listener from the confined thread to one that can send it.
// The two have only memory in common: any call of the first may wait for an answer,
// those too with which Go's runtime wakes others.
type handover struct {
	listener atomic.Int64 // its descriptor, plus 1
	passed   atomic.Bool
}

// give waits until the listener has been sent. Once the program is executed it would
// be too late.
func (h *handover) give(fd int) {
	h.listener.Store(int64(fd) + 1)
	for !h.passed.Load() {
	}
}

// pass waits for the listener and sends it to Run.
func (h *handover) pass(s socket) {
	for h.listener.Load() == 0 {
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 50_000}, nil)
	}
	if err := s.send(nil, int(h.listener.Load()-1)); err != nil {
		os.Exit(1) // Run is gone
	}
	h.passed.Store(true)
}

// flags returns the filter flags that make watching fast and exact, as far as the
// kernel has them.
func flags() []loader.Flag {
	features, err := loader.Probe()
	if err != nil {
		return nil // installing tells why
	}
	chosen := []loader.Flag{}
	for _, f := range features.Flags {
		if f == loader.SpecAllow || f == loader.WaitKillableRecv {
			chosen = append(chosen, f)
		}
	}
	return chosen
}
