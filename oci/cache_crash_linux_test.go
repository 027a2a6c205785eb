package oci_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/policy"
)

// writeCache is a child that compiles numbered profiles with a cache: its arguments
// are the directory, the bound on entries, the number of profiles, that of uses, and
// a seed.
func writeCache() error {
	var n [4]uint64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseUint(os.Args[2+i], 10, 64); err != nil {
			return err
		}
	}
	var failed error
	c := &oci.Cache{Dir: os.Args[1], Entries: int(n[0]), Report: func(err error) { failed = errors.Join(failed, err) }}
	r := rand.New(rand.NewPCG(n[3], 0))
	for range n[2] {
		if _, err := compileBoth(c, numbered(r.UintN(uint(n[1]))), policy.Options{}); err != nil || failed != nil {
			return errors.Join(err, failed)
		}
	}
	return nil
}

// Sixteen processes write, read and evict. None ever gets a wrong filter or an error,
// and the bound holds at every moment.
func TestConcurrentWriters(t *testing.T) {
	const writers, entries, profiles, uses = 16, 8, 20, 200
	c := newCache(t)
	c.Entries = entries
	compile(t, c, numbered(0), policy.Options{})
	ended := make(chan error)
	for seed := range writers {
		cmd := reexec.Command(t, "cache", c.Dir, fmt.Sprint(entries), fmt.Sprint(profiles), fmt.Sprint(uses), fmt.Sprint(seed))
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		go func() {
			err := cmd.Run()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, &stderr)
			}
			ended <- err
		}()
	}
	most := 0
	for running := writers; running > 0; {
		select {
		case err := <-ended:
			running--
			if err != nil {
				t.Error(err)
			}
		default:
			most = max(most, quietly(t, c.Dir))
		}
	}
	if most > entries || most < entries/2 {
		t.Errorf("up to %d entries at once, want %d", most, entries)
	}
	kept, _ := listing(t, c.Dir)
	c.Entries = 100 // what is missing drives nothing out
	found := 0
	for n := range uint(profiles) {
		if compile(t, c, numbered(n), policy.Options{}) {
			found++
		}
	}
	if found == 0 || found != len(kept) {
		t.Errorf("%d of %d entries are of use", found, len(kept))
	}
}

// quietly returns the number of entries, counted while nobody writes.
func quietly(t *testing.T, dir string) int {
	t.Helper()
	path := filepath.Join(dir, "next")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	locked, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if now, err := os.Lstat(path); err != nil || !os.SameFile(locked, now) {
		return 0 // has become an entry
	}
	entries, _ := listing(t, dir)
	return len(entries)
}

// checkWhole fails unless all that a killed writer left is whole entries and perhaps
// a file that the next writer uses.
func checkWhole(t *testing.T, c *oci.Cache) {
	t.Helper()
	entries, others := listing(t, c.Dir)
	for name := range entries {
		data, err := os.ReadFile(filepath.Join(c.Dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // another process has removed it
		}
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(data, []byte("seccompile artifact 1\n")) || binary.LittleEndian.Uint64(data[len(data)-8:])&0xffff != 6 {
			t.Fatalf("half an entry: %q", data)
		}
	}
	if len(others) > 1 || len(others) == 1 && others[0] != "next" {
		t.Errorf("left behind: %v", others)
	}
}

// Writers are killed at random. What they leave is whole, and of use.
func TestKilledWriters(t *testing.T) {
	c := newCache(t)
	c.Entries = 8
	compile(t, c, numbered(0), policy.Options{})
	r := rand.New(rand.NewPCG(1, 2))
	for round := range uint64(30) {
		var pair [2]*exec.Cmd // so that one may have the lock when the other is killed
		for i := range pair {
			pair[i] = reexec.Command(t, "cache", c.Dir, "8", "1000", "1000000000", fmt.Sprint(2*round+uint64(i)))
			if err := pair[i].Start(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Duration(10_000+r.IntN(20_000)) * time.Microsecond)
		for _, cmd := range pair {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("ended by itself: %v", err)
			}
			checkWhole(t, c)
		}
	}
	for n := range uint(1000) {
		compile(t, c, numbered(n), policy.Options{}) // no entry is reported
	}
	if !compile(t, c, numbered(999), policy.Options{}) {
		t.Error("not in the cache")
	}
	if _, others := listing(t, c.Dir); len(others) > 0 {
		t.Errorf("left behind: %v", others)
	}
}

// dieInCache is a child that compiles with a cache of one entry, and is killed by the
// first call of its thread that a filter names. Its arguments are the directory and
// the calls.
func dieInCache() error {
	fatal, err := oci.Compile(&specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Syscalls:      []specs.LinuxSyscall{{Names: os.Args[2:], Action: specs.ActKillProcess}},
	}, oci.Options{})
	if err != nil {
		return err
	}
	if err := mayInstall(); err != nil {
		return err
	}
	if _, err := fatal.Install(oci.Options{}); err != nil {
		return err
	}
	_, err = oci.Compile(numbered(2), oci.Options{Cache: &oci.Cache{Dir: os.Args[1], Entries: 1}})
	return err
}

