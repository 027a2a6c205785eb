package preset_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// TestFlatpaksOwnFilters proves the profiles equal to what flatpak run gave bubblewrap:
// testdata/flatpak has for each ABI a line for each release and set of flags, with the
// name and the filter in base64. Debian's packages 1.14.10-1~deb12u2 (with libseccomp
// 2.5.4-1+deb12u1) and 1.16.6-1~deb13u3 (2.6.0-2) made them; make -C conformance flatpak
// makes them again.
func TestFlatpaksOwnFilters(t *testing.T) {
	for abi, releases := range map[arch.ABI]int{arch.X86_64: 2, arch.AArch64: 2, arch.ARM: 1, arch.RISCV64: 1, arch.X86: 1} {
		text, err := os.ReadFile(filepath.Join("testdata/flatpak", abi.String()+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if len(lines) != 16*releases {
			t.Errorf("%v: %d filters, want %d", abi, len(lines), 16*releases)
		}
		for _, line := range lines {
			name, encoded, _ := strings.Cut(line, " ")
			filter, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := cbpf.Decode(filter, abi.ByteOrder())
			if err != nil {
				t.Fatal(err)
			}
			ours := resolvedFor(t, name, abi)
			if second := len(ours.ABIs()) == 2; second != (strings.Contains(name, "multiarch") && (abi == arch.X86_64 || abi == arch.AArch64)) {
				t.Errorf("%s: for %v", name, ours.ABIs())
			}
			r, err := proof.Equal(proof.Program(theirs), proof.Policy(ours), proof.Limits{})
			if err != nil || r.Verdict != proof.Same {
				t.Errorf("%v, %s: %v, %v, error %v", abi, name, r.Verdict, r.Witness, err)
			}
		}
	}
}

// resolved returns a profile as a runtime on a machine of the ABI understands it.
func resolvedFor(t *testing.T, name string, abi arch.ABI) *policy.Resolved {
	t.Helper()
	b, err := preset.Profile(name)
	if err != nil {
		t.Fatal(err)
	}
	p, warnings, err := oci.Read(b, policy.Target{ABI: abi, Caps: preset.Caps("docker")})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%s: %v, warnings %v", name, err, warnings)
	}
	abis := p.ABIs
	if !slices.Contains(abis, abi) {
		abis = append(slices.Clone(abis), abi)
	}
	r, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}
