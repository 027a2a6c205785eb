package advisory

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// The filters in testdata were compiled with the defect, and x32-optimized.txt was made
// of such a one by optimize, which does not share the tree. Those of the same name in
// ../../testdata/profiles are their profiles.
func TestX32MasksFindsTheFiltersOfTheDefect(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) != 5 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := cbpf.Assemble(text, policy.Names())
		if err != nil {
			t.Fatal(err)
		}
		f, err := X32Masks(p)
		if err != nil || f == nil {
			t.Errorf("%s: found %v, %v", name, f, err)
			continue
		}
		if got, want := p.Eval(&f.X32), p.Eval(&f.X8664); got != f.Wrong || want != f.Right || got == want {
			t.Errorf("%s: %+v, but running it gives %v and %v", name, f, want, got)
		}
		if stricter := strings.HasSuffix(name, "-set.txt"); f.Weaker() == stricter {
			t.Errorf("%s: weaker is %t: %+v", name, f.Weaker(), f)
		}
	}
}

func filter(t *testing.T, profile []byte, abis []arch.ABI) *cbpf.Program {
	t.Helper()
	p, _, err := oci.Read(profile, policy.Target{ABI: abis[0], Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
	if err != nil {
		t.Log(err)
		return nil
	}
	c, _, err := compiler.Compile(r, compiler.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestX32MasksFindsNothingInWhatIsRight(t *testing.T) {
	profiles := map[string][]byte{"docker-default": preset.Docker()}
	files, err := filepath.Glob("../../testdata/profiles/*.json")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if profiles[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	shared, unclear := 0, map[string]bool{}
	for name, profile := range profiles {
		for _, abis := range [][]arch.ABI{
			{arch.X86_64}, {arch.X86_64, arch.X86}, {arch.X86_64, arch.X32}, {arch.X86_64, arch.X86, arch.X32}, {arch.S390X},
		} {
			p := filter(t, profile, abis)
			if p == nil {
				continue
			}
			if sharesTree(p) {
				shared++
			}
			f, err := X32Masks(p)
			if errors.Is(err, ErrUnclear) {
				unclear[filepath.Base(name)] = true
			} else if f != nil || err != nil {
				t.Errorf("%s for %v: found %+v, %v", name, abis, f, err)
			}
		}
	}
	// Their constants have upper halves.
	want := map[string]bool{"s390-family.json": true, "values-wider-than-32-bits.json": true, "wide-arguments.json": true, "x32-and-x86.json": true}
	if !maps.Equal(unclear, want) {
		t.Errorf("unclear are %v, want %v", unclear, want)
	}
	if shared < 5 {
		t.Errorf("only %d filters have one tree for both ABIs", shared)
	}
}

// A profile whose constants have upper halves means something else for x32: such a
// filter may be right, and is never said to be.
func TestX32MasksIsUnclearWhereUpperHalvesCount(t *testing.T) {
	p := filter(t, []byte(`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
		{"names": ["read"], "action": "SCMP_ACT_ALLOW"},
		{"names": ["lseek"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": 4294967295, "op": "SCMP_CMP_LE"}]},
		{"names": ["mmap"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 140737488355328, "op": "SCMP_CMP_LT"}]}]}`),
		[]arch.ABI{arch.X86_64, arch.X32})
	if f, err := X32Masks(p); f != nil || !errors.Is(err, ErrUnclear) {
		t.Errorf("found %+v, %v", f, err)
	}
}

// Filters of other tools, and those that the compiler cannot have made, are nothing
// to compare.
func TestX32MasksLeavesOtherFiltersAlone(t *testing.T) {
	for _, text := range []string{
		".order little\n ld nr\n jge #0x40000000, kill\n jeq #1 jf kill\n ld arg0.lo\n jeq #1 jf kill\n ret ALLOW\nkill: ret KILL_THREAD\n",
		".order big\n ld nr\n and #0x3fffffff\n ret ALLOW\n",
		".order little\n ret ALLOW\n",
	} {
		p, err := cbpf.Assemble([]byte(text), policy.Names())
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if f, err := X32Masks(p); f != nil || err != nil {
			t.Errorf("found %+v, %v in\n%s", f, err, text)
		}
	}
}
