// Package grade says, with a letter, what a filter leaves to a program that it confines:
// which powers over the kernel and over what is outside of the sandbox remain reachable.
// Start with [NewScale].
//
// It decides by a proof for all arguments, not by the names in a profile, and a weaker
// filter never gets a better grade: a grade is a sum over sets of calls, each of which
// counts where the filter lets any of its calls through.
package grade

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Grade is the answer for one subject.
type Grade struct {
	Points int        // 0 to 100
	ABIs   []arch.ABI // of the kernels
	Lines  []Line     // one for each power, in the order of the page
}

// A Line is what is known of one power.
type Line struct {
	Power
	Lost int   // points
	ways []way // what gives the power and is let through, in the order of ABIs and numbers
	// Reason is why the points were lost or kept, as a phrase.
	Reason string
}

// A way is a call, or neighbouring numbers without one, that gives a power and is let
// through.
type way struct {
	abi    arch.ABI           // of the number
	call   syscalltables.Call // zero for numbers without a call
	always bool               // whatever the arguments are
	// example is such a call with arguments that give the power.
	example cbpf.Data
}

// The letters and the points from which a subject gets them.
var letters = [...]struct {
	letter string
	from   int
}{{"A", 80}, {"B", 60}, {"C", 45}, {"D", 30}, {"E", 15}, {"F", 0}}

// Letters returns all letters, the best first.
func Letters() (list []string) {
	for _, l := range letters {
		list = append(list, l.letter)
	}
	return list
}

// Letter returns "A" to "F".
func (g *Grade) Letter() string {
	for _, l := range letters {
		if g.Points >= l.from {
			return l.letter
		}
	}
	return "F"
}

// Of grades a subject. A call counts as let through where the kernel ranks the answer as
// weaker than ERRNO: what a supervisor or tracer decides is not the filter's to deny. The
// subject must be for the byte order of the ABIs. The error is a [*proof.LimitError], or
// that of a subject that is not valid.
func (s *Scale) Of(subject proof.Subject, l proof.Limits) (*Grade, error) {
	// Behind a filter that denies the powers, what changes is what the subject lets through.
	changes, err := proof.Diff(subject, proof.Stack(proof.Policy(s.denies), subject), l)
	if err != nil {
		return nil, err
	}
	g := &Grade{Points: 100, ABIs: slices.Clone(s.abis)}
	for _, p := range powers {
		g.Lines = append(g.Lines, Line{Power: p})
	}
	for i := range changes {
		c := &changes[i]
		gives := s.sets[c.To.Data()-1]
		ways := s.ways(c)
		for p := range power(len(powers)) {
			if gives.has(p) {
				g.Lines[p].ways = append(g.Lines[p].ways, ways...)
			}
		}
	}
	for p := range power(len(powers)) {
		l := &g.Lines[p]
		slices.SortStableFunc(l.ways, func(x, y way) int { return slices.Index(s.abis, x.abi) - slices.Index(s.abis, y.abi) })
		s.judge(p, l)
		g.Points -= l.Lost
	}
	return g, nil
}

// judge says what a power costs, and why.
func (s *Scale) judge(p power, l *Line) {
	if len(l.ways) > 0 {
		l.Lost = l.Points
	}
	switch p {
	case calls:
		n := len(l.calls())
		l.Lost = l.Points * n / len(s.names[calls])
		l.Reason = fmt.Sprintf("%d of %d", n, len(s.names[calls]))
	case future:
		l.Reason = "not by a number without a call"
		if l.Lost > 0 {
			l.Reason = fmt.Sprintf("by numbers without a call, such as %d", l.ways[0].example.NR)
		}
	case compat, x32:
		l.Reason = s.foreign(p, l)
	default:
		l.Reason = s.through(p, l)
	}
}

// foreign is the reason for the ABIs besides the main one.
func (s *Scale) foreign(p power, l *Line) string {
	var denied, open []string
	for _, a := range s.abis {
		if a == a.Main() || (a == arch.X32) != (p == x32) {
			continue
		}
		if slices.ContainsFunc(l.ways, func(w way) bool { return w.abi == a || w.example.Arch == a.Audit() }) {
			open = append(open, a.String())
		} else {
			denied = append(denied, a.String())
		}
	}
	switch {
	case open != nil:
		return "by " + strings.Join(open, ", ")
	case denied != nil:
		return "not by " + strings.Join(denied, ", ")
	}
	return "the kernel has no such ABI"
}

// through is the reason for a power that some calls give: which of them are let through,
// with the ABIs where the main one denies it, and an example where arguments decide.
func (s *Scale) through(p power, l *Line) string {
	switch {
	case len(s.names[p]) == 0:
		return "the kernel has no such call"
	case len(l.ways) == 0:
		return "not by " + strings.Join(s.names[p], ", ")
	}
	var list []string
	for _, name := range l.calls() {
		var on []string
		main := false
		for _, w := range l.ways {
			if w.call.Name() == name {
				main = main || w.abi == w.abi.Main()
				on = append(on, w.abi.String())
			}
		}
		if !main {
			name += " (" + strings.Join(slices.Compact(on), ", ") + ")"
		}
		list = append(list, name)
	}
	reason := "by " + strings.Join(list, ", ")
	if i := slices.IndexFunc(l.ways, func(w way) bool { return !w.always }); i >= 0 {
		w := &l.ways[i]
		reason += ", such as " + symbols.Call(w.abi, w.example.NR, w.example.Args)
	}
	return reason
}

// calls returns the names of the calls that are let through, each once.
func (l *Line) calls() (names []string) {
	for _, w := range l.ways {
		if w.call.Valid() {
			names = append(names, w.call.Name())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ways returns the calls of a change.
func (s *Scale) ways(c *proof.Change) (list []way) {
	always := len(c.When) == 1 && len(c.When[0]) == 0
	for _, space := range s.denies.Spaces {
		if !c.Audits.Has(space.Audit) {
			continue
		}
		for nr := uint64(c.First); nr <= uint64(c.Last); nr++ {
			w := way{always: always, example: c.Witness.Call}
			w.example.Arch, w.example.NR = space.Audit, uint32(nr)
			task, _ := arch.ByAudit(space.Audit, w.example.NR)
			w.abi = owner(task, w.example.NR)
			w.call, _ = syscalltables.ByNumber(w.abi, w.example.NR)
			list = append(list, w)
			if !w.call.Valid() {
				break // numbers without a call are many, and alike
			}
		}
	}
	return list
}
