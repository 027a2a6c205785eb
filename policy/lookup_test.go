package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

func TestABIsAndClausesAreLookedUp(t *testing.T) {
	r := resolve(t, bounded(allow("read", "write"), when(allow("ioctl"), is(0, 3))), policy.Options{ABIs: []arch.ABI{arch.X86, arch.X32, arch.X86_64}})
	if got, want := r.ABIs(), []arch.ABI{arch.X86_64, arch.X32, arch.X86}; !slices.Equal(got, want) {
		t.Errorf("ABIs %v, want %v", got, want)
	}
	audit := arch.X86_64.Audit()
	for _, tt := range []struct {
		audit, nr uint32
		want      string // the first clause, "" if there is none
	}{
		{audit, 0, "ALLOW (/syscalls/0)"},
		{audit, 1, "ALLOW (/syscalls/0)"},
		{audit, 2, ""},
		{audit, 16, "ALLOW if a0 == 0x3 (/syscalls/1)"},
		{arch.X86.Audit(), 54, "ALLOW if a0 == 0x3 (/syscalls/1)"},
		{arch.ARM.Audit(), 0, ""},
	} {
		got := r.Clauses(tt.audit, tt.nr)
		if len(got) == 0 && tt.want != "" || len(got) > 0 && (len(got) != 1 || got[0].String() != tt.want) {
			t.Errorf("%#x %d: %v, want %s", tt.audit, tt.nr, got, tt.want)
		}
	}
	if a, b := r.Clauses(audit, 0), r.Clauses(audit, 1); &a[0] != &b[0] {
		t.Error("calls that one rule decides have clauses of their own")
	}
	var absent *policy.Resolved
	if absent.ABIs() != nil || absent.Clauses(audit, 0) != nil {
		t.Error("no policy has ABIs or clauses")
	}
	for _, none := range []*policy.Resolved{absent, {}} {
		if got := none.Decide(&cbpf.Data{}); got != (policy.Verdict{Action: cbpf.KillThread, Reason: policy.ByBadArch}) {
			t.Errorf("no policy decides %+v", got)
		}
	}
}

func TestNumbersWithoutANameAreDecimal(t *testing.T) {
	r := &policy.Resolved{Spaces: []policy.Space{{ABIs: []arch.ABI{arch.X86_64}, Calls: []policy.Call{{NR: 4242, ABI: arch.X86_64, Clauses: []policy.Clause{{Action: cbpf.Allow}}}}}}}
	if want := "  4242: ALLOW\n"; !strings.HasSuffix(r.String(), want) {
		t.Errorf("got %s, want %s", r, want)
	}
}
