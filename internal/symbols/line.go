package symbols

import (
	"fmt"
	"strings"

	"github.com/seccompile/seccompile/arch"
)

// A Line is a call as people type it and as tools print it. It knows no names of calls and
// constants: [Arrange] and [Arg.Parse] do.
type Line struct {
	ABI  string   // that stands before the call, "" if none does
	Name string   // of the call, or its number
	Args []string // in their order, or as NAME=VALUE; [Unseen] or NAME=? where the value does not show
}

const (
	// Unseen stands for a value that does not show: a text, of which the filter sees the
	// address, a structure, or what is left out.
	Unseen = "?"

	// elision stands for this argument and all that follow.
	elision = "..."
)

// String writes the call without its ABI, as [ParseLine] reads it.
func (l *Line) String() string {
	if len(l.Args) == 0 {
		return l.Name
	}
	return l.Name + "(" + strings.Join(l.Args, ", ") + ")"
}

// ParseLine reads the text of a call: "socket(family=AF_ALG, type=SOCK_STREAM)" as Call writes
// it, "socket(AF_ALG, SOCK_STREAM);" or "socket" as people type it, and a line of strace with
// what stands before and after the call.
func ParseLine(text string) (Line, error) {
	var l Line
	l.ABI, text = front(strings.TrimSpace(text))
	switch {
	case strings.HasPrefix(text, "+++"), strings.HasPrefix(text, "---"):
		return l, fmt.Errorf("symbols: %.40q: expected a call, not a signal or an exit (paste the line of the call)", text)
	case strings.HasPrefix(text, "<... "):
		return resumed(l, text)
	}
	name, rest, open := strings.Cut(strings.TrimSuffix(text, ";"), "(")
	l.Name = unnamed(strings.TrimSpace(name))
	switch {
	case l.Name == "":
		return l, fmt.Errorf("symbols: %.80q: the name of the call is missing (write it as in clone3 or socket(AF_UNIX))", text)
	case strings.ContainsAny(l.Name, " \t\r\n),;"):
		return l, notOne(text)
	case !open:
		return l, nil
	}
	s := &arguments{call: l.Name, text: rest}
	if err := s.read(); err != nil {
		return l, fmt.Errorf("symbols: %s: %w", l.Name, err)
	}
	if after := strings.TrimSpace(s.text[s.at:]); after != "" && !strings.ContainsRune("=<:;", rune(after[0])) {
		return l, notOne(text)
	}
	l.Args = s.list
	return l, nil
}

func notOne(text string) error {
	return fmt.Errorf("symbols: %.80q: expected one call (write it as in clone3 or socket(AF_UNIX))", text)
}

// resumed reads the end of a call that another thread interrupted: "<... read resumed>"..., 5) = 5".
// Its arguments stand on an earlier line.
func resumed(l Line, text string) (Line, error) {
	name, _, ok := strings.Cut(strings.TrimPrefix(text, "<... "), " resumed")
	if l.Name = unnamed(name); !ok || name == "" || strings.ContainsAny(name, " (") {
		return l, notOne(text)
	}
	l.Args = []string{elision}
	return l, nil
}

// unnamed returns the number in the name that strace gives to an unknown call: syscall_0x1d6.
func unnamed(name string) string {
	if n, ok := strings.CutPrefix(name, "syscall_0x"); ok {
		return "0x" + n
	}
	return name
}

// front skips what stands before a call: "[pid 12]", "12", "12:00:01.123", "[ 257]" or
// "(+ 0.000012)" of strace. An ABI is returned.
func front(text string) (abi, rest string) {
	for {
		n := frontWord(text)
		after := strings.TrimLeft(text[n:], " \t")
		switch {
		case after == "" && strings.HasPrefix(text, "["):
			return abi, ""
		case n == 0 || after == "" || after[0] == '(' && !strings.HasPrefix(after, "(+"),
			len(after) == len(text)-n && text[n-1] != ']':
			return abi, text
		}
		if a, err := arch.Parse(text[:n]); err == nil {
			abi = a.String()
		} else if c := text[0]; c != '[' && c != '(' && (c < '0' || '9' < c) {
			return abi, text
		}
		text = after
	}
}

// frontWord returns the length of the first word of a line, or of the part in brackets.
func frontWord(text string) int {
	end := strings.IndexAny(text, " \t(")
	switch {
	case strings.HasPrefix(text, "["):
		end = strings.IndexByte(text, ']') + 1
	case strings.HasPrefix(text, "(+"):
		end = strings.IndexByte(text, ')') + 1
	}
	return max(end, 0)
}
