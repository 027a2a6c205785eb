package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A privilege is something that a program can still do under a profile.
type privilege struct {
	name  string // after "A program can"
	means []means
}

// A means is a call, under a condition, that gives a privilege.
type means struct {
	call string
	arg  string // the argument that must hold a value, if not empty
	// Any one of these, as package symbols spells them. Flags must be set; other
	// constants are values of an int: the kernel uses only the lower 32 bits.
	values string
}

func calls(names string) []means {
	var list []means
	for n := range strings.FieldsSeq(names) {
		list = append(list, means{call: n})
	}
	return list
}

func namespaces(flags string) []means {
	return []means{{"clone", "flags", flags}, {"unshare", "flags", flags}, {call: "clone3"}}
}

func sockets(family string) []means {
	return []means{{"socket", "family", family}, {"socketcall", "call", "SYS_SOCKET"}}
}

// privileges returns what the summary answers, the gravest first. clone3 and socketcall
// take what matters through a pointer, which a filter cannot follow.
func privileges() []privilege {
	return []privilege{
		{"load kernel modules", calls("init_module finit_module")},
		{"start another kernel (kexec)", calls("kexec_load kexec_file_load")},
		{"reboot the machine", calls("reboot")},
		{"load eBPF programs", calls("bpf")},
		{"create user namespaces", namespaces("CLONE_NEWUSER")},
		{"create other namespaces", namespaces("CLONE_NEWNS CLONE_NEWNET CLONE_NEWPID CLONE_NEWIPC CLONE_NEWUTS CLONE_NEWCGROUP")},
		{"enter existing namespaces", calls("setns")},
		{"mount file systems", calls("mount fsmount move_mount open_tree mount_setattr")},
		{"change the root file system", calls("pivot_root chroot")},
		{"trace other processes or access their memory", calls("ptrace process_vm_readv process_vm_writev")},
		{"copy file descriptors from other processes", calls("pidfd_getfd")},
		{"use the kernel's keyrings", calls("keyctl add_key request_key")},
		{"use io_uring, whose operations bypass the filter", calls("io_uring_setup io_uring_enter")},
		{"handle page faults in user space (userfaultfd)", calls("userfaultfd")},
		{"open performance counters", calls("perf_event_open")},
		{"open packet sockets", sockets("AF_PACKET")},
		{"open vsock sockets", sockets("AF_VSOCK")},
		{"open sockets of the kernel crypto API", sockets("AF_ALG")},
		{"inject input into its terminal (TIOCSTI)", []means{{"ioctl", "request", "TIOCSTI"}}},
		{"open files by handle, bypassing directory permissions", calls("open_by_handle_at")},
		{"set the clock", calls("clock_settime clock_settime64 settimeofday stime")},
		{"access I/O ports", calls("iopl ioperm")},
		{"control swap, process accounting and quotas", calls("swapon swapoff acct quotactl quotactl_fd")},
	}
}

// Privileges returns what some calls give a program, as verbs, the gravest first.
func Privileges() []string {
	var names []string
	for _, p := range privileges() {
		names = append(names, p.name)
	}
	return names
}

// Privilege returns which of [Privileges] a call gives that is allowed whatever its
// arguments: the gravest, or "".
func Privilege(call string) string {
	for _, p := range privileges() {
		for _, m := range p.means {
			if m.call == call {
				return p.name
			}
		}
	}
	return ""
}

// A harm ranks calls by the gravest privilege that each can give.
type harm map[string]int

func newHarm() harm {
	h := make(harm)
	for i, p := range privileges() {
		for _, m := range p.means {
			if _, ok := h[m.call]; !ok {
				h[m.call] = i
			}
		}
	}
	return h
}

// compare orders calls by harm, the gravest first, and then by name.
func (h harm) compare(x, y string) int {
	rank := func(call string) int {
		if i, ok := h[call]; ok {
			return i
		}
		return len(h)
	}
	return cmp.Or(cmp.Compare(rank(x), rank(y)), strings.Compare(x, y))
}

// An answer says whether a profile leaves a privilege to a program.
type answer struct {
	Can       bool
	Undecided bool // the limits were too low to find out
	By        []way
}

// A way is a call that gives a privilege.
type way struct {
	Call string
	On   string // ABIs, "" if all of the profile
	// Above names the argument that has to have bits above the lower 32, which the
	// kernel ignores and the filter does not; "" if that is not so.
	Above string
}

