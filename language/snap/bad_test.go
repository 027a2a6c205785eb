package snap

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

// problems returns the problems and warnings of a reading, one a line.
func problems(reading language.Reading, err error) string {
	var lines []string
	var errs policy.Errors
	errors.As(err, &errs)
	for _, e := range errs {
		lines = append(lines, "error: "+strings.TrimPrefix(e.Pointer+": "+e.Reason, ": "))
	}
	for _, w := range reading.Warnings {
		lines = append(lines, w.String())
	}
	return strings.Join(lines, "\n")
}

// Each problem has its place and a cure.
func TestBadPolicies(t *testing.T) {
	plain := Language{}
	const dropped = ", so snap-seccomp drops the line"
	tests := []struct {
		l    Language
		text string
		want string
	}{
		{plain, "read # the end", `1:6: "#": not a constant that snap-seccomp knows, nor a decimal number (write its number)
error: 1:8: "the": not a constant that snap-seccomp knows, nor a decimal number (write its number)
error: 1:12: "end": not a constant that snap-seccomp knows, nor a decimal number (write its number)`},
		{plain, "read\n \nwrite", `2:1: a line with nothing but blanks, on which snap-seccomp fails (remove the blanks)`},
		{plain, "read\n\r\r\nwrite", `2:1: a line with nothing but blanks, on which snap-seccomp fails (remove the blanks)`},
		{plain, "mmap 0 0 0 0 0 0 0", `1:18: "mmap": more than 6 arguments (comments stand alone in a line, with # in its first column)`},
		{plain, "nothing - - - - - - -", `1:21: "nothing": more than 6 arguments (comments stand alone in a line, with # in its first column)`},
		{plain, "  # a comment that is not in the first column", `1:30: "#": more than 6 arguments (comments stand alone in a line, with # in its first column)`},
		{plain, "socket AF_INTE", `1:8: "AF_INTE": not a constant that snap-seccomp knows, nor a decimal number (did you mean AF_INET?)`},
		{plain, "mount - - - |MS_BIND", `1:13: "MS_BIND": not a constant that snap-seccomp knows, nor a decimal number (write its number)`},
		{plain, "socket 0x10", `1:8: "0x10": numbers are decimal (write 16)`},
		{plain, "socket 1_0", `1:8: "1_0": numbers are decimal (write 10)`},
		{plain, "socket 1a", `1:8: "1a": not a constant that snap-seccomp knows, nor a decimal number (write its number)`},
		{plain, "socket +1", `1:8: "+1": numbers have no + (leave it out)`},
		{plain, "socket 4294967296", `1:8: "4294967296": numbers have 32 bits (use one that fits)`},
		{plain, "socket -1", `1:8: "-1": arguments of socket cannot be negative in a policy (use a number from 0 to 4294967295)`},
		{plain, "setuid -2147483649", `1:8: "-2147483649": numbers have 32 bits (use one that fits)`},
		{plain, "setuid 99999999999999999999", `1:8: "99999999999999999999": numbers have 32 bits (use one that fits)`},
		{plain, "setuid >1", `1:8: ">1": snap-seccomp compares arguments of setuid only for equality (write the value alone)`},
		{plain, "setuid32 !0", `1:10: "!0": snap-seccomp compares arguments of setuid32 only for equality (write the value alone)`},
		{plain, "chown - 4294967295|1", `1:9: "4294967295|1": snap-seccomp compares arguments of chown only for equality (write the value alone)`},
		{plain, "mknod - 1|2|3", `1:9: "2|3": not a constant that snap-seccomp knows, nor a decimal number (write its number)`},
		{plain, "mknod - |1|2", `1:9: "|1|2": there is nothing like this (write VALUE, MASK|VALUE or |BITS, or one of >=, <=, >, < and ! and a value)`},
		{plain, "mknod - >1|2", `1:9: ">1|2": there is nothing like this (write VALUE, MASK|VALUE or |BITS, or one of >=, <=, >, < and ! and a value)`},
		{plain, "mknod - 1|", `1:9: a value is missing (write a number or the name of a constant)`},
		{plain, "mknod - |", `1:9: a value is missing (write a number or the name of a constant)`},
		{plain, "kill >", `1:6: a value is missing (write a number or the name of a constant)`},
		{plain, "kill >= 1", `1:6: a value is missing (write a number or the name of a constant)`},
		{plain, "kill ==1", `1:6: "==1": not a constant that snap-seccomp knows, nor a decimal number (write its number)`},
		{plain, "kill --", `1:6: "--": not a constant that snap-seccomp knows, nor a decimal number (write its number)`},
		{plain, "setuid u:", `1:8: "": not the name of a user (use lower-case letters, digits, -, . and _)`},
		{plain, "setuid u:-bad", `1:8: "-bad": not the name of a user (use lower-case letters, digits, -, . and _)`},
		{plain, "setuid u:daemon", `1:8: "daemon": the number of this user is not known (give it with the setting users=daemon:NUMBER, or a root directory that has /etc/passwd)`},
		{plain, "setgid g:shadow", `1:8: "shadow": the number of this group is not known (give it with the setting groups=shadow:NUMBER, or a root directory that has /etc/group)`},
		{plain, "setuid !u:root", `1:8: "u:root": not a constant that snap-seccomp knows, nor a decimal number (write its number)`},
		{plain, "read\n" + strings.Repeat("x", maxLine+1), `2:1: a line of 64 KiB or more (split it)`},
		{plain, "#" + strings.Repeat("x", maxLine) + "\n@unrestricted", `1:1: a line of 64 KiB or more (split it)`},
		{plain, "#" + strings.Repeat("x", maxLine-2) + "\n@complain", ``},
		{Language{Template: "t"}, "read", `template: t: only a policy in a file can include others (the name is relative to the policy's directory, or absolute in its root directory)`},
		{Language{Calls: "seven"}, "read", `calls "seven": not a release of Linux (use X.Y, such as 6.13)`},
		{Language{Users: "daemon"}, "read", `users: "daemon": not a name and its number (write NAME:NUMBER, with commas between several)`},
		{Language{Groups: "daemon:-1,:1"}, "read", `groups: "daemon:-1": not a name and its number (write NAME:NUMBER, with commas between several)
error: groups: ":1": not a name and its number (write NAME:NUMBER, with commas between several)`},
		{plain, "opnat", `warning: 1:1: "opnat": Linux has no such call` + dropped + ` (did you mean openat?) (unknown-name)`},
		{plain, "~no_such_call x", `warning: 1:1: "no_such_call": Linux has no such call` + dropped + ` (unknown-name)`},
		{plain, "~ write", `warning: 1:1: ~ and no call` + dropped + ` (leave out the blanks between the two) (unknown-name)`},
		{plain, "~~write", `warning: 1:1: "~~write": more than one ~` + dropped + ` (write one) (unknown-name)`},
		{plain, "1", `warning: 1:1: "1": a number` + dropped + ` (use the name of the call) (unknown-name)`},
		{plain, "@complian", `warning: 1:1: "@complian": only @unrestricted and @complain mean something, alone in a line` + dropped + ` (did you mean @complain?) (unknown-name)`},
		{plain, "@complain x", `warning: 1:1: "@complain": only @unrestricted and @complain mean something, alone in a line` + dropped + ` (unknown-name)`},
		{plain, "@complain", ``},
		{plain, " # a comment", `warning: 1:2: a comment that does not begin in the first column: snap-seccomp takes it for a call, and refuses it if it is longer (remove the blanks in front) (ignored)`},
		{plain, "read\n @unrestricted", `warning: 2:2: @unrestricted: snapd loads no filter, and snap-seccomp ignores all other lines (ignored)`},
		{Language{Calls: "6.9"}, "~mseal", `warning: 1:1: "mseal": newer than the libseccomp of snap-seccomp, which knows the calls of Linux 6.9` + dropped + ` (unknown-name)`},
	}
	if len(tests) < 30 {
		t.Fatal("too few")
	}
	for _, tt := range tests {
		want := tt.want
		if rest, warning := strings.CutPrefix(want, "warning: "); warning || want == "" {
			want = rest
		} else {
			want = "error: " + want
		}
		reading, err := tt.l.Read(language.NewSource([]byte(tt.text)), policy.Target{ABI: arch.X86_64})
		if got := problems(reading, err); got != want {
			t.Errorf("%.80q:\n%s\nwant:\n%s", tt.text, got, want)
		}
	}
	reading, err := plain.Read(language.NewSource([]byte("read")), policy.Target{ABI: arch.X32})
	if got := problems(reading, err); !strings.HasPrefix(got, "error: target x32: snapd does not run on it (use x86_64, ") {
		t.Error(got)
	}
}

