package unknown

import (
	"strings"
	"testing"
)

func TestDistanceCountsEdits(t *testing.T) {
	for _, c := range []struct {
		s, t string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"read", "read", 0}, {"read", "raed", 1}, {"read", "rea", 1}, {"read", "redd", 1},
		{"read", "write", 4}, {"ab", "ba", 1}, {"abc", "ca", 3}, {"open", "openat2", 3},
	} {
		for _, p := range [][2]string{{c.s, c.t}, {c.t, c.s}} {
			if got := distance(p[0], p[1], 9); got != c.want {
				t.Errorf("distance(%q, %q) = %d, want %d", p[0], p[1], got, c.want)
			}
		}
	}
	if got := distance("a", "abcdef", 2); got <= 2 {
		t.Errorf("a limit of 2 gives %d", got)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG"}
	for name, want := range map[string]string{
		"SCMP_ACT_ALOW":            "SCMP_ACT_ALLOW",
		"allow":                    "SCMP_ACT_ALLOW",
		"SECCOMP_RET_KILL_PROCESS": "SCMP_ACT_KILL_PROCESS",
		"SCMP_ACT_KIL":             "SCMP_ACT_KILL",
		"SCMP_ACT_":                "",
		"":                         "",
		"SCMP_ACT_DENY":            "",
		"SCMP_ACT_ALLOW" + strings.Repeat("x", 99): "",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
