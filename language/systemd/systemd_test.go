package systemd_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/systemd"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// read reads the lines of a service.
func read(version int, lines string) (language.Reading, error) {
	return systemd.Language{Version: version}.Read(language.NewSource([]byte("[Service]\n"+lines)), policy.Target{ABI: arch.X86_64})
}

// members returns the policies of a stack as such, the oldest first.
func members(p *policy.Policy) []*policy.Policy {
	newest := *p
	newest.Older = nil
	return append(append([]*policy.Policy{}, p.Older...), &newest)
}

// resolve returns what the policies of a unit do together.
func resolve(t *testing.T, p *policy.Policy) proof.Subject {
	t.Helper()
	var subjects []proof.Subject
	for _, m := range members(p) {
		r, _, err := policy.Resolve(m, policy.Options{ABIs: m.ABIs})
		if err != nil {
			t.Fatal(err)
		}
		subjects = append(subjects, proof.Policy(r))
	}
	return proof.Stack(subjects...)
}

// A call is written as ABI NAME ARG....
func eval(t *testing.T, s proof.Subject, call string) string {
	t.Helper()
	words := strings.Fields(call)
	a, err := arch.Parse(words[0])
	if err != nil {
		t.Fatal(err)
	}
	d := cbpf.Data{Arch: a.Audit()}
	if _, err := fmt.Sscan(words[1], &d.NR); err != nil {
		c, _ := syscalltables.Lookup(words[1])
		nr, ok := c.Number(a)
		if !ok {
			t.Fatalf("%s: no such call", call)
		}
		d.NR = nr
	}
	for i, w := range words[2:] {
		if _, err := fmt.Sscan(w, &d.Args[i]); err != nil {
			t.Fatal(err)
		}
	}
	return s.Eval(&d).String()
}

