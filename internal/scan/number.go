package scan

import (
	"encoding/binary"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/internal/scan/object"
	"github.com/seccompile/seccompile/syscalltables"
)

// A frame is what is known of a system call at one level of the functions that lead to it:
// the number and the arguments, as far as they depend on what that function gets.
type frame struct {
	number code.Value
	args   [6]code.Value
}

// A resolver finds the numbers and arguments of system calls from the values that reach
// them: within a function and, if what a function gets decides, in its callers.
type resolver struct {
	*program
	abi   arch.ABI
	site  fid
	at    uint64
	calls map[uint32]*Call
	queue []level // still to look at, the shortest ways first
	seen  map[string]bool
	only  map[fid]bool // see onlyCalled
	left  int          // steps, so that hostile files end
}

// A level is a frame of a function, and the way to it: from the function of the instruction.
type level struct {
	frame
	way []fid
}

// maxWays bounds the ways through callers to one system-call instruction.
const maxWays = 1 << 14

// maxUp bounds the callers of callers.
const maxUp = 16

// numbers resolves all system calls in functions that are reached.
func (p *program) numbers() {
	r := resolver{program: p, abi: p.abi(), calls: make(map[uint32]*Call), only: make(map[fid]bool)}
	for i, m := range p.modules {
		for fn := range m.nodes {
			if m.nodes[fn].reached && len(m.code.Funcs[fn].Sites) > 0 {
				r.function(fid{int32(i), int32(fn)})
			}
		}
	}
	r.handlers()
	for _, nr := range sortedKeys(r.calls) {
		p.result = append(p.result, *r.calls[nr])
	}
}

// handlers notes the call that ends a signal handler, if the program can install one. On
// x86_64 a function of the C library makes it (SA_RESTORER); on aarch64 it is in the vDSO
// (arch/arm64/kernel/signal.c: setup_return), which no file has.
func (r *resolver) handlers() {
	const sigaction, sigreturn = 134, 139
	install := r.calls[sigaction]
	if r.abi != arch.AArch64 || install == nil || r.calls[sigreturn] != nil {
		return
	}
	chain := append(slices.Clone(install.Chain), Step{Module: "vDSO", Name: "__kernel_rt_sigreturn", How: "signal handler returns"})
	r.calls[sigreturn] = &Call{ABI: r.abi, NR: sigreturn, Name: "rt_sigreturn", Chain: chain}
}

// abi returns the ABI of a program's calls.
func (p *program) abi() arch.ABI {
	if p.modules[0].file.Machine == object.ARM64 {
		return arch.AArch64
	}
	return arch.X86_64
}

// function resolves the system calls in one function.
func (r *resolver) function(id fid) {
	m := r.modules[id.mod]
	legacy := m.code.Funcs[id.fn].Legacy
	for _, s := range m.flow(int(id.fn)).Sites {
		r.site, r.at, r.left, r.seen = id, s.At, maxWays, make(map[string]bool)
		if slices.Contains(legacy, s.At) {
			r.unknown(id, "makes a 32-bit system call, which a filter for x86_64 kills")
			continue
		}
		if m.file.Funcs[id.fn].Gap && empty(&s.Number) {
			s.Number.Unknown = true // nobody says where functions start there
		}
		r.queue = append(r.queue, level{frame{s.Number, s.Args}, []fid{id}})
		for len(r.queue) > 0 {
			l := r.queue[0]
			r.queue = r.queue[1:]
			r.up(l.way[len(l.way)-1], l.frame, l.way)
		}
	}
}

// goOn has a caller, for which a frame of what it calls was made, looked at later. More than
// maxWays in the queue are too many even if no others come.
func (r *resolver) goOn(caller fid, f frame, way []fid) {
	if len(r.queue) > maxWays {
		return
	}
	r.queue = append(r.queue, level{f, append(slices.Clone(way), caller)})
}

