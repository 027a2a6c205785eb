package beats

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

// groups returns a policy with these groups that allows all else.
func groups(list string) string { return "seccomp:\n  default_action: allow\n  syscalls:\n" + list }

// condition returns such a policy that fails ioctl where a condition holds.
func condition(text string) string {
	return groups("  - action: errno\n    names_with_args:\n    - {name: ioctl, arguments: [" + text + "]}\n")
}

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
	const high, eperm = 1 << 32, cbpf.ErrnoClass | 1
	arg := func(op, value string) string {
		return condition("{argument: 1, operation: " + op + ", value: " + value + "}")
	}
	two := groups("  - {action: trap, names: [read, write]}\n  - {action: log, names: write}\n  - {action: trace, names: close}\n")
	or := condition("{operation: Equal, value: 1}, {argument: 1, operation: NotEqual, value: 2}") + "    - {name: ioctl, arguments: [{argument: 2, operation: Equal, value: 3}]}\n"
	tests := []struct {
		text string
		name string
		args []uint64
		want cbpf.Action
	}{
		{two, "read", nil, cbpf.Trap}, {two, "write", nil, cbpf.Trap}, {two, "close", nil, cbpf.Trace(0)}, {two, "mmap", nil, cbpf.Allow},
		{"seccomp: {syscalls: [{action: ALLOW, names: [read]}]}", "write", nil, cbpf.KillThread},
		{`{"seccomp": {"default_action": "kill_process", "syscalls": [{"action": "allow", "names": ["read"]}]}}`, "write", nil, cbpf.KillProcess},
		{arg("Equal", "5"), "ioctl", []uint64{0, 5}, eperm}, {arg("equal", "'0x5'"), "ioctl", []uint64{0, high + 5}, cbpf.Allow},
		{arg("NotEqual", "5"), "ioctl", []uint64{0, 5}, cbpf.Allow}, {arg("NotEqual", "5"), "ioctl", []uint64{0, 6}, eperm},
		{arg("GreaterThan", "5"), "ioctl", []uint64{0, 5}, cbpf.Allow}, {arg("GreaterThan", "5"), "ioctl", []uint64{0, high}, eperm},
		{arg("GreaterOrEqual", "5"), "ioctl", []uint64{0, 5}, eperm}, {arg("GreaterOrEqual", "5"), "ioctl", []uint64{0, 4}, cbpf.Allow},
		{arg("LessThan", "5"), "ioctl", []uint64{0, 4}, eperm}, {arg("LessThan", "5"), "ioctl", []uint64{0, high}, cbpf.Allow},
		{arg("LessOrEqual", "5"), "ioctl", []uint64{0, 5}, eperm}, {arg("LessOrEqual", "5"), "ioctl", []uint64{0, 6}, cbpf.Allow},
		{arg("BitsSet", "0x6"), "ioctl", []uint64{0, 4}, eperm}, {arg("BitsSet", "6"), "ioctl", []uint64{0, 9}, cbpf.Allow}, {arg("BitsSet", "0"), "ioctl", []uint64{0, 9}, cbpf.Allow},
		{arg("BitsNotSet", "6"), "ioctl", []uint64{0, 4}, cbpf.Allow}, {arg("BitsNotSet", "6"), "ioctl", []uint64{0, 9}, eperm}, {arg("BitsNotSet", "0"), "ioctl", []uint64{0, 9}, eperm},
		{or, "ioctl", []uint64{1, 1, 0}, eperm}, {or, "ioctl", []uint64{1, 2, 0}, cbpf.Allow}, {or, "ioctl", []uint64{1, 2, 3}, eperm}, {or, "ioctl", []uint64{0, 1, 0}, cbpf.Allow},
	}
	for _, tt := range tests {
		for _, l := range []Language{{}, {AsWritten: true}} {
			for _, a := range []arch.ABI{arch.X86_64, arch.AArch64} {
				if got := resolve(t, l, tt.text, a).Eval(call(t, a, tt.name, tt.args...)); got != tt.want {
					t.Errorf("%+v %s: %v: %s%x: %v, want %v", l, tt.text, a, tt.name, tt.args, got, tt.want)
				}
			}
		}
	}
}

