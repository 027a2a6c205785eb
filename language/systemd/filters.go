package systemd

import (
	"maps"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// Constants of the kernel's, the same on all ABIs that systemd makes filters for.
const (
	protExec  = 4        // asm/mman.h
	protWrite = 2        // asm/mman.h
	shmExec   = 0o100000 // linux/shm.h: SHM_EXEC
	creat     = 0o100    // asm/fcntl.h: O_CREAT
	setUID    = 0o4000   // linux/stat.h: S_ISUID
	setGID    = 0o2000   // linux/stat.h: S_ISGID
	eperm     = 1
)

// stack returns the policies of all directives in the order in which systemd loads their
// filters: the newest one with the others as its older ones.
func (r *reader) stack() *policy.Policy {
	all := []*policy.Policy{
		r.denies(r.hostname, "sethostname", "setdomainname"),
		r.familyPolicy(),
		r.execMemoryPolicy(),
		r.realtimePolicy(),
		r.setIDPolicy(),
		r.namespacePolicy(),
		r.denies(r.tunables, "_sysctl"),
		r.denies(r.modules, r.sets["@module"]...),
		r.denies(r.kernelLogs, "syslog"),
		r.denies(r.clock, r.sets["@clock"]...),
		r.denies(r.devices, r.sets["@raw-io"]...),
		r.archPolicy(), // later filters are only for the ABIs that it leaves
		r.personalityPolicy(),
		r.logPolicy(),
		r.filterPolicy(),
	}
	all = slices.DeleteFunc(all, func(p *policy.Policy) bool { return p == nil })
	if len(all) == 0 {
		return r.policy(cbpf.Allow)
	}
	newest := all[len(all)-1]
	newest.Older = all[:len(all)-1]
	return newest
}

// policy returns a policy for the local ABIs without rules.
func (r *reader) policy(fallback cbpf.Action) *policy.Policy {
	class, data := split(fallback)
	return &policy.Policy{Default: class, DefaultErrno: data, Elsewhere: cbpf.Allow, NoBound: true, ABIs: r.abis}
}

// split returns the class and the data of an action as policies have them.
func split(a cbpf.Action) (class cbpf.Action, data *uint) {
	if a.Class() != cbpf.ErrnoClass {
		return a, nil
	}
	n := uint(a.Data())
	return a.Class(), &n
}

// rules returns the rules that give calls an action under conditions, on the ABIs on
// which libseccomp knows them.
func (r *reader) rules(a cbpf.Action, place string, args []policy.Arg, names ...string) []policy.Rule {
	class, data := split(a)
	everywhere := policy.Rule{Action: class, Errno: data, Args: args, Pointer: place}
	var limited []policy.Rule
	for _, name := range names {
		call, ok := syscalltables.Lookup(name)
		if !ok || !r.knows(name) {
			continue
		}
		newer := func(a arch.ABI) bool {
			_, ok := call.Number(a)
			return ok && !r.knowsOn(call, a)
		}
		if !slices.ContainsFunc(r.abis, newer) {
			everywhere.Names = append(everywhere.Names, name)
			continue
		}
		rule := everywhere
		rule.Names, rule.ABIs = []string{name}, slices.DeleteFunc(slices.Clone(r.abis), newer)
		if len(rule.ABIs) > 0 {
			limited = append(limited, rule)
		}
	}
	if len(everywhere.Names) == 0 {
		return limited
	}
	return append([]policy.Rule{everywhere}, limited...)
}

// denies returns the policy that denies calls with EPERM, nil if the flag is off.
func (r *reader) denies(f *flag, names ...string) *policy.Policy {
	if f == nil {
		return nil
	}
	p := r.policy(cbpf.Allow)
	p.Rules = r.rules(cbpf.Errno(eperm), f.place, nil, names...)
	return p
}

// has returns the condition that an argument has all of some bits.
func has(index uint, bits uint64) policy.Arg {
	return policy.Arg{Index: index, Op: policy.MaskedEqual, Value: bits, ValueTwo: bits}
}

// hasAny returns the condition that an argument has one of some bits.
func hasAny(index uint, bits uint64) policy.Arg {
	return policy.Arg{Index: index, Op: policy.MaskedNotEqual, Value: bits}
}

// compare returns a condition that is not under a mask.
func compare(index uint, op policy.Op, value uint64) policy.Arg {
	return policy.Arg{Index: index, Op: op, Value: value}
}

// low returns the condition that the low word of an argument is a value: the kernel looks
// at no more of it.
func low(index uint, value uint64) policy.Arg {
	return policy.Arg{Index: index, Op: policy.MaskedEqual, Value: 1<<32 - 1, ValueTwo: value}
}

// A filter is a policy in the making, of a directive that denies calls with EPERM.
type filter struct {
	*reader
	*policy.Policy
	place string
}

func (r *reader) filterAt(place string) filter { return filter{r, r.policy(cbpf.Allow), place} }

// deny adds a rule for calls, on all ABIs.
func (f filter) deny(names []string, args ...policy.Arg) {
	f.Rules = append(f.Rules, f.rules(cbpf.Errno(eperm), f.place, args, names...)...)
}

// denyOn adds a rule for a call on some ABIs, if there are any.
func (f filter) denyOn(abis []arch.ABI, name string, args ...policy.Arg) {
	if len(abis) == 0 {
		return
	}
	for _, rule := range f.rules(cbpf.Errno(eperm), f.place, args, name) {
		rule.ABIs = abis
		f.Rules = append(f.Rules, rule)
	}
}

// lacks makes calls that filters cannot look into look as if the kernel did not have them.
func (f filter) lacks(name string) {
	enosys, _ := f.native.Errno("ENOSYS")
	f.Rules = append(f.Rules, f.rules(cbpf.Errno(enosys), f.place, nil, name)...)
}

// some returns those ABIs for which f answers yes.
func some(abis []arch.ABI, f func(arch.ABI) bool) []arch.ABI {
	return slices.DeleteFunc(slices.Clone(abis), func(a arch.ABI) bool { return !f(a) })
}

// execMemoryPolicy returns the policy of MemoryDenyWriteExecute=. From 257 on there is
// none where the kernel has PR_SET_MDWE.
func (r *reader) execMemoryPolicy() *policy.Policy {
	prctl := syscalltables.Version{Major: 6, Minor: 3}
	zero := syscalltables.Version{}
	if r.execMemory == nil {
		return nil
	}
	if r.release.version >= 257 && (r.kernel == zero || r.kernel.Compare(prctl) >= 0) {
		r.Warn(policy.Ignored, r.execMemory.place, "MemoryDenyWriteExecute: no filter: systemd "+strconv.Itoa(r.release.version)+
			" asks the kernel with prctl (PR_SET_MDWE) where it has that, from Linux 6.3 on (for an older kernel, make that one the target's)")
		return nil
	}
	f := r.filterAt(r.execMemory.place)
	mmap2 := func(a arch.ABI) bool { return a == arch.X86 || a == arch.S390 || a == arch.ARM }
	f.denyOn(some(r.abis, mmap2), "mmap2", has(2, protExec|protWrite))
	f.denyOn(some(r.abis, func(a arch.ABI) bool { return mmap2(a) && a != arch.ARM }), "mmap")
	f.denyOn(some(r.abis, func(a arch.ABI) bool { return !mmap2(a) }), "mmap", has(2, protExec|protWrite))
	f.denyOn(some(r.abis, func(a arch.ABI) bool { _, ipc := a.IPC(); return !ipc }), "shmat", has(2, shmExec))
	f.deny([]string{"mprotect", "pkey_mprotect"}, has(2, protExec))
	return f.Policy
}

// realtimePolicy returns the policy of RestrictRealtime=.
func (r *reader) realtimePolicy() *policy.Policy {
	if r.realtime == nil {
		return nil
	}
	const batch, idle = 3, 5 // linux/sched.h: SCHED_BATCH, SCHED_IDLE; SCHED_NORMAL is 0
	f := r.filterAt(r.realtime.place)
	for class := uint64(1); class < idle; class++ {
		if class != batch {
			f.deny([]string{"sched_setscheduler"}, compare(1, policy.Equal, class))
		}
	}
	f.deny([]string{"sched_setscheduler"}, compare(1, policy.Greater, idle))
	if r.release.version >= 262 {
		f.deny([]string{"sched_setattr"})
	}
	return f.Policy
}

// setIDPolicy returns the policy of RestrictSUIDSGID=, which DynamicUser= implies.
func (r *reader) setIDPolicy() *policy.Policy {
	on := r.setID
	if on == nil {
		on = r.dynamicUser
	}
	if on == nil {
		return nil
	}
	f := r.filterAt(on.place)
	f.deny([]string{"chmod", "fchmod", "creat", "mkdir", "mknod"}, hasAny(1, setUID|setGID))
	f.deny([]string{"fchmodat", "fchmodat2", "mkdirat", "mknodat"}, hasAny(2, setUID|setGID))
	f.deny([]string{"open"}, has(1, creat), hasAny(2, setUID|setGID))
	f.deny([]string{"openat"}, has(2, creat), hasAny(3, setUID|setGID))
	f.lacks("openat2") // its mode is in memory
	return f.Policy
}

// personalityPolicy returns the policy of LockPersonality=.
func (r *reader) personalityPolicy() *policy.Policy {
	if r.lockABI == nil {
		return nil
	}
	f := r.filterAt(r.lockABI.place)
	f.deny([]string{"personality"}, compare(0, policy.NotEqual, r.persona))
	return f.Policy
}

// archPolicy returns the policy of SystemCallArchitectures=, nil if it forbids no ABI of
// the machine, and removes the ABIs that it forbids from those of later policies.
func (r *reader) archPolicy() *policy.Policy {
	left := some(r.abis, func(a arch.ABI) bool { return slices.Contains(r.archs.abis, a) })
	if r.archs.abis == nil || len(left) == len(r.abis) {
		return nil
	}
	r.abis = left
	p := r.policy(cbpf.Allow)
	p.Elsewhere = cbpf.KillThread
	return p
}

// A familyList is what RestrictAddressFamilies= says.
type familyList struct {
	mode   mode
	place  string
	values map[uint64]bool
}

// familyPolicy returns the policy of RestrictAddressFamilies=: without rules for ABIs with
// socketcall, whose arguments are in memory.
func (r *reader) familyPolicy() *policy.Policy {
	l := &r.families
	if l.mode == unset || l.mode == deny && len(l.values) == 0 {
		return nil
	}
	restricted := some(r.abis, func(a arch.ABI) bool { _, ok := a.Socketcall(); return !ok })
	if !slices.Contains(restricted, r.native) {
		r.Warn(policy.LostCondition, l.place, "RestrictAddressFamilies: no filter for "+r.native.String()+
			", where sockets can be made through socketcall, whose arguments are in memory")
	}
	if len(restricted) == 0 {
		return nil
	}
	p := r.policy(cbpf.Allow)
	unsupported, _ := r.native.Errno("EAFNOSUPPORT")
	refuse := func(args ...policy.Arg) {
		for _, rule := range r.rules(cbpf.Errno(unsupported), l.place, args, "socket") {
			rule.ABIs = restricted
			p.Rules = append(p.Rules, rule)
		}
	}
	values := slices.Sorted(maps.Keys(l.values))
	switch {
	case l.mode == deny && r.release.version >= 262:
		for _, v := range values {
			refuse(low(0, v))
		}
	case l.mode == deny:
		for _, v := range values {
			refuse(compare(0, policy.Equal, v))
		}
	case len(values) == 0:
		refuse()
	default:
		first, last := values[0], values[len(values)-1]
		refuse(compare(0, policy.Less, first))
		refuse(compare(0, policy.Greater, last))
		for v := first + 1; v < last; v++ {
			if !l.values[v] {
				refuse(compare(0, policy.Equal, v))
			}
		}
	}
	return p
}

// A namespaceList is what RestrictNamespaces= says.
type namespaceList struct {
	set   bool
	place string
	kept  uint64 // flags of the namespaces that remain allowed
}

// allNamespaces returns the flags of the kinds that RestrictNamespaces= counts as all:
// before 262 without that of time.
func (r *reader) allNamespaces() uint64 {
	all := uint64(0)
	for _, n := range namespaces {
		if n.name != "time" || r.release.version >= 262 {
			all |= n.flag
		}
	}
	return all
}

// namespacePolicy returns the policy of RestrictNamespaces=.
func (r *reader) namespacePolicy() *policy.Policy {
	l, all := &r.namespaces, r.allNamespaces()
	if !l.set || l.kept&all == all {
		return nil
	}
	f := r.filterAt(l.place)
	f.lacks("clone3") // its flags are in memory
	s390 := func(a arch.ABI) bool { return a == arch.S390 || a == arch.S390X }
	others := func(a arch.ABI) bool { return !s390(a) }
	setns := []string{"setns"}
	switch { // no flags stand for any namespace
	case l.kept&all == 0:
		f.deny(setns)
	case r.release.version >= 262:
		f.deny(setns, low(1, 0))
	default:
		f.deny(setns, compare(1, policy.Equal, 0))
	}
	forbidden := uint64(0)
	for _, n := range namespaces {
		forbidden |= n.flag &^ l.kept
	}
	f.deny([]string{"unshare"}, hasAny(0, forbidden))
	f.denyOn(some(r.abis, others), "clone", hasAny(0, forbidden))
	f.denyOn(some(r.abis, s390), "clone", hasAny(1, forbidden))
	if l.kept&all != 0 {
		f.deny(setns, hasAny(1, forbidden))
	}
	return f.Policy
}
