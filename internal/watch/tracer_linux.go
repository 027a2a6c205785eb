package watch

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
)

// A tracer sees the calls of threads enter and return (ptrace(2)). All of it but what
// says otherwise happens on one thread, as the kernel asks for.
type tracer struct {
	owner   owner
	options uintptr

	mu      sync.Mutex // of what follows, for others that look at it
	threads map[int]*tracee
	leaving bool // letting go of all threads
}

// An owner is told what the threads of a tracer do. The thread waits meanwhile.
type owner interface {
	entered(x *tracee)                    // its call, which is x.data
	returned(x *tracee, result int64)     // from that call
	stopped(x *tracee, s unix.WaitStatus) // for whatever reason, also these two
	ended(x *tracee, s unix.WaitStatus)
}

// follow are the options with which the calls of new threads and processes are seen, too.
const follow = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK |
	unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC

// A tracee is a traced thread.
type tracee struct {
	tid     int
	process Process
	data    cbpf.Data // the call that it makes
	inCall  bool

	heard   bool            // the listener was notified of the call
	denial  *Denial         // of the call before, as far as it is known
	filters []*cbpf.Program // nil before they are read
}

// onThread runs f on a thread of its own, which ends with it: whatever f traces and does
// not let go, the kernel lets go then.
func onThread(f func()) {
	go func() {
		runtime.LockOSThread() // and never unlocks
		f()
	}()
}

// seize begins to trace a thread, which goes on meanwhile.
func (t *tracer) seize(tid int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if errno := ptrace(unix.PTRACE_SEIZE, tid, 0, t.options); errno != 0 {
		return errno
	}
	t.add(tid)
	return nil
}

func (t *tracer) add(tid int) *tracee {
	x := &tracee{tid: tid, process: processOf(tid)}
	t.threads[tid] = x
	return x
}

// run attends to the threads until none is left. When quit is closed it lets them go.
func (t *tracer) run(quit <-chan struct{}) {
	// Each change makes a signal; the thread must not wait in the kernel, where quit
	// could not reach it.
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, unix.SIGCHLD)
	defer signal.Stop(changed)
	for len(t.threads) > 0 {
		var status unix.WaitStatus
		tid, err := unix.Wait4(-1, &status, unix.WNOHANG|unix.WALL|unix.WNOTHREAD, nil)
		switch {
		case err == unix.EINTR:
		case err != nil: // none was traced: filters can make ptrace a lie
			t.mu.Lock()
			defer t.mu.Unlock()
			clear(t.threads)
			return
		case tid > 0:
			t.changed(tid, status)
		default:
			select {
			case <-changed:
			case <-quit:
				quit = nil
				t.leave()
			}
		}
	}
}

// leave stops all threads, to let go of them as they come to that.
func (t *tracer) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leaving = true
	for tid := range t.threads {
		ptrace(unix.PTRACE_INTERRUPT, tid, 0, 0)
	}
}

// changed attends to a thread that has stopped or ended.
func (t *tracer) changed(tid int, status unix.WaitStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.threads[tid]
	if x == nil {
		x = t.add(tid) // a new thread, that may come before the one that made it
	}
	if !status.Stopped() {
		delete(t.threads, tid)
		t.owner.ended(x, status)
		return
	}
	event, sig := int(status)>>16, status.StopSignal()
	switch event {
	case unix.PTRACE_EVENT_EXEC:
		x = t.replaced(x)
	case unix.PTRACE_EVENT_CLONE, unix.PTRACE_EVENT_FORK, unix.PTRACE_EVENT_VFORK:
		t.expect(int(x.message()))
	}
	t.owner.stopped(x, status)
	request, deliver := uintptr(unix.PTRACE_SYSCALL), unix.Signal(0)
	switch {
	case event == unix.PTRACE_EVENT_STOP && slices.Contains(stopping[:], sig):
		request = unix.PTRACE_LISTEN // stay stopped
	case event != 0:
	case sig == unix.SIGTRAP|0x80:
		t.call(x)
	default:
		deliver = sig
	}
	if t.leaving {
		request = unix.PTRACE_DETACH
		delete(t.threads, tid)
	}
	ptrace(int(request), tid, 0, uintptr(deliver)) // fails only if it was killed
}

// stopping are the signals that stop a process (signal(7)).
var stopping = [...]unix.Signal{unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU}

// expect adds a new thread, unless it has come already.
func (t *tracer) expect(tid int) {
	if t.threads[tid] == nil && unix.Kill(tid, 0) == nil { // or it has come and gone
		t.add(tid)
	}
}

