package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/kernels/internal/foreign"
	"github.com/seccompile/seccompile/loader"
)

// checkActions checks what the loader's own tests do not: actions on calls through
// other ABIs, and those that other parts of the kernel carry out.
func checkActions(s *suite) error {
	for _, abi := range s.callers[1:] {
		if err := s.do("actions/"+abi.String(), func() error { return foreignActions(abi) }); err != nil {
			return err
		}
	}
	if err := s.do("actions/TRACE with a tracer", trace); err != nil {
		return err
	}
	return s.do("actions/LOG in the kernel's log", logged)
}

// foreignActions has a program of another ABI meet every action that needs nobody
// to answer.
func foreignActions(abi arch.ABI) error {
	nr := number(abi, "getppid")
	calls := []foreign.Call{{NR: uint64(nr)}}
	enosys, _ := abi.Errno("ENOSYS")
	var problems []error
	for _, t := range []struct {
		action cbpf.Action
		death  bool
		result int64 // 0 stands for any success
	}{
		{action: cbpf.KillProcess, death: true},
		{action: cbpf.KillThread, death: true},
		{action: cbpf.Trap, death: true},
		{action: cbpf.Errno(200), result: -200},
		{action: cbpf.Errno(4095), result: -4095},
		{action: cbpf.Errno(5000), result: -4095}, // capped
		{action: cbpf.TraceClass, result: -int64(enosys)},
		{action: cbpf.Notify, result: -int64(enosys)}, // nobody listens
		{action: cbpf.Log},
		{action: cbpf.Allow},
		{action: 0x12340000, death: true},
	} {
		p, err := on(abi, nr, t.action)
		if err != nil {
			return err
		}
		results, err := foreign.Run(abi, p, calls)
		var death foreign.Death
		switch {
		case t.death && errors.As(err, &death) && death.Signal == unix.SIGSYS:
		case t.death || err != nil:
			problems = append(problems, fmt.Errorf("%v: %v, %v", t.action, results, err))
		case t.result == 0 && results[0] < 0, t.result != 0 && results[0] != t.result:
			problems = append(problems, fmt.Errorf("%v: result %d, want %d", t.action, results[0], t.result))
		}
	}
	return errors.Join(problems...)
}

// message is what a TRACE action tells the tracer.
const message = 0x1234

// traced makes a call under TRACE that must be executed. It runs on the main
// thread, the one that is traced.
func traced([]string) error {
	if unix.Gettid() != unix.Getpid() {
		return errors.New("not on the main thread")
	}
	abi := arch.Native()
	p, err := on(abi, number(abi, "getppid"), cbpf.Trace(message))
	if err != nil {
		return err
	}
	if err := loader.Install(p, loader.Options{ThisThread: true}); err != nil {
		return err
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// trace is the tracer of a child: it must hear of its call.
func trace() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p, err := os.StartProcess("/proc/self/exe", []string{"guest", "traced"}, &os.ProcAttr{
		Files: []*os.File{nil, os.Stdout, os.Stderr},
		Sys:   &unix.SysProcAttr{Ptrace: true},
	})
	if err != nil {
		return err
	}
	heard := 0
	for started := false; ; {
		var status unix.WaitStatus
		if _, err := unix.Wait4(p.Pid, &status, 0, nil); err == unix.EINTR {
			continue
		} else if err != nil {
			return err
		}
		signal := 0
		switch {
		case status.Exited() || status.Signaled():
			if heard != 1 || status.ExitStatus() != 0 {
				return fmt.Errorf("%d notices; wait status %#x", heard, uint32(status))
			}
			return nil
		case !started:
			started = true
			if err := unix.PtraceSetOptions(p.Pid, unix.PTRACE_O_TRACESECCOMP|unix.PTRACE_O_EXITKILL); err != nil {
				return err
			}
		case status.TrapCause() == unix.PTRACE_EVENT_SECCOMP:
			heard++
			if msg, err := unix.PtraceGetEventMsg(p.Pid); err != nil || msg != message {
				return fmt.Errorf("message %#x: %v", msg, err)
			}
		default:
			signal = int(status.StopSignal())
		}
		if err := unix.PtraceCont(p.Pid, signal); err != nil {
			return err
		}
	}
}

// logged looks for a LOG action in the kernel's log.
func logged() error {
	kmsg, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(kmsg)
	if _, err := unix.Seek(kmsg, 0, unix.SEEK_END); err != nil {
		return err
	}
	abi := arch.Native()
	nr := number(abi, "getppid")
	p, err := on(abi, nr, cbpf.Log)
	if err != nil {
		return err
	}
	results, err := confined(abi, p, []foreign.Call{{NR: uint64(nr)}})
	if err != nil || results[0] < 0 {
		return fmt.Errorf("result %d: %w", results, err)
	}
	// include/uapi/linux/audit.h: AUDIT_SECCOMP
	want := []byte("type=1326 ")
	call := []byte(" syscall=" + strconv.Itoa(int(nr)) + " ")
	buf := make([]byte, 8192)
	found := false
	for range 40 {
		n, err := unix.Read(kmsg, buf)
		switch {
		case err == unix.EAGAIN:
			time.Sleep(50 * time.Millisecond)
		case err == unix.EPIPE: // some messages were lost
		case err != nil:
			return err
		case bytes.Contains(buf[:n], want) && bytes.Contains(buf[:n], call) && bytes.Contains(buf[:n], []byte("code=0x7ffc0000")):
			found = true
		}
	}
	// MIPS kernels have no auditing of system calls, and so nothing that writes the
	// message (arch/mips/Kconfig has no HAVE_ARCH_AUDITSYSCALL).
	if found == isMIPS(abi) {
		return fmt.Errorf("found %v, want %v", found, !found)
	}
	return nil
}

// isMIPS reports whether an ABI is one of MIPS kernels.
func isMIPS(abi arch.ABI) bool { return abi.Main() == arch.MIPS64 || abi.Main() == arch.MIPSEL64 }
