package watch_test

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
)

// outerPrograms are the roles of this binary in these tests.
func outerPrograms() map[string]func() {
	return map[string]func(){
		"under": under, "confined": attended, "exec in a thread": execInThread, "many threads": manyThreads, "signals": signals, "lose a thread": loseThread,
	}
}

// outerRules are the earlier filters: what they do to one call.
func outerRules() map[string]policy.Rule {
	errno, zero := uint(77), uint(0)
	rule := func(a cbpf.Action, n *uint, names ...string) policy.Rule {
		return policy.Rule{Names: append(names, "sched_get_priority_max"), Action: a, Errno: n}
	}
	return map[string]policy.Rule{
		"errno": rule(cbpf.ErrnoClass, &errno), "zero": rule(cbpf.ErrnoClass, &zero), "trap": rule(cbpf.Trap, nil),
		"thread": rule(cbpf.KillThread, nil), "process": rule(cbpf.KillProcess, nil), "log": rule(cbpf.Log, nil),
		"ptrace": rule(cbpf.ErrnoClass, &errno, "ptrace"), "false ptrace": rule(cbpf.ErrnoClass, &zero, "ptrace"),
	}
}

// under runs a program under the earlier filter that its first argument names, and prints
// each denied call and the end.
func under() {
	outer(os.Args[2])
	c := self(os.Args[3:]...)
	if os.Args[3] == "sh" {
		c.Path, c.Args = "/bin/sh", os.Args[3:]
	}
	c.Filter = compiled(policy.Rule{Names: []string{"umask"}, Action: cbpf.ErrnoClass}).program
	c.Handle = func(n *loader.Notification) error {
		if n.Data.NR == unix.SYS_UMASK {
			fmt.Println("handled umask")
		} else {
			fmt.Println("handled", n.Data.NR)
		}
		return n.Continue()
	}
	c.Denied = func(d *watch.Denial) {
		if d.Data.NR != unix.SYS_SCHED_GET_PRIORITY_MAX || d.Process.PID == 0 || d.Process.Name == "" {
			fmt.Printf("%+v\n", d)
		}
		fmt.Println("denied", d.Action)
	}
	c.Blind = func(err error) { fmt.Println("blind:", err) }
	status, err := watch.Run(c)
	fmt.Println("status", status, err)
	os.Exit(0)
}

// outer installs an earlier filter.
func outer(name string) {
	rule, ok := outerRules()[name]
	if calls, denies := strings.CutPrefix(name, "deny "); denies {
		rule, ok = policy.Rule{Names: strings.Fields(calls), Action: cbpf.ErrnoClass}, true
	}
	if !ok {
		panic(name)
	}
	p, _, err := compiler.Compile(compiled(rule).resolved, compiler.Options{})
	if err != nil {
		panic(err)
	}
	if err := loader.Install(p, loader.Options{}); err != nil {
		panic(err)
	}
}

// deniedCall makes the call that the earlier filters deny.
func deniedCall() unix.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_SCHED_GET_PRIORITY_MAX, 0, 0, 0)
	return errno
}

// execInThread has another thread than the first execute a program.
func execInThread() {
	if len(os.Args) > 2 {
		deniedCall()
		os.Exit(5)
	}
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() { // the first thread
			go execInThread()
			select {}
		}
		deniedCall()
		_ = unix.Exec("/proc/self/exe", []string{"target", "exec in a thread", "again"}, nil)
	}()
	select {}
}

const (
	manyThreadCount = 64
	manyCallCount   = 20

	signalledCallCount = 500
)

func manyThreads() {
	callInThreads()
	os.Exit(0)
}

func callInThreads() {
	var running sync.WaitGroup
	for range manyThreadCount {
		running.Go(func() {
			runtime.LockOSThread()
			for range manyCallCount {
				deniedCall()
				_, _ = os.Stat("/no/such/file") // fails, but no filter denies it
			}
		})
	}
	running.Wait()
}

// signals makes calls while signals come.
func signals() {
	tid := make(chan int)
	over := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		tid <- unix.Gettid()
		for range signalledCallCount {
			deniedCall()
		}
		close(over)
	}()
	for target := <-tid; ; {
		select {
		case <-over:
			os.Exit(0)
		default:
			_ = unix.Tgkill(unix.Getpid(), target, unix.SIGURG) // the runtime handles it
			time.Sleep(50 * time.Microsecond)
		}
	}
}