// message returns what the kernel adds to an event.
func (x *tracee) message() (message uint) {
	ptracePointer(unix.PTRACE_GETEVENTMSG, x.tid, 0, unsafe.Pointer(&message))
	return message
}

// replaced gives a thread that has executed a program the number of its process, which
// the kernel has given it, and returns it.
func (t *tracer) replaced(x *tracee) *tracee {
	if old := t.threads[int(x.message())]; old != nil && old != x {
		delete(t.threads, old.tid)
		old.tid = x.tid
		t.threads[x.tid] = old
		x = old
	}
	x.process = processOf(x.tid) // has another name
	return x
}

// Layout of struct ptrace_syscall_info (linux/ptrace.h), in bytes.
const (
	infoOp   = 0
	infoArch = 4
	infoIP   = 8
	infoNR   = 24 // of an entry
	infoArgs = 32
	infoRet  = 24 // of an exit
	infoSize = 96
)

// call attends to a thread that stopped because a call enters or returns.
func (t *tracer) call(x *tracee) {
	const entry, exit = 1, 2 // PTRACE_SYSCALL_INFO_ENTRY, PTRACE_SYSCALL_INFO_EXIT
	var b [infoSize]byte
	if ptracePointer(unix.PTRACE_GET_SYSCALL_INFO, x.tid, infoSize, unsafe.Pointer(&b)) != 0 {
		return
	}
	order := binary.NativeEndian
	switch b[infoOp] {
	case entry:
		x.data = cbpf.Data{NR: uint32(order.Uint64(b[infoNR:])), Arch: order.Uint32(b[infoArch:]), IP: order.Uint64(b[infoIP:])}
		for i := range x.data.Args {
			x.data.Args[i] = order.Uint64(b[infoArgs+8*i:])
		}
		x.inCall = true
		t.owner.entered(x)
	case exit:
		if x.inCall {
			x.inCall = false
			t.owner.returned(x, int64(order.Uint64(b[infoRet:])))
		}
	}
}

// texts returns what the arguments of the thread's call point to.
func (x *tracee) texts() [6]string {
	return texts(&x.data, func(b []byte, addr uint64) (int, error) {
		if uint64(uintptr(addr)) != addr {
			return 0, unix.EFAULT
		}
		local := []unix.Iovec{{Base: &b[0]}}
		local[0].SetLen(len(b))
		n, err := unix.ProcessVMReadv(x.tid, local, []unix.RemoteIovec{{Base: uintptr(addr), Len: len(b)}}, 0)
		return max(n, 0), err // -1 if it fails
	})
}

// canTrace returns why this process cannot trace others: an earlier filter answers
// ptrace(2) or wait4(2). Each call is made twice so that no single answer looks like the
// kernel's.
func canTrace() error {
	wait4 := func(options uintptr) unix.Errno {
		_, _, errno := unix.RawSyscall6(unix.SYS_WAIT4, uintptr(unix.Getpid()), 0, options, 0, 0, 0)
		return errno
	}
	for _, x := range []struct {
		call      string
		got, want unix.Errno
	}{
		{"ptrace", ptrace(unix.PTRACE_SEIZE, -1, 0, 0), unix.ESRCH},
		{"ptrace", ptrace(unix.PTRACE_SEIZE, unix.Getpid(), 0, 0), unix.EPERM},
		{"wait4", wait4(unix.WNOHANG), unix.ECHILD},
		{"wait4", wait4(unix.WEXITED), unix.EINVAL}, // is for waitid(2)
	} {
		switch x.got {
		case x.want:
		case 0:
			return fmt.Errorf("an earlier filter pretends to carry out %s", x.call)
		default:
			return fmt.Errorf("%s: %w", x.call, x.got)
		}
	}
	return nil
}

// ptrace is ptrace(2), which does not wait.
func ptrace(request, tid int, addr, data uintptr) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, data, 0, 0)
	return errno
}

func ptracePointer(request, tid int, addr uintptr, data unsafe.Pointer) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, uintptr(data), 0, 0)
	return errno
}

// seccompSignal returns the data of the TRAP that a thread stopped for, which is about to
// take a SIGSYS. ok is false if the signal is from elsewhere.
func seccompSignal(tid int) (data uint16, ok bool) {
	var info unix.Siginfo
	const sysSeccomp = 1 // siginfo.h: SYS_SECCOMP
	if ptracePointer(unix.PTRACE_GETSIGINFO, tid, 0, unsafe.Pointer(&info)) != 0 || info.Code != sysSeccomp {
		return 0, false
	}
	return uint16(info.Errno), true
}
