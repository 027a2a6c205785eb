package firejail_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/firejail"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// eval returns what a policy does with a call, written as ABI NAME ARG....
func eval(t *testing.T, r *policy.Resolved, call string) string {
	t.Helper()
	words := strings.Fields(call)
	a, err := arch.Parse(words[0])
	if err != nil {
		t.Fatal(err)
	}
	d := cbpf.Data{Arch: a.Audit()}
	if c, ok := syscalltables.Lookup(words[1]); ok {
		if d.NR, ok = c.Number(a); !ok {
			t.Fatalf("%s: no such call", call)
		}
	} else if _, err := fmt.Sscan(words[1], &d.NR); err != nil {
		t.Fatal(err)
	}
	for i, w := range words[2:] {
		if _, err := fmt.Sscan(w, &d.Args[i]); err != nil {
			t.Fatal(err)
		}
	}
	return r.Eval(&d).String()
}

func TestMeaning(t *testing.T) {
	tests := []struct {
		l     firejail.Language
		text  string
		calls string // CALL=ACTION, separated by semicolons
	}{
		{text: "", calls: "x86_64 mount=ALLOW; x32 read=ALLOW; x86 mount=ALLOW; aarch64 mount=ALLOW"},
		{text: "noroot\ncaps.drop all\n", calls: "x86_64 mount=ALLOW"},
		// The default list, which is not the same for x86.
		{text: "seccomp", calls: "x86_64 mount=ERRNO(1); x86_64 ptrace=ERRNO(1); x86_64 fsopen=ERRNO(1); x86_64 read=ALLOW; x86 mount=ERRNO(1); x86 fsopen=ALLOW; x86 kcmp=ERRNO(1); aarch64 mount=ALLOW"},
		{text: "seccomp", calls: "x32 read=ERRNO(1); x86_64 0x40000000=ERRNO(1); x86_64 0xffffffff=ERRNO(1); x86_64 0x80000000=ERRNO(1); x86_64 0x3fffffff=ALLOW"},
		{text: "seccomp\nallow-debuggers", calls: "x86_64 ptrace=ALLOW; x86_64 mount=ERRNO(1); x86 ptrace=ERRNO(1)"},
		{text: "seccomp !chroot,chmod", calls: "x86_64 chroot=ALLOW; x86_64 chmod=ERRNO(1); x86_64 mount=ERRNO(1); x86 chroot=ERRNO(1); x86 chmod=ALLOW"},
		{text: "  seccomp \t chmod # and nothing else\r\n", calls: "x86_64 chmod=ERRNO(1); x86_64 mount=ERRNO(1)"},
		{text: "seccomp chmod\nseccomp fchmod", calls: "x86_64 chmod=ALLOW; x86_64 fchmod=ERRNO(1)"},
		{text: "seccomp chmod:ENOENT,chroot:kill,mount:eacces,$166:EROFS", calls: "x86_64 chmod=ERRNO(2); x86_64 chroot=KILL_THREAD; x86_64 mount=ERRNO(13); x86_64 umount2=ERRNO(30)"},
		{text: "seccomp $0x5a,$010,$-161", calls: "x86_64 chmod=ERRNO(1); x86_64 lseek=ERRNO(1); x86_64 chroot=ALLOW"},
		{text: "seccomp.drop @clock,!clock_settime", calls: "x86_64 adjtimex=ERRNO(1); x86_64 clock_settime=ALLOW; x86_64 mount=ALLOW; x86 adjtimex=ALLOW; x32 read=ERRNO(1)"},
		{text: "seccomp.drop !read,write", calls: "x86_64 read=ERRNO(1); x86_64 write=ERRNO(1)"},
		{text: "seccomp.drop chmod\nseccomp fchmod", calls: "x86_64 chmod=ERRNO(1); x86_64 fchmod=ALLOW; x86_64 mount=ALLOW"},
		{text: "seccomp.keep read,write,!write,close:EPERM", calls: "x86_64 read=ALLOW; x86_64 write=ERRNO(1); x86_64 close=ERRNO(1); x86_64 execve=ALLOW; x86_64 mount=ERRNO(1); x86_64 0xffffffff=ERRNO(1); x86 mount=ALLOW"},
		{text: "seccomp.keep read\nseccomp.drop read", calls: "x86_64 read=ALLOW"},
		// What firejail denies late.
		{text: "seccomp.drop execve,chmod", calls: "x86_64 execve=ERRNO(1); x86_64 chmod=ERRNO(1)"},
		{l: firejail.Language{BeforeExec: true}, text: "seccomp.drop execve,chmod", calls: "x86_64 execve=ALLOW; x86_64 chmod=ERRNO(1)"},
		// Other actions.
		{text: "seccomp\nseccomp-error-action kill", calls: "x86_64 mount=KILL_THREAD; x32 read=KILL_THREAD; x86 mount=KILL_THREAD"},
		{text: "seccomp.keep read\nseccomp-error-action log", calls: "x86_64 mount=LOG; x86_64 read=ALLOW"},
		{text: "seccomp.drop mount\nseccomp.block-secondary\nseccomp-error-action ENOSYS", calls: "x86_64 mount=ERRNO(38); x32 read=ERRNO(1); x86 read=ERRNO(1)"},
		{text: "seccomp\nseccomp.block-secondary\nseccomp-error-action ENOSYS", calls: "x86_64 mount=ERRNO(38); x32 read=ERRNO(38); x86 read=ERRNO(38)"},
		{l: firejail.Language{Config: map[string]string{"seccomp-error-action": "EACCES"}}, text: "seccomp\nseccomp-error-action kill", calls: "x86_64 mount=ERRNO(13)"},
		// Other ABIs.
		{text: "seccomp.block-secondary", calls: "x86_64 mount=ERRNO(1); x86 read=ERRNO(1); aarch64 read=ERRNO(1); x32 read=ERRNO(1); x86_64 personality=ERRNO(1)"},
		{text: "seccomp.drop chmod\nseccomp.block-secondary", calls: "x86_64 personality 0=ALLOW; x86_64 personality 0xffffffff=ALLOW; x86_64 personality 8=ERRNO(1); x86_64 personality 0x100000000=ERRNO(1)"},
		{text: "seccomp !chroot\nseccomp.32 !mount", calls: "x86 mount=ALLOW; x86 chroot=ERRNO(1); x86 fsopen=ERRNO(1); x86_64 mount=ERRNO(1)"},
		{text: "seccomp\nseccomp.32 !mount", calls: "x86 mount=ERRNO(1)"},
		{text: "seccomp.drop chmod\nseccomp.32.drop chmod,fchmod", calls: "x86 fchmod=ERRNO(1); x86 mount=ALLOW; x86_64 fchmod=ALLOW"},
		// Sockets.
		{text: "protocol unix,inet", calls: "x86_64 socket 1=ALLOW; x86_64 socket 2=ALLOW; x86_64 socket 10=ERRNO(95); x86_64 socket 0x100000001=ALLOW; x86 socket 10=ERRNO(95); x86 socketcall 1=ALLOW; x32 socket 1=ERRNO(1)"},
		{text: "protocol unix,inet\nprotocol -inet,+netlink", calls: "x86_64 socket 2=ERRNO(95); x86_64 socket 16=ALLOW; x86_64 socket 1=ALLOW"},
		{text: "protocol unix\nprotocol =packet,bluetooth", calls: "x86_64 socket 1=ERRNO(95); x86_64 socket 17=ALLOW; x86_64 socket 31=ALLOW"},
		{text: "protocol unix\nseccomp.drop socket", calls: "x86_64 socket 2=ERRNO(95); x86_64 socket 1=ERRNO(1)"},
		// Memory.
		{text: "memory-deny-write-execute", calls: "x86_64 mmap 0 0 7=ERRNO(1); x86_64 mmap 0 0 5=ALLOW; x86_64 mprotect 0 0 4=ERRNO(1); x86_64 shmat 0 0 0x8000=ERRNO(1); x86_64 memfd_create=ERRNO(1); x86 mmap=ERRNO(1); x86 mmap2 0 0 6=ERRNO(1); x86 mprotect 0 0 3=ALLOW"},
		// Namespaces.
		{text: "restrict-namespaces user,time", calls: "x86_64 clone 0x10000000=ERRNO(1); x86_64 clone 0x80=ALLOW; x86_64 unshare 0x80=ERRNO(1); x86_64 unshare 0x20000=ALLOW; x86_64 setns 0 0=ERRNO(1); x86_64 setns 0 0x20000=ALLOW; x86_64 clone3=ERRNO(38); x86 unshare 0x80=ERRNO(1)"},
		{text: "restrict-namespaces", calls: "x86_64 clone 0x20000=ERRNO(1); x86_64 unshare 0x80=ERRNO(1); x86 unshare 0x80=ALLOW"},
		{text: "restrict-namespaces\nrestrict-namespaces -user", calls: "x86_64 unshare 0x10000000=ERRNO(1)"},
		{text: "restrict-namespaces\nrestrict-namespaces -user\nseccomp-error-action EROFS", calls: "x86_64 unshare 0x10000000=ALLOW; x86_64 unshare 0x20000=ERRNO(30); x86 unshare 0x20000=ERRNO(30)"},
		// Lines that depend on others.
		{text: "ignore seccomp\nseccomp chmod\nseccomp\nseccomp.drop fchmod", calls: "x86_64 chmod=ALLOW; x86_64 mount=ALLOW; x86_64 fchmod=ERRNO(1)"},
		{text: "ignore seccomp chmod\nseccomp chmod\nseccomp fchmod", calls: "x86_64 chmod=ALLOW; x86_64 fchmod=ERRNO(1)"},
		{text: "?HAS_NOSOUND: seccomp\nnosound\n?HAS_NOSOUND : seccomp.drop chmod", calls: "x86_64 mount=ALLOW; x86_64 chmod=ERRNO(1)"},
		{text: "private\nnet none\nnodbus\nx11 none\n?HAS_PRIVATE: ?HAS_NET: ?HAS_NODBUS:?HAS_X11: seccomp.drop chmod", calls: "x86_64 chmod=ERRNO(1)"},
		{text: "?BROWSER_DISABLE_U2F: seccomp.drop chmod\n?ALLOW_TRAY: seccomp.keep read\n?BROWSER_ALLOW_DRM: seccomp.keep read", calls: "x86_64 chmod=ERRNO(1); x86_64 fchmod=ALLOW"},
		{l: firejail.Language{Config: map[string]string{"allow-tray": "yes", "browser-disable-u2f": "no"}},
			text: "?BROWSER_DISABLE_U2F: seccomp.drop chmod\n?ALLOW_TRAY: seccomp.drop fchmod", calls: "x86_64 chmod=ALLOW; x86_64 fchmod=ERRNO(1)"},
		{l: firejail.Language{Config: map[string]string{"seccomp": "no"}}, text: "seccomp\nprotocol unix", calls: "x86_64 mount=ALLOW; x86_64 socket 2=ALLOW"},
		{l: firejail.Language{Config: map[string]string{"seccomp-filter-add": "!chroot,chmod"}}, text: "seccomp fchmod", calls: "x86_64 chroot=ALLOW; x86_64 chmod=ERRNO(1); x86_64 fchmod=ERRNO(1); x86_64 mount=ERRNO(1)"},
		{l: firejail.Language{Config: map[string]string{"seccomp-filter-add": "!chroot"}}, text: "seccomp.drop chroot", calls: "x86_64 chroot=ERRNO(1)"},
		{l: firejail.Language{Options: "--appimage --ignore=seccomp.keep"}, text: "?HAS_APPIMAGE: seccomp.drop chmod\nseccomp.keep read", calls: "x86_64 chmod=ERRNO(1); x86_64 mount=ALLOW"},
		// Command lines.
		{text: "--noprofile\n# a comment\n--seccomp.drop=chmod\n--protocol=unix", calls: "x86_64 chmod=ERRNO(1); x86_64 socket 2=ERRNO(95)"},
		{text: "firejail --noprofile --seccomp='!chroot,chmod' \\\n  \"--protocol=unix\" -- --seccomp.keep=read", calls: "x86_64 chroot=ALLOW; x86_64 chmod=ERRNO(1); x86_64 socket 2=ERRNO(95); x86_64 write=ALLOW"},
		{text: "/usr/bin/firejail --noprofile --memory-deny-write-execute --restrict-namespaces=net vim --seccomp", calls: "x86_64 memfd_create=ERRNO(1); x86_64 unshare 0x40000000=ERRNO(1); x86_64 mount=ALLOW"},
		{text: "--ignore=seccomp --profile=base", calls: "x86_64 mount=ALLOW; x86_64 socket 2=ERRNO(95)"},
		{text: "--include=/etc/firejail/base.profile", calls: "x86_64 mount=ERRNO(1); x86_64 socket 2=ERRNO(95)"},
		// Included profiles.
		{text: "include nothing.local\ninclude base.profile\ninclude base.local", calls: "x86_64 mount=ERRNO(1); x86_64 chmod=ERRNO(1); x86_64 socket 2=ERRNO(95)"},
		{text: "include ${CFG}/base.profile", calls: "x86_64 mount=ERRNO(1)"},
		{text: "ignore include base.profile\ninclude base.profile", calls: "x86_64 mount=ALLOW"},
	}
	files := fstest.MapFS{
		"etc/firejail/base.profile":        {Data: []byte("seccomp\nprotocol unix\n")},
		"root/.config/firejail/x":          {},
		"root/.config/firejail/base.local": {Data: []byte("seccomp chmod\n")},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			s := language.NewSource([]byte(tt.text)).In(files, "root/.config/firejail/x")
			reading, err := tt.l.Read(s, policy.Target{ABI: arch.X86_64})
			if err != nil {
				t.Fatal(err)
			}
			resolved, _, err := policy.Resolve(reading.Policy, policy.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range strings.Split(tt.calls, "; ") {
				call, action, _ := strings.Cut(want, "=")
				if got := eval(t, resolved, call); got != action {
					t.Errorf("%s: %s, want %s", call, got, action)
				}
			}
			if _, warnings, err := compiler.Compile(resolved, compiler.Options{}); err != nil || len(warnings) > 0 {
				t.Error(warnings, err)
			}
		})
	}
}