// up notes the calls that a frame of a function stands for and, if the function's callers
// decide, goes on with them.
func (r *resolver) up(id fid, f frame, way []fid) {
	if r.left--; r.left < 0 {
		r.unknown(id, "gets its number from too many callers")
		r.queue = nil
		return
	}
	if f.number.Unknown || len(f.number.Addrs) > 0 {
		reason := "has a number that is not constant"
		if len(way) > 1 {
			reason = "gets a number that is not constant from " + r.place(id)
		}
		r.unknown(id, reason)
	}
	for _, nr := range f.number.Consts {
		if !r.holdsSite(id, uint32(nr)) {
			r.note(nr, &f, way)
		}
	}
	if !r.wantsMore(&f) {
		return
	}
	key := r.key(id, &f)
	if r.seen[key] {
		return
	}
	r.seen[key] = true
	n := &r.modules[id.mod].nodes[id.fn]
	loaded := n.taken && !n.stored && len(way) <= maxUp && r.onlyCalled(id)
	if n.taken && !loaded || n.root || len(way) > maxUp {
		r.open(id, f, way)
	}
	if len(way) > maxUp {
		return
	}
	if loaded {
		r.loaded(id, f, way)
	}
	for _, e := range r.callers(id) {
		if r.modules[e.from.mod].code.Funcs[e.from.fn].Calls[e.call].Middle != 0 {
			continue // a part of the function jumps back into it
		}
		values := r.modules[e.from.mod].flow(int(e.from.fn)).Calls
		if int(e.call) >= len(values) {
			continue
		}
		r.goOn(e.from, f.in(&values[e.call]), way)
	}
}

// onlyCalled reports whether the functions that load the address of another from the GOT do
// nothing with it but to call it.
func (r *resolver) onlyCalled(id fid) bool {
	only, ok := r.only[id]
	if !ok {
		only = !slices.ContainsFunc(r.loads[id], r.givesAway)
		r.only[id] = only
	}
	return only
}

// givesAway reports whether a function does more with an address that it loads than to call it.
func (p *program) givesAway(l load) bool {
	return slices.Contains(p.modules[l.from.mod].flow(int(l.from.fn)).Given, l.slot)
}

// loaded goes on with the calls of a function through registers that are loaded from the GOT.
func (r *resolver) loaded(id fid, f frame, way []fid) {
	for _, l := range r.loads[id] {
		r.loadedCalls(l, func(from fid, c *code.CallValues) { r.goOn(from, f.in(c), way) })
	}
}

// loadedCalls calls each for the calls through registers that a function has loaded from a word
// of the GOT, but for those that are known as calls of what the word holds.
func (p *program) loadedCalls(l load, each func(from fid, c *code.CallValues)) {
	m := p.modules[l.from.mod]
	calls, values := m.code.Funcs[l.from.fn].Calls, m.flow(int(l.from.fn)).Calls
	for i := range values {
		if slices.Contains(values[i].Slots, l.slot) && (i >= len(calls) || calls[i].Slot != l.slot) {
			each(l.from, &values[i])
		}
	}
}

// empty reports whether a value is none: the place is never reached.
func empty(v *code.Value) bool {
	return !v.Unknown && len(v.Consts)+len(v.Addrs)+len(v.Entry) == 0
}

// open notes that a function can be called with anything.
func (r *resolver) open(id fid, f frame, way []fid) {
	n := &r.modules[id.mod].nodes[id.fn]
	switch {
	case len(f.number.Entry) == 0:
	case !n.taken || n.taker == none:
		r.unknown(id, "gets its number from callers that are not known")
	case !r.pointers(id, f, way):
		r.unknown(id, "gets its number from callers that are not known: "+r.place(n.taker)+" uses its address")
	}
	for i := range f.args {
		if len(f.args[i].Entry) > 0 {
			f.args[i] = code.Value{Unknown: true}
		}
	}
	for _, nr := range f.number.Consts {
		r.note(nr, &f, way)
	}
}

// wantsMore reports whether callers decide the number, or an argument that counts.
func (r *resolver) wantsMore(f *frame) bool {
	if len(f.number.Entry) > 0 {
		return true
	}
	for _, nr := range f.number.Consts {
		for i := range f.args {
			if r.counts(nr)&(1<<i) != 0 && len(f.args[i].Entry) > 0 && !f.args[i].Unknown {
				return true
			}
		}
	}
	return false
}

