package cbpf

import (
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
)

func TestEvalInstructions(t *testing.T) {
	d := &Data{
		NR: 1, Arch: auditX86_64, IP: 0x1122334455667788,
		Args: [6]uint64{0x0102030405060708, 1, 2, 3, 4, 0xa1a2a3a4a5a6a7a8},
	}
	tests := []struct {
		name, text string
		want       Action
	}{
		{"A and X start at 0", "add #5\nadd x\nret a", 5},
		{"ld nr", "ld nr\nret a", 1},
		{"ld arch", "ld arch\nret a", auditX86_64},
		{"ld ip.lo", "ld ip.lo\nret a", 0x55667788},
		{"ld ip.hi", "ld ip.hi\nret a", 0x11223344},
		{"ld arg0.lo", "ld arg0.lo\nret a", 0x05060708},
		{"ld arg5.hi", "ld arg5.hi\nret a", 0xa1a2a3a4},
		{"ld len", "ld len\nret a", 64},
		{"ldx len", "ldx len\ntxa\nret a", 64},
		{"memory", "ld #7\nst M[15]\nldx #8\nstx M[0]\nld M[0]\nldx M[15]\nsub x\nret a", 1},
		{"tax txa", "ld #7\ntax\nld #0\ntxa\nret a", 7},
		{"add wraps", "ld #-1\nadd #2\nret a", 1},
		{"sub wraps", "ldx #1\nsub x\nret a", 0xffffffff},
		{"mul wraps", "ld #0x80000001\nmul #2\nret a", 2},
		{"mul x", "ld #3\nldx #5\nmul x\nret a", 15},
		{"div is unsigned", "ld #-1\ndiv #2\nret a", 0x7fffffff},
		{"div x", "ld #7\nldx #2\ndiv x\nret a", 3},
		{"div by an x of 0 returns 0 at once", "ld #7\ndiv x\nret ALLOW", KillThread},
		{"and", "ld #0xff\nldx #0x3c\nand x\nand #0xf\nret a", 0xc},
		{"or", "ld #1\nldx #4\nor x\nor #2\nret a", 7},
		{"xor", "ld #7\nldx #1\nxor x\nxor #2\nret a", 4},
		{"neg", "ld #1\nneg\nret a", 0xffffffff},
		{"lsh", "ld #3\nlsh #31\nret a", 0x80000000},
		{"rsh is unsigned", "ld #-1\nrsh #31\nret a", 1},
		{"lsh by an x of 33 is by 1", "ld #3\nldx #33\nlsh x\nret a", 6},
		{"rsh by an x of 32 is by 0", "ld #3\nldx #32\nrsh x\nret a", 3},
		{"ja", "ja 1\nret LOG\n1: ret ALLOW", Allow},
		{"jeq", "ld nr\njeq #1 jf 1\nret ALLOW\n1: ret LOG", Allow},
		{"jgt is strict", "ld nr\njgt #1 jf 1\nret ALLOW\n1: ret LOG", Log},
		{"jge is not", "ld nr\njge #1 jf 1\nret ALLOW\n1: ret LOG", Allow},
		{"jgt is unsigned", "ld #-1\njgt #1 jf 1\nret ALLOW\n1: ret LOG", Allow},
		{"jset", "ld #6\njset #3 jf 1\nret ALLOW\n1: ret LOG", Allow},
		{"jset of 0", "ld #6\njset #0 jf 1\nret ALLOW\n1: ret LOG", Log},
		{"jeq x", "jeq x jf 1\nret ALLOW\n1: ret LOG", Allow},
		{"jgt x", "jgt x jf 1\nret ALLOW\n1: ret LOG", Log},
		{"jge x", "jge x jf 1\nret ALLOW\n1: ret LOG", Allow},
		{"jset x", "ld #1\nldx #1\njset x jf 1\nret ALLOW\n1: ret LOG", Allow},
		{"ret", "ret #0x12345678", 0x12345678},
	}
	for _, tt := range tests {
		for _, order := range []string{"little", "big"} {
			t.Run(tt.name+" "+order, func(t *testing.T) {
				p := must(t, ".order "+order+"\n"+tt.text)
				if got := p.Eval(d); got != tt.want {
					t.Errorf("Eval: %v, want %v", got, tt.want)
				}
				got, steps := p.Trace(d)
				if got != tt.want {
					t.Errorf("Trace: %v, want %v", got, tt.want)
				}
				if last := p.insns[steps[len(steps)-1].PC].Op; last != opRetK && last != opRetA && last != opDivX {
					t.Errorf("the trace ends with opcode %#x", last)
				}
			})
		}
	}
}

