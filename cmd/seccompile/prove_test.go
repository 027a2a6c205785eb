package main

import (
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// compile --prove must refuse what a broken compiler would make. There is none to
// run, so the filters are put in its place.
func TestProveRefuses(t *testing.T) {
	const profile = `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"]}`
	in := &input{name: "profile.json", kind: kindProfile, data: []byte(profile)}
	read := target{enosys: "off", compat: "runc", badArch: "kill-thread", caps: []string{"none"}, abis: []string{"x86_64"}}
	tests := []struct {
		name, filter string
		want         string // the error, "" for none
	}{
		{"right", "ld arch\njeq x86_64, jf bad\nld nr\njeq #-1, jt ok\njge #0x40000000, jt bad\nok: ret ERRNO(1)\nbad: ret KILL_THREAD", ""},
		{"wrong", "ret ERRNO(1)", "profile.json: the filter is wrong: "},
		{"a superfluous instruction", "ld arch\njeq x86_64, jf bad\nld nr\njeq #-1, jt ok\njge #0x40000000, jt bad\nok: ret ERRNO(1)\nret TRAP\nbad: ret KILL_THREAD",
			"profile.json: 1 instruction that no call executes: 6"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := read.meaning(in)
			if err != nil {
				t.Fatal(err)
			}
			text := ".order little\n" + strings.ReplaceAll(tt.filter, "#-1", "#0xffffffff")
			if c.program, err = cbpf.Assemble([]byte(text), syscalltables.Names{}); err != nil {
				t.Fatal(err)
			}
			s := surety{prove: true}
			facts, err := s.proof(in, c)
			switch {
			case tt.want == "" && (err != nil || facts == nil):
				t.Errorf("error %v, certificate %v", err, facts)
			case tt.want != "" && (err == nil || facts != nil || !strings.HasPrefix(err.Error(), tt.want)):
				t.Errorf("error %v, certificate %v; want an error %q", err, facts, tt.want)
			}
			if facts, err := new(surety).proof(in, c); facts != nil || err != nil {
				t.Errorf("proved without being asked: %v, %v", facts, err)
			}
		})
	}
}

// The numbers of x86_64 and x32 together are all that there are, and arch.ByAudit
// agrees with whose each is. Scopes must not lose a call.
func TestScopesCoverEverything(t *testing.T) {
	var c choice
	for _, audits := range [][]policy.Interval{
		{{First: 0xc000003e, Last: 0xc000003e}},
		{{First: 0xc000003d, Last: 0xc000003f}},
		{{First: 0, Last: 0xc000003d}, {First: 0xc000003f, Last: 0xffffffff}},
		{{First: 0, Last: 0xffffffff}},
	} {
		want, got := size(audits)<<32, uint64(0)
		for _, s := range c.scopes(audits) {
			got += size(s.audits) * size(s.numbers)
			if s.abi.Valid() && (s.abi.Audit() != s.audits[0].First || size(s.audits) != 1) {
				t.Errorf("%v: %v", s.abi, s.audits)
			}
		}
		if got != want {
			t.Errorf("%v: the scopes have %d calls, want %d", audits, got, want)
		}
	}
}

