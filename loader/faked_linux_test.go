package loader_test

import (
	"context"
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

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
)

// An installation is a way to put a filter in force.
type installation struct {
	name    string
	listens bool
	options loader.Options
}

func installations() []installation {
	return []installation{
		{name: "all threads"},
		{name: "listener", listens: true},
		{name: "thread", options: loader.Options{ThisThread: true}},
		{name: "no flags", options: loader.Options{ThisThread: true, Flags: []cbpf.Flag{}}},
		{name: "flags", options: loader.Options{ThisThread: true, Flags: []cbpf.Flag{cbpf.LogFlag, cbpf.SpecAllow}}},
		{name: "thread's listener", listens: true, options: loader.Options{ThisThread: true}},
		{name: "KeepPrivs", options: loader.Options{ThisThread: true, KeepPrivs: true}},
		{name: "TrustPrctl", options: loader.Options{ThisThread: true, TrustPrctl: true}},
	}
}

func byName(name string) installation {
	all := installations()
	return all[slices.IndexFunc(all, func(i installation) bool { return i.name == name })]
}

// filter returns a filter that fails getppid with 77.
func (i *installation) filter() *cbpf.Program {
	if !i.listens {
		return on(unix.SYS_GETPPID, cbpf.Errno(77))
	}
	return program(
		loadNR,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_GETPPID, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_GETSID, SkipTrue: 2},
		ret(cbpf.Allow),
		ret(cbpf.Errno(77)),
		ret(cbpf.Notify),
	)
}

func (i *installation) install(p *cbpf.Program) (fd int, err error) {
	if i.listens {
		return loader.InstallDescriptor(p, i.options)
	}
	return -1, loader.Install(p, i.options)
}

// A fake is what earlier filters answer in the kernel's place, and what becomes of
// an installation then.
type fake struct {
	name    string
	filters []*cbpf.Program
	fill    bool                     // leave no room for another filter
	want    string                   // part of the error; "" if all succeed
	spares  func(*installation) bool // those that succeed although the others fail
	late    bool                     // the failure leaves no_new_privs set
	lie     bool                     // TrustPrctl believes what is not so
}

// failing returns a filter that fails a call with an error number, 0 included.
func failing(nr uint32, errno unix.Errno, conditions ...condition) *cbpf.Program {
	return answering(nr, cbpf.Errno(uint16(errno)), conditions...)
}

// failingInstall fails the installation of a program, and no question.
func failingInstall(errno unix.Errno, conditions ...condition) *cbpf.Program {
	conditions = append(conditions, argIs(0, unix.SECCOMP_SET_MODE_FILTER), argHas(2, ^uint32(0)))
	return failing(unix.SYS_SECCOMP, errno, conditions...)
}

func few(p ...*cbpf.Program) []*cbpf.Program { return p }

func madeUp(call string) string {
	return "an earlier filter answers in the kernel's place (let it allow " + call + ")"
}

// seccompFakes are about seccomp(2).
func seccompFakes() []fake {
	flags := func(f cbpf.Flag) condition { return argHas(1, uint32(f)) }
	fakes := []fake{
		{name: "harmless", filters: few(failing(unix.SYS_GETPPID, 33))},
		{name: "no files", filters: few(failing(unix.SYS_OPENAT, unix.EPERM), failing(unix.SYS_READ, unix.EPERM))},
		{name: "full", fill: true, want: "over 32768 instructions in all filters", late: true},
		{name: "seccomp 0", filters: few(failing(unix.SYS_SECCOMP, 0)), want: madeUp("seccomp")},
		{name: "install 0", filters: few(failingInstall(0)), want: madeUp("seccomp")},
		{name: "TSYNC 0", filters: few(failingInstall(0, flags(cbpf.TSync))), want: madeUp("seccomp"),
			spares: func(i *installation) bool { return i.options.ThisThread }},
		{name: "NEW_LISTENER 0", filters: few(failingInstall(0, flags(cbpf.NewListener))), want: madeUp("seccomp"),
			spares: func(i *installation) bool { return !i.listens }},
		{name: "no flags 0", filters: few(failingInstall(0, argIs(1, 0))), want: madeUp("seccomp"),
			spares: func(i *installation) bool { return i.name != "no flags" }},
		{name: "actions 0", filters: few(failing(unix.SYS_SECCOMP, 0, argIs(0, unix.SECCOMP_GET_ACTION_AVAIL))), want: madeUp("seccomp")},
	}
	for _, errno := range []unix.Errno{unix.EPERM, unix.EFAULT, unix.EINVAL, unix.ENOSYS} {
		number := strconv.Itoa(int(errno))
		fakes = append(fakes,
			fake{name: "seccomp " + number, filters: few(failing(unix.SYS_SECCOMP, errno)), want: "loader: seccomp: "},
			// EINVAL is the kernel's answer to an empty program, too.
			fake{name: "install " + number, filters: few(failingInstall(errno)), want: errno.Error(), late: errno == unix.EINVAL})
	}
	return fakes
}

