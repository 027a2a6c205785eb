package lint_test

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/lint"
	"github.com/seccompile/seccompile/policy"
)

func ExampleCheck() {
	report := lint.Check([]byte(`{
		"defaultAction": "SCMP_ACT_ALLOW",
		"architectures": ["SCMP_ARCH_RISCV64"],
		"syscalls": [
			{"names": ["moutn"], "action": "SCMP_ACT_ERRNO"},
			{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [
				{"index": 0, "value": 268435456, "valueTwo": 268435456, "op": "SCMP_CMP_MASKED_EQ"}
			]}
		]
	}`), lint.Options{For: lint.Docker, Target: policy.Target{ABI: arch.RISCV64, Caps: policy.DefaultCaps()}})
	for _, f := range report.Findings {
		if f.Severity >= lint.Warning {
			fmt.Printf("%d:%d %v: %s\n  %s\n", f.Line, f.Column, f.Severity, f.Reason, f.Fix)
		}
	}
	// Output:
	// 5:15 warning: "moutn": Linux has no such call on any ABI
	//   write mount
	// 6:15 warning: clone is held back, but clone3 is allowed whatever the arguments, and can do the same
	//   hold clone3 back as well, or let fail with ENOSYS what has its arguments in memory
}
