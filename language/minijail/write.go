package minijail

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/policy"
)

// Write returns a policy for the one ABI of a resolved policy, to be read in this language:
// with its switches, which may be needed for the default action. It means what r does as
// far as the dialect can say that: the error, [policy.Errors], has the place and the reason
// of each rule that has no words. What a policy means for numbers that are not calls, and
// for other ABIs, cannot be chosen: compare the two with package proof.
func (l Language) Write(_ *policy.Policy, r *policy.Resolved) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if abis := r.ABIs(); len(abis) > 1 {
		return nil, policy.Errors{listing.Fails("", "the policy is for %s: minijail has a policy for each ABI (name one with -a)", listing.Names(abis))}
	}
	w := &writer{reader: reader{Language: l, abi: r.ABIs()[0]}, resolved: r}
	if problem := w.setUp(); problem != "" {
		return nil, policy.Errors{listing.Fails("", "%s", problem)}
	}
	w.begin()
	calls, errs := listing.Calls(r, w.abi, false)
	w.errs = append(w.errs, errs...)
	for i := range calls {
		w.call(&calls[i])
	}
	if len(w.errs) > 0 {
		return nil, listing.Grouped(w.errs)
	}
	return []byte(w.text.String()), nil
}

// A writer writes the lines of a policy.
type writer struct {
	reader   // with the switches
	resolved *policy.Resolved
	text     strings.Builder
	errs     policy.Errors
}

// begin writes what the policy says about calls that it does not name.
func (w *writer) begin() {
	fmt.Fprintf(&w.text, "# For %v, in the dialect %s.\n", w.abi, w.Dialect)
	if w.Denylist {
		w.text.WriteString("@denylist\n")
	}
	standard := w.resolved.Default
	says := w.fallback
	if w.override != nil {
		says = *w.override
	}
	if says == standard {
		return
	}
	word := actionWords()[standard]
	if w.Dialect == Python && w.override == nil && !w.Denylist && (standard.Class() < cbpf.ErrnoClass || standard == cbpf.KillProcess || standard == cbpf.Notify) && word != "" {
		w.text.WriteString("@default " + word + "\n")
		return
	}
	w.errs = append(w.errs, listing.Fails("", "calls get %v by default, and %v in the dialect %s%s", standard, says, w.Dialect, w.cure(standard)))
}

// cure names the setting that makes an action the default.
func (w *writer) cure(standard cbpf.Action) string {
	switch {
	case w.Dialect == C && (standard == cbpf.Trap || standard == cbpf.KillThread || standard == cbpf.KillProcess):
		return " (give the setting default-action=" + actionWords()[standard] + ")"
	case w.Dialect == C:
		return ", which ends the program where it does not allow a call (convert to another language)"
	case standard == cbpf.Allow:
		return " (give the setting denylist=yes, or default-action=allow)"
	case standard.Class() == cbpf.ErrnoClass:
		return " (give the setting 'default-action=return " + w.errno(standard) + "')"
	case actionWords()[standard] != "":
		return " (give the setting default-action=" + actionWords()[standard] + ")"
	}
	return ", which has no word for it (convert to another language)"
}

// actionWords are the words of the Python dialect for actions that do not depend on the
// switches.
func actionWords() map[cbpf.Action]string {
	return map[cbpf.Action]string{
		cbpf.KillProcess: "kill-process", cbpf.KillThread: "kill-thread", cbpf.Trap: "trap", cbpf.Trace(0): "trace",
		cbpf.Log: "log", cbpf.Notify: "user-notify", cbpf.Allow: "allow",
	}
}

// errno returns the word for the error of an action.
func (w *writer) errno(a cbpf.Action) string {
	if name := w.abi.ErrnoName(a.Data()); name != "" {
		if _, problem := w.constant(name); problem == "" {
			return name
		}
	}
	return strconv.Itoa(int(a.Data()))
}

// action returns the words for an action, "" if there are none.
func (w *writer) action(a cbpf.Action) string {
	switch {
	case a.Class() == cbpf.ErrnoClass && !(w.UseRetLog && w.Dialect == Python):
		return "return " + w.errno(a)
	case w.Denylist || w.Dialect == C && a != cbpf.Allow:
		return ""
	}
	return actionWords()[a]
}

// call writes what happens to a call, if that is not what happens by default.
func (w *writer) call(c *listing.Call) {
	if action, ok := c.Always(); ok && action == w.resolved.Default {
		return
	}
	var filters []string
	if w.Dialect == C {
		filters = w.filtersC(c)
	} else {
		filters = w.filters(c)
	}
	switch {
	case filters == nil:
	case len(filters) == 1:
		w.text.WriteString(c.Name + ": " + filters[0] + "\n")
	default:
		w.text.WriteString(c.Name + ": {" + strings.Join(filters, ", ") + "}\n")
	}
}

// fail notes that an action has no words; "" if it has some.
func (w *writer) fail(c *listing.Call, clause *policy.Clause) {
	place := clause.Pointer
	if place == "" {
		place = c.Pointer()
	}
	dialect := "the dialect " + string(w.Dialect)
	if w.Denylist {
		dialect = "a denylist, which only returns errors,"
	}
	w.errs = append(w.errs, listing.Fails(place, "%s: %s has no word for %v (convert to another language, or for other settings)", c.Name, dialect, clause.Action))
}

