package watch_test

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/loader"
)

// long is a filter of n instructions that allows every call.
func long(n int) *cbpf.Program {
	raw := append(slices.Repeat([]bpf.RawInstruction{{Op: 0x20}}, n-1), bpf.RawInstruction{Op: 0x06, K: uint32(cbpf.Allow)})
	p, err := cbpf.New(raw, binary.NativeEndian)
	if err != nil {
		panic(err)
	}
	return p
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// installFilters is a program that does what its arguments say, in order.
func installFilters() {
	runtime.LockOSThread()
	for _, arg := range os.Args[2:] {
		verb, value, _ := strings.Cut(arg, "=")
		n, _ := strconv.Atoi(value)
		switch verb {
		case "seccomp":
			must(loader.Install(long(n), loader.Options{ThisThread: true, Flags: []cbpf.Flag{cbpf.LogFlag}}))
		case "prctl":
			must(prctlFilter(n))
		case "threads":
			ready := make(chan error)
			for range n {
				go func() {
					runtime.LockOSThread() // and never unlocks
					ready <- loader.Install(long(3), loader.Options{ThisThread: true})
					select {} // the thread stays
				}()
			}
			for range n {
				must(<-ready)
			}
		case "children":
			var all sync.WaitGroup
			for range n {
				all.Go(func() { must(exec.Command("/proc/self/exe", "install", "seccomp=4").Run()) })
			}
			all.Wait()
		case "all": // other threads may have other filters
			err := loader.Install(long(5), loader.Options{})
			var diverged *loader.TSyncError
			if !errors.As(err, &diverged) {
				must(errors.Join(err, errors.New("all threads have the filter")))
			}
		case "changing":
			changing()
		case "echo":
			fmt.Println("ready", os.Getpid())
			_, _ = io.Copy(io.Discard, os.Stdin)
		case "orphan":
			must(exec.Command("/bin/sleep", value).Start())
		case "kill":
			must(unix.Kill(os.Getpid(), syscall.Signal(n)))
			time.Sleep(time.Minute) // another thread may take it
		case "exec":
			must(syscall.Exec("/proc/self/exe", []string{"x", "install", "seccomp=2", "exit=" + value}, os.Environ()))
		case "exit":
			os.Exit(n)
		}
	}
	os.Exit(0)
}

// A prog is struct sock_fprog.
type prog struct {
	len    uint16
	filter *unix.SockFilter
}

func prctlFilter(n int) error {
	insns := append(slices.Repeat([]unix.SockFilter{{Code: 0x20}}, n-1), unix.SockFilter{Code: 0x06, K: uint32(cbpf.Allow)})
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog{uint16(n), &insns[0]})), 0, 0)
}

// changing installs a filter that another thread changes all the time.
func changing() {
	insns := []unix.SockFilter{{Code: 0x06, K: uint32(cbpf.Allow)}}
	k := (*uint32)(unsafe.Pointer(&insns[0].K))
	go func() {
		for i := uint32(0); ; i++ {
			atomic.StoreUint32(k, uint32(cbpf.Allow)+i&1)
		}
	}()
	for range 50 {
		must(unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog{1, &insns[0]})), 0, 0))
	}
}

