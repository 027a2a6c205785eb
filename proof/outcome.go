package proof

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
)

// An outcome says what a subject does with every call.
type outcome struct {
	regions  []region   // by ascending action; disjoint, none empty
	computed []computed // the calls in no region
}

// A region is all calls that get one action.
type region struct {
	action cbpf.Action
	calls  set
}

// A computed is calls that get an action computed from the call, with too many
// values to list.
type computed struct {
	calls  set
	action word
}

// add gives an action to more calls, which must not have one yet.
func (o *outcome) add(u *universe, action cbpf.Action, calls set) {
	if calls == none {
		return
	}
	i, found := slices.BinarySearchFunc(o.regions, action, func(r region, a cbpf.Action) int {
		return cmp.Compare(r.action, a)
	})
	if !found {
		o.regions = slices.Insert(o.regions, i, region{action: action})
	}
	o.regions[i].calls = u.or(o.regions[i].calls, calls)
}

// addWord gives calls the actions that a word has for them.
func (o *outcome) addWord(u *universe, action *word, calls set) {
	var values []region
	if len(o.regions) < u.limits.Actions && u.values(action, calls, 31, 0, &values) {
		for _, v := range values {
			o.add(u, v.action, v.calls)
		}
		return
	}
	o.computed = append(o.computed, computed{calls, *action})
}

// values lists the values that a word has for some calls, whose bits above i are
// k's. It reports false if there are too many.
func (u *universe) values(w *word, calls set, i int, k uint32, out *[]region) bool {
	for ; i >= 0; i-- {
		ones := u.and(calls, w[i])
		if ones == none {
			continue
		}
		if ones != calls && !u.values(w, u.without(calls, w[i]), i-1, k, out) {
			return false
		}
		k |= 1 << i
		calls = ones
	}
	*out = append(*out, region{cbpf.Action(k), calls})
	return len(*out) <= u.limits.Actions && u.over == ""
}

// actions returns the regions' actions.
func (o *outcome) actions() []cbpf.Action {
	s := make([]cbpf.Action, len(o.regions))
	for i, r := range o.regions {
		s[i] = r.action
	}
	return s
}

// with returns the calls that get an action, computed ones aside.
func (o *outcome) with(action cbpf.Action) set {
	for _, r := range o.regions {
		if r.action == action {
			return r.calls
		}
	}
	return none
}

// bit returns the calls whose action has a bit set.
func (o *outcome) bit(u *universe, i int) set {
	s := none
	for _, r := range o.regions {
		if r.action>>i&1 != 0 {
			s = u.or(s, r.calls)
		}
	}
	for _, c := range o.computed {
		s = u.or(s, u.and(c.calls, c.action[i]))
	}
	return s
}

// differ returns the calls for which two outcomes have different actions.
func (u *universe) differ(a, b *outcome) set {
	diff := none
	if len(a.computed) == 0 && len(b.computed) == 0 {
		for _, r := range a.regions {
			diff = u.or(diff, u.without(r.calls, b.with(r.action)))
		}
		return diff
	}
	for i := range 32 {
		diff = u.or(diff, u.xor(a.bit(u, i), b.bit(u, i)))
	}
	return diff
}
