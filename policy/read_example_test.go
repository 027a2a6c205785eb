package policy_test

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/policy"
)

func ExampleRead() {
	p, warnings, err := policy.Read([]byte(`{
		"defaultAction": "SCMP_ACT_ERRNO",
		"archMap": [{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
		"syscalls": [
			{"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_PTRACE"]}},
			{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"}
		]
	}`), policy.Target{ABI: arch.AArch64, Caps: policy.DefaultCaps()})
	fmt.Println(p.ABIs, warnings, err)
	for _, r := range p.Rules {
		fmt.Println(r.Pointer, r.Names)
	}
	// Output:
	// [aarch64 arm] [] <nil>
	// /syscalls/1 [read write]
}

func ExampleErrors() {
	_, _, err := policy.Read([]byte(`{
		"defaultAction": "SCMP_ACT_ERRNO",
		"syscalls": [{
			"names": [],
			"action": "SCMP_ACT_ALLOW",
			"args": [{"index": 6, "value": "0x10", "op": "SCMP_CMP_EQ"}]
		}]
	}`), policy.Target{})
	fmt.Println(err)
	// Output:
	// policy: /syscalls/0/names: no names: a rule without names decides nothing (name a system call or remove the rule)
	// policy: /syscalls/0/args/0/index: 6: a syscall has only 6 arguments (take 0 to 5)
	// policy: /syscalls/0/args/0/value: want a number, not a string (write 16 without quotes)
}
