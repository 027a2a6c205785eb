package phrase

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

func number(t *testing.T, name string) uint32 {
	t.Helper()
	call, _ := syscalltables.Lookup(name)
	nr, ok := call.Number(arch.X86_64)
	if !ok {
		t.Fatalf("x86_64 has no %s", name)
	}
	return nr
}

func TestConditionsAsInC(t *testing.T) {
	tests := []struct {
		abi         arch.ABI
		values      proof.Values
		numbers     string
		inConstants string
	}{
		{arch.X86_64, proof.Values{Width: 64, Ranges: []proof.Range{{First: 5, Last: 5}}}, "family == 0x5", "family == AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 64, Not: true, Ranges: []proof.Range{{First: 5, Last: 5}}}, "family != 0x5", "family != AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 64, Ranges: []proof.Range{{First: 0, Last: 5}}}, "family <= 0x5", "family <= AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 64, Not: true, Ranges: []proof.Range{{First: 0, Last: 5}}}, "family > 0x5", "family > AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 64, Ranges: []proof.Range{{First: 5, Last: ^uint64(0)}}}, "family >= 0x5", "family >= AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 64, Not: true, Ranges: []proof.Range{{First: 5, Last: ^uint64(0)}}}, "family < 0x5", "family < AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 64, Ranges: []proof.Range{{First: 1, Last: 2}, {First: 7, Last: 7}}}, "family in {0x1..0x2, 0x7}", "family in {AF_UNIX..AF_INET, AF_BRIDGE}"},
		{arch.X86_64, proof.Values{Width: 64, Not: true, Ranges: []proof.Range{{First: 1, Last: 2}}}, "family not in {0x1..0x2}", "family not in {AF_UNIX..AF_INET}"},
		{arch.X86_64, proof.Values{Width: 64, Masks: []proof.Mask{{Mask: 6, Value: 2}}}, "family & 0x6 == 0x2", "family & 6 == 2"},
		{arch.X86_64, proof.Values{Width: 64, Not: true, Masks: []proof.Mask{{Mask: 6, Value: 2}, {Mask: ^uint64(0), Value: 9}}},
			"family & 0x6 != 0x2 and family != 0x9", "family & 6 != 2 and family != AF_X25"},
		// The upper half does not count, and that shows.
		{arch.X86_64, proof.Values{Width: 32, Ranges: []proof.Range{{First: 5, Last: 5}}}, "family & 0xffffffff == 0x5", "family & 0xffffffff == AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 32, Ranges: []proof.Range{{First: 5, Last: 1<<32 - 1}}}, "family & 0xffffffff >= 0x5", "family & 0xffffffff >= AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 32, Masks: []proof.Mask{{Mask: 1<<32 - 1, Value: 5}}}, "family & 0xffffffff == 0x5", "family & 0xffffffff == AF_APPLETALK"},
		// There is none on 32-bit ABIs.
		{arch.ARM, proof.Values{Width: 32, Ranges: []proof.Range{{First: 5, Last: 1<<32 - 1}}}, "family >= 0x5", "family >= AF_APPLETALK"},
		{arch.ARM, proof.Values{Width: 32, Masks: []proof.Mask{{Mask: 1<<32 - 1, Value: 5}}}, "family == 0x5", "family == AF_APPLETALK"},
	}
	socket, _ := syscalltables.Lookup("socket")
	for _, tt := range tests {
		nr, _ := socket.Number(tt.abi)
		for numeric, want := range map[bool]string{true: tt.numbers, false: tt.inConstants} {
			if got := (Call{tt.abi, nr, numeric}).Case(proof.Case{{Arg: 0, Values: tt.values}}); got != want {
				t.Errorf("%v %+v: got %q, want %q", tt.abi, tt.values, got, want)
			}
		}
	}
}

