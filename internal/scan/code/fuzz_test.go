package code

import (
	"math/rand/v2"
	"testing"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// FuzzRead reads random bytes as code of both machines: it must end, and every system-call
// instruction it tells of must have a number, which may be unknown.
func FuzzRead(f *testing.F) {
	f.Add([]byte{0x0f, 0x05, 0xc3}, uint16(1), false)
	f.Add([]byte{0xeb, 0xfe, 0x48, 0x8d, 0x05, 0, 0, 0, 0, 0xff, 0xe0}, uint16(7), true)
	f.Fuzz(func(t *testing.T, code []byte, cut uint16, fixed bool) {
		if len(code) > 1<<14 {
			return
		}
		for _, machine := range []object.Machine{object.AMD64, object.ARM64} {
			readAll(t, machine, code, uint64(cut), fixed)
		}
	})
}

// TestRandom does as FuzzRead on bytes that look more like code.
func TestRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	common := []byte{0x48, 0x89, 0x8b, 0x8d, 0xe8, 0xeb, 0x74, 0x75, 0x0f, 0x05, 0xff, 0xc3, 0x24, 0x44, 0x83, 0xec, 0, 1, 4, 8, 0xf8, 0xfc}
	for range 300 {
		code := make([]byte, 1+r.IntN(4000))
		for i := range code {
			if code[i] = byte(r.Uint32()); r.IntN(8) > 0 {
				code[i] = common[r.IntN(len(common))]
			}
		}
		for i := 0; i+4 <= len(code) && r.IntN(2) == 0; i += 4 { // branches of aarch64 that stay near
			code[i+3] = []byte{0x14, 0x94, 0x54, 0xb4, 0xf9, 0xa9, 0x91, 0xd1, 0xd4, 0xd6}[r.IntN(10)]
		}
		for _, machine := range []object.Machine{object.AMD64, object.ARM64} {
			readAll(t, machine, code, r.Uint64N(5000), r.IntN(2) == 0)
		}
	}
}

func readAll(t *testing.T, machine object.Machine, code []byte, cut uint64, fixed bool) {
	size := uint64(len(code))
	f := &object.File{Machine: machine, Fixed: fixed, Segments: []object.Segment{
		{Addr: codeAt, Data: code, Size: size + 8, Executable: true},
		{Addr: codeAt + size + 100, Data: code, Size: size},
	}}
	for at := uint64(0); at < size; {
		n := min(1+cut, size-at)
		f.Funcs = append(f.Funcs, object.Func{Addr: codeAt + at, Size: n, Gap: at%2 == 1})
		at += n
		cut = cut*7%5000 + 1
	}
	m, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Funcs) != len(f.Funcs) {
		t.Fatalf("%d functions read, the file has %d", len(m.Funcs), len(f.Funcs))
	}
	end := uint64(codeAt)
	for i := range m.Funcs {
		if f.Funcs[i].Addr != end || f.Funcs[i].Size == 0 {
			t.Fatalf("function %d is at %#x, want %#x", i, f.Funcs[i].Addr, end)
		}
		end += f.Funcs[i].Size
		fn, flow := &m.Funcs[i], m.Flow(i)
		if len(flow.Sites) != len(fn.Sites) || len(flow.Calls) != len(fn.Calls)+len(fn.Indirect) {
			t.Fatalf("function %d has %d sites and %d calls, values for %d and %d", i, len(fn.Sites), len(fn.Calls)+len(fn.Indirect), len(flow.Sites), len(flow.Calls))
		}
		for _, s := range flow.Sites {
			if empty(s.Number) {
				t.Fatalf("%#x: the system call has no number", s.At)
			}
		}
		for _, c := range flow.Calls {
			if empty(c.Entry(0)) || empty(c.Entry(Stack(3))) {
				t.Fatalf("%#x: the call passes nothing on", c.At)
			}
		}
	}
}

func empty(v Value) bool { return !v.Unknown && len(v.Consts)+len(v.Addrs)+len(v.Entry) == 0 }
