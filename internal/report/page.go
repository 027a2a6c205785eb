package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A page is what the report shows.
type page struct {
	Title  string
	Date   string
	Tables syscalltables.Version
	Pair   bool // there are two profiles
	ABIs   []string
	Sides  []section

	Privileges []question  // of two profiles, those about which they differ
	Kept       []question  // of two profiles, the others
	Difference *difference // of two profiles
	Calls      int         // rows in all
	Choices    []choice
	Rows       []*row       // of two profiles, those that changed
	Alike      []*row       // of two profiles, the others
	Conditions []*condition // of two profiles, those that differ
	Shared     []*condition // of two profiles, the others
	Limited    bool         // the conditions of some profile are not combined
}

// A section is what the page says about one profile.
type section struct {
	Name, Letter string
	Whole        string   // the name with all its directories
	Filter       bool     // no profile is known
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

// shared returns a test of whether two profiles have a finding in common. Its places in
// them may differ.
func (p *page) shared() func(lint.Finding) bool {
	key := func(f lint.Finding) string { return f.ID + " " + f.Reason }
	sides := make(map[string]int)
	for i := range p.Sides {
		for _, f := range p.Sides[i].Findings {
			sides[key(f)] |= 1 << i
		}
	}
	return func(f lint.Finding) bool { return p.Pair && sides[key(f)] == 1<<len(p.Sides)-1 }
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

// rank orders questions: first what B gives a program and A does not.
func (q question) rank() int {
	switch a, b := q.Answers[0], q.Answers[1]; {
	case b.Can && !a.Can:
		return 0
	case b.Undecided || a.Undecided:
		return 1
	case a.Can && !b.Can:
		return 2
	}
	return 3
}

// A builder makes the page for one or two profiles.
type builder struct {
	options  Options
	subjects []*subject
	abis     []arch.ABI // of all profiles
	harm     harm
}

func newBuilder(o Options, profiles ...Profile) (*builder, error) {
	b := &builder{options: o, harm: harm{}}
	short := shortNames(profiles)
	for i, p := range profiles {
		s, err := newSubject(p, o.Limits)
		if err != nil {
			return nil, err
		}
		s.short = short[i]
		if len(profiles) > 1 {
			s.Letter = string(rune('A' + i))
		}
		b.subjects = append(b.subjects, s)
		b.abis = append(b.abis, s.abis...)
	}
	slices.Sort(b.abis)
	b.abis = slices.Compact(b.abis)
	return b, nil
}

// page fills in the whole page. The changes are those from the first to the second
// profile.
func (b *builder) page(changes []proof.Change) *page {
	p := &page{Date: b.options.Date, Tables: syscalltables.Kernel(), Pair: len(b.subjects) > 1}
	if p.Pair {
		p.Difference = b.difference(changes)
	}
	rows := b.rows(p.Difference)
	p.Choices = choices(rows)
	p.Calls, p.Rows, p.Conditions = len(rows), rows, b.conditions()
	if p.Pair {
		p.Rows, p.Alike = parted(rows, func(r *row) bool { return r.Change != 0 })
		slices.SortStableFunc(p.Rows, func(x, y *row) int {
			return cmp.Or(cmp.Compare(x.Change.rank(), y.Change.rank()), b.harm.compare(x.Name, y.Name))
		})
		p.Conditions, p.Shared = parted(p.Conditions, func(c *condition) bool { return c.Of != "" })
	}
	for _, a := range b.abis {
		p.ABIs = append(p.ABIs, a.String())
	}
	var names []string
	for i, s := range b.subjects {
		names = append(names, s.short)
		n := b.section(s)
		n.Tallies = b.tallies(rows, i)
		p.Limited = p.Limited || n.Limit != ""
		p.Sides = append(p.Sides, n)
	}
	p.Title = strings.Join(names, " → ")
	p.Privileges = b.privileges()
	if p.Pair {
		p.Privileges, p.Kept = parted(p.Privileges, question.Differs)
		slices.SortStableFunc(p.Privileges, func(x, y question) int { return cmp.Compare(x.rank(), y.rank()) })
	}
	return p
}

// parted returns the elements of list that are so, and the others.
func parted[T any](list []T, so func(T) bool) (yes, no []T) {
	for _, x := range list {
		if so(x) {
			yes = append(yes, x)
		} else {
			no = append(no, x)
		}
	}
	return yes, no
}

// shortNames returns the names of profiles without the directories that they share or that
// do not tell them apart.
func shortNames(profiles []Profile) []string {
	whole := make([]string, len(profiles))
	for i, p := range profiles {
		whole[i] = p.Name
	}
	for parts := 1; ; parts++ {
		short := make([]string, len(whole))
		complete := true
		for i, name := range whole {
			list := strings.Split(name, "/")
			short[i] = strings.Join(list[max(len(list)-parts, 0):], "/")
			if short[i] == "" { // it ends with a slash
				short[i] = name
			}
			complete = complete && short[i] == name
		}
		if complete || len(short) < 2 || short[0] != short[1] {
			return short
		}
	}
}

// section describes a profile, without the figures that count the rows.
func (b *builder) section(s *subject) section {
	n := section{Name: s.short, Whole: s.Name, Filter: s.Filter != nil, Letter: s.Letter, About: s.about(), Facts: s.facts(), Rests: s.rests()}
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
	if s.Filter != nil {
		return s.aboutFilter()
	}
	r, abi := s.Resolved, s.main()
	list := []string{
		"A call that no rule decides " + predicate(abi, r.Default) + ".",
		"A call through " + s.foreign() + " " + predicate(abi, r.BadArch) + ".",
	}
	for i := range r.Spaces {
		newer := func(x policy.Range) bool { return x.Reason == policy.ByENOSYS && x.Action != r.Default }
		if slices.ContainsFunc(r.Spaces[i].Ranges, newer) {
			return append(list, "A number that is newer than the profile fails with ENOSYS, so programs fall back to older calls.")
		}
	}
	return list
}

// foreign describes the ABIs that the profile is not for.
func (s *subject) foreign() string {
	if names := s.relatives(); len(names) > 0 {
		return "any other ABI, such as " + series(names, "or") + ","
	}
	return "any other ABI"
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
	if s.Filter != nil {
		return s.filterFacts()
	}
	p := s.Policy
	rules, filters := 0, 0
	for _, one := range append(slices.Clone(p.Older), p) {
		rules += len(one.Rules)
		if len(one.Rules) > 0 || one.Default != cbpf.Allow { // else it stands for nothing but its presets
			filters++
		}
	}
	list := []fact{{"ABIs", listed(s.abis)}, {"Rules", fmt.Sprint(rules)}}
	if filters > 1 {
		list = append(list, fact{"Filters", fmt.Sprintf("%d that hold together: the strictest answer wins", filters)})
	}
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
