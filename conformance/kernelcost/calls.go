package main

import (
	"fmt"
	"io"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/kernel"
)

// nr is the call that is measured, one that does next to nothing.
const nr = unix.SYS_GETPPID

const (
	callsPerRound = 10_000
	pathLength    = 200 // instructions of the programs whose paths are compared
)

// parts are how many parts the paths have that the cost of one is fitted to.
var parts = []int{5, 10, 20, 30, 40, 50, 60}

// calls prints what a call costs under filters of one instruction and how that grows with
// what is executed.
func calls(w io.Writer, rounds int) error {
	programs := []*cbpf.Program{nil}
	for _, result := range []uint32{uint32(cbpf.Allow), uncached} {
		p, err := program(nil, shape{}, 0, result, 1)
		if err != nil {
			return err
		}
		programs = append(programs, p)
	}
	for _, s := range paths {
		for _, n := range parts {
			p, err := program([]bpf.RawInstruction{load(offNumber)}, s, n, uncached, pathLength)
			if err != nil {
				return err
			}
			programs = append(programs, p)
		}
	}
	ns, err := turns(len(programs), rounds, func(i int) (float64, error) {
		t, err := kernel.Calls(programs[i], []kernel.Syscall{{NR: nr}}, callsPerRound)
		if err != nil {
			return 0, err
		}
		return float64(t[0]), nil
	})
	if err != nil {
		return err
	}
	t := table(w, "a call that does nothing (getppid), ns")
	fmt.Fprintln(t, "\tdecile\tmedian\t")
	for i, name := range []string{"no filter", "in the bitmap", "not in it: one instruction executed"} {
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t\n", name, ns[i].low(), ns[i].median())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	t = table(w, fmt.Sprintf("what one more executed costs (filters of %d instructions, %d to %d executed), ns", pathLength, parts[0], parts[len(parts)-1]))
	fmt.Fprintln(t, "\tof deciles\tR2\tof medians\t")
	for i, s := range paths {
		at := ns[3+i*len(parts):][:len(parts)]
		var x [][]float64
		var least, middle []float64
		for j, n := range parts {
			x = append(x, []float64{1, float64(n)})
			least, middle = append(least, at[j].low()), append(middle, at[j].median())
		}
		a, r2 := fit(x, least)
		b, _ := fit(x, middle)
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%.2f\t\n", s.name, a[1], r2, b[1])
	}
	return t.Flush()
}
