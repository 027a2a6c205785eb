package cases

import (
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// Points returns calls for a program of an ABI to make to a kernel with the given
// main ABI, limit of them at most,
// whose verdicts can be watched: on and beside every boundary that the policy
// has; every number of the ABI's table; and every boundary of argument words in
// every argument that is looked at. The instruction pointers are zero.
//
// p is the filter in force. A call that p or the policy would let through is left
// out unless it is harmless.
func (c *Case) Points(kernel, abi arch.ABI, p *cbpf.Program, limit int) []cbpf.Data {
	r := gen.New(c.Seed)
	var points []cbpf.Data
	add := func(d cbpf.Data) {
		d.IP = 0
		if seen, ok := Seen(kernel, abi, d); ok && askable(abi, c.Resolved, &seen) && askable(abi, p, &seen) {
			points = append(points, seen)
		}
	}
	for d := range gen.Points(r, c.Resolved, p, 2) {
		if d.Arch == abi.Audit() {
			add(*d)
		}
	}
	for nr := range syscalltables.All(abi) {
		d := cbpf.Data{NR: nr, Arch: abi.Audit()}
		for i := range d.Args {
			d.Args[i] = gen.Word(r)
		}
		add(d)
	}
	r.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	if c.Name == "words" { // the point of it: in front of the others
		rest := points
		points = nil
		c.wordPoints(abi, add)
		limit = max(limit, len(points))
		points = append(points, rest...)
	}
	return points[:min(limit, len(points))]
}

// wordPoints adds every boundary value, and its neighbours, in every argument that
// a rule looks at.
func (c *Case) wordPoints(abi arch.ABI, add func(cbpf.Data)) {
	var values []uint64
	for _, v := range boundaries() {
		values = append(values, v-1, v, v+1, v<<32|v>>32)
	}
	slices.Sort(values)
	values = slices.Compact(values)
	for _, space := range c.Resolved.Spaces {
		if space.Audit != abi.Audit() {
			continue
		}
		for _, call := range space.Calls {
			for _, clause := range call.Clauses {
				for _, cond := range clause.Conds {
					for _, v := range values {
						d := cbpf.Data{NR: call.NR, Arch: space.Audit}
						for i := range d.Args {
							d.Args[i] = ^v
						}
						d.Args[cond.Arg] = v
						add(d)
					}
				}
			}
		}
	}
}

// An evaluator is a policy or a program.
type evaluator interface {
	Eval(*cbpf.Data) cbpf.Action
}

// askable reports whether a program of an ABI can make a call and see the verdict:
// the call fails, or it is a harmless one of this ABI.
func askable(abi arch.ABI, e evaluator, d *cbpf.Data) bool {
	switch a := e.Eval(d); a.Class() {
	case cbpf.ErrnoClass:
		return true
	case cbpf.Allow:
		its, ok := arch.ByAudit(d.Arch, d.NR)
		return ok && its == abi && slices.Contains(harmless(), policy.Names().Syscall(d.Arch, d.NR))
	default:
		return false
	}
}

// Seen returns what a filter sees when a program of an ABI makes a call to a
// kernel with the given main ABI. ok is false for calls that no filter sees as they
// are.
func Seen(kernel, abi arch.ABI, d cbpf.Data) (seen cbpf.Data, ok bool) {
	for i := range d.Args {
		switch {
		case Wide(abi):
		case kernel == arch.MIPS64 || kernel == arch.MIPSEL64:
			// The registers of o32's programs hold sign-extended words.
			d.Args[i] = uint64(int32(d.Args[i]))
		default:
			d.Args[i] &= 0xffffffff
		}
	}
	switch abi.Main() {
	case arch.X86_64:
		// No filter sees uretprobe and uprobe (kernel/seccomp.c:
		// seccomp_uprobe_exception).
		return d, d.Arch != arch.X86_64.Audit() || d.NR != 335 && d.NR != 336
	case arch.MIPS64, arch.MIPSEL64:
		// The number 4000 is syscall(2), which a filter sees as the call that its
		// first argument names.
		return d, d.NR != 4000
	case arch.S390X:
		// The number has 16 bits (arch/s390/kernel/syscall.c: __do_syscall).
		return d, d.NR>>16 == 0
	default:
		return d, true
	}
}

// Wide reports whether a program of an ABI passes arguments of 64 bits: those of
// x32 and n32 use the whole registers of a 64-bit processor.
func Wide(abi arch.ABI) bool {
	return abi.Bits() == 64 || abi == arch.X32 || abi == arch.MIPS64N32 || abi == arch.MIPSEL64N32
}

// Want returns the error number that the call must fail with, 0 if it must
// succeed.
func (c *Case) Want(d *cbpf.Data) uint16 {
	return c.Resolved.Eval(d).Effective().Data()
}