// filters returns the filters of a call in the Python dialect. If the last one allowed,
// minijail would overlook those in front: what is allowed comes first then.
func (w *writer) filters(c *listing.Call) (filters []string) {
	clauses := c.Clauses
	last := clauses[len(clauses)-1]
	if len(clauses) > 1 && last.Action == cbpf.Allow && !w.Denylist {
		where, ok := c.Where(cbpf.Allow)
		if !ok {
			w.errs = append(w.errs, c.Fails("%v if no rule holds would need too many conditions", last.Action))
			return nil
		}
		if len(where) > 0 {
			filters = append(filters, w.lists(where))
		}
		clauses = slices.DeleteFunc(slices.Clone(clauses), func(c policy.Clause) bool { return c.Action == cbpf.Allow })
		clauses[len(clauses)-1].Conds = nil // what is left
	}
	if n := len(clauses); n > 1 && last.Action == w.resolved.Default && (w.Denylist || last.Action != cbpf.Allow) {
		clauses = clauses[:n-1]
	}
	for i := range clauses {
		clause := &clauses[i]
		action := w.action(clause.Action)
		switch conds := w.lists([][]policy.Cond{clause.Conds}); {
		case clause.Action == cbpf.Allow && len(clause.Conds) > 0:
			filters = append(filters, conds)
		case action == "":
			w.fail(c, clause)
			return nil
		case len(clause.Conds) == 0:
			filters = append(filters, action)
		default:
			filters = append(filters, conds+"; "+action)
		}
	}
	return filters
}

// filtersC returns the filter of a call in the C dialect: when it is allowed, and what it
// gets otherwise.
func (w *writer) filtersC(c *listing.Call) []string {
	var denied *policy.Clause
	for i := range c.Clauses {
		switch clause := &c.Clauses[i]; {
		case clause.Action == cbpf.Allow:
		case denied != nil && denied.Action != clause.Action:
			w.errs = append(w.errs, listing.Fails(clause.Pointer, "%s: %v and %v: the dialect minijail-c has one action for what it does not allow of a call (convert to another language)", c.Name, denied.Action, clause.Action))
			return nil
		default:
			denied = clause
		}
	}
	if denied == nil {
		return []string{"1"}
	}
	action := ""
	if denied.Action != w.kill {
		if action = w.action(denied.Action); action == "" {
			w.fail(c, denied)
			return nil
		}
	}
	where, ok := c.Where(cbpf.Allow)
	if !ok {
		w.errs = append(w.errs, c.Fails("what is allowed would need too many conditions"))
		return nil
	}
	if len(where) > 0 && action != "" {
		action = "; " + action
	}
	return []string{w.lists(where) + action}
}

// lists returns lists of conditions, of which one holds.
func (w *writer) lists(lists [][]policy.Cond) string {
	var texts []string
	for _, conds := range lists {
		texts = append(texts, w.list(conds)...)
	}
	return strings.Join(texts, " || ")
}

// list returns conditions that all hold: more than once where one of them takes several.
func (w *writer) list(conds []policy.Cond) (texts []string) {
	texts = []string{""}
	for _, cond := range conds {
		var next []string
		for _, text := range texts {
			for _, more := range w.conds(cond) {
				next = append(next, text+" && "+more)
			}
		}
		texts = next
	}
	for i, text := range texts {
		texts[i] = strings.TrimPrefix(text, " && ")
	}
	return texts
}

// conds returns texts of which one holds where a condition does.
func (w *writer) conds(c policy.Cond) (any []string) {
	arg := "arg" + strconv.Itoa(int(c.Arg))
	value := func(v uint64) string {
		if v < 10 {
			return strconv.FormatUint(v, 10)
		}
		return "0x" + strconv.FormatUint(v, 16)
	}
	text := func(op string, v uint64) string { return arg + " " + op + " " + value(v) }
	has := func(bits uint64) string { return text("&", bits) } // any of them
	lacks := func(bits uint64) string { return text("in", ^bits&w.width) }
	masked := func(c policy.Cond) string {
		var all []string
		if zeros := c.Mask &^ c.Value; zeros != 0 {
			all = append(all, lacks(zeros))
		}
		for rest := c.Value; rest != 0; rest &= rest - 1 {
			all = append(all, has(rest&-rest))
		}
		if all == nil {
			return arg + " >= 0" // no bits are as they should be
		}
		return strings.Join(all, " && ")
	}
	switch {
	case c.Op == policy.MaskedEqual || c.Op == policy.Equal && c.Mask != w.width:
		return []string{masked(c)}
	case c.Op == policy.MaskedNotEqual || c.Op == policy.NotEqual && c.Mask != w.width:
		if ones := c.Mask &^ c.Value; ones != 0 {
			any = append(any, has(ones))
		}
		for rest := c.Value; rest != 0; rest &= rest - 1 {
			any = append(any, lacks(rest&-rest))
		}
		return any
	case c.Mask != w.width:
		for _, prefix := range listing.Prefixes(c) {
			any = append(any, masked(prefix))
		}
		return any
	}
	op := map[policy.Op]string{
		policy.Equal: "==", policy.NotEqual: "!=", policy.Less: "<", policy.LessEqual: "<=", policy.Greater: ">", policy.GreaterEqual: ">=",
	}[c.Op]
	return []string{text(op, c.Value)}
}
