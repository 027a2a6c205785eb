package minijail

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// resolve reads a policy and returns what it means.
func resolve(t *testing.T, l Language, s *language.Source, a arch.ABI) (language.Reading, *policy.Resolved) {
	t.Helper()
	reading, err := l.Read(s, policy.Target{ABI: a})
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: []arch.ABI{a}})
	if err != nil {
		t.Fatal(err)
	}
	return reading, r
}

// eval returns what a policy says about a call, written as "kill 1 2".
func eval(t *testing.T, r *policy.Resolved, a arch.ABI, call string) string {
	t.Helper()
	words := strings.Fields(call)
	c, _ := syscalltables.Lookup(words[0])
	nr, ok := c.Number(a)
	if !ok {
		t.Fatalf("no call %s", words[0])
	}
	d := cbpf.Data{NR: nr, Arch: a.Audit()}
	for i, w := range words[1:] {
		if _, err := fmt.Sscan(w, &d.Args[i]); err != nil {
			t.Fatal(err)
		}
	}
	return r.Eval(&d).String()
}

func TestMeaning(t *testing.T) {
	py, c := Language{Dialect: Python}, Language{Dialect: C}
	with := func(l Language, f func(*Language)) Language { f(&l); return l }
	trap := with(py, func(l *Language) { l.DefaultAction = "trap" })
	tests := []struct {
		name string
		l    Language
		text string
		want string // calls and what they get
	}{
		{"allow", py, "read: 1\nwrite: allow", "read=ALLOW write=ALLOW close=KILL_THREAD"},
		{"comments, continuation and carriage returns", py, "# a\r\nread: 1 # b\r\nkill: arg0 == 1 || \\\n arg0 == 2", "read=ALLOW kill 2=ALLOW kill 3=KILL_THREAD"},
		{"a carriage return ends a line", py, "read: 1\rwrite: 1", "read=ALLOW write=ALLOW"},
		{"a comment can be continued", py, "read: 1 # c \\\n\nwrite: 1", "read=ALLOW write=ALLOW"},
		{"every action", py, "read: kill\nwrite: kill-process\nopen: kill-thread\nclose: trap\nstat: trace\nfstat: log\nlstat: user-notify\npoll: return 7",
			"read=KILL_THREAD write=KILL_PROCESS open=KILL_THREAD close=TRAP stat=TRACE(0) fstat=LOG lstat=NOTIFY poll=ERRNO(7)"},
		{"errors", py, "read: return ENOSYS\nwrite: return 0x10002\nopen: return -1", "read=ERRNO(38) write=ERRNO(2) open=ERRNO(65535)"},
		{"python: the error is for what holds", py, "kill: arg0 == 1; return EPERM", "kill 1=ERRNO(1) kill 2=KILL_THREAD"},
		{"c: the error is for the rest", c, "kill: arg0 == 1; return EPERM", "kill 1=ALLOW kill 2=ERRNO(1)"},
		{"c: without an error the rest is killed", c, "kill: arg0 == 1", "kill 1=ALLOW kill 2=KILL_THREAD"},
		{"operators", py, "kill: arg0 < 2\ntkill: arg0 <= 2\nread: arg0 > 2\nwrite: arg0 >= 2\nopen: arg0 != 2\nclose: arg0 & 6\nstat: arg0 in 6",
			"kill 1=ALLOW kill 2=KILL_THREAD tkill 2=ALLOW tkill 3=KILL_THREAD read 2=KILL_THREAD read 3=ALLOW write 1=KILL_THREAD write 2=ALLOW " +
				"open 2=KILL_THREAD open 3=ALLOW close 1=KILL_THREAD close 10=ALLOW stat 4=ALLOW stat 0=ALLOW stat 5=KILL_THREAD stat 0x100000000=KILL_THREAD"},
		{"bits of zero", py, "read: arg0 & 0\nwrite: arg0 in 0\nopen: arg0 in -1", "read 1=KILL_THREAD write 0=ALLOW write 1=KILL_THREAD open 5=ALLOW"},
		{"numbers", py, "kill: arg0 == 010\ntkill: arg0 == 0x10\nread: arg0 == -1\nwrite: arg0 == ~0\nopen: arg0 == 08",
			"kill 8=ALLOW tkill 16=ALLOW read 0xffffffffffffffff=ALLOW read 0xffffffff=KILL_THREAD write 0xffffffffffffffff=ALLOW open 8=ALLOW"},
		{"constants", py, "mmap: arg2 in ~(PROT_EXEC | 2) && arg0 == 1", "mmap 1 0 1=ALLOW mmap 1 0 4=KILL_THREAD mmap 2 0 1=KILL_THREAD"},
		{"second names", py, "socket: arg0 == PF_LOCAL\nioctl: arg1 == SIOCOUTQ", "socket 1=ALLOW ioctl 0 0x5411=ALLOW"},
		{"braces", py, "{read, write}: {arg0 == 1; return EPERM, arg0 == 2; trap, arg1 == 3}", "write 1=ERRNO(1) read 2=TRAP read 3 3=ALLOW read 1 3=ERRNO(1) read=KILL_THREAD"},
		{"lines add up, in order", py, "kill: arg0 == 1; return EPERM\nkill: arg1 == 2\nkill: log", "kill 1 2=ERRNO(1) kill 3 2=ALLOW kill=LOG"},
		{"python: an allowed rest hides conditions", py, "kill: {arg0 == 1; return EPERM, allow}", "kill 1=ALLOW kill 2=ALLOW"},
		{"and so does an allowing default", with(py, func(l *Language) { l.DefaultAction = "allow" }), "kill: arg0 == 1; return EPERM\nread: return EPERM", "kill 1=ALLOW read=ERRNO(1) write=ALLOW"},
		{"architectures", py, "read[arch=x86_64]: 1\nmmap2[arch=arm,x86]: 1\n{write[arch=arm64], close[arch=arm64,x86_64]}: 1", "read=ALLOW write=KILL_THREAD close=ALLOW"},
		{"default", py, "@default trap\nread: arg0 == 1", "read=TRAP write=TRAP"},
		{"the last default counts", py, "@default trap\nread: arg0 == 1\n@default kill-process", "read=KILL_PROCESS write=KILL_PROCESS"},
		{"the switch is above it", trap, "@default kill-process\nread: 1", "write=TRAP"},
		{"a default of the listener", py, "@default user-notify", "write=NOTIFY"},
		{"the switch kills the process", with(py, func(l *Language) { l.DefaultAction = "kill" }), "read: kill", "write=KILL_PROCESS read=KILL_THREAD"},
		{"an error by switch", with(py, func(l *Language) { l.DefaultAction = "return EPERM" }), "read: arg0 == 1", "write=ERRNO(1) read=ERRNO(1)"},
		{"use-kill-process", with(py, func(l *Language) { l.UseKillProcess = true }), "read: kill\nwrite: kill-thread", "read=KILL_PROCESS write=KILL_THREAD close=KILL_PROCESS"},
		{"use-ret-log", with(py, func(l *Language) { l.UseRetLog = true }), "read: return ENOSUCHTHING\nwrite: kill\nopen: kill-thread", "read=LOG write=LOG open=KILL_THREAD close=LOG"},
		{"denylist", with(py, func(l *Language) { l.Denylist = true }), "@denylist\nread: return EACCES\nwrite: arg0 == 1; return EIO", "read=ERRNO(13) write 1=ERRNO(5) write 2=ALLOW close=ALLOW"},
		{"a default of a denylist is for tested calls", with(py, func(l *Language) { l.Denylist = true }), "@denylist\n@default trap\nwrite: arg0 == 1; return EIO", "write 1=ERRNO(5) write 2=TRAP close=ALLOW"},
		{"python ignores what does not end", py, "read: 1\nwrite: 1 \\", "read=ALLOW write=KILL_THREAD"},
		{"c ignores what does not end", c, "read: 1\nwrite: 1 \\", "read=ALLOW write=KILL_THREAD"},
		{"c: numbers", c, "kill: arg0 == +8\ntkill: arg0 == 0X1F|\nread: arg00 == -0x1\nwrite: arg0 == ~(~1)|(2)", "kill 8=ALLOW tkill 31=ALLOW read 0xffffffffffffffff=ALLOW write 3=ALLOW"},
		{"c: an empty alternative", c, "kill: ;", "kill=KILL_THREAD"},
		{"c: what it reads no further", c, "read: return EPERM and more\nwrite: arg0 == 1; return EIO; junk\nopen: returning EIO\nclose: return",
			"read=ERRNO(1) write 1=ALLOW write 2=ERRNO(5) open=ERRNO(5) close=KILL_THREAD"},
		{"c: trap", with(c, func(l *Language) { l.DefaultAction = "trap" }), "read: arg0 == 1", "read 1=ALLOW read 2=TRAP write=TRAP"},
		{"c: log", with(c, func(l *Language) { l.UseRetLog = true }), "read: arg0 == 1\nno_such_call: 1\nopen: return EIO", "read 2=LOG write=LOG open=ERRNO(5)"},
		{"c: kill process", with(c, func(l *Language) { l.UseKillProcess = true }), "read: arg0 == 1", "read 2=KILL_PROCESS write=KILL_PROCESS"},
		{"c: duplicates", with(c, func(l *Language) { l.AllowDuplicates = true }), "kill: arg0 == 1\nkill: 1", "kill 1=ALLOW kill 2=KILL_THREAD"},
		{"c: frequencies", c, "@frequency ./none\nread: 1", "read=ALLOW"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, r := resolve(t, tt.l, language.NewSource([]byte(tt.text)), arch.X86_64)
			var got []string
			for _, check := range checks(tt.want) {
				got = append(got, check+"="+eval(t, r, arch.X86_64, check))
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got  %s\nwant %s", s, tt.want)
			}
		})
	}
}

