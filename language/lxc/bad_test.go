package lxc_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/lxc"
	"github.com/seccompile/seccompile/policy"
)

// What LXC refuses is an error and what it ignores a warning: each with its place and a cure.
func TestBadPolicies(t *testing.T) {
	const deny, allow = "2\ndenylist\n", "2\nallowlist\n"
	tests := []struct {
		text string
		want string // the warnings and then the errors, one a line
	}{
		{"", `error: 1:1: "": not a version of the language (write 2 into the first line)`},
		{"2", `error: 1:2: the text ends where denylist or allowlist should be (add this line)`},
		{"2\n", `error: 2:1: the text ends where denylist or allowlist should be (add this line)`},
		{"x\ndenylist\n", `error: 1:1: "x": not a version of the language (write 2 into the first line)`},
		{"3\ndenylist\n", `error: 1:1: "3": not a version of the language (write 2 into the first line)`},
		{"2 denylist x\nread y", `1:2: no line ends behind the version, and LXC looks for the style here (start a new line) (ignored)
error: 1:12: "x": unknown action (use kill, errno and a number, allow, trap or notify)`},
		{"2\ndenylist debug\n", `error: 2:10: debug: LXC refuses policies with this word (remove it)`},
		{"2\ndenylst\nread", `error: 2:1: "denylst": unknown style (did you mean denylist?)`},
		{"2\nDENYLIST\n", `error: 2:1: "DENYLIST": unknown style (did you mean denylist?)`},
		{"2\ndenylist \nread", `error: 2:10: nothing but space follows the style (remove the space)`},
		{"2\ndenylist nothing", `error: 2:10: "nothing": unknown action (use kill, errno and a number, allow, trap or notify)`},
		{"2\ndenylist errno x", `error: 2:10: the number of an error is missing behind errno (write one, as in errno 1)`},
		{"2\ndenylist errno 4095", `error: 2:10: 4095: the largest error that libseccomp takes is 4094 (use one that exists)`},
		{"2\nallowlisted kill # x\nread", `2:1: "ed": LXC ignores this (remove it) (ignored)`},
		{"2\nallowlist kill more\nread", `2:15: "more": LXC ignores this (remove it) (ignored)`},
		{deny + "read log\nwrite KILL", `error: 3:6: "log": unknown action (use kill, errno and a number, allow, trap or notify)
error: 4:7: "KILL": unknown action (did you mean kill?)`},
		{deny + "read errno", `error: 3:6: the number of an error is missing behind errno (write one, as in errno 1)`},
		{deny + "read errno 4095\nno_such errno 4095", `error: 3:6: 4095: the largest error that libseccomp takes is 4094 (use one that exists)`},
		{deny + "read errno 65536", `3:6: 65536 is truncated to 16 bits: 0 (truncated)`},
		{deny + "read allow\nrecv allow", `4:1: recv: LXC makes no rule for x86, where the call is a part of socketcall or ipc (ignored)
error: 3:6: ALLOW is what calls without a rule get, and LXC refuses rules that do the same (remove the line)`},
		{allow + "read kill", `error: 3:6: KILL_THREAD is what calls without a rule get, and LXC refuses rules that do the same (remove the line)`},
		{"2\ndenylist errno 13\nreject_force_umount", `error: 3:1: ERRNO(13) is what calls without a rule get, and LXC refuses rules that do the same (remove the line)`},
		{deny + "raed errno 1", `3:1: "raed": Linux has no such call on any ABI (did you mean read?) (unknown-name)`},
		{deny + "read killed", `3:10: "ed": LXC ignores this (remove it) (ignored)`},
		{deny + "read kill rest # c", `3:10: "rest # c": LXC ignores this (remove it) (ignored)`},
		{deny + " read", `error: 3:2: "read": unknown action (use kill, errno and a number, allow, trap or notify)`},
		{deny + " kill", `3:1: no name of a call is here, so LXC ignores the line (remove the space in front, or the line) (ignored)`},
		{deny + "read\terrno 1", `error: 3:12: "1": unknown action (use kill, errno and a number, allow, trap or notify)`},
		{deny + "read\tkill", `3:1: a tab, or what else is not a space, is part of the name to LXC (write spaces, and lines that end with a line feed alone) (ignored)
3:1: "read\tkill": Linux has no such call on any ABI (unknown-name)`},
		{deny + "read errno 1\r\nwrite\r\n", `4:1: a tab, or what else is not a space, is part of the name to LXC (write spaces, and lines that end with a line feed alone) (ignored)
4:1: "write\r": Linux has no such call on any ABI (did you mean write?) (unknown-name)`},
		{deny + "[sparc]\nread x", `error: 3:1: "[sparc]": unknown heading (use one of [all], [x86], [x32], [x86_64], [arm], [arm64], [ppc64le], [ppc64], [ppc], [mips64], [mips64n32], [mips], [mipsel64], [mipsel64n32], [mipsel], [s390x], [s390], [loongarch64])`},
		{deny + "[x86] ", `error: 3:6: space is behind the heading, and LXC refuses this (remove it)`},
		{deny + "[x86]\nread", `3:1: [x86]: the rules below are for every ABI of this host, as below [all]: a heading only says on which hosts they count (ignored)`},
		{deny + "read [0,1,==]", `error: 3:6: "[0,1,==]": conditions need an action in front (write kill, errno and a number, allow, trap or notify)`},
		{deny + "read kill [6,1,==]", `error: 3:12: "6,1,==": a call has arguments 0 to 5 (use one of these)`},
		{deny + "read kill [x,1,==]", `error: 3:12: "x,1,==": the index of an argument is missing (write [INDEX,VALUE,OPERATOR] or [INDEX,VALUE,SCMP_CMP_MASKED_EQ,MASK] without spaces)`},
		{deny + "read kill [ 0 , 1 , == ]", `error: 3:12: " 0 , 1 , == ": not a condition (write [INDEX,VALUE,OPERATOR] or [INDEX,VALUE,SCMP_CMP_MASKED_EQ,MASK] without spaces)`},
		{deny + "read kill [0,-1,==]", `error: 3:12: "0,-1,==": "-1" is not a number of 64 bits (write a decimal one, or one with 0x or 0 in front)`},
		{deny + "read kill [0,18446744073709551616,==]", `error: 3:12: "0,18446744073709551616,==": "18446744073709551616" is not a number of 64 bits (write a decimal one, or one with 0x or 0 in front)`},
		{deny + "read kill [0,0x,==]", `error: 3:12: "0,0x,==": "0x" is not a number of 64 bits (write a decimal one, or one with 0x or 0 in front)`},
		{deny + "read kill [0,1,=]", `error: 3:12: "0,1,=": "=": unknown operator (use SCMP_CMP_EQ, NE, LT, LE, GT, GE or MASKED_EQ, or ==, !=, <, <=, >, >= or &=)`},
		{deny + "read kill [0,1,SCMP_CMP_EG]", `error: 3:12: "0,1,SCMP_CMP_EG": "SCMP_CMP_EG": unknown operator (did you mean SCMP_CMP_EQ?)`},
		{deny + "read kill [0,1,SCMP_CMP_EQ ]", `error: 3:12: "0,1,SCMP_CMP_EQ ": "SCMP_CMP_EQ ": unknown operator (did you mean SCMP_CMP_EQ?)`},
		{deny + "read kill [0,1,&=,x]", `error: 3:12: "0,1,&=,x": "x" is not a number of 64 bits (write a decimal one, or one with 0x or 0 in front)`},
		{deny + "read kill [0,1,&=]", `3:12: no bit is in the mask, so that this holds for every value (add a mask) (ignored)`},
		{deny + "read kill [0,1,==,255]", `3:12: == has no mask: LXC ignores this one (use SCMP_CMP_MASKED_EQ, or remove it) (ignored)`},
		{deny + "read kill [0,1,==5] x [1,1,>,,]", `3:18: "5": LXC ignores this (remove it) (ignored)
3:20: "x": LXC ignores this (remove it) (ignored)`},
		{deny + "read kill [0,1,==] # c", `error: 3:19: " # c": behind a condition there can be only another one, no comment and no space (remove this)`},
		{deny + "read kill [0,1,==] ", `error: 3:19: " ": behind a condition there can be only another one, no comment and no space (remove this)`},
		{deny + "read kill # [c]", `error: 3:14: "c": the index of an argument is missing (write [INDEX,VALUE,OPERATOR] or [INDEX,VALUE,SCMP_CMP_MASKED_EQ,MASK] without spaces)`},
		{deny + "read kill [0,1,==][0,2,==]", `error: 3:6: two conditions on argument 0: libseccomp refuses such rules (leave one, or write a line for each if either will do)`},
		{deny + "read errno 1 [0,1,==]\nread errno 2 [0,1,==]", `error: 4:1: contradicts 3:1: read under the same conditions gets ERRNO(2) here and ERRNO(1) there (remove one)`},
		{deny + "read kill [0,1,==][1,1,==][2,1,==][3,1,==][4,1,==][5,1,==][0,5,==]", `3:59: "[0,5,==]": LXC ignores this (remove it) (ignored)`},
		{deny + "reject_force_umount errno 2", `3:1: reject_force_umount always gives EACCES: LXC ignores what is behind it (remove the rest) (ignored)`},
		{deny + "recv errno 1\nshmget errno 1", `3:1: recv: LXC makes no rule for x86, where the call is a part of socketcall or ipc (ignored)
4:1: shmget: LXC makes no rule for x86, where the call is a part of socketcall or ipc (ignored)`},
		{deny + "read\x00 kill", `3:5: a zero byte: LXC reads nothing behind it in this line (remove it) (ignored)`},
		{"1\ndenylist\n0", `error: 2:1: "denylist": version 1 has only allowlists (write allowlist)`},
		{"1\nwhitelist\n0", `error: 2:1: "whitelist": version 1 has only allowlists (write allowlist)`},
		{"1\nallowlist errno 1\n0", `2:1: "allowlist errno 1": LXC reads this as allowlist, and ignores the rest (ignored)`},
		{"1\nallowlist\n0\n\n# c\nread\n-1", `error: 4:1: "": not a number, and version 1 has neither names nor comments nor blank lines (use version 2, or remove the line)
error: 5:1: "# c": not a number, and version 1 has neither names nor comments nor blank lines (use version 2, or remove the line)
error: 6:1: "read": not a number, and version 1 has neither names nor comments nor blank lines (use version 2, or remove the line)
error: 7:1: -1: not the number of a call (remove the line)`},
		{"1\nallowlist\n0 read", `3:2: "read": LXC ignores this (remove it) (ignored)`},
		{"1\nallowlist\n-101\n1073741824", `3:1: -101: no call has a negative number, and libseccomp's pseudo numbers stand for nothing (use the name) (foreign-number)
3:1: 0xffffff9b: not a number of this ABI, so the rule has no effect on it (remove it, or add the ABI that has it to the targets and to the rule) (on x86_64) (foreign-number)
4:1: 0x40000000: not a number of this ABI, so the rule has no effect on it (remove it, or add the ABI that has it to the targets and to the rule) (on x86_64) (foreign-number)`},
	}
	for _, tt := range tests {
		got := report(lxc.Language{}, tt.text)
		if got != tt.want {
			t.Errorf("%q:\n%s\nwant\n%s", tt.text, got, tt.want)
		}
	}
	for l, want := range map[lxc.Language]string{
		{Version: 5}: `error: 3:1: "[loongarch64]": unknown heading (use one of [all], [x86], [x32], [x86_64], [arm], [arm64], [ppc64le], [ppc64], [ppc], [mips64], [mips64n32], [mips], [mipsel64], [mipsel64n32], [mipsel], [s390x], [s390])`,
		{Version: 6}: "error: LXC 6: unknown version (use 5 or 7, the nearest one that is not newer)",
	} {
		if got := report(l, deny+"[loongarch64]"); got != want {
			t.Errorf("%+v: %s", l, got)
		}
	}
	if _, err := (lxc.Language{}).Read(language.NewSource([]byte(deny)), policy.Target{ABI: 99}); err == nil || err.Error() != "policy: no target ABI (name the ABI of the container's host)" {
		t.Error(err)
	}
}

