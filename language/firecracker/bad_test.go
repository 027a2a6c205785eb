package firecracker

import (
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// Each problem has its place and a cure.
func TestBadFiles(t *testing.T) {
	const actions = `"default_action": "trap", "filter_action": "allow"`
	tests := []struct {
		thread, text string
		want         string // all problems, one a line
	}{
		{"", ``, `1:1: : the input is empty (expected a JSON object)`},
		{"", `[]`, `1:1: : expected an object, got a list (write the name of a thread and its filter)`},
		{"", `{}`, `1:1: : the file has no filter (name a thread and write its filter)`},
		{"", `{"vmm": }`, `1:9: : expected a value, got '}'`},
		{"", `{"vmm": []}`, `1:9: /vmm: expected an object, got a list (write it as KEY: VALUE, with the keys default_action, filter_action, filter)`},
		{"", `{"vmm": {}}`, `1:9: /vmm: the key default_action is missing (say what calls get that no rule decides)
1:9: /vmm: the key filter_action is missing (say what calls get for which a rule holds)
1:9: /vmm: the key filter is missing (write a list of rules, which may be empty)`},
		{"", `{"vmm": {"mismatch_action": "trap", "match_action": "allow", "filter": []}}`, `1:9: /vmm: the key default_action is missing (say what calls get that no rule decides)
1:9: /vmm: the key filter_action is missing (say what calls get for which a rule holds)`},
		{"", `{"vmm": {` + actions + `}}`, `1:9: /vmm: the key filter is missing (write a list of rules, which may be empty)`},
		{"", `{"vmm": {` + actions + `, "filter": null}}`, `1:9: /vmm: the key filter is missing (write a list of rules, which may be empty)`},
		{"", `{"vmm": {` + actions + `, "filter": {}}}`, `1:72: /vmm/filter: expected a list, got an object (put the rules in brackets)`},
		{"", `{"vmm": {` + actions + `, "filter": [], "filter": []}}`, `1:76: /vmm/filter: the key is given twice (remove one)`},
		{"", `{"vmm": {"default_action": "Trap", "filter_action": "kill", "filter": []}}`, `1:28: /vmm/default_action: "Trap": unknown action (did you mean trap?)
1:53: /vmm/filter_action: "kill": unknown action (use allow, errno, kill_thread, kill_process, log, trace, trap)`},
		{"", `{"vmm": {"default_action": "errno", "filter_action": {"trace": -1}, "filter": []}}`, `1:28: /vmm/default_action: errno needs a number (write {"errno": NUMBER})
1:64: /vmm/filter_action/trace: -1: not an integer from 0 to 65535 (write one)`},
		{"", `{"vmm": {"default_action": {"errno": 65536}, "filter_action": {"errno": 4095}, "filter": []}}`, `1:38: /vmm/default_action/errno: 65536: not an integer from 0 to 65535 (write one)
1:73: /vmm/filter_action/errno: 4095: libseccomp takes errors up to 4094 (use one of these)`},
		{"", `{"vmm": {"default_action": {"errno": 1, "trace": 2}, "filter_action": {"allow": 1}, "filter": []}}`, `1:28: /vmm/default_action: expected one action with its operand (write {"WORD": NUMBER})
1:81: /vmm/filter_action/allow: allow takes no operand (write "allow")`},
		{"", `{"vmm": {"default_action": {}, "filter_action": 7, "filter": []}}`, `1:28: /vmm/default_action: expected one action with its operand (write {"WORD": NUMBER})
1:49: /vmm/filter_action: expected a string, got a number (write one action in quotes: allow, errno, kill_thread, kill_process, log, trace, trap)`},
		{"", `{"vmm": {"default_action": {"errno": "EPERM"}, "filter_action": {"errno": "7"}, "filter": []}}`, `1:38: /vmm/default_action/errno: expected a number, got a string (write a number from 0 to 65535)
1:75: /vmm/filter_action/errno: expected a number, got a string (write 7 without quotes)`},
		{"", `{"vmm": {"default_action": "allow", "filter_action": "allow", "filter": [{"syscall": "read"}]}}`, `1:54: /vmm/filter_action: the same as default_action, which libseccomp refuses (change one, or leave the rules out)`},
		{"api", `{"vmm": {` + actions + `, "filter": []}, "apj": {` + actions + `, "filter": []}}`, `1:1: : "api": unknown thread (did you mean apj?)`},
		{"x", `{"vmm": {` + actions + `, "filter": []}}`, `1:1: : "x": unknown thread (use vmm)`},
		{"", `{"vmm": {` + actions + `, "filter": []}, "api": {` + actions + `, "filter": []}}`, `1:1: : the file has filters of several threads (name one with the setting thread: vmm, api)`},
		{"vmm", `{"vmm": {` + actions + `, "filter": []}, "api": {` + actions + `, "filter": [1]}}`, `1:148: /api/filter/0: expected an object, got a number (write it as KEY: VALUE, with the keys syscall, args)`},
		{"", rules(`{}`), `1:73: /vmm/filter/0: the key syscall is missing (name the system call)`},
		{"", rules(`{"syscall": 1}`), `1:85: /vmm/filter/0/syscall: expected a string, got a number (write the name of one call)`},
		{"", rules(`{"syscall": ["read"]}`), `1:85: /vmm/filter/0/syscall: expected a string, got a list (write the name of one call)`},
		{"", rules(`{"syscall": "wriet"}`), `1:85: /vmm/filter/0/syscall: "wriet": Linux has no such call (did you mean write?)`},
		{"", rules(`{"syscall": "no_such_call_at_all"}`), `1:85: /vmm/filter/0/syscall: "no_such_call_at_all": Linux has no such call (remove the rule)`},
		{"", rules(`{"syscall": "read", "args": {}}`), `1:101: /vmm/filter/0/args: expected a list, got an object (put the conditions in brackets)`},
		{"", rules(`{"syscall": "read", "args": [1]}`), `1:102: /vmm/filter/0/args/0: expected an object, got a number (write it as KEY: VALUE, with the keys index, type, op, val)`},
		{"", condition(`{}`), `1:103: /vmm/filter/0/args/0: the key index is missing (number the argument, from 0 to 5)
1:103: /vmm/filter/0/args/0: the key val is missing (write the number to compare with)
1:103: /vmm/filter/0/args/0: the key type is missing (write dword for an argument of 32 bits or qword for one of 64)
1:103: /vmm/filter/0/args/0: the key op is missing (write an operator: eq, ne, lt, le, gt, ge, masked_eq)`},
		{"", condition(`{"arg_index": 1, "arg_type": "dword", "op": "eq", "val": 1}`), `1:103: /vmm/filter/0/args/0: the key index is missing (number the argument, from 0 to 5)
1:103: /vmm/filter/0/args/0: the key type is missing (write dword for an argument of 32 bits or qword for one of 64)`},
		{"", condition(`{"index": 6, "type": "dword", "op": "eq", "val": 1}`), `1:103: /vmm/filter/0/args/0: index 6: a call has arguments 0 to 5 (use one of these)`},
		{"", condition(`{"index": 256, "type": "dword", "op": "eq", "val": 1}`), `1:113: /vmm/filter/0/args/0/index: 256: not an integer from 0 to 255 (write one)`},
		{"", condition(`{"index": 1, "type": "word", "op": "eq", "val": 1}`), `1:124: /vmm/filter/0/args/0/type: "word": unknown type (did you mean dword?)`},
		{"", condition(`{"index": 1, "type": 4, "op": "eq", "val": 1}`), `1:124: /vmm/filter/0/args/0/type: expected a string, got a number (write dword or qword)`},
		{"", condition(`{"index": 1, "type": "dword", "op": "==", "val": 1}`), `1:139: /vmm/filter/0/args/0/op: "==": unknown operator (use eq, ne, lt, le, gt, ge, masked_eq)`},
		{"", condition(`{"index": 1, "type": "dword", "op": "masked_eq", "val": 1}`), `1:139: /vmm/filter/0/args/0/op: masked_eq needs a number (write {"masked_eq": NUMBER})`},
		{"", condition(`{"index": 1, "type": "dword", "op": {"eq": 1}, "val": 1}`), `1:146: /vmm/filter/0/args/0/op/eq: eq takes no operand (write "eq")`},
		{"", condition(`{"index": 1, "type": "dword", "op": {"masked_eq": 1.5}, "val": 1}`), `1:153: /vmm/filter/0/args/0/op/masked_eq: 1.5: not an integer from 0 to 18446744073709551615 (write one)`},
		{"", condition(`{"index": 1, "type": "dword", "op": "eq", "val": -1}`), `1:152: /vmm/filter/0/args/0/val: -1: not an integer from 0 to 18446744073709551615 (comparisons are unsigned: write 18446744073709551615)`},
		{"", condition(`{"index": 1, "type": "dword", "op": "eq", "val": 18446744073709551616}`), `1:152: /vmm/filter/0/args/0/val: 18446744073709551616: not an integer from 0 to 18446744073709551615 (write one)`},
		{"", condition(`{"index": 1, "type": "dword", "op": "eq", "val": "0x10"}`), `1:152: /vmm/filter/0/args/0/val: expected a number, got a string (write 16 without quotes)`},
		{"", condition(`{"index": 1, "type": "qword", "op": "eq", "val": 1}, {"index": 1, "type": "qword", "op": "ne", "val": 2}`), `1:156: /vmm/filter/0/args/1: a second condition on argument 1, which libseccomp refuses (join the two, or write a rule for each if one is enough)`},
	}
	for _, tt := range tests {
		s := language.NewSource([]byte(tt.text))
		reading, err := Language{Thread: tt.thread}.Read(s, policy.Target{ABI: arch.X86_64})
		if err == nil || reading.Policy != nil {
			t.Errorf("%s: read", tt.text)
			continue
		}
		problems, ok := err.(policy.Errors)
		if !ok || len(problems) == 0 {
			t.Fatalf("%s: %T", tt.text, err)
		}
		s.Locate(nil, err)
		var lines []string
		for _, p := range problems {
			if p.Line == 0 || p.Kind != policy.Syntax && !strings.HasSuffix(p.Reason, ")") {
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
	_, err := Language{}.Read(language.NewSource([]byte(rules(""))), policy.Target{ABI: arch.ARM})
	if want := "policy: arm: Firecracker has no filters for it (read the file for x86_64, aarch64 or riscv64)"; err == nil || err.Error() != want {
		t.Error(err)
	}
	for _, a := range []arch.ABI{arch.X32, arch.X86} {
		l := Language{Targets: []arch.ABI{arch.X86_64, a}}
		_, err := l.Read(language.NewSource([]byte(rules(""))), policy.Target{ABI: arch.X86_64})
		if want := "policy: " + a.String() + ": Firecracker has no filters for it (read the file for x86_64, aarch64 or riscv64)"; err == nil || err.Error() != want {
			t.Error(err)
		}
	}
	l := Language{Targets: []arch.ABI{arch.AArch64, arch.X86_64}} // the target's does not count
	reading, err := l.Read(language.NewSource([]byte(rules(`{"syscall": "read"}`))), policy.Target{ABI: arch.ARM})
	if err != nil || !slices.Equal(reading.Policy.ABIs, l.Targets) {
		t.Errorf("%+v, %v", reading.Policy, err)
	}
	if arch.Native() == arch.X86_64 || arch.Native() == arch.AArch64 {
		if _, err := (Language{}).Read(language.NewSource([]byte(rules(""))), policy.Target{}); err != nil {
			t.Errorf("the native ABI: %v", err)
		}
	}
}
