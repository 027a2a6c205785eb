package edit

import (
	"errors"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/policy"
)

// A goal is what a profile should mean after a change, in each of its contexts.
type goal struct {
	want    []*policy.Resolved
	through bool // multiplexers, too
}

// goals returns what a change may lead to, the better one first.
func (p *profile) goals(c *Change) (list []*goal) {
	for _, through := range []bool{true, false} {
		if !through && !slices.ContainsFunc(p.abis(), func(a arch.ABI) bool { return multiplexes(a, c.Specs) }) {
			break
		}
		g := &goal{through: through}
		for _, ctx := range p.contexts {
			g.want = append(g.want, wanted(ctx.resolved, c, through))
		}
		list = append(list, g)
	}
	return list
}

// multiplexes reports whether programs can make calls of specs through a multiplexer.
func multiplexes(a arch.ABI, specs []Spec) bool {
	return slices.ContainsFunc(specs, func(s Spec) bool {
		_, _, ok := s.Call.Multiplexed(a)
		return ok
	})
}

// reached reports whether a profile means what it should, but for the slack, or else the
// first thing that it does not.
func (g *goal) reached(p *profile, within *slack) error {
	var k comparer
	for i, ctx := range p.contexts {
		found, err := k.changes(within.allowed(g.want[i], ctx.resolved), ctx.resolved)
		if err != nil {
			return err
		}
		for j := range found {
			if !within.covers(&found[j], g.want[i]) {
				return errors.New(describe(&found[j], ctx))
			}
		}
	}
	return nil
}

// A step is a change that was made.
type step struct {
	profile *profile
	reached *goal
	slack   *slack
}

// try carries out a plan, and fills up what it leaves of the bound for newer calls. Those
// asked for need not keep ENOSYS.
func (p *profile) try(made *plan, goals []*goal, asked []string) (*step, error) {
	var first error
	for made != nil {
		next, err := p.with(p.text(made))
		if err != nil {
			return nil, err
		}
		for i, g := range goals {
			s := &slack{restated: made.restated, asked: asked}
			err := g.reached(next, s)
			if err == nil {
				return &step{next, g, s}, nil
			}
			if i == 0 {
				first = err
			}
		}
		made = p.fillers(made, goals[0].want, next)
	}
	return nil, first
}

// noteStep notes what a change could not change, and what else it had to.
func (e *editor) noteStep(c *Change, goals []*goal, s *step) {
	standard := e.profile.standard()
	for _, holes := range s.slack.holes {
		e.note("numbers that no call has, %s, since the profile names newer calls now", holes)
	}
	if calls := s.slack.renumbered; calls != nil {
		slices.Sort(calls)
		e.note("ENOSYS in place of %v, since a rule holds on all ABIs and others need it: %s", standard, strings.Join(slices.Compact(calls), ", "))
	}
	if calls := s.slack.known; calls != nil {
		slices.Sort(calls)
		e.note("%v in place of ENOSYS where the conditions do not hold, since the profile names the call now: %s", standard, strings.Join(slices.Compact(calls), ", "))
	}
	reached := s.reached
	var k comparer
	var abis []arch.ABI
	for i := range reached.want {
		if reached == goals[0] {
			break
		}
		if found, err := k.changes(goals[0].want[i], reached.want[i]); err == nil && len(found) == 0 {
			continue
		}
		for _, a := range e.profile.contexts[i].resolved.ABIs() {
			if !slices.Contains(abis, a) && multiplexes(a, c.Specs) {
				abis = append(abis, a)
			}
		}
	}
	if abis != nil {
		e.note("%s: %s: what programs get that make the call through socketcall or ipc stays as it was: the profile cannot tell it apart there", c.Specs[0].Call.Name(), listing.Names(abis))
	}
}
