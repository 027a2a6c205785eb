package minijail

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// Each problem has its place and a cure.
func TestBadPolicies(t *testing.T) {
	py, c := Language{Dialect: Python}, Language{Dialect: C}
	deny := Language{Dialect: Python, Denylist: true}
	tests := []struct {
		l    Language
		text string
		want string // all problems, one a line
	}{
		{py, "read: 2", `1:7: 2: the only number that is an action is 1 (use 1, allow, or return and an error)`},
		{py, "read: 0\nwrite: 1\nopen: nothing", `1:7: 0: the only number that is an action is 1 (use 1, allow, or return and an error)
3:7: "nothing": cannot be here (use an action: allow, 1, kill, kill-process, kill-thread, trap, trace, log, user-notify, or return and an error)`},
		{py, "read", `1:5: the statement ends too early (add a colon)`},
		{py, "read:", `1:6: the statement ends too early (add an action: allow, 1, kill, kill-process, kill-thread, trap, trace, log, user-notify, or return and an error)`},
		{py, "read: 1 1", `1:9: "1": the statement should end here (start a new line)`},
		{py, "wriet: 1", `1:1: "wriet": Linux has no such call (did you mean write?)`},
		{py, "mmap2: 1", `1:1: "mmap2": x86_64 has no such call (name the architectures that do: mmap2[arch=...])`},
		{py, "0: 1", `1:1: "0": cannot be here (use the name of a call)`},
		{py, "trap: 1", `1:1: "trap": cannot be here (use the name of a call)`},
		{py, "read@group: 1", `1:1: "read@group": groups of calls are defined where minijail is built, not in policies (name the calls)`},
		{py, "read: arg0 == arg0", `1:15: "arg0": cannot be here (use a number or the name of a constant)`},
		{py, "read: arg0 = 1", `1:12: "=": cannot be here (use an operator)`},
		{py, "read: arg0 ==", `1:14: the statement ends too early (add a number or the name of a constant)`},
		{py, "read: arg0 == 1 &&", `1:19: the statement ends too early (add an argument such as arg0)`},
		{py, "read: arg0 == 1 ||\nwrite: 1", `1:19: the statement ends too early (add an argument such as arg0)`},
		{py, "read: arg0 == NO_SUCH", `1:15: "NO_SUCH": x86_64 has no such constant (write its number)`},
		{py, "read: arg0 == PROT_EXE", `1:15: "PROT_EXE": x86_64 has no such constant (did you mean PROT_EXEC?)`},
		{py, "read: arg6 == 1", `1:7: arg6: a call has arguments 0 to 5, and the kernel refuses a filter that reads others (use one of these)`},
		{py, "read: arg99999999999999999999 == 1", `1:7: arg99999999999999999999: a call has arguments 0 to 5, and the kernel refuses a filter that reads others (use one of these)`},
		{py, "read: argx == 1", `1:7: "argx": cannot be here (use an action: allow, 1, kill, kill-process, kill-thread, trap, trace, log, user-notify, or return and an error)`},
		{py, "read: arg0 == 0x10000000000000000", `1:15: 0x10000000000000000: an argument of x86_64 has 64 bits (use a number that fits)`},
		{py, "read: arg0 == -9223372036854775809", `1:15: -9223372036854775809: an argument of x86_64 has 64 bits (use a number that fits)`},
		{py, "read: arg0 == ~~1", `1:16: "~": cannot be here (use a number or the name of a constant)`},
		{py, "read: arg0 == (1", `1:17: the "(" in column 15 is not closed here (add ))`},
		{py, "read: arg0 == ()", `1:16: ")": cannot be here (use a number or the name of a constant)`},
		{py, "read: arg0 == 'a'", `1:15: "'": cannot be here (remove it; paths start with / or ./, and comments with #)`},
		{py, "read: (arg0 == 1)", `1:7: "(": cannot be here (use an action: allow, 1, kill, kill-process, kill-thread, trap, trace, log, user-notify, or return and an error)`},
		{py, "read: arg0 == 1; ", `1:18: the statement ends too early (add an action: allow, 1, kill, kill-process, kill-thread, trap, trace, log, user-notify, or return and an error)`},
		{py, "read: arg0 == 1; return", `1:24: the statement ends too early (add a number or the name of a constant)`},
		{py, "read: return NO_SUCH", `1:14: "NO_SUCH": x86_64 has no such constant (write its number)`},
		{py, "read: {1", `1:9: the "{" in column 7 is not closed here (add })`},
		{py, "read: {arg0 == 1, }", `1:19: "}": cannot be here (use an action: allow, 1, kill, kill-process, kill-thread, trap, trace, log, user-notify, or return and an error)`},
		{py, "{read: 1", `1:6: the "{" in column 1 is not closed here (add })`},
		{py, "{read, }: 1", `1:8: "}": cannot be here (use the name of a call)`},
		{py, "read[arch]: 1", `1:10: "]": cannot be here (use =)`},
		{py, "read[arch=x86_64;arch=arm]: 1", `1:18: "arch": is there twice (join the two)`},
		{py, "read[arch=: 1", `1:11: ":": cannot be here (use a name)`},
		{py, "read[arch=arm: 1", `1:14: the "[" in column 5 is not closed here (add ])`},
		{py, "read: 1\nread: 1", `2:5: read: is decided already, whatever its arguments are, at 1:7 (remove one of the two)`},
		{py, "{read, read}: 1", `1:13: read: is decided already, whatever its arguments are, at 1:15 (remove one of the two)`},
		{py, "read: 1\nread: arg0 == 1", `2:5: read: is decided already, whatever its arguments are, at 1:7 (remove one of the two)`},
		{py, "@default allow", `1:10: "allow": cannot be here (use kill, kill-process, kill-thread, trap or user-notify: a policy cannot let all other calls through)`},
		{py, "@default log", `1:10: "log": cannot be here (use kill, kill-process, kill-thread, trap or user-notify: a policy cannot let all other calls through)`},
		{py, "@default return EPERM", `1:10: "return": cannot be here (use kill, kill-process, kill-thread, trap or user-notify: a policy cannot let all other calls through)`},
		{py, "@default", `1:9: the statement ends too early (add kill, kill-process, kill-thread, trap or user-notify: a policy cannot let all other calls through)`},
		{py, "@denylist", `1:1: a denylist allows all calls that it does not name (the setting denylist, which is minijail's switch --denylist, reads such policies)`},
		{py, "@nothing", `1:1: "@": cannot be here (remove it; paths start with / or ./, and comments with #)`},
		{py, "@include a", `1:10: "a": cannot be here (use a path that starts with / or ./)`},
		{py, "@include", `1:9: the statement ends too early (add a path that starts with / or ./)`},
		{py, "@include ./a", `1:10: ./a: only a policy in a file can include others (paths that start with ./ are relative to this file)`},
		{py, "@include /a", `1:10: /a: only a policy in a file can include others (absolute paths begin at the policy's root directory)`},
		{py, "@frequency", `1:11: the statement ends too early (add a path that starts with / or ./)`},
		{py, "read: \xff", `1:1: not UTF-8, which minijail's compiler cannot read (save the file as UTF-8)`},
		{deny, "@denylist\nread: 1", `2:7: "1": cannot be here (use return and an error: a denylist has nothing else)`},
		{deny, "read: return EPERM", `1:1: the file is not marked as a denylist (put @denylist on a line of it, or leave out the setting denylist, which is minijail's switch --denylist)`},
		{c, "read", `1:1: a colon is missing (write CALL: 1)`},
		{c, "read:", `1:1: nothing is behind the colon (write 1 to allow the call)`},
		{c, "wriet: 1", `1:1: "wriet": Linux has no such call (did you mean write?)`},
		{c, "mmap2: 1", `1:1: "mmap2": x86_64 has no such call (leave the line out, in a policy for each ABI)`},
		{c, "read: 2", `1:7: "2": not a condition (write one as arg0 == 1, with one space before and behind the operator, and none in the value)`},
		{c, "read: allow", `1:7: "allow": not a condition (write one as arg0 == 1, with one space before and behind the operator, and none in the value)`},
		{c, "read: arg0==1", `1:7: "arg0==1": not a condition (write one as arg0 == 1, with one space before and behind the operator, and none in the value)`},
		{c, "read: arg0 === 1", `1:12: "===": unknown operator (use ==, !=, <, <=, >, >=, & or in)`},
		{c, "read: argx == 1", `1:7: "argx": not an argument (use arg0 to arg5)`},
		{c, "read: xarg0 == 1", `1:7: "xarg0": not an argument (use arg0 to arg5)`},
		{c, "read: arg6 == 1", `1:7: arg6: a call has arguments 0 to 5, and the kernel refuses a filter that reads others (use one of these)`},
		{c, "read: arg-1 == 1", `1:7: arg-1: a call has arguments 0 to 5, and the kernel refuses a filter that reads others (use one of these)`},
		{c, "read: arg0 == 1 # c", `1:17: "arg0 == 1 # c": not a condition (write one as arg0 == 1, with one space before and behind the operator, and none in the value)`},
		{c, "read: arg0 == 1 ||", `1:19: "": not a condition (write one as arg0 == 1, with one space before and behind the operator, and none in the value)`},
		{c, "read: arg0 == NO_SUCH", `1:15: "NO_SUCH": x86_64 has no such constant (write its number)`},
		{c, "read: arg0 == 08", `1:15: "08": not a number of 64 bits (write a decimal one, or one with 0x or 0 in front)`},
		{c, "read: arg0 == 0x", `1:15: "0x": not a number of 64 bits (write a decimal one, or one with 0x or 0 in front)`},
		{c, "read: arg0 == 18446744073709551616", `1:15: "18446744073709551616": not a number of 64 bits (write a decimal one, or one with 0x or 0 in front)`},
		{c, "read: arg0 == (1", `1:15: a parenthesis is not closed, or there are more than 100 (close or remove some)`},
		{c, "read: arg0 == (1)2", `1:18: "2": cannot be behind a parenthesis (join values with |)`},
		{c, "read: arg0 == (1)|", `1:18: "|": cannot be behind a parenthesis (join values with |)`},
		{c, "read: arg0 == ()", `1:16: a value is missing (write a number or the name of a constant)`},
		{c, "read: arg0 == ~", `1:16: a value is missing (write a number or the name of a constant)`},
		{c, "read: arg0 == |1", `1:15: a value is missing (write a number or the name of a constant)`},
		{c, "read: arg0 == 1; kill", `1:17: only an error can be here (write return and its name)`},
		{c, "read: arg0 == 1; ;", `1:17: only an error can be here (write return and its name)`},
		{c, "read: return -1", `1:14: -1: not an error (write the name of one)`},
		{c, "read: return ENOSUCH", `1:14: "ENOSUCH": x86_64 has no such constant (write its number)`},
		{c, "read: 1\r", `1:7: "1\r": not a condition (write one as arg0 == 1, with one space before and behind the operator, and none in the value)`},
		{c, "read: 1\nread: 1", `2:1: read: has a line already, at 1:1 (join the two with ||)`},
		{c, "@default trap", `1:1: "@default trap": unknown statement (the C dialect has @include ./FILE alone)`},
		{c, "@includes ./x", `1:1: a space and a path should follow @include (write @include ./FILE)`},
		{c, "@include x", `1:1: "x": not a path from / or ./ (write ./ in front, for a file in the directory in which minijail runs)`},
		{c, "@include ./x", `1:1: /x: only a policy in a file can include others (paths that start with ./ are relative to the policy's root directory)`},
		{c, "@denylist", `1:1: "@denylist": unknown statement (the C dialect has @include ./FILE alone)`},
		{c, "read: arg0 == 1 || \\\n   arg0 == 1 && \\\n x", `2:16: "   x": not a condition (write one as arg0 == 1, with one space before and behind the operator, and none in the value)`},
		{c, "read: \x00", `1:7: a zero byte, at which libminijail would end the line (remove it)`},
	}
	for _, tt := range tests {
		s := language.NewSource([]byte(tt.text))
		reading, err := tt.l.Read(s, policy.Target{ABI: arch.X86_64})
		if err == nil || reading.Policy != nil {
			t.Errorf("%q: read", tt.text)
			continue
		}
		s.Locate(nil, err)
		got := strings.ReplaceAll(err.Error(), "policy: ", "")
		if got != tt.want {
			t.Errorf("%s: %q:\ngot  %s\nwant %s", tt.l.Dialect, tt.text, got, tt.want)
		}
		var problems policy.Errors
		if errors.As(err, &problems); len(problems) == 0 {
			t.Errorf("%q: %T", tt.text, err)
		}
		for _, p := range problems {
			if p.Line == 0 || !strings.Contains(p.Reason, "(") {
				t.Errorf("%q: no place or no cure: %+v", tt.text, p)
			}
		}
	}
}

