package loader_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// idle asks once for each line of its input.
func idle() error {
	if err := handOver(loader.Options{ThisThread: true}); err != nil {
		return err
	}
	line := make([]byte, 1)
	for {
		if n, _ := os.Stdin.Read(line); n == 0 {
			return nil
		}
		if r, errno := ask(); errno != 0 || r != 1 {
			return fmt.Errorf("getppid: %d, errno %d", r, errno)
		}
	}
}

// poke makes an idle target ask.
func (tg *target) poke(t testing.TB) {
	t.Helper()
	if _, err := tg.stdin.Write([]byte{'\n'}); err != nil {
		t.Fatal(err)
	}
}

func TestReceiveEndsWithItsContext(t *testing.T) {
	tg := startTarget(t, "idle")
	ended, end := context.WithCancel(t.Context())
	end()
	if n, err := tg.Receive(ended); n != nil || err != context.Canceled {
		t.Errorf("ended context: %v, %v", n, err)
	}
	short, stop := context.WithTimeout(t.Context(), time.Millisecond)
	defer stop()
	if n, err := tg.Receive(short); n != nil || err != context.DeadlineExceeded {
		t.Errorf("deadline: %v, %v", n, err)
	}
	later, end := context.WithCancel(t.Context())
	defer end()
	results := make(chan error)
	for range 3 { // one waits for the kernel, the others for it
		go func() {
			_, err := tg.Receive(later)
			results <- err
		}()
	}
	time.Sleep(time.Millisecond)
	end()
	for range 3 {
		if err := <-results; err != context.Canceled {
			t.Errorf("cancelled: %v", err)
		}
	}
	// None of them has left anything behind.
	tg.poke(t)
	if err := tg.next(t).Return(1); err != nil {
		t.Error(err)
	}
}

// Receivers that give up all the time lose no call.
func TestCancellationLosesNothing(t *testing.T) {
	const calls = 2000
	tg := startTarget(t, "idle")
	go func() {
		for range calls {
			if _, err := tg.stdin.Write([]byte{'\n'}); err != nil {
				return // the test has failed and says so
			}
		}
		_ = tg.stdin.Close()
	}()
	var answered atomic.Int32
	var receivers sync.WaitGroup
	for range 4 {
		receivers.Go(func() {
			for wait := time.Duration(1); ; wait = wait%(100*time.Microsecond) + time.Microsecond {
				ctx, cancel := context.WithTimeout(t.Context(), wait)
				n, err := tg.Receive(ctx)
				cancel()
				switch {
				case err == io.EOF:
					return
				case err == nil:
					if err := n.Return(1); err != nil {
						t.Error(err)
					}
					answered.Add(1)
				case err != context.DeadlineExceeded:
					t.Error(err)
					return
				}
			}
		})
	}
	tg.wait(t)
	if !kernelHas(t, 5, 9) {
		_ = tg.Close()
	}
	receivers.Wait()
	if answered.Load() != calls {
		t.Errorf("answered %d of %d calls", answered.Load(), calls)
	}
}

func TestReceiveEndsWithTheLastTarget(t *testing.T) {
	needKernel(t, 5, 9)
	for _, end := range []func(tg *target) error{
		func(tg *target) error { return tg.stdin.Close() },
		func(tg *target) error { return tg.cmd.Process.Kill() },
	} {
		tg := startTarget(t, "idle")
		result := make(chan error)
		go func() {
			_, err := tg.Receive(t.Context())
			result <- err
		}()
		if err := end(tg); err != nil {
			t.Fatal(err)
		}
		_ = tg.cmd.Wait() // until Linux 6.11 a process has its filters until it is reaped
		for range 2 {
			if err := <-result; err != io.EOF {
				t.Errorf("got %v", err)
			}
			go func() {
				_, err := tg.Receive(t.Context())
				result <- err
			}()
		}
		<-result
	}
}

func TestReceiveEndsWithClose(t *testing.T) {
	tg := startTarget(t, "idle")
	results := make(chan error)
	for range 2 {
		go func() {
			_, err := tg.Receive(t.Context())
			results <- err
		}()
	}
	if err := tg.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-results; err != os.ErrClosed {
			t.Errorf("got %v", err)
		}
	}
	if err := tg.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	if err := tg.SyncWakeUp(); err != os.ErrClosed {
		t.Errorf("SyncWakeUp: %v", err)
	}
	if _, err := tg.Receive(t.Context()); err != os.ErrClosed {
		t.Errorf("Receive: %v", err)
	}
	tg.poke(t) // ENOSYS
	_ = tg.cmd.Wait()
	if !strings.Contains(tg.stderr.String(), fmt.Sprintf("errno %d", unix.ENOSYS)) {
		t.Errorf("the target got no ENOSYS: %s", tg.stderr.Bytes())
	}
}

func TestSyncWakeUp(t *testing.T) {
	tg := startTarget(t, "idle")
	err := tg.SyncWakeUp()
	if kernelHas(t, 6, 6) {
		if err != nil {
			t.Fatal(err)
		}
	} else if !errors.Is(err, errors.ErrUnsupported) {
		t.Fatal(err)
	}
	for range 10 {
		tg.poke(t)
		if err := tg.next(t).Return(1); err != nil {
			t.Fatal(err)
		}
	}
}