// prctlFakes are about no_new_privs.
func prctlFakes() []fake {
	all := func(errno unix.Errno) *cbpf.Program { return failing(unix.SYS_PRCTL, errno) }
	set := func(errno unix.Errno) *cbpf.Program {
		return failing(unix.SYS_PRCTL, errno, argIs(0, unix.PR_SET_NO_NEW_PRIVS))
	}
	get := func(errno unix.Errno) *cbpf.Program {
		return failing(unix.SYS_PRCTL, errno, argIs(0, unix.PR_GET_NO_NEW_PRIVS))
	}
	fstatfs := native(unix.SYS_FSTATFS, 269, 267, 4256)
	const denied, unknown = "cannot set no_new_privs", "cannot tell whether no_new_privs is set"
	sets := func(i *installation) bool { return i.options.KeepPrivs }
	asks := func(i *installation) bool { return i.options.KeepPrivs || i.options.TrustPrctl }
	fakes := []fake{
		{name: "all 0", filters: few(all(0)), want: madeUp("prctl"), spares: asks, lie: true},
		{name: "all 1", filters: few(all(unix.EPERM)), want: denied, spares: sets},
		{name: "set 0", filters: few(set(0)), want: madeUp("prctl"), spares: asks, lie: true},
		{name: "set 1", filters: few(set(unix.EPERM)), want: denied, spares: sets},
		{name: "get 0", filters: few(get(0)), want: madeUp("prctl"), spares: asks, late: true},
		{name: "get 1", filters: few(get(unix.EPERM))},
		{name: "set 0, get 1", filters: few(set(0), get(unix.EPERM)), want: madeUp("prctl"), spares: asks, lie: true},
		{name: "openat 0", filters: few(failing(unix.SYS_OPENAT, 0))},
	}
	for _, call := range []struct {
		name string
		nr   uint32
	}{{"openat", unix.SYS_OPENAT}, {"fstatfs", fstatfs}, {"read", unix.SYS_READ}} {
		for _, errno := range []unix.Errno{0, unix.EPERM} {
			fakes = append(fakes, fake{name: fmt.Sprintf("get 1, %s %d", call.name, errno),
				filters: few(get(unix.EPERM), failing(call.nr, errno)), want: unknown, spares: asks})
		}
	}
	return fakes
}

// Whatever earlier filters answer, an installation that succeeds has confined the
// thread, with no_new_privs. One that fails has added no filter, and left
// no_new_privs unset unless only the kernel could tell.
func TestFakedAnswersOfSeccompAreNotBelieved(t *testing.T) {
	for _, f := range seccompFakes() {
		t.Run(f.name, f.check)
	}
}

func TestFakedAnswersOfPrctlAreNotBelieved(t *testing.T) {
	needPrivileges(t)
	for _, f := range prctlFakes() {
		t.Run(f.name, f.check)
	}
}

// killingFake kills whoever asks for no_new_privs.
func killingFake() fake {
	return fake{name: "get kills", filters: []*cbpf.Program{answering(unix.SYS_PRCTL, cbpf.KillProcess, argIs(0, unix.PR_GET_NO_NEW_PRIVS))}}
}

func TestTrustPrctlAsksNothing(t *testing.T) {
	needPrivileges(t)
	f := killingFake()
	f.checkChild(t, "TrustPrctl", "KeepPrivs")
}

// check tries all installations: those of one thread in one process, each on a
// thread of its own.
func (f *fake) check(t *testing.T) {
	var single []string
	for _, i := range installations() {
		if i.options.ThisThread {
			single = append(single, i.name)
		} else {
			f.checkChild(t, i.name)
		}
	}
	f.checkChild(t, single...)
}

func (f *fake) checkChild(t *testing.T, names ...string) {
	cmd := reexec.Command(t, "faked", append([]string{f.name}, names...)...)
	cmd.Stderr = os.Stderr
	stdin, err := os.Open("/proc/self/status") // what a descriptor 0 that is made up would be
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	cmd.Stdin = stdin
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	var earlier int
	var results []faked
	if err := json.NewDecoder(stdout).Decode(&[]any{&earlier, &results}); err != nil {
		t.Fatalf("%q: %v", names, err)
	}
	if n, err := strconv.Atoi(status(os.Getpid(), "Seccomp_filters")); err == nil {
		earlier += n
	}
	for n, r := range results {
		f.checkResult(t, byName(names[n]), r, fmt.Sprintf("/proc/%d/", cmd.Process.Pid), earlier)
	}
}

