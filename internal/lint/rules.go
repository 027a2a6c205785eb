package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// checkRules reports conditions that cannot be meant as they are written, and rules
// that are written twice.
func (r *reviewer) checkRules() {
	checked := map[string]bool{} // places of rules, of which a language may make several filters
	for _, p := range r.stack() {
		r.checkRulesOf(p, checked)
		for i := range p.Rules {
			checked[p.Rules[i].Pointer] = p.Rules[i].Pointer != ""
		}
	}
}

// stack returns the policy and the older ones under it.
func (r *reviewer) stack() []*policy.Policy {
	return append([]*policy.Policy{r.Policy}, r.Policy.Older...)
}

// checkRulesOf is checkRules for one policy and those of its rules that are not checked.
func (r *reviewer) checkRulesOf(p *policy.Policy, checked map[string]bool) {
	seen := seenRules{map[string]int{}, map[seenRule]string{}}
	for i := range p.Rules {
		rule := &p.Rules[i]
		if checked[rule.Pointer] {
			continue
		}
		r.checkDuplicate(&seen, rule)
		if p.Order == policy.Libseccomp { // in others all of a rule's conditions must hold
			r.checkAlternatives(rule)
		}
		for j, arg := range rule.Args {
			at := element(rule.Pointer+"/args", j)
			if !r.isNumber(rule, arg) && r.checkSwapped(rule, at, arg) {
				continue
			}
			r.checkArg(at, arg)
		}
		r.checkMeaning(rule)
	}
}

// seenRules are the rules so far.
type seenRules struct {
	kinds    map[string]int // numbers of different actions and conditions
	pointers map[seenRule]string
}

type seenRule struct {
	call syscalltables.Call
	kind int
}

// checkDuplicate reports a name that has the same rule before, if a call has that name.
func (r *reviewer) checkDuplicate(seen *seenRules, rule *policy.Rule) {
	text := fmt.Sprint(rule.Action, " ", rule.Args)
	if rule.Errno != nil {
		text += fmt.Sprint(" ", *rule.Errno)
	}
	kind, ok := seen.kinds[text]
	if !ok {
		kind = len(seen.kinds)
		seen.kinds[text] = kind
	}
	for j, name := range rule.Names {
		call, known := syscalltables.Lookup(name)
		if !known {
			continue
		}
		key := seenRule{call, kind}
		if before, ok := seen.pointers[key]; ok {
			r.found(Finding{ID: "duplicate", Pointer: element(rule.Pointer+"/names", j), Reason: name + " already has the same rule at " + before})
			continue
		}
		seen.pointers[key] = rule.Pointer
	}
}

// checkAlternatives reports an argument that is tested twice, unless it is to have one
// of several values.
func (r *reviewer) checkAlternatives(rule *policy.Rule) {
	var tests [6]int
	others, values := false, true
	for _, a := range rule.Args {
		tests[a.Index]++
		values = values && (a.Op == policy.Equal || a.Op == policy.MaskedEqual)
		others = others || a.Index != rule.Args[0].Index
	}
	for index, n := range tests {
		if n < 2 || values && !others {
			continue
		}
		r.found(Finding{ID: "any-of", Pointer: rule.Pointer + "/args", Reason: fmt.Sprintf(
			"argument %d is tested %d times, so the rule matches if any one of its %d conditions holds", index, n, len(rule.Args))})
		return
	}
}

// bits returns the greatest argument width of the target ABIs.
func (r *reviewer) bits() int {
	bits := 0
	for _, a := range r.Resolved.ABIs() {
		bits = max(bits, a.Bits())
	}
	return bits
}

// checkArg reports a condition whose values decide nothing.
func (r *reviewer) checkArg(at string, a policy.Arg) {
	most := ^uint64(0) >> (64 - r.bits())
	always, never := false, false
	switch a.Op {
	case policy.Less:
		never = a.Value == 0
	case policy.LessEqual:
		always = a.Value >= most
	case policy.GreaterEqual:
		always = a.Value == 0
	case policy.Greater:
		never = a.Value >= most
	case policy.MaskedEqual:
		always = a.Value == 0
		if stray := a.ValueTwo &^ a.Value; stray != 0 && !always {
			r.found(Finding{ID: "stray-bits", Pointer: at + "/valueTwo",
				Reason: fmt.Sprintf("%#x has bits outside the mask %#x in value, and those bits are not compared", a.ValueTwo, a.Value)})
		}
	case policy.Equal, policy.NotEqual:
	}
	if a.Op != policy.MaskedEqual && a.Op != policy.MaskedNotEqual && a.ValueTwo != 0 {
		r.found(Finding{ID: "unused-value", Pointer: at + "/valueTwo", Reason: a.Op.String() + " ignores valueTwo"})
	}
	switch {
	case always:
		r.found(Finding{ID: "always-true", Pointer: at, Reason: "the condition holds for every value of argument " + fmt.Sprint(a.Index)})
	case never:
		r.found(Finding{ID: "never-true", Pointer: at, Reason: "the condition holds for no value of argument " + fmt.Sprint(a.Index) + ", so the rule has no effect"})
	}
}

