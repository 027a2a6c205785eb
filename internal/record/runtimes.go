package record

import (
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// runtimeRules returns the rules for those calls of the runtimes that a profile, with
// other rules to be added, neither allows without conditions nor has a rule to deny.
func (r *Recording) runtimeRules(p *policy.Policy, others []policy.Rule) (rules []policy.Rule) {
	known := slices.Concat(p.Rules, others)
	for _, runtime := range r.options.For {
		why := func(what string) string {
			return fmt.Sprintf("%s needs %s to start a container (tried with %s).", runtime.Name, what, runtime.Releases)
		}
		threads := policy.Rule{Comment: why("threads"), Action: cbpf.Allow, Args: noNamespaces(arch.Native())}
		rest := policy.Rule{Comment: why("these"), Action: cbpf.Allow}
		for _, name := range runtime.Names() {
			call, _ := syscalltables.Lookup(name)
			rule := &rest
			if name == "clone" {
				rule = &threads
			}
			if _, ok := call.Number(arch.Native()); ok && !slices.ContainsFunc(known, func(k policy.Rule) bool { return settles(&k, name, rule.Args) }) {
				rule.Names = append(rule.Names, name)
			}
		}
		for _, rule := range []policy.Rule{threads, rest} {
			if rule.Names != nil {
				rules, known = append(rules, rule), append(known, rule)
			}
		}
	}
	return rules
}

// settles reports whether a rule allows a call wherever conditions hold, or ever denies it.
func settles(rule *policy.Rule, name string, args []policy.Arg) bool {
	return slices.Contains(rule.Names, name) && len(rule.ABIs) == 0 && (!rule.Action.Permits(cbpf.Alone) || covers(rule.Args, args))
}

// needed returns the calls of the runtimes that a policy denies.
func (r *Recording) needed(p *policy.Resolved) (names []string) {
	for _, runtime := range r.options.For {
		for _, name := range runtime.Names() {
			call, _ := syscalltables.Lookup(name)
			nr, ok := call.Number(arch.Native())
			if d := (cbpf.Data{NR: nr, Arch: arch.Native().Audit()}); ok && !p.Eval(&d).Permits(cbpf.Alone) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// noNamespaces are the conditions of clone that makes no namespace.
func noNamespaces(a arch.ABI) []policy.Arg {
	var masks [6]argMask
	for i := range masks {
		masks[i] = guard(a, "clone", i)
	}
	return new(combination).args(&masks, a)
}
