package proof

import "github.com/seccompile/seccompile/cbpf"

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
