package systemd

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// maxLine is how long systemd lets a line be, with those that continue it.
const maxLine = 1 << 20 // bytes

const (
	space    = " \t\n\r"
	comments = "#;"
	byteMark = "\ufeff"
)

// A text is a line of a unit with the lines that continue it.
type text struct {
	source *language.Source
	line   []byte
	pieces []piece
}

// A piece is where a line of the file begins in a text.
type piece struct{ offset, line, column int }

// place returns the place of a byte of the text.
func (t *text) place(offset int) string {
	i := sort.Search(len(t.pieces), func(i int) bool { return t.pieces[i].offset > offset }) - 1
	p := t.pieces[max(i, 0)]
	return t.source.Place(p.line, p.column+offset-p.offset)
}

// An assignment is one setting of a unit.
type assignment struct {
	*text
	key   string
	value string
	at    int // where the value begins in the text
}

// here returns the place of the value.
func (a *assignment) here() string { return a.place(a.at) }

// A section is the one at work while a file is read.
type section struct {
	named, ignored bool
	exec           bool // has the settings that this package reads
}

// readFile reads the assignments of one file.
func (r *reader) readFile(s *language.Source) {
	var in section
	open := &text{source: s} // it may go on in the next line
	number, marked := 0, false
	for rest := string(s.Data()); rest != ""; {
		var line string
		line, rest = cutLine(rest)
		number++
		column := 1
		if !marked && strings.HasPrefix(line, byteMark) {
			line, column, marked = line[len(byteMark):], 1+len(byteMark), true
		}
		if trimmed := strings.TrimLeft(line, space); trimmed != "" && strings.Contains(comments, trimmed[:1]) {
			continue
		}
		if len(open.line)+len(line) > maxLine {
			r.stop(s.Place(number, 1), "a line of more than 1 MiB", "split it")
			return
		}
		open.pieces = append(open.pieces, piece{len(open.line), number, column})
		open.line = append(open.line, line...)
		if continues(line) {
			open.line[len(open.line)-1] = ' '
			continue
		}
		if !r.readText(open, &in) {
			return
		}
		open = &text{source: s}
	}
	r.readText(open, &in)
}

// stop ends a file that systemd does not read on. It loads no unit of which that is so,
// and what comes first in a drop-in.
func (r *reader) stop(place, reason, cure string) {
	if r.dropIn {
		r.Warn(policy.Ignored, place, reason+", so systemd ignores the rest of the drop-in ("+cure+")")
	} else {
		r.Fail(place, reason+", so systemd does not load the unit ("+cure+")")
	}
}

// cutLine returns the first line and what follows it.
func cutLine(s string) (line, rest string) {
	i := strings.IndexAny(s, "\n\r\x00")
	if i < 0 {
		return s, ""
	}
	line, end := s[:i], i+1
	if end < len(s) && (s[i:end+1] == "\r\n" || s[i:end+1] == "\n\r") {
		end++
	}
	return line, s[end:]
}

// continues reports whether a line ends with a backslash that no other one escapes.
func continues(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

// readText reads a section header or an assignment. It reports whether the rest of the
// file counts.
func (r *reader) readText(t *text, in *section) bool {
	line := strings.TrimRight(string(t.line), space)
	trimmed := strings.TrimLeft(line, space)
	start := len(line) - len(trimmed)
	if trimmed == "" {
		return true
	}
	if !utf8.ValidString(trimmed) {
		r.stop(t.place(start), "not UTF-8", "write the line in UTF-8")
		return false
	}
	if trimmed[0] == '[' {
		unsafe := func(c rune) bool { return c < ' ' || strings.ContainsRune("\"'\\\x7f", c) }
		switch {
		case trimmed[len(trimmed)-1] != ']':
			r.stop(t.place(start), unknown.Quote(trimmed)+": not a section", "end it with ]")
			return false
		case strings.ContainsFunc(trimmed, unsafe):
			r.stop(t.place(start), unknown.Quote(trimmed)+": not the name of a section", "leave out quotes, backslashes and control characters")
			return false
		}
		r.enter(t.place(start), trimmed[1:len(trimmed)-1], in)
		return true
	}
	switch i := strings.IndexByte(trimmed, '='); {
	case !in.named:
		if !in.ignored {
			r.Warn(policy.Ignored, t.place(start), "outside of a section, so systemd ignores the line (put it under [Service])")
		}
	case i < 0:
		r.Warn(policy.Ignored, t.place(start), unknown.Quote(trimmed)+": no =, so systemd ignores the line (write KEY=VALUE)")
	case i == 0:
		r.Warn(policy.Ignored, t.place(start), "no key in front of =, so systemd ignores the line (write KEY=VALUE)")
	default:
		key := strings.TrimRight(trimmed[:i], space)
		value := strings.TrimLeft(trimmed[i+1:], space)
		at := start + len(trimmed) - len(value)
		switch {
		case in.exec:
			r.set(&assignment{t, key, value, at}, t.place(start))
		case slices.Contains(filterKeys(), key):
			r.ignore(t.place(start), key, "not a key of this section, so systemd ignores the line (put it under [Service], [Socket], [Mount] or [Swap])")
		}
	}
	return true
}

// enter begins a section.
func (r *reader) enter(place, name string, in *section) {
	types := []string{"Service", "Socket", "Mount", "Swap", "Automount", "Device", "Path", "Scope", "Slice", "Target", "Timer"}
	const execs = 4 // the first of them, with programs to run and filters for these
	known := types
	if own := slices.IndexFunc(types, func(s string) bool { return r.ext == "."+strings.ToLower(s) }); own >= 0 {
		known = types[own : own+1]
	}
	if i := slices.Index(types, name); name == "Unit" || name == "Install" || i >= 0 && slices.Contains(known, name) {
		*in = section{named: true, exec: 0 <= i && i < execs}
		return
	}
	*in = section{ignored: true}
	if !strings.HasPrefix(name, "X-") {
		cure := r.Near(func() string { return unknown.Nearest(name, known) })
		r.Warn(policy.UnknownKey, place, unknown.Quote(name)+": a section that this unit cannot have, so systemd ignores it"+cure)
	}
}

// A word is part of a value.
type word struct {
	string
	at int // where it begins in the text
}

// words splits a value, without what comes before from, at white space. A backslash
// stands for the byte behind it. Quotes are taken away if unquote, and ok is false if one
// is missing: the words before it are returned.
func (a *assignment) words(from int, unquote bool) (list []word, ok bool) {
	var current strings.Builder
	quote, inside, start := byte(0), false, 0
	for i := from; i < len(a.value); i++ {
		c := a.value[i]
		if !inside {
			if strings.IndexByte(space, c) >= 0 {
				continue
			}
			inside, start = true, i
		}
		switch {
		case c == '\\' && i+1 < len(a.value):
			i++
			current.WriteByte(a.value[i])
		case quote == 0 && unquote && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && strings.IndexByte(space, c) >= 0:
			list = append(list, word{current.String(), a.at + start})
			current.Reset()
			inside = false
		default:
			current.WriteByte(c)
		}
	}
	if inside && quote == 0 {
		list = append(list, word{current.String(), a.at + start})
	}
	return list, quote == 0
}
