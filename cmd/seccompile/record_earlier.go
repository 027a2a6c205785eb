package main

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/internal/watch"
)

// A recordGap is what a recording lacks because filters were in force before, as in a
// container.
type recordGap struct {
	filters int
	calls   []string // as they were denied
	count   map[string]uint64
	blind   error // why some may be missing
}

// startGap says that filters are in force already, if so.
func (a *app) startGap() *recordGap {
	filters, blind := watch.Earlier()
	a.noteEarlier("record", filters, blind)
	if filters > 0 {
		a.noteTracer("record")
	}
	return &recordGap{filters: filters, count: make(map[string]uint64)}
}

// add counts a call that a filter denied which is not ours.
func (g *recordGap) add(d *watch.Denial) {
	abi, _ := arch.ByAudit(d.Data.Arch, d.Data.NR)
	text := fmt.Sprintf("%s denied %s with %s", others(d.Own), symbols.CallWith(abi, d.Data.NR, d.Data.Args, d.Texts), symbols.Action(abi, d.Action))
	if g.count[text] == 0 {
		if len(g.calls) == maxDenials {
			return
		}
		g.calls = append(g.calls, text)
	}
	g.count[text]++
}

// warnGap says what a recording lacks.
func (a *app) warnGap(g *recordGap) {
	for _, text := range g.calls {
		a.warnf("record: %s, %s, so the profile may lack the call: record where no filter is in force", text, times(g.count[text]))
	}
	if g.blind != nil {
		a.warnf("record: %s in force before, and the profile may lack calls that were denied there and could not be seen: %v",
			countFilters(g.filters, "was", "were"), g.blind)
	}
}
