package proof_test

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// compiled returns Docker's default profile for some ABIs and the filter that
// the compiler makes of it.
func compiled(t testing.TB, abis ...arch.ABI) (*policy.Resolved, *cbpf.Program) {
	t.Helper()
	p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: abis[0], Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	res, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
	if err != nil {
		t.Fatal(err)
	}
	c, err := compile.Compile(res, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return res, c.Program
}

func TestDockerDefaultIsProvedWithoutFindingsForEveryFamily(t *testing.T) {
	for a := range arch.All() {
		if a.Main() != a {
			continue
		}
		res, p := compiled(t, a.Family()...)
		r, err := proof.Check(proof.Policy(res), p, proof.Limits{})
		if err != nil || !r.OK() {
			t.Errorf("%v: %v %v %s, %v, %v", a, r.Verdict, r.Witness, r.Reason, r.Findings, err)
		}
		if _, steps := p.Trace(&r.LongestCall); len(steps) != r.LongestPath {
			t.Errorf("%v: longest path %d, but its call executes %d", a, r.LongestPath, len(steps))
		}
		t.Logf("%v: %d instructions, longest path %d, %d nodes", a.Family(), p.Len(), r.LongestPath, r.Nodes)
	}
}

func benchmark(b *testing.B, prove func(res *policy.Resolved, p *cbpf.Program) (proof.Result, error), abis ...arch.ABI) {
	res, p := compiled(b, abis...)
	b.ReportAllocs()
	var r proof.Result
	for b.Loop() {
		var err error
		if r, err = prove(res, p); err != nil || r.Verdict != proof.Same {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(p.Len()), "insns")
	b.ReportMetric(float64(r.Nodes), "nodes")
	b.ReportMetric(float64(r.Steps), "steps")
}

func equal(res *policy.Resolved, p *cbpf.Program) (proof.Result, error) {
	return proof.Equal(proof.Policy(res), proof.Program(p), proof.Limits{})
}

func check(res *policy.Resolved, p *cbpf.Program) (proof.Result, error) {
	r, err := proof.Check(proof.Policy(res), p, proof.Limits{})
	return r.Result, err
}

func BenchmarkDockerEqual1ABI(b *testing.B) { benchmark(b, equal, arch.X86_64) }

func BenchmarkDockerEqual3ABIs(b *testing.B) {
	benchmark(b, equal, arch.X86_64, arch.X86, arch.X32)
}

func BenchmarkDockerCheck3ABIs(b *testing.B) {
	benchmark(b, check, arch.X86_64, arch.X86, arch.X32)
}

func BenchmarkDockerExplain3ABIs(b *testing.B) {
	_, p := compiled(b, arch.X86_64, arch.X86, arch.X32)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := proof.Explain(proof.Program(p), proof.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWalk1ABI(b *testing.B) { benchmark(b, proof.Walk, arch.X86_64) }

func BenchmarkWalk3ABIs(b *testing.B) { benchmark(b, proof.Walk, arch.X86_64, arch.X86, arch.X32) }
