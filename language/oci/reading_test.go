package oci

import (
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A reading has either a policy or an error, and warnings with both.
func TestReadingHasPolicyOrError(t *testing.T) {
	tests := []struct {
		name, text string
		warnings   int
		ok         bool
	}{
		{"a profile", `{"defaultAction": "SCMP_ACT_ALLOW"}`, 0, true},
		{"a profile with a warning", `{"defaultAction": "SCMP_ACT_ALLOW", "x": 1}`, 1, true},
		{"a problem and a warning", `{"defaultAction": "ALLOW", "x": 1}`, 1, false},
		{"not a profile", `[]`, 0, false},
		{"not JSON", `{`, 0, false},
		{"nothing", ``, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Language{}.Read(language.NewSource([]byte(tt.text)), policy.Target{ABI: arch.X86_64})
			if (err == nil) != tt.ok || (r.Policy != nil) != tt.ok || len(r.Warnings) != tt.warnings {
				t.Errorf("%+v, %v", r, err)
			}
			p, warnings, again := Read([]byte(tt.text), policy.Target{ABI: arch.X86_64})
			if (p != nil) != tt.ok || len(warnings) != tt.warnings || (again == nil) != tt.ok {
				t.Errorf("Read: %v, %v, %v", p, warnings, again)
			}
		})
	}
}

// The format that a reader names is the one that counts: keys of others have no effect.
// Readers of one source do not see each other's formats and targets.
func TestFormatsOfOneSource(t *testing.T) {
	s := language.NewSource([]byte(`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
		{"names": ["read"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "5.0"}},
		{"names": ["write"], "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["arm64"]}}]}`))
	old, newer := syscalltables.Version{Major: 4, Minor: 19}, syscalltables.Version{Major: 5}
	tests := []struct {
		format   Format
		abi      arch.ABI
		kernel   syscalltables.Version
		rules    int
		warnings string // a part of the only one
	}{
		{"", arch.X86_64, newer, 2, ""},
		{Docker, arch.X86_64, old, 1, ""},
		{Docker, arch.AArch64, old, 0, ""},
		{Podman, arch.AArch64, old, 1, "minKernel"},
		{OCI, arch.AArch64, old, 2, "includes"},
	}
	for range 2 { // the second time after all others
		for _, tt := range tests {
			r, err := Language{Format: tt.format}.Read(s, policy.Target{ABI: tt.abi, Kernel: tt.kernel})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Policy.Rules) != tt.rules || (len(r.Warnings) > 0) != (tt.warnings != "") {
				t.Errorf("%q, %v: %d rules, want %d; %v", tt.format, tt.abi, len(r.Policy.Rules), tt.rules, r.Warnings)
			}
			if tt.warnings != "" && !strings.HasSuffix(r.Warnings[0].Pointer, "/"+tt.warnings) {
				t.Errorf("%q: %v, want one about %s", tt.format, r.Warnings[0], tt.warnings)
			}
		}
	}
}
