package loader_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
)

// crowd starts as many processes as its argument says, which ask once and end with
// the answer as their status. A line of input makes it kill them. Then, or at the
// end of input, it waits for all and prints their statuses.
func crowd() error {
	if err := handOver(loader.Options{ThisThread: true}); err != nil {
		return err
	}
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return err
	}
	members := make([]int, count)
	for i := range members {
		if members[i], err = forkMember(); err != nil {
			return err
		}
	}
	if n, _ := os.Stdin.Read(make([]byte, 1)); n != 0 {
		for _, pid := range members {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil {
				return err
			}
		}
	}
	for _, pid := range members {
		var status unix.WaitStatus
		if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
			return err
		}
		fmt.Println(status.ExitStatus(), status.Signal())
	}
	return nil
}

// forkMember forks without executing: a thousand test binaries would be too much.
// The new process has none of Go's threads and makes only raw system calls.
//
//go:norace
//go:nosplit
func forkMember() (pid int, err error) {
	flags, stack := uintptr(unix.SIGCHLD), uintptr(0)
	if runtime.GOARCH == "s390x" { // CONFIG_CLONE_BACKWARDS2
		flags, stack = stack, flags
	}
	r, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, flags, stack, 0, 0, 0, 0)
	switch {
	case errno != 0:
		return 0, errno
	case r != 0:
		return int(r), nil
	}
	status, _, _ := syscall.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
	for {
		_, _, _ = syscall.RawSyscall(unix.SYS_EXIT_GROUP, status, 0, 0)
	}
}

// answered and killed are how members of a crowd end.
const (
	answered = "7 signal -1\n"
	killed   = "-1 killed\n"
)

// crowded is how many targets are many more than 256 handlers.
func crowded() int { return max(300, gen.Many(400, 1000)) }

// within fails the test if nothing comes from c.
func within[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(5 * time.Minute):
		t.Fatalf("Serve hangs: after 5 minutes still no %s", what)
	}
	return v
}

// wantEnd checks that Serve returns.
func wantEnd(t *testing.T, served <-chan error, want error) {
	t.Helper()
	if err := within(t, served, "end of Serve"); err != want {
		t.Errorf("Serve returned %v, want %v", err, want)
	}
}

// A waiting is a handler that waits for its context.
type waiting struct {
	*loader.Notification
	ctx     context.Context
	answer  chan struct{} // makes it answer
	result  chan error    // of its answer
	stopped chan struct{} // closed when its context has ended
}

// reply makes the handler answer, unless its call is gone: anything that stops the
// target for a moment, such as a signal or the freezer of its cgroup, takes it out of
// its call, and it makes the call again, which is another handler's.
func (w *waiting) reply() bool {
	select {
	case w.answer <- struct{}{}:
		return <-w.result == nil
	case <-w.stopped:
		return false
	}
}

// hold serves a target with handlers that wait for their contexts.
func (tg *target) hold(ctx context.Context, o loader.ServeOptions) (<-chan *waiting, <-chan error) {
	handlers := make(chan *waiting, 2000)
	return handlers, tg.serve(ctx, func(ctx context.Context, n *loader.Notification) {
		w := &waiting{n, ctx, make(chan struct{}), make(chan error, 1), make(chan struct{})}
		select {
		case handlers <- w:
		case <-ctx.Done():
			return
		}
		select {
		case <-ctx.Done():
			close(w.stopped)
		case <-w.answer:
			w.result <- n.Return(7)
		}
	}, o)
}

func TestServeEndsWhileAllHandlersWait(t *testing.T) {
	for _, end := range []struct {
		name string
		do   func(tg *target, cancel func()) error
		want error
	}{
		{"targets killed", func(tg *target, _ func()) error { _, err := tg.stdin.Write([]byte{'\n'}); return err }, nil},
		{"listener closed", func(tg *target, _ func()) error { return tg.Close() }, os.ErrClosed},
		{"context ended", func(_ *target, cancel func()) error { cancel(); return nil }, context.Canceled},
	} {
		for _, test := range []struct{ limit, targets int }{{1, 1}, {1, 2}, {2, 2}, {2, 3}, {256, 256}, {256, crowded()}} {
			t.Run(fmt.Sprintf("%s/limit=%d/targets=%d", end.name, test.limit, test.targets), func(t *testing.T) {
				if end.want == nil {
					needKernel(t, 5, 9)
				}
				tg := startTarget(t, "crowd", strconv.Itoa(test.targets))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				o := loader.ServeOptions{Limit: test.limit}
				if test.limit == 256 {
					o.Limit = 0
				}
				handlers, served := tg.hold(ctx, o)
				for range test.limit {
					within(t, handlers, "handler")
				}
				if err := end.do(tg, cancel); err != nil {
					t.Fatal(err)
				}
				var out string
				if end.want == nil {
					// Before Linux 6.11 the dead have the filter until they are waited for.
					out = tg.wait(t)
				}
				wantEnd(t, served, end.want)
				if end.want != nil {
					// What nobody received ends now.
					_ = tg.Close()
					_ = tg.stdin.Close()
					out = tg.wait(t)
				}
				if strings.Count(out, "\n") != test.targets || end.want == nil && strings.Count(out, killed) != test.targets {
					t.Errorf("%d targets have ended:\n%s", test.targets, out)
				}
			})
		}
	}
}

