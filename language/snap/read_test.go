package snap

import (
	"maps"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

const (
	allowed = cbpf.Allow
	nothing = cbpf.ErrnoClass | eperm  // no line allows it
	denied  = cbpf.ErrnoClass | eacces // a line denies it
)

// resolve reads and resolves a policy without a problem.
func resolve(t *testing.T, l Language, text string, a arch.ABI) *policy.Resolved {
	t.Helper()
	reading, err := l.Read(language.NewSource([]byte(text)), policy.Target{ABI: a})
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	resolved, _, err := policy.Resolve(reading.Policy, policy.Options{})
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return resolved
}

// verdict returns what a policy does with a call.
func verdict(t *testing.T, r *policy.Resolved, a arch.ABI, name string, args ...uint64) cbpf.Action {
	t.Helper()
	call, _ := syscalltables.Lookup(name)
	nr, ok := call.Number(a)
	if !ok {
		t.Fatalf("%v has no %s", a, name)
	}
	d := cbpf.Data{Arch: a.Audit(), NR: nr}
	copy(d.Args[:], args)
	return r.Eval(&d)
}

func TestMeaning(t *testing.T) {
	const minusOne = 1<<64 - 1
	l := Language{Users: "daemon:1", Groups: "shadow:42,daemon:2"}
	for _, tt := range []struct {
		text string
		call string
		args []uint64
		want cbpf.Action
	}{
		{"read", "read", nil, allowed},
		{"read", "write", nil, nothing},
		{"read\r\nwrite\r\n", "write", nil, allowed},
		{"  read", "read", nil, allowed},
		{"\tread - - ", "read", nil, allowed},
		{"# write\n#write\n\nread", "write", nil, nothing},
		{"", "read", nil, nothing},
		{"socket 2 1", "socket", []uint64{2, 1}, allowed},
		{"socket 2 1", "socket", []uint64{2, 2}, nothing},
		{"socket - 1", "socket", []uint64{9, 1}, allowed},
		{"socket 010", "socket", []uint64{10}, allowed},
		{"socket AF_UNIX", "socket", []uint64{1}, allowed},
		{"socket PF_INET6", "socket", []uint64{10}, allowed},
		{"socket AF_CONN", "socket", []uint64{123}, allowed},
		{"socket AF_UNIX", "socket", []uint64{1<<32 | 1}, nothing}, // 64 bits count
		{"socket AF_UNIX\nsocket AF_INET", "socket", []uint64{2}, allowed},
		{"socket AF_UNIX\nsocket", "socket", []uint64{9}, allowed},
		{"socket !AF_UNIX", "socket", []uint64{1}, nothing},
		{"socket !AF_UNIX", "socket", []uint64{2}, allowed},
		{"kill <10", "kill", []uint64{9}, allowed},
		{"kill <10", "kill", []uint64{minusOne}, nothing}, // unsigned
		{"kill <=10", "kill", []uint64{10}, allowed},
		{"kill >10", "kill", []uint64{10}, nothing},
		{"kill >=10", "kill", []uint64{10}, allowed},
		{"kill <0", "kill", []uint64{0}, nothing},
		{"kill >4294967295", "kill", []uint64{1 << 32}, allowed},
		{"open - |O_TMPFILE", "open", []uint64{0, 0x410001}, allowed},
		{"open - |O_TMPFILE", "open", []uint64{0, 0x400000}, nothing}, // not all bits
		{"open - |0", "open", []uint64{0, 5}, allowed},
		{"mknod - 61440|S_IFIFO", "mknod", []uint64{0, 0o10644}, allowed},
		{"mknod - 61440|S_IFIFO", "mknod", []uint64{0, 0o20644}, nothing},
		{"ioctl - 4294967295|TIOCSTI", "ioctl", []uint64{0, 1<<32 | 0x5412}, allowed},
		{"socket 1|3", "socket", []uint64{1}, allowed}, // bits outside the mask do not count
		{"setuid -1", "setuid", []uint64{minusOne}, allowed},
		{"setuid -1", "setuid", []uint64{1<<32 - 1}, allowed},
		{"setuid -2147483648", "setuid", []uint64{1 << 31}, allowed},
		{"setuid +5", "setuid", []uint64{5}, allowed},
		{"setuid 0", "setuid", []uint64{1 << 32}, allowed}, // 32 bits count
		{"setuid u:root", "setuid", []uint64{0}, allowed},
		{"fchown - u:daemon g:daemon", "fchown", []uint64{7, 1, 2}, allowed},
		{"fchown - u:daemon g:shadow", "fchown", []uint64{7, 1, 2}, nothing},
		{"quotactl - - u:daemon", "quotactl", []uint64{0, 0, 1}, allowed},
		{"quotactl - - u:daemon", "quotactl", []uint64{0, 0, 1<<32 | 1}, nothing},
		{"copy_file_range - - - - - 0", "copy_file_range", nil, allowed},
		{"read\n~read", "read", nil, denied},
		{"~read", "read", nil, nothing}, // of two errors the newer filter's
		{"~read", "write", nil, nothing},
		{"ioctl\n~ioctl - TIOCSTI", "ioctl", []uint64{0, 0x5412}, denied},
		{"ioctl\n~ioctl - TIOCSTI", "ioctl", []uint64{0, 1}, allowed},
		{"~socket - !SOCK_STREAM\nsocket", "socket", []uint64{1, 2}, denied},
		{"@complain\nread", "write", nil, cbpf.Log},
		{"read\n  @complain ", "read", nil, allowed},
		{"@complain\n~read", "read", nil, denied},
		{"@unrestricted\nno such line -1", "write", nil, allowed},
		{"read x y\n\t@unrestricted", "write", nil, allowed},
		{"~ read\nread", "read", nil, allowed}, // a line that is dropped
	} {
		if got := verdict(t, resolve(t, l, tt.text, arch.X86_64), arch.X86_64, tt.call, tt.args...); got != tt.want {
			t.Errorf("%q: %s(%v): %v, want %v", tt.text, tt.call, tt.args, got, tt.want)
		}
	}
}

// Filters are for the ABI of 32-bit programs, too, and kill calls through all others.
func TestABIs(t *testing.T) {
	r := resolve(t, Language{}, "open - |O_TMPFILE\nread\nset_tls\nsocket AF_UNIX", arch.AArch64)
	arm := func(nr uint32, args ...uint64) cbpf.Action {
		d := cbpf.Data{Arch: arch.ARM.Audit(), NR: nr}
		copy(d.Args[:], args)
		return r.Eval(&d)
	}
	setTLS := uint32(0xf0005)
	for name, got := range map[string]cbpf.Action{
		"read on arm": verdict(t, r, arch.ARM, "read"), "read on aarch64": verdict(t, r, arch.AArch64, "read"),
		"set_tls": arm(setTLS), "open": verdict(t, r, arch.ARM, "open", 0, 0x404000),
	} {
		if got != allowed {
			t.Errorf("%s: %v", name, got)
		}
	}
	for a, want := range map[arch.ABI]cbpf.Action{arch.X86_64: cbpf.KillThread, arch.AArch64: nothing} {
		if got := verdict(t, r, a, "write"); got != want {
			t.Errorf("write on %v: %v, want %v", a, got, want)
		}
	}
	r = resolve(t, Language{}, "read", arch.X86_64)
	if got := verdict(t, r, arch.X32, "read"); got != cbpf.KillThread {
		t.Errorf("x32: %v", got)
	}
	r = resolve(t, Language{}, "@unrestricted", arch.X86_64)
	for _, a := range []arch.ABI{arch.X32, arch.X86, arch.S390X} {
		if got := verdict(t, r, a, "read"); got != allowed {
			t.Errorf("unrestricted on %v: %v", a, got)
		}
	}
	for a := range arch.All() {
		reading, err := Language{}.Read(language.NewSource([]byte("read")), policy.Target{ABI: a})
		if (err == nil) != (abisOf(a) != nil) || err == nil && reading.Policy.ABIs[0] != a {
			t.Errorf("%v: %v", a, err)
		}
	}
}

// A template stands in front of the policy, and its lines have its name.
func TestTemplate(t *testing.T) {
	files := fstest.MapFS{
		"snippet.src":  {Data: []byte("~read\nwrite")},
		"template.src": {Data: []byte("read\n\nnothing_of_this\n")},
	}
	s := language.NewSource(files["snippet.src"].Data).In(files, "snippet.src")
	reading, err := Language{Template: "template.src"}.Read(s, policy.Target{ABI: arch.X86_64})
	if err != nil {
		t.Fatal(err)
	}
	p := reading.Policy
	if len(p.Rules) != 2 || p.Rules[0].Pointer != "template.src:1:1" || p.Rules[1].Pointer != "2:1" || p.Older[0].Rules[0].Pointer != "1:1" {
		t.Errorf("%+v", p.Rules)
	}
	if w := reading.Warnings; len(w) != 1 || w[0].Pointer != "template.src:3:1" {
		t.Errorf("warnings %v", w)
	}
	files["template.src"].Data = []byte("@complain")
	if reading, err = (Language{Template: "template.src"}).Read(s, policy.Target{ABI: arch.X86_64}); err != nil || reading.Policy.Default != cbpf.Log {
		t.Errorf("%v, %v", reading.Policy, err)
	}
}

// Names of users and groups are settings first, then those of the root's files.
func TestAccounts(t *testing.T) {
	files := fstest.MapFS{
		"p/x.src":                   {Data: []byte("setuid u:daemon\nsetuid u:snap_daemon\nsetgid g:daemon\nsetuid u:root\nsetgid g:root")},
		"etc/passwd":                {Data: []byte("bad\nroot:x:7:0::/:\ndaemon:x:3:3::/:\ndaemon:x:4:4::/:\nsnap_daemon:x:many:0::/:\n")},
		"etc/group":                 {Data: []byte("daemon:x:5:\n")},
		"var/lib/extrausers/passwd": {Data: []byte("daemon:x:6:6::/:\nsnap_daemon:x:584788:584788::/:\n")},
	}
	read := func(l Language) (values []uint64) {
		s := language.NewSource(files["p/x.src"].Data).In(files, "p/x.src")
		reading, err := l.Read(s, policy.Target{ABI: arch.X86_64})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range reading.Policy.Rules {
			values = append(values, r.Args[0].ValueTwo)
		}
		return values
	}
	for _, tt := range []struct {
		l    Language
		want [5]uint64
	}{
		{Language{}, [5]uint64{3, 584788, 5, 7, 0}},
		{Language{Users: "daemon:9,root:0", Groups: ",daemon:10,"}, [5]uint64{9, 584788, 10, 0, 0}},
	} {
		if got := read(tt.l); [5]uint64(got) != tt.want {
			t.Errorf("%+v: %v, want %v", tt.l, got, tt.want)
		}
	}
}

// Lines about calls that libseccomp does not know are dropped.
func TestCalls(t *testing.T) {
	for calls, want := range map[string]cbpf.Action{"": allowed, "6.10": allowed, "6.9": nothing} {
		if got := verdict(t, resolve(t, Language{Calls: calls}, "mseal", arch.X86_64), arch.X86_64, "mseal"); got != want {
			t.Errorf("calls of %q: %v, want %v", calls, got, want)
		}
	}
	// Here the call is older elsewhere, and so the line is not about nothing.
	for calls, want := range map[string]cbpf.Action{"4.17": allowed, "4.0": nothing} {
		r := resolve(t, Language{Calls: calls}, "kexec_file_load", arch.S390X)
		if got := verdict(t, r, arch.S390X, "kexec_file_load"); got != want {
			t.Errorf("calls of %q: %v, want %v", calls, got, want)
		}
	}
}

// Every constant has a value on every ABI, and none has another one than in the headers.
func TestConstants(t *testing.T) {
	for a := range arch.All() {
		if abisOf(a) == nil {
			continue
		}
		all, known := constantsOf(a), maps.Collect(symbols.Constants(a))
		if len(all) != 225 {
			t.Errorf("%v: %d constants", a, len(all))
		}
		for field := range strings.FieldsSeq(constants + "AF_" + strings.Join(strings.Fields(families), " AF_")) {
			name, value, own := strings.Cut(field, "=")
			n, err := strconv.ParseUint(value, 0, 32)
			v, ok := known[name]
			if own && err != nil || !own && !ok || own && ok && uint64(v) != n {
				t.Errorf("%v: %s: %d in the headers", a, field, v)
			}
		}
	}
	if all := constantsOf(arch.X86_64); all["PF_UNIX"] != 1 || all["S_ISUID"] != 0o4000 || all["PTRACE_PEEKUSER"] != 3 {
		t.Errorf("%v", all)
	}
}
