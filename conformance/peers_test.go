package conformance

import (
	"errors"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/peers"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// gVisor compiles what a policy means as we do, for x86_64 and numbers that are
// not x32's.
func TestGVisor(t *testing.T) {
	abis := []arch.ABI{arch.X86_64}
	compared := 0
	for seed := range uint64(cases(t)) {
		r := gen.New(seed)
		p := gen.Policy(r, gen.Options{ABIs: abis})
		meant, _, err := policy.Resolve(p, policy.Options{ABIs: abis, ENOSYS: policy.ENOSYS{Off: true}})
		if err != nil {
			continue
		}
		theirs, err := peers.GVisor{}.Compile(spec(t, p), abis)
		var tooLong *cbpf.VerifyError
		if errors.Is(err, peers.ErrInexpressible) || errors.As(err, &tooLong) {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		compared++
		for d := range gen.Points(r, meant, theirs, 4) {
			if d.Arch == arch.X86_64.Audit() && d.NR >= arch.X32Bit {
				continue
			}
			if want, got := theirs.Eval(d), meant.Eval(d); got != want {
				t.Fatalf("seed %d: %v, gVisor %v: %s", seed, got, want, about(meant, d))
			}
		}
	}
	t.Logf("%d policies agree", compared)
	if compared < cases(t)/4 {
		t.Errorf("only %d policies were compared", compared)
	}
}

// go-seccomp-bpf compiles lists of names as we do, for x86_64 and numbers that
// are not x32's, and conditions on one call.
func TestGoSeccompBPF(t *testing.T) {
	abis := []arch.ABI{arch.X86_64}
	for seed := range uint64(cases(t)) {
		r := gen.New(seed)
		p := &policy.Policy{Default: cbpf.ErrnoClass}
		for nr, c := range syscalltables.All(arch.X86_64) {
			if nr < 335 && r.IntN(2) == 0 { // it knows all of those
				p.Rules = append(p.Rules, policy.Rule{Names: []string{c.Name()}, Action: cbpf.Allow})
			}
		}
		last := &p.Rules[len(p.Rules)-1]
		for index := range uint(r.IntN(4)) {
			op := policy.NotEqual + policy.Op(r.IntN(6))
			last.Args = append(last.Args, policy.Arg{Index: index, Op: op, Value: gen.Word(r)})
		}
		meant, _, err := policy.Resolve(p, policy.Options{ABIs: abis, ENOSYS: policy.ENOSYS{Off: true}})
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := peers.Elastic{}.Compile(spec(t, p), abis)
		if err != nil {
			t.Fatal(err)
		}
		for d := range gen.Points(r, meant, theirs, 2) {
			if d.Arch != arch.X86_64.Audit() || d.NR >= arch.X32Bit {
				continue
			}
			if want, got := theirs.Eval(d), meant.Eval(d); got != want {
				t.Fatalf("seed %d: %v, go-seccomp-bpf %v: %s", seed, got, want, about(meant, d))
			}
		}
	}
}