// Calls through other ABIs get the default action, and those of x32 ENOSYS.
func TestOtherABIs(t *testing.T) {
	r := resolve(t, Language{}, "seccomp: {default_action: errno, syscalls: [{action: allow, names: [read]}]}", arch.X86_64)
	for d, want := range map[cbpf.Data]cbpf.Action{
		{Arch: arch.X86.Audit(), NR: 3}:                  cbpf.Errno(1),
		{Arch: arch.X86_64.Audit(), NR: arch.X32Bit}:     cbpf.Errno(38),
		{Arch: arch.X86_64.Audit(), NR: 1<<32 - 1}:       cbpf.Errno(38),
		{Arch: arch.X86_64.Audit(), NR: arch.X32Bit - 1}: cbpf.Errno(1),
		{Arch: arch.X86_64.Audit(), NR: 0}:               cbpf.Allow,
	} {
		if got := r.Eval(&d); got != want {
			t.Errorf("%+v: %v, want %v", d, got, want)
		}
	}
}

// Arguments of 32 bits are compared with 64, the upper of which are zero.
func TestNarrowArguments(t *testing.T) {
	for op, want := range map[string]cbpf.Action{
		"Equal": cbpf.Allow, "GreaterThan": cbpf.Allow, "GreaterOrEqual": cbpf.Allow, "BitsNotSet": cbpf.Errno(1),
		"NotEqual": cbpf.Errno(1), "LessThan": cbpf.Errno(1), "LessOrEqual": cbpf.Errno(1), "BitsSet": cbpf.Allow,
	} {
		text := condition("{operation: " + op + ", value: 0x100000001}")
		for _, arg := range []uint64{0, 1 << 31} {
			if got := resolve(t, Language{}, text, arch.ARM).Eval(call(t, arch.ARM, "ioctl", arg)); got != want {
				t.Errorf("%s: %#x: %v, want %v", op, arg, got, want)
			}
		}
	}
}

// What go-seccomp-bpf does with a call for which the conditions of an earlier entry fail,
// and the policy as it is written.
func TestBehindConditions(t *testing.T) {
	text := condition("{argument: 1, operation: Equal, value: 0x200000001}") + "  - {action: trap, names: [ioctl, read]}\n  - {action: log, names: [write]}\n"
	tests := []struct {
		name            string
		args            []uint64
		theirs, written cbpf.Action
	}{
		{"ioctl", []uint64{0, 0x200000001}, cbpf.Errno(1), cbpf.Errno(1)},
		{"ioctl", []uint64{0, 0x200000000}, cbpf.Trap, cbpf.Trap},
		{"ioctl", []uint64{0, 0x100000000}, cbpf.Log, cbpf.Trap},
		{"ioctl", []uint64{0, 0x300000000}, cbpf.Allow, cbpf.Trap},
		{"ioctl", []uint64{0, 0x1000000000}, cbpf.Trap, cbpf.Trap},
		{"read", []uint64{0, 0x300000000}, cbpf.Trap, cbpf.Trap},
		{"write", nil, cbpf.Log, cbpf.Log},
	}
	theirs, written := resolve(t, Language{}, text, arch.X86_64), resolve(t, Language{AsWritten: true}, text, arch.X86_64)
	for _, tt := range tests {
		d := call(t, arch.X86_64, tt.name, tt.args...)
		if got, as := theirs.Eval(d), written.Eval(d); got != tt.theirs || as != tt.written {
			t.Errorf("%s%x: %v, as written %v; want %v, %v", tt.name, tt.args, got, as, tt.theirs, tt.written)
		}
	}
}

