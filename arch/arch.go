// Package arch names the Linux system call ABIs that a seccomp filter can distinguish,
// and says how a filter recognises each one. Start with [Parse] for a name, [Native] for
// the running program and [ByAudit] for what a filter sees.
//
// An ABI is not a processor: an x86-64 kernel has three (x86_64, x32 and x86), each with
// its own call numbers, argument width and AUDIT_ARCH value, though x32 shares
// x86_64's. All facts here are constants; nothing asks the running kernel.
package arch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"strings"
)

// An ABI is one Linux system call ABI. ABIs are ordered as declared below. The zero ABI
// is not an ABI: Valid reports false and every property is zero or empty.
type ABI uint8

// The ABIs that OCI profiles can name.
const (
	X86_64 ABI = iota + 1
	X32
	X86
	ARM
	AArch64
	RISCV64
	LoongArch64
	MIPS
	MIPSEL
	MIPS64
	MIPSEL64
	MIPS64N32
	MIPSEL64N32
	PPC
	PPC64
	PPC64LE
	S390
	S390X
	M68K
	PARISC
	PARISC64
	SH
	SHEB

	count = iota + 1
)

// ErrUnknown is wrapped by the errors of [Parse]: there is no ABI with this name.
var ErrUnknown = errors.New("unknown ABI")

// info holds the facts of one ABI.
type info struct {
	name       string // libseccomp's name, also ours
	oci        string // runtime-spec's name
	goarch     string // GOARCH of a Go program for this ABI, "" if there is none
	audit      uint32 // linux/audit.h: AUDIT_ARCH_*
	base       uint32 // added to (x32: OR-ed into) the numbers of the table
	socketcall uint32 // number of socketcall(2), 0 if the ABI has none
	ipc        uint32 // number of ipc(2), 0 if the ABI has none
	bits       uint8  // width of a system call argument
	big        bool   // big-endian
	main       ABI    // the main ABI of the 64-bit kernel that offers this one
}

// AUDIT_ARCH values are linux/audit.h's: the ELF machine, with bit 31 for
// 64-bit, bit 30 for little-endian and bit 29 for the n32 convention of MIPS.
// x32 calls carry x86_64's value and bit 30 in the number.
var infos = [count]info{
	X86_64:      {"x86_64", "SCMP_ARCH_X86_64", "amd64", 0xc000003e, 0, 0, 0, 64, false, X86_64},
	X32:         {"x32", "SCMP_ARCH_X32", "", 0xc000003e, X32Bit, 0, 0, 32, false, X86_64},
	X86:         {"x86", "SCMP_ARCH_X86", "386", 0x40000003, 0, 102, 117, 32, false, X86_64},
	ARM:         {"arm", "SCMP_ARCH_ARM", "arm", 0x40000028, 0, 0, 0, 32, false, AArch64},
	AArch64:     {"aarch64", "SCMP_ARCH_AARCH64", "arm64", 0xc00000b7, 0, 0, 0, 64, false, AArch64},
	RISCV64:     {"riscv64", "SCMP_ARCH_RISCV64", "riscv64", 0xc00000f3, 0, 0, 0, 64, false, RISCV64},
	LoongArch64: {"loongarch64", "SCMP_ARCH_LOONGARCH64", "loong64", 0xc0000102, 0, 0, 0, 64, false, LoongArch64},
	MIPS:        {"mips", "SCMP_ARCH_MIPS", "mips", 0x00000008, 4000, 4102, 4117, 32, true, MIPS64},
	MIPSEL:      {"mipsel", "SCMP_ARCH_MIPSEL", "mipsle", 0x40000008, 4000, 4102, 4117, 32, false, MIPSEL64},
	MIPS64:      {"mips64", "SCMP_ARCH_MIPS64", "mips64", 0x80000008, 5000, 0, 0, 64, true, MIPS64},
	MIPSEL64:    {"mipsel64", "SCMP_ARCH_MIPSEL64", "mips64le", 0xc0000008, 5000, 0, 0, 64, false, MIPSEL64},
	MIPS64N32:   {"mips64n32", "SCMP_ARCH_MIPS64N32", "mips64p32", 0xa0000008, 6000, 0, 0, 32, true, MIPS64},
	MIPSEL64N32: {"mipsel64n32", "SCMP_ARCH_MIPSEL64N32", "mips64p32le", 0xe0000008, 6000, 0, 0, 32, false, MIPSEL64},
	PPC:         {"ppc", "SCMP_ARCH_PPC", "ppc", 0x00000014, 0, 102, 117, 32, true, PPC64},
	PPC64:       {"ppc64", "SCMP_ARCH_PPC64", "ppc64", 0x80000015, 0, 102, 117, 64, true, PPC64},
	PPC64LE:     {"ppc64le", "SCMP_ARCH_PPC64LE", "ppc64le", 0xc0000015, 0, 102, 117, 64, false, PPC64LE},
	S390:        {"s390", "SCMP_ARCH_S390", "s390", 0x00000016, 0, 102, 117, 32, true, S390X},
	S390X:       {"s390x", "SCMP_ARCH_S390X", "s390x", 0x80000016, 0, 102, 117, 64, true, S390X},
	M68K:        {"m68k", "SCMP_ARCH_M68K", "", 0x00000004, 0, 102, 117, 32, true, M68K},
	PARISC:      {"parisc", "SCMP_ARCH_PARISC", "", 0x0000000f, 0, 0, 0, 32, true, PARISC64},
	PARISC64:    {"parisc64", "SCMP_ARCH_PARISC64", "", 0x8000000f, 0, 0, 0, 64, true, PARISC64},
	SH:          {"sh", "SCMP_ARCH_SH", "", 0x4000002a, 0, 102, 117, 32, false, SH},
	SHEB:        {"sheb", "SCMP_ARCH_SHEB", "", 0x0000002a, 0, 102, 117, 32, true, SHEB},
}

