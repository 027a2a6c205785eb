package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
	"github.com/seccompile/seccompile/words"
)

// checkRules reports conditions that cannot be meant as they are written, and rules
// that are written twice.
func (r *reviewer) checkRules() {
	seen := seenRules{map[string]int{}, map[seenRule]string{}}
	for i := range r.Policy.Rules {
		rule := &r.Policy.Rules[i]
		r.checkDuplicate(&seen, rule)
		r.checkAlternatives(rule)
		for j, arg := range rule.Args {
			r.checkArg(element(rule.Pointer+"/args", j), arg)
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
			r.found(Finding{ID: "duplicate", Pointer: element(rule.Pointer+"/names", j), Reason: name + " has the same rule at " + before + " already"})
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
			"argument %d is tested %d times, and then the rule holds where any one of its %d conditions does", index, n, len(rule.Args))})
		return
	}
}

// bits returns the greatest argument width of the target ABIs.
func (r *reviewer) bits() int {
	bits := 0
	for _, a := range r.abis() {
		bits = max(bits, a.Bits())
	}
	return bits
}

// abis returns the target ABIs.
func (r *reviewer) abis() (abis []arch.ABI) {
	for _, s := range r.Resolved.Spaces {
		abis = append(abis, s.ABIs...)
	}
	return abis
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
				Reason: fmt.Sprintf("%#x has bits outside the mask %#x, which is in value: they are not compared", a.ValueTwo, a.Value)})
		}
	case policy.Equal, policy.NotEqual:
	}
	if a.Op != policy.MaskedEqual && a.ValueTwo != 0 {
		r.found(Finding{ID: "unused-value", Pointer: at + "/valueTwo", Reason: a.Op.String() + " does not look at valueTwo"})
	}
	switch {
	case always:
		r.found(Finding{ID: "always-true", Pointer: at, Reason: "the condition holds for every value of argument " + fmt.Sprint(a.Index)})
	case never:
		r.found(Finding{ID: "never-true", Pointer: at, Reason: "the condition holds for no value of argument " + fmt.Sprint(a.Index) + ", so that the rule decides nothing"})
	}
}

// checkMeaning reports conditions on something that is no argument of the call, or is an
// address.
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
				break // told of the first call
			}
		}
	}
}

// checkArgOf is checkMeaning for one condition on one call. It reports whether it found
// something.
func (r *reviewer) checkArgOf(call syscalltables.Call, at string, a policy.Arg) bool {
	for _, abi := range r.abis() {
		if _, ok := call.Number(abi); !ok || abi.Bits() != 64 {
			continue // the lists of 32-bit ABIs may end early
		}
		args := call.Args(abi)
		switch {
		case len(args) > 0 && int(a.Index) >= len(args):
			r.found(Finding{ID: "no-argument", Pointer: at + "/index", Reason: fmt.Sprintf(
				"%s has %d arguments (%s), and argument %d is whatever the register holds", call, len(args), strings.Join(args, ", "), a.Index)})
			return true
		case a.Value != 0 && words.At(abi, call, int(a.Index)).Kind() == words.Pointer && !slices.Contains(strings.Fields(placing), call.Name()):
			r.found(Finding{ID: "address", Pointer: at, Reason: fmt.Sprintf(
				"argument %d of %s, %s, is an address, and a filter does not see what is there", a.Index, call, args[a.Index])})
			return true
		}
	}
	return false
}

// checkActions reports actions that do what few expect.
func (r *reviewer) checkActions() {
	p := r.Policy
	switch {
	case r.Resolved.Default == cbpf.Allow:
		r.found(Finding{ID: "deny-list", Pointer: p.Pointer + "/defaultAction", Reason: "the profile allows every call that it does not name, and all that later kernels add"})
	case r.Resolved.Default == cbpf.Log:
		r.found(Finding{ID: "log-default", Pointer: p.Pointer + "/defaultAction", Reason: "SCMP_ACT_LOG as default action allows every call that the profile does not name"})
	}
	told := map[string]bool{}
	once := func(id, pointer, reason string) {
		if !told[id] {
			told[id] = true
			r.found(Finding{ID: id, Pointer: pointer, Reason: reason})
		}
	}
	check := func(class cbpf.Action, errno *uint, pointer, action, errnoKey string) {
		switch class {
		case cbpf.KillThread:
			once("kill-thread", pointer+action, "the action ends one thread, and a program with more goes on without that one")
		case cbpf.TraceClass:
			once("trace", pointer+action, "without a tracer every call that SCMP_ACT_TRACE is for fails with ENOSYS")
		case cbpf.ErrnoClass:
			if errno != nil && *errno&0xffff == 0 {
				r.found(Finding{ID: "errno-zero", Pointer: pointer + errnoKey, Reason: "with error 0 the call is not made and the program is told that it was"})
			}
		default:
		}
	}
	check(p.Default, p.DefaultErrno, p.Pointer, "/defaultAction", "/defaultErrnoRet")
	for i := range p.Rules {
		rule := &p.Rules[i]
		check(rule.Action, rule.Errno, rule.Pointer, "/action", "/errnoRet")
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

// verdict returns what becomes of a call on an ABI; ok is false if the ABI has no such
// call, or is no target.
func (r *reviewer) verdict(a arch.ABI, name string) (v verdict, ok bool) {
	return verdictOn(r.Resolved, a, name)
}

func verdictOn(r *policy.Resolved, a arch.ABI, name string) (v verdict, ok bool) {
	call, _ := syscalltables.Lookup(name)
	nr, known := call.Number(a)
	s := space(r, a)
	if !known || s == nil {
		return nil, false
	}
	c := find(s, nr)
	if c == nil {
		d := cbpf.Data{Arch: a.Audit(), NR: nr}
		return verdict{r.Eval(&d)}, true
	}
	for i := range c.Clauses {
		v = append(v, c.Clauses[i].Action)
		if len(c.Clauses[i].Conds) == 0 {
			return v, true
		}
	}
	return append(v, r.Default), true
}

// space returns the number space of a target ABI, nil if it is none.
func space(r *policy.Resolved, a arch.ABI) *policy.Space {
	for i := range r.Spaces {
		if s := &r.Spaces[i]; slices.Contains(s.ABIs, a) {
			return s
		}
	}
	return nil
}

// find returns the rules on a number, nil if there are none.
func find(s *policy.Space, nr uint32) *policy.Call {
	i, ok := slices.BinarySearchFunc(s.Calls, nr, func(c policy.Call, nr uint32) int { return int(int64(c.NR) - int64(nr)) })
	if !ok {
		return nil
	}
	return &s.Calls[i]
}
