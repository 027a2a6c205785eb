package cbpf

import (
	"testing"
)

// FuzzDecode: whatever the bytes, a decoded program verifies, evaluates, traces,
// disassembles and reads back as the same bytes.
func FuzzDecode(f *testing.F) {
	g := newGenerator(8)
	for range 20 {
		b, _ := g.program(f, 1+g.IntN(12)).AppendBinary(nil)
		f.Add(b, g.Uint32(), g.Uint64())
	}
	f.Add([]byte{}, uint32(0), uint64(0))
	f.Add([]byte("7 bytes"), uint32(0), uint64(0))
	f.Add(make([]byte, 4097*insnSize), uint32(0), uint64(0))
	f.Add([]byte{5, 0, 0, 0, 255, 255, 255, 255, 6, 0, 0, 0, 0, 0, 0, 0}, uint32(0), uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, nr uint32, arg uint64) {
		for _, order := range bothOrders {
			p, err := Decode(b, order)
			if err != nil {
				continue
			}
			if sniffed, ok := Sniff(b); !ok || sniffed != order {
				t.Fatalf("sniffed %v, %v", sniffed, ok)
			}
			if out, _ := p.AppendBinary(nil); string(out) != string(b) {
				t.Fatalf("encoded as % x", out)
			}
			d := &Data{NR: nr, Arch: auditX86_64, IP: arg, Args: [6]uint64{arg, arg << 32, arg >> 32}}
			a, steps := p.Trace(d)
			if got := p.Eval(d); got != a {
				t.Fatalf("Eval %v, Trace %v", got, a)
			}
			if ok, n := p.ConstAllow(d.Arch, d.NR); ok && (a != Allow || n != len(steps)) {
				t.Fatalf("emulation allows after %d steps, Eval says %v after %d", n, a, len(steps))
			}
			roundTrip(t, p, vocabulary{}, nil)
		}
	})
}

// FuzzAssemble: whatever the text, Assemble either explains itself or makes a
// program whose disassembly is that program.
func FuzzAssemble(f *testing.F) {
	g := newGenerator(9)
	for range 10 {
		f.Add(g.program(f, 1+g.IntN(12)).Disassemble(vocabulary{}))
	}
	f.Add("")
	f.Add(".order big\njeq x86_64:read jt 1\n1: ret ERRNO(38) ; ENOSYS")
	f.Add(".order little\na: b: ja a\n.raw 1 2 3 4\nld [4]\nldx M[16]\nret a")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Assemble([]byte(text), vocabulary{})
		if err != nil {
			if p != nil || err.Error() == "" {
				t.Fatalf("an error without words, or a program with an error: %v", p)
			}
			return
		}
		if err := Verify(p.insns); err != nil {
			t.Fatal(err)
		}
		roundTrip(t, p, vocabulary{}, vocabulary{})
	})
}
