package kafel

import (
	"errors"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// A token is a word of a policy.
type token struct {
	kind         kind
	text         string
	number       uint64
	source       *language.Source
	line, column int
}

// A kind is what a token is for. Marks such as "{" and words such as POLICY are their own
// kind.
type kind string

const (
	end        kind = ""
	number     kind = "number"
	identifier kind = "name"
)

// place returns where the token is.
func (t *token) place() string { return t.source.Place(t.line, t.column) }

// A file is one that is being read: the policy, or one that it includes.
type file struct {
	source *language.Source
	text   string
	at     int
	line   int
	start  int // of the line
}

func newFile(s *language.Source) *file { return &file{source: s, text: string(s.Data()), line: 1} }

// place returns where the next byte is.
func (f *file) place() string { return f.source.Place(f.line, f.at-f.start+1) }

// skip goes over a byte that may end a line.
func (f *file) skip() {
	f.at++
	if f.text[f.at-1] == '\n' {
		f.line++
		f.start = f.at
	}
}

// keywords are words that cannot be names.
var keywords = [...]kind{"ALLOW", "DEFAULT", "DENY", "ERRNO", "KILL", "KILL_PROCESS", "KILL_THREAD", "LOG", "ON", "POLICY", "SYSCALL", "TRACE", "TRAP", "USE", "USER_NOTIF", "define"}

// next reads the next token, that at the end when nothing is left.
func (r *reader) next() {
	for !r.stopped {
		f := r.files[len(r.files)-1]
		if f.at == len(f.text) {
			if len(r.files) == 1 {
				break
			}
			r.files = r.files[:len(r.files)-1]
			r.includes()
			continue
		}
		rest := f.text[f.at:]
		switch {
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\n':
			f.skip()
		case strings.HasPrefix(rest, "//"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			f.at += n
		case strings.HasPrefix(rest, "/*"):
			r.comment(f)
		case strings.HasPrefix(rest, "#include"):
			f.at += len("#include")
			r.includes()
		default:
			r.token = token{source: f.source, line: f.line, column: f.at - f.start + 1}
			r.word(f, rest)
			if r.tokens++; r.tokens > maxTokens {
				r.stop(r.token.place(), "more than "+strconv.Itoa(maxTokens)+" words up to here: no filter can do so much (test less)")
				break
			}
			return
		}
	}
	f := r.files[0]
	r.token = token{source: f.source, line: f.line, column: f.at - f.start + 1}
}

// word reads a token.
func (r *reader) word(f *file, rest string) {
	t := &r.token
	switch c := rest[0]; {
	case c == '-' || '0' <= c && c <= '9':
		t.text = rest[:numberLength(rest)]
	case isLetter(c):
		n := 1
		for n < len(rest) && (isLetter(rest[n]) || isDigit(rest[n]) || rest[n] == '_') {
			n++
		}
		t.text = rest[:n]
		t.kind = identifier
		for _, k := range keywords {
			if string(k) == t.text {
				t.kind = k
			}
		}
	default:
		for _, mark := range [...]string{"==", "!=", "<=", ">=", "||", "&&", "<", ">", "|", "&", "[", "]", "(", ")", "{", "}", ",", "!", "#"} {
			if strings.HasPrefix(rest, mark) {
				t.text = mark
				t.kind = kind(mark)
				break
			}
		}
	}
	f.at += len(t.text)
	switch {
	case t.text == "":
		_, n := utf8.DecodeRuneInString(rest)
		cure := "remove it"
		switch rest[0] {
		case '\r':
			cure = "end lines with a line feed alone"
		case ';':
			cure = "remove it: only #include ends with one"
		case '=':
			cure = "use == to compare"
		}
		r.stop(t.place(), unknown.Quote(rest[:n])+": cannot be here ("+cure+")")
	case t.kind == end:
		t.kind = number
		r.number()
	}
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// numberLength returns the length of the number that a text starts with, 0 if it starts
// with a sign alone.
func numberLength(s string) int {
	length := func(from int, digits string) int { return len(s[from:]) - len(strings.TrimLeft(s[from:], digits)) }
	switch {
	case s[0] == '-':
		if len(s) == 1 || s[1] == '0' {
			return 0
		}
		if n := length(1, "0123456789"); n > 0 {
			return 1 + n
		}
		return 0
	case strings.HasPrefix(s, "0x"):
		if n := length(2, "0123456789abcdefABCDEF"); n > 0 {
			return 2 + n
		}
		return 1
	case strings.HasPrefix(s, "0b"):
		if n := length(2, "01"); n > 0 {
			return 2 + n
		}
		return 1
	}
	return length(0, "0123456789")
}

// number reads the value of the token.
func (r *reader) number() {
	t := &r.token
	digits, base := t.text, 10
	switch {
	case strings.HasPrefix(digits, "0x"):
		digits, base = digits[2:], 16
	case strings.HasPrefix(digits, "0b"):
		digits, base = digits[2:], 2
	case digits[0] == '0' && len(digits) > 1:
		base = 8
		if n := strings.IndexAny(digits, "89"); n >= 0 {
			digits = digits[:n]
			r.warn(policy.Truncated, t.place(), t.text+" is octal, and ends before the digit "+t.text[n:n+1]+" (leave out the 0 in front for a decimal number)")
		}
	}
	digits, negative := strings.CutPrefix(digits, "-")
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		r.stop(t.place(), unknown.Quote(t.text)+": more than 64 bits (the largest number is "+strconv.FormatUint(math.MaxUint64, 10)+")")
	}
	if t.number = n; negative {
		t.number = -n
	}
}

// comment goes over a comment. Stars in it go in pairs, so that what ends it is an odd one.
func (r *reader) comment(f *file) {
	place := f.place()
	f.at += len("/*")
	for f.at < len(f.text) {
		rest := f.text[f.at:]
		switch {
		case strings.HasPrefix(rest, "*/"):
			f.at += len("*/")
			return
		case strings.HasPrefix(rest, "**/"):
			r.stop(f.place(), "**/: two stars before the slash, which do not end a comment in all programs (use one)")
			return
		case strings.HasPrefix(rest, "**"):
			f.at += len("**")
		default:
			f.skip()
		}
	}
	if len(r.files) == 1 {
		r.stop(place, "a comment that nothing ends (write */ behind it)")
		return
	}
	r.warn(policy.Ignored, place, "a comment that nothing ends: it goes to the end of the included file")
}

// includes goes over the names behind #include up to the first file that it can open, which
// then comes next, or to the end of the directive.
func (r *reader) includes() {
	f := r.files[len(r.files)-1]
	space := false
	for !r.stopped {
		if f.at == len(f.text) {
			r.stop(f.place(), "the file ends in an #include (end the line, or write ; behind it)")
			return
		}
		switch c := f.text[f.at]; c {
		case ' ', '\t':
			space = true
			f.at++
		case '\n', ';':
			f.skip()
			return
		case '"':
			name, _, ok := strings.Cut(f.text[f.at+1:], `"`)
			if !ok || name == "" || strings.Contains(name, "\n") || !space {
				r.stop(f.place(), "the name of a file to include needs space before it, and quotes around it (#include \"FILE\")")
				return
			}
			place := f.place()
			f.at += len(name) + 2
			r.include(f, name, place)
			return
		default:
			_, n := utf8.DecodeRuneInString(f.text[f.at:])
			r.stop(f.place(), unknown.Quote(f.text[f.at:f.at+n])+": cannot be in an #include, which has names in quotes (end it with a new line or ;)")
		}
	}
}

// include opens a file, in the first directory that has it.
func (r *reader) include(f *file, name, place string) {
	if len(r.Include) == 0 {
		r.stop(place, name+": there is no directory to look for it in (name one with the setting include)")
		return
	}
	var problem error // other than that a directory has no such file, if there is one
	for _, dir := range r.Include {
		full := path.Join(dir, name)
		if !path.IsAbs(dir) {
			full = path.Join("/", path.Dir(r.top.Name()), dir, name)
		}
		s, err := f.source.Include(full)
		if err == nil {
			if r.spend(s, place) {
				r.files = append(r.files, newFile(s))
			}
			return
		}
		if problem == nil || errors.Is(problem, fs.ErrNotExist) {
			problem = err
		}
	}
	text := problem.Error()
	if !strings.HasSuffix(text, ")") {
		text += " (looked for in " + strings.Join(r.Include, ", ") + ")"
	}
	r.stop(place, text)
}
