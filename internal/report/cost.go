package report

import (
	"fmt"
	"time"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/internal/stats"
)

// A cost is the size of a side's filter and what kernels spend on it.
type cost struct {
	TooLong string // there is no filter, and why
	Figures []figure
	Classes []stats.Class
	ABIs    []abiCost
}

// A figure is one number, with what it counts.
type figure struct{ Value, Unit, Note string }

// An abiCost is what calls through one ABI cost.
type abiCost struct {
	ABI     string
	Bitmap  string // how many of the always allowed calls the kernel's bitmap knows
	Classes []classCost
}

// A classCost is what calls of one class execute of the filter.
type classCost struct {
	Calls int
	Mean  string
	Max   int
}

// cost compiles a side and measures its filter.
func (b *builder) cost(s *subject) cost {
	if s.Filter != nil {
		return b.filterCost(s)
	}
	result, err := proved.Compile(s.Resolved, b.options.Compiler)
	if err != nil {
		return cost{TooLong: reason(err)}
	}
	return measured(stats.Compiled(&result.Result, stats.Options{ABIs: s.abis}))
}

// measured writes the measures of a filter.
func measured(m *stats.Stats) cost {
	cached, always, known := 0, 0, false
	for i := range m.ABIs {
		a := &m.ABIs[i]
		always += a.Allowed
		if a.Bitmap {
			cached += a.Classes[stats.Cached].Calls
			known = true
		}
	}
	share, value := "it allows no call whatever its arguments", "none"
	switch {
	case !known:
		share = "the kernel has no bitmap for these ABIs"
	case always > 0:
		share = fmt.Sprintf("%d of %d, since Linux 5.11", cached, always)
		value = fmt.Sprintf("%.0f %%", 100*float64(cached)/float64(always))
	}
	c := cost{Classes: stats.Classes(), Figures: []figure{
		{fmt.Sprint(m.Instructions), "instructions", fmt.Sprintf("of at most %d; %d bytes", cbpf.MaxInstructions, 8*m.Instructions)},
		{fmt.Sprint(m.Longest), "on the longest path", "instructions that one call may execute"},
		{value, "of always allowed calls skip the filter", share},
		{fmt.Sprintf("%.0f µs", float64(m.LoadTime())/float64(time.Microsecond)), "to load, about", fmt.Sprintf("%d instructions emulated", m.Emulated)},
	}}
	for i := range m.ABIs {
		c.ABIs = append(c.ABIs, abiFigures(&m.ABIs[i]))
	}
	return c
}

func abiFigures(a *stats.ABI) abiCost {
	c := abiCost{ABI: a.ABI.String(), Bitmap: "no bitmap"}
	if a.Bitmap {
		c.Bitmap = fmt.Sprintf("%d of %d in the bitmap", a.Classes[stats.Cached].Calls, a.Allowed)
	}
	for _, class := range stats.Classes() {
		e := a.Classes[class]
		c.Classes = append(c.Classes, classCost{e.Calls, fmt.Sprintf("%.1f", e.Mean()), e.Max})
	}
	return c
}