// What is wrong with a file that a policy needs has a cure, too.
func TestBadFiles(t *testing.T) {
	files := fstest.MapFS{"x.src": {Data: []byte("setuid u:daemon\nsetuid u:lp")}, "etc/passwd/a": {}}
	s := language.NewSource(files["x.src"].Data).In(files, "x.src")
	reading, err := Language{}.Read(s, policy.Target{ABI: arch.X86_64})
	const want = `error: 1:8: etc/passwd: not a regular file (or give the numbers with the setting users)
error: 2:8: "lp": the number of this user is not known (give it with the setting users=lp:NUMBER, or a root directory that has /etc/passwd)`
	if got := problems(reading, err); got != want {
		t.Error(got)
	}
	for _, name := range []string{"no.src", "x.src"} {
		reading, err := Language{Template: name}.Read(s, policy.Target{ABI: arch.X86_64})
		if got := problems(reading, err); !strings.HasPrefix(got, "error: template: ") || !strings.HasSuffix(got, ")") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A few lines cannot keep a reader busy, nor make it say more than anybody reads.
func TestHostilePoliciesEnd(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"lines", strings.Repeat("read\n", 1<<20)},
		{"unknown calls", strings.Repeat("opnat\n", 100_000)},
		{"unknown constants", strings.Repeat("read AF_INTE\n", 100_000)},
		{"unknown users", strings.Repeat("read u:nobody\n", 100_000)},
		{"one line", strings.Repeat("x ", 1<<22)},
		{"line ends", strings.Repeat("\n", 1<<22)},
		{"blanks", strings.Repeat(" \n", 1<<20)},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		reading, err := Language{}.Read(language.NewSource([]byte(tt.text)), policy.Target{ABI: arch.X86_64})
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<29 {
			t.Errorf("%s: %d MiB", tt.name, used>>20)
		}
		var errs policy.Errors
		errors.As(err, &errs)
		if len(errs) > maxReports+1 || len(reading.Warnings) > maxReports+1 {
			t.Errorf("%s: %d errors, %d warnings", tt.name, len(errs), len(reading.Warnings))
		}
		if tt.name == "unknown calls" && reading.Warnings[maxReports].More != 99_000 {
			t.Errorf("%s: %v", tt.name, reading.Warnings[maxReports])
		}
	}
}
