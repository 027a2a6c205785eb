package record_test

import (
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/record"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// What fixes are not about stays, to the byte.
func TestEdit(t *testing.T) {
	errno := uint(38)
	const row, other = `{"architecture": "SCMP_ARCH_X86_64"`, `{"architecture": "SCMP_ARCH_AARCH64"}`
	for _, tt := range []struct {
		name, before string
		fixes        []record.Fix
		want         string
	}{
		{"nothing", "\ufeff{ \"x\" : 1}\n", nil, "\ufeff{ \"x\" : 1}\n"},
		{"a mark", "\ufeff{\"syscalls\": []}", []record.Fix{{Rules: []policy.Rule{allow("b")}}, {Rules: []policy.Rule{allow("a")}}, {Rules: []policy.Rule{allow("b")}}},
			"\ufeff" + `{"syscalls": [{"names":["a","b"],"action":"SCMP_ACT_ALLOW"}]}`},
		{"the last names", `{"syscalls": [{"names": ["a", "b"]}, {"names": ["c"]}, {"names": ["d", "e"]}], "x": "y"}`,
			[]record.Fix{{Remove: []string{"/syscalls/0/names/0"}}, {Remove: []string{"/syscalls/0/names/1"}}, {Remove: []string{"/syscalls/2/names/0"}}},
			`{"syscalls": [{"names": ["c"]}, {"names": ["e"]}], "x": "y"}`},
		{"two ABIs", `{"architectures": ["SCMP_ARCH_ARM"], "syscalls": null}`,
			[]record.Fix{{ABIs: []arch.ABI{arch.AArch64}}, {ABIs: []arch.ABI{arch.AArch64}, Rules: []policy.Rule{{Names: []string{"clone3"}, Action: cbpf.ErrnoClass, Errno: &errno}}}},
			`{"architectures": ["SCMP_ARCH_ARM","SCMP_ARCH_AARCH64"], "syscalls": [{"names":["clone3"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]}`},
		{"no architectures", "{}", []record.Fix{{ABIs: []arch.ABI{arch.X86}}}, `{"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]}`},
		{"a row", `{"archMap": [` + row + `, "subArchitectures": ["SCMP_ARCH_X32"]}]}`, []record.Fix{{ABIs: []arch.ABI{arch.X86}}, {ABIs: []arch.ABI{arch.X86}}},
			`{"archMap": [` + row + `, "subArchitectures": ["SCMP_ARCH_X32","SCMP_ARCH_X86"]}]}`},
		{"a row with null", `{"archMap": [` + row + `, "subarchitectures": null}]}`, []record.Fix{{ABIs: []arch.ABI{arch.X86, arch.X32}}},
			`{"archMap": [` + row + `, "subarchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]}]}`},
		{"a row alone", `{"archMap": [` + other + `, ` + row + `}]}`, []record.Fix{{ABIs: []arch.ABI{arch.X86}, Rules: []policy.Rule{allow("a")}}},
			`{"archMap": [` + other + `, ` + row + `,"subArchitectures": ["SCMP_ARCH_X86"]}],"syscalls": [{"names":["a"],"action":"SCMP_ACT_ALLOW"}]}`},
		{"no row", `{"archMap": [` + other + `]}`, []record.Fix{{ABIs: []arch.ABI{arch.X86}}},
			`{"archMap": [` + other + `,` + row + `, "subArchitectures": ["SCMP_ARCH_X86"]}]}`},
		{"a row that stays", `{"archMap": [` + other + `]}`, []record.Fix{{Rules: []policy.Rule{allow("a")}}},
			`{"archMap": [` + other + `],"syscalls": [{"names":["a"],"action":"SCMP_ACT_ALLOW"}]}`},
	} {
		s := language.NewSource([]byte(tt.before))
		p := &policy.Policy{}
		if strings.Contains(tt.before, "archMap") {
			r, err := oci.Language{Format: oci.Docker}.Read(language.NewSource([]byte(`{"defaultAction": "SCMP_ACT_ALLOW",`+tt.before[1:])), policy.Target{ABI: arch.X86_64})
			if err != nil {
				t.Fatal(tt.name, err)
			}
			p = r.Policy
		}
		e, err := record.NewEdit(s, p)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		for i := range tt.fixes {
			e.Add(&tt.fixes[i])
		}
		if got := string(e.Text(arch.X86_64)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
