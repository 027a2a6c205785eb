package lxc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/lxc"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// verdict returns what a policy says about a call, written as "kill 1 2", or with an ABI
// other than the host's as "x86:kill 1 2". Calls can be numbers.
func verdict(t *testing.T, r *policy.Resolved, a arch.ABI, call string) string {
	t.Helper()
	if abi, rest, ok := strings.Cut(call, ":"); ok {
		var err error
		if a, err = arch.Parse(abi); err != nil {
			t.Fatal(err)
		}
		call = rest
	}
	words := strings.Fields(call)
	d := cbpf.Data{Arch: a.Audit()}
	c, _ := syscalltables.Lookup(words[0])
	if nr, ok := c.Number(a); ok {
		d.NR = nr
	} else if _, err := fmt.Sscan(words[0], &d.NR); err != nil {
		t.Fatalf("no call %s", words[0])
	}
	for i, w := range words[1:] {
		if _, err := fmt.Sscan(w, &d.Args[i]); err != nil {
			t.Fatal(err)
		}
	}
	return r.Eval(&d).String()
}

func TestMeaning(t *testing.T) {
	const deny, allow = "2\ndenylist\n", "2\nallowlist\n"
	tests := []struct {
		abi  arch.ABI // zero means x86_64
		text string
		want string // calls and what they get
	}{
		{0, deny, "read=ALLOW x86:read=ALLOW x32:read=ALLOW arm:read=KILL_THREAD 100000=ALLOW"},
		{0, allow, "read=KILL_THREAD 100000=KILL_THREAD"},
		{0, "2\nblacklist\nmknod", "mknod=KILL_THREAD read=ALLOW"},
		{0, "2\nwhitelist\nread", "read=ALLOW mknod=KILL_THREAD"},
		{0, "2\nallowlist errno 38\nread\nwrite trap\nopen notify", "read=ALLOW write=TRAP open=NOTIFY close=ERRNO(38) arm:read=KILL_THREAD"},
		{0, "2\ndenylist notify\nwrite allow", "write=ALLOW read=NOTIFY"},
		{0, deny + "write notify", "write=NOTIFY read=ALLOW"},
		{0, deny + "mknod errno 1\nmknod errno 2\nmknod kill [0,1,==]", "mknod=ERRNO(1) mknod 1=ERRNO(1)"},
		{0, deny + "mknod killed # x\nmknodat\nptrace # no", "mknod=KILL_THREAD mknodat=KILL_THREAD ptrace=KILL_THREAD"},
		{0, deny + "kill errno 1 [1,5,>=][0,0x10,!=]", "kill 1 5=ERRNO(1) kill 16 5=ALLOW kill 1 4=ALLOW x86:kill 1 6=ERRNO(1)"},
		{0, deny + "kill errno 1 [1,5,SCMP_CMP_LT]\nptrace errno 2 [0,5,<=]\nbpf errno 3 [0,5,>]", "kill 0 4=ERRNO(1) kill 0 5=ALLOW ptrace 5=ERRNO(2) bpf 5=ALLOW bpf 6=ERRNO(3)"},
		{0, deny + "mknod errno 1 [1,8192,SCMP_CMP_MASKED_EQ,61440]", "mknod 0 8630=ERRNO(1) mknod 0 4534=ALLOW"},
		{0, deny + "mknod errno 1 [1,020000,&=,0170000]", "mknod 0 8630=ERRNO(1) mknod 0 4534=ALLOW"},
		{0, deny + "mknod errno 1 [1,8192,&=]", "mknod=ERRNO(1)"},
		{0, deny + "reject_force_umount", "umount2 0 1=ERRNO(13) umount2 0 3=ERRNO(13) umount2 0 2=ALLOW x86:umount2 0 1=ERRNO(13) x32:umount2 0 1=ERRNO(13)"},
		// A heading says on which hosts rules count, and does not limit them to an ABI.
		{0, deny + "mknod errno 1\n[x86]\nptrace errno 2\n[arm]\nbpf errno 3\n[S390X]\nbpf errno 4\n[ALL]\nkcmp errno 5", "mknod=ERRNO(1) ptrace=ERRNO(2) x86:ptrace=ERRNO(2) bpf=ALLOW kcmp=ERRNO(5)"},
		{arch.AArch64, deny + "[x86]\nptrace errno 2\n[arm]\nbpf errno 3\n[arm64]\nkcmp errno 4", "ptrace=ALLOW bpf=ERRNO(3) arm:bpf=ERRNO(3) arm:kcmp=ERRNO(4) x86_64:bpf=KILL_THREAD"},
		{arch.X86, deny + "bpf errno 1\n[x86_64]\nptrace errno 2\n[x86]\nkcmp errno 3", "bpf=ERRNO(1) ptrace=ALLOW kcmp=ERRNO(3) x86_64:kcmp=KILL_THREAD"},
		{arch.X32, deny + "bpf errno 1", "x86_64:bpf=ERRNO(1) x32:bpf=ERRNO(1)"},
		{arch.RISCV64, deny + "ptrace errno 2\n[all]\nbpf errno 3", "ptrace=ALLOW bpf=ERRNO(3)"},
		{arch.MIPSEL64, deny + "[mipsel64n32]\nptrace errno 2\n[mips64]\nbpf errno 3", "ptrace=ERRNO(2) bpf=ALLOW mipsel:ptrace=ERRNO(2)"},
		{arch.LoongArch64, deny + "[loongarch64]\nptrace errno 2", "ptrace=ERRNO(2)"},
		// What is a part of socketcall or ipc has no rule there.
		{0, deny + "socket errno 1\nsocketcall errno 2\nstat64 errno 3", "socket=ERRNO(1) x32:socket=ERRNO(1) x86:socket=ALLOW x86:socketcall 1=ERRNO(2) x86:stat64=ERRNO(3)"},
		{arch.S390X, allow + "socket\nread", "socket=KILL_THREAD socketcall 1=KILL_THREAD read=ALLOW"},
		{0, deny + "no_such_call errno 1\n165 errno 1\narm_fadvise64_64\n kill", "165=ALLOW kill=ALLOW"},
		{0, "1\nallowlist\n0\n60 exit\n1,2\n", "read=ALLOW exit=ALLOW write=ALLOW open=KILL_THREAD x86:3=KILL_THREAD 1073741824=KILL_THREAD"},
		{0, "1\nan allowlist\n\t+0x\n100000", "read=ALLOW 100000=ALLOW write=KILL_THREAD"},
		{0, "4294967298 denylist\nmknod", "mknod=KILL_THREAD"},
		{0, "\n 2\r\n\n denylist\r\nmknod errno 1\r\n\n\n# c\n  # c\n", "mknod=ERRNO(1)"},
		{0, deny + "mknod errno 65537\nptrace errno -65534", "mknod=ERRNO(1) ptrace=ERRNO(2)"},
		{0, deny + "mknod errno 1 [0,1,==]\x00[\nptrace errno 1", "mknod 1=ERRNO(1) mknod=ALLOW ptrace=ERRNO(1)"},
	}
	for _, tt := range tests {
		abi := tt.abi
		if abi == 0 {
			abi = arch.X86_64
		}
		reading, err := lxc.Language{}.Read(language.NewSource([]byte(tt.text)), policy.Target{ABI: abi})
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		r, _, err := policy.Resolve(reading.Policy, policy.Options{})
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		for rest := tt.want; rest != ""; {
			call, after, _ := strings.Cut(rest, "=")
			var want string
			want, rest, _ = strings.Cut(after, " ")
			if got := verdict(t, r, abi, call); got != want {
				t.Errorf("%q on %v: %s gets %s, want %s", tt.text, abi, call, got, want)
			}
		}
	}
}

