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
	h := hash(name)
	for {
		h %= hashSlots
		c := Call(word16(hashTable, h))
		if c == 0 {
			return 0, false
		}
		if c.Name() == name {
			return c, true
		}
		h++
	}
}

// hash is FNV-1a; the generator has the same.
func hash(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
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
		for i := lo; i < hi; i++ {
			c := Call(word16(byNumber, i))
			if !yield(a.Base()+c.cell(a)&absent, c) {
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
	i := ((int(c)-1)*columns + int(columnOf[a])) * 4
	s := cells[i : i+4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// word16 returns the i-th little-endian word of 16 bits.
func word16(table string, i uint32) uint32 {
	s := table[i*2 : i*2+2]
	return uint32(s[0]) | uint32(s[1])<<8
}
