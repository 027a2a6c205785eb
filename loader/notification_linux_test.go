package loader_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/loader"
)

// askAll makes four calls and prints what they return.
func askAll() error {
	if err := handOver(loader.Options{ThisThread: true}); err != nil {
		return err
	}
	for i := range uintptr(4) {
		r, errno := ask(i, 1, 2, 3, 4, 1<<32-1)
		fmt.Printf("%d %d\n", int(r), int(errno))
	}
	return nil
}

func TestAnswersReachTheTarget(t *testing.T) {
	tg := startTarget(t, "ask all")
	answers := []func(*loader.Notification) error{
		func(n *loader.Notification) error { return n.Return(4711) },
		func(n *loader.Notification) error { return n.Return(1<<31 - 1) },
		func(n *loader.Notification) error { return n.Fail(77) },
		func(n *loader.Notification) error { return n.Fail(133) },
	}
	ids := make(map[uint64]bool)
	for i, answer := range answers {
		n := tg.next(t)
		if ids[n.ID] {
			t.Errorf("id %d again", n.ID)
		}
		ids[n.ID] = true
		want := [6]uint64{uint64(i), 1, 2, 3, 4, 1<<32 - 1}
		if n.PID != tg.cmd.Process.Pid || n.Data.NR != unix.SYS_GETPPID || n.Data.Args != want || n.Data.Arch == 0 || n.Data.IP == 0 {
			t.Errorf("got %+v of %d, want getppid with %d of %d", n.Data, n.PID, want, tg.cmd.Process.Pid)
		}
		for _, refused := range []syscall.Errno{0, 4096, 1 << 31} {
			if err := n.Fail(refused); err == nil || errors.Is(err, loader.ErrAnswered) {
				t.Errorf("Fail(%d): %v", uint(refused), err)
			}
		}
		if err := errors.Join(n.Valid(), answer(n)); err != nil {
			t.Fatal(err)
		}
		checkOver(t, n, loader.ErrAnswered)
	}
	const want = "4711 0\n2147483647 0\n-1 77\n-1 133\n"
	if diff := cmp.Diff(want, tg.wait(t)); diff != "" {
		t.Error(diff)
	}
}

// checkOver tries every method of a notification that nobody waits for.
func checkOver(t *testing.T, n *loader.Notification, want error) {
	t.Helper()
	_, add := n.AddFile(os.Stderr, loader.AddFileOptions{})
	_, addAnswer := n.AddFile(os.Stderr, loader.AddFileOptions{Answer: true})
	read, memory := n.ReadMemory(make([]byte, 8), n.Data.IP&^7)
	s, str := n.ReadString(n.Data.IP, 1)
	for method, err := range map[string]error{
		"Return": n.Return(1), "Fail": n.Fail(1), "Continue": n.Continue(), "Valid": n.Valid(),
		"AddFile": add, "AddFile with Answer": addAnswer, "ReadMemory": memory, "ReadString": str,
	} {
		if err != want {
			t.Errorf("%s: %v, want %v", method, err, want)
		}
	}
	if read != 0 || s != "" {
		t.Errorf("read %d bytes and %q of a target that is not there", read, s)
	}
}

func TestSecondAnswerDoesNotReachTheKernel(t *testing.T) {
	tg := startTarget(t, "ask all")
	n := tg.next(t)
	if err := n.Return(1); err != nil {
		t.Fatal(err)
	}
	if err := tg.Close(); err != nil {
		t.Fatal(err)
	}
	checkOver(t, n, loader.ErrAnswered) // otherwise os.ErrClosed
}

// continued calls getppid and prints whether it got its parent.
func continued() error {
	if err := handOver(loader.Options{ThisThread: true}); err != nil {
		return err
	}
	r, errno := ask()
	fmt.Println(int(r) == os.Getppid(), errno == 0)
	return nil
}

func TestContinueExecutesTheCall(t *testing.T) {
	needKernel(t, 5, 5)
	tg := startTarget(t, "continued")
	if err := tg.next(t).Continue(); err != nil {
		t.Fatal(err)
	}
	// os.Getppid calls, too.
	if err := tg.next(t).Continue(); err != nil {
		t.Fatal(err)
	}
	if got := tg.wait(t); got != "true true\n" {
		t.Error(got)
	}
}

