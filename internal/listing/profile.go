package listing

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// Profile returns what an OCI profile can say, for the ABIs of a resolved policy. flags and
// listener are taken from p, which r was resolved from. The profile means what r does as far as
// a profile can say that: the error, [policy.Errors], has the place and the reason of each rule
// that has no words. What a profile means for numbers that are not calls, and for other ABIs
// than r's, cannot be chosen: compare the two with package proof.
func Profile(p *policy.Policy, r *policy.Resolved) (*policy.Policy, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	w := &profile{resolved: r, calls: make(map[string][]Call)}
	out := &policy.Policy{ABIs: r.ABIs(), Flags: p.Flags, ListenerPath: p.ListenerPath, ListenerMetadata: p.ListenerMetadata}
	out.Default, out.DefaultErrno = classOf(r.Default)
	if hasData(r.Default) {
		w.errs = append(w.errs, Fails("", "calls get %v by default: TRAP of a profile has no data (convert to another language)", r.Default))
	}
	for _, a := range r.ABIs() {
		w.list(a)
	}
	out.Rules = w.rules()
	if len(w.errs) > 0 {
		return nil, Grouped(w.errs)
	}
	return out, nil
}

// classOf splits an action into its class and its data.
func classOf(a cbpf.Action) (class cbpf.Action, data *uint) {
	if class := a.Class(); class == cbpf.ErrnoClass || class == cbpf.TraceClass {
		n := uint(a.Data())
		return class, &n
	}
	return a, nil
}

// hasData reports whether an action is TRAP with data, which no profile says.
func hasData(a cbpf.Action) bool { return a.Class() == cbpf.Trap && a != cbpf.Trap }

// A profile makes the rules of a profile.
type profile struct {
	resolved *policy.Resolved
	calls    map[string][]Call // that need a rule, by name, on each ABI that has them
	newest   []string          // calls that get the default action, and runtimes would give ENOSYS
	errs     policy.Errors
}

// list adds the calls of an ABI. Where the default action denies, runtimes give ENOSYS to
// numbers above the largest that a profile names.
func (w *profile) list(a arch.ABI) {
	calls, errs := Calls(w.resolved, a, true)
	w.errs = append(w.errs, errs...)
	enosys, _ := a.Errno("ENOSYS")
	bounded := !w.resolved.Default.Permits(cbpf.WithTracer) && w.resolved.Default != cbpf.Errno(enosys)
	last := -1 // of those that are not newer than the profile
	for i := range calls {
		if !calls[i].Newer {
			last = i
		}
	}
	for i, c := range calls {
		action, always := c.Always()
		switch byDefault := always && action == w.resolved.Default; {
		case bounded && i > last, byDefault && i != last:
		case byDefault && bounded:
			w.newest = append(w.newest, c.Name)
		case !byDefault:
			w.calls[c.Name] = append(w.calls[c.Name], c)
		}
	}
	if bounded && last < 0 {
		w.errs = append(w.errs, Fails("", "%v: all calls get ENOSYS: runtimes give that to calls that are newer than a profile, which has to name one", a))
	}
}

// keyOf returns what tells rules apart, but for their names.
func keyOf(e *Rule) string {
	key := strconv.FormatUint(uint64(e.Action), 16)
	for _, a := range e.Args {
		key += " " + strconv.Itoa(int(a.Index)) + a.Op.String() + strconv.FormatUint(a.Value, 16) + "," + strconv.FormatUint(a.ValueTwo, 16)
	}
	return key
}

// rules returns the rules, those without conditions first.
func (w *profile) rules() []policy.Rule {
	named := make(map[string][]string) // by the rest of the rule
	entries := make(map[string]Rule)
	for name, calls := range w.calls {
		rules, err := Unordered(calls, w.resolved.Default, "a rule of a profile")
		if err != nil {
			w.errs = append(w.errs, err)
		}
		for _, e := range rules {
			if hasData(e.Action) {
				w.errs = append(w.errs, Fails(e.Pointer, "%s: %v: TRAP of a profile has no data (convert to another language)", name, e.Action))
			}
			key := keyOf(&e)
			named[key] = append(named[key], name)
			entries[key] = e
		}
	}
	var keys []string
	for key := range named {
		slices.Sort(named[key])
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(x, y string) int {
		a, b := entries[x], entries[y]
		if c := cmp.Compare(min(len(a.Args), 1), min(len(b.Args), 1)); c != 0 {
			return c
		}
		if len(a.Args) == 0 {
			return -a.Action.Compare(b.Action)
		}
		return cmp.Or(slices.Compare(named[x], named[y]), -a.Action.Compare(b.Action), cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
	})
	var rules []policy.Rule
	for _, key := range keys {
		e := entries[key]
		rule := policy.Rule{Names: named[key], Args: e.Args, Pointer: e.Pointer}
		rule.Action, rule.Errno = classOf(e.Action)
		rules = append(rules, rule)
	}
	newest := slices.DeleteFunc(w.newest, func(name string) bool { return w.calls[name] != nil })
	if slices.Sort(newest); len(newest) > 0 {
		rule := policy.Rule{Names: slices.Compact(newest), Comment: "Known calls up to this one get the default action, and not ENOSYS."}
		rule.Action, rule.Errno = classOf(w.resolved.Default)
		rules = append(rules, rule)
	}
	return rules
}
