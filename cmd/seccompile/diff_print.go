package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
)

// text prints what the ABIs have in common first, and of the same ABIs the weaker first.
func (v *changes) text(p painter, list []*heading) []byte {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	switch {
	case len(list) == 0 && v.weakerOnly:
		fmt.Fprintf(w, "no call is weaker in %s than in %s\n", v.b.name, v.a.name)
	case len(list) == 0:
		fmt.Fprintf(w, "same: %s and %s treat every call alike\n", v.a.name, v.b.name)
	default:
		fmt.Fprintf(w, "A: %s\nB: %s\n", v.a.name, v.b.name)
	}
	for _, h := range list {
		fmt.Fprintln(w, p.text(bold, h.title))
		for _, g := range h.groups() {
			g.print(w, p)
		}
	}
	w.Flush() // a buffer takes everything
	return b.Bytes()
}

// A group is the lines of a heading from one action to another.
type group struct {
	*change        // the first
	always, partly []*line
}

// groups sorts the lines of a heading by actions: the weaker first.
func (h *heading) groups() []*group {
	var out []*group
	for _, l := range h.lines {
		c := l.changes[0]
		at := slices.IndexFunc(out, func(g *group) bool { return g.verdicts() == c.verdicts() })
		if at < 0 {
			at = len(out)
			out = append(out, &group{change: c})
		}
		if c.always() {
			out[at].always = append(out[at].always, l)
		} else {
			out[at].partly = append(out[at].partly, l)
		}
	}
	slices.SortStableFunc(out, func(g, h *group) int {
		return cmp.Or(cmp.Compare(g.rank(), h.rank()), permissive(g.To, h.To), permissive(g.From, h.From))
	})
	return out
}

func (g *group) rank() int {
	return slices.Index([]string{"weaker", "stricter", "other"}, g.direction())
}

// print prints the calls that always change together, and then the others, each
// with an example.
func (g *group) print(w *bufio.Writer, p painter) {
	v := g.verdicts()
	fmt.Fprintf(w, "  %s: %s in A, %s in B\n", g.direction(), p.action(g.From, v[0]), p.action(g.To, v[1]))
	if len(g.always) > 0 {
		fill(w, 4, subject(g.always))
		c := g.always[0].changes[0]
		fmt.Fprintf(w, "      for example %s\n", intake.Describe(&c.Witness.Call, 0, c.numeric))
	}
	for _, l := range g.partly {
		c := l.changes[0]
		fill(w, 4, append(subject([]*line{l}), plain(strings.Fields(c.when())...)...))
		fmt.Fprintf(w, "      for example %s\n", intake.Describe(&c.Witness.Call, c.shown(), c.numeric))
	}
}

// subject writes what lines are about.
func subject(lines []*line) []cell {
	calls := new(list)
	for _, l := range lines {
		if l.all {
			return plain(everyCall)
		}
		calls.add(l.changes[0].calls...)
	}
	return calls.words(false)
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
	ABIs    []changedJSON    `json:"abis"`
	Calls   []string         `json:"calls,omitempty"` // those that have a name
	Change  string           `json:"change"`          // B is "weaker", "stricter" or "other"
	A       verdictJSON      `json:"a"`
	B       verdictJSON      `json:"b"`
	Witness *callWitnessJSON `json:"witness"`
}

// A changedJSON is the calls of a change on one ABI or, without a name, AUDIT_ARCH values
// that are no ABI's. An ABI that lacks a call does not have its number.
type changedJSON struct {
	ABI     string            `json:"abi,omitempty"`
	Arch    []string          `json:"arch"`
	Numbers []numbersJSON     `json:"numbers"`
	When    [][]conditionJSON `json:"when,omitempty"` // any one of these; absent: always
	More    bool              `json:"more,omitempty"` // there are further cases
}

// A numbersJSON is neighbouring numbers of calls.
type numbersJSON struct {
	First uint32 `json:"first"`
	Last  uint32 `json:"last"`
}

func (v *changes) document(list []*heading) *diffJSON {
	doc := &diffJSON{Version: jsonVersion, Same: len(list) == 0, A: v.a.name, B: v.b.name, Changes: []changeJSON{}}
	for _, h := range list {
		for _, g := range h.groups() {
			if len(g.always) > 0 {
				doc.Changes = append(doc.Changes, v.changeDocument(g.always...))
			}
			for _, l := range g.partly {
				doc.Changes = append(doc.Changes, v.changeDocument(l))
			}
		}
	}
	return doc
}

// changeDocument writes lines with the same verdicts, one alone if it has conditions.
func (v *changes) changeDocument(lines ...*line) changeJSON {
	c := lines[0].changes[0]
	j := changeJSON{
		Change: c.direction(), A: verdictDocument(c.From, c.abi), B: verdictDocument(c.To, c.abi),
		Witness: witnessDocument(&c.Witness.Call, v.a, v.b),
	}
	var titles []string
	var numbers [][]policy.Interval
	for _, l := range lines {
		for _, c := range l.changes {
			i := slices.Index(titles, c.title)
			if i < 0 {
				i = len(titles)
				titles, numbers = append(titles, c.title), append(numbers, nil)
				j.ABIs = append(j.ABIs, c.document())
			}
			numbers[i] = append(numbers[i], c.in)
			j.Calls = append(j.Calls, names(c.calls)...)
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
func (c *change) document() changedJSON {
	j := changedJSON{Arch: archDocument(c.audits), More: c.More}
	if c.abi.Valid() {
		j.ABI = c.abi.String()
	}
	if !c.always() {
		for _, w := range c.When {
			j.When = append(j.When, caseDocument(&c.scope, c.in.First, w))
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
