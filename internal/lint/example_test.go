package lint_test

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

func ExampleCheck() {
	report := lint.Check(language.NewSource([]byte(`{
		"defaultAction": "SCMP_ACT_ALLOW",
		"architectures": ["SCMP_ARCH_RISCV64"],
		"syscalls": [
			{"names": ["moutn"], "action": "SCMP_ACT_ERRNO"},
			{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [
				{"index": 0, "value": 268435456, "valueTwo": 268435456, "op": "SCMP_CMP_MASKED_EQ"}
			]}
		]
	}`)), lint.Options{For: lint.Docker, Target: policy.Target{ABI: arch.RISCV64, Caps: preset.Caps("docker")}})
	for _, f := range report.Findings {
		if f.Severity >= lint.Warning {
			fmt.Printf("%d:%d %v: %s\n  %s\n", f.Line, f.Column, f.Severity, f.Reason, f.Fix)
		}
	}
	// Output:
	// 5:15 warning: "moutn": Linux has no such call on any ABI
	//   write mount
	// 6:15 warning: clone is restricted, but clone3 is allowed with any arguments and can do the same
	//   answer clone3 with ENOSYS, and programs use clone
}
