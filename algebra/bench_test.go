package algebra_test

import (
	"testing"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/preset"
)

// BenchmarkCombine combines Docker's default profile with that of a container with
// other capabilities: a pair of profiles that differ, and whose result is new.
func BenchmarkCombine(b *testing.B) {
	for _, bench := range []struct {
		name string
		abis []arch.ABI
	}{{"1 ABI", []arch.ABI{arch.X86_64}}, {"3 ABIs", []arch.ABI{arch.X86_64, arch.X86, arch.X32}}} {
		docker := []algebra.Source{docker(b, append(preset.Caps("docker"), "CAP_SYS_ADMIN"), bench.abis...), docker(b, []string{"CAP_SYS_PTRACE", "CAP_SYS_TIME"}, bench.abis...)}
		for _, op := range []algebra.Op{algebra.Intersect, algebra.Union} {
			b.Run(bench.name+"/"+[]string{"intersect", "union"}[op], func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if r := combine(b, op, algebra.Options{}, docker...); r.Profile == nil {
						b.Fatal(r.Refusal)
					}
				}
			})
		}
	}
}