func TestConditionsAsInC(t *testing.T) {
	tests := []struct {
		abi         arch.ABI
		values      proof.Values
		numbers     string
		inConstants string
	}{
		{arch.X86_64, proof.Values{Width: 64, Ranges: []proof.Range{{First: 5, Last: 5}}}, "domain == 0x5", "domain == AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 64, Not: true, Ranges: []proof.Range{{First: 5, Last: 5}}}, "domain != 0x5", "domain != AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 64, Ranges: []proof.Range{{First: 0, Last: 5}}}, "domain <= 0x5", "domain <= AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 64, Not: true, Ranges: []proof.Range{{First: 0, Last: 5}}}, "domain > 0x5", "domain > AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 64, Ranges: []proof.Range{{First: 5, Last: ^uint64(0)}}}, "domain >= 0x5", "domain >= AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 64, Not: true, Ranges: []proof.Range{{First: 5, Last: ^uint64(0)}}}, "domain < 0x5", "domain < AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 64, Ranges: []proof.Range{{First: 1, Last: 2}, {First: 7, Last: 7}}}, "domain in 0x1..0x2, 0x7", "domain in AF_UNIX..AF_INET, AF_BRIDGE"},
		{arch.X86_64, proof.Values{Width: 64, Not: true, Ranges: []proof.Range{{First: 1, Last: 2}}}, "domain not in 0x1..0x2", "domain not in AF_UNIX..AF_INET"},
		{arch.X86_64, proof.Values{Width: 64, Masks: []proof.Mask{{Mask: 6, Value: 2}}}, "domain & 0x6 == 0x2", "domain & 6 == 2"},
		{arch.X86_64, proof.Values{Width: 64, Not: true, Masks: []proof.Mask{{Mask: 6, Value: 2}, {Mask: ^uint64(0), Value: 9}}},
			"domain & 0x6 != 0x2 and domain != 0x9", "domain & 6 != 2 and domain != AF_X25"},
		// The upper half does not count, and that shows.
		{arch.X86_64, proof.Values{Width: 32, Ranges: []proof.Range{{First: 5, Last: 5}}}, "domain & 0xffffffff == 0x5", "domain & 0xffffffff == AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 32, Ranges: []proof.Range{{First: 5, Last: 1<<32 - 1}}}, "domain & 0xffffffff >= 0x5", "domain & 0xffffffff >= AF_APPLETALK"},
		{arch.X86_64, proof.Values{Width: 32, Masks: []proof.Mask{{Mask: 1<<32 - 1, Value: 5}}}, "domain & 0xffffffff == 0x5", "domain & 0xffffffff == AF_APPLETALK"},
		// There is none on 32-bit ABIs.
		{arch.ARM, proof.Values{Width: 32, Ranges: []proof.Range{{First: 5, Last: 1<<32 - 1}}}, "domain >= 0x5", "domain >= AF_APPLETALK"},
		{arch.ARM, proof.Values{Width: 32, Masks: []proof.Mask{{Mask: 1<<32 - 1, Value: 5}}}, "domain == 0x5", "domain == AF_APPLETALK"},
	}
	socket, _ := syscalltables.Lookup("socket")
	for _, tt := range tests {
		nr, _ := socket.Number(tt.abi)
		for numeric, want := range map[bool]string{true: tt.numbers, false: tt.inConstants} {
			all := proof.Case{{Arg: 0, Values: tt.values}}
			if got := condition(&scope{abi: tt.abi, numeric: numeric}, nr, &all[0], all); got != want {
				t.Errorf("%v %+v: got %q, want %q", tt.abi, tt.values, got, want)
			}
		}
	}
}

// TestConditionsTellEachOtherWhatTheyMean: the third argument of fcntl depends on the
// second, but only where that is one value.
func TestConditionsTellEachOtherWhatTheyMean(t *testing.T) {
	s := &scope{abi: arch.X86_64}
	fcntl, _ := syscalltables.Lookup("fcntl")
	nr, _ := fcntl.Number(s.abi)
	one := func(arg int, v uint64, not bool) proof.When {
		return proof.When{Arg: arg, Values: proof.Values{Width: 64, Not: not, Ranges: []proof.Range{{First: v, Last: v}}}}
	}
	for _, tt := range []struct {
		when proof.Case
		want string
	}{
		{proof.Case{one(1, 4, false), one(2, 0x802, false)}, "cmd == F_SETFL and arg == (O_RDWR|O_NONBLOCK)"},
		{proof.Case{one(1, 4, true), one(2, 0x802, false)}, "cmd != F_SETFL and arg == 0x802"},
		{proof.Case{one(proof.IP, 4, false), one(0, 3, true)}, "ip == 0x4 and fd != 3"},
	} {
		if got := conditions(s, nr, tt.when); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
