package proof

import (
	"errors"
	"fmt"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/cbpf"
)

// Classic BPF opcodes (linux/bpf_common.h). They are written out again here, as
// everything that the proof rests on is its own.
const (
	opLdAbs  = 0x20
	opLdImm  = 0x00
	opLdLen  = 0x80
	opLdMem  = 0x60
	opLdxImm = 0x01
	opLdxLen = 0x81
	opLdxMem = 0x61
	opSt     = 0x02
	opStx    = 0x03
	opTax    = 0x07
	opTxa    = 0x87
	opRetK   = 0x06
	opRetA   = 0x16
	opJa     = 0x05

	classMask = 0x07
	classAlu  = 0x04
	classJmp  = 0x05
	srcX      = 0x08 // the second operand is X, not K
	operation = 0xf0

	aluAdd = 0x00
	aluSub = 0x10
	aluMul = 0x20
	aluDiv = 0x30
	aluOr  = 0x40
	aluAnd = 0x50
	aluLsh = 0x60
	aluRsh = 0x70
	aluNeg = 0x80
	aluXor = 0xa0

	jmpEq  = 0x10
	jmpGt  = 0x20
	jmpGe  = 0x30
	jmpSet = 0x40
)

// program is the Subject of a filter.
type program struct{ *cbpf.Program }

// validate does nothing: a Program is one that kernels accept.
func (p program) validate() error {
	if p.Program == nil {
		return errors.New("proof: no program (compile one)")
	}
	return nil
}

func (p program) groups(g *groups) { join(p.Program, g) }

func (p program) lift(u *universe) *outcome {
	l := execute(u, p.Program, false)
	return &l.out
}

// A state is how an instruction may be reached: by which calls, with which
// register values. Registers that are not live are zero.
type state struct {
	calls set
	a, x  word
	m     *[memSize]word // nil: all zero; shared between states, never changed
	count int            // instructions executed before, if the lifter counts
}

// lifter executes a program on all calls at once. Jumps only go forward, so one
// pass in order of the instructions sees every state of each before its turn.
type lifter struct {
	*universe
	program *cbpf.Program
	live    []uint32
	pending [][]state // by instruction
	out     outcome
	// reached has the instructions that some call executes; ways has for tests
	// whether some call jumps (1) and whether some call does not (2).
	reached []bool
	ways    []uint8
	// counts tells states apart by the instructions executed, so that longest is
	// the largest number that a call executes, and slowest are calls that do.
	counts  bool
	longest int
	slowest set
}

func execute(u *universe, p *cbpf.Program, counts bool) *lifter {
	l := &lifter{
		universe: u,
		program:  p,
		live:     liveness(p),
		pending:  make([][]state, p.Len()+1),
		reached:  make([]bool, p.Len()),
		ways:     make([]uint8, p.Len()),
		counts:   counts,
	}
	if p.Len() == 0 { // the zero Program, as it is evaluated
		l.out.add(u, cbpf.KillThread, all)
		return l
	}
	l.arrive(0, state{calls: all})
	for pc := 0; pc < p.Len() && u.over == ""; pc++ {
		states := l.pending[pc]
		l.pending[pc] = nil
		for i := range states {
			s := &states[i]
			l.reached[pc] = true
			if l.counts {
				if s.count++; s.count > l.longest {
					l.longest, l.slowest = s.count, s.calls
				}
			}
			l.step(pc, s)
		}
	}
	return l
}

// arrive notes that the instruction at pc is reached in state s.
func (l *lifter) arrive(pc int, s state) {
	if s.calls == none {
		return
	}
	live := l.live[pc]
	if live&regA == 0 {
		s.a = word{}
	}
	if live&regX == 0 {
		s.x = word{}
	}
	if s.m != nil {
		s.m = trim(s.m, live)
	}
	states := l.pending[pc]
	for i := range states {
		if t := &states[i]; t.count == s.count && t.a == s.a && t.x == s.x && sameMemory(t.m, s.m) {
			t.calls = l.or(t.calls, s.calls)
			return
		}
	}
	if len(states) < l.limits.States {
		l.pending[pc] = append(states, s)
		return
	}
	l.merge(&states[len(states)-1], &s)
}

// trim returns m without the words that are not live.
func trim(m *[memSize]word, live uint32) *[memSize]word {
	if live&regMem == 0 {
		return nil
	}
	kept := *m
	for i := range kept {
		if live>>i&1 == 0 {
			kept[i] = word{}
		}
	}
	if kept == *m {
		return m
	}
	return &kept
}

func sameMemory(a, b *[memSize]word) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a == b || *a == *b
}

