package record_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/record"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
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
		{"by number, with others", []policy.Rule{allow("read"), numbers(policy.Rule{}, 1<<32-1, call(t, "getpid").NR)}, call(t, "getpid"),
			[]string{"/syscalls/1/numbers/1"}, []string{"getpid"}},
		{"by number, alone", []policy.Rule{allow("read"), numbers(policy.Rule{}, call(t, "getpid").NR)}, call(t, "getpid"), []string{"/syscalls/1"}, []string{"getpid"}},
		{"by name and number", []policy.Rule{allow("read"), numbers(deny("getpid"), call(t, "getpid").NR)}, call(t, "getpid"),
			[]string{"/syscalls/1/names/0", "/syscalls/1"}, []string{"getpid"}},
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
				t.Errorf("still %s: %+v", a, fix.Policy)
			}
		})
	}
}

// numbers is the same rule for numbers, too.
func numbers(r policy.Rule, numbers ...uint32) policy.Rule {
	r.Numbers = numbers
	return r
}

// A profile whose rules no recording makes keeps them.
func TestRulesByNumberAndForSomeABIsAreKept(t *testing.T) {
	for _, rule := range []policy.Rule{
		numbers(allow(""), 1<<32-1),
		{Names: []string{"close"}, Action: cbpf.Allow, ABIs: []arch.ABI{arch.Native()}},
	} {
		if rule.Numbers != nil {
			rule.Names = nil
		}
		res := profile(t, record.Options{Base: eperm(rule), Reading: policy.Options{Exact: true}}, call(t, "getpid"))
		if diff := cmp.Diff([]policy.Rule{rule}, res.Policy.Rules[:1]); diff != "" {
			t.Error(diff)
		}
		wantRules(t, res.Added, "getpid")
	}
}

func TestAllowWhatDockerDenies(t *testing.T) {
	base, _, err := oci.Read(preset.Docker(), policy.Target{ABI: arch.Native(), Caps: preset.Caps("docker")})
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
	if fix.Row != nil {
		t.Errorf("row %v", fix.Row)
	}
	wantRules(t, fix.Rules, "waitpid")
}

// The ABIs that a machine has besides its own are in its row of archMap.
func TestAllowAnotherRow(t *testing.T) {
	if arch.Native() != arch.X86_64 {
		t.Skip("about x86")
	}
	base := eperm(allow("read"))
	base.ABIs, base.ArchMap = []arch.ABI{arch.X86_64}, "/archMap/7"
	fix, err := record.Allow(base, policy.Options{}, callOn(t, arch.X86, "waitpid"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (record.Row{Pointer: "/archMap/7", Machine: arch.X86_64}); fix.Row == nil || *fix.Row != want || fix.Row.New() {
		t.Errorf("row %v, want %v", fix.Row, want)
	}
	const want = "record: the profile was read for x86_64, which does not run arm (read it for aarch64)"
	if fix, err := record.Allow(base, policy.Options{}, callOn(t, arch.ARM, "read")); fix != nil || err == nil || err.Error() != want {
		t.Errorf("%v, error %v, want %s", fix, err, want)
	}
	if fix, err := record.Allow(base, policy.Options{}, call(t, "close")); err != nil || fix.Row != nil {
		t.Errorf("of the machine's own: %v, error %v", fix, err)
	}
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
