package firecracker

import (
	"runtime"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// rules returns a file with one filter that has these rules and traps all else.
func rules(list string) string {
	return `{"vmm": {"default_action": "trap", "filter_action": "allow", "filter": [` + list + `]}}`
}

// condition returns such a file with a condition on an argument of ioctl.
func condition(text string) string { return rules(`{"syscall": "ioctl", "args": [` + text + `]}`) }

// resolve reads a filter and resolves it.
func resolve(t *testing.T, l Language, text string, a arch.ABI) *policy.Resolved {
	t.Helper()
	reading, err := l.Read(language.NewSource([]byte(text)), policy.Target{ABI: a})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	resolved, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: []arch.ABI{a}})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return resolved
}

// call returns a call of an ABI by name.
func call(t *testing.T, a arch.ABI, name string, args ...uint64) *cbpf.Data {
	t.Helper()
	c, ok := syscalltables.Lookup(name)
	nr, here := c.Number(a)
	if !ok || !here {
		t.Fatal(name)
	}
	d := &cbpf.Data{Arch: a.Audit(), NR: nr}
	copy(d.Args[:], args)
	return d
}

func TestVerdicts(t *testing.T) {
	const high = 1 << 32
	two := `{"vmm": {"default_action": {"errno": 38}, "filter_action": "allow", "filter": [{"syscall": "read"}]},
		"a/b~c": {"default_action": "allow", "filter_action": {"trace": 7}, "filter": [{"syscall": "write", "comment": "no"}]}}`
	tests := []struct {
		l    Language
		text string
		name string
		args []uint64
		want cbpf.Action
	}{
		{Language{}, rules(`{"syscall": "read"}`), "read", nil, cbpf.Allow},
		{Language{}, rules(`{"syscall": "read"}`), "write", nil, cbpf.Trap},
		{Language{}, rules(`{"syscall": "read", "args": null}`), "read", nil, cbpf.Allow},
		{Language{}, rules(`{"syscall": "read", "args": []}`), "read", nil, cbpf.Allow},
		{Language{}, rules(``), "read", nil, cbpf.Trap},
		{Language{}, condition(`{"index": 1, "type": "dword", "op": "eq", "val": 5}`), "ioctl", []uint64{0, high + 5}, cbpf.Allow},
		{Language{}, condition(`{"index": 1, "type": "qword", "op": "eq", "val": 5}`), "ioctl", []uint64{0, high + 5}, cbpf.Trap},
		{Language{}, condition(`{"index": 1, "type": "dword", "op": "ne", "val": 5}`), "ioctl", []uint64{0, high + 5}, cbpf.Allow},
		{Language{}, condition(`{"index": 1, "type": "dword", "op": "lt", "val": 5}`), "ioctl", []uint64{0, high}, cbpf.Trap},
		{Language{}, condition(`{"index": 1, "type": "qword", "op": "le", "val": 5}`), "ioctl", []uint64{0, 5}, cbpf.Allow},
		{Language{}, condition(`{"index": 1, "type": "qword", "op": "gt", "val": 5}`), "ioctl", []uint64{0, 5}, cbpf.Trap},
		{Language{}, condition(`{"index": 1, "type": "dword", "op": "ge", "val": 5}`), "ioctl", []uint64{0, high}, cbpf.Allow},
		{Language{}, condition(`{"index": 1, "type": "dword", "op": {"masked_eq": 6}, "val": 4}`), "ioctl", []uint64{0, 13}, cbpf.Allow},
		{Language{}, condition(`{"index": 1, "type": "dword", "op": {"masked_eq": 6}, "val": 5}`), "ioctl", []uint64{0, 13}, cbpf.Allow},
		{Language{}, condition(`{"index": 1, "type": "dword", "op": {"eq": null}, "val": 5}`), "ioctl", []uint64{0, 6}, cbpf.Trap},
		{Language{Basic: true}, condition(`{"index": 9, "type": "dword", "op": "eq", "val": 5}`), "ioctl", []uint64{0, 6}, cbpf.Allow},
		{Language{}, condition(`{"index": 0, "type": "qword", "op": "eq", "val": 1}, {"index": 1, "type": "qword", "op": "eq", "val": 2}`), "ioctl", []uint64{1, 3}, cbpf.Trap},
		{Language{Thread: "vmm"}, two, "read", nil, cbpf.Allow},
		{Language{Thread: "vmm"}, two, "write", nil, cbpf.Errno(38)},
		{Language{Thread: "a/b~c"}, two, "read", nil, cbpf.Allow},
		{Language{Thread: "a/b~c"}, two, "write", nil, cbpf.Trace(7)},
	}
	for _, tt := range tests {
		for _, a := range []arch.ABI{arch.X86_64, arch.AArch64, arch.RISCV64} {
			if got := resolve(t, tt.l, tt.text, a).Eval(call(t, a, tt.name, tt.args...)); got != tt.want {
				t.Errorf("%+v %s: %v: %s%x: %v, want %v", tt.l, tt.text, a, tt.name, tt.args, got, tt.want)
			}
		}
	}
	for word, want := range map[string]cbpf.Action{
		`"allow"`: cbpf.Allow, `"log"`: cbpf.Log, `"trap"`: cbpf.Trap, `"kill_thread"`: cbpf.KillThread, `"kill_process"`: cbpf.KillProcess,
		`{"errno": 0}`: cbpf.Errno(0), `{"errno": 4094}`: cbpf.Errno(4094), `{"trace": 65535}`: cbpf.Trace(65535), `{"log": null}`: cbpf.Log,
	} {
		text := `{"x": {"default_action": ` + word + `, "filter_action": {"errno": 9}, "filter": []}}`
		if got := resolve(t, Language{}, text, arch.X86_64).Eval(call(t, arch.X86_64, "read")); got != want {
			t.Errorf("%s: %v", word, got)
		}
	}
}

