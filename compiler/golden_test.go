package compiler_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/policy/docker"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

var (
	update = flag.Bool("update", false, "write the golden files")
	grow   = flag.Bool("grow", false, "with -update: let golden programs become longer")
)

const goldens = "../testdata/golden"

// A golden is a profile for stated ABIs whose program is kept in the repository.
type golden struct {
	name    string
	profile []byte
	options policy.Options
}

// everyGolden returns Docker's default profile for every family of ABIs, and the
// profiles in testdata for the ABIs that they name.
func everyGolden(t *testing.T) []golden {
	t.Helper()
	var all []golden
	for a := range arch.All() {
		if a.Main() == a {
			all = append(all, golden{"docker-" + a.String(), docker.Default(), policy.Options{ABIs: a.Family()}})
		}
	}
	off := policy.ENOSYS{Off: true}
	all = append(all,
		golden{"docker-x86_64-alone", docker.Default(), policy.Options{ABIs: []arch.ABI{arch.X86_64}, ENOSYS: off}},
		golden{"docker-x86_64-off", docker.Default(), policy.Options{ABIs: arch.X86_64.Family(), ENOSYS: off}},
		golden{"docker-x32-alone", docker.Default(), policy.Options{ABIs: []arch.ABI{arch.X32}}},
		golden{"docker-x86_64-kernel-5.10", docker.Default(), policy.Options{ABIs: arch.X86_64.Family(),
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
		p, _, err := policy.Read(b, policy.Target{ABI: arch.X86_64, Caps: policy.DefaultCaps()})
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		abis := p.ABIs
		if len(abis) == 0 {
			abis = []arch.ABI{arch.X86_64}
		}
		all = append(all, golden{strings.TrimSuffix(filepath.Base(f), ".json"), b, policy.Options{ABIs: abis}})
	}
	return all
}

func TestGoldenPrograms(t *testing.T) {
	sizes := new(strings.Builder)
	files := map[string]bool{"sizes.txt": true}
	for _, g := range everyGolden(t) {
		t.Run(g.name, func(t *testing.T) {
			r := resolve(t, g.profile, g.options)
			res, err := compiler.Compile(r, compiler.Options{})
			if err != nil {
				t.Fatal(err)
			}
			raw, err := res.Program.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			text := res.Program.Disassemble(syscalltables.Names{})
			files[g.name+".bpf"], files[g.name+".txt"] = true, true
			if old, err := os.ReadFile(filepath.Join(goldens, g.name+".bpf")); err == nil && len(raw) > len(old) && !*grow {
				t.Fatalf("%d instructions, the golden program has %d (-update -grow if that is right)", len(raw)/8, len(old)/8)
			}
			compare(t, g.name+".bpf", raw)
			compare(t, g.name+".txt", []byte(text))
			fmt.Fprintf(sizes, "%-40s %4d\n", g.name, res.Program.Len())
			prove(t, r, res.Program)

			again, err := cbpf.Assemble([]byte(text), syscalltables.Names{})
			if err != nil {
				t.Fatal(err)
			}
			if b, err := again.AppendBinary(nil); err != nil || !bytes.Equal(b, raw) {
				t.Errorf("the text assembles to another program: %v", err)
			}
		})
	}
	compare(t, "sizes.txt", []byte(sizes.String()))
	orphans(t, files)
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

func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join(goldens, name)
	if *update {
		if err := os.MkdirAll(goldens, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (-update writes it)", err)
	}
	if bytes.Equal(want, got) {
		return
	}
	if strings.HasSuffix(name, ".bpf") {
		t.Errorf("%s has other instructions than this run (-update if that is right)", name)
		return
	}
	t.Errorf("%s is -, this run + (-update if that is right)\n%s", name, cmp.Diff(string(want), string(got)))
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
		fast, err := compiler.Compile(r, compiler.Options{})
		if err != nil {
			t.Fatal(err)
		}
		best, err := compiler.Compile(r, compiler.Options{Effort: compiler.Exhaustive})
		if err != nil {
			t.Fatal(err)
		}
		prove(t, r, best.Program)
		weighted, err := compiler.Compile(r, compiler.Options{Weights: map[string]uint64{"futex": 870, "read": 20, "nosuchcall": 9, "clone": 0}})
		if err != nil {
			t.Fatal(err)
		}
		prove(t, r, weighted.Program)
		if n := fast.Program.Len() - best.Program.Len(); n > 3+best.Program.Len()/20 {
			t.Errorf("%s: fast %d, exhaustive %d instructions", g.name, fast.Program.Len(), best.Program.Len())
		}
	}
}
