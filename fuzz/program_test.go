package fuzz

import (
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// small limits keep random programs, some of which are beyond any proof, quick.
var small = proof.Limits{Nodes: 1 << 15, Steps: 1 << 18, Rows: 1 << 10}

func FuzzProgram(f *testing.F) {
	for seed := range uint64(48) {
		r := gen.New(seed)
		data := make([]byte, 16<<r.IntN(5))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f.Add(data, uint16(r.IntN(100)), seed%2 == 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, n uint16, big bool) {
		r := gen.FromBytes(data)
		order := binary.ByteOrder(binary.LittleEndian)
		if big {
			order = binary.BigEndian
		}
		p, err := cbpf.New(gen.Program(r, 1+int(n)%300), order)
		if err != nil {
			t.Fatal(err)
		}
		textIsFaithful(t, p)
		explanationIsFaithful(t, p, func(yield func(*cbpf.Data) bool) {
			for range 50 {
				if d := gen.Data(r, p.Raw()); !yield(&d) {
					return
				}
			}
		})
		res, err := proof.Equal(proof.Program(p), proof.Program(p), small)
		if err != nil || res.Verdict == proof.Different {
			t.Errorf("a program and itself: %v %v", res.Witness, err)
		}
	})
}

// textIsFaithful holds a program against its text, with and without names, and
// its bytes.
func textIsFaithful(t *testing.T, p *cbpf.Program) {
	t.Helper()
	for _, names := range []cbpf.Names{nil, policy.Names()} {
		text := p.Disassemble(names)
		q, err := cbpf.Assemble([]byte(text), names)
		if err != nil {
			t.Errorf("Assemble: %v\n%s", err, text)
		} else if q.Order() != p.Order() || !reflect.DeepEqual(q.Raw(), p.Raw()) {
			t.Errorf("assembled differently:\n%s%s", text, q.Disassemble(names))
		}
	}
	b, err := p.AppendBinary(nil)
	if err != nil {
		t.Error(err)
	}
	q, err := cbpf.Decode(b, p.Order())
	if err != nil || !reflect.DeepEqual(q.Raw(), p.Raw()) {
		t.Errorf("decoded differently: %v", err)
	}
}

// explanationIsFaithful holds the explanation of a program, if it has one within
// limits, against the evaluator.
func explanationIsFaithful(t *testing.T, p *cbpf.Program, calls func(func(*cbpf.Data) bool)) {
	t.Helper()
	spaces, err := proof.Explain(proof.Program(p), small)
	if err != nil {
		return
	}
	for d := range calls {
		if got, want := explained(spaces, d), p.Eval(d); got != want {
			t.Errorf("%+v: explained as %v, evaluated to %v", d, got, want)
		}
	}
}

// explained looks a call up in an explanation.
func explained(spaces []proof.Space, d *cbpf.Data) cbpf.Action {
	for _, s := range spaces {
		here := false
		for _, v := range s.Audits {
			here = here || v.First <= d.Arch && d.Arch <= v.Last
		}
		for i := range s.Runs {
			if r := &s.Runs[i]; here && r.First <= d.NR && d.NR <= r.Last {
				return walk(r.Tree, d)
			}
		}
	}
	return 0xdead0000 // no program of package gen returns it
}

func walk(t *proof.Tree, d *cbpf.Data) cbpf.Action {
	if len(t.Arms) == 0 {
		return t.Action
	}
	v := d.IP
	if t.Arg != proof.IP {
		v = d.Args[t.Arg]
	}
	for i := range t.Arms {
		if t.Arms[i].Values.Contains(v) {
			return walk(t.Arms[i].Then, d)
		}
	}
	return 0xdead0000
}
