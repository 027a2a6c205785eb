package record_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/policy/docker"
	"github.com/seccompile/seccompile/record"
)

func TestAllow(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rules  []policy.Rule
		call   *cbpf.Data
		remove []string
		add    []string
	}{
		{"by default", []policy.Rule{allow("read")}, call(t, "getpid"), nil, []string{"getpid"}},
		{"other arguments", []policy.Rule{allow("prctl", equal(0, 1))}, call(t, "prctl", 2, 3), nil, []string{"prctl 0=0x2"}},
		{"a flag too many", []policy.Rule{allow("clone", masked(0, 0x7e020000, 0))}, call(t, "clone", 1<<28), nil, []string{"clone 0&0x6e020000=0x0"}},
		{"by a rule, with others", []policy.Rule{allow("read"), deny("write getpid close")}, call(t, "getpid"),
			[]string{"/syscalls/1/names/1"}, []string{"getpid"}},
		{"by a rule, alone", []policy.Rule{deny("getpid"), allow("read")}, call(t, "getpid"), []string{"/syscalls/0"}, []string{"getpid"}},
		{"by two rules", []policy.Rule{deny("getpid"), deny("getpid close")}, call(t, "getpid"),
			[]string{"/syscalls/0", "/syscalls/1/names/0"}, []string{"getpid"}},
		{"by a rule that hides the one wanted", []policy.Rule{deny("getpid"), allow("getpid")}, call(t, "getpid"), []string{"/syscalls/0"}, nil},
		{"by a rule on arguments", []policy.Rule{deny("prctl", equal(0, 2)), allow("prctl", equal(0, 1))}, call(t, "prctl", 2),
			[]string{"/syscalls/0"}, []string{"prctl 0=0x2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fix, err := record.Allow(eperm(tt.rules...), policy.Options{}, tt.call)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.remove, fix.Remove); diff != "" {
				t.Errorf("remove (-want +got):\n%s", diff)
			}
			wantRules(t, fix.Rules, tt.add...)
			r, _, err := policy.Resolve(fix.Policy, policy.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if a := r.Eval(tt.call); a != cbpf.Allow {
				t.Errorf("still %s: %s", a, fix.Policy)
			}
		})
	}
}

func TestAllowWhatDockerDenies(t *testing.T) {
	base, _, err := policy.Read(docker.Default(), policy.Target{ABI: arch.Native(), Caps: policy.DefaultCaps()})
	if err != nil {
		t.Fatal(err)
	}
	fix, err := record.Allow(base, policy.Options{}, call(t, "clone3"))
	if err != nil {
		t.Fatal(err)
	}
	if len(fix.Remove) != 1 || !strings.HasPrefix(fix.Remove[0], "/syscalls/") {
		t.Errorf("remove %q", fix.Remove)
	}
	wantRules(t, fix.Rules, "clone3")
}

func TestAllowAnotherArchitecture(t *testing.T) {
	if arch.Native() != arch.X86_64 {
		t.Skip("about x86")
	}
	fix, err := record.Allow(eperm(allow("read")), policy.Options{}, callOn(t, arch.X86, "waitpid"))
	if err != nil {
		t.Fatal(err)
	}
	if len(fix.ABIs) != 1 || fix.ABIs[0] != arch.X86 {
		t.Errorf("architectures %v", fix.ABIs)
	}
	wantRules(t, fix.Rules, "waitpid")
}

func TestWhatNothingAllows(t *testing.T) {
	for _, tt := range []struct {
		d    cbpf.Data
		want string
	}{
		{cbpf.Data{NR: arch.Native().Base() + 3999, Arch: arch.Native().Audit()}, "number "},
		{cbpf.Data{NR: 7, Arch: 0x1234}, "record: no profile can name number 7 of AUDIT_ARCH 0x1234: the tables have no such call"},
	} {
		if _, err := record.Allow(eperm(), policy.Options{}, &tt.d); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.d, err, tt.want)
		}
	}
}
