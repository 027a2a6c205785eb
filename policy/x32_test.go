package policy_test

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// x32's numbers get the action that a policy has for them where x32 is not a target.
func TestX32(t *testing.T) {
	enosys := cbpf.Errno(38)
	p := &policy.Policy{Default: cbpf.Allow, Elsewhere: cbpf.Trap, X32: &enosys, NoBound: true,
		Rules: []policy.Rule{{Names: []string{"read"}, Action: cbpf.KillProcess}}}
	both := []arch.ABI{arch.X86_64, arch.X32}
	x32 := uint32(arch.X32Bit)
	tests := []struct {
		order policy.Order
		abis  []arch.ABI
		bad   cbpf.Action
		audit uint32
		nr    uint32
		want  cbpf.Action
	}{
		{policy.Libseccomp, both[:1], 0, arch.X86_64.Audit(), x32, enosys},
		{policy.FirstMatch, both[:1], 0, arch.X86_64.Audit(), x32, enosys},
		{policy.FirstMatch, both[:1], 0, arch.X86_64.Audit(), 1<<32 - 1, enosys},
		{policy.FirstMatch, both[:1], 0, arch.X86_64.Audit(), x32 - 1, cbpf.Allow},
		{policy.FirstMatch, both[:1], 0, arch.X86_64.Audit(), 0, cbpf.KillProcess},
		{policy.FirstMatch, both[:1], 0, arch.X86.Audit(), 3, cbpf.Trap},
		{policy.FirstMatch, both[:1], cbpf.Log, arch.X86_64.Audit(), x32, cbpf.Log},
		{policy.FirstMatch, both, 0, arch.X86_64.Audit(), x32, cbpf.KillProcess},
		{policy.FirstMatch, both, 0, arch.X86_64.Audit(), x32 + 1, cbpf.Allow},
		{policy.FirstMatch, []arch.ABI{arch.AArch64}, 0, arch.X86_64.Audit(), x32, cbpf.Trap},
	}
	for _, tt := range tests {
		p.Order = tt.order
		r, _, err := policy.Resolve(p, policy.Options{ABIs: tt.abis, BadArch: tt.bad})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Eval(&cbpf.Data{Arch: tt.audit, NR: tt.nr}); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
	wrong := cbpf.Allow | 1
	p.X32 = &wrong
	_, _, err := policy.Resolve(p, policy.Options{ABIs: both[:1]})
	if want := "policy: action for x32 ALLOW(1): the kernel has no such action (name one, with data only for ERRNO, TRACE and TRAP)"; err == nil || err.Error() != want {
		t.Error(err)
	}
}
