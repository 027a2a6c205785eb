package edit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/syscalltables"
)

// A Spec is calls that an edit is about: one of them, as far as its arguments are as When
// says.
type Spec struct {
	Call syscalltables.Call
	When When
}

// A When is conditions on the arguments of a call, which hold where all tests of one of the
// lists do. The zero When always holds.
type When [][]test

// A test is one comparison of an argument, with words that stand for values on each ABI.
type test struct {
	arg  string
	mask string // "" if all bits count
	op   string // as C has it; == and != come with values
	// values are those of a list, or the one that the argument is compared with.
	values []span
}

// A span is the values from one to another one, both included: the same one mostly, and ""
// for the largest.
type span struct{ first, last string }

// one returns the value that the argument must have, "" if it may have several.
func (t *test) one() string {
	if t.op == "==" && t.mask == "" && len(t.values) == 1 && t.values[0].first == t.values[0].last {
		return t.values[0].first
	}
	return ""
}

// A ParseError says what is wrong with the text of a [Spec], and what the writer may have
// meant, "" if nothing is near.
type ParseError struct {
	Text, Reason, Near string

	word   string // that has no meaning on an ABI
	needed bool   // without it, the conditions could hold where they should not
}

// Error returns the reason.
func (e *ParseError) Error() string { return "edit: " + e.Text + ": " + e.Reason }

// Parse reads calls with commas between them, each with conditions in parentheses or
// without: "mount,socket(family in {AF_UNIX, AF_INET} && type & 0xf == SOCK_STREAM)". It
// reads all conditions that this project writes. The words "and" and "or" are the same as
// && and ||. The error is a [*ParseError].
func Parse(text string) (list []Spec, err error) {
	p := parser{text, text}
	for {
		name := p.word()
		call, known := syscalltables.Lookup(name)
		switch {
		case name == "":
			return nil, p.fails("expected the name of a call, got " + p.next())
		case !known:
			return nil, &ParseError{Text: text, Reason: fmt.Sprintf("unknown system call %q", name), Near: syscalltables.Nearest(name)}
		}
		s := Spec{Call: call}
		if p.take("(") {
			if s.When, err = p.any(0); err != nil {
				return nil, err
			}
			if !p.take(")") {
				return nil, p.fails("expected && or || or ), got " + p.next())
			}
		}
		list = append(list, s)
		if p.end() {
			return list, nil
		}
		if !p.take(",") {
			return nil, p.fails("expected a comma or ( after " + name + ", got " + p.next())
		}
	}
}

// Limits on what somebody may write: no filter tells more cases apart.
const (
	maxNesting = 32
	maxLists   = 512
)

// A parser reads a text from its beginning.
type parser struct{ text, rest string }

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\n") }

func (p *parser) end() bool {
	p.space()
	return p.rest == ""
}

// take skips a sign if it is next.
func (p *parser) take(sign string) (ok bool) {
	p.space()
	p.rest, ok = strings.CutPrefix(p.rest, sign)
	return ok
}

// keyword skips a word if it is next.
func (p *parser) keyword(word string) bool {
	q := *p
	if q.word() != word {
		return false
	}
	*p = q
	return true
}

// word takes letters, digits and underscores.
func (p *parser) word() (word string) {
	p.space()
	n := 0
	for n < len(p.rest) && isLetter(p.rest[n]) {
		n++
	}
	word, p.rest = p.rest[:n], p.rest[n:]
	return word
}

