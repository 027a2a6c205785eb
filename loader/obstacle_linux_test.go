package loader

import (
	"strings"
	"testing"
)

// Why root may not trace a process: what its own status says.
func TestObstacle(t *testing.T) {
	for _, tt := range []struct {
		root                 bool
		caps, seccomp, scope string
		want                 string
	}{
		{false, "0000000000000000", "2", "3", "run it as root"},
		{true, "00000000a80425fb", "2", "1\n", "root lacks CAP_SYS_PTRACE here"},
		{true, "000001ffffffffff", "2", "3\n", "kernel.yama.ptrace_scope is 3"},
		{true, "000001ffffffffff", "2", "1\n", "a filter on this process, or a security module,"},
		{true, "000001ffffffffff", "0", "", "a security module denies it, or the target is in a user namespace"},
		{true, "", "", "", "a security module denies it, or the target is in a user namespace"},
	} {
		if got := obstacle(tt.root, tt.caps, tt.seccomp, tt.scope); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%v: %s", tt, got)
		}
	}
}
