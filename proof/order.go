package proof

import (
	"encoding/binary"

	"github.com/seccompile/seccompile/cbpf"
)

// The words of struct seccomp_data by meaning, in the order in which diagrams
// test them: who calls, what, from where, with which arguments.
const (
	wordArch = iota
	wordNR
	wordIP       // upper half, then lower
	wordArgs = 4 // upper half of argument 0, lower half, upper half of argument 1, ...
	words    = cbpf.DataSize / 4
)

// wordAt returns the word that a load at a byte offset of struct seccomp_data sees.
func wordAt(offset uint32, bo binary.ByteOrder) int {
	switch offset {
	case cbpf.OffNR:
		return wordNR
	case cbpf.OffArch:
		return wordArch
	}
	w := wordIP + int(offset-cbpf.OffIP)/4
	if bo.Uint16([]byte{0, 1}) != 1 {
		w ^= 1 // little-endian: the lower half comes first
	}
	return w
}

// An order says at which level of a diagram each bit of a call is tested. Within
// a word the most significant bit always comes first.
type order struct {
	levels [words][32]uint16 // by word and bit, least significant first
	bits   [words * 32]bit   // by level
}

type bit struct{ word, index uint8 }

// newOrder takes the words one after the other, except that words of one group
// go together, bit by bit: a comparison of two words has a small diagram only if
// their bits alternate.
func newOrder(g groups) order {
	var o order
	level := uint16(0)
	for first := range words {
		if g.of(first) != first {
			continue
		}
		for i := 31; i >= 0; i-- {
			for w := first; w < words; w++ {
				if g.of(w) == first {
					o.levels[w][i] = level
					o.bits[level] = bit{uint8(w), uint8(i)}
					level++
				}
			}
		}
	}
	return o
}

// word returns a word of the call itself.
func (u *universe) word(w int) word {
	var v word
	for i := range v {
		v[i] = u.make(u.levels[w][i], none, all)
	}
	return v
}

// groups partitions the words of struct seccomp_data. The zero value has every
// word by itself.
type groups struct {
	parent [words]uint8 // 0: its own group; else one more than an earlier word of the group
}

// of returns the first word of w's group.
func (g *groups) of(w int) int {
	for g.parent[w] != 0 {
		w = int(g.parent[w]) - 1
	}
	return w
}

func (g *groups) join(v, w int) {
	v, w = g.of(v), g.of(w)
	if v != w {
		g.parent[max(v, w)] = uint8(min(v, w)) + 1
	}
}

// joined reports whether w shares its group.
func (g *groups) joined(w int) bool {
	for v := range words {
		if v != w && g.of(v) == g.of(w) {
			return true
		}
	}
	return false
}

// joinAll puts all words of a bit set into one group.
func (g *groups) joinAll(set uint16) {
	first := -1
	for w := range words {
		if set>>w&1 == 0 {
			continue
		}
		if first < 0 {
			first = w
		}
		g.join(first, w)
	}
}
