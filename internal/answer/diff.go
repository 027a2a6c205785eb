package answer

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/policy"
)

// A Group is the lines of a heading from one action to another.
type Group struct {
	*Change        // the first
	Always, Partly []*Line
}

// Groups sorts the lines of a heading by actions: the weaker first.
func (h *Heading) Groups() []*Group {
	var out []*Group
	for _, l := range h.lines {
		c := l.Changes[0]
		at := slices.IndexFunc(out, func(g *Group) bool { return g.Verdicts() == c.Verdicts() })
		if at < 0 {
			at = len(out)
			out = append(out, &Group{Change: c})
		}
		if c.Always() {
			out[at].Always = append(out[at].Always, l)
		} else {
			out[at].Partly = append(out[at].Partly, l)
		}
	}
	slices.SortStableFunc(out, func(g, h *Group) int {
		return cmp.Or(cmp.Compare(g.rank(), h.rank()), permissive(g.To, h.To), permissive(g.From, h.From))
	})
	return out
}

func (g *Group) rank() int {
	return slices.Index([]string{"weaker", "stricter", "other"}, g.Direction())
}

// Subject writes what lines are about.
func Subject(lines []*Line) []string {
	calls := new(CallList)
	for _, l := range lines {
		if l.All {
			return []string{EveryCall}
		}
		calls.Add(l.Changes[0].Calls...)
	}
	return calls.Words(false)
}

// A diffJSON is the document of diff --json.
type diffJSON struct {
	Version int          `json:"version"`
	Same    bool         `json:"same"` // with --weaker: no change makes B weaker
	A       string       `json:"a"`
	B       string       `json:"b"`
	Changes []changeJSON `json:"changes"`
}

// A changeJSON is calls with the same change on some ABIs.
type changeJSON struct {
	ABIs    []changedJSON `json:"abis"`
	Calls   []string      `json:"calls,omitempty"` // those that have a name
	Change  string        `json:"change"`          // B is "weaker", "stricter" or "other"
	A       verdictJSON   `json:"a"`
	B       verdictJSON   `json:"b"`
	Witness *Witness      `json:"witness"`
}

// A changedJSON is the calls of a change on one ABI or, without a name, AUDIT_ARCH values
// that are no ABI's. An ABI that lacks a call does not have its number.
type changedJSON struct {
	ABI     string        `json:"abi,omitempty"`
	Arch    []string      `json:"arch"`
	Numbers []numbersJSON `json:"numbers"`
	When    [][]Condition `json:"when,omitempty"` // any one of these; absent: always
	More    bool          `json:"more,omitempty"` // there are further cases
}

// A numbersJSON is neighbouring numbers of calls.
type numbersJSON struct {
	First uint32 `json:"first"`
	Last  uint32 `json:"last"`
}

// Document returns the document of diff --json.
func (v *Difference) Document() any {
	doc := &diffJSON{Version: Version, Same: len(v.Headings) == 0, A: v.A.Name, B: v.B.Name, Changes: []changeJSON{}}
	for _, h := range v.Headings {
		for _, g := range h.Groups() {
			if len(g.Always) > 0 {
				doc.Changes = append(doc.Changes, v.changeDocument(g.Always...))
			}
			for _, l := range g.Partly {
				doc.Changes = append(doc.Changes, v.changeDocument(l))
			}
		}
	}
	return doc
}

// changeDocument writes lines with the same verdicts, one alone if it has conditions.
func (v *Difference) changeDocument(lines ...*Line) changeJSON {
	c := lines[0].Changes[0]
	j := changeJSON{
		Change: c.Direction(), A: verdictDocument(c.From, c.ABI), B: verdictDocument(c.To, c.ABI),
		Witness: NewWitness(&c.Witness.Call, v.A, v.B),
	}
	var titles []string
	var numbers [][]policy.Interval
	for _, l := range lines {
		for _, c := range l.Changes {
			i := slices.Index(titles, c.Title)
			if i < 0 {
				i = len(titles)
				titles, numbers = append(titles, c.Title), append(numbers, nil)
				j.ABIs = append(j.ABIs, c.document())
			}
			numbers[i] = append(numbers[i], c.Range)
			j.Calls = append(j.Calls, Names(c.Calls)...)
		}
	}
	slices.Sort(j.Calls)
	j.Calls = slices.Compact(j.Calls)
	for i, list := range numbers {
		for _, in := range joinedIntervals(list) {
			j.ABIs[i].Numbers = append(j.ABIs[i].Numbers, numbersJSON{in.First, in.Last})
		}
	}
	return j
}

// document writes where a change is, without its numbers.
func (c *Change) document() changedJSON {
	j := changedJSON{Arch: archDocument(c.Archs), More: c.More}
	if c.ABI.Valid() {
		j.ABI = c.ABI.String()
	}
	if !c.Always() {
		for _, w := range c.When {
			j.When = append(j.When, c.Scope.Conditions(c.Range.First, w))
		}
	}
	return j
}

// joinedIntervals sorts intervals of numbers, and joins neighbours.
func joinedIntervals(list []policy.Interval) (out []policy.Interval) {
	slices.SortFunc(list, func(a, b policy.Interval) int { return cmp.Compare(a.First, b.First) })
	for _, in := range list {
		if n := len(out); n > 0 && out[n-1].Last+1 == in.First {
			out[n-1].Last = in.Last
		} else {
			out = append(out, in)
		}
	}
	return out
}
