package beats

import (
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// Each problem has its place and a cure.
func TestBadPolicies(t *testing.T) {
	tests := []struct {
		text string
		want string // all problems, one a line
	}{
		{"", `1:1: : the input is empty (expected a YAML mapping)`},
		{"[]", `1:1: : expected an object, got a list (write the key seccomp, and below it default_action and syscalls)`},
		{"a: b", `1:1: : there is no policy (write the key seccomp, and below it default_action and syscalls)`},
		{"seccomb:\n  syscalls: []", `1:1: /seccomb: "seccomb": unknown key, and there is no policy (did you mean seccomp?)`},
		{"seccomp:", `1:1: : there is no policy (write the key seccomp, and below it default_action and syscalls)`},
		{"seccomp: 1", `1:10: /seccomp: expected an object, got a number (write it as KEY: VALUE, with the keys default_action, syscalls, enabled)`},
		{"seccomp:\n  syscalls: [\n", `2:3: : not YAML: did not find expected node content (indent all keys or values of one level alike)`},
		{"seccomp.default_action: allow\nseccomp: {syscalls: [{action: log, names: [read]}]}", `1:1: /seccomp.default_action: "seccomp.default_action": only Beats take a key with dots, and other users of go-seccomp-bpf ignore it (write seccomp: and the rest below it)`},
		{"seccomp: {syscalls: [{action: log}]}\nseccomp: 1", `2:1: : "seccomp": the key is there twice, first at 1:1 (remove one)`},
		{"seccomp: {default_action: allow}", `1:10: /seccomp: the key syscalls is missing (write a list of groups)`},
		{"seccomp: {syscalls: []}", `1:21: /seccomp/syscalls: there is no group (write one at least)`},
		{"seccomp: {syscalls: {action: log}}", `1:21: /seccomp/syscalls: expected a list, got an object (write a list of groups, each with a dash)`},
		{"seccomp: {enabled: false, syscalls: [{action: log, names: [read]}]}", `1:20: /seccomp/enabled: the policy is not enabled, so there is no filter (write true, or remove the key)`},
		{"seccomp: {enabled: maybe, syscalls: [{action: log, names: [read]}]}", `1:20: /seccomp/enabled: expected a boolean, got a string (write true, or remove the key)`},
		{"seccomp: {default_action: permit, syscalls: [{action: log, names: [read]}]}", `1:27: /seccomp/default_action: "permit": unknown action (use kill_thread, kill_process, trap, errno, trace, log, allow)`},
		{"seccomp: {default_action: {errno: 1}, syscalls: [{action: log, names: [read]}]}", `1:27: /seccomp/default_action: expected a string, got an object (write an action: kill_thread, kill_process, trap, errno, trace, log, allow)`},
		{groups("  - read\n"), `4:5: /seccomp/syscalls/0: expected an object, got a string (write it as KEY: VALUE, with the keys names, names_with_args, action)`},
		{groups("  - names: [read]\n"), `4:5: /seccomp/syscalls/0: the key action is missing (say what the calls get)`},
		{groups("  - {action: user_notify, names: [read]}\n"), `4:14: /seccomp/syscalls/0/action: "user_notify": go-seccomp-bpf reads no such action (use one of kill_thread, kill_process, trap, errno, trace, log, allow)`},
		{groups("  - {action: kill, names: [read]}\n"), `4:14: /seccomp/syscalls/0/action: "kill": unknown action (use kill_thread, kill_process, trap, errno, trace, log, allow)`},
		{groups("  - {action: 5, names: [read]}\n"), `4:14: /seccomp/syscalls/0/action: expected a string, got a number (write an action: kill_thread, kill_process, trap, errno, trace, log, allow)`},
		{groups("  - {action: log, names: {read: 1}}\n"), `4:26: /seccomp/syscalls/0/names: expected a list, got an object (write a list, each the name of a call with a dash)`},
		{groups("  - {action: log, names: [[read]]}\n"), `4:27: /seccomp/syscalls/0/names/0: expected a string, got a list (write the name of a call)`},
		{groups("  - {action: log, names: [raed, no_such_call_at_all, mmap2, 5]}\n"), `4:27: /seccomp/syscalls/0/names/0: "raed": Linux has no such call (did you mean read?)
4:33: /seccomp/syscalls/0/names/1: "no_such_call_at_all": Linux has no such call (remove it)
4:54: /seccomp/syscalls/0/names/2: "mmap2": x86_64 has no such call (leave it out, in a policy for each ABI)
4:61: /seccomp/syscalls/0/names/3: expected a string, got a number (write the name of a call)`},
		{groups("  - {action: log, names: [read, read]}\n"), `4:33: /seccomp/syscalls/0/names/1: "read": the group has the call already (remove one)`},
		{groups("  - {action: log, names: [read], names_with_args: [{name: read, arguments: [{operation: Equal}]}]}\n"), `4:59: /seccomp/syscalls/0/names_with_args/0/name: "read": the group has the call without conditions already (remove one)`},
		{groups("  - {action: log, names_with_args: [read]}\n"), `4:37: /seccomp/syscalls/0/names_with_args/0: expected an object, got a string (write it as KEY: VALUE, with the keys name, arguments)`},
		{groups("  - {action: log, names_with_args: [{name: read}]}\n"), `4:37: /seccomp/syscalls/0/names_with_args/0: the key arguments is missing (write a list of conditions, each with a dash, or put the call into names)`},
		{groups("  - {action: log, names_with_args: [{name: read, arguments: []}]}\n"), `4:61: /seccomp/syscalls/0/names_with_args/0/arguments: there is no condition (write a list of conditions, each with a dash, or put the call into names)`},
		{groups("  - {action: log, names_with_args: [{name: read, arguments: {argument: 1}}]}\n"), `4:61: /seccomp/syscalls/0/names_with_args/0/arguments: expected a list, got an object (write a list of conditions, each with a dash, or put the call into names)`},
		{groups("  - {action: log, names_with_args: [{arguments: [{operation: Equal, value: 1}]}]}\n"), `4:37: /seccomp/syscalls/0/names_with_args/0: the key name is missing (name the system call)`},
		{condition("{argument: 6, operation: Equal, value: 1}"), `6:44: /seccomp/syscalls/0/names_with_args/0/arguments/0/argument: 6: a call has arguments 0 to 5 (use one of these)`},
		{condition("{argument: 4294967296, operation: Equal, value: 1}"), `6:44: /seccomp/syscalls/0/names_with_args/0/arguments/0/argument: 4294967296: not an integer from 0 to 4294967295 (write one)`},
		{condition("{argument: -1, operation: Equal, value: 1}"), `6:44: /seccomp/syscalls/0/names_with_args/0/arguments/0/argument: -1: not an integer from 0 to 4294967295 (write one)`},
		{condition("{argument: 1, value: 1}"), `6:33: /seccomp/syscalls/0/names_with_args/0/arguments/0: the key operation is missing (write an operation: Equal, NotEqual, GreaterThan, GreaterOrEqual, LessThan, LessOrEqual, BitsSet, BitsNotSet)`},
		{condition("{argument: 1, operation: Masked, value: 1}"), `6:58: /seccomp/syscalls/0/names_with_args/0/arguments/0/operation: "Masked": unknown operation (use Equal, NotEqual, GreaterThan, GreaterOrEqual, LessThan, LessOrEqual, BitsSet, BitsNotSet)`},
		{condition("{argument: 1, operation: NotEquals, value: 1}"), `6:58: /seccomp/syscalls/0/names_with_args/0/arguments/0/operation: "NotEquals": unknown operation (did you mean NotEqual?)`},
		{condition("{argument: 1, operation: 1, value: 1}"), `6:58: /seccomp/syscalls/0/names_with_args/0/arguments/0/operation: expected a string, got a number (write an operation: Equal, NotEqual, GreaterThan, GreaterOrEqual, LessThan, LessOrEqual, BitsSet, BitsNotSet)`},
		{condition("{argument: 1, operation: Equal, value: -1}"), `6:72: /seccomp/syscalls/0/names_with_args/0/arguments/0/value: -1: not an integer from 0 to 18446744073709551615 (comparisons are unsigned: write 18446744073709551615)`},
		{condition("{argument: 1, operation: Equal, value: 1.5}"), `6:72: /seccomp/syscalls/0/names_with_args/0/arguments/0/value: 1.5: not an integer from 0 to 18446744073709551615 (write one)`},
		{condition("{argument: 1, operation: Equal, value: CLONE_NEWUSER}"), `6:72: /seccomp/syscalls/0/names_with_args/0/arguments/0/value: expected a number, got a string (write a number from 0 to 18446744073709551615)`},
		{condition("{argument: 1, operation: Equal, value: 0x10000000000000000}"), `6:72: /seccomp/syscalls/0/names_with_args/0/arguments/0/value: 18446744073709551616: not an integer from 0 to 18446744073709551615 (write one)`},
	}
	for _, tt := range tests {
		s := language.NewSource([]byte(tt.text))
		reading, err := Language{}.Read(s, policy.Target{ABI: arch.X86_64})
		if err == nil || reading.Policy != nil {
			t.Errorf("%s: read", tt.text)
			continue
		}
		problems, ok := err.(policy.Errors)
		if !ok || len(problems) == 0 {
			t.Fatalf("%s: %T", tt.text, err)
		}
		var lines []string
		for _, p := range problems {
			if p.Line == 0 || !strings.HasSuffix(p.Reason, ")") {
				t.Errorf("%s: no place or no cure: %+v", tt.text, p)
			}
			lines = append(lines, s.Place(p.Line, p.Column)+": "+p.Pointer+": "+p.Reason)
		}
		if got := strings.Join(lines, "\n"); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func TestOtherTargets(t *testing.T) {
	text := groups("  - {action: log, names: [read]}\n")
	_, err := Language{}.Read(language.NewSource([]byte(text)), policy.Target{ABI: arch.S390X})
	if want := "policy: s390x: go-seccomp-bpf has no calls of it (read the policy for x86_64, x86, arm or aarch64)"; err == nil || err.Error() != want {
		t.Error(err)
	}
	if arch.Native() == arch.X86_64 || arch.Native() == arch.AArch64 {
		if _, err := (Language{}).Read(language.NewSource([]byte(text)), policy.Target{}); err != nil {
			t.Errorf("the native ABI: %v", err)
		}
	}
}
