package edit

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// plans returns the ways to make a change, those that change less of the text first. Which
// of them does what is wanted is for the proof to say. The error is why there is none.
func (p *profile) plans(c *Change) (list []*plan, err error) {
	if c.Specs[0].When == nil {
		return []*plan{p.always(c)}, nil
	}
	added, err := p.forms(c.Specs[0].Call, p.contexts, guard{}, c.clauses)
	if err != nil {
		return nil, err
	}
	if len(added) > 0 {
		list = append(list, &plan{rules: added})
	}
	narrowed, err := p.narrowed(c)
	if err == nil {
		narrowed.rules = append(narrowed.rules, added...)
		list = append(list, narrowed)
	}
	whole, err2 := p.whole(c)
	if err2 == nil {
		list = append(list, whole)
	}
	if len(list) == 0 {
		return nil, err
	}
	return list, nil
}

// always plans a change of calls without conditions: the entries that give them another
// action lose them, and one that gives this action gets them.
func (p *profile) always(c *Change) *plan {
	plan := &plan{}
	i := slices.IndexFunc(p.entries, func(e *entry) bool { return e.always(c.Action) && e.list.Exists() && !e.remarks })
	if i >= 0 {
		plan.into = p.entries[i]
	}
	for _, s := range c.Specs {
		there := false
		for _, e := range p.entries {
			switch {
			case !e.has(s.Call):
			case e.always(c.Action):
				there = true
			case e.in != nil && e.action == c.Action && !e.tests: // under conditions, which no longer matter
			default:
				plan.take(e, s.Call.Name())
			}
		}
		if !there && c.Action != p.standard() && !slices.Contains(plan.names, s.Call.Name()) {
			plan.names = append(plan.names, s.Call.Name())
		}
	}
	if plan.into == nil && plan.names != nil {
		slices.Sort(plan.names)
		plan.rules = []rule{{Rule: listing.Rule{Action: c.Action}, names: plan.names}}
	}
	return plan
}

// clauses returns what the change of a call does on an ABI, and nothing else. It returns
// none if the ABI lacks the call, or the conditions never hold there.
func (c *Change) clauses(a arch.ABI) (list []policy.Clause) {
	lists, _ := c.Specs[0].When.lists(a, c.Specs[0].Call)
	for _, conds := range lists {
		list = append(list, policy.Clause{Conds: conds, Action: c.Action})
	}
	return list
}

// narrowed plans that entries which give a call another action no longer do so where the
// change holds.
func (p *profile) narrowed(c *Change) (*plan, error) {
	plan := &plan{split: make(map[*entry][]rule)}
	call := c.Specs[0].Call
	for _, e := range p.entries {
		if !e.has(call) || e.in == nil || e.action == c.Action {
			continue
		}
		rules, err := p.forms(call, e.in, e.guard, func(a arch.ABI) []policy.Clause {
			list := c.clauses(a)
			for i := range list { // where the change holds, the entry has nothing to say
				list[i].Action = p.standard()
			}
			return append(list, e.own(a, call)...)
		})
		if err != nil {
			return nil, err
		}
		old, err := p.forms(call, e.in, e.guard, func(a arch.ABI) []policy.Clause { return e.own(a, call) })
		if err == nil && slices.EqualFunc(old, rules, func(x, y rule) bool {
			return x.Action == y.Action && slices.Equal(x.Args, y.Args) && x.guard.equal(&y.guard)
		}) {
			continue // it does nothing where the change holds
		}
		plan.take(e, call.Name())
		if rules != nil {
			plan.split[e] = rules
		}
	}
	return plan, nil
}

// own returns the clauses of a call that come from an entry, in the first of its contexts
// that has them.
func (e *entry) own(a arch.ABI, call syscalltables.Call) (own []policy.Clause) {
	nr, ok := call.Number(a)
	if !ok {
		return nil
	}
	for _, ctx := range e.in {
		for _, clause := range ctx.resolved.Clauses(a.Audit(), nr) {
			if clause.Pointer == e.pointer {
				own = append(own, clause)
			}
		}
		if own != nil {
			return own
		}
	}
	return nil
}

