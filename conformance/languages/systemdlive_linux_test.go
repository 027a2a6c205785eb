package languages

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/debian"
	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/language/systemd"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// What boots a manager, and what its units set.
var (
	//go:embed testdata/boot.sh
	boot []byte
	//go:embed testdata/units.txt
	liveUnits string
)

// Service managers that run now load filters that mean what this project reads in the units.
func TestLiveSystemd(t *testing.T) {
	if os.Getenv("SECCOMPILE_SYSTEMD") == "" {
		t.Skip("boots three releases of Debian: SECCOMPILE_SYSTEMD=1, as root, asks for it")
	}
	if os.Getuid() != 0 {
		t.Fatal("needs root, to mount file systems and to read filters")
	}
	need.Program(t, "debootstrap", "debootstrap")
	texts := readLiveUnits(t)
	if len(texts) < 60 {
		t.Fatalf("only %d units", len(texts))
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, unix.SIGTERM)
	defer stop()
	tallies := map[int]*tally{}
	for _, r := range []struct {
		suite   string
		version int
	}{{"bookworm", 252}, {"trixie", 257}, {"sid", 262}} {
		sum := &tally{}
		tallies[r.version] = sum
		t.Run(r.suite, func(t *testing.T) {
			m := bootSystemd(ctx, t, r.suite, texts)
			if got := m.version(t); got != r.version {
				t.Fatalf("%s has systemd %d, not %d", r.suite, got, r.version)
			}
			started := m.units(ctx, t, texts)
			for _, name := range slices.Sorted(maps.Keys(texts)) {
				t.Run(name, func(t *testing.T) {
					if r.version == 252 && slices.Contains(unloaded(), name) {
						sum.checkUnloaded(t, r.version, started[name])
						return
					}
					sum.check(t, r.version, started[name])
				})
			}
		})
	}
	logTallies(t, tallies)
}

// unloaded returns the units whose filters for x86 libseccomp 2.5.4 makes without rules: if all
// calls of a list go through ipc or socketcall there and have no number of their own.
func unloaded() []string { return []string{"scf-deny-semop", "corpus-rnd-scf-45"} }

// checkUnloaded checks that the filters of such a unit let pass what it forbids.
func (s *tally) checkUnloaded(t *testing.T, version int, u unit) {
	t.Helper()
	reading, err := systemd.Language{Version: version}.Read(u.source(), policy.Target{ABI: arch.X86_64})
	if err != nil {
		t.Fatal(err)
	}
	var stack []proof.Subject
	for _, code := range u.Filters {
		program, err := cbpf.Decode(code, binary.LittleEndian)
		if err != nil {
			t.Fatal(err)
		}
		stack = append(stack, proof.Program(program))
	}
	ours, theirs := compile(t, reading.Policy), proof.Stack(stack...)
	ipc, _ := arch.X86.IPC()
	semop := cbpf.Data{Arch: arch.X86.Audit(), NR: ipc, Args: [6]uint64{1}}
	if ours.Eval(&semop) != cbpf.KillProcess || theirs.Eval(&semop) != cbpf.Allow {
		t.Errorf("semop through ipc: %v, systemd: %v", ours.Eval(&semop), theirs.Eval(&semop))
	}
	s.units++
	s.unlike++
}

// readLiveUnits returns the units to start, by name: those of this project, and others of
// SECCOMPILE_POLICIES if that is set.
func readLiveUnits(t *testing.T) map[string]unit {
	t.Helper()
	_, list, _ := strings.Cut(liveUnits, "\n\n")
	units := map[string]unit{}
	for _, text := range strings.Split(list, "\n\n[") {
		name, settings, ok := strings.Cut(strings.TrimPrefix(text, "["), "]\n")
		if _, twice := units[name]; !ok || twice {
			t.Fatalf("unit %q", text)
		}
		settings, dropIn, _ := strings.Cut(strings.TrimSuffix(settings, "\n")+"\n", "+++\n")
		u := unit{Unit: "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/pause\n" + settings}
		if dropIn != "" {
			u.DropIn = "[Service]\n" + dropIn
		}
		units[name] = u
	}
	dir := os.Getenv("SECCOMPILE_POLICIES")
	if dir == "" {
		return units
	}
	// Users that the releases lack, in units of other programs, make no difference to filters.
	users := regexp.MustCompile(`(?m)^(User|Group|SupplementaryGroups)=.+$`)
	for _, version := range []int{252, 257} {
		for name, u := range readUnits(t, filepath.Join(dir, "systemd", fmt.Sprintf("units-%d.json.gz", version))) {
			if !strings.HasPrefix(u.Outcome, "signal") {
				units["corpus-"+name] = unit{Unit: users.ReplaceAllString(u.Unit, "$1=daemon")}
			}
		}
	}
	return units
}

