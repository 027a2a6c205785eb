package record_test

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/record"
	"github.com/seccompile/seccompile/policy"
)

// What was recorded on one profile is allowed on another, which keeps what it allowed.
func TestOnto(t *testing.T) {
	const ioctl, unshare = 16, 272
	call := func(nr uint32, args ...uint64) *cbpf.Data {
		d := &cbpf.Data{Arch: arch.X86_64.Audit(), NR: nr}
		copy(d.Args[:], args)
		return d
	}
	make1 := func(calls ...*cbpf.Data) *record.Recording {
		r, err := record.New(record.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range calls {
			r.Add(d)
		}
		return r
	}
	profile := func(r *record.Recording) *policy.Policy {
		res, err := r.Profile()
		if err != nil {
			t.Fatal(err)
		}
		return res.Policy
	}
	ours := make1(call(unshare, 0x10000000), call(ioctl, 3, 7), call(ioctl, 3, 8))
	grown := profile(make1(call(unshare, 0x20000000), call(1)))
	tested := *profile(make1(call(1)))
	tested.Rules = append([]policy.Rule{{Names: []string{"ioctl"}, Action: cbpf.Allow, Args: []policy.Arg{{Index: 1, Op: policy.Equal, Value: 7}}}}, tested.Rules...)
	for _, tt := range []struct {
		name             string
		base             *policy.Policy
		allowed, refused []*cbpf.Data
	}{
		{
			"a profile that another run made", grown,
			[]*cbpf.Data{call(unshare, 0x10000000), call(unshare, 0x20000000), call(1), call(ioctl, 3, 8)},
			[]*cbpf.Data{call(unshare, 0x40000000), call(2)},
		},
		{
			"one that tests what was not kept", &tested,
			[]*cbpf.Data{call(ioctl, 3, 8), call(ioctl, 3, 9), call(unshare, 0x10000000)},
			[]*cbpf.Data{call(unshare, 0x20000000)},
		},
	} {
		onto, err := ours.Onto(tt.base, policy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r, _, err := policy.Resolve(profile(onto), policy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tt.allowed {
			if a := r.Eval(d); a != cbpf.Allow {
				t.Errorf("%s: %v gets %v", tt.name, d, a)
			}
		}
		for _, d := range tt.refused {
			if a := r.Eval(d); a == cbpf.Allow {
				t.Errorf("%s: %v is allowed", tt.name, d)
			}
		}
	}
}
