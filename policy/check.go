package policy

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// The checks below note what a profile's author may not have meant.

// checkOpen notes numbers that a permissive default leaves open on MIPS, whose
// kernels run the numbers of all three ABIs in any task.
func (r *resolver) checkOpen(a arch.ABI) {
	if !isMIPS(a) || r.options.Mode == Strict {
		return
	}
	r.found(finding{OpenMIPS, -1, -1, -1}, a, func() (place, string) {
		return place{-1, -1, r.policy.Pointer + "/defaultAction"}, r.fallback.String() + " also decides the numbers of the " +
			"other MIPS ABIs, which run in any task: a denied call can be made by its other numbers (use strict mode)"
	})
}

// checkCuts notes which values of a rule are cut to 32 bits.
func (r *resolver) checkCuts(a arch.ABI, rule int32) {
	for i, arg := range r.policy.Rules[rule].Args {
		key := arg.cut()
		if key == "" {
			continue
		}
		r.found(finding{Truncated, rule, int32(i), -1}, a, func() (place, string) {
			v := arg.Value
			if key == "valueTwo" {
				v &= arg.ValueTwo
			}
			at := place{rule, int32(i), sub(r.rules[rule].pointer+"/args", i) + "/" + key}
			return at, hex(v) + " is cut to 32 bits: " + hex(v&(1<<32-1))
		})
	}
}

// name returns a name of a rule and its place.
func (r *resolver) name(rule, name int32) (string, place) {
	return r.policy.Rules[rule].Names[name], place{rule, name, sub(r.rules[rule].pointer+"/names", int(name))}
}

// checkBeaten notes rules without effect because another one decides the call
// unconditionally.
func (r *resolver) checkBeaten(a arch.ABI, beaten []mention, by mention) {
	winner, winning := r.rule(by), r.names[by.named].rule
	for _, m := range beaten {
		n := &r.names[m.named]
		conditional := r.rule(m).alternatives(a.Bits()).tests
		if m.by != noMultiplexer {
			if conditional && permits(winner.action) {
				r.checkHidden(a, &candidate{rule: n.rule, name: n.name, by: m.by})
			}
			continue
		}
		if n.rule == winning || !conditional && r.rule(m).action == winner.action {
			continue
		}
		r.found(finding{Unreachable, n.rule, n.name, -1}, a, func() (place, string) {
			name, at := r.name(n.rule, n.name)
			return at, "never decides " + name + ": " + winner.pointer + " does, under all conditions"
		})
	}
}

// checkHidden notes that a multiplexer hides the conditions on a call, once for
// all rules.
func (r *resolver) checkHidden(a arch.ABI, c *candidate) {
	call, _ := syscalltables.Lookup(r.policy.Rules[c.rule].Names[c.name])
	r.found(finding{LostCondition, -1, int32(call), -1}, a, func() (place, string) {
		name, at := r.name(c.rule, c.name)
		return at, c.by.String() + " reaches " + name + " too and hides its arguments: conditions on them cannot be tested there"
	})
}

// contradiction notes two rules with the same conditions and different actions.
func (r *resolver) contradiction(a arch.ABI, nr uint32, rule, other int32) {
	r.found(finding{Contradiction, rule, -1, other}, a, func() (place, string) {
		mine, theirs := &r.rules[rule], &r.rules[other]
		return place{rule, -1, mine.pointer}, "contradicts " + theirs.pointer + ": " + callName(a, nr) +
			" under the same conditions gets " + mine.action.String() + " here and " + theirs.action.String() + " there (remove one)"
	})
}

// checkOverlap notes two rules with different actions that hold for the same call.
func (r *resolver) checkOverlap(a arch.ABI, nr uint32, o *overlap) {
	first, later := o.first.rule, o.later.rule
	call := example(a, nr, o.args, o.first.conds, o.later.conds)
	r.foundFor(finding{Overlap, later, -1, first}, call, func() (place, string) {
		winner, loser := &r.rules[first], &r.rules[later]
		return place{later, -1, loser.pointer}, "overlaps " + winner.pointer + ", which comes first: where both hold, as for " +
			call.Text + ", " + winner.action.String() + " beats " + loser.action.String()
	})
}

// checkMore notes that a call has more overlaps than were told.
func (r *resolver) checkMore(a arch.ABI, nr uint32, rules int) {
	call, _ := syscalltables.ByNumber(a, nr)
	r.found(finding{Overlap, -1, int32(call), -1}, a, func() (place, string) {
		return place{-1, -1, r.policy.Pointer + "/syscalls"}, "not every overlap of the " + strconv.Itoa(rules) + " rules on " + callName(a, nr) + " is told"
	})
}

// A dropped is a name of a rule that does what the default action does.
type dropped struct {
	rule, name int32
	nr         uint32
}

// checkDropped notes dropped rules that share calls with rules that are not: there
// the others decide, as if the dropped one were not there.
func (r *resolver) checkDropped(a arch.ABI, calls []Call) {
	pairs := minPairs + pairsPerRule*len(r.dropped)
	for _, d := range r.dropped {
		i, ok := slices.BinarySearchFunc(calls, d.nr, func(c Call, nr uint32) int { return cmp.Compare(c.NR, nr) })
		if !ok {
			continue
		}
		call := &calls[i]
		lists := r.rules[d.rule].alternatives(a.Bits()).lists
		if pairs -= len(lists) * len(call.Clauses); pairs < 0 {
			r.found(finding{Dropped, -1, -1, -1}, a, func() (place, string) {
				return place{-1, -1, r.policy.Pointer + "/syscalls"}, "not every rule that is dropped in vain is told"
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

// checkBypassed notes that a call satisfies the conditions of a dropped rule and of
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
		if i > 0 { // an earlier clause may hold, too
			c = call.first(&args)
		}
		example := example(a, d.nr, args, conds, c.Conds)
		r.foundFor(finding{Dropped, d.rule, d.name, -1}, example, func() (place, string) {
			rule := &r.rules[d.rule]
			at := place{d.rule, d.name, sub(rule.pointer+"/names", int(d.name))}
			return at, "does what the default action does and is dropped for it, so that " + c.Pointer + " decides: " +
				example.Text + " gets " + c.Action.String() + ", not " + rule.action.String() + " (narrow " + c.Pointer + ")"
		})
		return true
	}
	return false
}

// callName returns the name of a number of one ABI.
func callName(a arch.ABI, nr uint32) string {
	if call, ok := syscalltables.ByNumber(a, nr); ok {
		return call.Name()
	}
	return strconv.FormatUint(uint64(nr), 10)
}
