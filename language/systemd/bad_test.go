package systemd_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/systemd"
	"github.com/seccompile/seccompile/policy"
)

// What systemd ignores gives a warning, and what it cannot start an error: each with its
// place, and with a cure where there is one.
func TestBadUnits(t *testing.T) {
	const s = "[Service]\n"
	tests := []struct {
		version int
		text    string
		want    string // the warnings and the error, one a line
	}{
		{0, "SystemCallFilter=read\n[Service]", "1:1: outside of a section, so systemd ignores the line (put it under [Service]) (ignored)"},
		{0, "[Service", `error: 1:1: "[Service": not a section, so systemd does not load the unit (end it with ])`},
		{0, "[Ser\tvice]\nSystemCallFilter=read", `error: 1:1: "[Ser\tvice]": not the name of a section, so systemd does not load the unit (leave out quotes, backslashes and control characters)`},
		{0, "[Servize]\nSystemCallFilter=read", `1:1: "Servize": a section that this unit cannot have, so systemd ignores it (did you mean Service?) (unknown-key)`},
		{0, s + "SystemCallFilter", `2:1: "SystemCallFilter": no =, so systemd ignores the line (write KEY=VALUE) (ignored)`},
		{0, "[Unit]\nSystemCallFilter =read\nDescription=x\n[X-Mine]\nSystemCallFilter=read", `2:1: "SystemCallFilter": not a key of this section, so systemd ignores the line (put it under [Service], [Socket], [Mount] or [Swap]) (ignored)`},
		{0, "[Timer]\nDynamicUser=yes", `2:1: "DynamicUser": not a key of this section, so systemd ignores the line (put it under [Service], [Socket], [Mount] or [Swap]) (ignored)`},
		{0, s + "  =read", "2:3: no key in front of =, so systemd ignores the line (write KEY=VALUE) (ignored)"},
		{0, s + "Description=\xff", "error: 2:1: not UTF-8, so systemd does not load the unit (write the line in UTF-8)"},
		{0, s + "SystemCallFilters=read", `2:1: "SystemCallFilters": not a key of systemd's, which ignores it (did you mean SystemCallFilter?) (unknown-key)`},
		{0, s + "restrictrealtime=yes", `2:1: "restrictrealtime": not a key of systemd's, which ignores it (did you mean RestrictRealtime?) (unknown-key)`},
		{0, s + "SystemCallFilter=opnat", `2:18: "opnat": not a call that libseccomp knows, so systemd ignores it (did you mean openat?) (unknown-name)`},
		{0, s + "SystemCallFilter=READ", `2:18: "READ": not a call that libseccomp knows, so systemd ignores it (did you mean read?) (unknown-name)`},
		{0, s + "SystemCallFilter=read,write", `2:18: "read,write": not a call that libseccomp knows, so systemd ignores it (put spaces between words, and nothing else) (unknown-name)`},
		{0, s + "SystemCallFilter=  \"read\" brk", `2:20: "\"read\"": not a call that libseccomp knows, so systemd ignores it (leave out the quotes) (unknown-name)`},
		{0, s + "SystemCallFilter=~mount \\\n ; comment\n ~chroot", `4:2: "~chroot": not a call that libseccomp knows, so systemd ignores it (write ~ once, where the value begins) (unknown-name)`},
		{0, s + "SystemCallFilter=@system-servce", `2:18: "@system-servce": not a set of systemd 262, which ignores it (did you mean @system-service?) (unknown-name)`},
		{252, s + "SystemCallFilter=~@sandbox", `2:19: "@sandbox": not a set of systemd 252, which ignores it (unknown-name)`},
		{252, s + "SystemCallFilter=~mseal", `2:19: "mseal": newer than the libseccomp of systemd 252, which ignores it (unknown-name)`},
		{0, s + "SystemCallFilter=mount:EPERM", `2:18: "mount:EPERM": what a list allows has no errno, so systemd ignores the word (write it in a line that begins with ~) (ignored)`},
		{0, s + "SystemCallFilter=~mount:EPREM", `2:19: "mount:EPREM": not an errno behind the colon, so systemd ignores the word (use a name such as EPERM, a number up to 4094, or kill) (ignored)`},
		{0, s + "SystemCallFilter=~mount:4096", `2:19: "mount:4096": not an errno behind the colon, so systemd ignores the word (use a name such as EPERM, a number up to 4094, or kill) (ignored)`},
		{0, s + "SystemCallFilter=~mount:1_0", `2:19: "mount:1_0": not an errno behind the colon, so systemd ignores the word (use a name such as EPERM, a number up to 4094, or kill) (ignored)`},
		{0, s + "SystemCallFilter=~mount:4095", "error: 2:19: errno 4095: libseccomp refuses it, so the unit fails with 228/SECCOMP (use another one)"},
		{0, s + "SystemCallErrorNumber=4095\nSystemCallFilter=~mount umount2 chroot:EPERM", "error: 2:23: errno 4095: libseccomp refuses it, so the unit fails with 228/SECCOMP (use another one)"},
		{252, s + "SystemCallErrorNumber=4095\nSystemCallFilter=mount", "error: 2:23: errno 4095: libseccomp refuses it, so the unit fails with 228/SECCOMP (use another one)"},
		{0, s + "SystemCallErrorNumber=4095\nSystemCallFilter=~mount:EPERM", ""},
		{0, s + "SystemCallFilter=read\nSystemCallFilter=~@clock:ENOSYS", "error: 3:19: ERRNO(38): calls that the list does not name get this anyway, so libseccomp refuses the filter and the unit fails with 228/SECCOMP (remove the errno)"},
		{252, s + "SystemCallFilter=read\nSystemCallFilter=~@clock:kill", "error: 3:19: KILL_PROCESS: calls that the list does not name get this anyway, so libseccomp refuses the filter and the unit fails with 228/SECCOMP (remove the errno)"},
		{252, s + "SystemCallFilter=read\nSystemCallFilter=~@clock:ENOSYS", ""},
		{0, s + "SystemCallErrorNumber=0", `2:23: "0": not an error, so systemd ignores the line (use a name such as EPERM, or a number from 1 to 4094) (ignored)`},
		{0, s + "SystemCallErrorNumber=-1", `2:23: "-1": not an error, so systemd ignores the line (use a name such as EPERM, or a number from 1 to 4094) (ignored)`},
		{0, s + "SystemCallLog=mount:EPERM", `2:15: "mount:EPERM": not a call that libseccomp knows, so systemd ignores it (unknown-name)`},
		{0, s + "SystemCallArchitectures=x86_64 native", `2:25: "x86_64": not a name of an architecture, so systemd ignores it (did you mean x86-64?) (unknown-name)`},
		{0, s + "SystemCallArchitectures=x86,native", `2:25: "x86,native": not a name of an architecture, so systemd ignores it (put spaces between words, and nothing else) (unknown-name)`},
		{0, s + "SystemCallArchitectures=native \"x86", `2:25: "native \"x86": a quote without its end, so systemd ignores the last word (end the quote) (ignored)`},
		{0, s + "RestrictAddressFamilies=AF_INTE", `2:25: "AF_INTE": not an address family, so systemd ignores it and the rest of the line (did you mean AF_INET?) (unknown-name)`},
		{257, s + "RestrictAddressFamilies=UNIX", `2:25: "UNIX": not an address family, so systemd ignores it (did you mean AF_UNIX?) (unknown-name)`},
		{257, s + "RestrictAddressFamilies=unix", `2:25: "unix": not an address family, so systemd ignores it (did you mean AF_UNIX?) (unknown-name)`},
		{0, s + "MemoryDenyWriteExecute=no\nMemoryDenyWriteExecute=yes", "3:24: MemoryDenyWriteExecute: no filter: systemd 262 asks the kernel with prctl (PR_SET_MDWE) where it has that, from Linux 6.3 on (for an older kernel, make that one the target's) (ignored)"},
		{257, s + "MemoryDenyWriteExecute=yes\nMemoryDenyWriteExecute=no", ""},
		{252, s + "MemoryDenyWriteExecute=yes", ""},
		{0, s + "RestrictNamespaces=~user mount", `2:26: "mount": not a kind of namespace, so systemd ignores the line (did you mean mnt?) (unknown-name)`},
		{0, s + "RestrictRealtime=", `2:18: "": not a boolean, so systemd ignores the line (use yes or no) (ignored)`},
		{257, s + "ProtectHostname=yes:name", `2:17: "yes:name": not a boolean, so systemd ignores the line (use yes or no) (ignored)`},
		{262, s + "ProtectHostname=no:name", `2:17: "no:name": not a boolean, so systemd ignores the line (use yes or no) (ignored)`},
		{0, s + "Personality=s390", `2:13: "s390": not a personality of x86_64, so systemd ignores the line (ignored)`},
		{0, s + "A=" + strings.Repeat("x", 1<<20), "error: 2:1: a line of more than 1 MiB, so systemd does not load the unit (split it)"},
		{255, s, "error: systemd 255: unknown version (use 252, 257 or 262, the nearest one that is not newer)"},
	}
	if len(tests) < 30 {
		t.Error("too few")
	}
	for _, tt := range tests {
		source := language.NewSource([]byte(tt.text))
		reading, err := systemd.Language{Version: tt.version}.Read(source, policy.Target{ABI: arch.X86_64})
		var got []string
		for _, w := range reading.Warnings {
			got = append(got, w.String())
			if w.Line == 0 {
				t.Errorf("%.80q: a warning without a line", tt.text)
			}
		}
		if err != nil {
			got = append(got, "error: "+strings.TrimPrefix(err.Error(), "policy: "))
		}
		if (reading.Policy == nil) != (err != nil) || strings.Join(got, "\n") != tt.want {
			t.Errorf("%d %.80q:\ngot  %s\nwant %s", tt.version, tt.text, strings.Join(got, "\n     "), tt.want)
		}
	}
	if _, err := (systemd.Language{}).Read(language.NewSource(nil), policy.Target{ABI: 200}); err == nil {
		t.Error("read for an ABI that does not exist")
	}
}

