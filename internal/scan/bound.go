package scan

import (
	"slices"

	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/internal/scan/object"
	"github.com/seccompile/seccompile/syscalltables"
)

// bound tells which calls those can be whose number is not known because of what a function
// gives it: "" if nothing says that, which makes a result incomplete.
func (r *resolver) bound(origin fid) string {
	m := r.modules[origin.mod]
	switch {
	case m.file.Go == nil && r.isSetxid(m, origin):
		return "it makes in all threads the call that setuid(3) and such made in one (glibc: nptl/nptl_setxid.c)"
	case r.muslSetxid(m, origin):
		return "it makes in all threads the call that setuid(3) and such name (musl: src/unistd/setxid.c)"
	case m.file.Go != nil && m.name(int(origin.fn)) == "runtime.runPerThreadSyscall":
		return "it makes in all threads the call that syscall.AllThreadsSyscall made in one (runtime/os_linux.go)"
	case r.libseccomp(m, origin):
		return "it is seccomp(2), whose number libseccomp keeps in a variable (src/system.c)"
	}
	return ""
}

// setters are the functions of glibc that change the identity of all threads.
var setters = [...]string{"setegid", "seteuid", "setgid", "setgroups", "setregid", "setresgid", "setresuid", "setreuid", "setuid"}

// isSetxid reports whether the site is in one of the two functions of glibc, which may be part
// of a static program, that repeat a call in all threads: one that only setuid and such call,
// all of which make a call of their own with a constant number, and one that pthread_create
// mentions, which makes it the handler of SIGSETXID.
func (r *resolver) isSetxid(m *module, origin fid) bool {
	n := &m.nodes[origin.fn]
	if !r.isInternal(m, origin) {
		return false
	}
	callers := r.directCallers(m, origin)
	if len(callers) == 0 {
		return n.taken && n.taker.mod == origin.mod && r.handlesSetxid(m, n.taker)
	}
	return !slices.ContainsFunc(callers, func(id fid) bool {
		return !r.isSetter(m, id)
	})
}

// handlesSetxid reports whether a function passes SIGSETXID, which only glibc uses, to another.
func (r *resolver) handlesSetxid(m *module, id fid) bool {
	const sigsetxid = 33 // sysdeps/unix/sysv/linux/internal-signals.h
	return slices.ContainsFunc(m.flow(int(id.fn)).Calls, func(c code.CallValues) bool {
		v := c.Entry(r.argument(0))
		return !v.Unknown && len(v.Entry)+len(v.Addrs) == 0 && slices.Equal(v.Consts, []uint64{sigsetxid})
	})
}

// isSetter reports whether all system calls of a function that are known are ones of setters,
// and one is.
func (r *resolver) isSetter(m *module, id fid) bool {
	found := false
	for _, s := range m.flow(int(id.fn)).Sites {
		for _, nr := range s.Number.Consts {
			call, ok := syscalltables.ByNumber(r.abi, uint32(nr))
			if !ok || !slices.Contains(setters[:], call.Name()) {
				return false
			}
			found = true
		}
	}
	return found
}

// muslSetxid reports whether the site is in a function of musl that makes a call in all
// threads: one function mentions it, which gets the number of a call that changes the identity
// of a process from all its callers. It notes these calls.
func (r *resolver) muslSetxid(m *module, origin fid) bool {
	n := &m.nodes[origin.fn]
	if !n.taken || len(n.takers) != 1 || n.taker == none || n.taker.mod != origin.mod || len(r.callers(origin)) > 0 {
		return false
	}
	callers := r.callers(n.taker)
	for _, e := range callers {
		v := m.flow(int(e.from.fn)).Calls[e.call].Entry(r.argument(0))
		if e.from.mod != origin.mod || v.Unknown || len(v.Entry) > 0 || len(v.Consts) == 0 {
			return false
		}
		for _, nr := range v.Consts {
			call, ok := syscalltables.ByNumber(r.abi, uint32(nr))
			if !ok || !slices.Contains(setters[:], call.Name()) {
				return false
			}
			r.note(nr, &frame{number: v, args: anything}, []fid{origin})
		}
	}
	return len(callers) > 0
}

