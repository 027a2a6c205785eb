package scan

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/internal/scan/object"
)

// guardSharedMemory: OpenSSL waits for the kernel's random numbers, and notes that in a segment
// of shared memory, when getrandom(2) fails (providers/implementations/rands/seeding/rand_unix.c,
// wait_random_seeded). It asks by getrandom(3), or by getentropy(3) if that is there. Linux has
// had getrandom since 3.17, as it has had seccomp(2), and a profile always allows it. One function
// does this, in one of the few calls of select(3); a library with other uses of shared memory is
// another one.
func (p *program) guardSharedMemory(m *module) {
	if !slices.ContainsFunc(m.file.Symbols, func(s object.Symbol) bool {
		return !s.Defined && (s.Name == "getrandom" || s.Name == "getentropy")
	}) {
		return // an OpenSSL that does not ask for it by these names
	}
	users := p.users(m, "shmget", "shmat")
	if len(users) != 1 {
		return
	}
	calls := m.imports(users[0])
	if calls["shmget"] == nil || calls["shmat"] == nil {
		return
	}
	g := p.newNever("getrandom fails")
	p.guards.symbols[m] = append(p.guards.symbols[m], heldName{[]string{"shmget", "shmat", "shmdt"}, g})
	p.guardImport(m, users[0], calls["select"], g)
}

// users returns the functions of a module that call imported functions, or know their addresses.
func (p *program) users(m *module, names ...string) (list []int) {
	slot := func(addr uint64) bool {
		r, ok := m.reloc(addr)
		return ok && r.Symbol >= 0 && r.Symbol < len(m.file.Symbols) && slices.Contains(names, m.file.Symbols[r.Symbol].Name)
	}
	for fn := range m.code.Funcs {
		f := &m.code.Funcs[fn]
		if !p.isStub(m, m.file.Funcs[fn].Addr) && (slices.ContainsFunc(f.Direct, slot) || slices.ContainsFunc(f.Mentions, slot) ||
			slices.ContainsFunc(f.Calls, func(c code.Call) bool { return slices.Contains(names, m.imported(c)) || slot(c.Slot) })) {
			list = append(list, fn)
		}
	}
	return list
}

// guardEvents: NSS modules of systemd contain its event loop (libsystemd/sd-event), linked
// statically, to talk to services. The loop has code for sources of events that the module
// cannot make: sd_event_add_child and its like, which alone make them, were left out by the
// linker. Whether they are there tell the names that assert_return gives of functions.
func (p *program) guardEvents(m *module) {
	has := func(name string) bool {
		return slices.ContainsFunc(m.file.Segments, func(s object.Segment) bool { return bytes.Contains(s.Data, []byte(name)) })
	}
	if !has("sd_event_add_io") && !has("sd_event_add_time") {
		return // another library, or one without names
	}
	g := p.newNever("sources of events of this kind")
	hold := func(names ...string) { p.guards.symbols[m] = append(p.guards.symbols[m], heldName{names, g}) }
	child := has("sd_event_add_child")
	if !has("sd_event_add_inotify") {
		hold("inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch")
	}
	if !child && !has("sd_event_add_signal") && !has("sd_event_set_signal_exit") {
		hold("signalfd")
	}
	if child {
		return
	}
	hold("waitid")
	for fn := range m.nodes { // source_free: kills the child that belongs to a source
		if calls := m.imports(fn); calls["kill"] != nil && calls["waitid"] != nil {
			p.guardImport(m, fn, calls["kill"], g)
			if p.onlyNumber(m, fn, calls["syscall"], "pidfd_send_signal") {
				p.guardImport(m, fn, calls["syscall"], g)
			}
		}
	}
}

// guardSASL: libsasl2 looks for the entry points of plug-ins by name (lib/server.c and
// lib/client.c), for those that are for servers only in sasl_server_init.
func (p *program) guardSASL(m *module) {
	g := p.newGuard("a SASL server", "sasl_server_init")
	for _, name := range [...]string{"sasl_server_plug_init", "sasl_auxprop_plug_init"} {
		if id, ok := p.exported(m, name); ok {
			p.guards.entries[id] = g
		}
	}
}

// saslEntries are all names that libsasl2 looks for in a plug-in.
var saslEntries = []string{"sasl_auxprop_plug_init", "sasl_canonuser_init", "sasl_client_plug_init", "sasl_server_plug_init"}

// entryPoints returns the names by which a plug-in is entered: all that it exports, unless
// it is one for which its host's names are known.
func entryPoints(m *module) []string {
	if known := slices.DeleteFunc(slices.Clone(saslEntries), func(name string) bool { return m.defs[name] == nil }); len(known) > 0 && isSASL(m) {
		return known
	}
	return sortedKeys(m.defs)
}

// isSASL reports whether a file is in a folder for plug-ins of libsasl2.
func isSASL(m *module) bool { return strings.Contains(m.file.Path, "/sasl2/") }

// guardTilde: glob(3) looks for the home of a user, and for who that is, if its flags have
// GLOB_TILDE or GLOB_TILDE_CHECK. When it calls itself, it passes on those that it got.
func (p *program) guardTilde(m *module) {
	for _, name := range [...]string{"glob", "glob64"} {
		for _, i := range m.defs[name] {
			fn, ok := m.fn(m.file.Symbols[i].Addr)
			if !ok {
				continue
			}
			id := fid{int32(m.index), int32(fn)}
			g := p.newGuard("glob with GLOB_TILDE", "")
			g.when = func(p *program) bool { return p.globsTilde(id, id, maxWrappers) }
			for _, user := range [...]string{"getlogin_r", "getpwnam_r"} {
				p.guardCall(m, id, user, g)
			}
		}
	}
}

