package oci

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// butPointers compares policies but for where they were read.
var butPointers = cmp.Options{
	cmpopts.IgnoreFields(policy.Policy{}, "Pointer", "ArchMap"),
	cmpopts.IgnoreFields(policy.Rule{}, "Pointer"),
}

func TestDetect(t *testing.T) {
	tests := []struct {
		text string
		want Format
	}{
		{`{"defaultAction": ""}`, OCI},
		{`{"syscalls": [{"names": []}, 1, null]}`, OCI},
		{`{"defaultAction": "", "linux": {}}`, OCI},
		{`{"DefaultAction": ""}`, OCI},
		{`{"defaultAction": "", "archMap": null}`, Docker},
		{`{"archMap": []}`, Docker},
		{`{"ARCHMAP": []}`, Docker},
		{`{"syscalls": [{"names": []}, {"name": "a"}]}`, Docker},
		{`{"syscalls": [{"comment": ""}]}`, OCI},
		{`{"syscalls": [{"includes": null}]}`, Docker},
		{`{"syscalls": [{"Excludes": {}}]}`, Docker},
		{`{"syscalls": [{"includes": {"minKernel": "4.8"}}]}`, Docker},
		{`{"syscalls": [{"comment": "errno"}, {"excludes": {"MINKERNEL": null}}]}`, Docker},
		{`{"defaultErrno": "ENOSYS"}`, Podman},
		{`{"syscalls": [{"names": [], "errno": "EPERM"}]}`, Podman},
		{`{"archMap": [], "syscalls": [{"name": "a", "includes": {"caps": []}, "Errno": null}]}`, Podman},
		{`{"defaultErrno": "", "syscalls": [{"excludes": {"minKernel": ""}}]}`, ""},
		{`{"defaultErrno": "", "ociVersion": "", "linux": {}}`, Podman},
		{`{"syscalls": {"errno": 1}}`, OCI},
		{`{"linux": null}`, Config},
		{`{"ociVersion": "1.0.0"}`, Config},
		{`{}`, ""},
		{`{"action": "SCMP_ACT_ALLOW"}`, ""},
		{`{"default\u0041ction": ""}`, OCI},
		{`[{"defaultAction": ""}]`, ""},
		{`null`, ""},
		{`"defaultAction"`, ""},
		{`{"defaultAction": ""`, ""},
		{``, ""},
	}
	for _, tt := range tests {
		if got := Detect(language.NewSource([]byte(tt.text))); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.text, got, tt.want)
		}
	}
}

