package proof

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
)

// small limits keep tests of random programs quick.
var small = Limits{Nodes: 1 << 16, Steps: 1 << 19}

func mustProgram(t testing.TB, order binary.ByteOrder, raw ...bpf.RawInstruction) *cbpf.Program {
	t.Helper()
	p, err := cbpf.New(raw, order)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// has reports whether a call is in a set.
func (u *universe) has(s set, d *cbpf.Data) bool {
	w := [words]uint32{wordArch: d.Arch, wordNR: d.NR, wordIP: uint32(d.IP >> 32), wordIP + 1: uint32(d.IP)}
	for i, a := range d.Args {
		w[wordArgs+2*i], w[wordArgs+2*i+1] = uint32(a>>32), uint32(a)
	}
	for s > all {
		level := u.level(s)
		b := u.bits[level]
		lo, hi := u.at(s, level)
		if s = lo; w[b.word]>>b.index&1 != 0 {
			s = hi
		}
	}
	return s == all
}

// action returns what an outcome does with one call, and fails unless exactly
// one part of it covers the call.
func (u *universe) action(t testing.TB, o *outcome, d *cbpf.Data) cbpf.Action {
	t.Helper()
	var found []cbpf.Action
	for _, r := range o.regions {
		if u.has(r.calls, d) {
			found = append(found, r.action)
		}
	}
	for _, c := range o.computed {
		if !u.has(c.calls, d) {
			continue
		}
		var a cbpf.Action
		for i, b := range c.action {
			if u.has(b, d) {
				a |= 1 << i
			}
		}
		found = append(found, a)
	}
	if len(found) != 1 {
		t.Fatalf("%+v gets %d actions", d, len(found))
	}
	return found[0]
}

func lifted(s Subject, l Limits) (*universe, *outcome) {
	var g groups
	s.groups(&g)
	u := newUniverse(newOrder(g), l.orDefault())
	return u, s.lift(u)
}

func TestEveryOpcodeAgreesWithTheEvaluator(t *testing.T) {
	load := func(w uint32) bpf.RawInstruction { return bpf.RawInstruction{Op: opLdAbs, K: 4 * w} }
	tests := map[string][]bpf.RawInstruction{"ld len": {{Op: opLdLen}}, "ldx len": {{Op: opLdxLen}, {Op: opTxa}}, "neg": {load(4), {Op: classAlu | aluNeg}}}
	names := map[uint16]string{aluAdd: "add", aluSub: "sub", aluMul: "mul", aluDiv: "div", aluOr: "or", aluAnd: "and", aluXor: "xor", aluLsh: "lsh", aluRsh: "rsh"}
	for op, name := range names {
		k := uint32(11)
		tests[name+" k"] = []bpf.RawInstruction{load(4), {Op: classAlu | op, K: k}}
		if op != aluMul && op != aluDiv && op != aluLsh && op != aluRsh { // those are too hard for two variables
			tests[name+" x"] = []bpf.RawInstruction{load(5), {Op: opTax}, load(4), {Op: classAlu | op | srcX}}
		}
		// Through memory, with a small second operand.
		tests[name+" m"] = []bpf.RawInstruction{
			load(5), {Op: classAlu | aluAnd, K: 0x21}, {Op: opSt, K: 3}, load(4), {Op: classAlu | aluAnd, K: 0xf0ff},
			{Op: opLdxMem, K: 3}, {Op: classAlu | op | srcX}, {Op: opStx, K: 4}, {Op: opSt, K: 5}, {Op: opLdMem, K: 5},
		}
	}
	for name, body := range tests {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			p := mustProgram(t, order, append(body, bpf.RawInstruction{Op: opRetA})...)
			u, o := lifted(Program(p), Limits{})
			if u.over != "" {
				t.Fatalf("%s: %s", name, u.reason())
			}
			r := gen.New(1)
			for range 300 {
				d := gen.Data(r, p.Raw())
				if got, want := u.action(t, o, &d), p.Eval(&d); got != want {
					t.Fatalf("%s: %+v: lifted 0x%x, evaluated 0x%x", name, d, got, want)
				}
			}
		}
	}
}

