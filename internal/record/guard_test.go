package record

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
)

// The flags of clone are its first argument, except on s390.
func TestGuardOfClone(t *testing.T) {
	for a := range arch.All() {
		flags := 0
		if a == arch.S390 || a == arch.S390X {
			flags = 1
		}
		for i := range 6 {
			if got := guard(a, "clone", i).set; (got == namespaces) != (i == flags) {
				t.Errorf("%s: argument %d: %#x", a, i, got)
			}
		}
	}
}
