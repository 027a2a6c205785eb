package playground

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/report"
	"github.com/seccompile/seccompile/proof"
)

// pair returns two subjects for the same kernel.
func (e *Engine) pair(of Subject, second Source) (a, b *subject, err error) {
	if a, err = e.good(of); err != nil {
		return nil, nil, err
	}
	target := of.Target
	if len(target.ABIs) == 0 {
		target.ABIs = intake.ABINames(a.abis) // the second text may name others
	}
	if b, err = e.good(Subject{second, target}); err != nil {
		return nil, nil, err
	}
	return a, b, answer.SameOrder(a.side(), b.side())
}

// compare proves how two subjects differ.
func (e *Engine) compare(q *compareOf) (*Comparison, error) {
	a, b, err := e.pair(q.Subject, q.Second)
	if err != nil {
		return nil, err
	}
	found, err := proof.Diff(a.side().Subject, b.side().Subject, proof.Limits{})
	if err != nil {
		return nil, answer.Unlimited(err)
	}
	d, err := answer.NewDifference(a.side(), b.side(), found, false)
	if err != nil {
		return nil, err
	}
	abis := slices.Concat(a.abis, b.abis)
	slices.Sort(abis)
	sentences, weaker := report.Headline(found, slices.Compact(abis), "A", "B")
	c := &Comparison{Document: d.Document(), Headline: strings.Join(sentences, " "), Weaker: weaker, Words: []ChangeWords{}}
	for _, h := range d.Headings {
		for _, g := range h.Groups() {
			if len(g.Always) > 0 {
				c.Words = append(c.Words, changeWords(g.Always[0].Changes[0], 0))
			}
			for _, l := range g.Partly {
				c.Words = append(c.Words, changeWords(l.Changes[0], l.Changes[0].Shown()))
			}
		}
	}
	return c, nil
}

// changeWords writes a change, with at least so many arguments of the witness.
func changeWords(c *answer.Change, args int) ChangeWords {
	return ChangeWords{
		When: strings.TrimPrefix(c.WhenText(), " if "), Witness: intake.Describe(&c.Witness.Call, args, false),
		LookA: graph.Look(c.From), LookB: graph.Look(c.To),
	}
}
