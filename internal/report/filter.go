package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/optimize"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// What a page says of a filter comes from what the proof explains of it: there are no rules,
// reasons and findings.

// explained returns what a filter does with a call.
func (s *subject) explained(abi arch.ABI, nr uint32) verdict {
	t := s.tree(abi.Audit(), nr)
	if len(t.Arms) == 0 {
		return verdict{chip: chipOf(abi, t.Action)}
	}
	v := verdict{chip: chip{args, "by arguments"}}
	var more bool
	if v.Rules, more = rulings(abi, nr, t); more {
		v.Rules = slices.Insert(v.Rules, len(v.Rules)-1, ruling{chip: v.chip, When: "further cases"})
	}
	return v
}

// remaining lists what a filter does with numbers without a call, and with calls of ABIs that
// it does not know.
func (s *subject) remaining() (list []rest) {
	var others []rest
	for i := range s.spaces {
		space := &s.spaces[i]
		abis := s.among(space)
		if len(abis) == 0 {
			others = append(others, rest{ABIs: "other ABIs", Numbers: "all", chip: s.always(space)})
			continue
		}
		var trees []*proof.Tree
		var numbers [][]policy.Interval
		for _, run := range space.Runs {
			gaps := gaps(s.abis, abis[0].Audit(), policy.Interval{First: run.First, Last: run.Last})
			k := slices.Index(trees, run.Tree)
			if k < 0 {
				k = len(trees)
				trees, numbers = append(trees, run.Tree), append(numbers, nil)
			}
			numbers[k] = append(numbers[k], gaps...)
		}
		for k, t := range trees {
			if len(numbers[k]) > 0 {
				list = append(list, rest{ABIs: listed(abis), Numbers: intervals(numbers[k]), chip: treeChip(abis[0], t)})
			}
		}
	}
	return append(list, slices.Compact(others)...)
}

// among returns the ABIs of the page that a space is about.
func (s *subject) among(space *proof.Space) (abis []arch.ABI) {
	for _, a := range s.abis {
		if space.Audits.Has(a.Audit()) {
			abis = append(abis, a)
		}
	}
	return abis
}

// always is what happens to all calls of a space.
func (s *subject) always(space *proof.Space) chip {
	if len(space.Runs) > 1 {
		return chip{args, "by number"}
	}
	return treeChip(s.main(), space.Runs[0].Tree)
}

func treeChip(abi arch.ABI, t *proof.Tree) chip {
	if len(t.Arms) > 0 {
		return chip{args, "by arguments"}
	}
	return chipOf(abi, t.Action)
}

// aboutFilter describes a filter in sentences.
func (s *subject) aboutFilter() []string {
	list := []string{"This is a filter: what it does is known, and not what its author wrote."}
	for i := range s.spaces {
		space := &s.spaces[i]
		if size(space.Audits) < 1<<16 { // not the one of all other ABIs
			continue
		}
		if len(s.among(space)) > 0 {
			return append(list, "It does not look at the ABI of a call.")
		}
		if len(space.Runs) > 1 || len(space.Runs[0].Tree.Arms) > 0 {
			return append(list, "What a call through "+s.foreign()+" gets depends on its number or arguments.")
		}
		return append(list, "A call through "+s.foreign()+" "+predicate(s.main(), space.Runs[0].Tree.Action)+".")
	}
	return list
}

// filterCost measures a filter.
func (b *builder) filterCost(s *subject) cost {
	return measured(stats.Measure(s.Filter, stats.Options{ABIs: s.abis}))
}

// filterPictures draws what a filter decides.
func (b *builder) filterPictures(s *subject) []picture {
	p := picture{Title: listed(s.abis)}
	o := graph.Options{ABIs: s.abis, Title: "Decisions on calls of " + p.Title, Words: symbols.Names(), ID: fmt.Sprintf("g%s0", s.Letter)}
	d, err := optimize.Decisions(s.Filter, b.options.Limits)
	if err != nil {
		p.None = reason(err)
	} else {
		p.draw(d, o)
	}
	return []picture{p}
}

// filterFacts lists what else is known of a filter.
func (s *subject) filterFacts() []fact {
	order := strings.ToLower(strings.TrimSuffix(s.Filter.Order().String(), "Endian")) + "-endian"
	return []fact{{"ABIs", listed(s.abis)}, {"Instructions", fmt.Sprint(s.Filter.Len())}, {"Byte order", order}}
}

// filterABIs returns the ABIs that a page about a filter is for, in the order of package arch.
func (p *Profile) filterABIs() []arch.ABI {
	abis := slices.Clone(p.ABIs)
	if len(abis) == 0 {
		abis = stats.Known(p.Filter)
	}
	slices.SortFunc(abis, func(a, b arch.ABI) int { return cmp.Compare(a, b) })
	return slices.Compact(abis)
}
