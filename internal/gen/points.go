package gen

import (
	"encoding/binary"
	"iter"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// Points yields calls on and beside every boundary that the policy and the
// program have: every ABI and some that are none, every number that either
// names and its neighbours, and for each of them arguments built from the
// constants in question, the same plus and minus one, with halves swapped and
// with bits flipped inside and outside of masks. Either of res and p may be nil.
// vectors is how many sets of arguments each number gets at least; numbers with
// conditions get more. The Data is reused between iterations.
func Points(r *rand.Rand, res *policy.Resolved, p *cbpf.Program, vectors int) iter.Seq[*cbpf.Data] {
	s := &points{Rand: r, res: res, vectors: vectors}
	s.fromProgram(p)
	return func(yield func(*cbpf.Data) bool) {
		for _, audit := range s.audits() {
			nrs := s.numbers(audit)
			for i, nr := range nrs {
				if i > 0 && nr == nrs[i-1] {
					continue
				}
				if !s.call(audit, nr, yield) {
					return
				}
			}
		}
	}
}

// points are the constants that calls are built from.
type points struct {
	*rand.Rand
	res     *policy.Resolved
	vectors int
	words   [cbpf.DataSize / 4][]uint32 // per word of seccomp_data, constants of the program
	order   [2]int                      // which word of an argument is the lower, the upper half
	calls   map[uint64]*policy.Call
}

// fromProgram finds the constants that each word of seccomp_data may meet, by
// following which words A may hold at every instruction.
func (s *points) fromProgram(p *cbpf.Program) {
	s.order = [2]int{0, 1}
	s.calls = map[uint64]*policy.Call{}
	if s.res != nil {
		for i := range s.res.Spaces {
			space := &s.res.Spaces[i]
			for j := range space.Calls {
				s.calls[uint64(space.Audit)<<32|uint64(space.Calls[j].NR)] = &space.Calls[j]
			}
		}
	}
	if p == nil {
		return
	}
	if p.Order() == binary.BigEndian {
		s.order = [2]int{1, 0}
	}
	all, held := uint32(1)<<len(s.words)-1, make([]uint32, p.Len()+1) // bit w: A may hold word w
	for pc := range p.Len() {
		ins, now := p.At(pc), held[pc]
		switch {
		case ins.Op == opLdAbs:
			now = 1 << (ins.K / 4)
		case ins.Op == opLdMem || ins.Op == opTxa:
			now = all // through a scratch word or X: anything
		case ins.Op == opJa:
			held[pc+1+int(ins.K)] |= now
			continue
		case ins.Op&7 == opJmp:
			held[pc+1+int(ins.Jt)] |= now
			held[pc+1+int(ins.Jf)] |= now
		}
		if ins.Op&7 == opJmp || ins.Op&7 == opAlu {
			for w := range s.words {
				if now&(1<<w) != 0 && len(s.words[w]) < 4096 {
					s.words[w] = append(s.words[w], ins.K)
				}
			}
		}
		if ins.Op&7 != opJmp && ins.Op&7 != opRetK {
			held[pc+1] |= now
		}
	}
	for w := range s.words {
		slices.Sort(s.words[w])
		s.words[w] = slices.Compact(s.words[w])
	}
}

func around[T uint32 | uint64](out []T, vs ...T) []T {
	for _, v := range vs {
		out = append(out, v-1, v, v+1)
	}
	return out
}

func (s *points) audits() []uint32 {
	out := []uint32{0, 1, ^uint32(0), arch.X86_64.Audit(), arch.S390X.Audit()}
	if s.res != nil {
		for i := range s.res.Spaces {
			a := s.res.Spaces[i].Audit
			out = append(out, a, a+1, a-1, a^0x40000000, a^0x80000000)
		}
	}
	out = around(out, s.words[cbpf.OffArch/4]...)
	slices.Sort(out)
	return slices.Compact(out)
}

// numbers returns the numbers to try on one AUDIT_ARCH value, sorted.
func (s *points) numbers(audit uint32) []uint32 {
	out := around([]uint32{}, 0, arch.X32Bit, 1<<31, 0xfffffffe)
	out = around(out, s.words[cbpf.OffNR/4]...)
	if s.res != nil {
		for i := range s.res.Spaces {
			space := &s.res.Spaces[i]
			if space.Audit != audit {
				continue
			}
			for _, x := range space.Ranges {
				out = around(out, x.First, x.Last)
			}
			for _, c := range space.Calls {
				out = append(around(out, c.NR), c.NR^arch.X32Bit)
			}
		}
	}
	if audit == arch.X86_64.Audit() { // a filter may decide x32 with tests for x86_64
		for _, nr := range out {
			out = append(out, nr^arch.X32Bit)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// call yields one number with its sets of arguments: random ones, every
// combination of the conditions' own values if those are few, and for each
// clause one that satisfies it, with one argument after the other changed.
func (s *points) call(audit, nr uint32, yield func(*cbpf.Data) bool) bool {
	d := &cbpf.Data{}
	clauses := s.clausesOf(audit, nr)
	var values [6][]uint64
	product := 1
	for i := range values {
		values[i] = s.meet(clauses, uint8(i))
		product = min(product*max(1, len(values[i])), 1<<30)
	}
	n := max(s.vectors, min(product, 64*s.vectors))
	for i := range n {
		*d = cbpf.Data{NR: nr, Arch: audit, IP: s.value(cbpf.OffIP / 4)}
		for a := range d.Args {
			switch k := len(values[a]); {
			case k > 0 && product <= n:
				d.Args[a] = values[a][i%k]
				i /= k
			case k > 0 && !chance(s.Rand, 4):
				d.Args[a] = pick(s.Rand, values[a])
			default:
				d.Args[a] = s.value(cbpf.OffArgs/4 + 2*a)
			}
		}
		if !yield(d) {
			return false
		}
	}
	if product <= n {
		return true
	}
	for i := range clauses {
		if !s.clause(d, &clauses[i], &values, yield) {
			return false
		}
	}
	return true
}

// clausesOf returns the clauses of a number, and behind them those of the call that
// differs from it in the x32 bit alone.
func (s *points) clausesOf(audit, nr uint32) []policy.Clause {
	var out []policy.Clause
	for _, nr := range []uint32{nr, nr ^ arch.X32Bit} {
		if c := s.calls[uint64(audit)<<32|uint64(nr)]; c != nil {
			out = append(out, c.Clauses...)
		}
	}
	return out
}

// clause yields arguments that satisfy a clause, and such that differ from them
// in one argument.
func (s *points) clause(d *cbpf.Data, c *policy.Clause, values *[6][]uint64, yield func(*cbpf.Data) bool) bool {
	for _, cond := range c.Conds {
		d.Args[cond.Arg] = s.satisfy(cond)
	}
	base := d.Args
	if !yield(d) {
		return false
	}
	for a := range base {
		for range min(len(values[a]), s.vectors) {
			d.Args = base
			d.Args[a] = pick(s.Rand, values[a])
			if !yield(d) {
				return false
			}
		}
	}
	return true
}

// satisfy returns a value for which the condition holds, if there is one.
func (s *points) satisfy(c policy.Cond) uint64 {
	v := c.Value
	switch c.Op {
	case policy.NotEqual, policy.MaskedNotEqual:
		v ^= c.Mask & -c.Mask
	case policy.Less:
		v--
	case policy.Greater:
		v++
	}
	return v | s.Uint64()&^c.Mask
}

// meet returns the values of one argument that the conditions of a call tell
// apart, and neighbours.
func (s *points) meet(clauses []policy.Clause, arg uint8) []uint64 {
	var out []uint64
	for i := range clauses {
		for _, cond := range clauses[i].Conds {
			if cond.Arg != arg {
				continue
			}
			// The last value before the lowest bit of the mask changes ends the first
			// block of values inside. The last one inside of all has every other bit.
			v, low := cond.Value, cond.Mask&-cond.Mask
			out = append(around(out, v, v|(low-1), v|^cond.Mask), v<<32|v>>32, v^cond.Mask, v^1<<32, v^1<<31)
			if bit := uint64(1) << s.IntN(64); cond.Mask&bit != 0 {
				out = append(out, v^bit)
			}
			out = append(out, v^low, v^1<<(bits.Len64(cond.Mask|1)-1))
		}
	}
	if out != nil {
		out = append(out, 0, ^uint64(0))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// value draws a value for the 64 bits at two words of seccomp_data: constants
// of the program or anything.
func (s *points) value(word int) uint64 {
	var v [2]uint32
	for i := range v {
		ks := s.words[word+s.order[i]]
		switch {
		case len(ks) > 0 && !chance(s.Rand, 4):
			v[i] = pick(s.Rand, ks) + uint32(s.IntN(3)) - 1
		case chance(s.Rand, 2):
			v[i] = uint32(Word(s.Rand))
		}
	}
	return uint64(v[1])<<32 | uint64(v[0])
}
