package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// The changes are the differences between two sides.
type changes struct {
	a, b       *side
	weakerOnly bool
	numeric    bool // show constants as numbers
	list       []change
}

// A change is neighbouring calls of one scope with the same change.
type change struct {
	scope
	proof.Change
	in    policy.Interval // numbers
	calls []part
}

// split splits changes by ABI, in their order, those that depend on arguments by
// call, and finds a witness for each.
func (v *changes) split(found []proof.Change) error {
	c := choice{numeric: v.numeric}
	for _, s := range []*side{v.a, v.b} {
		if s.Resolved != nil {
			c.abis = append(c.abis, s.Resolved.ABIs()...)
		}
	}
	for _, f := range found {
		for _, s := range c.scopes(f.Audits) {
			for _, in := range s.clip(f.First, f.Last) {
				c := change{s, f, in, s.parts(in)}
				if c.always() {
					v.list = append(v.list, c)
					continue
				}
				for _, x := range c.calls {
					v.list = append(v.list, change{s, f, x.Interval, []part{x}})
				}
			}
		}
	}
	sortScopes(v.list, func(c *change) *scope { return &c.scope })
	all := make([]*scope, len(v.list))
	for i := range v.list {
		all[i] = &v.list[i].scope
		if err := v.list[i].example(v.a, v.b); err != nil {
			return err
		}
	}
	nameForeign(all)
	return nil
}

// noWeaker reports whether a change does not make B weaker than A.
func noWeaker(c proof.Change) bool { return c.To.Compare(c.From) <= 0 }

// always reports whether a change is for all arguments.
func (c *change) always() bool { return len(c.When) == 1 && len(c.When[0]) == 0 }

// verdicts writes what A does and what B does.
func (c *change) verdicts() [2]string {
	return [2]string{intake.ActionText(c.From, c.abi), intake.ActionText(c.To, c.abi)}
}

// direction says which side is stricter.
func (c *change) direction() string {
	return [...]string{"stricter", "other", "weaker"}[c.To.Compare(c.From)+1]
}

// example makes sure that the witness is a call of this scope, and no other's of
// the change that it was split from.
func (c *change) example(a, b *side) error {
	d := &c.Witness.Call
	if !c.audits.Has(d.Arch) {
		d.Arch = c.audits[0].First
	}
	if d.NR < c.in.First || d.NR > c.in.Last {
		d.NR = c.in.First
	}
	if from, to := a.decide(d).Action, b.decide(d).Action; from != c.From || to != c.To {
		return fmt.Errorf("BUG: according to the proof %s gets %v and %v, but running both gives %v and %v",
			intake.Describe(d, 0, true), c.From, c.To, from, to)
	}
	return nil
}

// when writes the conditions of a change.
func (c *change) when() string {
	if c.always() {
		return ""
	}
	var cases []string
	for _, w := range c.When {
		cases = append(cases, c.scope.call(c.in.First).Case(w))
	}
	if c.More {
		cases = append(cases, "in further cases")
	}
	return " if " + strings.Join(cases, ", or if ")
}

// shown returns how many arguments of the witness matter.
func (c *change) shown() int {
	n := 0
	for _, w := range c.When {
		for _, one := range w {
			n = max(n, one.Arg+1)
		}
	}
	return n
}

// A line is a call, a run of numbers without one, or every call, on the ABIs where the same
// happens to it.
type line struct {
	changes []*change // by ABI
	all     bool      // every call
}

// abis returns the ABIs of a line.
func (l *line) abis() (list []arch.ABI) {
	for _, c := range l.changes {
		if !slices.Contains(list, c.abi) {
			list = append(list, c.abi)
		}
	}
	return list
}

// lines cuts the changes into lines, in their order. What several ABIs have in common is one
// line: the same call with the same verdicts under conditions that read the same. Numbers and
// the width of arguments can differ.
func (v *changes) lines() ([]*line, error) {
	type key struct {
		scope, what, when string
		verdicts          [2]string
	}
	var list []*line
	at := map[key]*line{}
	add := func(c change, what string) error {
		k := key{what: what, when: c.when(), verdicts: c.verdicts()}
		if !c.abi.Valid() {
			k.scope = c.title
		}
		l := at[k]
		if l == nil {
			l = &line{all: what == everyCall}
			at[k] = l
			list = append(list, l)
		}
		l.changes = append(l.changes, &c)
		return c.example(v.a, v.b)
	}
	for i := range v.list {
		c := &v.list[i]
		if v.everything(c) {
			if err := add(*c, everyCall); err != nil {
				return nil, err
			}
			continue
		}
		for _, x := range c.calls {
			if err := add(change{c.scope, c.Change, x.Interval, []part{x}}, cmp.Or(x.name, x.String())); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// everyCall is what a line is about that is about all numbers of an ABI.
const everyCall = "every call"

// everything reports whether a change, with the others like it, is for every call of its scope.
func (v *changes) everything(c *change) bool {
	n := uint64(0)
	for i := range v.list {
		if d := &v.list[i]; d.title == c.title && d.From == c.From && d.To == c.To && d.always() {
			n += uint64(d.in.Last-d.in.First) + 1
		}
	}
	return c.always() && n == size(c.numbers)
}

// A heading is ABIs and the lines that are true of each of them which has the call.
type heading struct {
	title string
	abis  []arch.ABI // none for AUDIT_ARCH values that are no ABI's
	lines []*line
}

// fold sorts the lines by the ABIs that they are true of: first those of all ABIs, then those
// of fewer. A line that is true of all ABIs which have its call goes with the first.
func (v *changes) fold() ([]*heading, error) {
	lines, err := v.lines()
	if err != nil {
		return nil, err
	}
	var every []arch.ABI // that has a change
	for _, l := range lines {
		for _, a := range l.abis() {
			if a.Valid() && !slices.Contains(every, a) {
				every = append(every, a)
			}
		}
	}
	slices.Sort(every)
	var common []arch.ABI // those of the lines that go with the first
	everywhere := func(l *line) bool {
		return !slices.ContainsFunc(every, func(a arch.ABI) bool { return l.has(a) && !slices.Contains(l.abis(), a) })
	}
	for _, l := range lines {
		if l.changes[0].abi.Valid() && everywhere(l) {
			common = append(common, l.abis()...)
		}
	}
	slices.Sort(common)
	common = slices.Compact(common)
	var list []*heading
	for _, l := range lines {
		abis, title := l.abis(), l.changes[0].title
		if abis[0].Valid() {
			if everywhere(l) {
				abis = common
			}
			title = strings.Join(intake.ABINames(abis), ", ")
		} else {
			abis = nil
		}
		i := slices.IndexFunc(list, func(h *heading) bool { return h.title == title })
		if i < 0 {
			i = len(list)
			list = append(list, &heading{title: title, abis: abis})
		}
		list[i].lines = append(list[i].lines, l)
	}
	slices.SortStableFunc(list, func(g, h *heading) int {
		return cmp.Or(cmp.Compare(len(h.abis), len(g.abis)), slices.Compare(g.abis, h.abis))
	})
	return list, nil
}

// has reports whether an ABI has the call of a line. All have numbers without one.
func (l *line) has(a arch.ABI) bool {
	call, named := syscalltables.Lookup(l.changes[0].calls[0].name)
	_, ok := call.Number(a)
	return ok || l.all || !named
}
