// Package advisory finds filters that a past defect of this module made wrong. It looks
// at what they do and needs no profile. Each defect has a function here and an entry in
// SECURITY.md.
package advisory

import (
	"errors"
	"slices"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Finding is a call that a filter decides one way through x86_64 and another way
// through x32, with the same arguments.
type Finding struct {
	X8664, X32   cbpf.Data
	Right, Wrong cbpf.Action // what the filter returns for the two
}

// Weaker reports whether the filter allows through x32 what it denies through x86_64.
func (f *Finding) Weaker() bool { return f.Wrong.Compare(f.Right) > 0 }

// ErrUnclear reports that a filter may or may not be affected: it compares the upper halves
// of arguments, which x32 does not have, with values other than zero. Only its profile
// can settle the question.
var ErrUnclear = errors.New("constants above 32 bits mean something else for x32, so only the filter's profile can settle it")

// X32Masks finds filters for x86_64 and x32 that were compiled from commit 4ef8e0f
// on and before 2741c3f: they may have lost or inverted, for x32 alone, a condition
// whose mask is the top bits of a word. It returns nil for a filter that is not
// affected, and a call on which the filter is weaker where there is one.
//
// A profile means the same for both ABIs as long as its constants have no upper
// half, and the defect leaves x86_64 alone. So calls of both are compared, with
// arguments whose upper halves are zero. For a filter whose constants have upper
// halves the error is [ErrUnclear]; if the filter is too large for the limits of the proof,
// it is a [*proof.LimitError]. Rules for one call may legitimately be ordered differently
// for the two ABIs: X32Masks reports such a filter, too.
func X32Masks(p *cbpf.Program) (*Finding, error) {
	if p.Order() != arch.X86_64.ByteOrder() || !sharesTree(p) && !targetsX32(p) {
		return nil, nil
	}
	if comparesUpperHalves(p) {
		return nil, ErrUnclear
	}
	var found *Finding
	for low, c := range syscalltables.All(arch.X86_64) {
		high, ok := c.Number(arch.X32)
		if !ok || !hasConditions(p, low) {
			continue
		}
		f, err := compare(p, low, high)
		if err != nil {
			return nil, err
		}
		if f == nil {
			continue
		}
		if found = f; f.Weaker() {
			break
		}
	}
	return found, nil
}

// Opcodes of the filters that the compiler writes.
const (
	opLoad    = 0x20 // LD W ABS
	opLoadImm = 0x00 // LD IMM
	opAnd     = 0x54 // AND K
	classMask = 0x07
	classJump = 0x05
	opJump    = 0x05 // JA
	opEqual   = 0x15 // JEQ K
	opAtLeast = 0x35 // JGE K
	opAbove   = 0x25 // JGT K
)

// sharesTree reports whether a program may look x32 numbers up among those of
// x86_64, without their bit, as the part of the compiler does that was wrong.
func sharesTree(p *cbpf.Program) bool {
	for pc := range p.Len() {
		if ins := p.At(pc); ins.Op == opAnd && ins.K == arch.X32Bit-1 {
			return true
		}
	}
	return false
}

// targetsX32 reports whether a program distinguishes calls of x32. Without
// x32 among its targets it gives all of them the bad-arch action. What is made of a
// filter that shares a tree, by optimize or merge, need not share one.
func targetsX32(p *cbpf.Program) bool {
	audit := arch.X86_64.Audit()
	first := p.Eval(&cbpf.Data{Arch: audit, NR: arch.X32Bit})
	for nr := range syscalltables.All(arch.X32) {
		if hasConditions(p, nr) || p.Eval(&cbpf.Data{Arch: audit, NR: nr}) != first {
			return true
		}
	}
	return false
}

// hasConditions reports whether arguments decide a call. One that is decided without
// them can differ from its x32 twin: it may be too new for one of the two.
func hasConditions(p *cbpf.Program, nr uint32) bool {
	_, steps := p.Trace(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: nr})
	return slices.ContainsFunc(steps, func(s cbpf.Step) bool {
		ins := p.At(s.PC)
		return ins.Op == opLoad && ins.K >= cbpf.OffIP
	})
}

// compare returns a call on which two numbers of a program differ, nil if there is
// none.
func compare(p *cbpf.Program, low, high uint32) (*Finding, error) {
	a, b := given(p, low), given(p, high)
	r, err := proof.Equal(proof.Program(a), proof.Program(b), proof.Limits{})
	switch {
	case err != nil:
		return nil, err
	case r.Verdict == proof.Unknown:
		return nil, &proof.LimitError{Reason: r.Reason}
	case r.Verdict == proof.Same:
		return nil, nil
	}
	f := &Finding{X8664: r.Witness.Call, Right: r.Witness.A, Wrong: r.Witness.B}
	f.X8664.Arch, f.X8664.NR = arch.X86_64.Audit(), low
	f.X32 = f.X8664
	f.X32.NR = high
	return f, nil
}

// given returns what a program does for one number, through x86_64 or x32, while
// the upper halves of arguments are zero. Unlike p it looks at their lower halves
// alone.
func given(p *cbpf.Program, nr uint32) *cbpf.Program {
	raw := p.Raw()
	for pc, ins := range raw {
		if ins.Op != opLoad {
			continue
		}
		load := bpf.RawInstruction{Op: opLoadImm}
		switch {
		case ins.K == cbpf.OffNR:
			load.K = nr
		case ins.K == cbpf.OffArch:
			load.K = arch.X86_64.Audit()
		case !upperHalf(ins.K):
			continue
		}
		raw[pc] = load
	}
	q, err := cbpf.New(raw, p.Order())
	if err != nil {
		panic("BUG: advisory: " + err.Error()) // only constants have changed
	}
	return q
}

// upperHalf reports whether an offset in a little-endian seccomp_data is that of
// the upper half of an argument.
func upperHalf(off uint32) bool { return off >= cbpf.OffArgs && off%8 == 4 }

// comparesUpperHalves reports whether some test may ask more of the upper half of
// an argument than to be zero.
func comparesUpperHalves(p *cbpf.Program) bool {
	upper := make([]bool, p.Len()+1) // A may hold an upper half
	reached := func(pc int, holds bool) { upper[pc] = upper[pc] || holds }
	for pc := range p.Len() {
		ins := p.At(pc)
		holds := upper[pc]
		switch {
		case ins.Op == opLoad:
			holds = upperHalf(ins.K)
		case ins.Op == opJump:
			reached(pc+1+int(ins.K), holds)
			continue
		case ins.Op&classMask == classJump:
			zero := (ins.Op == opEqual || ins.Op == opAbove) && ins.K == 0 || ins.Op == opAtLeast && ins.K == 1
			if holds && !zero {
				return true
			}
			reached(pc+1+int(ins.Jt), holds)
			reached(pc+1+int(ins.Jf), holds)
			continue
		case ins.Op&classMask == opRet:
			continue
		}
		reached(pc+1, holds)
	}
	return false
}

const opRet = 0x06 // class of RET