func TestWrongDocumentsAreNamed(t *testing.T) {
	tests := []struct{ text, want string }{
		{`[]`, "1:1: the document is a list, not a seccomp profile"},
		{`"a"`, "1:1: the document is a string, not"},
		{`1`, "1:1: the document is a number, not"},
		{`true`, "1:1: the document is a boolean, not"},
		{`null`, "1:1: the document is null, not"},
		{` {"action": 1}`, "1:2: the document has no key of a seccomp profile"},
		{`["read", "write"]`, "1:1: the document is a list of strings, not a seccomp profile (put names of calls into names of a rule)"},
		{`[{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]`, "1:1: the document is a list of rules, not a seccomp profile (put it into syscalls"},
		{`{"vmm": {"default_action": "trap", "filter_action": "allow", "filter": []}}`, "1:1: the document is a filter for Firecracker, not a seccomp profile (package language/firecracker reads it, and"},
		{`{"default_action": "trap", "filter_action": "allow", "filter": []}`, "1:1: the document is a filter for Firecracker, not"},
		{`{"$schema": "s", "properties": {"defaultAction": {"type": "string"}}}`, "1:1: the document is a JSON schema, not"},
		{`{"apiVersion": "v1", "kind": "SeccompProfile", "spec": {"defaultAction": "SCMP_ACT_LOG"}}`,
			`/spec: a profile inside a Kubernetes object of kind "SeccompProfile" (make it a file of its own)`},
		{`{"apiVersion": "v1", "kind": "Pod", "spec": {"seccompProfile": {"localhostProfile": "a/b.json"}}}`,
			`/spec/seccompProfile/localhostProfile: the document is a Kubernetes object of kind "Pod", not a seccomp profile (its profile is "a/b.json" `},
		{`{"apiVersion": "v1", "kind": "Service"}`, `1:1: the document is a Kubernetes object of kind "Service", not a seccomp profile (expected an object`},
		{`[{"HostConfig": {"SecurityOpt": ["seccomp={\"defaultAction\": \"SCMP_ACT_LOG\"}"]}}]`, "/0/HostConfig/SecurityOpt/0: a profile in quotes inside a list"},
		{`{"seccomp": {"defaultAction": "SCMP_ACT_LOG"}}`, "/seccomp: a profile inside the document"},
		{"apiVersion: v1\nkind: Pod\nspec:\n  x:\n  - localhostProfile: 'a.json'\n", `1:1: YAML of a Kubernetes object of kind "Pod", not a profile (its profile is "a.json" in`},
		{"apiVersion: v1\nkind: SeccompProfile\nspec: {}\n", `1:1: YAML of a Kubernetes object of kind "SeccompProfile" (package language/spo reads it`},
		{"kind: \"\x1b[31m\"\napiVersion: v1\n", `1:1: YAML of a Kubernetes object of kind "\x1b[31m", not a profile (expected JSON`},
		{"defaultAction: SCMP_ACT_LOG\n", "1:1: YAML, not JSON (to be read as YAML, the text needs"},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "syscals": []}`, "/syscals: unknown key, and the profile has no rules (did you mean syscalls?)"},
		{`{"syscalls": [{"includes": {"minKernel": "4.8"}}], "defaultErrno": "EPERM"}`,
			"/defaultErrno: \"defaultErrno\" is a key of Podman's format and \"minKernel\" one of Docker's: no format has both (remove one, or name"},
		{`{"linux": []}`, "/linux: expected an object, got a list"},
		{`{"linux": {"seccomp": "default.json"}}`, "/linux/seccomp: expected an object, got a string"},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": {}}`, "/syscalls: expected a list, got an object"},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "archMap": {}}`, "/archMap: expected a list, got an object"},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "archMap": ["SCMP_ARCH_X86"]}`, "/archMap/0: expected an object, got a string"},
	}
	for _, tt := range tests {
		p, _, err := Read([]byte(tt.text), goldenTarget())
		if p != nil || err == nil || !strings.HasPrefix(err.Error(), "policy: "+tt.want) {
			t.Errorf("%s: policy %v, error %v, want %q", tt.text, p, err, tt.want)
		}
	}
}

