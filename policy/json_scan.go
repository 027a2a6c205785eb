package policy

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Limits on hostile input. Profiles need six levels, and the largest known one
// is under 50 KiB.
const (
	maxBytes = 16 << 20
	maxDepth = 100
)

// A kind is the first byte of a JSON value, with '0' for every number.
type kind byte

const (
	objectKind kind = '{'
	arrayKind  kind = '['
	stringKind kind = '"'
	numberKind kind = '0'
	trueKind   kind = 't'
	falseKind  kind = 'f'
	nullKind   kind = 'n'
)

// A token is one value of a document, or the key of a member. The tokens of a
// document lie in one array in the order of the text, those of a container
// directly after it.
type token struct {
	kind       kind
	escaped    bool  // a string with a backslash in it
	start, end int32 // the text, without the quotes of a string
	next       int32 // index of the first token behind this value
}

// A document is a JSON text and its tokens.
type document struct {
	text   []byte
	tokens []token
}

// scan checks a JSON text (RFC 8259) and finds its tokens. A UTF-8 byte order
// mark is skipped. On top of the grammar, scan refuses text that is not UTF-8,
// halves of surrogate pairs and anything beyond the limits. It returns the
// first problem, since what follows one cannot be trusted.
func scan(text []byte) (*document, *Error) {
	if len(text) > maxBytes {
		return nil, &Error{Kind: Syntax, Reason: fmt.Sprintf("%d bytes are too many for a profile (at most %d)", len(text), maxBytes)}
	}
	if len(text) >= 3 && string(text[:3]) == "\ufeff" {
		text = text[3:]
	}
	s := scanner{document: document{text: text, tokens: make([]token, 0, tokenBound(text))}}
	s.space()
	if s.pos == len(text) {
		return nil, s.errorf("the input is empty (want a JSON object)")
	}
	if err := s.value(0); err != nil {
		return nil, err
	}
	s.space()
	if s.pos < len(text) {
		return nil, s.errorf("%s after the end of the document (want one JSON object and nothing else)", s.found())
	}
	return &s.document, nil
}

// tokenBound returns room for the tokens of a text: each but the first follows one of
// four characters. Strings may be full of these, so that it does not believe in tokens
// shorter than six bytes.
func tokenBound(text []byte) int {
	n := 1
	for _, c := range [...]string{"{", "[", ":", ","} {
		n += bytes.Count(text, []byte(c))
	}
	return min(n, len(text)/6+1)
}

type scanner struct {
	document
	pos int
}

// errorf reports a problem at the current position.
func (s *scanner) errorf(format string, args ...any) *Error {
	e := &Error{Kind: Syntax, Reason: fmt.Sprintf(format, args...)}
	var p positioner
	e.Line, e.Column = p.position(s.text, s.pos)
	return e
}

// found names what stands at the current position.
func (s *scanner) found() string {
	if s.pos >= len(s.text) {
		return "end of input"
	}
	r, size := utf8.DecodeRune(s.text[s.pos:])
	if r == utf8.RuneError && size == 1 {
		return fmt.Sprintf("byte 0x%02x", s.text[s.pos])
	}
	return strconv.QuoteRune(r)
}

