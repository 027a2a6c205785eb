package moby_test

import (
	"fmt"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language/moby"
	"github.com/seccompile/seccompile/policy"
)

// A program that has a profile as a value of moby's type reads it for a target.
func ExampleRead() {
	profile := &seccomp.Seccomp{
		LinuxSeccomp: specs.LinuxSeccomp{DefaultAction: specs.ActErrno},
		Syscalls: []*seccomp.Syscall{
			{LinuxSyscall: specs.LinuxSyscall{Names: []string{"read"}, Action: specs.ActAllow}},
			{LinuxSyscall: specs.LinuxSyscall{Names: []string{"bpf"}, Action: specs.ActAllow}, Includes: &seccomp.Filter{Caps: []string{"CAP_BPF"}}},
		},
	}
	for _, caps := range [][]string{nil, {"CAP_BPF"}} {
		p, warnings, err := moby.Read(profile, policy.Target{ABI: arch.X86_64, Caps: caps})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(p.ABIs, len(p.Rules), warnings)
	}
	// Output:
	// [x86_64] 1 []
	// [x86_64] 2 []
}
