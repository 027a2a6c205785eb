package compile

import (
	"maps"
	"math"
	"slices"

	"github.com/seccompile/seccompile/syscalltables"
)

// sizeWeight is the cost of an instruction in units of one executed instruction
// for one number: at load time the kernel spends 0.175 us on an instruction and
// 0.0031 us on each step of the emulation that finds the calls which are always
// allowed, so an instruction weighs as much as some 55 steps.
const sizeWeight = 54

// shortWeight takes its place where a tree would be longer than a list.
const shortWeight = 16 * sizeWeight

// Weights of numbers. A call that is always allowed or denied is looked at when
// the kernel emulates the filter for each number, once, and where there is no
// bitmap of such calls. A call whose arguments decide runs the filter each time:
// docs/RATIONALE.md has what that costs, and how often programs make such calls.
const (
	emulated     = 480 // numbers of an ABI that weigh one; Linux 7.2 emulates 472
	argumentCall = 20  // more for calls whose arguments decide
)

// x32Weight divides the weights of x32 numbers: the kernel does not emulate them,
// and hardly any program uses them.
const x32Weight = 16

// archWeight prefers the number spaces in their order.
func (l *lowerer) archWeight(c Case) uint64 {
	for i, s := range l.g.spaces {
		if c.First == s.audit && c.Last == s.audit {
			return 1 << max(0, 10-2*i)
		}
	}
	return 0
}

// argWeight prefers values that a rule names, and ranges of them, to the rest.
func (l *lowerer) argWeight(c Case) uint64 {
	switch {
	case c.To == l.g.usual:
		return 4
	case c.First == c.Last:
		return 16
	}
	return 64
}

// numberWeight sums up what the numbers of a case weigh in a space.
func (l *lowerer) numberWeight(s space, c Case) uint64 {
	w := uint64(0)
	for _, a := range s.abis {
		first := max(uint64(c.First), uint64(a.Base()))
		last := min(uint64(c.Last), uint64(a.Base())+emulated-1)
		if first <= last {
			w += last - first + 1
		}
	}
	if l.g.nodes[c.To].Kind != Leaf {
		w += argumentCall * (uint64(c.Last) - uint64(c.First) + 1)
	}
	for _, f := range l.hot {
		if f.audit == s.audit && c.First <= f.nr && f.nr <= c.Last {
			w += f.weight
		}
	}
	return min(w, math.MaxUint32)
}

// A frequency is the weight of a number in a frequency profile.
type frequency struct {
	audit, nr uint32
	weight    uint64
}

// frequencyWeight is the weight of a whole frequency profile, maxFrequency the
// largest weight in one: what is above counts as that.
const (
	frequencyWeight = 1 << 14
	maxFrequency    = 1 << 48
)

// frequencies resolves a frequency profile. Names that an ABI does not have weigh
// nothing there.
func frequencies(spaces []space, weights map[string]uint64) []frequency {
	var list []frequency
	total := uint64(0)
	names := slices.Sorted(maps.Keys(weights))
	for _, name := range names {
		total += min(weights[name], maxFrequency)
	}
	for _, name := range names {
		call, ok := syscalltables.Lookup(name)
		if !ok || weights[name] == 0 {
			continue
		}
		w := min(weights[name], maxFrequency) * frequencyWeight / total
		for _, s := range spaces {
			for _, a := range s.abis {
				if nr, ok := call.Number(a); ok {
					list = append(list, frequency{s.audit, nr, w})
				}
			}
		}
	}
	return list
}
