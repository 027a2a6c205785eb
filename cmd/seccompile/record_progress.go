package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seccompile/seccompile/internal/answer"
)

// A progress shows on standard error how a recording goes: on a terminal in a line that
// changes, elsewhere in lines that become rarer.
type progress struct {
	calls, kinds, processes atomic.Int64

	app   *app
	based bool // calls that a profile allows are not counted
	since time.Time
	drawn bool // a line is on the terminal
	done  chan struct{}
	ended sync.WaitGroup
}

// startProgress starts to show progress of a recording, which may be based on a profile.
func (a *app) startProgress(based bool) *progress {
	p := &progress{app: a, based: based, since: time.Now(), done: make(chan struct{})}
	if a.quiet {
		return p
	}
	p.ended.Go(p.run)
	return p
}

// stop ends the display and clears the line.
func (p *progress) stop() {
	close(p.done)
	p.ended.Wait()
	p.clear()
}

// The pace: of the line on a terminal, and of the first line elsewhere.
const (
	redraw    = 500 * time.Millisecond
	firstLine = 10 * time.Second
)

func (p *progress) run() {
	line := isTerminal(p.app.terminal)
	wait := redraw
	if !line {
		wait = firstLine
	}
	drawn := int64(0) // calls
	for {
		select {
		case <-p.done:
			return
		case <-time.After(wait):
		}
		switch calls := p.calls.Load(); {
		case !line:
			p.app.note("record: %s so far", p)
			wait *= 2
		case calls != drawn && isCooked(p.app.terminal): // the program may draw on it, too
			fmt.Fprintf(p.app.terminal, "\r\x1b[Kseccompile: recording: %s", p)
			drawn, p.drawn = calls, true
		}
	}
}

func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.app.terminal, "\r\x1b[K")
		p.drawn = false
	}
}

// String sums up the recording: "74 calls of 31 kinds by 3 processes in 1.4s".
func (p *progress) String() string {
	if p.calls.Load() == 0 {
		what := "no calls"
		if p.based {
			what = "no calls but those that the profile allows"
		}
		return what + " in " + rounded(time.Since(p.since)).String()
	}
	processes := "1 process"
	if n := p.processes.Load(); n != 1 {
		processes = fmt.Sprintf("%d processes", n)
	}
	return fmt.Sprintf("%s of %s by %s in %s", answer.Plural(int(p.calls.Load()), "call"), answer.Plural(int(p.kinds.Load()), "kind"),
		processes, rounded(time.Since(p.since)))
}
