package snap

import (
	"encoding/binary"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/cbpf"
)

// all returns a filter that allows all calls, for machines of one byte order.
func all(t testing.TB, big bool) *cbpf.Program {
	t.Helper()
	var order binary.ByteOrder = binary.LittleEndian
	if big {
		order = binary.BigEndian
	}
	p, err := cbpf.New([]bpf.RawInstruction{{Op: 6, K: uint32(cbpf.Allow)}}, order)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFilters(t *testing.T) {
	for _, big := range []bool{false, true} {
		f := Filters{Deny: all(t, big), Allow: all(t, big)}
		data, err := f.AppendBinary([]byte("before"))
		if err != nil || string(data[:6]) != "before" {
			t.Fatal(err)
		}
		data = data[6:]
		lengths := "\x08\x00\x00\x00\x08\x00\x00\x00"
		if big {
			lengths = "\x00\x00\x00\x08\x00\x00\x00\x08"
		}
		if want := "SC\x01\x00\x00\x00\x00\x00" + lengths + strings.Repeat("\x00", 112); string(data[:headerSize]) != want {
			t.Errorf("header %q", data[:headerSize])
		}
		again, err := Decode(data)
		if err != nil || again.Unrestricted || again.Deny.Order() != f.Deny.Order() || again.Allow.At(0) != f.Allow.At(0) {
			t.Errorf("%+v, %v", again, err)
		}
	}
	data, err := (&Filters{Unrestricted: true}).AppendBinary(nil)
	if err != nil || len(data) != headerSize || data[3] != 1 {
		t.Errorf("%q, %v", data, err)
	}
	if f, err := Decode(data); err != nil || !f.Unrestricted || f.Allow != nil {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestBadFilters(t *testing.T) {
	good, err := (&Filters{Deny: all(t, false), Allow: all(t, false)}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, b byte) string { return string(good[:at]) + string(rune(b)) + string(good[at+1:]) }
	for _, tt := range []struct{ data, want string }{
		{"", "0 bytes, and the header alone has 128 (copy the file again)"},
		{"SC", "2 bytes, and the header alone has 128 (copy the file again)"},
		{string(good[:100]), "100 bytes, and the header alone has 128 (copy the file again)"},
		{"{}", "not a file that snap-seccomp made (make it again with snap-seccomp compile)"},
		{change(0, 'X'), "not a file that snap-seccomp made (make it again with snap-seccomp compile)"},
		{change(2, 2), "not a file that snap-seccomp made (make it again with snap-seccomp compile)"},
		{change(3, 2), "not a file that snap-seccomp made (make it again with snap-seccomp compile)"},
		{string(good) + "x", "145 bytes, which is not what the lengths in the header add up to (copy the file again)"},
		{string(good[:140]), "140 bytes, which is not what the lengths in the header add up to (copy the file again)"},
		{change(8, 16), "144 bytes, which is not what the lengths in the header add up to (copy the file again)"},
		{string(good[:8]) + "\x10\x00\x00\x00\x00\x00\x00\x00" + string(good[16:]), "the filter that denies is empty, which it may be in an unrestricted file alone (compile the policy again)"},
		{string(good[:8]) + "\x0c\x00\x00\x00\x04\x00\x00\x00" + string(good[16:]), "the filter that allows has 12 bytes: snap-confine takes multiples of 8 up to 32768 (compile the policy again)\n" +
			"snap: the filter that denies has 4 bytes: snap-confine takes multiples of 8 up to 32768 (compile the policy again)"},
		{string(good[:8]) + "\x00\x90\x00\x00\x08\x00\x00\x00" + string(good[16:]) + strings.Repeat("\x06\x00\x00\x00\x00\x00\x00\x00", 0x1200-1),
			"the filter that allows has 36864 bytes: snap-confine takes multiples of 8 up to 32768 (compile the policy again)"},
		{change(128, 0x60), "the filter that allows: cbpf: "},
	} {
		_, err := Decode([]byte(tt.data))
		if err == nil || !strings.HasPrefix(err.Error(), "snap: "+tt.want) {
			t.Errorf("%.20q, %d bytes: %v, want %s", tt.data, len(tt.data), err, tt.want)
		}
	}
	for _, f := range []Filters{{}, {Allow: all(t, false)}, {Deny: all(t, false)}, {Deny: &cbpf.Program{}, Allow: all(t, false)}, {Deny: all(t, true), Allow: all(t, false)}} {
		if data, err := f.AppendBinary([]byte("x")); err == nil || string(data) != "x" {
			t.Errorf("%+v: %q, %v", f, data, err)
		}
	}
}
