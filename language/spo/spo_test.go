package spo

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// object writes a SeccompProfile whose spec has some lines.
func object(name, spec string) string {
	return "apiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\nmetadata:\n  name: " + name + "\nspec:\n  " +
		strings.ReplaceAll(spec, "\n", "\n  ") + "\n"
}

// report returns the problems or warnings of reading, one a line.
func report(s *language.Source, reading language.Reading, err error) string {
	s.Locate(reading.Warnings, err)
	var lines []string
	place := func(pointer string, line, column int) string {
		if line > 0 {
			return fmt.Sprintf("%d:%d", line, column)
		}
		return pointer
	}
	var problems policy.Errors
	if errors.As(err, &problems) {
		for _, p := range problems {
			lines = append(lines, place(p.Pointer, p.Line, p.Column)+": "+p.Reason)
		}
		return strings.Join(lines, "\n")
	}
	for _, w := range reading.Warnings {
		lines = append(lines, place(w.Pointer, w.Line, w.Column)+": "+string(w.Kind)+": "+w.Message)
	}
	return strings.Join(lines, "\n")
}

func read(files fstest.MapFS, l Language) (*language.Source, language.Reading, error) {
	s := language.NewSource(files["dir/a.yaml"].Data).In(files, "dir/a.yaml")
	reading, err := l.Read(s, policy.Target{ABI: arch.X86_64})
	return s, reading, err
}

func eval(t *testing.T, p *policy.Policy, nr uint32, args ...uint64) cbpf.Action {
	t.Helper()
	r, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
	if err != nil {
		t.Fatal(err)
	}
	d := cbpf.Data{NR: nr, Arch: arch.X86_64.Audit()}
	copy(d.Args[:], args)
	return r.Eval(&d)
}

