package loader_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
)

// foreign returns p as a program for machines of the other byte order.
func foreign(p *cbpf.Program) *cbpf.Program {
	var order binary.ByteOrder = binary.BigEndian
	if p.Order() == order {
		order = binary.LittleEndian
	}
	q, err := cbpf.New(p.Raw(), order)
	if err != nil {
		panic(err)
	}
	return q
}

func TestMistakesAreRefusedTogetherAndChangeNothing(t *testing.T) {
	const (
		empty     = "loader: the program has no instructions (make one with cbpf.New, cbpf.Decode or a compiler)"
		known     = " is unknown (use the flags that package cbpf declares)"
		killable  = "loader: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV is only for a program that returns NOTIFY (remove the flag)"
		nobody    = "loader: the program returns NOTIFY, and Install makes no listener (use InstallListener)"
		silent    = "loader: the program never returns NOTIFY; a listener would receive no calls (use Install)"
		contra    = "loader: SECCOMP_FILTER_FLAG_TSYNC contradicts ThisThread (remove one)"
		noListner = "loader: SECCOMP_FILTER_FLAG_NEW_LISTENER makes a listener, which Install does not return (use InstallListener)"
	)
	order := "loader: the program is big-endian and this kernel is little-endian (compile it for an ABI of this machine)"
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		order = "loader: the program is little-endian and this kernel is big-endian (compile it for an ABI of this machine)"
	}
	allow, notify := program(ret(cbpf.Allow)), program(ret(cbpf.Notify))
	install := func(p *cbpf.Program, o loader.Options) error { return loader.Install(p, o) }
	listen := func(p *cbpf.Program, o loader.Options) error {
		f, err := loader.InstallListener(p, o)
		if f != nil {
			t.Error("a listener together with an error")
		}
		return err
	}
	flags := func(f ...cbpf.Flag) loader.Options { return loader.Options{Flags: f} }
	before := status(os.Getpid(), "Seccomp") + status(os.Getpid(), "NoNewPrivs")
	for _, test := range []struct {
		install func(*cbpf.Program, loader.Options) error
		program *cbpf.Program
		options loader.Options
		want    []string
		is      error
	}{
		{install, nil, loader.Options{}, []string{empty}, loader.ErrNoProgram},
		{listen, nil, loader.Options{}, []string{empty}, loader.ErrNoProgram},
		{install, &cbpf.Program{}, loader.Options{}, []string{empty}, loader.ErrNoProgram},
		{install, foreign(allow), loader.Options{}, []string{order}, loader.ErrByteOrder},
		{install, notify, loader.Options{}, []string{nobody}, loader.ErrNotify},
		{listen, allow, loader.Options{}, []string{silent}, loader.ErrNotify},
		{install, allow, flags(0x40), []string{"loader: flag 0x40" + known}, loader.ErrFlags},
		{install, allow, flags(cbpf.LogFlag, 1<<31), []string{"loader: flag 0x80000000" + known}, loader.ErrFlags},
		{install, allow, flags(cbpf.WaitKillableRecv), []string{killable}, loader.ErrFlags},
		{install, allow, flags(cbpf.NewListener), []string{noListner}, loader.ErrFlags},
		{install, allow, loader.Options{ThisThread: true, Flags: []cbpf.Flag{cbpf.TSync}}, []string{contra}, loader.ErrFlags},
		{install, foreign(notify), loader.Options{ThisThread: true, Flags: []cbpf.Flag{0x40, cbpf.TSync}},
			[]string{order, nobody, "loader: flag 0x40" + known, contra}, nil},
	} {
		err := test.install(test.program, test.options)
		if err == nil {
			t.Fatalf("installed instead of %q", test.want)
		}
		if diff := cmp.Diff(test.want, strings.Split(err.Error(), "\n")); diff != "" {
			t.Error(diff)
		}
		for _, class := range []error{loader.ErrNoProgram, loader.ErrByteOrder, loader.ErrNotify, loader.ErrFlags} {
			want := test.is == class || test.is == nil && class != loader.ErrNoProgram // nil: all that there can be together
			if errors.Is(err, class) != want {
				t.Errorf("errors.Is(%q, %q) is %v", err, class, !want)
			}
		}
	}
	if after := status(os.Getpid(), "Seccomp") + status(os.Getpid(), "NoNewPrivs"); after != before {
		t.Errorf("the process has changed from %s to %s", before, after)
	}
}

