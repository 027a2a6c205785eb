package scan

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/scan/code"
)

// bound decides whether a system call whose number is not known makes a result incomplete. It
// does unless something else says which calls these can be.
func (r *resolver) bound(u *Unresolved) {
	m := r.modules[r.site.mod]
	switch {
	case m.file.SOName == "libc.so.6" && r.isSetxid(m):
		u.Harm = false
		u.Reason += "; it makes in all threads the call that setuid(3) and such made in one (glibc: nptl/nptl_setxid.c)"
	case m.file.Go != nil && strings.HasPrefix(m.name(int(r.site.fn)), "runtime.runPerThreadSyscall"):
		u.Harm = false
		u.Reason += "; it makes in all threads the call that syscall.AllThreadsSyscall made in one (runtime/os_linux.go)"
	}
}

// setters are the functions of glibc that change the identity of all threads.
var setters = [...]string{"setegid", "seteuid", "setgid", "setgroups", "setregid", "setresgid", "setresuid", "setreuid", "setuid"}

// isSetxid reports whether the site is in one of the two functions of glibc that repeat a call
// in all threads: one that only setuid and such call, all of which make a call of their own
// with a constant number, and one that only pthread_create mentions, as a signal handler.
func (r *resolver) isSetxid(m *module) bool {
	n := &m.nodes[r.site.fn]
	if !r.isInternal(m, r.site) {
		return false
	}
	callers := r.directCallers(m, r.site)
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