// Problems have places and cures.
func TestBad(t *testing.T) {
	const deny = "defaultAction: SCMP_ACT_ERRNO\n"
	rule := func(lines string) string {
		return object("a", deny+"syscalls:\n- names: [read]\n  action: SCMP_ACT_ALLOW\n  "+strings.ReplaceAll(lines, "\n", "\n  "))
	}
	tests := []struct{ text, want string }{
		{"", "1:1: the input is empty (expected a YAML mapping)"},
		{"a: [", "1:1: not YAML: did not find expected node content (indent all keys or values of one level alike)"},
		{"a: 1", "1:1: not an object of Kubernetes (expected apiVersion, kind and spec of a SeccompProfile)"},
		{"[]", "1:1: not an object of Kubernetes (expected apiVersion, kind and spec of a SeccompProfile)"},
		{"apiVersion: v1\nkind: Pod\n", `1:1: a Kubernetes object of kind "Pod", not a SeccompProfile (give the file that has the profile)`},
		{"apiVersion: example.org/v1\nkind: SeccompProfile\nspec: {}", `1:1: a Kubernetes object of kind "SeccompProfile", not a SeccompProfile of the Security Profiles Operator (expected an apiVersion like security-profiles-operator.x-k8s.io/v1)`},
		{object("a", deny) + "---\n" + object("b", deny), "9:1: a second profile: a, b (name one: object=NAME)"},
		{"apiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\n", "1:1: spec: expected a mapping with a defaultAction"},
		{"apiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\nspec: [a]", "3:7: spec: expected a mapping with a defaultAction"},
		{object("a", "syscalls: []"), ""},
		{object("a", "defaultAction: SCMP_ACT_DENY"), ""},
		{object("a", "defaultAction: [SCMP_ACT_ERRNO]"), ""},
		{object("a", deny+"architectures: [SCMP_ARCH_LOONGARCH64]"), `7:19: "SCMP_ARCH_LOONGARCH64": the operator takes no such architecture`},
		{object("a", deny+"architectures: SCMP_ARCH_X86"), ""},
		{object("a", deny+"listenerPath: /run/agent.sock"), "7:17: the operator takes sockets in /var/run/security-profiles-operator alone (put the agent's socket there)"},
		{object("a", deny+"baseProfileName: 1"), "7:20: baseProfileName: expected a string, got a number (put it in quotes)"},
		{object("a", deny+"disabled: 'true'"), "7:13: disabled: expected true or false, got a string (write it without quotes)"},
		{object("a", deny+"flags: [SECCOMP_FILTER_FLAG_NEW]"), ""},
		{object("a", deny+"syscalls:\n- names: []\n  action: SCMP_ACT_LOG"), "8:12: names: the operator takes no rule without a name (name a call, or remove the rule)"},
		{object("a", deny+"syscalls:\n- names: [yes]\n  action: SCMP_ACT_LOG"), ""},
		{object("a", deny+"syscalls:\n- names: read\n  action: SCMP_ACT_LOG"), ""},
		{object("a", deny+"syscalls:\n- names: [read]"), ""},
		{object("a", deny+"syscalls: {read: SCMP_ACT_ALLOW}"), ""},
		{rule("errnoRet: 4096"), "10:15: errnoRet 4096: the operator takes errors from 1 to 4095"},
		{rule("errnoRet: EPERM"), ""},
		{rule("errnoRet: '38'"), ""},
		{rule("args: [{value: 1, op: SCMP_CMP_EQ}]"), "10:12: missing: the condition does not say which argument it tests (add 0 to 5)"},
		{rule("args: [{index: 6, value: 1, op: SCMP_CMP_EQ}]"), "10:20: index 6: a call has the arguments 0 to 5 (use one of these)"},
		{rule("args: [{index: 0, value: -1, op: SCMP_CMP_EQ}]"), ""},
		{rule("args: [{index: 0, value: 0x8000000000000000, op: SCMP_CMP_EQ}]"), "10:30: value: the operator takes values below 2^63 (an OCI profile takes larger ones)"},
		{rule("args: [{index: 0, value: 1, op: SCMP_CMP_IS}]"), ""},
		{rule("args: [{index: 0, value: 1}]"), ""},
		{object("a", "defaultAction: SCMP_ACT_LOG\nbaseProfileName: none"), `7:20: "none": no such SeccompProfile in this file or in the files beside it (write it to none.yaml there)`},
		{object("a", "defaultAction: SCMP_ACT_LOG\nbaseProfileName: ../k/p"), `7:20: "../k/p": no such SeccompProfile in this file or in the files beside it (give its metadata.name, not a path)`},
		{object("a", "defaultAction: SCMP_ACT_LOG\nbaseProfileName: a"), `7:20: "a": profiles that are based on each other in a circle (remove one baseProfileName)`},
		{object("a", "defaultAction: SCMP_ACT_LOG\nbaseProfileName: oci://example.org/b:v1"), `7:20: oci://"example.org/b:v1": no OCI image layout here has it (copy it to a directory beside this file, for example with oras copy --to-oci-layout)`},
		{object("a", "defaultAction: SCMP_ACT_LOG\nbaseProfileName: twice"), `7:20: "twice": both dir/x.yaml and dir/y.yaml have it (remove one)`},
		{object("a", "defaultAction: SCMP_ACT_ERRNO\nbaseProfileName: open\nsyscalls:\n- names: [openat]\n  action: SCMP_ACT_LOG"),
			`7:20: "openat": the operator does not keep the conditions of its rules exactly when it joins them with the base profile's (write all rules of the profile into one, without baseProfileName)`},
	}
	open := object("open", "defaultAction: SCMP_ACT_ERRNO\nsyscalls:\n- names: [openat]\n  action: SCMP_ACT_ALLOW\n  args: [{index: 2, value: 0, op: SCMP_CMP_EQ}]")
	for _, tt := range tests {
		files := fstest.MapFS{
			"dir/a.yaml": {Data: []byte(tt.text)}, "dir/x.yaml": {Data: []byte(object("twice", deny))},
			"dir/y.yaml": {Data: []byte(object("twice", deny))}, "dir/z.yaml": {Data: []byte(open)}, "dir/broken.yaml": {Data: []byte("a: [")},
		}
		s, reading, err := read(files, Language{})
		got := report(s, reading, err)
		if reading.Policy != nil || err == nil {
			t.Errorf("%q: read", tt.text)
		}
		if tt.want != "" && got != tt.want || !strings.HasSuffix(got, ")") && tt.want == "" && !strings.Contains(got, "expected") {
			t.Errorf("%q:\n got %s\nwant %s", tt.text, got, tt.want)
		}
		if tt.want == "" {
			var line, column int
			if n, _ := fmt.Sscanf(got, "%d:%d: ", &line, &column); n != 2 {
				t.Errorf("%q: no place: %s", tt.text, got)
			}

		}
	}
}

