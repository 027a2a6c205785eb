package gen

import (
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// dense draws the rules of a dense policy without conditions, which name any
// share of all calls of the ABIs, and leaves a few other calls as names for rules
// with conditions.
//
// It lists them in runs of neighbouring numbers, because compilers go wrong at the
// ends of runs.
func (g *policies) dense() []policy.Rule {
	calls := g.known()
	for range 1 + g.IntN(12) {
		if len(calls) > 0 {
			from := g.IntN(len(calls))
			to := min(len(calls), from+1+g.IntN(8))
			g.names = append(g.names, calls[from:to]...)
			calls = slices.Delete(calls, from, to)
		}
	}
	lists := make([]policy.Rule, 1+g.IntN(3))
	for i := range lists {
		lists[i].Action, lists[i].Errno = g.listed()
	}
	on, off := 1<<g.IntN(9), 1<<g.IntN(9) // mean lengths of runs in a list, and in none
	list := -1
	for _, name := range calls {
		switch {
		case list >= 0 && chance(g.Rand, on):
			list = -1
		case list < 0 && chance(g.Rand, off):
			list = g.IntN(len(lists))
		}
		// [policy.Resolve] refuses NOTIFY on write.
		if list >= 0 && (name != "write" || lists[list].Action != cbpf.Notify) {
			lists[list].Names = append(lists[list].Names, name)
		}
	}
	return slices.DeleteFunc(lists, func(r policy.Rule) bool { return r.Names == nil })
}

// listed draws an action that the default is not: a rule without conditions that
// says the same says nothing.
func (g *policies) listed() (cbpf.Action, *uint) {
	for {
		if action, errno := g.action(); action != g.fallback {
			return action, errno
		}
		g.actions = append(g.actions, pick(g.Rand, classes))
	}
}

// known returns the calls of the ABIs, each once: first those of one of them by
// number, then those that only others have.
func (g *policies) known() []string {
	var calls []syscalltables.Call
	for _, i := range g.Perm(len(g.ABIs)) {
		for _, c := range syscalltables.All(g.ABIs[i]) {
			calls = append(calls, c)
		}
	}
	seen := map[syscalltables.Call]bool{}
	var names []string
	for _, c := range calls {
		// Calls behind a multiplexer share its number, where one argument and one
		// action each make several.
		if !seen[c] && (g.Family != OneArg || !slices.Contains(multiplexed, c.Name())) {
			names = append(names, c.Name())
		}
		seen[c] = true
	}
	return names
}