// A filter can make this kernel answer as another would.
func TestOtherKernels(t *testing.T) {
	const failed = "loader: seccomp: "
	denied := "operation not permitted: an earlier filter or a security module denies the call (let it allow seccomp)\n"
	hidden := "function not implemented: the kernel has no seccomp(2) or an earlier filter hides it (needs Linux 3.17 with CONFIG_SECCOMP)\n"
	faked := "unsupported operation: an earlier filter answers in the kernel's place (let it allow seccomp)\n"
	bare := "unsupported operation: the kernel has no filters (build it with CONFIG_SECCOMP_FILTER)\n"
	const log = " SECCOMP_FILTER_FLAG_LOG (new in Linux 4.14)"
	for kernel, want := range map[string]string{
		"5.4": `probe: flags [SECCOMP_FILTER_FLAG_TSYNC SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW SECCOMP_FILTER_FLAG_NEW_LISTENER], 8 actions, sizes 80 24 64
install: ok
LOG flag: ok
LOG action: ok
listener: loader: this kernel does not support SECCOMP_FILTER_FLAG_TSYNC_ESRCH (new in Linux 5.7) (without TSYNC_ESRCH only a single thread can have a listener): unsupported
killable: loader: this kernel does not support SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (new in Linux 5.19): unsupported
`,
		"3.17": `probe: flags [SECCOMP_FILTER_FLAG_TSYNC], 5 actions, sizes 0 0 0
install: ok
LOG flag: loader: this kernel does not support` + log + `: unsupported
LOG action: loader: this kernel does not support action LOG: unsupported
listener: loader: this kernel does not support SECCOMP_FILTER_FLAG_NEW_LISTENER (new in Linux 5.0), SECCOMP_FILTER_FLAG_TSYNC_ESRCH (new in Linux 5.7), action NOTIFY (without TSYNC_ESRCH only a single thread can have a listener): unsupported
killable: loader: this kernel does not support SECCOMP_FILTER_FLAG_NEW_LISTENER (new in Linux 5.0), SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (new in Linux 5.19), action NOTIFY: unsupported
`,
		"no filters": everywhere(failed+bare, true),
		"ENOSYS":     everywhere(failed+hidden, true),
		"EPERM":      everywhere(failed+denied, false),
		"success":    everywhere(failed+faked, true),
	} {
		t.Run(kernel, func(t *testing.T) {
			if diff := cmp.Diff(want, reexec.OK(t, "pretend", kernel).Stdout); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// everywhere is what pretend prints if everything fails alike.
func everywhere(line string, unsupported bool) string {
	var all strings.Builder
	for _, what := range []string{"probe", "install", "LOG flag", "LOG action", "listener", "killable"} {
		all.WriteString(what + ": " + strings.TrimSuffix(line, "\n"))
		if unsupported {
			all.WriteString(": unsupported")
		}
		all.WriteByte('\n')
	}
	return all.String()
}

// pretend makes the kernel look like another and prints how the loader fares.
func pretend() error {
	old, ok := map[string]*cbpf.Program{
		"5.4":        oldKernel(cbpf.TSync|cbpf.LogFlag|cbpf.SpecAllow|cbpf.NewListener, cbpf.Allow),
		"3.17":       oldKernel(cbpf.TSync, cbpf.Errno(uint16(unix.EINVAL))),
		"no filters": on(unix.SYS_SECCOMP, cbpf.Errno(uint16(unix.EINVAL))),
		"ENOSYS":     on(unix.SYS_SECCOMP, cbpf.Errno(uint16(unix.ENOSYS))),
		"EPERM":      on(unix.SYS_SECCOMP, cbpf.Errno(uint16(unix.EPERM))),
		"success":    on(unix.SYS_SECCOMP, cbpf.Errno(0)),
	}[os.Args[1]]
	if !ok {
		return errors.New("no kernel " + os.Args[1])
	}
	if err := loader.Install(old, loader.Options{}); err != nil {
		return err
	}
	report := func(what string, err error) {
		switch {
		case err == nil:
			fmt.Printf("%s: ok\n", what)
		case errors.Is(err, errors.ErrUnsupported):
			fmt.Printf("%s: %v: unsupported\n", what, err)
		default:
			fmt.Printf("%s: %v\n", what, err)
		}
	}
	if f, err := loader.Probe(); err != nil {
		report("probe", err)
	} else {
		fmt.Printf("probe: flags %v, %d actions, sizes %d %d %d\n", f.Flags, len(f.Actions), f.NotifSize, f.RespSize, f.DataSize)
	}
	deny, notify := on(unix.SYS_GETPPID, cbpf.Errno(77)), on(unix.SYS_GETPPID, cbpf.Notify)
	report("install", loader.Install(deny, loader.Options{}))
	report("LOG flag", loader.Install(deny, loader.Options{Flags: []cbpf.Flag{cbpf.LogFlag}}))
	report("LOG action", loader.Install(on(unix.SYS_GETPPID, cbpf.Log), loader.Options{}))
	_, err := loader.InstallListener(notify, loader.Options{})
	report("listener", err)
	_, err = loader.InstallListener(notify, loader.Options{ThisThread: true, Flags: []cbpf.Flag{cbpf.WaitKillableRecv}})
	report("killable", err)
	return nil
}

// oldKernel answers seccomp(2) like a kernel that has only these flags, and
// other operations by a.
func oldKernel(has cbpf.Flag, a cbpf.Action) *cbpf.Program {
	return program(
		loadNR,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_SECCOMP, SkipFalse: 5},
		loadArg(0),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SECCOMP_SET_MODE_FILTER, SkipFalse: 4},
		loadArg(1),
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: uint32(^has), SkipFalse: 1},
		ret(cbpf.Errno(uint16(unix.EINVAL))),
		ret(cbpf.Allow),
		ret(a),
	)
}

func TestRefusalsOfTheKernelAreExplained(t *testing.T) {
	const denied = "an earlier filter or a security module denies the call (let it allow seccomp)"
	for _, test := range []struct {
		refuser string
		errno   unix.Errno
		want    string
	}{
		{"install", unix.EINVAL, "seccomp: invalid argument: this thread is in strict mode, or the kernel refuses the program (check it with cbpf.Verify)"},
		{"install", unix.EFAULT, "seccomp: bad address: " + denied},
		{"install", unix.EPERM, "seccomp: operation not permitted: " + denied},
		{"actions", unix.EPERM, "seccomp: operation not permitted: " + denied},
		{"prctl", unix.EPERM, "prctl: operation not permitted: cannot set no_new_privs: an earlier filter denies the call (let it allow prctl, or set KeepPrivs)"},
		{"limit", unix.EMFILE, "seccomp: too many open files: no free descriptor for the listener (close files or raise the limit)"},
	} {
		t.Run(fmt.Sprint(test.refuser, " ", int(test.errno)), func(t *testing.T) {
			if test.refuser == "prctl" {
				needPrivileges(t)
			}
			r := reexec.OK(t, "refuse", test.refuser, strconv.Itoa(int(test.errno)))
			if want := "loader: " + test.want + "\n"; r.Stdout != want {
				t.Errorf("%s, want %s", r.Stdout, want)
			}
		})
	}
}

// refuse has an installation fail and prints the error.
func refuse() error {
	number, err := strconv.Atoi(os.Args[2])
	if err != nil {
		return err
	}
	errno := unix.Errno(number)
	install := func() error { return loader.Install(on(unix.SYS_GETPPID, cbpf.Errno(77)), loader.Options{}) }
	switch os.Args[1] {
	case "install": // but not the questions, which have no program
		err = loader.Install(answering(unix.SYS_SECCOMP, cbpf.Errno(uint16(errno)), argIs(0, unix.SECCOMP_SET_MODE_FILTER), argHas(2, ^uint32(0))), loader.Options{})
	case "actions":
		err = loader.Install(answering(unix.SYS_SECCOMP, cbpf.Errno(uint16(errno)), argIs(0, unix.SECCOMP_GET_ACTION_AVAIL)), loader.Options{})
	case "prctl":
		err = loader.Install(answering(unix.SYS_PRCTL, cbpf.Errno(uint16(errno)), argIs(0, unix.PR_SET_NO_NEW_PRIVS)), loader.Options{KeepPrivs: true})
	case "limit":
		err = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{})
		install = func() error {
			_, err := loader.InstallListener(on(unix.SYS_GETPPID, cbpf.Notify), loader.Options{})
			return err
		}
	default:
		err = errors.New("no refuser " + os.Args[1])
	}
	if err != nil {
		return err
	}
	if err = install(); !errors.Is(err, errno) {
		return fmt.Errorf("got %v, want error number %d", err, errno)
	}
	fmt.Println(err)
	return nil
}