// A manager is a systemd in namespaces of its own.
type manager struct {
	root   string // of its release
	cgroup string
	ended  chan struct{} // closed when it has

	mu  sync.Mutex
	log []string
}

// bootSystemd boots the service manager of a release with units. Nothing of it is left when
// the test ends.
func bootSystemd(ctx context.Context, t *testing.T, suite string, units map[string]unit) *manager {
	t.Helper()
	m := &manager{root: debianRoot(ctx, t, suite), cgroup: newCgroup(t, suite), ended: make(chan struct{})}
	dir := t.TempDir()
	writeUnits(t, dir, units)
	console, err := os.OpenFile(filepath.Join(dir, "log"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { console.Close() })
	go m.listen(console)
	cmd := exec.CommandContext(ctx, "unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--net",
		"sh", filepath.Join(dir, "boot.sh"), m.root, m.cgroup, dir)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = time.Minute
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL, Setpgid: true}
	runtime.LockOSThread() // or unshare would die with the thread
	t.Cleanup(runtime.UnlockOSThread)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		m.note(output.String())
		close(m.ended)
	}()
	t.Cleanup(func() {
		killCgroup(m.cgroup)
		_ = cmd.Process.Kill() // with which its namespaces end, where cgroups cannot be killed
		<-m.ended
	})
	return m
}

// debianRoot returns the directory with a release of Debian. It is in the user's cache,
// where it stays: delete it to fetch it anew.
func debianRoot(ctx context.Context, t *testing.T, suite string) string {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(base, "seccompile", "systemd-"+suite)
	if _, err := os.Stat(root); err == nil {
		return root
	}
	mirror, err := debian.FindMirror(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		t.Fatal(err)
	}
	made, err := os.MkdirTemp(filepath.Dir(root), "debootstrap-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(made)
	t.Logf("fetching %s: some minutes", suite)
	// It mounts file systems, which must not outlive it.
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--fork", "--kill-child", "debootstrap", "--variant=minbase", "--include=systemd", suite, made, mirror)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("debootstrap: %v: %s", err, debian.Tail(string(out), 5))
	}
	if err := errors.Join(os.Chmod(made, 0o755), os.Rename(made, root)); err != nil {
		t.Fatal(err)
	}
	return root
}

// newCgroup makes a cgroup of version 2, and removes those that killed tests have left.
func newCgroup(t *testing.T, suite string) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	at := regexp.MustCompile(`(?m)^\S+ (\S+) cgroup2 `).FindSubmatch(mounts)
	if at == nil {
		t.Fatal("no cgroup2 file system is mounted (mount -t cgroup2 cgroup2 DIR)")
	}
	const prefix = "seccompile-systemd-"
	old, _ := filepath.Glob(filepath.Join(string(at[1]), prefix+"*"))
	for _, dir := range old {
		_, pid, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && unix.Kill(n, 0) == unix.ESRCH {
			killCgroup(dir)
			if err := removeCgroup(dir); err != nil {
				t.Log(err)
			}
		}
	}
	dir := filepath.Join(string(at[1]), fmt.Sprintf("%s%s-%d", prefix, suite, os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := removeCgroup(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// killCgroup kills all processes of a cgroup and those in it, since Linux 5.14.
func killCgroup(dir string) { _ = os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0) }

// removeCgroup removes a cgroup and those in it, whose processes may take a while to end.
func removeCgroup(dir string) error {
	var err error
	for range 100 {
		var all []string
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				all = append(all, path)
			}
			return nil
		})
		for _, d := range slices.Backward(all) {
			err = os.Remove(d)
		}
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// writeUnits writes what the manager's root has beyond the release, and boot.sh.
func writeUnits(t *testing.T, dir string, units map[string]unit) {
	t.Helper()
	const etc = "over/etc/systemd/system/"
	files := map[string]string{"boot.sh": string(boot), "over/etc/machine-id": strings.Repeat("5ecc", 8) + "\n", "over/pause": pauseProgram()}
	target := "[Unit]\nDefaultDependencies=no\n"
	for name, u := range units {
		target += "Wants=" + name + ".service\n"
		files[etc+name+".service"] = u.Unit
		if u.DropIn != "" {
			files[etc+name+".service.d/drop.conf"] = u.DropIn
		}
	}
	files[etc+"live.target"] = target
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Join(dir, "over/pause"), 0o755), os.Mkdir(filepath.Join(dir, "tree"), 0o755), unix.Mkfifo(filepath.Join(dir, "log"), 0o622)); err != nil {
		t.Fatal(err)
	}
}

