package loader_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/reexec"
)

// The main goroutine keeps the main thread, so that every other thread ends with
// the goroutine that is locked to it.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func() error{
		"verdict":             verdict,
		"killed thread":       killedThread,
		"all threads":         allThreads,
		"this thread":         thisThread,
		"diverged":            diverged,
		"undetermined":        undetermined,
		"keep privs":          keepPrivs,
		"no privileges":       noPrivileges,
		"nested":              nested,
		"transcript":          transcript,
		"maximum":             maximum,
		"too many":            tooMany,
		"notify":              notify,
		"notify all":          notifyAll,
		"refuse":              refuse,
		"probe":               probe,
		"pretend":             pretend,
		"exec":                execUnder,
		"faked":               fakedInstallations,
		"faked listener":      fakedListener,
		"faked filters":       fakedFilters,
		"asked twice":         askedTwice,
		"only write":          onlyWrite,
		"ask all":             askAll,
		"continued":           continued,
		"take files":          takeFiles,
		"take one file":       takeOneFile,
		"show memory":         showMemory,
		"no trace":            noTrace,
		"idle":                idle,
		"signalled":           signalled,
		"one processor":       oneProcessor,
		"no epoll":            noEpoll,
		"sizes":               sizes,
		"old listener":        oldListener,
		"ask at once":         askAtOnce,
		"crowd":               crowd,
		"denied questions":    deniedQuestions,
		"panicking":           panicking,
		"family":              family,
		"member":              member,
		"subject":             subject,
		"dumper":              dumper,
		"confined dumper":     confinedDumper,
		"unprivileged dumper": unprivilegedDumper,
		"main thread dumper":  mainThreadDumper,
	})
}

// program assembles a filter for this kernel.
func program(insns ...bpf.Instruction) *cbpf.Program {
	raw, err := bpf.Assemble(insns)
	if err != nil {
		panic(err)
	}
	p, err := cbpf.New(raw, binary.NativeEndian)
	if err != nil {
		panic(err)
	}
	return p
}

var loadNR = bpf.LoadAbsolute{Off: cbpf.OffNR, Size: 4}

func ret(a cbpf.Action) bpf.Instruction { return bpf.RetConstant{Val: uint32(a)} }

// loadArg loads the low word of an argument.
func loadArg(i uint32) bpf.Instruction {
	off := cbpf.OffArgs + 8*i
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		off += 4
	}
	return bpf.LoadAbsolute{Off: off, Size: 4}
}

// on returns the program that answers a to the call nr and allows all others.
func on(nr uint32, a cbpf.Action) *cbpf.Program { return answering(nr, a) }

// A condition is what must hold for an argument of a call.
type condition struct {
	arg  uint32
	cond bpf.JumpTest
	val  uint32
}

func argIs(arg, val uint32) condition   { return condition{arg, bpf.JumpEqual, val} }
func argHas(arg, bits uint32) condition { return condition{arg, bpf.JumpBitsSet, bits} }

// answering returns the program that answers a to the call nr if all conditions
// hold, and allows all others.
func answering(nr uint32, a cbpf.Action, conditions ...condition) *cbpf.Program {
	insns := []bpf.Instruction{ret(a), ret(cbpf.Allow)}
	test := func(load bpf.Instruction, cond bpf.JumpTest, val uint32) {
		skip := uint8(len(insns) - 1)
		insns = append([]bpf.Instruction{load, bpf.JumpIf{Cond: cond, Val: val, SkipFalse: skip}}, insns...)
	}
	for _, c := range conditions {
		test(loadArg(c.arg), c.cond, c.val)
	}
	test(loadNR, bpf.JumpEqual, nr)
	return program(insns...)
}

// native returns the number of a call that Go makes for 32-bit ABIs under a number
// that no constant of package unix has on the others.
func native(other, x86, arm, mips uint32) uint32 {
	switch runtime.GOARCH {
	case "386":
		return x86
	case "arm":
		return arm
	case "mips", "mipsle":
		return mips
	}
	return other
}

// getppid makes the call that the test filters are about. It never fails by
// itself and Go's runtime never makes it.
func getppid() (ppid uintptr, errno unix.Errno) {
	ppid, _, errno = unix.Syscall(unix.SYS_GETPPID, 0, 0, 0)
	return ppid, errno
}

// wantErrno tells if getppid does not fail with errno on this thread.
func wantErrno(errno unix.Errno) error {
	if _, got := getppid(); got != errno {
		return fmt.Errorf("thread %d: getppid: errno %d, want %d", unix.Gettid(), got, errno)
	}
	return nil
}

// A thread is a goroutine locked to an operating system thread.
type thread struct {
	tid    int
	work   chan func() error
	result chan error
}

func startThread() *thread {
	th := &thread{work: make(chan func() error), result: make(chan error)}
	ready := make(chan int)
	go func() {
		runtime.LockOSThread()
		ready <- unix.Gettid()
		for f := range th.work {
			th.result <- f()
		}
	}()
	th.tid = <-ready
	return th
}

// do runs f on the thread.
func (th *thread) do(f func() error) error {
	th.work <- f
	return <-th.result
}

// status returns a field of a thread's /proc status.
func status(tid int, field string) string {
	return statusIn("/proc/self/task/"+strconv.Itoa(tid)+"/status", field)
}

func statusIn(file, field string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(b)) {
		if key, value, _ := strings.Cut(line, ":"); key == field {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// wantStatus tells if a thread's /proc status differs from want, which alternates
// fields and values.
func wantStatus(tid int, want ...string) error {
	var problems []error
	for i := 0; i < len(want); i += 2 {
		if got := status(tid, want[i]); got != want[i+1] {
			problems = append(problems, fmt.Errorf("thread %d: %s is %q, want %q", tid, want[i], got, want[i+1]))
		}
	}
	return errors.Join(problems...)
}

// needPrivileges skips a test that relies on CAP_SYS_ADMIN and on no_new_privs
// being unset.
func needPrivileges(t *testing.T) {
	t.Helper()
	if !mayKeepPrivs() {
		t.Skip("needs root without no_new_privs")
	}
}
