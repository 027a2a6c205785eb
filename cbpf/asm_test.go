package cbpf

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

// TestAssembleReadsDisassembly: what is written is read back as the same bytes,
// whatever the program, with or without names on either side.
func TestAssembleReadsDisassembly(t *testing.T) {
	g := newGenerator(5)
	for i := range 3000 {
		n := 1 + g.IntN(30)
		if i%500 == 0 {
			n = 1000 + g.IntN(3000)
		}
		p := g.program(t, n)
		for _, written := range []Names{nil, vocabulary{}} {
			roundTrip(t, p, written, nil)
		}
		roundTrip(t, p, nil, vocabulary{})
	}
}

func roundTrip(t *testing.T, p *Program, written, read Names) {
	t.Helper()
	text := p.Disassemble(written)
	q, err := Assemble([]byte(text), read)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	want, _ := p.AppendBinary(nil)
	got, _ := q.AppendBinary(nil)
	if p.Order() != q.Order() || !bytes.Equal(want, got) {
		t.Fatalf("read back as\n%s\nwritten as\n%s", q.Disassemble(written), text)
	}
}

// TestRoundTripKeepsIgnoredFields pins the form of instructions that hold values
// where the kernel does not look.
func TestRoundTripKeepsIgnoredFields(t *testing.T) {
	for i := range syntax {
		for _, skip := range []uint8{0, 1} {
			raw := []bpf.RawInstruction{{Op: opStx, K: 4}, {Op: syntax[i].op, Jt: skip, Jf: skip, K: 4}, ret, ret, ret, ret, ret}
			p, err := New(raw, nativeOrder())
			if err != nil {
				t.Fatal(err)
			}
			roundTrip(t, p, nil, nil)
		}
	}
}

func TestAssembleForms(t *testing.T) {
	tests := []struct {
		name, text string
		want       []bpf.RawInstruction
	}{
		{"comments and blank lines", "; nothing\n\n  ret ALLOW ; all\r\n", []bpf.RawInstruction{ret}},
		{"commas or spaces", "jeq #1,a,b\na: ret ALLOW\nb:ret ALLOW", []bpf.RawInstruction{{Op: opJeqK, Jf: 1, K: 1}, ret, ret}},
		{"targets by name, in any order", "jeq 1 jf b jt a\na: ret ALLOW\nb: ret ALLOW",
			[]bpf.RawInstruction{{Op: opJeqK, Jf: 1, K: 1}, ret, ret}},
		{"targets left out", "jgt 1\njge x jf b\nret ALLOW\nb: ret ALLOW",
			[]bpf.RawInstruction{{Op: opJgtK, K: 1}, {Op: opJgeX, Jf: 1}, ret, ret}},
		{"next", "jset 1 next b\nja next\nb: ret ALLOW", []bpf.RawInstruction{{Op: opJsetK, Jf: 1, K: 1}, {Op: opJa}, ret}},
		{"numbers are labels, not positions", "ja 7\nret ALLOW\n7: ret ALLOW", []bpf.RawInstruction{{Op: opJa, K: 1}, ret, ret}},
		{"labels on lines of their own, several", "ja a\na:\nb: c: ret ALLOW", []bpf.RawInstruction{{Op: opJa}, ret}},
		{"number notations", "ld 0x10\nld #16\nld 0b10000\nld #-1\nret ALLOW",
			[]bpf.RawInstruction{{K: 16}, {K: 16}, {K: 16}, {K: 0xffffffff}, ret}},
		{"names", "jeq x86_64:clone3\njeq x32:read\njeq x86\nret ALLOW",
			[]bpf.RawInstruction{{Op: opJeqK, K: 435}, {Op: opJeqK, K: 0x40000000}, {Op: opJeqK, K: auditX86}, ret}},
		{"words", "ld [0]\nld [0x14]\nld arg0.hi\nld ip.lo\nret ALLOW",
			[]bpf.RawInstruction{{Op: opLdAbs}, {Op: opLdAbs, K: 20}, {Op: opLdAbs, K: 20}, {Op: opLdAbs, K: 8}, ret}},
		{"actions", "ret ERRNO(0x26)\nret TRAP\nret LOG(3)\nret #0x7fff0000",
			[]bpf.RawInstruction{{Op: opRetK, K: 0x50026}, {Op: opRetK, K: 0x30000}, {Op: opRetK, K: 0x7ffc0003}, ret}},
		{"raw", ".raw 0x07 1 2 0xffffffff\n.raw 6, 0, 0, 0x7fff0000", []bpf.RawInstruction{{Op: opTax, Jt: 1, Jf: 2, K: 0xffffffff}, ret}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if p := must(t, ".order little\n"+tt.text); !slices.Equal(p.insns, tt.want) {
				t.Errorf("got %v, want %v", p.insns, tt.want)
			}
		})
	}
	if p := must(t, ".order big\nld arg0.hi\nld arg0.lo\nret ALLOW"); p.insns[0].K != 16 || p.insns[1].K != 20 {
		t.Errorf("big-endian halves are loaded at %d and %d", p.insns[0].K, p.insns[1].K)
	}
}

