package policy_test

import (
	"fmt"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

func dockerDefault(t testing.TB, a arch.ABI) *policy.Policy {
	t.Helper()
	p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: a, Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Docker's default profile on every family: for every number of every table, and
// those around them, Eval and the second implementation agree.
func TestDockerDefaultMeansTheSame(t *testing.T) {
	for a := range arch.All() {
		if a != a.Main() {
			continue
		}
		for _, mode := range []policy.ENOSYS{{}, {Off: true}, {Kernel: syscalltables.Version{Major: 6, Minor: 1}}} {
			t.Run(fmt.Sprintf("%v/%v", a, mode), func(t *testing.T) {
				m := &reading{dockerDefault(t, a), policy.Options{ABIs: a.Family(), ENOSYS: mode}}
				r := resolve(t, m.p, m.o)
				if err := r.Validate(); err != nil {
					t.Error(err)
				}
				for _, b := range a.Family() {
					for offset := range uint32(520) {
						if testing.Short() && offset%7 != 0 {
							continue
						}
						d := &cbpf.Data{Arch: b.Audit(), NR: b.Base() + offset, Args: [6]uint64{uint64(offset % 48), 1}}
						if got, want := r.Eval(d), m.eval(d); got != want {
							t.Fatalf("%v %d: got %v, want %v", b, d.NR, got, want)
						}
					}
				}
			})
		}
	}
}

func BenchmarkResolveDocker(b *testing.B) {
	p := dockerDefault(b, arch.X86_64)
	for _, abis := range [][]arch.ABI{{arch.X86_64}, arch.X86_64.Family()} {
		b.Run(fmt.Sprintf("%d ABIs", len(abis)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := policy.Resolve(p, policy.Options{ABIs: abis}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Most names of a profile cost a look-up in the tables and a call on each ABI, and nothing else.
func TestResolveAllocatesLittle(t *testing.T) {
	p, o := dockerDefault(t, arch.X86_64), policy.Options{ABIs: arch.X86_64.Family()}
	const most = 90
	if n := testing.AllocsPerRun(10, func() { resolve(t, p, o) }); n > most {
		t.Errorf("%v allocations, want at most %d", n, most)
	}
}

func BenchmarkEval(b *testing.B) {
	r, _, err := policy.Resolve(dockerDefault(b, arch.X86_64), policy.Options{ABIs: arch.X86_64.Family()})
	if err != nil {
		b.Fatal(err)
	}
	var nr uint32
	for b.Loop() {
		r.Eval(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: nr % 512})
		nr++
	}
}

func BenchmarkValidateDocker(b *testing.B) {
	r, _, err := policy.Resolve(dockerDefault(b, arch.X86_64), policy.Options{ABIs: arch.X86_64.Family()})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestValidateAllocatesNothing(t *testing.T) {
	r, _, err := policy.Resolve(dockerDefault(t, arch.X86_64), policy.Options{ABIs: arch.X86_64.Family()})
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() { err = r.Validate() }); n != 0 || err != nil {
		t.Errorf("%v allocations, %v", n, err)
	}
}
