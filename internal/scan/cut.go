package scan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/internal/scan/object"
	"github.com/seccompile/seccompile/syscalltables"
)

// A guard holds back edges that a library takes only after the program has called one of
// some functions: code that needs a state which only these bring about. Functions inside of
// glibc have no names, so guards recognise them by what they call, and do nothing where the
// pattern is missing. An edge that is held back counts as soon as its condition can hold.
type guard struct {
	why     string
	names   []string // functions that bring the state about, by name
	fids    []fid    // or by number
	never   bool     // nothing in a program brings the state about
	when    func(p *program) bool
	held    []heldEdge
	release bool
}

// A heldEdge is what to do when a guard opens.
type heldEdge struct {
	from, to fid
	call     int // index of the call, -1 if the function is mentioned
	how      string
}

// A siteKey is system calls with one number in a function.
type siteKey struct {
	fid
	nr uint32
}

// guards is what a program holds back.
type guards struct {
	list    []*guard
	entries map[fid]*guard         // edges to a function
	calls   map[[2]fid]*guard      // calls of one function by another
	sites   map[siteKey]*guard     // system calls of a function
	symbols map[*module][]heldName // references of a module to symbols
}

// A heldName is symbols that a module refers to under a condition.
type heldName struct {
	names []string
	guard *guard
}

// open reports whether what a guard waits for is reached.
func (g *guard) open(p *program) bool {
	return !g.never && (g.release || g.when != nil && g.when(p) ||
		slices.ContainsFunc(g.names, func(name string) bool { _, ok := p.apis[name]; return ok }) ||
		slices.ContainsFunc(g.fids, func(id fid) bool { return p.modules[id.mod].nodes[id.fn].reached }))
}

// holds reports whether an edge has to wait.
func (p *program) holds(from, to fid, call int, how string) bool {
	g := p.guardOf(from, to)
	if g == nil || g.open(p) {
		return false
	}
	g.held = append(g.held, heldEdge{from, to, call, how})
	return true
}

// guardOf returns the guard of an edge, nil if it has none.
func (p *program) guardOf(from, to fid) *guard {
	if g := p.guards.entries[to]; g != nil {
		return g
	}
	return p.guards.calls[[2]fid{from, to}]
}

// holdsName reports whether a reference to a symbol never counts.
func (p *program) holdsName(m *module, name string) bool {
	for _, h := range p.guards.symbols[m] {
		if slices.Contains(h.names, name) && !h.guard.open(p) {
			return true
		}
	}
	return false
}

// holdsSite reports whether a function cannot make a call.
func (p *program) holdsSite(id fid, nr uint32) bool {
	g := p.guards.sites[siteKey{id, nr}]
	return g != nil && !g.open(p)
}

// release follows the edges of guards whose condition holds by now.
func (p *program) releaseGuards() {
	for _, g := range p.guards.list {
		if g.release || !g.open(p) {
			continue
		}
		g.release = true
		for _, h := range g.held {
			if h.call >= 0 {
				p.addCaller(h.to, edge{h.from, int32(h.call)})
			}
			p.reachFunc(h.to, h.from, h.how, h.call < 0)
		}
		g.held = nil
	}
}

// guard sets the guards of modules that are loaded.
func (p *program) guard(modules []*module) {
	for _, m := range modules {
		switch {
		case m.file.SOName == "libc.so.6":
			p.guardThreadExit(m)
			p.guardPriorities(m)
			p.guardAttributes(m)
			p.guardDNS(m)
			p.guardTilde(m)
		case strings.HasPrefix(m.file.SOName, "libcrypto.so."):
			p.guardSharedMemory(m)
		case strings.HasPrefix(m.file.SOName, "libnss_"):
			p.guardEvents(m)
		case isSASL(m):
			p.guardSASL(m)
		case m.file.Go != nil:
			p.guardProfiler(m)
		}
	}
}

// newGuard adds a guard.
func (p *program) newGuard(why, names string) *guard {
	g := &guard{why: why, names: strings.Fields(names)}
	p.guards.list = append(p.guards.list, g)
	return g
}

