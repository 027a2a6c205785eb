package bionic

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// lists are small lists in the form of bionic's.
var lists = fstest.MapFS{
	"libc/SYSCALLS.TXT": {Data: []byte(`# Calls that the library makes.
ssize_t     read(int, void*, size_t)        all
ssize_t     write (int, const void*, size_t)  all
int     setuid:setuid32(uid_t)    lp32
int     setuid:setuid(uid_t)      lp64
void    _exit|_Exit:exit_group(int)  all
int     __socket:socketcall:1(int, int, int)  x86
int     __bind:socketcall:2(int, void*, int)  x86
int     socket(int, int, int)  arm,lp64
int     __set_tls:__ARM_NR_set_tls(void*)  arm
int     sync_file_range:sync_file_range2(int, unsigned, off64_t, off64_t)  arm
int     chroot(const char* (*)())  all
void*   mmap|mmap64(void*, size_t, int, int, int, off_t)  lp64
int     acct(const char*) all
`)},
	"libc/SECCOMP_ALLOWLIST_COMMON.TXT": {Data: []byte("int\tfutex(int*, int, int, const timespec*, int*, int)\tall\n  # indented\nint open(const char*, int, ...)  arm,x86,x86_64\n")},
	"libc/SECCOMP_ALLOWLIST_APP.TXT":    {Data: []byte("int acct(const char*) arm64\n")},
	"libc/SECCOMP_ALLOWLIST_SYSTEM.TXT": {Data: []byte("int bpf(int, void*, size_t) all\n")},
	"libc/SECCOMP_BLOCKLIST_COMMON.TXT": {Data: []byte("int acct(const char*) all\n")},
	"libc/SECCOMP_BLOCKLIST_APP.TXT":    {Data: []byte("int setuid:setuid32(uid_t) lp32\nint setuid(uid_t) lp64\nint chroot(const char*) all\n")},
	"libc/SECCOMP_PRIORITY.TXT":         {Data: []byte("# first\nfutex\n write \nchroot\nnot a name\n")},
}

func source(name string) *language.Source {
	return language.NewSource(lists[name].Data).In(lists, name)
}

// eval returns what a policy says about a call.
func eval(t *testing.T, r *policy.Resolved, a arch.ABI, name string) string {
	t.Helper()
	c, _ := syscalltables.Lookup(name)
	nr, ok := c.Number(a)
	if !ok {
		t.Fatalf("%v has no %s", a, name)
	}
	return r.Eval(&cbpf.Data{Arch: a.Audit(), NR: nr}).String()
}

func TestMeaning(t *testing.T) {
	x86, arm, riscv := arch.X86_64, arch.ARM, arch.RISCV64
	for _, tt := range []struct {
		l      Language
		target arch.ABI
		allow  map[arch.ABI]string
		trap   map[arch.ABI]string
	}{
		{Language{}, x86, map[arch.ABI]string{x86: "read write setuid exit_group socket chroot mmap acct", arch.X86: "read setuid32 socketcall chroot"},
			map[arch.ABI]string{x86: "futex open", arch.X86: "setuid socket mmap", arch.AArch64: "read"}},
		{Language{Process: "app"}, x86, map[arch.ABI]string{x86: "read futex open", arch.X86: "read futex open socketcall"},
			map[arch.ABI]string{x86: "setuid chroot acct bpf", arch.X86: "setuid32 chroot acct"}},
		{Language{Process: "app"}, arm, map[arch.ABI]string{arm: "set_tls arm_sync_file_range open socket", arch.AArch64: "acct futex mmap"},
			map[arch.ABI]string{arm: "acct chroot setuid32", arch.AArch64: "chroot setuid"}},
		{Language{Process: "app_zygote"}, riscv, map[arch.ABI]string{riscv: "setuid chroot futex"}, map[arch.ABI]string{riscv: "acct bpf"}},
		{Language{Process: "system"}, riscv, map[arch.ABI]string{riscv: "setuid chroot futex bpf"}, map[arch.ABI]string{riscv: "acct"}},
		{Language{Lists: []string{"SECCOMP_BLOCKLIST_APP.TXT"}, Targets: []arch.ABI{arch.AArch64}}, x86, map[arch.ABI]string{arch.AArch64: "read"}, map[arch.ABI]string{arch.AArch64: "chroot", arm: "read"}},
	} {
		reading, err := tt.l.Read(source("libc/SYSCALLS.TXT"), policy.Target{ABI: tt.target})
		if err != nil {
			t.Errorf("%+v: %v", tt.l, err)
			continue
		}
		r, _, err := policy.Resolve(reading.Policy, policy.Options{})
		if err != nil {
			t.Errorf("%+v: %v", tt.l, err)
			continue
		}
		for want, calls := range map[string]map[arch.ABI]string{"ALLOW": tt.allow, "TRAP": tt.trap} {
			for a, names := range calls {
				for name := range strings.FieldsSeq(names) {
					if got := eval(t, r, a, name); got != want {
						t.Errorf("%+v: %v %s is %s, want %s", tt.l, a, name, got, want)
					}
				}
			}
		}
		if got := r.Eval(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: arch.X32Bit}).String(); got != "TRAP" {
			t.Errorf("%+v: x32 gets %s", tt.l, got)
		}
	}
}