// Calls through other ABIs, x32 among them, kill the thread, as libseccomp does it. Newer
// calls get the default action.
func TestOtherABIs(t *testing.T) {
	r := resolve(t, Language{}, `{"vmm": {"default_action": "allow", "filter_action": "trap", "filter": [{"syscall": "read"}]}}`, arch.X86_64)
	for d, want := range map[cbpf.Data]cbpf.Action{
		{Arch: arch.X86.Audit(), NR: 3}:                  cbpf.KillThread,
		{Arch: arch.X86_64.Audit(), NR: arch.X32Bit}:     cbpf.KillThread,
		{Arch: arch.X86_64.Audit(), NR: 1 << 20}:         cbpf.Allow,
		{Arch: arch.X86_64.Audit(), NR: 1<<32 - 1}:       cbpf.Allow,
		{Arch: arch.X86_64.Audit(), NR: 0}:               cbpf.Trap,
		{Arch: arch.X86_64.Audit(), NR: arch.X32Bit - 1}: cbpf.Allow,
	} {
		if got := r.Eval(&d); got != want {
			t.Errorf("%+v: %v, want %v", d, got, want)
		}
	}
}

// Rules have the places of the file, and what seccompiler-bin reads without a word is warned
// about.
func TestWarnings(t *testing.T) {
	tests := []struct{ text, want string }{
		{rules(`{"syscall": "read"}`), ""},
		{rules(`{"syscall": "read", "arg": "x"}`), "1:93: /vmm/filter/0/arg: unknown key, which has no effect (did you mean args?) (unknown-key)"},
		{rules(`{"syscall": "mmap2"}`), `1:85: /vmm/filter/0/syscall: "mmap2": x86_64 has no such call, so the rule has no effect there (ignored)`},
		{condition(`{"index": 1, "type": "dword", "op": "gt", "val": 5}`), "1:124: /vmm/filter/0/args/0/type: dword has an effect with eq only: all 64 bits are compared (write qword if that is right) (ignored)"},
		{condition(`{"index": 1, "type": "dword", "op": "eq", "val": 4294967297}`), "1:152: /vmm/filter/0/args/0/val: 4294967297 has bits that are not compared, and counts as 1; with libseccomp before 2.6 the condition never holds (leave these bits out) (truncated)"},
		{`{"a": {"default_action": "trap", "filter_action": "allow", "filter": []}, "a": {"default_action": "log", "filter_action": "allow", "filter": []}}`, "1:2: /a: the file has a later filter of this name, which takes its place (remove one) (ignored)"},
	}
	for _, tt := range tests {
		s := language.NewSource([]byte(tt.text))
		reading, err := Language{}.Read(s, policy.Target{ABI: arch.X86_64})
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		var lines []string
		for _, w := range reading.Warnings {
			lines = append(lines, s.Place(w.Line, w.Column)+": "+w.String())
		}
		if got := strings.Join(lines, "\n"); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.text, got, tt.want)
		}
		for i, rule := range reading.Policy.Rules {
			if line, column := s.Position(rule.Pointer); line != 1 || column < 70 || tt.text[column-1] != '{' {
				t.Errorf("%s: rule %d at %s", tt.text, i, rule.Pointer)
			}
		}
	}
	if reading, err := (Language{}).Read(language.NewSource([]byte(tests[5].text)), policy.Target{ABI: arch.X86_64}); err != nil || reading.Policy.Default != cbpf.Log {
		t.Error("the later filter does not count")
	}
}

// Hostile files end soon and say little.
func TestHostileFilesEnd(t *testing.T) {
	for name, text := range map[string]string{
		"rules":    rules(strings.Repeat(`{"syscall": "x"},`, 200_000) + `{}`),
		"threads":  "{" + strings.Repeat(`"a": 1,`, 200_000) + `"b": 2}`,
		"keys":     rules("{" + strings.Repeat(`"a": 1,`, 200_000) + `"syscall": "read"}`),
		"nesting":  rules(strings.Repeat("[", 1_000_000)),
		"operands": condition(`{"index": 1, "type": "dword", "op": {` + strings.Repeat(`"a": 1,`, 200_000) + `"b": 2}, "val": 5}`),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		reading, err := Language{}.Read(language.NewSource([]byte(text)), policy.Target{ABI: arch.X86_64})
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<29 {
			t.Errorf("%s: %d MiB", name, used>>20)
		}
		problems, _ := err.(policy.Errors)
		if (err == nil) != (name == "keys") || len(problems) > 1001 || len(reading.Warnings) > 1001 {
			t.Errorf("%s: %d problems, %d warnings", name, len(problems), len(reading.Warnings))
		}
	}
}
