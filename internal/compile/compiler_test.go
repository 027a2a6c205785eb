package compile_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// resolve makes docker's default policy for stated ABIs.
func resolve(t testing.TB, profile []byte, o policy.Options) *policy.Resolved {
	t.Helper()
	p, _, err := oci.Read(profile, policy.Target{ABI: o.ABIs[0].Main(), Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := policy.Resolve(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var efforts = []bool{false, true}

// agree fails unless every stage decides the call as the policy does.
func agree(t *testing.T, r *policy.Resolved, res *compile.Result, d *cbpf.Data) {
	t.Helper()
	want := r.Eval(d)
	if got := res.Diagram.Eval(d); got != want {
		t.Fatalf("diagram: %+v: %v, want %v\n%v\n%v", *d, got, want, r, res.Diagram)
	}
	if got := res.Tree.Eval(d); got != want {
		t.Fatalf("tree: %+v: %v, want %v\n%v\n%v\n%v", *d, got, want, r, res.Diagram, res.Tree)
	}
	if got := res.Program.Eval(d); got != want {
		t.Fatalf("program: %+v: %v, want %v\n%v\n%v\n%v", *d, got, want, r, res.Tree, res.Program)
	}
}

func TestEveryUnconditionalAllowIsConstant(t *testing.T) {
	for seed := range uint64(gen.Many(100, 500)) {
		rnd := gen.New(seed)
		r, _, err := policy.Resolve(gen.Policy(rnd, gen.Options{}), gen.ResolveOptions(rnd))
		if err != nil {
			continue
		}
		res, err := compile.Compile(r, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Spaces {
			s := &r.Spaces[i]
			for _, c := range s.Calls {
				want := len(c.Clauses[0].Conds) == 0 && c.Clauses[0].Action == cbpf.Allow
				if got, _ := res.Program.ConstAllow(s.Audit, c.NR); want && !got {
					t.Errorf("seed %d: %v %d is not constant", seed, c.ABI, c.NR)
				}
			}
		}
	}
}

func TestSameBytesEveryTime(t *testing.T) {
	for seed := range uint64(50) {
		var first []byte
		for range 3 {
			rnd := gen.New(seed)
			r, _, err := policy.Resolve(gen.Policy(rnd, gen.Options{}), gen.ResolveOptions(rnd))
			if err != nil {
				break
			}
			res, err := compile.Compile(r, compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			b, err := res.Program.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = b
			}
			if !bytes.Equal(b, first) {
				t.Fatalf("seed %d: %s", seed, cmp.Diff(first, b))
			}
		}
	}
}

var x86 = [][]arch.ABI{
	{arch.X86_64},
	{arch.X86_64, arch.X86},
	{arch.X86_64, arch.X86, arch.X32},
}

// TestDockerStaysSmallAndFast holds the lengths and paths of the filters for
// Docker's profile, without an ENOSYS bound.
func TestDockerStaysSmallAndFast(t *testing.T) {
	for i, limit := range []struct {
		instructions int
		allowed      float64 // executed for an allowed call, on average
	}{{66, 9.3}, {150, 9.3}, {200, 9.8}} {
		for _, effort := range efforts {
			if effort == true {
				limit.allowed += 0.2 // its cost counts denied calls and length as well
			}
			r := resolve(t, preset.Docker(), policy.Options{ABIs: x86[i], ENOSYS: policy.ENOSYS{Off: true}})
			res, err := compile.Compile(r, compile.Options{Exhaustive: effort})
			if err != nil {
				t.Fatal(err)
			}
			allowed, missed := executed(res.Program)
			t.Logf("%v, effort %v: %d instructions, allowed calls %v, those that miss the bitmap %v", x86[i], effort, res.Program.Len(), allowed, missed)
			if res.Program.Len() > limit.instructions {
				t.Errorf("%v: %d instructions, want at most %d", x86[i], res.Program.Len(), limit.instructions)
			}
			if allowed.mean() > limit.allowed || missed.mean() > 12.4 || missed.most > 16 {
				t.Errorf("%v: allowed calls execute %v, want a mean of at most %v; those that miss the bitmap %v", x86[i], allowed, limit.allowed, missed)
			}
		}
	}
}

// A count sums up executed instructions.
type count struct{ calls, sum, most int }

func (c *count) add(n int) { c.calls, c.sum, c.most = c.calls+1, c.sum+n, max(c.most, n) }

func (c count) mean() float64 { return float64(c.sum) / float64(c.calls) }

func (c count) String() string {
	return fmt.Sprintf("%.2f/%d (%d calls)", c.mean(), c.most, c.calls)
}

// executed counts the instructions of the x86_64 calls that are allowed with
// arguments of zero, and of those among them that miss the kernel's bitmap.
func executed(p *cbpf.Program) (allowed, missed count) {
	for nr := range uint32(601) {
		d := cbpf.Data{NR: nr, Arch: arch.X86_64.Audit()}
		a, steps := p.Trace(&d)
		if a != cbpf.Allow {
			continue
		}
		allowed.add(len(steps))
		if ok, _ := p.ConstAllow(d.Arch, nr); !ok {
			missed.add(len(steps))
		}
	}
	return allowed, missed
}

func BenchmarkDocker(b *testing.B) {
	for _, abis := range x86 {
		for _, effort := range efforts {
			b.Run(fmt.Sprintf("%vABIs/exhaustive=%v", len(abis), effort), func(b *testing.B) {
				p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					r, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
					if err != nil {
						b.Fatal(err)
					}
					res, err := compile.Compile(r, compile.Options{Exhaustive: effort})
					if err != nil {
						b.Fatal(err)
					}
					if _, err := res.Program.AppendBinary(nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
