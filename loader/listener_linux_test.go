package loader_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
)

func TestListenerOfOneThread(t *testing.T) {
	features, err := loader.Probe()
	if err != nil {
		t.Fatal(err)
	}
	reexec.OK(t, "notify")
	for _, f := range features.Flags {
		if f == cbpf.WaitKillableRecv {
			reexec.OK(t, "notify", "wait killable")
		}
	}
}

func notify() error {
	o := loader.Options{ThisThread: true}
	if len(os.Args) > 1 {
		o.Flags = []cbpf.Flag{cbpf.WaitKillableRecv, cbpf.NewListener}
	}
	var listener *loader.Listener
	confined := startThread()
	err := confined.do(func() (err error) {
		listener, err = loader.InstallListener(on(unix.SYS_GETPPID, cbpf.Notify), o)
		return err
	})
	if err != nil {
		return err
	}
	if err := wantErrno(0); err != nil { // not on the other threads
		return err
	}
	flags, err := unix.FcntlInt(listener.File().Fd(), unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC == 0 {
		return fmt.Errorf("descriptor flags %#x: %v", flags, err)
	}
	if err := answer(listener, confined); err != nil {
		return err
	}
	if err := listener.Close(); err != nil {
		return err
	}
	return confined.do(func() error { return wantErrno(unix.ENOSYS) })
}

func TestListenerOfAllThreads(t *testing.T) { reexec.OK(t, "notify all") }

func notifyAll() error {
	before := startThread()
	listener, err := loader.InstallListener(on(unix.SYS_GETPPID, cbpf.Notify), loader.Options{})
	if err != nil {
		return err
	}
	if err := errors.Join(answer(listener, before), answer(listener, startThread())); err != nil {
		return err
	}
	_, err = loader.InstallListener(on(unix.SYS_GETPPID, cbpf.Notify), loader.Options{})
	const want = "loader: seccomp: device or resource busy: an earlier filter of this thread has a listener and there can be only one " +
		"(put all NOTIFY rules into one program)"
	if !errors.Is(err, unix.EBUSY) || err.Error() != want {
		return fmt.Errorf("got %v, want %s", err, want)
	}
	return nil
}

// answer has a thread make the notified call and answers it, with a value and
// with an error.
func answer(listener *loader.Listener, th *thread) error {
	for _, want := range []struct {
		value int64
		errno unix.Errno
	}{{value: 4711}, {errno: 77}} {
		var value uintptr
		var errno unix.Errno
		done := make(chan error)
		go func() {
			done <- th.do(func() error { value, errno = getppid(); return nil })
		}()
		err := loader.ErrGone
		for err == loader.ErrGone { // a signal made the thread call anew
			var n *loader.Notification
			if n, err = listener.Receive(context.Background()); err != nil {
				return err
			}
			if n.PID != th.tid || n.Data.NR != unix.SYS_GETPPID {
				return fmt.Errorf("notified of call %d in thread %d, want %d in %d", n.Data.NR, n.PID, unix.SYS_GETPPID, th.tid)
			}
			if want.errno != 0 {
				err = n.Fail(want.errno)
			} else {
				err = n.Return(want.value)
			}
		}
		if err != nil {
			return err
		}
		<-done
		if errno != want.errno || errno == 0 && int64(value) != want.value {
			return fmt.Errorf("getppid: %d, errno %d; answered %+v", value, errno, want)
		}
	}
	return nil
}

// Everything that can be checked is, before a thread is changed.
func TestTranscriptOfAnInstallation(t *testing.T) {
	needPrivileges(t)
	for _, test := range []struct {
		options string
		want    []string
	}{
		{"zero", []string{
			"filter flags 0x4 NULL",
			"filter flags 0x5 NULL",
			"available 0x7fff0001",
			"available 0x50000",
			"available 0x7fff0000",
			"filter flags 0x5 empty",
			"no_new_privs?",
			"no_new_privs",
			"no_new_privs?",
			"filter flags 0x5",
		}},
		{"this thread, no flags", []string{
			"filter flags 0x0 NULL",
			"available 0x7fff0001",
			"available 0x50000",
			"available 0x7fff0000",
			"filter flags 0x0 empty",
			"no_new_privs?",
			"no_new_privs",
			"no_new_privs?",
			"filter flags 0x0",
		}},
		{"privileged, LOG and SPEC_ALLOW", []string{
			"filter flags 0x7 NULL",
			"available 0x7fff0001",
			"available 0x50000",
			"available 0x7fff0000",
			"filter flags 0x7 empty",
			"filter flags 0x7",
		}},
		{"TSYNC and TSYNC_ESRCH", []string{
			"filter flags 0x11 NULL",
			"available 0x7fff0001",
			"available 0x50000",
			"available 0x7fff0000",
			"filter flags 0x11 empty",
			"no_new_privs?",
			"no_new_privs",
			"no_new_privs?",
			"filter flags 0x11",
		}},
		{"listener", []string{
			"filter flags 0x4 NULL",
			"filter flags 0x1d NULL",
			"available 0x7fff0001",
			"available 0x7fc00000",
			"available 0x7fff0000",
			"sizes",
			"filter flags 0x1d empty",
			"no_new_privs?",
			"no_new_privs",
			"no_new_privs?",
			"filter flags 0x1d",
			"EBUSY",
		}},
		{"unknown flag", []string{"refused"}},
	} {
		t.Run(test.options, func(t *testing.T) {
			r := reexec.OK(t, "transcript", test.options)
			// A signal that comes while an answer is given can make a thread call anew
			// though the kernel took the answer (kernel/seccomp.c:
			// seccomp_do_user_notification).
			got := slices.Compact(strings.Split(strings.TrimSpace(r.Stdout), "\n"))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// transcript prints the calls of seccomp and prctl that an installation makes, as
// a listener hears of them.
func transcript() error {
	listener, err := loader.InstallListener(program(
		loadNR,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_SECCOMP, SkipTrue: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_PRCTL, SkipFalse: 4},
		loadArg(0),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PR_SET_NO_NEW_PRIVS, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PR_GET_NO_NEW_PRIVS, SkipFalse: 1},
		ret(cbpf.Notify),
		ret(cbpf.Allow),
	), loader.Options{KeepPrivs: true})
	if err != nil {
		return err
	}
	var printing sync.Mutex
	go func() {
		err := installAs(os.Args[1])
		printing.Lock()
		switch {
		case errors.Is(err, unix.EBUSY):
			fmt.Println("EBUSY")
		case err != nil:
			fmt.Println("refused")
		}
		os.Exit(0)
	}()
	for {
		n, err := listener.Receive(context.Background())
		if err != nil {
			return err
		}
		line, err := describe(n)
		if errors.Is(err, loader.ErrGone) { // a signal makes the thread call anew
			continue
		}
		if err != nil {
			return err
		}
		printing.Lock()
		err = n.Continue()
		if err == nil {
			fmt.Println(line)
		}
		printing.Unlock()
		if err != nil && !errors.Is(err, loader.ErrGone) {
			return err
		}
	}
}

// describe tells what a notified call of this process asks for.
func describe(n *loader.Notification) (string, error) {
	if n.Data.NR == unix.SYS_PRCTL {
		if n.Data.Args[0] == unix.PR_GET_NO_NEW_PRIVS {
			return "no_new_privs?", nil
		}
		return "no_new_privs", nil
	}
	switch op := n.Data.Args[0]; op {
	case unix.SECCOMP_SET_MODE_FILTER:
		line := fmt.Sprintf("filter flags %#x", n.Data.Args[1])
		if n.Data.Args[2] == 0 {
			return line + " NULL", nil
		}
		length := make([]byte, 2) // of struct sock_fprog
		_, err := n.ReadMemory(length, n.Data.Args[2])
		if binary.NativeEndian.Uint16(length) == 0 {
			line += " empty"
		}
		return line, err
	case unix.SECCOMP_GET_ACTION_AVAIL:
		word := make([]byte, 4)
		if _, err := n.ReadMemory(word, n.Data.Args[2]); err != nil {
			return "", err
		}
		return fmt.Sprintf("available %#x", binary.NativeEndian.Uint32(word)), nil
	case unix.SECCOMP_GET_NOTIF_SIZES:
		return "sizes", nil
	default:
		return fmt.Sprintf("operation %d", op), nil
	}
}

// installAs installs with options that have a name.
func installAs(options string) error {
	p := on(unix.SYS_GETPPID, cbpf.Errno(77))
	switch options {
	case "zero":
		return loader.Install(p, loader.Options{})
	case "this thread, no flags":
		return loader.Install(p, loader.Options{ThisThread: true, Flags: []cbpf.Flag{}})
	case "privileged, LOG and SPEC_ALLOW":
		return loader.Install(p, loader.Options{KeepPrivs: true, Flags: []cbpf.Flag{cbpf.LogFlag, cbpf.SpecAllow}})
	case "TSYNC and TSYNC_ESRCH":
		return loader.Install(p, loader.Options{Flags: []cbpf.Flag{cbpf.TSync, cbpf.TSyncESRCH}})
	case "listener":
		_, err := loader.InstallListener(on(unix.SYS_GETPPID, cbpf.Notify), loader.Options{})
		return err
	case "unknown flag":
		return loader.Install(p, loader.Options{Flags: []cbpf.Flag{0x40}})
	}
	return errors.New("no options " + options)
}
