package loader

import (
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
)

func dump(ctx context.Context, tid int) (filters []LiveFilter, err error) {
	if tid <= 0 {
		return nil, errors.New("loader: thread " + strconv.Itoa(tid) + ": thread ids start at 1")
	}
	onOwnThread(func() { filters, err = trace(ctx, tid) })
	return filters, err
}

// onOwnThread runs f on a thread and returns when that has ended: whatever f traces
// and does not let go, the kernel has by then.
func onOwnThread(f func()) {
	done := make(chan int)
	var run func()
	run = func() {
		runtime.LockOSThread() // and never unlocks: the thread ends with the goroutine
		if tid := unix.Gettid(); tid != unix.Getpid() {
			f()
			done <- tid
			return
		}
		// The main thread would stay. While this goroutine has it, another must
		// get another one.
		ended := make(chan struct{})
		go func() { defer close(ended); run() }()
		<-ended
		runtime.UnlockOSThread()
	}
	go run()
	for tid := <-done; unix.Tgkill(unix.Getpid(), tid, 0) == nil; {
		time.Sleep(20 * time.Microsecond)
	}
}

// trace stops a thread, reads its filters, and lets it go.
func trace(ctx context.Context, tid int) ([]LiveFilter, error) {
	if mode, _ := confinement(unix.Gettid()); mode != 0 {
		return nil, &Error{
			Call: "ptrace", Err: unix.EACCES,
			Reason: "the kernel shows filters only to processes without filters, and this one has some (run it outside of the container)",
		}
	}
	if _, errno := ptrace(unix.PTRACE_SEIZE, tid, 0, nil); errno != 0 {
		return nil, seizeError(tid, errno)
	}
	signal, err := stop(ctx, tid)
	if err != nil {
		return nil, err
	}
	raw, err := readFilters(tid)
	// Fails only if it has been killed, and then nothing is to be done.
	_, _, _ = unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_DETACH, uintptr(tid), 0, uintptr(signal), 0, 0)
	if err != nil {
		return nil, err
	}
	return live(raw)
}

// ptrace is ptrace(2), which does not wait.
func ptrace(request, tid int, addr uintptr, data unsafe.Pointer) (int, unix.Errno) {
	r, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, uintptr(data), 0, 0)
	return int(r), errno
}

