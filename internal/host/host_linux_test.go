package host

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
)

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func() error{"subject": subject, "strict": strict, "waiting": waitingSubject, "walker": walkerChild})
}

// level is the i-th filter of a subject: it allows every call in i+1 instructions.
func level(i int) *cbpf.Program {
	raw := slices.Repeat([]bpf.RawInstruction{{Op: 0x20}}, i)
	p, err := cbpf.New(append(raw, bpf.RawInstruction{Op: 0x06, K: uint32(cbpf.Allow)}), binary.NativeEndian)
	if err != nil {
		panic(err)
	}
	return p
}

// confine gives the calling thread some filters.
func confine(filters int) error {
	for i := range filters {
		if err := loader.Install(level(i), loader.Options{ThisThread: true}); err != nil {
			return err
		}
	}
	return nil
}

// elsewhere runs a function on a thread of its own that is not the process's first one.
func elsewhere(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			elsewhere(f)
			select {} // so that nothing else runs here
		}
		f()
	}()
}

// subject starts a thread for each argument, with as many filters as that says, and prints
// their ids. It runs until its input ends.
func subject() error {
	for _, arg := range os.Args[1:] {
		filters, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		ready := make(chan error)
		tid := 0
		elsewhere(func() {
			err := confine(filters)
			tid = unix.Gettid()
			ready <- err
			select {}
		})
		if err := <-ready; err != nil {
			return err
		}
		fmt.Println(tid)
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// strict runs a thread in strict mode.
func strict() error {
	elsewhere(func() {
		fmt.Println(unix.Gettid())
		pipe := make([]int, 2)
		_ = unix.Pipe(pipe)
		var b [1]byte
		_, _, _ = unix.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_STRICT, 0)
		_, _, _ = unix.RawSyscall(unix.SYS_READ, uintptr(pipe[0]), uintptr(unsafe.Pointer(&b)), 1)
	})
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// waitingSubject runs a thread that waits for the child of a vfork(2).
func waitingSubject() error {
	elsewhere(func() {
		if err := confine(1); err != nil {
			panic(err)
		}
		fmt.Println(unix.Gettid())
		pid, _, _ := unix.RawSyscall6(unix.SYS_CLONE, unix.CLONE_VFORK|uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		if pid == 0 {
			_, _, _ = unix.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0)
			for {
				_, _, _ = unix.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
			}
		}
	})
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// walkerChild prints what a walk says of one process to someone without the capability.
func walkerChild() error {
	if len(os.Args) == 2 {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_ADMIN, 0, 0, 0); err != nil {
			return err
		}
		cmd := exec.Command("/proc/self/exe", os.Args[1], "again")
		cmd.Env = append(os.Environ(), "SECCOMPILE_REEXEC=walker")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		return cmd.Run()
	}
	_, err := Walk(context.Background(), func(t *Thread) {
		if strconv.Itoa(t.PID) == os.Args[1] && t.Mode == Filtered {
			fmt.Println(len(t.Filters), t.Err)
		}
	})
	return err
}

// needPrivileges skips a test where this process may not read filters.
func needPrivileges(t *testing.T) {
	t.Helper()
	s := statusOf("/proc/thread-self")
	if _, err := loader.Probe(); err != nil || s == nil || s.mode != Free || os.Geteuid() != 0 {
		t.Skip("needs root without filters")
	}
	_, tids := start(t, "subject", "1")
	if _, err := loader.Dump(t.Context(), tids[0]); err != nil {
		t.Skip(err)
	}
}

// start starts a child and reads as many thread ids as it was given arguments.
func start(t *testing.T, name string, args ...string) (pid int, tids []int) {
	t.Helper()
	cmd := reexec.Command(t, name, args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	r := bufio.NewReader(out)
	for range max(1, len(args)) {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		tid, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		tids = append(tids, tid)
	}
	return cmd.Process.Pid, tids
}

// visits returns what a walk says about the threads of a process.
func visits(t *testing.T, pid int) map[int]Thread {
	t.Helper()
	found := map[int]Thread{}
	if _, err := Walk(t.Context(), func(x *Thread) {
		if x.PID != pid {
			return
		}
		if _, twice := found[x.TID]; twice {
			t.Errorf("thread %d is visited twice", x.TID)
		}
		found[x.TID] = *x
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestWalkReadsEachThread(t *testing.T) {
	needPrivileges(t)
	pid, tids := start(t, "subject", "0", "1", "3")
	found := visits(t, pid)
	for i, want := range []int{0, 1, 3} {
		x, ok := found[tids[i]]
		if !ok || x.Err != nil || len(x.Filters) != want || (x.Mode == Filtered) != (want > 0) {
			t.Fatalf("thread with %d filters: %+v", want, x)
		}
		for j, f := range x.Filters {
			if f.Program.Disassemble(nil) != level(j).Disassemble(nil) {
				t.Errorf("filter %d of %d is another", j, want)
			}
		}
		if want > 0 && x.Place.Path == "" {
			t.Error("a confined process without a control group")
		}
	}
	if x := found[pid]; x.Mode != Free || x.Filters != nil || x.Err != nil {
		t.Errorf("the first thread: %+v", x)
	}
	for tid, x := range found {
		if x.Name == "" {
			t.Errorf("thread %d has no name", tid)
		}
	}
}

func TestWalkCounts(t *testing.T) {
	needPrivileges(t)
	pids := map[int]bool{}
	self := false
	n, err := Walk(t.Context(), func(x *Thread) {
		pids[x.PID] = true
		self = self || x.PID == os.Getpid() && x.Mode == Free
	})
	if err != nil {
		t.Fatal(err)
	}
	if !self || len(pids) > n.Processes || len(pids) < n.Processes/2 {
		t.Errorf("%d of %d processes are visited, this one: %v", len(pids), n.Processes, self)
	}
	if comm, err := os.ReadFile("/proc/2/comm"); err == nil && string(comm) == "kthreadd\n" && (n.Kernel == 0 || pids[2]) {
		t.Errorf("%d threads of the kernel, the second is visited: %v", n.Kernel, pids[2])
	}
}

func TestWalkOfStrictMode(t *testing.T) {
	needPrivileges(t)
	pid, tids := start(t, "strict")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		x := visits(t, pid)[tids[0]]
		if x.Mode == Strict && x.Err == nil && x.Filters == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", x)
		}
	}
}

// A thread that cannot be stopped is neither left out nor waited for without end.
func TestWalkOfAThreadThatWaits(t *testing.T) {
	needPrivileges(t)
	pid, tids := start(t, "waiting")
	for statusOf(fmt.Sprintf("/proc/%d/task/%d", pid, tids[0])).state != "D" {
		time.Sleep(time.Millisecond)
	}
	x := visits(t, pid)[tids[0]]
	if x.Mode != Filtered || x.Err == nil || x.Err.Error() != "host: it waits in the kernel and cannot be stopped" {
		t.Errorf("%+v", x)
	}
}

func TestWalkSaysWhatItMayNotRead(t *testing.T) {
	needPrivileges(t)
	pid, _ := start(t, "subject", "1", "2")
	got := reexec.OK(t, "walker", strconv.Itoa(pid)).Stdout
	if strings.Count(got, "0 loader: ptrace: permission denied: reading filters needs CAP_SYS_ADMIN") != 2 {
		t.Error(got)
	}
}

// Processes that come and go are not errors.
func TestWalkWhileProcessesEnd(t *testing.T) {
	needPrivileges(t)
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
				_ = exec.Command("true").Run()
			}
		}
	}()
	for range 10 {
		if _, err := Walk(t.Context(), func(x *Thread) {
			if x.Err != nil && strings.Contains(x.Err.Error(), "has ended") {
				t.Error(x.Err)
			}
		}); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	<-ended
}
