package loader_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
)

func TestActionsTakeEffect(t *testing.T) {
	for _, test := range []struct {
		action cbpf.Action
		stdout string
		code   int
		signal unix.Signal
		stderr string
	}{
		{action: cbpf.Errno(77), stdout: "errno 77\n"},
		{action: cbpf.TraceClass, stdout: "errno " + strconv.Itoa(int(unix.ENOSYS)) + "\n"}, // no tracer
		{action: cbpf.Log, stdout: "errno 0\n"},
		{action: cbpf.Allow, stdout: "errno 0\n"},
		{action: cbpf.KillProcess, code: -1, signal: unix.SIGSYS},
		// Go's runtime has no handler for a trap; si_code 1 is SYS_SECCOMP.
		{action: cbpf.Trap, code: 2, stderr: "SIGSYS: bad system call"},
		{action: cbpf.Trap | 5, code: 2, stderr: "sigcode=1"},
	} {
		t.Run(test.action.String(), func(t *testing.T) {
			r := reexec.Run(t, "verdict", strconv.FormatUint(uint64(test.action), 10))
			if r.Stdout != test.stdout || r.Code != test.code || r.Signal != test.signal || !strings.Contains(r.Stderr, test.stderr) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// verdict prints how getppid fares on another thread under an action.
func verdict() error {
	action, err := strconv.ParseUint(os.Args[1], 10, 32)
	if err != nil {
		return err
	}
	other := startThread()
	if err := loader.Install(on(unix.SYS_GETPPID, cbpf.Action(action)), loader.Options{}); err != nil {
		return err
	}
	return other.do(func() error {
		_, errno := getppid()
		fmt.Println("errno", int(errno))
		return nil
	})
}

func TestKillThreadKillsTheThreadAlone(t *testing.T) { reexec.OK(t, "killed thread") }

func killedThread() error {
	if err := loader.Install(on(unix.SYS_GETPPID, cbpf.KillThread), loader.Options{}); err != nil {
		return err
	}
	doomed := startThread()
	go func() { _ = doomed.do(func() error { _, _ = getppid(); return nil }) }()
	return waitGone(doomed.tid)
}

// waitGone waits for a thread to end. The main thread never does.
func waitGone(tid int) error {
	for range 1000 {
		if _, err := os.Stat("/proc/self/task/" + strconv.Itoa(tid)); errors.Is(err, os.ErrNotExist) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("thread %d is still there", tid)
}

func TestInstallReachesAllThreads(t *testing.T) { reexec.OK(t, "all threads") }

func allThreads() error {
	threads := make([]*thread, 16)
	for i := range threads {
		threads[i] = startThread()
	}
	if err := loader.Install(on(unix.SYS_GETPPID, cbpf.Errno(77)), loader.Options{}); err != nil {
		return err
	}
	threads = append(threads, startThread()) // one that inherits
	var problems []error
	for _, th := range threads {
		problems = append(problems,
			th.do(func() error { return wantErrno(77) }),
			wantStatus(th.tid, "NoNewPrivs", "1", "Seccomp", "2"))
	}
	return errors.Join(problems...)
}

func TestThisThreadLeavesTheOthersFree(t *testing.T) { reexec.OK(t, "this thread") }

func thisThread() error {
	before := status(unix.Gettid(), "Seccomp")
	other := startThread()
	tid, release := make(chan int), make(chan struct{})
	failed := make(chan error, 1)
	go func() { // not locked to its thread
		failed <- errors.Join(
			loader.Install(on(unix.SYS_GETPPID, cbpf.Errno(77)), loader.Options{ThisThread: true}),
			wantErrno(77))
		tid <- unix.Gettid()
		<-release
	}()
	err := <-failed
	confined := <-tid
	later := startThread()
	err = errors.Join(err,
		wantStatus(confined, "NoNewPrivs", "1", "Seccomp", "2"),
		wantStatus(other.tid, "Seccomp", before), other.do(func() error { return wantErrno(0) }),
		wantStatus(later.tid, "Seccomp", before), later.do(func() error { return wantErrno(0) }))
	if err != nil {
		return err
	}
	// The thread is the goroutine's for good: both end together.
	close(release)
	return waitGone(confined)
}

func TestKeepPrivsLeavesNoNewPrivsUnset(t *testing.T) {
	needPrivileges(t)
	reexec.OK(t, "keep privs")
}

func keepPrivs() error {
	if err := loader.Install(on(unix.SYS_GETPPID, cbpf.Errno(77)), loader.Options{KeepPrivs: true}); err != nil {
		return err
	}
	return errors.Join(wantErrno(77), wantStatus(unix.Gettid(), "NoNewPrivs", "0", "Seccomp", "2"))
}

func TestWithoutPrivilegesNoNewPrivsIsNeeded(t *testing.T) {
	if status(unix.Gettid(), "NoNewPrivs") != "0" {
		t.Skip("needs a process without no_new_privs")
	}
	reexec.OK(t, "no privileges")
}

func noPrivileges() error {
	const nobody = 65534
	if os.Getuid() == 0 {
		if err := unix.Setuid(nobody); err != nil {
			return err
		}
	}
	const want = "loader: seccomp: permission denied: needs no_new_privs or CAP_SYS_ADMIN " +
		"(leave KeepPrivs unset, or install before dropping the capability)"
	p := on(unix.SYS_GETPPID, cbpf.Errno(77))
	err := loader.Install(p, loader.Options{KeepPrivs: true})
	if !errors.Is(err, unix.EACCES) || err.Error() != want {
		return fmt.Errorf("got %v, want %s", err, want)
	}
	if err := wantStatus(unix.Gettid(), "NoNewPrivs", "0", "Seccomp", "0"); err != nil {
		return err
	}
	return errors.Join(loader.Install(p, loader.Options{}), wantErrno(77))
}

func TestFiltersAddUpAndTheStrictestAnswerCounts(t *testing.T) { reexec.OK(t, "nested") }

func nested() error {
	getsid := func() unix.Errno {
		_, _, errno := unix.Syscall(unix.SYS_GETSID, 0, 0, 0)
		return errno
	}
	for _, step := range []struct {
		p               *cbpf.Program
		getppid, getsid unix.Errno
	}{
		{on(unix.SYS_GETPPID, cbpf.Errno(77)), 77, 0},
		{on(unix.SYS_GETPPID, cbpf.Log), 77, 0},        // the older is stricter
		{on(unix.SYS_GETSID, cbpf.Errno(78)), 77, 78},  // both apply
		{on(unix.SYS_GETPPID, cbpf.Errno(79)), 79, 78}, // equally strict: the newer's data
	} {
		if err := loader.Install(step.p, loader.Options{}); err != nil {
			return err
		}
		if err := wantErrno(step.getppid); err != nil {
			return err
		}
		if got := getsid(); got != step.getsid {
			return fmt.Errorf("getsid: errno %d, want %d", got, step.getsid)
		}
	}
	return nil
}

func TestLongestProgramLoads(t *testing.T) {
	reexec.OK(t, "maximum")
	if _, err := cbpf.New(raw(cbpf.MaxInstructions+1, cbpf.Allow), binary.NativeEndian); err == nil {
		t.Error("a longer one can be made")
	}
}

func maximum() error {
	p, err := cbpf.New(raw(cbpf.MaxInstructions, cbpf.Errno(77)), binary.NativeEndian)
	if err != nil {
		return err
	}
	return errors.Join(loader.Install(p, loader.Options{}), wantErrno(77))
}

// raw is a filter of n instructions that answers a to getppid.
func raw(n int, a cbpf.Action) []bpf.RawInstruction {
	insns := make([]bpf.Instruction, n-4, n)
	for i := range insns {
		insns[i] = bpf.LoadConstant{Dst: bpf.RegA, Val: uint32(i)}
	}
	insns = append(insns,
		loadNR, bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_GETPPID, SkipFalse: 1}, ret(a), ret(cbpf.Allow))
	raw, err := bpf.Assemble(insns)
	if err != nil {
		panic(err)
	}
	return raw
}

func TestTotalLengthOfAThreadsFiltersIsLimited(t *testing.T) { reexec.OK(t, "too many") }

func tooMany() error {
	p, err := cbpf.New(raw(cbpf.MaxInstructions, cbpf.Allow), binary.NativeEndian)
	if err != nil {
		return err
	}
	for range 32768 / cbpf.MaxInstructions {
		if err = loader.Install(p, loader.Options{}); err != nil {
			break
		}
	}
	const want = "loader: seccomp: cannot allocate memory: no memory, or over 32768 instructions in all filters of the thread, " +
		"each filter counting 4 more, as the kernel translates them (this program has 4096: install fewer filters or shorter ones)"
	if !errors.Is(err, unix.ENOMEM) || err.Error() != want {
		return fmt.Errorf("got %v, want %s", err, want)
	}
	return nil
}
