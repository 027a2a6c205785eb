package scan_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/scan"
)

const (
	libraryFlags = "-shared -fPIC"
	plainHelper  = "#include <stddef.h>\nint helper(void) { return 0; }"
	callsHelper  = "#include <stddef.h>\nint helper(void); int main() { return helper(); }"
	auditLibrary = `#define _GNU_SOURCE
#include <link.h>
#include <unistd.h>
int helper(void) { return acct("x"); }
unsigned la_version(unsigned v) { sync(); helper(); return v; }
__attribute__((constructor)) static void start(void) { vhangup(); }
int unused(void) { return chroot("x"); }
`
)

// library builds a library in C.
func library(t *testing.T, text string, flags ...string) string {
	t.Helper()
	return build(t, text, append(strings.Fields(libraryFlags), flags...)...)
}

// Libraries that audit a program run in a namespace of their own: what the program has under the
// same name is not for them. Linkers pass on to the program which ones audit its libraries.
func TestAudit(t *testing.T) {
	audit := library(t, auditLibrary)
	dir := filepath.Dir(audit)
	audited := library(t, plainHelper, "-Wl,--audit="+audit)
	plain := library(t, plainHelper)
	const reached = "sync acct vhangup"
	for _, tt := range []struct {
		name, can, reason string
		flags             []string
	}{
		{"none", "", "", []string{plain}},
		{"of the program", reached, "", []string{plain, "-Wl,--audit=" + audit}},
		{"by name", reached, "", []string{plain, "-Wl,--audit=" + filepath.Base(audit), "-Wl,-rpath," + dir}},
		{"of a library", reached, "", []string{audited}},
		{"one that is missing", reached, "needs nothing.so, which is in no folder", []string{plain, "-Wl,--audit=nothing.so:" + audit}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			program := build(t, callsHelper, tt.flags...)
			if len(tt.flags) == 1 && tt.can != "" && !hasDepAudit(t, program) {
				t.Skip("the linker does not pass it on")
			}
			got, res := calls(t, scan.Options{Paths: []string{program}})
			cannot := "chroot"
			if tt.can == "" {
				cannot += " " + reached
			}
			check(t, got, tt.can, cannot)
			if why := strings.Join(res.Incomplete(), "\n"); tt.reason == "" && why != "" || !strings.Contains(why, tt.reason) {
				t.Errorf("incomplete: %q, want %q", why, tt.reason)
			}
		})
	}
}

func hasDepAudit(t *testing.T, path string) bool {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	values, err := f.DynValue(elf.DT_DEPAUDIT)
	return err == nil && len(values) > 0
}

// A plug-in may need a library that is only where the program finds it, whichever comes first.
func TestPluginsThatNeedEachOther(t *testing.T) {
	host := build(t, "#include <unistd.h>\nint main() { return sync(), 0; }")
	engine := library(t, "#include <unistd.h>\nint helper(void) { return acct(\"x\"); }", "-Wl,-soname,libengine.so")
	plugin := library(t, "#include <unistd.h>\nint helper(void); int start(void) { return helper(); }", "-Wl,-soname,libplugin.so", engine)
	for _, tt := range []struct {
		name   string
		with   []string
		can    string
		reason string
	}{
		{"alone", []string{plugin}, "sync", "needs libengine.so, which is in no folder that ld.so searches"},
		{"before", []string{plugin, engine}, "sync acct", ""},
		{"behind", []string{engine, plugin}, "sync acct", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, res := calls(t, scan.Options{Paths: []string{host}, With: tt.with})
			check(t, got, tt.can, "chroot")
			if why := strings.Join(res.Incomplete(), "\n"); tt.reason == "" && why != "" || !strings.Contains(why, tt.reason) {
				t.Errorf("incomplete: %q, want %q", why, tt.reason)
			}
		})
	}
}

