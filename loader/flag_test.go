package loader_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/loader"
)

func TestFlagsPrintTheKernelsNames(t *testing.T) {
	for _, test := range []struct {
		flag loader.Flag
		want string
	}{
		{loader.TSync, "SECCOMP_FILTER_FLAG_TSYNC"},
		{loader.LogFlag, "SECCOMP_FILTER_FLAG_LOG"},
		{loader.SpecAllow, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"},
		{loader.NewListener, "SECCOMP_FILTER_FLAG_NEW_LISTENER"},
		{loader.TSyncESRCH, "SECCOMP_FILTER_FLAG_TSYNC_ESRCH"},
		{loader.WaitKillableRecv, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
		{loader.TSync | loader.LogFlag, "SECCOMP_FILTER_FLAG_TSYNC|SECCOMP_FILTER_FLAG_LOG"},
		{loader.LogFlag | 0x40, "SECCOMP_FILTER_FLAG_LOG|0x40"},
		{0, "0x0"},
	} {
		if got := test.flag.String(); got != test.want {
			t.Errorf("%#x: %s, want %s", uint32(test.flag), got, test.want)
		}
	}
}

func TestProfilesMayNameFourFlags(t *testing.T) {
	want := []loader.Flag{loader.TSync, loader.LogFlag, loader.SpecAllow, loader.WaitKillableRecv}
	if diff := cmp.Diff(want, loader.KnownFlags()); diff != "" {
		t.Error(diff)
	}
	for _, f := range want {
		if got, err := loader.ParseFlag(f.String()); got != f || err != nil {
			t.Errorf("ParseFlag(%q) = %v, %v", f.String(), got, err)
		}
	}
}

func TestParseFlagListsTheKnownOnes(t *testing.T) {
	const known = " is unknown (known: SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, " +
		"SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)"
	for _, name := range []string{"", "LOG", "SECCOMP_FILTER_FLAG_NEW_LISTENER", "0x40", "SECCOMP_FILTER_FLAG_log"} {
		_, err := loader.ParseFlag(name)
		if want := `loader: flag "` + name + `"` + known; err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
}