func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// take skips c if it is next.
func (s *scanner) take(c byte) bool {
	if s.pos < len(s.text) && s.text[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// open appends a token that starts here; end closes it.
func (s *scanner) open(k kind) (index int) {
	s.tokens = append(s.tokens, token{kind: k, start: int32(s.pos)})
	return len(s.tokens) - 1
}

func (s *scanner) end(index int) {
	t := &s.tokens[index]
	t.end, t.next = int32(s.pos), int32(len(s.tokens))
}

// value scans one value, depth levels inside the document.
func (s *scanner) value(depth int) *Error {
	if s.pos == len(s.text) {
		return s.errorf("end of input, want a value")
	}
	switch c := s.text[s.pos]; c {
	case '{':
		return s.container(objectKind, '}', depth)
	case '[':
		return s.container(arrayKind, ']', depth)
	case '"':
		return s.string()
	case 't':
		return s.literal(trueKind, "true")
	case 'f':
		return s.literal(falseKind, "false")
	case 'n':
		return s.literal(nullKind, "null")
	default:
		if c == '-' || isDigit(c) {
			return s.number()
		}
		return s.errorf("%s, want a value", s.found())
	}
}

// container scans an object or an array up to its closing bracket.
func (s *scanner) container(k kind, closing byte, depth int) *Error {
	if depth == maxDepth {
		return s.errorf("nested deeper than %d levels", maxDepth)
	}
	index := s.open(k)
	s.pos++
	for first := true; ; first = false {
		s.space()
		if first && s.take(closing) {
			break
		}
		if k == objectKind {
			if err := s.key(first); err != nil {
				return err
			}
		}
		if err := s.value(depth + 1); err != nil {
			return err
		}
		s.space()
		if s.take(closing) {
			break
		}
		if !s.take(',') {
			return s.errorf("%s, want ',' or '%c'", s.found(), closing)
		}
	}
	s.end(index)
	return nil
}

// key scans the key of a member and the colon behind it.
func (s *scanner) key(first bool) *Error {
	if s.pos == len(s.text) || s.text[s.pos] != '"' {
		if !first && s.pos < len(s.text) && s.text[s.pos] == '}' {
			return s.errorf("'}' after a comma, want a key (remove the comma)")
		}
		return s.errorf("%s, want a key in double quotes", s.found())
	}
	if err := s.string(); err != nil {
		return err
	}
	s.space()
	if !s.take(':') {
		return s.errorf("%s after a key, want ':'", s.found())
	}
	s.space()
	return nil
}

func (s *scanner) literal(k kind, word string) *Error {
	rest := s.text[s.pos:]
	if len(rest) < len(word) || string(rest[:len(word)]) != word {
		return s.errorf("%s, want a value", s.found())
	}
	index := s.open(k)
	s.pos += len(word)
	s.end(index)
	return nil
}

// number scans a number by the grammar of JSON; its size is the reader's affair.
func (s *scanner) number() *Error {
	index := s.open(numberKind)
	s.take('-')
	if !s.take('0') && !s.digits() {
		return s.errorf("%s, want a digit", s.found())
	}
	if s.pos < len(s.text) && isDigit(s.text[s.pos]) {
		return s.errorf("a number with a leading zero (JSON has decimal numbers only)")
	}
	if s.take('.') && !s.digits() {
		return s.errorf("%s, want a digit", s.found())
	}
	if s.take('e') || s.take('E') {
		if !s.take('-') {
			s.take('+')
		}
		if !s.digits() {
			return s.errorf("%s, want a digit", s.found())
		}
	}
	if s.pos < len(s.text) && (s.text[s.pos] == 'x' || s.text[s.pos] == 'X') {
		return s.errorf("%s in a number (JSON has decimal numbers only)", s.found())
	}
	s.end(index)
	return nil
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.text) && isDigit(s.text[s.pos]) {
		s.pos++
	}
	return s.pos > start
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// string scans a string that starts here with its opening quote.
func (s *scanner) string() *Error {
	s.pos++
	index := s.open(stringKind)
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.end(index)
			s.pos++
			return nil
		case c == '\\':
			s.tokens[index].escaped = true
			if _, err := s.escape(); err != nil {
				return err
			}
		case c < ' ':
			return s.errorf("%s inside a string (write it as \\u%04x)", s.found(), c)
		case c < utf8.RuneSelf:
			s.pos++
		default:
			r, size := utf8.DecodeRune(s.text[s.pos:])
			if r == utf8.RuneError && size == 1 {
				return s.errorf("%s is not UTF-8 (JSON is UTF-8 text)", s.found())
			}
			s.pos += size
		}
	}
	return s.errorf("end of input inside a string")
}

// escape scans one escape sequence, or the two of a surrogate pair, and returns
// the character that it stands for.
func (s *scanner) escape() (rune, *Error) {
	s.pos++ // the backslash
	if s.pos == len(s.text) {
		return 0, s.errorf("end of input inside a string")
	}
	c := s.text[s.pos]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return s.unicode()
	default:
		return 0, s.errorf("%s after a backslash (write two backslashes for one)", s.found())
	}
	s.pos++
	return rune(c), nil
}

// unicode scans u and four hexadecimal digits, and the second half if it is the
// first of a surrogate pair.
func (s *scanner) unicode() (rune, *Error) {
	r, err := s.hex4()
	if err != nil || r < 0xd800 || 0xdfff < r {
		return r, err
	}
	if r < 0xdc00 && s.pos+1 < len(s.text) && s.text[s.pos] == '\\' && s.text[s.pos+1] == 'u' {
		s.pos++
		low, err := s.hex4()
		if err != nil {
			return 0, err
		}
		if 0xdc00 <= low && low <= 0xdfff {
			return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, nil
		}
	}
	return 0, s.errorf("half of a surrogate pair before this place is no character")
}

// hex4 scans u and the four hexadecimal digits behind it.
func (s *scanner) hex4() (rune, *Error) {
	s.pos++
	var r rune
	for range 4 {
		if s.pos == len(s.text) {
			return 0, s.errorf("end of input inside a string")
		}
		c := s.text[s.pos]
		switch lower := c | 0x20; {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= lower && lower <= 'f':
			r = r<<4 | rune(lower-'a'+10)
		default:
			return 0, s.errorf("%s, want four hexadecimal digits after \\u", s.found())
		}
		s.pos++
	}
	return r, nil
}