func TestBadSwitches(t *testing.T) {
	for _, tt := range []struct {
		l    Language
		a    arch.ABI
		want string
	}{
		{Language{}, arch.X86_64, `dialect "": minijail has none of this name (choose minijail-python or minijail-c)`},
		{Language{Dialect: Python}, 200, "ABI(200): unknown ABI (use one that package arch declares)"},
		{Language{Dialect: C, Denylist: true}, arch.X86_64, "only the Python dialect has denylists (leave the switch out)"},
		{Language{Dialect: Python, AllowDuplicates: true}, arch.X86_64, "only the C dialect refuses duplicates (leave the switch out)"},
		{Language{Dialect: C, DefaultAction: "allow"}, arch.X86_64, `default action: the C dialect has no "allow" (use trap, kill-thread or kill-process)`},
		{Language{Dialect: C, DefaultAction: "trap", UseRetLog: true}, arch.X86_64, "default action: the C dialect has one action for all that is not allowed (leave out the other switches)"},
		{Language{Dialect: Python, DefaultAction: "#"}, arch.X86_64, "default action: the statement ends too early (add an action: allow, 1, kill, kill-process, kill-thread, trap, trace, log, user-notify, or return and an error)"},
		{Language{Dialect: Python, DefaultAction: "trap trap"}, arch.X86_64, `default action: "trap": the statement should end here (start a new line)`},
		{Language{Dialect: Python, DefaultAction: "trap\nkill"}, arch.X86_64, "default action: more than one line (give one action)"},
		{Language{Dialect: Python, DefaultAction: "!"}, arch.X86_64, `default action: "!": cannot be here (remove it; paths start with / or ./, and comments with #)`},
	} {
		_, err := tt.l.Read(language.NewSource([]byte("@denylist")), policy.Target{ABI: tt.a})
		if want := "policy: " + tt.want; err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", tt.l, err, want)
		}
	}
	if _, err := (Language{Dialect: Python}).Read(language.NewSource([]byte("read: 1")), policy.Target{}); err != nil {
		t.Errorf("the native ABI: %v", err)
	}
}

