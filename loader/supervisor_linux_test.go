package loader_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
)

func TestSupervisorOfItsOwnThreadsNeedsOneProcessor(t *testing.T) { reexec.OK(t, "one processor") }

// oneProcessor deadlocks if the supervisor, or a target that waits for it, keeps
// the only processor.
func oneProcessor() error {
	runtime.GOMAXPROCS(1)
	confined := startThread()
	l, err := listen(confined)
	if err != nil {
		return err
	}
	for range 100 {
		if err := answer(l, confined); err != nil {
			return err
		}
	}
	return nil
}

// Without epoll_ctl the listener cannot be put into Go's poller. That is said once
// there is something to wait for.
func TestFilterThatKeepsItsSupervisorFromWaiting(t *testing.T) { reexec.OK(t, "no epoll") }

func noEpoll() error {
	if _, _, err := os.Pipe(); err != nil { // starts the poller, which takes the call
		return err
	}
	l, err := loader.InstallListener(program(
		loadNR,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_GETPPID, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_EPOLL_CTL, SkipTrue: 2},
		ret(cbpf.Allow),
		ret(cbpf.Notify),
		ret(cbpf.Errno(1)),
	), loader.Options{})
	if err != nil {
		return err
	}
	_, err = l.Receive(context.Background())
	const want = "cannot wait for the listener (its filter must allow this process fcntl and epoll_ctl)"
	if err == nil || !strings.Contains(err.Error(), want) {
		return fmt.Errorf("got %v, want %s", err, want)
	}
	return l.Close()
}

// Sizes are what the kernel says. A filter can make this one say something else.
func TestSizesOfOtherKernels(t *testing.T) { reexec.OK(t, "sizes") }

func sizes() error {
	plain := startThread()
	l, err := listen(plain)
	if err != nil {
		return err
	}
	for _, test := range []struct {
		sizes [3]uint16 // notification, answer, data
		want  string
	}{
		{[3]uint16{80, 24, 64}, ""},
		{[3]uint16{96, 32, 64}, ""},
		{[3]uint16{4096, 4096, 128}, ""},
		{[3]uint16{79, 24, 64}, "loader: seccomp: unsupported operation: the kernel's notifications have 79, answers 24 and calls 64 bytes, " +
			"less than the 80, 24 and 64 of Linux 5.0 (is seccomp(2) emulated here?)"},
		{[3]uint16{80, 16, 64}, "less than"},
		{[3]uint16{80, 24, 56}, "less than"},
		{[3]uint16{0, 0, 0}, "does not support SECCOMP_FILTER_FLAG_NEW_LISTENER"},
	} {
		if err := openWithSizes(l, plain, test.sizes, test.want); err != nil {
			return fmt.Errorf("%d: %w", test.sizes, err)
		}
	}
	return nil
}

// openWithSizes opens a duplicate of l, which reports the thread th's calls, where
// the kernel's structures seem to have other sizes.
func openWithSizes(l *loader.Listener, th *thread, sizes [3]uint16, want string) error {
	fd, err := unix.FcntlInt(l.File().Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return err
	}
	duplicate := os.NewFile(uintptr(fd), "duplicate")
	defer duplicate.Close()
	fooled := startThread()
	defer close(fooled.work)
	var questions *loader.Listener
	err = fooled.do(func() (err error) {
		questions, err = loader.InstallListener(program(
			loadNR,
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_SECCOMP, SkipFalse: 3},
			loadArg(0),
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SECCOMP_GET_NOTIF_SIZES, SkipFalse: 1},
			ret(cbpf.Notify),
			ret(cbpf.Allow),
		), loader.Options{ThisThread: true})
		return err
	})
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() {
		served <- questions.Serve(context.Background(), func(_ context.Context, n *loader.Notification) {
			b := make([]byte, 6)
			for i, size := range sizes {
				binary.NativeEndian.PutUint16(b[2*i:], size)
			}
			local := []unix.Iovec{{Base: &b[0]}}
			local[0].SetLen(len(b))
			if _, err := unix.ProcessVMWritev(n.PID, local, []unix.RemoteIovec{{Base: uintptr(n.Data.Args[2]), Len: len(b)}}, 0); err == nil {
				_ = n.Return(0)
			}
		}, loader.ServeOptions{})
	}()
	var opened *loader.Listener
	err = fooled.do(func() (err error) { opened, err = loader.OpenListener(duplicate); return err })
	if closing := errors.Join(questions.Close(), <-served); closing != os.ErrClosed && !errors.Is(closing, os.ErrClosed) {
		return closing
	}
	if want != "" {
		if err == nil || !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), want) {
			return fmt.Errorf("got %v, want %s", err, want)
		}
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(answer(opened, th), opened.Close())
}

// A filter can make this kernel refuse what older ones do not have.
func TestListenersOfOtherKernels(t *testing.T) { reexec.OK(t, "old listener") }

func oldListener() error {
	confined := startThread()
	l, err := listen(confined)
	if err != nil {
		return err
	}
	done := make(chan error)
	go func() { done <- confined.do(func() error { getppid(); return nil }) }()
	n, err := l.Receive(context.Background())
	if err != nil {
		return err
	}
	addFile := func(o loader.AddFileOptions) func() error {
		return func() error { _, err := n.AddFile(os.Stderr, o); return err }
	}
	var problems []error
	for _, test := range []struct {
		request uint32
		call    func() error
		want    string
	}{
		{unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, l.SyncWakeUp, "wake-ups on one processor (new in Linux 6.6)"},
		{unix.SECCOMP_IOCTL_NOTIF_SEND, n.Continue, "CONTINUE (new in Linux 5.5)"},
		{unix.SECCOMP_IOCTL_NOTIF_ADDFD, addFile(loader.AddFileOptions{}), "way to add a file (new in Linux 5.9)"},
		{unix.SECCOMP_IOCTL_NOTIF_ADDFD, addFile(loader.AddFileOptions{Answer: true}), "answer together with a file (new in Linux 5.14)"},
	} {
		old := startThread()
		err := old.do(func() error {
			p := program(
				loadNR,
				bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_IOCTL, SkipFalse: 3},
				loadArg(1),
				bpf.JumpIf{Cond: bpf.JumpEqual, Val: test.request, SkipFalse: 1},
				ret(cbpf.Errno(uint16(unix.EINVAL))),
				ret(cbpf.Allow),
			)
			if err := loader.Install(p, loader.Options{ThisThread: true}); err != nil {
				return err
			}
			err := test.call()
			if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "this kernel has no "+test.want) {
				return fmt.Errorf("got %v, want %s", err, test.want)
			}
			return nil
		})
		close(old.work)
		problems = append(problems, err)
	}
	// Nothing of this was an answer.
	return errors.Join(append(problems, n.Return(1), <-done)...)
}
