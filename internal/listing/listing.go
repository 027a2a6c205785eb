// Package listing says what a resolved policy does with each call by name, for the
// packages that write policies in a language. Start with [Calls].
package listing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Call is what a policy does with a call of one ABI.
type Call struct {
	Name string
	ABI  arch.ABI
	NR   uint32 // of a multiplexer if the call has no number of its own
	// Clauses are tried in order. The last one has no conditions, and the one before it
	// another action. An action that no rule gives has no Pointer.
	Clauses []policy.Clause
	// Newer says that the call gets ERRNO(ENOSYS) because no rule names it.
	Newer bool
}

// Always returns the action of a call whose arguments do not matter.
func (c *Call) Always() (a cbpf.Action, ok bool) {
	return c.Clauses[0].Action, len(c.Clauses) == 1
}

// Pointer returns where a rule about the call is, "" if there is none.
func (c *Call) Pointer() string {
	i := slices.IndexFunc(c.Clauses, func(c policy.Clause) bool { return c.Pointer != "" })
	if i < 0 {
		return ""
	}
	return c.Clauses[i].Pointer
}

// Fails returns the error that a language cannot say what the policy does with a call.
func (c *Call) Fails(format string, args ...any) *policy.Error {
	return Fails(c.Pointer(), c.Name+": "+format, args...)
}

// Fails returns the error that a language cannot say what stands at a place.
func Fails(pointer, format string, args ...any) *policy.Error {
	return &policy.Error{Kind: policy.Invalid, Pointer: pointer, Reason: fmt.Sprintf(format, args...)}
}

// Names returns the names of ABIs, with commas between them.
func Names(abis []arch.ABI) string {
	var list []string
	for _, a := range abis {
		list = append(list, a.String())
	}
	return strings.Join(list, ", ")
}

// Grouped joins the errors that say the same of several calls at one place.
func Grouped(errs policy.Errors) (out policy.Errors) {
	groups := make(map[[2]string]*policy.Error)
	for _, e := range errs {
		name, reason, ok := strings.Cut(e.Reason, ": ")
		key := [2]string{e.Pointer, reason}
		if first := groups[key]; ok && first != nil {
			names, _, _ := strings.Cut(first.Reason, ": ")
			if !slices.Contains(strings.Split(names, ", "), name) {
				first.Reason = names + ", " + name + ": " + reason
			}
			continue
		}
		groups[key] = e
		out = append(out, e)
	}
	return out
}

// Calls returns what a policy does with all calls of one of its ABIs, by ascending number.
// through is for languages in which a rule for a call also holds where programs make it
// through a multiplexer: these rules are then not among those of the multiplexer. The error
// is about rules for numbers that have no name.
func Calls(r *policy.Resolved, a arch.ABI, through bool) ([]Call, policy.Errors) {
	i := slices.IndexFunc(r.Spaces, func(s policy.Space) bool { return slices.Contains(s.ABIs, a) })
	l := lister{r: r, space: &r.Spaces[i], abi: a}
	var calls []Call
	for nr, call := range syscalltables.All(a) {
		calls = append(calls, l.call(call.Name(), nr))
	}
	if through {
		calls = l.demultiplex(calls)
	}
	for i := range calls {
		calls[i].Clauses = tidy(calls[i].Clauses)
	}
	var errs policy.Errors
	for _, c := range Unnamed(r, a) {
		errs = append(errs, c.Fails("a number that is not a call of %v, so no name stands for it", a))
	}
	return calls, errs
}

// Unnamed returns what rules do with numbers of an ABI that are not calls.
func Unnamed(r *policy.Resolved, a arch.ABI) (calls []Call) {
	i := slices.IndexFunc(r.Spaces, func(s policy.Space) bool { return slices.Contains(s.ABIs, a) })
	l := lister{r: r, space: &r.Spaces[i], abi: a}
	for i := range l.space.Calls {
		c := &l.space.Calls[i]
		if _, named := syscalltables.ByNumber(c.ABI, c.NR); named || c.ABI != a {
			continue
		}
		unnamed := Call{Name: policy.Interval{First: c.NR, Last: c.NR}.String(), ABI: a, NR: c.NR, Clauses: tidy(l.clauses(c.NR))}
		if action, ok := unnamed.Always(); !ok || action != r.Default {
			calls = append(calls, unnamed)
		}
	}
	return calls
}