// What the operator or the API server drops is a warning.
func TestWarnings(t *testing.T) {
	for _, tt := range []struct{ spec, want string }{
		{"defaultAction: SCMP_ACT_ERRNO\ndisabled: true", "7:13: ignored: the profile is disabled: the operator does not write it to the nodes, and pods that name it do not start where it was not before"},
		{"defaultAction: SCMP_ACT_ERRNO\ndefaultErrnoRet: 38", `7:3: unknown-key: "defaultErrnoRet": SeccompProfile has no such key, and the API server drops or refuses it: the error of the default action is EPERM`},
		{"defaultAction: SCMP_ACT_ERRNO\nsyscals: []", `7:3: unknown-key: "syscals": SeccompProfile has no such key, and the API server drops or refuses it (did you mean syscalls?)`},
		{"defaultAction: SCMP_ACT_LOG\nSyscalls: []", `7:3: unknown-key: "Syscalls": SeccompProfile has no such key, and the API server drops or refuses it (did you mean syscalls?)`},
		{"defaultAction: SCMP_ACT_LOG\nsyscalls:\n- names: [read]\n  action: SCMP_ACT_ERRNO\n  errnoRet: 0", "10:15: ignored: errnoRet 0: the operator drops it, so that the error is EPERM (leave it out)"},
		{"defaultAction: SCMP_ACT_ERRNO\nbaseProfileName: b", `7:20: ignored: the default action of "b" is ALLOW: the operator takes only rules from a base profile, and the default stays ERRNO`},
	} {
		files := fstest.MapFS{
			"dir/a.yaml": {Data: []byte(object("a", tt.spec))}, "dir/b.yaml": {Data: []byte(object("b", "defaultAction: SCMP_ACT_ALLOW"))},
		}
		s, reading, err := read(files, Language{})
		if got := report(s, reading, err); got != tt.want || err != nil {
			t.Errorf("%s:\n got %s\nwant %s", tt.spec, got, tt.want)
		}
	}
}

// errnoRet 0 is EPERM for the operator, and success for an OCI profile.
func TestErrnoZero(t *testing.T) {
	files := fstest.MapFS{"dir/a.yaml": {Data: []byte(object("a", "defaultAction: SCMP_ACT_ALLOW\nsyscalls:\n- names: [read]\n  action: SCMP_ACT_ERRNO\n  errnoRet: 0"))}}
	_, reading, err := read(files, Language{})
	if err != nil {
		t.Fatal(err)
	}
	if got := eval(t, reading.Policy, 0); got != cbpf.Errno(1) {
		t.Error(got)
	}
}

