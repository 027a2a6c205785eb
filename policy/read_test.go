package policy

import (
	"encoding/json"
	"errors"
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
	"github.com/seccompile/seccompile/syscalltables"
)

// butPointers compares policies but for where they were read.
var butPointers = cmp.Options{
	cmpopts.IgnoreFields(Policy{}, "Pointer"),
	cmpopts.IgnoreFields(Rule{}, "Pointer"),
}

func TestSniff(t *testing.T) {
	tests := []struct {
		text string
		want Format
	}{
		{`{"defaultAction": ""}`, FormatOCI},
		{`{"syscalls": [{"names": []}, 1, null]}`, FormatOCI},
		{`{"defaultAction": "", "linux": {}}`, FormatOCI},
		{`{"DefaultAction": ""}`, FormatOCI},
		{`{"defaultAction": "", "archMap": null}`, FormatDocker},
		{`{"archMap": []}`, FormatDocker},
		{`{"ARCHMAP": []}`, FormatDocker},
		{`{"syscalls": [{"names": []}, {"name": "a"}]}`, FormatDocker},
		{`{"syscalls": [{"comment": ""}]}`, FormatDocker},
		{`{"syscalls": [{"includes": null}]}`, FormatDocker},
		{`{"syscalls": [{"Excludes": {}}]}`, FormatDocker},
		{`{"syscalls": [{"includes": {"minKernel": "4.8"}}]}`, FormatDocker},
		{`{"syscalls": [{"comment": "errno"}, {"excludes": {"MINKERNEL": null}}]}`, FormatDocker},
		{`{"defaultErrno": "ENOSYS"}`, FormatPodman},
		{`{"syscalls": [{"names": [], "errno": "EPERM"}]}`, FormatPodman},
		{`{"archMap": [], "syscalls": [{"name": "a", "includes": {"caps": []}, "Errno": null}]}`, FormatPodman},
		{`{"defaultErrno": "", "syscalls": [{"excludes": {"minKernel": ""}}]}`, 0},
		{`{"defaultErrno": "", "ociVersion": "", "linux": {}}`, FormatPodman},
		{`{"syscalls": {"errno": 1}}`, FormatOCI},
		{`{"linux": null}`, FormatConfig},
		{`{"ociVersion": "1.0.0"}`, FormatConfig},
		{`{}`, 0},
		{`{"action": "SCMP_ACT_ALLOW"}`, 0},
		{`{"default\u0041ction": ""}`, FormatOCI},
		{`[{"defaultAction": ""}]`, 0},
		{`null`, 0},
		{`"defaultAction"`, 0},
		{`{"defaultAction": ""`, 0},
		{``, 0},
	}
	for _, tt := range tests {
		if got := Sniff([]byte(tt.text)); got != tt.want {
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
		{`{"syscalls": [{"includes": {"minKernel": "4.8"}}], "defaultErrno": "EPERM"}`,
			"/defaultErrno: \"defaultErrno\" is a key of Podman's format and \"minKernel\" one of Docker's: no format has both (remove one, or name"},
		{`{"linux": []}`, "/linux: want an object, not a list"},
		{`{"linux": {"seccomp": "default.json"}}`, "/linux/seccomp: want an object, not a string"},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": {}}`, "/syscalls: want a list, not an object"},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "archMap": {}}`, "/archMap: want a list, not an object"},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "archMap": ["SCMP_ARCH_X86"]}`, "/archMap/0: want an object, not a string"},
	}
	for _, tt := range tests {
		p, _, err := Read([]byte(tt.text), goldenTarget())
		if p != nil || err == nil || !strings.HasPrefix(err.Error(), "policy: "+tt.want) {
			t.Errorf("%s: policy %v, error %v, want %q", tt.text, p, err, tt.want)
		}
	}
}

func TestReadKeepsEverythingThatIsAsked(t *testing.T) {
	errno, zero := uint(38), uint(0)
	want := &Policy{
		Default:      cbpf.TraceClass,
		DefaultErrno: &errno,
		ABIs:         []arch.ABI{arch.PARISC64, arch.X86},
		Flags:        []string{"SECCOMP_FILTER_FLAG_LOG"},
		ListenerPath: "/run/a", ListenerMetadata: "b",
		Rules: []Rule{
			{Names: []string{"read"}, Action: cbpf.Allow, Pointer: "/syscalls/0"},
			{Names: []string{"a", "b"}, Action: cbpf.ErrnoClass, Errno: &zero, Pointer: "/syscalls/1",
				Args: []Arg{{5, MaskedEqual, 1 << 63, 1<<64 - 1}, {0, Less, 3, 0}}},
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
	}`), Target{})
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
		p, _, err := Read([]byte(text), Target{})
		if err != nil || (p.Flags == nil) != (want == nil) {
			t.Errorf("%s: flags %#v, error %v", text, p.Flags, err)
			continue
		}
		q, err := FromOCI(p.OCI())
		if err != nil || (q.Flags == nil) != (want == nil) {
			t.Errorf("%s: through the type of runtime-spec: flags %#v, error %v", text, q.Flags, err)
		}
	}
}

// The printed text of a policy reads as the same policy.
func TestReadUndoesString(t *testing.T) {
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
func checkLaw(t *testing.T, p *Policy) {
	t.Helper()
	q, warnings, err := Read([]byte(p.String()), Target{})
	if err != nil || len(warnings) > 0 {
		t.Errorf("%v%v\n%v", err, warnings, p)
		return
	}
	if diff := cmp.Diff(p, q, butPointers); diff != "" {
		t.Error(diff)
	}
	q, err = FromOCI(p.OCI())
	if err != nil {
		t.Errorf("%v\n%v", err, p)
		return
	}
	if diff := cmp.Diff(p, q, butPointers); diff != "" {
		t.Error(diff)
	}
	var s specs.LinuxSeccomp
	if err := json.Unmarshal([]byte(p.String()), &s); err != nil {
		t.Errorf("%v\n%v", err, p)
	} else if diff := cmp.Diff(p.OCI(), &s); diff != "" {
		t.Errorf("encoding/json reads what String prints as another profile\n%s", diff)
	}
}

func TestNativeIsTheTarget(t *testing.T) {
	const text = `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_NATIVE"]}`
	for _, a := range []arch.ABI{arch.S390X, arch.MIPS64N32} {
		p, _, err := Read([]byte(text), Target{ABI: a})
		if err != nil || !slices.Equal(p.ABIs, []arch.ABI{a}) {
			t.Errorf("%v: ABIs %v, error %v", a, p.ABIs, err)
		}
	}
	if arch.Native() == 0 {
		t.Skip("no native ABI")
	}
	s := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: []specs.Arch{"SCMP_ARCH_NATIVE"}}
	p, err := FromOCI(s)
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
		p, warnings, err := Read([]byte(with), Target{ABI: a})
		if err != nil || len(warnings) > 0 {
			t.Errorf("%v: %v%v", a, err, warnings)
			continue
		}
		if len(p.Rules) != 1 || p.Rules[0].Names[0] != "on" {
			t.Errorf("%v: %q is not its name", a, name)
		}
		if !slices.Equal(p.ABIs, []arch.ABI{a, arch.X32}) {
			t.Errorf("%v: ABIs %v", a, p.ABIs)
		}
		without := strings.NewReplacer("%NAME%", name, "%MAP%", "").Replace(text)
		if p, _, err := Read([]byte(without), Target{ABI: a}); err != nil || !slices.Equal(p.ABIs, []arch.ABI{a}) {
			t.Errorf("%v: without archMap ABIs %v, error %v", a, p.ABIs, err)
		}
		for b := range arch.All() {
			if a != b && FormatDocker.isArchName(b, name) {
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
		p, _, err := Read([]byte(text), Target{ABI: arch.X86_64, Kernel: kernel})
		if err != nil || len(p.Rules) != want {
			t.Errorf("kernel %v: %d rules, error %v, want %d", kernel, len(p.Rules), err, want)
		}
	}
}

func TestBadTargets(t *testing.T) {
	const text = `{"defaultAction": "SCMP_ACT_ERRNO", "archMap": []}`
	_, _, err := Read([]byte(text), Target{ABI: 200})
	if want := "policy: 1:1: the target is no ABI"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	_, warnings, err := Read([]byte(text), Target{ABI: arch.ARM, Caps: []string{"CAP_KILL", "chown"}})
	if err != nil || len(warnings) != 1 || warnings[0].Kind != UnknownCondition || !strings.Contains(warnings[0].Message, "did you mean CAP_CHOWN?") {
		t.Errorf("warnings %v, error %v", warnings, err)
	}
}

// Both ways from a profile to a Policy say the same about it.
func TestFromOCIAgreesWithRead(t *testing.T) {
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
		want, _, wantErr := Read([]byte(text), Target{})
		got, err := FromOCI(&s)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: Read's is -, FromOCI's +\n%s", text, diff)
		}
		if diff := cmp.Diff(problems(wantErr), problems(err)); diff != "" {
			t.Errorf("%s: Read's is -, FromOCI's +\n%s", text, diff)
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

func TestFromOCIOfNothingIsAnError(t *testing.T) {
	if p, err := FromOCI(nil); p != nil || err == nil {
		t.Errorf("policy %v, error %v", p, err)
	}
	if p, err := FromOCI(&specs.LinuxSeccomp{}); p != nil || err == nil {
		t.Errorf("policy %v, error %v", p, err)
	}
}

func TestFromOCIAndOCIShareNoMemory(t *testing.T) {
	errno := uint(5)
	p := &Policy{
		DefaultErrno: &errno, ABIs: []arch.ABI{arch.X86}, Flags: []string{"SECCOMP_FILTER_FLAG_LOG"},
		Rules: []Rule{{Names: []string{"read"}, Errno: &errno, Args: []Arg{{0, Equal, 1, 0}}}},
	}
	want := p.String()
	s := p.OCI()
	q, err := FromOCI(s)
	if err != nil {
		t.Fatal(err)
	}
	*s.DefaultErrnoRet, s.Architectures[0], s.Flags[0] = 6, "x", "x"
	call := &s.Syscalls[0]
	call.Names[0], *call.ErrnoRet, call.Args[0].Value = "x", 6, 6
	if p.String() != want || q.String() != want {
		t.Errorf("changed with the value of runtime-spec's type: %v\n%v", p, q)
	}
}

// What a policy made by hand gets wrong is refused when its text is read, not
// turned into something else.
func TestBadPoliciesPrintAsBad(t *testing.T) {
	for _, p := range []Policy{
		{Default: cbpf.Errno(5)},
		{Default: 0x00070000},
		{ABIs: []arch.ABI{0}},
		{ABIs: []arch.ABI{200}},
		{Flags: []string{"x"}},
		{ListenerMetadata: "x"},
		{Rules: []Rule{{}}},
		{Rules: []Rule{{Names: []string{""}}}},
		{Rules: []Rule{{Names: []string{"a"}, Args: []Arg{{}}}}},
		{Rules: []Rule{{Names: []string{"a"}, Args: []Arg{{6, Equal, 0, 0}}}}},
	} {
		if _, _, err := Read([]byte(p.String()), Target{}); err == nil {
			t.Errorf("read without an error:\n%v", &p)
		}
		if _, err := FromOCI(p.OCI()); err == nil {
			t.Errorf("taken by FromOCI without an error:\n%v", &p)
		}
	}
}

func TestZeroPolicyKills(t *testing.T) {
	const want = "{\n\t\"defaultAction\": \"SCMP_ACT_KILL_THREAD\"\n}\n"
	if got := new(Policy).String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDefaultCaps(t *testing.T) {
	got := DefaultCaps()
	if len(got) != 14 {
		t.Errorf("%d capabilities, want 14", len(got))
	}
	for _, c := range got {
		if message := checkCap(c); message != "" {
			t.Error(message)
		}
	}
	clear(got)
	if slices.Contains(DefaultCaps(), "") {
		t.Error("a caller can change the defaults")
	}
}

func TestOpNames(t *testing.T) {
	for op := NotEqual; op <= MaskedEqual; op++ {
		if got, reason := parseOp(op.String()); got != op || reason != "" {
			t.Errorf("%v: read as %v (%s)", op, got, reason)
		}
	}
	for _, op := range []Op{0, MaskedEqual + 1, 255} {
		if _, reason := parseOp(op.String()); reason == "" {
			t.Errorf("%v is an operator", op)
		}
	}
}

func TestErrors(t *testing.T) {
	errs := Errors{
		{Pointer: "/syscalls/3/args/0/index", Reason: "6: a syscall has only 6 arguments (take 0 to 5)", Line: 7, Column: 3},
		{Reason: "end of input", Line: 2, Column: 5},
		{Reason: "no filter"},
	}
	const want = "policy: /syscalls/3/args/0/index: 6: a syscall has only 6 arguments (take 0 to 5)\npolicy: 2:5: end of input\npolicy: no filter"
	if got := errs.Error(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var first *Error
	if !errors.As(error(errs), &first) || first != errs[0] {
		t.Errorf("errors.As gives %v", first)
	}
	for _, e := range errs {
		if !errors.Is(errs, e) {
			t.Errorf("errors.Is does not find %v", e)
		}
	}
	if err := (Errors{}).orNil(); err != nil {
		t.Errorf("no problem is an error: %v", err)
	}
}

func TestKindsHaveNames(t *testing.T) {
	seen := make(map[string]bool)
	for k := UnknownName; k <= MixedByteOrder; k++ {
		if s := k.String(); s == "" || strings.ToLower(s) != s || strings.ContainsAny(s, "( ") || seen[s] {
			t.Errorf("kind %d: %q", k, s)
		} else {
			seen[s] = true
		}
	}
	if got := Kind(0).String(); got != "Kind(0)" {
		t.Error(got)
	}
	for k := range Kind(len(kinds)) {
		if k.Quiet() != (k == Redundant) {
			t.Errorf("%v: quiet is %v", k, k.Quiet())
		}
	}
	if int(MixedByteOrder)+1 != len(kinds) {
		t.Errorf("%d names", len(kinds))
	}
}

func TestWarningText(t *testing.T) {
	for _, tt := range []struct {
		w    Warning
		want string
	}{
		{Warning{Kind: Overlap, Pointer: "/syscalls/1", Message: "words"}, "/syscalls/1: words (overlap)"},
		{Warning{Kind: NoBound, Message: "words"}, "words (no-bound)"},
	} {
		if got := tt.w.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG"}
	for name, want := range map[string]string{
		"SCMP_ACT_ALOW":            "SCMP_ACT_ALLOW",
		"allow":                    "SCMP_ACT_ALLOW",
		"SECCOMP_RET_KILL_PROCESS": "SCMP_ACT_KILL_PROCESS",
		"SCMP_ACT_KIL":             "SCMP_ACT_KILL",
		"SCMP_ACT_":                "",
		"":                         "",
		"SCMP_ACT_DENY":            "",
		"SCMP_ACT_ALLOW" + strings.Repeat("x", 99): "",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"abc", "abc", 0}, {"ab", "ba", 2}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
