package policy_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

func TestDroppedRules(t *testing.T) {
	for _, test := range []struct {
		name string
		p    *policy.Policy
		o    policy.Options
		want []string
	}{
		{
			"a rule that is dropped and would limit another",
			bounded(when(with(allow("socket"), cbpf.ErrnoClass), is(0, 38)), when(allow("socket"), is(0, 2)), allow("socket")), policy.Options{ABIs: []arch.ABI{arch.RISCV64}},
			[]string{
				"/syscalls/0: does the same as the default action, so it has no effect (redundant)",
				"/syscalls/0/names/0: does the same as the default action and is dropped, so /syscalls/2 decides: " +
					"socket(a0 = 0x26) gets ALLOW, not ERRNO(1) (narrow /syscalls/2) (dropped)",
				"/syscalls/1/names/0: has no effect on socket: /syscalls/2 decides it under all conditions (unreachable)",
			},
		},
		{
			"a rule that is dropped and has exceptions",
			bounded(with(allow("ioctl"), cbpf.ErrnoClass), when(allow("ioctl"), is(1, 5))), amd64,
			[]string{"/syscalls/0: does the same as the default action, so it has no effect (redundant)"},
		},
		{
			"a rule that is dropped and shares no call",
			bounded(when(with(allow("ioctl"), cbpf.ErrnoClass), is(1, 4), is(1, 6)), when(allow("ioctl"), is(1, 5))), amd64,
			[]string{"/syscalls/0: does the same as the default action, so it has no effect (redundant)"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, warnings, err := policy.Resolve(test.p, test.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range warnings {
				got = append(got, w.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWarningsHaveTheirExample(t *testing.T) {
	_, warnings, err := policy.Resolve(bounded(when(with(allow("socket"), cbpf.ErrnoClass), is(0, 38), is(2, 7)), allow("socket")), amd64)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(warnings, func(w policy.Warning) bool { return w.Kind == policy.Dropped })
	want := policy.Example{ABI: arch.X86_64, NR: 41, Args: [6]uint64{0: 38, 2: 7}, Tested: [6]bool{0: true, 2: true}, Text: "socket(a0 = 0x26, a2 = 0x7)"}
	if i < 0 || warnings[i].Example != want {
		t.Errorf("got %+v", warnings)
	}
}

// A profile with very many rules that are dropped tells of them in bounds.
func TestDroppedRulesAreToldInBounds(t *testing.T) {
	p := deny()
	for i := range uint64(400) {
		p.Rules = append(p.Rules, when(allow("ioctl"), is(1, 2*i)), when(with(allow("ioctl"), cbpf.ErrnoClass), is(1, 2*i+1)))
	}
	_, warnings, err := policy.Resolve(p, amd64)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(warnings, func(w policy.Warning) bool { return w.Kind == policy.Dropped })
	if i < 0 || warnings[i].Message != "not all rules that are dropped while other rules decide their calls are listed" {
		t.Errorf("%v", warnings)
	}
}