func TestAssembleErrors(t *testing.T) {
	far := "ja far\n" + strings.Repeat("tax\n", 300) + "far: ret ALLOW"
	tests := []struct {
		name, text string
		want       string // all the errors
	}{
		{"empty", "", "cbpf: no instructions (a filter needs at least a RET)"},
		{"no order", "ret ALLOW", "cbpf: line 1: the byte order must be stated first (.order little or .order big)"},
		{"wrong order", ".order middle\nret ALLOW", `cbpf: line 1: byte order "middle" (.order little or .order big)`},
		{"two orders", ".order big\n.order big\nret ALLOW", "cbpf: line 2: the byte order is stated already (remove this line)"},
		{"too long", ".order big\n" + strings.Repeat("ret ALLOW\n", 4097), "cbpf: 4097 instructions (the kernel takes at most 4096)"},
		{"unknown instruction", ".order big\nfrob #1\nret ALLOW", `cbpf: line 2: unknown instruction "frob"`},
		{"other assemblers' instructions", ".order big\njlt #1 2\nldh [0]\nmod #2\nret ALLOW",
			`cbpf: line 2: unknown instruction "jlt" (use jge with jt and jf exchanged)
cbpf: line 3: unknown instruction "ldh" (seccomp loads whole words: ld)
cbpf: line 4: unknown instruction "mod" (seccomp has none; use and for a power of two)`},
		{"operands", ".order big\nld\nst #1\nld M[x]\nld [y]\nld #4294967296\ntax #1\nld x\nret ALLOW LOG",
			`cbpf: line 2: ld lacks its operand (a field of seccomp_data as in nr, arch, arg0.lo or [16], a number as in #1, M[0] to M[15], len)
cbpf: line 3: st does not take "#1" (it takes M[0] to M[15])
cbpf: line 4: "M[x]" is not a word of the scratch memory (M[0] to M[15])
cbpf: line 5: "[y]" is not a field of struct seccomp_data (nr, arch, ip.lo, arg0.lo ... arg5.hi, or a byte offset as in [16])
cbpf: line 6: "#4294967296" is not a 32-bit number
cbpf: line 7: "#1" follows a complete tax instruction (remove it)
cbpf: line 8: ld does not take "x" (it takes a field of seccomp_data as in nr, arch, arg0.lo or [16], a number as in #1, M[0] to M[15], len)
cbpf: line 9: "LOG" follows a complete ret instruction (remove it)`},
		{"names", ".order big\njeq vax\njeq x86:frob\nret ERRNO\nret DENY",
			`cbpf: line 2: "vax" is neither a number nor an ABI (ABIs are named as in x86_64, calls as in x86_64:read)
cbpf: line 3: x86 has no call "frob" (use its number if it is newer than the tables)
cbpf: line 4: action ERRNO lacks its data (write it as in ERRNO(1))
cbpf: line 5: action "DENY" is unknown (known: KILL_PROCESS, KILL_THREAD, TRAP, ERRNO, NOTIFY, TRACE, LOG, ALLOW, or a number)`},
		{"labels", ".order big\nback: ja\nja gone\njeq #1 back\njeq #1 jt\njeq #1 jt a jt b\njeq #1 a b c\nback: ja end\nnext: ret ALLOW\nend:",
			`cbpf: line 2: ja takes one label
cbpf: line 3: no line has the label "gone"
cbpf: line 4: label "back" is not below the jump (jumps only go forward)
cbpf: line 5: jt lacks its label
cbpf: line 6: a second jt label, "b" (remove one)
cbpf: line 7: a second jf label, "c" (remove one)
cbpf: line 8: label "back" is already on line 2 (use another name)
cbpf: line 8: label "end" has no instruction
cbpf: line 9: "next" cannot be a label (use another name)`},
		{"far jump", ".order big\njeq #1 far\n" + far,
			`cbpf: line 2: label "far" is 301 instructions away (a conditional jump skips at most 255; go there by a ja)`},
		{"kernel's rules", ".order big\nld [66]\nlsh #32\ndiv #0\nst M[16]\n.raw 0x94 0 0 2\n.raw 5 0 0 0xffffffff\ntax",
			`cbpf: line 2: load at byte 66 of the 64 of seccomp_data (offsets 0 to 60)
cbpf: line 3: shift by 32 (0 to 31 bits)
cbpf: line 4: division by 0 (use another divisor)
cbpf: line 5: M[16]: the scratch memory has only 16 words (0-15)
cbpf: line 6: opcode 0x94: seccomp has no MOD (use AND for a power of two, else DIV, MUL and SUB)
cbpf: line 7: jump skips 4294967295 of the 1 instructions left (a jump must land on one)
cbpf: line 8: the last instruction is not a RET (append one)`},
		{"memory", ".order big\nld M[1]\nret ALLOW",
			"cbpf: line 2: M[1] is not written on every path to here (write it first; the kernel takes what follows a RET to be reached from it)"},
		{"raw", ".order big\n.raw 1 2 3\n.raw 6 0 256 0\nret ALLOW",
			`cbpf: line 2: .raw takes four numbers: opcode (16 bits), jt and jf (8 bits), k (32 bits)
cbpf: line 3: .raw takes four numbers: opcode (16 bits), jt and jf (8 bits), k (32 bits)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Assemble([]byte(tt.text), vocabulary{})
			if err == nil {
				t.Fatalf("assembled to\n%s", p.Disassemble(nil))
			}
			if err.Error() != tt.want {
				t.Errorf("got\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
}

func TestAssembleGivesUpOnOtherFiles(t *testing.T) {
	_, err := Assemble(bytes.Repeat([]byte("{\x00\xff\n"), 100000), nil)
	if err == nil || strings.Count(err.Error(), "\n") != maxSyntaxErrors {
		t.Errorf("got %d lines of errors", strings.Count(err.Error(), "\n")+1)
	}
}

func TestAssembleWithoutNames(t *testing.T) {
	_, err := Assemble([]byte(".order little\njeq x86_64\nret ALLOW"), nil)
	if err == nil || err.Error() != `cbpf: line 2: "x86_64": names are not known here (use the number)` {
		t.Errorf("got %v", err)
	}
}
