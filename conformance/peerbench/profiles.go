package main

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/conformance/internal/kernel"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// A profile is what the contenders compile.
type profile struct {
	name  string
	spec  *specs.LinuxSeccomp
	abis  []arch.ABI
	calls []call // what to measure in the kernel; nil for nothing
}

// A call is a system call to measure, under the name of what the profile does to it.
type call struct {
	name string
	kernel.Syscall
}

// native reports whether this host can load the profile's filters.
func (p *profile) native() bool { return slices.Contains(p.abis, arch.Native()) }

// dockerCalls are calls of x86_64 that Docker's profile decides in each of the
// three ways; none does anything.
func dockerCalls() []call {
	return []call{
		{"cached", kernel.Syscall{NR: 110}},                                    // getppid()
		{"conditional", kernel.Syscall{NR: 135, Args: [6]uintptr{0xffffffff}}}, // personality(query)
		{"denied", kernel.Syscall{NR: 212}},                                    // lookup_dcookie()
	}
}

func profiles() ([]profile, error) {
	var out []profile
	for _, abis := range [][]arch.ABI{
		{arch.X86_64}, {arch.X86_64, arch.X86}, {arch.X86_64, arch.X86, arch.X32},
		{arch.AArch64, arch.ARM}, {arch.S390X}, {arch.RISCV64}, {arch.PPC64LE},
	} {
		p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: abis[0], Caps: preset.Caps("docker")})
		if err != nil {
			return nil, err
		}
		spec, err := oci.Spec(p)
		if err != nil {
			return nil, err
		}
		b := profile{name: "docker", spec: spec, abis: abis}
		if abis[0] == arch.X86_64 && b.native() {
			b.calls = dockerCalls()
		}
		out = append(out, b)
	}
	for _, name := range []string{"allow-list-72", "ioctl-200", "wide-arguments"} {
		text, err := os.ReadFile(filepath.Join("../testdata/profiles", name+".json"))
		if err != nil {
			return nil, err
		}
		p, _, err := oci.Read(text, policy.Target{})
		if err != nil {
			return nil, err
		}
		spec, err := oci.Spec(p)
		if err != nil {
			return nil, err
		}
		out = append(out, profile{name: name, spec: spec, abis: []arch.ABI{arch.X86_64}})
	}
	return append(out, profile{name: "4000 rules", spec: manyRules(), abis: []arch.ABI{arch.X86_64}}), nil
}

// manyRules allows 4,000 values of one argument of prctl, in runs of forty, so
// that they fit into a program.
func manyRules() *specs.LinuxSeccomp {
	s := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno}
	s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{Names: []string{"exit", "exit_group"}, Action: specs.ActAllow})
	for i := range uint64(4000) {
		s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{
			Names: []string{"prctl"}, Action: specs.ActAllow,
			Args: []specs.LinuxSeccompArg{{Index: 1, Value: i/40*1000 + i%40, Op: specs.OpEqualTo}},
		})
	}
	return s
}