// The rules of base profiles are joined with those of a profile: the more permissive action
// holds, and the base's error if they are equally permissive. Each rule keeps its place.
func TestBases(t *testing.T) {
	files := fstest.MapFS{
		"dir/a.yaml": {Data: []byte(object("a", `baseProfileName: b
defaultAction: SCMP_ACT_ERRNO
syscalls:
- names: [read, write, close]
  action: SCMP_ACT_ALLOW
- names: [open]
  action: SCMP_ACT_ERRNO
  errnoRet: 13
- names: [stat, ioctl]
  action: SCMP_ACT_LOG
- names: [personality]
  action: SCMP_ACT_ALLOW
  args: [{index: 0, value: 8, op: SCMP_CMP_EQ}]`))},
		"dir/anything.yml": {Data: []byte("---\n" + object("other", "defaultAction: SCMP_ACT_LOG") + "---\n" + object("b", `defaultAction: SCMP_ACT_ERRNO
baseProfileName: oci://example.org/spo/c:v1
syscalls:
- names: [read, mmap, personality]
  action: SCMP_ACT_KILL
  args: [{index: 0, value: 0, op: SCMP_CMP_EQ}]
- names: [open]
  action: SCMP_ACT_ERRNO
  errnoRet: 2
- names: [stat]
  action: SCMP_ACT_ALLOW`))},
	}
	// An image layout with one profile, as oras copies it.
	blob := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		digest := hex.EncodeToString(sum[:])
		files["dir/c/blobs/sha256/"+digest] = &fstest.MapFile{Data: []byte(text)}
		return "sha256:" + digest
	}
	layer := blob(object("c", "defaultAction: SCMP_ACT_ERRNO\nsyscalls:\n- names: [exit, read]\n  action: SCMP_ACT_ALLOW"))
	manifest := blob(`{"schemaVersion": 2, "layers": [{"digest": "` + layer + `"}]}`)
	index := blob(`{"manifests": [{"digest": "` + layer + `", "platform": {"architecture": "arm64"}}, {"digest": "` + manifest + `", "platform": {"architecture": "amd64"}}]}`)
	files["dir/c/oci-layout"] = &fstest.MapFile{Data: []byte(`{"imageLayoutVersion": "1.0.0"}`)}
	files["dir/c/index.json"] = &fstest.MapFile{Data: []byte(`{"manifests": [{"digest": "` + index + `", "annotations": {"org.opencontainers.image.ref.name": "v1"}}]}`)}
	s, reading, err := read(files, Language{})
	if err != nil {
		t.Fatal(report(s, reading, err))
	}
	const (
		read, write, open, stat, mmap, ioctl, exit, personality = 0, 1, 2, 4, 9, 16, 60, 135
	)
	for _, tt := range []struct {
		nr   uint32
		arg  uint64
		want cbpf.Action
	}{
		{read, 0, cbpf.Allow}, {write, 0, cbpf.Allow}, {open, 0, cbpf.Errno(2)}, {stat, 0, cbpf.Allow}, {ioctl, 0, cbpf.Log},
		{mmap, 0, cbpf.KillThread}, {mmap, 1, cbpf.Errno(1)}, {exit, 0, cbpf.Allow}, {personality, 0, cbpf.KillThread}, {personality, 8, cbpf.Allow},
		{100, 0, cbpf.Errno(1)},
	} {
		if got := eval(t, reading.Policy, tt.nr, tt.arg); got != tt.want {
			t.Errorf("%d(%d): %v, want %v", tt.nr, tt.arg, got, tt.want)
		}
	}
	var places []string
	for _, r := range reading.Policy.Rules {
		places = append(places, r.Pointer)
	}
	if got := strings.Join(places, " "); !strings.Contains(got, "dir/c/blobs/sha256/") || !strings.Contains(got, "dir/anything.yml:17:5") || !strings.Contains(got, "9:5") {
		t.Error(got)
	}

	files["dir/c/blobs/sha256/"+strings.TrimPrefix(layer, "sha256:")].Data[0]++
	if s, reading, err = readDir(files); !strings.Contains(report(s, reading, err), "its digest is another one") {
		t.Error(report(s, reading, err))
	}
}

// readDir is read with the zero Language, under a name that no constant hides.
func readDir(files fstest.MapFS) (*language.Source, language.Reading, error) {
	return read(files, Language{})
}

// The operator follows fifteen bases.
func TestManyBases(t *testing.T) {
	for n, ok := range map[int]bool{15: true, 16: false} {
		text := ""
		for i := range n + 1 {
			spec := "defaultAction: SCMP_ACT_ERRNO\n"
			if i < n {
				spec += fmt.Sprintf("baseProfileName: p%d\n", i+1)
			}
			text += "---\n" + object(fmt.Sprintf("p%d", i), spec)
		}
		_, _, err := read(fstest.MapFS{"dir/a.yaml": {Data: []byte(text)}}, Language{Object: "p0"})
		if (err == nil) != ok {
			t.Errorf("%d bases: %v", n, err)
		}
	}
}

