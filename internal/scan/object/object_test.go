package object

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/golden"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden writes out all that is read of two libraries (testdata/small.c): a stripped one
// of GNU's linker, and one of LLVM's with symbols.
func TestGolden(t *testing.T) {
	for _, name := range []string{"small-amd64", "small-arm64"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".so")
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, *update, filepath.Join("testdata", name+".txt"), dump(f))
		})
	}
}

// dump writes a file as text.
func dump(f *File) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("build id %s, machine %d, fixed %v, interpreter %q, name %q", f.BuildID, f.Machine, f.Fixed, f.Interp, f.SOName)
	p("needed %q, audit %q, rpath %q, runpath %q, entry %#x", f.Needed, f.Audit, f.RPath, f.RunPath, f.Entry)
	for _, s := range f.Segments {
		p("segment %#x +%#x, %#x in the file%s", s.Addr, s.Size, len(s.Data), flags("executable writable sealed", s.Executable, s.Writable, s.Sealed))
	}
	for _, fn := range f.Funcs {
		code := f.Bytes(fn.Addr)
		p("func %#x +%#x %s%s: %s", fn.Addr, fn.Size, fn.Name, flags("gap", fn.Gap), hex.EncodeToString(code[:min(8, fn.Size)]))
	}
	for _, r := range f.Relocs {
		target := fmt.Sprintf("%#x", r.Addend)
		if r.Symbol >= 0 {
			target = fmt.Sprintf("%s+%s", f.Symbols[r.Symbol].Name, target)
		}
		p("reloc %#x: %s%s", r.Addr, target, flags("resolver copy got", r.Resolver, r.Copy, r.GOT))
	}
	for _, s := range f.Symbols {
		p("symbol %#x +%#x %s@%s%s", s.Addr, s.Size, s.Name, s.Version,
			flags("func resolver defined dynamic weak hidden", s.Func, s.Resolver, s.Defined, s.Dynamic, s.Weak, s.Hidden))
	}
	for _, s := range f.PLT {
		p("plt %#x +%#x: %#x", s.Addr, s.Size, s.Slot)
	}
	p("init %#x, fini %#x", f.Init, f.Fini)
	for _, n := range f.Notes {
		p("note %s", n)
	}
	return b.String()
}

// flags writes the names of those that are set.
func flags(names string, set ...bool) string {
	var b strings.Builder
	for i, name := range strings.Fields(names) {
		if set[i] {
			b.WriteString(" " + name)
		}
	}
	return b.String()
}

// TestFormat pins what is told apart from broken programs.
func TestFormat(t *testing.T) {
	whole, err := os.ReadFile("testdata/small-amd64.so")
	if err != nil {
		t.Fatal(err)
	}
	changed := func(offset int, to byte) []byte {
		data := append([]byte(nil), whole...)
		data[offset] = to
		return data
	}
	for _, tt := range []struct {
		name   string
		data   []byte
		format bool // another kind of file, as opposed to a broken one
	}{
		{"empty", nil, true},
		{"script", []byte("#!/bin/sh\n" + strings.Repeat("true\n", 20)), true},
		{"32-bit", changed(4, 1), true},
		{"big-endian", changed(5, 2), true},
		{"relocatable", changed(16, 1), true},
		{"core", changed(16, 4), true},
		{"riscv", changed(18, 243), true},
		{"header only", whole[:64], false},
		{"program headers far away", changed(36, 0xff), false},
		{"program headers of another size", changed(54, 32), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Read("x", tt.data)
			if err == nil || f != nil {
				t.Fatalf("read without an error: %+v", f)
			}
			if errors.Is(err, ErrFormat) != tt.format {
				t.Errorf("error %q: format %v, want %v", err, !tt.format, tt.format)
			}
		})
	}
	if _, err := Open("testdata"); !errors.Is(err, ErrFormat) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Open("testdata/absent"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that does not exist: %v", err)
	}
}