// X32Bit is set in every x32 system call number (asm/unistd.h:
// __X32_SYSCALL_BIT).
const X32Bit = 0x40000000

// All yields every ABI in declaration order.
func All() iter.Seq[ABI] {
	return func(yield func(ABI) bool) {
		for a := X86_64; a < count; a++ {
			if !yield(a) {
				return
			}
		}
	}
}

// Native returns the ABI that the running program was built for. It depends on GOARCH
// alone, whatever the operating system, and is the zero ABI where Linux has none
// (js/wasm).
func Native() ABI {
	for a := X86_64; a < count; a++ {
		if infos[a].goarch == runtime.GOARCH {
			return a
		}
	}
	return 0
}

// Parse returns the ABI with the given name: runtime-spec's
// ("SCMP_ARCH_X86_64"), libseccomp's ("x86_64") or Go's ("amd64"), or with an AUDIT_ARCH
// value in hexadecimal, as the kernel's audit records have it ("c000003e", "0xc000003e");
// that of x86_64 and x32 means x86_64. The names "native" and "SCMP_ARCH_NATIVE" stand
// for [Native]. The error wraps [ErrUnknown].
func Parse(name string) (ABI, error) {
	if name == "native" || name == "SCMP_ARCH_NATIVE" {
		if a := Native(); a != 0 {
			return a, nil
		}
		return 0, fmt.Errorf("arch: %s: %w: Linux has no ABI for %s", name, ErrUnknown, runtime.GOARCH)
	}
	for a := X86_64; a < count && name != ""; a++ {
		if i := &infos[a]; name == i.name || name == i.oci || name == i.goarch {
			return a, nil
		}
	}
	if audit, err := strconv.ParseUint(strings.TrimPrefix(name, "0x"), 16, 32); err == nil {
		if a, ok := ByAudit(uint32(audit), 0); ok {
			return a, nil
		}
	}
	if a := meant(name); a != 0 {
		return 0, fmt.Errorf("arch: %q: %w (did you mean %s?)", name, ErrUnknown, a)
	}
	return 0, fmt.Errorf("arch: %q: %w (known: %s)", name, ErrUnknown, strings.Join(names(), ", "))
}

