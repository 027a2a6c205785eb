package proof

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
)

// A family is rules on one call of which a diagram of decisions is large.
type family func(r *rand.Rand, i int) []policy.Cond

func families() map[string]family {
	cond := func(arg uint8, op policy.Op, value uint64) policy.Cond {
		return policy.Cond{Arg: arg, Op: op, Mask: math.MaxUint64, Value: value}
	}
	masked := func(arg uint8, mask, value uint64) policy.Cond {
		return policy.Cond{Arg: arg, Op: policy.MaskedEqual, Mask: mask, Value: value & mask}
	}
	ops := []policy.Op{policy.Equal, policy.NotEqual, policy.Less, policy.LessEqual, policy.GreaterEqual, policy.Greater, policy.MaskedEqual}
	return map[string]family{
		"six conditions": func(r *rand.Rand, _ int) (conds []policy.Cond) {
			for arg := range uint8(6) {
				c := cond(arg, ops[r.IntN(len(ops))], r.Uint64())
				if c.Op == policy.MaskedEqual {
					c = masked(arg, r.Uint64(), r.Uint64())
				}
				conds = append(conds, c)
			}
			return conds
		},
		"equal": func(r *rand.Rand, _ int) []policy.Cond { return []policy.Cond{cond(1, policy.Equal, r.Uint64())} },
		"equal, of 32 bits": func(r *rand.Rand, _ int) []policy.Cond {
			return []policy.Cond{cond(1, policy.Equal, uint64(r.Uint32()))}
		},
		"six bits": func(r *rand.Rand, _ int) []policy.Cond {
			mask := uint64(0)
			for range 6 {
				mask |= 1 << r.IntN(64)
			}
			return []policy.Cond{masked(1, mask, r.Uint64())}
		},
		"one byte": func(_ *rand.Rand, i int) []policy.Cond { return []policy.Cond{masked(1, 0xff, uint64(i)*7)} },
		"bits of two": func(_ *rand.Rand, i int) []policy.Cond {
			return []policy.Cond{masked(0, 1<<(i%64), math.MaxUint64), masked(1, 1<<(i%64), math.MaxUint64)}
		},
		"above, below": func(r *rand.Rand, _ int) []policy.Cond {
			return []policy.Cond{cond(0, policy.Greater, r.Uint64()), cond(1, policy.Less, r.Uint64())}
		},
		"not equal": func(r *rand.Rand, _ int) []policy.Cond {
			return []policy.Cond{cond(0, policy.NotEqual, r.Uint64()), cond(1, policy.NotEqual, r.Uint64()), cond(2, policy.Equal, r.Uint64())}
		},
		"the same upper half": func(r *rand.Rand, _ int) []policy.Cond {
			return []policy.Cond{cond(0, policy.GreaterEqual, 5<<32|uint64(r.Uint32())), cond(3, policy.LessEqual, 6<<32|uint64(r.Uint32()))}
		},
	}
}

// of returns a policy of n rules of a family, with actions that all differ or all are the same.
func (f family) of(n int, differ bool) *policy.Resolved {
	r := gen.New(1)
	call := policy.Call{NR: 16, ABI: arch.X86_64}
	for i := range n {
		c := policy.Clause{Conds: f(r, i), Action: cbpf.Allow}
		if differ {
			c.Action = cbpf.Errno(uint16(i))
		}
		call.Clauses = append(call.Clauses, c)
	}
	return &policy.Resolved{Default: cbpf.KillProcess, Spaces: []policy.Space{{
		Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64}, Calls: []policy.Call{call},
	}}}
}

