// Package stats measures filters: how long they are, how many instructions the
// kernel executes of them for each kind of call, what loading one costs, and how
// near a compiled one is to the shortest possible.
//
// Nothing here runs a filter in a kernel. All figures are exact counts but for
// [Stats.LoadTime], an estimate.
package stats

import (
	"time"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/syscalltables"
)

// Options choose what is measured. The zero value is right for most filters.
type Options struct {
	// ABIs are those that calls are counted for, nil for all that the filter
	// knows: see [Known].
	ABIs []arch.ABI
	// Weights say how often calls are made, for the weighted means.
	Weights []Weight
}

// Stats are the figures of one filter.
type Stats struct {
	Instructions int
	Kinds        Kinds
	// Longest is the number of instructions on the longest way through the jumps,
	// whether or not some call takes it.
	Longest int
	ABIs    []ABI
	// Foreign are the calls through other ABIs of the same kernels.
	Foreign Executed
	// Emulated is the number of instructions that the kernel emulates when the
	// filter is loaded, to find the calls which are always allowed: those of its
	// path for every number of the native and of the compatibility ABI.
	Emulated int
	// Bound is what the diagram needs at least. It is nil for filters that this
	// library did not compile.
	Bound *Bound
}

// Kinds counts instructions by kind.
type Kinds struct {
	Loads               int // of words of seccomp_data
	JEQ, JGT, JGE, JSET int
	Trampolines         int // unconditional jumps
	ALU                 int
	Returns             int
	Other               int // everything else: registers, scratch memory
}

// Executed says how many instructions calls of one class execute.
type Executed struct {
	Calls int
	// Steps is the sum over the calls, each with arguments of 0.
	Steps int
	// Max is the most that one of them takes, whatever the arguments.
	Max int
}

// Mean is the number of instructions that a call of the class executes on
// average, with arguments of 0; of no calls, it is 0.
func (e Executed) Mean() float64 {
	if e.Calls == 0 {
		return 0
	}
	return float64(e.Steps) / float64(e.Calls)
}

func (e *Executed) add(steps, longest int) {
	e.Calls++
	e.Steps += steps
	e.Max = max(e.Max, longest)
}

// A Class is what a filter does with a call, as far as its cost goes.
type Class uint8

// The classes of calls.
const (
	// Cached calls are always allowed and the kernel knows: since Linux 5.11 it
	// has a bitmap of them and does not run the filter.
	Cached Class = iota
	// Uncached calls are always let through, or handed to a tracer or listener,
	// and run the filter each time: ALLOW that the kernel has not found, or for
	// which it has no bitmap, LOG, TRACE and NOTIFY.
	Uncached
	// Conditional calls are decided by their arguments.
	Conditional
	// Denied calls always fail or kill.
	Denied
	// ENOSYS calls always fail as if the kernel did not have them.
	ENOSYS
	classes
)

// String returns the name of the class.
func (c Class) String() string {
	return [...]string{"cached", "uncached", "conditional", "denied", "enosys"}[c]
}

// Classes returns all classes in order.
func Classes() []Class { return []Class{Cached, Uncached, Conditional, Denied, ENOSYS} }

// An ABI holds the figures of calls through one ABI: of each number that its
// table knows.
type ABI struct {
	ABI     arch.ABI
	Classes [classes]Executed
	// Bitmap tells whether kernels keep a bitmap for the ABI.
	Bitmap bool
	// Allowed is the number of calls that are allowed whatever the arguments. All
	// of them should be cached.
	Allowed int
	// Weighted are the weighted means, nil if no weight is for a call of the ABI.
	Weighted *Weighted
}

// Weighted are mean numbers of executed instructions by the weights of calls,
// with arguments of 0.
type Weighted struct {
	// Mean is that of a kernel that runs the filter on every call.
	Mean float64
	// Bitmap is that of a kernel on which cached calls take none.
	Bitmap float64
}

// Compiled measures the program of a compiled policy and its lower bound.
func Compiled(r *compile.Result, o Options) *Stats {
	s := Measure(r.Program, o)
	b := LowerBound(r.Diagram)
	s.Bound = &b
	return s
}

// Measure measures any filter.
func Measure(p *cbpf.Program, o Options) *Stats {
	w := newWalker(p)
	s := &Stats{Instructions: p.Len(), Kinds: count(p), Longest: w.walk(value{}, value{}).longest}
	abis := o.ABIs
	if len(abis) == 0 {
		abis = Known(p)
	}
	for _, a := range abis {
		s.ABIs = append(s.ABIs, w.abi(a, o.Weights))
	}
	for _, a := range foreign(abis) {
		for nr := range syscalltables.All(a) {
			s.Foreign.add(w.steps(a.Audit(), nr), w.walk(known(a.Audit()), known(nr)).longest)
		}
	}
	s.Emulated = emulated(p, abis)
	return s
}

// count counts the instructions of a program by kind (linux/bpf_common.h).
func count(p *cbpf.Program) Kinds {
	var k Kinds
	for pc := range p.Len() {
		switch op := p.At(pc).Op; op & 0x07 {
		case 0x00:
			if op == opLoad {
				k.Loads++
			} else {
				k.Other++
			}
		case 0x04:
			k.ALU++
		case 0x05:
			*k.jump(op)++
		case 0x06:
			k.Returns++
		default:
			k.Other++
		}
	}
	return k
}

// jump returns the counter of a jump's opcode, with K or X.
func (k *Kinds) jump(op uint16) *int {
	switch op & 0xf0 {
	case opJump & 0xf0:
		return &k.Trampolines
	case opEqual & 0xf0:
		return &k.JEQ
	case opAbove & 0xf0:
		return &k.JGT
	case opAtLeast & 0xf0:
		return &k.JGE
	}
	return &k.JSET
}