// checkResult judges an installation in the process that proc shows, which has so
// many earlier filters.
func (f *fake) checkResult(t *testing.T, i installation, r faked, proc string, earlier int) {
	fails := f.want != "" && (f.spares == nil || !f.spares(&i))
	var privs bool
	if fails {
		if r.Error == "" || !strings.Contains(r.Error, f.want) || r.Errno == 77 || r.FD >= 0 {
			t.Errorf("%s: getppid: errno %d, descriptor %d, error %q, want %q", i.name, r.Errno, r.FD, r.Error, f.want)
		}
		privs = f.late && !i.options.KeepPrivs
	} else {
		if r.Error != "" || r.Errno != 77 {
			t.Errorf("%s: getppid: errno %d, want 77; error %q", i.name, r.Errno, r.Error)
		}
		if link, err := os.Readlink(proc + "fd/" + strconv.Itoa(r.FD)); (link == "anon_inode:seccomp notify") != i.listens {
			t.Errorf("%s: descriptor %d is %s (%v)", i.name, r.FD, link, err)
		}
		privs = !i.options.KeepPrivs && !(i.options.TrustPrctl && f.lie)
		earlier++
	}
	file := proc + "task/" + strconv.Itoa(r.TID) + "/status"
	if got := statusIn(file, "NoNewPrivs"); (got == "1") != (privs || !mayKeepPrivs()) {
		t.Errorf("%s: NoNewPrivs %s (error %q)", i.name, got, r.Error)
	}
	if got := statusIn(file, "Seccomp_filters"); got != strconv.Itoa(earlier) && got != "" {
		t.Errorf("%s: %s filters, want %d", i.name, got, earlier)
	}
}

// faked is how an installation went.
type faked struct {
	TID, FD int
	Errno   unix.Errno // of getppid afterwards
	Error   string
}

// fakedInstallations prints the number of filters that its first argument names and
// how the installations went that the others name. Then it waits to be looked at.
func fakedInstallations() error {
	fakes := append(append(seccompFakes(), prctlFakes()...), killingFake())
	f := fakes[slices.IndexFunc(fakes, func(f fake) bool { return f.name == os.Args[1] })]
	earlier := loader.Options{KeepPrivs: mayKeepPrivs()}
	for _, p := range f.filters {
		if err := loader.Install(p, earlier); err != nil {
			return err
		}
	}
	count := len(f.filters)
	if f.fill {
		for _, n := range []int{cbpf.MaxInstructions, 512, 64, 5} {
			p, err := cbpf.New(raw(n, cbpf.Allow), binary.NativeEndian)
			if err != nil {
				return err
			}
			for loader.Install(p, earlier) == nil {
				count++
			}
		}
	}
	var results []faked
	for _, name := range os.Args[2:] {
		i := byName(name)
		th := startThread()
		_ = th.do(func() error {
			fd, err := i.install(i.filter())
			r := faked{TID: th.tid, FD: fd}
			if err != nil {
				r.Error = err.Error()
			}
			_, r.Errno = getppid()
			results = append(results, r)
			return nil
		})
	}
	if err := json.NewEncoder(os.Stdout).Encode([]any{count, results}); err != nil {
		return err
	}
	time.Sleep(time.Minute)
	return nil
}

// mayKeepPrivs reports whether this process can install without no_new_privs.
func mayKeepPrivs() bool {
	return os.Getuid() == 0 && status(os.Getpid(), "NoNewPrivs") == "0"
}

// A filter cannot answer the installation otherwise than the question before it:
// what it sees of both calls is the same.
func TestFiltersCannotTellQuestionFromInstallation(t *testing.T) {
	tg := startTarget(t, "asked twice")
	var calls []cbpf.Data
	received := make(chan error)
	go func() {
		for {
			n, err := tg.Receive(t.Context())
			if err != nil {
				received <- err
				return
			}
			if n.Data.Args[0] == unix.SECCOMP_SET_MODE_FILTER && n.Data.Args[2] != 0 {
				calls = append(calls, n.Data)
			}
			_ = n.Continue()
		}
	}()
	got := tg.wait(t)
	_ = tg.Close()
	if err := <-received; err != os.ErrClosed && err != io.EOF {
		t.Error(err)
	}
	var want strings.Builder
	for _, i := range installations() {
		fmt.Fprintf(&want, "%s: EBUSY %v\n", i.name, i.listens) // it has a listener
	}
	if got != want.String() {
		t.Errorf("%s\nwant\n%s", got, &want)
	}
	if len(calls) != 2*len(installations()) {
		t.Fatalf("%d calls", len(calls))
	}
	for pair := range slices.Chunk(calls, 2) {
		if pair[0] != pair[1] {
			t.Errorf("the question is %+v, the installation %+v", pair[0], pair[1])
		}
	}
}