// signalled catches signals, which end a call that waits, and asks until told to
// end.
func signalled() error {
	signal.Notify(make(chan os.Signal, 1), unix.SIGUSR1)
	o := loader.Options{ThisThread: true}
	if len(os.Args) > 1 {
		o.Flags = []cbpf.Flag{cbpf.WaitKillableRecv}
	}
	if err := handOver(o); err != nil {
		return err
	}
	if r, errno := ask(); errno != 0 || r != 1 {
		return fmt.Errorf("getppid: %d, errno %d", r, errno)
	}
	return nil
}

func TestSignalTakesATargetOutOfItsCall(t *testing.T) {
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		t.Skip("MIPS kernels do not make the call again but fail it with errno 512")
	}
	tg := startTarget(t, "signalled")
	n := tg.next(t)
	if err := unix.Tgkill(tg.cmd.Process.Pid, n.PID, unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	again := tg.next(t)
	if again.ID == n.ID {
		t.Error("the second call has the first one's id")
	}
	checkOver(t, n, loader.ErrGone)
	if err := again.Return(1); err != nil {
		t.Fatal(err)
	}
	tg.wait(t)
}

func TestWaitKillableDelaysSignals(t *testing.T) {
	needKernel(t, 5, 19)
	tg := startTarget(t, "signalled", "killable")
	n := tg.next(t)
	for range 3 {
		if err := unix.Tgkill(tg.cmd.Process.Pid, n.PID, unix.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // it would call anew by now
	}
	if err := errors.Join(n.Valid(), n.Return(1)); err != nil {
		t.Fatal(err)
	}
	tg.wait(t)
}

// The supervisor's own signals neither lose an answer nor make a file's number up.
func TestSignalsOfTheSupervisor(t *testing.T) {
	needKernel(t, 5, 14)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGUSR1)
	defer signal.Stop(signals)
	done := make(chan struct{})
	var sender sync.WaitGroup
	sender.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				_ = unix.Kill(os.Getpid(), unix.SIGUSR1)
			}
		}
	})
	defer sender.Wait()
	defer close(done)
	tg := startTarget(t, "take one file")
	for calls := 0; ; calls++ {
		n, err := tg.Receive(t.Context())
		if err == io.EOF {
			if calls != manyFiles {
				t.Errorf("%d calls", calls)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.AddFile(os.Stderr, loader.AddFileOptions{Answer: true}); err != nil {
			t.Fatal(err)
		}
	}
	tg.wait(t)
}

const manyFiles = 3000

// takeOneFile asks for a file many times and checks that it gets one.
func takeOneFile() error {
	if err := handOver(loader.Options{ThisThread: true}); err != nil {
		return err
	}
	for range manyFiles {
		fd, errno := ask()
		if errno != 0 || fd < 3 {
			return fmt.Errorf("getppid: %d, errno %d", fd, errno)
		}
		if err := unix.Close(int(fd)); err != nil {
			return err
		}
	}
	return nil
}

func TestOnlyListenersAreOpened(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	l, err := loader.OpenListener(f)
	if l != nil || !errors.Is(err, unix.ENOTTY) || !strings.Contains(err.Error(), "not a seccomp listener") {
		t.Errorf("%v, %v", l, err)
	}
	if err := f.Close(); err != nil { // it is still ours
		t.Error(err)
	}
	for _, f := range []*os.File{f, nil} {
		if l, err := loader.OpenListener(f); l != nil || err == nil {
			t.Errorf("opened %v, which is not open", f)
		}
	}
}

// A signal that interrupts the kernel while Go's poller looks at the listener makes it
// say that the file has an error, which holds until the next call.
func TestReceiveGoesOnAfterAnErrorOfThePoller(t *testing.T) {
	const always = 1 << 30
	tg := startTarget(t, "family", "1", "0", "3")
	tg.BreakPoller(2)
	for range 3 {
		n := tg.next(t)
		if err := n.Return(reply(n.Data.Args[0], n.Data.Args[1])); err != nil {
			t.Fatal(err)
		}
	}
	tg.wait(t)

	tg = startTarget(t, "crowd", "1")
	held := tg.next(t)
	tg.BreakPoller(always)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if n, err := tg.Receive(ctx); n != nil || err != context.DeadlineExceeded {
		t.Errorf("context: %v, %v", n, err)
	}
	if err := held.Return(7); err != nil {
		t.Fatal(err)
	}
	tg.poke(t)
	tg.wait(t)
	if kernelHas(t, 5, 9) {
		if n, err := tg.Receive(t.Context()); n != nil || err != io.EOF {
			t.Errorf("the last target's end: %v, %v", n, err)
		}
	}

	tg = startTarget(t, "crowd", "1")
	tg.next(t)
	tg.BreakPoller(always)
	received := make(chan error, 1)
	go func() { _, err := tg.Receive(t.Context()); received <- err }()
	time.Sleep(time.Millisecond) // it may wait by then, and need not
	_ = tg.Close()
	if err := within(t, received, "end of Receive"); err != os.ErrClosed {
		t.Errorf("a closed listener: %v", err)
	}
}
