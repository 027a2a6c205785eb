package arch

import (
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// table repeats every fact from its sources, not from infos: linux/elf-em.h and
// linux/audit.h for the AUDIT_ARCH value, asm/unistd.h for the base and the
// multiplexers, runtime-spec for the OCI name.
var table = []struct {
	abi        ABI
	name, oci  string
	goarch     string
	machine    uint32 // linux/elf-em.h
	flags      uint32 // linux/audit.h
	bits       int
	order      binary.ByteOrder
	base       uint32
	socketcall uint32
	ipc        uint32
	family     []ABI
}{
	{X86_64, "x86_64", "SCMP_ARCH_X86_64", "amd64", emX86_64, bit64 | le, 64, binary.LittleEndian, 0, 0, 0, x86Family},
	{X32, "x32", "SCMP_ARCH_X32", "", emX86_64, bit64 | le, 32, binary.LittleEndian, 0x40000000, 0, 0, x86Family},
	{X86, "x86", "SCMP_ARCH_X86", "386", em386, le, 32, binary.LittleEndian, 0, 102, 117, x86Family},
	{ARM, "arm", "SCMP_ARCH_ARM", "arm", emARM, le, 32, binary.LittleEndian, 0, 0, 0, []ABI{AArch64, ARM}},
	{AArch64, "aarch64", "SCMP_ARCH_AARCH64", "arm64", emAARCH64, bit64 | le, 64, binary.LittleEndian, 0, 0, 0, []ABI{AArch64, ARM}},
	{RISCV64, "riscv64", "SCMP_ARCH_RISCV64", "riscv64", emRISCV, bit64 | le, 64, binary.LittleEndian, 0, 0, 0, []ABI{RISCV64}},
	{LoongArch64, "loongarch64", "SCMP_ARCH_LOONGARCH64", "loong64", emLOONGARCH, bit64 | le, 64, binary.LittleEndian, 0, 0, 0, []ABI{LoongArch64}},
	{MIPS, "mips", "SCMP_ARCH_MIPS", "mips", emMIPS, 0, 32, binary.BigEndian, 4000, 4102, 4117, mipsFamily},
	{MIPSEL, "mipsel", "SCMP_ARCH_MIPSEL", "mipsle", emMIPS, le, 32, binary.LittleEndian, 4000, 4102, 4117, mipselFamily},
	{MIPS64, "mips64", "SCMP_ARCH_MIPS64", "mips64", emMIPS, bit64, 64, binary.BigEndian, 5000, 0, 0, mipsFamily},
	{MIPSEL64, "mipsel64", "SCMP_ARCH_MIPSEL64", "mips64le", emMIPS, bit64 | le, 64, binary.LittleEndian, 5000, 0, 0, mipselFamily},
	{MIPS64N32, "mips64n32", "SCMP_ARCH_MIPS64N32", "mips64p32", emMIPS, bit64 | n32, 32, binary.BigEndian, 6000, 0, 0, mipsFamily},
	{MIPSEL64N32, "mipsel64n32", "SCMP_ARCH_MIPSEL64N32", "mips64p32le", emMIPS, bit64 | le | n32, 32, binary.LittleEndian, 6000, 0, 0, mipselFamily},
	{PPC, "ppc", "SCMP_ARCH_PPC", "ppc", emPPC, 0, 32, binary.BigEndian, 0, 102, 117, []ABI{PPC64, PPC}},
	{PPC64, "ppc64", "SCMP_ARCH_PPC64", "ppc64", emPPC64, bit64, 64, binary.BigEndian, 0, 102, 117, []ABI{PPC64, PPC}},
	{PPC64LE, "ppc64le", "SCMP_ARCH_PPC64LE", "ppc64le", emPPC64, bit64 | le, 64, binary.LittleEndian, 0, 102, 117, []ABI{PPC64LE}},
	{S390, "s390", "SCMP_ARCH_S390", "s390", emS390, 0, 32, binary.BigEndian, 0, 102, 117, []ABI{S390X, S390}},
	{S390X, "s390x", "SCMP_ARCH_S390X", "s390x", emS390, bit64, 64, binary.BigEndian, 0, 102, 117, []ABI{S390X, S390}},
	{M68K, "m68k", "SCMP_ARCH_M68K", "", em68K, 0, 32, binary.BigEndian, 0, 102, 117, []ABI{M68K}},
	{PARISC, "parisc", "SCMP_ARCH_PARISC", "", emPARISC, 0, 32, binary.BigEndian, 0, 0, 0, []ABI{PARISC64, PARISC}},
	{PARISC64, "parisc64", "SCMP_ARCH_PARISC64", "", emPARISC, bit64, 64, binary.BigEndian, 0, 0, 0, []ABI{PARISC64, PARISC}},
	{SH, "sh", "SCMP_ARCH_SH", "", emSH, le, 32, binary.LittleEndian, 0, 102, 117, []ABI{SH}},
	{SHEB, "sheb", "SCMP_ARCH_SHEB", "", emSH, 0, 32, binary.BigEndian, 0, 102, 117, []ABI{SHEB}},
}

const (
	em386, em68K, emMIPS, emPARISC, emPPC, emPPC64        = 3, 4, 8, 15, 20, 21
	emS390, emARM, emSH, emX86_64, emAARCH64              = 22, 40, 42, 62, 183
	emRISCV, emLOONGARCH                                  = 243, 258
	bit64, le, n32                                 uint32 = 1 << 31, 1 << 30, 1 << 29
)

var (
	x86Family    = []ABI{X86_64, X32, X86}
	mipsFamily   = []ABI{MIPS64, MIPS, MIPS64N32}
	mipselFamily = []ABI{MIPSEL64, MIPSEL, MIPSEL64N32}
)

func TestEveryABIHasTheFactsOfItsKernel(t *testing.T) {
	if got := slices.Collect(All()); len(got) != len(table) || len(table) != 23 {
		t.Fatalf("All yields %d ABIs, the table has %d, want 23", len(got), len(table))
	}
	for _, want := range table {
		a := want.abi
		t.Run(want.name, func(t *testing.T) {
			if !a.Valid() {
				t.Error("is not valid")
			}
			socketcall, okS := a.Socketcall()
			ipc, okI := a.IPC()
			for _, c := range []struct {
				what      string
				got, want any
			}{
				{"String", a.String(), want.name},
				{"OCI", a.OCI(), want.oci},
				{"GOARCH", a.GOARCH(), want.goarch},
				{"Audit", a.Audit(), want.machine | want.flags},
				{"Bits", a.Bits(), want.bits},
				{"ByteOrder", a.ByteOrder(), want.order},
				{"Base", a.Base(), want.base},
				{"Socketcall", socketcall, want.socketcall},
				{"Socketcall ok", okS, want.socketcall != 0},
				{"IPC", ipc, want.ipc},
				{"IPC ok", okI, want.ipc != 0},
				{"Main", a.Main(), want.family[0]},
			} {
				if c.got != c.want {
					t.Errorf("%s is %v, want %v", c.what, c.got, c.want)
				}
			}
			if got := a.Family(); !slices.Equal(got, want.family) {
				t.Errorf("Family is %v, want %v", got, want.family)
			}
		})
	}
}

func TestAllStopsWhenAsked(t *testing.T) {
	n := 0
	for range All() {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("went on to %d", n)
	}
}

func TestAFamilyHasOneByteOrderAndIsFresh(t *testing.T) {
	for a := range All() {
		f := a.Family()
		for _, b := range f {
			if b.ByteOrder() != a.ByteOrder() {
				t.Errorf("%v and %v are of one family but not of one byte order", a, b)
			}
			if !slices.Equal(b.Family(), f) {
				t.Errorf("the families of %v and %v differ", a, b)
			}
		}
		f[0] = 0
		if a.Family()[0] == 0 {
			t.Errorf("%v.Family shares its slice", a)
		}
	}
}

func TestTheZeroABIAndUnknownOnesAreNothing(t *testing.T) {
	for _, a := range []ABI{0, count, 255} {
		_, okS := a.Socketcall()
		_, okI := a.IPC()
		if a.Valid() || a.OCI() != "" || a.GOARCH() != "" || a.Audit() != 0 || a.Bits() != 0 ||
			a.Base() != 0 || okS || okI || a.Main() != 0 || a.Family() != nil || a.ErrnoName(1) != "" {
			t.Errorf("ABI(%d) has properties", uint8(a))
		}
		if _, ok := a.Errno("EPERM"); ok {
			t.Errorf("ABI(%d) has EPERM", uint8(a))
		}
	}
	if got := ABI(99).String(); got != "ABI(99)" {
		t.Errorf("String is %q", got)
	}
}

func TestParseTakesEveryNameOfAnABI(t *testing.T) {
	for _, want := range table {
		for _, name := range []string{want.name, want.oci, want.goarch} {
			if name == "" {
				continue
			}
			if got, err := Parse(name); got != want.abi || err != nil {
				t.Errorf("Parse(%q) = %v, %v, want %v", name, got, err, want.abi)
			}
		}
	}
	for _, name := range []string{"native", "SCMP_ARCH_NATIVE"} {
		got, err := Parse(name)
		if n := Native(); got != n || (err == nil) != n.Valid() {
			t.Errorf("Parse(%q) = %v, %v, want %v", name, got, err, n)
		}
	}
}

func TestParseTakesTheNumbersOfAuditRecords(t *testing.T) {
	for _, c := range []struct {
		name string
		want ABI
	}{
		{"c000003e", X86_64}, {"0xc000003e", X86_64}, {"C000003E", X86_64}, {"40000003", X86}, {"c00000b7", AArch64},
		{"80000016", S390X}, {"8", MIPS}, {"0x8", MIPS}, {"14", PPC}, {"386", X86},
	} {
		if got, err := Parse(c.name); got != c.want || err != nil {
			t.Errorf("Parse(%q) = %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	for _, name := range []string{"0x", "0", "3e", "1c000003e", "0x0xc000003e", "0xc000003g", "+c000003e", "c000_003e", "x86_64 c000003e"} {
		if got, err := Parse(name); !errors.Is(err, ErrUnknown) {
			t.Errorf("Parse(%q) = %v, %v, want an error", name, got, err)
		}
	}
}

func TestParseRefusesOtherNamesAndHelps(t *testing.T) {
	for _, c := range []struct{ name, message string }{
		{"X86_64", `arch: "X86_64": unknown ABI (did you mean x86_64?)`},
		{"x86-64", `arch: "x86-64": unknown ABI (did you mean x86_64?)`},
		{"SCMP_ARCH_x86", `arch: "SCMP_ARCH_x86": unknown ABI (did you mean x86?)`},
		{"i686", `arch: "i686": unknown ABI (did you mean x86?)`},
		{"armv7l", `arch: "armv7l": unknown ABI (did you mean arm?)`},
		{"ppc64el", `arch: "ppc64el": unknown ABI (did you mean ppc64le?)`},
		{"hppa", `arch: "hppa": unknown ABI (did you mean parisc?)`},
		{"", `arch: "": unknown ABI (known: x86_64, x32, x86, `},
		{"SCMP_ARCH_", `arch: "SCMP_ARCH_": unknown ABI (known: x86_64, `},
		{"sparc", `arch: "sparc": unknown ABI (known: x86_64, `},
	} {
		a, err := Parse(c.name)
		if a != 0 || !errors.Is(err, ErrUnknown) || !strings.HasPrefix(err.Error(), c.message) {
			t.Errorf("Parse(%q) = %v, %v, want an error that starts %s", c.name, a, err, c.message)
		}
	}
}

func TestEveryHintIsForANameThatParseRefuses(t *testing.T) {
	for _, name := range []string{"x64", "i386", "i486", "i586", "ia32", "armel", "armhf", "armv5l", "armv6l",
		"armv7", "armv8l", "armv8", "arm64v8", "riscv", "loongarch", "mips64el", "mipsn32", "mipsn32el",
		"powerpc", "powerpc64", "powerpc64le", "hppa64", "sh4", "sh4eb"} {
		if _, err := Parse(name); err == nil {
			t.Errorf("Parse takes %q", name)
		}
		if !meant(name).Valid() {
			t.Errorf("no hint for %q", name)
		}
	}
}

func TestNativeIsTheABIOfThisGOARCH(t *testing.T) {
	if got := Native().GOARCH(); Native().Valid() && got != runtime.GOARCH {
		t.Errorf("Native is %v of GOARCH %s on %s", Native(), got, runtime.GOARCH)
	}
	if runtime.GOARCH == "amd64" && Native() != X86_64 {
		t.Errorf("Native is %v", Native())
	}
}

func TestByAuditTellsX32ByBit30(t *testing.T) {
	for _, want := range table {
		nr := want.base
		if got, ok := ByAudit(want.abi.Audit(), nr); got != want.abi || !ok {
			t.Errorf("ByAudit(%#x, %#x) = %v, %v, want %v", want.abi.Audit(), nr, got, ok, want.abi)
		}
	}
	for _, c := range []struct {
		nr   uint32
		want ABI
	}{
		{0, X86_64}, {0x3fffffff, X86_64}, {0x40000000, X32}, {0x7fffffff, X32},
		{0x80000000, X86_64}, {0xc0000000, X32}, {0xfffffffe, X32}, {0xffffffff, X86_64},
	} {
		if got, _ := ByAudit(0xc000003e, c.nr); got != c.want {
			t.Errorf("number %#x is %v, want %v", c.nr, got, c.want)
		}
	}
	if got, _ := ByAudit(X86.Audit(), 0x40000001); got != X86 {
		t.Errorf("bit 30 makes x86 %v", got)
	}
	if got, ok := ByAudit(0, 0); got != 0 || ok {
		t.Errorf("AUDIT_ARCH 0 is %v", got)
	}
}