// A name chooses: an object, one in a namespace, an entry of a ConfigMap, or one in JSON.
func TestObject(t *testing.T) {
	text := object("a", "defaultAction: SCMP_ACT_LOG") + "---\n" + strings.Replace(object("b", "defaultAction: SCMP_ACT_TRAP"), "metadata:", "metadata:\n  namespace: ns", 1) +
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  c.json: |\n    {\"defaultAction\": \"SCMP_ACT_ALLOW\"}\n  d: other\n"
	for name, want := range map[string]cbpf.Action{"a": cbpf.Log, "b": cbpf.Trap, "ns/b": cbpf.Trap, "c.json": cbpf.Allow, "f": cbpf.KillProcess} {
		files := fstest.MapFS{
			"dir/a.yaml": {Data: []byte(text)},
			"dir/e.json": {Data: []byte(`{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "security-profiles-operator.x-k8s.io/v1beta1", "kind": "SeccompProfile",
				"metadata": {"name": "f"}, "spec": {"defaultAction": "SCMP_ACT_KILL_PROCESS", "listenerMetadata": "\ud83d\ude00"}}]}`)},
		}
		_, reading, err := read(files, Language{Object: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := eval(t, reading.Policy, 0); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	_, _, err := read(fstest.MapFS{"dir/a.yaml": {Data: []byte(text)}}, Language{Object: "c.jsn"})
	if err == nil || !strings.Contains(err.Error(), "did you mean c.json?") {
		t.Error(err)
	}
}

// What is written is read again as the same policy, and what cannot be said is refused.
func TestWrite(t *testing.T) {
	two, big := uint(2), uint(5000)
	p := &policy.Policy{
		Default: cbpf.ErrnoClass, ABIs: []arch.ABI{arch.X86_64, arch.X86}, Flags: []cbpf.Flag{cbpf.LogFlag},
		ListenerPath: "/var/run/security-profiles-operator/a.sock", ListenerMetadata: "a: \"b\"\n# é",
		Rules: []policy.Rule{
			{Names: []string{"read", "write"}, Action: cbpf.Allow},
			{Names: []string{"clone"}, Action: cbpf.ErrnoClass, Errno: &two, Args: []policy.Arg{{Index: 0, Op: policy.MaskedEqual, Value: 1 << 40, ValueTwo: 0}, {Index: 1, Op: policy.Less, Value: 7}}},
		},
	}
	text, err := Write(p, "yes")
	if err != nil {
		t.Fatal(err)
	}
	s := language.NewSource(text)
	reading, err := Language{Object: "yes"}.Read(s, policy.Target{ABI: arch.X86_64})
	if err != nil || len(reading.Warnings) > 0 {
		t.Fatal(report(s, reading, err), string(text))
	}
	got := reading.Policy
	if got.ListenerMetadata != p.ListenerMetadata || got.ListenerPath != p.ListenerPath || len(got.Flags) != 1 || len(got.ABIs) != 2 || len(got.Rules) != 2 ||
		*got.Rules[1].Errno != 2 || fmt.Sprint(got.Rules[1].Args) != fmt.Sprint(p.Rules[1].Args) {
		t.Errorf("%+v\n%s", got, text)
	}
	zero := uint(0)
	for want, bad := range map[string]*policy.Policy{
		"no error for the default action": {Default: cbpf.ErrnoClass, DefaultErrno: &two},
		"cannot say the error 5000":       {Rules: []policy.Rule{{Names: []string{"read"}, Action: cbpf.ErrnoClass, Errno: &big}}},
		"cannot say the error 0":          {Rules: []policy.Rule{{Names: []string{"read"}, Action: cbpf.ErrnoClass, Errno: &zero}}},
		"values of 2^63":                  {Rules: []policy.Rule{{Names: []string{"read"}, Action: cbpf.Allow, Args: []policy.Arg{{Value: 1 << 63, Op: policy.Equal}}}}},
		"no rules without a name":         {Rules: []policy.Rule{{Action: cbpf.Allow}}},
		"SCMP_ARCH_LOONGARCH64":           {ABIs: []arch.ABI{arch.LoongArch64}},
		"the listener's path":             {ListenerPath: "/run/a"},
		"numbers":                         {Rules: []policy.Rule{{Numbers: []uint32{1}, Action: cbpf.Allow}}},
	} {
		if _, err := Write(bad, "a"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(object("a", "defaultAction: SCMP_ACT_ERRNO\nbaseProfileName: b\nsyscalls:\n- names: [read]\n  action: SCMP_ACT_ALLOW\n  args: [{index: 0, value: 1, op: SCMP_CMP_EQ}]")))
	f.Add([]byte(object("b", "disabled: yes\nbaseProfileName: oci://a/b:c")))
	f.Add([]byte(`{"apiVersion": "v1", "kind": "ConfigMap", "data": {"a.json": "{\"defaultAction\": \"SCMP_ACT_LOG\"}"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, reading, err := read(fstest.MapFS{
			"dir/a.yaml": {Data: data}, "dir/b.yaml": {Data: data[len(data)/2:]}, "dir/oci-layout": {}, "dir/index.json": {Data: data},
		}, Language{})
		if (reading.Policy == nil) == (err == nil) {
			t.Fatalf("policy %v, error %v", reading.Policy, err)
		}
		if err != nil {
			if problems, ok := err.(policy.Errors); !ok || len(problems) == 0 {
				t.Fatalf("error %#v", err)
			}
			return
		}
		if text, err := Write(reading.Policy, "a"); err == nil {
			if again, err := (Language{}).Read(language.NewSource(text), policy.Target{ABI: arch.X86_64}); err != nil || len(again.Policy.Rules) != len(reading.Policy.Rules) {
				t.Errorf("%q: written as %q: %v", data, text, err)
			}
		}
	})
}