// checkSwapped reports a mask and a value that have changed places: the mask is a part of
// the value. A mask of all the low bits is not, since values may be sign-extended.
func (r *reviewer) checkSwapped(rule *policy.Rule, at string, a policy.Arg) bool {
	if a.Op != policy.MaskedEqual || a.Value == a.ValueTwo || a.Value&^a.ValueTwo != 0 || a.Value != 0 && a.Value&(a.Value+1) == 0 {
		return false
	}
	f := Finding{ID: "swapped-mask", Pointer: at,
		Reason: fmt.Sprintf("value is the mask, and %#x has fewer bits than the %#x that it is compared with, so they have changed places", a.Value, a.ValueTwo)}
	if a.Value == 0 {
		f.Severity, f.Reason = Error, fmt.Sprintf("value is the mask, and that is 0, so the condition always holds: it has changed places with %#x in valueTwo", a.ValueTwo)
	}
	if a.Value == 0 && !permitted(rule.Action) { // swapped, it would deny calls without these bits
		f.Fix = "write the mask to value and what the masked bits must be to valueTwo"
		r.found(f)
		return true
	}
	f.cure = &cure{set: map[string]string{
		at + "/value": strconv.FormatUint(a.ValueTwo, 10), at + "/valueTwo": strconv.FormatUint(a.Value, 10),
	}}
	r.found(f)
	return true
}

// checkMeaning reports conditions on something that is not an argument of the call, or
// that is an address.
func (r *reviewer) checkMeaning(rule *policy.Rule) {
	if len(rule.Args) == 0 {
		return
	}
	var calls []syscalltables.Call
	for _, name := range rule.Names {
		if c, ok := syscalltables.Lookup(name); ok && !slices.Contains(calls, c) {
			calls = append(calls, c)
		}
	}
	var done [6][2]bool // by index, and whether the value is 0
	for j, a := range rule.Args {
		zero := 0
		if a.Value == 0 {
			zero = 1
		}
		if done[a.Index][zero] {
			continue
		}
		done[a.Index][zero] = true
		for _, c := range calls {
			if r.checkArgOf(c, element(rule.Pointer+"/args", j), a) {
				break // the first call is enough
			}
		}
	}
}

// isNumber reports whether a condition is about an argument that is one of some constants
// and has no bits of its own.
func (r *reviewer) isNumber(rule *policy.Rule, a policy.Arg) bool {
	return a.Value != 0 && slices.ContainsFunc(rule.Names, func(name string) bool {
		call, _ := syscalltables.Lookup(name)
		return symbols.At(r.mainABI(), call, int(a.Index)).Kind() == symbols.Enum
	})
}

// masksNumber reports whether a condition uses one of the constants of an argument, which
// are numbers, as a mask. Masks of all the low bits, which cut a number, are none of them.
func masksNumber(arg symbols.Arg, a policy.Arg) bool {
	return a.Op == policy.MaskedEqual && arg.Kind() == symbols.Enum && a.Value&(a.Value+1) != 0 &&
		!strings.HasPrefix(arg.Text(a.Value), "0x") && strings.Trim(arg.Text(a.Value), "0123456789") != ""
}

