package main

import (
	"io"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
)

// compile --prove must refuse what a broken compiler would make. There is none to
// run, so the filters are put in its place.
func TestProveRefuses(t *testing.T) {
	const profile = `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"]}`
	in := intake.New("profile.json", "profile.json", []byte(profile))
	read := intake.Target{ENOSYS: "off", Caps: []string{"none"}, ABIs: []string{"x86_64"}}
	tests := []struct {
		name, filter string
		err, warning string // "" for none
	}{
		{"right", "ld arch\njeq x86_64, jf bad\nld nr\njeq #-1, jt ok\njge #0x40000000, jt bad\nok: ret ERRNO(1)\nbad: ret KILL_THREAD", "", ""},
		{"wrong", "ret ERRNO(1)", "profile.json: the filter is wrong: ", ""},
		{"a superfluous instruction", "ld arch\njeq x86_64, jf bad\nld nr\njeq #-1, jt ok\njge #0x40000000, jt bad\nok: ret ERRNO(1)\nret TRAP\nbad: ret KILL_THREAD",
			"", "profile.json: 1 instruction that no call executes: 6"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := read.Meaning(in)
			if err != nil {
				t.Fatal(err)
			}
			text := ".order little\n" + strings.ReplaceAll(tt.filter, "#-1", "#0xffffffff")
			if c.Program, err = cbpf.Assemble([]byte(text), policy.Names()); err != nil {
				t.Fatal(err)
			}
			var stderr strings.Builder
			a := newApp(nil, io.Discard, &stderr)
			facts, err := a.proof(&proofFlags{prove: true}, in, c)
			switch {
			case tt.err == "" && (err != nil || facts == nil):
				t.Errorf("error %v, certificate %v", err, facts)
			case tt.err != "" && (err == nil || facts != nil || !strings.HasPrefix(err.Error(), tt.err)):
				t.Errorf("error %v, certificate %v; want an error %q", err, facts, tt.err)
			}
			if got := stderr.String(); (got == "") != (tt.warning == "") || !strings.Contains(got, tt.warning) {
				t.Errorf("stderr %q, want %q", got, tt.warning)
			}
			if facts, err := a.proof(new(proofFlags), in, c); facts != nil || err != nil {
				t.Errorf("proved without being asked: %v, %v", facts, err)
			}
		})
	}
}

// The numbers of x86_64 and x32 together are all that there are, and arch.ByAudit
// agrees with whose each is. Scopes must not lose a call.
func TestScopesCoverEverything(t *testing.T) {
	var c answer.Choice
	for _, audits := range [][]policy.Interval{
		{{First: 0xc000003e, Last: 0xc000003e}},
		{{First: 0xc000003d, Last: 0xc000003f}},
		{{First: 0, Last: 0xc000003d}, {First: 0xc000003f, Last: 0xffffffff}},
		{{First: 0, Last: 0xffffffff}},
	} {
		want, got := answer.Size(audits)<<32, uint64(0)
		for _, s := range c.Scopes(audits) {
			got += answer.Size(s.Archs) * answer.Size(s.Numbers)
			if s.ABI.Valid() && (s.ABI.Audit() != s.Archs[0].First || answer.Size(s.Archs) != 1) {
				t.Errorf("%v: %v", s.ABI, s.Archs)
			}
		}
		if got != want {
			t.Errorf("%v: the scopes have %d calls, want %d", audits, got, want)
		}
	}
}
