package firejail

import (
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// A stack is filters in the making, in the order in which firejail reads them; the one
// that it reads first it loads last.
type stack struct {
	*reader
	list []member
}

// A member is a filter, or several for one ABI each that are one for firejail.
type member struct {
	*policy.Policy
	action             cbpf.Action // what x32's numbers get if it is for x86_64
	default32, isBlock bool
}

// stack returns the policies of all filters: the newest one with the others as its older
// ones.
func (r *reader) stack(beforeExec bool) *policy.Policy {
	r.addConfigured()
	s := &stack{reader: r}
	s.protocol()
	var late *rules
	if r.main.on || r.block != nil {
		late = s.mainFilter()
	}
	if r.main32.on {
		s.filter32()
	}
	s.execMemoryFilter()
	s.namespaceFilter()
	slices.Reverse(s.list)
	if late != nil && !beforeExec {
		s.push(late.Policy)
	}
	return s.policy()
}

// addConfigured adds the list of firejail.config to those of the text.
func (r *reader) addConfigured() {
	if r.add == "" {
		return
	}
	for _, l := range []*lists{&r.main, &r.main32} {
		if (l.on || l == &r.main && r.block != nil) && l.keep == nil && l.drop == nil {
			both := &list{place: l.place}
			if l.extra != nil {
				for _, w := range l.extra.words {
					both.augment(w)
				}
			}
			both.augment(text{string: r.add})
			both.words = both.all()
			l.extra = both
		}
	}
}

// push adds a filter.
func (s *stack) push(p *policy.Policy) { s.list = append(s.list, member{Policy: p, action: s.action}) }

// policy returns the stack as a policy. firejail's filters for x86_64 give x32's numbers
// their action for denied calls, which takes a policy of its own here. The policies for the
// firejail's own ABI come last: those for others alone have an effect on none of its calls.
func (s *stack) policy() *policy.Policy {
	var own, others []*policy.Policy
	for i, m := range s.list {
		native := func(m member) bool { return slices.Contains(m.ABIs, s.native) }
		if !native(m) {
			others = append(others, m.Policy)
			continue
		}
		own = append(own, m.Policy)
		rest := s.list[i+1:]
		if next := slices.IndexFunc(rest, native); s.native == arch.X86_64 && (next < 0 || rest[next].action != m.action) {
			class, data := split(m.action)
			others = append(others, &policy.Policy{Default: class, DefaultErrno: data, Elsewhere: cbpf.Allow, NoBound: true, ABIs: []arch.ABI{arch.X32}})
		}
	}
	all := append(others, own...)
	if len(all) == 0 {
		return &policy.Policy{Default: cbpf.Allow, Elsewhere: cbpf.Allow, NoBound: true, ABIs: s.native.Family()}
	}
	newest := all[len(all)-1]
	newest.Older = all[:len(all)-1]
	return newest
}

// mainFilter adds the filters of seccomp, and returns that of the calls that firejail denies
// only after the program has started, nil if there are none.
func (s *stack) mainFilter() (late *rules) {
	l, place := &s.main, s.main.place
	if !l.on {
		place = s.block.here()
	}
	switch {
	case l.keep != nil:
		s.unused(l.drop, "seccomp.keep replaces it")
		s.unused(l.extra, "seccomp.keep replaces it")
		s.blocked(defaultAction())
		s.push(s.keepFilter(l.keep).Policy)
		return nil
	case l.drop != nil:
		s.unused(l.extra, "seccomp.drop replaces it")
		s.blocked(defaultAction())
	case s.block != nil:
		s.blocked(s.action)
	default:
		s.default32(place)
	}
	named := l.drop
	if named == nil {
		named = l.extra
	}
	f, later := s.dropFilter(s.calls(named, s.native), s.native, l.drop == nil, place)
	s.push(f.Policy)
	if len(later) == 0 {
		return nil
	}
	late = filter(s.native, cbpf.Allow)
	for _, c := range later {
		late.add(c.nr, s.action, c.place)
	}
	return late
}

// filter32 adds the filters of seccomp.32, in the few ways in which firejail combines them
// with those of seccomp.
func (s *stack) filter32() {
	l, main := &s.main32, &s.main
	// What block-secondary gives depends on whether seccomp has made its filter anew.
	block := defaultAction()
	if i := slices.IndexFunc(s.list, func(m member) bool { return m.isBlock }); i >= 0 {
		block = s.list[i].action
	}
	if l.keep != nil {
		s.unused(l.drop, "seccomp.32.keep replaces it")
		s.unused(l.extra, "seccomp.32.keep replaces it")
		s.blocked(block)
		s.replace32(s.keepFilter(l.keep))
		return
	}
	if main.drop != nil {
		s.unused(l.extra, "seccomp.drop goes with seccomp.32.drop alone")
		if l.drop == nil {
			s.Fail(l.place, "seccomp.32: with seccomp.drop and without seccomp.32.drop firejail does not start (add one)")
			return
		}
		s.blocked(block)
		s.replace32(s.denied32(l.drop, false))
		return
	}
	s.unused(l.drop, "it counts beside seccomp.drop alone")
	if (main.extra == nil || len(main.extra.words) == 0) && s.action == defaultAction() {
		s.unused(l.extra, "it counts beside a seccomp line with a list alone")
		if s.block != nil {
			s.Fail(l.place, "seccomp.32: with seccomp.block-secondary and without a list in seccomp firejail does not start (leave out one of them)")
			return
		}
		if !slices.ContainsFunc(s.list, func(m member) bool { return m.default32 }) {
			s.default32Anyway(l.place)
		}
		return
	}
	if s.block != nil {
		s.blocked(s.action)
	}
	s.replace32(s.denied32(l.extra, true))
}

// denied32 returns the filter for 32 bits that denies the calls of a list.
func (s *stack) denied32(l *list, defaults bool) *rules {
	f, late := s.dropFilter(s.calls(l, s.other), s.other, defaults, s.main32.place)
	for _, c := range late {
		name, _ := nameOf(c.nr, s.other)
		s.Warn(policy.Ignored, c.place, name+": firejail needs the call to start a program, and does not deny it in 32-bit filters (remove it)")
	}
	return f
}

// replace32 adds a filter that takes the place of the one that there is without a list.
func (s *stack) replace32(f *rules) {
	s.list = slices.DeleteFunc(s.list, func(m member) bool { return m.default32 })
	s.push(f.Policy)
}

// unused warns of a list that firejail does not use.
func (s *stack) unused(l *list, reason string) {
	if l != nil {
		s.Warn(policy.Ignored, l.place, "the list of calls is not used: "+reason+" (remove it)")
	}
}

// default32 adds the filter for x86 that there is without a list.
func (s *stack) default32(place string) {
	if s.native == arch.X86_64 {
		s.default32Anyway(place)
	}
}

// default32Anyway does so on aarch64, too, where the filter has the numbers of x86.
func (s *stack) default32Anyway(place string) {
	f := filter(s.other, cbpf.Allow)
	for _, name := range s.groups[secondary] {
		if nr, ok := number(name, arch.X86); ok {
			f.add(int32(nr), s.action, place)
		}
	}
	s.list = append(s.list, member{Policy: f.Policy, action: s.action, default32: true})
}

// blocked adds the filter of seccomp.block-secondary, if it was asked for.
func (s *stack) blocked(a cbpf.Action) {
	if s.block == nil {
		return
	}
	const query = 0xffffffff // personality(2)
	f := filter(s.native, cbpf.Allow)
	f.Elsewhere = a
	f.when("personality", cbpf.Allow, s.block.here(), compare(0, policy.Equal, 0))
	f.when("personality", cbpf.Allow, s.block.here(), compare(0, policy.Equal, query))
	f.when("personality", a, s.block.here())
	s.list = append(s.list, member{Policy: f.Policy, action: a, isBlock: true})
}

// when adds a rule for a call under conditions.
func (f *rules) when(name string, a cbpf.Action, place string, args ...policy.Arg) {
	class, data := split(a)
	f.Rules = append(f.Rules, policy.Rule{Names: []string{name}, Action: class, Errno: data, Args: args, Pointer: place})
}

func compare(index uint, op policy.Op, value uint64) policy.Arg {
	return policy.Arg{Index: index, Op: op, Value: value}
}

// has returns the condition that an argument has all of some bits, and anyOf that it has
// one of them.
func has(index uint, bits uint64) policy.Arg {
	return policy.Arg{Index: index, Op: policy.MaskedEqual, Value: bits, ValueTwo: bits}
}

func anyOf(index uint, bits uint64) policy.Arg {
	return policy.Arg{Index: index, Op: policy.MaskedNotEqual, Value: bits}
}

// low returns the condition that the low word of an argument is a value.
func low(index uint, value uint64) policy.Arg {
	return policy.Arg{Index: index, Op: policy.MaskedEqual, Value: 1<<32 - 1, ValueTwo: value}
}

// protocol adds the filter of protocol, which is for x86, too, as far as programs there use
// socket and not socketcall.
func (s *stack) protocol() {
	if s.families == nil {
		return
	}
	// linux/socket.h
	known := []string{"unix", "inet", "inet6", "netlink", "packet", "bluetooth"}
	numbers := []uint64{1, 2, 10, 16, 17, 31}
	place := s.families.place
	if len(s.families.words) == 0 {
		s.Fail(place, "protocol: a list without names, with which firejail does not start (name some)")
	}
	f := filter(s.native, cbpf.Allow)
	if s.native == arch.X86_64 {
		f.ABIs = append(f.ABIs, arch.X86)
	}
	for _, w := range s.families.words {
		i := slices.Index(known, w.string)
		if i < 0 {
			s.unknownWord(w, "protocol", known)
			continue
		}
		f.when("socket", cbpf.Allow, w.here(), low(0, numbers[i]))
	}
	unsupported, _ := s.native.Errno("EOPNOTSUPP")
	f.when("socket", cbpf.Errno(unsupported), place)
	s.push(f.Policy)
}

func (s *stack) unknownWord(w text, what string, known []string) {
	cure := s.Near(func() string { return unknown.Nearest(w.string, known) })
	if cure == "" {
		cure = " (use " + known[0]
		for _, k := range known[1:] {
			cure += ", " + k
		}
		cure += ")"
	}
	s.Fail(w.here(), unknown.Quote(w.string)+": not a "+what+" that firejail knows"+cure)
}

// Constants of the kernel's.
const (
	protWrite = 2        // asm/mman.h
	protExec  = 4        // asm/mman.h
	shmExec   = 0o100000 // linux/shm.h
)

// execMemoryFilter adds the filters of memory-deny-write-execute.
func (s *stack) execMemoryFilter() {
	if s.execMemory == nil {
		return
	}
	place := s.execMemory.here()
	add := func(a arch.ABI, mmap string) {
		f := filter(a, cbpf.Allow)
		if mmap != "mmap" {
			f.when("mmap", s.action, place)
		}
		f.when(mmap, s.action, place, has(2, protWrite|protExec))
		f.when("mprotect", s.action, place, has(2, protExec))
		f.when("pkey_mprotect", s.action, place, has(2, protExec))
		f.when("shmat", s.action, place, has(2, shmExec))
		f.when("memfd_create", s.action, place)
		s.push(f.Policy)
	}
	add(s.native, "mmap")
	if s.native == arch.X86_64 {
		add(arch.X86, "mmap2")
	}
}

// namespaces are the kinds that restrict-namespaces knows, with their flags
// (linux/sched.h).
var namespaces = [...]struct {
	name string
	flag uint64
}{
	{"cgroup", 0x02000000}, {"ipc", 0x08000000}, {"net", 0x40000000}, {"mnt", 0x00020000},
	{"pid", 0x20000000}, {"time", timeFlag}, {"user", 0x10000000}, {"uts", 0x04000000},
}

const timeFlag = 0x80 // for clone, it is part of a signal

// namespaceFilter adds the filters of restrict-namespaces.
func (s *stack) namespaceFilter() {
	if s.kinds == nil {
		return
	}
	mask := uint64(0)
	for _, w := range s.kinds.words {
		i := slices.IndexFunc(namespaces[:], func(n struct {
			name string
			flag uint64
		}) bool {
			return n.name == w.string
		})
		if i < 0 {
			var known []string
			for _, n := range namespaces {
				known = append(known, n.name)
			}
			s.unknownWord(w, "namespace", known)
			continue
		}
		mask |= namespaces[i].flag
	}
	// Without a list, firejail loads the files that come with it, both for the native ABI.
	shipped := s.allKinds != nil && s.action == defaultAction()
	if shipped {
		all := uint64(0)
		for _, n := range namespaces {
			all |= n.flag
		}
		if mask != all {
			s.Warn(policy.Ignored, s.allKinds.here(), "restrict-namespaces without a list restricts all namespaces, and firejail ignores lines that take some away (list those to restrict instead)")
		}
		mask = all
	}
	s.pushNamespaces(s.native, mask)
	if s.native == arch.X86_64 && !shipped {
		s.pushNamespaces(arch.X86, mask)
	}
}

func (s *stack) pushNamespaces(a arch.ABI, mask uint64) {
	place := s.kinds.place
	f := filter(a, cbpf.Allow)
	if m := mask &^ timeFlag; m != 0 {
		f.when("clone", s.action, place, anyOf(0, m))
	}
	enosys, _ := a.Errno("ENOSYS")
	f.when("clone3", cbpf.Errno(enosys), place)
	if mask != 0 {
		f.when("unshare", s.action, place, anyOf(0, mask))
		f.when("setns", s.action, place, anyOf(1, mask))
	}
	f.when("setns", s.action, place, low(1, 0))
	s.push(f.Policy)
}
