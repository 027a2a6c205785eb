package playground

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/combine"
	"github.com/seccompile/seccompile/internal/emit"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
)

// combine writes what two subjects allow both, or what any of them allows: as a profile, or as a
// filter if one of them is a filter.
func (e *Engine) combine(q *combineOf) (*Combined, error) {
	a, b, err := e.pair(q.Subject, q.Second)
	if err != nil {
		return nil, err
	}
	target := a.together(b)
	r := &combine.Request{Target: &target, Nearest: true}
	switch q.How {
	case "intersect":
		r.Op = algebra.Intersect
	case "union":
		r.Op = algebra.Union
	default:
		return nil, failure.Usagef("combine: unknown way %q (known: intersect, union)", q.How)
	}
	for _, s := range []*subject{a, b} {
		if _, err := r.Add(s.in); err != nil {
			return nil, err
		}
	}
	if r.FirstFilter() != nil {
		return combineFilters(r)
	}
	return combineProfiles(r)
}

// together returns the target of two subjects for the same kernel. Where the language of one is
// named, those of both are.
func (s *subject) together(o *subject) intake.Target {
	t := s.flags
	t.ABIs, t.Languages, t.Settings = intake.ABINames(s.abis), nil, slices.Concat(s.Source.Settings, o.Source.Settings)
	if s.Source.Language == "" && o.Source.Language == "" {
		return t
	}
	for _, x := range []*subject{s, o} {
		if x.compiled == nil {
			continue
		}
		name, detected := x.language()
		if !detected {
			name = x.Source.Language // with its version
		}
		t.Languages = append(t.Languages, name)
	}
	return t
}

// combineFilters merges filters, and perhaps a profile, into one filter.
func combineFilters(r *combine.Request) (*Combined, error) {
	merged, err := r.Merge()
	if err != nil {
		return nil, err
	}
	f := emit.Filter{Source: r.Name()}
	text, err := f.Render(emit.Asm, merged.Program)
	if err != nil {
		return nil, err
	}
	return &Combined{
		Download: Download{Name: r.Noun() + ".s", Type: "text/plain", Text: string(text)}, Exact: true,
		Note: fmt.Sprintf("%s, proved equal to both together for every call; no difference in %d test calls", answer.Plural(merged.Program.Len(), "instruction"), merged.Points),
	}, nil
}

// combineProfiles writes the profile, or the nearest one and how it differs.
func combineProfiles(r *combine.Request) (*Combined, error) {
	c, err := r.Combine()
	if err != nil {
		return nil, err
	}
	p, err := c.Write()
	if err != nil {
		return nil, err
	}
	out := &Combined{Download: Download{Name: r.Noun() + ".json", Type: "application/json", Text: string(p.Text)}, Exact: p.Refusal == nil}
	switch {
	case p.Own != "":
		out.Note = fmt.Sprintf("the %s is %s itself", r.Noun(), p.Own)
	case p.Refusal != nil:
		out.Note = fmt.Sprintf("this is not the %s but the nearest profile, and differs from it for %s: %s", r.Noun(), differing(p.Difference), failed(p.Refusal).Message)
	default:
		out.Note = fmt.Sprintf("%s, proved to mean the %s for every call of %s", answer.Plural(len(p.Policy.Rules), "rule"), r.Noun(),
			strings.Join(intake.ABINames(c.Meaning.ABIs()), ", "))
	}
	return out, nil
}

// differing names the calls that a difference is about, some of them if they are many.
func differing(d *answer.Difference) string {
	const most = 12
	var names []string
	others := false // numbers without a name
	for i := range d.Changes {
		for _, part := range d.Changes[i].Calls {
			if others = others || part.Name == ""; part.Name != "" {
				names = append(names, part.Name)
			}
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if n := len(names) - most; n > 0 {
		names = append(names[:most:most], fmt.Sprintf("%d more calls", n))
	}
	if others {
		names = append(names, "numbers without a call")
	}
	return strings.Join(names, ", ")
}
