package combine

import (
	"strings"
	"testing"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// What is written is read back, and has to mean what was asked for: a library that takes
// something else for proved does not get it past this.
func TestCombinedProfileIsReadBack(t *testing.T) {
	one := policy.Rule{Names: []string{"exit_group"}, Action: cbpf.Allow}
	two := policy.Rule{Names: []string{"exit_group", "read"}, Action: cbpf.Allow}
	number := uint(13)
	profile := func(rule policy.Rule, errno *uint) *policy.Policy {
		return &policy.Policy{Default: cbpf.ErrnoClass, DefaultErrno: errno, ABIs: []arch.ABI{arch.X86_64}, Rules: []policy.Rule{rule}}
	}
	for _, tt := range []struct {
		name    string
		meant   *policy.Policy
		written *policy.Policy
		except  algebra.Relation
		ok      bool
	}{
		{"the same", profile(one, nil), profile(one, nil), 0, true},
		{"another call", profile(one, nil), profile(two, nil), 0, false},
		{"another call, where that does not count", profile(one, nil), profile(two, nil), algebra.ExceptUnassigned | algebra.ExceptData, false},
		{"other data", profile(one, nil), profile(one, &number), 0, false},
		{"other data, accepted", profile(one, nil), profile(one, &number), algebra.ExceptData, true},
		{"other data, where other things are", profile(one, nil), profile(one, &number), algebra.ExceptUnassigned, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			options := policy.Options{ABIs: []arch.ABI{arch.X86_64}}
			meaning, _, err := policy.Resolve(tt.meant, options)
			if err != nil {
				t.Fatal(err)
			}
			c := &Combined{
				Result:  &algebra.Result{Meaning: meaning, Profile: tt.written, Except: tt.except},
				request: &Request{Target: new(intake.Target)}, reading: options,
			}
			p, err := c.Write()
			if ok := err == nil; ok != tt.ok || ok != (p != nil) {
				t.Errorf("error %v, profile %v, want %v", err, p != nil, tt.ok)
			}
			if err != nil && !strings.Contains(err.Error(), "means something else") {
				t.Error(err)
			}
		})
	}
}

// What a relation lets differ, by the numbers of a change. x32's calls are other numbers of
// x86_64's AUDIT_ARCH value.
func TestCombinedLets(t *testing.T) {
	const foreign, unassigned, data = algebra.ExceptForeign, algebra.ExceptUnassigned, algebra.ExceptData
	kill, no, other := cbpf.KillThread, cbpf.Errno(1), cbpf.Errno(2)
	for _, tt := range []struct {
		name        string
		abis        []arch.ABI
		audit       uint32
		first, last uint32
		from, to    cbpf.Action
		lets        []algebra.Relation
	}{
		{"a call", []arch.ABI{arch.X86_64}, arch.X86_64.Audit(), 1, 1, kill, no, nil},
		{"data of a call", []arch.ABI{arch.X86_64}, arch.X86_64.Audit(), 1, 1, no, other, []algebra.Relation{data}},
		{"a hole", []arch.ABI{arch.X86_64}, arch.X86_64.Audit(), 340, 350, kill, no, []algebra.Relation{unassigned}},
		{"a hole and a call", []arch.ABI{arch.X86_64}, arch.X86_64.Audit(), 334, 350, kill, no, nil},
		{"above all calls", []arch.ABI{arch.X86_64}, arch.X86_64.Audit(), 5000, 5000, kill, no, []algebra.Relation{unassigned}},
		{"a call of x32", []arch.ABI{arch.X86_64}, arch.X86_64.Audit(), arch.X32Bit + 1, arch.X32Bit + 1, kill, no, nil},
		{"a number of x32", []arch.ABI{arch.X86_64}, arch.X86_64.Audit(), arch.X32Bit + 5000, arch.X32Bit + 5000, kill, no, []algebra.Relation{foreign, unassigned}},
		{"a number of x32, which is there", []arch.ABI{arch.X86_64, arch.X32}, arch.X86_64.Audit(), arch.X32Bit + 5000, arch.X32Bit + 5000, kill, no, []algebra.Relation{unassigned}},
		{"a call of x32, which is there", []arch.ABI{arch.X86_64, arch.X32}, arch.X86_64.Audit(), arch.X32Bit + 1, arch.X32Bit + 1, kill, no, nil},
		{"no ABI's", []arch.ABI{arch.X86_64}, arch.X86_64.Audit(), 1 << 31, 1<<31 + 9, kill, no, []algebra.Relation{foreign, unassigned}},
		{"another ABI", []arch.ABI{arch.X86_64}, arch.X86.Audit(), 0, 1<<32 - 1, kill, no, nil},
		{"another ABI's high numbers", []arch.ABI{arch.X86_64}, arch.X86.Audit(), 1 << 31, 1<<31 + 9, kill, no, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			meaning, _, err := policy.Resolve(&policy.Policy{}, policy.Options{ABIs: tt.abis})
			if err != nil {
				t.Fatal(err)
			}
			c := answer.Choice{ABIs: tt.abis}
			for _, except := range []algebra.Relation{0, foreign, unassigned, data} {
				want := false
				for _, x := range tt.lets {
					want = want || x == except
				}
				r := Combined{Result: &algebra.Result{Meaning: meaning, Except: except}}
				got := true
				for _, s := range c.Scopes(policy.Intervals{{First: tt.audit, Last: tt.audit}}) {
					for _, in := range s.Clip(tt.first, tt.last) {
						got = got && r.lets(&answer.Change{Scope: s, Change: proof.Change{From: tt.from, To: tt.to}, Range: in, Calls: s.Parts(in)})
					}
				}
				if got != want {
					t.Errorf("%v: got %v, want %v", except, got, want)
				}
			}
		})
	}
}
