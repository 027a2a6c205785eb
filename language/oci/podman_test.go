package oci

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

func TestPodmanErrnoNamesAreTheTargets(t *testing.T) {
	const text = `{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS", "defaultErrnoRet": 1, "syscalls": [
		{"names": ["read"], "action": "SCMP_ACT_ERRNO", "errno": "EDQUOT"}]}`
	for a, want := range map[arch.ABI][2]uint{
		arch.X86_64: {38, 122}, arch.X86: {38, 122}, arch.S390X: {38, 122},
		arch.MIPS64: {89, 1133}, arch.MIPSEL: {89, 1133}, arch.PARISC: {251, 69},
	} {
		p, _, err := Read([]byte(text), policy.Target{ABI: a})
		if err != nil || *p.DefaultErrno != want[0] || *p.Rules[0].Errno != want[1] {
			t.Errorf("%v: %v, error %v", a, p, err)
		}
	}
}

func TestPodmanMapsSomeArchitectures(t *testing.T) {
	mapped := []arch.ABI{arch.X86_64, arch.AArch64, arch.MIPS64, arch.MIPS64N32, arch.MIPSEL64, arch.MIPSEL64N32, arch.S390X}
	for a := range arch.All() {
		text := `{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrno": "", "archMap": [
			{"architecture": "` + a.OCI() + `", "subArchitectures": ["SCMP_ARCH_X32"]}]}`
		p, warnings, err := Read([]byte(text), policy.Target{ABI: a})
		want, row := []arch.ABI{a}, ""
		if slices.Contains(mapped, a) {
			want, row = append(want, arch.X32), "/archMap/0"
		}
		if err != nil || !slices.Equal(p.ABIs, want) || p.ArchMap != row || len(warnings) != 2-len(want) {
			t.Errorf("%v: ABIs %v, want %v, row %q, want %q, warnings %v, error %v", a, p.ABIs, want, p.ArchMap, row, warnings, err)
		}
	}
}

func TestPodmanNamesOfABIsAreOneEach(t *testing.T) {
	for a := range arch.All() {
		for b := range arch.All() {
			if got := Podman.isArchName(a, podmanName(b)); got != (a == b) {
				t.Errorf("%q is %v: %v", podmanName(b), a, got)
			}
		}
	}
}

// A file that neither dialect has keys of its own in means the same in both.
func TestDialectsAgreeOnWhatTheyShare(t *testing.T) {
	source := language.NewSource(preset.Docker())
	for _, a := range []arch.ABI{arch.X86_64, arch.AArch64, arch.S390X} {
		target := policy.Target{ABI: a, Caps: preset.Caps("docker")}
		docker, err := Language{Format: Docker}.Read(source, target)
		if err != nil {
			t.Fatal(err)
		}
		podman, err := Language{Format: Podman}.Read(source, target)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(docker.Policy, podman.Policy); diff != "" {
			t.Errorf("%v: Docker -, Podman +\n%s", a, diff)
		}
		for _, w := range podman.Warnings {
			if w.Kind != policy.UnknownKey {
				t.Errorf("%v: %v", a, w)
			}
		}
	}
}

func TestFormatsThatDoNotExist(t *testing.T) {
	for _, f := range []Format{"none", "Docker", " "} {
		r, err := Language{Format: f}.Read(language.NewSource([]byte(`{"defaultAction": "SCMP_ACT_ALLOW"}`)), policy.Target{})
		if r.Policy != nil || err == nil {
			t.Errorf("read in the format %q", f)
		}
	}
}
