package policy_test

import (
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// Programs in Go take keys in any letter case, so only strict mode refuses them.
func TestLooseKeys(t *testing.T) {
	p := &policy.Policy{LooseKeys: []string{"/Syscalls", "/defaultaction"}}
	o := policy.Options{ABIs: []arch.ABI{arch.X86_64}}
	if _, _, err := policy.Resolve(p, o); err != nil {
		t.Error(err)
	}
	o.Mode = policy.Strict
	_, _, err := policy.Resolve(p, o)
	problems, _ := err.(policy.Errors)
	if len(problems) != 2 {
		t.Fatal(err)
	}
	for i, e := range problems {
		if e.Kind != policy.StrictCase || e.Pointer != p.LooseKeys[i] || !strings.Contains(e.Reason, "crun and youki ignore it") {
			t.Errorf("%+v", e)
		}
	}
}

// runc cannot ask a listener about the call that sends it its descriptor. That is about
// profiles of containers, not about policies in other languages.
func TestNotifyOfOtherLanguages(t *testing.T) {
	o := policy.Options{ABIs: []arch.ABI{arch.X86_64}}
	p := &policy.Policy{Default: cbpf.Notify, Rules: []policy.Rule{{Names: []string{"write"}, Action: cbpf.Notify}, {Numbers: []uint32{1}, Action: cbpf.Notify}}}
	if _, _, err := policy.Resolve(p, o); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("an OCI profile: %v", err)
	}
	p.Order = policy.FirstMatch
	if _, _, err := policy.Resolve(p, o); err != nil {
		t.Error(err)
	}
}
