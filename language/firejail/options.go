package firejail

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// Options are what a text says about filters.
type options struct {
	main, main32 lists
	block        *text // seccomp.block-secondary
	execMemory   *text // memory-deny-write-execute
	allKinds     *text // restrict-namespaces without a list
	kinds        *list // of namespaces
	families     *list // of protocol
	action       cbpf.Action
	debuggers    bool
}

// Lists are what a text says about calls, for one of the ABIs.
type lists struct {
	on    bool
	place string // where the filter was asked for last
	extra *list  // of seccomp LIST, on top of the calls that are denied without one
	drop  *list
	keep  *list
}

// A list is words between commas.
type list struct {
	words []text // those without text were taken away
	at    map[string]int
	place string
}

func defaultAction() cbpf.Action { return cbpf.Errno(1) } // EPERM

// all returns the words of the list.
func (l *list) all() []text {
	return slices.DeleteFunc(slices.Clone(l.words), func(w text) bool { return w.string == "" })
}

// augment adds words to a list that later lines add to. A + in front says so, a - takes a
// word away, and a = all others.
func (l *list) augment(t text) {
	if l.place == "" {
		l.place = t.here()
	}
	for _, w := range t.split(",") {
		sign := w.string[0]
		if strings.IndexByte("+-=", sign) >= 0 {
			w = w.from(1)
		}
		at, listed := l.at[w.string]
		switch {
		case sign == '-' && listed:
			l.words[at].string = ""
			delete(l.at, w.string)
		case sign == '-':
			continue
		case sign == '=':
			l.words, l.at, listed = nil, nil, false
		}
		if sign != '-' && !listed && w.string != "" {
			if l.at == nil {
				l.at = make(map[string]int)
			}
			l.at[w.string] = len(l.words)
			l.words = append(l.words, w)
		}
	}
}

// set applies a line of a profile, or an option of the command line if it is one. It
// reports whether the line is about filters.
func (r *reader) set(word string, value text, valued, option bool) bool {
	switch {
	case !isFilter(word, valued) || word == "ignore" || word == "include":
		return false
	case word == "allow-debuggers":
		r.debuggers = true
		return true
	}
	if r.noSeccomp {
		if option {
			r.Fail(value.here(), "--"+word+": firejail.config turns seccomp off, so firejail does not start (leave out the option)")
		} else {
			r.Warn(policy.Ignored, value.here(), word+": firejail.config turns seccomp off, so firejail ignores the line")
		}
		return true
	}
	switch word {
	case "protocol":
		r.families = r.added(r.families, value)
	case "restrict-namespaces":
		if !valued {
			r.allKinds = &value
			for _, k := range namespaces {
				r.kinds = r.added(r.kinds, value.named(k.name))
			}
		} else {
			r.kinds = r.added(r.kinds, value)
		}
	case "memory-deny-write-execute":
		r.execMemory = &value
	case "seccomp-error-action":
		r.setAction(value, option)
	case "seccomp.block-secondary":
		if option && r.main32.on {
			r.Fail(value.here(), "--seccomp.block-secondary: conflicts with seccomp.32 (leave out one of them)")
		}
		r.block = &value
	default:
		r.setList(word, value, valued, option)
	}
	return true
}

// isFilter reports whether this package reads a word, with a value or without one.
func isFilter(word string, valued bool) bool {
	switch word {
	case "seccomp", "restrict-namespaces":
		return true
	case "allow-debuggers", "memory-deny-write-execute", "seccomp.block-secondary":
		return !valued
	case "ignore", "include", "protocol", "seccomp-error-action", "seccomp.32", "seccomp.32.drop", "seccomp.32.keep", "seccomp.drop", "seccomp.keep":
		return valued
	}
	return false
}

// named returns a text at the same place.
func (t text) named(s string) text {
	t.string = s
	if t.columns != nil {
		column := t.columns[0]
		t.columns = nil
		for range len(s) + 1 {
			t.columns = append(t.columns, column)
		}
	}
	return t
}

// maxList is firejail's limit on a list that several lines add to, in bytes.
const maxList = 16384

func (r *reader) added(l *list, value text) *list {
	if l == nil {
		l = &list{}
	}
	l.augment(value)
	l.words = l.all()
	length := len(l.words) - 1
	for i, w := range l.words {
		l.at[w.string] = i
		length += len(w.string)
	}
	if length > maxList {
		r.Fail(value.here(), "the list has more than 16384 bytes, so firejail does not start (shorten it)")
		l.words, l.at = nil, nil
	}
	return l
}

// setAction reads seccomp-error-action.
func (r *reader) setAction(value text, option bool) {
	switch {
	case r.fixedAction == "":
		r.action = r.parseAction(value.string, value.here())
	case option:
		r.Fail(value.here(), "--seccomp-error-action: firejail.config has one, so firejail does not start (leave out the option)")
	default:
		r.Warn(policy.Ignored, value.here(), "seccomp-error-action: firejail.config has "+unknown.Quote(r.fixedAction)+", so firejail ignores the line")
	}
}

// parseAction reads the action of denied calls.
func (r *reader) parseAction(s, place string) cbpf.Action {
	switch s {
	case "kill":
		return cbpf.KillThread
	case "log":
		return cbpf.Log
	}
	n, ok := r.errno(s)
	if !ok {
		r.Fail(place, "seccomp-error-action "+unknown.Quote(s)+": not the name of an error (use a name such as EPERM, kill or log)")
		return defaultAction()
	}
	return cbpf.Errno(n)
}

// errno returns the number of an error.
func (r *reader) errno(name string) (uint16, bool) {
	name = strings.ToUpper(name)
	if name == "EFSBADCRC" || name == "EFSCORRUPTED" { // which firejail does not know
		return 0, false
	}
	return r.native.Errno(name)
}

// setList reads the options that turn on a filter of calls.
func (r *reader) setList(word string, value text, valued, option bool) {
	l, kind := &r.main, strings.TrimPrefix(word, "seccomp")
	if rest, ok := strings.CutPrefix(kind, ".32"); ok {
		l, kind = &r.main32, rest
	}
	if option && l.on {
		r.Fail(value.here(), "--"+word+": an option before says what to filter already, so firejail does not start (leave out one of them)")
	}
	l.on, l.place = true, value.here()
	if !valued {
		return
	}
	target := map[string]**list{"": &l.extra, ".drop": &l.drop, ".keep": &l.keep}[kind]
	if *target != nil {
		r.Warn(policy.Ignored, (*target).place, word+": a later line replaces the list (put them into one line)")
	}
	if value.string == "" {
		r.Fail(value.here(), word+": no calls (name some)")
		return
	}
	for i := range len(value.string) {
		if c := value.string[i]; !isLetter(c) && strings.IndexByte("_,:@-$!", c) < 0 {
			text := " (remove it)"
			if c == ' ' || c == ';' {
				text = " (put commas between calls, and nothing else)"
			}
			r.Fail(value.from(i).here(), word+": "+unknown.Quote(value.string[i:i+1])+": cannot be in a list of calls"+text)
			return
		}
	}
	*target = &list{words: value.split(","), place: value.here()}
}

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
