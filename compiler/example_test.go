package compiler_test

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A policy is resolved for its ABIs and compiled. The program is for their kernel, on
// whatever machine this runs.
func ExampleCompile() {
	deny := &policy.Policy{Default: cbpf.Allow, ABIs: []arch.ABI{arch.AArch64}, Rules: []policy.Rule{
		{Names: []string{"ptrace"}, Action: cbpf.KillProcess},
		{Names: []string{"add_key", "keyctl", "request_key"}, Action: cbpf.ErrnoClass},
	}}
	meant, _, err := policy.Resolve(deny, policy.Options{ABIs: deny.ABIs, Mode: policy.Strict, ENOSYS: policy.ENOSYS{Off: true}})
	if err != nil {
		fmt.Println(err)
		return
	}
	program, _, err := compiler.Compile(meant, compiler.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"read", "ptrace", "keyctl"} {
		call, _ := syscalltables.Lookup(name)
		nr, _ := call.Number(arch.AArch64)
		fmt.Println(name, program.Eval(&cbpf.Data{NR: nr, Arch: arch.AArch64.Audit()}))
	}
	// Output:
	// read ALLOW
	// ptrace KILL_PROCESS
	// keyctl ERRNO(1)
}