// guardThreadExit: a thread that ends unregisters its RPC services (glibc:
// sunrpc/rpc_thread.c, __rpc_thread_svc_cleanup) if it has RPC variables. Only
// __rpc_thread_variables makes these, which is a function that those that hand them out call,
// or is part of each of them; then they have a function for pthread_once in common.
func (p *program) guardThreadExit(m *module) {
	a, ok1 := p.exported(m, "__rpc_thread_svc_fdset")
	b, ok2 := p.exported(m, "__rpc_thread_createerr")
	unregister, ok3 := p.exported(m, "svc_unregister")
	if !ok1 || !ok2 || !ok3 {
		return
	}
	makers := intersect(p.inner(m, a), p.inner(m, b))
	if len(makers) == 0 {
		return
	}
	for fn := range m.nodes {
		if id := (fid{a.mod, int32(fn)}); len(intersect(p.inner(m, id), makers)) > 0 {
			makers = append(makers, id)
		}
	}
	g := p.newGuard("a thread has RPC variables", "")
	g.fids = makers
	for _, clean := range p.directCallers(m, unregister) {
		if !p.isInternal(m, clean) {
			continue
		}
		p.guards.entries[clean] = g
		for _, id := range p.directCallers(m, clean) { // __rpc_thread_destroy
			if p.isInternal(m, id) {
				p.guards.entries[id] = g
			}
		}
	}
}

// guardPriorities: a mutex with a priority ceiling has its thread change its priority
// (glibc: nptl/tpp.c). A mutex gets one from attributes with PTHREAD_PRIO_PROTECT, which
// pthread_mutexattr_setprotocol sets.
func (p *program) guardPriorities(m *module) {
	g := p.newGuard("a mutex has a priority ceiling", "pthread_mutexattr_setprotocol")
	for fn := range m.nodes {
		id := fid{int32(m.index), int32(fn)}
		if !p.isInternal(m, id) {
			continue
		}
		does := p.does(m, id)
		if does("sched_getparam") && does("sched_getscheduler") ||
			does("sched_get_priority_min") && does("sched_get_priority_max") {
			p.guards.entries[id] = g
		}
	}
}

// guardAttributes: pthread_create sets the scheduling policy and processors of a thread if
// its attributes ask for them (glibc: nptl/pthread_create.c).
func (p *program) guardAttributes(m *module) {
	create, ok := p.exported(m, "pthread_create")
	if !ok {
		return
	}
	policy := p.newGuard("threads with a scheduling policy", "pthread_attr_setinheritsched pthread_setattr_default_np")
	cpus := p.newGuard("threads with processors", "pthread_attr_setaffinity_np pthread_setattr_default_np")
	inner := []fid{create}
	for _, c := range m.code.Funcs[create.fn].Calls {
		if fn, ok := m.fn(c.To); ok && p.isInternal(m, fid{create.mod, int32(fn)}) && len(m.code.Funcs[fn].Sites) > 0 {
			inner = append(inner, fid{create.mod, int32(fn)})
		}
	}
	for _, id := range inner {
		for _, name := range [...]string{"sched_getparam", "sched_getscheduler", "sched_setscheduler"} {
			p.guardCall(m, id, name, policy)
		}
		p.guardCall(m, id, "sched_setaffinity", cpus)
	}
	// Attributes that are copied have processors if the original has.
	set, ok := p.exported(m, "pthread_attr_setaffinity_np")
	if !ok {
		return
	}
	for _, id := range p.directCallers(m, set) {
		if p.isInternal(m, id) {
			p.guards.calls[[2]fid{id, set}] = cpus
		}
	}
}

// guardCall holds back a system call that a function makes, itself or through the function
// with the name of the call.
func (p *program) guardCall(m *module, id fid, name string, g *guard) {
	if nr, ok := number(p.abi(), name); ok {
		p.guards.sites[siteKey{id, nr}] = g
	}
	if to, ok := p.exported(m, name); ok {
		p.guards.calls[[2]fid{id, to}] = g
	}
}

// guardDNS: the name service switch calls functions of the service "dns" only to look up
// hosts and networks; it has no others.
func (p *program) guardDNS(m *module) {
	var names []string
	for _, db := range nssDatabases {
		if db.database == "hosts" || db.database == "networks" {
			for name := range strings.FieldsSeq(db.names) {
				names = append(names, name, name+"_r")
			}
		}
	}
	g := p.newGuard("hosts are looked up", strings.Join(names, " "))
	for name := range m.defs {
		if id, ok := p.exported(m, name); ok && strings.HasPrefix(name, "_nss_dns_") {
			p.guards.entries[id] = g
		}
	}
}

