// Package syscalltables maps the names of system calls to numbers, and back, for every
// ABI of package arch. It also knows the names of arguments and the Linux release that
// introduced a call. Start with [Lookup] for a name and [ByNumber] for a number.
//
// The tables are generated from syscalls.tsv, live in read-only data and cost nothing
// at start-up.
package syscalltables

import (
	"iter"
	"strings"

	"github.com/seccompile/seccompile/arch"
)

//go:generate go -C _gen run .

// A Call is the name of a system call that Linux has on some ABI. The zero Call is not a
// call: it has no name and no numbers. Calls are ordered by name.
type Call uint16

// Kernel returns the Linux release that the tables describe. They lack calls that came
// later, and include calls that were removed earlier.
func Kernel() Version { return Version{kernelMajor, kernelMinor} }

// Lookup returns the call with this exact name. Names are literal: mmap and
// mmap2 are different calls.
func Lookup(name string) (Call, bool) {
	for h := hash(name) % hashSlots; ; h = (h + 1) % hashSlots {
		c := Call(word16(hashTable, h))
		if c == 0 {
			return 0, false
		}
		if names[word16(nameEnds, uint32(c)-1):word16(nameEnds, uint32(c))] == name {
			return c, true
		}
	}
}

// hash mixes the first and the last eight bytes of a name, which tell most names apart, and
// its length; of a shorter one, all bytes. The generator has the same.
func hash(s string) uint32 {
	const odd = 0x9e3779b97f4a7c15
	h := uint64(len(s))
	if len(s) < 8 {
		for i := range len(s) {
			h = h<<8 | uint64(s[i])
		}
	} else {
		h += word64(s[:8]) ^ word64(s[len(s)-8:])*odd
	}
	return uint32(h * odd >> 32)
}

// word64 returns eight bytes as a little-endian word.
func word64(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// ByNumber returns the call with this number, base and x32 bit included, on one ABI.
func ByNumber(a arch.ABI, nr uint32) (Call, bool) {
	nr -= a.Base()
	lo, hi := numbered(a)
	for lo < hi {
		mid := (lo + hi) / 2
		c := Call(word16(byNumber, mid))
		switch n := c.cell(a) & absent; {
		case n == nr:
			return c, true
		case n < nr:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return 0, false
}

// All yields the calls of one ABI by ascending number.
func All(a arch.ABI) iter.Seq2[uint32, Call] {
	return func(yield func(uint32, Call) bool) {
		lo, hi := numbered(a)
		if lo == hi {
			return
		}
		base, column := a.Base(), uint32(columnOf[a])
		for ; lo < hi; lo++ {
			c := word16(byNumber, lo)
			if !yield(base+word32(cells, (c-1)*columns+column)&absent, Call(c)) {
				return
			}
		}
	}
}

// Valid reports whether c is a call of the tables.
func (c Call) Valid() bool { return 0 < c && c <= calls }

// Name returns the call's name, "" if c is not valid.
func (c Call) Name() string {
	if !c.Valid() {
		return ""
	}
	return names[word16(nameEnds, uint32(c)-1):word16(nameEnds, uint32(c))]
}

// String returns the call's name.
func (c Call) String() string { return c.Name() }

// Number returns the call's number on one ABI as filters see it: with the base of MIPS
// and the bit of x32. A call that the ABI's kernel no longer implements keeps its number.
// ok is false if the ABI never had the call.
func (c Call) Number(a arch.ABI) (nr uint32, ok bool) {
	n := c.cell(a) & absent
	if n == absent {
		return 0, false
	}
	return a.Base() + n, true
}

// Since returns when Linux introduced the call on one ABI.
func (c Call) Since(a arch.ABI) Since {
	i := c.cell(a) >> numberBits * 5
	return Since{
		After: Version{ages[i], ages[i+1]},
		By:    Version{ages[i+2], ages[i+3]},
		Exact: ages[i+4] != 0,
	}
}

// Args returns the names of the call's arguments on one ABI, nil if they are unknown.
// The list ends before an argument that takes two registers, as arguments of 64 bits do
// on 32-bit ABIs.
func (c Call) Args(a arch.ABI) []string {
	if !c.Valid() || !a.Valid() {
		return nil
	}
	at, n := word16(argSpans, uint32(c)*2-2), word16(argSpans, uint32(c)*2-1)
	for i := range uint32(len(argSpecial) / 8) {
		if word16(argSpecial, i*4) == uint32(c) && word16(argSpecial, i*4+1) == uint32(columnOf[a]) {
			at, n = word16(argSpecial, i*4+2), word16(argSpecial, i*4+3)
		}
	}
	switch n {
	case unknownArgs:
		return nil
	case 0:
		return []string{}
	}
	args := strings.Split(argLists[at:at+n], ",")
	for i, arg := range args {
		name, wide := strings.CutSuffix(arg, ":64")
		if wide && splits(a) {
			return args[:i]
		}
		args[i] = name
	}
	return args
}

// splits reports whether the ABI passes an argument of 64 bits in two registers.
func splits(a arch.ABI) bool {
	switch a {
	case arch.X32, arch.MIPS64N32, arch.MIPSEL64N32: // short pointers in long registers
		return false
	}
	return a.Bits() == 32
}

// Since says when Linux introduced a call on an ABI, as far as known: after release
// After, and in release By at the latest. Exact means in By itself. The zero value means
// that nothing is known.
type Since struct {
	After, By Version
	Exact     bool
}

// numbered returns which elements of byNumber are the ABI's.
func numbered(a arch.ABI) (lo, hi uint32) {
	if !a.Valid() {
		return 0, 0
	}
	col := uint32(columnOf[a])
	return word16(byNumberStarts, col), word16(byNumberStarts, col+1)
}

// cell returns the word of c and a in cells: absent with age 0 where either is invalid.
func (c Call) cell(a arch.ABI) uint32 {
	if !c.Valid() || !a.Valid() {
		return absent
	}
	return word32(cells, uint32(c-1)*columns+uint32(columnOf[a]))
}

// word32 returns the i-th little-endian word of 32 bits.
func word32(table string, i uint32) uint32 {
	at := int(i) * 4
	_ = table[at+3]
	return uint32(table[at]) | uint32(table[at+1])<<8 | uint32(table[at+2])<<16 | uint32(table[at+3])<<24
}

// word16 returns the i-th little-endian word of 16 bits.
func word16(table string, i uint32) uint32 {
	at := int(i) * 2
	_ = table[at+1]
	return uint32(table[at]) | uint32(table[at+1])<<8
}
