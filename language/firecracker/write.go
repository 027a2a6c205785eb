package firecracker

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/policy"
)

// Write returns a file with the filter of one thread, which is called main if Thread names
// none, for the one ABI of a resolved policy. It means what r does as far as such a filter can
// say that: the error, [policy.Errors], has the place and the reason of each rule that has no
// words. What a filter means for numbers that are not calls, and for other ABIs, cannot be
// chosen: compare the two with package proof.
func (l Language) Write(_ *policy.Policy, r *policy.Resolved) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if abis := r.ABIs(); len(abis) > 1 || !slices.Contains(known(), abis[0]) {
		return nil, policy.Errors{listing.Fails("", "the policy is for %s: Firecracker has filters for one of x86_64, aarch64 and riscv64 (name one with -a)", listing.Names(abis))}
	}
	w := &writer{resolved: r}
	if action(r.Default) == "" {
		w.fail(listing.Fails("", "calls get %v by default, for which Firecracker has no word (convert to another language)", r.Default))
	}
	named, errs := listing.Named(r, false)
	w.errs = errs
	w.choose(named)
	for _, name := range slices.Sorted(maps.Keys(named)) {
		w.call(&named[name][0])
	}
	if len(w.errs) > 0 {
		return nil, listing.Grouped(w.errs)
	}
	return []byte(fmt.Sprintf("{\n  %s: {\n    \"default_action\": %s,\n    \"filter_action\": %s,\n    \"filter\": [%s]\n  }\n}\n",
		strconv.Quote(cmp.Or(l.Thread, "main")), action(r.Default), action(w.chosen), w.list())), nil
}

// known returns the ABIs that Firecracker has filters for.
func known() []arch.ABI { return []arch.ABI{arch.X86_64, arch.AArch64, arch.RISCV64} }

// A writer writes the rules of a filter.
type writer struct {
	resolved *policy.Resolved
	chosen   cbpf.Action // of all rules
	rules    []string
	errs     policy.Errors
}

func (w *writer) fail(err *policy.Error) { w.errs = append(w.errs, err) }

// choose chooses the action of the rules: what most calls get that do not get the default.
func (w *writer) choose(named map[string][]listing.Call) {
	count := make(map[cbpf.Action]int)
	for _, calls := range named {
		if c := &calls[0]; !c.Denies(w.resolved.Default) {
			for _, clause := range c.Clauses {
				count[clause.Action]++
			}
		}
	}
	delete(count, w.resolved.Default)
	w.chosen = cbpf.Allow // of no rules
	if w.resolved.Default == cbpf.Allow {
		w.chosen = cbpf.KillThread
	}
	if best := slices.SortedFunc(maps.Keys(count), func(x, y cbpf.Action) int { return cmp.Or(cmp.Compare(count[y], count[x]), cmp.Compare(x, y)) }); len(best) > 0 {
		w.chosen = best[0]
	}
}

// call adds the rules of a call.
func (w *writer) call(c *listing.Call) {
	if c.Denies(w.resolved.Default) {
		return
	}
	for _, clause := range c.Clauses {
		place := cmp.Or(clause.Pointer, c.Pointer())
		switch a := clause.Action; {
		case a == w.resolved.Default:
		case action(a) == "":
			w.fail(listing.Fails(place, "%s: Firecracker has no word for %v (convert to another language)", c.Name, a))
			return
		case a != w.chosen:
			w.fail(listing.Fails(place, "%s: %v: the rules of a filter have one action, and others have %v (convert to another language)", c.Name, a, w.chosen))
			return
		}
	}
	rules, err := listing.Unordered([]listing.Call{*c}, w.resolved.Default, "a rule of Firecracker")
	if err != nil {
		w.fail(err)
		return
	}
	for i := range rules {
		var args []string
		for _, a := range rules[i].Args {
			args = append(args, comparison(a))
		}
		text := "{\"syscall\": " + strconv.Quote(c.Name)
		if args != nil {
			text += ", \"args\": [" + strings.Join(args, ", ") + "]"
		}
		w.rules = append(w.rules, "\n      "+text+"}")
	}
}

func (w *writer) list() string {
	if w.rules == nil {
		return ""
	}
	return strings.Join(w.rules, ",") + "\n    "
}

// action returns an action as JSON, "" if there is no word.
func action(a cbpf.Action) string {
	data := strconv.Itoa(int(a.Data()))
	switch {
	case a.Class() == cbpf.ErrnoClass && a.Data() <= maxErrno:
		return `{"errno": ` + data + `}`
	case a.Class() == cbpf.TraceClass:
		return `{"trace": ` + data + `}`
	}
	return map[cbpf.Action]string{
		cbpf.Allow: `"allow"`, cbpf.KillThread: `"kill_thread"`, cbpf.KillProcess: `"kill_process"`, cbpf.Log: `"log"`, cbpf.Trap: `"trap"`,
	}[a]
}

// comparison returns a condition as JSON. dword is for equality of the lower half.
func comparison(a policy.Arg) string {
	op := map[policy.Op]string{
		policy.Equal: `"eq"`, policy.NotEqual: `"ne"`, policy.Less: `"lt"`, policy.LessEqual: `"le"`, policy.Greater: `"gt"`, policy.GreaterEqual: `"ge"`,
	}[a.Op]
	length, val := "qword", a.Value
	if a.Op == policy.MaskedEqual {
		op, val = `{"masked_eq": `+strconv.FormatUint(a.Value, 10)+`}`, a.ValueTwo
		if a.Value == 1<<32-1 {
			op, length = `"eq"`, "dword"
		}
	}
	return fmt.Sprintf(`{"index": %d, "type": "%s", "op": %s, "val": %d}`, a.Index, length, op, val)
}
