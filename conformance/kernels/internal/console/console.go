// Package console is the language in which a guest reports to the harness, over a
// serial line that it shares with the kernel's own messages.
package console

import (
	"fmt"
	"strconv"
	"strings"
)

// mark begins every line of the language.
const mark = "%% "

// A Kind says what a line reports.
type Kind string

// The kinds of lines, with their name and text.
const (
	Start  Kind = "start"  // the guest is up: the kernel's release
	Pass   Kind = "pass"   // a check has passed: its name
	Fail   Kind = "fail"   // a check has failed: its name, why
	Skip   Kind = "skip"   // a check cannot be done here: its name, why
	Note   Kind = "note"   // something to know: what, its value
	Digest Kind = "digest" // a compiled program: the case's name, SHA-256 in hexadecimal
	Calls  Kind = "calls"  // calls made in a check: the ABI's name, how many
	End    Kind = "end"    // the guest is done: how many checks have passed, how many failed
)

// A Line is one report.
type Line struct {
	Kind       Kind
	Name, Text string
}

// String returns the line as it goes over the console, without its newline.
func (l Line) String() string {
	return fmt.Sprintf("%s%s %q %q", mark, l.Kind, l.Name, l.Text)
}

// Parse reads a line of the console. ok is false for anything that is no report.
func Parse(s string) (l Line, ok bool) {
	_, s, ok = strings.Cut(s, mark)
	if !ok {
		return Line{}, false
	}
	kind, s, _ := strings.Cut(strings.TrimRight(s, "\r\n"), " ")
	l.Kind = Kind(kind)
	switch l.Kind {
	case Start, Pass, Fail, Skip, Note, Digest, Calls, End:
	default:
		return Line{}, false
	}
	for i, field := range []*string{&l.Name, &l.Text} {
		quoted, err := strconv.QuotedPrefix(strings.TrimPrefix(s, " "))
		if err != nil {
			return Line{}, false
		}
		s = strings.TrimPrefix(s, " ")[len(quoted):]
		*field, _ = strconv.Unquote(quoted) // QuotedPrefix has checked it
		if i == 1 && s != "" {
			return Line{}, false
		}
	}
	return l, true
}

// Hangs begins the text of a check that did not end.
const Hangs = "hangs after "

// Late reports whether the text of a failed check says that it ran out of time: the
// check, or a Go test program with a limit of its own.
func Late(text string) bool {
	return strings.HasPrefix(text, Hangs) || strings.Contains(text, "panic: test timed out after ")
}