// The loader relies on what the kernel answers to an empty program, whatever the flags.
func TestEmptyProgramIsRefusedBeforeAnythingElse(t *testing.T) {
	for flags := range uintptr(64) {
		r, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(new(unix.SockFprog))))
		if errno != unix.EINVAL {
			t.Errorf("flags %#x: %d, %v", flags, r, errno)
		}
	}
}

// In a process of its own, because the garbage collector may close what other tests left.
func TestProbeChangesNothing(t *testing.T) { reexec.OK(t, "probe") }

// probe reports what Probe has changed in this process.
func probe() error {
	state := func() (string, error) {
		files, err := os.ReadDir("/proc/self/fd")
		return fmt.Sprint(status(os.Getpid(), "Seccomp"), status(os.Getpid(), "NoNewPrivs"), files), err
	}
	_, _ = state() // Go's poller opens files of its own when the first is read
	before, err1 := state()
	_, err2 := loader.Probe()
	after, err3 := state()
	if before != after {
		return fmt.Errorf("the process has changed from %s to %s", before, after)
	}
	return errors.Join(err1, err2, err3)
}

func TestProbe(t *testing.T) {
	f, err := loader.Probe()
	if err != nil {
		t.Fatal(err)
	}
	again, err := loader.Probe()
	if diff := cmp.Diff(f, again); diff != "" || err != nil {
		t.Errorf("the second answer differs: %v\n%s", err, diff)
	}

	// The kernel's own list is in the same order, by other names.
	avail, err := os.ReadFile("/proc/sys/kernel/seccomp/actions_avail")
	if err != nil {
		t.Skip(err)
	}
	var names []string
	for _, a := range f.Actions {
		name, ok := map[cbpf.Action]string{
			cbpf.KillProcess: "kill_process", cbpf.KillThread: "kill_thread", cbpf.Trap: "trap", cbpf.ErrnoClass: "errno",
			cbpf.Notify: "user_notif", cbpf.TraceClass: "trace", cbpf.Log: "log", cbpf.Allow: "allow",
		}[a]
		if !ok {
			t.Errorf("action %v is not a class", a)
		}
		names = append(names, name)
	}
	if diff := cmp.Diff(strings.Fields(string(avail)), names); diff != "" {
		t.Error(diff)
	}
	for i := 1; i < len(f.Flags); i++ {
		if f.Flags[i-1] >= f.Flags[i] {
			t.Errorf("flags out of order: %v", f.Flags)
		}
	}
	if sizes := [3]int{f.NotifSize, f.RespSize, f.DataSize}; sizes != [3]int{80, 24, 64} {
		t.Errorf("sizes %v", sizes)
	}
}
