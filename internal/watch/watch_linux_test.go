package watch_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
)

// TestMain is also the programs that the tests watch.
func TestMain(m *testing.M) {
	if os.Getenv(preempted) != "" {
		watch.MainPreempted()
	}
	watch.Main()
	if len(os.Args) > 1 {
		if role := outerPrograms()[os.Args[1]]; role != nil {
			role()
		}
		switch os.Args[1] {
		case "threads":
			threads()
		case "confine":
			confine()
		case "listen":
			listen()
		case "supervise":
			supervise()
		case "getppid":
			os.Exit(int(getppid()))
		case "until ENOSYS":
			untilENOSYS()
		case "install":
			installFilters()
		case "follow":
			follow()
		}
	}
	os.Exit(m.Run())
}

// preempted is the variable that has what becomes a program preempted.
const preempted = "SECCOMPILE_PREEMPTED"

const (
	threadCount = 8
	callCount   = 500
)

// threads makes calls in threads of two processes.
func threads() {
	var running sync.WaitGroup
	for range threadCount {
		running.Go(func() {
			runtime.LockOSThread()
			for range callCount {
				getppid()
			}
		})
	}
	running.Wait()
	if len(os.Args) > 2 {
		if err := exec.Command("/proc/self/exe", "threads").Run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(0)
}

// confine installs a filter of its own and exits with what it is good for.
func confine() {
	errno := uint(77)
	m := compiled(policy.Rule{Names: []string{"getppid"}, Action: cbpf.ErrnoClass, Errno: &errno})
	p, _, err := compiler.Compile(m.resolved, compiler.Options{})
	if err != nil {
		panic(err)
	}
	if err := loader.Install(p, loader.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(int(getppid()))
}

// listen wants to be a supervisor itself.
func listen() {
	p := compiled(policy.Rule{Names: []string{"getppid"}, Action: cbpf.Notify})
	_, err := loader.InstallListener(p.program, loader.Options{ThisThread: true})
	if errors.Is(err, unix.EBUSY) {
		os.Exit(16)
	}
	os.Exit(1)
}

// supervise watches a program, and says so.
func supervise() {
	_, err := watch.Run(&watch.Command{
		Path: "/proc/self/exe", Args: []string{"target", "until ENOSYS"}, Filter: all(), Handle: (*loader.Notification).Continue,
	})
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// untilENOSYS runs until its supervisor is gone.
func untilENOSYS() {
	fmt.Println(os.Getpid())
	for getppid() != unix.ENOSYS {
		time.Sleep(time.Millisecond)
	}
	os.Exit(0)
}

func getppid() unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_GETPPID, 0, 0, 0)
	return errno
}

// A meaning is a profile after all stages.
type meaning struct {
	resolved *policy.Resolved
	program  *cbpf.Program // that notifies of what is denied
}

// compiled makes a profile that allows what the rules do not decide.
func compiled(rules ...policy.Rule) meaning {
	return mean(&policy.Policy{Default: cbpf.Allow, Flags: []cbpf.Flag{}, Rules: rules})
}

func mean(p *policy.Policy) meaning {
	r, _, err := policy.Resolve(p, policy.Options{})
	if err != nil {
		panic(err)
	}
	program, err := watch.Denied(r)
	if err != nil {
		panic(err)
	}
	return meaning{r, program}
}

// all returns the filter that notifies of all calls but those that end a thread.
func all() *cbpf.Program {
	return mean(&policy.Policy{Default: cbpf.ErrnoClass, Rules: []policy.Rule{
		{Names: []string{"exit", "exit_group"}, Action: cbpf.Allow},
	}}).program
}

// needSeccomp skips a test where nothing can be watched.
func needSeccomp(t *testing.T) {
	t.Helper()
	features, err := loader.Probe()
	if err != nil || features.NotifSize == 0 {
		t.Skip("the kernel has no listeners")
	}
}

// self returns a command that runs this binary as one of the programs above.
func self(args ...string) *watch.Command {
	return &watch.Command{
		Path: "/proc/self/exe", Args: append([]string{"target"}, args...),
		Filter: all(), Handle: (*loader.Notification).Continue,
	}
}

// shell returns a command that runs a script.
func shell(script string) *watch.Command {
	return &watch.Command{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Filter: all(), Handle: (*loader.Notification).Continue}
}

func wantStatus(t *testing.T, c *watch.Command, want int) {
	t.Helper()
	needSeccomp(t)
	if status, err := watch.Run(c); status != want || err != nil {
		t.Fatalf("status %d, error %v, want %d", status, err, want)
	}
}

func TestEveryCallOfThreadsAndProcessesIsHeardOnce(t *testing.T) {
	c := self("threads", "and a process")
	heard := make(map[int]int)
	c.Handle = func(n *loader.Notification) error {
		err := n.Continue()
		if err == nil && n.Data.NR == unix.SYS_GETPPID {
			heard[n.PID]++
		}
		return err
	}
	wantStatus(t, c, 0)
	full := 0
	for _, count := range heard {
		full += count
	}
	if full != 2*threadCount*callCount {
		t.Errorf("heard %v, want %d calls by each of %d threads", heard, callCount, 2*threadCount)
	}
}

// Whatever the runtime does on the confined thread before it has told anybody of the
// listener, somebody answers.
func TestPreemptedBehindTheInstallation(t *testing.T) {
	t.Setenv(preempted, "1")
	wantStatus(t, shell("exit 3"), 3)
	broken := shell("")
	broken.Path = filepath.Join(t.TempDir(), "nothing")
	if _, err := watch.Run(broken); !errors.Is(err, unix.ENOENT) {
		t.Errorf("error %v", err)
	}
}

func TestFirstCallIsTheExecve(t *testing.T) {
	c := shell("exit 0")
	var heard []uint32
	c.Handle = func(n *loader.Notification) error {
		heard = append(heard, n.Data.NR)
		return n.Continue()
	}
	wantStatus(t, c, 0)
	if len(heard) < 10 || heard[0] != unix.SYS_EXECVE {
		t.Errorf("heard %v", heard)
	}
}

func TestStatus(t *testing.T) {
	wantStatus(t, shell("exit 7"), 7)
	wantStatus(t, shell("kill -TERM $$"), 143)
	wantStatus(t, shell("kill -KILL $$"), 137)
}

// A process that becomes a program must not collect garbage under the filter.
func TestMemoryLimitOfTheProgram(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "1MiB")
	t.Setenv("GOGC", "1")
	wantStatus(t, shell("exit 7"), 7)
}

