package record

import (
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Result is a profile that was made of a recording, and what to know about it.
type Result struct {
	Policy *policy.Policy
	// Added are the rules that Base lacked, ABIs those that its architectures did.
	Added []policy.Rule
	ABIs  []arch.ABI
	// Unnamed are calls that no profile can allow, because the tables have no name
	// for their numbers. Denied are those that the profile denies all the same,
	// because a rule of Base does. Open are those whose arguments had too many
	// values to name them all.
	Unnamed, Denied, Open []Call
}

// always are the calls that a profile made from nothing allows whether they were seen
// or not: those that end a thread or a process, and those that the kernel makes a
// thread make when a signal interrupts it, which is a matter of luck. They have no
// power, and a process that cannot make them cannot even end.
var always = [...]string{"exit", "exit_group", "restart_syscall", "rt_sigreturn", "sigreturn"}

// fresh returns the profile that allows nothing else, with EPERM as Docker's has it.
func fresh() *policy.Policy {
	p := &policy.Policy{Default: cbpf.ErrnoClass, DefaultErrno: new(uint(1))}
	if native := arch.Native(); native != 0 {
		p.ABIs = []arch.ABI{native}
	}
	p.Rules = alwaysAllowed(p.ABIs)
	return p
}

// alwaysAllowed returns the rule for what is always allowed, as far as ABIs have it.
func alwaysAllowed(abis []arch.ABI) []policy.Rule {
	rule := policy.Rule{Action: cbpf.Allow}
	for _, name := range always {
		call, _ := syscalltables.Lookup(name)
		if slices.ContainsFunc(abis, func(a arch.ABI) bool { _, ok := call.Number(a); return ok }) {
			rule.Names = append(rule.Names, name)
		}
	}
	return []policy.Rule{rule}
}

// Profile returns the profile that allows the calls recorded. The same calls give
// the same profile, in whatever order they came. The error is that of
// [policy.Resolve] for a base that contradicts the rules to be added.
//
// A profile made from nothing lets all other calls fail with EPERM, but for a few that
// no program can do without. Its architectures are the native one and those of the calls
// recorded.
func (r *Recording) Profile() (*Result, error) {
	p := *r.options.Base
	res := &Result{Policy: &p}
	res.ABIs = r.addABIs(&p)
	if r.fresh {
		p.Rules = alwaysAllowed(p.ABIs)
	}
	before, _, err := policy.Resolve(&p, r.options.Reading)
	if err != nil {
		return nil, err
	}
	var lacking ruleSet
	calls := r.sorted()
	for _, c := range calls {
		switch {
		case !c.name.Valid():
			res.Unnamed = append(res.Unnamed, c.Call)
		case c.lack(before, &lacking):
			res.Open = append(res.Open, c.Call)
		}
	}
	res.Added = lacking.rules()
	var opened []string
	p.Rules, opened = join(p.Rules, &lacking, r.options.Args)
	after, _, err := policy.Resolve(&p, r.options.Reading)
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
	return res, nil
}

// addABIs adds the ABIs of named calls to a profile's. It returns those that are new.
func (r *Recording) addABIs(p *policy.Policy) (added []arch.ABI) {
	known := p.ABIs
	if native := arch.Native(); native != 0 && !slices.Contains(known, native) {
		known = append(slices.Clone(known), native) // it is always a target
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
		if !Passes(r.Eval(&c.First)) {
			rules.add(c.name.Name(), nil)
		}
		return false
	}
	list, lenses, wider := c.combinations()
	lacking := false
	for _, v := range list {
		if d := c.example(v); !Passes(r.Eval(&d)) {
			rules.add(c.name.Name(), v.args(&lenses, c.ABI))
			lacking = true
		}
	}
	return wider && lacking
}

// passes reports whether a policy lets everything pass that was recorded.
func (c *call) passes(r *policy.Resolved) bool {
	if !c.tested {
		return Passes(r.Eval(&c.First))
	}
	for values, set := range c.seen {
		if d := c.example(combination{values, *set}); !Passes(r.Eval(&d)) {
			return false
		}
	}
	return len(c.seen) < maxSeen
}

// example returns a call with the arguments of a combination.
func (c *call) example(v combination) cbpf.Data {
	d := c.First
	for i := range d.Args {
		if c.lenses[i] != (lens{}) {
			d.Args[i] = v.values[i] | v.set[i]
		}
	}
	return d
}

// args returns the conditions that a combination satisfies: that the values are the
// same and that no other bits are set.
func (v *combination) args(lenses *[6]lens, a arch.ABI) []policy.Arg {
	width := ^uint64(0) >> (64 - a.Bits())
	var list []policy.Arg
	for i, l := range lenses {
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
