package loader_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
)

// A target is a child process with a notified call, getppid, whose listener is
// here.
type target struct {
	*loader.Listener
	cmd            *exec.Cmd
	stdin          io.WriteCloser
	stdout, stderr bytes.Buffer
}

// handOverFD is the target's end of the socket that takes the listener.
const handOverFD = 3

// startTarget starts a child that calls handOver.
func startTarget(t testing.TB, name string, args ...string) *target {
	t.Helper()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ends[0])
	theirs := os.NewFile(uintptr(ends[1]), "socket")
	tg := &target{cmd: reexec.Command(t, name, args...)}
	tg.cmd.ExtraFiles = []*os.File{theirs}
	// A signal, and Go sends itself some, makes a target call anew.
	tg.cmd.Env = append(tg.cmd.Env, "GODEBUG=asyncpreemptoff=1")
	tg.cmd.Stdout, tg.cmd.Stderr = &tg.stdout, &tg.stderr
	if tg.stdin, err = tg.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tg.cmd.Start(), theirs.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tg.cmd.Process.Kill() })
	f, err := receiveFile(ends[0])
	if err != nil {
		_ = tg.cmd.Wait()
		t.Fatalf("no listener from %s: %v\n%s", name, err, tg.stderr.Bytes())
	}
	if tg.Listener, err = loader.OpenListener(f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tg.Close() })
	return tg
}

func receiveFile(socket int) (*os.File, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil {
		return nil, err
	}
	if len(messages) != 1 {
		return nil, io.ErrUnexpectedEOF
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fds[0]), "listener"), nil
}

// handOver installs the filter, in the target, and sends the listener.
func handOver(o loader.Options) error { return handOverOf(on(unix.SYS_GETPPID, cbpf.Notify), o) }

// handOverOf installs a filter and sends its listener, in blocking mode as other
// programs would.
func handOverOf(p *cbpf.Program, o loader.Options) error {
	l, err := loader.InstallListener(p, o)
	if err != nil {
		return err
	}
	fd := int(l.File().Fd())
	return errors.Join(
		unix.SetNonblock(fd, false),
		unix.Sendmsg(handOverFD, []byte{0}, unix.UnixRights(fd), nil, 0),
		l.Close(),
		unix.Close(handOverFD),
	)
}

// listen installs the filter on a thread.
func listen(th *thread) (l *loader.Listener, err error) {
	err = th.do(func() (err error) {
		l, err = loader.InstallListener(on(unix.SYS_GETPPID, cbpf.Notify), loader.Options{ThisThread: true})
		return err
	})
	return l, err
}

// ask makes the notified call, with arguments that getppid does not have.
func ask(args ...uintptr) (uintptr, unix.Errno) {
	var a [6]uintptr
	copy(a[:], args)
	r, _, errno := unix.Syscall6(unix.SYS_GETPPID, a[0], a[1], a[2], a[3], a[4], a[5])
	return r, errno
}

// wait returns what the target printed once it has ended by itself.
func (tg *target) wait(t testing.TB) string {
	t.Helper()
	if err := tg.cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s%s", err, tg.stdout.Bytes(), tg.stderr.Bytes())
	}
	return tg.stdout.String()
}

// next receives the target's next call.
func (tg *target) next(t testing.TB) *loader.Notification {
	t.Helper()
	n, err := tg.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// needKernel skips a test of what Linux has since a version.
func needKernel(t testing.TB, major, minor int) {
	t.Helper()
	if !kernelHas(t, major, minor) {
		t.Skipf("needs Linux %d.%d", major, minor)
	}
}

func kernelHas(t testing.TB, major, minor int) bool {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	var have [2]int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &have[0], &have[1]); err != nil {
		t.Fatal(err)
	}
	return have[0] > major || have[0] == major && have[1] >= minor
}

// eventually waits until something holds, which it does soon unless there is a
// bug.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for !holds() {
		if ctx.Err() != nil {
			t.Fatal("still waiting: " + what)
		}
		runtime.Gosched()
		time.Sleep(100 * time.Microsecond)
	}
}