// merge makes t stand for both states. No call is in both, so each register has
// s's value for the calls of s, and t's for all others.
func (l *lifter) merge(t, s *state) {
	t.a = l.mux(s.calls, &s.a, &t.a)
	t.x = l.mux(s.calls, &s.x, &t.x)
	if t.m != nil || s.m != nil {
		var m, zero [memSize]word
		tm, sm := t.m, s.m
		if tm == nil {
			tm = &zero
		}
		if sm == nil {
			sm = &zero
		}
		for i := range m {
			m[i] = l.mux(s.calls, &sm[i], &tm[i])
		}
		t.m = &m
	}
	t.calls = l.or(t.calls, s.calls)
	t.count = max(t.count, s.count)
}

// step executes one instruction in one state.
func (l *lifter) step(pc int, s *state) {
	ins := l.program.At(pc)
	switch ins.Op {
	case opLdAbs:
		s.a = l.word(wordAt(ins.K, l.program.Order()))
	case opLdImm:
		s.a = constant(ins.K)
	case opLdLen:
		s.a = constant(cbpf.DataSize)
	case opLdMem:
		s.a = s.memory(ins.K)
	case opLdxImm:
		s.x = constant(ins.K)
	case opLdxLen:
		s.x = constant(cbpf.DataSize)
	case opLdxMem:
		s.x = s.memory(ins.K)
	case opSt:
		s.store(ins.K, &s.a)
	case opStx:
		s.store(ins.K, &s.x)
	case opTax:
		s.x = s.a
	case opTxa:
		s.a = s.x
	case opRetK:
		l.out.add(l.universe, cbpf.Action(ins.K), s.calls)
		return
	case opRetA:
		l.out.addWord(l.universe, &s.a, s.calls)
		return
	case opJa:
		l.arrive(pc+1+int(ins.K), *s)
		return
	default:
		if ins.Op&classMask == classJmp {
			l.branch(pc, ins, s)
			return
		}
		l.compute(ins, s)
	}
	l.arrive(pc+1, *s)
}

func (s *state) memory(k uint32) word {
	if s.m == nil {
		return word{}
	}
	return s.m[k]
}

func (s *state) store(k uint32, w *word) {
	var m [memSize]word
	if s.m != nil {
		m = *s.m
	}
	m[k] = *w
	s.m = &m
}

// operand returns the second operand of a test or an arithmetic instruction.
func operand(ins bpf.RawInstruction, s *state) word {
	if ins.Op&srcX != 0 {
		return s.x
	}
	return constant(ins.K)
}

func (l *lifter) branch(pc int, ins bpf.RawInstruction, s *state) {
	var holds set
	b := operand(ins, s)
	switch ins.Op & operation {
	case jmpEq:
		holds = l.isEqual(&s.a, &b)
	case jmpGt:
		holds = l.isAbove(&s.a, &b, false)
	case jmpGe:
		holds = l.isAbove(&s.a, &b, true)
	case jmpSet:
		holds = l.meets(&s.a, &b)
	default:
		panic(fmt.Sprintf("BUG: proof: verified program has opcode 0x%02x", ins.Op))
	}
	yes, no := *s, *s
	yes.calls, no.calls = l.and(s.calls, holds), l.without(s.calls, holds)
	if yes.calls != none {
		l.ways[pc] |= 1
	}
	if no.calls != none {
		l.ways[pc] |= 2
	}
	l.arrive(pc+1+int(ins.Jt), yes)
	l.arrive(pc+1+int(ins.Jf), no)
}

func (l *lifter) compute(ins bpf.RawInstruction, s *state) {
	b := operand(ins, s)
	switch ins.Op & operation {
	case aluAdd:
		s.a = l.add(&s.a, &b, none)
	case aluSub:
		s.a = l.sub(&s.a, &b)
	case aluMul:
		s.a = l.multiply(&s.a, &b)
	case aluDiv:
		// Division by an X of zero ends the program with 0
		// (net/core/filter.c: bpf_convert_filter).
		zero := constant(0)
		byZero := l.isEqual(&b, &zero)
		l.out.add(l.universe, cbpf.KillThread, l.and(s.calls, byZero))
		s.calls = l.without(s.calls, byZero)
		s.a = l.divide(&s.a, &b)
	case aluOr:
		s.a = bitwise(l.or, &s.a, &b)
	case aluAnd:
		s.a = bitwise(l.and, &s.a, &b)
	case aluXor:
		s.a = bitwise(l.xor, &s.a, &b)
	case aluLsh:
		s.a = l.shift(&s.a, &b, false)
	case aluRsh:
		s.a = l.shift(&s.a, &b, true)
	case aluNeg:
		zero := constant(0)
		s.a = l.sub(&zero, &s.a)
	default:
		panic(fmt.Sprintf("BUG: proof: verified program has opcode 0x%02x", ins.Op))
	}
}