func TestEveryTestAgreesWithTheEvaluator(t *testing.T) {
	for _, op := range []uint16{jmpEq, jmpGt, jmpGe, jmpSet} {
		for _, x := range []uint16{0, srcX} {
			p := mustProgram(t, binary.LittleEndian,
				bpf.RawInstruction{Op: opLdAbs, K: 20},
				bpf.RawInstruction{Op: opTax},
				bpf.RawInstruction{Op: opLdAbs, K: 16},
				bpf.RawInstruction{Op: classJmp | op | x, K: 0x80000100, Jf: 1},
				bpf.RawInstruction{Op: opRetK, K: 1},
				bpf.RawInstruction{Op: opRetK, K: 2})
			u, o := lifted(Program(p), Limits{})
			r := gen.New(2)
			for range 1000 {
				d := gen.Data(r, p.Raw())
				if got, want := u.action(t, o, &d), p.Eval(&d); got != want {
					t.Fatalf("op 0x%x: %+v: lifted 0x%x, evaluated 0x%x", op|x, d, got, want)
				}
			}
		}
	}
}

func TestRandomProgramsAgreeWithTheEvaluator(t *testing.T) {
	unknown, cases := 0, gen.Many(80, 600)
	for seed := range uint64(cases) {
		r := gen.New(seed)
		order := []binary.ByteOrder{binary.LittleEndian, binary.BigEndian}[seed%2]
		p := mustProgram(t, order, gen.Program(r, 1+r.IntN(60))...)
		u, o := lifted(Program(p), small)
		if u.over != "" {
			unknown++
			continue
		}
		for range 200 {
			d := gen.Data(r, p.Raw())
			if got, want := u.action(t, o, &d), p.Eval(&d); got != want {
				t.Fatalf("seed %d: %+v: lifted 0x%x, evaluated 0x%x", seed, d, got, want)
			}
		}
	}
	t.Logf("%d of %d programs hit a limit", unknown, cases)
	if unknown > cases/4 {
		t.Errorf("%d of %d programs hit a limit", unknown, cases)
	}
}

func TestRandomProgramsEqualTheirRewrites(t *testing.T) {
	unknown, same, cases := 0, 0, gen.Many(80, 600)
	for seed := range uint64(cases) {
		r := gen.New(seed)
		a := mustProgram(t, binary.LittleEndian, gen.Program(r, 1+r.IntN(60))...)
		raw := gen.Rewrite(r, a.Raw())
		if raw == nil {
			continue
		}
		b := mustProgram(t, binary.LittleEndian, raw...)
		res, err := Equal(Program(a), Program(b), small)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		switch res.Verdict {
		case Same:
			same++
		case Different:
			t.Fatalf("seed %d: %v", seed, res.Witness)
		case Unknown:
			unknown++
		}
	}
	t.Logf("%d same, %d unknown", same, unknown)
	if same < cases*2/3 {
		t.Errorf("only %d proved, %d unknown", same, unknown)
	}
}

func TestMergedStatesAgreeWithTheEvaluator(t *testing.T) {
	for seed := range uint64(gen.Many(60, 300)) {
		r := gen.New(seed)
		p := mustProgram(t, binary.LittleEndian, gen.Program(r, 1+r.IntN(40))...)
		l := small
		l.States = 1
		u, o := lifted(Program(p), l)
		if u.over != "" {
			continue
		}
		for range 100 {
			d := gen.Data(r, p.Raw())
			if got, want := u.action(t, o, &d), p.Eval(&d); got != want {
				t.Fatalf("seed %d: %+v: lifted 0x%x, evaluated 0x%x", seed, d, got, want)
			}
		}
	}
}

func TestZeroProgramKills(t *testing.T) {
	var zero cbpf.Program
	kill := mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opRetK, K: uint32(cbpf.KillThread)})
	r, err := Check(Program(kill), &zero, Limits{})
	if err != nil || r.Verdict != Same || len(r.Findings) != 1 || r.Findings[0].Kind != Refused {
		t.Errorf("%+v, %v", r, err)
	}
}

// FuzzLift holds the lift of any program against the evaluator.
func FuzzLift(f *testing.F) {
	for seed := range uint64(32) {
		r := gen.New(seed)
		data := make([]byte, 8<<r.IntN(6))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f.Add(data, uint16(1+r.IntN(80)), seed%2 == 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, n uint16, big bool) {
		r := gen.FromBytes(data)
		order := binary.ByteOrder(binary.LittleEndian)
		if big {
			order = binary.BigEndian
		}
		p := mustProgram(t, order, gen.Program(r, 1+int(n%200))...)
		u, o := lifted(Program(p), small)
		if u.over != "" {
			return
		}
		for range 100 {
			d := gen.Data(r, p.Raw())
			if got, want := u.action(t, o, &d), p.Eval(&d); got != want {
				t.Fatalf("%+v: lifted %v, evaluated %v", d, got, want)
			}
		}
	})
}
