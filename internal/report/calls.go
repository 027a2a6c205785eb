package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/symbols/phrase"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A row is a call, on all ABIs where it is treated alike.
type row struct {
	Name     string
	Numbers  []number
	Verdicts []verdict // one for each side
	Change   direction
}

// A number is that of a call on one ABI.
type number struct {
	ABI string
	NR  uint32
}

// Text writes the number as the page shows it.
func (n number) Text() string {
	if n.NR >= arch.X32Bit {
		return fmt.Sprintf("%#x", n.NR)
	}
	return fmt.Sprint(n.NR)
}

// rows lists the calls of all ABIs by name.
func (b *builder) rows(d *difference) []*row {
	var rows []*row
	same := make(map[string]*row)
	for _, abi := range b.abis {
		for nr, c := range syscalltables.All(abi) {
			r := &row{Name: c.Name(), Change: d.of(abi, nr)}
			for _, s := range b.subjects {
				r.Verdicts = append(r.Verdicts, s.verdict(abi, nr))
			}
			key := fmt.Sprint(r.Name, r.Change, r.Verdicts)
			if first := same[key]; first != nil {
				r = first
			} else {
				same[key] = r
				rows = append(rows, r)
			}
			r.Numbers = append(r.Numbers, number{abi.String(), nr})
		}
	}
	slices.SortStableFunc(rows, func(x, y *row) int { return strings.Compare(x.Name, y.Name) })
	return rows
}

// A choice is a filter of the table.
type choice struct {
	Kind  kind
	Title string
	Rows  int
}

// choices lists the kinds of verdicts that occur in rows.
func choices(rows []*row) []choice {
	var list []choice
	for _, k := range append(kinds(), noTarget) {
		n := 0
		for _, r := range rows {
			if slices.ContainsFunc(r.Verdicts, func(v verdict) bool { return v.Kind == k }) {
				n++
			}
		}
		if n > 0 {
			list = append(list, choice{k, k.Title(), n})
		}
	}
	return list
}

// A rest is numbers that no call has, on ABIs where the same happens to them.
type rest struct {
	ABIs    string
	Numbers string
	chip
	Why string
}

// rests lists what happens to numbers without a call, and to calls of other ABIs. What
// several ABIs have in common stands where it does for the last of them.
func (s *subject) rests() []rest {
	if s.Filter != nil {
		return s.remaining()
	}
	var list []rest
	var abis [][]arch.ABI // of each
	add := func(on []arch.ABI, r rest) {
		same := func(x rest) bool { return x.Numbers == r.Numbers && x.chip == r.chip && x.Why == r.Why }
		if i := slices.IndexFunc(list, same); i >= 0 {
			on = slices.Concat(abis[i], on)
			list, abis = slices.Delete(list, i, i+1), slices.Delete(abis, i, i+1)
		}
		r.ABIs = listed(on)
		list, abis = append(list, r), append(abis, on)
	}
	why := map[policy.Reason]string{policy.ByENOSYS: "newer than the profile", policy.ByBadArch: "of another ABI", policy.ByDefault: "default"}
	for i := range s.Resolved.Spaces {
		space := &s.Resolved.Spaces[i]
		left := slices.Clone(space.Ranges)
		for len(left) > 0 {
			first := left[0]
			alike := func(x policy.Range) bool { return x.Action == first.Action && x.Reason == first.Reason }
			var same []policy.Interval
			for _, x := range left {
				if alike(x) {
					same = append(same, policy.Interval{First: x.First, Last: x.Last})
				}
			}
			left = slices.DeleteFunc(left, alike)
			add(space.ABIs, rest{Numbers: intervals(same), chip: chipOf(space.ABIs[0], first.Action), Why: why[first.Reason]})
		}
		add(space.ABIs, rest{Numbers: "all other numbers without a call", chip: chipOf(space.ABIs[0], s.Resolved.Default), Why: "default"})
	}
	return append(list, rest{"other ABIs", "all", chipOf(s.main(), s.Resolved.BadArch), "not an ABI of the profile"})
}

// A condition is a call whose arguments decide, and what its rules add up to.
type condition struct {
	Name  string
	On    string // ABIs, "" if on all that have the call
	Of    string // sides, "" if of all
	Rules []ruling
	More  bool // there are further rules
	abis  []arch.ABI
}

// conditions lists the calls whose arguments decide, by name.
func (b *builder) conditions() []*condition {
	var list []*condition
	for _, s := range b.subjects {
		same := make(map[string]*condition)
		for _, abi := range s.abis {
			for nr, call := range syscalltables.All(abi) {
				t := s.tree(abi.Audit(), nr)
				if t == nil || len(t.Arms) == 0 {
					continue
				}
				c := &condition{Name: call.Name(), Of: s.Letter}
				c.Rules, c.More = rulings(abi, nr, t)
				key := fmt.Sprint(c.Name, c.Rules, c.More)
				if first := same[key]; first != nil {
					c = first
				} else {
					same[key] = c
					list = append(list, c)
				}
				c.abis = append(c.abis, abi)
			}
		}
		for _, c := range same {
			c.On = b.on(c.Name, c.abis)
		}
	}
	return shared(list, len(b.subjects))
}

// shared makes one of conditions that are the same on several sides.
func shared(list []*condition, sides int) []*condition {
	var out []*condition
	at := make(map[string]*condition)
	for _, c := range list {
		key := fmt.Sprint(c.Name, c.On, c.Rules, c.More)
		if first := at[key]; first != nil {
			first.Of += " and " + c.Of
			continue
		}
		at[key] = c
		out = append(out, c)
	}
	for _, c := range out {
		if sides == 1 || strings.Contains(c.Of, " and ") {
			c.Of = ""
		}
	}
	slices.SortStableFunc(out, func(x, y *condition) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// on names ABIs if they are not all that have a call.
func (b *builder) on(name string, abis []arch.ABI) string {
	c, _ := syscalltables.Lookup(name)
	for _, a := range b.abis {
		if _, ok := c.Number(a); ok && !slices.Contains(abis, a) {
			return listed(abis)
		}
	}
	return ""
}

// maxRulings is how many exclusive cases of one call are listed.
const maxRulings = 64

// rulings writes a decision by arguments as cases that exclude each other, the last
// for all that remains. more says that some are left out.
func rulings(abi arch.ABI, nr uint32, t *proof.Tree) (list []ruling, more bool) {
	rules, more := t.Rules(maxRulings)
	for _, r := range rules {
		when := "otherwise"
		if len(r.When) > 0 {
			when = phrase.Call{ABI: abi, NR: nr}.Case(r.When)
		}
		list = append(list, ruling{chip: chipOf(abi, r.Action), When: when})
	}
	return list, more
}