// can answers for one privilege.
func (s *subject) can(p privilege, l proof.Limits) answer {
	var a answer
	for _, m := range p.means {
		var plain, above []arch.ABI
		for _, abi := range s.abis {
			c, _ := syscalltables.Lookup(m.call)
			nr, ok := c.Number(abi)
			if !ok {
				continue
			}
			switch s.through(abi, nr, m.clauses(abi, 1<<abi.Bits()-1), l) {
			case proof.Different:
				plain = append(plain, abi)
			case proof.Unknown:
				a.Undecided = true
			case proof.Same:
				if m.arg != "" && abi.Bits() == 64 && s.through(abi, nr, m.clauses(abi, 1<<32-1), l) == proof.Different {
					above = append(above, abi)
				}
			}
		}
		a.add(s, m.call, plain, "")
		a.add(s, m.call, above, m.arg)
	}
	a.Can = len(a.By) > 0
	a.Undecided = a.Undecided && !a.Can
	return a
}

func (a *answer) add(s *subject, call string, on []arch.ABI, above string) {
	if len(on) == 0 {
		return
	}
	w := way{Call: call, Above: above}
	if len(on) < len(s.abis) {
		w.On = listed(on)
	}
	a.By = append(a.By, w)
}

// A passage is what through answers for a call: calls that share their clauses are
// treated alike on all ABIs.
type passage struct {
	first   *policy.Clause
	clauses int
	refused string
}

// through reports whether a call is let through that some clauses refuse, which is
// when the profile differs from itself behind a filter of these clauses.
func (s *subject) through(abi arch.ABI, nr uint32, refused []policy.Clause, l proof.Limits) proof.Verdict {
	clauses := s.Resolved.Clauses(abi.Audit(), nr)
	if len(clauses) == 0 || len(clauses[0].Conds) == 0 {
		d := s.Resolved.Decide(&cbpf.Data{NR: nr, Arch: abi.Audit()})
		if d.Action.Permits(cbpf.WithSupervisor) {
			return proof.Different
		}
		return proof.Same
	}
	p := passage{&clauses[0], len(clauses), fmt.Sprint(refused)}
	if v, ok := s.passed[p]; ok {
		return v
	}
	only := func(clauses []policy.Clause, otherwise cbpf.Action) proof.Subject {
		return proof.Policy(&policy.Resolved{Default: otherwise, BadArch: cbpf.ErrnoClass, Spaces: []policy.Space{{
			Audit: abi.Audit(), ABIs: []arch.ABI{abi}, Calls: []policy.Call{{NR: nr, ABI: abi, Clauses: clauses}},
		}}})
	}
	profile := only(clauses, s.Resolved.Default)
	result, err := proof.Equal(profile, proof.Stack(only(refused, cbpf.Allow), profile), l)
	v := proof.Unknown
	if err == nil {
		v = result.Verdict
	}
	s.passed[p] = v
	return v
}

// clauses returns rules that refuse what the means is about. Of an argument that is
// no flags only the bits in mask count.
func (m means) clauses(abi arch.ABI, mask uint64) []policy.Clause {
	all := []policy.Clause{{Action: cbpf.ErrnoClass}}
	c, _ := syscalltables.Lookup(m.call)
	index := slices.Index(c.Args(abi), m.arg)
	if m.arg == "" || index < 0 {
		return all
	}
	x := symbols.At(abi, c, index)
	var list []policy.Clause
	for name := range strings.FieldsSeq(m.values) {
		v, err := x.Parse(name)
		if err != nil {
			return all // unknown on this ABI
		}
		if x.Kind() == symbols.Flags {
			mask = v
		}
		list = append(list, policy.Clause{
			Conds:  []policy.Cond{{Arg: uint8(index), Op: policy.MaskedEqual, Mask: mask, Value: v & mask}},
			Action: cbpf.ErrnoClass,
		})
	}
	return list
}

// listed writes ABIs as words in a row.
func listed(abis []arch.ABI) string {
	var names []string
	for _, a := range abis {
		names = append(names, a.String())
	}
	return series(names, "and")
}

// series writes words as "one, two and three".
func series(list []string, and string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " " + and + " " + list[last]
}
