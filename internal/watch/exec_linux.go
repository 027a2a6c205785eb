package watch

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// Exec confines this thread and executes a program on it. The other threads of Go's
// runtime, which make calls that the filter may not expect, stay unconfined and end at
// execve(2). Exec returns only on failure: the error of confine, or an [*ExecError].
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
func start() { startWith(loader.InstallDescriptor) }

// An installer is [loader.InstallDescriptor].
type installer func(*cbpf.Program, loader.Options) (fd int, err error)

func startWith(install installer) {
	if len(os.Args) < 5 || os.Args[1] != entry {
		return
	}
	fd, err := strconv.Atoi(os.Args[2])
	if err != nil {
		return
	}
	become(socket(fd), os.Args[3], os.Args[4:], install)
	os.Exit(1) // Run knows why
}

// become confines a thread, passes the listener on and executes the program. If
// that fails it says so.
func become(s socket, path string, args []string, install installer) {
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
	if err := canListen(s); err != nil {
		_ = s.send([]byte(err.Error()))
		return
	}
	// Once confined the thread may wait for an answer without the scheduler's
	// knowledge, holding what Go calls a processor. There must be others.
	runtime.GOMAXPROCS(6)
	var h handover
	for range passers {
		go h.pass(s)
	}
	err = Exec(path, args, func() error {
		_ = os.WriteFile("/proc/thread-self/comm", []byte("seccompile"), 0) // or execve would be called by "exe"
		o := loader.Options{ThisThread: true, Flags: flags()}
		h.expect(s)
		fd, err := install(p, o)
		if err == nil {
			h.give(fd)
		}
		return err
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

// A handover passes the listener from the confined thread to one that can send it.
// The two have only memory and descriptors in common: any call of the first may wait
// for an answer, those too with which Go's runtime wakes others, and those that the
// runtime makes if it takes the processor from the thread right behind the
// installation. So the second one looks for it among the lowest descriptors.
type handover struct {
	bound  atomic.Int64 // where to look: above the listener's descriptor
	given  atomic.Int64 // its descriptor, plus 1
	before []int        // descriptors of other listeners
	found  atomic.Bool
	passed atomic.Bool
}

// passers is how many goroutines look for the listener. If the scheduler takes the
// processors from the confined thread and from a goroutine at the same time, the thread
// that ran the latter may give its processor to the confined one, which waits, and sleep.
// That happens to one at most.
const passers = 3

// spare is how many files other threads may open, at most, while a filter is installed.
const spare = 8

// expect finds a bound for the descriptor that the next file to be opened will have: the
// kernel gives the lowest that is free, and threads may still close some. If none is free,
// installing tells why.
func (h *handover) expect(s socket) {
	fd, err := unix.FcntlInt(uintptr(s), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return
	}
	_ = unix.Close(fd)
	bound := fd + 1 + spare
	for fd := range bound {
		if isListener(fd) {
			h.before = append(h.before, fd)
		}
	}
	h.bound.Store(int64(bound))
}

// give waits until the listener has been sent. Once the program is executed it would
// be too late.
func (h *handover) give(fd int) {
	h.given.Store(int64(fd) + 1)
	for !h.passed.Load() {
	}
}

// find returns the descriptor of the listener, -1 if there is none yet.
func (h *handover) find() int {
	if fd := h.given.Load() - 1; fd >= 0 {
		return int(fd)
	}
	for fd := range int(h.bound.Load()) {
		if isListener(fd) && !slices.Contains(h.before, fd) {
			return fd
		}
	}
	return -1
}

// pass waits for the listener and sends it to Run.
func (h *handover) pass(s socket) {
	fd := h.find()
	for ; fd < 0 && !h.found.Load(); fd = h.find() {
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 50_000}, nil)
	}
	if h.found.Swap(true) {
		return // another one has it
	}
	if err := s.send(nil, fd); err != nil {
		os.Exit(1) // Run is gone
	}
	_ = unix.Close(fd) // a listener that stays open here keeps this process waiting once Run is gone
	h.passed.Store(true)
}

// isListener reports whether a descriptor is a listener's. Only one of those says
// that there is no notification 0 (kernel/seccomp.c: seccomp_notify_id_valid).
func isListener(fd int) bool {
	var id uint64
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_ID_VALID, uintptr(unsafe.Pointer(&id)))
	return errno == unix.ENOENT
}

// canListen returns why a listener would be of no use: an earlier filter answers ioctl(2) or
// poll(2).
// Found out later, that leaves calls that wait for an answer for ever.
func canListen(s socket) error {
	for _, request := range []uintptr{unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unix.SECCOMP_IOCTL_NOTIF_RECV, unix.SECCOMP_IOCTL_NOTIF_SEND} {
		_, _, missing := unix.RawSyscall(unix.SYS_IOCTL, ^uintptr(0), request, 0)
		_, _, other := unix.RawSyscall(unix.SYS_IOCTL, uintptr(s), request, 0)
		if missing != unix.EBADF || other == unix.EBADF { // the kernel does not answer so
			return barred("ioctl", missing)
		}
	}
	none := []unix.PollFd{{Fd: math.MaxInt32}}
	if _, err := unix.Poll(none, 0); none[0].Revents != unix.POLLNVAL {
		errno, _ := err.(unix.Errno)
		return barred("poll", errno)
	}
	return nil
}

// barred explains a call that the kernel has no reason to fail. errno 0 is a success that
// the call cannot have.
func barred(call string, errno unix.Errno) error {
	if errno == 0 {
		return fmt.Errorf("watch: %s: an earlier filter pretends to carry the call out", call)
	}
	return fmt.Errorf("watch: %s: %w: an earlier filter or a security module denies the call", call, errno)
}

// flags returns the filter flags that make watching fast and exact, as far as the
// kernel has them.
func flags() []cbpf.Flag {
	features, err := loader.Probe()
	if err != nil {
		return nil // the installation will say why
	}
	chosen := []cbpf.Flag{}
	for _, f := range features.Flags {
		if f == cbpf.SpecAllow || f == cbpf.WaitKillableRecv {
			chosen = append(chosen, f)
		}
	}
	return chosen
}