// checks returns the calls of "kill 1=ALLOW read=TRAP".
func checks(want string) (calls []string) {
	for rest := want; rest != ""; {
		call, after, _ := strings.Cut(rest, "=")
		calls = append(calls, call)
		_, rest, _ = strings.Cut(after, " ")
	}
	return calls
}

// The switches decide what other ABIs get, and arguments have the width of the ABI.
func TestABIs(t *testing.T) {
	elsewhere := func(l Language, text string) cbpf.Action {
		reading, _ := resolve(t, l, language.NewSource([]byte(text)), arch.AArch64)
		return reading.Policy.Elsewhere
	}
	for _, tt := range []struct {
		l    Language
		text string
		want cbpf.Action
	}{
		{Language{Dialect: Python, DefaultAction: "trap"}, "", cbpf.KillThread},
		{Language{Dialect: Python, UseKillProcess: true}, "", cbpf.KillProcess},
		{Language{Dialect: Python, UseRetLog: true, UseKillProcess: true}, "", cbpf.Log},
		{Language{Dialect: Python, Denylist: true}, "@denylist", cbpf.Errno(1)},
		{Language{Dialect: C, UseKillProcess: true}, "", cbpf.KillThread},
	} {
		if got := elsewhere(tt.l, tt.text); got != tt.want {
			t.Errorf("%+v: %v, want %v", tt.l, got, tt.want)
		}
	}
	for _, d := range []Dialect{Python, C} {
		_, r := resolve(t, Language{Dialect: d}, language.NewSource([]byte("read: arg0 == -1\nwrite: arg0 in 1\nmmap2: arg0 & 0x80000000")), arch.X86)
		for call, want := range map[string]string{"read 0xffffffff": "ALLOW", "read 0x1ffffffff": "ALLOW", "write 1": "ALLOW", "write 2": "KILL_THREAD", "mmap2 0x80000000": "ALLOW"} {
			if got := eval(t, r, arch.X86, call); got != want {
				t.Errorf("%s: %s: %s, want %s", d, call, got, want)
			}
		}
	}
	_, r := resolve(t, Language{Dialect: Python}, language.NewSource([]byte("read: 1")), arch.X86_64)
	if got := r.Eval(&cbpf.Data{NR: 1 << 30, Arch: arch.X86_64.Audit()}); got != cbpf.KillThread {
		t.Errorf("x32: %v", got)
	}
	_, r = resolve(t, Language{Dialect: Python, Denylist: true}, language.NewSource([]byte("@denylist\nread: return EIO")), arch.X86_64)
	if got := r.Eval(&cbpf.Data{NR: 1 << 30, Arch: arch.X86_64.Audit()}); got != cbpf.Allow {
		t.Errorf("x32 in a denylist: %v", got)
	}
	_, r = resolve(t, Language{Dialect: Python, DefaultAction: "allow"}, language.NewSource([]byte("read: return EIO")), arch.X86_64)
	if got := r.Eval(&cbpf.Data{NR: 1 << 30, Arch: arch.X86_64.Audit()}); got != cbpf.Allow {
		t.Errorf("x32 where the default action allows: %v", got)
	}
	reading, err := Language{Dialect: C}.Read(language.NewSource([]byte("openat: arg2 & O_DIRECTORY")), policy.Target{ABI: arch.AArch64})
	if err != nil || reading.Policy.Rules[0].Args[0].Value != 0x4000 {
		t.Errorf("%+v %v", reading.Policy, err)
	}
}

