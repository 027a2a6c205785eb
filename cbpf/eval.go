package cbpf

import "golang.org/x/net/bpf"

// Eval runs the program on one call and returns the word that the kernel would
// get. It cannot fail, does not allocate and takes at most Len steps, because
// jumps only go forward. The zero Program returns [KillThread].
//
// Arithmetic is unsigned, 32 bits wide and wraps; A, X and M start at 0. Dividing
// by an X of 0 ends the program with 0, KILL_THREAD (net/core/filter.c:
// bpf_convert_filter). Shifting by an X of 32 or more uses its low five bits, as
// RFC 9669 section 4.1 asks and as x86, arm64 and, since Linux 5.14, the kernel's
// interpreter do (kernel/bpf/core.c: SHT). Programs for powerpc and s390 should
// not come to it: the JITs there use six bits (slw, sll).
func (p *Program) Eval(d *Data) Action {
	m := machine{big: p.big}
	for pc := 0; uint(pc) < uint(len(p.insns)); pc++ {
		ins := &p.insns[pc]
		switch ins.Op {
		// What filters are made of, ahead of the rest.
		case opLdAbs:
			m.a = d.word(ins.K, m.big)
		case opJeqK:
			pc += pick(m.a == ins.K, ins)
		case opJgeK:
			pc += pick(m.a >= ins.K, ins)
		case opJgtK:
			pc += pick(m.a > ins.K, ins)
		case opJsetK:
			pc += pick(m.a&ins.K != 0, ins)
		case opRetK:
			return Action(ins.K)
		default:
			skip, done := m.step(ins, d)
			if done {
				return m.verdict
			}
			pc += skip
		}
	}
	return KillThread
}

// A Step is one executed instruction.
type Step struct {
	PC   int
	A, X uint32 // registers after the instruction
}

// Trace runs the program on one call, as [Program.Eval] does, and returns every
// executed instruction.
func (p *Program) Trace(d *Data) (Action, []Step) {
	m := machine{big: p.big}
	var steps []Step
	for pc := 0; pc < len(p.insns); pc++ {
		skip, done := m.step(&p.insns[pc], d)
		steps = append(steps, Step{PC: pc, A: m.a, X: m.x})
		if done {
			return m.verdict, steps
		}
		pc += skip
	}
	return KillThread, steps
}

// machine is the state of a running program.
type machine struct {
	a, x    uint32
	m       [memWords]uint32
	big     bool   // the target's byte order
	verdict Action // once done
}

// step executes one instruction. It returns how many instructions to skip, or
// that the program is done.
func (m *machine) step(ins *bpf.RawInstruction, d *Data) (skip int, done bool) {
	switch ins.Op {
	case opLdImm:
		m.a = ins.K
	case opLdAbs:
		m.a = d.word(ins.K, m.big)
	case opLdMem:
		m.a = m.m[ins.K%memWords]
	case opLdLen:
		m.a = DataSize
	case opLdxImm:
		m.x = ins.K
	case opLdxMem:
		m.x = m.m[ins.K%memWords]
	case opLdxLen:
		m.x = DataSize
	case opSt:
		m.m[ins.K%memWords] = m.a
	case opStx:
		m.m[ins.K%memWords] = m.x
	case opTax:
		m.x = m.a
	case opTxa:
		m.a = m.x
	case opJa:
		return int(ins.K), false
	case opJeqK:
		return pick(m.a == ins.K, ins), false
	case opJeqX:
		return pick(m.a == m.x, ins), false
	case opJgtK:
		return pick(m.a > ins.K, ins), false
	case opJgtX:
		return pick(m.a > m.x, ins), false
	case opJgeK:
		return pick(m.a >= ins.K, ins), false
	case opJgeX:
		return pick(m.a >= m.x, ins), false
	case opJsetK:
		return pick(m.a&ins.K != 0, ins), false
	case opJsetX:
		return pick(m.a&m.x != 0, ins), false
	case opRetK:
		m.verdict = Action(ins.K)
		return 0, true
	case opRetA:
		m.verdict = Action(m.a)
		return 0, true
	default:
		return 0, !m.compute(ins)
	}
	return 0, false
}

// compute executes an arithmetic instruction. It reports false if that ends the
// program, with a verdict of 0.
func (m *machine) compute(ins *bpf.RawInstruction) bool {
	switch ins.Op {
	case opAddK:
		m.a += ins.K
	case opAddX:
		m.a += m.x
	case opSubK:
		m.a -= ins.K
	case opSubX:
		m.a -= m.x
	case opMulK:
		m.a *= ins.K
	case opMulX:
		m.a *= m.x
	case opDivK:
		m.a /= ins.K
	case opDivX:
		if m.x == 0 {
			return false
		}
		m.a /= m.x
	case opOrK:
		m.a |= ins.K
	case opOrX:
		m.a |= m.x
	case opAndK:
		m.a &= ins.K
	case opAndX:
		m.a &= m.x
	case opLshK:
		m.a <<= ins.K & 31
	case opLshX:
		m.a <<= m.x & 31
	case opRshK:
		m.a >>= ins.K & 31
	case opRshX:
		m.a >>= m.x & 31
	case opNeg:
		m.a = -m.a
	case opXorK:
		m.a ^= ins.K
	case opXorX:
		m.a ^= m.x
	default:
		panic("BUG: cbpf: a Program holds an instruction that Verify refuses")
	}
	return true
}

// pick returns how many instructions a conditional jump skips.
func pick(cond bool, ins *bpf.RawInstruction) int {
	if cond {
		return int(ins.Jt)
	}
	return int(ins.Jf)
}

// ConstAllow reports whether the kernel's load-time emulation proves that the
// program allows this number of this AUDIT_ARCH whatever the arguments, so that
// the call skips the filter (kernel/seccomp.c: seccomp_is_const_allow, Linux
// 5.11 and later), and how many instructions the emulation took.
//
// The emulation follows loads of the number and the AUDIT_ARCH value, jumps,
// comparisons and AND with constants, and returns of constants; the answer is
// yes only at a return of exactly [Allow]. It gives up at anything else, however
// harmless, on the path of this number. Whether the kernel keeps a bit for the
// number at all is another question: it does for the numbers of its native and
// its compatibility ABI below their NR_syscalls, so never for x32, and MIPS has
// no such cache.
func (p *Program) ConstAllow(audit, nr uint32) (ok bool, steps int) {
	var a uint32
	for pc := 0; pc < len(p.insns); pc++ {
		ins := &p.insns[pc]
		steps++
		switch ins.Op {
		case opLdAbs:
			switch ins.K {
			case OffNR:
				a = nr
			case OffArch:
				a = audit
			default:
				return false, steps
			}
		case opAndK:
			a &= ins.K
		case opJa:
			pc += int(ins.K)
		case opJeqK:
			pc += pick(a == ins.K, ins)
		case opJgeK:
			pc += pick(a >= ins.K, ins)
		case opJgtK:
			pc += pick(a > ins.K, ins)
		case opJsetK:
			pc += pick(a&ins.K != 0, ins)
		case opRetK:
			return Action(ins.K) == Allow, steps
		default:
			return false, steps
		}
	}
	return false, steps
}
