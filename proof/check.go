package proof

import (
	"errors"
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A Report is what [Check] finds out about a program.
type Report struct {
	// Result answers whether the program means what it should.
	Result
	// Findings are faults that do not change the meaning. A compiled program has
	// none. Unless the Verdict is Same, faults may be missing.
	Findings []Finding
	// LongestPath is the largest number of instructions that a call executes, and
	// LongestCall is such a call. If the call executes less, LongestPath is only an
	// upper bound.
	LongestPath int
	LongestCall cbpf.Data
	bitmaps     []bitmap
}

// OK reports whether the program is proved and without faults.
func (r *Report) OK() bool { return r.Verdict == Same && len(r.Findings) == 0 }

// Bitmap returns the numbers of an ABI's table (1024 from its first) that kernels since
// Linux 5.11 allow without running the program: see [cbpf.Program.ConstAllow]. It reports
// false if kernels keep no bitmap of that ABI's calls: not of MIPS's, and x32's numbers are
// beyond it (kernel/seccomp.c: SECCOMP_ARCH_NATIVE). Unless the Verdict is Same, numbers
// may be missing.
func (r *Report) Bitmap(a arch.ABI) (policy.Intervals, bool) {
	if main := a.Main(); a == arch.X32 || main == arch.MIPS64 || main == arch.MIPSEL64 {
		return nil, false
	}
	var out policy.Intervals
	for _, b := range r.bitmaps {
		if b.audit != a.Audit() {
			continue
		}
		for _, i := range b.allowed {
			i.First, i.Last = max(i.First, a.Base()), min(i.Last, a.Base()+tableSize-1)
			if i.First <= i.Last {
				out = append(out, i)
			}
		}
	}
	return out, true
}

// A bitmap is the numbers of one AUDIT_ARCH value, of the tables' range, that kernels
// allow without running the filter, as far as they keep a bitmap for the ABI at all.
type bitmap struct {
	audit   uint32
	allowed policy.Intervals
}

// A Kind is a class of findings.
type Kind uint8

// The kinds of findings.
const (
	Refused     Kind = iota + 1 // the kernel does not accept the program
	Unreachable                 // no call executes the instruction
	OneWay                      // every call that executes the test goes the same way
	Slow                        // always allowed, but the kernel's emulation does not see it
	TooFast                     // the kernel's emulation allows what should be decided otherwise
)

// A Finding is one fault of a program.
type Finding struct {
	Kind   Kind
	PC     int    // the instruction; for Slow and TooFast 0
	Audit  uint32 // the call, for Slow and TooFast
	NR     uint32
	Reason string // for Refused
}

// String describes the finding.
func (f Finding) String() string {
	switch f.Kind {
	case Refused:
		return "the kernel refuses the program: " + f.Reason
	case Unreachable:
		return fmt.Sprintf("instruction %d: no call reaches it", f.PC)
	case OneWay:
		return fmt.Sprintf("instruction %d: the test goes the same way for every call", f.PC)
	case Slow:
		return fmt.Sprintf("arch 0x%08x call %d: always allowed, but the kernel's bitmap misses it", f.Audit, f.NR)
	case TooFast:
		return fmt.Sprintf("arch 0x%08x call %d: not always allowed, but the kernel's bitmap has it", f.Audit, f.NR)
	}
	return fmt.Sprintf("Kind(%d)", uint8(f.Kind))
}

// Check proves that p means what want does, as [Equal] does, and examines how it
// does so: that kernels accept it, that every instruction and every way out of a
// test is taken by some call, and that exactly the unconditional allows of want
// are allowed by the kernel's bitmap. The error is as for [Equal].
func Check(want Subject, p *cbpf.Program, l Limits) (Report, error) {
	if err := errors.Join(validate(want), Program(p).validate()); err != nil {
		return Report{}, err
	}
	var g groups
	want.groups(&g)
	join(p, &g)
	u := newUniverse(newOrder(g), l.orDefault())
	wanted := want.lift(u)
	run := execute(u, p, true)
	result, err := u.compare(want, Program(p), wanted, &run.out)
	r := Report{Result: result}
	if err != nil {
		return r, err
	}
	if err := cbpf.Verify(p.Raw()); err != nil {
		r.Findings = append(r.Findings, Finding{Kind: Refused, Reason: err.Error()})
	}
	if u.over != "" {
		r.LongestPath = p.Len()
		return r, nil
	}
	r.Findings = append(r.Findings, run.deadCode()...)
	r.LongestPath, r.LongestCall = run.longest, u.pick(u.onKnownABI(run.slowest))
	if g.joined(wordArch) || g.joined(wordNR) {
		// The numbers cannot be split in this order.
		u = newUniverse(newOrder(groups{}), l.orDefault())
		wanted = want.lift(u)
	}
	r.checkBitmap(u, wanted, p)
	if u.over != "" && r.Verdict == Same {
		r.Verdict, r.Reason = Unknown, u.reason()
	}
	return r, nil
}

// deadCode returns the instructions that no call executes and the tests that go
// one way only.
func (l *lifter) deadCode() []Finding {
	var out []Finding
	for pc, reached := range l.reached {
		ins := l.program.At(pc)
		test := ins.Op&classMask == classJmp && ins.Op != opJa
		switch {
		case !reached:
			out = append(out, Finding{Kind: Unreachable, PC: pc})
		case test && (l.ways[pc] != 3 || ins.Jt == ins.Jf):
			out = append(out, Finding{Kind: OneWay, PC: pc})
		}
	}
	return out
}

// tableSize is more than any kernel's NR_syscalls above the base of the ABI.
const tableSize = 1024

// checkBitmap compares the calls that want always allows with those that the kernel's
// emulation of p does: all numbers in the range of the tables, and the first and
// last of each further run of numbers. It stops once a limit is hit.
func (r *Report) checkBitmap(u *universe, want *outcome, p *cbpf.Program) {
	allow := slices.IndexFunc(want.regions, func(g region) bool { return g.action == cbpf.Allow })
	for _, a := range u.split(want.tuple(), wordArch) {
		audit, parts := a.first, u.split(a.rest, wordNR)
		if u.over != "" {
			return
		}
		var allowed policy.Intervals
		nrs := numbers(audit, parts)
		for _, part := range parts {
			always := part.rest.is(allow)
			for ; len(nrs) > 0 && nrs[0] <= part.last; nrs = nrs[1:] {
				nr := nrs[0]
				ok, _ := p.ConstAllow(audit, nr)
				switch {
				case always && !ok:
					r.Findings = append(r.Findings, Finding{Kind: Slow, Audit: audit, NR: nr})
				case ok && !always && len(want.computed) == 0:
					r.Findings = append(r.Findings, Finding{Kind: TooFast, Audit: audit, NR: nr})
				}
				if n := len(allowed); ok && n > 0 && allowed[n-1].Last == nr-1 {
					allowed[n-1].Last = nr
				} else if ok {
					allowed = append(allowed, policy.Interval{First: nr, Last: nr})
				}
			}
		}
		if _, known := arch.ByAudit(audit, 0); known {
			r.bitmaps = append(r.bitmaps, bitmap{audit, allowed})
		}
	}
}

// numbers returns the numbers to emulate, ascending.
func numbers(audit uint32, parts []part) []uint32 {
	var nrs []uint32
	for _, p := range parts {
		nrs = append(nrs, p.first, p.last)
	}
	for a := range arch.All() {
		if a.Audit() == audit {
			for i := range uint32(tableSize) {
				nrs = append(nrs, a.Base()+i)
			}
		}
	}
	slices.Sort(nrs)
	return slices.Compact(nrs)
}
