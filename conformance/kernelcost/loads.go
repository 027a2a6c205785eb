package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/kernel"
	"github.com/seccompile/seccompile/internal/stats"
)

// A model says what loading costs, in microseconds.
type model struct{ fixed, instruction, emulated float64 }

func (m model) of(instructions, emulated int) float64 {
	return m.fixed + m.instruction*float64(instructions) + m.emulated*float64(emulated)
}

// emulated returns how many instructions the kernel emulates to load p.
func emulated(p *cbpf.Program) int {
	return stats.Measure(p, stats.Options{ABIs: []arch.ABI{arch.X86_64}}).Emulated
}

// loads fits the time to load filters: ours, and libseccomp's trees for the same profiles.
// Lists would do no good, as a processor predicts their emulation better. Each filter is loaded in four forms, so that length and emulation vary independently: as it is, with a
// copy of itself behind it that nothing reaches, and both of these behind a load that the
// emulation does not follow.
func loads(w io.Writer, rounds int, filters []*cbpf.Program) (model, error) {
	var programs []*cbpf.Program
	for _, p := range filters {
		for _, start := range [][]bpf.RawInstruction{nil, {load(offArgs)}} {
			for copies := range 2 {
				raw := slices.Concat(start, slices.Repeat(p.Raw(), copies+1))
				q, err := cbpf.New(raw, p.Order())
				if err != nil {
					return model{}, err
				}
				programs = append(programs, q)
			}
		}
	}
	took, err := timeLoads(programs, rounds)
	if err != nil {
		return model{}, err
	}
	var x [][]float64
	for _, p := range programs {
		x = append(x, []float64{1, float64(p.Len()), float64(emulated(p))})
	}
	t := table(w, fmt.Sprintf("loading: fixed + per instruction + per emulated instruction, us (%d filters in four forms)", len(filters)))
	fmt.Fprintln(t, "\tfixed\tinstruction\temulated\tR2\tmedian error\tlargest error\tan instruction weighs\t")
	var lowest model
	for i, of := range []struct {
		name string
		y    func(sample) float64
	}{{"deciles", sample.low}, {"medians", sample.median}} {
		var y []float64
		for _, s := range took {
			y = append(y, of.y(s))
		}
		c, r2 := fit(x, y)
		var off sample
		for j := range y {
			off = append(off, 100*math.Abs(dot(c, x[j])/y[j]-1))
		}
		fmt.Fprintf(t, "%s\t%.1f\t%.4f\t%.5f\t%.4f\t%.0f %%\t%.0f %%\t%.0f\t\n", of.name, c[0], c[1], c[2], r2, off.median(), slices.Max(off), c[1]/c[2])
		if i == 0 {
			lowest = model{c[0], c[1], c[2]}
		}
	}
	return lowest, t.Flush()
}

// timeLoads returns the microseconds that each program took to load.
func timeLoads(programs []*cbpf.Program, rounds int) ([]sample, error) {
	return turns(len(programs), rounds, func(i int) (float64, error) {
		t, err := kernel.Load(programs[i])
		return float64(t.Nanoseconds()) / 1e3, err
	})
}

// formLength is how many instructions of one form a program has.
const formLength = 600

// forms prints what an instruction of each form costs to load.
func forms(w io.Writer, rounds int) error {
	list := []struct {
		name string
		bpf.RawInstruction
	}{
		{"JEQ, jf 0", equal(never, 1, 0)},
		{"JEQ, jf 0, again", equal(never, 1, 0)}, // what differs from the first is noise
		{"JEQ, jt 0", equal(never, 0, 1)},
		{"JEQ, two targets", equal(never, 1, 2)},
		{"JEQ, two targets, both far", equal(never, 150, 152)},
		{"JEQ, jf 0, target far", equal(never, 150, 0)},
		{"JEQ, jf 0, constant of 8 bits", equal(5, 1, 0)},
		{"JEQ, jf 0, constant with bit 31", equal(never|1<<31, 1, 0)},
		{"JSET, jf 0", bpf.RawInstruction{Op: opBitSet, K: never, Jt: 1}},
		{"JSET, jt 0", bpf.RawInstruction{Op: opBitSet, K: never, Jf: 1}},
		{"JA", bpf.RawInstruction{Op: opJump, K: 1}},
		{"AND", bpf.RawInstruction{Op: opAnd, K: never}},
		{"LD", load(offNumber)},
		{"RET", ret(0)},
	}
	bare, err := program(nil, shape{}, 0, uint32(cbpf.Allow), 300)
	if err != nil {
		return err
	}
	programs := []*cbpf.Program{bare}
	for _, f := range list {
		form := shape{part: func(int) []bpf.RawInstruction { return []bpf.RawInstruction{f.RawInstruction} }}
		// ALLOW at once: every program is emulated in one step a number.
		p, err := program([]bpf.RawInstruction{ret(uint32(cbpf.Allow))}, form, formLength, uint32(cbpf.Allow), formLength+300)
		if err != nil {
			return err
		}
		programs = append(programs, p)
	}
	took, err := timeLoads(programs, rounds)
	if err != nil {
		return err
	}
	t := table(w, fmt.Sprintf("loading: one more instruction of a form (of %d), ns", formLength))
	fmt.Fprintln(t, "\tdecile\tmedian\t")
	for i, f := range list {
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t\n", f.name,
			(took[i+1].low()-took[0].low())/formLength*1e3, (took[i+1].median()-took[0].median())/formLength*1e3)
	}
	return t.Flush()
}
