package grade

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// releases returns the presets whose grades the page states.
func releases() []string {
	return []string{
		"docker@1.13.1", "docker@17.05.0-ce", "docker@18.09.9", "docker@19.03.15", "docker@20.10.24", "docker@24.0.9", "docker@25.0.6", "docker@28.3.3", "docker@29.7.2",
		"containerd@1.6.36", "containerd@1.7.35", "containerd@2.0.14", "containerd@2.4.2",
		"podman@4.3.0", "podman@5.8.0",
		"cri-o@1.23.0", "cri-o@1.36.0",
	}
}

// release returns the default profile of a container engine for x86_64.
func release(t testing.TB, name string) *policy.Resolved {
	t.Helper()
	text, err := preset.Profile(name)
	if err != nil {
		t.Fatal(err)
	}
	r := read(text)
	if r == nil {
		t.Fatalf("%s cannot be read", name)
	}
	return r
}

// read reads a profile for x86_64 in any format, nil if it cannot be read.
func read(text []byte) *policy.Resolved {
	source := language.NewSource(text)
	target := policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")}
	if oci.Detect(source) == oci.Podman {
		target.Caps = preset.Caps("podman")
	}
	reading, err := oci.Language{}.Read(source, target)
	if err != nil {
		return nil
	}
	o := policy.Options{ABIs: reading.Policy.ABIs}
	if !slices.Contains(o.ABIs, arch.X86_64) {
		o.ABIs = append([]arch.ABI{arch.X86_64}, o.ABIs...)
	}
	r, _, err := policy.Resolve(reading.Policy, o)
	if err != nil {
		return nil
	}
	return r
}

// The profiles in some directories are told apart, and none that is proved weaker than
// Docker's default beats it.
func TestProfiles(t *testing.T) {
	dirs := filepath.SplitList(os.Getenv("SECCOMPILE_PROFILES"))
	if len(dirs) == 0 {
		t.Skip("SECCOMPILE_PROFILES does not name directories with profiles")
	}
	var files []string
	for _, dir := range dirs {
		list, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil || len(list) == 0 {
			t.Fatal(dir, err)
		}
		files = append(files, list...)
	}
	base := mustResolve(t, docker(t, arch.X86_64), arch.X86_64.Family()...)
	scores := map[int]bool{}
	graded, weaker := 0, 0
	best := mustGrade(t, mustScale(t, arch.X86_64), proof.Policy(base)).Points
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := read(text)
		if r == nil {
			continue
		}
		g := mustGrade(t, mustScale(t, r.ABIs()...), proof.Policy(r))
		graded++
		scores[g.Points] = true
		if noWeaker(t, proof.Policy(base), proof.Policy(r)) {
			if weaker++; g.Points > best {
				t.Errorf("%s: %d points, but it is weaker than Docker's default, which has %d", file, g.Points, best)
			}
		}
	}
	t.Logf("%d profiles, %d scores, %d weaker than Docker's default", graded, len(scores), weaker)
	if graded >= 100 && (len(scores) < 15 || weaker < 10) {
		t.Error("too few to tell anything")
	}
}
