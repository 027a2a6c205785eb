package grade

// A Power is something that a confined program can do to the kernel or to what is outside
// of its sandbox, unless the filter denies it.
type Power struct {
	ID     string
	Points int    // that a subject loses if the power is reachable
	Title  string // after "can"
	Why    string // for these points: what it led to, and which defaults deny it
}

// A power is an index in the table of powers.
type power uint8

const (
	modules power = iota
	kexec
	eBPF
	ioUring
	userNamespaces
	namespaces
	mounts
	chroot
	handles
	ptrace
	processes
	keyrings
	perf
	userfaultfd
	hardware
	segments
	devices
	terminal
	families
	crypto
	vsock
	raw
	netlink
	network
	clock
	system
	kernelLog
	personality
	fanotify
	memoryPolicy
	splice
	listener
	executable
	compat
	x32
	future
	calls
)

// powers is the one table of weights. The points add up to 100.
var powers = [...]Power{
	modules: {"modules", 6, "load and unload kernel modules",
		"Code in the kernel ends every confinement. All container defaults deny it."},
	kexec: {"kexec", 4, "reboot the machine or start another kernel",
		"It ends every other program on the machine, and kexec replaces the kernel. All container defaults deny it."},
	eBPF: {"bpf", 6, "use eBPF (bpf)",
		"Mistakes of the verifier gave programs the kernel's memory: CVE-2017-16995, CVE-2020-8835, CVE-2021-3490, CVE-2022-23222. All container defaults deny it."},
	ioUring: {"io-uring", 6, "use io_uring",
		"A ring does the work of other calls where no filter sees it, and had many flaws: CVE-2021-41073, CVE-2022-29582, CVE-2023-2598, CVE-2024-0582. Docker denies it since 25.0, containerd since 2.0."},
	userNamespaces: {"user-namespaces", 6, "create user namespaces",
		"They give any program capabilities over the code of the kernel that only root could reach before: CVE-2020-14386, CVE-2021-22555, CVE-2022-0185, CVE-2022-0492, CVE-2024-1086. Docker and containerd deny it."},
	namespaces: {"namespaces", 4, "create or enter other namespaces",
		"A namespace is a step out of the container (setns) or to a kernel interface that the container hides. Docker and containerd deny it. clone3 counts, as its flags are behind a pointer."},
	mounts: {"mounts", 5, "mount file systems or change the root of the mount tree",
		"Mounts undo read-only and masked paths, and parsers of file systems are fragile: CVE-2022-0185, CVE-2023-0386. Docker and containerd deny the old and the new API."},
	chroot: {"chroot", 1, "change its root directory (chroot)",
		"With a directory left open it leads out of a root directory that is not a mount. Docker allows it, as its containers have CAP_SYS_CHROOT."},
	handles: {"handles", 4, "open files by handle (open_by_handle_at)",
		"It reads any file of a file system by a guessed number, whatever the directories say: the escape from Docker that is known as shocker. Docker and containerd deny it."},
	ptrace: {"ptrace", 3, "trace other processes (ptrace)",
		"It takes over programs that have more rights, and led out of filters before Linux 4.8. CVE-2019-13272. Docker allows it since Linux 4.8."},
	processes: {"processes", 3, "access memory and descriptors of other processes (process_vm_readv and its kin)",
		"The same as ptrace without a tracer; pidfd_getfd takes a socket or file that the program could not open. Docker denies pidfd_getfd and kcmp."},
	keyrings: {"keyrings", 3, "use the keyrings of the kernel",
		"Keyrings are not separate for each container, and had flaws: CVE-2016-0728, CVE-2017-7472. Docker and containerd deny it."},
	perf: {"perf", 4, "open performance events (perf_event_open)",
		"They tell of other programs and of the kernel's addresses, and had flaws: CVE-2013-2094, CVE-2023-2235, CVE-2023-5717. Docker and containerd deny it."},
	userfaultfd: {"userfaultfd", 3, "handle page faults in user space (userfaultfd)",
		"It stops the kernel in the middle of a copy, which makes races into reliable exploits, CVE-2016-6187 and many later ones. Docker and containerd deny it."},
	hardware: {"hardware", 2, "access I/O ports and buses",
		"It talks to devices past their drivers. Docker and containerd deny it."},
	segments: {"segments", 1, "change segment tables or use virtual 8086 mode",
		"Rarely used code for old programs that works on what the processor trusts: CVE-2015-3290, CVE-2017-17053. Docker allows modify_ldt on x86."},
	devices: {"devices", 2, "create device files (mknod with S_IFCHR or S_IFBLK)",
		"A device file of the disk has every file of the host in it, where the device controller does not object. Docker allows it, as its containers have CAP_MKNOD."},
	terminal: {"terminal", 3, "put input into its terminal (TIOCSTI, TIOCLINUX)",
		"What it puts there, the shell outside of the sandbox executes: CVE-2017-5226 (bubblewrap), CVE-2023-28100 (flatpak), CVE-2023-1523 (snapd). flatpak and snapd deny it."},
	families: {"socket-families", 2, "open sockets of unusual families",
		"The kernel loads modules for them that few people maintain: CVE-2017-6074 (DCCP), CVE-2021-43267 (TIPC), CVE-2010-3904 (RDS). flatpak and systemd's RestrictAddressFamilies= deny them."},
	crypto: {"crypto-sockets", 2, "open sockets of the kernel's crypto API (AF_ALG)",
		"They reach all ciphers that the kernel can load: CVE-2013-7421, CVE-2019-8912. Docker's later releases deny it."},
	vsock: {"vsock", 2, "open sockets to the hypervisor (AF_VSOCK)",
		"They are the same in all network namespaces, so that a container can talk to the host of its virtual machine: CVE-2021-26708, CVE-2025-21756. Docker denies it since 23.0."},
	raw: {"raw-sockets", 2, "send and receive raw packets (AF_PACKET, SOCK_RAW)",
		"They forge and overhear traffic: CVE-2016-8655, CVE-2017-7308, CVE-2020-14386. Docker allows it, as its containers have CAP_NET_RAW."},
	netlink: {"netlink", 1, "open netlink sockets (AF_NETLINK)",
		"They configure the network, netfilter and audit: CVE-2022-32250, CVE-2024-1086. Many programs list network interfaces by them, and Docker allows it."},
	network: {"network", 1, "open internet sockets (AF_INET, AF_INET6)",
		"What a program reads can leave the machine. Most programs need it, so that it is one point."},
	clock: {"clock", 2, "set the clock",
		"Certificates and logs depend on it, and it is one for all containers. adjtimex counts, as what it changes is behind a pointer; Docker allows that one."},
	system: {"system", 2, "control swap, quotas, accounting and the name of the machine",
		"They are administration of the host. Docker and containerd deny it."},
	kernelLog: {"kernel-log", 1, "read or clear the kernel's log (syslog)",
		"The log has addresses of the kernel and what other programs did. Docker and containerd deny it."},
	personality: {"personality", 2, "weaken its memory layout (personality)",
		"It turns off address space layout randomisation, or makes all readable memory executable. Docker allows harmless values alone. Querying is harmless."},
	fanotify: {"fanotify", 1, "watch the files of others (fanotify)",
		"It sees, and can delay, what others do with files of a mount. Docker and containerd deny it."},
	memoryPolicy: {"memory-policy", 1, "place memory on nodes, also that of other processes",
		"It tells where memory is, and had flaws: CVE-2010-0415, CVE-2017-7616, CVE-2017-14140. Docker and containerd deny it."},
	splice: {"splice", 1, "move pages between pipes and files (splice, tee, vmsplice)",
		"References to pages of others led to CVE-2008-0600 and, as Dirty Pipe, CVE-2022-0847. Docker allows it."},
	listener: {"listener", 1, "supervise its own filters (seccomp with a listener)",
		"A supervisor that lets calls continue deceives others about who made them, and the code is young. Docker allows it."},
	executable: {"executable-memory", 1, "write code at run time (memory writable and executable, or executable later)",
		"Exploits put their code there. Just-in-time compilers need it, so that it is one point. systemd's MemoryDenyWriteExecute= denies it."},
	compat: {"compat", 2, "make calls through a second ABI of the kernel",
		"Each call exists once more there, in code that few programs test: CVE-2010-3301, CVE-2021-22555. A socket's family is behind a pointer there. Docker allows it, systemd's SystemCallArchitectures=native denies it."},
	x32: {"x32", 1, "make calls through x32",
		"Almost no program uses x32: CVE-2014-0038. Docker allows it, where the kernel has it."},
	future: {"future-calls", 3, "make calls that are yet to come",
		"Nobody can know what they will do: io_uring was one of them. A profile whose default action denies them passes."},
	calls: {"calls", 6, "make other calls",
		"Each call is code of the kernel that an attacker can try. The points are in proportion to how many are reachable, rounded down."},
}

// A set is a set of powers.
type set uint64

func of(list ...power) (s set) {
	for _, p := range list {
		s |= 1 << p
	}
	return s
}

func (s set) has(p power) bool { return s>>p&1 != 0 }