// Threads of one program end one by one, then all at once.
func TestServeEndsWithItsThreads(t *testing.T) {
	needKernel(t, 5, 9)
	for _, limit := range []int{1, 2, 256} {
		tg := startTarget(t, "ask at once", strconv.Itoa(limit+150))
		handlers, served := tg.hold(t.Context(), loader.ServeOptions{Limit: limit})
		for answered := 0; answered < 100; {
			if within(t, handlers, "handler").reply() {
				answered++
			}
		}
		for range limit {
			within(t, handlers, "handler")
		}
		if err := tg.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = tg.cmd.Wait()
		wantEnd(t, served, nil)
	}
}

// checkSurvivors kills the targets of all handlers but one, or of all if there is
// only one. The kernel reports that to nobody: there are still others.
func checkSurvivors(t *testing.T, tg *target, limit, targets int) {
	handlers, served := tg.hold(t.Context(), loader.ServeOptions{Limit: limit})
	held := make(map[int]*waiting, limit) // by target, which may call again
	for len(held) < limit {
		w := within(t, handlers, "handler")
		held[w.PID] = w
	}
	doomed := slices.Collect(maps.Values(held))
	var survivor *waiting
	if limit > 1 {
		survivor, doomed = doomed[0], doomed[1:]
	}
	for _, w := range doomed {
		if err := unix.Kill(w.PID, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range doomed {
		within(t, w.stopped, "end of a killed target's context")
		if err := w.Valid(); err != loader.ErrGone {
			t.Errorf("the context ended before its call: %v", err)
		}
	}
	dead := make(map[int]bool)
	for _, w := range doomed {
		dead[w.PID] = true
	}
	done := make(map[int]bool)
	for living := targets - len(dead); len(done) < living; {
		w := survivor
		if w != nil && len(done) == living-1 && !done[w.PID] { // the last one
			survivor = nil
			if ended := w.ctx.Err(); ended != nil && w.Valid() == nil {
				t.Errorf("the context of a living target: %v", ended)
			}
		} else {
			w = within(t, handlers, "handler of a living target")
		}
		if w.reply() && !dead[w.PID] {
			done[w.PID] = true
		}
	}
	_ = tg.stdin.Close()
	out := tg.wait(t)
	if n := strings.Count(out, answered); n != targets-len(doomed) {
		t.Errorf("%d of %d survivors have their answer:\n%s", n, targets-len(doomed), out)
	}
	if !kernelHas(t, 5, 9) {
		_ = tg.Close()
	}
	if err := within(t, served, "end of Serve"); err != nil && !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

func TestDeadTargetsMakeRoomForOthers(t *testing.T) {
	for _, test := range []struct{ limit, targets int }{{1, 4}, {2, 5}, {256, crowded()}} {
		t.Run(fmt.Sprintf("limit=%d/targets=%d", test.limit, test.targets), func(t *testing.T) {
			checkSurvivors(t, startTarget(t, "crowd", strconv.Itoa(test.targets)), test.limit, test.targets)
		})
	}
}

func TestServeWithoutDescriptors(t *testing.T) {
	for _, limit := range []int{1, 2, 256} {
		tg := startTarget(t, "crowd", strconv.Itoa(limit+2))
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			exhaustDescriptors(t)
			checkSurvivors(t, tg, limit, limit+2)
		})
	}
}

// exhaustDescriptors keeps this process from opening files until the test ends.
func exhaustDescriptors(t *testing.T) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	})
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open(os.DevNull); !errors.Is(err, unix.EMFILE) {
		t.Fatalf("there are descriptors left: %v, %v", f, err)
	}
}

// Where a filter keeps Serve from asking about calls, the end of the last target
// still reaches their handlers.
func TestServeUnderAFilterThatDeniesQuestions(t *testing.T) {
	needKernel(t, 5, 9)
	reexec.OK(t, "denied questions")
}

