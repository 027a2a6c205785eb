package minijail

import (
	"errors"
	"path"
	"sort"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// A cFile is a file of the C dialect at work.
type cFile struct {
	r      *reader
	source *language.Source
	starts []start // of the lines that the statement at work is made of
}

// A start is where a line begins in the text of a statement.
type start struct{ at, line int }

// A span is a part of a statement, and where it begins there.
type span struct {
	text string
	at   int
}

// cut cuts a span at the first separator.
func (s span) cut(separator string) (before, after span, found bool) {
	i := strings.Index(s.text, separator)
	if i < 0 {
		return s, span{}, false
	}
	next := i + len(separator)
	return span{s.text[:i], s.at}, span{s.text[next:], s.at + next}, true
}

// strip removes blanks, and no other space, from both ends.
func (s span) strip() span {
	text := strings.TrimLeft(s.text, " \t")
	return span{strings.TrimRight(text, " \t"), s.at + len(s.text) - len(text)}
}

// words returns what single characters separate.
func (s span) words(separator string) (words []span) {
	for more := true; more; {
		var word span
		if word, s, more = s.cut(separator); word.text != "" {
			words = append(words, word)
		}
	}
	return words
}

func (f *cFile) fail(s span, reason string) { f.r.fail(policy.Syntax, f.place(s), reason) }

// place returns where a span begins in the file.
func (f *cFile) place(s span) string {
	i := sort.Search(len(f.starts), func(i int) bool { return f.starts[i].at > s.at }) - 1
	return f.source.Place(f.starts[i].line, s.at-f.starts[i].at+1)
}

// readC reads a file that so many others include.
func (r *reader) readC(s *language.Source, depth int) {
	f := &cFile{r: r, source: s}
	rest, line := string(s.Data()), 0
	if i := strings.IndexByte(rest, 0); i >= 0 {
		r.fail(policy.Syntax, s.Place(1+strings.Count(rest[:i], "\n"), i-strings.LastIndexByte(rest[:i], '\n')), "a zero byte, at which libminijail would end the line (remove it)")
		return
	}
	for rest != "" && !r.stopped {
		var text string
		text, rest, line = f.join(rest, line)
		if rest == "" && strings.HasSuffix(text, `\`) {
			r.warn(policy.Ignored, s.Place(f.starts[0].line, 1), "the file ends where the statement goes on, so minijail ignores it (end its last line without \\)")
			return
		}
		switch statement := (span{text: text}).strip(); {
		case statement.text == "", statement.text[0] == '#':
		case statement.text[0] == '@':
			f.directive(statement, depth)
		default:
			f.statement(statement)
		}
	}
}

// join returns the next line of a text, joined with those that follow a backslash at its
// end, the rest, and the number of the last of these lines. The text ends with a backslash
// if there are none.
func (f *cFile) join(rest string, line int) (text, after string, last int) {
	var b strings.Builder
	f.starts = f.starts[:0]
	for {
		line++
		f.starts = append(f.starts, start{b.Len(), line})
		one, after, _ := strings.Cut(rest, "\n")
		head, more := strings.CutSuffix(one, `\`)
		if b.WriteString(head); !more {
			return b.String(), after, line
		}
		if after == "" {
			b.WriteByte('\\')
			return b.String(), "", line
		}
		b.WriteByte(' ')
		rest = after
	}
}

// directive reads what begins with @.
func (f *cFile) directive(s span, depth int) {
	switch name, ok := strings.CutPrefix(s.text, "@include"); {
	case strings.HasPrefix(s.text, "@frequency"):
		f.r.warn(policy.Ignored, f.place(s), "libminijail makes no use of frequencies")
	case !ok:
		f.fail(s, unknown.Quote(s.text)+": unknown statement (the C dialect has @include ./FILE alone)")
	case name == "" || name[0] != ' ':
		f.fail(s, "a space and a path should follow @include (write @include ./FILE)")
	case depth > 0:
		f.fail(s, "an included file cannot include others (include them in the first one)")
	case name[1:] != "" && name[1] != '/' && !strings.HasPrefix(name, " ./"):
		f.fail(s, unknown.Quote(name[1:])+": not a path from / or ./ (write ./ in front, for a file in the directory in which minijail runs)")
	default:
		f.include(s, name[1:], depth)
	}
}

// include reads a file that the statement includes.
func (f *cFile) include(s span, name string, depth int) {
	full := path.Clean(name)
	if full == ".." || strings.HasPrefix(full, "../") {
		f.fail(s, unknown.Quote(name)+": outside of the policy's root directory (include a file below it)")
		return
	}
	included, err := f.source.Include(path.Join("/", full))
	if err != nil {
		f.fail(s, notIncluded(err, name, "paths that start with ./ are relative to the policy's root directory"))
		return
	}
	if f.r.spend(included, f.place(s)) {
		f.r.readC(included, depth+1)
	}
}

// statement reads a call and what happens to it.
func (f *cFile) statement(s span) {
	call, rest, ok := s.cut(":")
	call, rest = call.strip(), rest.strip()
	switch {
	case !ok:
		f.fail(s, "a colon is missing (write CALL: 1)")
		return
	case rest.text == "":
		f.fail(s, "nothing is behind the colon (write 1 to allow the call)")
		return
	}
	if problem := f.r.lacks(call.text); problem != "" {
		if f.r.UseRetLog {
			f.r.warn(policy.UnknownName, f.place(call), problem)
		} else {
			f.fail(call, problem)
		}
		return
	}
	before := len(f.r.problems)
	filters := []filter{{always: true, action: cbpf.Allow, place: f.place(call)}}
	if rest.text != "1" {
		filters = f.filters(rest)
	}
	if !f.duplicate(call, rest.text != "1") && before == len(f.r.problems) {
		f.r.add(statement{calls: []string{call.text}, filters: filters, place: f.place(call)})
	}
}

// duplicate reports whether a line is the second about a call, which libminijail refuses:
// even where it is allowed, two of them cannot have conditions or errors.
func (f *cFile) duplicate(call span, tests bool) bool {
	if f.r.seen == nil {
		f.r.seen = make(map[string]earlier)
	}
	first, again := f.r.seen[call.text]
	switch {
	case !again:
		first.place = f.place(call)
	case !f.r.AllowDuplicates:
		f.fail(call, call.text+": has a line already, at "+first.place+" (join the two with ||)")
		return true
	case tests && first.tests:
		f.fail(call, call.text+": has a line that is not 1 already, at "+first.place+" (join the two with ||)")
		return true
	}
	first.tests = first.tests || tests
	f.r.seen[call.text] = first
	return false
}

// An earlier is what came before about a call.
type earlier struct {
	place string
	tests bool // some line is not "1"
}

// filters reads what is behind a colon, if it is not 1.
func (f *cFile) filters(s span) []filter {
	if strings.HasPrefix(s.text, "return") {
		return []filter{{always: true, action: f.returned(s), place: f.place(s)}}
	}
	otherwise := filter{always: true, action: f.r.kill, place: f.place(s)}
	parts := s.words(";")
	if len(parts) == 0 {
		return []filter{otherwise}
	}
	allowed := filter{action: cbpf.Allow, place: f.place(s)}
	tests := 0
	for rest, more := parts[0], true; more; {
		var group span
		group, rest, more = rest.cut("||")
		var list []policy.Arg
		for more := true; more; {
			var atom span
			atom, group, more = group.cut("&&")
			list = append(list, f.condition(atom))
			if tests++; tests > maxTests {
				f.r.stop(f.place(atom), "a statement of more than "+strconv.Itoa(maxTests)+" conditions: no filter can test so many (test less)")
				return nil
			}
		}
		allowed.lists = append(allowed.lists, list)
	}
	if len(parts) > 1 {
		otherwise.action, otherwise.place = f.returned(parts[1]), f.place(parts[1].strip())
		f.r.warn(policy.DialectsDiffer, allowed.place, "the error is for calls for which this does not hold; the Python dialect gives it to those for which it does")
	}
	if len(parts) > 2 {
		f.r.warn(policy.Ignored, f.place(parts[2]), "minijail reads nothing behind the second semicolon (remove the rest)")
	}
	return []filter{allowed, otherwise}
}

// returned reads an error that is returned.
func (f *cFile) returned(s span) cbpf.Action {
	words := s.words(" ")
	switch {
	case len(words) == 0 || !strings.HasPrefix(words[0].text, "return"):
		f.fail(s, "only an error can be here (write return and its name)")
	case len(words) == 1:
		if f.r.UseRetLog {
			f.fail(words[0], "an error is missing (write return and its name)")
		}
		f.r.warn(policy.Ignored, f.place(words[0]), "there is no error, so that these calls get "+f.r.kill.String()+" (write return and its name)")
		return f.r.kill
	default:
		if words[0].text != "return" {
			f.r.warn(policy.Ignored, f.place(words[0]), unknown.Quote(words[0].text)+": minijail reads this as return (write return)")
		}
		if len(words) > 2 {
			f.r.warn(policy.Ignored, f.place(words[2]), "minijail reads nothing behind the error (remove the rest)")
		}
		v, ok := f.value(words[1], 1)
		n := int32(v) // as libminijail keeps it
		if ok && n == -1 {
			f.fail(words[1], "-1: not an error (write the name of one)")
		}
		return f.r.returned(uint64(uint32(n)), f.place(words[1]))
	}
	return 0
}

// condition reads a condition on an argument.
func (f *cFile) condition(s span) policy.Arg {
	words := s.words(" ")
	if len(words) != 3 {
		at := s
		if len(words) > 3 {
			at = words[3]
		}
		f.fail(at, unknown.Quote(s.text)+": not a condition (write one as arg0 == 1, with one space before and behind the operator, and none in the value)")
		return policy.Arg{}
	}
	digits, ok := strings.CutPrefix(words[0].text, "arg")
	index, err := strconv.ParseInt(strings.TrimLeft(digits, " \t\v\f\r"), 10, 64)
	switch {
	case !ok, err != nil && !errors.Is(err, strconv.ErrRange):
		f.fail(words[0], unknown.Quote(words[0].text)+": not an argument (use arg0 to arg5)")
	case err != nil || index < 0 || index > 5: // libminijail reads what is there in the kernel's data
		f.fail(words[0], words[0].text+tooMany)
	}
	v, _ := f.value(words[2], 1)
	arg, problem := f.r.compare(uint(index), words[1].text, v)
	if problem != "" {
		f.fail(words[1], problem)
	}
	return arg
}

// value reads constants joined by "|". ok is false if there was a problem.
func (f *cFile) value(s span, depth int) (v uint64, ok bool) {
	whole := s
	for s.text != "" {
		not := s.text[0] == '~'
		if not {
			s = span{s.text[1:], s.at + 1}
		}
		var one uint64
		if strings.HasPrefix(s.text, "(") {
			n := closing(s.text)
			if n < 0 || depth > maxNesting {
				f.fail(s, "a parenthesis is not closed, or there are more than "+strconv.Itoa(maxNesting)+" (close or remove some)")
				return 0, false
			}
			if one, ok = f.value(span{s.text[1:n], s.at + 1}, depth+1); !ok {
				return 0, false
			}
			if s = (span{s.text[n+1:], s.at + n + 1}); s.text == "|" || s.text != "" && s.text[0] != '|' {
				f.fail(s, unknown.Quote(s.text)+": cannot be behind a parenthesis (join values with |)")
				return 0, false
			} else if s.text != "" {
				s = span{s.text[1:], s.at + 1}
			}
		} else {
			var word span
			word, s, _ = s.cut("|")
			if one, ok = f.single(word); !ok {
				return 0, false
			}
		}
		if not {
			one = ^one
		}
		v |= one
	}
	if whole.text == "" {
		f.fail(whole, "a value is missing (write a number or the name of a constant)")
	}
	return v & f.r.width, whole.text != ""
}

// closing returns where the parenthesis with which a text starts is closed, -1 if nowhere.
func closing(s string) int {
	open := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return i
			}
		}
	}
	return -1
}

// single reads a name, or a number as strtol does.
func (f *cFile) single(s span) (v uint64, ok bool) {
	if s.text == "" {
		f.fail(s, "a value is missing (write a number or the name of a constant)")
		return 0, false
	}
	text := strings.TrimLeft(s.text, " \t\v\f\r")
	digits := strings.TrimLeft(text, "+-")
	if digits == "" || digits[0] < '0' || digits[0] > '9' || len(text)-len(digits) > 1 {
		n, problem := f.r.constant(s.text)
		if problem != "" {
			f.fail(s, problem)
		}
		return uint64(n), problem == ""
	}
	base := 10
	if digits[0] == '0' {
		base = 8
		if len(digits) > 1 && digits[1]|0x20 == 'x' {
			digits, base = digits[2:], 16
		}
	}
	v, err := strconv.ParseUint(digits, base, 64)
	negative := text[0] == '-'
	least := f.r.width/2 + 1 // of which the negative is the smallest
	if err != nil || v > f.r.width || negative && v > least {
		f.fail(s, unknown.Quote(s.text)+": not a number of "+strconv.Itoa(f.r.abi.Bits())+" bits (write a decimal one, or one with 0x or 0 in front)")
		return 0, false
	}
	if negative {
		v = -v
	}
	return v, true
}
