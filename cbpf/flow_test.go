package cbpf

import (
	"slices"
	"testing"
)

// TestFlowIsSound: every call that gets to an instruction is one of those that the
// flow says may get there, with the values that it says the registers have.
func TestFlowIsSound(t *testing.T) {
	g := newGenerator(6)
	for range 3000 {
		p := g.program(t, 1+g.IntN(40))
		f := newFlow(p)
		for range 10 {
			d := g.data(p)
			i := slices.Index(f.audits, d.Arch)
			if i < 0 {
				i = len(f.audits)
			}
			before := Step{}
			_, steps := p.Trace(d)
			for _, s := range steps {
				here := f.reach(s.PC)
				if here == nil || !here[i].within(d.NR, d.NR) {
					t.Fatalf("%+v reaches %d, unlike %v of %x\n%s", d, s.PC, here, f.audits, p.Disassemble(nil))
				}
				if r := f.regs[s.PC]; !r.a.covers(before.A, d, p) || !r.x.covers(before.X, d, p) {
					t.Fatalf("%+v at %d: registers are %#x, %#x, unlike %v, %v\n%s", d, s.PC, before.A, before.X, r.a, r.x, p.Disassemble(nil))
				}
				if !slices.ContainsFunc(f.states[s.PC], func(st state) bool {
					return st.a.covers(before.A, d, p) && st.calls[i].within(d.NR, d.NR)
				}) {
					t.Fatalf("%+v at %d: no state has an A of %#x\n%s", d, s.PC, before.A, p.Disassemble(nil))
				}
				before = s
			}
		}
	}
}

// covers reports whether a register that is said to hold v may be r.
func (v value) covers(r uint32, d *Data, p *Program) bool {
	switch v.kind {
	case valueConst:
		return r == v.bits
	case valueWord:
		return r == d.word(v.off, p.big)&v.bits
	case valueUnknown:
	}
	return true
}

// TestSplitIsExact checks the division of number sets by tests word for word.
func TestSplitIsExact(t *testing.T) {
	tests := []struct {
		name string
		set  numbers
		mask uint32
		op   uint16
		k    uint32
		yes  numbers
		no   numbers
	}{
		{"jeq", everyNumber, 1<<32 - 1, opJeqK, 5, numbers{{5, 5}}, numbers{{0, 4}, {6, 1<<32 - 1}}},
		{"jeq at the ends", numbers{{5, 9}}, 1<<32 - 1, opJeqK, 5, numbers{{5, 5}}, numbers{{6, 9}}},
		{"jeq outside", numbers{{5, 9}}, 1<<32 - 1, opJeqK, 4, nil, numbers{{5, 9}}},
		{"jge", numbers{{5, 9}}, 1<<32 - 1, opJgeK, 7, numbers{{7, 9}}, numbers{{5, 6}}},
		{"jge 0", everyNumber, 1<<32 - 1, opJgeK, 0, everyNumber, nil},
		{"jgt", numbers{{5, 9}}, 1<<32 - 1, opJgtK, 7, numbers{{8, 9}}, numbers{{5, 7}}},
		{"jgt of the last", everyNumber, 1<<32 - 1, opJgtK, 1<<32 - 1, nil, everyNumber},
		{"jset of bit 30", everyNumber, 1<<32 - 1, opJsetK, bit30,
			numbers{{bit30, 1<<31 - 1}, {1<<31 | bit30, 1<<32 - 1}}, numbers{{0, bit30 - 1}, {1 << 31, 1<<31 | (bit30 - 1)}}},
		{"jset of the bits above a number", numbers{{0, 511}}, 1<<32 - 1, opJsetK, ^uint32(1023), nil, numbers{{0, 511}}},
		{"jset cannot tell", numbers{{0, 511}}, 1<<32 - 1, opJsetK, 1, numbers{{0, 511}}, numbers{{0, 511}}},
		{"jset on few can", numbers{{8, 15}}, 1<<32 - 1, opJsetK, 6, numbers{{10, 15}}, numbers{{8, 9}}},
		{"without bit 30", numbers{{0, 9}, {bit30, bit30 + 9}}, ^uint32(bit30), opJgeK, 5,
			numbers{{5, 9}, {bit30 + 5, bit30 + 9}}, numbers{{0, 4}, {bit30, bit30 + 4}}},
		{"masks within cannot tell", numbers{{0, 99}}, 1, opJeqK, 1, numbers{{0, 99}}, numbers{{0, 99}}},
		{"masks on few can", numbers{{0, 4}}, 1, opJeqK, 1, numbers{{1, 1}, {3, 3}}, numbers{{0, 0}, {2, 2}, {4, 4}}},
		{"masks on one number can", numbers{{9, 9}}, 1, opJeqK, 1, numbers{{9, 9}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			yes, no := tt.set.split(tt.mask, tt.op, tt.k)
			if !slices.Equal(yes, tt.yes) || !slices.Equal(no, tt.no) {
				t.Errorf("got %v and %v, want %v and %v", yes, no, tt.yes, tt.no)
			}
		})
	}
}

func TestUnion(t *testing.T) {
	var scattered numbers
	for i := range uint32(maxSpans + 1) {
		scattered = append(scattered, span{2 * i, 2 * i})
	}
	tests := []struct {
		name    string
		a, b, u numbers
	}{
		{"disjoint", numbers{{1, 2}}, numbers{{5, 6}}, numbers{{1, 2}, {5, 6}}},
		{"adjacent", numbers{{3, 4}}, numbers{{1, 2}}, numbers{{1, 4}}},
		{"overlapping", numbers{{1, 4}, {8, 9}}, numbers{{3, 8}}, numbers{{1, 9}}},
		{"contained", numbers{{0, 1<<32 - 1}}, numbers{{1, 2}, {4, 5}}, everyNumber},
		{"empty", nil, numbers{{1, 2}}, numbers{{1, 2}}},
		{"too scattered", scattered, numbers{{1000, 1000}}, numbers{{0, 1000}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, u := range []numbers{union(tt.a, tt.b), union(tt.b, tt.a)} {
				if !slices.Equal(u, tt.u) {
					t.Errorf("got %v, want %v", u, tt.u)
				}
			}
		})
	}
}
