package report

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A page is what the template shows.
type page struct {
	Style  template.CSS
	Script template.JS
	CSP    string // content security policy

	Title  string
	Date   string
	Tables syscalltables.Version
	Pair   bool // there are two profiles
	ABIs   []string
	Sides  []section

	Privileges []question
	Difference *difference // of two profiles
	Choices    []choice
	Rows       []*row
	Conditions []*condition
	Limited    bool // the conditions of some profile are not combined
}

// A section is what the page says about one profile.
type section struct {
	Name, Letter string
	About        []string // sentences
	Tallies      []tally
	Facts        []fact
	Severities   []string // "2 errors"
	Findings     []lint.Finding
	Limit        string // why conditions are not combined; "" if they are
	Rests        []rest
	Cost         cost
	Pictures     []picture
}

// A tally counts the verdicts on the calls of one ABI.
type tally struct {
	ABI    string
	Calls  int
	Shares []share
}

// A share is the calls of one kind, and its place in a bar of a thousand.
type share struct {
	choice
	X, Width int
}

// A fact is a property of a profile.
type fact struct{ Name, Value string }

// A question is a privilege, and whether each profile leaves it to a program.
type question struct {
	Name    string
	Answers []answer
}

// Differs reports whether two profiles leave a privilege by different means.
func (q question) Differs() bool {
	first := q.Answers[0]
	return slices.ContainsFunc(q.Answers, func(a answer) bool { return a.Can != first.Can || !slices.Equal(a.By, first.By) })
}

// A builder makes the page for one or two profiles.
type builder struct {
	options  Options
	subjects []*subject
	abis     []arch.ABI // of all profiles
}

func newBuilder(o Options, profiles ...Profile) *builder {
	b := &builder{options: o}
	for i, p := range profiles {
		s := newSubject(p, o.Limits)
		if len(profiles) > 1 {
			s.Letter = string(rune('A' + i))
		}
		b.subjects = append(b.subjects, s)
		b.abis = append(b.abis, s.abis...)
	}
	slices.Sort(b.abis)
	b.abis = slices.Compact(b.abis)
	return b
}

// page fills in the whole page. The changes are those from the first to the second
// profile.
func (b *builder) page(changes []proof.Change) *page {
	p := &page{Date: b.options.Date, Tables: syscalltables.Kernel(), Pair: len(b.subjects) > 1}
	if p.Pair {
		p.Difference = b.difference(changes)
	}
	p.Rows = b.rows(p.Difference)
	p.Choices = choices(p.Rows)
	p.Conditions = b.conditions()
	for _, a := range b.abis {
		p.ABIs = append(p.ABIs, a.String())
	}
	var names []string
	for i, s := range b.subjects {
		names = append(names, s.Name)
		n := b.section(s)
		n.Tallies = b.tallies(p.Rows, i)
		p.Limited = p.Limited || n.Limit != ""
		p.Sides = append(p.Sides, n)
	}
	p.Title = strings.Join(names, " → ")
	for _, privilege := range privileges() {
		q := question{Name: privilege.name}
		for _, s := range b.subjects {
			q.Answers = append(q.Answers, s.can(privilege, b.options.Limits))
		}
		p.Privileges = append(p.Privileges, q)
	}
	return p
}

// section describes a profile, without the figures that count the rows.
func (b *builder) section(s *subject) section {
	n := section{Name: s.Name, Letter: s.Letter, About: s.about(), Facts: s.facts(), Rests: s.rests()}
	n.Findings = slices.Clone(s.Findings)
	slices.SortStableFunc(n.Findings, func(f, g lint.Finding) int { return cmp.Compare(g.Severity, f.Severity) })
	for _, severity := range []lint.Severity{lint.Error, lint.Warning, lint.Note} {
		k := 0
		for _, f := range s.Findings {
			if f.Severity == severity {
				k++
			}
		}
		if k > 0 {
			n.Severities = append(n.Severities, plural(k, severity.String()))
		}
	}
	if s.limit != nil {
		n.Limit = reason(s.limit)
	}
	n.Cost = b.cost(s)
	n.Pictures = b.pictures(s)
	return n
}

// tallies counts the verdicts of a profile in the rows.
func (b *builder) tallies(rows []*row, at int) []tally {
	var list []tally
	for _, abi := range b.subjects[at].abis {
		t := tally{ABI: abi.String()}
		count := make(map[kind]int)
		for _, r := range rows {
			if slices.ContainsFunc(r.Numbers, func(n number) bool { return n.ABI == t.ABI }) {
				count[r.Verdicts[at].Kind]++
				t.Calls++
			}
		}
		seen := 0
		for _, k := range kinds() {
			if n := count[k]; n > 0 {
				x := seen * 1000 / t.Calls
				seen += n
				t.Shares = append(t.Shares, share{choice{k, k.Title(), n}, x, seen*1000/t.Calls - x})
			}
		}
		list = append(list, t)
	}
	return list
}

// about describes a profile in sentences.
func (s *subject) about() []string {
	r, abi := s.Resolved, s.main()
	others := "any other ABI"
	if names := s.relatives(); len(names) > 0 {
		others += ", such as " + series(names, "or") + ","
	}
	list := []string{
		"A call that no rule decides " + predicate(abi, r.Default) + ".",
		"A call through " + others + " " + predicate(abi, r.BadArch) + ".",
	}
	for i := range r.Spaces {
		newer := func(x policy.Range) bool { return x.Reason == policy.ByENOSYS && x.Action != r.Default }
		if slices.ContainsFunc(r.Spaces[i].Ranges, newer) {
			return append(list, "A number that is newer than the profile fails with ENOSYS, so programs fall back to older calls.")
		}
	}
	return list
}

// relatives names the ABIs that the same kernels present and the profile is not for.
func (s *subject) relatives() []string {
	var list []string
	for _, a := range s.abis {
		for _, other := range a.Family() {
			if !slices.Contains(s.abis, other) && !slices.Contains(list, other.String()) {
				list = append(list, other.String())
			}
		}
	}
	return list
}

// facts lists what else a profile says.
func (s *subject) facts() []fact {
	p := s.Policy
	list := []fact{{"ABIs", listed(s.abis)}, {"Rules", fmt.Sprint(len(p.Rules))}}
	flags := "none"
	switch {
	case p.Flags == nil:
		flags = "left to the runtime"
	case len(p.Flags) > 0:
		var names []string
		for _, f := range p.Flags {
			names = append(names, f.String())
		}
		flags = strings.Join(names, ", ")
	}
	list = append(list, fact{"Filter flags", flags})
	if p.ListenerPath != "" {
		list = append(list, fact{"Listener", p.ListenerPath})
	}
	if p.ListenerMetadata != "" {
		list = append(list, fact{"Listener metadata", p.ListenerMetadata})
	}
	return list
}

// reason is an error without the name of the package that it is from.
func reason(err error) string {
	text := err.Error()
	for _, prefix := range []string{"compiler: ", "graph: ", "proof: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
