package proof

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// hostile programs have large diagrams or many states whatever the order.
func hostile(t testing.TB) map[string]*cbpf.Program {
	out := map[string]*cbpf.Program{}
	add := func(name string, raw ...bpf.RawInstruction) {
		out[name] = mustProgram(t, binary.LittleEndian, raw...)
	}
	ld := func(w uint32) bpf.RawInstruction { return bpf.RawInstruction{Op: opLdAbs, K: 4 * w} }
	retA := bpf.RawInstruction{Op: opRetA}
	op := func(code uint16, k uint32) bpf.RawInstruction { return bpf.RawInstruction{Op: code, K: k} }

	add("product of two arguments", ld(4), op(opTax, 0), ld(6), op(classAlu|aluMul|srcX, 0), retA)
	add("quotient of two arguments", ld(4), op(opTax, 0), ld(6), op(classAlu|aluDiv|srcX, 0), retA)

	var chain []bpf.RawInstruction
	chain = append(chain, ld(4))
	for len(chain) < cbpf.MaxInstructions-1 {
		chain = append(chain, op(classAlu|aluMul, 0x9e3779b1), op(classAlu|aluXor, 0x85ebca6b), op(opTax, 0), op(classAlu|aluRsh, 13), op(classAlu|aluXor|srcX, 0))
	}
	add("a hash function", append(chain[:cbpf.MaxInstructions-1], retA)...)

	// Every test may add another power of two times another argument word.
	states := []bpf.RawInstruction{op(opLdImm, 1), op(opSt, 0)}
	for i := uint32(0); len(states) < 4000; i++ {
		states = append(states, ld(4+i%12), bpf.RawInstruction{Op: classJmp | jmpSet, K: 1 << (i % 31), Jf: 3},
			op(opLdMem, 0), op(classAlu|aluMul, 2*i+3), op(opSt, 0))
	}
	add("a state for every path", append(states, op(opLdMem, 0), retA)...)

	// Equality of words far apart: bits alternate in no order that suits both.
	far := []bpf.RawInstruction{}
	for i := range uint32(12) {
		far = append(far, ld(4+i), op(opTax, 0), ld(4+(i*5+1)%12), op(classAlu|aluMul|srcX, 0), op(opTax, 0), ld(4+(i*7+3)%12),
			bpf.RawInstruction{Op: classJmp | jmpGt | srcX, Jf: 1}, op(opRetK, i))
	}
	add("arguments compared with products", append(far, retA)...)

	// A comparison of all scratch words in all orders.
	mem := []bpf.RawInstruction{}
	for i := range uint32(12) {
		mem = append(mem, ld(4+i), op(opSt, i))
	}
	for i := uint32(0); len(mem) < 4000; i++ {
		mem = append(mem, op(opLdMem, i%12), op(opLdxMem, (i*7+1)%12), op(classAlu|aluAdd|srcX, 0), op(opSt, (i*5+2)%12))
	}
	add("sums of sums", append(mem, op(opLdMem, 0), retA)...)
	return out
}

func TestHostileProgramsEndAtALimit(t *testing.T) {
	for name, p := range hostile(t) {
		for _, l := range []Limits{{Nodes: 1000}, {Steps: 100000}, {Nodes: 1 << 18, Steps: 1 << 21}} {
			other := mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opRetK})
			res, err := Equal(Program(p), Program(other), l)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if res.Verdict != Unknown || !strings.Contains(res.Reason, "Limits.") || res.Witness != nil {
				t.Errorf("%s, %+v: %v, reason %q", name, l, res.Verdict, res.Reason)
			}
			report, err := Check(Program(other), p, l)
			if err != nil || report.OK() || report.Verdict != Unknown {
				t.Errorf("%s: Check: %+v, %v", name, report, err)
			}
		}
	}
}

