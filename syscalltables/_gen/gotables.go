package main

import (
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
)

// goFiles names the file of golang.org/x/sys/unix for each column that has one.
var goFiles = map[string]string{
	"x86_64":      "zsysnum_linux_amd64.go",
	"x86":         "zsysnum_linux_386.go",
	"arm":         "zsysnum_linux_arm.go",
	"aarch64":     "zsysnum_linux_arm64.go",
	"riscv64":     "zsysnum_linux_riscv64.go",
	"loongarch64": "zsysnum_linux_loong64.go",
	"mips":        "zsysnum_linux_mips.go",
	"mips64":      "zsysnum_linux_mips64.go",
	"ppc":         "zsysnum_linux_ppc.go",
	"ppc64":       "zsysnum_linux_ppc64.go",
	"s390x":       "zsysnum_linux_s390x.go",
}

var goConst = regexp.MustCompile(`(?m)^\s*SYS_([A-Z0-9_]+)\s*=\s*(\d+)\s*$`)

// readGo reads a release of golang.org/x/sys/unix, whose tables are made from
// the headers of the kernel that its linux/Dockerfile names. It fills the gaps
// between the kernel trees at hand.
//
// It lacks arm's private calls. Until Linux 6.10 it lacks what asm-generic/unistd.h
// leaves to each architecture (244 to 259), and clone3 and memfd_secret may be in a
// kernel of that kind before its header shows them (__ARCH_WANT_SYS_CLONE3).
func (o *observation) readGo(dir fs.FS) error {
	for i, col := range columns {
		text, err := fs.ReadFile(dir, goFiles[col.name])
		if err != nil {
			continue
		}
		t := map[string]uint32{}
		for _, m := range goConst.FindAllSubmatch(text, -1) {
			nr, err := strconv.ParseUint(string(m[2]), 10, 32)
			if err != nil || uint32(nr) < col.base {
				return fmt.Errorf("%s: %s: not a number of this ABI", goFiles[col.name], m[0])
			}
			name := strings.ToLower(string(m[1]))
			if isGeneric(col.name) && name == "fstatat" {
				name = "newfstatat" // until Linux 6.10 the header had both, as __NR3264_fstatat
			}
			if !isPlaceholder(name) && name != "arch_specific_syscall" && name != "syscall_mask" {
				t[name] = uint32(nr) - col.base
			}
		}
		o.columns[i] = t
	}
	o.hides = func(column string, nr uint32) bool {
		return nr >= armPrivate || isGeneric(column) && (244 <= nr && nr < 260 || nr == 435 || nr == 447)
	}
	return nil
}

// isGeneric reports whether the ABI's numbers are those of asm-generic/unistd.h.
func isGeneric(column string) bool {
	return column == "aarch64" || column == "riscv64" || column == "loongarch64"
}
