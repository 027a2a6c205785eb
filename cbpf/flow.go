package cbpf

import (
	"slices"

	"golang.org/x/net/bpf"
)

// A value is what is known of a register at some instruction, whatever path led
// there.
type value struct {
	kind valueKind
	off  uint32 // of the word of seccomp_data
	bits uint32 // the constant, or the mask on the word
}

type valueKind uint8

const (
	valueUnknown valueKind = iota
	valueConst             // bits
	valueWord              // the word at off AND bits
)

func constant(k uint32) value { return value{kind: valueConst, bits: k} }

func (v value) and(k uint32) value {
	v.bits &= k
	if v.kind == valueUnknown {
		return value{}
	}
	return v
}

// isWord reports whether v is the word at off, perhaps masked.
func (v value) isWord(off uint32) bool { return v.kind == valueWord && v.off == off }

// registers is what is known before an instruction.
type registers struct {
	reached bool // by some chain of jumps, whatever they test
	a, x    value
	m       [memWords]value
}

// join keeps what r and s agree on.
func (r *registers) join(s *registers) {
	if !r.reached {
		*r = *s
		return
	}
	agree := func(v *value, w value) {
		if *v != w {
			*v = value{}
		}
	}
	agree(&r.a, s.a)
	agree(&r.x, s.x)
	for i := range r.m {
		agree(&r.m[i], s.m[i])
	}
}

// execute changes r as an instruction without jumps does.
func (r *registers) execute(ins bpf.RawInstruction) {
	switch ins.Op {
	case opLdAbs:
		r.a = value{kind: valueWord, off: ins.K, bits: 0xffffffff}
	case opLdImm:
		r.a = constant(ins.K)
	case opLdMem:
		r.a = r.m[ins.K%memWords]
	case opLdLen:
		r.a = constant(DataSize)
	case opLdxImm:
		r.x = constant(ins.K)
	case opLdxMem:
		r.x = r.m[ins.K%memWords]
	case opLdxLen:
		r.x = constant(DataSize)
	case opSt:
		r.m[ins.K%memWords] = r.a
	case opStx:
		r.m[ins.K%memWords] = r.x
	case opTax:
		r.x = r.a
	case opTxa:
		r.a = r.x
	case opAndK:
		r.a = r.a.and(ins.K)
	default:
		r.a = value{}
	}
}

// next returns the instructions that may follow pc: none after a RET, and for
// conditional jumps first the target if true.
func (p *Program) next(pc int) (targets [2]int, n int) {
	ins := p.insns[pc]
	switch ins.Op {
	case opRetK, opRetA:
		return targets, 0
	case opJa:
		return [2]int{pc + 1 + int(ins.K)}, 1
	case opJeqK, opJeqX, opJgtK, opJgtX, opJgeK, opJgeX, opJsetK, opJsetX:
		return [2]int{pc + 1 + int(ins.Jt), pc + 1 + int(ins.Jf)}, 2
	}
	return [2]int{pc + 1}, 1
}

// registers finds what is known of the registers before each instruction.
func (p *Program) registers() []registers {
	regs := make([]registers, len(p.insns))
	regs[0] = registers{reached: true, a: constant(0), x: constant(0)}
	for pc := range p.insns {
		if !regs[pc].reached {
			continue
		}
		after := regs[pc]
		targets, n := p.next(pc)
		if n == 1 && p.insns[pc].Op != opJa {
			after.execute(p.insns[pc])
		}
		for _, target := range targets[:n] {
			regs[target].join(&after)
		}
	}
	return regs
}

// Bounds of what a flow tells apart.
const (
	maxAudits = 16 // AUDIT_ARCH values
	maxStates = 4  // values of A at one instruction
)

// A flow finds which calls can reach each instruction, in one forward pass. It
// errs only towards too many, and its work is bounded by the length of the
// program.
type flow struct {
	p      *Program
	regs   []registers
	audits []uint32  // AUDIT_ARCH values that the program compares with
	states [][]state // by pc, with different values of A; none where nothing arrives
}

// A state is some calls that reach an instruction, and what A holds for them.
type state struct {
	a     value
	calls calls
}

// calls is a set of calls: numbers by index in flow.audits, and at the end those
// of all other AUDIT_ARCH values.
type calls []numbers