// checkArgOf is checkMeaning for one condition on one call. It reports whether it found
// something.
func (r *reviewer) checkArgOf(call syscalltables.Call, at string, a policy.Arg) bool {
	for _, abi := range r.Resolved.ABIs() {
		if _, ok := call.Number(abi); !ok || abi.Bits() != 64 {
			continue // the lists of 32-bit ABIs may end early
		}
		args := call.Args(abi)
		switch {
		case len(args) > 0 && int(a.Index) >= len(args):
			r.found(Finding{ID: "no-argument", Pointer: at + "/index", Reason: fmt.Sprintf(
				"%s has %d arguments (%s), so argument %d is whatever the register holds", call, len(args), strings.Join(args, ", "), a.Index)})
			return true
		case masksNumber(symbols.At(abi, call, int(a.Index)), a):
			arg := symbols.At(abi, call, int(a.Index))
			r.found(Finding{ID: "swapped-mask", Pointer: at, Reason: fmt.Sprintf(
				"value is the mask, and %s is a value of %s, not a mask", arg.Text(a.Value), arg.Name()),
				Fix: "test for " + arg.Text(a.Value) + " with SCMP_CMP_EQ"})
			return true
		case a.Value != 0 && symbols.At(abi, call, int(a.Index)).Kind().IsAddress() && !slices.Contains(strings.Fields(placing), call.Name()):
			r.found(Finding{ID: "address", Pointer: at, Reason: fmt.Sprintf(
				"argument %d of %s, %s, is an address, and a filter cannot see what it points to", a.Index, call, args[a.Index])})
			return true
		}
	}
	return false
}

// checkActions reports actions that do what few expect.
func (r *reviewer) checkActions() {
	switch {
	case r.Resolved.Default == cbpf.Allow:
		r.found(Finding{ID: "deny-list", Pointer: r.Policy.Pointer + "/defaultAction", Reason: "the profile allows every call that it does not name, including those that later kernels add"})
	case r.Resolved.Default == cbpf.Log:
		r.found(Finding{ID: "log-default", Pointer: r.Policy.Pointer + "/defaultAction", Reason: "SCMP_ACT_LOG as default action allows every call that the profile does not name"})
	}
	reported := map[string]bool{}
	once := func(id, pointer, reason string) {
		if !reported[id] {
			reported[id] = true
			r.found(Finding{ID: id, Pointer: pointer, Reason: reason})
		}
	}
	check := func(class cbpf.Action, errno *uint, pointer, action, errnoKey string) {
		switch class {
		case cbpf.KillThread:
			once("kill-thread", pointer+action, "the action ends one thread, and a program with several threads goes on without it")
		case cbpf.TraceClass:
			once("trace", pointer+action, "without a tracer, every call that gets SCMP_ACT_TRACE fails with ENOSYS")
		case cbpf.ErrnoClass:
			if errno != nil && *errno&0xffff == 0 {
				r.found(Finding{ID: "errno-zero", Pointer: pointer + errnoKey, Reason: "with error 0 the kernel skips the call and tells the program that it succeeded"})
			}
		default:
		}
	}
	for _, p := range r.stack() {
		check(p.Default, p.DefaultErrno, p.Pointer, "/defaultAction", "/defaultErrnoRet")
		for i := range p.Rules {
			rule := &p.Rules[i]
			check(rule.Action, rule.Errno, rule.Pointer, "/action", "/errnoRet")
		}
	}
}

// A verdict is all that can become of a call: the actions of its clauses and, if none
// of these is unconditional, the default action.
type verdict []cbpf.Action

// some reports whether one of the actions is such, and all whether each is.
func (v verdict) some(such func(cbpf.Action) bool) bool { return slices.ContainsFunc(v, such) }

func (v verdict) all(such func(cbpf.Action) bool) bool {
	return !slices.ContainsFunc(v, func(a cbpf.Action) bool { return !such(a) })
}

// verdict returns the possible outcomes of a call on an ABI; ok is false if the ABI does
// not have the call, or is not a target.
func (r *reviewer) verdict(a arch.ABI, name string) (v verdict, ok bool) {
	return verdictOn(r.Resolved, a, name)
}

func verdictOn(r *policy.Resolved, a arch.ABI, name string) (v verdict, ok bool) {
	call, _ := syscalltables.Lookup(name)
	nr, known := call.Number(a)
	if !known || !slices.Contains(r.ABIs(), a) {
		return nil, false
	}
	clauses := r.Clauses(a.Audit(), nr)
	if clauses == nil {
		d := cbpf.Data{Arch: a.Audit(), NR: nr}
		return verdict{r.Eval(&d)}, true
	}
	for i := range clauses {
		v = append(v, clauses[i].Action)
		if len(clauses[i].Conds) == 0 {
			return v, true
		}
	}
	return append(v, r.Default), true
}
