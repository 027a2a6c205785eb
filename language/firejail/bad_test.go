package firejail_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/firejail"
	"github.com/seccompile/seccompile/policy"
)

// Each problem has its place and a cure.
func TestBadTexts(t *testing.T) {
	off := firejail.Language{Config: map[string]string{"seccomp": "no"}}
	fixed := firejail.Language{Config: map[string]string{"seccomp-error-action": "kill"}}
	tests := []struct {
		l    firejail.Language
		text string
		want string // all problems, one a line
	}{
		{text: "seccmp", want: `1:1: "seccmp": not a line that firejail knows (did you mean seccomp?)`},
		{text: "seccomp\n\n  frobnicate everything", want: `3:3: "frobnicate everything": not a line that firejail knows (remove it, or put # in front)`},
		{text: "seccomp.drop", want: `1:1: "seccomp.drop": not a line that firejail knows (give seccomp.drop a value)`},
		{text: "seccomp.32", want: `1:1: "seccomp.32": not a line that firejail knows (give seccomp.32 a value)`},
		{text: "protocol", want: `1:1: "protocol": not a line that firejail knows (give protocol a value)`},
		{text: "ignore", want: `1:1: "ignore": not a line that firejail knows (give ignore a value)`},
		{text: strings.Repeat("ignore x\n", 33), want: `33:8: more than 32 lines with ignore, with which firejail does not start (leave some out)`},
		{text: "blacklist", want: `1:1: "blacklist": not a line that firejail knows (give blacklist a value)`},
		{text: "memory-deny-write-execute yes", want: `1:1: "memory-deny-write-execute yes": not a line that firejail knows (write memory-deny-write-execute alone)`},
		{text: "seccomp.block-secondary yes", want: `1:1: "seccomp.block-secondary yes": not a line that firejail knows (write seccomp.block-secondary alone)`},
		{text: "noroot yes", want: `1:1: "noroot yes": not a line that firejail knows (write noroot alone)`},
		{text: "Seccomp", want: `1:1: "Seccomp": not a line that firejail knows (did you mean seccomp?)`},
		{text: "seccomp chmod fchmod", want: `1:14: seccomp: " ": cannot be in a list of calls (put commas between calls, and nothing else)`},
		{text: "seccomp chmod;fchmod", want: `1:14: seccomp: ";": cannot be in a list of calls (put commas between calls, and nothing else)`},
		{text: "seccomp.keep +read", want: `1:14: seccomp.keep: "+": cannot be in a list of calls (remove it)`},
		{text: "seccomp ,", want: `1:9: a list without calls, with which firejail does not start (name some)`},
		{text: "--noprofile --seccomp=", want: `1:23: seccomp: no calls (name some)`},
		{text: "seccomp @nothing", want: `1:9: "@nothing": not a group of firejail's (name the calls)`},
		{text: "seccomp chmod,@clok", want: `1:15: "@clok": not a group of firejail's (did you mean @clock?)`},
		{text: "seccomp.drop @clock:EPERM", want: `1:14: "@clock:EPERM": not a group of firejail's (a group has no error: give one to each call)`},
		{text: "seccomp :EPERM", want: `1:9: ":EPERM": no call, so firejail does not start (name one)`},
		{text: "seccomp chmod,!", want: `1:15: "!": no call, so firejail does not start (name one)`},
		{text: "seccomp.drop read\nseccomp.32 read", want: `2:12: seccomp.32: with seccomp.drop and without seccomp.32.drop firejail does not start (add one)`},
		{text: "seccomp.32 read\nseccomp.block-secondary", want: `1:12: seccomp.32: with seccomp.block-secondary and without a list in seccomp firejail does not start (leave out one of them)`},
		{text: "seccomp-error-action EPREM", want: `1:22: seccomp-error-action "EPREM": not the name of an error (use a name such as EPERM, kill or log)`},
		{text: "seccomp-error-action 1", want: `1:22: seccomp-error-action "1": not the name of an error (use a name such as EPERM, kill or log)`},
		{text: "protocol unix,inet4", want: `1:15: "inet4": not a protocol that firejail knows (did you mean inet?)`},
		{text: "protocol vsock", want: `1:10: "vsock": not a protocol that firejail knows (use unix, inet, inet6, netlink, packet, bluetooth)`},
		{text: "protocol unix\nprotocol -unix", want: `1:10: protocol: a list without names, with which firejail does not start (name some)`},
		{text: "restrict-namespaces user,usr", want: `1:26: "usr": not a namespace that firejail knows (did you mean user?)`},
		{text: "restrict-namespaces everything", want: `1:21: "everything": not a namespace that firejail knows (use cgroup, ipc, net, mnt, pid, time, user, uts)`},
		{text: "?HAS_NTE: seccomp", want: `1:1: "HAS_NTE": not a condition that firejail knows (did you mean HAS_NET?)`},
		{text: "?X: seccomp", want: `1:1: "X": not a condition that firejail knows (use one of HAS_APPIMAGE, HAS_NET, HAS_NODBUS, HAS_NOSOUND, HAS_PRIVATE, HAS_X11, BROWSER_DISABLE_U2F, BROWSER_ALLOW_DRM, ALLOW_TRAY)`},
		{text: "?HAS_NET seccomp", want: `1:10: no colon behind the condition (write ?HAS_NET: LINE)`},
		{text: "?HAS_NET:", want: `1:10: no line behind the condition (write ?HAS_NET: LINE)`},
		{text: "nosound\n?HAS_NOSOUND: include b", want: `2:15: "include b": cannot depend on a condition (put it into a line of its own)`},
		{text: "include nothing.inc", want: `1:9: open etc/nothing.inc: file does not exist (give the directory that has it as the root, or remove the line)`},
		{text: "include a", want: `1:9: a: files that include each other: etc/a includes etc/a (give the directory that has it as the root, or remove the line)`},
		{text: "include ${HOME}/x.inc", want: `1:9: "${HOME}/x.inc": a path that depends on the user (write the path itself)`},
		{text: "include b", want: `etc/b:2:1: "sceccomp": not a line that firejail knows (did you mean seccomp?)`},
		{text: "seccomp " + strings.Repeat("x", 8200), want: `1:1: a line of more than 8190 bytes, whose rest firejail reads as another one (split it)`},
		{text: "protocol " + strings.Repeat("x", 8100) + "\nprotocol " + strings.Repeat("y", 8100) + "\nprotocol " + strings.Repeat("z", 8100) + "\nprotocol unix", want: `3:10: the list has more than 16384 bytes, so firejail does not start (shorten it)`},
		{text: "--noprofile --seccomp --seccomp=chmod", want: `1:33: --seccomp: an option before says what to filter already, so firejail does not start (leave out one of them)`},
		{text: "--noprofile --seccomp.32=chmod --seccomp.32.keep=read", want: `1:50: --seccomp.32.keep: an option before says what to filter already, so firejail does not start (leave out one of them)`},
		{text: "--noprofile --seccomp.32=read --seccomp=read --seccomp.block-secondary", want: `1:46: --seccomp.block-secondary: conflicts with seccomp.32 (leave out one of them)`},
		{text: "--noprofile --secomp", want: `1:13: "--secomp": not an option of firejail's that starts a program (did you mean seccomp?)`},
		{text: "--noprofile -x", want: `1:13: "-x": not an option of firejail's that starts a program (leave it out)`},
		{text: "--noprofile --seccomp=" + strings.Repeat("x", 4096), want: `1:13: an option of more than 4096 bytes, with which firejail does not start (put the list into a profile)`},
		{text: "--profile=nothing", want: `1:11: open etc/nothing.profile: file does not exist (give the directory that has it as the root, or remove the line)`},
		{l: off, text: "--noprofile --seccomp", want: `1:13: --seccomp: firejail.config turns seccomp off, so firejail does not start (leave out the option)`},
		{l: fixed, text: "--noprofile --seccomp-error-action=log", want: `1:36: --seccomp-error-action: firejail.config has one, so firejail does not start (leave out the option)`},
		{l: firejail.Language{Options: "--secomp"}, want: `: "--secomp": not an option of firejail's that starts a program (did you mean seccomp?)`},
		{l: firejail.Language{Config: map[string]string{"seccomp-log": "yes"}}, want: `: "seccomp-log": not a setting of firejail.config that decides about filters (use allow-tray, browser-allow-drm, browser-disable-u2f, seccomp, seccomp-error-action, seccomp-filter-add)`},
		{l: firejail.Language{Config: map[string]string{"allow-tray": "maybe"}}, want: `: allow-tray "maybe": not a value that firejail.config can have (use yes or no)`},
	}
	files := fstest.MapFS{"etc/a": {}, "etc/b": {Data: []byte("seccomp\nsceccomp\n")}}
	for _, tt := range tests {
		s := language.NewSource([]byte(tt.text)).In(files, "etc/a")
		reading, err := tt.l.Read(s, policy.Target{ABI: arch.X86_64})
		if reading.Policy != nil {
			t.Errorf("%.40s: a policy beside the error", tt.text)
		}
		problems, _ := err.(policy.Errors)
		var got []string
		for _, p := range problems {
			got = append(got, p.Pointer+": "+p.Reason)
		}
		if text := strings.Join(got, "\n"); text != tt.want {
			t.Errorf("%.40s:\ngot  %s\nwant %s", tt.text, text, tt.want)
		}
	}
	for text, want := range map[string]string{
		"include x.inc\n":   "x.inc: only a policy in a file can include others (give the directory that has it as the root, or remove the line)",
		"include x.local\n": "",
	} {
		_, err := firejail.Language{}.Read(language.NewSource([]byte(text)), policy.Target{ABI: arch.X86_64})
		if got, _ := err.(policy.Errors); (want == "") != (err == nil) || len(got) > 0 && got[0].Reason != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := (firejail.Language{}).Read(language.NewSource(nil), policy.Target{ABI: arch.RISCV64}); err == nil || !strings.Contains(err.Error(), "riscv64: unknown which filters firejail has there (choose x86_64 or aarch64 as the target)") {
		t.Error(err)
	}
}
