package edit

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// Format returns a profile in a format of OCI, Docker or Podman, in JSON, in its canonical
// layout: one value a line, indented with tabs; the keys of the profile in the order of the
// format, and then others, which are kept; the names of each entry in alphabetical order and
// once, and entries that differ in their names alone joined, unless an entry between them
// names the same call. A byte order mark goes. It is proved to mean the same, on all targets
// that [Edit] proves for. What Format returns, it leaves as it is. The error is
// [policy.Errors].
func Format(s *language.Source) ([]byte, error) {
	p, err := open(s)
	if err != nil {
		return nil, err
	}
	w := printer{profile: p.doc.Lookup(p.at)}
	w.value(p.doc.Root(), 0)
	text := []byte(w.text.String() + "\n")
	next, err := p.with(text)
	if err != nil {
		return nil, err
	}
	var k comparer
	for i, c := range p.contexts {
		after := next.contexts[i]
		found, err := k.changes(c.resolved, after.resolved)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			return nil, errors.New("edit: BUG: the layout would change the meaning: " + describe(&found[0], c))
		}
		if !sameSettings(c.policy, after.policy) {
			return nil, errors.New("edit: BUG: the layout would change flags or the listener for " + c.String())
		}
	}
	return text, nil
}

// sameSettings reports whether two readings agree in what no call shows.
func sameSettings(a, b *policy.Policy) bool {
	return slices.Equal(a.Flags, b.Flags) && (a.Flags == nil) == (b.Flags == nil) &&
		a.ListenerPath == b.ListenerPath && a.ListenerMetadata == b.ListenerMetadata
}

// The keys of a profile's objects, in their order.
var (
	profileKeys = [...]string{
		"comment", "_comment", "description", "defaultAction", "defaultErrnoRet", "defaultErrno", "architectures", "archMap",
		"flags", "listenerPath", "listenerMetadata", "syscalls",
	}
	rowKeys   = [...]string{"architecture", "subArchitectures"}
	entryKeys = [...]string{"name", "names", "action", "errnoRet", "errno", "args", "comment", "includes", "excludes"}
	argKeys   = [...]string{"index", "value", "valueTwo", "op"}
	guardKeys = [...]string{"caps", "arches", "minKernel"}
)

// A printer writes a document that has a profile in it.
type printer struct {
	profile document.Value
	text    strings.Builder
}

func (w *printer) line(depth int) { w.text.WriteString("\n" + strings.Repeat("\t", depth)) }

// value writes a value whose line is indented by a depth.
func (w *printer) value(v document.Value, depth int) {
	switch {
	case v == w.profile:
		w.object(v, profileKeys[:], depth, w.member)
	case v.Kind() == document.Object:
		w.object(v, nil, depth, w.member)
	case v.Kind() == document.Array:
		w.list(v, depth, func(v document.Value) { w.value(v, depth+1) })
	default:
		w.text.WriteString(v.JSON())
	}
}

// object writes an object with its keys in an order, and a function that writes the values.
func (w *printer) object(v document.Value, order []string, depth int, value func(of, key, v document.Value, depth int)) {
	type member struct{ key, value document.Value }
	var members []member
	for key, val := range v.Members() {
		members = append(members, member{key, val})
	}
	place := func(m member) int {
		i := slices.IndexFunc(order, func(key string) bool { return strings.EqualFold(key, m.key.Text()) })
		if i < 0 {
			return len(order)
		}
		return i
	}
	slices.SortStableFunc(members, func(a, b member) int { return cmp.Compare(place(a), place(b)) })
	w.text.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			w.text.WriteByte(',')
		}
		w.line(depth + 1)
		w.text.WriteString(m.key.JSON() + ": ")
		value(v, m.key, m.value, depth+1)
	}
	if len(members) > 0 {
		w.line(depth)
	}
	w.text.WriteByte('}')
}