// libseccomp reports whether libseccomp gives syscall(3) the number. It looks up one only, that
// of seccomp(2), in its table of names. It notes the call.
func (r *resolver) libseccomp(m *module, origin fid) bool {
	call, _ := syscalltables.Lookup("seccomp")
	nr, ok := call.Number(r.abi)
	if !ok || m.file.SOName != "libseccomp.so.2" || origin.mod == r.site.mod {
		return false
	}
	r.note(uint64(nr), &frame{args: anything}, []fid{r.site, origin})
	return true
}

// anything is what arguments can be of which nothing is known.
var anything = [6]code.Value{{Unknown: true}, {Unknown: true}, {Unknown: true}, {Unknown: true}, {Unknown: true}, {Unknown: true}}

// maxIndirect bounds the indirect calls of a module that takes the address of a wrapper.
const maxIndirect = 1000

// pointers goes on with the indirect calls of the one module that takes the address of a wrapper:
// libcap keeps pointers to syscall(3). It reports whether these calls give all numbers, which they
// do not if other modules can have the address.
func (r *resolver) pointers(id fid, f frame, way []fid) bool {
	n := &r.modules[id.mod].nodes[id.fn]
	if len(n.takers) != 1 || r.sent(id, n.taker.mod) {
		return false
	}
	m := r.modules[n.taker.mod]
	count := 0
	for fn := range m.nodes {
		c := &m.code.Funcs[fn]
		if !m.nodes[fn].reached || len(c.Indirect) == 0 {
			continue
		}
		if count += len(c.Indirect); count > maxIndirect {
			return false
		}
		from := fid{n.taker.mod, int32(fn)}
		for _, values := range m.flow(fn).Calls[len(c.Calls):] {
			up := f.in(&values)
			if up.number.Unknown || len(up.number.Entry) > 0 {
				return false
			}
			up.number.Addrs = nil // a pointer is not a number: another function is called
			for _, nr := range up.number.Consts {
				r.note(nr, &up, append(slices.Clone(way), from))
			}
		}
	}
	return true
}

// sent reports whether functions of a module pass the address of another to somewhere else: in an
// argument, or in an object that other files find by name.
func (r *resolver) sent(id fid, mod int32) bool {
	m := r.modules[mod]
	for _, l := range r.loads[id] {
		if l.from.mod == mod && slices.Contains(m.flow(int(l.from.fn)).Sent, l.slot) {
			return true
		}
	}
	addr := r.modules[id.mod].file.Funcs[id.fn].Addr
	for i := range m.relocs {
		rel := &m.relocs[i]
		if o, ok := m.object(rel.Addr); ok && !rel.GOT && r.leadsTo(m, rel, target{r.modules[id.mod], addr}) && m.exports(o) {
			return true
		}
	}
	if mod != id.mod {
		return false
	}
	for fn := range m.nodes {
		if c := &m.code.Funcs[fn]; !m.nodes[fn].reached || !slices.Contains(c.Mentions, addr) {
			continue
		}
		for _, c := range m.flow(fn).Calls {
			for i := range 4 {
				if slices.Contains(c.Entry(r.argument(i)).Addrs, addr) {
					return true
				}
			}
		}
	}
	return false
}

// leadsTo reports whether a relocated word has the address of a function.
func (r *resolver) leadsTo(m *module, rel *object.Reloc, to target) bool {
	if rel.Symbol < 0 || rel.Symbol >= len(m.file.Symbols) {
		return m == to.mod && rel.Addend == to.addr
	}
	found, _ := r.symbol(m, rel.Symbol, false)
	return slices.Contains(found, to)
}

// exports reports whether other files find an object of a module by name.
func (m *module) exports(o object.Range) bool {
	return slices.ContainsFunc(m.file.Symbols, func(s object.Symbol) bool {
		return s.Defined && s.Dynamic && o.Start <= s.Addr && s.Addr < o.End
	})
}
