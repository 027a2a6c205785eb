package main

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
)

// An observation is what the tables of one kernel release say. A column that is
// nil was not there to be read.
type observation struct {
	kernel  release
	columns [len(columns)]map[string]uint32

	// hides, if not nil, reports numbers that the source never shows, so that
	// their absence says nothing.
	hides func(column string, nr uint32) bool
}

// observe reads the tables below dir: the headers of a linux-libc-dev package,
// unpacked, a Linux source tree, or golang.org/x/sys/unix.
func observe(kernel release, dir fs.FS) (*observation, error) {
	o := &observation{kernel: kernel}
	for _, root := range []string{".", "usr/include", "usr/lib/linux/uapi"} {
		sub, err := fs.Sub(dir, root)
		if err != nil {
			return nil, err
		}
		switch {
		case exists(sub, "x86/asm"):
			err = o.readHeaders(sub)
		case exists(sub, "arch/x86"):
			err = o.readTree(sub)
		case exists(sub, "zsysnum_linux_amd64.go"):
			err = o.readGo(sub)
		default:
			continue
		}
		return o, errors.Join(err, o.check())
	}
	return nil, errors.New("found neither headers (x86/asm) nor a Linux tree (arch/x86) nor golang.org/x/sys/unix")
}

// check guards against tables in a format that this program does not know.
func (o *observation) check() error {
	var errs []error
	read := 0
	for i, t := range o.columns {
		if t != nil {
			read++
		}
		if t != nil && len(t) == 0 {
			errs = append(errs, fmt.Errorf("%s: there is a file, but no number in it", columns[i].name))
		}
	}
	if read == 0 {
		errs = append(errs, errors.New("no table in it"))
	}
	return errors.Join(errs...)
}

func exists(dir fs.FS, name string) bool {
	_, err := fs.Stat(dir, name)
	return err == nil
}

// headers names the generated header of each column; arm's private calls are in
// a second file.
var headers = map[string][]string{
	"x86_64":      {"x86/asm/unistd_64.h"},
	"x32":         {"x86/asm/unistd_x32.h"},
	"x86":         {"x86/asm/unistd_32.h"},
	"arm":         {"arm/asm/unistd-eabi.h", "arm/asm/unistd.h"},
	"aarch64":     {"arm64/asm/unistd_64.h"},
	"riscv64":     {"riscv/asm/unistd_64.h"},
	"loongarch64": {"loongarch/asm/unistd_64.h"},
	"mips":        {"mips/asm/unistd_o32.h"},
	"mips64":      {"mips/asm/unistd_n64.h"},
	"mips64n32":   {"mips/asm/unistd_n32.h"},
	"ppc":         {"powerpc/asm/unistd_32.h"},
	"ppc64":       {"powerpc/asm/unistd_64.h"},
	"s390":        {"s390/asm/unistd_32.h"},
	"s390x":       {"s390/asm/unistd_64.h"},
	"m68k":        {"m68k/asm/unistd_32.h"},
	"parisc":      {"parisc/asm/unistd_32.h"},
	"parisc64":    {"parisc/asm/unistd_64.h"},
	"sh":          {"sh/asm/unistd_32.h"},
}

// define matches "#define __NR_read 0", "#define __NR_read (__NR_Linux + 3)" and
// arm's "#define __ARM_NR_set_tls (__ARM_NR_BASE+5)", but neither an alias of
// another name nor the capitalised bases.
var define = regexp.MustCompile(`(?m)^#define\s+(__NR_|__ARM_NR_)([a-z_][a-z0-9_]*)\s+\(?(?:\w+\s*\+\s*)?(\d+)\)?\s*$`)

// armPrivate is where arm's private calls start (arch/arm's unistd.h: __ARM_NR_BASE).
const armPrivate = 0x0f0000

// readHeaders reads the headers that the kernel's build makes from its tables.
func (o *observation) readHeaders(dir fs.FS) error {
	for i, col := range columns {
		t := map[string]uint32{}
		for _, name := range headers[col.name] {
			text, err := fs.ReadFile(dir, name)
			if errors.Is(err, fs.ErrNotExist) {
				t = nil
				break
			}
			if err != nil {
				return err
			}
			for _, m := range define.FindAllSubmatch(text, -1) {
				nr, err := strconv.ParseUint(string(m[3]), 10, 20)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", name, m[0], err)
				}
				if string(m[1]) == "__ARM_NR_" {
					nr += armPrivate
				}
				if name := string(m[2]); !isPlaceholder(name) {
					t[name] = uint32(nr)
				}
			}
		}
		o.columns[i] = t
	}
	return nil
}
