package report

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
)

// The share of calls that skip the filter counts also those through ABIs without a bitmap.
func TestShareOfBitmap(t *testing.T) {
	tests := []struct {
		name        string
		abis        []arch.ABI
		rules       string
		value, note string
	}{
		{"all", []arch.ABI{arch.X86_64}, rule("read", "ALLOW"), "100 %", "1 of 1, since Linux 5.11"},
		{"x32 has none", []arch.ABI{arch.X86_64, arch.X32}, rule("read", "ALLOW"), "50 %", "1 of 2, since Linux 5.11"},
		{"no bitmap", []arch.ABI{arch.X32}, rule("read", "ALLOW"), "none", "the kernel has no bitmap for these ABIs"},
		{"nothing allowed", []arch.ABI{arch.X86_64}, `{"names": ["read"], "action": "SCMP_ACT_LOG"}`, "none", "it allows no call whatever its arguments"},
	}
	for _, tt := range tests {
		b := mustBuild(t, Options{}, read(t, tt.name, tt.rules, tt.abis...))
		got := b.cost(b.subjects[0]).Figures[2]
		if want := (figure{tt.value, "of always allowed calls skip the filter", tt.note}); got != want {
			t.Errorf("%s: got %v, want %v", tt.name, got, want)
		}
	}
}
