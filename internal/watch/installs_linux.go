package watch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/syscalltables"
)

// A follower follows a program and what it starts. All of it but the channels belongs to one
// thread: only that may trace.
type follower struct {
	leader  int
	calls   map[int]installing // by thread: the call that it is in
	found   chan *Install
	over    chan struct{} // nobody takes what is found any more
	started chan error    // nil, or why there is no program
	status  chan int      // of the program
	err     error         // valid once found is closed
}

// An installing is a call that may put a filter in force.
type installing struct {
	abi     arch.ABI
	flags   cbpf.Flag
	pointer uint64 // to struct sock_fprog
	insns   []byte // as they are when the call begins
	err     error  // why they could not be read
}

func installs(path string, args []string, seen func(*Install), orphaned func()) (int, error) {
	t := &follower{
		calls: map[int]installing{}, found: make(chan *Install), over: make(chan struct{}),
		started: make(chan error, 1), status: make(chan int, 1),
	}
	defer close(t.over)
	signals := make(chan os.Signal, 16)
	for _, s := range []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2} {
		if !signal.Ignored(s) { // or the program would not inherit that
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)
	go t.run(path, args)
	if err := <-t.started; err != nil {
		return 0, err
	}
	status, alone := 0, false
	var late <-chan time.Time
	for {
		select {
		case i, more := <-t.found:
			if !more {
				select {
				case status = <-t.status:
				default:
				}
				return status, t.err
			}
			seen(i)
		case status = <-t.status:
			alone, late = true, time.After(patience)
		case <-late:
			if orphaned != nil {
				orphaned()
			}
		case s := <-signals:
			switch {
			case !alone && !fromTerminal(s):
				_ = unix.Kill(t.leader, s.(syscall.Signal))
			case alone && s != unix.SIGUSR1 && s != unix.SIGUSR2:
				return status, nil
			}
		}
	}
}

// run is the thread that traces. It ends with it: what it still traces, the kernel lets go.
func (t *follower) run(path string, args []string) {
	runtime.LockOSThread()
	err := t.start(path, args)
	t.started <- err
	if err == nil {
		if t.err = t.follow(); t.err != nil {
			_ = unix.Kill(t.leader, unix.SIGKILL)
		}
	}
	close(t.found)
}

const followed = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK |
	unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEEXEC

// start starts the program and seizes it. A program can only be started traced in the old
// way, under which it could not be stopped and continued from a terminal; so it is let go
// before its first instruction, stopped, and traced in the new way.
func (t *follower) start(path string, args []string) error {
	pid, err := syscall.ForkExec(path, args, &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Ptrace: true},
	})
	if err != nil {
		return &ExecError{path, err}
	}
	t.leader = pid
	if err := awaitStop(pid, 0); err != nil {
		return err
	}
	if err := request(unix.PTRACE_DETACH, pid, 0, uintptr(unix.SIGSTOP)); err != nil {
		return tracing(err)
	}
	if err := awaitStop(pid, unix.WUNTRACED); err != nil {
		return err
	}
	err = request(unix.PTRACE_SEIZE, pid, 0, followed)
	if err != nil {
		_ = unix.Kill(pid, unix.SIGKILL)
		return tracing(err)
	}
	return unix.Kill(pid, unix.SIGCONT)
}

// awaitStop waits until a child has stopped.
func awaitStop(pid, flags int) error {
	var status unix.WaitStatus
	if _, err := wait(pid, &status, flags); err != nil {
		return tracing(err)
	}
	if !status.Stopped() {
		return errors.New("watch: the program ended before it could be traced")
	}
	return nil
}

func wait(pid int, status *unix.WaitStatus, flags int) (int, error) {
	for {
		got, err := unix.Wait4(pid, status, flags, nil)
		if err != unix.EINTR {
			return got, err
		}
	}
}

// request is a ptrace(2) that takes a number.
func request(what, tid int, addr, data uintptr) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(what), uintptr(tid), addr, data, 0, 0)
	return number(errno)
}

// ask is a ptrace(2) that answers.
func ask(what, tid int, addr uintptr, answer unsafe.Pointer) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(what), uintptr(tid), addr, uintptr(answer), 0, 0)
	return number(errno)
}

