package symbols

import (
	"maps"
	"testing"

	"github.com/seccompile/seccompile/arch"
)

// Each ABI has its own constants, and negative ones keep their sign.
func TestConstants(t *testing.T) {
	x86, aarch := maps.Collect(Constants(arch.X86_64)), maps.Collect(Constants(arch.AArch64))
	if x86["O_DIRECTORY"] != 0x10000 || aarch["O_DIRECTORY"] != 0x4000 || x86["AT_FDCWD"] != -100 {
		t.Errorf("O_DIRECTORY %#x, %#x, AT_FDCWD %d", x86["O_DIRECTORY"], aarch["O_DIRECTORY"], x86["AT_FDCWD"])
	}
	if _, ok := aarch["MAP_32BIT"]; ok {
		t.Error("aarch64 has MAP_32BIT")
	}
	if n := x86["MAP_32BIT"]; n != 0x40 {
		t.Errorf("MAP_32BIT is %#x", n)
	}
	for range Constants(arch.X86_64) { // can be left early
		break
	}
	for a := range arch.All() { // of names that come twice both are the same
		seen := make(map[string]int64)
		for name, n := range Constants(a) {
			if before, again := seen[name]; again && before != n || !isName(name) {
				t.Errorf("%v: %s is %d and %d", a, name, before, n)
			}
			seen[name] = n
		}
	}
	if len(maps.Collect(Constants(0))) != 0 {
		t.Error("no ABI has constants")
	}
}