// counts returns which arguments of a call are asked for, as bits.
func (r *resolver) counts(nr uint64) uint8 {
	if r.options.Args == nil {
		return 0
	}
	call, ok := syscalltables.ByNumber(r.abi, uint32(nr))
	if !ok {
		return 0
	}
	return r.options.Args(r.abi, call.Name())
}

// in returns a frame of a callee as one of the caller.
func (f frame) in(c *code.CallValues) frame {
	f.number = substitute(f.number, c)
	for i := range f.args {
		f.args[i] = substitute(f.args[i], c)
	}
	return f
}

// substitute replaces what a function gets by what a call gives it. The number of a call
// that is constant already stays out: it was noted below.
func substitute(v code.Value, c *code.CallValues) code.Value {
	if len(v.Entry) == 0 {
		return v
	}
	places := v.Entry
	v.Entry = nil
	for _, place := range places {
		v = join(v, c.Entry(place))
	}
	return v
}

// join returns a value that is either of two.
func join(a, b code.Value) code.Value {
	v := code.Value{
		Unknown: a.Unknown || b.Unknown,
		Consts:  merge(a.Consts, b.Consts), Addrs: merge(a.Addrs, b.Addrs), Entry: merge(a.Entry, b.Entry),
	}
	if len(v.Consts) > code.MaxConsts || len(v.Addrs) > code.MaxConsts {
		v.Unknown = true
	}
	return v
}

func merge[T uint64 | code.Place](a, b []T) []T {
	list := slices.Concat(a, b)
	slices.Sort(list)
	return slices.Compact(list)
}

// key identifies a frame of a function.
func (r *resolver) key(id fid, f *frame) string {
	b := binary.AppendVarint(binary.AppendVarint(nil, int64(id.mod)), int64(id.fn))
	for _, v := range append([]code.Value{f.number}, f.args[:]...) {
		b = append(b, 0)
		if v.Unknown {
			b = append(b, 1)
		}
		for _, c := range v.Consts {
			b = binary.AppendUvarint(b, c)
		}
		b = append(b, 0xff)
		for _, e := range v.Entry {
			b = binary.AppendUvarint(b, uint64(e))
		}
	}
	return string(b)
}

// note adds a call. The way is from the function of the instruction to the one that decides.
func (r *resolver) note(nr64 uint64, f *frame, way []fid) {
	nr := uint32(nr64) // the kernel looks at 32 bits
	c := r.calls[nr]
	if c == nil {
		c = &Call{ABI: r.abi, NR: nr}
		if call, ok := syscalltables.ByNumber(r.abi, nr); ok {
			c.Name = call.Name()
		}
		r.calls[nr] = c
	}
	if chain := r.way(way); c.Chain == nil || len(chain) < len(c.Chain) {
		c.Chain = chain
	}
	counts := r.counts(nr64)
	for i := range c.Args {
		v := f.args[i]
		switch {
		case counts&(1<<i) == 0 || v.Unknown || len(v.Addrs) > 0:
			c.Args[i] = Values{Any: true}
		case len(v.Entry) > 0: // callers add what they give
		}
		if !c.Args[i].Any {
			c.Args[i].Values = merge(c.Args[i].Values, v.Consts)
		}
	}
}

// way returns the chain to the function that decides, and from there to the instruction.
func (r *resolver) way(way []fid) []Step {
	chain := r.steps(way[len(way)-1])
	for i := len(way) - 2; i >= 0; i-- {
		chain = append(chain, r.step(way[i], "call"))
	}
	return chain
}

// unknown notes that the number of an instruction is not known, because of what a function
// gives it.
func (r *resolver) unknown(origin fid, reason string) {
	u := Unresolved{Step: r.step(r.site, ""), Reason: reason, Harm: true}
	u.Addr = r.at
	if limit := r.bound(origin); limit != "" {
		u.Reason, u.Harm = u.Reason+"; "+limit, false
	}
	if !slices.Contains(r.unresolved, u) {
		r.unresolved = append(r.unresolved, u)
	}
}
