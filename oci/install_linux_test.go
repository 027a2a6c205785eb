package oci_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/oci"
)

// An installation prints the debug lines, the listener's number, how mkdir fares on
// the confined thread and on another, and the thread's no_new_privs.
func install() error {
	s := new(specs.LinuxSeccomp)
	if err := json.Unmarshal([]byte(os.Args[1]), s); err != nil {
		return err
	}
	failed := make(chan error)
	go func() {
		if err := mayInstall(); err != nil {
			failed <- err
			return
		}
		before := status("NoNewPrivs")
		fd, err := oci.Install(s, oci.Options{Debug: func(line string) { fmt.Println(line) }})
		if err != nil {
			failed <- fmt.Errorf("%d %w", fd, err)
			return
		}
		if fd >= 0 {
			if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
				failed <- fmt.Errorf("descriptor flags %#x: %v", flags, err)
				return
			}
			fmt.Println("listener")
			_ = unix.Close(fd)
		} else {
			fmt.Println("fd", fd)
		}
		fmt.Println("mkdir:", mkdir())
		if after := status("NoNewPrivs"); after != before {
			failed <- fmt.Errorf("no_new_privs %s, was %s", after, before)
			return
		}
		failed <- nil
	}()
	if err := <-failed; err != nil {
		return err
	}
	fmt.Println("mkdir elsewhere:", mkdir())
	return nil
}

// mkdir tries to make a directory where there cannot be one.
func mkdir() error { return unix.Mkdir("/proc/nowhere/directory", 0o700) }

func TestInstall(t *testing.T) {
	const permitted = "mkdir: no such file or directory\n"
	for _, test := range []struct{ rule, profile, want string }{
		{"ERRNO", `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 100}]}`,
			"seccomp filter flags: 4\nfd -1\nmkdir: network is down\n"},
		{"a listener that is closed", `{"defaultAction": "SCMP_ACT_ALLOW", "flags": [], "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_NOTIFY"}]}`,
			"seccomp filter flags: 8\nlistener\nmkdir: function not implemented\n"},
		{"NOTIFY for a call that no ABI of this machine has", `{"defaultAction": "SCMP_ACT_ALLOW", "flags": [], "syscalls": [{"names": ["arm_sync_file_range"], "action": "SCMP_ACT_NOTIFY"}]}`,
			"seccomp filter flags: 0\nfd -1\n" + permitted},
		{"a listenerPath without NOTIFY", `{"defaultAction": "SCMP_ACT_ALLOW", "flags": [], "listenerPath": "/nowhere"}`,
			"seccomp filter flags: 0\nfd -1\n" + permitted},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if test.want += "mkdir elsewhere: no such file or directory\n"; runtime.GOARCH == "arm" && strings.Contains(test.profile, "arm_") {
				t.Skip("has the call")
			}
			if r := reexec.OK(t, "install", test.profile); r.Stdout != test.want {
				t.Errorf("%s\nwant\n%s", r.Stdout, test.want)
			}
		})
	}
}

// runc's own tests look for this line and these numbers.
func TestDebugTellsTheFlags(t *testing.T) {
	values := []struct {
		flag string
		word int
	}{
		{"SECCOMP_FILTER_FLAG_TSYNC", 0}, // means nothing for one thread
		{"SECCOMP_FILTER_FLAG_LOG", 2},
		{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", 4},
	}
	for subset := range 1 << len(values) {
		var flags []string
		word := 0
		for i, v := range values {
			if subset&(1<<i) != 0 {
				flags, word = append(flags, strconv.Quote(v.flag)), word|v.word
			}
		}
		expectFlags(t, `"flags": [`+strings.Join(flags, ", ")+`]`, word)
	}
	expectFlags(t, `"flags": null`, 4)
	if slices.Contains(oci.Features().SupportedFlags, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") {
		expectFlags(t, `"flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], "syscalls": [{"names": ["mkdirat"], "action": "SCMP_ACT_NOTIFY"}]`, 40)
	}
}

func expectFlags(t *testing.T, rest string, word int) {
	t.Helper()
	r := reexec.OK(t, "install", `{"defaultAction": "SCMP_ACT_ALLOW", `+rest+`}`)
	if line, _, _ := strings.Cut(r.Stdout, "\n"); line != fmt.Sprintf("seccomp filter flags: %d", word) {
		t.Errorf("%s: %q, want %d", rest, line, word)
	}
}

func TestInstallFails(t *testing.T) {
	for _, test := range []struct{ rule, profile, want string }{
		{"a flag only for listeners", `{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}`,
			"-1 loader: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV is only for a program that returns NOTIFY"},
		{"NOTIFY for write", `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["write"], "action": "SCMP_ACT_NOTIFY"}]}`,
			"-1 oci: policy: /syscalls/0/names/0: SCMP_ACT_NOTIFY cannot be used for the write syscall"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			r := reexec.Run(t, "install", test.profile)
			if r.Code != 1 || !strings.HasPrefix(r.Stderr, test.want) {
				t.Errorf("%+v", r)
			}
		})
	}
	if fd, err := new(oci.Filter).Install(oci.Options{}); err == nil || fd != -1 {
		t.Errorf("the zero Filter: %d, %v", fd, err)
	}
}

