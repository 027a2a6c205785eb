package minijail

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// A token is a word of the Python dialect.
type token struct {
	kind         kind
	text         string
	line, column int
}

// A kind is what a token is for. Marks such as "{" are their own kind.
type kind string

const (
	end        kind = "" // of the statement
	directive  kind = "@"
	pathName   kind = "path"
	number     kind = "number"
	argument   kind = "argument"
	operator   kind = "operator"
	returning  kind = "return"
	actionWord kind = "action"
	word       kind = "name"
)

// A scanner splits a file of the Python dialect into statements.
type scanner struct {
	r      *reader
	source *language.Source
	rest   string // lines that are still to come
	line   int
}

// next returns the tokens of the next statement, and the end, where more is missing. ok is
// false behind the last one.
func (s *scanner) next() (tokens []token, ok bool) {
	for s.rest != "" && !s.r.stopped {
		var text string
		text, s.rest = cutLine(s.rest)
		s.line++
		good := true
		for at := 0; at < len(text) && good; {
			kind, n := scan(text, at)
			switch {
			case n == 0:
				good = false
				s.r.fail(policy.Syntax, s.source.Place(s.line, at+1), unknown.Quote(firstRune(text[at:]))+": cannot be here (remove it; paths start with / or ./, and comments with #)")
			case kind != end:
				tokens = append(tokens, token{kind, text[at : at+n], s.line, at + 1})
				if len(tokens) > maxTests {
					s.r.stop(s.source.Place(s.line, at+1), "a statement of more than "+strconv.Itoa(maxTests)+" words: no filter can test so much (test less)")
					return nil, false
				}
			}
			at += n
		}
		if !good {
			tokens = nil
			continue
		}
		if strings.HasSuffix(text, `\`) {
			continue
		}
		if len(tokens) > 0 {
			return append(tokens, token{line: s.line, column: len(text) + 1}), true
		}
	}
	if len(tokens) > 0 {
		s.r.warn(policy.Ignored, s.source.Place(tokens[0].line, tokens[0].column), "the file ends where the statement goes on, so minijail ignores it (end its last line without \\)")
	}
	return nil, false
}

// cutLine cuts off a line as Python does, whatever ends it.
func cutLine(text string) (line, rest string) {
	i := strings.IndexAny(text, "\r\n")
	if i < 0 {
		return text, ""
	}
	rest = text[i:]
	if strings.HasPrefix(rest, "\r\n") {
		rest = rest[1:]
	}
	return text[:i], rest[1:]
}

func firstRune(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}

// scan returns the kind and the length of the token at a place of a line: end for what
// separates tokens, and length 0 where there is none.
func scan(line string, at int) (kind, int) {
	s := line[at:]
	inWord := at > 0 && isWord(line[at-1])
	switch r, n := utf8.DecodeRuneInString(s); {
	case s[0] == '#':
		return end, len(s)
	case unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f:
		return end, n
	case s == `\`:
		return end, 1
	case s[0] == '@':
		for _, text := range [...]string{"@default", "@include", "@frequency"} {
			if strings.HasPrefix(s, text) && boundary(s, len(text)) {
				return directive, len(text)
			}
		}
		if s == "@denylist" {
			return directive, len(s)
		}
		return end, 0
	case s[0] == '/' && hasText(s[1:]):
		return pathName, textLength(s)
	case strings.HasPrefix(s, "./") && hasText(s[2:]):
		return pathName, textLength(s)
	}
	if n := numberLength(s); n > 0 {
		return number, n
	}
	for _, mark := range [...]string{"||", "&&", "==", "!=", "<=", ">=", "<", ">", "&", ":", ";", ",", "~", "(", ")", "{", "}", "[", "]", "|", "="} {
		if strings.HasPrefix(s, mark) {
			if strings.ContainsAny(mark, "=!<>") && mark != "=" || mark == "&" {
				return operator, len(mark)
			}
			return kind(mark), len(mark)
		}
	}
	if !inWord {
		if k, n := keyword(s); n > 0 {
			return k, n
		}
	}
	n := 0
	for n < len(s) && (isWord(s[n]) || n > 0 && (s[n] == '-' || s[n] == '@')) {
		n++
	}
	return word, n // which does not begin with a digit: that would be a number
}

// keyword returns the word with a meaning of its own that a line starts with.
func keyword(s string) (kind, int) {
	n := 0
	for n < len(s) && isWord(s[n]) {
		n++
	}
	if !boundary(s, n) {
		return end, 0
	}
	switch text := s[:n]; text {
	case "in":
		return operator, n
	case "return":
		return returning, n
	case "kill":
		for _, long := range [...]string{"kill-process", "kill-thread"} {
			if strings.HasPrefix(s, long) && boundary(s, len(long)) {
				return actionWord, len(long)
			}
		}
		return actionWord, n
	case "allow", "trap", "trace", "log":
		return actionWord, n
	case "user":
		if long := "user-notify"; strings.HasPrefix(s, long) && boundary(s, len(long)) {
			return actionWord, len(long)
		}
	default:
		if digits, ok := strings.CutPrefix(text, "arg"); ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
			return argument, n
		}
	}
	return end, 0
}

// numberLength returns the length of the number that a text starts with. Only digits of
// its base are part of it.
func numberLength(s string) int {
	n := 0
	if s[0] == '-' {
		n = 1
	}
	digits := func(from int, set string) int {
		return len(s[from:]) - len(strings.TrimLeft(s[from:], set))
	}
	if rest := s[n:]; strings.HasPrefix(rest, "0x") || strings.HasPrefix(rest, "0X") {
		if d := digits(n+2, "0123456789abcdefABCDEF"); d > 0 {
			return n + 2 + d
		}
	}
	if strings.HasPrefix(s[n:], "0") {
		if d := digits(n+1, "01234567"); d > 0 {
			return n + 1 + d
		}
	}
	if d := digits(n, "0123456789"); d > 0 {
		return n + d
	}
	return 0
}

// hasText reports whether a text starts with something else than space.
func hasText(s string) bool { return textLength(s) > 0 }

func textLength(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f })
	if n < 0 {
		return len(s)
	}
	return n
}

// boundary reports whether a word can end at a place.
func boundary(s string, at int) bool {
	if at == len(s) {
		return true
	}
	r, _ := utf8.DecodeRuneInString(s[at:])
	return !(r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r))
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
