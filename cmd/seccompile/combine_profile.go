package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/combine"
	"github.com/seccompile/seccompile/internal/intake"
)

// combineProfile writes the profile, or says why there is none.
func (a *app) combineProfile(c *combineFlags, r *combine.Combined) error {
	p, err := r.Write()
	if err != nil {
		return err
	}
	if err := a.put(&c.output, p.Text); err != nil {
		return err
	}
	switch {
	case p.Own != "":
		a.note("%s: the %s is %s itself", c.Source, c.Noun(), p.Own)
	case p.Refusal != nil:
		a.stderr.Write(diffText(false, p.Difference, false))
	default:
		a.noteCombined(c, r, p)
	}
	return p.Refusal
}

// noteCombined says what was proved, and how the profile differs where it may.
func (a *app) noteCombined(c *combineFlags, r *combine.Combined, p *combine.Profile) {
	differing := p.Difference.Headings
	but := ""
	if len(differing) > 0 {
		but = " but for " + strings.NewReplacer("foreign", "foreign numbers", "unassigned", "unassigned numbers", ",", " and ").Replace(r.Except.String())
	}
	a.note("%s: %s, proved to mean the %s for every call of %s%s", c.Source, answer.Plural(len(p.Policy.Rules), "rule"), c.Noun(),
		strings.Join(intake.ABINames(r.Meaning.ABIs()), ", "), but)
	for _, h := range differing {
		for _, g := range h.Groups() {
			a.note("%s: %s: %s instead of %s", h.Title, some(g), intake.ActionText(g.To, g.ABI), intake.ActionText(g.From, g.ABI))
		}
	}
}

// some names the first calls and numbers of a group, with (...) where arguments matter, and
// counts the others.
func some(g *answer.Group) string {
	const most = 8
	all := new(answer.CallList)
	for _, l := range slices.Concat(g.Always, g.Partly) {
		if l.All {
			return answer.EveryCall
		}
		for _, p := range l.Changes[0].Calls {
			if !l.Changes[0].Always() && p.Name != "" {
				p.Name += "(...)"
			}
			all.Add(p)
		}
	}
	words := all.Words(false)
	if more := len(words) - most; more > 0 {
		words = append(words[:most:most], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(words, " ")
}
