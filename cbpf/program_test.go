package cbpf

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

func TestEncoding(t *testing.T) {
	raw := []bpf.RawInstruction{{Op: opLdAbs, K: 4}, {Op: opJeqK, Jt: 1, Jf: 0, K: auditS390X}, {Op: opRetK}, ret}
	want := map[binary.ByteOrder][]byte{
		binary.LittleEndian: {
			0x20, 0, 0, 0, 4, 0, 0, 0,
			0x15, 0, 1, 0, 0x16, 0, 0, 0x80,
			0x06, 0, 0, 0, 0, 0, 0, 0,
			0x06, 0, 0, 0, 0, 0, 0xff, 0x7f,
		},
		binary.BigEndian: {
			0, 0x20, 0, 0, 0, 0, 0, 4,
			0, 0x15, 1, 0, 0x80, 0, 0, 0x16,
			0, 0x06, 0, 0, 0, 0, 0, 0,
			0, 0x06, 0, 0, 0x7f, 0xff, 0, 0,
		},
	}
	for _, order := range bothOrders {
		p, err := New(raw, order)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.AppendBinary([]byte{0xaa})
		if err != nil || got[0] != 0xaa || !bytes.Equal(got[1:], want[order]) {
			t.Errorf("%v: got % x, %v, want % x", order, got, err, want[order])
		}
		q, err := Decode(want[order], order)
		if err != nil || !slices.Equal(q.insns, raw) || q.Order() != order {
			t.Errorf("%v: decoded %v, %v", order, q, err)
		}
		if sniffed, ok := Sniff(want[order]); !ok || sniffed != order {
			t.Errorf("%v: sniffed %v, %v", order, sniffed, ok)
		}
	}
	p, err := New(raw, binary.NativeEndian)
	if err != nil || p.Order() != nativeOrder() {
		t.Errorf("NativeEndian gave %v, %v", p.Order(), err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	whole, _ := must(t, ".order little\nld nr\nret ALLOW").AppendBinary(nil)
	tests := []struct {
		name  string
		b     []byte
		order binary.ByteOrder
		want  string
	}{
		{"nothing", nil, binary.LittleEndian, "no instructions"},
		{"7 bytes", whole[:7], binary.LittleEndian, "7 bytes are not"},
		{"a truncated file", whole[:15], binary.LittleEndian, "15 bytes are not"},
		{"a file truncated between instructions", whole[:8], binary.LittleEndian, "not a RET"},
		{"the wrong byte order", whole, binary.BigEndian, "is the byte order right?"},
		{"4097 instructions", make([]byte, 4097*8), binary.LittleEndian, "at most 4096"},
		{"no byte order", whole, nil, "no byte order"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Decode(tt.b, tt.order)
			if err == nil || p != nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "cbpf: ") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if order, ok := Sniff(whole[:15]); ok || order != nil {
		t.Errorf("a truncated file is taken for a %v program", order)
	}
	if _, err := New([]bpf.RawInstruction{ret}, nil); err == nil {
		t.Error("New takes no byte order for one")
	}
}

// TestSniffIsNeverAmbiguous: no program is acceptable in both byte orders.
func TestSniffIsNeverAmbiguous(t *testing.T) {
	g := newGenerator(7)
	for range 500 {
		p := g.program(t, 1+g.IntN(20))
		b, _ := p.AppendBinary(nil)
		if order, ok := Sniff(b); !ok || order != p.Order() {
			t.Fatalf("sniffed %v, %v\n%s", order, ok, p.Disassemble(nil))
		}
	}
}

func TestProgramIsImmutable(t *testing.T) {
	raw := []bpf.RawInstruction{ret}
	p, err := New(raw, binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	raw[0].K = 1
	p.Raw()[0].K = 2
	origins := []string{"/syscalls/0"}
	q := p.WithOrigins(origins)
	origins[0] = ""
	if p.At(0) != ret || p.Origin(0) != "" || q.Origin(0) != "/syscalls/0" || q.At(0) != ret || p.Len() != 1 {
		t.Errorf("changed to %v %q, %v %q", p.At(0), p.Origin(0), q.At(0), q.Origin(0))
	}
	if short := p.WithOrigins(nil); short.Origin(0) != "" {
		t.Errorf("no origins gave %q", short.Origin(0))
	}
}

func TestReturns(t *testing.T) {
	p := must(t, ".order little\njeq #0 2\nret ERRNO(38)\n2: ret NOTIFY")
	for class, want := range map[Action]bool{ErrnoClass: true, Errno(1): true, Notify: true, Allow: false, KillThread: false} {
		if got := p.Returns(class); got != want {
			t.Errorf("Returns(%v) is %v", class, got)
		}
	}
}

// TestZeroProgram: a forgotten program denies everything and loads nowhere.
func TestZeroProgram(t *testing.T) {
	var p Program
	if a := p.Eval(&Data{}); a != KillThread {
		t.Errorf("Eval: %v", a)
	}
	if a, steps := p.Trace(&Data{}); a != KillThread || steps != nil {
		t.Errorf("Trace: %v, %v", a, steps)
	}
	if ok, steps := p.ConstAllow(0, 0); ok || steps != 0 {
		t.Errorf("ConstAllow: %v, %d", ok, steps)
	}
	if b, err := p.AppendBinary(nil); len(b) != 0 || err != nil {
		t.Errorf("AppendBinary: %v, %v", b, err)
	}
	if s := p.Disassemble(vocabulary{}); s != ".order little\n" {
		t.Errorf("Disassemble: %q", s)
	}
}
