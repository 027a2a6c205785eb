package arch_test

import (
	"errors"
	"fmt"

	"github.com/seccompile/seccompile/arch"
)

// A filter sees an AUDIT_ARCH value and a number. Together they tell the ABI.
func ExampleByAudit() {
	const auditX8664 = 0xc000003e // linux/audit.h: AUDIT_ARCH_X86_64
	for _, nr := range []uint32{1, 1 | arch.X32Bit} {
		abi, ok := arch.ByAudit(auditX8664, nr)
		fmt.Println(abi, abi.Bits(), ok)
	}
	// Output:
	// x86_64 64 true
	// x32 32 true
}

func ExampleParse() {
	for _, name := range []string{"SCMP_ARCH_AARCH64", "aarch64", "arm64", "armhf"} {
		abi, err := arch.Parse(name)
		if errors.Is(err, arch.ErrUnknown) {
			fmt.Println(err)
			continue
		}
		fmt.Println(abi, abi.OCI(), abi.GOARCH())
	}
	// Output:
	// aarch64 SCMP_ARCH_AARCH64 arm64
	// aarch64 SCMP_ARCH_AARCH64 arm64
	// aarch64 SCMP_ARCH_AARCH64 arm64
	// arch: "armhf": unknown ABI (did you mean arm?)
}

// A filter that is loaded on x86-64 must deal with calls through three ABIs.
func ExampleABI_Family() {
	for _, abi := range arch.X86_64.Family() {
		fmt.Printf("%v %#x %d bits\n", abi, abi.Audit(), abi.Bits())
	}
	// Output:
	// x86_64 0xc000003e 64 bits
	// x32 0xc000003e 32 bits
	// x86 0x40000003 32 bits
}

// Error numbers differ between ABIs.
func ExampleABI_Errno() {
	for _, abi := range []arch.ABI{arch.X86_64, arch.MIPS, arch.PARISC} {
		n, _ := abi.Errno("ENOSYS")
		fmt.Println(abi, n, abi.ErrnoName(n))
	}
	// Output:
	// x86_64 38 ENOSYS
	// mips 89 ENOSYS
	// parisc 251 ENOSYS
}