// stop stops a traced thread. It returns the signal that it was about to take
// and must be given, or 0.
func stop(ctx context.Context, tid int) (unix.Signal, error) {
	if _, errno := ptrace(unix.PTRACE_INTERRUPT, tid, 0, nil); errno != 0 {
		return 0, goneError(tid)
	}
	for pause := 20 * time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		// Only looked at: how a process ends is for its parent to learn, which may
		// be this one.
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, tid, &info, unix.WSTOPPED|unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, goneError(tid)
		case info.Signo == 0: // nothing yet
		case info.Code == cldTrapped, info.Code == cldStopped:
			var status unix.WaitStatus
			if _, err := unix.Wait4(tid, &status, unix.WNOHANG|unix.WALL, nil); err != nil || !status.Stopped() {
				return 0, goneError(tid)
			}
			if int(status)>>16 == unix.PTRACE_EVENT_STOP {
				return 0, nil
			}
			return status.StopSignal(), nil
		default:
			return 0, goneError(tid)
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Why a process is waited for (siginfo.h: si_code of SIGCHLD).
const (
	cldTrapped = 4
	cldStopped = 5
)

// A copied is a filter as the kernel hands it out.
type copied struct {
	insns []unix.SockFilter
	flags cbpf.Flag
}

// readFilters copies the filters of a stopped thread, and does nothing else: the thread
// waits.
func readFilters(tid int) ([]copied, error) {
	var list []copied
	var room [4096]unix.SockFilter // BPF_MAXINSNS
	for i := uintptr(0); ; i++ {
		length, errno := ptrace(unix.PTRACE_SECCOMP_GET_FILTER, tid, i, unsafe.Pointer(&room))
		if errno == unix.ENOENT && i > 0 {
			return list, nil
		}
		if errno != 0 || length <= 0 || length > len(room) {
			return nil, filterError(tid, errno)
		}
		var metadata struct{ index, flags uint64 } // struct seccomp_metadata
		metadata.index = uint64(i)
		// Older kernels cannot be asked, and the flags stay 0.
		_, _ = ptrace(unix.PTRACE_SECCOMP_GET_METADATA, tid, unsafe.Sizeof(metadata), unsafe.Pointer(&metadata))
		list = append(list, copied{slices.Clone(room[:length]), cbpf.Flag(metadata.flags)})
	}
}

// live makes programs of copies.
func live(list []copied) ([]LiveFilter, error) {
	var filters []LiveFilter
	for _, c := range list {
		raw := make([]bpf.RawInstruction, len(c.insns))
		for pc, ins := range c.insns {
			raw[pc] = bpf.RawInstruction{Op: ins.Code, Jt: ins.Jt, Jf: ins.Jf, K: ins.K}
		}
		p, err := cbpf.New(raw, binary.NativeEndian)
		if err != nil {
			return nil, err
		}
		filters = append(filters, LiveFilter{Program: p, Flags: c.flags})
	}
	return filters, nil
}

func goneError(tid int) error {
	return &Error{Call: "ptrace", Err: unix.ESRCH, Reason: "thread " + strconv.Itoa(tid) + " has ended (is the id right?)"}
}

// filterError explains why the kernel does not show a stopped thread's filters
// (kernel/seccomp.c: seccomp_get_filter).
func filterError(tid int, errno unix.Errno) error {
	e := &Error{Call: "ptrace", Err: errno}
	switch errno {
	case 0:
		return fakedError(e.Call)
	case unix.EINVAL:
		return ErrNoFilters // it has none, or is in strict mode
	case unix.ESRCH, unix.ENOENT:
		return goneError(tid)
	case unix.EACCES:
		e.Reason = "reading filters needs CAP_SYS_ADMIN in the initial user namespace (run it as root outside of containers)"
	case unix.EIO:
		e.Err = errors.ErrUnsupported
		e.Reason = "the kernel does not show filters (needs Linux 4.4 with CONFIG_CHECKPOINT_RESTORE)"
	default:
		e.Reason = "the kernel does not show the filters of thread " + strconv.Itoa(tid) + " (is ptrace emulated here?)"
	}
	return e
}

// seizeError explains why a thread cannot be traced (kernel/ptrace.c:
// ptrace_attach).
func seizeError(tid int, errno unix.Errno) error {
	thread := "thread " + strconv.Itoa(tid)
	e := &Error{Call: "ptrace", Err: errno}
	dir := "/proc/" + strconv.Itoa(tid)
	switch {
	case errno == unix.ESRCH:
		return goneError(tid)
	case unix.Tgkill(unix.Getpid(), tid, 0) == nil:
		e.Reason = thread + " belongs to this process, which cannot trace itself (let another one look)"
	case hasFlag(dir, exiting), unix.Kill(tid, 0) == unix.ESRCH: // in this order, as it ends
		return goneError(tid)
	case hasFlag(dir, kernelThread):
		e.Reason = thread + " is the kernel's own, which makes no calls and has no filters (name a process)"
	case tracer(dir) > 0:
		e.Reason = thread + " is traced already, by thread " + strconv.Itoa(tracer(dir)) + " (end that first)"
	default:
		const status = "/proc/thread-self/status"
		e.Reason = "not permitted to trace " + thread + " (" + obstacle(unix.Geteuid() == 0, procField(status, "CapEff"), procField(status, "Seccomp"),
			string(readProcFile("/proc/sys/kernel/yama/ptrace_scope"))) + ")"
	}
	return e
}

// obstacle says what keeps this thread from tracing others, and what to do about it, by
// whether it is root, the fields CapEff and Seccomp of its status and Yama's ptrace_scope
// (kernel/ptrace.c: __ptrace_may_access, security/yama/yama_lsm.c: yama_ptrace_access_check).
// Fields that /proc does not show are "".
func obstacle(root bool, caps, seccomp, scope string) string {
	has, err := strconv.ParseUint(caps, 16, 64)
	switch {
	case !root:
		return "run it as root"
	case err == nil && has>>unix.CAP_SYS_PTRACE&1 == 0:
		return "root lacks CAP_SYS_PTRACE here: run it outside of the container, or add the capability"
	case strings.TrimSpace(scope) == "3":
		return "kernel.yama.ptrace_scope is 3, which forbids tracing until the next boot"
	case seccomp == "2":
		return "a filter on this process, or a security module, denies it although root has CAP_SYS_PTRACE: run it outside of the container"
	default:
		return "a security module denies it, or the target is in a user namespace outside of this one: run it outside of the container"
	}
}

// statField returns a field of /proc/PID/stat, counted from the state on, or "".
func statField(dir string, i int) string {
	stat := string(readProcFile(dir + "/stat"))
	// The name before it, in parentheses, may contain anything.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if i >= len(fields) {
		return ""
	}
	return fields[i]
}

// Flags of a thread (linux/sched.h: PF_EXITING, PF_KTHREAD).
const (
	exiting      = 0x00000004
	kernelThread = 0x00200000
)

// hasFlag reports whether a thread has a flag, as far as /proc tells.
func hasFlag(dir string, flag uint64) bool {
	flags, _ := strconv.ParseUint(statField(dir, 6), 10, 64)
	return flags&flag != 0
}

// tracer returns the id of the thread that traces a thread, or 0.
func tracer(dir string) int {
	id, _ := strconv.Atoi(procField(dir+"/status", "TracerPid"))
	return id
}
