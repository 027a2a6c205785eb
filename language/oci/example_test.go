package oci_test

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

func ExampleRead() {
	p, warnings, err := oci.Read([]byte(`{
		"defaultAction": "SCMP_ACT_ERRNO",
		"archMap": [{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
		"syscalls": [
			{"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_PTRACE"]}},
			{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"}
		]
	}`), policy.Target{ABI: arch.AArch64, Caps: preset.Caps("docker")})
	fmt.Println(p.ABIs, warnings, err)
	for _, r := range p.Rules {
		fmt.Println(r.Pointer, r.Names)
	}
	// Output:
	// [aarch64 arm] [] <nil>
	// /syscalls/1 [read write]
}

func ExampleRead_problems() {
	_, _, err := oci.Read([]byte(`{
		"defaultAction": "SCMP_ACT_ERRNO",
		"syscalls": [{
			"names": ["ioctl"],
			"action": "SCMP_ACT_ALOW",
			"args": [{"index": 1, "value": "0x10", "op": "SCMP_CMP_EQ"}, {"index": 2}]
		}]
	}`), policy.Target{})
	fmt.Println(err)
	// Output:
	// policy: /syscalls/0/action: "SCMP_ACT_ALOW": unknown action (did you mean SCMP_ACT_ALLOW?)
	// policy: /syscalls/0/args/0/value: expected a number, got a string (write 16 without quotes)
	// policy: /syscalls/0/args/1/value: missing: the condition does not say what to compare with (add a number)
	// policy: /syscalls/0/args/1/op: missing: the condition does not say how to compare (add one, such as SCMP_CMP_EQ)
}

// A program that knows the format says so. Then keys of other formats have no effect.
func ExampleLanguage() {
	text := []byte(`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
	{"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}}]}`)
	source := language.NewSource(text)
	fmt.Println("detected:", oci.Detect(source))
	for _, format := range []oci.Format{oci.Docker, oci.OCI} {
		reading, err := oci.Language{Format: format}.Read(source, policy.Target{ABI: arch.X86_64})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(format, "rules:", len(reading.Policy.Rules))
		for _, w := range reading.Warnings {
			fmt.Printf("%d:%d: %s\n", w.Line, w.Column, w.Message)
		}
	}
	// Output:
	// detected: docker
	// docker rules: 0
	// oci rules: 1
	// 2:51: a key of Docker's format has no effect in an OCI profile
}

// A container runtime has the profile as a value already.
func ExampleFromSpec() {
	p, err := oci.FromSpec(&specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno,
		Architectures: []specs.Arch{specs.ArchAARCH64},
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"read"}, Action: specs.ActAllow}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.ABIs, p.Rules[0].Names, p.Rules[0].Pointer)
	// Output: [aarch64] [read] /syscalls/0
}

func ExamplePrint() {
	text, err := oci.Print(&policy.Policy{
		Default: cbpf.ErrnoClass,
		ABIs:    []arch.ABI{arch.RISCV64},
		Rules:   []policy.Rule{{Names: []string{"read", "write"}, Action: cbpf.Allow}},
	})
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(text)
	// Output:
	// {
	// 	"defaultAction": "SCMP_ACT_ERRNO",
	// 	"architectures": [
	// 		"SCMP_ARCH_RISCV64"
	// 	],
	// 	"syscalls": [
	// 		{
	// 			"names": [
	// 				"read",
	// 				"write"
	// 			],
	// 			"action": "SCMP_ACT_ALLOW"
	// 		}
	// 	]
	// }
}
