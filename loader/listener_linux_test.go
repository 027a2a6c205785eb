package loader_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
)

// notification is struct seccomp_notif.
type notification struct {
	ID    uint64
	PID   uint32
	Flags uint32
	Data  struct {
		NR   int32
		Arch uint32
		IP   uint64
		Args [6]uint64
	}
}

// response is struct seccomp_notif_resp.
type response struct {
	ID    uint64
	Val   int64
	Error int32
	Flags uint32
}

// receive waits in Go's poller for a notification and takes it.
func receive(listener *os.File) (*notification, error) {
	conn, err := listener.SyscallConn()
	if err != nil {
		return nil, err
	}
	n := new(notification)
	failure := conn.Read(func(fd uintptr) bool {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if count, _ := unix.Poll(ready, 0); count == 0 {
			return false
		}
		err = control(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(n))
		return true
	})
	return n, errors.Join(failure, err)
}

func send(listener *os.File, r response) error {
	conn, err := listener.SyscallConn()
	if err != nil {
		return err
	}
	failure := conn.Control(func(fd uintptr) {
		err = control(fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
	})
	return errors.Join(failure, err)
}

func control(fd, request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

func TestListenerOfOneThread(t *testing.T) {
	features, err := loader.Probe()
	if err != nil {
		t.Fatal(err)
	}
	reexec.OK(t, "notify")
	for _, f := range features.Flags {
		if f == loader.WaitKillableRecv {
			reexec.OK(t, "notify", "wait killable")
		}
	}
}

func notify() error {
	o := loader.Options{ThisThread: true}
	if len(os.Args) > 1 {
		o.Flags = []loader.Flag{loader.WaitKillableRecv, loader.NewListener}
	}
	var listener *os.File
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
	flags, err := unix.FcntlInt(listener.Fd(), unix.F_GETFD, 0)
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
func answer(listener *os.File, th *thread) error {
	for _, r := range []response{{Val: 4711}, {Error: -77}} {
		var value uintptr
		var errno unix.Errno
		done := make(chan error)
		go func() {
			done <- th.do(func() error { value, errno = getppid(); return nil })
		}()
		for {
			n, err := receive(listener)
			if err != nil {
				return err
			}
			if int(n.PID) != th.tid || n.Data.NR != unix.SYS_GETPPID {
				return fmt.Errorf("notified of call %d in thread %d, want %d in %d", n.Data.NR, n.PID, unix.SYS_GETPPID, th.tid)
			}
			r.ID = n.ID
			if err = send(listener, r); err == nil {
				break
			}
			if !errors.Is(err, unix.ENOENT) { // a signal made the thread call anew
				return err
			}
		}
		<-done
		if int32(errno) != -r.Error || errno == 0 && int64(value) != r.Val {
			return fmt.Errorf("getppid: %d, errno %d; answered %+v", value, errno, r)
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
			"available 0x50000",
			"available 0x7fff0000",
			"no_new_privs",
			"filter flags 0x5",
		}},
		{"this thread, no flags", []string{
			"filter flags 0x0 NULL",
			"available 0x50000",
			"available 0x7fff0000",
			"no_new_privs",
			"filter flags 0x0",
		}},
		{"privileged, LOG and SPEC_ALLOW", []string{
			"filter flags 0x7 NULL",
			"available 0x50000",
			"available 0x7fff0000",
			"filter flags 0x7",
		}},
		{"TSYNC and TSYNC_ESRCH", []string{
			"filter flags 0x11 NULL",
			"available 0x50000",
			"available 0x7fff0000",
			"no_new_privs",
			"filter flags 0x11",
		}},
		{"listener", []string{
			"filter flags 0x4 NULL",
			"filter flags 0x1d NULL",
			"available 0x7fc00000",
			"available 0x7fff0000",
			"no_new_privs",
			"filter flags 0x1d",
			"EBUSY",
		}},
		{"unknown flag", []string{"refused"}},
	} {
		t.Run(test.options, func(t *testing.T) {
			r := reexec.OK(t, "transcript", test.options)
			if diff := cmp.Diff(test.want, strings.Split(strings.TrimSpace(r.Stdout), "\n")); diff != "" {
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
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_SECCOMP, SkipTrue: 3},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_PRCTL, SkipFalse: 3},
		loadArg(0),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PR_SET_NO_NEW_PRIVS, SkipFalse: 1},
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
		n, err := receive(listener)
		if err != nil {
			return err
		}
		line, err := describe(n)
		if err != nil {
			return err
		}
		printing.Lock()
		err = send(listener, response{ID: n.ID, Flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE})
		if err == nil {
			fmt.Println(line)
		}
		printing.Unlock()
		if err != nil && !errors.Is(err, unix.ENOENT) { // a signal makes the thread call anew
			return err
		}
	}
}

// describe tells what a notified call of this process asks for.
func describe(n *notification) (string, error) {
	if n.Data.NR == unix.SYS_PRCTL {
		return "no_new_privs", nil
	}
	switch op := n.Data.Args[0]; op {
	case unix.SECCOMP_SET_MODE_FILTER:
		line := fmt.Sprintf("filter flags %#x", n.Data.Args[1])
		if n.Data.Args[2] == 0 {
			line += " NULL"
		}
		return line, nil
	case unix.SECCOMP_GET_ACTION_AVAIL:
		word := make([]byte, 4)
		local := []unix.Iovec{{Base: &word[0]}}
		local[0].SetLen(len(word))
		remote := []unix.RemoteIovec{{Base: uintptr(n.Data.Args[2]), Len: len(word)}}
		if _, err := unix.ProcessVMReadv(os.Getpid(), local, remote, 0); err != nil {
			return "", err
		}
		return fmt.Sprintf("available %#x", binary.NativeEndian.Uint32(word)), nil
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
		return loader.Install(p, loader.Options{ThisThread: true, Flags: []loader.Flag{}})
	case "privileged, LOG and SPEC_ALLOW":
		return loader.Install(p, loader.Options{KeepPrivs: true, Flags: []loader.Flag{loader.LogFlag, loader.SpecAllow}})
	case "TSYNC and TSYNC_ESRCH":
		return loader.Install(p, loader.Options{Flags: []loader.Flag{loader.TSync, loader.TSyncESRCH}})
	case "listener":
		_, err := loader.InstallListener(on(unix.SYS_GETPPID, cbpf.Notify), loader.Options{})
		return err
	case "unknown flag":
		return loader.Install(p, loader.Options{Flags: []loader.Flag{0x40}})
	}
	return errors.New("no options " + options)
}
