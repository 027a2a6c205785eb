package lint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// What a runtime reads in another way than runc is a finding, once for each place.
func TestReadingsOfRuntimes(t *testing.T) {
	tests := []struct {
		consumer Consumer
		rule     string
		want     string // "SEVERITY POINTER ID", of all findings under /syscalls/1
	}{
		{Runc, `"args": []`, ""},
		{Youki, `"args": []`, ""},
		{Youki06, `"args": []`, "warning /syscalls/1/args dialects-differ"},
		{Youki, `"args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 1, "op": "SCMP_CMP_EQ"}]`, ""},
		{Youki06, `"args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 1, "op": "SCMP_CMP_EQ"}]`,
			"warning /syscalls/1/args dialects-differ"},
		{Crun, `"errnoRet": 5`, "error /syscalls/1/errnoRet ignored-errno"},
		{Youki, `"errnoRet": 5`, "warning /syscalls/1/errnoRet ignored-errno"},
		{Youki, `"Args": []`, "error /syscalls/1/Args letter-case"},
		{Crun, `"args": [` + strings.Repeat(`{"index": 0, "value": 7, "op": "SCMP_CMP_EQ"},`, 6) + `{"index": 1, "value": 1, "op": "SCMP_CMP_EQ"}]`,
			"warning /syscalls/1/args any-of\nwarning /syscalls/1/args/6 ignored-args"},
	}
	for _, tt := range tests {
		text := `{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [
			{"names": ["execve", "exit_group", "write"], "action": "SCMP_ACT_ALLOW"},
			{"names": ["socket"], "action": "SCMP_ACT_ALLOW", ` + tt.rule + `}]}`
		o := Options{For: tt.consumer, NoStart: true, Target: policy.Target{ABI: arch.X86_64}, Resolve: policy.Options{ABIs: []arch.ABI{arch.X86_64}}}
		var got []string
		for _, f := range Check(language.NewSource([]byte(text)), o).Findings {
			if strings.HasPrefix(f.Pointer, "/syscalls/1") && f.Severity > Note {
				got = append(got, fmt.Sprintf("%v %s %s", f.Severity, f.Pointer, f.ID))
			}
		}
		if strings.Join(got, "\n") != tt.want {
			t.Errorf("%v: %s: %q, want %q", tt.consumer, tt.rule, got, tt.want)
		}
	}
}