func TestKilledTargetIsGone(t *testing.T) {
	tg := startTarget(t, "ask all")
	n := tg.next(t)
	if err := tg.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = tg.cmd.Wait()
	checkOver(t, n, loader.ErrGone)
}

// takeFiles asks for files and prints what it got, each with its content.
func takeFiles() error {
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: 64}); err != nil {
		return err
	}
	if err := handOver(loader.Options{ThisThread: true}); err != nil {
		return err
	}
	for {
		fd, errno := ask()
		if errno != 0 {
			fmt.Println("errno", int(errno))
			return nil
		}
		b := make([]byte, 5)
		_, err := unix.Pread(int(fd), b, 0)
		flags, _ := unix.FcntlInt(fd, unix.F_GETFD, 0)
		fmt.Printf("%d %s %v %v\n", fd, b, flags&unix.FD_CLOEXEC != 0, err)
	}
}

func TestFilesReachTheTarget(t *testing.T) {
	needKernel(t, 5, 14)
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("hello"); err != nil {
		t.Fatal(err)
	}
	tg := startTarget(t, "take files")
	add := func(n *loader.Notification, o loader.AddFileOptions) int {
		t.Helper()
		fd, err := n.AddFile(f, o)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		if !o.Answer {
			if err := errors.Join(n.Valid(), n.Return(int64(fd))); err != nil {
				t.Fatal(err)
			}
		}
		checkOver(t, n, loader.ErrAnswered)
		return fd
	}
	lowest := add(tg.next(t), loader.AddFileOptions{})
	want := fmt.Sprintf("%d hello true <nil>\n", lowest)
	fd := add(tg.next(t), loader.AddFileOptions{Answer: true, KeepOnExec: true})
	want += fmt.Sprintf("%d hello false <nil>\n", fd)
	add(tg.next(t), loader.AddFileOptions{Replace: true, Number: 42})
	want += "42 hello true <nil>\n"
	add(tg.next(t), loader.AddFileOptions{Replace: true, Number: 42, KeepOnExec: true, Answer: true})
	want += "42 hello false <nil>\n"
	add(tg.next(t), loader.AddFileOptions{Replace: true, Number: 0, Answer: true})
	want += "0 hello true <nil>\n"

	n := tg.next(t)
	for _, o := range []loader.AddFileOptions{{Number: 5}, {Replace: true, Number: -1}, {Number: -1}} {
		if _, err := n.AddFile(f, o); err == nil {
			t.Errorf("%+v: accepted", o)
		}
	}
	closed, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, bad := range []*os.File{closed, nil} {
		if _, err := n.AddFile(bad, loader.AddFileOptions{Answer: true}); err == nil {
			t.Error("a file that is not open: accepted")
		}
	}
	if _, err := n.AddFile(f, loader.AddFileOptions{Replace: true, Number: 64, Answer: true}); !errors.Is(err, unix.EBADF) {
		t.Errorf("number beyond the limit: %v", err)
	}
	for err == nil {
		_, err = n.AddFile(f, loader.AddFileOptions{})
	}
	if !errors.Is(err, unix.EMFILE) {
		t.Errorf("full table: %v", err)
	}
	// With Answer the call waits on, too.
	if _, err := n.AddFile(f, loader.AddFileOptions{Answer: true}); !errors.Is(err, unix.EMFILE) {
		t.Errorf("full table: %v", err)
	}
	if err := n.Fail(24); err != nil {
		t.Fatal(err)
	}
	want += "errno 24\n"
	if diff := cmp.Diff(want, tg.wait(t)); diff != "" {
		t.Error(diff)
	}
}

