package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seccompile/seccompile/internal/audit"
	"github.com/seccompile/seccompile/loader"
)

// tiny writes a program of x86_64 that makes one system call and exits. The instruction
// decides the ABI of the call.
func tiny(t *testing.T, path string, nr byte, instruction uint16) {
	t.Helper()
	const base, header = 0x400000, 64 + 56
	code := []byte{0xb8, nr, 0, 0, 0}                                                             // mov eax, nr
	code = binary.BigEndian.AppendUint16(code, instruction)                                       //
	code = append(code, 0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05)                                // mov eax, 60; xor edi, edi; syscall
	b := []byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 62, 0, 1, 0, 0, 0} // ET_EXEC, EM_X86_64
	size := uint64(header + len(code))
	for _, v := range []uint64{
		base + header, 64, 0, (64 | 56<<16) << 32, 1, // entry, program headers, no sections, sizes, one header
		1 | 5<<32, 0, base, base, size, size, 0x1000, // PT_LOAD, readable and executable
	} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	if err := os.WriteFile(path, append(b, code...), 0o700); err != nil {
		t.Fatal(err)
	}
}

// The instructions that make a call: as x86_64 and as x86.
const (
	insSyscall = 0x0f05
	insInt80   = 0xcd80
)

// The kernel's own records are read: of each action that it logs, and of both ABIs.
func TestKernelRecords(t *testing.T) {
	if _, err := loader.Probe(); err != nil || runtime.GOARCH != "amd64" {
		t.Skip("needs a kernel with seccomp, on amd64:", err)
	}
	if _, err := os.Stat("/proc/self/loginuid"); err != nil {
		t.Skip("the kernel has no audit:", err)
	}
	if _, err := exec.Command("dmesg").Output(); err != nil {
		t.Skip("dmesg cannot be read:", err)
	}
	const profile = `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "flags": ["SECCOMP_FILTER_FLAG_LOG"],
		"syscalls": [{"names": ["umask"], "action": "%s"}]}`
	for _, tt := range []struct {
		name, action string
		nr           byte // of umask
		ins          uint16
		want         string
	}{
		{"log", "SCMP_ACT_LOG", 95, insSyscall, ": umask: log, once\n  why: the rule at /syscalls/0 decides\n  fix: remove /syscalls/0\n"},
		{"kill", "SCMP_ACT_KILL_PROCESS", 95, insSyscall, ": umask: kill the process (SIGSYS), once\n  why: the rule at /syscalls/0 decides\n"},
		{"errno", "SCMP_ACT_ERRNO", 95, insSyscall, ": umask: EPERM, once\n  why: the rule at /syscalls/0 decides\n"},
		{"trap", "SCMP_ACT_TRAP", 95, insSyscall, ": umask: signal SIGSYS, once\n"},
		{"x86", "SCMP_ACT_LOG", 60, insInt80, ": x86 umask: log, once\n  why: the rule at /syscalls/0 decides\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "profile.json")
			if err := os.WriteFile(file, fmt.Appendf(nil, profile, tt.action), 0o600); err != nil {
				t.Fatal(err)
			}
			program, got := recorded(t, dir, file, tt.nr, tt.ins)
			if want := program + tt.want; !strings.HasPrefix(got, want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// recorded runs tiny programs under a profile until the kernel's log has one, and returns
// it and what denials says about it. The log gets few records at a time, and others write
// to it.
func recorded(t *testing.T, dir, profile string, nr byte, ins uint16) (program, report string) {
	t.Helper()
	for i := range 8 {
		program = filepath.Join(dir, fmt.Sprintf("tiny%d", i))
		tiny(t, program, nr, ins)
		cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{"seccompile", "run", "-p", profile, "--", program}}
		out, err := cmd.CombinedOutput()
		status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		switch {
		case ins == insInt80 && status.Signal() == syscall.SIGSEGV:
			t.Skip("the kernel has no calls of x86")
		case err != nil && status.Signal() != syscall.SIGSYS:
			t.Fatalf("%v: %s", err, out)
		}
		time.Sleep(50 * time.Millisecond) // kauditd writes
		log, err := exec.Command("dmesg").Output()
		if err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		if code := run([]string{"denials", "-p", profile, "--program", program}, bytes.NewReader(log), &stdout, &stderr); code != 0 {
			t.Fatalf("status %d: %s", code, stderr.String())
		}
		if !strings.HasPrefix(stdout.String(), "no seccomp records") {
			return program, stdout.String()
		}
		time.Sleep(time.Duration(i) * time.Second)
	}
	t.Skip("the kernel's log has no record of 8 runs: it is full of others")
	return "", ""
}

// A growing is a buffer that a goroutine writes to and another reads.
type growing struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (g *growing) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.Write(p)
}

func (g *growing) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.String()
}

// await waits for a text.
func (g *growing) await(t *testing.T, want string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !strings.Contains(g.String(), want); {
		if time.Now().After(end) {
			t.Fatalf("no %q in\n%s", want, g.String())
		}
		time.Sleep(time.Millisecond)
	}
}

const aRecord = `audit: type=1326 audit(1.002:3): auid=0 uid=0 gid=0 ses=1 pid=5 comm="a" exe="/a" sig=0 arch=c000003e syscall=%d compat=0 ip=0x1 code=0x7ffc0000` + "\n"

// A log that goes on is reported as it comes, and counted at SIGINT or SIGTERM, or when it
// ends. Each way, -o gets its profile.
func TestLiveLog(t *testing.T) {
	for name, stop := range map[string]func(w *os.File) error{
		"interrupted": func(*os.File) error { return syscall.Kill(os.Getpid(), syscall.SIGINT) },
		"terminated":  func(*os.File) error { return syscall.Kill(os.Getpid(), syscall.SIGTERM) },
		"closed":      func(w *os.File) error { return w.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			defer w.Close()
			profile := filepath.Join(t.TempDir(), "profile.json")
			var stdout, stderr growing
			code := make(chan int)
			go func() { code <- run([]string{"denials", "-q", "--json", "-o", profile}, r, &stdout, &stderr) }()
			fmt.Fprintf(w, aRecord, 257)
			stdout.await(t, `"syscall":"openat"`)
			fmt.Fprintf(w, aRecord, 257)
			fmt.Fprintf(w, aRecord, 8)
			stdout.await(t, `"syscall":"lseek"`)
			if strings.Contains(stdout.String(), `"end"`) {
				t.Errorf("it ended: %s", stdout.String())
			}
			if err := stop(w); err != nil {
				t.Fatal(err)
			}
			if got := <-code; got != 0 {
				t.Errorf("status %d: %s", got, stderr.String())
			}
			stdout.await(t, `"calls":[{"id":1,"count":2},{"id":2,"count":1}]`)
			if b, err := os.ReadFile(profile); err != nil || !bytes.Contains(b, []byte(`"openat"`)) {
				t.Errorf("%v: %s", err, b)
			}
		})
	}
}

