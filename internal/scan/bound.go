package scan

import (
	"slices"

	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/syscalltables"
)

// bound tells which calls those can be whose number is not known because of what a function
// gives it: "" if nothing says that, which makes a result incomplete.
func (r *resolver) bound(origin fid) string {
	m := r.modules[origin.mod]
	switch {
	case m.file.SOName == "libc.so.6" && r.isSetxid(m, origin):
		return "it makes in all threads the call that setuid(3) and such made in one (glibc: nptl/nptl_setxid.c)"
	case r.muslSetxid(m, origin):
		return "it makes in all threads the call that setuid(3) and such name (musl: src/unistd/setxid.c)"
	case m.file.Go != nil && m.name(int(origin.fn)) == "runtime.runPerThreadSyscall":
		return "it makes in all threads the call that syscall.AllThreadsSyscall made in one (runtime/os_linux.go)"
	}
	return ""
}

// setters are the functions of glibc that change the identity of all threads.
var setters = [...]string{"setegid", "seteuid", "setgid", "setgroups", "setregid", "setresgid", "setresuid", "setreuid", "setuid"}

// isSetxid reports whether the site is in one of the two functions of glibc that repeat a call
// in all threads: one that only setuid and such call, all of which make a call of their own
// with a constant number, and one that only pthread_create mentions, as a signal handler.
func (r *resolver) isSetxid(m *module, origin fid) bool {
	n := &m.nodes[origin.fn]
	if !r.isInternal(m, origin) {
		return false
	}
	callers := r.directCallers(m, origin)
	if len(callers) == 0 {
		create, ok := r.exported(m, "pthread_create")
		return ok && n.taken && n.taker == create
	}
	return !slices.ContainsFunc(callers, func(id fid) bool {
		return !r.isSetter(m, id)
	})
}

func (r *resolver) isSetter(m *module, id fid) bool {
	known := slices.ContainsFunc(setters[:], func(name string) bool {
		other, ok := r.exported(m, name)
		return ok && other == id
	})
	return known && slices.ContainsFunc(m.flow(int(id.fn)).Sites, func(s code.SiteValues) bool {
		return !s.Number.Unknown && len(s.Number.Consts) > 0
	})
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

// anything is what arguments can be of which nothing is known.
var anything = [6]code.Value{{Unknown: true}, {Unknown: true}, {Unknown: true}, {Unknown: true}, {Unknown: true}, {Unknown: true}}

// maxIndirect bounds the indirect calls of a module that takes the address of a wrapper.
const maxIndirect = 1000

// pointers goes on with the indirect calls of the modules that take the address of a wrapper:
// libcap keeps pointers to syscall(3). It reports whether these calls give all numbers.
func (r *resolver) pointers(id fid, f frame, way []fid) bool {
	n := &r.modules[id.mod].nodes[id.fn]
	left := maxIndirect
	for _, mod := range n.takers {
		m := r.modules[mod]
		for fn := range m.nodes {
			c := &m.code.Funcs[fn]
			if !m.nodes[fn].reached || len(c.Indirect) == 0 {
				continue
			}
			if left -= len(c.Indirect); left < 0 {
				return false
			}
			from := fid{mod, int32(fn)}
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
	}
	return len(n.takers) > 0
}
