package policy

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/syscalltables"
)

// The checks below report what a profile's author may not have meant.

// checkOpen reports numbers that a permissive default leaves open on MIPS, whose
// kernels run the numbers of all three ABIs in any task.
func (r *resolver) checkOpen(a arch.ABI) {
	if !isMIPS(a) || r.options.Mode == Strict {
		return
	}
	r.found(findingKey{string(OpenMIPS), none, none, none, false}, a, func() (place, string) {
		return place{none, none, r.policy.Pointer + "/defaultAction"}, r.fallback.String() + " also decides the numbers of the " +
			"other MIPS ABIs, which run in any task: a denied call can be made by its other numbers (use strict mode)"
	})
}

// checkCuts reports which values of a rule are cut to 32 bits.
func (r *resolver) checkCuts(a arch.ABI, rule int32) {
	for i, arg := range r.policy.Rules[rule].Args {
		key := arg.cut()
		if key == "" {
			continue
		}
		r.found(findingKey{string(Truncated), rule, int32(i), none, false}, a, func() (place, string) {
			v := arg.Value
			if key == "valueTwo" {
				v &= arg.ValueTwo
			}
			at := place{rule, int32(i), sub(r.rules[rule].pointer+"/args", i) + "/" + key}
			return at, hex(v) + " is truncated to 32 bits: " + hex(v&(1<<32-1))
		})
	}
}

// checkBeaten reports rules without effect because another one decides the call
// unconditionally.
func (r *resolver) checkBeaten(a arch.ABI, beaten []mention, by mention) {
	winner, winning := r.rule(by), r.names[by.named].rule
	for _, m := range beaten {
		n := &r.names[m.named]
		conditional := r.rule(m).alternatives(a.Bits()).tests
		if m.selector != 0 {
			if conditional && winner.action.Permits(cbpf.WithTracer) {
				r.checkHidden(a, m.nr, n.rule, n.name)
			}
			continue
		}
		if n.rule == winning || !conditional && r.rule(m).action == winner.action {
			continue
		}
		r.found(findingKey{string(Unreachable), n.rule, n.name, none, false}, a, func() (place, string) {
			name, at := r.name(n.rule, n.name)
			return at, "has no effect on " + name + ": " + winner.pointer + " decides it under all conditions"
		})
	}
}

// checkHidden reports that a multiplexer, a number, hides the conditions on a call, once
// for all rules.
func (r *resolver) checkHidden(a arch.ABI, nr uint32, rule, name int32) {
	call, _ := syscalltables.Lookup(r.policy.Rules[rule].Names[name])
	r.found(findingKey{string(LostCondition), none, int32(call), none, false}, a, func() (place, string) {
		name, at := r.name(rule, name)
		return at, name + " can also be called through " + callName(a, nr) + ", which hides its arguments from filters: conditions on them do not apply there"
	})
}

// contradiction reports two rules with the same conditions and different actions.
func (r *resolver) contradiction(a arch.ABI, nr uint32, rule, other int32) {
	r.found(findingKey{string(Contradiction), rule, none, other, true}, a, func() (place, string) {
		mine, theirs := &r.rules[rule], &r.rules[other]
		return place{rule, none, mine.pointer}, "contradicts " + theirs.pointer + ": " + callName(a, nr) +
			" under the same conditions gets " + mine.action.String() + " here and " + theirs.action.String() + " there (remove one)"
	})
}

// checkOverlap reports two rules with different actions that hold for the same call.
func (r *resolver) checkOverlap(a arch.ABI, nr uint32, o *overlap) {
	first, later := o.first.rule, o.later.rule
	call := example(a, nr, o.args, o.first.conds, o.later.conds)
	r.foundFor(findingKey{string(Overlap), later, none, first, false}, call, func() (place, string) {
		winner, loser := &r.rules[first], &r.rules[later]
		return place{later, none, loser.pointer}, "overlaps " + winner.pointer + ", which comes first: where both hold, as for " +
			call.Text + ", " + winner.action.String() + " beats " + loser.action.String()
	})
}

// checkMore reports that a call has more overlaps than are listed.
func (r *resolver) checkMore(a arch.ABI, nr uint32, rules int) {
	key := findingKey{string(Overlap), none, none, int32(nr), false}
	if call, ok := syscalltables.ByNumber(a, nr); ok {
		key.part, key.other = int32(call), none
	}
	r.found(key, a, func() (place, string) {
		return place{none, none, r.policy.Pointer + "/syscalls"}, "not all overlaps of the " + strconv.Itoa(rules) + " rules on " + callName(a, nr) + " are listed"
	})
}

// A dropped is a name of a rule that does what the default action does.
type dropped struct {
	rule, name int32
	nr         uint32
}

// checkDropped reports dropped rules that share calls with rules that are not: there
// the others decide, as if the dropped one were not there.
func (r *resolver) checkDropped(a arch.ABI, calls []Call) {
	slices.SortFunc(r.on.dropped, func(x, y dropped) int { return cmp.Or(cmp.Compare(x.rule, y.rule), cmp.Compare(x.name, y.name)) })
	pairs := minPairs + pairsPerRule*len(r.on.dropped)
	for _, d := range r.on.dropped {
		i, ok := slices.BinarySearchFunc(calls, d.nr, func(c Call, nr uint32) int { return cmp.Compare(c.NR, nr) })
		if !ok {
			continue
		}
		call := &calls[i]
		lists := r.rules[d.rule].alternatives(a.Bits()).lists
		if pairs -= len(lists) * len(call.Clauses); pairs < 0 {
			r.found(findingKey{string(Dropped), none, none, none, false}, a, func() (place, string) {
				return place{none, none, r.policy.Pointer + "/syscalls"}, "not all rules that are dropped while other rules decide their calls are listed"
			})
			return
		}
		for _, conds := range lists {
			if r.checkBypassed(a, d, conds, call) {
				break
			}
		}
	}
}

// checkBypassed reports that a call satisfies the conditions of a dropped rule and of
// another one, if there is such a call.
func (r *resolver) checkBypassed(a arch.ABI, d dropped, conds []Cond, call *Call) bool {
	for i := range call.Clauses {
		c := &call.Clauses[i]
		if len(conds) == 0 && len(c.Conds) > 0 {
			continue // an exception to the dropped rule, as it reads
		}
		args, ok := witness(conds, c.Conds, widthOf(a))
		if !ok {
			continue
		}
		example := example(a, d.nr, args, conds, c.Conds)
		r.foundFor(findingKey{string(Dropped), d.rule, d.name, none, false}, example, func() (place, string) {
			rule := &r.rules[d.rule]
			_, at := r.name(d.rule, d.name)
			return at, "does the same as the default action and is dropped, so " + c.Pointer + " decides: " +
				example.Text + " gets " + c.Action.String() + ", not " + rule.action.String() + " (narrow " + c.Pointer + ")"
		})
		return true
	}
	return false
}
