package smt

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/smt"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// A pair is a program, or a policy, and another program. Do they ever differ?
type pair struct {
	a      proof.Subject
	asked  smt.Subject      // a, for solvers
	policy *policy.Resolved // nil if a is a program
	b      *cbpf.Program
}

func policyAnd(r *policy.Resolved, b *cbpf.Program) *pair {
	return &pair{proof.Policy(r), smt.Policy(r), r, b}
}

func programAnd(a, b *cbpf.Program) *pair {
	return &pair{proof.Program(a), smt.Program(a), nil, b}
}

// A kind is a way to draw pairs. What it draws is nil if it has to draw again.
type kind struct {
	name string
	draw func(testing.TB, *rand.Rand) *pair
}

// programKinds draw random programs with every opcode that kernels take.
func programKinds() []kind {
	var kinds []kind
	for _, other := range []struct {
		name string
		draw func(*rand.Rand, *cbpf.Program) *cbpf.Program
	}{
		{"its rewrite", func(r *rand.Rand, p *cbpf.Program) *cbpf.Program { return like(p, gen.Rewrite(r, p.Raw())) }},
		{"a mutant", mutant},
		{"another", func(r *rand.Rand, p *cbpf.Program) *cbpf.Program { return like(p, gen.Program(r, p.Len())) }},
	} {
		kinds = append(kinds, kind{"program and " + other.name, func(t testing.TB, r *rand.Rand) *pair {
			order := []binary.ByteOrder{binary.LittleEndian, binary.BigEndian}[r.IntN(2)]
			p, err := cbpf.New(gen.Program(r, 1+r.IntN(60)), order)
			if err != nil {
				t.Error(err)
				return nil
			}
			if q := other.draw(r, p); q != nil {
				return programAnd(p, q)
			}
			return nil
		}})
	}
	return kinds
}

// like returns a program in the byte order of another one; nil if kernels refuse it.
func like(p *cbpf.Program, raw []bpf.RawInstruction) *cbpf.Program {
	q, err := cbpf.New(raw, p.Order())
	if err != nil {
		return nil
	}
	return q
}

// mutant plants a fault, if possible one that some calls show: most of a random program
// decides nothing.
func mutant(r *rand.Rand, p *cbpf.Program) *cbpf.Program {
	var q *cbpf.Program
	for range 30 {
		if q = fault(r, p); q == nil {
			continue
		}
		for range 30 {
			if d := gen.Data(r, p.Raw()); p.Eval(&d) != q.Eval(&d) {
				return q
			}
		}
	}
	return q
}

// fault plants any fault; nil if kernels refuse the program.
func fault(r *rand.Rand, p *cbpf.Program) *cbpf.Program {
	skip := r.IntN(2 * p.Len()) // an instruction has two faults at least
	for _, bad := range gen.Faults(p.Raw()) {
		if skip--; skip < 0 {
			return like(p, bad)
		}
	}
	return nil
}

// policyKinds draw policies and compile them. Those of faultKinds have a fault planted.
func policyKinds() []kind { return compiledKinds("policy, ", nil) }

func faultKinds() []kind { return compiledKinds("fault in ", fault) }

func compiledKinds(prefix string, change func(*rand.Rand, *cbpf.Program) *cbpf.Program) []kind {
	var kinds []kind
	for _, shape := range []struct {
		name string
		x32  bool // for x86_64 with x32
		of   int  // policies of a stack
		gen.Options
	}{
		{"dense x32", true, 1, gen.Options{Dense: true}},
		{"dense", false, 1, gen.Options{Dense: true}},
		{"any", false, 1, gen.Options{}},
		{"masks", false, 1, gen.Options{Family: gen.Masks}},
		{"one argument", false, 1, gen.Options{Family: gen.OneArg}},
		{"first match", false, 1, gen.Options{FirstMatch: true}},
		{"stack", false, 3, gen.Options{}},
	} {
		kinds = append(kinds, kind{prefix + shape.name, func(t testing.TB, r *rand.Rand) *pair {
			o := gen.ResolveOptions(r)
			if shape.x32 {
				o.ABIs = arch.X86_64.Family()[:2+r.IntN(2)]
			}
			of, shape := shape.of, shape.Options
			shape.ABIs, shape.Entries = o.ABIs, 1+r.IntN(8)
			all := gen.Policy(r, shape)
			for range of - 1 {
				all.Older = append(all.Older, gen.Policy(r, shape))
			}
			res, _, err := policy.Resolve(all, o)
			if err != nil {
				return nil
			}
			p := compile(t, r, res, shape.Dense)
			if p != nil && change != nil {
				p = change(r, p)
			}
			if p == nil {
				return nil
			}
			return policyAnd(res, p)
		}})
	}
	return kinds
}

// compile compiles a policy, exhaustively now and then if it is not dense; that may take
// a thousand times as long. It returns nil for a policy that is too long.
func compile(t testing.TB, r *rand.Rand, res *policy.Resolved, dense bool) *cbpf.Program {
	var o compiler.Options
	if !dense && r.IntN(4) == 0 {
		o.Effort = compiler.Exhaustive
	}
	p, defects, err := compiler.Compile(res, o)
	if len(defects) > 0 {
		t.Error(defects)
	}
	var tooLong *compiler.TooLongError
	if err != nil && !errors.As(err, &tooLong) {
		t.Error(err)
	}
	return p
}
