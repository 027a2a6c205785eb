package loader_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
)

// askAtOnce asks from as many threads as its first argument says, once each, with
// the thread's index, and prints the answers in order. Each thread ends then.
func askAtOnce() error {
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return err
	}
	if err := handOver(loader.Options{}); err != nil {
		return err
	}
	results := make([]chan string, count)
	for i := range results {
		results[i] = make(chan string)
		go func() {
			runtime.LockOSThread()
			r, errno := ask(uintptr(i))
			results[i] <- fmt.Sprintf("%d %d", int(r), int(errno))
		}()
	}
	for _, r := range results {
		fmt.Println(<-r)
	}
	return nil
}

// serve serves a target and returns what Serve does.
func (tg *target) serve(ctx context.Context, handle func(context.Context, *loader.Notification), o loader.ServeOptions) <-chan error {
	served := make(chan error, 1)
	go func() { served <- tg.Serve(ctx, handle, o) }()
	return served
}

func TestServeUntilNoTargetIsLeft(t *testing.T) {
	needKernel(t, 5, 9)
	tg := startTarget(t, "ask all")
	served := tg.serve(t.Context(), func(_ context.Context, n *loader.Notification) {
		if err := n.Return(int64(n.Data.Args[0]) + 100); err != nil {
			t.Error(err)
		}
	}, loader.ServeOptions{})
	if got := tg.wait(t); got != "100 0\n101 0\n102 0\n103 0\n" {
		t.Error(got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestHandlerThatDoesNotAnswerFailsTheCall(t *testing.T) {
	tg := startTarget(t, "ask all")
	panics := make(chan string, 2)
	served := tg.serve(t.Context(), func(_ context.Context, n *loader.Notification) {
		switch n.Data.Args[0] {
		case 0:
		case 1:
			panic("before the answer")
		case 2:
			_ = n.Return(5)
			panic("after the answer")
		case 3:
			runtime.Goexit()
		}
	}, loader.ServeOptions{Panicked: func(n *loader.Notification, value any) {
		if n.Valid() != loader.ErrAnswered {
			t.Error("the call still waits")
		}
		panics <- fmt.Sprintf("%d: %v", n.Data.Args[0], value)
	}})
	if got := tg.wait(t); got != "-1 1\n-1 1\n5 0\n-1 1\n" {
		t.Error(got)
	}
	got := []string{<-panics, <-panics} // handlers end in any order
	slices.Sort(got)
	if want := []string{"1: before the answer", "2: after the answer"}; !slices.Equal(got, want) {
		t.Errorf("panicked: %q, want %q", got, want)
	}
	_ = tg.Close()
	<-served
}

// panicking ends as Go programs do, but the target has its answer.
func panicking() error {
	confined := startThread()
	l, err := listen(confined)
	if err != nil {
		return err
	}
	go func() {
		_ = confined.do(func() error {
			_, errno := ask()
			fmt.Println("errno", int(errno))
			return nil
		})
	}()
	return l.Serve(context.Background(), func(context.Context, *loader.Notification) { panic("on purpose") }, loader.ServeOptions{Limit: 1})
}

func TestPanicEndsTheProgramUnlessCaught(t *testing.T) {
	r := reexec.Run(t, "panicking")
	if r.Code != 2 || !strings.Contains(r.Stderr, "panic: on purpose") {
		t.Errorf("%+v", r)
	}
}

func TestServeWithoutHandler(t *testing.T) {
	tg := startTarget(t, "idle")
	if err := tg.Serve(t.Context(), nil, loader.ServeOptions{}); err == nil {
		t.Error("no error")
	}
}

// A handler that waits holds up neither others nor, up to the limit, their targets.
func TestLimitOfHandlers(t *testing.T) {
	const targets, limit = 8, 3
	tg := startTarget(t, "ask at once", strconv.Itoa(targets))
	var mu sync.Mutex
	var running, most int
	count := func(change int) {
		mu.Lock()
		defer mu.Unlock()
		running += change
		most = max(most, running)
	}
	started, release := make(chan struct{}, targets), make(chan struct{})
	served := tg.serve(t.Context(), func(_ context.Context, n *loader.Notification) {
		count(1)
		started <- struct{}{}
		<-release
		count(-1)
		if err := n.Return(1); err != nil {
			t.Error(err)
		}
	}, loader.ServeOptions{Limit: limit})
	for range limit {
		<-started
	}
	// One of them goes on waiting, the others make room for the rest.
	for range targets - 1 {
		release <- struct{}{}
	}
	for range targets - limit {
		<-started
	}
	release <- struct{}{}
	if got := tg.wait(t); got != strings.Repeat("1 0\n", targets) {
		t.Error(got)
	}
	_ = tg.Close()
	<-served
	if most != limit {
		t.Errorf("%d handlers at a time, want %d", most, limit)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	tg := startTarget(t, "ask at once", "4")
	ctx, end := context.WithCancel(t.Context())
	started := make(chan struct{}, 2)
	served := tg.serve(ctx, func(ctx context.Context, n *loader.Notification) {
		started <- struct{}{}
		<-ctx.Done()
		if n.Data.Args[0]%2 == 0 {
			_ = n.Return(7)
		}
	}, loader.ServeOptions{Limit: 2})
	<-started
	<-started
	end()
	if err := <-served; err != context.Canceled {
		t.Errorf("got %v", err)
	}
	// What was not received is still there, for somebody else.
	served = tg.serve(t.Context(), func(_ context.Context, n *loader.Notification) { _ = n.Return(8) }, loader.ServeOptions{})
	out := tg.wait(t)
	if strings.Count(out, "8 0\n") != 2 || strings.Count(out, "7 0\n")+strings.Count(out, "-1 1\n") != 2 {
		t.Error(out)
	}
	_ = tg.Close()
	<-served
}

func TestServeEndsWithClose(t *testing.T) {
	tg := startTarget(t, "ask at once", "2")
	started, release := make(chan struct{}), make(chan struct{})
	served := tg.serve(t.Context(), func(_ context.Context, n *loader.Notification) {
		close(started)
		<-release
		if err := n.Return(1); err == nil {
			t.Error("answered on a closed listener")
		}
	}, loader.ServeOptions{Limit: 1})
	<-started
	if err := tg.Close(); err != nil {
		t.Fatal(err)
	}
	close(release)
	if err := <-served; !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
	want := fmt.Sprintf("-1 %d\n", unix.ENOSYS)
	if got := tg.wait(t); got != want+want {
		t.Error(got)
	}
}