// short compiles like naive, with a jump to where a condition fails in place of a JA, and
// without masks of all bits: some half of the length. It takes one call and rules whose
// tests are at most 255 instructions.
func short(r *policy.Resolved) (*cbpf.Program, error) {
	n := &chain{order: r.Order()}
	s := &r.Spaces[0]
	n.emit(opLdAbs, 0, 0, cbpf.OffArch)
	n.emit(classJmp|jmpEq, 1, 0, s.Audit)
	n.ret(r.BadArch)
	n.emit(opLdAbs, 0, 0, cbpf.OffNR)
	n.emit(classJmp|jmpEq, 1, 0, s.Calls[0].NR)
	n.ret(r.Default)
	for _, c := range s.Calls[0].Clauses {
		start := len(n.insns)
		for _, cond := range c.Conds {
			n.short(cond)
		}
		n.ret(c.Action)
		for at := start; at < len(n.insns); at++ { // 255 stands for the end of the rule
			ins := &n.insns[at]
			if ins.Op&classMask == classJmp {
				if ins.Jt == 255 {
					ins.Jt = uint8(len(n.insns) - at - 1)
				}
				if ins.Jf == 255 {
					ins.Jf = uint8(len(n.insns) - at - 1)
				}
			}
		}
	}
	n.ret(r.Default)
	if len(n.insns) > cbpf.MaxInstructions {
		return nil, fmt.Errorf("%d instructions", len(n.insns))
	}
	return cbpf.New(n.insns, n.order)
}

// short emits one condition, which goes on where it holds.
func (n *chain) short(c policy.Cond) {
	load := func(high uint32) uint32 {
		value := n.half(c, high)
		if last := len(n.insns) - 1; n.insns[last].K == math.MaxUint32 {
			n.insns = n.insns[:last]
		}
		return value
	}
	high := load(1)
	switch c.Op {
	case policy.Equal, policy.MaskedEqual:
		n.emit(classJmp|jmpEq, 0, 255, high)
		n.emit(classJmp|jmpEq, 0, 255, load(0))
		return
	case policy.NotEqual:
		n.emit(classJmp|jmpEq, 0, 2, high)
		n.emit(classJmp|jmpEq, 255, 0, load(0))
		return
	}
	low := func(op uint16, holds bool) {
		if holds {
			n.emit(op, 0, 255, load(0))
		} else {
			n.emit(op, 255, 0, load(0))
		}
	}
	switch c.Op {
	case policy.Greater, policy.GreaterEqual:
		n.emit(classJmp|jmpGt, 3, 0, high)
		n.emit(classJmp|jmpEq, 0, 255, high)
	default:
		n.emit(classJmp|jmpGe, 0, 3, high)
		n.emit(classJmp|jmpEq, 0, 255, high)
	}
	switch c.Op {
	case policy.Greater:
		low(classJmp|jmpGt, true)
	case policy.GreaterEqual:
		low(classJmp|jmpGe, true)
	case policy.Less:
		low(classJmp|jmpGe, false)
	default:
		low(classJmp|jmpGt, false)
	}
}

// A plain program tests each rule of a call by itself. It is proved in steps that grow with
// its length, whatever the rules: the compiler can always fall back on one.
func TestWalkOfPlainProgramsIsLinear(t *testing.T) {
	for name, f := range families() {
		for what, compile := range map[string]func(*policy.Resolved) (*cbpf.Program, error){"naive": naive, "short": short} {
			for _, differ := range []bool{false, true} {
				what := fmt.Sprintf("%s, %s, actions differ %v", name, what, differ)
				perInstruction, longest := 0.0, 0
				for n := 4; ; n += n / 2 {
					res := f.of(n, differ)
					p, err := compile(res)
					if err != nil {
						break
					}
					longest = p.Len()
					got, err := Walk(res, p)
					if err != nil || got.Verdict != Same {
						t.Fatalf("%s: %d rules: %+v, %v", what, n, got, err)
					}
					each := float64(got.Steps) / float64(p.Len())
					if n == 6 {
						perInstruction = each
					}
					if n > 6 && each > 1.2*perInstruction {
						t.Errorf("%s: %d rules: %.2f steps an instruction, but %.2f with 6", what, n, each, perInstruction)
					}
				}
				t.Logf("%s: %.2f steps an instruction, up to %d", what, perInstruction, longest)
				if longest < cbpf.MaxInstructions/2 {
					t.Errorf("%s: only up to %d instructions", what, longest)
				}
			}
		}
	}
}

