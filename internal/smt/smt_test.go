package smt_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/smt"
	"github.com/seccompile/seccompile/policy"
)

func write(t *testing.T, a, b smt.Subject) string {
	t.Helper()
	var text bytes.Buffer
	if err := smt.Write(&text, a, b); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func program(t *testing.T, order binary.ByteOrder, raw []bpf.RawInstruction) *cbpf.Program {
	t.Helper()
	p, err := cbpf.New(raw, order)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every opcode, both byte orders: the script has the values that the evaluator has.
func TestProgramsMeanWhatTheyReturn(t *testing.T) {
	ops := map[uint16]bool{}
	for seed := range uint64(gen.Many(4000, 20_000)) {
		r := gen.New(seed)
		orders := [...]binary.ByteOrder{binary.LittleEndian, binary.BigEndian}
		a := program(t, orders[seed%2], gen.Program(r, 1+r.IntN(60)))
		b := program(t, orders[seed%2], gen.Program(r, 1+r.IntN(20)))
		q := parse(t, write(t, smt.Program(a), smt.Program(b)))
		for range 20 {
			d := gen.Data(r, a.Raw())
			_, steps := a.Trace(&d)
			for _, s := range steps {
				ops[a.At(s.PC).Op] = true
			}
			if gotA, gotB := q.answer(&d); gotA != a.Eval(&d) || gotB != b.Eval(&d) {
				t.Fatalf("seed %d: %v and %v, want %v and %v for %+v", seed, gotA, gotB, a.Eval(&d), b.Eval(&d), d)
			}
		}
	}
	if len(ops) != 41 {
		t.Errorf("%d opcodes were executed, want all 41", len(ops))
	}
}

func TestPoliciesMeanWhatTheyDecide(t *testing.T) {
	reasons := map[policy.Reason]int{}
	for seed := range uint64(gen.Many(100, 1000)) {
		r := gen.New(seed)
		o := gen.ResolveOptions(r)
		res, _, err := policy.Resolve(gen.Policy(r, gen.Options{ABIs: o.ABIs, Dense: seed%8 == 0}), o)
		if err != nil {
			continue
		}
		p, _, err := compiler.Compile(res, compiler.Options{})
		var tooLong *compiler.TooLongError
		if errors.As(err, &tooLong) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		q := parse(t, write(t, smt.Policy(res), smt.Program(p)))
		for d := range gen.Points(r, res, nil, 1) {
			if r.IntN(10) > 0 {
				continue
			}
			want := res.Decide(d)
			reasons[want.Reason]++
			if a, b := q.answer(d); a != want.Action || b != want.Action {
				t.Fatalf("seed %d: %v and %v, want %v for %+v", seed, a, b, want.Action, *d)
			}
		}
	}
	for reason := policy.ByBadArch; reason <= policy.ByDefault; reason++ {
		if reasons[reason] < 100 {
			t.Errorf("%v decided only %d calls", reason, reasons[reason])
		}
	}
}

// Where a division by zero ends a program, and what shifts do, are conventions.
func TestCornersOfTheMachine(t *testing.T) {
	const ldxArg, ret = 0x20, 0x16 // A = a word of seccomp_data, return A
	for _, tt := range []struct {
		name string
		op   uint16
		x    uint64
		want cbpf.Action
	}{
		{"division", 0x3c, 3, 100 / 3},
		{"division by zero", 0x3c, 0, 0},
		{"shift", 0x6c, 4, 100 << 4},
		{"shift by 32", 0x6c, 32, 100},
		{"shift by 36 to the right", 0x7c, 36, 100 >> 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := program(t, binary.LittleEndian, []bpf.RawInstruction{
				{Op: ldxArg, K: cbpf.OffArgs}, {Op: 0x07}, {Op: 0x00, K: 100}, {Op: tt.op}, {Op: ret}})
			q := parse(t, write(t, smt.Program(p), smt.Program(new(cbpf.Program))))
			if a, b := q.answer(&cbpf.Data{Args: [6]uint64{tt.x}}); a != tt.want || b != cbpf.KillThread {
				t.Errorf("%v, want %v; %v of the zero Program", a, tt.want, b)
			}
		})
	}
}

// A register that every one of many ways changes, all ways meeting at one instruction
// after the other: the text grows with the program, not with its square.
func TestTextGrowsWithTheProgram(t *testing.T) {
	size := func(times int) int {
		raw := []bpf.RawInstruction{{Op: 0x20, K: cbpf.OffNR}, {Op: 0x07}}
		for range times {
			raw = append(raw, bpf.RawInstruction{Op: 0x1d, Jt: 1}, bpf.RawInstruction{Op: 0x2c}, bpf.RawInstruction{Op: 0x07})
		}
		p := program(t, binary.LittleEndian, append(raw, bpf.RawInstruction{Op: 0x16}))
		return len(write(t, smt.Program(p), smt.Program(p)))
	}
	if short, long := size(160), size(1280); long > 9*short {
		t.Errorf("%d bytes for 483 instructions, %d for 3843", short, long)
	}
}

func TestSameBytes(t *testing.T) {
	r := gen.New(1)
	p := program(t, binary.BigEndian, gen.Program(r, 300))
	first := write(t, smt.Program(p), smt.Program(p))
	if again := write(t, smt.Program(p), smt.Program(p)); again != first {
		t.Error("two writes differ")
	}
}

func TestWriteFails(t *testing.T) {
	p := program(t, binary.LittleEndian, []bpf.RawInstruction{{Op: 0x06}})
	if err := smt.Write(new(bytes.Buffer), smt.Program(p), smt.Policy(nil)); err == nil {
		t.Error("no error for a policy that is not valid")
	}
	res, _, err := policy.Resolve(&policy.Policy{}, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("full")
	if err := smt.Write(failing{full}, smt.Policy(res), smt.Program(p)); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
