package compiler_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/golden"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

var (
	update = flag.Bool("update", false, "write the golden files")
	grow   = flag.Bool("grow", false, "with -update: let golden programs become longer")
)

const goldens = "../testdata/golden"

// A sample is a profile for stated ABIs whose program is kept in the repository.
type sample struct {
	name    string
	profile []byte
	options policy.Options
}

// everyGolden returns Docker's default profile for every family of ABIs, and the
// profiles in testdata for the ABIs that they name.
func everyGolden(t *testing.T) []sample {
	t.Helper()
	var all []sample
	for a := range arch.All() {
		if a.Main() == a {
			all = append(all, sample{"docker-" + a.String(), preset.Docker(), policy.Options{ABIs: a.Family()}})
		}
	}
	off := policy.ENOSYS{Off: true}
	all = append(all,
		sample{"docker-x86_64-alone", preset.Docker(), policy.Options{ABIs: []arch.ABI{arch.X86_64}, ENOSYS: off}},
		sample{"docker-x86_64-off", preset.Docker(), policy.Options{ABIs: arch.X86_64.Family(), ENOSYS: off}},
		sample{"docker-x32-alone", preset.Docker(), policy.Options{ABIs: []arch.ABI{arch.X32}}},
		sample{"docker-x86_64-kernel-5.10", preset.Docker(), policy.Options{ABIs: arch.X86_64.Family(),
			ENOSYS: policy.ENOSYS{Kernel: syscalltables.Version{Major: 5, Minor: 10}}}},
	)
	files, err := filepath.Glob("../testdata/profiles/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no profiles: %v", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := oci.Read(b, policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")})
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		abis := p.ABIs
		if len(abis) == 0 {
			abis = []arch.ABI{arch.X86_64}
		}
		all = append(all, sample{strings.TrimSuffix(filepath.Base(f), ".json"), b, policy.Options{ABIs: abis}})
	}
	return all
}

func TestGoldenPrograms(t *testing.T) {
	sizes := new(strings.Builder)
	files := map[string]bool{"sizes.txt": true}
	for _, g := range everyGolden(t) {
		t.Run(g.name, func(t *testing.T) {
			r := resolve(t, g.profile, g.options)
			program, _, err := compiler.Compile(r, compiler.Options{})
			if err != nil {
				t.Fatal(err)
			}
			raw, err := program.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			text := program.Disassemble(policy.Names())
			files[g.name+".bpf"], files[g.name+".txt"] = true, true
			if old, err := os.ReadFile(filepath.Join(goldens, g.name+".bpf")); err == nil && len(raw) > len(old) && !*grow {
				t.Fatalf("%d instructions, the golden program has %d (-update -grow if that is right)", len(raw)/8, len(old)/8)
			}
			golden.Check(t, *update, filepath.Join(goldens, g.name+".bpf"), string(raw))
			golden.Check(t, *update, filepath.Join(goldens, g.name+".txt"), text)
			fmt.Fprintf(sizes, "%-40s %4d\n", g.name, program.Len())
			prove(t, r, program)

			again, err := cbpf.Assemble([]byte(text), policy.Names())
			if err != nil {
				t.Fatal(err)
			}
			if b, err := again.AppendBinary(nil); err != nil || !bytes.Equal(b, raw) {
				t.Errorf("the text assembles to another program: %v", err)
			}
		})
	}
	golden.Check(t, *update, filepath.Join(goldens, "sizes.txt"), sizes.String())
	orphans(t, files)
}

// resolve makes a policy of a profile, for stated ABIs.
func resolve(t *testing.T, profile []byte, o policy.Options) *policy.Resolved {
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

// prove fails unless the program is proved to mean what the policy does, without
// an instruction too many and with every unconditional allow in the bitmap.
func prove(t *testing.T, r *policy.Resolved, p *cbpf.Program) {
	t.Helper()
	report, err := proof.Check(proof.Policy(r), p, proof.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() {
		t.Errorf("%v", report)
	}
}

func orphans(t *testing.T, files map[string]bool) {
	t.Helper()
	entries, err := os.ReadDir(goldens)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()] {
			continue
		}
		t.Errorf("%s belongs to no test", e.Name())
		if *update {
			if err := os.Remove(filepath.Join(goldens, e.Name())); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestGoldenProgramsAtEveryEffort(t *testing.T) {
	for _, g := range everyGolden(t) {
		r := resolve(t, g.profile, g.options)
		fast, _, err := compiler.Compile(r, compiler.Options{})
		if err != nil {
			t.Fatal(err)
		}
		best, _, err := compiler.Compile(r, compiler.Options{Effort: compiler.Exhaustive})
		if err != nil {
			t.Fatal(err)
		}
		prove(t, r, best)
		weighted, _, err := compiler.Compile(r, compiler.Options{Weights: map[string]uint64{"futex": 870, "read": 20, "nosuchcall": 9, "clone": 0}})
		if err != nil {
			t.Fatal(err)
		}
		prove(t, r, weighted)
		if n := fast.Len() - best.Len(); n > 3+best.Len()/20 {
			t.Errorf("%s: fast %d, exhaustive %d instructions", g.name, fast.Len(), best.Len())
		}
	}
}

func TestUnknownEffort(t *testing.T) {
	r, _, err := policy.Resolve(&policy.Policy{Default: cbpf.Allow}, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := compiler.Compile(r, compiler.Options{Effort: 9})
	if want := "compiler: Options.Effort: 9 is not an Effort (use Fast or Exhaustive)"; p != nil || err == nil || err.Error() != want {
		t.Errorf("got %v, error %v, want %s", p, err, want)
	}
}
