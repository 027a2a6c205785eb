package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// addPrograms adds the programs that need Linux.
func addPrograms(programs map[string]func()) {
	programs["call"] = makeCall
	programs["faking"] = faking
	programs["as-nobody"] = asNobody
	programs["serve"] = serve
	programs["await"] = await
	programs["load"] = load
	programs["fetch"] = fetch
	programs["confine"] = confine
	programs["contain"] = contain
	programs["renamed"] = renamed
	programs["strand"] = strand
}

// strand puts a filter in force in one of its threads, not the first, and runs the program
// that its arguments are with its own process ID.
func strand() {
	tid := make(chan int)
	var confined func()
	confined = func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			go confined()
			select {}
		}
		filter := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}
		program := unix.SockFprog{Len: 1, Filter: &filter}
		if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
			fmt.Fprintln(os.Stderr, "strand:", err)
			os.Exit(3)
		}
		tid <- unix.Gettid()
		select {}
	}
	go confined()
	fmt.Println(<-tid)
	cmd := exec.Command(os.Args[1], append(os.Args[2:], strconv.Itoa(os.Getpid()))...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	_ = cmd.Run()
	os.Exit(cmd.ProcessState.ExitCode())
}

// confine puts the raw filter of a file in force and executes the rest of its
// arguments.
func confine() {
	raw, err := os.ReadFile(os.Args[1])
	if err == nil {
		var p *cbpf.Program
		if p, err = cbpf.Decode(raw, binary.NativeEndian); err == nil {
			err = loader.Install(p, loader.Options{})
		}
	}
	if err == nil {
		var path string
		if path, err = exec.LookPath(os.Args[2]); err == nil {
			err = syscall.Exec(path, os.Args[2:], os.Environ())
		}
	}
	fmt.Fprintln(os.Stderr, "confine:", err)
	os.Exit(1)
}

// openTerminal opens a pseudo-terminal, which ttyin needs, and says what is missing.
func openTerminal(dev string) error {
	ptmx, err := os.OpenFile(dev+"/ptmx", os.O_RDWR, 0)
	if err == nil {
		defer ptmx.Close()
		var n int
		n, err = unix.IoctlGetInt(int(ptmx.Fd()), unix.TIOCGPTN)
		if err == nil {
			err = unix.IoctlSetPointerInt(int(ptmx.Fd()), unix.TIOCSPTLCK, 0) // opens once it is unlocked
		}
		if err == nil {
			var tty *os.File
			if tty, err = os.OpenFile(dev+"/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0); err == nil {
				return tty.Close()
			}
		}
	}
	return fmt.Errorf("%s/ptmx gives no terminal: %w (mount -t devpts devpts %s/pts)", dev, err, dev)
}

func TestMissingTerminalsAreNamed(t *testing.T) {
	if err := openTerminal("/dev"); err != nil {
		t.Fatal(err)
	}
	dev := t.TempDir()
	want := fmt.Sprintf("%s/ptmx gives no terminal: open %s/ptmx: no such file or directory (mount -t devpts devpts %s/pts)", dev, dev, dev)
	if err := openTerminal(dev); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	// The multiplexer is of another file system than the terminals.
	if err := os.Symlink("/dev/ptmx", dev+"/ptmx"); err != nil {
		t.Fatal(err)
	}
	if err := openTerminal(dev); err == nil || !strings.Contains(err.Error(), "open "+dev+"/pts/") {
		t.Errorf("terminals of another file system: %v", err)
	}
}

// makeCall makes one system call, whose number and arguments are its own arguments,
// and prints the error or "ok".
func makeCall() {
	var words [7]uintptr
	for i, s := range os.Args[1:] {
		v, err := strconv.ParseUint(s, 0, 64)
		if err != nil {
			fmt.Fprintln(os.Stderr, "call:", err)
			os.Exit(1)
		}
		words[i] = uintptr(v)
	}
	runtime.LockOSThread()
	_, _, errno := syscall.RawSyscall6(words[0], words[1], words[2], words[3], words[4], words[5], words[6])
	if errno == 0 {
		fmt.Println("ok")
		return
	}
	fmt.Println(unix.ErrnoName(errno))
}

// faking executes the program that follows its first argument under a filter that
// answers in the kernel's place, as if the call had succeeded: to the installation
// of a filter, but not to questions for flags ("install"), or to setting
// no_new_privs ("privs"). It sets no_new_privs only if it must.
func faking() {
	nr, op, pointer := uint32(unix.SYS_SECCOMP), uint32(unix.SECCOMP_SET_MODE_FILTER), uint32(2)
	if os.Args[1] == "privs" {
		nr, op, pointer = unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1
	}
	low := func(arg uint32) bpf.Instruction {
		off := cbpf.OffArgs + 8*arg
		if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
			off += 4
		}
		return bpf.LoadAbsolute{Off: off, Size: 4}
	}
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: cbpf.OffNR, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: nr, SkipFalse: 5},
		low(0),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: op, SkipFalse: 3},
		low(pointer),
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipFalse: 1},
		bpf.RetConstant{Val: uint32(cbpf.Errno(0))},
		bpf.RetConstant{Val: uint32(cbpf.Allow)},
	})
	if err != nil {
		panic(err)
	}
	p, err := cbpf.New(raw, binary.NativeEndian)
	if err != nil {
		panic(err)
	}
	err = loader.Install(p, loader.Options{ThisThread: true, KeepPrivs: true})
	if errors.Is(err, unix.EACCES) {
		err = loader.Install(p, loader.Options{ThisThread: true})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "faking:", err)
		os.Exit(1)
	}
	path, err := exec.LookPath(os.Args[2])
	if err == nil {
		err = syscall.Exec(path, os.Args[2:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "faking:", err)
	os.Exit(1)
}

// asNobody executes seccompile with its own arguments, without privileges.
func asNobody() {
	const nobody = 65534
	for _, err := range []error{
		syscall.Setgroups(nil), syscall.Setresgid(nobody, nobody, nobody), syscall.Setresuid(nobody, nobody, nobody),
	} {
		if err != nil {
			fmt.Fprintln(os.Stderr, "as-nobody:", err)
			os.Exit(1)
		}
	}
	// By this path the binary need not be readable for nobody. It knows which
	// program to be by its name.
	err := syscall.Exec("/proc/self/exe", append([]string{"seccompile"}, os.Args[1:]...), os.Environ())
	fmt.Fprintln(os.Stderr, "as-nobody:", strings.TrimSpace(err.Error()))
	os.Exit(1)
}