// askedTwice makes all installations under a supervisor of seccomp(2). Between
// question and installation it takes /proc to learn about no_new_privs: that makes a
// young goroutine's stack grow, and move.
func askedTwice() error {
	earlier := loader.Options{KeepPrivs: mayKeepPrivs()}
	err := errors.Join(
		loader.Install(failing(unix.SYS_PRCTL, unix.EPERM, argIs(0, unix.PR_GET_NO_NEW_PRIVS)), earlier),
		handOverOf(on(unix.SYS_SECCOMP, cbpf.Notify), earlier))
	if err != nil {
		return err
	}
	for _, i := range installations() {
		p := i.filter() // which takes a large stack
		err := startThread().do(func() error { _, err := i.install(p); return err })
		if err != nil && !errors.Is(err, unix.EBUSY) {
			return err
		}
		fmt.Printf("%s: EBUSY %v\n", i.name, err != nil)
	}
	return nil
}

func TestFilterThatAllowsOnlyWriteAndExit(t *testing.T) {
	// What Go's runtime calls by itself the filter does not allow either.
	t.Setenv("GOGC", "off")
	t.Setenv("GODEBUG", "asyncpreemptoff=1")
	for _, earlier := range []string{"none", "harmless", "no files"} {
		t.Run(earlier, func(t *testing.T) {
			if got, want := reexec.Run(t, "only write", earlier), (reexec.Result{Stdout: "installed\n"}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			if got, want := reexec.Run(t, "only write", earlier, "getppid"), (reexec.Result{Code: -1, Signal: unix.SIGSYS, Stdout: "installed\n"}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

// onlyWrite makes no call under the filter but its own, one that is not allowed if
// it has a second argument.
func onlyWrite() error {
	for _, f := range seccompFakes() {
		for _, p := range f.filters {
			if f.name != os.Args[1] {
				break
			}
			if err := loader.Install(p, loader.Options{}); err != nil {
				return err
			}
		}
	}
	p := program(
		loadNR,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_WRITE, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_EXIT_GROUP, SkipTrue: 1},
		ret(cbpf.KillProcess),
		ret(cbpf.Allow),
	)
	text := []byte("installed\n")
	runtime.Gosched() // for a fresh time slice
	if err := loader.Install(p, loader.Options{ThisThread: true}); err != nil {
		return err
	}
	_, _, _ = unix.RawSyscall(unix.SYS_WRITE, 1, uintptr(unsafe.Pointer(&text[0])), uintptr(len(text)))
	if len(os.Args) > 2 {
		_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
	}
	_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	return nil
}

func TestFakedAnswersAboutListenersAreNotBelieved(t *testing.T) { reexec.OK(t, "faked listener") }

func fakedListener() error {
	th := startThread()
	l, err := listen(th)
	if err != nil {
		return err
	}
	go func() { _ = th.do(func() error { _, _ = ask(); return nil }) }()
	wantFaked := func(call string, err error) error {
		if err == nil || !strings.Contains(err.Error(), madeUp(call)) {
			return fmt.Errorf("%s: %v", call, err)
		}
		return nil
	}
	open := func() error {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return err
		}
		_, err = loader.OpenListener(f)
		return err
	}
	thread := loader.Options{ThisThread: true}
	if err := loader.Install(failing(unix.SYS_IOCTL, 0), thread); err != nil {
		return err
	}
	_, err = l.Receive(context.Background())
	if err := errors.Join(wantFaked("ioctl", err), wantFaked("ioctl", open())); err != nil {
		return err
	}
	fcntl := native(unix.SYS_FCNTL, 221, 221, 4220)
	if err := loader.Install(failing(fcntl, 0, argIs(1, unix.F_DUPFD_CLOEXEC)), thread); err != nil {
		return err
	}
	err = wantFaked("fcntl", open())
	return errors.Join(err, unix.Fstat(0, new(unix.Stat_t))) // standard input is still there
}

func TestFakedAnswersAboutFiltersAreNotBelieved(t *testing.T) {
	needDump(t)
	p := startSubject(t, "1")
	got := reexec.OK(t, "faked filters", strconv.Itoa(p.tids[0])).Stdout
	if want := "loader: ptrace: unsupported operation: " + madeUp("ptrace") + "\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	p.checkAlive(t)
}

// fakedFilters is a dumper that cannot find out that it is confined.
func fakedFilters() error {
	for _, p := range []*cbpf.Program{
		failing(unix.SYS_OPENAT, unix.EPERM), failing(unix.SYS_PTRACE, 0, argIs(0, unix.PTRACE_SECCOMP_GET_FILTER)),
	} {
		if err := loader.Install(p, loader.Options{}); err != nil {
			return err
		}
	}
	return dumper()
}