// TestHostile reads files that contradict themselves, as fuzzing found them.
func TestHostile(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(segment, section []byte) // the headers of the code
	}{
		{"section behind the bytes of its segment", func(segment, section []byte) {
			put(segment[40:], get(segment[40:])+1<<20) // p_memsz
			put(section[16:], get(section[16:])+1<<16) // sh_addr
		}},
		{"section of all memory", func(_, section []byte) { put(section[32:], ^uint64(0)) }},
		{"segment of all memory", func(segment, _ []byte) { put(segment[40:], ^uint64(0)-get(segment[16:])) }},
		{"segment without bytes", func(segment, _ []byte) { put(segment[32:], 0) }},
		{"section outside of the file", func(_, section []byte) { put(section[24:], 1<<62) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data, err := os.ReadFile("testdata/small-arm64.so")
			if err != nil {
				t.Fatal(err)
			}
			segment, section := headersOfCode(t, data)
			tt.change(segment, section)
			readHostile(t, data)
		})
	}
}

// TestPacked reads what UPX leaves of a program: its mark behind the program headers.
func TestPacked(t *testing.T) {
	data, err := os.ReadFile("testdata/small-amd64.so")
	if err != nil {
		t.Fatal(err)
	}
	copy(data[headerSize+progSize*int(data[56])+4:], "UPX!")
	f, err := Read("x", data)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Notes) == 0 || !strings.Contains(f.Notes[0], "UPX") {
		t.Errorf("notes %q", f.Notes)
	}
}

func get(b []byte) uint64        { return binary.LittleEndian.Uint64(b) }
func put(b []byte, value uint64) { binary.LittleEndian.PutUint64(b, value) }

// headersOfCode returns the program header and the section header of .text.
func headersOfCode(t *testing.T, data []byte) (segment, section []byte) {
	t.Helper()
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 })
	j := slices.IndexFunc(file.Sections, func(s *elf.Section) bool { return s.Name == ".text" })
	return data[get(data[32:])+uint64(i)*progSize:], data[get(data[40:])+uint64(j)*sectionSize:]
}

// TestCutOff reads files that end early: they are refused if bytes are missing that they load,
// and read with a note if others are.
func TestCutOff(t *testing.T) {
	for _, name := range []string{"small-amd64", "small-arm64"} {
		whole, err := os.ReadFile("testdata/" + name + ".so")
		if err != nil {
			t.Fatal(err)
		}
		end := 0 // of what is loaded
		file, err := elf.NewFile(bytes.NewReader(whole))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range file.Progs {
			if p.Type == elf.PT_LOAD {
				end = max(end, int(p.Off+p.Filesz))
			}
		}
		for size := 0; size < len(whole); size += 7 {
			f, err := Read("x", whole[:size])
			if (err == nil) != (size >= end) || err == nil && len(f.Notes) == 0 {
				t.Fatalf("%s: %d of %d bytes: %v, error %v", name, size, len(whole), f, err)
			}
		}
	}
}

// TestWithoutSections drops the section headers, as sstrip does: functions, symbols and
// relocations must stay.
func TestWithoutSections(t *testing.T) {
	for _, name := range []string{"small-amd64", "small-arm64"} {
		whole, err := os.ReadFile("testdata/" + name + ".so")
		if err != nil {
			t.Fatal(err)
		}
		with, err := Read("x", whole)
		if err != nil {
			t.Fatal(err)
		}
		clear(whole[40:48]) // e_shoff
		without, err := Read("x", whole)
		if err != nil {
			t.Fatal(err)
		}
		sameExports(t, name, with, without)
		if got, want := fmt.Sprint(without.PLT), fmt.Sprint(with.PLT); got != want {
			t.Errorf("%s: PLT %s, with sections %s", name, got, want)
		}
		if got, want := fmt.Sprint(without.Init, without.Fini), fmt.Sprint(with.Init, with.Fini); got != want {
			t.Errorf("%s: init and fini %s, with sections %s", name, got, want)
		}
		if len(without.Relocs) != len(with.Relocs) {
			t.Errorf("%s: %d relocations, with sections %d", name, len(without.Relocs), len(with.Relocs))
		}
	}
}

// sameExports checks that dynamic symbols are found, and known as functions.
func sameExports(t *testing.T, name string, with, without *File) {
	t.Helper()
	all := map[string]bool{}
	for _, s := range without.Symbols {
		all[fmt.Sprint(s)] = true
		if i := without.Func(s.Addr); s.Func && s.Defined && (i < 0 || without.Funcs[i].Addr != s.Addr) {
			t.Errorf("%s: %s is in no function of its own", name, s.Name)
		}
	}
	for _, s := range with.Symbols {
		if s.Dynamic && !all[fmt.Sprint(s)] {
			t.Errorf("%s: symbol %s is lost without sections", name, s.Name)
		}
	}
}
