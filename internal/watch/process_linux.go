package watch

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

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

// A status is what /proc says about a thread (proc_pid_status(5)).
type status struct {
	tgid                      int
	name                      string
	mode                      string // of seccomp: "2" under filters
	filters                   int    // how many (Linux 5.9)
	blocked, ignored, handled uint64 // signals, from bit 0 for number 1
}

func statusOf(n *loader.Notification) status {
	s := readStatus(strconv.Itoa(n.PID))
	if n.Valid() != nil {
		return status{}
	}
	return s
}

// readStatus reads the status of a directory of /proc; what it does not show stays zero.
func readStatus(dir string) (s status) {
	text, err := os.ReadFile("/proc/" + dir + "/status")
	if err != nil {
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
		case "Seccomp":
			s.mode = value
		case "Seccomp_filters":
			s.filters, _ = strconv.Atoi(value)
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

// process returns the process of the thread.
func (s *status) process() Process { return Process{PID: s.tgid, Name: s.name} }

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
	return s.process()
}

// processOf returns the process of a thread that cannot end meanwhile.
func processOf(tid int) Process {
	s := readStatus(strconv.Itoa(tid))
	return s.process()
}

func earlier() (filters int, blind error) {
	s := readStatus("self")
	if s.mode != filtered {
		return 0, nil
	}
	return max(s.filters, 1), canTrace()
}

// filtered is the mode of a thread that is under filters (linux/seccomp.h:
// SECCOMP_MODE_FILTER).
const filtered = "2"

// A stat is part of what /proc says about a process in one line (proc_pid_stat(5)).
type stat struct {
	state   string
	threads int
	start   uint64             // in ticks since the system started
	exit    syscall.WaitStatus // of a zombie
}

func statOf(pid int) (s stat, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return s, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])) // from number 3
	if len(fields) < 50 {
		return s, errors.New("watch: the kernel does not say how a process ends")
	}
	s.state = fields[0]
	s.threads, _ = strconv.Atoi(fields[17])
	s.start, _ = strconv.ParseUint(fields[19], 10, 64)
	exit, err := strconv.ParseUint(fields[49], 10, 32)
	s.exit = syscall.WaitStatus(exit)
	return s, err
}

// look returns how a child has ended, without wait(2), which may be denied.
func look(pid int) (syscall.WaitStatus, error) {
	for {
		s, err := statOf(pid)
		if err != nil || s.state == "Z" && s.threads <= 1 {
			return s.exit, err
		}
		time.Sleep(patience / 10)
	}
}

// since counts the processes that have started since a time and are under more filters
// than a number.
func since(start uint64, filters int) (count int) {
	dirs, _ := os.ReadDir("/proc")
	for _, dir := range dirs {
		pid, err := strconv.Atoi(dir.Name())
		if err != nil {
			continue
		}
		s := readStatus(dir.Name())
		if s.mode != filtered || s.filters > 0 && s.filters <= filters {
			continue
		}
		if x, err := statOf(pid); err == nil && x.start >= start && x.state != "Z" {
			count++
		}
	}
	return count
}