// TestWordOrder pins which byte offset holds which half of a 64-bit field: what
// struct seccomp_data looks like in the target's memory.
func TestWordOrder(t *testing.T) {
	d := &Data{NR: 0x01020304, Arch: 0x11121314, IP: 0x2122232425262728}
	for i := range d.Args {
		d.Args[i] = 0x3132333435363738 + uint64(i)<<32 + uint64(i)
	}
	for _, order := range bothOrders {
		b := memory(d, order)
		for off := uint32(0); off < DataSize; off += 4 {
			if got, want := d.word(off, order == binary.BigEndian), order.Uint32(b[off:]); got != want {
				t.Errorf("%v: word at %d is %#x, want %#x", order, off, got, want)
			}
		}
	}
}

// memory lays d out as a kernel of that byte order does.
func memory(d *Data, order binary.ByteOrder) []byte {
	b := make([]byte, DataSize)
	order.PutUint32(b[OffNR:], d.NR)
	order.PutUint32(b[OffArch:], d.Arch)
	order.PutUint64(b[OffIP:], d.IP)
	for i, arg := range d.Args {
		order.PutUint64(b[OffArgs+8*i:], arg)
	}
	return b
}

// TestEvalAgreesWithNetBPF runs random programs in golang.org/x/net/bpf's VM too.
// It loads big-endian words, lacks NEG, loads the length into A only and does not
// mask shifts.
func TestEvalAgreesWithNetBPF(t *testing.T) {
	g := newGenerator(1)
	compared := 0
	for range 4000 {
		p := g.program(t, 1+g.IntN(40))
		if slices.ContainsFunc(p.insns, func(ins bpf.RawInstruction) bool { return ins.Op == opNeg || ins.Op == opLdxLen }) {
			continue
		}
		var instructions []bpf.Instruction
		for _, ins := range p.insns {
			instructions = append(instructions, ins.Disassemble())
		}
		vm, err := bpf.NewVM(instructions)
		if err != nil {
			t.Fatalf("%v\n%s", err, p.Disassemble(nil))
		}
		for range 10 {
			d := g.data(p)
			got := p.Eval(d)
			traced, steps := p.Trace(d)
			if traced != got {
				t.Fatalf("Eval %v, Trace %v of %+v\n%s", got, traced, d, p.Disassemble(nil))
			}
			if shiftsFar(p, steps) {
				continue
			}
			packet := memory(d, p.Order())
			for off := 0; off < DataSize; off += 4 {
				binary.BigEndian.PutUint32(packet[off:], p.Order().Uint32(packet[off:]))
			}
			want, err := vm.Run(packet)
			if err != nil || uint32(want) != uint32(got) {
				t.Fatalf("%v, x/net/bpf: %#x, %v for %+v\n%s", got, want, err, d, p.Disassemble(nil))
			}
			compared++
		}
	}
	if compared < 20000 {
		t.Errorf("only %d runs compared", compared)
	}
}

// shiftsFar reports whether an executed instruction shifts by an X of 32 or more.
func shiftsFar(p *Program, steps []Step) bool {
	return slices.ContainsFunc(steps, func(s Step) bool {
		op := p.insns[s.PC].Op
		return (op == opLshX || op == opRshX) && s.X >= 32
	})
}