func isLetter(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// next shows what comes next, for messages.
func (p *parser) next() string {
	if p.end() {
		return "the end"
	}
	return fmt.Sprintf("%.20q", p.rest)
}

func (p *parser) fails(reason string) error { return &ParseError{Text: p.text, Reason: reason} }

// any reads conditions of which one must hold.
func (p *parser) any(depth int) (w When, err error) {
	for {
		list, err := p.all(depth)
		if err != nil {
			return nil, err
		}
		if w = append(w, list...); len(w) > maxLists {
			return nil, p.fails("too many cases")
		}
		if !p.take("||") && !p.keyword("or") {
			return w, nil
		}
	}
}

// all reads conditions that must all hold.
func (p *parser) all(depth int) (w When, err error) {
	w = When{nil}
	for {
		list, err := p.single(depth)
		if err != nil {
			return nil, err
		}
		if w = product(w, list); len(w) > maxLists {
			return nil, p.fails("too many cases")
		}
		if !p.take("&&") && !p.keyword("and") {
			return w, nil
		}
	}
}

// product returns the lists of which one of x and one of y are made.
func product[T any](x, y [][]T) (both [][]T) {
	for _, a := range x {
		for _, b := range y {
			both = append(both, slices.Concat(a, b))
		}
	}
	return both
}

// single reads a comparison, or conditions in parentheses.
func (p *parser) single(depth int) (When, error) {
	if depth == maxNesting {
		return nil, p.fails("too many parentheses")
	}
	p.space()
	if strings.HasPrefix(p.rest, "(") && !p.masksInParentheses() {
		p.take("(")
		w, err := p.any(depth + 1)
		if err == nil && !p.take(")") {
			err = p.fails("expected && or || or ), got " + p.next())
		}
		return w, err
	}
	t, err := p.comparison()
	return When{{t}}, err
}

// masksInParentheses reports whether an argument and its mask follow in parentheses, as C
// needs them.
func (p *parser) masksInParentheses() bool {
	q := *p
	q.take("(")
	if q.word() == "" || !q.take("&") || q.take("&") {
		return false
	}
	return q.value() != "" && q.take(")")
}

// comparison reads an argument, its mask and what it is compared with.
func (p *parser) comparison() (t test, err error) {
	masked := p.take("(")
	if t.arg = p.word(); t.arg == "" {
		return t, p.fails("expected the name of an argument, got " + p.next())
	}
	p.space()
	if strings.HasPrefix(p.rest, "&") && !strings.HasPrefix(p.rest, "&&") {
		p.take("&")
		if t.mask = p.value(); t.mask == "" {
			return t, p.fails("expected a mask after " + t.arg + " &, got " + p.next())
		}
	}
	if masked {
		p.take(")")
	}
	if t.op = "=="; p.keyword("not") {
		t.op = "!="
	} else if !p.ahead("in") {
		return p.compared(t)
	}
	if !p.keyword("in") || !p.take("{") {
		return t, p.fails("expected a list after " + t.arg + ", as in {1, 2}, got " + p.next())
	}
	for {
		v, err := p.element()
		if err != nil {
			return t, err
		}
		t.values = append(t.values, v)
		if p.take("}") {
			return t, nil
		}
		if !p.take(",") {
			return t, p.fails("expected a comma or } in a list, got " + p.next())
		}
	}
}

func (p *parser) ahead(word string) bool {
	q := *p
	return q.keyword(word)
}

// compared reads an operator and a value.
func (p *parser) compared(t test) (test, error) {
	for _, op := range []string{"==", "!=", "<=", ">=", "<", ">"} {
		if !p.take(op) {
			continue
		}
		v := p.value()
		if v == "" {
			return t, p.fails("expected a value after " + op + ", got " + p.next())
		}
		t.op, t.values = op, []span{{v, v}}
		return t, nil
	}
	return t, p.fails("expected ==, !=, <, <=, > or >= after " + t.arg + ", got " + p.next())
}

// element reads one of a list: VALUE, VALUE..VALUE or VALUE and above.
func (p *parser) element() (v span, err error) {
	if v.first = p.value(); v.first == "" {
		return v, p.fails("expected a value in a list, got " + p.next())
	}
	v.last = v.first
	switch {
	case p.take(".."):
		if v.last = p.value(); v.last == "" {
			return v, p.fails("expected a value after .., got " + p.next())
		}
	case p.keyword("and"):
		if !p.keyword("above") {
			return v, p.fails("expected above, got " + p.next())
		}
		v.last = ""
	}
	return v, nil
}

// value takes words and numbers with | between them, without the white space. Those in
// parentheses may follow ~, and a cast or a name may come before the parentheses.
func (p *parser) value() (text string) {
	if p.take("~") {
		if text = p.value(); text == "" {
			return ""
		}
		return "~" + text
	}
	for {
		part := ""
		if p.take("-") {
			part = "-"
		}
		word := p.word()
		part += word
		p.space()
		if strings.HasPrefix(p.rest, "(") {
			end := strings.IndexByte(p.rest, ')')
			if end < 0 {
				return ""
			}
			inside := p.rest[:end+1]
			p.rest = p.rest[end+1:]
			switch cast := inside == "(long)" || inside == "(unsigned)"; {
			case cast:
				part = inside + p.word()
			case word == "":
				part = strings.ReplaceAll(inside[1:end], " ", "")
			default:
				part += inside
			}
		}
		if part == "" || part == "-" {
			return ""
		}
		text += part
		p.space()
		if !strings.HasPrefix(p.rest, "|") || strings.HasPrefix(p.rest, "||") {
			return text
		}
		p.take("|")
		text += "|"
	}
}
