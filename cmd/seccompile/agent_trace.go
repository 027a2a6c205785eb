package main

import (
	"cmp"

	"github.com/seccompile/seccompile/internal/agent"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/loader"
)

// traceAgent traces the containers that runtimes hand over.
func (a *app) traceAgent(t *traceRun, args []string) error {
	if err := t.agent.check("trace", args); err != nil {
		return err
	}
	if t.outer != "" {
		return failure.Usagef("trace: --agent and --outer exclude each other: a runtime installs no filters before the profile's")
	}
	if err := a.readTraced(t); err != nil {
		return err
	}
	profile, err := agentProfile(t.compiled.Resolved, t.compiled.Resolved.ABIs(), t.compiled.Resolved.Default, t.agent.socket)
	if err != nil {
		return err
	}
	if t.agent.profile {
		return a.putPolicy(t.report, profile)
	}
	w, closeReport, err := a.openReport(t.report)
	if err != nil {
		return err
	}
	report := &shared{to: w}
	err = a.serve("trace", t.agent.socket, func(name string, pid int) (agent.Session, error) {
		s := &traceSession{traceRun: *t}
		s.app, _ = a.within(name)
		s.denials = t.newDenials(report)
		if s.denials.container = name; !t.json {
			s.denials.w = &named{name, report}
		}
		s.app.note("trace: tracing, process %d", pid)
		return s, nil
	})
	return cmp.Or(err, closeReport())
}

// A traceSession traces one container.
type traceSession struct {
	traceRun
	app *app
}

// Handle implements agent.Session.
func (s *traceSession) Handle(n *loader.Notification) error { return s.handle(n) }

// End implements agent.Session: it sums up the denials.
func (s *traceSession) End() {
	s.denials.end(0)
	if s.denials.err != nil {
		s.app.report(nil, s.denials.err)
	}
}
