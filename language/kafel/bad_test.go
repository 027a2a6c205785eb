package kafel

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// problems returns all problems of a text, one a line, as "LINE:COLUMN: REASON".
func problems(s *language.Source, err error) string {
	s.Locate(nil, err)
	return strings.ReplaceAll("\n"+err.Error(), "\npolicy: ", "\n")[1:]
}

// Each problem has its place and a cure.
func TestBadPolicies(t *testing.T) {
	tests := []struct {
		text string
		want string // all problems, one a line
	}{
		{"", `1:1: the policy is empty (write at least DEFAULT and an action)`},
		{"// nothing", `1:11: the policy is empty (write at least DEFAULT and an action)`},
		{"/* open", `1:1: a comment that nothing ends (write */ behind it)`},
		{"/* x **/ ALLOW { read }", `1:6: **/: two stars before the slash, which do not end a comment in all programs (use one)`},
		{"ALLOW { read };", `1:15: ";": cannot be here (remove it: only #include ends with one)`},
		{"ALLOW { read }\r\n", `1:15: "\r": cannot be here (end lines with a line feed alone)`},
		{"ALLOW { reed }", `1:9: "reed": kafel has no such call on x86_64 (did you mean read?)`},
		{"ALLOW { stat }", `1:9: "stat": kafel has no such call on x86_64 (did you mean newstat?)`},
		{"ALLOW { nothing_like_it }", `1:9: "nothing_like_it": kafel has no such call on x86_64 (leave it out, or give its number: SYSCALL[NUMBER])`},
		{"ALLOW { read, }", `1:15: "}": cannot be here (expected the name of a call, or SYSCALL[N])`},
		{"ALLOW { read } LOG", `1:19: the end of the text: cannot be here (expected { and the calls that the action is for)`},
		{"ALLOW { read },", `1:16: the end of the text: cannot be here (expected an action: ALLOW, LOG, KILL, KILL_PROCESS, USER_NOTIF, ERRNO(N), TRAP(N) or TRACE(N))`},
		{"ALOW { read }", `1:1: "ALOW": unknown action (did you mean ALLOW?)`},
		{"allow { read }", `1:1: "allow": unknown action (did you mean ALLOW?)`},
		{"ERRNO(EPERM) { read }", `1:7: "EPERM": cannot be here (expected a number: kafel has no names of errors)`},
		{"ERRNO(65536) { read }", `1:7: 65536: an action carries 16 bits (use 0 to 65535)`},
		{"ERRNO { read }", `1:7: "{": cannot be here (expected ( and a number: ERRNO(N))`},
		{"DEFAULT KILL DEFAULT ALLOW", `1:14: DEFAULT: a policy has one, and there is one at 1:1 (remove one of the two)`},
		{"#define A 1\n#define A 2\nDEFAULT ALLOW", `2:1: A: is 1 already (give the constant another name, or remove one of the two)`},
		{"#define A 1|2\nDEFAULT ALLOW", `1:12: "|": cannot be here (expected an action: ALLOW, LOG, KILL, KILL_PROCESS, USER_NOTIF, ERRNO(N), TRAP(N) or TRACE(N))`},
		{"#define A\nDEFAULT ALLOW", `2:1: "DEFAULT": cannot be here (expected a number, as in #define NAME NUMBER)`},
		{"POLICY p { #define A 1\n }", `1:12: "#": cannot be here (expected an action: ALLOW, LOG, KILL, KILL_PROCESS, USER_NOTIF, ERRNO(N), TRAP(N) or TRACE(N))`},
		{"POLICY p {} POLICY p {}", `1:13: p: there is a policy of this name at 1:1 (give it another name; an included file counts each time)`},
		{"POLICY policy {} USE polici", `1:22: "polici": no policy of this name is defined up to here (did you mean policy?)`},
		{"USE nothing", `1:5: "nothing": no policy of this name is defined up to here (define it first)`},
		{"POLICY p { POLICY q {} }", `1:12: "POLICY": cannot be here (expected an action: ALLOW, LOG, KILL, KILL_PROCESS, USER_NOTIF, ERRNO(N), TRAP(N) or TRACE(N))`},
		{"POLICY 1 {}", `1:8: "1": cannot be here (expected the name of the policy)`},
		{"ALLOW { write { fd = 1 } }", `1:20: "=": cannot be here (use == to compare)`},
		{"ALLOW { write { fd } }", `1:20: "}": cannot be here (expected an operator that compares: ==, !=, <, <=, > or >=)`},
		{"ALLOW { write { fd && fd == 1 } }", `1:17: fd: a number where a comparison belongs (compare it: ==, !=, <, <=, > or >=)`},
		{"ALLOW { write { (fd == 1) == 1 } }", `1:21: ==: a comparison where a number or an argument belongs (put it between &&, || or commas)`},
		{"ALLOW { write { fd == (fd == 1) } }", `1:27: ==: a comparison where a number or an argument belongs (put it between &&, || or commas)`},
		{"ALLOW { write { (fd == 1) & 1 == 1 } }", `1:21: ==: a comparison where a number or an argument belongs (put it between &&, || or commas)`},
		{"ALLOW { write { fd == 1 } ", `1:27: the end of the text: cannot be here (expected a comma and the next call, or } at the end of the block)`},
		{"ALLOW { write { (fd == 1 } }", `1:26: "}": cannot be here (expected an operator, or ) to close the one before)`},
		{"ALLOW { write { !fd } }", `1:18: fd: a number where a comparison belongs (compare it: ==, !=, <, <=, > or >=)`},
		{"ALLOW { write { fd == 1 == 1 } }", `1:25: "==": cannot be here (expected an operator, or } at the end of the conditions)`},
		{"ALLOW { write { fd == -0 } }", `1:23: "-": cannot be here (remove it)`},
		{"ALLOW { write { fd == 0XFF } }", `1:24: "XFF": cannot be here (expected an operator, or } at the end of the conditions)`},
		{"ALLOW { write { fd == 18446744073709551616 } }", `1:23: "18446744073709551616": more than 64 bits (the largest number is 18446744073709551615)`},
		{"ALLOW { write { fb == 1, cuont == 1 } }", `1:17: "fb": neither a constant nor an argument of write (did you mean fd?)
1:26: "cuont": neither a constant nor an argument of write (did you mean count?)`},
		{"ALLOW { getpid { x == 1 } }", `1:18: "x": neither a constant nor an argument of getpid (name the arguments: getpid(x))`},
		{"ALLOW { write(a) { fd == 1 } }", `1:20: "fd": neither a constant nor an argument of write (it has a)`},
		{"ALLOW { write(a, a) }", `1:18: a: is the name of another argument already (give each its own)`},
		{"ALLOW { write(a, b, c, d, e, f, g) }", `1:33: g: a call has 6 arguments (remove it)`},
		{"ALLOW { SYSCALL[1] { a == 1 } }", `1:22: "a": neither a constant nor an argument of SYSCALL[1] (name the arguments: SYSCALL[1](a))`},
		{"ALLOW { SYSCALL[read] }", `1:17: "read": cannot be here (expected the number of the call: SYSCALL[N])`},
		{"ALLOW { write { fd == count } }", `1:20: a comparison between arguments: only comparisons of an argument with a number can be read (compare each argument with numbers)`},
		{"ALLOW { write { (fd | buf) == 1 } }", `1:21: two arguments under one |: only comparisons of an argument with a number can be read (compare each argument with numbers)`},
		{"ALLOW { write { (count & 3) < (count & 5) } }", `1:29: a comparison between arguments: only comparisons of an argument with a number can be read (compare each argument with numbers)`},
		{"ALLOW { read ON vax }", `1:17: "vax": kafel has no such architecture (use one of x86_64, x86, arm, aarch64, riscv64, mips, mips64, m68k)`},
		{"ALLOW { read ON x86_46 }", `1:17: "x86_46": kafel has no such architecture (did you mean x86_64?)`},
		{"ALLOW { read ON { arm, arm } }", `1:24: arm: is there already (remove it)`},
		{"ALLOW { read ON { } }", `1:19: "}": cannot be here (expected an architecture, or several in braces: ON x86_64, ON { x86_64, aarch64 })`},
		{"#include \"x\"\n", `1:10: x: there is no directory to look for it in (name one with the setting include)`},
		{"#include x\n", `1:10: "x": cannot be in an #include, which has names in quotes (end it with a new line or ;)`},
		{"#include\"x\"\n", `1:9: the name of a file to include needs space before it, and quotes around it (#include "FILE")`},
		{"ALLOW { read } #include", `1:24: the file ends in an #include (end the line, or write ; behind it)`},
		{"ALLOW { _read }", `1:9: "_": cannot be here (remove it)`},
		{"ALLOW { read { " + strings.Repeat("fd == 1, ", 201) + "fd == 2 } }", `1:1814: more than 200 operators that build on each other, which kafel refuses (write the call several times, each with some of them)`},
		{"ALLOW { read { " + strings.Repeat("(", 2000) + "fd", `1:1017: "(": too deep in parentheses (remove some)`},
	}
	for _, tt := range tests {
		s := language.NewSource([]byte(tt.text))
		reading, err := Language{}.Read(s, policy.Target{ABI: arch.X86_64})
		if err == nil || reading.Policy != nil {
			t.Errorf("%q is read", tt.text)
			continue
		}
		if got := problems(s, err); got != tt.want {
			t.Errorf("{%q, `%s`},", tt.text, got)
		}
		if !strings.HasSuffix(err.Error(), ")") {
			t.Errorf("%q: no cure: %v", tt.text, err)
		}
	}
}

