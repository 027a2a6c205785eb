package expect

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
)

func TestParse(t *testing.T) {
	text := "\ufeff# what the sandbox must do\r\n" +
		"\r\n" +
		"x86_64 socket(family=AF_ALG, type=SOCK_SEQPACKET, protocol=0): errno:EPERM\r\n" +
		"  by the rule at /syscalls/9\n" +
		"\tx86  -1 ( ) :  ERRNO(38)   ENOSYS # a tracer's\n" +
		"openat(dirfd=(long)AT_FDCWD,  0): allow\n" +
		"clone3: trace:7"
	want := []Expectation{
		{3, "x86_64", "socket(family=AF_ALG, type=SOCK_SEQPACKET, protocol=0)", "errno:EPERM"},
		{5, "x86", "-1()", "ERRNO(38) ENOSYS"},
		{6, "", "openat(dirfd=(long)AT_FDCWD, 0)", "allow"},
		{7, "", "clone3", "trace:7"},
	}
	got, err := Parse([]byte(text))
	if diff := gocmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v; want -, got +\n%s", err, diff)
	}
	again, err := Format(got)
	if err != nil {
		t.Fatal(err)
	}
	got, err = Parse(again)
	for i := range want {
		want[i].Line = i + 2
	}
	if diff := gocmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v; want -, got +\n%s", err, diff)
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "no expectations"},
		{"# nothing\n\n", "no expectations"},
		{"clone3: errno\nclone3 errno\n\n  read(1 allow\n", "2:1 expected a colon; 4:3 expected a colon"},
		{"read(1): allow\nread(1: allow\n", "2:1 expected the colon right after the arguments"},
		{"read(1) errno:EPERM", "1:1 expected the colon right after"},
		{"read:", "1:1 the action is missing"},
		{": allow", "1:1 the name of the call is missing"},
		{"x86_64 the read: allow", `1:1 "x86_64 the read" is not a call`},
		{"read: allow\xff", "1:1 not UTF-8"},
		{"by the rule at /syscalls/1", "1:1 expected a colon"},
		{strings.Repeat("#", 1<<20+1), "more than 1048576 bytes"},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(tt.text))
		var wrong policy.Errors
		if !errors.As(err, &wrong) {
			t.Errorf("%.40q: error %v, want %q", tt.text, err, tt.want)
			continue
		}
		var texts []string
		for _, e := range wrong {
			text := e.Reason
			if e.Line > 0 {
				text = fmt.Sprintf("%d:%d %s", e.Line, e.Column, e.Reason)
			}
			texts = append(texts, text)
		}
		for i, want := range strings.Split(tt.want, "; ") {
			if len(texts) != strings.Count(tt.want, "; ")+1 || !strings.Contains(texts[i], want) {
				t.Errorf("%.40q: %q, want %q", tt.text, texts, tt.want)
			}
		}
	}
}

// What is not a line of its own is not written: it would be read as another.
func TestFormatRefuses(t *testing.T) {
	for _, e := range []Expectation{
		{Call: "", Want: "allow"},
		{Call: "read", Want: ""},
		{Call: "#read", Want: "allow"},
		{Call: "read: allow\nwrite", Want: "allow"},
		{Call: "read: log", Want: "allow"},
		{ABI: "x86_64", Call: "the read", Want: "allow"},
		{ABI: "x86 read: log", Call: "", Want: "allow"},
		{Call: "x86_64 read", Want: "allow"},
	} {
		if data, err := Format([]Expectation{e}); err == nil {
			t.Errorf("%+v is written as %q", e, data)
		}
	}
}

// asked allows calls whose first argument is below 8, and sends the others an error.
func asked(abi arch.ABI) (Subject, error) {
	if abi == arch.S390 {
		return Subject{}, errors.New("not for this kernel")
	}
	return Subject{ABI: arch.X86_64, Decide: func(d *cbpf.Data) policy.Verdict {
		if d.Args[0] < 8 {
			return policy.Verdict{Action: cbpf.Allow}
		}
		return policy.Verdict{Action: cbpf.Errno(1), Pointer: "/syscalls/0"}
	}, Depends: func(c *intake.Call) (names []string, err error) {
		if c.Unknown[0] {
			names = append(names, c.Arg(0).Name())
		}
		return names, nil
	}}, nil
}

func TestCheck(t *testing.T) {
	tests := []struct{ line, want string }{
		{"read: allow", "x86_64 read(): pass"},
		{"read(7): ALLOW", "x86_64 read(fd=7): pass"},
		{"read(count=3, fd=9): allow", "x86_64 read(fd=9, buf=0, count=3): fail ERRNO(1)"},
		{"socket(AF_ALG): errno", "x86_64 socket(family=AF_ALG): pass"},
		{"socket(AF_ALG): ERRNO(1) EPERM", "x86_64 socket(family=AF_ALG): pass"},
		{"socket(AF_ALG): SCMP_ACT_ERRNO", "x86_64 socket(family=AF_ALG): pass"},
		{"socket(AF_ALG): errno:ENOSYS", "x86_64 socket(family=AF_ALG): fail ERRNO(1)"},
		{"mips64 socket(AF_ALG): ERRNO(38) ENOSYS", "the action: ERRNO(38) is not ENOSYS on mips64: write errno:ENOSYS"},
		{"x86 socket(38): errno", "x86 socket(family=AF_ALG): pass"},
		{"mips64 socket(AF_ALG): ERRNO(1)", "mips64 socket(family=AF_ALG): pass"},
		{"435: allow", "x86_64 clone3(): pass"},
		{"s390 read: allow", "not for this kernel"},
		{"x87 read: allow", `"x87": unknown ABI (known: `},
		{"raed: allow", `unknown system call "raed": did you mean read?`},
		{"x86_64 socketcall: allow", "x86_64 has no call named socketcall"},
		{"read(x=1): allow", `read has no argument "x"`},
		{"socket(AF_AGL): allow", "did you mean AF_ALG?"},
		{`open("/"): allow`, "the verdict depends on pathname, which is not known: write a value in the place of ?"},
		{`openat(7, ?, O_RDONLY): allow`, "x86_64 openat(dirfd=7, pathname=?, flags=O_RDONLY): pass"},
		{"read: maybe", `the action: unknown action "maybe"`},
		{"read: EPERM", `did you mean errno:EPERM?`},
		{"read: allow EPERM", "allow is not EPERM on x86_64: write errno:EPERM"},
	}
	for _, tt := range tests {
		list, err := Parse([]byte(tt.line))
		if err != nil {
			t.Fatalf("%s: %v", tt.line, err)
		}
		got := ""
		o, err := list[0].Check(asked)
		var f *failure.Error
		switch {
		case errors.As(err, &f):
			got = failure.Join(err.Error(), f.Hint)
		case err != nil:
			got = err.Error()
		case o.Pass:
			got = o.Call.Text(false) + ": pass"
		default:
			got = fmt.Sprintf("%s: fail %v", o.Call.Text(false), o.Got.Action)
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.line, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"read: allow", "x86_64 socket(AF_ALG, 0): errno:EPERM", "a(b: c", "read(): ERRNO(1) EPERM\n  by the rule at /a", "#", "\xff:x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := Parse(data)
		if err != nil {
			return
		}
		text, err := Format(list)
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		again, err := Parse(text)
		if err != nil || len(again) != len(list) {
			t.Fatalf("%q is written as %q: %v", data, text, err)
		}
		for i := range list {
			list[i].Line, again[i].Line = 0, 0
			if list[i] != again[i] {
				t.Fatalf("%+v is read as %+v", list[i], again[i])
			}
			_, _ = list[i].Check(asked)
		}
	})
}
