package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// A table is a syscall.tbl of the kernel and the rows that a column takes.
type table struct {
	file  string
	marks string // second fields of the rows to take
	needs string // a mark without which the table does not describe this column
	extra string // the Makefile.syscalls that names more marks, "" if none
}

// From Linux 6.11 on, the ABIs of asm-generic/unistd.h are rows of
// scripts/syscall.tbl. Older trees have no table of them: their headers or
// package syscall numbers must do.
var tables = map[string]table{
	"x86_64":      {file: "arch/x86/entry/syscalls/syscall_64.tbl", marks: "common 64"},
	"x32":         {file: "arch/x86/entry/syscalls/syscall_64.tbl", marks: "common x32"},
	"x86":         {file: "arch/x86/entry/syscalls/syscall_32.tbl", marks: "i386"},
	"arm":         {file: "arch/arm/tools/syscall.tbl", marks: "common eabi"},
	"aarch64":     {file: "scripts/syscall.tbl", marks: "common 64", extra: "arch/arm64/kernel/Makefile.syscalls"},
	"riscv64":     {file: "scripts/syscall.tbl", marks: "common 64", extra: "arch/riscv/kernel/Makefile.syscalls"},
	"loongarch64": {file: "scripts/syscall.tbl", marks: "common 64", extra: "arch/loongarch/kernel/Makefile.syscalls"},
	"mips":        {file: "arch/mips/kernel/syscalls/syscall_o32.tbl", marks: "o32 common"},
	"mips64":      {file: "arch/mips/kernel/syscalls/syscall_n64.tbl", marks: "n64 common"},
	"mips64n32":   {file: "arch/mips/kernel/syscalls/syscall_n32.tbl", marks: "n32 common"},
	"ppc":         {file: "arch/powerpc/kernel/syscalls/syscall.tbl", marks: "common nospu 32"},
	"ppc64":       {file: "arch/powerpc/kernel/syscalls/syscall.tbl", marks: "common nospu 64"},
	"s390":        {file: "arch/s390/kernel/syscalls/syscall.tbl", marks: "common 32", needs: "32"}, // until 6.18
	"s390x":       {file: "arch/s390/kernel/syscalls/syscall.tbl", marks: "common 64"},
	"m68k":        {file: "arch/m68k/kernel/syscalls/syscall.tbl", marks: "common"},
	"parisc":      {file: "arch/parisc/kernel/syscalls/syscall.tbl", marks: "common 32"},
	"parisc64":    {file: "arch/parisc/kernel/syscalls/syscall.tbl", marks: "common 64"},
	"sh":          {file: "arch/sh/kernel/syscalls/syscall.tbl", marks: "common"},
}

// readTree reads the tables of a Linux source tree. Tables that the tree lacks
// leave their column nil, and arm's private calls are in none.
func (o *observation) readTree(dir fs.FS) error {
	o.hides = func(_ string, nr uint32) bool { return nr >= armPrivate }
	for i, col := range columns {
		t := tables[col.name]
		text, err := fs.ReadFile(dir, t.file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		marks := strings.Fields(t.marks)
		if t.extra != "" {
			more, err := fs.ReadFile(dir, t.extra)
			if err != nil {
				return err
			}
			marks = append(marks, makefileMarks(string(more))...)
		}
		if o.columns[i], err = readTable(string(text), marks, t.needs); err != nil {
			return fmt.Errorf("%s: %w", t.file, err)
		}
	}
	return nil
}

// makefileMarks returns the words of "syscall_abis_64 += ...".
func makefileMarks(text string) []string {
	var marks []string
	for line := range strings.Lines(text) {
		if words, ok := strings.CutPrefix(strings.TrimSpace(line), "syscall_abis_64 +="); ok {
			marks = append(marks, strings.Fields(words)...)
		}
	}
	return marks
}

// readTable reads "number mark name ..." rows. It returns nil when no row has
// the needed mark.
func readTable(text string, marks []string, needs string) (map[string]uint32, error) {
	t := map[string]uint32{}
	needed := needs == ""
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if len(f) < 3 {
			return nil, fmt.Errorf("%q: want number, mark and name", strings.TrimSpace(line))
		}
		nr, err := strconv.ParseUint(f[0], 10, 20)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", strings.TrimSpace(line), err)
		}
		needed = needed || f[1] == needs
		if slices.Contains(marks, f[1]) && isName(f[2]) && !isPlaceholder(f[2]) {
			t[f[2]] = uint32(nr)
		}
	}
	if !needed {
		return nil, nil
	}
	return t, nil
}

// isPlaceholder reports whether a name only keeps its number free, such as
// unused18 and reserved82 of MIPS.
func isPlaceholder(name string) bool {
	word := strings.TrimRight(name, "0123456789")
	return word != name && (word == "unused" || word == "reserved")
}