// whole plans that a call loses all its rules and gets others, of which no two hold together.
// That takes a call that gets the same in all contexts.
func (p *profile) whole(c *Change) (*plan, error) {
	plan := &plan{}
	call := c.Specs[0].Call
	for _, e := range p.entries {
		if e.has(call) {
			plan.take(e, call.Name())
		}
	}
	wants := make(map[*context]*policy.Resolved)
	for _, ctx := range p.contexts {
		wants[ctx] = wanted(ctx.resolved, c, true)
	}
	var first string
	for _, ctx := range p.contexts {
		rules, err := p.rules(call, ctx.resolved.ABIs(), func(a arch.ABI) []policy.Clause {
			nr, _ := call.Number(a)
			return wants[ctx].Clauses(a.Audit(), nr)
		})
		if err != nil {
			return nil, err
		}
		if text := fmt.Sprint(rules); first == "" {
			first = text
			for _, r := range rules {
				plan.rules = append(plan.rules, rule{Rule: r, names: []string{call.Name()}})
			}
		} else if text != first {
			return nil, fmt.Errorf("what it gets depends on capabilities, kernel or ABI, as for %v", ctx)
		}
	}
	return plan, nil
}

// rules returns rules without an order that do what clauses do on some ABIs.
func (p *profile) rules(call syscalltables.Call, abis []arch.ABI, clauses func(arch.ABI) []policy.Clause) ([]listing.Rule, error) {
	var calls []listing.Call
	for _, a := range abis {
		nr, ok := call.Number(a)
		if !ok {
			continue
		}
		all := clauses(a)
		if last := len(all) - 1; last < 0 || len(all[last].Conds) > 0 {
			all = append(all, policy.Clause{Action: p.standard()})
		}
		calls = append(calls, listing.Call{Name: call.Name(), ABI: a, NR: nr, Clauses: all})
	}
	if calls == nil {
		return nil, nil
	}
	rules, err := listing.Unordered(calls, p.standard(), "a rule of a profile")
	if err != nil {
		return nil, policy.Errors{err}
	}
	return rules, nil
}

// A form is rules for some ABIs of containers.
type form struct {
	names []string
	rules []listing.Rule
	mains []arch.ABI
}

// forms returns rules that do what clauses do in some contexts, under a guard. Where the
// ABIs of containers need other rules, they get some of their own, as Docker's default
// profile has for clone.
func (p *profile) forms(call syscalltables.Call, contexts []*context, g guard, clauses func(arch.ABI) []policy.Clause) (out []rule, err error) {
	var forms []form
	done := make(map[arch.ABI]bool)
	for _, ctx := range contexts {
		if done[ctx.main()] {
			continue
		}
		done[ctx.main()] = true
		if !slices.ContainsFunc(ctx.resolved.ABIs(), func(a arch.ABI) bool { return has(a, call) }) {
			continue
		}
		rules, err := p.rules(call, ctx.resolved.ABIs(), clauses)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(forms, func(f form) bool { return equalRules(f.rules, rules) })
		if i < 0 {
			i = len(forms)
			forms = append(forms, form{rules: rules, names: []string{call.Name()}})
		}
		forms[i].mains = append(forms[i].mains, ctx.main())
	}
	return p.guarded(forms, g), nil
}

// guarded returns the rules of forms under a guard: where there are several, each for its own
// ABIs, and the most common one for all but those of the others.
func (p *profile) guarded(forms []form, g guard) (out []rule) {
	slices.SortStableFunc(forms, func(a, b form) int { return len(b.mains) - len(a.mains) })
	for i, f := range forms {
		own := g
		if i > 0 {
			own.Includes.Arches = p.archNames(f.mains)
		} else {
			for _, other := range forms[1:] {
				own.Excludes.Arches = slices.Concat(own.Excludes.Arches, p.archNames(other.mains))
			}
		}
		for _, r := range f.rules {
			out = append(out, rule{Rule: r, names: f.names, guard: own})
		}
	}
	return out
}

func equalRules(a, b []listing.Rule) bool {
	return slices.EqualFunc(a, b, func(x, y listing.Rule) bool { return x.Action == y.Action && slices.Equal(x.Args, y.Args) })
}

func (p *profile) archNames(abis []arch.ABI) (list []string) {
	for _, a := range abis {
		list = append(list, p.archName(a))
	}
	return list
}