// An image's /etc/ld.so.preload names libraries that come before those a program needs.
func TestPreload(t *testing.T) {
	program := build(t, "#include <unistd.h>\nint main() { return getuid(); }")
	preloaded := library(t, "#include <unistd.h>\nunsigned getuid(void) { sync(); return 0; }")
	_, res := calls(t, scan.Options{Paths: []string{program}})
	root := t.TempDir()
	copyTo := func(from, to string) {
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.MkdirAll(filepath.Join(root, filepath.Dir(to)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(root, to), data, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range res.Modules {
		copyTo(m.Path, m.Path)
		if m.Why == "interpreter" {
			f, err := elf.Open(program)
			if err != nil {
				t.Fatal(err)
			}
			name, err := f.Section(".interp").Data()
			if err != nil {
				t.Fatal(err)
			}
			f.Close()
			copyTo(m.Path, strings.TrimRight(string(name), "\x00"))
		}
	}
	copyTo(program, "/program")
	copyTo(preloaded, "/lib/first.so")
	for _, tt := range []struct{ list, can, cannot, reason string }{
		{"", "getuid", "sync", ""},
		{"# none\n", "getuid", "sync", ""},
		{"first.so # the first\n", "sync", "getuid", ""},
		{"/lib/first.so:nosuch.so", "sync", "getuid", "needs nosuch.so, which is in no folder"},
	} {
		if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "etc/ld.so.preload"), []byte(tt.list), 0o600); err != nil {
			t.Fatal(err)
		}
		got, res := calls(t, scan.Options{Root: root, Paths: []string{"/program"}})
		check(t, got, tt.can, tt.cannot)
		if why := strings.Join(res.Incomplete(), "\n"); tt.reason == "" && why != "" || !strings.Contains(why, tt.reason) {
			t.Errorf("%q: incomplete: %q, want %q", tt.list, why, tt.reason)
		}
	}
}

// Libraries that need each other, and one that needs itself.
func TestLoopsOfLibraries(t *testing.T) {
	dir := t.TempDir()
	link := func(name, text string, flags ...string) {
		t.Helper()
		data, err := os.ReadFile(library(t, text, append(flags, "-Wl,--no-as-needed", "-Wl,-rpath,"+dir)...))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	one, two := filepath.Join(dir, "one.so"), filepath.Join(dir, "two.so")
	const first, second = "#include <unistd.h>\nint two(void); int helper(void) { sync(); return two(); }", "#include <unistd.h>\nint helper(void); int two(void) { return vhangup() + helper(); }"
	link("one.so", first)
	link("two.so", second, one)
	link("one.so", first, two, one)
	link("two.so", second, one)
	got, res := calls(t, scan.Options{Paths: []string{build(t, callsHelper, one, "-Wl,-rpath,"+dir)}})
	check(t, got, "sync vhangup", "")
	if len(res.Incomplete()) > 0 {
		t.Errorf("incomplete: %q", res.Incomplete())
	}
}

// A file that ends early is refused, or makes the result incomplete, wherever it ends: a
// program, one of a folder, a library.
func TestCutOffFiles(t *testing.T) {
	needed := library(t, plainHelper)
	cache := t.TempDir()
	for _, path := range []string{build(t, callsHelper, needed), build(t, `package main; func main() { println("x") }`)} {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range sectionBoundaries(t, path) {
			if size >= len(whole) {
				continue
			}
			if err := os.WriteFile(path, whole[:size], 0o755); err != nil {
				t.Fatal(err)
			}
			if res, err := scan.Scan(scan.Options{Paths: []string{path}, Cache: cache}); err == nil && len(res.Incomplete()) == 0 {
				t.Errorf("%d of %d bytes: complete", size, len(whole))
			}
		}
		if err := os.WriteFile(path, whole[:len(whole)/2], 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(build(t, "#include <unistd.h>\nint main() { return 0; }"), filepath.Join(filepath.Dir(path), "sound")); err != nil {
			t.Fatal(err)
		}
		res, err := scan.Scan(scan.Options{Paths: []string{filepath.Dir(path)}, Cache: cache})
		if err != nil || len(res.Programs) != 1 || !strings.Contains(strings.Join(res.Incomplete(), "\n"), "is left out: segment at") {
			t.Errorf("a folder: %+v, error %v", res, err)
		}
	}
	program := build(t, callsHelper, needed)
	whole, err := os.ReadFile(needed)
	if err == nil {
		err = os.WriteFile(needed, whole[:len(whole)/2], 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, res := calls(t, scan.Options{Paths: []string{program}, Cache: cache})
	if why := strings.Join(res.Incomplete(), "\n"); !strings.Contains(why, needed+" (needed by program) is left out: segment at") || !strings.Contains(why, "complete copy") {
		t.Errorf("incomplete: %q", why)
	}
}

// sectionBoundaries returns where the bytes of sections begin and, but for the last, end.
func sectionBoundaries(t *testing.T, path string) (sizes []int) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, s := range f.Sections {
		if s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL {
			sizes = append(sizes, int(s.Offset), int(s.Offset+s.FileSize)-1)
		}
	}
	return sizes
}
