package policy

import (
	"slices"
	"strconv"
	"strings"

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

// name returns the name of a candidate and its place.
func (r *resolver) name(c *candidate) (string, place) {
	return r.policy.Rules[c.rule].Names[c.name], place{c.rule, c.name, sub(r.rules[c.rule].pointer+"/names", int(c.name))}
}

// checkBeaten notes rules without effect because another one decides the call
// unconditionally.
func (r *resolver) checkBeaten(a arch.ABI, beaten []candidate, by *candidate) {
	winner := &r.rules[by.rule]
	for i := range beaten {
		c := &beaten[i]
		if c.by != noMultiplexer {
			if c.hides && permits(winner.action) {
				r.checkHidden(a, c)
			}
			continue
		}
		if c.rule == by.rule || len(c.conds) == 0 && r.rules[c.rule].action == winner.action {
			continue
		}
		r.found(finding{Unreachable, c.rule, c.name, -1}, a, func() (place, string) {
			name, at := r.name(c)
			return at, "never decides " + name + ": " + winner.pointer + " does, under all conditions"
		})
	}
}

// checkHidden notes that a multiplexer hides the conditions on a call, once for
// all rules.
func (r *resolver) checkHidden(a arch.ABI, c *candidate) {
	call, _ := syscalltables.Lookup(r.policy.Rules[c.rule].Names[c.name])
	r.found(finding{LostCondition, -1, int32(call), -1}, a, func() (place, string) {
		name, at := r.name(c)
		return at, c.by.String() + " reaches " + name + " too and hides its arguments: conditions on them cannot be tested there"
	})
}

// contradiction notes two rules with the same conditions and different actions.
func (r *resolver) contradiction(a arch.ABI, nr uint32, c, other *candidate) {
	r.found(finding{rule: c.rule, part: -1, other: other.rule}, a, func() (place, string) {
		mine, theirs := &r.rules[c.rule], &r.rules[other.rule]
		return place{c.rule, -1, mine.pointer}, "contradicts " + theirs.pointer + ": " + callName(a, nr) +
			" under the same conditions gets " + mine.action.String() + " here and " + theirs.action.String() + " there (remove one)"
	})
}

// checkOverlaps notes pairs of rules with different actions that hold for the
// same call.
func (r *resolver) checkOverlaps(a arch.ABI, nr uint32, list []candidate) {
	var pairs [][2]int32
	all := r.overlaps(list, widthOf(a), func(first, later *candidate, args [6]uint64) bool {
		pair := [2]int32{later.rule, first.rule}
		if slices.Contains(pairs, pair) {
			return true
		}
		if len(pairs) == maxOverlaps {
			return false
		}
		pairs = append(pairs, pair)
		r.found(finding{Overlap, later.rule, -1, first.rule}, a, func() (place, string) {
			winner, loser := &r.rules[first.rule], &r.rules[later.rule]
			return place{later.rule, -1, loser.pointer}, "overlaps " + winner.pointer + ", which comes first: where both hold, as for " + callName(a, nr) +
				tested(first.conds, later.conds, args) + ", " + winner.action.String() + " beats " + loser.action.String()
		})
		return true
	})
	if !all {
		call, _ := syscalltables.ByNumber(a, nr)
		r.found(finding{Overlap, -1, int32(call), -1}, a, func() (place, string) {
			return place{-1, -1, r.policy.Pointer + "/syscalls"}, "not every overlap of the " + strconv.Itoa(len(list)) + " rules on " + callName(a, nr) + " is told"
		})
	}
}

// tested lists the arguments that some condition is about: "(a0 = 0x1)".
func tested(a, b []Cond, args [6]uint64) string {
	var list []string
	for i, v := range args {
		about := func(c Cond) bool { return int(c.Arg) == i }
		if slices.ContainsFunc(a, about) || slices.ContainsFunc(b, about) {
			list = append(list, "a"+strconv.Itoa(i)+" = "+hex(v))
		}
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// callName returns the name of a number of one ABI.
func callName(a arch.ABI, nr uint32) string {
	if call, ok := syscalltables.ByNumber(a, nr); ok {
		return call.Name()
	}
	return strconv.FormatUint(uint64(nr), 10)
}
