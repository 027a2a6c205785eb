package gen

import (
	"math/rand/v2"

	"golang.org/x/net/bpf"
)

// Rewrite returns a program that means the same: some instructions replaced by
// others to the same effect, instructions without effect between them. It
// returns nil if a jump got too long.
func Rewrite(r *rand.Rand, raw []bpf.RawInstruction) []bpf.RawInstruction {
	w := &rewriter{Rand: r}
	start := make([]int, len(raw)) // of each old instruction in the new program
	for pc, ins := range raw {
		start[pc] = len(w.out)
		if chance(r, 4) {
			w.test(opJa, 0, target{-1, 0}, target{-1, 0})
		}
		yes, no := target{pc + 1 + int(ins.Jt), 0}, target{pc + 1 + int(ins.Jf), 0}
		change := chance(r, 2)
		switch {
		case ins.Op == opJa:
			w.test(opJa, 0, target{pc + 1 + int(ins.K), 0}, target{})
		case ins.Op&7 == opJmp && (ins.Op&srcX != 0 || !change):
			w.test(ins.Op, ins.K, yes, no)
		case ins.Op&7 == opJmp:
			w.comparison(ins, yes, no)
		case change:
			w.computation(ins)
		default:
			w.out = append(w.out, rewritten{RawInstruction: ins})
		}
	}
	return w.link(start)
}

// A target is an instruction of the old program; if its pc is -1, the one so many
// instructions further in the new program.
type target struct{ pc, skip int }

// A rewritten is an instruction of the new program.
type rewritten struct {
	bpf.RawInstruction
	yes, no target // of jumps
	jump    bool
}

type rewriter struct {
	*rand.Rand
	out []rewritten
}

func (w *rewriter) plain(op uint16, k uint32) {
	w.out = append(w.out, rewritten{RawInstruction: bpf.RawInstruction{Op: op, K: k}})
}

func (w *rewriter) test(op uint16, k uint32, yes, no target) {
	w.out = append(w.out, rewritten{bpf.RawInstruction{Op: op, K: k}, yes, no, true})
}

// comparison replaces a conditional jump on a constant.
func (w *rewriter) comparison(ins bpf.RawInstruction, yes, no target) {
	const jeq, jgt, jge, jset = opJmp | 0x10, opJmp | 0x20, opJmp | 0x30, opJmp | 0x40
	k, next := ins.K, target{-1, 0}
	switch {
	case ins.Op == jgt && k != ^uint32(0):
		w.test(jge, k+1, yes, no)
	case ins.Op == jge && k != 0:
		w.test(jgt, k-1, yes, no)
	case ins.Op == jeq:
		w.test(jge, k, next, no)
		w.test(jgt, k, no, yes)
	case ins.Op == jset:
		m := w.Uint32()
		w.test(jset, k&m, yes, next)
		w.test(jset, k&^m, yes, no)
	default:
		w.test(ins.Op, k, yes, no)
	}
}

// computation replaces an instruction that does not jump.
func (w *rewriter) computation(ins bpf.RawInstruction) {
	const add, sub, mul, or, and, lsh, xor = opAlu, opAlu | 0x10, opAlu | 0x20, opAlu | 0x40, opAlu | 0x50, opAlu | aluLsh, opAlu | 0xa0
	k := ins.K
	switch {
	case ins.Op == opLdAbs:
		w.plain(opLdAbs, 4*uint32(w.IntN(16)))
		w.plain(ins.Op, k)
	case ins.Op == and:
		m := w.Uint32()
		w.plain(and, k|m)
		w.plain(and, k|^m)
	case ins.Op == or:
		m := w.Uint32()
		w.plain(or, k&m)
		w.plain(or, k&^m)
	case ins.Op == xor:
		m := w.Uint32()
		w.plain(xor, k^m)
		w.plain(xor, m)
	case ins.Op == add:
		w.plain(sub, -k)
	case ins.Op == opAlu|aluNeg:
		w.plain(xor, ^uint32(0))
		w.plain(add, 1)
	case ins.Op == lsh && k < 31:
		w.plain(mul, 1<<k)
	default:
		w.out = append(w.out, rewritten{RawInstruction: ins})
	}
}

// link turns targets into offsets.
func (w *rewriter) link(start []int) []bpf.RawInstruction {
	done := make([]bpf.RawInstruction, len(w.out))
	for at, ins := range w.out {
		to := func(t target) int {
			if t.pc < 0 {
				return t.skip
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
