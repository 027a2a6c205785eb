package symbols_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/syscalltables"
)

func TestParseLine(t *testing.T) {
	tests := []struct{ text, want, err string }{
		{text: "clone3", want: "clone3"},
		{text: " clone3 ( ) ", want: "clone3"},
		{text: "getpid();", want: "getpid"},
		{text: "-1()", want: "-1"},
		{text: "socket(AF_ALG,SOCK_STREAM , 0)", want: "socket(AF_ALG, SOCK_STREAM, 0)"},
		{text: "openat(dirfd=(long)AT_FDCWD, flags=O_RDWR|O_CLOEXEC)", want: "openat(dirfd=(long)AT_FDCWD, flags=O_RDWR|O_CLOEXEC)"},
		{text: "mmap(0, 1, 2 /* two, or ) */, ?)", want: "mmap(0, 1, 2, ?)"},
		{text: "x86 -1 (2)", want: "x86: -1(2)"},
		{text: "x86_64 socket(family=AF_ALG): ERRNO(1) EPERM", want: "x86_64: socket(family=AF_ALG)"},

		// What strace prints before and after a call.
		{text: "socket(AF_ALG, SOCK_SEQPACKET|SOCK_CLOEXEC, 0) = -1 EPERM (Operation not permitted)", want: "socket(AF_ALG, SOCK_SEQPACKET|SOCK_CLOEXEC, 0)"},
		{text: `[pid   123] openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3`, want: "openat(AT_FDCWD, ?, O_RDONLY|O_CLOEXEC)"},
		{text: "12:00:01.123 clone3(...", want: "clone3(...)"},
		{text: "clone3(...)", want: "clone3(...)"},
		{text: "21178 (+     0.000012) brk(NULL)                         = 0x55cbeb4d3000", want: "brk(0)"},
		{text: "     0.000123 getpid()   = 7", want: "getpid"},
		{text: "00:04:31.155967 [ 257] [00007f97f15e2b1d] openat(AT_FDCWD</tmp>, \"/a\", O_RDONLY) = 3</etc/a,b>", want: "openat(AT_FDCWD, ?, O_RDONLY)"},
		{text: "[pid 12<my (shell)>] kill(12<bash>, SIGTERM) = 0", want: "kill(12, SIGTERM)"},
		{text: "exit_group(0)                           = ?", want: "exit_group(0)"},
		{text: "syscall_0x1d6(0x1, 0) = -1 ENOSYS (Function not implemented)", want: "0x1d6(0x1, 0)"},
		{text: "futex(0x7f0a, FUTEX_WAIT, 2, NULL <unfinished ...>", want: "futex(0x7f0a, FUTEX_WAIT, 2, 0, ...)"},
		{text: "read(3,  <unfinished ...>)", want: "read(3, ...)"},
		{text: "vfork( <unfinished ...>", want: "vfork(...)"},
		{text: "7 <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 9", want: "wait4(...)"},
		{text: "[pid 7] <... read resumed>\"ab)c\", 5) = 5", want: "read(...)"},

		// Values that a filter does not see.
		{text: `execve("/bin/ls", ["ls", "a, \"b\" (c"], 0x7ffe /* 35 vars */) = 0`, want: "execve(?, ?, 0x7ffe)"},
		{text: `write(1, "a"..., 4096) = 4096`, want: "write(1, ?, 4096)"},
		{text: "clone3({flags=CLONE_VM|CLONE_VFORK, stack_size=0x9000} => {parent_tid=[0]}, 88) = 5", want: "clone3(?, 88)"},
		{text: "capset({version=1, pid=0}, {effective=1<<CAP_CHOWN|1<<CAP_KILL, permitted=0})", want: "capset(?, ?)"},
		{text: "poll([{fd=3</dev/a)]}>, events=POLLIN}], 1, -1) = 0 (Timeout)", want: "poll(?, 1, -1)"},
		{text: "rt_sigprocmask(SIG_BLOCK, ~[RTMIN RT_1], NULL, 8) = 0", want: "rt_sigprocmask(SIG_BLOCK, ?, 0, 8)"},
		{text: `mknodat(AT_FDCWD, "/a", S_IFCHR|0666, makedev(0x1, 0x3)) = 0`, want: "mknodat(AT_FDCWD, ?, S_IFCHR|0666, ?)"},
		{text: `connect(3<TCP:[127.0.0.1:5->127.0.0.1:6]>, {sa_family=AF_UNIX, sun_path="/a"}, 110) = 0`, want: "connect(3, ?, 110)"},
		{text: "accept(3, {sa_family=AF_UNIX}, [110 => 2]) = 4", want: "accept(3, ?, ?)"},
		{text: "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f97) = 2", want: "clone(stack=0, flags=CLONE_CHILD_CLEARTID|SIGCHLD, arg3=?)"},
		{text: "clone(child_stack=0x7f, flags=CLONE_VM, parent_tid=[0], tls=0x7f, child_tidptr=0x9)", want: "clone(stack=0x7f, flags=CLONE_VM, parent_tid=?, arg4=?, arg3=?)"},

		{text: "", err: "the name of the call is missing"},
		{text: "[pid 12] ", err: "the name of the call is missing"},
		{text: "(1)", err: "the name of the call is missing"},
		{text: "read write", err: "expected one call"},
		{text: "strace: Process 12 attached", err: "expected one call"},
		{text: "+++ exited with 0 +++", err: "not a signal or an exit"},
		{text: "[pid 7] --- SIGSYS {si_signo=SIGSYS, si_syscall=__NR_socket} ---", err: "not a signal or an exit"},
		{text: "<... >", err: "expected one call"},
		{text: "read(1", err: "the parenthesis after the arguments is missing"},
		{text: "read(1) + 1", err: "expected one call"},
		{text: "read(1,,2)", err: "argument 1 is empty"},
		{text: "read(,)", err: "argument 0 is empty"},
		{text: "read(=1)", err: "argument 0 has no name"},
		{text: "read(..., 2)", err: "nothing can come after it"},
		{text: `open("/etc/passwd, O_RDONLY)`, err: `is not closed`},
		{text: "poll([{fd=3}, 1)", err: `is not closed`},
		{text: "read(1 /* 2)", err: "a comment is not closed"},
		{text: "read((long)1, (", err: "a parenthesis is not closed"},
	}
	for _, tt := range tests {
		l, err := symbols.ParseLine(tt.text)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: %v, error %v, want %q", tt.text, l, err, tt.err)
			}
			continue
		}
		got := l.String()
		if l.ABI != "" {
			got = l.ABI + ": " + got
		}
		if err != nil || got != tt.want {
			t.Errorf("%q: %s, %v; want %s", tt.text, got, err, tt.want)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	for _, s := range []string{"socket(AF_ALG, 0) = -1", "[pid 1] a({[\"\\\"\"]}, 3<x->y>) = ?", "<... read resumed>", "1 x86 a(b=(c)d, ...", "a(/*,*/,<<)", ";;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := symbols.ParseLine(text)
		if err != nil {
			return
		}
		again, err := symbols.ParseLine(l.String())
		if err != nil || again.String() != l.String() {
			t.Fatalf("%q is read as %q, and that as %q: %v", text, l.String(), again.String(), err)
		}
	})
}

