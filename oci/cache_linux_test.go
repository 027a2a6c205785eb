package oci_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/policy"
)

// numbered returns one of many small profiles.
func numbered(n uint) *specs.LinuxSeccomp {
	n++
	return &specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno, DefaultErrnoRet: &n,
		Syscalls: []specs.LinuxSyscall{{Names: []string{"read", "write"}, Action: specs.ActAllow}},
	}
}

// newCache returns a cache that must never fail.
func newCache(t testing.TB) *oci.Cache {
	t.Helper()
	return &oci.Cache{Dir: filepath.Join(t.TempDir(), "cache"), Report: func(err error) {
		t.Helper()
		t.Error(err)
	}}
}

// compile compiles with a cache and reports whether the filter came from it. It must
// be the one that is made without.
func compile(t testing.TB, c *oci.Cache, s *specs.LinuxSeccomp, p policy.Options) (hit bool) {
	t.Helper()
	hit, err := compileBoth(c, s, p)
	if err != nil {
		t.Fatal(err)
	}
	return hit
}

func compileBoth(c *oci.Cache, s *specs.LinuxSeccomp, p policy.Options) (hit bool, err error) {
	want, err := oci.Compile(s, oci.Options{Policy: p})
	if err != nil {
		return false, err
	}
	got, err := oci.Compile(s, oci.Options{Policy: p, Cache: c, Debug: func(line string) {
		hit = hit || strings.HasPrefix(line, "seccomp filter is entry ")
	}})
	if err != nil {
		return false, err
	}
	if d := cmp.Diff(want, got, cmp.Comparer(equalPrograms)); d != "" {
		return false, errors.New(d)
	}
	return hit, nil
}

func equalPrograms(a, b *cbpf.Program) bool {
	x, _ := a.AppendBinary(nil)
	y, _ := b.AppendBinary(nil)
	return a.Order() == b.Order() && bytes.Equal(x, y)
}

// listing returns the entries of a cache and the names of all else in it.
func listing(t testing.TB, dir string) (entries map[string]int64, others []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	entries = map[string]int64{}
	for _, f := range files {
		info, err := f.Info()
		switch {
		case errors.Is(err, os.ErrNotExist): // another process is at work
		case err != nil:
			t.Fatal(err)
		case len(f.Name()) == 64:
			entries[f.Name()] = info.Size()
		default:
			others = append(others, f.Name())
		}
	}
	return entries, others
}

// only returns the path of the only entry.
func only(t testing.TB, c *oci.Cache) string {
	t.Helper()
	entries, others := listing(t, c.Dir)
	if len(entries) != 1 || len(others) > 0 {
		t.Fatalf("entries %v and %v, want one", entries, others)
	}
	for name := range entries {
		return filepath.Join(c.Dir, name)
	}
	return ""
}

func TestCacheReturnsWhatCompileMade(t *testing.T) {
	listener := numbered(1)
	listener.Syscalls = append(listener.Syscalls, specs.LinuxSyscall{Names: []string{"mkdir"}, Action: specs.ActNotify})
	listener.ListenerPath, listener.ListenerMetadata = "/run/agent", "container 1"
	listener.Flags = []specs.LinuxSeccompFlag{"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "SECCOMP_FILTER_FLAG_TSYNC"}
	noFlags := numbered(1)
	noFlags.Flags = []specs.LinuxSeccompFlag{}
	long := numbered(1)
	for i := range uint64(3000) { // nearly as many as the kernel takes
		long.Syscalls = append(long.Syscalls, specs.LinuxSyscall{Names: []string{"ioctl"}, Action: specs.ActAllow,
			Args: []specs.LinuxSeccompArg{{Index: 1, Value: i * i * i, Op: specs.OpEqualTo}}})
	}
	tests := []struct {
		name    string
		profile *specs.LinuxSeccomp
		options policy.Options
	}{
		{"small", numbered(1), policy.Options{}},
		{"no flags", noFlags, policy.Options{}},
		{"a listener", listener, policy.Options{ABIs: []arch.ABI{arch.X86_64}}},
		{"for another machine", numbered(1), policy.Options{ABIs: arch.S390X.Family()}},
		{"long", long, policy.Options{ABIs: []arch.ABI{arch.X86_64}}},
		{"Docker's", profile(t, string(dockerProfile(t))), policy.Options{}},
	}
	c := newCache(t)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if compile(t, c, tt.profile, tt.options) {
				t.Error("in the cache before it was compiled")
			}
			if !compile(t, c, tt.profile, tt.options) {
				t.Error("not in the cache")
			}
			if entries, others := listing(t, c.Dir); len(entries) != i+1 || len(others) > 0 {
				t.Errorf("entries %v and %v", entries, others)
			}
		})
	}
	tests[2].profile.ListenerPath, tests[2].profile.ListenerMetadata = "/other", "container 2"
	if !compile(t, c, tests[2].profile, tests[2].options) {
		t.Error("another agent has another filter")
	}
}

