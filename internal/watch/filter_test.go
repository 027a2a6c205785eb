package watch_test

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/policy"
)

// DeniedAndInstalls adds the calls that put a filter in force to those of Denied, and no
// others, whether rules, the default or nothing decides about them.
func TestDeniedAndInstalls(t *testing.T) {
	abis := []arch.ABI{arch.X86_64, arch.X86, arch.X32}
	for name, p := range map[string]*policy.Policy{
		"default": {Default: cbpf.Allow, Rules: []policy.Rule{{Names: []string{"umask"}, Action: cbpf.ErrnoClass}}},
		"rules":   {Default: cbpf.ErrnoClass, Rules: []policy.Rule{{Names: []string{"seccomp", "prctl"}, Action: cbpf.Allow}}},
		"denied":  {Default: cbpf.ErrnoClass, Rules: []policy.Rule{{Names: []string{"umask"}, Action: cbpf.Allow}}},
	} {
		r, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
		if err != nil {
			t.Fatal(err)
		}
		without, err := watch.Denied(r)
		if err != nil {
			t.Fatal(err)
		}
		with, err := watch.DeniedAndInstalls(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, abi := range abis {
			for _, x := range []struct {
				call string
				args [6]uint64
				asks bool // puts a filter in force, or asks whether that is possible
				puts bool
			}{
				{"seccomp", [6]uint64{1, 0, 0x1000}, true, true},
				{"seccomp", [6]uint64{1, 1, 0x1000}, true, true},
				{"seccomp", [6]uint64{1, 8, 0x1000}, true, false}, // a second listener
				{"seccomp", [6]uint64{1, 2, 0}, true, false},      // which flags?
				{"seccomp", [6]uint64{2, 0, 0x1000}, false, false},
				{"prctl", [6]uint64{22, 2, 0x1000}, true, true},
				{"prctl", [6]uint64{22, 1, 0x1000}, false, false},
				{"prctl", [6]uint64{38, 1, 0}, false, false},
				{"umask", [6]uint64{1, 2, 0x1000}, false, false},
				{"getpid", [6]uint64{22, 2, 0x1000}, false, false},
			} {
				nr, ok := policy.Names().Number(abi.String(), x.call)
				if !ok {
					t.Fatalf("%v has no %s", abi, x.call)
				}
				d := cbpf.Data{NR: nr, Arch: abi.Audit(), Args: x.args}
				want := without.Eval(&d)
				if x.asks {
					want = cbpf.Notify
				}
				if got := with.Eval(&d); got != want {
					t.Errorf("%s: %v %s%v: %v, want %v", name, abi, x.call, x.args, got, want)
				}
				if got := watch.PutsFilter(&d); got != x.puts {
					t.Errorf("PutsFilter: %v %s%v: %v", abi, x.call, x.args, got)
				}
			}
		}
	}
}
