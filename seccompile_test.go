package seccompile_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func() error{"confined": confined})
}

// x86_64 are the options that mean the same on any host.
func x86_64() seccompile.Options {
	return seccompile.Options{
		Target: policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")},
		Policy: policy.Options{ABIs: arch.X86_64.Family()},
	}
}

func TestCompileIsTheWholeChain(t *testing.T) {
	filter, err := seccompile.Compile(preset.Docker(), x86_64())
	if err != nil {
		t.Fatal(err)
	}
	got, err := filter.Program.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/golden/docker-x86_64.bpf")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("not the golden program of Docker's profile")
	}
}

// What a profile says of flags is not lost: to say nothing is not to ask for none.
func TestFlagsAreTheProfiles(t *testing.T) {
	for _, tt := range []struct {
		flags string
		want  []cbpf.Flag
	}{
		{``, nil},
		{`, "flags": null`, nil},
		{`, "flags": []`, []cbpf.Flag{}},
		{`, "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"]`, []cbpf.Flag{cbpf.LogFlag, cbpf.TSync}},
	} {
		filter, err := seccompile.Compile([]byte(`{"defaultAction": "SCMP_ACT_ALLOW"`+tt.flags+`}`), x86_64())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(filter.Flags, tt.want) || (filter.Flags == nil) != (tt.want == nil) {
			t.Errorf("%s: got %v, want %v", tt.flags, filter.Flags, tt.want)
		}
	}
}

func TestProblemsAndWarningsHaveTheirPlace(t *testing.T) {
	const profile = `{
	"defaultAction": "SCMP_ACT_ALLOW",
	"syscalls": [
		{"names": ["opnat"], "action": "SCMP_ACT_ERRNO"},
		{"names": ["ioctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}
	]
}`
	_, err := seccompile.Compile([]byte(profile), x86_64())
	var problems policy.Errors
	if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Line != 5 {
		t.Errorf("got %v", err)
	}
	filter, err := seccompile.Compile([]byte(strings.Replace(profile, "6", "1", 1)), x86_64())
	if err != nil {
		t.Fatal(err)
	}
	if w := filter.Warnings; len(w) != 1 || w[0].Kind != policy.UnknownName || w[0].Line != 4 || w[0].Column != 14 {
		t.Errorf("warnings %v", w)
	}
	strict := x86_64()
	strict.Policy.Mode = policy.Strict
	if _, err := seccompile.Compile([]byte(strings.Replace(profile, "6", "1", 1)), strict); !errors.As(err, &problems) {
		t.Errorf("strict mode takes a name that Linux does not have: %v", err)
	}
}

func TestWhatIsNoFilterIsAnError(t *testing.T) {
	var many strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&many, `{"index": 1, "value": %d, "op": "SCMP_CMP_EQ"},`, i*3)
	}
	for name, profile := range map[string]string{
		"nothing":       "",
		"no JSON":       "{",
		"no profile":    "{}",
		"unknown words": `{"defaultAction": "allow"}`,
		"too long": `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["ioctl"], "action": "SCMP_ACT_ERRNO", "args": [` +
			strings.TrimSuffix(many.String(), ",") + `]}]}`,
	} {
		filter, err := seccompile.Compile([]byte(profile), x86_64())
		if filter != nil || err == nil {
			t.Errorf("%s: %v", name, filter)
		}
		var problems policy.Errors
		var long *compiler.TooLongError
		if !errors.As(err, &problems) && !errors.As(err, &long) {
			t.Errorf("%s: %T: %v", name, err, err)
		}
	}
	if _, err := seccompile.Compile(nil, x86_64()); err == nil {
		t.Error("nil is a profile")
	}
}

