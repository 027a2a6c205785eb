package foreign

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// A Death is the signal that ended a program before it had made all its calls.
type Death struct{ Signal unix.Signal }

func (d Death) Error() string { return "foreign: ended by " + unix.SignalName(d.Signal) }

// Run makes calls one after the other in a new process of an ABI and returns
// their results, negative error numbers for errors. If filter is not nil, the
// process first installs it. The error is a [Death] if a signal ended it, and
// wraps ENOEXEC if the kernel does not run the ABI's programs.
//
// The process inherits the filters of the calling thread.
func Run(abi arch.ABI, filter *cbpf.Program, calls []Call) ([]int64, error) {
	x, ok := assemble(abi, filter, calls)
	if !ok {
		return nil, fmt.Errorf("foreign: no code for %v", abi)
	}
	results, err := x.run(abi)
	if err != nil {
		return nil, err
	}
	if filter == nil {
		return results, nil
	}
	for i, what := range []string{"no_new_privs", "the filter"} {
		if results[i] != 0 {
			return nil, fmt.Errorf("foreign: %v: %s: %w", abi, what, unix.Errno(-results[i]))
		}
	}
	return results[2:], nil
}

// run runs the executable until it has made its calls.
func (x executable) run(abi arch.ABI) ([]int64, error) {
	file, err := x.file()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// A tracer is a thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	path := "/proc/self/fd/" + strconv.Itoa(int(file.Fd()))
	p, err := os.StartProcess(path, []string{"foreign"}, &os.ProcAttr{
		Files: []*os.File{nil, nil, os.Stderr},
		Sys:   &unix.SysProcAttr{Ptrace: true},
	})
	if err != nil {
		return nil, fmt.Errorf("foreign: %v: %w", abi, err)
	}
	defer func() {
		_ = p.Kill()
		_, _ = p.Wait()
	}()
	if err := untilTrap(p.Pid); err != nil {
		return nil, err
	}
	return x.results(abi, p.Pid)
}

// file writes the executable where the kernel can execute it.
func (x executable) file() (*os.File, error) {
	fd, err := unix.MemfdCreate("foreign", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("foreign: memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), "foreign")
	if _, err := f.Write(x.image); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// untilTrap lets a traced process run from its execve(2) to the trap at its end.
func untilTrap(pid int) error {
	for started := false; ; {
		var status unix.WaitStatus
		if _, err := unix.Wait4(pid, &status, 0, nil); err == unix.EINTR {
			continue
		} else if err != nil {
			return fmt.Errorf("foreign: wait: %w", err)
		}
		signal := 0
		switch {
		case status.Signaled():
			return Death{status.Signal()}
		case !status.Stopped():
			return fmt.Errorf("foreign: wait status %#x", uint32(status))
		case !started:
			started = true
		case status.StopSignal() == unix.SIGTRAP, status.StopSignal() == unix.SIGILL:
			return nil
		default:
			signal = int(status.StopSignal())
		}
		if err := unix.PtraceCont(pid, signal); err != nil {
			return fmt.Errorf("foreign: ptrace: %w", err)
		}
	}
}

// results reads the results out of a stopped process.
func (x executable) results(abi arch.ABI, pid int) ([]int64, error) {
	mem, err := os.Open("/proc/" + strconv.Itoa(pid) + "/mem")
	if err != nil {
		return nil, err
	}
	defer mem.Close()
	records := make([]byte, x.count*recordSize)
	if _, err := mem.ReadAt(records, int64(base+x.records)); err != nil {
		return nil, err
	}
	results := make([]int64, x.count)
	for i := range results {
		v := abi.ByteOrder().Uint64(records[i*recordSize+resultOff:])
		results[i] = int64(v)
		if v>>32 == 0 {
			results[i] = int64(int32(v))
		}
	}
	return results, nil
}
