package proof

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// naive compiles a policy the plainest way: one test after the other, every
// block leaving by a JA. It is the compiler that these tests need nobody to
// believe.
func naive(r *policy.Resolved) (*cbpf.Program, error) {
	n := &chain{order: r.Order()}
	for i := range r.Spaces {
		n.space(r, &r.Spaces[i])
	}
	n.ret(r.BadArch)
	if len(n.insns) > cbpf.MaxInstructions {
		return nil, fmt.Errorf("%d instructions", len(n.insns))
	}
	return cbpf.New(n.insns, n.order)
}

type chain struct {
	insns []bpf.RawInstruction
	order binary.ByteOrder
}

func (n *chain) emit(op uint16, jt, jf uint8, k uint32) {
	n.insns = append(n.insns, bpf.RawInstruction{Op: op, Jt: jt, Jf: jf, K: k})
}

func (n *chain) ret(a cbpf.Action) { n.emit(opRetK, 0, 0, uint32(a)) }

// unless emits a test that must hold to go on, and a JA for when it does not;
// its place is returned for [chain.land].
func (n *chain) unless(op uint16, k uint32, not bool) int {
	if not {
		n.emit(op, 0, 1, k)
	} else {
		n.emit(op, 1, 0, k)
	}
	n.emit(opJa, 0, 0, 0)
	return len(n.insns) - 1
}

// land makes JAs go to the next instruction.
func (n *chain) land(jas ...int) {
	for _, at := range jas {
		n.insns[at].K = uint32(len(n.insns) - at - 1)
	}
}

func (n *chain) space(r *policy.Resolved, s *policy.Space) {
	n.emit(opLdAbs, 0, 0, cbpf.OffArch)
	other := n.unless(classJmp|jmpEq, s.Audit, false)
	for _, x := range s.Ranges {
		n.interval(policy.Interval{First: x.First, Last: x.Last}, x.Action)
	}
	for i := 0; i < len(s.Calls); i++ {
		c := s.Calls[i]
		v := policy.Interval{First: c.NR, Last: c.NR}
		if len(c.Clauses[0].Conds) == 0 {
			for i+1 < len(s.Calls) && s.Calls[i+1].NR == v.Last+1 && len(s.Calls[i+1].Clauses[0].Conds) == 0 &&
				s.Calls[i+1].Clauses[0].Action == c.Clauses[0].Action {
				v.Last++
				i++
			}
			n.interval(v, c.Clauses[0].Action)
			continue
		}
		n.emit(opLdAbs, 0, 0, cbpf.OffNR)
		next := n.unless(classJmp|jmpEq, c.NR, false)
		for _, clause := range c.Clauses {
			n.clause(clause)
		}
		n.ret(r.Default)
		n.land(next)
	}
	n.ret(r.Default)
	n.land(other)
}

func (n *chain) interval(v policy.Interval, a cbpf.Action) {
	n.emit(opLdAbs, 0, 0, cbpf.OffNR)
	below := n.unless(classJmp|jmpGe, v.First, false)
	above := n.unless(classJmp|jmpGt, v.Last, true)
	n.ret(a)
	n.land(below, above)
}

func (n *chain) clause(c policy.Clause) {
	var fail []int
	for _, cond := range c.Conds {
		fail = append(fail, n.cond(cond)...)
	}
	n.ret(c.Action)
	n.land(fail...)
}

// half loads one half of an argument, masked.
func (n *chain) half(c policy.Cond, high uint32) uint32 {
	at := high
	if n.order == binary.BigEndian {
		at = 1 - high
	}
	n.emit(opLdAbs, 0, 0, cbpf.OffArgs+8*uint32(c.Arg)+4*at)
	n.emit(classAlu|aluAnd, 0, 0, uint32(c.Mask>>(32*high)))
	return uint32(c.Value >> (32 * high))
}

// cond emits one condition and returns the JAs of its failures.
func (n *chain) cond(c policy.Cond) []int {
	high := n.half(c, 1)
	switch c.Op {
	case policy.Equal, policy.MaskedEqual:
		a := n.unless(classJmp|jmpEq, high, false)
		return []int{a, n.unless(classJmp|jmpEq, n.half(c, 0), false)}
	case policy.NotEqual:
		a := n.unless(classJmp|jmpEq, high, false) // taken: holds
		b := n.unless(classJmp|jmpEq, n.half(c, 0), true)
		n.emit(opJa, 0, 0, 1)
		n.land(b)
		n.emit(opJa, 0, 0, 0)
		n.land(a)
		return []int{len(n.insns) - 1}
	}
	// Holds at once if the upper half is beyond, fails if it is not equal then.
	upper := uint16(classJmp | jmpGt)
	if c.Op == policy.Less || c.Op == policy.LessEqual {
		upper = classJmp | jmpGe
	}
	less := upper == classJmp|jmpGe
	sure := n.unless(upper, high, !less) // GT: taken if above; GE: taken if below
	fail := n.unless(classJmp|jmpEq, high, false)
	low := n.half(c, 0)
	var end int
	switch c.Op {
	case policy.Less:
		end = n.unless(classJmp|jmpGe, low, true)
	case policy.LessEqual:
		end = n.unless(classJmp|jmpGt, low, true)
	case policy.Greater:
		end = n.unless(classJmp|jmpGt, low, false)
	default:
		end = n.unless(classJmp|jmpGe, low, false)
	}
	n.emit(opJa, 0, 0, 1)
	n.land(end, fail)
	n.emit(opJa, 0, 0, 0)
	n.land(sure)
	return []int{len(n.insns) - 1}
}
