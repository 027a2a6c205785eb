package vectors

import (
	"fmt"
	"slices"
	"strings"
)

// edges are numbers at the ends of what an ABI's numbers may be.
func edges() []uint32 {
	return []uint32{0, 0x3fffffff, 0x40000000, 0x40000001, 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000, 0xfffffffe, 0xffffffff}
}

// common are calls that every ABI has.
func common() []string {
	return []string{"read", "write", "close", "dup", "getpid", "getppid", "umask"}
}

// abis makes the rows of section 1.
func (g *generator) abis() {
	names := g.profile("names", "ERRNO(99)",
		"ERRNO(10) read,write", "ERRNO(11) close", "ERRNO(12) getpid", "ERRNO(13) mmap", "ERRNO(14) mmap2", "ERRNO(15) select", "ERRNO(16) _newselect",
		"ERRNO(17) execve", "ERRNO(18) exit_group,clone", "ERRNO(19) openat", "ERRNO(20) ioctl", "ERRNO(21) open,stat,stat64", "ERRNO(22) getuid,getuid32")
	open := g.profile("allow-all", "ALLOW")
	for _, a := range g.facts {
		for _, name := range strings.Fields("read write close getpid mmap mmap2 select _newselect execve exit_group clone openat ioctl open stat stat64 getuid getuid32 uname") {
			g.add("1.8", names, on(a.name), g.named(a, name)...)
		}
		g.add("1.10", names, on(a.name), g.named(a, "kill")...)
		for _, other := range g.facts {
			if other.arch != a.arch {
				g.add("1.3", open, on(a.name), g.named(other, "read")...)
			}
		}
		g.add("1.1", open, on(a.name), g.named(a, "read")...)
	}
	native, list := g.abi("x86_64"), []point{}
	for _, name := range []string{"x86_64", "x86", "aarch64", "s390x"} {
		list = append(list, g.named(g.abi(name), "read")...)
	}
	list = append(list, g.numbered(native, 0x40000000, 0xffffffff)...)
	for file, archs := range map[string]string{
		"architectures-none": ``, "architectures-x86": `"SCMP_ARCH_X86"`, "architectures-native": `"SCMP_ARCH_NATIVE", "SCMP_ARCH_AARCH64"`,
		"architectures-twice": `"SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_X86_64"`,
	} {
		g.file(file, "{\n\t\"defaultAction\": \"SCMP_ACT_ALLOW\",\n\t\"architectures\": ["+archs+"]\n}\n")
	}
	for _, file := range []string{"architectures-none", "architectures-x86", "architectures-native", "architectures-twice"} {
		g.add("1.2", file, on("-"), list...)
	}
	for _, word := range []string{"ALLOW", "ERRNO(7)", "KILL_PROCESS", "TRAP"} {
		for _, targets := range []string{"x86_64", "x32", "aarch64,arm"} {
			g.add("1.3", open, on(targets).option("bad-arch="+word), append(list, g.numbered(native, edges()...)...)...)
		}
	}
	g.x32()
	g.mips()
	unknown := g.profile("unknown-name", "ALLOW", "ERRNO(1) no_such_call,read", "ERRNO(2) write,@system-service")
	for _, a := range g.facts {
		g.add("1.9", unknown, on(a.name), append(g.named(a, "read"), g.named(a, "write")...)...)
	}
	g.add("1.9", unknown, on("x86_64").like("crun"), g.named(native, "read")...)
	g.add("1.9", unknown, on("x86_64").like("youki"), g.named(native, "read")...)
	g.refused("1.9", unknown, on("x86_64").like("strict"))
	lacking := g.profile("names-of-some", "ALLOW", "ERRNO(1) arch_prctl,set_tls,s390_runtime_instr,cachectl", "ERRNO(2) epoll_wait,epoll_pwait")
	for _, a := range g.facts {
		for _, reading := range []string{"runc", "strict"} {
			for _, name := range []string{"arch_prctl", "set_tls", "s390_runtime_instr", "cachectl", "epoll_wait", "epoll_pwait"} {
				g.add("1.9", lacking, on(a.name).like(reading), g.named(a, name)...)
			}
		}
	}
}

