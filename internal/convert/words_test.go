package convert_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/convert"
	"github.com/seccompile/seccompile/language/beats"
	"github.com/seccompile/seccompile/language/firecracker"
	"github.com/seccompile/seccompile/language/kafel"
	"github.com/seccompile/seccompile/language/lxc"
	"github.com/seccompile/seccompile/language/minijail"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/language/snap"
	"github.com/seccompile/seccompile/language/spo"
	"github.com/seccompile/seccompile/language/systemd"
	"github.com/seccompile/seccompile/policy"
)

// A feature is something that a policy can say and not every language.
type feature struct {
	name   string
	args   []policy.Arg // of a rule at 2:1
	set    func(*policy.Policy)
	butFor []string
}

func features() []feature {
	all := convert.Exceptions()
	return []feature{
		{name: "plain", butFor: all},
		{name: "lower half", butFor: all, args: []policy.Arg{{Op: policy.Less, Value: 5, Low: true}}},
		{name: "lower half, above", butFor: all, args: []policy.Arg{{Op: policy.Greater, Value: 1<<32 - 9, Low: true}}},
		{name: "lower half, equal", butFor: all, args: []policy.Arg{{Op: policy.Equal, Value: 5, Low: true}}},
		{name: "other bits", butFor: all, args: []policy.Arg{{Op: policy.MaskedNotEqual, Value: 6, ValueTwo: 2}}},
		{name: "several", butFor: all, args: []policy.Arg{{Op: policy.GreaterEqual, Value: 5}, {Op: policy.LessEqual, Value: 9}, {Op: policy.NotEqual, Value: 7}}},
		{name: "several on bits", butFor: all, args: []policy.Arg{{Op: policy.Greater, Value: 99}, {Op: policy.MaskedEqual, Value: 1}}},
		{name: "64 bits", butFor: all, args: []policy.Arg{{Op: policy.GreaterEqual, Value: 1 << 40}}},
		{name: "x32", set: func(p *policy.Policy) {
			enosys := cbpf.Errno(38)
			p.X32 = &enosys
		}},
		{name: "beats' others", set: func(p *policy.Policy) {
			enosys := cbpf.Errno(38)
			p.Elsewhere, p.X32 = cbpf.Errno(1), &enosys
		}},
		{name: "elsewhere", set: func(p *policy.Policy) { p.Elsewhere = cbpf.Errno(1) }},
		{name: "ordered", set: func(*policy.Policy) {}},
		{name: "no bound", set: func(p *policy.Policy) { p.Order, p.NoBound = policy.Libseccomp, true }},
		{name: "bound", set: func(p *policy.Policy) { p.Order = policy.Libseccomp }},
	}
}

// Each language says what a policy says, or refuses with the place and the reason.
func TestFeatures(t *testing.T) {
	const one = "has one comparison for each argument, and none of these says that"
	const numbers = "plain; lower half; lower half, above; lower half, equal; other bits; several"
	tests := []struct {
		name     string
		to       convert.Language
		standard cbpf.Action
		says     string // the features that it has words for
		reason   string // why it has no words for the others that are conditions
	}{
		{"oci", convert.Profile{Language: oci.Language{Format: oci.OCI}}, cbpf.ErrnoClass, numbers + "; 64 bits; bound", one},
		{"spo", spo.Language{}, cbpf.ErrnoClass, numbers + "; 64 bits; bound", one},
		{"minijail-python", minijail.Language{Dialect: minijail.Python}, cbpf.KillThread, numbers + "; several on bits; 64 bits; ordered; no bound", ""},
		{"minijail-c", minijail.Language{Dialect: minijail.C}, cbpf.KillThread, numbers + "; several on bits; 64 bits; ordered; no bound", ""},
		{"systemd@252", systemd.Language{Version: 252}, cbpf.ErrnoClass, "plain; no bound", "no conditions on arguments (allow or deny the whole call)"},
		{"kafel", kafel.Language{}, cbpf.ErrnoClass, numbers + "; several on bits; 64 bits; ordered", ""},
		{"lxc", lxc.Language{}, cbpf.ErrnoClass, numbers + "; 64 bits", one},
		{"snap", snap.Language{}, cbpf.ErrnoClass, numbers, one},
		{"beats", beats.Language{}, cbpf.ErrnoClass, numbers + "; several on bits; 64 bits; beats' others", ""},
		{"firecracker", firecracker.Language{}, cbpf.ErrnoClass, numbers + "; 64 bits; no bound", one},
	}
	for _, tt := range tests {
		var says []string
		for _, f := range features() {
			p := &policy.Policy{Default: tt.standard, Order: policy.FirstMatch, ABIs: []arch.ABI{arch.X86_64}, Rules: []policy.Rule{
				{Names: []string{"getpid", "futex"}, Action: cbpf.Allow, Pointer: "1:1"},
			}}
			if f.args != nil {
				p.Rules = append(p.Rules, policy.Rule{Names: []string{"close"}, Args: f.args, Action: cbpf.Allow, Pointer: "2:1"})
			}
			if f.set != nil {
				f.set(p)
			}
			_, err := convertTo(t, p, tt.to, tt.name, f.butFor...)
			var errs policy.Errors
			switch {
			case err == nil:
				says = append(says, f.name)
			case !errors.As(err, &errs):
				t.Errorf("%s: %s: %v", tt.name, f.name, err)
			case f.args == nil: // each line is about a class of calls
				for _, e := range errs {
					if e.Pointer != "" || !strings.Contains(e.Reason, " (--but-for ") {
						t.Errorf("%s: %s: %v", tt.name, f.name, e)
					}
				}
			case f.name == "64 bits" && tt.name == "snap" && strings.Contains(err.Error(), "2:1: close: a value of more than 32 bits"):
			case errs[0].Pointer != "2:1" || tt.reason == "" || !strings.Contains(err.Error(), tt.reason):
				t.Errorf("%s: %s: %v", tt.name, f.name, err)
			}
		}
		if got := strings.Join(says, "; "); got != tt.says {
			t.Errorf("%s: says %q", tt.name, got)
		}
	}
}