func deniedQuestions() error {
	deny := program(
		loadNR,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_IOCTL, SkipFalse: 3},
		loadArg(1),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SECCOMP_IOCTL_NOTIF_ID_VALID, SkipFalse: 1},
		ret(cbpf.Errno(uint16(unix.EPERM))),
		ret(cbpf.Allow),
	)
	if err := loader.Install(deny, loader.Options{}); err != nil {
		return err
	}
	confined := startThread()
	l, err := listen(confined)
	if err != nil {
		return err
	}
	if err := confined.do(func() error { _, err := forkMember(); return err }); err != nil {
		return err
	}
	close(confined.work) // the thread ends, so that its child is the only target
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return l.Serve(ctx, func(ctx context.Context, n *loader.Notification) {
		if err := n.Valid(); !errors.Is(err, unix.EPERM) {
			panic(err)
		}
		_ = unix.Kill(n.PID, unix.SIGKILL)
		_, _ = unix.Wait4(n.PID, nil, 0, nil)
		<-ctx.Done()
	}, loader.ServeOptions{Limit: 1})
}

func TestInterruptedCallEndsItsHandler(t *testing.T) {
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		t.Skip("MIPS kernels do not make the call again but fail it with errno 512")
	}
	tg := startTarget(t, "signalled")
	handlers, served := tg.hold(t.Context(), loader.ServeOptions{Limit: 1})
	for range 3 {
		w := within(t, handlers, "handler")
		if err := unix.Tgkill(tg.cmd.Process.Pid, w.PID, unix.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		within(t, w.stopped, "end of an interrupted call's context")
		if err := w.Valid(); err != loader.ErrGone {
			t.Errorf("the context ended before its call: %v", err)
		}
	}
	last := within(t, handlers, "handler")
	if err := last.Return(1); err != nil {
		t.Fatal(err)
	}
	tg.wait(t)
	_ = tg.Close()
	within(t, last.stopped, "end of an answered call's context")
	within(t, served, "end of Serve")
}

// A handler may do more after its answer. Its context ends with the last target.
func TestAnswerDoesNotEndTheContext(t *testing.T) {
	needKernel(t, 5, 9)
	tg := startTarget(t, "crowd", "4")
	handlers, served := tg.hold(t.Context(), loader.ServeOptions{Limit: 2})
	first := within(t, handlers, "handler")
	if err := first.Return(7); err != nil {
		t.Fatal(err)
	}
	for range 2 { // Serve looks at all handlers when it finds these
		w := within(t, handlers, "handler")
		if err := unix.Kill(w.PID, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		within(t, w.stopped, "end of a killed target's context")
	}
	within(t, handlers, "handler")
	if err := first.ctx.Err(); err != nil {
		t.Errorf("the context has ended: %v", err)
	}
	tg.poke(t)
	tg.wait(t)
	within(t, first.stopped, "end of an answered call's context")
	wantEnd(t, served, nil)
}

func TestHandlerReturnsAndItsContextEnds(t *testing.T) {
	tg := startTarget(t, "crowd", "2")
	handlers, served := tg.hold(t.Context(), loader.ServeOptions{})
	first, second := within(t, handlers, "handler"), within(t, handlers, "handler")
	first.reply()
	within(t, first.ctx.Done(), "end of a context")
	if err := second.ctx.Err(); err != nil && second.Valid() == nil {
		t.Errorf("the other handler's context: %v", err)
	}
	_ = tg.Close()
	within(t, served, "end of Serve")
}

func TestPanicWhileAllHandlersWait(t *testing.T) {
	for _, limit := range []int{1, 2, 256} {
		tg := startTarget(t, "crowd", strconv.Itoa(limit+1))
		var started atomic.Int32
		full, panicked := make(chan struct{}), make(chan struct{})
		served := tg.serve(t.Context(), func(ctx context.Context, n *loader.Notification) {
			switch started.Add(1) {
			case int32(limit): // the last of the first
				close(full)
				panic("on purpose")
			case int32(limit) + 1:
				_ = n.Return(7)
			default:
				<-ctx.Done()
			}
		}, loader.ServeOptions{Limit: limit, Panicked: func(*loader.Notification, any) { close(panicked) }})
		within(t, full, "handlers")
		within(t, panicked, "panic")
		eventually(t, "another handler takes the place", func() bool { return int(started.Load()) > limit })
		tg.poke(t)
		tg.wait(t)
		if !kernelHas(t, 5, 9) {
			_ = tg.Close()
		}
		if err := within(t, served, "end of Serve"); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	}
}
