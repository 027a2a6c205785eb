package systemd

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A callList is what SystemCallFilter= or SystemCallLog= say together. The first line that
// is not empty decides whether it says what to allow (or log) or what not to.
type callList struct {
	mode  mode
	first string           // where it begins
	calls map[string]entry // by name, all known to libseccomp
}

// A mode is which kind of list it is.
type mode uint8

const (
	unset mode = iota
	allow
	deny
)

// An entry is what a list says about a call.
type entry struct {
	errno int // kill, or bare for what the list is for
	place string
}

// maxWork bounds the work on lists, through the sets that they name. No unit needs a
// thousandth.
const maxWork = 1 << 22

// readCalls reads a line of a list. Only SystemCallFilter= has errnos, and allows
// @default.
func (r *reader) readCalls(a *assignment, l *callList, filter bool) {
	if a.value == "" {
		*l = callList{}
		return
	}
	inverted := a.value[0] == '~'
	if l.mode == unset {
		*l = callList{allow, a.here(), make(map[string]entry)}
		if inverted {
			l.mode = deny
		} else if filter {
			r.put("@default", entry{bare, l.first}, l, true)
		}
	}
	from := 0
	if inverted {
		from = 1
	}
	words, _ := a.words(from, false)
	for _, w := range words {
		if r.work > maxWork {
			r.Fail(a.here(), "lists of too many calls (shorten them)")
			return
		}
		place := a.place(w.at)
		name, suffix, withErrno := strings.Cut(w.string, ":")
		e := entry{bare, place}
		switch {
		case withErrno && !filter:
			name = w.string // which is unknown
		case withErrno:
			var ok bool
			if e.errno, ok = r.parseErrno(suffix); !ok {
				r.ignore(place, w.string, "not an errno behind the colon, so systemd ignores the word (use a name such as EPERM, a number up to 4094, or kill)")
				continue
			}
			if !inverted {
				r.ignore(place, w.string, "what a list allows has no errno, so systemd ignores the word (write it in a line that begins with ~)")
				continue
			}
		}
		if r.isUnknown(name, place) {
			continue
		}
		r.put(name, e, l, (l.mode == allow) != inverted || e.errno != bare)
	}
}

// isUnknown warns of names that systemd ignores.
func (r *reader) isUnknown(name, place string) bool {
	group := strings.HasPrefix(name, "@")
	if group && r.sets[name] != nil || !group && r.knows(name) {
		return false
	}
	version := strconv.Itoa(r.release.version)
	text, cure := "not a call that libseccomp knows, so systemd ignores it", separators(name)
	switch _, later := syscalltables.Lookup(name); {
	case later:
		text = "newer than the libseccomp of systemd " + version + ", which ignores it"
	case group:
		text = "not a set of systemd " + version + ", which ignores it"
		cure = cmp.Or(cure, r.Near(func() string { return unknown.Nearest(name, slices.Sorted(maps.Keys(r.sets))) }))
	default:
		cure = cmp.Or(cure, r.Near(func() string { return syscalltables.Nearest(name) }))
	}
	r.Warn(policy.UnknownName, place, unknown.Quote(name)+": "+text+cure)
	return true
}

// separators returns a hint about signs that do not separate words or begin them.
func separators(word string) string {
	switch {
	case strings.ContainsAny(word, ",;"):
		return " (put spaces between words, and nothing else)"
	case strings.ContainsAny(word, "\"'"):
		return " (leave out the quotes)"
	case strings.HasPrefix(word, "~"):
		return " (write ~ once, where the value begins)"
	}
	return ""
}

// put adds a call, or those of a set, to a list, or removes them.
func (r *reader) put(name string, e entry, l *callList, add bool) {
	one := func(call string) {
		r.work++
		switch {
		case !add:
			delete(l.calls, call)
		case name == call || r.knows(call):
			l.calls[call] = e
		}
	}
	if name[0] == '@' {
		r.sets.each(name, one)
	} else {
		one(name)
	}
}

// A verdict is an action, and where the unit says so.
type verdict struct {
	action cbpf.Action
	place  string
}

// decided returns the policy of a list: what it does with all calls, and with some. It
// finds what libseccomp refuses: the unit does not start then.
func (r *reader) decided(fallback cbpf.Action, calls map[string]verdict) *policy.Policy {
	groups := make(map[verdict][]string)
	var order []verdict
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		v := calls[name]
		if groups[v] == nil {
			order = append(order, v)
		}
		groups[v] = append(groups[v], name)
	}
	p, refused := r.policy(fallback), fallback == cbpf.Errno(maxErrno)
	for _, v := range order {
		switch {
		case v.action == fallback:
			r.Fail(v.place, v.action.String()+": calls that the list does not name get this anyway, so libseccomp refuses the filter and the unit fails with 228/SECCOMP (remove the errno)")
		case v.action != cbpf.Errno(maxErrno):
		case v.action == r.denial():
			refused = true
		default:
			r.Fail(v.place, refusedErrno)
		}
		p.Rules = append(p.Rules, r.rules(v.action, v.place, nil, groups[v]...)...)
	}
	if refused {
		r.Fail(r.errnoAt, refusedErrno)
	}
	return p
}

const (
	maxErrno     = 4095 // linux/err.h: MAX_ERRNO
	refusedErrno = "errno 4095: libseccomp refuses it, so the unit fails with 228/SECCOMP (use another one)"
)

// logPolicy returns the policy of SystemCallLog=, nil if it makes no filter.
func (r *reader) logPolicy() *policy.Policy {
	l := &r.log
	if len(l.calls) == 0 {
		return nil
	}
	fallback, action := cbpf.Allow, cbpf.Log
	if l.mode == deny {
		fallback, action = action, fallback
	}
	calls := make(map[string]verdict)
	for name, e := range l.calls {
		calls[name] = verdict{action, e.place}
	}
	return r.decided(fallback, calls)
}

// filterPolicy returns the policy of SystemCallFilter=, nil if it makes no filter. In
// 252 an allow-list denies what it does not name. In 257 and later it denies what this
// systemd knows and it does not name, and says ENOSYS to the rest; and write always passes.
func (r *reader) filterPolicy() *policy.Policy {
	l := &r.filter
	newer := r.release.version >= 257
	if newer && l.mode == deny {
		delete(l.calls, "write")
	}
	if l.mode == unset || l.mode == deny && len(l.calls) == 0 {
		return nil
	}
	denial := r.denial()
	calls := make(map[string]verdict)
	fallback, listed := cbpf.Allow, denial
	if l.mode == allow {
		fallback, listed = denial, cbpf.Allow
	}
	for name, e := range l.calls {
		v := verdict{listed, e.place}
		switch {
		case e.errno == kill:
			v.action = cbpf.KillProcess
		case e.errno != bare:
			v.action = cbpf.Errno(uint16(e.errno))
		}
		calls[name] = v
	}
	if newer && l.mode == allow {
		enosys, _ := r.native.Errno("ENOSYS")
		fallback = cbpf.Errno(enosys)
		calls["write"] = verdict{cbpf.Allow, l.first}
		for _, name := range r.sets["@known"] {
			if _, ok := calls[name]; !ok && denial != fallback && r.isNative(name) {
				calls[name] = verdict{denial, l.first}
			}
		}
	}
	return r.decided(fallback, calls)
}

// isNative reports whether a name is a call of the native ABI that libseccomp knows.
func (r *reader) isNative(name string) bool {
	call, ok := syscalltables.Lookup(name)
	return ok && r.knowsOn(call, r.native)
}