// What is read but means something else than it seems is warned about.
func TestWarnings(t *testing.T) {
	py, c := Language{Dialect: Python}, Language{Dialect: C}
	for _, tt := range []struct {
		l    Language
		text string
		want policy.WarningKind
		line int
	}{
		{py, "read: 1\nkill: arg0 == 1; return EPERM", policy.DialectsDiffer, 2},
		{c, "read: 1\nkill: arg0 == 1; return EPERM", policy.DialectsDiffer, 2},
		{py, "kill: {arg0 == 1; trap, allow}", policy.Ignored, 1},
		{py, "read: 1\nwrite: 1 \\", policy.Ignored, 2},
		{c, "read: 1\nwrite: 1 \\", policy.Ignored, 2},
		{py, "read[arch=x86-64]: 1", policy.UnknownCondition, 1},
		{py, "read[color=red]: 1", policy.UnknownKey, 1},
		{py, "read: return 0x10001", policy.Truncated, 1},
		{c, "@frequency x", policy.Ignored, 1},
		{c, "read: return EPERM EIO", policy.Ignored, 1},
		{c, "read: returned EPERM", policy.Ignored, 1},
		{c, "read: return", policy.Ignored, 1},
		{Language{Dialect: C, UseRetLog: true}, "read: 1\nwriet: 1", policy.UnknownName, 2},
		{py, "kill: {arg0 == 1; return EPERM}", "", 0},
		{py, "kill: arg0 == 1; trap", "", 0},
		{py, "kill: {arg0 == 1, allow}", "", 0},
	} {
		s := language.NewSource([]byte(tt.text))
		reading, err := tt.l.Read(s, policy.Target{ABI: arch.X86_64})
		s.Locate(reading.Warnings, err)
		switch w := reading.Warnings; {
		case err != nil:
			t.Errorf("%q: %v", tt.text, err)
		case tt.want == "" && len(w) > 0, tt.want != "" && len(w) != 1:
			t.Errorf("%q: %v", tt.text, w)
		case tt.want != "" && (w[0].Kind != tt.want || w[0].Line != tt.line):
			t.Errorf("%q: %v in line %d, want %s in line %d", tt.text, w[0], w[0].Line, tt.want, tt.line)
		}
	}
}