func TestCacheIsPrivate(t *testing.T) {
	c := newCache(t)
	compile(t, c, numbered(1), policy.Options{})
	for path, want := range map[string]os.FileMode{c.Dir: os.ModeDir | 0o700, only(t, c): 0o600} {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s: mode %v, want %v", path, info.Mode(), want)
		}
	}
}

// A profile that does not compile leaves nothing behind.
func TestCacheKeepsNoErrors(t *testing.T) {
	c := newCache(t)
	compile(t, c, numbered(1), policy.Options{})
	bad := numbered(1)
	bad.DefaultAction = "SCMP_ACT_MAYBE"
	for range 2 {
		if f, err := oci.Compile(bad, oci.Options{Cache: c}); f != nil || err == nil {
			t.Errorf("%v, error %v", f, err)
		}
		if f, err := oci.Compile(nil, oci.Options{Cache: c}); f != nil || err == nil {
			t.Errorf("%v, error %v", f, err)
		}
	}
	only(t, c)
}

// expectReport makes the next use of a cache report an error, and compile. It returns
// a function that ends that.
func expectReport(t *testing.T, c *oci.Cache, want string, untrusted bool) (end func()) {
	t.Helper()
	old, reports := c.Report, []error(nil)
	c.Report = func(err error) { reports = append(reports, err) }
	return func() {
		t.Helper()
		c.Report = old
		if len(reports) == 0 {
			t.Error("no report")
		}
		for _, err := range reports {
			if !strings.HasPrefix(err.Error(), "oci: cache "+c.Dir+": ") || !strings.Contains(err.Error(), want) || errors.Is(err, oci.ErrUntrusted) != untrusted {
				t.Errorf("report %v, want %q, untrusted %v", err, want, untrusted)
			}
		}
	}
}

func TestDamagedEntriesAreMadeAgain(t *testing.T) {
	c := newCache(t)
	compile(t, c, numbered(1), policy.Options{})
	path := only(t, c)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, damaged []byte) {
		t.Helper()
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		end := expectReport(t, c, "entry "+filepath.Base(path)+": not trusted: artifact: ", true)
		if compile(t, c, numbered(1), policy.Options{}) {
			t.Errorf("%s: taken", what)
		}
		end()
		if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, good) {
			t.Fatalf("%s: not made again: %v", what, err)
		}
	}
	for i := range good {
		damaged := bytes.Clone(good)
		damaged[i] ^= 1 << (i % 8)
		check(fmt.Sprintf("byte %d", i), damaged)
		check(fmt.Sprintf("%d bytes", i), good[:i])
	}
	check("a byte more", append(bytes.Clone(good), 0))
	check("another size", append(bytes.Clone(good), make([]byte, 1<<20)...))
	check("zeros", make([]byte, len(good)))
}

// An entry under the name of another is whole and yet wrong.
func TestExchangedEntriesAreMadeAgain(t *testing.T) {
	c := newCache(t)
	compile(t, c, numbered(1), policy.Options{})
	first := only(t, c)
	data, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	compile(t, c, numbered(2), policy.Options{})
	if err := os.WriteFile(only(t, c), data, 0o600); err != nil {
		t.Fatal(err)
	}
	end := expectReport(t, c, ": the entry of sha256:"+filepath.Base(first), true)
	if compile(t, c, numbered(2), policy.Options{}) {
		t.Error("taken")
	}
	end()
	if !compile(t, c, numbered(2), policy.Options{}) {
		t.Error("not made again")
	}
}

// Only regular files that nobody else can write to are read, and written to.
func TestForeignFilesAreReplaced(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	tests := []struct {
		name, want string
		put        func(path string) error
		root       bool
	}{
		{"a symbolic link to an entry", "a symbolic link", func(path string) error {
			return errors.Join(os.Rename(path, outside), os.Symlink(outside, path))
		}, false},
		{"a symbolic link inside", "a symbolic link", func(path string) error {
			return errors.Join(os.Remove(path), os.Symlink("next", path))
		}, false},
		{"a pipe", "not a regular file", func(path string) error { return errors.Join(os.Remove(path), unix.Mkfifo(path, 0o600)) }, false},
		{"a file that the group may write", "mode 0620", func(path string) error { return os.Chmod(path, 0o620) }, false},
		{"a file that all may write", "mode 0602", func(path string) error { return os.Chmod(path, 0o602) }, false},
		{"another user's file", "belongs to user 1234", func(path string) error { return os.Chown(path, 1234, -1) }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.root && os.Geteuid() != 0 {
				t.Skip("only root can give files away")
			}
			c := newCache(t)
			compile(t, c, numbered(1), policy.Options{})
			path := only(t, c)
			if err := os.WriteFile(outside, []byte("untouched"), 0o600); err != nil {
				t.Fatal(err)
			}
			for n, place := range []string{filepath.Join(c.Dir, "next"), path} {
				if err := os.WriteFile(place, []byte("untouched"), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := tt.put(place); err != nil {
					t.Fatal(err)
				}
				s := numbered(2 - uint(n)) // is to be written, and to be read
				end := expectReport(t, c, tt.want, true)
				if compile(t, c, s, policy.Options{}) {
					t.Error("taken")
				}
				end()
				compile(t, c, s, policy.Options{})
				if !compile(t, c, s, policy.Options{}) {
					t.Error("not replaced")
				}
			}
			if b, err := os.ReadFile(outside); err != nil || string(b) != "untouched" {
				t.Errorf("outside of the cache: %q, %v", b, err)
			}
		})
	}
}

