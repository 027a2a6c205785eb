package proof

import (
	"math/rand/v2"

	"golang.org/x/net/bpf"
)

// rewrite returns a program that means the same: some instructions replaced by
// others to the same effect, instructions without effect between them. It
// returns nil if a jump got too long.
func rewrite(r *rand.Rand, raw []bpf.RawInstruction) []bpf.RawInstruction {
	type target struct {
		pc     int // in the old program, or -1: relative
		within int // instructions to skip, if relative
	}
	type expanded struct {
		bpf.RawInstruction
		yes, no target // of jumps
		jump    bool
	}
	var out []expanded
	start := make([]int, len(raw))
	for pc, ins := range raw {
		start[pc] = len(out)
		plain := func(op uint16, k uint32) {
			out = append(out, expanded{RawInstruction: bpf.RawInstruction{Op: op, K: k}})
		}
		test := func(op uint16, k uint32, yes, no target) {
			out = append(out, expanded{bpf.RawInstruction{Op: op, K: k}, yes, no, true})
		}
		if r.IntN(4) == 0 {
			test(opJa, 0, target{-1, 0}, target{-1, 0})
		}
		isJump := ins.Op&classMask == classJmp
		yes, no := target{pc + 1 + int(ins.Jt), 0}, target{pc + 1 + int(ins.Jf), 0}
		change := r.IntN(2) == 0
		k := ins.K
		switch {
		case ins.Op == opJa:
			test(opJa, 0, target{pc + 1 + int(k), 0}, target{})
		case isJump && ins.Op&srcX != 0 || isJump && !change:
			test(ins.Op, k, yes, no)
		case ins.Op == classJmp|jmpGt && k != ^uint32(0):
			test(classJmp|jmpGe, k+1, yes, no)
		case ins.Op == classJmp|jmpGe && k != 0:
			test(classJmp|jmpGt, k-1, yes, no)
		case ins.Op == classJmp|jmpEq:
			test(classJmp|jmpGe, k, target{-1, 0}, no)
			test(classJmp|jmpGt, k, no, yes)
		case ins.Op == classJmp|jmpSet:
			m := r.Uint32()
			test(classJmp|jmpSet, k&m, yes, target{-1, 0})
			test(classJmp|jmpSet, k&^m, yes, no)
		case isJump:
			test(ins.Op, k, yes, no)
		case ins.Op == opLdAbs && change:
			plain(opLdAbs, 4*uint32(r.IntN(16)))
			plain(ins.Op, k)
		case ins.Op == classAlu|aluAnd && change:
			m := r.Uint32()
			plain(ins.Op, k|m)
			plain(ins.Op, k|^m)
		case ins.Op == classAlu|aluOr && change:
			m := r.Uint32()
			plain(ins.Op, k&m)
			plain(ins.Op, k&^m)
		case ins.Op == classAlu|aluXor && change:
			m := r.Uint32()
			plain(ins.Op, k^m)
			plain(ins.Op, m)
		case ins.Op == classAlu|aluAdd && change:
			plain(classAlu|aluSub, -k)
		case ins.Op == classAlu|aluNeg && change:
			plain(classAlu|aluXor, ^uint32(0))
			plain(classAlu|aluAdd, 1)
		case ins.Op == classAlu|aluLsh && change && k < 31:
			plain(classAlu|aluMul, 1<<k)
		default:
			out = append(out, expanded{RawInstruction: ins})
		}
	}
	done := make([]bpf.RawInstruction, len(out))
	for at, ins := range out {
		to := func(t target) int {
			if t.pc < 0 {
				return t.within
			}
			return start[t.pc] - at - 1
		}
		done[at] = ins.RawInstruction
		switch {
		case !ins.jump:
		case ins.Op == opJa:
			done[at].K = uint32(to(ins.yes))
		case to(ins.yes) > 255 || to(ins.no) > 255:
			return nil
		default:
			done[at].Jt, done[at].Jf = uint8(to(ins.yes)), uint8(to(ins.no))
		}
	}
	return done
}
