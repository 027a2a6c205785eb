package watch

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

func enforce(n *loader.Notification, a cbpf.Action) error {
	enosys := func() error {
		abi, _ := arch.ByAudit(n.Data.Arch, n.Data.NR)
		if errno, ok := abi.Errno("ENOSYS"); ok {
			return n.Fail(syscall.Errno(errno))
		}
		return n.Fail(unix.ENOSYS)
	}
	switch a.Class() {
	case cbpf.Allow, cbpf.Log:
		return n.Continue()
	case cbpf.ErrnoClass:
		if a.Data() == 0 {
			return n.Return(0)
		}
		return n.Fail(syscall.Errno(a.Data()))
	case cbpf.Trap:
		s := statusOf(n)
		if s.takes(unix.SIGSYS) {
			if err := s.kill(n, unix.SIGSYS); err != nil {
				return err
			}
			return enosys()
		}
		return s.end(n)
	case cbpf.KillThread, cbpf.KillProcess:
		s := statusOf(n)
		return s.end(n)
	}
	return enosys()
}

// A status is what /proc tells of a thread (proc_pid_status(5)).
type status struct {
	tgid                      int
	name                      string
	blocked, ignored, handled uint64 // signals, from bit 0 for number 1
}

func statusOf(n *loader.Notification) (s status) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(n.PID) + "/status")
	if err != nil || n.Valid() != nil {
		return s
	}
	set := func(hex string) uint64 {
		v, _ := strconv.ParseUint(hex, 16, 64)
		return v
	}
	for line := range strings.Lines(string(text)) {
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch field {
		case "Name":
			s.name = value
		case "Tgid":
			s.tgid, _ = strconv.Atoi(value)
		case "SigBlk":
			s.blocked = set(value)
		case "SigIgn":
			s.ignored = set(value)
		case "SigCgt":
			s.handled = set(value)
		}
	}
	return s
}

// takes reports whether a signal reaches the thread.
func (s *status) takes(sig syscall.Signal) bool { return (s.blocked|s.ignored)>>(sig-1)&1 == 0 }

// end ends the process as SIGSYS does.
func (s *status) end(n *loader.Notification) error {
	sig := unix.SIGSYS
	if !s.takes(sig) || s.handled>>(sig-1)&1 != 0 {
		sig = unix.SIGKILL
	}
	if err := s.kill(n, sig); err != nil {
		return err
	}
	// The signal is pending, so the thread does not come to see this.
	return n.Fail(unix.EPERM)
}

// kill sends a signal to the thread that makes the call. While the call waits the
// number cannot become another thread's.
func (s *status) kill(n *loader.Notification, sig syscall.Signal) error {
	if err := n.Valid(); err != nil {
		return err
	}
	return unix.Tgkill(s.tgid, n.PID, sig)
}

func caller(n *loader.Notification) Process {
	s := statusOf(n)
	return Process{PID: s.tgid, Name: s.name}
}