// A lister looks up what a policy does.
type lister struct {
	r     *policy.Resolved
	space *policy.Space
	abi   arch.ABI
}

func (l *lister) call(name string, nr uint32) Call {
	enosys, _ := l.abi.Errno("ENOSYS")
	c := Call{Name: name, ABI: l.abi, NR: nr, Clauses: l.clauses(nr)}
	c.Newer = c.Clauses[0].Pointer == "" && len(c.Clauses) == 1 && c.Clauses[0].Action == cbpf.Errno(enosys)
	return c
}

// clauses returns the clauses of a number, of which the last one always holds.
func (l *lister) clauses(nr uint32) []policy.Clause {
	in := func(x policy.Range) bool { return x.First <= nr && nr <= x.Last }
	if i := slices.IndexFunc(l.space.Ranges, in); i >= 0 {
		return []policy.Clause{{Action: l.space.Ranges[i].Action}}
	}
	i, ok := slices.BinarySearchFunc(l.space.Calls, nr, func(c policy.Call, nr uint32) int { return cmp.Compare(c.NR, nr) })
	if !ok {
		return []policy.Clause{{Action: l.r.Default}}
	}
	list := slices.Clone(l.space.Calls[i].Clauses)
	if len(list[len(list)-1].Conds) > 0 {
		list = append(list, policy.Clause{Action: l.r.Default})
	}
	return list
}

// tidy leaves out clauses that do what the last one does if they fail.
func tidy(list []policy.Clause) []policy.Clause {
	for n := len(list); n > 1 && list[n-2].Action == list[n-1].Action; n = len(list) {
		last := list[n-1]
		last.Pointer = cmp.Or(last.Pointer, list[n-2].Pointer)
		list = append(list[:n-2], last)
	}
	return list
}

// demultiplex moves the clauses of multiplexers to the calls that they select. Calls that
// have a number of their own keep the clauses of that one.
func (l *lister) demultiplex(calls []Call) []Call {
	own := make(map[string]bool)
	for i := range calls {
		own[calls[i].Name] = true
	}
	for i := range calls {
		c := &calls[i]
		selected := selectors(l.abi, c.NR)
		if len(selected) == 0 {
			continue
		}
		last := c.Clauses[len(c.Clauses)-1]
		moved := make(map[uint64][]policy.Clause)
		var kept []policy.Clause
		for _, clause := range c.Clauses {
			if len(clause.Conds) > 0 && clause.Conds[0].Arg == 0 && clause.Conds[0].Op == policy.Equal && selected[clause.Conds[0].Value] != "" {
				number := clause.Conds[0].Value
				clause.Conds = clause.Conds[1:]
				moved[number] = append(moved[number], clause)
			} else {
				kept = append(kept, clause)
			}
		}
		if last.Action != l.r.Default { // which decides alone, whatever is selected
			continue
		}
		c.Clauses = kept
		for number, clauses := range moved {
			if name := selected[number]; !own[name] {
				calls = append(calls, Call{Name: name, ABI: l.abi, NR: c.NR, Clauses: append(clauses, last)})
			}
		}
	}
	for i := range calls { // a clause without conditions ends a list
		list := calls[i].Clauses
		if n := slices.IndexFunc(list, func(c policy.Clause) bool { return len(c.Conds) == 0 }); n >= 0 {
			calls[i].Clauses = list[:n+1]
		}
	}
	slices.SortStableFunc(calls, func(x, y Call) int { return cmp.Or(cmp.Compare(x.NR, y.NR), cmp.Compare(x.Name, y.Name)) })
	return calls
}

// selectors returns the calls that the first argument of a multiplexer selects.
func selectors(a arch.ABI, nr uint32) map[uint64]string {
	sockets, ok1 := a.Socketcall()
	ipcs, ok2 := a.IPC()
	if !(ok1 && nr == sockets || ok2 && nr == ipcs) {
		return nil
	}
	names := make(map[uint64]string)
	for other := range arch.All() { // some have no number on this ABI
		for _, call := range syscalltables.All(other) {
			if mux, selector, ok := call.Multiplexed(a); ok && mux == nr {
				names[uint64(selector)] = call.Name()
			}
		}
	}
	return names
}
