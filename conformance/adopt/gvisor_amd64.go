package adopt

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
	"gvisor.dev/gvisor/pkg/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/policy"
)

// BuildProgram is that of gVisor's package runsc/specutils/seccomp.
func BuildProgram(s *specs.LinuxSeccomp) (bpf.Program, error) {
	filter, err := oci.Compile(s, oci.Options{Policy: policy.Options{ABIs: []arch.ABI{arch.Native()}}})
	if err != nil {
		return bpf.Program{}, err
	}
	for _, action := range []cbpf.Action{cbpf.Log, cbpf.Notify, cbpf.KillProcess} {
		if filter.Program.Returns(action) {
			return bpf.Program{}, fmt.Errorf("gVisor's kernel does not have %v", action)
		}
	}
	var instructions []bpf.Instruction
	for _, i := range filter.Program.Raw() {
		instructions = append(instructions, bpf.Instruction{OpCode: i.Op, JumpIfTrue: i.Jt, JumpIfFalse: i.Jf, K: i.K})
	}
	return bpf.Compile(instructions, false) // there is nothing left to optimize
}