// TestConditionsTellEachOtherWhatTheyMean: the third argument of fcntl depends on the
// second, but only where that is one value.
func TestConditionsTellEachOtherWhatTheyMean(t *testing.T) {
	one := func(arg int, v uint64, not bool) proof.When {
		return proof.When{Arg: arg, Values: proof.Values{Width: 64, Not: not, Ranges: []proof.Range{{First: v, Last: v}}}}
	}
	for _, tt := range []struct {
		call string
		when proof.Case
		want string
	}{
		{"fcntl", proof.Case{one(1, 4, false), one(2, 0x802, false)}, "cmd == F_SETFL and arg == (O_RDWR|O_NONBLOCK)"},
		{"fcntl", proof.Case{one(1, 4, true), one(2, 0x802, false)}, "cmd != F_SETFL and arg == 0x802"},
		{"fcntl", proof.Case{one(proof.IP, 4, false), one(0, 3, true)}, "ip == 0x4 and fd != 3"},
		{"socket", proof.Case{one(0, 16, false), one(2, 9, false)}, "family == AF_NETLINK and protocol == NETLINK_AUDIT"},
	} {
		if got := (Call{ABI: arch.X86_64, NR: number(t, tt.call)}).Case(tt.when); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestConditionsInWords(t *testing.T) {
	exactly := func(v ...uint64) (r []proof.Range) {
		for _, v := range v {
			r = append(r, proof.Range{First: v, Last: v})
		}
		return r
	}
	const max64 = ^uint64(0)
	tests := []struct {
		call string
		when proof.When
		want string
	}{
		{"socket", proof.When{Arg: 0, Values: proof.Values{Width: 64, Ranges: exactly(40)}}, "family == AF_VSOCK"},
		{"socket", proof.When{Arg: 0, Values: proof.Values{Width: 64, Not: true, Ranges: exactly(40)}}, "family != AF_VSOCK"},
		{"socket", proof.When{Arg: 0, Values: proof.Values{Width: 32, Ranges: exactly(40)}}, "family & 0xffffffff == AF_VSOCK"},
		{"socket", proof.When{Arg: 0, Values: proof.Values{Width: 32, Ranges: exactly(1, 2)}}, "family & 0xffffffff in {AF_UNIX, AF_INET}"},
		{"socket", proof.When{Arg: 0, Values: proof.Values{Width: 64, Not: true, Ranges: exactly(1, 2)}}, "family not in {AF_UNIX, AF_INET}"},
		{"read", proof.When{Arg: 2, Values: proof.Values{Width: 64, Ranges: []proof.Range{{First: 0, Last: 7}}}}, "count <= 7"},
		{"read", proof.When{Arg: 2, Values: proof.Values{Width: 64, Not: true, Ranges: []proof.Range{{First: 0, Last: 7}}}}, "count > 7"},
		{"read", proof.When{Arg: 2, Values: proof.Values{Width: 64, Ranges: []proof.Range{{First: 8, Last: max64}}}}, "count >= 8"},
		{"read", proof.When{Arg: 2, Values: proof.Values{Width: 64, Not: true, Ranges: []proof.Range{{First: 8, Last: max64}}}}, "count < 8"},
		{"read", proof.When{Arg: 2, Values: proof.Values{Width: 64, Ranges: []proof.Range{{First: 8, Last: 16}}}}, "count in {8..16}"},
		{"read", proof.When{Arg: 2, Values: proof.Values{Width: 64, Ranges: []proof.Range{{First: 8, Last: 16}, {First: 32, Last: max64}}}}, "count in {8..16, 32 and above}"},
		{"clone", proof.When{Arg: 0, Values: proof.Values{Width: 64, Masks: []proof.Mask{{Mask: 0x10000000}}}}, "flags & CLONE_NEWUSER == 0"},
		{"clone", proof.When{Arg: 0, Values: proof.Values{Width: 64, Not: true, Masks: []proof.Mask{{Mask: 0x30000000}}}}, "flags & (CLONE_NEWUSER|CLONE_NEWPID) != 0"},
		{"clone", proof.When{Arg: 0, Values: proof.Values{Width: 64, Masks: []proof.Mask{{Mask: 0xff, Value: 17}, {Mask: 0x10000000}}}}, "flags & CSIGNAL == SIGCHLD or flags & CLONE_NEWUSER == 0"},
		{"clone", proof.When{Arg: 0, Values: proof.Values{Width: 64, Ranges: []proof.Range{{First: 0x100, Last: 0x1ff}, {First: 0x10000, Last: max64}}}}, "flags in {0x100..0x1ff, 0x10000 and above}"},
		{"read", proof.When{Arg: 2, Values: proof.Values{Width: 64, Masks: []proof.Mask{{Mask: max64 &^ 5}}}}, "count in {0, 1, 4, 5}"},
		{"read", proof.When{Arg: 2, Values: proof.Values{Width: 64, Not: true, Masks: []proof.Mask{{Mask: max64 &^ 4, Value: 1}, {Mask: max64, Value: 9}}}}, "count not in {1, 5, 9}"},
	}
	for _, tt := range tests {
		if got := (Call{ABI: arch.X86_64, NR: number(t, tt.call)}).Case(proof.Case{tt.when}); got != tt.want {
			t.Errorf("%s %v: %q, want %q", tt.call, tt.when, got, tt.want)
		}
	}
}