// What an ABI lacks is a problem there alone.
func TestBadPolicyForSomeABIs(t *testing.T) {
	l := Language{Targets: []arch.ABI{arch.X86_64, arch.AArch64, arch.RISCV64}}
	text := "ALLOW { open, chown { user == 1 }, renameat }"
	s := language.NewSource([]byte(text))
	_, err := l.Read(s, policy.Target{})
	want := `1:9: "open": kafel has no such call on aarch64, riscv64 (limit the rule to the others: open ON { x86_64 })
1:15: "chown": kafel has no such call on aarch64, riscv64 (limit the rule to the others: chown ON { x86_64 })
1:36: "renameat": kafel has no such call on riscv64 (limit the rule to the others: renameat ON { x86_64, aarch64 })`
	if err == nil || problems(s, err) != want {
		t.Errorf("%v", err)
	}
	for _, l := range []Language{{Targets: []arch.ABI{arch.MIPS64}}, {Targets: []arch.ABI{0}}} {
		if _, err := l.Read(s, policy.Target{ABI: arch.X86_64}); err == nil || !strings.Contains(err.Error(), "not known here (use ") {
			t.Errorf("%v: %v", l.Targets, err)
		}
	}
}

func TestBadIncludes(t *testing.T) {
	files := fstest.MapFS{
		"p/missing":  {Data: []byte("#include \"nothing\"\n")},
		"p/self":     {Data: []byte("#include \"self.policy\"\n")},
		"p/twice":    {Data: []byte("#include \"one.policy\" \"one.policy\"\n")},
		"p/wrong":    {Data: []byte("#include \"wrong.policy\"\n")},
		"p/unended":  {Data: []byte("#include \"unended.policy\"\n")},
		"p/touching": {Data: []byte("#include \"one.policy\"\"one.policy\"\n")},

		"p/inc/self.policy":    {Data: []byte("#include \"self.policy\"\n")},
		"p/inc/one.policy":     {Data: []byte("POLICY one { ALLOW { read } }\n")},
		"p/inc/wrong.policy":   {Data: []byte("\n  ALLOW { reed }")},
		"p/inc/unended.policy": {Data: []byte("#include \"one.policy\"")},
	}
	for name, want := range map[string]string{
		"p/missing":  `1:10: open p/inc/nothing: file does not exist (looked for in none, inc)`,
		"p/self":     `p/inc/self.policy:1:10: /p/inc/self.policy: files that include each other: p/inc/self.policy includes p/inc/self.policy (looked for in none, inc)`,
		"p/twice":    `p/inc/one.policy:1:1: one: there is a policy of this name at p/inc/one.policy:1:1 (give it another name; an included file counts each time)`,
		"p/wrong":    `p/inc/wrong.policy:2:11: "reed": kafel has no such call on x86_64 (did you mean read?)`,
		"p/unended":  `p/inc/unended.policy:1:22: the file ends in an #include (end the line, or write ; behind it)`,
		"p/touching": `1:22: the name of a file to include needs space before it, and quotes around it (#include "FILE")`,
	} {
		s := language.NewSource(files[name].Data).In(files, name)
		_, err := Language{Include: []string{"none", "inc"}}.Read(s, policy.Target{ABI: arch.X86_64})
		if err == nil {
			t.Errorf("%s is read", name)
		} else if got := problems(s, err); got != want {
			t.Errorf("%q: `%s`,", name, got)
		}
	}
}