func number(errno unix.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

func tracing(err error) error { return fmt.Errorf("watch: cannot trace the program: %w", err) }

// follow lets all threads go on until none is left.
func (t *follower) follow() error {
	for {
		var status unix.WaitStatus
		tid, err := wait(-1, &status, unix.WALL|unix.WNOTHREAD)
		switch {
		case err == unix.ECHILD:
			return nil
		case err != nil:
			return tracing(err)
		case status.Stopped():
			if err := t.stopped(tid, status); err != nil && !errors.Is(err, unix.ESRCH) { // killed
				return err
			}
			continue
		}
		delete(t.calls, tid)
		if tid != t.leader {
			continue
		}
		if status.Signaled() {
			t.status <- 128 + int(status.Signal())
		} else {
			t.status <- status.ExitStatus()
		}
	}
}

// stopped looks why a thread has stopped and lets it go on.
func (t *follower) stopped(tid int, status unix.WaitStatus) error {
	const call = unix.SIGTRAP | 0x80 // PTRACE_O_TRACESYSGOOD
	sig := status.StopSignal()
	switch event := int(status) >> 16; {
	case sig == call:
		if err := t.call(tid); err != nil {
			return err
		}
		sig = 0
	case event == unix.PTRACE_EVENT_STOP && sig != unix.SIGTRAP: // a stop of the whole process
		return request(unix.PTRACE_LISTEN, tid, 0, 0)
	case event == unix.PTRACE_EVENT_EXEC: // the threads of before are gone
		var former uintptr
		if err := ask(unix.PTRACE_GETEVENTMSG, tid, 0, unsafe.Pointer(&former)); err != nil {
			return err
		}
		delete(t.calls, int(former))
		delete(t.calls, tid)
		sig = 0
	case event != 0:
		sig = 0
	}
	return request(unix.PTRACE_SYSCALL, tid, 0, uintptr(sig))
}

// A callInfo is struct ptrace_syscall_info.
type callInfo struct {
	op     uint8
	_      [3]uint8
	arch   uint32
	ip, sp uint64
	words  [7]uint64 // on entry the number and the arguments, on exit the result
}

// Values of callInfo.op.
const (
	infoEntry = 1
	infoExit  = 2
)

// call looks at a thread that begins or ends a call.
func (t *follower) call(tid int) error {
	var info callInfo
	err := ask(unix.PTRACE_GET_SYSCALL_INFO, tid, unsafe.Sizeof(info), unsafe.Pointer(&info))
	switch {
	case err == unix.EIO:
		return errors.New("watch: following filters needs Linux 5.3")
	case err != nil:
		return err
	}
	switch c, ok := t.calls[tid]; {
	case info.op == infoEntry:
		delete(t.calls, tid)
		if c, ok := beginning(tid, &info); ok {
			t.calls[tid] = c
		}
	case info.op == infoExit && ok:
		delete(t.calls, tid)
		if i := c.end(tid, int64(info.words[0])); i != nil {
			select {
			case t.found <- i:
			case <-t.over:
			}
		}
	}
	return nil
}

// beginning returns a call that may put a filter in force (kernel/seccomp.c: do_seccomp,
// prctl_set_seccomp).
func beginning(tid int, info *callInfo) (installing, bool) {
	nr, args := uint32(info.words[0]), info.words[1:]
	abi, ok := arch.ByAudit(info.arch, nr)
	if !ok {
		return installing{}, false
	}
	c := installing{abi: abi}
	call, _ := syscalltables.ByNumber(abi, nr)
	switch {
	case call.Name() == "seccomp" && uint32(args[0]) == unix.SECCOMP_SET_MODE_FILTER:
		c.flags, c.pointer = cbpf.Flag(args[1]), args[2]
	case call.Name() == "prctl" && uint32(args[0]) == unix.PR_SET_SECCOMP && args[1] == unix.SECCOMP_MODE_FILTER:
		c.pointer = args[2]
	default:
		return installing{}, false
	}
	if abi.Bits() == 32 {
		c.pointer = uint64(uint32(c.pointer))
		c.flags = cbpf.Flag(uint32(c.flags))
	}
	c.insns, c.err = c.read(tid)
	return c, c.pointer != 0 // some ask for flags without a filter
}

// end returns the filter that a call has put in force, or not; nil if there was none to
// begin with, as when a program asks which flags the kernel knows. A call that returns a
// thread which could not be synchronized has failed.
func (c *installing) end(tid int, result int64) *Install {
	s := readStatus(strconv.Itoa(tid)) // the thread stands still
	i := &Install{Process: s.process(), Number: s.filters, Err: c.err}
	i.Filter.Flags = c.flags
	switch {
	case result < 0:
		i.Refused = syscall.Errno(-result)
	case result > 0 && c.flags&cbpf.NewListener == 0:
		i.Refused = fmt.Errorf("thread %d has other filters", result)
	}
	now, err := c.read(tid)
	switch {
	case i.Refused != nil && c.err != nil:
		return nil
	case c.err != nil:
	case err != nil:
		i.Err = err
	case !bytes.Equal(c.insns, now):
		i.Err = errors.New("another thread changed it meanwhile")
	default:
		i.Filter.Program, i.Err = c.program()
	}
	return i
}

// read reads the instructions of the filter from the memory of the thread.
func (c *installing) read(tid int) ([]byte, error) {
	head := make([]byte, 16) // struct sock_fprog: a length and, aligned, a pointer
	if c.abi.Bits() == 32 {
		head = head[:8]
	}
	if err := peek(tid, c.pointer, head); err != nil {
		return nil, err
	}
	length := binary.NativeEndian.Uint16(head)
	var at uint64
	if c.abi.Bits() == 32 {
		at = uint64(binary.NativeEndian.Uint32(head[4:]))
	} else {
		at = binary.NativeEndian.Uint64(head[8:])
	}
	if length == 0 || length > cbpf.MaxInstructions {
		return nil, fmt.Errorf("%d instructions", length)
	}
	insns := make([]byte, 8*int(length))
	return insns, peek(tid, at, insns)
}

// peek reads the memory of a thread.
func peek(tid int, at uint64, into []byte) error {
	local := []unix.Iovec{{Base: &into[0]}}
	local[0].SetLen(len(into))
	n, err := unix.ProcessVMReadv(tid, local, []unix.RemoteIovec{{Base: uintptr(at), Len: len(into)}}, 0)
	if err == nil && n < len(into) {
		err = unix.EFAULT
	}
	if err != nil {
		return fmt.Errorf("its memory cannot be read: %w", err)
	}
	return nil
}

func (c *installing) program() (*cbpf.Program, error) {
	raw := make([]bpf.RawInstruction, len(c.insns)/8)
	for pc := range raw {
		ins := c.insns[8*pc:]
		raw[pc] = bpf.RawInstruction{
			Op: binary.NativeEndian.Uint16(ins), Jt: ins[2], Jf: ins[3], K: binary.NativeEndian.Uint32(ins[4:]),
		}
	}
	return cbpf.New(raw, binary.NativeEndian)
}