func TestHostilePolicyEndsAtALimit(t *testing.T) {
	// Which of the clauses still may hold is 2^40 states after argument 0.
	call := policy.Call{NR: 1, ABI: arch.X86_64}
	for i := range 40 {
		bit := uint64(1) << i
		call.Clauses = append(call.Clauses, policy.Clause{
			Conds: []policy.Cond{
				{Arg: 0, Op: policy.MaskedEqual, Mask: bit, Value: bit},
				{Arg: 1, Op: policy.MaskedEqual, Mask: bit, Value: bit},
			},
			Action: cbpf.Errno(uint16(i)),
		})
	}
	r := &policy.Resolved{Default: cbpf.Allow, Spaces: []policy.Space{{Audit: 0xc000003e, ABIs: []arch.ABI{arch.X86_64}, Calls: []policy.Call{call}}}}
	p := mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opRetK})
	res, err := Equal(Policy(r), Program(p), Limits{Nodes: 1 << 18, Steps: 1 << 21})
	if err != nil || res.Verdict != Unknown || res.Reason == "" {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestComputedReturnsCompareWithoutBeingListed(t *testing.T) {
	ld := bpf.RawInstruction{Op: opLdAbs, K: 16}
	a := Program(mustProgram(t, binary.LittleEndian, ld, bpf.RawInstruction{Op: opRetA}))
	b := Program(mustProgram(t, binary.LittleEndian, ld, bpf.RawInstruction{Op: opTax}, bpf.RawInstruction{Op: opTxa}, bpf.RawInstruction{Op: opRetA}))
	c := Program(mustProgram(t, binary.LittleEndian, ld, bpf.RawInstruction{Op: classJmp | jmpEq, K: 77, Jf: 1}, bpf.RawInstruction{Op: opRetK, K: 78}, bpf.RawInstruction{Op: opRetA}))
	if res, err := Equal(a, b, Limits{}); err != nil || res.Verdict != Same {
		t.Errorf("%+v, %v", res, err)
	}
	res, err := Equal(a, c, Limits{})
	if err != nil || res.Verdict != Different || res.Witness.Call.Args[0]&0xffffffff != 77 {
		t.Errorf("%+v, %v", res, err)
	}
}

// manyReturns returns about two thousand different actions, by one argument.
func manyReturns(t testing.TB, arg uint32) *cbpf.Program {
	raw := []bpf.RawInstruction{{Op: opLdAbs, K: cbpf.OffArgs + 8*arg}}
	for i := uint32(0); len(raw) < cbpf.MaxInstructions-2; i++ {
		raw = append(raw, bpf.RawInstruction{Op: classJmp | jmpEq, K: i * 0x9e3779b1, Jf: 1}, bpf.RawInstruction{Op: opRetK, K: i})
	}
	return mustProgram(t, binary.LittleEndian, append(raw, bpf.RawInstruction{Op: opRetA})...)
}

func TestEveryQuestionEndsOnHostilePrograms(t *testing.T) {
	programs := hostile(t)
	programs["many returns"] = manyReturns(t, 0)
	many := Program(manyReturns(t, 1))
	for name, p := range programs {
		l := Limits{Nodes: 1 << 17, Steps: 1 << 20}
		one := Program(p)
		for what, ask := range map[string]func() error{
			"Equal":          func() error { _, err := Equal(one, many, l); return err },
			"Equal of stack": func() error { _, err := Equal(Stack(one, many, one), many, l); return err },
			"Check":          func() error { _, err := Check(many, p, l); return err },
			"Explain":        func() error { _, err := Explain(one, l); return err },
			"Diff":           func() error { _, err := Diff(one, many, l); return err },
		} {
			var limit *LimitError
			if err := ask(); err != nil && !errors.As(err, &limit) {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
	}
}

// Wherever a limit is hit, Diff says so. It takes no witness from the sets that it has then:
// the one of an empty set is the call that is all zeros, which both of these kill.
func TestDiffEndsAtEveryLimit(t *testing.T) {
	want, p := Policy(threeCalls), Program(mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opRetK, K: uint32(cbpf.KillProcess)}))
	for name, of := range map[string]func(int) Limits{
		"Nodes": func(n int) Limits { return Limits{Nodes: n} },
		"Steps": func(n int) Limits { return Limits{Steps: n} },
		"Rows":  func(n int) Limits { return Limits{Rows: n} },
	} {
		for n := 1; ; n++ {
			_, err := Diff(want, p, of(n))
			if err == nil {
				break
			}
			var limit *LimitError
			if !errors.As(err, &limit) {
				t.Errorf("%s: %d: %v", name, n, err)
			}
		}
	}
}
