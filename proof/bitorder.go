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
	if bo != binary.BigEndian {
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

// join puts words of seccomp_data into one group that some two-register
// instruction of the program may bring together.
func join(p *cbpf.Program, g *groups) {
	type registers [18]uint16 // per register, the words that its value may depend on
	const a, x = 16, 17
	at := make([]registers, p.Len()+1)
	flow := func(to int, r *registers) {
		for i := range r {
			at[to][i] |= r[i]
		}
	}
	for pc := range p.Len() {
		ins, r := p.At(pc), &at[pc]
		switch ins.Op {
		case opLdAbs:
			r[a] = 1 << wordAt(ins.K, p.Order())
		case opLdImm, opLdLen:
			r[a] = 0
		case opLdMem:
			r[a] = r[ins.K]
		case opLdxImm, opLdxLen:
			r[x] = 0
		case opLdxMem:
			r[x] = r[ins.K]
		case opSt:
			r[ins.K] = r[a]
		case opStx:
			r[ins.K] = r[x]
		case opTax:
			r[x] = r[a]
		case opTxa:
			r[a] = r[x]
		case opRetK, opRetA:
			continue
		case opJa:
			flow(pc+1+int(ins.K), r)
			continue
		default:
			if ins.Op&srcX != 0 {
				if r[a] != 0 && r[x] != 0 {
					g.joinAll(r[a] | r[x])
				}
			}
			if ins.Op&classMask == classJmp {
				flow(pc+1+int(ins.Jt), r)
				flow(pc+1+int(ins.Jf), r)
				continue
			}
			if ins.Op&srcX != 0 {
				r[a] |= r[x]
			}
		}
		flow(pc+1, r)
	}
}
