package object

import (
	"debug/dwarf"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestGo builds a program in several ways, with the release that runs the tests (GOTOOLCHAIN
// chooses another), and looks for what it must hold.
func TestGo(t *testing.T) {
	for _, tt := range []struct {
		name, arch, cgo string
		flags           []string
	}{
		{"amd64", "amd64", "0", nil},
		{"amd64, stripped", "amd64", "0", []string{"-ldflags=-s -w"}},
		{"amd64, pie", "amd64", "0", []string{"-buildmode=pie"}},
		{"amd64, external linker", "amd64", "1", []string{"-ldflags=-linkmode=external"}},
		{"amd64, external linker, pie", "amd64", "1", []string{"-buildmode=pie", "-ldflags=-linkmode=external"}},
		{"arm64", "arm64", "0", nil},
		{"arm64, pie", "arm64", "0", []string{"-buildmode=pie"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := buildGo(t, tt.arch, tt.cgo, tt.flags...)
			f := open(t, path)
			checkLayout(t, f)
			checkGo(t, f)
			checkDebugTypes(t, path, f)
		})
	}
}

// TestGoWithoutSections reads the tables by their form only.
func TestGoWithoutSections(t *testing.T) {
	path := buildGo(t, "amd64", "0", "-ldflags=-s -w")
	with := open(t, path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear(data[40:48]) // e_shoff
	without, err := Read(path, data)
	if err != nil {
		t.Fatal(err)
	}
	checkGo(t, without)
	if got, want := len(without.Go.Types), len(with.Go.Types); got != want {
		t.Errorf("%d types, with sections %d", got, want)
	}
}

// TestGoUnknown reads a program whose moduledata is of no known form, as that of a future
// release could be: all of its functions must count as reached.
func TestGoUnknown(t *testing.T) {
	path := buildGo(t, "amd64", "0", "-ldflags=-s -w")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	offset := fileOffset(t, data)
	f := open(t, path)
	module := slices.IndexFunc(f.Go.Lists, func(module Range) bool { // its first word refers to the pclntab
		word, _ := f.Word(module.Start)
		return slices.ContainsFunc(f.Go.Lists, func(pclntab Range) bool { return pclntab.Start == word })
	})
	words := data[offset(f.Go.Lists[module].Start):][:584]
	for _, etypes := range []int{288, 304, 312} {
		put(words[etypes:], 1) // less than where the types begin
	}
	f, err = Read(path, data)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Notes) != 1 || len(f.Go.Types) != 0 {
		t.Errorf("notes %q, %d types", f.Notes, len(f.Go.Types))
	}
	if len(f.Go.InitTask) != len(f.Funcs) {
		t.Errorf("%d of %d functions are reached", len(f.Go.InitTask), len(f.Funcs))
	}
	if !slices.ContainsFunc(f.Funcs, func(fn Func) bool { return fn.Name == "main.main" }) {
		t.Error("the pclntab was not read")
	}
}

func buildGo(t testing.TB, arch, cgo string, flags ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "prog")
	cmd := exec.Command("go", append([]string{"build", "-o", out}, append(flags, "./testdata/prog")...)...)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED="+cgo)
	if text, err := cmd.CombinedOutput(); err != nil {
		if cgo == "1" {
			t.Skipf("%v: %s", err, text) // no C compiler for this machine
		}
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// checkGo checks what is known of testdata/prog.
func checkGo(t *testing.T, f *File) {
	t.Helper()
	if f.Go == nil || !strings.HasPrefix(f.Go.Version, "go1.") && !strings.HasPrefix(f.Go.Version, "devel ") {
		t.Fatalf("not known as a Go program: %+v", f.Go)
	}
	for _, want := range []string{"main.init", "os.init", "runtime.init", "runtime.init.0"} {
		if !slices.ContainsFunc(f.Go.InitTask, func(addr uint64) bool { return nameAt(f, addr) == want }) {
			t.Errorf("%s is no initialiser", want)
		}
	}
	for _, tt := range []struct{ name, methods, wants string }{
		{"main.lengths", "Len Less Swap", ""},
		{"*main.ender", "Read", ""},
		{"main.handler", "String", ""},
		{"*os.File", "Read ReadFrom Write", ""},
		{"sort.Interface", "", "Len Less Swap"},
		{"io.ReaderFrom", "", "ReadFrom"},
	} {
		typ := findType(f, tt.name)
		if typ == nil {
			t.Errorf("%s: not found", tt.name)
			continue
		}
		for _, name := range strings.Fields(tt.methods) {
			if !hasMethod(f, typ, name) {
				t.Errorf("%s: no code of method %s in %v", tt.name, name, typ.Methods)
			}
		}
		for _, name := range strings.Fields(tt.wants) {
			if !slices.ContainsFunc(typ.Wants, func(m Method) bool { return m.Name == name && m.Exported }) {
				t.Errorf("%s: wants no %s but %v", tt.name, name, typ.Wants)
			}
		}
	}
	checkReferences(t, f)
	reader, ender := findType(f, "io.Reader"), findType(f, "*main.ender")
	i := slices.IndexFunc(f.Go.Itabs, func(i Itab) bool { return i.Interface == reader.Addr && i.Type == ender.Addr })
	if i < 0 || len(f.Go.Itabs[i].Funcs) != 1 || nameAt(f, f.Go.Itabs[i].Funcs[0]) != "main.(*ender).Read" {
		t.Errorf("no table of *main.ender for io.Reader")
	}
}

// checkReferences checks that types lead to those that they are made of, and interfaces to
// methods of the same type.
func checkReferences(t *testing.T, f *File) {
	t.Helper()
	lengths, pair, ender := findType(f, "main.lengths"), findType(f, "[2]string"), findType(f, "main.ender")
	if lengths == nil || pair == nil || ender == nil {
		t.Fatalf("types are missing: %v %v %v", lengths, pair, ender)
	}
	if !slices.Contains(lengths.Refers, pair.Addr) {
		t.Errorf("a map does not refer to its element")
	}
	if !slices.Contains(ender.Refers, lengths.Addr) {
		t.Errorf("a struct does not refer to its field")
	}
	if pointer := findType(f, "*main.ender"); !slices.Contains(ender.Refers, pointer.Addr) || !slices.Contains(pointer.Refers, ender.Addr) {
		t.Errorf("a type and its pointer do not refer to each other")
	}
	want, have := findType(f, "sort.Interface").Wants, lengths.Methods
	for _, w := range want {
		if !slices.ContainsFunc(have, func(m Method) bool { return m.Name == w.Name && m.Type == w.Type }) {
			t.Errorf("%s of an interface and of a type differ in type", w.Name)
		}
	}
}

func findType(f *File, name string) *Type {
	i := slices.IndexFunc(f.Go.Types, func(t Type) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &f.Go.Types[i]
}

// hasMethod tells whether a method has code that is a function of its own.
func hasMethod(f *File, typ *Type, name string) bool {
	return slices.ContainsFunc(typ.Methods, func(m Method) bool {
		return m.Name == name && strings.HasSuffix(nameAt(f, m.Func), "."+name)
	})
}

// nameAt returns the name of the function that begins at addr.
func nameAt(f *File, addr uint64) string {
	i := f.Func(addr)
	if i < 0 || f.Funcs[i].Addr != addr {
		return ""
	}
	return f.Funcs[i].Name
}

// checkDebugTypes compares the types with those that the debug information of the file names
// (DW_AT_go_runtime_type, an offset from the start of the types): none may be missing.
func checkDebugTypes(t *testing.T, path string, f *File) {
	t.Helper()
	const runtimeType dwarf.Attr = 0x2904
	base := slices.IndexFunc(f.Symbols, func(s Symbol) bool { return s.Name == "runtime.types" })
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.DWARF()
	if err != nil || base < 0 {
		return // stripped
	}
	known := map[uint64]bool{}
	for _, typ := range f.Go.Types {
		known[typ.Addr] = true
	}
	count := 0
	for reader := info.Reader(); ; count++ {
		entry, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		if entry == nil {
			break
		}
		offset, ok := entry.Val(runtimeType).(uint64)
		if addr := f.Symbols[base].Addr + offset; ok && offset != 0 && !known[addr] {
			t.Errorf("type %v at %#x is missing", entry.Val(dwarf.AttrName), addr)
		}
	}
	if count == 0 {
		t.Error("no types in the debug information")
	}
}
