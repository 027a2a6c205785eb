package record

import (
	"cmp"
	"maps"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A ruleSet is rules that allow calls: for each name the lists of conditions under
// which it is allowed. An empty list means no condition, and is then the only list.
type ruleSet struct{ byName map[string][][]policy.Arg }

// add adds a rule, unless it is there or one that allows more. Rules that allow less
// go.
func (s *ruleSet) add(name string, args []policy.Arg) {
	if s.byName == nil {
		s.byName = make(map[string][][]policy.Arg)
	}
	lists := s.byName[name]
	if slices.ContainsFunc(lists, func(l []policy.Arg) bool { return covers(l, args) }) {
		return
	}
	lists = slices.DeleteFunc(lists, func(l []policy.Arg) bool { return covers(args, l) })
	s.byName[name] = append(lists, args)
}

// rules returns the rules: one for all names without conditions, then one for each
// list of conditions, by name.
func (s *ruleSet) rules() []policy.Rule {
	plain := policy.Rule{Action: cbpf.Allow}
	var tested []policy.Rule
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		lists := slices.SortedFunc(slices.Values(s.byName[name]), compareArgs)
		for _, args := range lists {
			if len(args) == 0 {
				plain.Names = append(plain.Names, name)
				continue
			}
			tested = append(tested, policy.Rule{Names: []string{name}, Args: args, Action: cbpf.Allow})
		}
	}
	if plain.Names == nil {
		return tested
	}
	return append([]policy.Rule{plain}, tested...)
}

// join returns the rules of a profile and those that it lacks, which come last, and of
// these the ones with a comment. If the profile has the form of a recording, so has what
// it becomes: with flags it is the same as if all had been recorded at once. The names in
// opened had more conditions than a recording has of one call, and none now.
func join(base []policy.Rule, lacking *ruleSet, commented []policy.Rule, flags bool) (joined []policy.Rule, opened []string) {
	if !recorded(base) {
		return slices.Concat(base, lacking.rules(), commented), nil
	}
	var all ruleSet
	var kept []policy.Rule
	for _, rule := range base {
		if rule.Comment != "" {
			rule.Pointer = "" // it moves
			kept = append(kept, rule)
		}
	}
	kept = append(kept, commented...)
	base = slices.DeleteFunc(slices.Clone(base), func(r policy.Rule) bool { return r.Comment != "" })
	for _, rule := range base {
		for _, name := range rule.Names {
			all.add(name, rule.Args)
		}
	}
	for _, rule := range lacking.rules() {
		for _, name := range rule.Names {
			if flags || name == "clone" || name == "unshare" {
				rule.Args = all.unite(name, rule.Args)
			}
			all.add(name, rule.Args)
		}
	}
	for name, lists := range all.byName {
		if len(lists) > maxValues {
			all.byName[name] = [][]policy.Arg{nil}
			opened = append(opened, name)
		}
	}
	maps.DeleteFunc(all.byName, func(name string, _ [][]policy.Arg) bool { return allows(kept, name) })
	return append(all.rules(), kept...), opened
}

// unite returns conditions that also allow the flags that an existing rule allows with the
// same values.
func (s *ruleSet) unite(name string, args []policy.Arg) []policy.Arg {
	for _, other := range s.byName[name] {
		if !slices.EqualFunc(args, other, func(a, b policy.Arg) bool {
			return a.Index == b.Index && a.Op == b.Op && a.ValueTwo == b.ValueTwo && (a.Value == b.Value || a.Op == policy.MaskedEqual)
		}) {
			continue
		}
		args = slices.Clone(args)
		for i := range args {
			if args[i].Op == policy.MaskedEqual {
				args[i].Value &= other[i].Value
			}
		}
	}
	return args
}

// recorded reports whether rules have the form that a ruleSet gives them, but for those
// with a comment.
func recorded(rules []policy.Rule) bool {
	rules = slices.DeleteFunc(slices.Clone(rules), func(r policy.Rule) bool { return r.Comment != "" })
	for i, rule := range rules {
		plain := len(rule.Args) == 0
		if rule.Action != cbpf.Allow || rule.Errno != nil || len(rule.Numbers) > 0 || len(rule.ABIs) > 0 || plain && i > 0 || !plain && len(rule.Names) != 1 {
			return false
		}
		for j := range rule.Args {
			if j > 0 && rule.Args[j-1].Index >= rule.Args[j].Index {
				return false // an argument tested twice makes two rules
			}
		}
	}
	return true
}

// covers reports whether conditions hold wherever others do.
func covers(args, others []policy.Arg) bool {
	for _, a := range args {
		if !slices.ContainsFunc(others, func(b policy.Arg) bool { return implies(b, a) }) {
			return false
		}
	}
	return true
}

// implies reports whether b holds wherever a does, as far as the conditions of
// recordings go.
func implies(a, b policy.Arg) bool {
	switch {
	case a == b:
		return true
	case a.Index != b.Index || b.Op != policy.MaskedEqual:
		return false
	case a.Op == policy.Equal:
		return a.Value&b.Value == b.ValueTwo
	case a.Op == policy.MaskedEqual:
		return b.Value&^a.Value == 0 && a.ValueTwo&b.Value == b.ValueTwo
	}
	return false
}

func compareArgs(a, b []policy.Arg) int {
	return slices.CompareFunc(a, b, func(a, b policy.Arg) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Op, b.Op), cmp.Compare(a.Value, b.Value), cmp.Compare(a.ValueTwo, b.ValueTwo))
	})
}