func TestIncludes(t *testing.T) {
	files := fstest.MapFS{
		"etc/a.policy":       {Data: []byte("@include ./sub/b.policy\n@frequency ./f\n@include /etc/c.policy\nclose: arg0 == 1")},
		"etc/sub/b.policy":   {Data: []byte("@include ./d.policy\n@frequency /etc/f\nread: arg0 == 1")},
		"etc/sub/d.policy":   {Data: []byte("write: arg0 == 1\n")},
		"etc/c.policy":       {Data: []byte("\n open: arg0 == 1")},
		"etc/f":              {Data: []byte("read: 5\nclose[arch=arm]: 9\nwrite: 10\n")},
		"etc/f2":             {Data: []byte("read: 18446744073709551615 # many\n")},
		"etc/g.policy":       {Data: []byte("@frequency ./f2\n@frequency ./f2")},
		"etc/run.policy":     {Data: []byte("@include ./etc/c.policy\n@include /etc/sub/d.policy\n")},
		"etc/nested.policy":  {Data: []byte("@include ./etc/run.policy\n")},
		"etc/nowhere.policy": {Data: []byte("@include /no/c.policy\n")},
		"etc/beside.policy":  {Data: []byte("@include ./no.policy\n")},
		"etc/outside.policy": {Data: []byte("@include ./../etc/c.policy\n")},
	}
	open := func(name string) *language.Source {
		s := language.NewSource(files[name].Data).In(files, name)
		return s
	}
	reading, _ := resolve(t, Language{Dialect: Python}, open("etc/a.policy"), arch.X86_64)
	var places []string
	for _, r := range reading.Policy.Rules {
		places = append(places, r.Names[0]+" "+r.Pointer)
	}
	if got, want := strings.Join(places, ", "), "write etc/sub/d.policy:1:8, read etc/sub/b.policy:3:7, open etc/c.policy:2:8, close 4:8"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := fmt.Sprint(reading.Frequencies); got != "map[read:10 write:20]" {
		t.Error(got)
	}
	reading, _ = resolve(t, Language{Dialect: Python}, open("etc/g.policy"), arch.X86_64)
	if got := fmt.Sprint(reading.Frequencies); got != "map[read:18446744073709551615]" {
		t.Error(got)
	}
	// The C dialect's paths are relative to the root, and one level deep.
	reading, _ = resolve(t, Language{Dialect: C}, open("etc/run.policy"), arch.X86_64)
	if len(reading.Policy.Rules) != 4 {
		t.Errorf("%+v", reading.Policy.Rules)
	}
	for _, d := range []Dialect{Python, C} {
		_, err := Language{Dialect: d}.Read(open("etc/nowhere.policy"), policy.Target{ABI: arch.X86_64})
		if err == nil || !strings.HasSuffix(err.Error(), "open no/c.policy: file does not exist (absolute paths begin at the policy's root directory, which does not hold this one: give one that does)") {
			t.Errorf("%s: %v", d, err)
		}
	}
	_, err := Language{Dialect: Python}.Read(open("etc/beside.policy"), policy.Target{ABI: arch.X86_64})
	if err == nil || !strings.HasSuffix(err.Error(), "open etc/no.policy: file does not exist (paths that start with ./ are relative to this file)") {
		t.Error(err)
	}
	for name, want := range map[string]string{
		"etc/nested.policy":  "etc/run.policy:1:1: an included file cannot include others",
		"etc/outside.policy": "1:1: \"./../etc/c.policy\": outside of the policy's root directory ",
	} {
		if _, err := (Language{Dialect: C}).Read(open(name), policy.Target{ABI: arch.X86_64}); err == nil || !strings.HasPrefix(err.Error(), "policy: "+want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