// A process that lives and is the one of the record is looked up, and no other.
func TestHomes(t *testing.T) {
	var h homes
	pid := os.Getpid()
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	h.of(&audit.Record{}) // the boot time
	comm := strings.TrimSpace(readProc(pid, "comm"))
	for _, tt := range []struct {
		name string
		rec  audit.Record
		want bool
	}{
		{"itself", audit.Record{PID: pid, Exe: exe, Time: time.Now()}, true},
		{"without a time", audit.Record{PID: pid, Exe: exe}, true},
		{"by thread", audit.Record{PID: pid, Comm: comm}, true},
		{"another program", audit.Record{PID: pid, Exe: "/other", Comm: "other", Time: time.Now()}, false},
		{"before it started", audit.Record{PID: pid, Exe: exe, Time: time.Now().Add(-10000 * time.Hour)}, false},
		{"no process", audit.Record{PID: 1 << 30, Exe: exe}, false},
		{"no number", audit.Record{Exe: exe}, false},
	} {
		if got := h.alive(&tt.rec); got != tt.want {
			t.Errorf("%s: alive is %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A process in a container's control group is reported there, as long as it lives.
func TestContainerOfALivingProcess(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	group := ""
	for _, dir := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids"} {
		if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err == nil {
			group = filepath.Join(dir, "docker-"+id+".scope")
			break
		}
	}
	if err := os.Mkdir(group, 0o700); err != nil {
		t.Skip("no control group can be made:", err)
	}
	defer func() {
		if err := os.Remove(group); err != nil {
			t.Error(err)
		}
	}()
	sleep := exec.Command("sleep", "1000")
	if err := sleep.Start(); err != nil {
		t.Skip(err)
	}
	end := func() {
		sleep.Process.Kill()
		sleep.Wait()
	}
	defer end()
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), fmt.Append(nil, sleep.Process.Pid), 0); err != nil {
		t.Skip("the control group takes no process:", err)
	}
	var comm string
	for comm != "sleep" { // until it is executed
		comm = strings.TrimSpace(readProc(sleep.Process.Pid, "comm"))
	}
	line := fmt.Sprintf(`audit: type=1326 audit(%d.000:3): auid=0 uid=0 gid=0 ses=1 pid=%d comm="sleep" exe="/" sig=0 arch=c000003e syscall=257 compat=0 ip=0x1 code=0x7ffc0000`,
		time.Now().Unix()+1, sleep.Process.Pid)
	report := func(args ...string) string {
		var stdout bytes.Buffer
		run(append([]string{"denials", "-q"}, args...), strings.NewReader(line), &stdout, io.Discard)
		return stdout.String()
	}
	if got := report(); !strings.HasPrefix(got, "sleep in container 0123456789ab: ") {
		t.Errorf("got %s", got)
	}
	if got := report("--container", "0123456789ab"); !strings.HasPrefix(got, "sleep in container 0123456789ab: ") {
		t.Errorf("by ID: got %s", got)
	}
	end()
	if got := report(); !strings.HasPrefix(got, "sleep: ") {
		t.Errorf("after its end: got %s", got)
	}
}

func TestStartTime(t *testing.T) {
	if got, ok := startTime("5 (a) b) (c) S 1 5 5 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 250 1 1"); !ok || got != 2500*time.Millisecond {
		t.Errorf("got %v, %v", got, ok)
	}
	for _, stat := range []string{"", "5 (a) S 1", "5 (a) S 1 5 5 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 x"} {
		if _, ok := startTime(stat); ok {
			t.Errorf("%q has a time", stat)
		}
	}
}
