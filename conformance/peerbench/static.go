package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/peers"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// An entry is one contender's program for a profile and what it costs.
type entry struct {
	contender
	program *cbpf.Program // nil where the contender cannot express the profile
	static  static
	once    time.Duration // the first compile
	compile float64       // microseconds
	ratio   float64       // of the compile time to the first contender's
	load    float64       // microseconds
	calls   []callCost
}

// A callCost is the price of one call.
type callCost struct {
	ns    float64
	ratio float64 // to the price under a filter of one instruction that allows
}

// static are the costs that follow from the program alone.
type static struct {
	allowed, missing tally
	cached, allows   int // numbers in the kernel's bitmap, of those always allowed
}

// A tally counts executed instructions.
type tally struct{ sum, n, max int }

func (t *tally) add(steps int) { t.sum, t.n, t.max = t.sum+steps, t.n+1, max(t.max, steps) }

func (t *tally) mean() float64 { return float64(t.sum) / float64(max(t.n, 1)) }

func compileAll(p *profile) ([]entry, error) {
	asked, err := oci.FromSpec(p.spec)
	if err != nil {
		return nil, err
	}
	meant, _, err := policy.Resolve(asked, policy.Options{ABIs: p.abis, ENOSYS: policy.ENOSYS{Off: true}})
	if err != nil {
		return nil, err
	}
	var entries []entry
	for i, c := range contenders() {
		e := entry{contender: c}
		start := processorTime()
		e.program, err = c.Compile(p.spec, p.abis)
		e.once = processorTime() - start
		var tooLong *cbpf.VerifyError
		excused := errors.Is(err, peers.ErrInexpressible) || errors.As(err, &tooLong)
		if err != nil && (i == 0 || !excused) {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		if e.program != nil {
			e.static = count(e.program, meant, p.abis[0])
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// numbers is how many numbers of an ABI are counted: all that Linux uses, and a
// few more.
const numbers = 512

// count runs a program on every number of an ABI.
func count(p *cbpf.Program, meant *policy.Resolved, a arch.ABI) static {
	var s static
	for i := range uint32(numbers) {
		nr := a.Base() + i
		d := cbpf.Data{NR: nr, Arch: a.Audit()}
		action, steps := p.Trace(&d)
		cached, _ := p.ConstAllow(a.Audit(), nr)
		if action == cbpf.Allow {
			s.allowed.add(len(steps))
		}
		if !cached {
			s.missing.add(len(steps))
			for _, args := range arguments(meant, nr) {
				d.Args = args
				_, steps := p.Trace(&d)
				s.missing.add(len(steps))
			}
		}
		if always(meant, a.Audit(), nr) {
			s.allows++
			if cached {
				s.cached++
			}
		}
	}
	return s
}

// always reports whether the profile allows a number whatever its arguments.
func always(meant *policy.Resolved, audit, nr uint32) bool {
	for _, c := range meant.Spaces[0].Calls {
		if c.NR == nr {
			return len(c.Clauses[0].Conds) == 0 && c.Clauses[0].Action == cbpf.Allow
		}
	}
	return meant.Eval(&cbpf.Data{NR: nr, Arch: audit}) == cbpf.Allow
}

// arguments returns sets of arguments that the conditions on a number tell
// apart: one that meets each clause, and the neighbours of each value.
func arguments(meant *policy.Resolved, nr uint32) [][6]uint64 {
	var out [][6]uint64
	for _, c := range meant.Spaces[0].Calls {
		if c.NR != nr {
			continue
		}
		for _, clause := range c.Clauses {
			var met [6]uint64
			for _, cond := range clause.Conds {
				met[cond.Arg] = cond.Value
			}
			out = append(out, met)
			for _, cond := range clause.Conds {
				for _, v := range []uint64{cond.Value - 1, cond.Value + 1, ^cond.Value} {
					near := met
					near[cond.Arg] = v
					out = append(out, near)
				}
			}
		}
	}
	return out
}
