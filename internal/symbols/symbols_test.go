package symbols

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

func number(t *testing.T, a arch.ABI, name string) uint32 {
	t.Helper()
	c, _ := syscalltables.Lookup(name)
	nr, ok := c.Number(a)
	if !ok {
		t.Fatalf("%v has no %s", a, name)
	}
	return nr
}

func TestCallsAreWrittenWithNames(t *testing.T) {
	for _, tt := range []struct {
		abi  arch.ABI
		call string
		args [6]uint64
		want string
	}{
		{arch.X86_64, "socket", [6]uint64{2, 0x80001}, "socket(family=AF_INET, type=SOCK_STREAM|SOCK_CLOEXEC, protocol=IPPROTO_IP)"},
		{arch.X86_64, "socket", [6]uint64{16, 3, 15}, "socket(family=AF_NETLINK, type=SOCK_RAW, protocol=NETLINK_KOBJECT_UEVENT)"},
		{arch.X86_64, "socket", [6]uint64{1, 1, 15}, "socket(family=AF_UNIX, type=SOCK_STREAM, protocol=15)"},
		{arch.MIPS64, "socket", [6]uint64{1, 0x81}, "socket(family=AF_UNIX, type=SOCK_DGRAM|SOCK_NONBLOCK, protocol=0)"},
		{arch.PARISC, "socket", [6]uint64{1, 0x40000001}, "socket(family=AF_UNIX, type=SOCK_STREAM|SOCK_NONBLOCK, protocol=0)"},
		{arch.X86_64, "openat", [6]uint64{0xffffff9c, 0x7ffc01020304, 0x80241, 0o644}, "openat(dirfd=AT_FDCWD, pathname=0x7ffc01020304, flags=O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, mode=0644)"},
		{arch.X86_64, "openat", [6]uint64{1<<64 - 100, 0x7ffc01020304, 0x80000}, "openat(dirfd=(long)AT_FDCWD, pathname=0x7ffc01020304, flags=O_RDONLY|O_CLOEXEC, mode=0)"},
		{arch.RISCV64, "openat", [6]uint64{1<<64 - 100, 4096, 0x10000}, "openat(dirfd=AT_FDCWD, pathname=0x1000, flags=O_RDONLY|O_DIRECTORY, mode=0)"},
		{arch.RISCV64, "openat", [6]uint64{0xffffff9c, 4096}, "openat(dirfd=(unsigned)AT_FDCWD, pathname=0x1000, flags=O_RDONLY, mode=0)"},
		{arch.ARM, "openat", [6]uint64{0xffffff9c, 4096, 0x10000}, "openat(dirfd=AT_FDCWD, pathname=0x1000, flags=O_RDONLY|O_DIRECT, mode=0)"},
		{arch.X86_64, "clone", [6]uint64{0x1200011}, "clone(flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, stack=0, parent_tid=0)"},
		{arch.S390X, "clone", [6]uint64{4096, 0x10000012}, "clone(stack=0x1000, flags=CLONE_NEWUSER|0x12, parent_tid=0)"},
		{arch.X86_64, "fcntl", [6]uint64{3, 4, 0x802}, "fcntl(fd=3, cmd=F_SETFL, arg=O_RDWR|O_NONBLOCK)"},
		{arch.X86_64, "fcntl", [6]uint64{3, 2, 1}, "fcntl(fd=3, cmd=F_SETFD, arg=FD_CLOEXEC)"},
		{arch.X86_64, "fcntl", [6]uint64{3, 1, 16}, "fcntl(fd=3, cmd=F_GETFD, arg=0x10)"},
		{arch.X86_64, "ioctl", [6]uint64{0, 0x5401, 4096}, "ioctl(fd=0, request=TCGETS, arg=0x1000)"},
		{arch.X86_64, "ioctl", [6]uint64{0, 0xffffffff80045430}, "ioctl(fd=0, request=(long)TIOCGPTN, arg=0)"},
		{arch.PPC64LE, "ioctl", [6]uint64{0, 0x402c7413}, "ioctl(fd=0, request=TCGETS, arg=0)"},
		{arch.X86_64, "mmap", [6]uint64{0, 4096, 3, 0x22, 1<<64 - 1}, "mmap(addr=0, length=4096, prot=PROT_READ|PROT_WRITE, flags=MAP_PRIVATE|MAP_ANONYMOUS, fd=-1, offset=0)"},
		{arch.X86_64, "mmap", [6]uint64{0, 1 << 32, 0, 0x54040022}, "mmap(addr=0, length=0x100000000, prot=PROT_NONE, flags=MAP_PRIVATE|MAP_HUGE_2MB|MAP_ANONYMOUS|MAP_HUGETLB, fd=0, offset=0)"},
		{arch.X86_64, "prctl", [6]uint64{24, 21}, "prctl(option=PR_CAPBSET_DROP, arg2=CAP_SYS_ADMIN, arg3=0, arg4=0, arg5=0)"},
		{arch.X86_64, "personality", [6]uint64{0xffffffff}, "personality(persona=0xffffffff)"},
		{arch.X86_64, "personality", [6]uint64{0x20008}, "personality(persona=PER_LINUX32|UNAME26)"},
		{arch.X86_64, "setsockopt", [6]uint64{3, 1, 20, 4096, 16}, "setsockopt(sockfd=3, level=SOL_SOCKET, optname=SO_RCVTIMEO, optval=0x1000, optlen=16)"},
		{arch.PPC64, "setsockopt", [6]uint64{3, 1, 20, 4096, 16}, "setsockopt(sockfd=3, level=SOL_SOCKET, optname=SO_PASSCRED, optval=0x1000, optlen=16)"},
		{arch.X86_64, "setsockopt", [6]uint64{3, 6, 1, 4096, 4}, "setsockopt(sockfd=3, level=SOL_TCP, optname=TCP_NODELAY, optval=0x1000, optlen=4)"},
		{arch.X86_64, "futex", [6]uint64{4096, 0x80, 2}, "futex(uaddr=0x1000, futex_op=FUTEX_WAIT|FUTEX_PRIVATE_FLAG, val=2, timeout=0, uaddr2=0, val3=0)"},
		{arch.X86_64, "quotactl", [6]uint64{0x80000201}, "quotactl(cmd=QCMD(Q_QUOTAON,GRPQUOTA), special=0, id=0, addr=0)"},
		{arch.X86_64, "msgget", [6]uint64{0, 0o1644}, "msgget(key=0, msgflg=IPC_CREAT|0644)"},
		{arch.X86_64, "mknod", [6]uint64{4096, 0o20644, 5}, "mknod(pathname=0x1000, mode=S_IFCHR|0644, dev=5)"},
		{arch.X86_64, "access", [6]uint64{4096}, "access(pathname=0x1000, mode=F_OK)"},
		{arch.X86_64, "kill", [6]uint64{1<<64 - 1, 9}, "kill(pid=-1, sig=SIGKILL)"},
		{arch.MIPS, "kill", [6]uint64{1<<32 - 1, 16}, "kill(pid=-1, sig=SIGUSR1)"},
		{arch.X86_64, "getpid", [6]uint64{1, 2}, "getpid()"},
		{arch.X86, "pread64", [6]uint64{1, 4096, 30, 4}, "pread64(fd=1, buf=0x1000, count=30)"},
		{arch.X86, "socketcall", [6]uint64{1, 4096}, "socketcall(call=SYS_SOCKET, args=0x1000)"},
	} {
		if got := Call(tt.abi, number(t, tt.abi, tt.call), tt.args); got != tt.want {
			t.Errorf("%v: got  %s\nwant %s", tt.abi, got, tt.want)
		}
	}
	for _, tt := range []struct {
		nr   uint32
		want string
	}{
		{9999, "9999(arg0=1, arg1=0x20, arg2=0, arg3=0, arg4=0, arg5=0)"},
		{1<<32 - 1, "0xffffffff(arg0=1, arg1=0x20, arg2=0, arg3=0, arg4=0, arg5=0)"},
	} {
		if got := Call(arch.X86_64, tt.nr, [6]uint64{1, 32}); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
	if got, want := Call(0, 1, [6]uint64{}), "1(arg0=0, arg1=0, arg2=0, arg3=0, arg4=0, arg5=0)"; got != want {
		t.Errorf("no ABI: got %s, want %s", got, want)
	}
}

func when(arg uint8, op policy.Op, mask, v uint64) policy.Cond {
	return policy.Cond{Arg: arg, Op: op, Mask: mask, Value: v}
}

func TestConditionsAreWrittenWithNames(t *testing.T) {
	const full = 1<<64 - 1
	type conds = []policy.Cond
	for _, tt := range []struct {
		abi   arch.ABI
		call  string
		conds conds
		want  string
	}{
		{arch.X86_64, "socket", nil, "socket"},
		{arch.X86_64, "socket", conds{when(0, policy.NotEqual, full, 40)}, "socket(family != AF_VSOCK)"},
		{arch.X86, "socket", conds{when(0, policy.NotEqual, 1<<32-1, 40)}, "socket(family != AF_VSOCK)"},
		{arch.X86_64, "socket", conds{when(0, policy.Less, full, 38)}, "socket(family < AF_ALG)"},
		{arch.X86_64, "socket", conds{when(0, policy.LessEqual, full, 38)}, "socket(family <= AF_ALG)"},
		{arch.X86_64, "socket", conds{when(0, policy.Greater, full, 38)}, "socket(family > AF_ALG)"},
		{arch.X86_64, "socket", conds{when(0, policy.GreaterEqual, full, 99)}, "socket(family >= 99)"},
		{arch.X86_64, "clone", conds{when(0, policy.MaskedEqual, 2114060288, 0)},
			"clone(flags & (CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWUSER|CLONE_NEWPID|CLONE_NEWNET) == 0)"},
		{arch.X86_64, "clone", conds{when(0, policy.MaskedEqual, 0x100ff, 0x10011)}, "clone(flags & (CLONE_THREAD|CSIGNAL) == (CLONE_THREAD|SIGCHLD))"},
		{arch.X86_64, "clone", conds{when(0, policy.MaskedEqual, 0x1001f, 0x10011)}, "clone(flags & (CLONE_THREAD|0x1f) == (CLONE_THREAD|0x11))"},
		{arch.X86_64, "open", conds{when(1, policy.MaskedEqual, 0x43, 0)}, "open(flags & (O_ACCMODE|O_CREAT) == O_RDONLY)"},
		{arch.X86_64, "open", conds{when(1, policy.MaskedEqual, 0x41, 0)}, "open(flags & (O_CREAT|1) == 0)"},
		{arch.X86_64, "mprotect", conds{when(2, policy.MaskedEqual, 4, 0)}, "mprotect(prot & PROT_EXEC == 0)"},
		{arch.X86_64, "socket", conds{when(0, policy.MaskedEqual, 0xff, 2), when(1, policy.MaskedEqual, 1<<32-1, 2)},
			"socket(family & 0xff == 2 and type & 0xffffffff == SOCK_DGRAM)"},
		{arch.X86_64, "fcntl", conds{when(1, policy.Equal, full, 4), when(2, policy.Equal, full, 0x402)},
			"fcntl(cmd == F_SETFL and arg == (O_RDWR|O_APPEND))"},
		{arch.X86_64, "fcntl", conds{when(1, policy.NotEqual, full, 4), when(2, policy.Equal, full, 0x402)}, "fcntl(cmd != F_SETFL and arg == 0x402)"},
		{arch.X86_64, "personality", conds{when(0, policy.MaskedEqual, full&^0x20008, 0)}, "personality(persona & ~(PER_LINUX32|UNAME26) == 0)"},
		{arch.X86_64, "personality", conds{when(0, policy.MaskedEqual, full&^0x20000, 8)}, "personality(persona & ~UNAME26 == PER_LINUX32)"},
		{arch.X86, "socket", conds{when(1, policy.MaskedEqual, 0xfff7f7ff, 1)}, "socket(type & ~(SOCK_CLOEXEC|SOCK_NONBLOCK) == SOCK_STREAM)"},
		{arch.X86_64, "unshare", conds{when(0, policy.LessEqual, full, 0x20000)}, "unshare(flags <= 0x20000)"},
		{arch.X86_64, "getpid", conds{when(0, policy.Equal, full, 16)}, "getpid(arg0 == 0x10)"},
	} {
		if got := Conds(tt.abi, number(t, tt.abi, tt.call), tt.conds); got != tt.want {
			t.Errorf("%v: got  %s\nwant %s", tt.abi, got, tt.want)
		}
	}
	if got, want := Cond(arch.X86_64, 41, when(0, policy.Equal, full, 1)), "family == AF_UNIX"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestActionsAreWrittenAsWhatHappens(t *testing.T) {
	for _, tt := range []struct {
		abi    arch.ABI
		action cbpf.Action
		want   string
	}{
		{arch.X86_64, cbpf.Allow, "allow"},
		{arch.X86_64, cbpf.Log, "log"},
		{arch.X86_64, cbpf.KillThread, "kill the thread"},
		{arch.X86_64, cbpf.KillProcess, "kill the process"},
		{arch.X86_64, 0x12340000, "kill the process"},
		{arch.X86_64, cbpf.Trap | 5, "signal SIGSYS"},
		{arch.X86_64, cbpf.Notify, "ask the listener"},
		{arch.X86_64, cbpf.Trace(1), "ask the tracer"},
		{arch.X86_64, cbpf.Errno(38), "ENOSYS"},
		{arch.MIPS, cbpf.Errno(89), "ENOSYS"},
		{arch.MIPS, cbpf.Errno(38), "EL2NSYNC"},
		{arch.X86_64, cbpf.Errno(0), "return 0"},
		{arch.X86_64, cbpf.Errno(9000), "errno 4095"},
		{0, cbpf.Errno(38), "errno 38"},
	} {
		if got := Action(tt.abi, tt.action); got != tt.want {
			t.Errorf("%v %v: got %q, want %q", tt.abi, tt.action, got, tt.want)
		}
	}
}

// TestWhatIsWrittenIsReadAsTheSame takes each argument on each ABI with its constants,
// all with all bits inverted, joined in pairs, and with random bits.
func TestWhatIsWrittenIsReadAsTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for x := range everyArg() {
		values := []uint64{0, 1, 9, 10, 63, 4095, 4096, 1<<31 - 1, 1 << 31, 1<<32 - 4096, 1<<32 - 100, 1<<32 - 1, 1 << 32, 1 << 63, 1<<64 - 4096, 1<<64 - 100, 1<<64 - 1}
		constants := x.Constants()
		for _, k := range constants {
			other := uint64(0)
			if len(constants) > 0 {
				other = constants[random.IntN(len(constants))].Value
			}
			values = append(values, k.Value, ^k.Value, k.Value|other, k.Value|random.Uint64(), uint64(uint32(k.Value)), uint64(int64(int32(k.Value))))
		}
		for range 4 {
			values = append(values, random.Uint64(), uint64(random.Uint32()))
		}
		for _, v := range values {
			v &= x.full()
			text := x.Text(v)
			if got, err := x.Parse(text); err != nil || got != v {
				t.Fatalf("%v %s %s: %#x is %q, which is %#x, %v", x.abi, x.call, x.Name(), v, text, got, err)
			}
		}
	}
}

// TestNamesAreReadOnEveryABIAsItHasThem: what Constants lists is what Parse takes.
func TestNamesAreReadOnEveryABIAsItHasThem(t *testing.T) {
	for x := range everyArg() {
		for _, k := range x.Constants() {
			if v, err := x.Parse(k.Name); err != nil || v != k.Value {
				t.Errorf("%v %s %s: %s is %#x, %v, want %#x", x.abi, x.call, x.Name(), k.Name, v, err, k.Value)
			}
		}
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		abi       arch.ABI
		call      string
		arg       int
		text      string
		want      uint64
		wantError string
	}{
		{arch.X86_64, "socket", 0, "AF_LOCAL", 1, ""},
		{arch.X86_64, "socket", 0, "0x10", 16, ""},
		{arch.X86_64, "socket", 0, "-1", 1<<64 - 1, ""},
		{arch.X86, "socket", 0, "-1", 1<<32 - 1, ""},
		{arch.X86_64, "open", 2, "0644", 0o644, ""},
		{arch.X86_64, "open", 1, "O_RDWR|O_SYNC|4", 0x101006, ""},
		{arch.X86_64, "open", 1, "0x40|1", 0x41, ""},
		{arch.X86_64, "ioctl", 1, "(long)TIOCGPTN", 0xffffffff80045430, ""},
		{arch.X86_64, "ioctl", 1, "(long)TCGETS", 0, `symbols: request: "(long)TCGETS" is neither a known constant for this argument nor a 64-bit number`},
		{arch.X86_64, "ioctl", 1, "(unsigned)TIOCGPTN", 0, `symbols: request: "(unsigned)TIOCGPTN" is neither a known constant for this argument nor a 64-bit number`},
		{arch.X86_64, "socket", 0, "AF_FOO", 0, `symbols: family: "AF_FOO" is neither a known constant for this argument nor a 64-bit number`},
		{arch.X86_64, "socket", 0, "", 0, `symbols: family: "" is neither a known constant for this argument nor a 64-bit number`},
		{arch.X86_64, "read", 0, "stdin", 0, `symbols: fd: "stdin" is not a number of 64 bits`},
		{arch.X86_64, "read", 0, "0x10000000000000000", 0, `symbols: fd: "0x10000000000000000" is not a number of 64 bits`},
		{arch.X86, "read", 0, "0x100000000", 0, `symbols: fd: 0x100000000: an argument of x86 has 32 bits`},
		{arch.X86, "read", 0, "-0x80000001", 0, `symbols: fd: -0x80000001: an argument of x86 has 32 bits`},
		{arch.X86_64, "open", 1, "O_RDWR|-1", 0, `symbols: flags: -1: a negative number has 64 bits and stands alone`},
		{arch.X86_64, "open", 1, "O_RDWR|", 0, `symbols: flags: "" is neither a known constant for this argument nor a 64-bit number`},
		{arch.AArch64, "mmap", 3, "MAP_PRIVATE|MAP_32BIT", 0, `symbols: flags: aarch64 has no MAP_32BIT`},
	} {
		c, _ := syscalltables.Lookup(tt.call)
		got, err := At(tt.abi, c, tt.arg).Parse(tt.text)
		if message := fmt.Sprint(err); err != nil && message != tt.wantError || err == nil && tt.wantError != "" || got != tt.want {
			t.Errorf("%v %s %s: got %#x, %v; want %#x, %s", tt.abi, tt.call, tt.text, got, err, tt.want, tt.wantError)
		}
		var e *ParseError
		if err != nil && (!errors.As(err, &e) || !strings.Contains(tt.text, e.Word)) {
			t.Errorf("%v %s %s: %#v is not about a word of it", tt.abi, tt.call, tt.text, err)
		}
	}
}

// TestNothingIsKnownOfWhatIsNotThere: no call, no ABI, no such argument.
func TestNothingIsKnownOfWhatIsNotThere(t *testing.T) {
	socket, _ := syscalltables.Lookup("socket")
	for _, x := range []Arg{{}, At(0, socket, 0), At(arch.X86_64, 0, 0), At(arch.X86_64, socket, 3), At(arch.X86_64, socket, -1), At(arch.X86_64, socket, 1<<20)} {
		x = x.Given(0, 2).Given(-1, 2).Given(9, 2)
		if x.Kind() != Unknown || x.Constants() != nil || x.Text(16) != "0x10" || !strings.HasPrefix(x.Name(), "arg") {
			t.Errorf("%+v is %s of kind %v, with 16 as %s and %v", x, x.Name(), x.Kind(), x.Text(16), x.Constants())
		}
	}
	if got, want := At(arch.X86_64, socket, 3).Name(), "arg3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestTestsOfHalvesAreWrittenWithNames: a filter tests an argument in halves, and the
// disassembler asks for words for the lower one.
func TestTestsOfHalvesAreWrittenWithNames(t *testing.T) {
	for _, tt := range []struct {
		abi     arch.ABI
		call    string
		arg     int
		op      string
		mask, v uint32
		want    string
	}{
		{arch.X86_64, "socket", 0, "==", 1<<32 - 1, 40, "family == AF_VSOCK"},
		{arch.X86, "clone", 0, "!=", 0x10000000, 0, "flags & CLONE_NEWUSER != 0"},
		{arch.X86_64, "socket", 1, "==", 0xf, 1, "type & SOCK_TYPE_MASK == SOCK_STREAM"},
		{arch.X86_64, "personality", 0, "!=", 0xfffdfff7, 0, "persona & ~(PER_LINUX32|UNAME26) != 0"},
		{arch.X86_64, "openat", 0, "==", 1<<32 - 1, 0xffffff9c, "dirfd == AT_FDCWD"},
		{arch.RISCV64, "openat", 0, "==", 1<<32 - 1, 0xffffff9c, "dirfd == AT_FDCWD"},
		{arch.X86_64, "read", 0, "==", 1<<32 - 1, 3, ""},
		{arch.X86_64, "socket", 3, "==", 1<<32 - 1, 3, ""},
		{0, "socket", 0, "==", 1<<32 - 1, 3, ""},
	} {
		c, _ := syscalltables.Lookup(tt.call)
		nr, _ := c.Number(tt.abi)
		if got := Names().Test(tt.abi.Audit(), nr, tt.arg, tt.op, tt.mask, tt.v); got != tt.want {
			t.Errorf("%v %s: got %q, want %q", tt.abi, tt.call, got, tt.want)
		}
	}
}

// keyctl counts its arguments from 1: its sixth must not be called as its fifth is.
func TestNamesOfOneCallDiffer(t *testing.T) {
	for a := range arch.All() {
		for _, c := range syscalltables.All(a) {
			var names []string
			for i := range 6 {
				names = append(names, At(a, c, i).Name())
			}
			if slices.Sort(names); len(slices.Compact(names)) != 6 {
				t.Errorf("%v %v: %v", a, c, names)
			}
		}
	}
}