// x32 makes the rows about the numbers of x86_64 and x32.
func (g *generator) x32() {
	long, short := g.abi("x86_64"), g.abi("x32")
	profiles := []string{
		"allow-all",
		g.profile("x32-log", "LOG", "ERRNO(5) read,ioctl", "ERRNO(6) write: 0 EQ 4294967297", "ERRNO(7) getpid"),
		g.profile("x32-errno", "ERRNO", "ALLOW read,ioctl", "ALLOW write: 0 EQ 4294967297", "ALLOW getpid,openat2"),
		g.profile("x32-kill", "KILL_PROCESS", "ALLOW read", "LOG ioctl: 1 EQ 21505"),
	}
	paragraph := map[string]string{"x86_64": "1.4", "x32": "1.5", "x86_64,x32": "1.6", "x86_64,x32,x86": "1.6", "x86_64,x86": "1.4", "x32,x86": "1.5"}
	for _, p := range profiles {
		for _, targets := range []string{"x86_64", "x32", "x86_64,x32", "x86_64,x32,x86", "x86_64,x86", "x32,x86"} {
			var points []point
			for _, a := range []*abi{long, short} {
				points = append(points, g.numbered(a, edges()...)...)
				for _, name := range []string{"read", "ioctl", "getpid", "openat2", "kill"} {
					points = append(points, g.named(a, name)...)
				}
				points = append(points, g.with(a, "write", []uint64{1}, []uint64{1 << 32}, []uint64{1<<32 + 1}, []uint64{7<<32 + 1})...)
				points = append(points, g.with(a, "ioctl", []uint64{0, 21505}, []uint64{0, 9<<32 + 21505})...)
			}
			points = append(points, g.named(g.abi("x86"), "read")...)
			g.add(paragraph[targets], p, on(targets), points...)
			if p != "allow-all" && p != profiles[3] {
				g.add(paragraph[targets], p, on(targets).option("enosys=off"), points...)
			}
		}
	}
}

// mips makes the rows about the ranges of MIPS's ABIs.
func (g *generator) mips() {
	closed := g.profile("mips-errno", "ERRNO(5)", "ALLOW read,write", "LOG getpid")
	for _, a := range g.facts {
		if a.base < 4000 || a.base > 6000 {
			continue
		}
		var points []point
		for _, base := range []uint32{0, 4000, 5000, 6000} {
			points = append(points, g.numbered(a, base, base+1, base+39, base+999)...)
		}
		points = append(points, g.numbered(a, a.base-1, a.base+1000, 7000, 0x80000000, 0xffffffff)...)
		points = append(points, g.named(a, "read")...)
		for _, reading := range []string{"runc", "strict", "crun"} {
			g.add("1.7", "allow-all", on(a.name).like(reading), points...)
			g.add("1.7", closed, on(a.name).like(reading), points...)
		}
	}
	for _, targets := range []string{"mips64,mips,mips64n32", "mipsel64,mipsel,mipsel64n32"} {
		for name := range strings.SplitSeq(targets, ",") {
			a := g.abi(name)
			for _, reading := range []string{"runc", "strict"} {
				g.add("1.7", closed, on(targets).like(reading), g.numbered(a, 4003, 5000, 6000, 4020, 5038, 6038)...)
			}
		}
	}
}

