package algebra

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/policy"
)

// build writes the profile: the sources' rules as far as they are chosen, in their order, and
// then new ones.
func (d *draft) build() *policy.Policy {
	p := &policy.Policy{ABIs: d.abis, Flags: d.flags, ListenerPath: d.path, ListenerMetadata: d.metadata}
	p.Default, p.DefaultErrno = split(d.standard)
	placed := make(map[string]bool) // calls whose only rule is a source's
	for i := range d.entries {
		for _, e := range d.entries[i] {
			var names []string
			for _, name := range e.Names {
				o := d.chosen[name]
				a, ok := o.unconditional()
				switch {
				case o == nil:
				case slices.Contains(o.sources, i):
					names = append(names, name)
				case ok && a == e.action && len(e.Args) == 0 && !placed[name]:
					placed[name] = true
					names = append(names, name)
				}
			}
			if len(names) > 0 {
				rule := *e.Rule
				rule.Names, rule.Pointer = names, ""
				p.Rules = append(p.Rules, rule)
			}
		}
	}
	p.Rules = append(p.Rules, d.fresh(placed)...)
	return p
}

// fresh returns the new rules: those without conditions first, calls with the same rules
// together.
func (d *draft) fresh(placed map[string]bool) (rules []policy.Rule) {
	type group struct {
		names   []string
		choices []choice
	}
	groups := make(map[string]*group)
	var order []*group
	for _, c := range d.calls {
		o := d.chosen[c.name]
		if o == nil || len(o.rules) == 0 || placed[c.name] {
			continue
		}
		key := fmt.Sprint(o.rules)
		if groups[key] == nil {
			groups[key] = &group{choices: o.rules}
			order = append(order, groups[key])
		}
		groups[key].names = append(groups[key].names, c.name)
	}
	slices.SortStableFunc(order, func(x, y *group) int {
		return cmp.Or(cmp.Compare(min(len(x.choices[0].args), 1), min(len(y.choices[0].args), 1)), -x.choices[0].action.Compare(y.choices[0].action))
	})
	for _, g := range order {
		for i := range g.choices {
			rule := g.choices[i].rule(g.names)
			if len(rule.Args) == 0 && g.choices[i].action == d.standard {
				rule.Comment = "Known calls up to the last of these get the default action, and not ENOSYS."
			}
			rules = append(rules, rule)
		}
	}
	return rules
}
