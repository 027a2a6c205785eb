package policy

import "testing"

// Conditions that differ in the datum alone are compared without their ranks, as these say.
func TestDataCompareAsRanksDo(t *testing.T) {
	values := []uint64{0, 1, 2, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 1, 5 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1}
	masks := []uint64{1<<64 - 1, 1<<32 - 1, 1 << 32, 0xff, 0xff << 32}
	for _, width := range []uint64{1<<64 - 1, 1<<32 - 1} {
		for op := NotEqual; op <= MaskedNotEqual; op++ {
			for _, mask := range masks {
				for _, v := range values {
					for _, w := range values {
						a, b := Cond{1, op, mask & width, v & mask & width}, Cond{1, op, mask & width, w & mask & width}
						if a == b {
							continue
						}
						x, y := rankOf(&a, width), rankOf(&b, width)
						wantOrder, wantCommon := x.compare(&y)
						if order, common := compareCond(&a, &b, width); order != wantOrder || common != wantCommon {
							t.Fatalf("%v and %v: got %d, %d, want %d, %d", a, b, order, common, wantOrder, wantCommon)
						}
					}
				}
			}
		}
	}
}
