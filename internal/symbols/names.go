package symbols

import (
	"math/bits"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// Names adds the constants of this package to [policy.Names].
func Names() ConstantNames { return ConstantNames{policy.Names()} }

// ConstantNames are names with the optional method of cbpf.Names.
type ConstantNames struct{ cbpf.Names }

// Test writes a test of some bits of the lower half of an argument: "family ==
// AF_VSOCK"; "" if the argument has no constants.
func (ConstantNames) Test(audit, nr uint32, index int, op string, mask, v uint32) string {
	a, _ := arch.ByAudit(audit, nr)
	call, _ := syscalltables.ByNumber(a, nr)
	x := At(a, call, index)
	if x.set == 0 {
		return ""
	}
	m, w := uint64(mask), uint64(v)
	if bits.OnesCount32(mask) > 16 { // all but some: the same goes for the upper half
		m |= x.full() &^ (1<<32 - 1)
		if strings.HasPrefix(x.whole(w), unsigned) {
			w = x.otherwise(w)
		}
	}
	return x.Compare(op, m, w)
}