// showMemory calls with addresses: of a string that ends where the memory does, of one
// across pages, of one without end.
func showMemory() error {
	page := os.Getpagesize()
	m, err := unix.Mmap(-1, 0, 4*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	if err := unix.Mprotect(m[3*page:], unix.PROT_NONE); err != nil {
		return err
	}
	if err := handOver(loader.Options{ThisThread: true}); err != nil {
		return err
	}
	at := func(i int) uintptr { return uintptr(unsafe.Pointer(&m[0])) + uintptr(i) }
	copy(m[3*page-4:], "end\x00")
	copy(m[page-3:], "across")
	copy(m[2*page-100:2*page+100], bytes.Repeat([]byte{'x'}, 200))
	ask(at(3*page-4), at(page-3), at(2*page-100), at(3*page-1), at(3*page))
	copy(m[3*page-2:], "no") // without end
	ask(at(3*page - 2))
	return nil
}

func TestMemoryOfTheTarget(t *testing.T) {
	tg := startTarget(t, "show memory")
	n := tg.next(t)
	a := n.Data.Args
	for i, test := range []struct {
		addr  uint64
		limit int
		want  string
		err   error
	}{
		{a[0], 100, "end", nil},
		{a[0], 4, "end", nil},
		{a[0], 3, "", unix.ENAMETOOLONG},
		{a[0] + 3, 1, "", nil},
		{a[0], 0, "", unix.ENAMETOOLONG},
		{a[0], -1, "", unix.ENAMETOOLONG},
		{a[1], 4096, "across", nil},
		{a[2], 201, strings.Repeat("x", 200), nil},
		{a[2], 200, "", unix.ENAMETOOLONG},
		{a[4], 10, "", unix.EFAULT},
		{0, 10, "", unix.EFAULT},
		{1<<64 - 1, 10, "", unix.EFAULT},
		{1 << 63, 10, "", unix.EFAULT},
	} {
		s, err := n.ReadString(test.addr, test.limit)
		if s != test.want || !errors.Is(err, test.err) {
			t.Errorf("string %d: %q, %v; want %q, %v", i, s, err, test.want, test.err)
		}
	}
	b := make([]byte, 300)
	for i, test := range []struct {
		addr uint64
		size int
		want string
		err  error
	}{
		{a[0], 4, "end\x00", nil},
		{a[0], 5, "end\x00", unix.EFAULT},
		{a[2] + 99, 3, "xxx", nil},
		{a[0], 0, "", nil},
		{a[4], 1, "", unix.EFAULT},
		{0, 1, "", unix.EFAULT},
		{1<<64 - 8, 16, "", unix.EFAULT},
	} {
		read, err := n.ReadMemory(b[:test.size], test.addr)
		if string(b[:read]) != test.want || !errors.Is(err, test.err) {
			t.Errorf("memory %d: %q, %v; want %q, %v", i, b[:read], err, test.want, test.err)
		}
	}
	if err := n.Return(0); err != nil {
		t.Fatal(err)
	}
	n = tg.next(t)
	if s, err := n.ReadString(n.Data.Args[0], 100); !errors.Is(err, unix.EFAULT) {
		t.Errorf("string without end: %q, %v", s, err)
	}
	if err := n.Return(0); err != nil {
		t.Fatal(err)
	}
	tg.wait(t)
}

// noTrace makes its memory unreadable for others.
func noTrace() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	if err := handOver(loader.Options{ThisThread: true}); err != nil {
		return err
	}
	ask()
	return nil
}

// unprivileged supervises a target that it may not trace: it drops its rights
// when the target runs.
func TestMemoryThatMayNotBeRead(t *testing.T) {
	needPrivileges(t)
	tg := startTarget(t, "no trace")
	n := tg.next(t)
	result := startThread()
	err := result.do(func() error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil { // of this thread
			return err
		}
		_, err := n.ReadMemory(make([]byte, 1), n.Data.IP)
		return err
	})
	close(result.work)
	if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_SYS_PTRACE") {
		t.Errorf("got %v", err)
	}
	if err := n.Return(0); err != nil {
		t.Fatal(err)
	}
	tg.wait(t)
}

func TestZeroValuesAreHarmless(t *testing.T) {
	l, n := new(loader.Listener), new(loader.Notification)
	_, receive := l.Receive(t.Context())
	_, add := n.AddFile(os.Stdin, loader.AddFileOptions{Answer: true})
	for what, err := range map[string]error{
		"Receive": receive, "SyncWakeUp": l.SyncWakeUp(), "Serve": l.Serve(t.Context(), nil, loader.ServeOptions{}),
		"Return": n.Return(0), "Fail": n.Fail(1), "Continue": n.Continue(), "AddFile": add, "Valid": n.Valid(),
	} {
		if err == nil || err == io.EOF {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := n.ReadString(1, 1); err == nil {
		t.Error("ReadString: no error")
	}
	if l.File() != nil || l.Close() == nil {
		t.Error("a listener without a file")
	}
}