func TestArrange(t *testing.T) {
	tests := []struct{ call, args, want, err string }{
		{call: "read"},
		{call: "socket", args: "AF_ALG", want: "AF_ALG"},
		{call: "socket", args: "type=SOCK_RAW", want: "0 SOCK_RAW"},
		{call: "socket", args: "protocol=1 family=AF_ALG", want: "AF_ALG 0 1"},
		{call: "socket", args: "AF_ALG protocol=1", want: "AF_ALG 0 1"},
		{call: "socket", args: "AF_ALG 0 0 0 arg4=7", want: "AF_ALG 0 0 0 7"},
		{call: "socket", args: "...", want: "? ? ?"},
		{call: "socket", args: "type=1 ...", want: "? 1 ?"},
		{call: "socket", args: "1 2 3 ...", want: "1 2 3"},
		{call: "clone3", args: "? 88 ...", want: "? 88"},
		{call: "socket", args: "1 2 3 4 5 6 7", err: "at most 6 arguments, not 7"},
		{call: "socket", args: "AF_ALG family=AF_ALG", err: "socket: family has a value twice"},
		{call: "socket", args: "type=", err: "socket: type has no value"},
		{call: "socket", args: "familly=2", err: `has no argument "familly" (did you mean family?)`},
		{call: "socket", args: "domain=2", err: `has no argument "domain" (it has family, type, protocol)`},
		{call: "getpid", args: "x=2", err: "the place counts"},
	}
	for _, tt := range tests {
		call, _ := syscalltables.Lookup(tt.call)
		nr, _ := call.Number(arch.X86_64)
		got, err := symbols.Arrange(arch.X86_64, nr, strings.Fields(tt.args))
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s %s: error %v, want %q", tt.call, tt.args, err, tt.err)
			}
			continue
		}
		if err != nil || !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%s %s: %q %v", tt.call, tt.args, got, err)
		}
	}
}

// What Call writes, ParseLine, Arrange and Parse read.
func TestParseLineReadsCall(t *testing.T) {
	for a := range arch.All() {
		for nr, call := range syscalltables.All(a) {
			values := [6]uint64{1, 2, 0x802, 3, 0xffffff9c, 0x7fff}
			text := symbols.Call(a, nr, values)
			line, err := symbols.ParseLine(text)
			if err != nil || line.Name != call.Name() {
				t.Fatalf("%v %s: %v %v", a, text, line, err)
			}
			list, err := symbols.Arrange(a, nr, line.Args)
			if err != nil || len(list) != len(line.Args) {
				t.Fatalf("%v %s: %q %v", a, text, list, err)
			}
			for i, s := range list {
				arg := symbols.At(a, call, i)
				for j, v := range values {
					arg = arg.Given(j, v)
				}
				if v, err := arg.Parse(s); err != nil || v != values[i] {
					t.Fatalf("%v %s: argument %d: %#x %v", a, text, i, v, err)
				}
			}
		}
	}
}
