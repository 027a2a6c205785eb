package answer

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

// A Difference is what two sides treat differently.
type Difference struct {
	A, B     *Side
	Changes  []Change   // by ABI
	Headings []*Heading // the same, those first that several ABIs have in common
	numeric  bool       // show constants as numbers
}

// Diff finds what two sides treat differently, or what makes B weaker. The error is a
// [*proof.LimitError] if that takes more than the limits allow.
func Diff(a, b *Side, weakerOnly, numeric bool, l proof.Limits) (*Difference, error) {
	if err := SameOrder(a, b); err != nil {
		return nil, err
	}
	found, err := proof.Diff(a.Subject, b.Subject, l)
	if err != nil {
		return nil, err
	}
	if weakerOnly {
		found = slices.DeleteFunc(found, noWeaker)
	}
	return NewDifference(a, b, found, numeric)
}

// NewDifference sorts what a proof found. It tries an example of every change on both sides.
func NewDifference(a, b *Side, found []proof.Change, numeric bool) (*Difference, error) {
	v := &Difference{A: a, B: b, numeric: numeric}
	if err := v.split(found); err != nil {
		return nil, err
	}
	var err error
	v.Headings, err = v.fold()
	return v, err
}

// A Change is neighbouring calls of one scope with the same change.
type Change struct {
	Scope
	proof.Change
	Range policy.Interval // numbers
	Calls []Part
}

// split splits changes by ABI, in their order, those that depend on arguments by
// call, and finds a witness for each.
func (v *Difference) split(found []proof.Change) error {
	c := Choice{numeric: v.numeric}
	for _, s := range []*Side{v.A, v.B} {
		if s.Resolved != nil {
			c.ABIs = append(c.ABIs, s.Resolved.ABIs()...)
		}
	}
	for _, f := range found {
		for _, s := range c.Scopes(f.Audits) {
			for _, in := range s.Clip(f.First, f.Last) {
				c := Change{s, f, in, s.Parts(in)}
				if c.Always() {
					v.Changes = append(v.Changes, c)
					continue
				}
				for _, x := range c.Calls {
					v.Changes = append(v.Changes, Change{s, f, x.Interval, []Part{x}})
				}
			}
		}
	}
	SortScopes(v.Changes, func(c *Change) *Scope { return &c.Scope })
	all := make([]*Scope, len(v.Changes))
	for i := range v.Changes {
		all[i] = &v.Changes[i].Scope
		if err := v.Changes[i].example(v.A, v.B); err != nil {
			return err
		}
	}
	nameForeign(all)
	return nil
}

// noWeaker reports whether a change does not make B weaker than A.
func noWeaker(c proof.Change) bool { return c.To.Compare(c.From) <= 0 }

// Always reports whether a change is for all arguments.
func (c *Change) Always() bool { return len(c.When) == 1 && len(c.When[0]) == 0 }

// Direction says which side is stricter.
func (c *Change) Direction() string {
	return [...]string{"stricter", "other", "weaker"}[c.To.Compare(c.From)+1]
}

// example makes sure that the witness is a call of this scope, and no other's of
// the change that it was split from.
func (c *Change) example(a, b *Side) error {
	d := &c.Witness.Call
	if !c.Archs.Has(d.Arch) {
		d.Arch = c.Archs[0].First
	}
	if d.NR < c.Range.First || d.NR > c.Range.Last {
		d.NR = c.Range.First
	}
	if from, to := a.Decide(d).Action, b.Decide(d).Action; from != c.From || to != c.To {
		return fmt.Errorf("BUG: according to the proof %s gets %v and %v, but running both gives %v and %v",
			intake.Describe(d, 0, true), c.From, c.To, from, to)
	}
	return nil
}

// WhenText writes the conditions of a change.
func (c *Change) WhenText() string {
	if c.Always() {
		return ""
	}
	var cases []string
	for _, w := range c.When {
		cases = append(cases, c.Scope.call(c.Range.First).Case(w))
	}
	if c.More {
		cases = append(cases, "in further cases")
	}
	return " if " + strings.Join(cases, ", or if ")
}

// Shown returns how many arguments of the witness matter.
func (c *Change) Shown() int {
	n := 0
	for _, w := range c.When {
		for _, one := range w {
			n = max(n, one.Arg+1)
		}
	}
	return n
}