// bounds makes the rows of section 4.
func (g *generator) bounds() {
	around := func(a *abi, names ...string) (points []point) {
		numbers := edges()
		for _, name := range names {
			if nr, ok := a.numbers[name]; ok {
				numbers = append(numbers, nr-1, nr, nr+1)
			}
		}
		slices.Sort(numbers)
		return g.numbered(a, slices.Compact(numbers)...)
	}
	for _, fallback := range []string{"ERRNO", "ERRNO(38)", "TRAP", "KILL", "KILL_PROCESS", "ALLOW", "LOG", "TRACE"} {
		name := g.profile("bound-"+strings.ToLower(strings.NewReplacer("(", "-", ")", "", "_", "-").Replace(fallback)), fallback, "ERRNO(7) read,exit_group", "ERRNO(8) openat")
		paragraph := "4.1"
		if slices.Contains([]string{"ALLOW", "LOG", "TRACE"}, fallback) {
			paragraph = "4.2"
		}
		for _, a := range g.facts {
			switch fallback {
			case "ERRNO":
			default: // on some ABIs only
				if !slices.Contains([]string{"x86_64", "x32", "s390x", "mips", "parisc", "aarch64"}, a.name) {
					continue
				}
			}
			g.add(paragraph, name, on(a.name), around(a, "exit_group", "openat")...)
		}
	}
	dropped := g.profile("bound-dropped", "ERRNO", "ALLOW read", "ERRNO openat2", "ERRNO(2) write")
	conditional := g.profile("bound-conditional", "ERRNO", "ALLOW read", "ALLOW openat2: 0 EQ 3", "LOG write")
	sockets := g.profile("bound-multiplexed", "ERRNO", "ALLOW read", "ALLOW recvmmsg,semop")
	lacking := g.profile("bound-multiplexer-alone", "ERRNO", "ALLOW read", "ALLOW send")
	zero := g.profile("bound-zero", "ERRNO", "ALLOW read", "ALLOW restart_syscall: 0 EQ 1", "ALLOW io_setup")
	only := g.profile("bound-read", "TRAP", "ALLOW read")
	unnamed := g.profile("bound-none", "ERRNO(5)")
	private := g.profile("bound-private", "ERRNO", "ALLOW read,set_tls,breakpoint")
	for _, a := range g.facts {
		for _, p := range []string{dropped, conditional} {
			g.add("4.1", p, on(a.name), around(a, "openat2", "write")...)
		}
		for _, p := range []string{sockets, lacking} {
			g.add("5.5", p, on(a.name), around(a, "recvmmsg", "semop", "socketcall", "ipc", "send", "read")...)
		}
		for _, p := range []string{zero, only, unnamed} {
			g.add("4.3", p, on(a.name), around(a, "read", "io_setup", "restart_syscall")...)
		}
		g.add("4.4", conditional, on(a.name), g.numbered(a, 0x80000000, 0xfffffff0, 0xffffffff)...)
		g.add("4.8", conditional, on(a.name).option("enosys=off"), around(a, "openat2")...)
	}
	for _, name := range []string{"s390", "s390x"} {
		for _, p := range []string{dropped, conditional, zero, only, unnamed, "bound-errno", "bound-allow"} {
			g.add("4.5", p, on(name), g.numbered(g.abi(name), 0, 1, 2)...)
		}
		for _, p := range []string{dropped, unnamed} { // rows of their own: 0 alone decides nothing else
			g.add("4.5", p, on("s390x,s390"), g.numbered(g.abi(name), 0, 1)...)
		}
	}
	g.add("4.1", private, on("arm"), around(g.abi("arm"), "set_tls", "breakpoint")...)
	g.add("4.6", private, on("aarch64,arm"), slices.Concat(around(g.abi("arm"), "set_tls", "read"), around(g.abi("aarch64"), "read"))...)
	halves := g.profile("bound-halves", "ERRNO", "ALLOW read,openat2", "LOG ioctl,clone3")
	lone := g.profile("bound-lone-half", "KILL", "ALLOW uselib,read", "LOG create_module,getpid") // names of x86_64 alone above those of both
	for _, p := range []string{halves, lone, "x32-errno", "bound-errno"} {
		for _, targets := range []string{"x86_64,x32", "x86_64,x32,x86", "x86_64", "x32"} {
			paragraph := "4.6"
			if !strings.Contains(targets, ",") {
				paragraph = "4.7"
			}
			points := slices.Concat(around(g.abi("x86_64"), "openat2", "clone3", "uselib", "create_module", "getpid"), around(g.abi("x32"), "openat2", "clone3", "ioctl"), g.numbered(g.abi("x86_64"), 0x80000000+437, 0xc0000000+437, 0xc0000000+1))
			g.add(paragraph, p, on(targets), points...)
		}
	}
	for _, a := range g.facts {
		if a.base >= 4000 && a.base <= 6000 {
			g.add("4.7", conditional, on(a.name).like("strict"), around(a, "read", "openat2")...)
		}
	}
	g.releases(conditional)
}

