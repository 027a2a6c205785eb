package record

import (
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Result is a profile made from a recording, and what to know about it.
type Result struct {
	Policy *policy.Policy
	// Added are the rules that Base lacked, and ABIs the architectures that it lacked.
	Added []policy.Rule
	ABIs  []arch.ABI
	// Unnamed are calls that no profile can allow because the tables have no name for
	// their numbers. Denied are calls that the profile still denies because a rule of
	// Base does. Open are calls whose arguments had too many values to list.
	Unnamed, Denied, Open []Call
	// Needed are calls that a runtime of Options.For makes, and that the profile denies
	// because a rule of Base does.
	Needed []string
}

// Profile returns the profile that allows the recorded calls. The same calls give the
// same profile, in whatever order they came. The error is that of [policy.Resolve] if the
// base contradicts the rules that Profile adds.
//
// A profile made from scratch makes all other calls fail with EPERM, clone3 with ENOSYS,
// except for a few that every program needs. Its architectures are those of the machine and
// of the recorded calls.
func (r *Recording) Profile() (*Result, error) {
	p := *r.options.Base
	res := &Result{Policy: &p}
	res.ABIs = r.addABIs(&p)
	if r.fresh {
		p.Rules = alwaysRules(p.ABIs)
	}
	before, err := r.resolve(&p)
	if err != nil {
		return nil, err
	}
	calls := r.sorted()
	lacking := r.lacking(calls, before, res)
	kept := r.companions(&p, lacking)
	kept = append(kept, r.runtimeRules(&p, slices.Concat(lacking.rules(), kept))...)
	res.Added = slices.Concat(lacking.rules(), kept)
	var opened []string
	p.Rules, opened = join(p.Rules, lacking, kept, r.options.Args)
	after, err := r.resolve(&p)
	if err != nil {
		return nil, err
	}
	for _, c := range calls {
		if slices.Contains(opened, c.name.Name()) {
			res.Open = append(res.Open, c.Call)
		}
		if c.name.Valid() && !c.passes(after) {
			res.Denied = append(res.Denied, c.Call)
		}
	}
	res.Needed = r.needed(after)
	return res, nil
}

// lacking returns the rules that a policy lacks, and notes what they cannot say.
func (r *Recording) lacking(calls []*call, before *policy.Resolved, res *Result) *ruleSet {
	lacking := new(ruleSet)
	for _, c := range calls {
		switch {
		case !c.name.Valid():
			res.Unnamed = append(res.Unnamed, c.Call)
		case c.lack(before, lacking):
			res.Open = append(res.Open, c.Call)
		}
		if c.name.Name() == "socket" && !r.options.Args && !r.options.single {
			c.addSockets(before, lacking)
		}
	}
	return lacking
}

// companions returns the rules that come with others: that for threads with clone, unless
// somebody else wrote the profile, and that for clone3 if the program called it.
func (r *Recording) companions(p *policy.Policy, lacking *ruleSet) (rules []policy.Rule) {
	if r.clone3 {
		rules = append(rules, noClone3(r.machine()))
	}
	there := func(rule policy.Rule) bool { return rule.Comment == threads.comment }
	_, starts := lacking.byName["clone"]
	if !starts || !recorded(p.Rules) || r.options.single || slices.ContainsFunc(p.Rules, there) {
		return rules
	}
	rule := threads.rule(slices.Concat(r.machine(), p.ABIs))
	rule.Names = slices.DeleteFunc(rule.Names, r.tests)
	return append(rules, rule)
}

// tests reports whether the recording tests arguments of a call, whatever the base does.
func (r *Recording) tests(name string) bool {
	c := new(call)
	if abis := r.machine(); len(abis) > 0 {
		c.ABI = abis[0]
	}
	c.name, _ = syscalltables.Lookup(name)
	for i := range c.masks {
		if r.argMask(c, i) != (argMask{}) {
			return true
		}
	}
	return false
}

// allows reports whether a rule allows a call without conditions.
func allows(rules []policy.Rule, name string) bool {
	return slices.ContainsFunc(rules, func(rule policy.Rule) bool {
		return rule.Action == cbpf.Allow && len(rule.Args) == 0 && len(rule.ABIs) == 0 && slices.Contains(rule.Names, name)
	})
}

// addABIs adds the ABIs of named calls to a profile's. It returns those that are new.
func (r *Recording) addABIs(p *policy.Policy) (added []arch.ABI) {
	known := slices.Clone(p.ABIs)
	for _, abi := range r.machine() { // they are always targets
		if !slices.Contains(known, abi) {
			known = append(known, abi)
		}
	}
	for _, c := range r.sorted() {
		if c.name.Valid() && !slices.Contains(known, c.ABI) && !slices.Contains(added, c.ABI) {
			added = append(added, c.ABI)
		}
	}
	if added == nil {
		return nil
	}
	p.ABIs = slices.Concat(known, added)
	if recorded(p.Rules) {
		slices.Sort(p.ABIs)
	}
	return added
}

// lack adds the rules that a policy lacks to let the recorded calls pass. It reports
// whether they are wider than what was recorded.
func (c *call) lack(r *policy.Resolved, rules *ruleSet) (wider bool) {
	if !c.tested {
		if c.open || !r.Eval(&c.First).Permits(cbpf.Alone) {
			rules.add(c.name.Name(), nil)
		}
		return c.open
	}
	list, masks, wider := c.combinations()
	lacking := false
	for _, v := range list {
		if d := c.example(v); !r.Eval(&d).Permits(cbpf.Alone) {
			rules.add(c.name.Name(), c.conditions(&v, masks))
			lacking = true
		}
	}
	return wider && lacking
}

// passes reports whether a policy lets everything pass that was recorded.
func (c *call) passes(r *policy.Resolved) bool {
	if !c.tested {
		return r.Eval(&c.First).Permits(cbpf.Alone)
	}
	for values, set := range c.seen {
		if d := c.example(combination{values, *set}); !r.Eval(&d).Permits(cbpf.Alone) {
			return false
		}
	}
	return len(c.seen) < maxSeen
}

// example returns a call with the arguments of a combination.
func (c *call) example(v combination) cbpf.Data {
	d := c.First
	for i := range d.Args {
		if c.masks[i] != (argMask{}) {
			d.Args[i] = v.values[i] | v.set[i]
		}
	}
	return d
}

// conditions returns the conditions that a combination satisfies.
func (c *call) conditions(v *combination, masks [6]argMask) []policy.Arg {
	if c.netlink && v.values[0] != afNetlink {
		masks[2] = argMask{}
	}
	return v.args(&masks, c.ABI)
}

// args returns the conditions that a combination satisfies: that the values are the
// same and that no other bits are set.
func (v *combination) args(masks *[6]argMask, a arch.ABI) []policy.Arg {
	width := ^uint64(0) >> (64 - a.Bits())
	var list []policy.Arg
	for i, l := range masks {
		switch mask := l.value | l.set&^v.set[i]; {
		case mask == 0:
		case l.value&width == width:
			list = append(list, policy.Arg{Index: uint(i), Op: policy.Equal, Value: v.values[i]})
		default:
			list = append(list, policy.Arg{Index: uint(i), Op: policy.MaskedEqual, Value: mask, ValueTwo: v.values[i]})
		}
	}
	return list
}