// Reading ends soon, and says a bounded amount, whatever the text.
func TestHostileUnits(t *testing.T) {
	for name, part := range map[string]string{
		"sets": "SystemCallFilter=@known\n", "a long line": "~@known \\\n", "unknown calls": "SystemCallFilter=foo bar baz\n", "keys": "SystemCallFiltes=\n",
		"families": "RestrictAddressFamilies=AF_FOO\n", "flags": "LockPersonality=\n", "continued": "\\\n", "words": "SystemCallFilter=a:b c:d\n", "sections": "[Servise]\n", "empty": "\n",
		"errors": "SystemCallFilter=~mount:4095\n",
	} {
		text := "[Service]\n" + strings.Repeat(part, (4<<20)/len(part))
		if name == "a long line" {
			text = "[Service]\nSystemCallFilter=" + strings.Repeat(part, (1<<19)/len(part)) + "\n"
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		reading, err := systemd.Language{Version: 252}.Read(language.NewSource([]byte(text)), policy.Target{ABI: arch.X86_64})
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 400*uint64(len(text)) {
			t.Errorf("%s: allocated %d bytes for %d", name, n, len(text))
		}
		if n := len(reading.Warnings); n > 3003 {
			t.Errorf("%s: %d warnings", name, n)
		}
		if err != nil && strings.Count(err.Error(), "\n") > 1000 {
			t.Errorf("%s: more than 1000 errors", name)
		}
		if i := slices.IndexFunc(reading.Warnings, func(w policy.Warning) bool { return w.More > 0 }); name == "flags" && (i != 1000 || reading.Warnings[i].More < 100000) {
			t.Errorf("%s: does not say how many more warnings there are", name)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"[Service]\nSystemCallFilter=@system-service\nSystemCallFilter=~@clock:EPERM \\\n# x\n chroot\nSystemCallErrorNumber=EPERM\n",
		"[Service]\nSystemCallArchitectures=native \"x86\"\nRestrictAddressFamilies=~AF_UNIX 'AF_INET'\nRestrictNamespaces=~user\nLockPersonality=yes\n",
		"\ufeff[Socket]\r\nSystemCallLog=~@default\nMemoryDenyWriteExecute=1\nRestrictRealtime=on\nRestrictSUIDSGID=t\nProtectHostname=yes:a\n",
		"[Mount]\nProtectClock=y\nProtectKernelLogs=y\nProtectKernelModules=y\nProtectKernelTunables=y\nPrivateDevices=y\nPersonality=x86\nDynamicUser=0\n",
	} {
		for version := range uint8(4) {
			f.Add([]byte(text), version, uint8(arch.X86_64))
		}
	}
	versions := [...]int{0, 252, 257, 262}
	f.Fuzz(func(t *testing.T, text []byte, version, abi uint8) {
		if len(text) > 1<<14 {
			return
		}
		source := language.NewSource(text)
		target := policy.Target{ABI: arch.ABI(abi%uint8(arch.SHEB) + 1)}
		reading, err := systemd.Language{Version: versions[version%4]}.Read(source, target)
		if (reading.Policy == nil) == (err == nil) {
			t.Fatalf("policy %v, error %v", reading.Policy, err)
		}
		if err != nil {
			if errs, ok := err.(policy.Errors); !ok || len(errs) == 0 {
				t.Fatalf("error %#v", err)
			}
			return
		}
		for _, p := range members(reading.Policy) {
			if _, _, err := policy.Resolve(p, policy.Options{ABIs: p.ABIs}); err != nil {
				t.Error(err)
			}
			for _, r := range p.Rules {
				if line, column := source.Position(r.Pointer); line == 0 || column == 0 {
					t.Errorf("no rule at %s", r.Pointer)
				}
			}
		}
	})
}

func Example() {
	unit := `[Service]
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@resources
LockPersonality=yes
RestrictRealtimes=yes
`
	source := language.NewSource([]byte(unit))
	reading, err := systemd.Language{Version: 257}.Read(source, policy.Target{ABI: arch.X86_64})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, w := range reading.Warnings {
		fmt.Println(w)
	}
	newest := reading.Policy
	for _, p := range append(newest.Older, newest) {
		fmt.Println(p.ABIs, len(p.Rules), "rules, else", p.Default, "and through other ABIs", p.Elsewhere)
	}
	// Output:
	// 6:1: "RestrictRealtimes": not a key of systemd's, which ignores it (did you mean RestrictRealtime?) (unknown-key)
	// [x86_64] 0 rules, else ALLOW and through other ABIs KILL_THREAD
	// [x86_64] 1 rules, else ALLOW and through other ABIs ALLOW
	// [x86_64] 2 rules, else ERRNO(0) and through other ABIs ALLOW
}
