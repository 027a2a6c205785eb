package lxc_test

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/lxc"
	"github.com/seccompile/seccompile/policy"
)

// A policy is for all ABIs of the container's host.
func Example() {
	source := language.NewSource([]byte(`2
denylist
reject_force_umount
[all]
kexec_load errno 1
init_modul errno 1
mknod notify [1,8192,SCMP_CMP_MASKED_EQ,61440]
`))
	reading, err := lxc.Language{}.Read(source, policy.Target{ABI: arch.X86_64})
	if err != nil {
		fmt.Println(err)
		return
	}
	resolved, warnings, err := policy.Resolve(reading.Policy, policy.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, w := range warnings {
		fmt.Println(w)
	}
	program, _, err := compiler.Compile(resolved, compiler.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(reading.Policy.ABIs, program.Len(), "instructions")
	// Output:
	// 6:1: "init_modul": Linux has no such call on any ABI (did you mean init_module?) (unknown-name)
	// [x86_64 x32 x86] 24 instructions
}