// A Line is a call, a run of numbers without one, or every call, on the ABIs where the same
// happens to it.
type Line struct {
	Changes []*Change // by ABI
	All     bool      // every call
}

// abis returns the ABIs of a line.
func (l *Line) abis() (list []arch.ABI) {
	for _, c := range l.Changes {
		if !slices.Contains(list, c.ABI) {
			list = append(list, c.ABI)
		}
	}
	return list
}

// lines cuts the changes into lines, in their order. What several ABIs have in common is one
// line: the same call with the same verdicts under conditions that read the same. Numbers and
// the width of arguments can differ.
func (v *Difference) lines() ([]*Line, error) {
	type key struct {
		Scope, what, when string
		verdicts          [2]string
	}
	var list []*Line
	at := map[key]*Line{}
	add := func(c Change, what string) error {
		k := key{what: what, when: c.WhenText(), verdicts: c.Verdicts()}
		if !c.ABI.Valid() {
			k.Scope = c.Title
		}
		l := at[k]
		if l == nil {
			l = &Line{All: what == EveryCall}
			at[k] = l
			list = append(list, l)
		}
		l.Changes = append(l.Changes, &c)
		return c.example(v.A, v.B)
	}
	for i := range v.Changes {
		c := &v.Changes[i]
		if v.everything(c) {
			if err := add(*c, EveryCall); err != nil {
				return nil, err
			}
			continue
		}
		for _, x := range c.Calls {
			if err := add(Change{c.Scope, c.Change, x.Interval, []Part{x}}, cmp.Or(x.Name, x.String())); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// EveryCall is what a line is about that is about all numbers of an ABI.
const EveryCall = "every call"

// everything reports whether a change, with the others like it, is for every call of its scope.
func (v *Difference) everything(c *Change) bool {
	n := uint64(0)
	for i := range v.Changes {
		if d := &v.Changes[i]; d.Title == c.Title && d.From == c.From && d.To == c.To && d.Always() {
			n += uint64(d.Range.Last-d.Range.First) + 1
		}
	}
	return c.Always() && n == Size(c.Numbers)
}

// A Heading is ABIs and the lines that are true of each of them which has the call.
type Heading struct {
	Title string
	ABIs  []arch.ABI // none for AUDIT_ARCH values that are no ABI's
	lines []*Line
}

// fold sorts the lines by the ABIs that they are true of: first those of all ABIs, then those
// of fewer. A line that is true of all ABIs which have its call goes with the first.
func (v *Difference) fold() ([]*Heading, error) {
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
	everywhere := func(l *Line) bool {
		return !slices.ContainsFunc(every, func(a arch.ABI) bool { return l.has(a) && !slices.Contains(l.abis(), a) })
	}
	for _, l := range lines {
		if l.Changes[0].ABI.Valid() && everywhere(l) {
			common = append(common, l.abis()...)
		}
	}
	slices.Sort(common)
	common = slices.Compact(common)
	var list []*Heading
	for _, l := range lines {
		abis, title := l.abis(), l.Changes[0].Title
		if abis[0].Valid() {
			if everywhere(l) {
				abis = common
			}
			title = strings.Join(intake.ABINames(abis), ", ")
		} else {
			abis = nil
		}
		i := slices.IndexFunc(list, func(h *Heading) bool { return h.Title == title })
		if i < 0 {
			i = len(list)
			list = append(list, &Heading{Title: title, ABIs: abis})
		}
		list[i].lines = append(list[i].lines, l)
	}
	slices.SortStableFunc(list, func(g, h *Heading) int {
		return cmp.Or(cmp.Compare(len(h.ABIs), len(g.ABIs)), slices.Compare(g.ABIs, h.ABIs))
	})
	return list, nil
}

// has reports whether an ABI has the call of a line. All have numbers without one.
func (l *Line) has(a arch.ABI) bool {
	call, named := syscalltables.Lookup(l.Changes[0].Calls[0].Name)
	_, ok := call.Number(a)
	return ok || l.All || !named
}

// Verdicts writes what A does and what B does.
func (c *Change) Verdicts() [2]string {
	return [2]string{intake.ActionText(c.From, c.ABI), intake.ActionText(c.To, c.ABI)}
}
