package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// A length is how long filters of one meaning are.
type length struct{ ours, theirs int } // theirs is libseccomp's shorter one of two levels

// lengths compiles a policy with both compilers. ok is false if one of them refuses it, or
// if libseccomp's filter is shorter and does not mean the same.
func lengths(t *testing.T, p *policy.Policy, abis []arch.ABI) (l length, ok bool) {
	t.Helper()
	meant, _, err := policy.Resolve(p, policy.Options{ABIs: abis, ENOSYS: policy.ENOSYS{Off: true}})
	if err != nil {
		return l, false
	}
	asked, err := oci.Spec(p)
	if err != nil {
		return l, false
	}
	list, err := scmp.Compile(asked, abis, scmp.Options{Level: 1, NoStub: true})
	if err != nil {
		return l, false
	}
	tree, err := scmp.Compile(asked, abis, scmp.Options{Level: 2, NoStub: true})
	if err != nil {
		return l, false
	}
	ours, defects, err := compiler.Compile(meant, compiler.Options{})
	if err != nil || len(defects) > 0 {
		t.Fatalf("%v, %v", err, defects)
	}
	shorter := list
	if tree.Len() < list.Len() {
		shorter = tree
	}
	if ours.Len() > shorter.Len() {
		same, err := proof.Equal(proof.Policy(meant), proof.Program(shorter), proof.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if same.Verdict != proof.Same {
			return l, false
		}
	}
	return length{ours.Len(), shorter.Len()}, true
}

// Filters are not longer than libseccomp's, but for a few that share what libseccomp
// happens to share.
func TestLengthsOfProfiles(t *testing.T) {
	known := map[string]int{ // by how much
		"libseccomp-16 [x86]":            1, // socketcall's last value ends with write's
		"libseccomp-16 [x86_64 x86 x32]": 1,
		"libseccomp-48 [aarch64]":        2, // lower words of two values are the same, upper ones differ
		"libseccomp-48 [s390x]":          2,
	}
	var sum length
	count := 0
	compare := func(name string, p *policy.Policy, abis []arch.ABI) {
		l, ok := lengths(t, p, abis)
		if !ok {
			return
		}
		count++
		sum.ours, sum.theirs = sum.ours+l.ours, sum.theirs+l.theirs
		name += fmt.Sprintf(" %v", abis)
		if l.ours > l.theirs+known[name] {
			t.Errorf("%s: %d instructions, libseccomp %d", name, l.ours, l.theirs)
		}
		if n := known[name]; n > 0 && l.ours < l.theirs+n {
			t.Errorf("%s: %d instructions, libseccomp %d: better than what is known", name, l.ours, l.theirs)
		}
	}
	for _, file := range profilesOf(t, "counts/testdata/policies", "../testdata/profiles") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := oci.Read(text, policy.Target{})
		if err != nil {
			continue // in the format of an engine
		}
		sets := [][]arch.ABI{
			{arch.X86_64}, {arch.X86}, {arch.AArch64}, {arch.S390X},
			{arch.X86_64, arch.X86}, {arch.X86_64, arch.X86, arch.X32},
		}
		if len(p.ABIs) > 0 {
			sets = append(sets, p.ABIs)
		}
		for _, abis := range sets {
			name := filepath.Base(file)
			compare(name[:len(name)-len(".json")], p, abis)
		}
	}
	for _, name := range []string{"docker", "podman", "containerd"} {
		text, err := preset.Profile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, abis := range [][]arch.ABI{{arch.X86_64}, {arch.X86_64, arch.X86, arch.X32}, {arch.AArch64, arch.ARM}} {
			p, _, err := oci.Read(text, policy.Target{ABI: abis[0], Caps: preset.Caps("docker")})
			if err != nil {
				t.Fatal(err)
			}
			compare(name, p, abis)
		}
	}
	t.Logf("%d filters: %d instructions, libseccomp %d", count, sum.ours, sum.theirs)
	if count < 300 {
		t.Errorf("only %d filters were compared", count)
	}
}

// profilesOf returns the JSON files of some directories.
func profilesOf(t *testing.T, dirs ...string) (files []string) {
	t.Helper()
	for _, dir := range dirs {
		some, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil || len(some) == 0 {
			t.Fatalf("%s: no profiles (%v)", dir, err)
		}
		files = append(files, some...)
	}
	return files
}

// Of random policies hardly any filter is longer, and each family is shorter in sum.
func TestLengthsOfRandomPolicies(t *testing.T) {
	for _, f := range []struct {
		name string
		gen.Options
	}{
		{"masks", gen.Options{Family: gen.Masks}},
		{"one argument", gen.Options{Family: gen.OneArg}},
	} {
		for _, abis := range [][]arch.ABI{{arch.X86_64}, {arch.X86}, {arch.X86_64, arch.X86, arch.X32}, {arch.S390X}} {
			t.Run(fmt.Sprintf("%s/%v", f.name, abis), func(t *testing.T) {
				t.Parallel()
				var sum length
				count, longer := 0, 0
				o := f.Options
				o.ABIs = abis
				for seed := range uint64(cases(t)) {
					l, ok := lengths(t, gen.Policy(gen.New(seed), o), abis)
					if !ok {
						continue
					}
					count++
					sum.ours, sum.theirs = sum.ours+l.ours, sum.theirs+l.theirs
					if l.ours > l.theirs {
						longer++
						t.Logf("seed %d: %d instructions, libseccomp %d", seed, l.ours, l.theirs)
					}
				}
				t.Logf("%d filters: %d instructions, libseccomp %d; %d longer", count, sum.ours, sum.theirs, longer)
				if sum.ours > sum.theirs || 50*longer > count {
					t.Error("longer in sum, or more than one in fifty is")
				}
				if count < cases(t)/2 {
					t.Errorf("only %d filters were compared", count)
				}
			})
		}
	}
}