// globsTilde reports whether a call of glob, or of a stub for it, can have a flag for homes.
func (p *program) globsTilde(glob, id fid, depth int) bool {
	const tilde = 1<<12 | 1<<14 // GLOB_TILDE, GLOB_TILDE_CHECK
	if n := &p.modules[id.mod].nodes[id.fn]; n.taken || depth == 0 {
		return true
	}
	for _, e := range p.callers(id) {
		m := p.modules[e.from.mod]
		if e.from == glob {
			continue
		}
		if p.isStub(m, m.file.Funcs[e.from.fn].Addr) {
			if p.globsTilde(glob, e.from, depth-1) {
				return true
			}
			continue
		}
		v := m.flow(int(e.from.fn)).Calls[e.call].Entry(p.argument(1))
		if v.Unknown || len(v.Addrs)+len(v.Entry) > 0 || slices.ContainsFunc(v.Consts, func(c uint64) bool { return c&tilde != 0 }) {
			return true
		}
	}
	return false
}

// newNever adds a guard that stays closed.
func (p *program) newNever(why string) *guard {
	g := p.newGuard(why, "")
	g.never = true
	return g
}

// imports returns the calls of a function that go through the PLT, by the names of the functions.
func (m *module) imports(fn int) map[string][]int {
	calls := make(map[string][]int)
	for i, c := range m.code.Funcs[fn].Calls {
		if name := m.imported(c); name != "" {
			calls[name] = append(calls[name], i)
		}
	}
	return calls
}

// imported returns the name of the function whose PLT stub a call is of; "" for other calls.
func (m *module) imported(c code.Call) string {
	if c.Slot != 0 {
		return ""
	}
	i, ok := slices.BinarySearchFunc(m.file.PLT, c.To, func(s object.Stub, addr uint64) int {
		switch {
		case s.Addr < addr:
			return -1
		case s.Addr > addr:
			return 1
		}
		return 0
	})
	if !ok {
		return ""
	}
	r, ok := m.reloc(m.file.PLT[i].Slot)
	if !ok || r.Symbol < 0 || r.Symbol >= len(m.file.Symbols) {
		return ""
	}
	return m.file.Symbols[r.Symbol].Name
}

// guardImport holds back calls that a function makes through the PLT.
func (p *program) guardImport(m *module, fn int, calls []int, g *guard) {
	for _, i := range calls {
		if stub, ok := m.fn(m.code.Funcs[fn].Calls[i].To); ok {
			p.guards.calls[[2]fid{{int32(m.index), int32(fn)}, {int32(m.index), int32(stub)}}] = g
		}
	}
}

// onlyNumber reports whether calls of syscall(3) are all of one system call.
func (p *program) onlyNumber(m *module, fn int, calls []int, name string) bool {
	nr, ok := number(p.abi(), name)
	flow := m.flow(fn)
	return ok && !slices.ContainsFunc(calls, func(i int) bool {
		v := flow.Calls[i].Entry(p.argument(0))
		return v.Unknown || len(v.Addrs)+len(v.Entry) > 0 || !slices.Equal(v.Consts, []uint64{uint64(nr)})
	})
}

// isSQLite reports whether a file is a libsqlite3 that opens only what users name: since 3.13,
// load_extension in SQL is refused until sqlite3_enable_load_extension allows it (src/func.c,
// loadExt).
func isSQLite(m *module) bool {
	if m.file.SOName != "libsqlite3.so.0" {
		return false
	}
	for _, i := range m.defs["sqlite3_version"] {
		var minor int
		if _, err := fmt.Sscanf(string(m.file.Bytes(m.file.Symbols[i].Addr)), "3.%d.", &minor); err == nil && minor >= 13 {
			return true
		}
	}
	return false
}

// loadsNoExtensions reports whether a file is a libsqlite3 and nothing that the program loads
// asks it for what extensions need: to load one, to allow that in SQL, for a VFS, which has a
// pointer to dlopen, or to be called with pointers to all of its functions.
func (p *program) loadsNoExtensions(m *module) bool {
	return isSQLite(m) && !slices.ContainsFunc([]string{"sqlite3_load_extension", "sqlite3_enable_load_extension", "sqlite3_vfs_find", "sqlite3_auto_extension"},
		func(name string) bool { return p.askedFor(m, name) })
}

// askedFor reports whether other files import a function of a module, or look for it by name.
func (p *program) askedFor(m *module, name string) bool {
	for _, other := range p.modules {
		if other != m && slices.ContainsFunc(other.file.Symbols, func(s object.Symbol) bool { return !s.Defined && s.Name == name }) {
			return true
		}
	}
	id, ok := p.exported(m, name)
	if !ok {
		return false
	}
	for _, list := range p.late {
		if slices.ContainsFunc(list, func(e lateEdge) bool { return e.to.mod == m && e.to.addr == m.file.Funcs[id.fn].Addr }) {
			return true
		}
	}
	return false
}