func TestMeaning(t *testing.T) {
	tests := []struct {
		version int
		lines   string
		calls   string // CALL=ACTION, separated by semicolons
	}{
		{0, "", "x86_64 read=ALLOW; x86 read=ALLOW; x32 read=ALLOW; aarch64 read=ALLOW"},
		// Allow-lists: the default set, ENOSYS and write are a matter of version.
		{252, "SystemCallFilter=read", "x86_64 read=ALLOW; x86_64 brk=ALLOW; x86_64 write=KILL_PROCESS; x86_64 9999=KILL_PROCESS; aarch64 write=ALLOW"},
		{257, "SystemCallFilter=read", "x86_64 write=ALLOW; x86_64 mount=KILL_PROCESS; x86_64 9999=ERRNO(38); x86 waitpid=ERRNO(38); x86 mount=KILL_PROCESS"},
		{257, "SystemCallFilter=read\nSystemCallErrorNumber=EPERM", "x86_64 mount=ERRNO(1); x86_64 9999=ERRNO(38); x86_64 vserver=ERRNO(38)"},
		{257, "SystemCallFilter=read\nSystemCallErrorNumber=ENOSYS", "x86_64 mount=ERRNO(38)"},
		{252, "SystemCallFilter=read\nSystemCallErrorNumber=13\nSystemCallErrorNumber=", "x86_64 mount=KILL_PROCESS"},
		{0, "SystemCallFilter=@system-service\nSystemCallFilter=~@resources mount:EACCES", "x86_64 read=ALLOW; x86_64 setpriority=KILL_PROCESS; x86_64 mount=ERRNO(13)"},
		{0, "SystemCallFilter=read\nSystemCallFilter=~brk", "x86_64 brk=KILL_PROCESS"},
		{257, "SystemCallFilter=read mseal", "x86_64 mseal=ALLOW"},
		{252, "SystemCallFilter=read mseal", "x86_64 mseal=KILL_PROCESS"},
		// Deny-lists.
		{252, "SystemCallFilter=~mount write", "x86_64 mount=KILL_PROCESS; x86_64 write=KILL_PROCESS; x86_64 9999=ALLOW; x32 mount=KILL_PROCESS; x86 mount=KILL_PROCESS"},
		{257, "SystemCallFilter=~mount write", "x86_64 mount=KILL_PROCESS; x86_64 write=ALLOW"},
		{257, "SystemCallFilter=~write", "x86_64 write=ALLOW"},
		{0, "SystemCallFilter=~@mount:eperm chroot:kill umount2:0 swapon:0x16 swapoff:026\nSystemCallErrorNumber=EACCES",
			"x86_64 mount=ERRNO(1); x86_64 chroot=KILL_PROCESS; x86_64 umount2=ERRNO(0); x86_64 swapon=ERRNO(22); x86_64 swapoff=ERRNO(22)"},
		{0, "SystemCallFilter=~mount:EPERM\nSystemCallFilter=~mount", "x86_64 mount=KILL_PROCESS"},
		{0, "SystemCallFilter=~mount:EPERM chroot\nSystemCallFilter=mount", "x86_64 mount=ALLOW; x86_64 chroot=KILL_PROCESS"},
		{0, "SystemCallFilter=~mount\nSystemCallFilter=\nSystemCallFilter=~chroot", "x86_64 mount=ALLOW; x86_64 chroot=KILL_PROCESS"},
		{0, "SystemCallFilter=~socket", "x86 socket=KILL_PROCESS; x86 socketcall 1=KILL_PROCESS; x86 socketcall 2=ALLOW"},
		{0, "SystemCallFilter=~ re\\ad mount", "x86_64 read=KILL_PROCESS; x86_64 mount=KILL_PROCESS"},
		{0, "SystemCallFilter=~mount \\\n# a comment\n  chroot", "x86_64 mount=KILL_PROCESS; x86_64 chroot=KILL_PROCESS"},
		{0, "SystemCallLog=mount", "x86_64 mount=LOG; x86_64 read=ALLOW"},
		{0, "SystemCallLog=~@default", "x86_64 mount=LOG; x86_64 brk=ALLOW; x86_64 9999=LOG"},
		{0, "SystemCallLog=~", "x86_64 mount=ALLOW"},
		{0, "SystemCallLog=mount\nSystemCallFilter=~mount:EPERM", "x86_64 mount=ERRNO(1)"},
		// ABIs.
		{0, "SystemCallArchitectures=native\nSystemCallFilter=~mount:EPERM", "x86_64 mount=ERRNO(1); x86 mount=KILL_THREAD; x86 read=KILL_THREAD; x32 read=KILL_THREAD; aarch64 read=KILL_THREAD"},
		{0, "SystemCallArchitectures='x86' arm\nSystemCallFilter=~mount:EPERM", "x86_64 mount=ERRNO(1); x86 mount=ERRNO(1); x32 read=KILL_THREAD"},
		{0, "SystemCallArchitectures=x86 x86-64 x32", "x86 read=ALLOW; aarch64 read=ALLOW"},
		{0, "SystemCallArchitectures=native\nSystemCallArchitectures=", "x86 read=ALLOW"},
		// Address families.
		{0, "RestrictAddressFamilies=AF_UNIX af_inet6", "x86_64 socket 1=ALLOW; x86_64 socket 10=ALLOW; x86_64 socket 0=ERRNO(97); x86_64 socket 2=ERRNO(97); x86_64 socket 44=ERRNO(97); x32 socket 2=ERRNO(97); x86 socket 2=ALLOW"},
		{0, "RestrictAddressFamilies=none", "x86_64 socket 1=ERRNO(97)"},
		{0, "RestrictAddressFamilies=none\nRestrictAddressFamilies=AF_UNIX", "x86_64 socket 1=ALLOW; x86_64 socket 2=ERRNO(97)"},
		{0, "RestrictAddressFamilies=none\nRestrictAddressFamilies=~AF_UNIX", "x86_64 socket 1=ERRNO(97); x86_64 socket 2=ALLOW"},
		{0, "RestrictAddressFamilies=~AF_PACKET", "x86_64 socket 17=ERRNO(97); x86_64 socket 1=ALLOW; x86_64 socket 0x100000011=ERRNO(97)"},
		{257, "RestrictAddressFamilies=~AF_PACKET", "x86_64 socket 0x100000011=ALLOW"},
		{257, "RestrictAddressFamilies=AF_FOO AF_UNIX", "x86_64 socket 1=ALLOW"},
		{262, "RestrictAddressFamilies=AF_FOO AF_UNIX", "x86_64 socket 1=ERRNO(97)"},
		{0, "RestrictAddressFamilies=\"AF_UNIX\"\nRestrictAddressFamilies=", "x86_64 socket 2=ALLOW"},
		// Namespaces.
		{0, "RestrictNamespaces=yes", "x86_64 unshare 0x10000000=ERRNO(1); x86_64 clone 0x10000000=ERRNO(1); x86_64 clone 17=ALLOW; x86_64 setns 3 0=ERRNO(1); x86_64 clone3=ERRNO(38)"},
		{0, "RestrictNamespaces=net user", "x86_64 unshare 0x40000000=ALLOW; x86_64 unshare 0x20000=ERRNO(1); x86_64 setns 3 0x40000000=ALLOW; x86_64 setns 3 0=ERRNO(1)"},
		{257, "RestrictNamespaces=~user", "x86_64 unshare 0x80=ERRNO(1)"},
		{262, "RestrictNamespaces=~user", "x86_64 unshare 0x80=ALLOW; x86_64 unshare 0x10000000=ERRNO(1)"},
		{0, "RestrictNamespaces=yes\nRestrictNamespaces=net\nRestrictNamespaces=~net", "x86_64 unshare 0x40000000=ERRNO(1)"},
		{0, "RestrictNamespaces=yes\nRestrictNamespaces=", "x86_64 unshare 0x40000000=ALLOW"},
		// Switches.
		{252, "MemoryDenyWriteExecute=yes", "x86_64 mmap 0 0 6=ERRNO(1); x86_64 mmap 0 0 4=ALLOW; x86_64 mprotect 0 0 4=ERRNO(1); x86 mmap2 0 0 6=ERRNO(1); x86 mmap=ERRNO(1); x86_64 shmat 0 0 0x8000=ERRNO(1)"},
		{257, "MemoryDenyWriteExecute=yes", "x86_64 mmap 0 0 6=ALLOW"},
		{0, "RestrictRealtime=on", "x86_64 sched_setscheduler 0 1=ERRNO(1); x86_64 sched_setscheduler 0 3=ALLOW; x86_64 sched_setscheduler 0 6=ERRNO(1); x86_64 sched_setattr=ERRNO(1)"},
		{257, "RestrictRealtime=on", "x86_64 sched_setattr=ALLOW"},
		{0, "DynamicUser=1", "x86_64 chmod 0 04755=ERRNO(1); x86_64 chmod 0 0755=ALLOW; x86_64 openat 0 0 0100 02000=ERRNO(1); x86_64 openat 0 0 0 02000=ALLOW; x86_64 openat2=ERRNO(38)"},
		{0, "RestrictSUIDSGID=t\nRestrictSUIDSGID=f", "x86_64 chmod 0 04755=ALLOW"},
		{0, "ProtectClock=y\nProtectKernelModules=y\nProtectKernelLogs=y\nProtectKernelTunables=y\nPrivateDevices=y\nProtectHostname=y",
			"x86_64 settimeofday=ERRNO(1); x86_64 init_module=ERRNO(1); x86_64 syslog=ERRNO(1); x86_64 _sysctl=ERRNO(1); x86_64 iopl=ERRNO(1); x86_64 sethostname=ERRNO(1)"},
		{262, "ProtectHostname=private", "x86_64 sethostname=ALLOW"},
		{262, "ProtectHostname=yes:name", "x86_64 sethostname=ERRNO(1)"},
		{0, "LockPersonality=yes", "x86_64 personality 0=ALLOW; x86_64 personality 8=ERRNO(1)"},
		{0, "LockPersonality=yes\nPersonality=x86", "x86_64 personality 8=ALLOW; x86_64 personality 0=ERRNO(1)"},
	}
	for _, tt := range tests {
		reading, err := read(tt.version, tt.lines)
		if err != nil {
			t.Errorf("%d %q: %v", tt.version, tt.lines, err)
			continue
		}
		s := resolve(t, reading.Policy)
		for _, c := range strings.Split(tt.calls, "; ") {
			call, want, _ := strings.Cut(c, "=")
			if got := eval(t, s, call); got != want && !strings.HasPrefix(got, want+" ") {
				t.Errorf("%d %q: %s: %s, want %s", tt.version, tt.lines, call, got, want)
			}
		}
	}
}