func TestWarnings(t *testing.T) {
	behind := "where its conditions fail, go-seccomp-bpf does not look for the call among those behind it (put calls with conditions last, or read the policy as it is written: setting as-written) (ignored)"
	tests := []struct {
		l    Language
		text string
		a    arch.ABI
		want string
	}{
		{Language{}, groups("  - {action: trap, names: [read]}\n"), arch.X86_64, ""},
		{Language{}, "seccomp:\n  syscalls: [{action: trap, names: [read]}]\n", arch.X86_64, "2:3: /seccomp: there is no default_action, so the thread is killed at calls that no group has (write default_action: kill_thread if that is right) (ignored)"},
		{Language{}, groups("  - {action: trap}\n"), arch.X86_64, "4:5: /seccomp/syscalls/0: the group names no call, so it has no effect (no-names)"},
		{Language{}, groups("  - {action: trap, name: [read]}\n"), arch.X86_64, "4:5: /seccomp/syscalls/0: the group names no call, so it has no effect (no-names)\n4:20: /seccomp/syscalls/0/name: unknown key, which has no effect (did you mean names?) (unknown-key)"},
		{Language{}, condition("{operation: Equal, value: 1}"), arch.X86_64, "6:33: /seccomp/syscalls/0/names_with_args/0/arguments/0: there is no argument, so the condition is on argument 0 (write argument: 0 if that is right) (ignored)"},
		{Language{}, condition("{operation: Equal, argument: 1}"), arch.X86_64, "6:33: /seccomp/syscalls/0/names_with_args/0/arguments/0: there is no value, so the argument is compared with 0 (write value: 0 if that is right) (ignored)"},
		{Language{}, condition("{argument: 0, operation: Equal, value: 0x100000000}"), arch.X86, "6:72: /seccomp/syscalls/0/names_with_args/0/arguments/0/value: arguments of x86 have 32 bits, so the upper half is compared with 0 (truncated)"},
		{Language{}, condition("{argument: 0, operation: Equal, value: 1}") + "  - {action: trap, names: [read]}\n", arch.X86_64, "6:14: /seccomp/syscalls/0/names_with_args/0/name: " + behind},
		{Language{}, condition("{argument: 0, operation: Equal, value: 1}") + "  - {action: allow, names: [read]}\n", arch.X86_64, ""},
		{Language{AsWritten: true}, condition("{argument: 0, operation: Equal, value: 1}") + "  - {action: trap, names: [read]}\n", arch.X86_64, ""},
	}
	for _, tt := range tests {
		s := language.NewSource([]byte(tt.text))
		reading, err := tt.l.Read(s, policy.Target{ABI: tt.a})
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
	}
}

// Rules have the places of the calls in the text.
func TestPlaces(t *testing.T) {
	text := groups("  - action: trap\n    names_with_args:\n    - name: ioctl\n      arguments: [{argument: 0, operation: Equal, value: 1}]\n    names: [read]\n")
	reading, err := Language{}.Read(language.NewSource([]byte(text)), policy.Target{ABI: arch.X86_64})
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]string{}
	for _, r := range reading.Policy.Rules {
		places[r.Names[0]] = r.Pointer
	}
	if places["read"] != "8:13" || places["ioctl"] != "6:13" {
		t.Error(places)
	}
}

// Hostile policies end soon and say little.
func TestHostilePoliciesEnd(t *testing.T) {
	var many strings.Builder
	for n, name := range []string{"ioctl", "fcntl", "socket", "clone", "prctl", "kill", "mmap", "futex", "openat", "read", "write", "close"} {
		many.WriteString("  - {action: trap, names_with_args: [{name: " + name + ", arguments: [")
		for i := range 6 {
			many.WriteString("{argument: " + string(rune('0'+(n+i)%6)) + ", operation: Equal, value: 0x500000005}, ")
		}
		many.WriteString("]}]}\n")
	}
	for name, tt := range map[string]struct{ text, want string }{
		"paths":    {groups(many.String()), "go-seccomp-bpf's filter has too many paths behind calls with conditions (put calls with conditions last, or read the policy as it is written: setting as-written)"},
		"names":    {groups("  - action: trap\n    names: [" + strings.Repeat("x,", 100_000) + "]\n"), "there may be more problems (fix these first)"},
		"groups":   {groups(strings.Repeat("  - x\n", 100_000)), "there may be more problems (fix these first)"},
		"calls":    {groups(strings.Repeat("  - {action: trap, names: [read]}\n", 20_000)), ""},
		"keys":     {groups("  - {action: trap, names: [read]}\n") + "x: {z: 1}\n" + strings.Repeat("x", 1000) + ": 1\n", ""},
		"too long": {strings.Repeat(" ", 1<<24), "16777216 bytes are too many for a profile in YAML (at most 4194304)"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		reading, err := Language{}.Read(language.NewSource([]byte(tt.text)), policy.Target{ABI: arch.X86_64})
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<30 {
			t.Errorf("%s: %d MiB", name, used>>20)
		}
		problems, _ := err.(policy.Errors)
		if n := len(problems); (n == 0) != (tt.want == "") || n > 1001 || n > 0 && problems[n-1].Reason != tt.want || len(reading.Warnings) > 1001 {
			t.Errorf("%s: %d problems, %d warnings: %.200v", name, n, len(reading.Warnings), err)
		}
	}
}
