package main

import (
	"encoding/binary"
	"slices"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/kernel"
)

const (
	// slice is how long one contender compiles in one round, at least once.
	slice = 20 * time.Millisecond
	// tooSlow is a compile that is not repeated.
	tooSlow = 2 * time.Second
)

func timeCompiles(p *profile, entries []entry, rounds int) {
	us := make([][]float64, len(entries))
	ratios := make([][]float64, len(entries))
	for range rounds {
		for i := range entries {
			e := &entries[i]
			if e.program == nil {
				continue
			}
			t := microseconds(e.once)
			if e.once < tooSlow {
				t = timeCompile(p, e)
			}
			us[i] = append(us[i], t)
			ratios[i] = append(ratios[i], t/us[0][len(us[0])-1])
		}
	}
	for i := range entries {
		entries[i].compile, entries[i].ratio = low(us[i]), median(ratios[i])
	}
}

// timeCompile returns the microseconds of one compile, profile in to bytes out, in
// processor time of the whole process: what the garbage collector does counts.
func timeCompile(p *profile, e *entry) float64 {
	n, start, from := 0, time.Now(), processorTime()
	for n == 0 || time.Since(start) < slice {
		program, _ := e.Compile(p.spec, p.abis)
		program.AppendBinary(nil)
		n++
	}
	return microseconds(processorTime()-from) / float64(n)
}

func processorTime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t) // cannot fail
	return time.Duration(t.Nano())
}

func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

func timeLoads(p *profile, entries []entry, rounds int) error {
	if !p.native() {
		return nil
	}
	us := make([][]float64, len(entries))
	for range 4 * rounds { // one load each is quick
		for i := range entries {
			if entries[i].program == nil {
				continue
			}
			t, err := kernel.Load(entries[i].program)
			if err != nil {
				return err
			}
			us[i] = append(us[i], microseconds(t))
		}
	}
	for i := range entries {
		entries[i].load = low(us[i])
	}
	return nil
}

// callsPerRound is how often a call is made under one filter in one round.
const callsPerRound = 20_000

func timeCalls(p *profile, entries []entry, rounds int) error {
	if p.calls == nil {
		return nil
	}
	base, err := cbpf.New([]bpf.RawInstruction{{Op: 0x06, K: uint32(cbpf.Allow)}}, binary.LittleEndian)
	if err != nil {
		return err
	}
	calls := make([]kernel.Syscall, len(p.calls))
	for i, c := range p.calls {
		calls[i] = c.Syscall
	}
	ns := make([][][]float64, len(entries)) // by entry, call and round
	ratios := make([][][]float64, len(entries))
	for i := range entries {
		ns[i], ratios[i] = make([][]float64, len(calls)), make([][]float64, len(calls))
	}
	for range rounds {
		least, err := kernel.Calls(base, calls, callsPerRound)
		if err != nil {
			return err
		}
		for i := range entries {
			if entries[i].program == nil {
				continue
			}
			t, err := kernel.Calls(entries[i].program, calls, callsPerRound)
			if err != nil {
				return err
			}
			for c := range calls {
				ns[i][c] = append(ns[i][c], float64(t[c]))
				ratios[i][c] = append(ratios[i][c], float64(t[c])/float64(least[c]))
			}
		}
	}
	for i := range entries {
		if entries[i].program == nil {
			continue
		}
		for c := range calls {
			entries[i].calls = append(entries[i].calls, callCost{median(ns[i][c]), median(ratios[i][c])})
		}
	}
	return nil
}

// low returns the first decile: a busy machine makes the median longer.
func low(s []float64) float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(s))[(len(s)-1)/10]
}

func median(s []float64) float64 {
	if len(s) == 0 {
		return 0
	}
	s = slices.Clone(s)
	slices.Sort(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
