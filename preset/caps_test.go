package preset_test

import (
	"slices"
	"testing"

	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

func TestCapabilities(t *testing.T) {
	for engine, want := range map[string]int{"docker": 14, "podman": 11, "another": 0} {
		got := preset.Caps(engine)
		if len(got) != want {
			t.Errorf("%s: %d capabilities, want %d", engine, len(got), want)
		}
		for _, c := range got {
			if !slices.Contains(policy.AllCaps(), c) {
				t.Errorf("%s: Linux has no %s", engine, c)
			}
		}
		clear(got)
		if slices.Contains(preset.Caps(engine), "") {
			t.Errorf("%s: a caller can change the defaults", engine)
		}
	}
}