// meant returns the ABI that a name which Parse refuses was probably meant for: a known
// name in other letters, or the name that uname(2), Debian or a compiler uses.
func meant(name string) ABI {
	n := strings.ReplaceAll(strings.ToLower(name), "-", "_")
	n = strings.TrimPrefix(n, "scmp_arch_")
	for a := range All() {
		if i := &infos[a]; n == i.name || n != "" && n == i.goarch {
			return a
		}
	}
	switch n {
	case "x64":
		return X86_64
	case "i386", "i486", "i586", "i686", "ia32":
		return X86
	case "armel", "armhf", "armv5l", "armv6l", "armv7l", "armv7", "armv8l":
		return ARM
	case "armv8", "arm64v8":
		return AArch64
	case "riscv":
		return RISCV64
	case "loongarch":
		return LoongArch64
	case "mips64el":
		return MIPSEL64
	case "mipsn32":
		return MIPS64N32
	case "mipsn32el":
		return MIPSEL64N32
	case "powerpc":
		return PPC
	case "powerpc64":
		return PPC64
	case "ppc64el", "powerpc64le":
		return PPC64LE
	case "hppa":
		return PARISC
	case "hppa64":
		return PARISC64
	case "sh4":
		return SH
	case "sh4eb":
		return SHEB
	}
	return 0
}

func names() []string {
	var s []string
	for a := range All() {
		s = append(s, infos[a].name)
	}
	return s
}

// ByAudit returns the ABI of a call from what a filter sees: the AUDIT_ARCH value and
// the number. The number matters only for x86_64 and x32, which share a value: bit 30
// means x32, except in 0xffffffff, the number of a call that a tracer skips.
func ByAudit(audit, nr uint32) (ABI, bool) {
	for a := range All() {
		if infos[a].audit != audit {
			continue
		}
		if a == X86_64 && nr&X32Bit != 0 && nr != 1<<32-1 {
			return X32, true
		}
		return a, true
	}
	return 0, false
}

// Valid reports whether a is one of the declared ABIs.
func (a ABI) Valid() bool { return 0 < a && a < count }

func (a ABI) info() *info {
	if !a.Valid() {
		return &infos[0]
	}
	return &infos[a]
}

// String returns libseccomp's name of the ABI, such as "x86_64".
func (a ABI) String() string {
	if !a.Valid() {
		return fmt.Sprintf("ABI(%d)", uint8(a))
	}
	return infos[a].name
}

// OCI returns runtime-spec's name of the ABI, such as "SCMP_ARCH_X86_64".
func (a ABI) OCI() string { return a.info().oci }

// GOARCH returns the GOARCH of Go programs that use this ABI, or "".
func (a ABI) GOARCH() string { return a.info().goarch }

// Audit returns the AUDIT_ARCH value that the kernel puts into the arch word of
// seccomp_data for calls through this ABI. x86_64 and x32 share one.
func (a ABI) Audit() uint32 { return a.info().audit }

// Bits returns the width of a system call argument, 32 or 64.
func (a ABI) Bits() int { return int(a.info().bits) }

// ByteOrder returns the byte order of struct sock_filter and seccomp_data on
// the ABI's kernel.
func (a ABI) ByteOrder() binary.ByteOrder {
	if a.info().big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// Base returns the first number of the ABI's number space: 0, 4000, 5000 or 6000 on
// MIPS, and [X32Bit] on x32.
func (a ABI) Base() uint32 { return a.info().base }

// Socketcall returns the number of socketcall(2), which multiplexes the socket
// calls on some ABIs; ok is false where it does not exist.
func (a ABI) Socketcall() (nr uint32, ok bool) { nr = a.info().socketcall; return nr, nr != 0 }

// IPC returns the number of ipc(2), which multiplexes the System V IPC calls on
// some ABIs; ok is false where it does not exist.
func (a ABI) IPC() (nr uint32, ok bool) { nr = a.info().ipc; return nr, nr != 0 }

// Main returns the main ABI of the kernel that offers a: x86_64 for x86 and x32.
func (a ABI) Main() ABI { return a.info().main }

// Family returns the ABIs that one kernel can offer its tasks together with a, the
// kernel's main ABI first: x86_64, x32 and x86 for any of the three. It is nil for the
// zero ABI. The slice is fresh.
func (a ABI) Family() []ABI {
	if !a.Valid() {
		return nil
	}
	f := []ABI{a.Main()}
	for b := range All() {
		if b != a.Main() && b.Main() == a.Main() {
			f = append(f, b)
		}
	}
	return f
}