// A few lines cannot keep a reader busy, nor make it say more than anybody reads.
func TestHostilePoliciesEnd(t *testing.T) {
	many := strings.Repeat("@include ./b\n", 2000)
	nested := fstest.MapFS{}
	for c := 'a'; c < 'j'; c++ {
		nested[string(c)] = &fstest.MapFile{Data: []byte(strings.Repeat("@include ./"+string(c+1)+"\n", 50))}
	}
	nested["j"] = &fstest.MapFile{}
	conditions := "{" + strings.Repeat("read, ", 999) + "write}: {" + strings.Repeat("arg0 == 1, ", 999) + "arg0 == 2}"
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  string // how the last problem begins
	}{
		{"one file often", fstest.MapFS{"a": {Data: []byte(many)}, "b": {Data: make([]byte, 1<<20)}}, ""},
		{"files in files", nested, ""},
		{"a circle", fstest.MapFS{"a": {Data: []byte("@include ./a")}}, "./a: files that include each other: a includes a"},
		{"conditions", fstest.MapFS{"a": {Data: []byte(conditions)}}, "more than 262144 conditions on calls"},
		{"problems", fstest.MapFS{"a": {Data: []byte(strings.Repeat("x: 1\n", 100_000))}}, "1000 problems up to here"},
		{"parentheses", fstest.MapFS{"a": {Data: []byte("read: arg0 == " + strings.Repeat("(", 1_000_000))}}, ""},
		{"shut parentheses", fstest.MapFS{"a": {Data: []byte("read: arg0 == " + strings.Repeat("(", 500_000) + "1" + strings.Repeat(")", 500_000))}}, ""},
		{"no line end", fstest.MapFS{"a": {Data: []byte("read: " + strings.Repeat("arg0 == 1 || ", 1_000_000))}}, ""},
		{"continued lines", fstest.MapFS{"a": {Data: []byte("read: " + strings.Repeat("arg0 == 1 || \\\n", 1_000_000))}}, ""},
	} {
		for _, d := range []Dialect{Python, C} {
			s := language.NewSource(tt.files["a"].Data).In(tt.files, "a")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			reading, err := Language{Dialect: d}.Read(s, policy.Target{ABI: arch.X86_64})
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<29 {
				t.Errorf("%s, %s: %d MiB", tt.name, d, used>>20)
			}
			var problems policy.Errors
			if errors.As(err, &problems); len(problems) > maxReports+1 || len(reading.Warnings) > 2*maxReports {
				t.Errorf("%s, %s: %d problems, %d warnings", tt.name, d, len(problems), len(reading.Warnings))
			}
			if d == Python && tt.want != "" && (len(problems) == 0 || !strings.HasPrefix(problems[len(problems)-1].Reason, tt.want)) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
	text := "@frequency x\n" + strings.Repeat("@frequency x\n", 5000)
	reading, err := Language{Dialect: C}.Read(language.NewSource([]byte(text)), policy.Target{ABI: arch.X86_64})
	if n := len(reading.Warnings); err != nil || n != maxReports+1 || reading.Warnings[n-1].More != 4001 {
		t.Errorf("%d warnings, %v", len(reading.Warnings), err)
	}
}

// Every constant is a number, is there once, and is not known otherwise.
func TestConstants(t *testing.T) {
	for a := range arch.All() {
		own := map[string]bool{}
		for _, table := range tablesOf(a) {
			for field := range strings.FieldsSeq(table) {
				name, value, _ := strings.Cut(field, "=")
				if _, err := strconv.ParseInt(value, 0, 64); err != nil || own[name] {
					t.Errorf("%v: %s", a, field)
				}
				own[name] = true
				if _, known := a.Errno(name); known {
					t.Errorf("%v: %s is an error", a, name)
				}
			}
		}
		for name := range symbols.Constants(a) {
			if own[name] {
				t.Errorf("%v: %s is there already", a, name)
			}
		}
		if all := constantsOf(a); all["PF_UNIX"] != 1 || len(all) < 1000 {
			t.Errorf("%v: %d constants, PF_UNIX is %d", a, len(all), all["PF_UNIX"])
		}
	}
}
