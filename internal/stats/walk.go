package stats

import (
	"encoding/binary"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// A value is what is known of a word or register.
type value struct {
	k  uint32
	ok bool
}

func known(k uint32) value { return value{k, true} }

// A walker follows a program where the number and the AUDIT_ARCH value of a call
// are known and its arguments are not.
type walker struct {
	p      *cbpf.Program
	states []state
	call   *partly // nil if nothing is known of the arguments
}

// A state is what is known before an instruction, whatever path led there.
type state struct {
	longest int // instructions on the longest path up to and with this one; 0 is not reached
	a, x    value
}

// A path is where a walk ends.
type path struct {
	action   cbpf.Action
	constant bool // action is the only one
	longest  int  // instructions of the longest path
}

func newWalker(p *cbpf.Program) *walker { return &walker{p: p, states: make([]state, p.Len())} }

// walk follows all paths for a number and an AUDIT_ARCH value. It takes both
// outcomes of a test for possible if it does not know the accumulator, as with
// words that arithmetic or scratch memory has gone over, so it errs towards more
// paths.
func (w *walker) walk(audit, nr value) path {
	if len(w.states) == 0 {
		return path{action: cbpf.KillThread, constant: true}
	}
	clear(w.states)
	w.states[0] = state{longest: 1, a: known(0), x: known(0)}
	var end path
	for pc := range w.states {
		s := w.states[pc]
		if s.longest == 0 {
			continue
		}
		ins := w.p.At(pc)
		switch ins.Op {
		case opRet:
			end.join(known(ins.K), s.longest)
		case opRetA:
			end.join(s.a, s.longest)
		case opJump:
			w.to(pc+1+int(ins.K), s)
		case opLoad:
			switch ins.K {
			case cbpf.OffNR:
				s.a = nr
			case cbpf.OffArch:
				s.a = audit
			default:
				s.a = w.call.word(ins.K)
			}
			w.to(pc+1, s)
		default:
			if ins.Op&0x07 == opJump {
				w.branch(pc, ins, s)
				break
			}
			if ins.Op == opDivX && (!s.x.ok || s.x.k == 0) {
				end.join(known(uint32(cbpf.KillThread)), s.longest) // division by zero ends the program
			}
			s.execute(ins)
			w.to(pc+1, s)
		}
	}
	return end
}

// Reaching returns a function that lists, in order, the instructions which the calls with a
// number may execute, whatever their arguments. It may list some that no call executes,
// and leaves none out.
func Reaching(p *cbpf.Program) func(audit, nr uint32) []int {
	w := newWalker(p)
	return func(audit, nr uint32) []int {
		w.walk(known(audit), known(nr))
		var pcs []int
		for pc := range w.states {
			if w.states[pc].longest != 0 {
				pcs = append(pcs, pc)
			}
		}
		return pcs
	}
}

// A partly is a call of which some arguments are known.
type partly struct {
	*cbpf.Data
	unknown [6]bool
	big     bool // the byte order
	narrow  bool // the upper halves of arguments are 0
}

// word returns what is known of a word of the arguments or of the instruction pointer.
func (c *partly) word(off uint32) value {
	if c == nil {
		return value{}
	}
	v, upper := c.IP, (off&4 != 0) != c.big
	if off >= cbpf.OffArgs {
		i := (off - cbpf.OffArgs) / 8 % uint32(len(c.Args))
		if v = c.Args[i]; c.unknown[i] {
			return value{ok: upper && c.narrow}
		}
	}
	if upper {
		v >>= 32
	}
	return known(uint32(v))
}

// Deciding returns which of a call's unknown arguments may decide what it gets: none if it gets
// the same whatever they are.
func Deciding(p *cbpf.Program, d *cbpf.Data, unknown [6]bool) (deciding [6]bool) {
	abi, _ := arch.ByAudit(d.Arch, d.NR)
	w := newWalker(p)
	w.call = &partly{d, unknown, p.Order() == binary.BigEndian, abi.Bits() == 32}
	if w.walk(known(d.Arch), known(d.NR)).constant {
		return deciding
	}
	for pc := range w.states {
		if ins := p.At(pc); w.states[pc].longest != 0 && ins.Op == opLoad && ins.K >= cbpf.OffArgs {
			i := (ins.K - cbpf.OffArgs) / 8
			deciding[i] = unknown[i]
		}
	}
	return deciding
}

func (e *path) join(verdict value, longest int) {
	first := e.longest == 0
	e.constant = verdict.ok && (first || e.constant && e.action == cbpf.Action(verdict.k))
	e.action = cbpf.Action(verdict.k)
	e.longest = max(e.longest, longest)
}

// to hands a state on to the next instruction.
func (w *walker) to(pc int, s state) {
	t := &w.states[pc]
	if t.longest == 0 {
		*t = s
	}
	t.longest = max(t.longest, s.longest+1)
	if t.a != s.a {
		t.a = value{}
	}
	if t.x != s.x {
		t.x = value{}
	}
}

// branch follows a conditional jump.
func (w *walker) branch(pc int, ins bpf.RawInstruction, s state) {
	k := known(ins.K)
	if ins.Op&0x08 != 0 {
		k = s.x
	}
	open := !s.a.ok || !k.ok
	holds := false
	switch ins.Op &^ 0x08 {
	case opEqual:
		holds = s.a.k == k.k
	case opAbove:
		holds = s.a.k > k.k
	case opAtLeast:
		holds = s.a.k >= k.k
	case opAnySet:
		holds = s.a.k&k.k != 0
	}
	if open || holds {
		w.to(pc+1+int(ins.Jt), s)
	}
	if open || !holds {
		w.to(pc+1+int(ins.Jf), s)
	}
}

// execute changes the registers as an instruction that neither jumps nor returns.
func (s *state) execute(ins bpf.RawInstruction) {
	switch ins.Op {
	case opLdImm:
		s.a = known(ins.K)
	case opLdxImm:
		s.x = known(ins.K)
	case opTax:
		s.x = s.a
	case opTxa:
		s.a = s.x
	case opAnd:
		s.a.k &= ins.K
	case opLdxMem, opLdxLen:
		s.x = value{}
	case opSt, opStx:
	default:
		s.a = value{}
	}
	if !s.a.ok {
		s.a.k = 0 // unknown values are equal
	}
}

// steps returns how many instructions a call with arguments of 0 executes.
func (w *walker) steps(audit, nr uint32) int {
	_, steps := w.p.Trace(&cbpf.Data{NR: nr, Arch: audit})
	return len(steps)
}

// Opcodes of linux/bpf_common.h. Those with X have bit 3 set.
const (
	opLoad    = 0x20 // LD W ABS
	opLdImm   = 0x00
	opLdxImm  = 0x01
	opLdxMem  = 0x61
	opLdxLen  = 0x81
	opSt      = 0x02
	opStx     = 0x03
	opTax     = 0x07
	opTxa     = 0x87
	opAnd     = 0x54 // AND K
	opDivX    = 0x3c
	opJump    = 0x05 // JA
	opEqual   = 0x15 // JEQ K
	opAbove   = 0x25 // JGT K
	opAtLeast = 0x35 // JGE K
	opAnySet  = 0x45 // JSET K
	opRet     = 0x06 // RET K
	opRetA    = 0x16
)
