package kafel

import (
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A meaning is what a filter is on an ABI.
type meaning struct {
	name   string // of the call in Linux; "" if it is given by number
	number uint32
	lists  [][]policy.Arg // one of them has to hold
}

func (m *meaning) equal(n meaning) bool {
	return m.name == n.name && m.number == n.number && slices.EqualFunc(m.lists, n.lists, slices.Equal[[]policy.Arg])
}

// resolve makes the rules of a filter: those for ABIs on which it means the same together.
func (r *reader) resolve(f *filter, action cbpf.Action) {
	var meanings []meaning
	var abis [][]arch.ABI
	var absent []arch.ABI
	unknowns := make(map[string]bool)
	for _, a := range r.targets {
		if f.onSome && !slices.Contains(f.on, a) {
			continue
		}
		m := meaning{number: f.number, lists: [][]policy.Arg{nil}}
		args := f.args
		if f.name != "" {
			c := r.calls[a][f.name]
			if c == nil {
				absent = append(absent, a)
				continue
			}
			m.name, m.number = c.name, c.number
			if !f.named {
				args = c.args
			}
		}
		if f.cond != nil {
			e := evaluator{reader: r, filter: f, abi: a, args: args, unknowns: unknowns}
			m.lists = e.lists(f.cond, false)
		}
		i := slices.IndexFunc(meanings, m.equal)
		if i < 0 {
			i = len(meanings)
			meanings, abis = append(meanings, m), append(abis, nil)
		}
		abis[i] = append(abis[i], a)
	}
	if len(absent) > 0 {
		r.fail(f.place, r.lacks(f.name, absent))
	}
	r.checkConstant(f, meanings, len(unknowns) > 0)
	for i := range meanings {
		r.addRules(f, action, &meanings[i], abis[i])
	}
}

// checkConstant warns of conditions that test nothing.
func (r *reader) checkConstant(f *filter, meanings []meaning, wrong bool) {
	if f.cond == nil || wrong || len(meanings) == 0 {
		return
	}
	all := func(test func(m meaning) bool) bool {
		return !slices.ContainsFunc(meanings, func(m meaning) bool { return !test(m) })
	}
	switch {
	case all(func(m meaning) bool { return len(m.lists) == 0 }):
		r.warn(policy.Ignored, f.place, "the condition never holds, so the rule has no effect")
	case all(func(m meaning) bool { return len(m.lists) == 1 && len(m.lists[0]) == 0 }):
		r.warn(policy.Ignored, f.place, "the condition always holds, so the rule is for all such calls")
	}
}

// addRules adds the rules of a filter for some ABIs.
func (r *reader) addRules(f *filter, action cbpf.Action, m *meaning, abis []arch.ABI) {
	rule := policy.Rule{Pointer: f.place}
	rule.Action, rule.Errno = parts(action)
	if len(abis) < len(r.targets) {
		rule.ABIs = abis
	}
	if m.name != "" {
		rule.Names = []string{m.name}
	} else {
		rule.Numbers = []uint32{m.number}
	}
	for _, list := range m.lists {
		if r.tested += 1 + len(list); r.tested > maxTests {
			r.stop(f.place, "more than "+strconv.Itoa(maxTests)+" conditions up to here: no filter can test so many (test less)")
			return
		}
		rule.Args = list
		f.rules = append(f.rules, rule)
	}
}
