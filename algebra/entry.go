package algebra

import (
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// An entry is a rule of a source that a profile can have.
type entry struct {
	*policy.Rule
	action cbpf.Action // with data
	names  map[string]bool
}

// entriesOf returns the rules of a policy that a profile can have.
func entriesOf(p *policy.Policy) (list []entry) {
	if p == nil {
		return nil
	}
	for i := range p.Rules {
		rule := &p.Rules[i]
		beyond := func(a policy.Arg) bool { return a.Low || a.Op == policy.MaskedNotEqual }
		if len(rule.Numbers) > 0 || len(rule.ABIs) > 0 || slices.ContainsFunc(rule.Args, beyond) || !sayable(rule.Action) {
			continue
		}
		e := entry{rule, word(rule.Action, rule.Errno), make(map[string]bool, len(rule.Names))}
		for _, name := range rule.Names {
			e.names[name] = true
		}
		list = append(list, e)
	}
	return list
}

// plain reports whether a policy, apart from its rules, is one that a profile can be.
func plain(p *policy.Policy) bool {
	return p.Order == policy.Libseccomp && !p.NoBound && len(p.Older) == 0 && p.X32 == nil && p.Elsewhere == cbpf.KillThread && sayable(p.Default)
}

// sayable reports whether profiles have words for an action: TRAP has no data there.
func sayable(a cbpf.Action) bool { return a.Class() != cbpf.Trap || a == cbpf.Trap }

// word returns an action with the data that a profile gives it.
func word(class cbpf.Action, errno *uint) cbpf.Action {
	switch carries := class == cbpf.ErrnoClass || class == cbpf.TraceClass; {
	case carries && errno == nil:
		return class | 1 // EPERM
	case carries:
		return class | cbpf.Action(*errno&0xffff)
	}
	return class
}

// split returns an action as a profile writes it, TRAP without data.
func split(a cbpf.Action) (class cbpf.Action, errno *uint) {
	if class = a.Class(); class == cbpf.ErrnoClass || class == cbpf.TraceClass {
		n := uint(a.Data())
		return class, &n
	}
	return class, nil
}

// chooseFlags finds the flags and the listener of the result, from the sources whose policies
// are known. The filter has LOG and TSYNC if one of them does. An intersection has
// SPEC_ALLOW if all have it, a union if one does: without flags a filter has it where the
// kernel knows it. What is about notifications is the sources' that notify, if they agree.
func (w *writer) chooseFlags() *Refusal {
	var known, silent, spec int // sources: all, those without flags, those with SPEC_ALLOW
	var all, waits, waitless cbpf.Flag
	type listener struct{ path, metadata string }
	listeners := make(map[listener]int)
	for _, s := range w.sources {
		if s.Policy == nil {
			continue
		}
		var flags cbpf.Flag
		for _, f := range s.Policy.Flags {
			flags |= f
		}
		if known++; s.Policy.Flags == nil {
			silent++
			flags = cbpf.SpecAllow
		}
		if flags&cbpf.SpecAllow != 0 {
			spec++
		}
		if all |= flags; uses(s.Meaning, cbpf.Notify) {
			waits |= flags & cbpf.WaitKillableRecv
			waitless |= ^flags & cbpf.WaitKillableRecv
		}
		if l := (listener{s.Policy.ListenerPath, s.Policy.ListenerMetadata}); l.path != "" {
			listeners[l]++
			w.path, w.metadata = l.path, l.metadata
		}
	}
	switch notifies := uses(w.meaning, cbpf.Notify); {
	case notifies && len(listeners) > 1:
		return &Refusal{Reason: Listener}
	case notifies && waits&waitless != 0:
		return &Refusal{Reason: Flags, detail: "one asks for " + waits.String() + ", another one does not"}
	case !notifies && listeners[listener{w.path, w.metadata}] < known:
		w.path, w.metadata = "", ""
	}
	all &^= waitless
	if w.op == Intersect && spec < known {
		all &^= cbpf.SpecAllow
	}
	if known == 0 || silent > 0 && all == cbpf.SpecAllow {
		return nil // to say nothing asks for that where the kernel knows it
	}
	w.flags = []cbpf.Flag{}
	for _, f := range cbpf.ProfileFlags() {
		if all&f != 0 {
			w.flags = append(w.flags, f)
		}
	}
	return nil
}

// uses reports whether some calls get an action of a class.
func uses(r *policy.Resolved, class cbpf.Action) bool {
	found := r.Default.Class() == class || r.BadArch.Class() == class
	for i := range r.Spaces {
		for _, x := range r.Spaces[i].Ranges {
			found = found || x.Action.Class() == class
		}
		for _, c := range r.Spaces[i].Calls {
			found = found || slices.ContainsFunc(c.Clauses, func(c policy.Clause) bool { return c.Action.Class() == class })
		}
	}
	return found
}
