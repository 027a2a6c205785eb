package systemd

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// Write returns a drop-in for a service that means what a resolved policy does, as far as
// lists of calls can say that, under this version of systemd: its sets stand for their
// members where all of them get the same. The error, [policy.Errors], has the place and the
// reason of each rule that has no words. What a unit means for numbers that are not calls,
// and for other ABIs than r's, cannot be chosen: compare the two with package proof.
func (l Language) Write(_ *policy.Policy, r *policy.Resolved) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	w := &writer{resolved: r, calls: make(map[string]*call)}
	if err := w.setUp(l, r.ABIs()[0].Main()); err != nil {
		return nil, err
	}
	for _, a := range r.ABIs() {
		if !slices.Contains(w.abis, a) {
			w.fail(listing.Fails("", "%v: a service manager for %v makes no filter for it (leave it out: -a)", a, w.native))
			continue
		}
		calls, errs := listing.Calls(r, a, true)
		w.errs = append(w.errs, errs...)
		for i := range calls {
			w.add(&calls[i])
		}
	}
	w.choose()
	for _, name := range slices.Sorted(maps.Keys(w.calls)) {
		w.place(w.calls[name])
	}
	if len(w.errs) > 0 {
		return nil, listing.Grouped(w.errs)
	}
	return []byte(w.unit()), nil
}

// A call is what a policy does with the calls of one name.
type call struct {
	name   string
	action cbpf.Action
	on     []arch.ABI // that have it
	listed *listing.Call
}

// A writer makes lists of calls.
type writer struct {
	reader   // for what systemd and its libseccomp know
	resolved *policy.Resolved
	calls    map[string]*call
	denial   cbpf.Action   // what the list denies with
	mode     mode          // of SystemCallFilter=
	lists    []list        // those with an errno of their own come last
	logged   []string      // of SystemCallLog=
	errs     policy.Errors // of the policy
}

// A list is the calls of lines of SystemCallFilter= that begin alike.
type list struct {
	prefix, suffix string
	names          []string
}

func (w *writer) fail(err *policy.Error) { w.errs = append(w.errs, err) }

// setUp finds what the version knows.
func (w *writer) setUp(l Language, native arch.ABI) error {
	i := slices.IndexFunc(releases[:], func(x release) bool { return x.version == cmp.Or(l.Version, releases[len(releases)-1].version) })
	if i < 0 {
		return policy.Errors{listing.Fails("", "systemd %d: unknown version (use 252, 257 or 262)", l.Version)}
	}
	if abis := w.resolved.ABIs(); !slices.Contains(abis, native) {
		native = abis[0]
	}
	w.native, w.release = native, releases[i]
	w.abis, w.sets = localABIs(native), readSets(w.release.version)
	return nil
}

// add adds what the policy does with a call on one ABI.
func (w *writer) add(c *listing.Call) {
	action, always := c.Always()
	if !always {
		i := slices.IndexFunc(c.Clauses, func(c policy.Clause) bool { return len(c.Conds) > 0 })
		var texts []string
		for _, cond := range c.Clauses[i].Conds {
			texts = append(texts, cond.String())
		}
		w.fail(listing.Fails(cmp.Or(c.Clauses[i].Pointer, c.Pointer()), "%s: %s: systemd's lists of calls have no conditions on arguments (allow or deny the whole call)", c.Name, strings.Join(texts, " && ")))
		return
	}
	before := w.calls[c.Name]
	switch {
	case before == nil:
		w.calls[c.Name] = &call{c.Name, action, []arch.ABI{c.ABI}, c}
	case before.action != action:
		w.fail(c.Fails("%v on %v and %v on %v: systemd's lists hold on all ABIs (convert for one of them: -a)", before.action, before.on[0], action, c.ABI))
	default:
		before.on = append(before.on, c.ABI)
	}
}