// On aarch64 there is no x32, and no filter for 32 bits without a list.
func TestAArch64(t *testing.T) {
	for text, calls := range map[string]string{
		"seccomp":                           "aarch64 mount=ERRNO(1); aarch64 0xffffffff=ALLOW; arm mount=ALLOW; aarch64 chroot=ERRNO(1)",
		"seccomp !mount:EPERM":              "aarch64 mount=ERRNO(1); aarch64 0xffffffd8=ERRNO(1)",
		"seccomp !chroot\nseccomp.32 chmod": "aarch64 chroot=ALLOW; arm chmod=ERRNO(1); arm mount=ERRNO(1)",
		"protocol unix":                     "aarch64 socket 2=ERRNO(95); arm socket 2=ALLOW",
		"memory-deny-write-execute":         "aarch64 mmap 0 0 6=ERRNO(1); arm mmap2 0 0 6=ALLOW",
		"restrict-namespaces net":           "aarch64 unshare 0x40000000=ERRNO(1); arm unshare 0x40000000=ALLOW",
		"seccomp.drop @file-system\nseccomp.block-secondary": "aarch64 openat=ERRNO(1); arm read=ERRNO(1)",
		"seccomp.32 chmod": "aarch64 fchmod=ALLOW; arm 21=ERRNO(1)",
	} {
		reading, err := firejail.Language{}.Read(language.NewSource([]byte(text)), policy.Target{ABI: arch.AArch64})
		if err != nil {
			t.Fatal(err)
		}
		resolved, _, err := policy.Resolve(reading.Policy, policy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range strings.Split(calls, "; ") {
			call, action, _ := strings.Cut(want, "=")
			if got := eval(t, resolved, call); got != action {
				t.Errorf("%s: %s: %s, want %s", text, call, got, action)
			}
		}
	}
}

// What firejail drops or ignores without a word is said, with its place.
func TestWarnings(t *testing.T) {
	tests := []struct{ text, want string }{
		{"seccomp chmod,wriet", `1:15: "wriet": not a call that firejail knows, so it drops the word (did you mean write?) (unknown-name)`},
		{"seccomp @clock,CHMOD", `1:16: "CHMOD": not a call that firejail knows, so it drops the word (did you mean chmod?) (unknown-name)`},
		{"seccomp\tchown32", `1:9: "chown32": x86_64 has no such call, so firejail drops the word (remove it) (unknown-name)`},
		{"seccomp !@mount", `1:9: "!@mount": firejail exempts calls and not groups, and drops the word (name the calls) (unknown-name)`},
		{"seccomp !chroot:EPERM", `1:9: "!chroot:EPERM": firejail exempts no call that has an error or kill (write !chroot) (unknown-name)`},
		{"seccomp !read", `1:9: "!read": firejail cannot exempt call 0, and denies it (list the calls to deny with seccomp.drop) (unknown-name)`},
		{"seccomp chmod:ENOSUCH", `1:9: "chmod:ENOSUCH": not an error behind the colon, so firejail drops the word (use a name such as EPERM, or kill) (unknown-name)`},
		{"seccomp chmod:5", `1:9: "chmod:5": not an error behind the colon, so firejail drops the word (use a name such as EPERM, or kill) (unknown-name)`},
		{"seccomp chmod:EFSBADCRC", `1:9: "chmod:EFSBADCRC": not an error behind the colon, so firejail drops the word (use a name such as EPERM, or kill) (unknown-name)`},
		{"seccomp $99999", `1:9: 99999: not the number of a call that firejail knows, so it drops the word (remove it) (unknown-name)`},
		{"seccomp.drop $chmod", `1:14: "$chmod": not a number, and firejail takes it for call 0 (write it like $165) (unknown-name)`},
		{"seccomp.drop $0xg", `1:14: "$0xg": not a number, and firejail takes it for call 0 (write it like $165) (unknown-name)`},
		{"seccomp $2147483647", `1:9: "$2147483647": firejail cannot filter this number, and drops the word (remove it) (unknown-name)`},
		{"seccomp chmod\n\n  seccomp fchmod", `1:9: seccomp: a later line replaces the list (put them into one line) (ignored)`},
		{"seccomp chmod\nseccomp.drop chmod", `1:9: the list of calls is not used: seccomp.drop replaces it (remove it) (ignored)`},
		{"seccomp.keep read\nseccomp.drop chmod", `2:14: the list of calls is not used: seccomp.keep replaces it (remove it) (ignored)`},
		{"seccomp\nseccomp.32 chmod", `2:12: the list of calls is not used: it counts beside a seccomp line with a list alone (remove it) (ignored)`},
		{"seccomp chmod\nseccomp.32.drop chmod", `2:17: the list of calls is not used: it counts beside seccomp.drop alone (remove it) (ignored)`},
		{"seccomp chmod\nseccomp.32 execve", `2:12: execve: firejail needs the call to start a program, and does not deny it in 32-bit filters (remove it) (ignored)`},
		{"restrict-namespaces\nrestrict-namespaces -user", `1:1: restrict-namespaces without a list restricts all namespaces, and firejail ignores lines that take some away (list those to restrict instead) (ignored)`},
		{"--seccomp", `1:1: no --noprofile: firejail adds a profile that the program's name decides about, which is not read here (name it with --profile=FILE, or say --noprofile) (ignored)`},
	}
	for _, tt := range tests {
		reading, err := firejail.Language{}.Read(language.NewSource([]byte(tt.text)), policy.Target{ABI: arch.X86_64})
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		var got []string
		for _, w := range reading.Warnings {
			got = append(got, w.String())
		}
		if text := strings.Join(got, "\n"); text != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.text, text, tt.want)
		}
	}
}