// fillers returns a plan with rules that keep the bound above which runtimes give ENOSYS
// where it was: a profile has one for each ABI, the largest number that it names, and none if
// it names no call. A call that was the largest, and is not named any more, is named in a rule
// that does what the default does, and so is the largest of all where there was no bound.
// Calls above the old bound get ENOSYS by a rule.
func (p *profile) fillers(made *plan, want []*policy.Resolved, next *profile) *plan {
	lowered, raised := make(map[string]bool), make(map[cbpf.Action]map[string]bool) // by ENOSYS
	numbers := make(map[arch.ABI]cbpf.Action)                                       // by the ABI of the container
	for i, ctx := range next.contexts {
		for _, a := range ctx.resolved.ABIs() {
			n, _ := a.Errno("ENOSYS")
			enosys := cbpf.Errno(n)
			bounded := newer(ctx.resolved, a, a.Base()|1<<29)
			lowest, dropped := "", "" // the largest call that must not be newer, and that is not named any more
			for nr, call := range syscalltables.All(a) {
				before, after := newer(want[i], a, nr), newer(ctx.resolved, a, nr)
				if made.takes(call.Name()) {
					dropped = call.Name()
				}
				switch {
				case before == after || len(ctx.resolved.Clauses(a.Audit(), nr)) > 0:
				case !before:
					lowest = call.Name()
				case !bounded:
					lowest = dropped
				default:
					if numbers[ctx.main()] = enosys; raised[enosys] == nil {
						raised[enosys] = make(map[string]bool)
					}
					raised[enosys][call.Name()] = true
				}
			}
			if lowest != "" {
				lowered[lowest] = true
			}
		}
	}
	filled := *made
	filled.rules = slices.Clone(made.rules)
	for _, name := range sorted(lowered) {
		for _, e := range p.entries {
			if slices.Contains(made.drop[e], name) {
				filled.fill(name, p.standard(), e.guard)
			}
		}
		if !made.takes(name) {
			filled.fill(name, p.standard(), guard{})
		}
	}
	var forms []form
	for enosys, calls := range raised {
		f := form{rules: []listing.Rule{{Action: enosys}}, names: sorted(calls)}
		for main, number := range numbers {
			if number == enosys {
				f.mains = append(f.mains, main)
			}
		}
		slices.Sort(f.mains)
		forms = append(forms, f)
		filled.restated = append(filled.restated, f.names...)
	}
	slices.SortFunc(forms, func(a, b form) int { return cmp.Compare(a.rules[0].Action, b.rules[0].Action) })
	for _, r := range p.guarded(forms, guard{}) {
		r.comment = "ENOSYS for calls that were newer than this profile before it named newer ones."
		filled.rules = append(filled.rules, r)
	}
	if len(filled.rules) == len(made.rules) {
		return nil
	}
	return &filled
}

// takes reports whether a plan takes a name out of some entry.
func (p *plan) takes(name string) bool {
	for _, names := range p.drop {
		if slices.Contains(names, name) {
			return true
		}
	}
	return false
}

// fill adds a name to the filler with a guard.
func (p *plan) fill(name string, standard cbpf.Action, g guard) {
	const comment = "Known calls up to this one get the default action, and not ENOSYS."
	i := slices.IndexFunc(p.rules, func(r rule) bool { return r.comment == comment && r.guard.equal(&g) })
	if i < 0 {
		i = len(p.rules)
		p.rules = append(p.rules, rule{Rule: listing.Rule{Action: standard}, guard: g, comment: comment})
	}
	if !slices.Contains(p.rules[i].names, name) {
		p.rules[i].names = append(p.rules[i].names, name)
	}
}

func sorted(set map[string]bool) (list []string) {
	for name := range set {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// newer reports whether a number gets ENOSYS because it is newer than the profile.
func newer(r *policy.Resolved, a arch.ABI, nr uint32) bool {
	for i := range r.Spaces {
		if s := &r.Spaces[i]; s.Audit == a.Audit() {
			return slices.ContainsFunc(s.Ranges, func(x policy.Range) bool {
				return x.First <= nr && nr <= x.Last && x.Reason == policy.ByENOSYS
			})
		}
	}
	return false
}
