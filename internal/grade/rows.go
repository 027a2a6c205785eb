package grade

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A row says which powers some calls give for arguments that satisfy all conditions. Of
// the rows of a call the first that holds counts; where none holds, the call is one of
// the others.
type row struct {
	calls string
	gives set
	when  []cond
}

// A cond is a condition on an argument as the kernel sees it: some of its bits have, or
// do not have, a value. Constants are as package symbols names them.
type cond struct {
	arg, bits string // no bits: the lower 32, as the argument is an int
	not       bool
	value     string // none: 0
}

func is(arg, value string) cond          { return cond{arg: arg, value: value} }
func field(arg, bits, value string) cond { return cond{arg: arg, bits: bits, value: value} }
func some(arg, bits string) cond         { return cond{arg: arg, bits: bits, not: true} }

// The flags that make namespaces besides that of users. clone reads the bit of
// CLONE_NEWTIME as part of a signal (linux/sched.h).
const (
	cloned   = "CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|CLONE_NEWNET"
	unshared = cloned + "|CLONE_NEWTIME"
	weaker   = "ADDR_NO_RANDOMIZE|MMAP_PAGE_ZERO|READ_IMPLIES_EXEC|ADDR_COMPAT_LAYOUT"
)

func rows() []row {
	sockets := of(families, crypto, vsock, raw, netlink, network)
	list := []row{
		{"init_module finit_module delete_module create_module", of(modules), nil},
		{"kexec_load kexec_file_load reboot", of(kexec), nil},
		{"bpf", of(eBPF), nil},
		{"io_uring_setup io_uring_enter io_uring_register", of(ioUring), nil},
		{"clone3", of(userNamespaces, namespaces), nil},
		{"setns", of(namespaces), nil},
		{"mount umount umount2 pivot_root fsopen fsconfig fsmount fspick move_mount open_tree open_tree_attr mount_setattr", of(mounts), nil},
		{"chroot", of(chroot), nil},
		{"open_by_handle_at", of(handles), nil},
		{"ptrace", of(ptrace), nil},
		{"process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp", of(processes), nil},
		{"keyctl add_key request_key", of(keyrings), nil},
		{"perf_event_open", of(perf), nil},
		{"userfaultfd", of(userfaultfd), nil},
		{"iopl ioperm pciconfig_read pciconfig_write pciconfig_iobase s390_pci_mmio_read s390_pci_mmio_write rtas", of(hardware), nil},
		{"modify_ldt vm86 vm86old", of(segments), nil},
		{"clock_settime clock_settime64 settimeofday stime adjtimex clock_adjtime clock_adjtime64", of(clock), nil},
		{"swapon swapoff quotactl quotactl_fd acct sethostname setdomainname", of(system), nil},
		{"syslog", of(kernelLog), nil},
		{"fanotify_init", of(fanotify), nil},
		{"mbind set_mempolicy set_mempolicy_home_node migrate_pages move_pages", of(memoryPolicy), nil},
		{"splice tee vmsplice", of(splice), nil},

		{"mknod mknodat", of(devices), []cond{field("mode", "S_IFMT", "S_IFCHR")}},
		{"mknod mknodat", of(devices), []cond{field("mode", "S_IFMT", "S_IFBLK")}},
		{"ioctl", of(terminal), []cond{is("request", "TIOCSTI")}},
		{"ioctl", of(terminal), []cond{is("request", "TIOCLINUX")}},
		{"personality", 0, []cond{is("persona", "0xffffffff")}},
		{"personality", of(personality), []cond{some("persona", weaker)}},
		{"seccomp", of(listener), []cond{is("operation", "SECCOMP_SET_MODE_FILTER"), some("flags", "SECCOMP_FILTER_FLAG_NEW_LISTENER")}},
		{"mmap mmap2", of(executable), []cond{some("prot", "PROT_WRITE"), some("prot", "PROT_EXEC")}},
		{"mprotect pkey_mprotect", of(executable), []cond{some("prot", "PROT_EXEC")}},
		{"shmat", of(executable), []cond{some("shmflg", "SHM_EXEC")}},
		{"ipc", of(executable), []cond{field("call", "0xffff", "SHMAT"), some("second", "SHM_EXEC")}},

		{"socketcall", sockets, []cond{is("call", "SYS_SOCKET")}},
		{"socket", of(crypto), []cond{is("family", "AF_ALG")}},
		{"socket", of(vsock), []cond{is("family", "AF_VSOCK")}},
		{"socket", of(raw), []cond{is("family", "AF_PACKET")}},
		{"socket", of(netlink), []cond{is("family", "AF_NETLINK")}},
		{"socket", 0, []cond{is("family", "AF_UNIX")}},
		{"socket", 0, []cond{is("family", "AF_UNSPEC")}}, // never a socket
	}
	for _, kind := range [...]struct{ call, others string }{{"clone", cloned}, {"unshare", unshared}} {
		list = append(list,
			row{kind.call, of(userNamespaces, namespaces), []cond{some("flags", "CLONE_NEWUSER"), some("flags", kind.others)}},
			row{kind.call, of(userNamespaces), []cond{some("flags", "CLONE_NEWUSER")}},
			row{kind.call, of(namespaces), []cond{some("flags", kind.others)}})
	}
	for _, family := range [...]string{"AF_INET", "AF_INET6"} {
		for _, kind := range [...]string{"SOCK_RAW", "SOCK_PACKET"} {
			list = append(list, row{"socket", of(raw, network), []cond{is("family", family), field("type", "SOCK_TYPE_MASK", kind)}})
		}
		list = append(list, row{"socket", of(network), []cond{is("family", family)}})
	}
	return append(list, row{"socket", of(families), nil})
}

// on returns the conditions for an ABI, none if it has them behind a pointer: any call may
// satisfy them then.
func (r *row) on(k *constants, call syscalltables.Call) (list []policy.Cond) {
	for _, c := range r.when {
		index := slices.Index(call.Args(k.abi), c.arg)
		if index < 0 {
			return nil
		}
		x := policy.Cond{Arg: uint8(index), Op: policy.MaskedEqual, Mask: 1<<32 - 1, Value: k.number(c.value)}
		if c.not {
			x.Op = policy.MaskedNotEqual
		}
		if c.bits != "" {
			x.Mask = k.number(c.bits)
		}
		list = append(list, x)
	}
	slices.SortStableFunc(list, func(x, y policy.Cond) int { return cmp.Compare(x.Arg, y.Arg) })
	return list
}

// constants are the constants of an ABI by name.
type constants struct {
	abi    arch.ABI
	values map[string]int64
}

func constantsOf(a arch.ABI) *constants {
	return &constants{a, maps.Collect(symbols.Constants(a))}
}

// number returns the value of names and numbers joined by "|", 0 for none.
func (k *constants) number(text string) (v uint64) {
	for name := range strings.SplitSeq(text, "|") {
		n, ok := k.values[name]
		if !ok && name != "" {
			var err error
			if n, err = strconv.ParseInt(name, 0, 64); err != nil {
				panic("BUG: " + k.abi.String() + " has no " + name)
			}
		}
		v |= uint64(n)
	}
	return v & (1<<32 - 1)
}