// A writer is killed at each of the calls that change something. seccomp(2) does it,
// on the call itself.
func TestCrashPoints(t *testing.T) {
	for _, calls := range []string{
		"mkdir mkdirat", "flock", "newfstatat fstatat64 statx", "getdents64", "unlinkat", "ftruncate ftruncate64", "write", "renameat renameat2",
	} {
		t.Run(calls, func(t *testing.T) {
			c := newCache(t)
			c.Entries = 1
			if !strings.HasPrefix(calls, "mkdir") {
				compile(t, c, numbered(1), policy.Options{})
			} else if err := os.Mkdir(filepath.Dir(c.Dir), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
				t.Fatal(err)
			}
			r := reexec.Run(t, "die in cache", append([]string{c.Dir}, strings.Fields(calls)...)...)
			if r.Signal != syscall.SIGSYS {
				t.Fatalf("exit status %d, signal %d: %s", r.Code, r.Signal, r.Stderr)
			}
			if !strings.HasPrefix(calls, "mkdir") {
				checkWhole(t, c)
			}
			compile(t, c, numbered(2), policy.Options{})
			if !compile(t, c, numbered(2), policy.Options{}) {
				t.Error("not in the cache")
			}
			only(t, c)
		})
	}
}

// smallDisk is a child that has mounts of its own.
func smallDisk() error {
	dir := os.Args[1]
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", 2*os.Getpagesize())); err != nil {
		return err
	}
	var reports []error
	c := &oci.Cache{Dir: dir + "/cache", Report: func(err error) { reports = append(reports, err) }}
	for n := range uint(4) {
		if _, err := compileBoth(c, numbered(n), policy.Options{}); err != nil {
			return err
		}
	}
	if len(reports) == 0 || !errors.Is(reports[0], unix.ENOSPC) {
		return fmt.Errorf("full disk: reports %v", reports)
	}
	if _, err := os.Stat(c.Dir + "/next"); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("full disk: half an entry is left: %v", err)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		return err
	}
	reports = nil
	if hit, err := compileBoth(c, numbered(0), policy.Options{}); err != nil || !hit || reports != nil {
		return fmt.Errorf("read-only disk: hit %v, error %v, reports %v", hit, err, reports)
	}
	if hit, err := compileBoth(c, numbered(9), policy.Options{}); err != nil || hit || len(reports) != 1 || !errors.Is(reports[0], unix.EROFS) {
		return fmt.Errorf("read-only disk: hit %v, error %v, reports %v", hit, err, reports)
	}
	return nil
}

func TestFullAndReadOnlyDisks(t *testing.T) {
	cmd := reexec.Command(t, "cache on a small disk", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	// EINVAL: in a chroot whose root is not a mount point, mounts cannot be made private.
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
		t.Skip("no mounts of its own: ", err)
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