// list writes a list.
func (w *printer) list(v document.Value, depth int, element func(document.Value)) {
	w.text.WriteByte('[')
	n := 0
	for _, elem := range v.Elements() {
		if n > 0 {
			w.text.WriteByte(',')
		}
		w.line(depth + 1)
		element(elem)
		n++
	}
	if n > 0 {
		w.line(depth)
	}
	w.text.WriteByte(']')
}

// member writes a member of the profile, or of an object that is not part of one.
func (w *printer) member(of, key, v document.Value, depth int) {
	name := strings.ToLower(key.Text())
	switch {
	case of != w.profile || v.Kind() != document.Array:
		w.value(v, depth)
	case name == "archmap":
		w.list(v, depth, func(row document.Value) { w.known(row, rowKeys[:], depth+1) })
	case name == "syscalls":
		w.entries(v, depth)
	default:
		w.value(v, depth)
	}
}

// known writes an object of the profile.
func (w *printer) known(v document.Value, order []string, depth int) {
	if v.Kind() != document.Object {
		w.value(v, depth)
		return
	}
	w.object(v, order, depth, func(_, _, v document.Value, depth int) { w.value(v, depth) })
}

// A merged entry is one that stands for several.
type merged struct {
	first document.Value
	rest  string            // its text without names
	names map[string]string // as they were written
}

// entries writes those of the profile. One joins the last one that differs in the names
// alone, unless a later one has one of these.
func (w *printer) entries(v document.Value, depth int) {
	var list []*merged
	alike, latest := make(map[string]int), make(map[string]int) // the last entry with a rest, and with a name
	for _, e := range v.Elements() {
		m := &merged{first: e, names: make(map[string]string)}
		for _, name := range e.Member("names").Elements() {
			m.names[name.Text()] = name.JSON()
		}
		m.rest = w.entry(m, depth, true)
		old := e.Member("name").Text()
		at, joins := alike[m.rest]
		joins = joins && len(m.names) > 0 && old == ""
		for name := range m.names {
			last, named := latest[name]
			joins = joins && (!named || last <= at)
		}
		if !joins {
			at = len(list)
			list = append(list, m)
		}
		if old != "" {
			latest[old] = at
		} else if len(m.names) > 0 {
			alike[m.rest] = at
		}
		for name, text := range m.names {
			list[at].names[name], latest[name] = text, at
		}
	}
	var texts []string
	for _, m := range list {
		texts = append(texts, w.entry(m, depth, false))
	}
	w.text.WriteByte('[')
	for i, text := range texts {
		if i > 0 {
			w.text.WriteByte(',')
		}
		w.line(depth + 1)
		w.text.WriteString(text)
	}
	if texts != nil {
		w.line(depth)
	}
	w.text.WriteByte(']')
}

// entry returns the text of an entry, with its names or none.
func (w *printer) entry(m *merged, depth int, bare bool) string {
	sub := printer{profile: w.profile}
	if m.first.Kind() != document.Object {
		sub.value(m.first, depth+1)
		return sub.text.String()
	}
	sub.object(m.first, entryKeys[:], depth+1, func(_, key, v document.Value, depth int) {
		switch name := strings.ToLower(key.Text()); {
		case name == "names" && v.Kind() == document.Array:
			if !bare {
				sub.names(m, depth)
			}
		case name == "args" && v.Kind() == document.Array:
			sub.list(v, depth, func(arg document.Value) { sub.known(arg, argKeys[:], depth+1) })
		case name == "includes" || name == "excludes":
			sub.known(v, guardKeys[:], depth)
		default:
			sub.value(v, depth)
		}
	})
	return sub.text.String()
}

// names writes the names of an entry.
func (w *printer) names(m *merged, depth int) {
	var names []string
	for name := range m.names {
		names = append(names, name)
	}
	slices.SortFunc(names, alphabetical)
	w.text.WriteByte('[')
	for i, name := range names {
		if i > 0 {
			w.text.WriteByte(',')
		}
		w.line(depth + 1)
		w.text.WriteString(m.names[name])
	}
	if names != nil {
		w.line(depth)
	}
	w.text.WriteByte(']')
}