// The versions differ in the calls and headings that they know.
func TestVersions(t *testing.T) {
	for version, want := range map[int][2]bool{5: {false, false}, 7: {true, true}, 0: {true, true}} {
		l := lxc.Language{Version: version}
		reading, err := l.Read(language.NewSource([]byte("2\ndenylist\nmseal errno 1\n")), policy.Target{ABI: arch.X86_64})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(reading.Policy.Rules) == 1; got != want[0] || got == (len(reading.Warnings) == 1) {
			t.Errorf("LXC %d: mseal: %v, %v", version, got, reading.Warnings)
		}
		_, err = l.Read(language.NewSource([]byte("2\ndenylist\n[loongarch64]\n")), policy.Target{ABI: arch.X86_64})
		if got := err == nil; got != want[1] {
			t.Errorf("LXC %d: [loongarch64]: %v", version, err)
		}
	}
	for _, a := range []arch.ABI{arch.X86_64, arch.LoongArch64} {
		reading, err := lxc.Language{Version: 5}.Read(language.NewSource([]byte("2\ndenylist\nptrace errno 1\n")), policy.Target{ABI: a})
		if err != nil || (len(reading.Policy.Rules) == 1) != (a == arch.X86_64) {
			t.Errorf("LXC 5 on %v: %v, %v", a, reading.Policy, err)
		}
	}
}

// Numbers are those of the C library that a version is built with.
func TestNumbers(t *testing.T) {
	for condition, want := range map[string][2]bool{
		"[0x,1,==]": {true, false}, "[0b1,1,==]": {false, true}, "[0b,1,==]": {false, false}, "[1,0b11,==]": {false, true}, "[0x1,0x1,==]": {true, true}, "[4294967297,1,==]": {true, true},
	} {
		for i, version := range []int{5, 7} {
			_, err := lxc.Language{Version: version}.Read(language.NewSource([]byte("2\ndenylist\nread kill "+condition)), policy.Target{ABI: arch.X86_64})
			if (err == nil) != want[i] {
				t.Errorf("LXC %d: %s: %v", version, condition, err)
			}
		}
	}
}

// Rules say where they are, and on which ABIs they hold.
func TestPlaces(t *testing.T) {
	s := language.NewSource([]byte("2\ndenylist\n\nmknod errno 1\nsocket errno 1\n"))
	reading, err := lxc.Language{}.Read(s, policy.Target{ABI: arch.X86_64})
	if err != nil {
		t.Fatal(err)
	}
	rules := reading.Policy.Rules
	if len(rules) != 2 || rules[0].Pointer != "4:1" || rules[1].Pointer != "5:1" {
		t.Errorf("%+v", rules)
	}
	if rules[0].ABIs != nil || !slices.Equal(rules[1].ABIs, []arch.ABI{arch.X86_64, arch.X32}) {
		t.Errorf("%v %v", rules[0].ABIs, rules[1].ABIs)
	}
}