func TestPlacesAndPriorities(t *testing.T) {
	s := source("libc/SYSCALLS.TXT")
	reading, err := Language{Process: "app", Targets: []arch.ABI{arch.AArch64}}.Read(s, policy.Target{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, rule := range reading.Policy.Rules {
		got = append(got, rule.Names[0]+"="+rule.Pointer)
	}
	want := "[read=2:1 write=3:1 exit_group=6:1 socket=9:1 mmap=13:1 futex=libc/SECCOMP_ALLOWLIST_COMMON.TXT:1:1 acct=libc/SECCOMP_ALLOWLIST_APP.TXT:1:1]"
	if fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	if f := fmt.Sprint(reading.Frequencies); f != "map[futex:3 write:2]" {
		t.Error(f)
	}
	got = nil
	for _, w := range reading.Warnings {
		got = append(got, string(w.Kind)+" "+w.Pointer)
	}
	want = "[ignored libc/SECCOMP_PRIORITY.TXT:5:1 ignored libc/SECCOMP_ALLOWLIST_APP.TXT:1:1 ignored libc/SECCOMP_PRIORITY.TXT:4:1]"
	if fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// Each problem has its place and a cure.
func TestBadLists(t *testing.T) {
	app := func(blocked string) fstest.MapFS {
		return fstest.MapFS{"SYSCALLS.TXT": {Data: []byte("int read(int) all\n")}, "blocklist.txt": {Data: []byte(blocked)}}
	}
	for _, tt := range []struct {
		l    Language
		text string
		want string // all problems, one a line
	}{
		{Language{}, "", `no list allows a call of riscv64, so nothing could run (add SYSCALLS.TXT, or leave the ABI out)`},
		{Language{}, "# nothing", `no list allows a call of riscv64, so nothing could run (add SYSCALLS.TXT, or leave the ABI out)`},
		{Language{}, "int read", `1:1: no parameters (write TYPE NAME(PARAMETERS) and the architectures)`},
		{Language{}, "int read)int( all", `1:1: nothing closes the parameters (write ) behind them)`},
		{Language{}, "int read(int all", `1:1: nothing closes the parameters (write ) behind them)`},
		{Language{}, "read(int) all", `1:1: no type in front of the name (write TYPE NAME(PARAMETERS) and the architectures)`},
		{Language{}, "(int) all", `1:1: no type in front of the name (write TYPE NAME(PARAMETERS) and the architectures)`},
		{Language{}, "int :read(int) all", `1:1: a colon with nothing on one side (write FUNCTION:CALL)`},
		{Language{}, "int f:(int) all", `1:1: a colon with nothing on one side (write FUNCTION:CALL)`},
		{Language{}, "int f:read:(int) all", `1:1: a colon with nothing on one side (write FUNCTION:CALL)`},
		{Language{}, "int f:read:x(int) all", `1:1: "x": behind a second colon is the number of a socketcall (write one, or leave it out)`},
		{Language{}, "int f:socketcall:1:2(int) x86", `1:1: "1:2": behind a second colon is the number of a socketcall (write one, or leave it out)`},
		{Language{}, "int read(int)", `1:1: no architectures behind the parameters (write all, or some of arm, arm64, riscv64, x86, x86_64, lp32, lp64)`},
		{Language{}, "int read(int) ", `1:1: no architectures behind the parameters (write all, or some of arm, arm64, riscv64, x86, x86_64, lp32, lp64)`},
		{Language{}, "int read(int) arm, x86", `1:1: " x86": bionic has no such architecture (write no space between architectures)`},
		{Language{}, "int read(int) arm,", `1:1: "": bionic has no such architecture (use all, or some of arm, arm64, riscv64, x86, x86_64, lp32, lp64)`},
		{Language{}, "int read(int) all,arm", `1:1: "all": bionic has no such architecture (write all alone)`},
		{Language{}, "int read(int) ALL", `1:1: "ALL": bionic has no such architecture (did you mean all?)`},
		{Language{}, "int read(int) arm63", `1:1: "arm63": bionic has no such architecture (did you mean arm64?)`},
		{Language{}, "int read(int) mips", `1:1: "mips": bionic has no such architecture (use all, or some of arm, arm64, riscv64, x86, x86_64, lp32, lp64)`},
		{Language{}, "int read(int) aarch64", `1:1: "aarch64": bionic has no such architecture (write arm64)`},
		{Language{}, "int read(int) lp46", `1:1: "lp46": bionic has no such architecture (did you mean lp64?)`},
		{Language{}, "int read(int) all # all", `1:1: "all # all": bionic has no such architecture (use all, or some of arm, arm64, riscv64, x86, x86_64, lp32, lp64)`},
		{Language{}, "int reed(int) all", `1:1: "reed": Linux has no such call on arm (did you mean read?)`},
		{Language{}, "int nothing_like_it(int) all", `1:1: "nothing_like_it": Linux has no such call on arm (leave it out)`},
		{Language{}, "int open(int) all", `1:1: "open": Linux has no such call on aarch64 (leave the architecture out)`},
		{Language{}, "int setuid32(int) lp64", `1:1: "setuid32": Linux has no such call on aarch64 (leave the architecture out)`},
		{Language{}, "int f:__ARM_NR_set_tls(int) arm64", `1:1: "__ARM_NR_set_tls": Linux has no such call on aarch64 (leave it out)`},
		{Language{}, "int read(int) x86", `no list allows a call of riscv64, so nothing could run (add SYSCALLS.TXT, or leave the ABI out)`},
		{Language{}, "int a\nint b(\n int c(int)\nint read(int) all", `1:1: no parameters (write TYPE NAME(PARAMETERS) and the architectures)
2:1: nothing closes the parameters (write ) behind them)
3:2: no architectures behind the parameters (write all, or some of arm, arm64, riscv64, x86, x86_64, lp32, lp64)`},
		{Language{Process: "shell"}, "int read(int) all", `process "shell": bionic has no filter for such (use app, app_zygote or system)`},
		{Language{Process: "app"}, "int read(int) all", `SECCOMP_ALLOWLIST_COMMON.TXT: only a policy in a file can include others (lists are relative to the first one, in a root that holds them)
SECCOMP_ALLOWLIST_APP.TXT: only a policy in a file can include others (lists are relative to the first one, in a root that holds them)
SECCOMP_BLOCKLIST_COMMON.TXT: only a policy in a file can include others (lists are relative to the first one, in a root that holds them)
SECCOMP_BLOCKLIST_APP.TXT: only a policy in a file can include others (lists are relative to the first one, in a root that holds them)
SECCOMP_PRIORITY.TXT: only a policy in a file can include others (lists are relative to the first one, in a root that holds them)`},
		{Language{Lists: []string{"x"}}, "int read(int) all", `x: only a policy in a file can include others (lists are relative to the first one, in a root that holds them)`},
		{Language{Targets: []arch.ABI{arch.MIPS}}, "int read(int) all", `target mips: bionic has no lists for it (use arm, aarch64, x86, x86_64 or riscv64)`},
		{Language{Targets: []arch.ABI{0}}, "int read(int) all", `target ABI(0): bionic has no lists for it (use arm, aarch64, x86, x86_64 or riscv64)`},
	} {
		s := language.NewSource([]byte(tt.text))
		target := policy.Target{ABI: arch.RISCV64}
		reading, err := tt.l.Read(s, target)
		if err == nil || reading.Policy != nil {
			t.Errorf("%q is read", tt.text)
			continue
		}
		if got := problems(s, err); got != tt.want {
			t.Errorf("{%#v, %q, `%s`},", tt.l, tt.text, got)
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.HasSuffix(strings.TrimSpace(line), ")") {
				t.Errorf("%q: no cure: %v", tt.text, err)
			}
		}
	}
	for blocked, want := range map[string]string{
		"int write(int) all\n": "blocklist.txt:1:1: write: the first list does not have it on arm, aarch64, riscv64, x86, x86_64, so nothing can be taken away (remove it there)",
		"int read(int) arm64":  "",
	} {
		files := app(blocked)
		s := language.NewSource(files["SYSCALLS.TXT"].Data).In(files, "SYSCALLS.TXT")
		_, err := Language{Lists: []string{"blocklist.txt"}}.Read(s, policy.Target{ABI: arch.RISCV64})
		if got := problems(s, err); got != want {
			t.Errorf("%q: %s", blocked, got)
		}
	}
	_, err := Language{}.Read(source("libc/SECCOMP_BLOCKLIST_APP.TXT"), policy.Target{ABI: arch.X86_64})
	if err == nil || !strings.Contains(err.Error(), "a list of what other lists lose is not a policy") {
		t.Error(err)
	}
	_, err = Language{Lists: []string{"SECCOMP_ALLOWLIST_APP.TXT", "none.txt"}}.Read(source("libc/SYSCALLS.TXT"), policy.Target{ABI: arch.X86_64})
	if err == nil || !strings.HasSuffix(err.Error(), "open libc/none.txt: file does not exist (lists are relative to the first one, in a root that holds them)") {
		t.Error(err)
	}
}

func problems(s *language.Source, err error) string {
	if err == nil {
		return ""
	}
	s.Locate(nil, err)
	return strings.ReplaceAll("\n"+err.Error(), "\npolicy: ", "\n")[1:]
}

// A few lines cannot keep a reader busy, nor make it say more than anybody reads.
func TestHostileListsEnd(t *testing.T) {
	for name, text := range map[string]string{
		"lines":    strings.Repeat("int read(int) all\n", 1<<17),
		"problems": strings.Repeat("int raed(int) all\n", 5000),
		"commas":   "int read(int) " + strings.Repeat("arm,", 1<<20),
		"colons":   "int read" + strings.Repeat(":1", 1<<20) + "(int) all",
	} {
		_, err := Language{}.Read(language.NewSource([]byte(text)), policy.Target{ABI: arch.X86_64})
		if list, ok := err.(policy.Errors); !ok || len(list) > maxReports+1 {
			t.Errorf("%s: %.200v", name, err)
		}
	}
	files := fstest.MapFS{"a": {Data: []byte("int read(int) all\n")}, "priority.txt": {Data: []byte(strings.Repeat("x\n", 5000))}}
	reading, err := Language{Lists: []string{"priority.txt"}}.Read(language.NewSource(files["a"].Data).In(files, "a"), policy.Target{ABI: arch.X86_64})
	if n := len(reading.Warnings); err != nil || n != maxReports+1 || reading.Warnings[n-1].More != 4000 {
		t.Errorf("%d warnings, %v", len(reading.Warnings), err)
	}
}

// FuzzRead feeds bytes to the reader, as each sort of list. Nothing may panic, and what is
// read must resolve.
func FuzzRead(f *testing.F) {
	for _, file := range lists {
		f.Add(file.Data, []byte("int f|g:setuid(int) lp64"), []byte("futex\nx y"))
	}
	f.Fuzz(func(t *testing.T, base, other, first []byte) {
		files := fstest.MapFS{"a": {Data: base}, "blocklist": {Data: other}, "b": {Data: other}, "priority.txt": {Data: first}}
		for _, names := range [][]string{{"b", "priority.txt"}, {"blocklist", "priority.txt"}} {
			reading, err := Language{Lists: names}.Read(language.NewSource(base).In(files, "a"), policy.Target{ABI: arch.X86_64})
			if (reading.Policy == nil) == (err == nil) {
				t.Fatalf("policy %v, error %v", reading.Policy, err)
			}
			if err != nil {
				continue
			}
			if _, _, err := policy.Resolve(reading.Policy, policy.Options{Exact: true}); err != nil {
				t.Errorf("%q: %v", base, err)
			}
		}
	})
}

func Example() {
	files := fstest.MapFS{
		"SYSCALLS.TXT":              {Data: []byte("ssize_t read(int, void*, size_t) all\nint setuid:setuid32(uid_t) lp32\nint setuid(uid_t) lp64\n")},
		"SECCOMP_BLOCKLIST_APP.TXT": {Data: []byte("int setuid:setuid32(uid_t) lp32\nint setuid(uid_t) lp64\n")},
		"SECCOMP_PRIORITY.TXT":      {Data: []byte("read\n")},
	}
	first := language.NewSource(files["SYSCALLS.TXT"].Data).In(files, "SYSCALLS.TXT")
	lists := Language{Lists: []string{"SECCOMP_BLOCKLIST_APP.TXT", "SECCOMP_PRIORITY.TXT"}}
	reading, err := lists.Read(first, policy.Target{ABI: arch.AArch64}) // and arm
	if err != nil {
		fmt.Println(err)
		return
	}
	resolved, _, err := policy.Resolve(reading.Policy, policy.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	program, _, err := compiler.Compile(resolved, compiler.Options{Weights: reading.Frequencies})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resolved.ABIs(), program.Len(), "instructions")
	// Output:
	// [aarch64 arm] 9 instructions
}
