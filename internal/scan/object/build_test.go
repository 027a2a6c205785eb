package object

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestCompiled compiles a C program in the ways that distributions do, and compares what is
// read of it without symbols, and without section headers, with the symbols.
func TestCompiled(t *testing.T) {
	for _, tt := range []struct {
		name, compiler string
		flags          []string
		frames         bool // the C library has .eh_frame, so that all functions are found
		interp         bool
	}{
		{"pie", "gcc", nil, true, true},
		{"non-pie", "gcc", []string{"-no-pie"}, true, true},
		{"bind now", "gcc", []string{"-Wl,-z,now"}, true, true},
		{"without plt", "gcc", []string{"-fno-plt"}, true, true},
		{"cet", "gcc", []string{"-fcf-protection", "-Wl,-z,ibtplt"}, true, true},
		{"static", "gcc", []string{"-static"}, true, false},
		{"static-pie", "gcc", []string{"-static-pie"}, true, false},
		{"one segment", "gcc", []string{"-Wl,-z,noseparate-code"}, true, true},
		{"relr", "gcc", []string{"-Wl,-z,pack-relative-relocs"}, true, true},
		{"gold", "gcc", []string{"-fuse-ld=gold"}, true, true},
		{"mold", "gcc", []string{"-fuse-ld=mold"}, true, true},
		{"lld", "gcc", []string{"-fuse-ld=lld"}, true, true},
		{"lld, one segment", "gcc", []string{"-fuse-ld=lld", "-Wl,--no-rosegment"}, true, true},
		{"musl", "musl-gcc", nil, false, true},
		{"musl, static", "musl-gcc", []string{"-static"}, false, false},
		{"arm64", "aarch64-linux-gnu-gcc", nil, true, true},
		{"arm64, static", "aarch64-linux-gnu-gcc", []string{"-static"}, true, false},
		{"arm64, bti", "aarch64-linux-gnu-gcc", []string{"-mbranch-protection=standard", "-Wl,-z,force-bti"}, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			full := compile(t, tt.compiler, tt.flags...)
			stripped := compile(t, tt.compiler, append(tt.flags, "-s")...)
			truth := open(t, full)
			if truth.Entry == 0 || (truth.Interp != "") != tt.interp {
				t.Errorf("entry %#x, interpreter %q", truth.Entry, truth.Interp)
			}
			if stubs := slotNames(truth); tt.interp && slices.Contains(stubs, "getpid") == (tt.name == "without plt") {
				t.Errorf("PLT: %q", stubs)
			}
			if slices.ContainsFunc(truth.Funcs, func(fn Func) bool { return fn.Name == "in_code" }) ||
				!slices.ContainsFunc(truth.Symbols, func(s Symbol) bool { return s.Name == "in_code" }) {
				t.Error("a table in code counts as a function, or is not known")
			}
			data, err := os.ReadFile(stripped)
			if err != nil {
				t.Fatal(err)
			}
			clear(data[40:48]) // e_shoff
			bare, err := Read(stripped, data)
			if err != nil || len(bare.Notes) != 0 {
				t.Fatalf("without section headers: %v %q", err, bare.Notes)
			}
			for name, f := range map[string]*File{"stripped": open(t, stripped), "without section headers": bare} {
				t.Run(name, func(t *testing.T) { compareCompiled(t, truth, f, tt.frames) })
			}
		})
	}
}

// compareCompiled checks a stripped file against the one with symbols.
func compareCompiled(t *testing.T, truth, f *File, frames bool) {
	checkLayout(t, f)
	for _, s := range truth.Symbols {
		if !frames || !s.Func || !s.Defined || s.Size == 0 {
			continue
		}
		if i := f.Func(s.Addr); i < 0 || f.Funcs[i].Addr != s.Addr {
			t.Errorf("%s: not found at %#x", s.Name, s.Addr)
		}
	}
	if truth.Interp == "" {
		return // relocations and init arrays of static programs may be known by sections only
	}
	if got, want := slotNames(f), slotNames(truth); !slices.Equal(got, want) {
		t.Errorf("PLT: %q, want %q", got, want)
	}
	for _, name := range []string{"early", "late"} {
		i := slices.IndexFunc(truth.Symbols, func(s Symbol) bool { return s.Name == name })
		if !slices.Contains(slices.Concat(f.Init, f.Fini), truth.Symbols[i].Addr) {
			t.Errorf("%s: missing from init %#x and fini %#x", name, f.Init, f.Fini)
		}
	}
}

// slotNames returns the functions that the PLT leads to.
func slotNames(f *File) []string {
	var names []string
	for _, stub := range f.PLT {
		r, ok := f.Reloc(stub.Slot)
		switch {
		case !ok:
			names = append(names, fmt.Sprintf("%#x leads nowhere", stub.Addr))
		case r.Symbol >= 0:
			names = append(names, f.Symbols[r.Symbol].Name)
		default:
			names = append(names, fmt.Sprintf("%#x", r.Addend))
		}
	}
	return names
}

