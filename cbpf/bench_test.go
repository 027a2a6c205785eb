package cbpf

import (
	"slices"
	"testing"

	"golang.org/x/net/bpf"
)

// tree returns a filter of the shape of a good compiler's: one ABI, a balanced
// search over numbers, about 2*n instructions.
func tree(tb testing.TB, n uint32) *Program {
	tb.Helper()
	raw := []bpf.RawInstruction{
		{Op: opLdAbs, K: OffArch},
		{Op: opJeqK, K: auditX86_64, Jt: 1},
		{Op: opRetK},
		{Op: opLdAbs, K: OffNR},
	}
	var build func(lo, hi uint32) []bpf.RawInstruction
	build = func(lo, hi uint32) []bpf.RawInstruction {
		if lo == hi {
			return []bpf.RawInstruction{{Op: opRetK, K: []uint32{uint32(Allow), uint32(Errno(1))}[lo%2]}}
		}
		mid := lo + (hi-lo+1)/2
		low, high := build(lo, mid-1), build(mid, hi)
		test := []bpf.RawInstruction{{Op: opJgeK, K: 3 * mid, Jt: uint8(len(low))}}
		if len(low) > 255 {
			test = []bpf.RawInstruction{{Op: opJgeK, K: 3 * mid, Jf: 1}, {Op: opJa, K: uint32(len(low))}}
		}
		return slices.Concat(test, low, high)
	}
	p, err := New(append(raw, build(0, n-1)...), nativeOrder())
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// hostile returns programs of full length, made to cost the disassembler as much as
// they can: many ABIs, scattered numbers, and at every instruction a join, or none
// anywhere.
func hostile(tb testing.TB) []*Program {
	tb.Helper()
	var programs []*Program
	for _, skip := range []uint8{2, 0} {
		raw := []bpf.RawInstruction{{Op: opLdAbs, K: OffArch}}
		for i := range uint32(100) {
			raw = append(raw, bpf.RawInstruction{Op: opJeqK, K: i, Jt: uint8(100 - i - 1)})
		}
		raw = append(raw, bpf.RawInstruction{Op: opLdAbs, K: OffNR})
		for len(raw) < MaxInstructions-3 {
			test := bpf.RawInstruction{Op: opJeqK, K: uint32(len(raw)) * 2654435761, Jt: skip}
			if skip == 0 {
				test.Jf = 1 // around the RET
				raw = append(raw, test, ret)
				continue
			}
			raw = append(raw, test)
		}
		for len(raw) < MaxInstructions {
			raw = append(raw, ret)
		}
		p, err := New(raw, nativeOrder())
		if err != nil {
			tb.Fatal(err)
		}
		programs = append(programs, p)
	}
	return programs
}

func BenchmarkEval(b *testing.B) {
	p := tree(b, 64)
	d := &Data{NR: 100, Arch: auditX86_64}
	_, steps := p.Trace(d)
	b.ReportMetric(float64(len(steps)), "insns/op")
	b.ReportAllocs()
	for b.Loop() {
		p.Eval(d)
	}
}

func BenchmarkEvalLinear(b *testing.B) {
	raw := []bpf.RawInstruction{{Op: opLdAbs, K: OffNR}}
	for i := range uint32(1000) {
		raw = append(raw, bpf.RawInstruction{Op: opJeqK, K: i})
	}
	p, err := New(append(raw, ret), nativeOrder())
	if err != nil {
		b.Fatal(err)
	}
	d := &Data{NR: 5000}
	b.ReportAllocs()
	for b.Loop() {
		p.Eval(d)
	}
}

func BenchmarkConstAllow(b *testing.B) {
	p := tree(b, 64)
	b.ReportAllocs()
	for b.Loop() {
		p.ConstAllow(auditX86_64, 100)
	}
}

func BenchmarkVerify(b *testing.B) {
	raw := tree(b, 110).Raw()
	b.ReportAllocs()
	for b.Loop() {
		if err := Verify(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	p := tree(b, 110)
	raw, _ := p.AppendBinary(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(raw, p.Order()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDisassemble(b *testing.B) {
	for _, bb := range []struct {
		name string
		p    *Program
	}{{"tree", tree(b, 110)}, {"joins", hostile(b)[0]}, {"chain", hostile(b)[1]}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bb.p.Disassemble(vocabulary{})
			}
		})
	}
}

func BenchmarkAssemble(b *testing.B) {
	text := []byte(tree(b, 110).Disassemble(vocabulary{}))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Assemble(text, nil); err != nil {
			b.Fatal(err)
		}
	}
}
