package grade

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// reached writes how a power is reached: "socket above family on x86_64, socketcall on x86".
func reached(t *testing.T, list []Reach, id string) string {
	t.Helper()
	i := slices.IndexFunc(list, func(r Reach) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("no power %q", id)
	}
	if list[i].Undecided {
		return "undecided"
	}
	var ways []string
	for _, w := range list[i].Ways {
		text := w.Call
		if w.Above != "" {
			text += " above " + w.Above
		}
		ways = append(ways, strings.TrimSpace(fmt.Sprintf("%s on %v", text, w.ABIs)))
	}
	return strings.Join(ways, ", ")
}

func TestReach(t *testing.T) {
	const user, vsock = 0x10000000, 40
	rule := func(call string, action cbpf.Action, args ...policy.Arg) policy.Rule {
		return policy.Rule{Names: []string{call}, Action: action, Args: args}
	}
	arg := func(i uint, op policy.Op, v uint64) policy.Arg { return policy.Arg{Index: i, Op: op, Value: v} }
	masked := func(i uint, mask, v uint64) policy.Arg {
		return policy.Arg{Index: i, Op: policy.MaskedEqual, Value: mask, ValueTwo: v}
	}
	x86 := []arch.ABI{arch.X86_64, arch.X86, arch.X32}
	tests := []struct {
		name string
		rule policy.Rule
		abis []arch.ABI
		id   string
		want string
	}{
		{"nothing", rule("read", cbpf.Allow), x86, "user-namespaces", ""},
		{"always", rule("unshare", cbpf.Allow), x86, "user-namespaces", "unshare on [x86_64 x32 x86]"},
		{"logged", rule("unshare", cbpf.Log), x86, "user-namespaces", "unshare on [x86_64 x32 x86]"},
		{"the listener may allow it", rule("unshare", cbpf.Notify), x86, "user-namespaces", "unshare on [x86_64 x32 x86]"},
		{"killed", rule("unshare", cbpf.KillProcess), x86, "user-namespaces", ""},
		{"the flag is refused", rule("clone", cbpf.Allow, masked(0, user, 0)), x86, "user-namespaces", ""},
		{"another flag is refused", rule("clone", cbpf.Allow, masked(0, 0x20000000, 0)), x86, "user-namespaces", "clone on [x86_64 x32 x86]"},
		{"the flag among others", rule("unshare", cbpf.Allow, arg(0, policy.Equal, user|0x20000)), []arch.ABI{arch.AArch64}, "user-namespaces", "unshare on [aarch64]"},
		{"without the flag", rule("unshare", cbpf.Allow, arg(0, policy.Equal, 0x20000)), x86, "user-namespaces", ""},
		{"s390x swaps the arguments of clone", rule("clone", cbpf.Allow, masked(1, user, 0)), []arch.ABI{arch.S390X}, "user-namespaces", ""},
		{"another argument is compared", rule("unshare", cbpf.Allow, arg(1, policy.Equal, 7)), x86, "user-namespaces", "unshare on [x86_64 x32 x86]"},
		{"not the value, on 32 bits", rule("socket", cbpf.Allow, arg(0, policy.NotEqual, vsock)), []arch.ABI{arch.ARM}, "vsock", ""},
		{"not the value, on 64 bits", rule("socket", cbpf.Allow, arg(0, policy.NotEqual, vsock)), []arch.ABI{arch.AArch64}, "vsock", "socket above family on [aarch64]"},
		{"not the lower half", rule("socket", cbpf.Allow, masked(0, 0xffffffff, 41)), []arch.ABI{arch.AArch64}, "vsock", ""},
		{"the value", rule("socket", cbpf.Allow, arg(0, policy.Equal, vsock)), []arch.ABI{arch.X86_64}, "vsock", "socket on [x86_64]"},
		{"a pointer's upper half is its own", rule("socket", cbpf.Allow, arg(5, policy.Equal, 1<<40)), []arch.ABI{arch.X86_64}, "vsock", "socket on [x86_64]"},
		{"arguments behind socketcall", rule("socketcall", cbpf.Allow), x86, "vsock", "socketcall on [x86]"},
		{"socketcall without socket", rule("socketcall", cbpf.Allow, arg(0, policy.Equal, 2)), x86, "vsock", ""},
		{"another ABI", rule("read", cbpf.Allow), x86, "compat", "on [x86]"},
		{"yet to come", rule("read", cbpf.Allow), x86, "future-calls", ""},
	}
	for _, tt := range tests {
		r := mustResolve(t, &policy.Policy{Default: cbpf.ErrnoClass, Rules: []policy.Rule{tt.rule}}, tt.abis...)
		s := mustScale(t, tt.abis[0])
		list, err := s.Reach(r, proof.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := reached(t, list, tt.id); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		alone, err := s.byCall(r, proof.Limits{})
		if err != nil {
			t.Fatalf("%s, call by call: %v", tt.name, err)
		}
		for i := range list {
			if got, want := reached(t, alone, list[i].ID), reached(t, list, list[i].ID); got != want {
				t.Errorf("%s: %s: call by call %s, want %s", tt.name, list[i].ID, got, want)
			}
		}
	}
}

// What is beyond the limits is said for the calls that it is true of, and no others.
func TestReachBeyondTheLimits(t *testing.T) {
	p := &policy.Policy{Default: cbpf.ErrnoClass, Rules: []policy.Rule{
		{Names: []string{"setns"}, Action: cbpf.Allow},
		{Names: []string{"unshare"}, Action: cbpf.Allow, Args: []policy.Arg{{Index: 0, Op: policy.MaskedEqual, Value: 0x10000000}}},
	}}
	for i := range uint64(40) { // masks of nothing in common
		p.Rules = append(p.Rules, policy.Rule{Names: []string{"socket"}, Action: cbpf.Allow, Args: []policy.Arg{
			{Index: 0, Op: policy.MaskedEqual, Value: 0x9e3779b97f4a7c15 * (i + 1), ValueTwo: 0},
			{Index: 1, Op: policy.MaskedEqual, Value: 0xc2b2ae3d27d4eb4f * (i + 1), ValueTwo: 0},
		}})
	}
	s := mustScale(t, arch.AArch64)
	r := mustResolve(t, p, arch.AArch64)
	l := proof.Limits{Nodes: 20_000}
	if _, err := s.Of(proof.Policy(r), l); err == nil {
		t.Fatal("the limits are not too low")
	}
	list, err := s.Reach(r, l)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"namespaces": "setns on [aarch64], unshare on [aarch64]", "user-namespaces": "", "vsock": "undecided", "modules": "",
	} {
		if got := reached(t, list, id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	if _, err := s.Reach(r, proof.Limits{Nodes: 10}); err == nil {
		t.Error("an answer within ten nodes")
	}
}

func TestGravest(t *testing.T) {
	for call, want := range map[string]string{
		"init_module": "modules", "clone": "user-namespaces", "socket": "socket-families", "setns": "namespaces", "read": "calls", "": "calls", "raed": "calls",
	} {
		if got := Powers()[Gravest(call)].ID; got != want {
			t.Errorf("%s: %s, want %s", call, got, want)
		}
	}
}