// A slip in a key is an error only if it loses the rules, and comments have no warnings.
func TestUnknownKeys(t *testing.T) {
	for text, want := range map[string]string{
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscals": [], "syscalls": []}`:                                                                  "/syscals: unknown key, which has no effect (did you mean syscalls?) (unknown-key)",
		`{"defaultAction": "SCMP_ACT_ALLOW", "sycalls": 1}`:                                                                                   "/sycalls: unknown key, which has no effect (did you mean syscalls?) (unknown-key)",
		`{"defaultAction": "SCMP_ACT_ALLOW", "calls": []}`:                                                                                    "/calls: unknown key, which has no effect (unknown-key)",
		`{"defaultAction": "SCMP_ACT_ALLOW", "comment": 1, "_comment": 2, "description": 3}`:                                                  "",
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "_comment": "", "description": ""}]}`: "",
		`{"defaultAction": "SCMP_ACT_ALLOW", "Comment": 1}`:                                                                                   "/Comment: unknown key, which has no effect (unknown-key)",
	} {
		_, warnings, err := Read([]byte(text), goldenTarget())
		var got []string
		for _, w := range warnings {
			got = append(got, w.String())
		}
		if err != nil || strings.Join(got, "\n") != want {
			t.Errorf("%s: warnings %q, error %v, want %q", text, got, err, want)
		}
	}
}

// encoding/json, with which Docker, Podman and runc read profiles, takes keys of any case.
func TestLetterCase(t *testing.T) {
	const text = `{"defaultAction": "SCMP_ACT_ERRNO",
		"ARCHMAP": [{"Architecture": "SCMP_ARCH_X86_64", "\u017fubarchitectures": ["SCMP_ARCH_X86"]}],
		"syscalls": [{"Name": "read", "action": "SCMP_ACT_ALLOW"}, {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "INCLUDES": {"CAPS": ["CAP_X"]}}]}`
	p, warnings, err := Read([]byte(text), goldenTarget())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, w := range warnings {
		if w.Kind == policy.LetterCase {
			n++
		}
	}
	if want := []arch.ABI{arch.X86_64, arch.X86}; n != 6 || !slices.Equal(p.ABIs, want) || len(p.Rules) != 1 {
		t.Errorf("%d warnings, ABIs %v, %d rules; want 6, %v, 1", n, p.ABIs, len(p.Rules), want)
	}
	for from, to := range map[string]string{
		`"syscalls"`: `"Syscalls"`, `"names"`: `"Names"`, `"action"`: `"Action"`, `"defaultAction"`: `"defaultaction"`,
	} {
		q, _, err := Read([]byte(strings.ReplaceAll(text, from, to)), goldenTarget())
		if diff := cmp.Diff(p, q); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", to, err, diff)
		}
	}
	twice := strings.Replace(text, `"ARCHMAP": [`, `"archMap": [], "ARCHMAP": [`, 1)
	if _, _, err := Read([]byte(twice), goldenTarget()); err == nil {
		t.Error("archMap and ARCHMAP: no error")
	}
}

// runc, crun and youki read OCI profiles, and differ about keys in the wrong letter case:
// strict mode refuses them all, even those about which there are too many warnings.
func TestLooseKeys(t *testing.T) {
	const profile = `{"DefaultAction": "SCMP_ACT_ERRNO", "Architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
		{"names": ["socket"], "Action": "SCMP_ACT_ALLOW", "args": [{"Index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]}`
	for text, pointers := range map[string]string{
		profile: "/DefaultAction /Architectures /syscalls/0/Action /syscalls/0/args/0/Index",
		`{"Linux": {"Seccomp": ` + profile + `}}`: "/Linux /Linux/Seccomp /Linux/Seccomp/DefaultAction /Linux/Seccomp/Architectures " +
			"/Linux/Seccomp/syscalls/0/Action /Linux/Seccomp/syscalls/0/args/0/Index",
		`{` + strings.Repeat(`"x": 0, `, maxRemarks) + profile[1:]: "/DefaultAction /Architectures /syscalls/0/Action /syscalls/0/args/0/Index",
	} {
		p, _, err := Read([]byte(text), goldenTarget())
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(p.LooseKeys, " "); got != pointers || len(p.Rules) != 1 || len(p.Rules[0].Args) != 1 || len(p.ABIs) != 1 {
			t.Errorf("loose keys %s, want %s; %+v", got, pointers, p)
		}
		if _, _, err := policy.Resolve(p, policy.Options{}); err != nil {
			t.Error(err)
		}
		_, _, err = policy.Resolve(p, policy.Options{Mode: policy.Strict})
		if problems, ok := err.(policy.Errors); !ok || len(problems) != len(p.LooseKeys) || problems[0].Kind != policy.StrictCase {
			t.Errorf("strict: %v", err)
		}
	}
}

// A list of the known words is long and comes once, where no word is near.
func TestKnownWordsAreListedOnce(t *testing.T) {
	s := &specs.LinuxSeccomp{DefaultAction: "NO", Syscalls: []specs.LinuxSyscall{{Action: "OTHER"}, {Action: "ALOW"}}}
	_, err := FromSpec(s)
	_, _, err2 := Read([]byte(`{"syscalls": [{"action": "NO"}, {"action": "ALOW"}], "defaultAction": "OTHER"}`), goldenTarget())
	for _, err := range []error{err, err2} {
		if text := fmt.Sprint(err); strings.Count(text, "known: ") != 1 || strings.Count(text, "unknown action") != 3 ||
			strings.Index(text, "known: SCMP_ACT_KILL_PROCESS, ") > strings.Index(text, "\n") {
			t.Errorf("%v", err)
		}
	}
}

func TestReadKeepsEverythingThatIsAsked(t *testing.T) {
	errno, zero := uint(38), uint(0)
	want := &policy.Policy{
		Default:      cbpf.TraceClass,
		DefaultErrno: &errno,
		ABIs:         []arch.ABI{arch.PARISC64, arch.X86},
		Flags:        []cbpf.Flag{cbpf.LogFlag},
		ListenerPath: "/run/a", ListenerMetadata: "b",
		Rules: []policy.Rule{
			{Names: []string{"read"}, Action: cbpf.Allow, Pointer: "/syscalls/0"},
			{Names: []string{"a", "b"}, Action: cbpf.ErrnoClass, Errno: &zero, Pointer: "/syscalls/1",
				Args: []policy.Arg{{Index: 5, Op: policy.MaskedEqual, Value: 1 << 63, ValueTwo: 1<<64 - 1}, {Index: 0, Op: policy.Less, Value: 3, ValueTwo: 0}}},
		},
	}
	got, warnings, err := Read([]byte(`{
		"syscalls": [
			{"action": "SCMP_ACT_ALLOW", "names": ["read"]},
			{"args": [
				{"op": "SCMP_CMP_MASKED_EQ", "valueTwo": 18446744073709551615, "value": 9223372036854775808, "index": 5},
				{"index": 0, "value": 3, "op": "SCMP_CMP_LT"}
			], "names": ["a", "b"], "errnoRet": 0, "action": "SCMP_ACT_ERRNO"}
		],
		"listenerMetadata": "b", "listenerPath": "/run/a",
		"flags": ["SECCOMP_FILTER_FLAG_LOG"],
		"architectures": ["SCMP_ARCH_PARISC64", "SCMP_ARCH_X86"],
		"defaultErrnoRet": 38, "defaultAction": "SCMP_ACT_TRACE"
	}`), policy.Target{})
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAbsentAndEmptyFlagsDiffer(t *testing.T) {
	for text, want := range map[string][]string{
		`{"defaultAction": "SCMP_ACT_ALLOW"}`:                nil,
		`{"defaultAction": "SCMP_ACT_ALLOW", "flags": null}`: nil,
		`{"defaultAction": "SCMP_ACT_ALLOW", "flags": []}`:   {},
	} {
		p, _, err := Read([]byte(text), policy.Target{})
		if err != nil || (p.Flags == nil) != (want == nil) {
			t.Errorf("%s: flags %#v, error %v", text, p.Flags, err)
			continue
		}
		q, err := FromSpec(spec(t, p))
		if err != nil || (q.Flags == nil) != (want == nil) {
			t.Errorf("%s: through the type of runtime-spec: flags %#v, error %v", text, q.Flags, err)
		}
	}
}

// The printed text of a policy reads as the same policy.
func TestReadUndoesPrint(t *testing.T) {
	profiles, err := filepath.Glob("testdata/read/*.json")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, profile := range profiles {
		data, err := os.ReadFile(profile)
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := Read(data, goldenTarget())
		if err != nil {
			continue
		}
		n++
		checkLaw(t, p)
	}
	if n < 5 {
		t.Errorf("only %d profiles without problems", n)
	}
}

// checkLaw checks that reading what p prints, and turning p into runtime-spec's
// type and back, gives p.
func checkLaw(t *testing.T, p *policy.Policy) {
	t.Helper()
	q, warnings, err := Read([]byte(printed(t, p)), policy.Target{})
	if err != nil || len(warnings) > 0 {
		t.Errorf("%v%v\n%v", err, warnings, p)
		return
	}
	if diff := cmp.Diff(p, q, butPointers); diff != "" {
		t.Error(diff)
	}
	q, err = FromSpec(spec(t, p))
	if err != nil {
		t.Errorf("%v\n%v", err, p)
		return
	}
	noComments := cmpopts.IgnoreFields(policy.Rule{}, "Comment") // runtime-spec has none
	if diff := cmp.Diff(p, q, butPointers, noComments); diff != "" {
		t.Error(diff)
	}
	var s specs.LinuxSeccomp
	if err := json.Unmarshal([]byte(printed(t, p)), &s); err != nil {
		t.Errorf("%v\n%v", err, p)
	} else if diff := cmp.Diff(spec(t, p), &s); diff != "" {
		t.Errorf("encoding/json reads what String prints as another profile\n%s", diff)
	}
}

func TestNativeIsTheTarget(t *testing.T) {
	const text = `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_NATIVE"]}`
	for _, a := range []arch.ABI{arch.S390X, arch.MIPS64N32} {
		p, _, err := Read([]byte(text), policy.Target{ABI: a})
		if err != nil || !slices.Equal(p.ABIs, []arch.ABI{a}) {
			t.Errorf("%v: ABIs %v, error %v", a, p.ABIs, err)
		}
	}
	if arch.Native() == 0 {
		t.Skip("no native ABI")
	}
	s := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: []specs.Arch{"SCMP_ARCH_NATIVE"}}
	p, err := FromSpec(s)
	if err != nil || !slices.Equal(p.ABIs, []arch.ABI{arch.Native()}) {
		t.Errorf("ABIs %v, error %v", p.ABIs, err)
	}
}

func TestDockerFormatDependsOnTheTargetAlone(t *testing.T) {
	const text = `{"defaultAction": "SCMP_ACT_ERRNO", %MAP% "syscalls": [
		{"names": ["on"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["%NAME%"]}},
		{"names": ["off"], "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["%NAME%"]}}]}`
	archMap := `"archMap": [`
	for a := range arch.All() {
		archMap += `{"architecture": "` + a.OCI() + `", "subArchitectures": ["SCMP_ARCH_X32"]},`
	}
	archMap = strings.TrimSuffix(archMap, ",") + "],"
	for name, a := range dockerNames() {
		with := strings.NewReplacer("%NAME%", name, "%MAP%", archMap).Replace(text)
		p, warnings, err := Read([]byte(with), policy.Target{ABI: a})
		if err != nil || len(warnings) > 0 {
			t.Errorf("%v: %v%v", a, err, warnings)
			continue
		}
		if len(p.Rules) != 1 || p.Rules[0].Names[0] != "on" {
			t.Errorf("%v: %q is not its name", a, name)
		}
		if row := fmt.Sprintf("/archMap/%d", a-1); !slices.Equal(p.ABIs, []arch.ABI{a, arch.X32}) || p.ArchMap != row {
			t.Errorf("%v: ABIs %v of %q, want %q", a, p.ABIs, p.ArchMap, row)
		}
		other := a%arch.SHEB + 1
		for _, tt := range [][2]string{{"", ""}, {`"archMap": [],`, ""}, {`"archMap": [{"architecture": "` + other.OCI() + `"}],`, "/archMap/-"}} {
			without := strings.NewReplacer("%NAME%", name, "%MAP%", tt[0]).Replace(text)
			p, _, err := Read([]byte(without), policy.Target{ABI: a})
			if err != nil || !slices.Equal(p.ABIs, []arch.ABI{a}) || p.ArchMap != tt[1] {
				t.Errorf("%v: with %s ABIs %v of %q, error %v", a, tt[0], p.ABIs, p.ArchMap, err)
			}
		}
		for b := range arch.All() {
			if a != b && Docker.isArchName(b, name) {
				t.Errorf("%q is %v and %v", name, a, b)
			}
		}
	}
}

// dockerNames are all names of ABIs in includes and excludes.
func dockerNames() map[string]arch.ABI {
	names := map[string]arch.ABI{"loongarch64": arch.LoongArch64, "mipsel": arch.MIPSEL, "mipsel64n32": arch.MIPSEL64N32}
	for a := range arch.All() {
		names[dockerName(a)] = a
	}
	return names
}

func TestNoKernelIsTheNewest(t *testing.T) {
	const text = `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
		{"names": ["a"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "255.255"}}]}`
	for kernel, want := range map[syscalltables.Version]int{{}: 1, {Major: 255, Minor: 255}: 1, {Major: 255, Minor: 254}: 0} {
		p, _, err := Read([]byte(text), policy.Target{ABI: arch.X86_64, Kernel: kernel})
		if err != nil || len(p.Rules) != want {
			t.Errorf("kernel %v: %d rules, error %v, want %d", kernel, len(p.Rules), err, want)
		}
	}
}

func TestBadTargets(t *testing.T) {
	const text = `{"defaultAction": "SCMP_ACT_ERRNO", "archMap": []}`
	_, _, err := Read([]byte(text), policy.Target{ABI: 200})
	if want := "policy: 1:1: the target is not an ABI"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	_, warnings, err := Read([]byte(text), policy.Target{ABI: arch.ARM, Caps: []string{"CAP_KILL", "chown"}})
	if err != nil || len(warnings) != 1 || warnings[0].Kind != policy.UnknownCondition || !strings.Contains(warnings[0].Message, "did you mean CAP_CHOWN?") {
		t.Errorf("warnings %v, error %v", warnings, err)
	}
}

// Both ways from a profile to a policy.Policy say the same about it.
func TestFromSpecAgreesWithRead(t *testing.T) {
	tests := []string{
		`{"defaultAction": "SCMP_ACT_ALLOW"}`,
		`{"defaultAction": "SCMP_ACT_ALOW"}`,
		`{"architectures": ["amd64", "SCMP_ARCH_X86", "SCMP_ARCH_"], "flags": ["LOG", "SECCOMP_FILTER_FLAG_LOG"]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x", "syscalls": [
			{"names": [], "action": "SCMP_ACT_ERRNO", "errnoRet": 4294967295},
			{"names": ["a", ""], "action": "errno"},
			{"names": ["a"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "value": 0, "op": "EQ"}, {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
			{"names": ["a"], "args": [{"index": 7, "value": 0}]}]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 0, "listenerPath": "/x", "listenerMetadata": "x", "syscalls": [
			{"names": ["a"], "action": "SCMP_ACT_KILL", "errnoRet": 5, "args": [{"index": 5, "value": 18446744073709551615, "valueTwo": 7, "op": "SCMP_CMP_GE"}]}]}`,
	}
	if strconv.IntSize == 64 { // elsewhere runtime-spec's type has no room for it
		tests = append(tests, `{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 4294967296, "syscalls": [
			{"names": ["a"], "action": "SCMP_ACT_ERRNO", "errnoRet": 18446744073709551615}]}`)
	}
	for _, text := range tests {
		var s specs.LinuxSeccomp
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		want, _, wantErr := Read([]byte(text), policy.Target{})
		got, err := FromSpec(&s)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: Read's is -, FromSpec's +\n%s", text, diff)
		}
		if diff := cmp.Diff(problems(wantErr), problems(err)); diff != "" {
			t.Errorf("%s: Read's is -, FromSpec's +\n%s", text, diff)
		}
	}
}

// problems returns the sorted texts of the problems of an error.
func problems(err error) []string {
	if err == nil {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	slices.Sort(lines)
	return lines
}

func TestFromSpecOfNothingIsAnError(t *testing.T) {
	if p, err := FromSpec(nil); p != nil || err == nil {
		t.Errorf("policy %v, error %v", p, err)
	}
	if p, err := FromSpec(&specs.LinuxSeccomp{}); p != nil || err == nil {
		t.Errorf("policy %v, error %v", p, err)
	}
}

func TestFromSpecAndSpecShareNoMemory(t *testing.T) {
	errno := uint(5)
	p := &policy.Policy{
		DefaultErrno: &errno, ABIs: []arch.ABI{arch.X86}, Flags: []cbpf.Flag{cbpf.LogFlag},
		Rules: []policy.Rule{{Names: []string{"read"}, Errno: &errno, Args: []policy.Arg{{Index: 0, Op: policy.Equal, Value: 1, ValueTwo: 0}}}},
	}
	want := printed(t, p)
	s := spec(t, p)
	q, err := FromSpec(s)
	if err != nil {
		t.Fatal(err)
	}
	*s.DefaultErrnoRet, s.Architectures[0], s.Flags[0] = 6, "x", "x"
	call := &s.Syscalls[0]
	call.Names[0], *call.ErrnoRet, call.Args[0].Value = "x", 6, 6
	if printed(t, p) != want || printed(t, q) != want {
		t.Errorf("changed with the value of runtime-spec's type: %v\n%v", p, q)
	}
}

// What a policy made by hand gets wrong is refused when its text is read or resolved,
// not turned into something else.
func TestBadPoliciesPrintAsBad(t *testing.T) {
	for _, bad := range []policy.Policy{
		{ABIs: []arch.ABI{0}},
		{ABIs: []arch.ABI{200}},
		{Flags: []cbpf.Flag{cbpf.NewListener}},
		{ListenerMetadata: "x"},
		{Rules: []policy.Rule{{}}},
		{Rules: []policy.Rule{{Names: []string{""}}}},
		{Rules: []policy.Rule{{Names: []string{"read"}, Args: []policy.Arg{{}}}}},
		{Rules: []policy.Rule{{Names: []string{"read"}, Args: []policy.Arg{{Index: 6, Op: policy.Equal}}}}},
	} {
		strictly := policy.Options{ABIs: []arch.ABI{arch.X86_64}, Mode: policy.Strict}
		p, _, err := Read([]byte(printed(t, &bad)), policy.Target{})
		if err == nil {
			_, _, err = policy.Resolve(p, strictly)
		}
		if err == nil {
			t.Errorf("read without an error:\n%v", printed(t, &bad))
		}
		if p, err = FromSpec(spec(t, &bad)); err == nil {
			_, _, err = policy.Resolve(p, strictly)
		}
		if err == nil {
			t.Errorf("taken by FromSpec without an error:\n%v", printed(t, &bad))
		}
	}
}

// What OCI has no words for is an error, never a document that says less.
func TestPoliciesThatOCICannotSay(t *testing.T) {
	errno := uint(5)
	fine := policy.Rule{Names: []string{"read"}, Action: cbpf.Trap, Errno: &errno}
	for _, tt := range []struct {
		name string
		p    policy.Policy
		want []string
	}{
		{"a number", policy.Policy{Rules: []policy.Rule{fine, {Names: []string{"write"}, Numbers: []uint32{1<<32 - 1}}}}, []string{
			"policy: /syscalls/1/numbers: OCI profiles cannot give calls by number (use names)"}},
		{"a rule for some ABIs", policy.Policy{Rules: []policy.Rule{{Names: []string{"write"}, ABIs: []arch.ABI{arch.X86}, Pointer: "/here"}}}, []string{
			"policy: /here/abis: OCI profiles cannot limit a rule to some ABIs (write one profile for each ABI)"}},
		{"data of TRAP", policy.Policy{Rules: []policy.Rule{{Names: []string{"write"}, Action: cbpf.Trap | 1}}}, []string{
			"policy: /syscalls/0/action: TRAP(1): OCI profiles cannot say this action (use a class, without data)"}},
		{"all of it, in a config.json", policy.Policy{
			Pointer: "/linux/seccomp", Default: cbpf.Trap | 0xffff,
			Rules: []policy.Rule{{Numbers: []uint32{0}, ABIs: []arch.ABI{arch.X86_64}, Action: cbpf.Errno(5)}},
		}, []string{
			"policy: /linux/seccomp/defaultAction: TRAP(65535): OCI profiles cannot say this action (use a class, without data)",
			"policy: /linux/seccomp/syscalls/0/numbers: OCI profiles cannot give calls by number (use names)",
			"policy: /linux/seccomp/syscalls/0/abis: OCI profiles cannot limit a rule to some ABIs (write one profile for each ABI)",
			"policy: /linux/seccomp/syscalls/0/action: ERRNO(5): OCI profiles cannot say this action (use a class, without data)",
		}},
		{"no action", policy.Policy{Default: 0x00070000}, []string{
			"policy: /defaultAction: 0x00070000: OCI profiles cannot say this action (use a class, without data)"}},
		{"no bound", policy.Policy{NoBound: true}, []string{
			"policy: OCI profiles cannot say that numbers above those of the rules get the default action (compile the policy instead)"}},
		{"no bound, where there is none", policy.Policy{NoBound: true, Default: cbpf.Allow}, nil},
		{"an errno that TRAP ignores", policy.Policy{Rules: []policy.Rule{fine}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Spec(&tt.p)
			text, again := Print(&tt.p)
			var got []string
			if err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if (s == nil) != (err != nil) || (text == "") != (err != nil) || fmt.Sprint(err) != fmt.Sprint(again) {
				t.Errorf("Spec: %v; Print: %q, %v", s, text, again)
			}
		})
	}
}

func TestZeroPolicyKills(t *testing.T) {
	const want = "{\n\t\"defaultAction\": \"SCMP_ACT_KILL_THREAD\"\n}\n"
	if got := printed(t, new(policy.Policy)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOpNames(t *testing.T) {
	for op := policy.NotEqual; op <= policy.MaskedEqual; op++ {
		if got, bad := parseOp(op.String()); got != op || bad != nil {
			t.Errorf("%v: read as %v (%v)", op, got, bad)
		}
	}
	for _, op := range []policy.Op{0, policy.MaskedEqual + 1, 255} {
		if _, bad := parseOp(op.String()); bad == nil {
			t.Errorf("%v is an operator", op)
		}
	}
}

// printed returns a policy that OCI has words for as text.
func printed(t testing.TB, p *policy.Policy) string {
	t.Helper()
	text, err := Print(p)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// spec returns such a policy as a value of runtime-spec's type.
func spec(t testing.TB, p *policy.Policy) *specs.LinuxSeccomp {
	t.Helper()
	s, err := Spec(p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
