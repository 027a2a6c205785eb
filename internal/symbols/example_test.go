package symbols_test

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

func ExampleCall() {
	fmt.Println(symbols.Call(arch.X86_64, 41, [6]uint64{2, 0x80001, 0}))
	// Output: socket(family=AF_INET, type=SOCK_STREAM|SOCK_CLOEXEC, protocol=IPPROTO_IP)
}

func ExampleCallWith() {
	fmt.Println(symbols.CallWith(arch.X86_64, 83, [6]uint64{0x7ffc01020304, 0o755}, [6]string{`"/tmp/x"`}))
	// Output: mkdir(pathname="/tmp/x", mode=0755)
}

func ExampleConds() {
	fmt.Println(symbols.Conds(arch.X86_64, 56, []policy.Cond{
		{Arg: 0, Op: policy.MaskedEqual, Mask: 0x24000000, Value: 0},
	}))
	// Output: clone(flags & (CLONE_NEWUTS|CLONE_NEWPID) == 0)
}

// The same words are other numbers on another ABI.
func ExampleArg_Parse() {
	open, _ := syscalltables.Lookup("openat")
	for _, a := range []arch.ABI{arch.X86_64, arch.ARM} {
		flags := symbols.At(a, open, 2)
		v, err := flags.Parse("O_DIRECTORY|O_CLOEXEC")
		fmt.Printf("%v: %#x %v %s\n", a, v, err, flags.Text(v))
	}
	// Output:
	// x86_64: 0x90000 <nil> O_RDONLY|O_DIRECTORY|O_CLOEXEC
	// arm: 0x84000 <nil> O_RDONLY|O_DIRECTORY|O_CLOEXEC
}

func ExampleArg_Given() {
	fcntl, _ := syscalltables.Lookup("fcntl")
	arg := symbols.At(arch.X86_64, fcntl, 2)
	fmt.Println(arg.Text(0x401), "or", arg.Given(1, 4).Text(0x401))
	// Output: 0x401 or O_WRONLY|O_APPEND
}