// releases makes the rows about ENOSYS by release.
func (g *generator) releases(conditional string) {
	names := []string{"openat2", "clone3", "pidfd_open", "close_range", "landlock_create_ruleset", "futex_waitv", "cachestat", "futex_wait", "mseal", "statx", "read", "rseq", "io_uring_setup"}
	for _, a := range g.facts {
		for _, r := range []string{"4.18", "5.5", "5.6", "5.10", "6.6"} {
			if !slices.Contains([]string{"x86_64", "x32", "aarch64", "mips64"}, a.name) && r != "5.10" {
				continue
			}
			var points []point
			for _, name := range names {
				points = append(points, g.named(a, name)...)
			}
			points = append(points, g.numbered(a, a.base+420, a.base+400, a.base+999)...)
			points = append(points, g.numbered(a, edges()...)...)
			g.add("4.9", conditional, on(a.name).option("enosys=kernel:"+r), points...)
		}
	}
	for _, p := range []string{"bound-allow", "bound-trace"} {
		g.add("4.9", p, on("x86_64").option("enosys=kernel:5.0"), g.numbered(g.abi("x86_64"), 0, 437, 450, 5000)...)
	}
	for _, targets := range []string{"x86_64,x32", "mips64,mips"} {
		a := g.abi(strings.Split(targets, ",")[0])
		g.add("4.9", conditional, on(targets).option("enosys=kernel:5.5"), g.numbered(a, slices.Concat(edges(), []uint32{1, 437, 0x400001b5, 5000, 5437, 4437, 4003})...)...)
	}
}

// multiplexers makes the rows of section 5.
func (g *generator) multiplexers() {
	names := slices.DeleteFunc(slices.Concat(socketCalls, ipcCalls), func(name string) bool { return name == "-" })
	var entries []string
	for i, name := range names {
		entries = append(entries, fmt.Sprintf("ERRNO(%d) %s", 100+i, name))
	}
	each := g.profile("mux-each", "ALLOW", entries...)
	own := g.profile("mux-conditions", "ALLOW", "ERRNO(1) socket: 0 EQ 16, 1 EQ 3", "ERRNO(2) connect: 2 LT 16", "ERRNO(3) shmget: 0 EQ 7", "ERRNO(4) accept4: 3 MASKED_EQ 1 1, 0 GT 2",
		"ERRNO(5) semctl: 1 EQ 1, 1 EQ 2, 0 EQ 9")
	itself := g.profile("mux-itself", "ALLOW", "ERRNO(1) socket: 1 EQ 3", "ERRNO(2) socketcall", "ERRNO(3) ipc: 0 EQ 1", "ERRNO(4) semop: 1 EQ 5")
	closed := g.profile("mux-closed", "ERRNO", "ALLOW socket: 0 EQ 1", "ALLOW socketcall: 0 EQ 2, 1 EQ 4", "ALLOW shmat,read")
	for _, a := range g.facts {
		for _, name := range names {
			g.add("5.3", each, on(a.name), g.named(a, name)...)
		}
		g.add("5.3", own, on(a.name), slices.Concat(
			g.with(a, "socket", []uint64{16, 3}, []uint64{16}, []uint64{1, 3}), g.with(a, "connect", []uint64{0, 0, 15}, []uint64{0, 0, 16}),
			g.with(a, "shmget", []uint64{7}, []uint64{8}), g.with(a, "accept4", []uint64{3, 0, 0, 1}, []uint64{2, 0, 0, 1}, []uint64{3, 0, 0, 2}),
			g.with(a, "semctl", []uint64{0, 1}, []uint64{0, 2}, []uint64{9}, []uint64{}))...)
		if a.socketcall == 0 {
			continue
		}
		for i := range uint64(23) {
			g.add("5.1", each, on(a.name), g.with(a, "socketcall", []uint64{i})...)
		}
		for i := range uint64(26) {
			g.add("5.1", each, on(a.name), g.with(a, "ipc", []uint64{i})...)
		}
		for _, p := range []string{own, itself, closed} {
			paragraph := map[string]string{own: "5.2", itself: "5.4", closed: "5.4"}[p]
			for _, call := range []string{"socketcall", "ipc"} {
				for _, first := range []uint64{1, 2, 3, 16, 18, 21, 23, 1<<32 + 1} {
					g.add(paragraph, p, on(a.name), g.with(a, call, []uint64{first}, []uint64{first, 3}, []uint64{first, 4}, []uint64{first, 5, 15, 1})...)
				}
			}
			g.add(paragraph, p, on(a.name), g.with(a, "socket", []uint64{1, 3}, []uint64{1}, []uint64{2, 4})...)
		}
	}
}
