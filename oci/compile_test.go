package oci_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

// profile reads a seccomp object as runtimes do.
func profile(t testing.TB, text string) *specs.LinuxSeccomp {
	t.Helper()
	s := new(specs.LinuxSeccomp)
	if err := json.Unmarshal([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// x86_64 makes results independent of the machine.
func x86_64() policy.Options { return policy.Options{ABIs: []arch.ABI{arch.X86_64}} }

// eval returns what a filter answers to a call of x86_64.
func eval(t *testing.T, f *oci.Filter, name string, args ...uint64) cbpf.Action {
	t.Helper()
	call, ok := syscalltables.Lookup(name)
	if !ok {
		t.Fatalf("no call %s", name)
	}
	nr, ok := call.Number(arch.X86_64)
	if !ok {
		t.Fatalf("x86_64 has no %s", name)
	}
	return evalNumber(f, nr, args...)
}

func evalNumber(f *oci.Filter, nr uint32, args ...uint64) cbpf.Action {
	d := cbpf.Data{NR: nr, Arch: arch.X86_64.Audit()}
	copy(d.Args[:], args)
	return f.Program.Eval(&d)
}

// The options that a runtime has when it sets none, with a mask of the top bits of a
// word.
func TestBothABIsOfX86_64KeepTheirConditions(t *testing.T) {
	text, err := os.ReadFile("../testdata/profiles/x32-mask-denies.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := oci.Compile(profile(t, string(text)), oci.Options{Policy: policy.Options{ABIs: arch.X86_64.Family()}})
	if err != nil {
		t.Fatal(err)
	}
	const mseal = 462
	for _, nr := range []uint32{mseal, arch.X32Bit + mseal} {
		for arg, want := range map[uint64]cbpf.Action{0: cbpf.Allow, 0x7fffffff: cbpf.Allow, 0x80000000: cbpf.Errno(1), 0xffffffff: cbpf.Errno(1)} {
			if got := evalNumber(f, nr, 0, arg); got != want {
				t.Errorf("number %#x with %#x: %v, want %v", nr, arg, got, want)
			}
		}
	}
}

func TestCompileReadsAProfileAsRunc(t *testing.T) {
	type verdict struct {
		name string
		args []uint64
		want cbpf.Action
	}
	for _, test := range []struct {
		rule, profile string
		verdicts      []verdict
	}{
		{"errno values are cut to 16 bits", `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 65537},
			{"names": ["rmdir"], "action": "SCMP_ACT_TRACE", "errnoRet": 131074}]}`, []verdict{
			{"mkdir", nil, cbpf.Errno(1)}, {"rmdir", nil, cbpf.Trace(2)},
		}},
		{"ERRNO and TRACE mean EPERM", `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
			{"names": ["mkdir"], "action": "SCMP_ACT_TRACE"},
			{"names": ["uname"], "action": "SCMP_ACT_ALLOW"}]}`, []verdict{
			{"mkdir", nil, cbpf.Trace(1)}, {"read", nil, cbpf.Errno(1)},
		}},
		{"numbers above the largest that is named do not exist", `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
			{"names": ["openat2"], "action": "SCMP_ACT_ERRNO"}]}`, []verdict{
			{"openat2", nil, cbpf.Errno(1)}, {"faccessat2", nil, cbpf.Errno(38)},
		}},
		{"a permissive default has no such bound", `{"defaultAction": "SCMP_ACT_LOG", "syscalls": [
			{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}`, []verdict{
			{"faccessat2", nil, cbpf.Log},
		}},
		{"conditions on different arguments are ANDed", `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [
				{"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 9, "op": "SCMP_CMP_EQ"}]}]}`, []verdict{
			{"socket", []uint64{16, 3, 9}, cbpf.Errno(1)}, {"socket", []uint64{16, 3, 8}, cbpf.Allow},
		}},
		{"an argument given twice makes it an OR", `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [
				{"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 40, "op": "SCMP_CMP_EQ"}]}]}`, []verdict{
			{"socket", []uint64{16}, cbpf.Errno(1)}, {"socket", []uint64{40}, cbpf.Errno(1)}, {"socket", []uint64{2}, cbpf.Allow},
		}},
		{"several entries for one name", `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
			{"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}]},
			{"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]},
			{"names": ["uname"], "action": "SCMP_ACT_ALLOW"}]}`, []verdict{
			{"personality", []uint64{0}, cbpf.Allow}, {"personality", []uint64{8}, cbpf.Allow}, {"personality", []uint64{4}, cbpf.Errno(1)},
		}},
		{"an errno on another action is overlooked", `{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 5, "syscalls": [
			{"names": ["mkdir"], "action": "SCMP_ACT_KILL", "errnoRet": 7}]}`, []verdict{
			{"mkdir", nil, cbpf.KillThread}, {"rmdir", nil, cbpf.Allow},
		}},
		{"unknown names are skipped", `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": ["mkdirr", "mkdir"], "action": "SCMP_ACT_TRAP"}]}`, []verdict{
			{"mkdir", nil, cbpf.Trap},
		}},
		{"rules without names and metadata without a listener are overlooked", `{"defaultAction": "SCMP_ACT_ALLOW",
			"listenerMetadata": "for nobody", "syscalls": [
			{"names": [], "action": "SCMP_ACT_KILL"},
			{"names": ["mkdir"], "action": "SCMP_ACT_TRAP"}]}`, []verdict{
			{"mkdir", nil, cbpf.Trap}, {"rmdir", nil, cbpf.Allow},
		}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			f, err := oci.Compile(profile(t, test.profile), oci.Options{Policy: x86_64()})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range test.verdicts {
				if got := eval(t, f, v.name, v.args...); got != v.want {
					t.Errorf("%s%d: %v, want %v", v.name, v.args, got, v.want)
				}
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	const notify = `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "write"], "action": "SCMP_ACT_NOTIFY"}]}`
	strict := policy.Options{ABIs: []arch.ABI{arch.X86_64}, Mode: policy.Strict}
	for _, test := range []struct {
		rule, profile string
		options       policy.Options
		want          []string
	}{
		{"no default action", `{}`, x86_64(), []string{"oci: policy: /defaultAction: missing"}},
		{"NOTIFY for write", notify, x86_64(), []string{"/syscalls/0/names/1: SCMP_ACT_NOTIFY cannot be used for the write syscall"}},
		{"NOTIFY as default", `{"defaultAction": "SCMP_ACT_NOTIFY"}`, x86_64(), []string{"SCMP_ACT_NOTIFY cannot be used as default action"}},
		{"an unknown flag", `{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_X"]}`, x86_64(),
			[]string{`/flags/0: "SECCOMP_FILTER_FLAG_X": unknown flag`}},
		{"all unknown words at their places", `{"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x", "syscalls": [
			{"names": [], "action": "SCMP_ACT_KILL"},
			{"names": ["mkdir"], "action": "SCMP_ACT_OOPS"},
			{"names": ["mkdir"], "action": "SCMP_ACT_KILL", "args": [{"index": 1, "op": "SCMP_CMP_LIKE"}]}]}`, x86_64(),
			[]string{"/syscalls/1/action: ", "/syscalls/2/args/0/op: "}},
		{"all impossible values at their places", `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": [""], "action": "SCMP_ACT_KILL"},
			{"names": ["mkdir"], "action": "SCMP_ACT_KILL", "args": [{"index": 6, "op": "SCMP_CMP_EQ"}]}]}`, x86_64(),
			[]string{"/syscalls/0/names/0: the name is empty", "/syscalls/1/args/0/index: 6: a syscall has only 6 arguments"}},
		{"the action of a rule without names", `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": [], "action": "SCMP_ACT_OOPS"}]}`, x86_64(), []string{"/syscalls/0/action: "}},
		{"the place of a rule behind one that is overlooked", `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": [], "action": "SCMP_ACT_KILL"},
			{"names": ["write"], "action": "SCMP_ACT_NOTIFY"}]}`, x86_64(), []string{"/syscalls/1/names/0: SCMP_ACT_NOTIFY"}},
		{"in strict mode a rule without names", `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": [], "action": "SCMP_ACT_KILL"}]}`, strict, []string{"/syscalls/0/names: "}},
		{"in strict mode metadata without a listener", `{"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}`, strict,
			[]string{"/listenerMetadata: "}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			f, err := oci.Compile(profile(t, test.profile), oci.Options{Policy: test.options})
			if err == nil || f != nil {
				t.Fatalf("filter %v, error %v", f, err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in %q", want, err)
				}
			}
			if !errors.As(err, new(policy.Errors)) {
				t.Errorf("%T wraps no policy.Errors", err)
			}
		})
	}
	if f, err := oci.Compile(nil, oci.Options{}); err == nil || f != nil {
		t.Errorf("no profile: %v, %v", f, err)
	}
	if fd, err := oci.Install(nil, oci.Options{}); err == nil || fd != -1 {
		t.Errorf("no profile installed: %d, %v", fd, err)
	}
}

func TestDisabledIsWhatRuncTakesForNoFilter(t *testing.T) {
	for text, want := range map[string]bool{
		`{}`:                                   true,
		`{"architectures": ["SCMP_ARCH_X86"]}`: true,
		`{"defaultAction": "SCMP_ACT_ALLOW"}`:  false,
		`{"syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_KILL"}]}`: false,
	} {
		if got := oci.Disabled(profile(t, text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	if !oci.Disabled(nil) {
		t.Error("nil is not disabled")
	}
}

func TestFlagsAbsentAndEmptyDiffer(t *testing.T) {
	const (
		mkdir   = `"syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]`
		nowhere = `"syscalls": [{"names": ["socketcall", "mkdirr"], "action": "SCMP_ACT_NOTIFY"}]`
	)
	for _, test := range []struct {
		rule, rest string
		want       []cbpf.Flag
	}{
		{"absent", `"syscalls": []`, nil},
		{"null", `"flags": null`, nil},
		{"empty", `"flags": []`, []cbpf.Flag{}},
		{"TSYNC", `"flags": ["SECCOMP_FILTER_FLAG_TSYNC"]`, []cbpf.Flag{cbpf.TSync}},
		{"LOG and SPEC_ALLOW", `"flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]`,
			[]cbpf.Flag{cbpf.LogFlag, cbpf.SpecAllow}},
		{"WAIT_KILLABLE_RECV", `"flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], ` + mkdir, []cbpf.Flag{cbpf.WaitKillableRecv}},
		{"WAIT_KILLABLE_RECV for calls that x86_64 has not", `"flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], ` + nowhere, []cbpf.Flag{}},
		{"WAIT_KILLABLE_RECV without NOTIFY is for the kernel to refuse", `"flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]`,
			[]cbpf.Flag{cbpf.WaitKillableRecv}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			f, err := oci.Compile(profile(t, `{"defaultAction": "SCMP_ACT_ALLOW", `+test.rest+`}`), oci.Options{Policy: x86_64()})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, f.Flags); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFilterHasTheListenersAddress(t *testing.T) {
	f, err := oci.Compile(profile(t, `{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent", "listenerMetadata": "m"}`), oci.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if f.ListenerPath != "/run/agent" || f.ListenerMetadata != "m" {
		t.Errorf("%q, %q", f.ListenerPath, f.ListenerMetadata)
	}
}

func TestDebugTellsWhatIsOverlooked(t *testing.T) {
	var lines []string
	_, err := oci.Compile(profile(t, `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": [], "action": "SCMP_ACT_KILL"},
		{"names": ["mkdirr"], "action": "SCMP_ACT_KILL"}]}`), oci.Options{
		Policy: x86_64(),
		Debug:  func(line string) { lines = append(lines, line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"/syscalls/0/names: no names: a rule without names has no effect (name a system call or remove the rule) (no-names)",
		`/syscalls/1/names/0: "mkdirr": Linux has no such call on any ABI (did you mean mkdir?) (unknown-name)`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

func TestCompileLeavesTheProfileAlone(t *testing.T) {
	const text = `{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_TSYNC"], "listenerMetadata": "x", "syscalls": [
		{"names": [], "action": "SCMP_ACT_KILL"},
		{"names": ["mkdir"], "action": "SCMP_ACT_KILL"}]}`
	s := profile(t, text)
	if _, err := oci.Compile(s, oci.Options{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(profile(t, text), s); diff != "" {
		t.Error(diff)
	}
}

// dockerProfile is Docker's default profile as its daemon hands it to a runtime,
// in JSON.
func dockerProfile(t testing.TB) []byte {
	t.Helper()
	p, _, err := ocijson.Read(preset.Docker(), policy.Target{Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ocijson.Spec(p)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// BenchmarkCompile compiles Docker's profile from JSON.
func BenchmarkCompile(b *testing.B) {
	text := dockerProfile(b)
	b.ReportAllocs()
	for b.Loop() {
		s := new(specs.LinuxSeccomp)
		if err := json.Unmarshal(text, s); err != nil {
			b.Fatal(err)
		}
		if _, err := oci.Compile(s, oci.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