// Between the moment when the filter is in force and the return of Install, nothing
// may be called that nobody can answer yet.
func TestNothingIsCalledOnceTheFilterIsInForce(t *testing.T) {
	cmd := reexec.Command(t, "silent")
	// Calls of the runtime itself are another matter.
	cmd.Env = append(cmd.Env, "GOGC=off", "GODEBUG=asyncpreemptoff=1")
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	number := make([]byte, 1)
	if _, err := io.ReadFull(stdout, number); err != nil {
		t.Fatal(err)
	}
	l := fetch(t, cmd.Process.Pid, int(number[0]))
	for first := true; ; first = false {
		n, err := l.Receive(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if first && n.Data.NR != unix.SYS_GETPPID {
			t.Errorf("the first call is %d", n.Data.NR)
		}
		if err := n.Continue(); err != nil && !errors.Is(err, loader.ErrGone) {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// fetch opens the listener of another process, as a runtime's parent does.
func fetch(t *testing.T, pid, number int) *loader.Listener {
	t.Helper()
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	fd, err := unix.PidfdGetfd(pidfd, number, 0)
	if err != nil {
		t.Fatal(err)
	}
	l, err := loader.OpenListener(os.NewFile(uintptr(fd), "listener"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// silent has its supervisor notified of all calls but write. It writes the
// listener's number and calls getppid.
func silent() error {
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: cbpf.OffNR, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_WRITE, SkipTrue: 1},
		bpf.RetConstant{Val: uint32(cbpf.Notify)},
		bpf.RetConstant{Val: uint32(cbpf.Allow)},
	})
	if err != nil {
		return err
	}
	p, err := cbpf.New(raw, binary.NativeEndian)
	if err != nil {
		return err
	}
	failed := make(chan error)
	go func() {
		if err := mayInstall(); err != nil {
			failed <- err
			return
		}
		var b [1]byte
		fd, err := (&oci.Filter{Program: p}).Install(oci.Options{})
		b[0] = byte(fd)
		unix.RawSyscall(unix.SYS_WRITE, 1, uintptr(unsafe.Pointer(&b)), 1)
		unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
		failed <- err
	}()
	return <-failed
}

// BenchmarkInstall is Docker's profile from JSON to a filter in force. It is
// measured in a child, each time on a new thread.
func BenchmarkInstall(b *testing.B) {
	text := string(dockerProfile(b))
	var total time.Duration
	for b.Loop() {
		r := reexec.OK(b, "docker", text, "200")
		d, err := time.ParseDuration(strings.TrimSpace(r.Stdout))
		if err != nil {
			b.Fatal(err)
		}
		total += d
	}
	b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/install")
}

// installDocker prints the median time of so many installations.
func installDocker() error {
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		return err
	}
	times := make([]time.Duration, n)
	for i := range times {
		failed := make(chan error)
		go func() {
			if err := mayInstall(); err != nil {
				failed <- err
				return
			}
			start := time.Now()
			s := new(specs.LinuxSeccomp)
			err := json.Unmarshal([]byte(os.Args[1]), s)
			if err == nil {
				_, err = oci.Install(s, oci.Options{})
			}
			times[i] = time.Since(start)
			failed <- err
		}()
		if err := <-failed; err != nil {
			return err
		}
	}
	slices.Sort(times)
	fmt.Println(times[n/2])
	return nil
}