func TestConstAllowInstructions(t *testing.T) {
	tests := []struct {
		name, text string
		want       bool
		steps      int
	}{
		{"ret ALLOW", "ret ALLOW", true, 1},
		{"ret ALLOW with data", "ret ALLOW(1)", false, 1},
		{"ret LOG", "ret LOG", false, 1},
		{"ret ERRNO", "ret ERRNO(0)", false, 1},
		{"ret a", "ld #0x7fff0000\nret a", false, 1},
		{"ret a, loaded by the emulated part", "ret a", false, 1},
		{"ld nr", "ld nr\njeq #9 jf no\nret ALLOW\nno: ret LOG", true, 3},
		{"ld arch", "ld arch\njeq x86_64 jf no\nret ALLOW\nno: ret LOG", true, 3},
		{"ld ip", "ld ip.lo\nret ALLOW", false, 1},
		{"ld arg", "ld arg0.lo\nret ALLOW", false, 1},
		{"ld imm", "ld #0\nret ALLOW", false, 1},
		{"ld len", "ld len\nret ALLOW", false, 1},
		{"ld mem", "st M[0]\nld M[0]\nret ALLOW", false, 1},
		{"ldx imm", "ldx #0\nret ALLOW", false, 1},
		{"ldx len", "ldx len\nret ALLOW", false, 1},
		{"stx", "stx M[0]\nret ALLOW", false, 1},
		{"tax", "tax\nret ALLOW", false, 1},
		{"txa", "txa\nret ALLOW", false, 1},
		{"and", "ld nr\nand #8\njeq #8 jf no\nret ALLOW\nno: ret LOG", true, 4},
		{"and x", "and x\nret ALLOW", false, 1},
		{"or", "or #0\nret ALLOW", false, 1},
		{"xor", "xor #0\nret ALLOW", false, 1},
		{"add", "add #0\nret ALLOW", false, 1},
		{"sub", "sub #0\nret ALLOW", false, 1},
		{"mul", "mul #1\nret ALLOW", false, 1},
		{"div", "div #1\nret ALLOW", false, 1},
		{"lsh", "lsh #0\nret ALLOW", false, 1},
		{"rsh", "rsh #0\nret ALLOW", false, 1},
		{"neg", "neg\nret ALLOW", false, 1},
		{"ja", "ja 1\ntax\n1: ret ALLOW", true, 2},
		{"A starts at 0", "jeq #0 jf no\nret ALLOW\nno: ret LOG", true, 2},
		{"jge", "ld nr\njge #9 jf no\nret ALLOW\nno: ret LOG", true, 3},
		{"jge not taken", "ld nr\njge #10 jf no\nret ALLOW\nno: ret LOG", false, 3},
		{"jgt", "ld nr\njgt #8 jf no\nret ALLOW\nno: ret LOG", true, 3},
		{"jgt not taken", "ld nr\njgt #9 jf no\nret ALLOW\nno: ret LOG", false, 3},
		{"jset", "ld nr\njset #1 jf no\nret ALLOW\nno: ret LOG", true, 3},
		{"jset not taken", "ld nr\njset #2 jf no\nret ALLOW\nno: ret LOG", false, 3},
		{"jeq x", "jeq x jt 1\n1: ret ALLOW", false, 1},
		{"jset x", "jset x jt 1\n1: ret ALLOW", false, 1},
		{"off the path anything goes", "ld nr\njeq #8 jf yes\nld arg0.lo\ntax\nyes: ret ALLOW", true, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := must(t, ".order little\n"+tt.text)
			ok, steps := p.ConstAllow(auditX86_64, 9)
			if ok != tt.want || steps != tt.steps {
				t.Errorf("got %v after %d steps, want %v after %d", ok, steps, tt.want, tt.steps)
			}
		})
	}
}

// TestConstAllowIsSound: what the emulation allows, the program allows for any
// arguments.
func TestConstAllowIsSound(t *testing.T) {
	g := newGenerator(2)
	allowed := 0
	for range 5000 {
		p := g.program(t, 1+g.IntN(20))
		d := g.data(p)
		ok, steps := p.ConstAllow(d.Arch, d.NR)
		if !ok {
			continue
		}
		allowed++
		for range 5 {
			other := g.data(p)
			other.NR, other.Arch = d.NR, d.Arch
			got, trace := p.Trace(other)
			if got != Allow || len(trace) != steps {
				t.Fatalf("%v after %d steps, emulation: ALLOW after %d, for %+v\n%s", got, len(trace), steps, other, p.Disassemble(nil))
			}
		}
	}
	if allowed < 100 {
		t.Errorf("only %d programs allowed", allowed)
	}
}