// abi measures the calls through one ABI.
func (w *walker) abi(a arch.ABI, weights []Weight) ABI {
	s := ABI{ABI: a, Bitmap: HasBitmap(a)}
	var total, steps, run float64
	for nr, call := range syscalltables.All(a) {
		path := w.walk(known(a.Audit()), known(nr))
		n := w.steps(a.Audit(), nr)
		cached, _ := w.p.ConstAllow(a.Audit(), nr)
		class := classOf(path, a, cached && s.Bitmap)
		s.Classes[class].add(n, path.longest)
		if path.constant && path.action == cbpf.Allow {
			s.Allowed++
		}
		weight := weightOf(weights, call.Name())
		total += weight
		cost := float64(weight * float64(n)) // the conversion keeps hosts from fusing the sum into it
		steps += cost
		if class != Cached {
			run += cost
		}
	}
	if total > 0 {
		s.Weighted = &Weighted{Mean: steps / total, Bitmap: run / total}
	}
	return s
}

func classOf(p path, a arch.ABI, cached bool) Class {
	enosys, _ := a.Errno("ENOSYS")
	switch {
	case cached:
		return Cached
	case !p.constant:
		return Conditional
	case p.action == cbpf.Errno(enosys):
		return ENOSYS
	}
	if p.action.Permits(cbpf.WithSupervisor) {
		return Uncached
	}
	return Denied
}

// Known returns the ABIs that a filter knows: those with a call that it decides
// otherwise than the same call through an ABI that nobody knows. They are in the
// order of package arch and have the filter's byte order.
func Known(p *cbpf.Program) []arch.ABI {
	stranger := unknownAudit(p)
	var abis []arch.ABI
	for a := range arch.All() {
		if a.ByteOrder() == p.Order() && knows(p, a, stranger) {
			abis = append(abis, a)
		}
	}
	return abis
}

func knows(p *cbpf.Program, a arch.ABI, stranger uint32) bool {
	for nr := range syscalltables.All(a) {
		if p.Eval(&cbpf.Data{NR: nr, Arch: a.Audit()}) != p.Eval(&cbpf.Data{NR: nr, Arch: stranger}) {
			return true
		}
	}
	return false
}

// unknownAudit returns an AUDIT_ARCH value of no ABI that the program does not
// compare anything with.
func unknownAudit(p *cbpf.Program) uint32 {
	used := make(map[uint32]bool)
	for a := range arch.All() {
		used[a.Audit()] = true
	}
	for pc := range p.Len() {
		used[p.At(pc).K] = true
	}
	v := uint32(0xffff) // EM_ values, the low half, are far smaller (linux/elf-em.h)
	for used[v] {
		v--
	}
	return v
}

// foreign returns the other ABIs that the kernels of some ABIs present.
func foreign(abis []arch.ABI) []arch.ABI {
	target := make(map[arch.ABI]bool)
	family := make(map[arch.ABI]bool)
	for _, a := range abis {
		target[a] = true
		for _, b := range a.Family() {
			family[b] = true
		}
	}
	var others []arch.ABI
	for a := range arch.All() {
		if family[a] && !target[a] {
			others = append(others, a)
		}
	}
	return others
}

// InBitmap reports whether kernels since 5.11 allow all calls with a number without running
// the program, because it is in their bitmap of calls that are always allowed.
func InBitmap(p *cbpf.Program, a arch.ABI, nr uint32) bool {
	allowed, _ := p.ConstAllow(a.Audit(), nr)
	return allowed && HasBitmap(a) && nr < numbers(a)
}

// HasBitmap reports whether kernels cache which calls of an ABI are always allowed:
// those whose asm/seccomp.h defines SECCOMP_ARCH_NATIVE do so for it and for
// their SECCOMP_ARCH_COMPAT. MIPS kernels have neither, and x32 numbers are
// beyond the bitmap.
func HasBitmap(a arch.ABI) bool {
	main := a.Main()
	return a.Valid() && a != arch.X32 && main != arch.MIPS64 && main != arch.MIPSEL64
}

// emulated sums the emulation for the kernel that presents the first ABI, whether
// or not the filter is for all of that kernel's ABIs (kernel/seccomp.c:
// seccomp_cache_prepare).
func emulated(p *cbpf.Program, abis []arch.ABI) int {
	total := 0
	if len(abis) == 0 {
		return 0
	}
	for _, a := range abis[0].Family() {
		if !HasBitmap(a) {
			continue
		}
		for nr := range numbers(a) {
			_, steps := p.ConstAllow(a.Audit(), nr)
			total += steps
		}
	}
	return total
}

// numbers returns an ABI's NR_syscalls: one more than its largest number, not
// counting the private calls of arm, which have a range of their own.
func numbers(a arch.ABI) uint32 {
	n := uint32(0)
	for nr := range syscalltables.All(a) {
		if nr < 0x10000 {
			n = nr + 1
		}
	}
	return n
}

// LoadTime estimates what loading the filter costs in the kernel: a constant, a
// share for each instruction and one for each emulated one. The coefficients were
// fitted to one x86-64 machine with Linux 6.18, where they explain 99 % of the
// variance: compare filters by it, not machines.
func (s *Stats) LoadTime() time.Duration {
	return 23*time.Microsecond + time.Duration(s.Instructions)*147*time.Nanosecond + time.Duration(s.Emulated)*3500*time.Nanosecond/1000
}
