package conformance

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/internal/optimize"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// What optimize makes of libseccomp's programs for Docker's default profile, which
// it knows nothing else of, is at most 5 % longer than what the compiler makes of
// the profile.
func TestOptimizeLibseccomp(t *testing.T) {
	for _, abis := range [][]arch.ABI{
		{arch.X86_64, arch.X86, arch.X32}, {arch.X86_64}, {arch.AArch64, arch.ARM}, {arch.S390X, arch.S390}, {arch.PPC64LE}, {arch.RISCV64},
	} {
		if slices.ContainsFunc(abis, func(a arch.ABI) bool { return !scmp.Supports(a) }) {
			t.Errorf("libseccomp does not know one of %v", abis)
			continue
		}
		asked, _, err := oci.Read(preset.Docker(), policy.Target{ABI: abis[0]})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []scmp.Options{{Level: 1, NoStub: true}, {Level: 2, NoStub: true}, {Level: 2}} {
			t.Run(fmt.Sprintf("%v/level %d, stub %v", abis, o.Level, !o.NoStub), func(t *testing.T) {
				theirs, err := scmp.Compile(spec(t, asked), abis, o)
				if err != nil {
					t.Fatal(err)
				}
				meant, _, err := policy.Resolve(asked, policy.Options{ABIs: abis, ENOSYS: policy.ENOSYS{Off: o.NoStub}})
				if err != nil {
					t.Fatal(err)
				}
				ours, _, err := compiler.Compile(meant, compiler.Options{})
				if err != nil {
					t.Fatal(err)
				}
				r, err := optimize.Program(theirs, proof.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("libseccomp %d instructions, optimised %d, compiled %d; %d calls run",
					theirs.Len(), r.Program.Len(), ours.Len(), r.Points)
				if 100*r.Program.Len() > 105*ours.Len() {
					t.Error("more than 5 % longer than the compiler's")
				}
				if r.Proof.Verdict != proof.Same || r.Points == 0 {
					t.Errorf("proof %v, %d calls run", r.Proof.Verdict, r.Points)
				}
			})
		}
	}
}