// guardProfiler: the scheduler of Go gives a thread a timer for the CPU profiler if its rate has
// changed (runtime/proc.go, execute), which only setcpuprofilerate does.
func (p *program) guardProfiler(m *module) {
	g := &guard{why: "the CPU profiler runs"}
	var timer []fid
	for fn := range m.file.Funcs {
		switch m.file.Funcs[fn].Name {
		case "runtime.setThreadCPUProfiler":
			timer = append(timer, fid{int32(m.index), int32(fn)})
		case "runtime.setcpuprofilerate", "runtime.SetCPUProfileRate", "runtime/pprof.StartCPUProfile":
			g.fids = append(g.fids, fid{int32(m.index), int32(fn)})
		}
	}
	p.guards.list = append(p.guards.list, g)
	for _, id := range timer {
		p.guards.entries[id] = g
	}
}

// exported returns the function that a module exports by a name.
func (p *program) exported(m *module, name string) (fid, bool) {
	for _, i := range m.defs[name] {
		if fn, ok := m.fn(m.file.Symbols[i].Addr); ok {
			return fid{int32(m.index), int32(fn)}, true
		}
	}
	return none, false
}

// isInternal reports whether no other module can call a function by name.
func (p *program) isInternal(m *module, id fid) bool {
	return !slices.ContainsFunc(m.byFunc[int(id.fn)], func(i int) bool { return m.file.Symbols[i].Dynamic })
}

// inner returns the functions of the same module that a function calls or mentions and that no
// other module can call by name.
func (p *program) inner(m *module, id fid) (list []fid) {
	add := func(addr uint64) {
		if fn, ok := m.fn(addr); ok && p.isInternal(m, fid{id.mod, int32(fn)}) && !p.isStub(m, addr) {
			list = append(list, fid{id.mod, int32(fn)})
		}
	}
	f := &m.code.Funcs[id.fn]
	for _, c := range f.Calls {
		add(c.To)
	}
	for _, addr := range f.Mentions {
		add(addr)
	}
	slices.SortFunc(list, compareFid)
	return slices.Compact(list)
}

// isStub reports whether a function is an entry of the PLT.
func (p *program) isStub(m *module, addr uint64) bool {
	_, ok := slices.BinarySearchFunc(m.file.PLT, addr, func(s object.Stub, addr uint64) int { return cmp.Compare(s.Addr, addr) })
	return ok
}

func intersect(a, b []fid) []fid {
	return slices.DeleteFunc(a, func(id fid) bool { return !slices.Contains(b, id) })
}

// directCallers returns the functions of a module that call one of it.
func (p *program) directCallers(m *module, to fid) (list []fid) {
	for fn := range m.code.Funcs {
		for _, c := range m.code.Funcs[fn].Calls {
			if i, ok := m.fn(c.To); ok && c.Slot == 0 && int32(i) == to.fn {
				list = append(list, fid{to.mod, int32(fn)})
			}
		}
	}
	return slices.Compact(list)
}

// does tells which system calls a function makes, itself or by a call of the exported
// function of that name.
func (p *program) does(m *module, id fid) func(name string) bool {
	f := &m.code.Funcs[id.fn]
	return func(name string) bool {
		if to, ok := p.exported(m, name); ok && slices.ContainsFunc(f.Calls, func(c code.Call) bool {
			fn, ok := m.fn(c.To)
			return ok && c.Slot == 0 && int32(fn) == to.fn
		}) {
			return true
		}
		nr, ok := number(p.abi(), name)
		if !ok || len(f.Sites) == 0 || len(f.Sites) > 8 {
			return false
		}
		for _, s := range m.flow(int(id.fn)).Sites {
			if slices.Contains(s.Number.Consts, uint64(nr)) {
				return true
			}
		}
		return false
	}
}

// number returns the number of a call.
func number(abi arch.ABI, name string) (uint32, bool) {
	call, ok := syscalltables.Lookup(name)
	if !ok {
		return 0, false
	}
	return call.Number(abi)
}
