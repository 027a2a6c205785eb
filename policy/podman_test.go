package policy

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
)

func TestPodmanErrnoNamesAreTheTargets(t *testing.T) {
	const text = `{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS", "defaultErrnoRet": 1, "syscalls": [
		{"names": ["read"], "action": "SCMP_ACT_ERRNO", "errno": "EDQUOT"}]}`
	for a, want := range map[arch.ABI][2]uint{
		arch.X86_64: {38, 122}, arch.X86: {38, 122}, arch.S390X: {38, 122},
		arch.MIPS64: {89, 1133}, arch.MIPSEL: {89, 1133}, arch.PARISC: {251, 69},
	} {
		p, _, err := Read([]byte(text), Target{ABI: a})
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
		p, warnings, err := Read([]byte(text), Target{ABI: a})
		want := []arch.ABI{a}
		if slices.Contains(mapped, a) {
			want = append(want, arch.X32)
		}
		if err != nil || !slices.Equal(p.ABIs, want) || len(warnings) != 2-len(want) {
			t.Errorf("%v: ABIs %v, want %v, warnings %v, error %v", a, p.ABIs, want, warnings, err)
		}
	}
}

func TestPodmanNamesOfABIsAreOneEach(t *testing.T) {
	for a := range arch.All() {
		for b := range arch.All() {
			if got := FormatPodman.isArchName(a, podmanName(b)); got != (a == b) {
				t.Errorf("%q is %v: %v", podmanName(b), a, got)
			}
		}
	}
}

// A file that neither dialect has keys of its own in means the same in both.
func TestDialectsAgreeOnWhatTheyShare(t *testing.T) {
	data, err := os.ReadFile("docker/default.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []arch.ABI{arch.X86_64, arch.AArch64, arch.S390X} {
		target := Target{ABI: a, Caps: DefaultCaps(), Format: FormatDocker}
		docker, _, err := Read(data, target)
		if err != nil {
			t.Fatal(err)
		}
		target.Format = FormatPodman
		podman, warnings, err := Read(data, target)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(docker, podman); diff != "" {
			t.Errorf("%v: Docker -, Podman +\n%s", a, diff)
		}
		for _, w := range warnings {
			if w.Kind != UnknownKey {
				t.Errorf("%v: %v", a, w)
			}
		}
	}
}

func TestParseFormat(t *testing.T) {
	for f := FormatOCI; f <= FormatPodman; f++ {
		if got, err := ParseFormat(f.String()); err != nil || got != f {
			t.Errorf("%v: got %v, error %v", f, got, err)
		}
	}
	for _, s := range []string{"", "none", "Docker"} {
		if got, err := ParseFormat(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
	if p, _, err := Read([]byte(`{"defaultAction": "SCMP_ACT_ALLOW"}`), Target{Format: FormatPodman + 1}); p != nil || err == nil {
		t.Error("read in a format that does not exist")
	}
}