func TestPipeline(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, []byte("b\na\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, shell("sort "+in+" | uniq >"+out), 0)
	if got, err := os.ReadFile(out); string(got) != "a\nb\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestFilesAreInherited(t *testing.T) {
	f, err := os.Open("/etc/passwd")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	fd, err := unix.Dup(int(f.Fd())) // not closed on exec
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	wantStatus(t, shell("read line <&"+strconv.Itoa(fd)), 0)
}

func TestNoOtherFilesAreInherited(t *testing.T) {
	needSeccomp(t)
	list := func(c *exec.Cmd) string {
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	const script = "ls /proc/self/fd"
	watched, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, shell(script+" >"+watched.Name()), 0)
	got, err := io.ReadAll(watched)
	if err != nil {
		t.Fatal(err)
	}
	if want := list(exec.Command("/bin/sh", "-c", script)); len(strings.Fields(string(got))) > len(strings.Fields(want)) {
		t.Errorf("open files %q, want no more than %q", got, want)
	}
}

func TestProgramsThatCannotBeExecuted(t *testing.T) {
	needSeccomp(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for path, want := range map[string]error{
		write("text", "no program\n"):                      unix.ENOEXEC,
		write("script", "#!/no/such/interpreter\n"):        unix.ENOENT,
		filepath.Join(dir, "nothing"):                      unix.ENOENT,
		write("long", "#!/bin/"+strings.Repeat("x/", 999)): unix.ENOEXEC,
	} {
		c := shell("")
		c.Path = path
		_, err := watch.Run(c)
		var failed *watch.ExecError
		if !errors.As(err, &failed) || failed.Path != path || !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}

func TestProgramInstallsItsOwnFilter(t *testing.T) { wantStatus(t, self("confine"), 77) }

func TestProgramCannotListen(t *testing.T) { wantStatus(t, self("listen"), int(unix.EBUSY)) }

func TestSignalsArePassedOn(t *testing.T) {
	wantStatus(t, shell(`trap 'exit 9' TERM; kill -TERM $PPID; while :; do sleep 0.01; done`), 9)
	wantStatus(t, shell(`trap 'exit 8' USR1; kill -USR1 $PPID; while :; do sleep 0.01; done`), 8)
}

func TestProcessesLeftBehindAreHeard(t *testing.T) {
	c := shell("(sleep 0.5; umask 077) & exit 3")
	orphaned := make(chan struct{}, 1)
	c.Orphaned = func() { orphaned <- struct{}{} }
	umasks := 0
	c.Handle = func(n *loader.Notification) error {
		if n.Data.NR == unix.SYS_UMASK {
			umasks++
		}
		return n.Continue()
	}
	wantStatus(t, c, 3)
	if umasks == 0 || len(orphaned) != 1 {
		t.Errorf("%d calls of umask, told %d times", umasks, len(orphaned))
	}
}

func TestSignalEndsTheRunWithoutProgram(t *testing.T) {
	c := shell("sleep 2 <&- >&- 2>&- & exit 3")
	c.Orphaned = func() { _ = unix.Kill(os.Getpid(), unix.SIGTERM) }
	left := make(chan int, 1)
	c.Left = func(processes int) { left <- processes }
	wantStatus(t, c, 3)
	if len(left) != 1 {
		t.Fatalf("told %d times of processes that are left", len(left))
	}
	if n := <-left; n < 1 { // others may have started meanwhile
		t.Errorf("%d processes left", n)
	}
}

func TestErrorOfHandlerEndsTheProgram(t *testing.T) {
	needSeccomp(t)
	broken := errors.New("broken")
	c := shell("sleep 100")
	c.Handle = func(n *loader.Notification) error {
		if n.Data.NR == unix.SYS_CLOCK_NANOSLEEP {
			return broken
		}
		return n.Continue()
	}
	if _, err := watch.Run(c); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

// The kernel answers in the place of a supervisor that was killed.
func TestNobodyHangsWithoutSupervisor(t *testing.T) {
	needSeccomp(t)
	cmd := exec.Command("/proc/self/exe", "supervise")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, r) // until the program has ended, too
		ended <- err
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the program hangs")
	}
	_ = cmd.Wait()
}

func TestEnforce(t *testing.T) {
	needSeccomp(t)
	zero := uint(0)
	deny := func(a cbpf.Action, errno *uint) policy.Rule {
		return policy.Rule{Names: []string{"umask"}, Action: a, Errno: errno}
	}
	for _, tt := range []struct {
		rule   policy.Rule
		script string
		status int
	}{
		{deny(cbpf.KillProcess, nil), "umask 077; exit 1", 159},
		{deny(cbpf.KillThread, nil), "umask 077; exit 1", 159},
		{deny(cbpf.KillProcess, nil), "trap '' SYS; umask 077; exit 1", 137},
		{deny(cbpf.KillProcess, nil), "trap 'exit 2' SYS; umask 077; exit 1", 137},
		{deny(cbpf.Trap, nil), "umask 077; exit 1", 159},
		{deny(cbpf.Trap, nil), "trap 'exit 5' SYS; umask 077; exit 1", 5},
		{deny(cbpf.Trap, nil), "trap '' SYS; umask 077; exit 1", 137},
		{deny(cbpf.Log, nil), "umask 077; test $(umask) = 0077", 0},
		{deny(cbpf.ErrnoClass, &zero), "umask 022; umask 077; test $(umask) = 0000", 0},
	} {
		m := compiled(tt.rule)
		c := shell(tt.script)
		c.Filter = m.program
		c.Handle = func(n *loader.Notification) error { return watch.Enforce(n, m.resolved.Eval(&n.Data)) }
		if status, err := watch.Run(c); status != tt.status || err != nil {
			t.Errorf("%s: %s: status %d, error %v, want %d", tt.rule.Action, tt.script, status, err, tt.status)
		}
	}
}

func TestEnforceErrors(t *testing.T) {
	errno := uint(77)
	for _, tt := range []struct {
		rule   policy.Rule
		status unix.Errno
	}{
		{policy.Rule{Names: []string{"getppid"}, Action: cbpf.ErrnoClass, Errno: &errno}, 77},
		{policy.Rule{Names: []string{"getppid"}, Action: cbpf.TraceClass}, unix.ENOSYS},
		{policy.Rule{Names: []string{"getppid"}, Action: cbpf.Notify}, unix.ENOSYS},
	} {
		m := compiled(tt.rule)
		c := self("getppid")
		c.Filter = m.program
		c.Handle = func(n *loader.Notification) error {
			if p := watch.Caller(n); p.PID == 0 || p.Name == "" {
				t.Errorf("caller %+v", p)
			}
			return watch.Enforce(n, m.resolved.Eval(&n.Data))
		}
		wantStatus(t, c, int(tt.status))
	}
}

// What a policy allows is not heard of.
func TestDeniedNotifiesOfNothingElse(t *testing.T) {
	native := arch.Native()
	m := compiled(
		policy.Rule{Names: []string{"getppid"}, Action: cbpf.ErrnoClass},
		policy.Rule{Names: []string{"umask"}, Action: cbpf.Log},
		policy.Rule{Names: []string{"personality"}, Action: cbpf.TraceClass, Args: []policy.Arg{{Index: 0, Op: policy.Equal, Value: 8}}},
	)
	for _, tt := range []struct {
		d    cbpf.Data
		want cbpf.Action
	}{
		{cbpf.Data{NR: unix.SYS_GETPPID, Arch: native.Audit()}, cbpf.Notify},
		{cbpf.Data{NR: unix.SYS_UMASK, Arch: native.Audit()}, cbpf.Log},
		{cbpf.Data{NR: unix.SYS_READ, Arch: native.Audit()}, cbpf.Allow},
		{cbpf.Data{NR: unix.SYS_PERSONALITY, Arch: native.Audit(), Args: [6]uint64{8}}, cbpf.Notify},
		{cbpf.Data{NR: unix.SYS_PERSONALITY, Arch: native.Audit(), Args: [6]uint64{9}}, cbpf.Allow},
		{cbpf.Data{NR: unix.SYS_READ, Arch: 0x1234}, cbpf.Notify},
	} {
		if got := m.program.Eval(&tt.d); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.d, got, tt.want)
		}
	}
}