// Each fault in a plain program of many rules is found: lemmas prove no more than is so.
func TestWalkFindsFaultsInPlainPrograms(t *testing.T) {
	tally := tally{T: t}
	for name, f := range families() {
		r := gen.New(3)
		res := f.of(3, true)
		p, err := short(res)
		if err != nil {
			t.Fatal(err)
		}
		for what, raw := range gen.Faults(p.Raw()) {
			if r.IntN(gen.Many(3, 1)) > 0 {
				continue
			}
			if bad, err := cbpf.New(raw, binary.LittleEndian); err == nil {
				tally.compare(name+": "+what, res, bad)
			}
		}
	}
	tally.atLeast(20, 100)
}

// searchTree returns a policy of n rules on one call, in no order, and a program that finds
// the rule in a tree of comparisons.
func searchTree(n int) (*policy.Resolved, []bpf.RawInstruction) {
	call := policy.Call{NR: 16, ABI: arch.X86}
	for i := range n {
		call.Clauses = append(call.Clauses, policy.Clause{
			Conds:  []policy.Cond{{Op: policy.Equal, Mask: math.MaxUint32, Value: uint64(i*5%n) * 10}},
			Action: cbpf.Errno(uint16(i * 5 % n)),
		})
	}
	res := &policy.Resolved{Default: cbpf.KillProcess, BadArch: cbpf.KillProcess, Spaces: []policy.Space{{
		Audit: arch.X86.Audit(), ABIs: []arch.ABI{arch.X86}, Calls: []policy.Call{call},
	}}}
	raw := []bpf.RawInstruction{
		{Op: opLdAbs, K: cbpf.OffArch}, {Op: classJmp | jmpEq, K: arch.X86.Audit(), Jt: 1}, {Op: opRetK, K: uint32(cbpf.KillProcess)},
		{Op: opLdAbs, K: cbpf.OffNR}, {Op: classJmp | jmpEq, K: 16, Jt: 1}, {Op: opRetK, K: uint32(cbpf.KillProcess)},
		{Op: opLdAbs, K: cbpf.OffArgs},
	}
	emit := func(op uint16, k uint32) {
		raw = append(raw, bpf.RawInstruction{Op: op, K: k})
	}
	var search func(low, high int)
	search = func(low, high int) {
		if high-low == 1 {
			raw = append(raw, bpf.RawInstruction{Op: classJmp | jmpEq, K: uint32(low) * 10, Jf: 1})
			emit(opRetK, uint32(cbpf.Errno(uint16(low))))
			emit(opRetK, uint32(res.Default))
			return
		}
		middle := (low + high) / 2
		raw = append(raw, bpf.RawInstruction{Op: classJmp | jmpGe, K: uint32(middle) * 10, Jf: 1})
		ja := len(raw)
		emit(opJa, 0)
		search(low, middle)
		raw[ja].K = uint32(len(raw) - ja - 1)
		search(middle, high)
	}
	search(0, n)
	return res, raw
}

// A tree of comparisons has as many leaves as there are rules, and no leaf looks at all rules.
func TestWalkOfSearchTreesIsNearlyLinear(t *testing.T) {
	for _, n := range []int{64, 128, 256, 512} {
		res, raw := searchTree(n)
		got, err := Walk(res, mustProgram(t, binary.LittleEndian, raw...))
		t.Logf("%d rules: %d instructions, %d steps", n, len(raw), got.Steps)
		if err != nil || got.Verdict != Same || got.Steps > 20*len(raw) {
			t.Errorf("%d rules, %d instructions: %+v, %v", n, len(raw), got, err)
		}
	}
}