// choose decides what kind of list is written, and with what it denies.
func (w *writer) choose() {
	w.mode = allow
	if w.resolved.Default == cbpf.Allow {
		w.mode = deny
	}
	usable := func(a cbpf.Action) bool { return a == cbpf.KillProcess || sayable(a) && a.Data() != 0 }
	count := make(map[cbpf.Action]int) // of calls that rules name
	for _, c := range w.calls {
		if usable(c.action) && c.listed.Pointer() != "" {
			count[c.action]++
		}
	}
	best := slices.SortedFunc(maps.Keys(count), func(x, y cbpf.Action) int { return cmp.Or(cmp.Compare(count[y], count[x]), cmp.Compare(x, y)) })
	if w.denial = cbpf.KillProcess; len(best) > 0 {
		w.denial = best[0]
	}
	enosys, _ := w.native.Errno("ENOSYS")
	needsENOSYS := func(c *call) bool {
		return c.action == cbpf.Errno(enosys) && c.listed.Pointer() != "" && w.isNative(c.name) && w.member("@known", c.name)
	}
	switch standard := w.resolved.Default; {
	case w.mode == deny:
	case w.release.version < 257 || usable(standard) && (standard != cbpf.Errno(enosys) || len(best) == 0): // later, unknown calls get ENOSYS
		w.denial = standard
	}
	if w.mode == allow && w.release.version >= 257 && slices.ContainsFunc(slices.Collect(maps.Values(w.calls)), needsENOSYS) {
		w.denial = cbpf.Errno(enosys) // libseccomp refuses to give single calls what unknown ones get anyway
	}
	if w.mode == allow && !usable(w.denial) {
		w.fail(listing.Fails("", "calls get %v by default: what systemd's lists do not allow kills the process or fails with an error", w.denial))
	}
}

// sayable reports whether an action is one of those that calls of a list can get.
func sayable(a cbpf.Action) bool {
	return a == cbpf.KillProcess || a.Class() == cbpf.ErrnoClass && a.Data() < maxErrno
}

// fallback returns what a call gets that no list mentions: perhaps another action on some
// ABIs than on others.
func (w *writer) fallback(c *call) (actions []cbpf.Action) {
	enosys, _ := w.native.Errno("ENOSYS")
	newer := w.mode == allow && w.release.version >= 257
	for _, a := range c.on {
		switch {
		case w.mode == deny, newer && c.name == "write":
			actions = append(actions, cbpf.Allow)
		case newer && !(w.isKnown(c.name, a) && w.member("@known", c.name) && w.isNative(c.name)):
			actions = append(actions, cbpf.Errno(enosys))
		default:
			actions = append(actions, w.denial)
		}
	}
	return actions
}

// isKnown reports whether the lists of this version reach a call on an ABI.
func (w *writer) isKnown(name string, a arch.ABI) bool {
	c, ok := syscalltables.Lookup(name)
	if _, direct := c.Number(a); ok && !direct { // through a multiplexer
		return w.knows(name)
	}
	return ok && w.knowsOn(c, a)
}

func (w *writer) member(set, name string) (found bool) {
	w.sets.each(set, func(call string) { found = found || call == name })
	return found
}

// place puts a call on the list that gives it its action.
func (w *writer) place(c *call) {
	wanted := c.action
	if wanted == cbpf.Log {
		wanted = cbpf.Allow
		w.logged = append(w.logged, c.name)
	}
	implied := w.mode == allow && w.member("@default", c.name) && w.knows(c.name)
	differs := slices.ContainsFunc(w.fallback(c), func(a cbpf.Action) bool { return a != wanted })
	reached := slices.ContainsFunc(c.on, func(a arch.ABI) bool { return w.isKnown(c.name, a) })
	version := w.release.version
	switch {
	case c.action == cbpf.Log && !reached:
		w.fail(c.listed.Fails("newer than the libseccomp of systemd %d, which cannot log it", version))
	case !differs && (!implied || wanted == cbpf.Allow):
	case w.denies(c):
		if implied {
			w.put("~", "", c.name)
		}
	case wanted != cbpf.Allow && !sayable(wanted):
		w.fail(c.listed.Fails("systemd's lists have no %v: they allow, log, fail with an error or kill the process", wanted))
	case !reached:
		w.fail(c.listed.Fails("newer than the libseccomp of systemd %d, which gives it %v and not %v", version, w.fallback(c)[0], wanted))
	case version >= 257 && c.name == "write" && wanted != cbpf.Allow:
		w.fail(c.listed.Fails("systemd %d always allows it", version))
	case w.mode == allow && wanted == cbpf.Allow:
		w.put("", "", c.name)
	case !differs, w.mode == deny && wanted == w.denial: // if it does not differ, it is in @default
		w.put("~", "", c.name)
	case wanted == cbpf.KillProcess:
		w.put("~", ":kill", c.name)
	default:
		w.put("~", ":"+w.errorName(wanted), c.name)
	}
}

