package syscalltables_test

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

func ExampleLookup() {
	call, _ := syscalltables.Lookup("openat2")
	for _, abi := range []arch.ABI{arch.X86_64, arch.X32, arch.MIPS} {
		nr, _ := call.Number(abi)
		fmt.Println(abi, nr, call.Args(abi), "since Linux", call.Since(abi).By)
	}
	// Output:
	// x86_64 437 [dirfd pathname how size] since Linux 5.6
	// x32 1073742261 [dirfd pathname how size] since Linux 5.6
	// mips 4437 [dirfd pathname how size] since Linux 5.6
}

func ExampleByNumber() {
	for _, abi := range []arch.ABI{arch.X86_64, arch.X86, arch.RISCV64} {
		call, ok := syscalltables.ByNumber(abi, 59)
		fmt.Println(abi, call, ok)
	}
	// Output:
	// x86_64 execve true
	// x86 oldolduname true
	// riscv64 pipe2 true
}

func ExampleAll() {
	for nr, call := range syscalltables.All(arch.AArch64) {
		if nr >= 3 {
			break
		}
		fmt.Println(nr, call)
	}
	// Output:
	// 0 io_setup
	// 1 io_destroy
	// 2 io_submit
}

func ExampleNearest() {
	fmt.Println(syscalltables.Nearest("opneat"))
	// Output: openat
}

// socket on x86 is a call of its own and the first of socketcall(2).
func ExampleCall_Multiplexed() {
	call, _ := syscalltables.Lookup("socket")
	for _, abi := range []arch.ABI{arch.X86, arch.X86_64} {
		direct, _ := call.Number(abi)
		nr, selector, ok := call.Multiplexed(abi)
		fmt.Println(abi, direct, nr, selector, ok)
	}
	// Output:
	// x86 359 102 1 true
	// x86_64 41 0 0 false
}