// pauseProgram returns a program of x86_64 that calls pause(2) for ever and nothing else,
// which every allow-list of systemd's lets it do.
func pauseProgram() string {
	const base = 0x400000
	code := []byte{0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7} // mov $34,%eax; syscall; jmp to the mov
	const headers = 64 + 56
	var b bytes.Buffer
	b.WriteString("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9))
	put(&b, uint16(2), uint16(62), uint32(1), uint64(base+headers), uint64(64), uint64(0), uint32(0))                                        // ET_EXEC, EM_X86_64, entry
	put(&b, uint16(64), uint16(56), uint16(1), uint16(0), uint16(0), uint16(0))                                                              // one program header
	put(&b, uint32(1), uint32(5), uint64(0), uint64(base), uint64(base), uint64(headers+len(code)), uint64(headers+len(code)), uint64(4096)) // PT_LOAD, read and execute
	b.Write(code)
	return b.String()
}

func put(b *bytes.Buffer, values ...any) {
	for _, v := range values {
		_ = binary.Write(b, binary.LittleEndian, v) // never fails on a buffer
	}
}

// listen notes what the manager and its services say.
func (m *manager) listen(f *os.File) {
	for lines := bufio.NewScanner(f); lines.Scan(); {
		m.note(lines.Text())
	}
}

func (m *manager) note(line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = append(m.log, line)
}

// said returns what the manager has said so far.
func (m *manager) said() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.log, "\n")
}

// version returns the version of the release's systemd.
func (m *manager) version(t *testing.T) int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "chroot", m.root, "systemctl", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(out))
	n, err := strconv.Atoi(fields[min(1, len(fields)-1)])
	if err != nil {
		t.Fatalf("systemctl --version: %q", out)
	}
	t.Logf("%s", fields[min(2, len(fields)-1)])
	return n
}

// units returns the units with what has become of them: filters, outcomes and warnings.
func (m *manager) units(ctx context.Context, t *testing.T, units map[string]unit) map[string]unit {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	exits := regexp.MustCompile(`systemd\[1\]: (\S+)\.service: Main process exited, (?:code=\w+, status=(\S+))`)
	started := map[string]unit{}
	for len(started) < len(units) {
		for _, exit := range exits.FindAllStringSubmatch(m.said(), -1) {
			u, known := units[exit[1]]
			if _, twice := started[exit[1]]; !known || twice {
				continue
			}
			if exit[2] != "228/SECCOMP" {
				t.Errorf("%s ended: %s", exit[1], exit[2])
			}
			u.Outcome = "exit-code " + exit[2]
			started[exit[1]] = u
		}
		for name, u := range units {
			if _, known := started[name]; known {
				continue
			}
			if pid := m.mainProcess(name); pid > 0 {
				u.Filters = dump(ctx, t, pid)
				started[name] = u
			}
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-m.ended:
			t.Fatalf("systemd ended:\n%s", m.said())
		case <-ctx.Done():
			t.Fatalf("%v with %d of %d units started:\n%s", ctx.Err(), len(started), len(units), m.said())
		}
	}
	warning := regexp.MustCompile(`(?m)systemd\[1\]: /etc/systemd/system/(\S+)\.service:([0-9]+): (.*)$`)
	for _, w := range warning.FindAllStringSubmatch(m.said(), -1) {
		u := started[w[1]]
		u.Warnings = append(u.Warnings, "line "+w[2]+": "+w[3])
		started[w[1]] = u
	}
	return started
}

// mainProcess returns the process of a service that has executed its program, or 0.
func (m *manager) mainProcess(name string) int {
	procs, err := os.ReadFile(filepath.Join(m.cgroup, "system.slice", name+".service", "cgroup.procs"))
	if err != nil {
		return 0 // not yet, or no more
	}
	for _, pid := range strings.Fields(string(procs)) {
		if comm, err := os.ReadFile("/proc/" + pid + "/comm"); err == nil && string(comm) == "pause\n" {
			n, _ := strconv.Atoi(pid)
			return n
		}
	}
	return 0
}

// dump returns the filters of a process, the oldest first.
func dump(ctx context.Context, t *testing.T, pid int) [][]byte {
	t.Helper()
	filters, err := loader.Dump(ctx, pid)
	if err != nil && !errors.Is(err, loader.ErrNoFilters) {
		t.Fatal(err)
	}
	var all [][]byte
	for _, f := range filters {
		code, err := f.Program.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, code)
	}
	return all
}