// loseThread goes on after one of its threads.
func loseThread() {
	go func() {
		runtime.LockOSThread()
		deniedCall()
	}()
	time.Sleep(200 * time.Millisecond)
	os.Exit(4)
}

// The calls that an earlier filter denies are named, with what it did, and no others.
func TestEarlierFilters(t *testing.T) {
	needSeccomp(t)
	const threads = "many threads"
	for _, tt := range []struct {
		filter  string
		program []string
		denied  string // the action
		count   int
		status  int
	}{
		{"errno", []string{threads}, "ERRNO(77)", manyThreadCount * manyCallCount, 0},
		{"errno", []string{"exec in a thread"}, "ERRNO(77)", 2, 5},
		{"errno", []string{"signals"}, "ERRNO(77)", signalledCallCount, 0},
		{"zero", []string{"exec in a thread"}, "ERRNO(0)", 2, 5},
		{"trap", []string{"lose a thread"}, "TRAP", 1, 2}, // Go's runtime ends by it
		{"thread", []string{"lose a thread"}, "KILL_THREAD", 1, 4},
		{"process", []string{"lose a thread"}, "KILL_PROCESS", 1, 159},
		{"log", []string{"exec in a thread"}, "", 0, 5},
		{"errno", []string{"sh", "-c", "kill -KILL $$"}, "", 0, 137},
		{"errno", []string{"sh", "-c", "kill -SYS $$"}, "", 0, 159},
		{"errno", []string{"sh", "-c", "(sleep 0.2; kill -CONT $$) & kill -STOP $$; exit 6"}, "", 0, 6},
		{"errno", []string{"sh", "-c", "i=0; while [ $i -lt 200 ]; do (:); i=$((i+1)); done; exit 7"}, "", 0, 7},
		{"errno", []string{"sh", "-c", "(sleep 0.3; exec $0 'exec in a thread' again) & exit 8", "/proc/self/exe"}, "", 0, 8},
	} {
		t.Run(tt.filter+", "+strings.Join(tt.program, " "), func(t *testing.T) {
			got := runUnder(t, tt.filter, tt.program...)
			want := map[string]int{fmt.Sprintf("status %d <nil>", tt.status): 1}
			if tt.count > 0 {
				want["denied "+tt.denied] = tt.count
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Handle hears of the calls that its filter is about, and of no others.
func TestHandleUnderEarlierFilters(t *testing.T) {
	needSeccomp(t)
	got := runUnder(t, "errno", "sh", "-c", "umask 077; (umask 077); exit 7")
	if got["handled umask"] == 0 || got["status 7 <nil>"] != 1 || len(got) != 2 {
		t.Errorf("%v", got)
	}
}

// What cannot be seen is said.
func TestBlind(t *testing.T) {
	needSeccomp(t)
	for filter, want := range map[string]string{
		"ptrace":       "blind: ptrace: " + unix.Errno(77).Error(),
		"false ptrace": "blind: an earlier filter pretends to carry out ptrace",
	} {
		if got := runUnder(t, filter, "exec in a thread"); got[want] != 1 || got["status 5 <nil>"] != 1 || len(got) != 2 {
			t.Errorf("%s: %v, want %s", filter, got, want)
		}
	}
}

// Whatever call of the supervisor an earlier filter denies, Run says so before the program
// starts or does without, and leaves nothing behind.
func TestSupervisorDenied(t *testing.T) {
	needSeccomp(t)
	const barred = ": operation not permitted: an earlier filter or a security module denies the call"
	const works = "status 6 <nil>"
	for denied, want := range map[string][]string{
		"ioctl":            {"status 0 watch: ioctl" + barred},
		"sendmsg":          {"status 0 watch: sendmsg" + barred},
		"recvmsg":          {"status 0 watch: recvmsg" + barred},
		"socketpair":       {"status 0 watch: cannot make a socket: operation not permitted"},
		"poll ppoll":       {"status 0 watch: poll" + barred},
		"seccomp":          {"status 0 loader: seccomp" + barred + " (let it allow seccomp)"},
		"ptrace":           {"blind: ptrace: operation not permitted", works},
		"wait4":            {"blind: wait4: operation not permitted", works},
		"wait4 waitid":     {"blind: wait4: operation not permitted", works},
		"waitid":           {works},
		"pidfd_open":       {works},
		"process_vm_readv": {works},
		"process_vm_readv sched_get_priority_max":      {works},
		"kill tgkill pidfd_send_signal":                {works},
		"kill tgkill pidfd_send_signal ioctl":          {"status 0 watch: ioctl" + barred},
		"kill tgkill pidfd_send_signal poll ppoll":     {"status 0 watch: poll" + barred},
		"wait4 waitid ptrace pidfd_open kill readlink": {"blind: ptrace: operation not permitted", works},
	} {
		t.Run(denied, func(t *testing.T) {
			got := runUnder(t, "deny "+denied, "sh", "-c", "exit 6")
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A denied call is reported where the memory that its arguments point to cannot be read.
func TestMemoryDenied(t *testing.T) {
	needSeccomp(t)
	got := runUnder(t, "deny process_vm_readv chdir", "sh", "-c", "cd / 2>/dev/null; exit 6")
	if got["denied ERRNO(1)"] != 1 || got["status 6 <nil>"] != 1 {
		t.Errorf("%v", got)
	}
}

// runUnder runs one of the programs under an earlier filter and returns what came of it,
// each line with how often it came.
func runUnder(t *testing.T, filter string, program ...string) map[string]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", append([]string{"under", filter}, program...)...)
	cmd.WaitDelay = 10 * time.Second // for processes that are left behind with the output
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := make(map[string]int)
	for line := range strings.Lines(string(out)) {
		lines[strings.TrimSpace(line)]++
	}
	return lines
}

// A running process, its threads and its children are watched and let go of.
func TestAttach(t *testing.T) {
	needSeccomp(t)
	program := exec.Command("/proc/self/exe", "confined", "many threads")
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := program.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil { // it has its filters
		t.Fatal(err)
	}
	if _, err := loader.Dump(t.Context(), program.Process.Pid); err != nil {
		_ = program.Process.Kill()
		_ = program.Wait()
		t.Skipf("filters cannot be read here: %v", err)
	}
	var count int
	attached := make(chan error)
	started := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		attached <- watch.Attach(ctx, program.Process.Pid, func(d *watch.Denial) {
			switch {
			case d.Data.NR != unix.SYS_SCHED_GET_PRIORITY_MAX || d.Action != cbpf.Errno(77) || d.Filter != 2 || d.Filters != 2 || d.Process.PID == 0:
				t.Errorf("%+v", d)
			case count == 0:
				close(started)
			}
			count++
		})
	}()
	<-started // by a thread that makes the call until it is told to go on
	_, _ = in.Write([]byte("\n"))
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-attached; err != nil {
		t.Error(err)
	}
	if tracer := status(t, program.Process.Pid, "TracerPid"); tracer != "0" {
		t.Errorf("traced by %s", tracer)
	}
	if count < manyThreadCount*manyCallCount {
		t.Errorf("%d calls, want %d", count, manyThreadCount*manyCallCount)
	}
	_ = in.Close()
	if err := program.Wait(); err != nil {
		t.Error(err)
	}
}

// status returns a field of a process's status.
func status(t *testing.T, pid int, name string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n"+name+":")
	value, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(value)
}

// attended is a process to attach to: it says that it is confined, makes a call until it
// is told to go on, makes calls in many threads, says so, and waits.
func attended() {
	for _, filter := range []string{"log", "errno"} {
		outer(filter)
	}
	fmt.Println("confined")
	told := make(chan struct{})
	in := bufio.NewReader(os.Stdin)
	go func() {
		_, _ = in.ReadString('\n')
		close(told)
	}()
	for waiting := true; waiting; {
		select {
		case <-told:
			waiting = false
		case <-time.After(10 * time.Millisecond):
			deniedCall()
		}
	}
	callInThreads()
	fmt.Println("called")
	_, _ = in.ReadString('\n')
	os.Exit(0)
}