// A policy can ask for more than the general proof takes on: its filter is proved all the
// same, because one that follows the rules always can be.
func TestHardPolicyIsProved(t *testing.T) {
	o := seccompile.Options{Language: hard{}, Policy: policy.Options{ABIs: []arch.ABI{arch.X86_64}}}
	filter, err := seccompile.Compile([]byte("deny"), o)
	if err != nil || len(filter.Warnings) > 1 { // of which one is about rules that overlap
		t.Fatalf("%v, warnings %v", err, filter)
	}
	reading, err := hard{}.Read(nil, o.Target)
	if err != nil {
		t.Fatal(err)
	}
	meant, _, err := policy.Resolve(reading.Policy, o.Policy)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := proof.Walk(meant, filter.Program); err != nil || r.Verdict != proof.Same {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := proof.Equal(proof.Policy(meant), proof.Program(filter.Program), proof.Limits{}); err != nil || r.Verdict != proof.Unknown {
		t.Errorf("the general proof says %v, %v: a harder policy would show more", r.Verdict, err)
	}
}

// hard is a language of one word that means a policy of many different tests.
type hard struct{}

func (hard) Read(*language.Source, policy.Target) (language.Reading, error) {
	p := &policy.Policy{Default: cbpf.Allow}
	for i := range 14 {
		for arg := range uint(6) {
			p.Rules = append(p.Rules, policy.Rule{Names: []string{"ioctl"}, Action: cbpf.ErrnoClass, Args: []policy.Arg{
				{Index: arg, Op: policy.MaskedEqual, Value: 0x9e3779b97f4a7c15 << i, ValueTwo: 0xbf58476d1ce4e5b9 << i},
				{Index: (arg + 1) % 6, Op: policy.GreaterEqual, Value: uint64(i) << (3 * arg)},
			}})
		}
	}
	return language.Reading{Policy: p}, nil
}

// A language that returns neither a policy nor an error does not get a filter.
func TestNoPolicyIsAnError(t *testing.T) {
	if filter, err := seccompile.Compile(nil, seccompile.Options{Language: silent{}}); filter != nil || !errors.As(err, new(policy.Errors)) {
		t.Errorf("%v, error %v", filter, err)
	}
}

type silent struct{}

func (silent) Read(*language.Source, policy.Target) (language.Reading, error) {
	return language.Reading{}, nil
}

// Rules without names are judged by the mode, however they lack them.
func TestNamelessRulesAreTheModesAffair(t *testing.T) {
	for _, names := range []string{``, `"names": null,`, `"names": [],`} {
		profile := `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{` + names + `"action": "SCMP_ACT_ALLOW"}]}`
		o := x86_64()
		filter, err := seccompile.Compile([]byte(profile), o)
		noNames := func(w policy.Warning) bool { return w.Kind == policy.NoNames }
		if err != nil || !slices.ContainsFunc(filter.Warnings, noNames) {
			t.Errorf("%s: %v", profile, err)
		}
		o.Policy.Mode = policy.Strict
		var problems policy.Errors
		if _, err := seccompile.Compile([]byte(profile), o); !errors.As(err, &problems) || problems[0].Kind != policy.StrictNoNames {
			t.Errorf("strictly: %s: %v", profile, err)
		}
	}
}

// Another language is a value, and what it reads is compiled like any profile.
func TestLanguagesAreValues(t *testing.T) {
	o := x86_64()
	o.Language = denies{}
	filter, err := seccompile.Compile([]byte("mkdir rmdir"), o)
	if err != nil {
		t.Fatal(err)
	}
	for nr, want := range map[uint32]cbpf.Action{83: cbpf.Errno(1), 84: cbpf.Errno(1), 0: cbpf.Allow} {
		if got := filter.Program.Eval(&cbpf.Data{NR: nr, Arch: arch.X86_64.Audit()}); got != want {
			t.Errorf("%d: %v, want %v", nr, got, want)
		}
	}
	if _, err := seccompile.Compile([]byte(""), o); err == nil {
		t.Error("an error of the language is lost")
	}
}

// denies is a language: the calls to deny.
type denies struct{}

func (denies) Read(s *language.Source, _ policy.Target) (language.Reading, error) {
	names := strings.Fields(string(s.Data()))
	if len(names) == 0 {
		return language.Reading{}, policy.Errors{{Kind: policy.Syntax, Reason: "no names"}}
	}
	return language.Reading{Policy: &policy.Policy{
		Default: cbpf.Allow, Rules: []policy.Rule{{Names: names, Action: cbpf.ErrnoClass}},
	}}, nil
}

func TestInstallRefuses(t *testing.T) {
	native := seccompile.Options{Policy: policy.Options{ABIs: []arch.ABI{arch.Native()}}}
	notify, err := seccompile.Compile([]byte(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["getcwd"], "action": "SCMP_ACT_NOTIFY"}]}`), native)
	if err != nil {
		t.Fatal(err)
	}
	if err := notify.Install(); !errors.Is(err, loader.ErrNotify) || !strings.Contains(err.Error(), "loader.InstallListener") {
		t.Errorf("NOTIFY without a listener: %v", err)
	}
	if err := new(seccompile.Filter).Install(); err == nil {
		t.Error("the zero Filter is installed")
	}
	if runtime.GOOS != "linux" {
		return
	}
	// The kernel would take this flag only with a listener: so the flags arrive.
	flagged, err := seccompile.Compile([]byte(`{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}`), native)
	if err != nil {
		t.Fatal(err)
	}
	if err := flagged.Install(); err == nil || !strings.Contains(err.Error(), "WAIT_KILLABLE_RECV") {
		t.Errorf("a flag of the profile's is lost: %v", err)
	}
}

// confined installs a filter for good and says what is left.
func confined() error {
	filter, err := seccompile.Compile([]byte(`{"defaultAction": "SCMP_ACT_ALLOW", "flags": [], "syscalls": [
		{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}`), seccompile.Options{})
	if err != nil {
		return err
	}
	if err := filter.Install(); err != nil {
		return err
	}
	fmt.Println(os.Mkdir("/nowhere/at/all", 0o700))
	return nil
}

func TestInstallConfines(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has seccomp")
	}
	if out := reexec.OK(t, "confined").Stdout; !strings.Contains(out, "function not implemented") {
		t.Errorf("got %q", out)
	}
}

func ExampleCompile() {
	filter, err := seccompile.Compile([]byte(`{
		"defaultAction": "SCMP_ACT_ALLOW",
		"syscalls": [{"names": ["ptrace"], "action": "SCMP_ACT_ERRNO"}, {"names": ["mount"], "action": "SCMP_ACT_KILL_PROCESS"}]
	}`), seccompile.Options{Policy: policy.Options{ABIs: []arch.ABI{arch.RISCV64}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(filter.Program.Len(), "instructions")
	fmt.Println(filter.Program.Eval(&cbpf.Data{Arch: arch.RISCV64.Audit(), NR: 117})) // ptrace
	// Output:
	// 9 instructions
	// ERRNO(1)
}

// A program that confines itself. See examples/sandbox for one that runs.
func ExampleFilter_Install() {
	confine := func(profile []byte) error {
		filter, err := seccompile.Compile(profile, seccompile.Options{})
		if err != nil {
			return err
		}
		return filter.Install()
	}
	_ = confine
}
