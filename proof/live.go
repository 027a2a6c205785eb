package proof

import (
	"math/bits"

	"github.com/seccompile/seccompile/cbpf"
)

// Registers as bits of a set: M[0] to M[15], A, X.
const (
	regA    = 1 << 16
	regX    = 1 << 17
	regMem  = 1<<16 - 1
	memSize = 16
)

// liveness returns, for each instruction, the registers whose values before it
// can matter. States that differ only in others are one state.
func liveness(p *cbpf.Program) []uint32 {
	live := make([]uint32, p.Len()+1)
	for pc := p.Len() - 1; pc >= 0; pc-- {
		ins := p.At(pc)
		after := live[pc+1]
		switch ins.Op {
		case opLdAbs, opLdImm, opLdLen:
			after &^= regA
		case opLdMem:
			after = after&^regA | 1<<ins.K
		case opLdxImm, opLdxLen:
			after &^= regX
		case opLdxMem:
			after = after&^regX | 1<<ins.K
		case opSt:
			after = after&^(1<<ins.K) | regA
		case opStx:
			after = after&^(1<<ins.K) | regX
		case opTax:
			after = after&^regX | regA
		case opTxa:
			after = after&^regA | regX
		case opRetK:
			after = 0
		case opRetA:
			after = regA
		case opJa:
			after = live[pc+1+int(ins.K)]
		default: // tests and arithmetic
			if ins.Op&classMask == classJmp {
				after = live[pc+1+int(ins.Jt)] | live[pc+1+int(ins.Jf)]
			}
			after |= regA
			if ins.Op&srcX != 0 {
				after |= regX
			}
		}
		live[pc] = after
	}
	return live
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
				if both := r[a] | r[x]; r[a] != 0 && r[x] != 0 && bits.OnesCount16(both) > 1 {
					g.joinAll(both)
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
