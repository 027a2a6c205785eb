package gen

import (
	"math/rand/v2"

	"github.com/seccompile/seccompile/arch"
)

// Word draws a 64-bit value where arithmetic tends to go wrong: around powers of
// two, around syscall numbers and the x32 bit, with equal, swapped or missing
// halves, small, or anything.
func Word(r *rand.Rand) uint64 {
	near := uint64(r.IntN(3)) - 1
	switch r.IntN(9) {
	case 0:
		return uint64(r.IntN(256))
	case 1:
		return pick(r, []uint64{0, 1 << 31, 1 << 32, 1 << 63, 1<<63 | 1<<31}) + near
	case 2:
		return 1<<r.IntN(64) + near
	case 3:
		return uint64(r.IntN(256)) << 32
	case 4:
		half := uint64(r.Uint32())
		return half<<32 | half
	case 5:
		return ^uint64(0) << r.IntN(64)
	case 6:
		return uint64(r.Uint32())
	case 7:
		return pick(r, []uint64{0, arch.X32Bit}) + uint64(r.IntN(600)) + near
	}
	return r.Uint64()
}

// anyMask draws a mask for MASKED_EQ. Compilers treat each shape in a way of its own:
// the upper bits of a word are a comparison, few bits are one test, and most others
// are an AND and a comparison. Half of the masks are of the lower word alone.
func anyMask(r *rand.Rand) uint64 {
	switch r.IntN(6) {
	case 0:
		return shape(r, 64)
	case 1:
		return shape(r, 32) << 32
	case 2:
		return shape(r, 32)<<32 | shape(r, 32)
	}
	return shape(r, 32)
}

// shape draws the lower bits of a mask.
func shape(r *rand.Rand, width int) uint64 {
	all := ^uint64(0) >> (64 - width)
	bit := func() uint64 {
		return 1 << pick(r, []int{r.IntN(width), r.IntN(width), width - 1, width / 2, width/2 - 1})
	}
	below := func() uint64 { return bit() - 1 }
	switch r.IntN(10) {
	case 0, 1, 2:
		return all &^ below()
	case 3:
		return below()
	case 4:
		a, b := below(), below()
		return a ^ b
	case 5:
		return bit()
	case 6:
		but, some := all&^bit(), bit()
		for range 3 {
			some |= bit()
		}
		return pick(r, []uint64{but, some})
	case 7:
		return all & pick(r, []uint64{0xaaaaaaaa_aaaaaaaa, 0x55555555_55555555, 0xcccccccc_cccccccc, 0xff00ff00_ff00ff00})
	case 8:
		return all & pick(r, []uint64{0, ^uint64(0), 0xffff, 0x7e020000}) // the last is the namespaces of clone(2)
	}
	return all & r.Uint64() & r.Uint64()
}

// datum draws what a mask is compared with: mostly none of its bits, else all,
// the lowest or anything.
func (g *policies) datum(mask uint64) uint64 {
	switch g.IntN(6) {
	case 0, 1, 2:
		return 0
	case 3:
		return mask
	case 4:
		return mask & -mask
	}
	return g.value()
}

func (g *policies) value() uint64 {
	if len(g.data) > 0 && chance(g.Rand, 3) {
		return pick(g.Rand, g.data) + uint64(g.IntN(3)) - 1
	}
	v := Word(g.Rand)
	g.data = append(g.data, v)
	return v
}