func newFlow(p *Program) *flow {
	f := &flow{p: p, regs: p.registers(), states: make([][]state, len(p.insns))}
	for pc := range p.insns {
		op, k, ok := f.test(pc)
		if ok && op == opJeqK && f.regs[pc].a.isWord(OffArch) &&
			!slices.Contains(f.audits, k) && len(f.audits) < maxAudits {
			f.audits = append(f.audits, k)
		}
	}
	f.states[0] = []state{{constant(0), slices.Repeat(calls{everyNumber}, len(f.audits)+1)}}
	for pc := range p.insns {
		for _, s := range f.states[pc] {
			f.step(pc, s)
		}
	}
	return f
}

// reach returns all calls that reach pc, nil if there are none.
func (f *flow) reach(pc int) calls {
	var all calls
	for _, s := range f.states[pc] {
		all = all.union(s.calls)
	}
	return all
}

// test returns the conditional jump at pc as a comparison with a constant, if it
// is one.
func (f *flow) test(pc int) (op uint16, k uint32, ok bool) {
	ins, regs := f.p.insns[pc], &f.regs[pc]
	if !regs.reached {
		return 0, 0, false
	}
	switch ins.Op {
	case opJeqK, opJgtK, opJgeK, opJsetK:
		return ins.Op, ins.K, true
	case opJeqX, opJgtX, opJgeX, opJsetX:
		const fromXtoK = opJeqX - opJeqK
		return ins.Op - fromXtoK, regs.x.bits, regs.x.kind == valueConst
	}
	return 0, 0, false
}

// step hands calls at pc to what follows.
func (f *flow) step(pc int, s state) {
	switch targets, n := f.p.next(pc); n {
	case 1:
		if f.p.insns[pc].Op != opJa {
			regs := f.regs[pc]
			regs.a = s.a
			regs.execute(f.p.insns[pc])
			s.a = regs.a
		}
		f.join(targets[0], s)
	case 2:
		yes, no := f.split(pc, s)
		f.join(targets[0], state{s.a, yes})
		f.join(targets[1], state{s.a, no})
	}
}

// split divides calls at the conditional jump at pc by its outcome.
func (f *flow) split(pc int, s state) (yes, no calls) {
	op, k, ok := f.test(pc)
	switch {
	case ok && s.a.kind == valueConst:
		if holds(op, s.a.bits, k) {
			return s.calls, nil
		}
		return nil, s.calls
	case ok && s.a.isWord(OffNR):
		yes, no = make(calls, len(s.calls)), make(calls, len(s.calls))
		for i, numbers := range s.calls {
			yes[i], no[i] = numbers.split(s.a.bits, op, k)
		}
		return yes, no
	case ok && s.a.isWord(OffArch):
		return f.splitArch(s, op, k)
	}
	return s.calls, s.calls
}

func (f *flow) splitArch(s state, op uint16, k uint32) (yes, no calls) {
	yes, no = make(calls, len(s.calls)), make(calls, len(s.calls))
	for i, audit := range f.audits {
		if holds(op, audit&s.a.bits, k) {
			yes[i] = s.calls[i]
		} else {
			no[i] = s.calls[i]
		}
	}
	other := len(f.audits)
	no[other] = s.calls[other]
	if op != opJeqK || s.a.bits != 0xffffffff || !slices.Contains(f.audits, k) {
		yes[other] = s.calls[other]
	}
	return yes, no
}

// join adds calls to those that reach pc. Too many different values of A there
// become an unknown one.
func (f *flow) join(pc int, s state) {
	if s.calls.empty() {
		return
	}
	states := f.states[pc]
	if i := slices.IndexFunc(states, func(old state) bool { return old.a == s.a }); i >= 0 {
		states[i].calls = states[i].calls.union(s.calls)
		return
	}
	if len(states) == maxStates {
		s = state{calls: f.reach(pc).union(s.calls)}
		states = states[:0]
	}
	f.states[pc] = append(states, s)
}

func (c calls) empty() bool {
	return !slices.ContainsFunc(c, func(s numbers) bool { return len(s) > 0 })
}

func (c calls) union(d calls) calls {
	if c == nil {
		return d
	}
	sum := make(calls, len(c))
	for i := range c {
		sum[i] = union(c[i], d[i])
	}
	return sum
}