// A few lines cannot keep a reader busy, nor make it say more than anybody reads.
func TestHostilePoliciesEnd(t *testing.T) {
	nested := fstest.MapFS{"z": {}}
	for c := 'a'; c < 'j'; c++ {
		nested[string(c)] = &fstest.MapFile{Data: []byte(strings.Repeat("#include \""+string(c+1)+"\"\n", 50))}
	}
	nested["j"] = &fstest.MapFile{}
	uses := "POLICY p0 { ALLOW { read } }\n"
	for c := 'a'; c < 'z'; c++ {
		before := "p0"
		if c > 'a' {
			before = "p" + string(c-1)
		}
		uses += "POLICY p" + string(c) + " { USE " + before + ", USE " + before + " }\n"
	}
	choice := "(" + strings.Repeat("fd == 1 || ", 9) + "fd == 2)"
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  string // how the last problem begins; "" if it is read
	}{
		{"one file often", fstest.MapFS{"a": {Data: []byte(strings.Repeat("#include \"b\"\n", 2000))}, "b": {Data: make([]byte, 1<<20)}}, "\"\\x00\": cannot be here"},
		{"spaces often", fstest.MapFS{"a": {Data: []byte(strings.Repeat("#include \"b\"\n", 2000))}, "b": {Data: []byte(strings.Repeat(" ", 1<<20))}}, "the policy has more than 16 MiB"},
		{"files in files", nested, "the policy has more than 16 MiB"},
		{"policies that use others twice", fstest.MapFS{"a": {Data: []byte(uses + "USE py DEFAULT LOG")}}, ""},
		{"products", fstest.MapFS{"a": {Data: []byte("ALLOW { write { " + strings.Repeat(choice+" && ", 20) + choice + " } }")}}, "the condition stands for more than 4096 lists"},
		{"conditions", fstest.MapFS{"a": {Data: []byte("ALLOW { " + strings.Repeat("write { "+choice+" && "+choice+" && "+choice+" }, ", 999) + "read }")}}, "more than 262144 conditions"},
		{"problems", fstest.MapFS{"a": {Data: []byte("ALLOW { " + strings.Repeat("x, ", 100_000) + "read }")}}, "1000 problems up to here"},
		{"words", fstest.MapFS{"a": {Data: []byte("ALLOW { " + strings.Repeat("read, ", 1_000_000) + "read }")}}, "more than 262144 words"},
		{"parentheses", fstest.MapFS{"a": {Data: []byte("ALLOW { read { " + strings.Repeat("(", 1_000_000))}}, "\"(\": too deep in parentheses"},
		{"negations", fstest.MapFS{"a": {Data: []byte("ALLOW { read { " + strings.Repeat("!", 1_000_000))}}, "\"!\": too deep in parentheses"},
		{"stars", fstest.MapFS{"a": {Data: []byte("/" + strings.Repeat("*", 1_000_001) + "/ DEFAULT ALLOW")}}, "**/: two stars"},
	} {
		s := language.NewSource(tt.files["a"].Data).In(tt.files, "a")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		reading, err := Language{Include: []string{"."}}.Read(s, policy.Target{ABI: arch.X86_64})
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<29 {
			t.Errorf("%s: %d MiB", tt.name, used>>20)
		}
		var problems policy.Errors
		if errors.As(err, &problems); len(problems) > maxReports+1 || len(reading.Warnings) > 2*maxReports {
			t.Errorf("%s: %d problems, %d warnings", tt.name, len(problems), len(reading.Warnings))
		}
		if (tt.want == "") != (err == nil) || err != nil && !strings.HasPrefix(problems[len(problems)-1].Reason, tt.want) {
			t.Errorf("%s: %.300v", tt.name, err)
		}
	}
}