// checkLayout checks what holds for every file: functions do not overlap, lie in code, and
// tables are sorted.
func checkLayout(t *testing.T, f *File) {
	t.Helper()
	end := uint64(0)
	for _, fn := range f.Funcs {
		if fn.Addr < end || fn.Size == 0 || fn.Addr+fn.Size < fn.Addr {
			t.Fatalf("%s: function at %#x, %d bytes: the one before ends at %#x", f.Path, fn.Addr, fn.Size, end)
		}
		end = fn.Addr + fn.Size
		if code := f.Bytes(fn.Addr); !f.Executable(fn.Addr) || uint64(len(code)) < fn.Size {
			t.Fatalf("%s: function at %#x, %d bytes: not in code", f.Path, fn.Addr, fn.Size)
		}
	}
	if !slices.IsSortedFunc(f.Relocs, func(a, b Reloc) int { return compare(a.Addr, b.Addr) }) {
		t.Errorf("%s: relocations are out of order", f.Path)
	}
	for _, r := range f.Relocs {
		if r.Symbol >= len(f.Symbols) {
			t.Fatalf("%s: relocation at %#x of symbol %d of %d", f.Path, r.Addr, r.Symbol, len(f.Symbols))
		}
	}
	if !slices.IsSortedFunc(f.Symbols, func(a, b Symbol) int { return compare(a.Addr, b.Addr) }) {
		t.Errorf("%s: symbols are out of order", f.Path)
	}
}

// compile compiles testdata/prog.c; it skips the test without the compiler or the linker.
func compile(t *testing.T, compiler string, flags ...string) string {
	t.Helper()
	if _, err := exec.LookPath(compiler); err != nil || runtime.GOOS != "linux" {
		t.Skipf("%v (Debian: apt-get install gcc musl-tools lld mold gcc-aarch64-linux-gnu)", err)
	}
	for _, linker := range []string{"lld", "gold", "mold"} {
		if _, err := exec.LookPath("ld." + linker); err != nil && slices.Contains(flags, "-fuse-ld="+linker) {
			t.Skip(err)
		}
	}
	out := filepath.Join(t.TempDir(), "prog")
	cmd := exec.Command(compiler, append([]string{"-O1", "-o", out, "testdata/prog.c"}, flags...)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		if strings.Contains(string(text), "unrecognized") || strings.Contains(string(text), "cannot find") {
			t.Skipf("%s: %s", cmd, text)
		}
		t.Fatalf("%s: %v\n%s", cmd, err, text)
	}
	return out
}

// open reads a file that must be sound.
func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Notes) != 0 {
		t.Errorf("%s: notes %q", path, f.Notes)
	}
	return f
}

// TestNotRead packs relocations in a way that is not read: a note must say so.
func TestNotRead(t *testing.T) {
	f, err := Open(compile(t, "gcc", "-fuse-ld=lld", "-Wl,--pack-dyn-relocs=android"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(f.Notes, func(note string) bool { return strings.Contains(note, "Android") }) {
		t.Errorf("notes %q", f.Notes)
	}
}

// TestLongLists reads a file with more folders to search than are read: a note must say so.
func TestLongLists(t *testing.T) {
	f, err := Open(compile(t, "gcc", "-Wl,-rpath,"+strings.Repeat("/a:/b:", maxList/2)+"/c", "-Wl,--audit=a.so:b.so", "-Wl,--depaudit=c.so"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.RPath) + len(f.RunPath); n != maxList || len(f.Notes) != 1 || !strings.Contains(f.Notes[0], "PATH: more than") {
		t.Errorf("%d folders, notes %q", n, f.Notes)
	}
	if got := strings.Join(f.Audit, " "); got != "a.so b.so c.so" {
		t.Errorf("audit: %s", got)
	}
}

// TestSystem reads programs and libraries of the machine at hand: they must be read, and say
// nothing that contradicts.
func TestSystem(t *testing.T) {
	const enough = 400
	var paths []string
	for _, pattern := range []string{"/lib/*/ld-*.so.*", "/lib/*/lib[a-c]*.so.*", "/bin/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	count := 0
	for _, path := range paths {
		e, err := elf.Open(path)
		if err != nil {
			continue // a script, a folder
		}
		e.Close()
		if e.Class != elf.ELFCLASS64 || e.Machine != elf.EM_X86_64 && e.Machine != elf.EM_AARCH64 {
			continue
		}
		if count++; count > enough {
			break
		}
		checkLayout(t, open(t, path))
	}
	if count == 0 {
		t.Skip("no programs to read")
	}
}