// report returns what is said about a policy, by the reader and where it is resolved.
func report(l lxc.Language, text string) string {
	source := language.NewSource([]byte(text))
	reading, err := l.Read(source, policy.Target{ABI: arch.X86_64})
	warnings := reading.Warnings
	if err == nil {
		var more []policy.Warning
		_, more, err = policy.Resolve(reading.Policy, policy.Options{})
		source.Locate(more, err)
		warnings = append(warnings, more...)
	}
	var lines []string
	for _, w := range warnings {
		lines = append(lines, w.String())
	}
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			lines = append(lines, "error: "+strings.TrimPrefix(line, "policy: "))
		}
	}
	return strings.Join(lines, "\n")
}

// Reading ends soon, and says a bounded amount, whatever the text.
func TestHostilePoliciesEnd(t *testing.T) {
	for _, part := range []string{
		"read\n", "x\n", "\n", "read x\n", "read kill [\n", "read kill [0,1,==]x", "socket kill [0,1,==] x [0,1,==\n", "[x86]\n", "[x]\n", "read errno 70000\n", "]", " ", "read kill]",
		"read errno 1 x\n", "\x00\n", "mseal\n", "read\t\n", "[0,1,==]\n",
	} {
		for _, head := range []string{"2\ndenylist\n", "2\ndenylist\nread kill [", "1\nallowlist\n", "2 ", ""} {
			text := head + strings.Repeat(part, (1<<18)/len(part))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			reading, err := lxc.Language{Version: 5}.Read(language.NewSource([]byte(text)), policy.Target{ABI: arch.X86_64})
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > 400*uint64(len(text)) {
				t.Errorf("%q and %q: allocated %d bytes for %d", head, part, n, len(text))
			}
			var problems policy.Errors
			if errors.As(err, &problems); len(problems) > 1001 || len(reading.Warnings) > 3003 {
				t.Errorf("%q and %q: %d problems, %d warnings", head, part, len(problems), len(reading.Warnings))
			}
			if n := len(problems); n > 1000 && problems[1000].More == 0 {
				t.Errorf("%q and %q: does not say how many more problems there are", head, part)
			}
		}
	}
}
