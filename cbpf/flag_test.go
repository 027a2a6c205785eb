package cbpf_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/cbpf"
)

func TestFlagsPrintTheKernelsNames(t *testing.T) {
	for _, test := range []struct {
		flag cbpf.Flag
		want string
	}{
		{cbpf.TSync, "SECCOMP_FILTER_FLAG_TSYNC"},
		{cbpf.LogFlag, "SECCOMP_FILTER_FLAG_LOG"},
		{cbpf.SpecAllow, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"},
		{cbpf.NewListener, "SECCOMP_FILTER_FLAG_NEW_LISTENER"},
		{cbpf.TSyncESRCH, "SECCOMP_FILTER_FLAG_TSYNC_ESRCH"},
		{cbpf.WaitKillableRecv, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
		{cbpf.TSync | cbpf.LogFlag, "SECCOMP_FILTER_FLAG_TSYNC|SECCOMP_FILTER_FLAG_LOG"},
		{cbpf.LogFlag | 0x40, "SECCOMP_FILTER_FLAG_LOG|0x40"},
		{0, "0x0"},
	} {
		if got := test.flag.String(); got != test.want {
			t.Errorf("%#x: %s, want %s", uint32(test.flag), got, test.want)
		}
	}
}

func TestProfilesMayNameFourFlags(t *testing.T) {
	want := []cbpf.Flag{cbpf.TSync, cbpf.LogFlag, cbpf.SpecAllow, cbpf.WaitKillableRecv}
	if diff := cmp.Diff(want, cbpf.ProfileFlags()); diff != "" {
		t.Error(diff)
	}
	for _, f := range want {
		if got, err := cbpf.ParseFlag(f.String()); got != f || err != nil {
			t.Errorf("ParseFlag(%q) = %v, %v", f.String(), got, err)
		}
	}
}

func TestParseFlagListsTheKnownOnes(t *testing.T) {
	const known = " is unknown (known: SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, " +
		"SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)"
	for _, name := range []string{"", "LOG", "SECCOMP_FILTER_FLAG_NEW_LISTENER", "0x40", "SECCOMP_FILTER_FLAG_log"} {
		_, err := cbpf.ParseFlag(name)
		if want := `cbpf: flag "` + name + `"` + known; err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
}