// Work and reports are bounded.
func TestBounds(t *testing.T) {
	words := strings.Repeat("x,", 4000)
	l := firejail.Language{}
	reading, err := l.Read(language.NewSource([]byte("seccomp "+words)), policy.Target{ABI: arch.X86_64})
	if err != nil || len(reading.Warnings) != 1001 || reading.Warnings[1000].More != 3000 {
		t.Errorf("%d warnings, %v", len(reading.Warnings), err)
	}
	_, err = l.Read(language.NewSource([]byte(strings.Repeat("x\n", 5000))), policy.Target{ABI: arch.X86_64})
	if problems, ok := err.(policy.Errors); !ok || len(problems) != 1000 {
		t.Error("too many errors")
	}
	files := fstest.MapFS{}
	for c := 'a'; c < 'j'; c++ {
		files[string(c)] = &fstest.MapFile{Data: []byte(strings.Repeat("include ./"+string(c+1)+"\n", 50))}
	}
	files["j"] = &fstest.MapFile{Data: []byte("seccomp\n")}
	if _, err = l.Read(language.NewSource(files["a"].Data).In(files, "a"), policy.Target{ABI: arch.X86_64}); err == nil || !strings.Contains(err.Error(), "more than 4096 included files") {
		t.Error(err)
	}
	groups := strings.TrimSuffix(strings.Repeat("@system-service,", 500), ",")
	reading, err = l.Read(language.NewSource([]byte("seccomp.drop "+groups)), policy.Target{ABI: arch.X86_64})
	if err != nil || len(reading.Policy.Rules)+len(reading.Policy.Older) > 1000 {
		t.Error(err)
	}
}