// denies reports whether no rule names a call and it is denied, perhaps in another way than
// the list does: lists are about calls that rules name.
func (w *writer) denies(c *call) bool {
	passes := func(a cbpf.Action) bool { return a.Permits(cbpf.WithSupervisor) }
	return c.listed.Pointer() == "" && !passes(c.action) && !slices.ContainsFunc(w.fallback(c), passes)
}

func (w *writer) put(prefix, suffix, name string) {
	i := slices.IndexFunc(w.lists, func(l list) bool { return l.prefix == prefix && l.suffix == suffix })
	if i < 0 {
		i = len(w.lists)
		w.lists = append(w.lists, list{prefix: prefix, suffix: suffix})
	}
	w.lists[i].names = append(w.lists[i].names, name)
}

func (w *writer) errorName(a cbpf.Action) string {
	return cmp.Or(w.native.ErrnoName(a.Data()), strconv.Itoa(int(a.Data())))
}

// unit returns the text.
func (w *writer) unit() string {
	var b strings.Builder
	b.WriteString("# For systemd " + strconv.Itoa(w.release.version) + ". Sets such as @basic-io have other calls in other versions.\n[Service]\n")
	if abis := w.resolved.ABIs(); len(abis) < len(w.abis) {
		b.WriteString("SystemCallArchitectures=")
		for i, a := range abis {
			if i > 0 {
				b.WriteByte(' ')
			}
			if a == w.native {
				b.WriteString("native")
			} else {
				b.WriteString(archNames[a])
			}
		}
		b.WriteByte('\n')
	}
	if w.denial != cbpf.KillProcess {
		b.WriteString("SystemCallErrorNumber=" + w.errorName(w.denial) + "\n")
	}
	slices.SortStableFunc(w.lists, func(x, y list) int { // what is allowed comes first: it says what kind of list it is
		return cmp.Or(cmp.Compare(x.prefix, y.prefix), cmp.Compare(x.suffix, y.suffix))
	})
	passes := func(c *call) bool { return c.action == cbpf.Allow || c.action == cbpf.Log }
	if w.mode == allow && (len(w.lists) == 0 || w.lists[0].prefix != "") {
		w.lists = slices.Insert(w.lists, 0, list{})
	}
	for _, l := range w.lists {
		fits := func(c *call) bool { return c.action == w.calls[l.names[0]].action }
		switch {
		case l.prefix == "": // which allows @default anyway
			fits = passes
			l.names = slices.DeleteFunc(l.names, func(name string) bool { return w.member("@default", name) })
			if len(l.names) == 0 {
				writeLines(&b, "SystemCallFilter=", []string{"@default"}, "")
			}
		case l.suffix == "" && w.mode == allow:
			fits = func(c *call) bool { return !passes(c) }
		}
		writeLines(&b, "SystemCallFilter="+l.prefix, w.withSets(l.names, fits), l.suffix)
	}
	writeLines(&b, "SystemCallLog=", w.withSets(w.logged, func(c *call) bool { return c.action == cbpf.Log }), "")
	return b.String()
}

// writeLines writes words in lines that fit on a screen.
func writeLines(b *strings.Builder, key string, words []string, suffix string) {
	const width = 100
	line := ""
	for _, word := range words {
		if word += suffix; line != "" && len(key)+len(line)+1+len(word) > width {
			b.WriteString(key + line + "\n")
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		b.WriteString(key + line + "\n")
	}
}

// withSets returns words for calls: sets of which all members that the ABIs have fit, where
// these are fewer words, and the other calls.
func (w *writer) withSets(names []string, fits func(*call) bool) (words []string) {
	left := make(map[string]bool)
	for _, name := range names {
		left[name] = true
	}
	for {
		best, most := "", 1
		for _, set := range slices.Sorted(maps.Keys(w.sets)) {
			all, gains := true, make(map[string]bool)
			w.sets.each(set, func(name string) {
				c := w.calls[name]
				all = all && (c == nil || fits(c) || !w.knows(name))
				if left[name] {
					gains[name] = true
				}
			})
			if all && len(gains) > most {
				best, most = set, len(gains)
			}
		}
		if best == "" {
			break
		}
		words = append(words, best)
		w.sets.each(best, func(name string) { delete(left, name) })
	}
	slices.Sort(words)
	return append(words, slices.Sorted(maps.Keys(left))...)
}