// Rules have the places of words, also in drop-ins, which come in the order of their names.
func TestDropIns(t *testing.T) {
	files := fstest.MapFS{
		"etc/a-b.service":            {Data: []byte("[Service]\nSystemCallFilter=~mount\\\n chroot\n")},
		"etc/a-b.service.d/2.conf":   {Data: []byte("# drop-in\n[Service]\nSystemCallFilter=~@swap\nSystemCallFilter=mount\n")},
		"etc/a-b.service.d/1.conf":   {Data: []byte("SystemCallFilter=~reboot\n[Service]\nSystemCallFilter=~bpf what\n")},
		"etc/a-b.service.d/3.conf":   {Data: []byte("[Service]\nSystemCallFilter=~kexec_load\n[Service\nSystemCallFilter=\n")},
		"etc/a-b.service.d/.no.conf": {Data: []byte("[Service]\nSystemCallFilter=\n")},
		"etc/a-b.service.d/no":       {Data: []byte("[Service]\nSystemCallFilter=\n")},
		"etc/x.service.d/no.conf":    {Data: []byte("[Service]\nSystemCallFilter=\n")},
	}
	s := language.NewSource(files["etc/a-b.service"].Data).In(files, "etc/a-b.service")
	reading, err := systemd.Language{}.Read(s, policy.Target{ABI: arch.X86_64})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range reading.Policy.Rules {
		got = append(got, fmt.Sprint(r.Pointer, " ", r.Names))
	}
	for _, w := range reading.Warnings {
		got = append(got, w.String())
	}
	want := []string{
		"etc/a-b.service.d/1.conf:3:19 [bpf]",
		"3:2 [chroot]",
		"etc/a-b.service.d/3.conf:2:19 [kexec_load]",
		"etc/a-b.service.d/2.conf:3:19 [swapoff swapon]",
		"etc/a-b.service.d/1.conf:1:1: outside of a section, so systemd ignores the line (put it under [Service]) (ignored)",
		`etc/a-b.service.d/1.conf:3:23: "what": not a call that libseccomp knows, so systemd ignores it (unknown-name)`,
		`etc/a-b.service.d/3.conf:3:1: "[Service": not a section, so systemd ignores the rest of the drop-in (end it with ]) (ignored)`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	files["etc/a-b.service.d/3.conf"] = &fstest.MapFile{Data: []byte("/dev/null"), Mode: fs.ModeSymlink}
	reading, err = systemd.Language{}.Read(s, policy.Target{ABI: arch.X86_64})
	if err != nil || len(reading.Policy.Rules) != 3 || len(reading.Warnings) != 2 {
		t.Error("a masked drop-in:", err, reading.Warnings)
	}
	files["etc/a-b.service.d/3.conf"] = &fstest.MapFile{Mode: 0o755 | 1<<31}
	if _, err := (systemd.Language{}).Read(s, policy.Target{ABI: arch.X86_64}); err == nil || err.Error() != "policy: etc/a-b.service.d/3.conf: not a regular file (remove the drop-in)" {
		t.Error(err)
	}
}

// A drop-in that is a link out of the root does not go unnoticed.
func TestDropInElsewhere(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "a.service.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../1.conf", filepath.Join(dir, "a.service.d", "1.conf")); err != nil {
		t.Skip("no links here:", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	s := language.NewSource(nil).In(root.FS(), "a.service")
	const want = "policy: a.service.d/1.conf: links to ../../1.conf: path escapes from parent (give a root that holds it)"
	if _, err := (systemd.Language{}).Read(s, policy.Target{ABI: arch.X86_64}); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// Each type of unit has its own section with these settings.
func TestUnitTypes(t *testing.T) {
	for name, want := range map[string]int{"a.service": 0, "a.socket": 1, "a.mount": 0, "a.timer": 0, "unit": 1, "a@b.socket": 1} {
		files := fstest.MapFS{name: {Data: []byte("[Unit]\nX=y\n[X-Mine]\na=b\n[Socket]\nRestrictRealtime=yes\n")}}
		s := language.NewSource(files[name].Data).In(files, name)
		reading, err := systemd.Language{}.Read(s, policy.Target{ABI: arch.X86_64})
		if err != nil {
			t.Fatal(err)
		}
		if got := min(1, len(reading.Policy.Rules)); got != want || (len(reading.Warnings) == 0) == (want == 0) {
			t.Errorf("%s: %d rules, %v", name, len(reading.Policy.Rules), reading.Warnings)
		}
	}
}

// Other ABIs have filters of their own, and their own numbers of errors.
func TestOtherABIs(t *testing.T) {
	text := "[Service]\nSystemCallFilter=read\nRestrictNamespaces=yes\nRestrictAddressFamilies=AF_UNIX\nMemoryDenyWriteExecute=yes\n"
	for _, tt := range []struct {
		abi    arch.ABI
		length int // policies
		calls  string
	}{
		{arch.AArch64, 3, "aarch64 9999=ERRNO(38); arm 9999=ERRNO(38); arm socket 2=KILL_PROCESS; aarch64 clone 0x10000000=KILL_PROCESS; x86_64 mount=ALLOW"},
		{arch.S390X, 2, "s390x clone 0 0x10000000=KILL_PROCESS; s390x socket 2=KILL_PROCESS; x86_64 mount=ALLOW"},
		{arch.MIPSEL64, 3, "mipsel64 9999=ERRNO(89)"},
		{arch.X86, 2, "x86 9999=ERRNO(38); x86_64 mount=ALLOW"},
		{arch.RISCV64, 3, "riscv64 9999=ERRNO(38)"},
	} {
		reading, err := systemd.Language{}.Read(language.NewSource([]byte(text)), policy.Target{ABI: tt.abi})
		if err != nil {
			t.Fatal(tt.abi, err)
		}
		if n := len(reading.Policy.Older) + 1; n != tt.length {
			t.Errorf("%v: %d policies, want %d", tt.abi, n, tt.length)
		}
		s := resolve(t, reading.Policy)
		for _, c := range strings.Split(tt.calls, "; ") {
			call, want, _ := strings.Cut(c, "=")
			if got := eval(t, s, call); got != want && !strings.HasPrefix(got, want+" ") {
				t.Errorf("%v: %s: %s, want %s", tt.abi, call, got, want)
			}
		}
	}
	old, err := systemd.Language{}.Read(language.NewSource([]byte(text)), policy.Target{ABI: arch.AArch64, Kernel: syscalltables.Version{Major: 6, Minor: 2}})
	if err != nil || len(old.Policy.Older) != 3 {
		t.Error(err, "before PR_SET_MDWE there is a filter more")
	}
}

// RestrictAddressFamilies= does nothing for an ABI with socketcall, without a word from
// systemd, and all ABIs can be targets.
func TestFamiliesBehindSocketcall(t *testing.T) {
	for _, abi := range []arch.ABI{arch.S390X, arch.PPC64LE, arch.X86_64, arch.AArch64, arch.RISCV64} {
		for lines, on := range map[string]bool{"RestrictAddressFamilies=AF_UNIX": true, "RestrictAddressFamilies=none": true, "RestrictAddressFamilies=AF_UNIX\nRestrictAddressFamilies=": false} {
			reading, err := systemd.Language{}.Read(language.NewSource([]byte("[Service]\n"+lines)), policy.Target{ABI: abi})
			if err != nil {
				t.Fatal(err)
			}
			_, hidden := abi.Socketcall()
			want := 0
			if on && hidden {
				want = 1
			}
			if _, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: abi.Family()}); err != nil {
				t.Errorf("%v: %v", abi, err)
			}
			if w := reading.Warnings; len(w) != want || want == 1 && (w[0].Kind != policy.LostCondition || w[0].Line != 2 || !strings.Contains(w[0].Message, "no filter for "+abi.String()+",")) {
				t.Errorf("%v %q: %v", abi, lines, w)
			}
		}
	}
}