// Where others can write nothing is read or written.
func TestForeignDirectoriesAreRefused(t *testing.T) {
	tests := []struct {
		name, want string
		put        func(dir string) error
		root       bool
		broken     bool // without anybody's doing
	}{
		{"a symbolic link", "open: not a directory", func(dir string) error {
			return errors.Join(os.Rename(dir, dir+".moved"), os.Symlink(dir+".moved", dir))
		}, false, false},
		{"a link to nowhere", "open: not a directory", func(dir string) error {
			return errors.Join(os.RemoveAll(dir), os.Symlink("/nowhere", dir))
		}, false, false},
		{"a file", "open: not a directory", func(dir string) error {
			return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600))
		}, false, false},
		{"a pipe", "open: not a directory", func(dir string) error { return errors.Join(os.RemoveAll(dir), unix.Mkfifo(dir, 0o600)) }, false, false},
		{"the group may write", "its mode 0770 lets others write", func(dir string) error { return os.Chmod(dir, 0o770) }, false, false},
		{"all may write, as in /tmp", "its mode 1777 lets others write", func(dir string) error { return unix.Chmod(dir, 0o1777) }, false, false},
		{"another user's", "belongs to user 1234", func(dir string) error { return os.Chown(dir, 1234, -1) }, true, false},
		{"no directory above", "mkdir: no such file or directory", func(dir string) error { return os.RemoveAll(filepath.Dir(dir)) }, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.root && os.Geteuid() != 0 {
				t.Skip("only root can give directories away")
			}
			c := newCache(t)
			c.Dir = filepath.Join(filepath.Dir(c.Dir), "above", "cache")
			if err := os.Mkdir(filepath.Dir(c.Dir), 0o700); err != nil {
				t.Fatal(err)
			}
			compile(t, c, numbered(1), policy.Options{})
			if err := tt.put(c.Dir); err != nil {
				t.Fatal(err)
			}
			end := expectReport(t, c, tt.want, !tt.broken)
			for n := range uint(3) {
				if compile(t, c, numbered(n), policy.Options{}) {
					t.Error("taken")
				}
			}
			end()
		})
	}
}

// A directory in the place of a file cannot be cured, and does no harm.
func TestDirectoryForAnEntry(t *testing.T) {
	c := newCache(t)
	compile(t, c, numbered(1), policy.Options{})
	path := only(t, c)
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	end := expectReport(t, c, "not a regular file", true)
	if compile(t, c, numbered(1), policy.Options{}) {
		t.Error("taken")
	}
	end()
	if compile(t, c, numbered(2), policy.Options{}); !compile(t, c, numbered(2), policy.Options{}) {
		t.Error("other entries are not made")
	}
}

// A quarter of the entries, those that have not been used for longest, make room.
func TestCacheIsBounded(t *testing.T) {
	c := newCache(t)
	c.Entries = 8
	known := map[string]int64{}
	for n := range uint(8) {
		compile(t, c, numbered(n), policy.Options{})
		entries, _ := listing(t, c.Dir)
		for name := range entries {
			if _, old := known[name]; !old { // 0 has not been used for 10 hours, 7 for 3
				then := time.Now().Add(-time.Duration(10-n) * time.Hour)
				if err := os.Chtimes(filepath.Join(c.Dir, name), then, then); err != nil {
					t.Fatal(err)
				}
			}
		}
		known = entries
	}
	if len(known) != 8 {
		t.Fatalf("%d entries", len(known))
	}
	if !compile(t, c, numbered(0), policy.Options{}) { // is the youngest now
		t.Error("0 is not in the cache")
	}
	compile(t, c, numbered(8), policy.Options{})
	for n := range uint(9) {
		s, want := numbered(n), n != 1 && n != 2
		c := *c
		c.Entries = 100 // what is missing does not drive out another
		if got := compile(t, &c, s, policy.Options{}); got != want {
			t.Errorf("%d in the cache: %v, want %v", n, got, want)
		}
	}
}

func TestSmallestCaches(t *testing.T) {
	for _, most := range []int{1, 2, 3} {
		c := newCache(t)
		c.Entries = most
		for n := range uint(6) {
			compile(t, c, numbered(n), policy.Options{})
			if !compile(t, c, numbered(n), policy.Options{}) {
				t.Errorf("of %d: %d is not in the cache", most, n)
			}
			if entries, _ := listing(t, c.Dir); len(entries) > most {
				t.Errorf("%d entries of %d", len(entries), most)
			}
		}
	}
	c := newCache(t)
	c.Entries = -1
	defer expectReport(t, c, "no room for -1 entries", false)()
	compile(t, c, numbered(1), policy.Options{})
}
