package loader_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
)

// needDump skips a test where this process may not read filters.
func needDump(t *testing.T) {
	t.Helper()
	needPrivileges(t)
	if status(unix.Gettid(), "Seccomp") != "0" {
		t.Skip("needs to be unconfined")
	}
	p := startSubject(t, "1")
	if _, err := loader.Dump(t.Context(), p.tids[0]); errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
}

// level is the i-th of the filters that a subject installs on one thread.
func level(i int) *cbpf.Program { return on(unix.SYS_GETPPID, cbpf.Errno(uint16(100+i))) }

// subject starts a thread for each argument, with as many filters as that says,
// and prints their ids. Then it echoes its input.
func subject() error {
	for _, arg := range os.Args[1:] {
		filters, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		th := startThread()
		err = th.do(func() error {
			for i := range filters {
				o := loader.Options{ThisThread: true}
				if i == 1 {
					o.Flags = []cbpf.Flag{cbpf.LogFlag}
				}
				if err := loader.Install(level(i), o); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		fmt.Println(th.tid)
	}
	_, err := io.Copy(os.Stdout, os.Stdin)
	return err
}

// A subjectProcess is a child to look at.
type subjectProcess struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
	tids  []int
}

func startSubject(t *testing.T, filters ...string) *subjectProcess {
	t.Helper()
	p := &subjectProcess{cmd: reexec.Command(t, "subject", filters...)}
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	for range filters {
		tid, err := strconv.Atoi(p.line(t))
		if err != nil {
			t.Fatal(err)
		}
		p.tids = append(p.tids, tid)
	}
	return p
}

func (p *subjectProcess) line(t *testing.T) string {
	t.Helper()
	s, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(s)
}

// checkAlive checks that the process goes on.
func (p *subjectProcess) checkAlive(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(p.stdin, "hello\n"); err != nil {
		t.Fatal(err)
	}
	if got := p.line(t); got != "hello" {
		t.Errorf("echo of hello: %q", got)
	}
}

// state returns the state of a process in /proc.
func (p *subjectProcess) state(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return string(b[strings.LastIndexByte(string(b), ')')+2:][:1])
}

func checkLevels(t *testing.T, got []loader.LiveFilter, want int) {
	t.Helper()
	if len(got) != want {
		t.Fatalf("%d filters, want %d", len(got), want)
	}
	for i, f := range got {
		if f.Program.Disassemble(nil) != level(i).Disassemble(nil) {
			t.Errorf("filter %d of %d:\n%s", i, want, f.Program.Disassemble(nil))
		}
		if f.Flags != 0 && i != 1 || f.Flags != cbpf.LogFlag && i == 1 {
			t.Errorf("filter %d: flags %v", i, f.Flags)
		}
	}
}

func TestDumpReturnsTheFiltersOfOneThread(t *testing.T) {
	needDump(t)
	p := startSubject(t, "0", "1", "3")
	for range 3 {
		for i, want := range []int{0, 1, 3} {
			got, err := loader.Dump(t.Context(), p.tids[i])
			if want == 0 && err == loader.ErrNoFilters {
				err = nil
			}
			if err != nil {
				t.Fatal(err)
			}
			checkLevels(t, got, want)
			p.checkAlive(t)
		}
	}
	if got, err := loader.Dump(t.Context(), p.cmd.Process.Pid); got != nil || err != loader.ErrNoFilters {
		t.Errorf("the first thread: %v, %v", got, err)
	}
}

func TestDumpLeavesAStoppedProcessStopped(t *testing.T) {
	needDump(t)
	p := startSubject(t, "1")
	if err := p.cmd.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "stop", func() bool { return p.state(t) == "T" })
	for range 3 {
		got, err := loader.Dump(t.Context(), p.tids[0])
		if err != nil {
			t.Fatal(err)
		}
		checkLevels(t, got, 1)
		eventually(t, "stop again", func() bool { return p.state(t) == "T" })
	}
	if err := p.cmd.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	p.checkAlive(t)
}

// Signals that come while a process is looked at are neither lost nor made up,
// and its parent learns how it ended.
func TestDumpOfAProcessThatIsSignalled(t *testing.T) {
	needDump(t)
	for range 20 {
		p := startSubject(t, "1")
		looking := make(chan error)
		go func() {
			for {
				_, err := loader.Dump(t.Context(), p.tids[0])
				if err != nil {
					looking <- err
					return
				}
			}
		}()
		for range 20 {
			_ = p.cmd.Process.Signal(unix.SIGSTOP)
			_ = p.cmd.Process.Signal(unix.SIGCONT)
		}
		p.checkAlive(t)
		if err := p.cmd.Process.Signal(unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := <-looking; !errors.Is(err, unix.ESRCH) {
			t.Errorf("got %v", err)
		}
		if err := p.cmd.Wait(); err == nil || err.Error() != "signal: terminated" {
			t.Errorf("the process ended with %v", err)
		}
	}
}

func TestDumpWaitsNoLongerThanItsContext(t *testing.T) {
	needDump(t)
	needKernel(t, 5, 19)
	tg := startTarget(t, "signalled", "killable")
	n := tg.next(t) // from now on it can only be killed
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if _, err := loader.Dump(ctx, n.PID); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
	if err := n.Return(1); err != nil {
		t.Fatal(err)
	}
	tg.wait(t)
}

func TestDumpSaysWhyNot(t *testing.T) {
	needDump(t)
	check := func(what string, tid int, errno error, want string) {
		t.Helper()
		got, err := loader.Dump(t.Context(), tid)
		if got != nil || !errors.Is(err, errno) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want %s", what, got, err, want)
		}
	}
	for _, tid := range []int{0, -1} {
		if _, err := loader.Dump(t.Context(), tid); err == nil {
			t.Errorf("thread %d: no error", tid)
		}
	}
	check("beyond all", 1<<31-1, unix.ESRCH, "thread 2147483647 has ended (is the id right?)")
	check("itself", os.Getpid(), unix.EPERM, "belongs to this process")
	check("own thread", unix.Gettid(), unix.EPERM, "belongs to this process")

	zombie := startSubject(t, "1")
	if err := zombie.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "end", func() bool { return zombie.state(t) == "Z" })
	check("zombie", zombie.cmd.Process.Pid, unix.ESRCH, "has ended")

	if comm, err := os.ReadFile("/proc/2/comm"); err == nil && string(comm) == "kthreadd\n" {
		check("kernel thread", 2, unix.EPERM, "is the kernel's own")
	}

	traced := startSubject(t, "1")
	tracer := startThread()
	err := tracer.do(func() error {
		_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(traced.tids[0]), 0, 0, 0, 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	check("traced", traced.tids[0], unix.EPERM, fmt.Sprintf("is traced already, by thread %d (end that first)", tracer.tid))
	close(tracer.work)
}

// dumper dumps the thread that its argument names and prints the error.
func dumper() error {
	tid, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return err
	}
	_, err = loader.Dump(context.Background(), tid)
	fmt.Println(err)
	return nil
}

func TestConfinedProcessCannotDump(t *testing.T) {
	needDump(t)
	p := startSubject(t, "1")
	got := reexec.OK(t, "confined dumper", strconv.Itoa(p.tids[0])).Stdout
	const want = "loader: ptrace: permission denied: the kernel shows filters only to processes without filters, and this one has some " +
		"(run it outside of the container)\n"
	if got != want {
		t.Error(got)
	}
	p.checkAlive(t)
}

func confinedDumper() error {
	if err := loader.Install(level(0), loader.Options{}); err != nil {
		return err
	}
	return dumper()
}

func TestDumpNeedsAPrivilege(t *testing.T) {
	needDump(t)
	p := startSubject(t, "1")
	got := reexec.OK(t, "unprivileged dumper", strconv.Itoa(p.tids[0])).Stdout
	const want = "loader: ptrace: permission denied: reading filters needs CAP_SYS_ADMIN in the initial user namespace " +
		"(run it as root outside of containers)\n"
	if got != want {
		t.Error(got)
	}
	p.checkAlive(t)
}

// unprivilegedDumper starts a dumper that does not get CAP_SYS_ADMIN when it is
// executed.
func unprivilegedDumper() error {
	if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_ADMIN, 0, 0, 0); err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1])
	cmd.Env = append(os.Environ(), "SECCOMPILE_REEXEC=dumper")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// The main thread does not end with its goroutine, so it must trace nobody.
func TestDumpKeepsOffTheMainThread(t *testing.T) {
	needDump(t)
	p := startSubject(t, "1")
	got := reexec.OK(t, "main thread dumper", strconv.Itoa(p.tids[0])).Stdout
	if got != strings.Repeat("<nil>\n", 20) {
		t.Error(got)
	}
	p.checkAlive(t)
}

func mainThreadDumper() error {
	runtime.UnlockOSThread() // which an init function locked
	runtime.GOMAXPROCS(1)    // so that new goroutines run here
	for range 20 {
		if err := dumper(); err != nil {
			return err
		}
	}
	return nil
}
