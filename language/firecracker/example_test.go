package firecracker_test

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/firecracker"
	"github.com/seccompile/seccompile/policy"
)

// A file has filters of several threads. One is named.
func Example() {
	source := language.NewSource([]byte(`{
	"api": {"default_action": "trap", "filter_action": "allow", "filter": [{"syscall": "accept4"}]},
	"vcpu": {"default_action": "trap", "filter_action": "allow", "filter": [
		{"syscall": "read"},
		{"syscall": "ioctl", "args": [{"index": 1, "type": "dword", "op": "eq", "val": 44672, "comment": "KVM_RUN"}]}
	]}
}`))
	reading, err := firecracker.Language{Thread: "vcpu"}.Read(source, policy.Target{ABI: arch.X86_64})
	if err != nil {
		fmt.Println(err)
		return
	}
	resolved, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
	if err != nil {
		fmt.Println(err)
		return
	}
	program, _, err := compiler.Compile(resolved, compiler.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(reading.Policy.Rules), "rules,", program.Len(), "instructions")
	// Output:
	// 2 rules, 12 instructions
}
