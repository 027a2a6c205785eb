package symbols

import (
	"math"

	"github.com/seccompile/seccompile/arch"
)

// A constant is a row of constants.tsv.
type constant struct {
	name string
	of   int16 // what it names: see below
	n    int64 // the value on most ABIs; negative if it is that of an int
	// first and count say which exceptions hold the values on the others.
	first uint16
	count uint8
}

// What a constant names, unless it is a value of a field: then it is the index of the
// field's mask in constants.
const (
	whole int16 = -1 - iota // the whole argument
	flag                    // the bits that are set in it
	field                   // the bits of a field
)

// An exception is the value of a constant on some ABIs.
type exception struct {
	columns uint32 // a set of the values of columnOf
	n       int64
}

// absent is the value of a constant on ABIs that do not have it.
const absent = math.MinInt64

// A param is an argument of a call, or of all calls without a row of their own for it.
type param struct {
	call, arg string
	kind      Kind
	set       uint8 // of constants: see setEnds
}

// A specialParam holds when another argument of the call is a constant.
type specialParam struct {
	param
	other string
	when  uint16
}

// value returns the constant as a word of 64 bits. An int that is negative has the
// upper half that compilers give it on the ABI.
func (c *constant) value(a arch.ABI) (v uint64, ok bool) {
	n := c.number(a)
	if n < 0 && !extendsSign(a) {
		return uint64(uint32(n)), n != absent
	}
	return uint64(n), n != absent
}

// number returns the constant's value on an ABI, or absent.
func (c *constant) number(a arch.ABI) int64 {
	if !a.Valid() {
		return absent
	}
	n := c.n
	for _, e := range exceptions[c.first : c.first+uint16(c.count)] {
		if e.columns>>columnOf[a]&1 != 0 {
			n = e.n
		}
	}
	return n
}

// extendsSign reports whether compilers fill the upper half of a register that holds
// an int with its sign. The psABIs of riscv64, loongarch64, MIPS, 64-bit powerpc, s390x
// and PA-RISC ask for it; those of x86-64 and aarch64 leave it open, and what writes
// the lower half there clears the upper.
func extendsSign(a arch.ABI) bool {
	switch a {
	case arch.RISCV64, arch.LoongArch64, arch.MIPS64, arch.MIPSEL64, arch.PPC64, arch.PPC64LE, arch.S390X, arch.PARISC64:
		return true
	}
	return false
}

// isName reports whether a constant has a name and is not a bare mask.
func isName(s string) bool { return s[0] < '0' || s[0] > '9' }