// followed runs the program above and returns what it installed.
func followed(t *testing.T, args ...string) (list []watch.Install, status int) {
	t.Helper()
	needSeccomp(t)
	status, err := watch.Installs("/proc/self/exe", append([]string{"x", "install"}, args...), func(i *watch.Install) { list = append(list, *i) }, nil)
	if errors.Is(err, unix.EPERM) {
		t.Skip("nothing can be traced: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return list, status
}

// lengths returns how long the filters are, in order; 0 stands for what is not in force or
// not known.
func lengths(list []watch.Install) (out []int) {
	for _, i := range list {
		n := 0
		if i.Filter.Program != nil && i.Refused == nil {
			n = i.Filter.Program.Len()
		}
		out = append(out, n)
	}
	return out
}

func TestInstallsAreThoseOfTheProgramAndWhatItStarts(t *testing.T) {
	list, status := followed(t, "seccomp=6", "prctl=7", "exit=9")
	if got := lengths(list); status != 9 || !slices.Equal(got, []int{6, 7}) {
		t.Fatalf("%v, status %d", got, status)
	}
	first := status0(t)
	for n, i := range list {
		flags := cbpf.Flag(0)
		if n == 0 {
			flags = cbpf.LogFlag
		}
		if i.Err != nil || i.PID <= 0 || i.Name == "" || i.Number != first+n+1 || i.Filter.Flags&cbpf.LogFlag != flags ||
			i.Filter.Program.Disassemble(nil) != long(6+n).Disassemble(nil) {
			t.Errorf("%+v", i)
		}
	}
}

// status0 returns how many filters the tests run under.
func status0(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "Seccomp_filters:\t")
	if !ok {
		t.Skip("needs Linux 5.9")
	}
	n, _, _ := strings.Cut(rest, "\n")
	filters, _ := strconv.Atoi(n)
	return filters
}

func TestInstallsOfThreadsAndChildren(t *testing.T) {
	list, status := followed(t, "seccomp=2", "threads=8", "children=20", "exit=3")
	count := map[int]int{}
	pids := map[int]bool{}
	for _, i := range list {
		if i.Err != nil || i.Refused != nil {
			t.Errorf("%+v", i)
			continue
		}
		count[i.Filter.Program.Len()]++
		pids[i.PID] = true
	}
	if status != 3 || count[2] != 1 || count[3] != 8 || count[4] != 20 || len(pids) != 21 {
		t.Errorf("status %d, filters by length %v of %d processes", status, count, len(pids))
	}
}

func TestInstallsAfterExec(t *testing.T) {
	list, status := followed(t, "seccomp=6", "threads=2", "exec=5")
	if got := lengths(list); status != 5 || !slices.Equal(got, []int{6, 3, 3, 2}) {
		t.Errorf("%v, status %d", got, status)
	}
}

func TestInstallsNamesWhatTheKernelRefuses(t *testing.T) {
	list, _ := followed(t, "seccomp=2", "threads=1", "all")
	last := list[len(list)-1]
	if last.Refused == nil || last.Filter.Program.Len() != 5 {
		t.Errorf("%+v", last)
	}
	if got := lengths(list); !slices.Equal(got, []int{2, 3, 0}) {
		t.Errorf("%v", got)
	}
}

// A filter that changes while it is installed is not shown as if it were known, unless both
// looks see the same.
func TestInstallsOfAChangingFilter(t *testing.T) {
	list, status := followed(t, "seccomp=2", "changing")
	if status != 0 || len(list) != 51 {
		t.Fatalf("%d filters, status %d", len(list), status)
	}
	for _, i := range list[1:] {
		switch {
		case i.Err != nil && i.Filter.Program == nil && strings.Contains(i.Err.Error(), "changed it meanwhile"):
		case i.Err == nil && i.Filter.Program.Len() == 1 && i.Filter.Program.At(0).K&^1 == uint32(cbpf.Allow):
		default:
			t.Errorf("%+v", i)
		}
	}
}

func TestInstallsReturnsTheStatusOfASignal(t *testing.T) {
	for _, sig := range []syscall.Signal{unix.SIGKILL, unix.SIGTERM} {
		if _, status := followed(t, "kill="+strconv.Itoa(int(sig))); status != 128+int(sig) {
			t.Errorf("%v: status %d", sig, status)
		}
	}
}

func TestInstallsSaysWhyAProgramDoesNotStart(t *testing.T) {
	_, err := watch.Installs("/nonexistent", []string{"x"}, func(*watch.Install) {}, nil)
	var failed *watch.ExecError
	if !errors.As(err, &failed) || failed.Path != "/nonexistent" || !errors.Is(err, unix.ENOENT) {
		t.Errorf("%v", err)
	}
}

// follow is a process that follows the program above and prints what it installs.
func follow() {
	status, err := watch.Installs("/proc/self/exe", append([]string{"x", "install"}, os.Args[2:]...),
		func(i *watch.Install) { fmt.Println("length", i.Filter.Program.Len()) }, func() { fmt.Println("orphaned") })
	must(err)
	os.Exit(status)
}

// startFollower starts that process and returns the id of the program, once it says echo.
func startFollower(t *testing.T, args ...string) (cmd *exec.Cmd, stdin io.Closer, out *bufio.Reader, pid int) {
	t.Helper()
	needSeccomp(t)
	cmd = exec.Command("/proc/self/exe", append([]string{"follow"}, args...)...)
	in, err1 := cmd.StdinPipe()
	pipe, err2 := cmd.StdoutPipe()
	if err := cmp.Or(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() { watchdog.Stop(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	out = bufio.NewReader(pipe)
	for {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Skip("nothing can be traced: ", err)
		}
		if id, ok := strings.CutPrefix(line, "ready "); ok {
			pid, _ = strconv.Atoi(strings.TrimSpace(id))
			return cmd, in, out, pid
		}
	}
}

func TestInstallsForwardsSignals(t *testing.T) {
	cmd, _, _, _ := startFollower(t, "seccomp=2", "echo")
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 128+int(unix.SIGTERM) {
		t.Errorf("%v", cmd.ProcessState)
	}
}

func TestInstallsLeavesAStoppedProgramStopped(t *testing.T) {
	cmd, stdin, _, pid := startFollower(t, "echo", "seccomp=2", "exit=6")
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	stdin.Close() // only a program that goes on sees that
	for range 20 {
		time.Sleep(5 * time.Millisecond)
		if err := unix.Kill(pid, 0); err != nil {
			t.Fatal("it went on: ", err)
		}
	}
	if err := unix.Kill(pid, unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 6 {
		t.Errorf("%v", cmd.ProcessState)
	}
}

// A program outlives the one that follows it.
func TestInstallsDiesAlone(t *testing.T) {
	cmd, stdin, out, pid := startFollower(t, "seccomp=2", "echo", "seccomp=3", "exit=6")
	_ = cmd.Process.Kill()
	_, _ = cmd.Process.Wait()
	if err := unix.Kill(pid, 0); err != nil {
		t.Fatal("it is gone, too: ", err)
	}
	stdin.Close()
	if rest, err := io.ReadAll(out); err != nil || strings.Contains(string(rest), "length 3") { // until it has ended
		t.Errorf("%q, %v", rest, err)
	}
}

func TestInstallsLeavesOrphans(t *testing.T) {
	cmd, stdin, out, _ := startFollower(t, "orphan=30", "echo", "exit=6")
	stdin.Close()
	if line, err := out.ReadString('\n'); line != "orphaned\n" {
		t.Fatal(line, err)
	}
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 6 {
		t.Errorf("%v", cmd.ProcessState)
	}
}
