// Package document reads JSON and knows where everything in it stands. One scan of a
// text serves all its readers: those that detect its format, those that read what it
// says, and those that look for the place of a JSON pointer. Start with [Parse] and
// [Document.Root].
package document

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits on hostile input. Profiles need six levels, and the largest known one
// is under 50 KiB.
const (
	maxBytes = 16 << 20
	maxDepth = 100
)

// A Kind is the first byte of a JSON value, with '0' for every number.
type Kind byte

// The kinds of values.
const (
	Object Kind = '{'
	Array  Kind = '['
	String Kind = '"'
	Number Kind = '0'
	True   Kind = 't'
	False  Kind = 'f'
	Null   Kind = 'n'
)

// String returns the kind with its article, for messages.
func (k Kind) String() string {
	switch k {
	case Object:
		return "an object"
	case Array:
		return "a list"
	case String:
		return "a string"
	case Number:
		return "a number"
	case True, False:
		return "a boolean"
	case Null:
		return "null"
	}
	return "nothing"
}

// A token is one value of a document, or the key of a member. The tokens of a
// document lie in one array in the order of the text, those of a container
// directly after it.
type token struct {
	kind       Kind
	escaped    bool  // a string with a backslash in it
	start, end int32 // the text, without the quotes of a string
	next       int32 // index of the first token behind this value
}

// A Document is a JSON text and its tokens. It is never modified.
type Document struct {
	text   string
	tokens []token
	spots  []Spot // of the tokens, if the text stands for one in another language
}

// A Spot is where a value or key stands in a text: its 1-based line, and its 1-based
// column in bytes.
type Spot struct{ Line, Column int32 }

// Translated returns the document of a JSON text that stands for one in another language.
// The spots are those of its values and keys in that text, in the order of the JSON text.
func Translated(text []byte, spots []Spot) (*Document, *Error) {
	d, err := Parse(text)
	if err != nil {
		return nil, err
	}
	if len(d.tokens) != len(spots) {
		panic("BUG: a translation has other values than spots")
	}
	d.spots = spots
	return d, nil
}

// Original reports whether the document's text is the one that was written, so that it can be
// edited. It is not if the document was [Translated].
func (d *Document) Original() bool { return d.spots == nil }

// An Error says where a text is not JSON, and why. Line and Column are 1-based, and
// zero where the text as a whole is the problem; columns count bytes.
type Error struct {
	Reason       string
	Line, Column int
}

// Error returns "LINE:COLUMN: REASON".
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Reason)
}

// Parse checks a JSON text (RFC 8259) and finds its tokens. A UTF-8 byte order
// mark is skipped. Beyond the grammar, Parse refuses text that is not UTF-8, unpaired
// surrogates, more than 16 MiB and more than 100 levels of nesting. It returns the first
// problem only, since it cannot make sense of what follows one.
func Parse(data []byte) (*Document, *Error) {
	if len(data) > maxBytes {
		return nil, &Error{Reason: fmt.Sprintf("%d bytes are too many for a profile (at most %d)", len(data), maxBytes)}
	}
	text := strings.TrimPrefix(string(data), "\ufeff") // one copy, of which all texts are parts
	s := scanner{Document: Document{text: text, tokens: make([]token, 0, tokenBound(text))}}
	s.space()
	if s.pos == len(text) {
		return nil, s.errorf("the input is empty (expected a JSON object)")
	}
	if err := s.foreign(); err != nil {
		return nil, err
	}
	if err := s.value(0); err != nil {
		return nil, err
	}
	s.space()
	if s.pos < len(text) {
		if s.comment() {
			return nil, s.expected("the end")
		}
		return nil, s.errorf("%s after the end of the document (expected one JSON object and nothing else)", s.found())
	}
	return &s.Document, nil
}

// tokenBound returns how many tokens to make room for: each but the first follows one of
// four characters. Strings may be full of these, so it assumes six bytes for a token.
func tokenBound(text string) int {
	n := 1
	for _, c := range [...]string{"{", "[", ":", ","} {
		n += strings.Count(text, c)
	}
	return min(n, len(text)/6+1)
}

type scanner struct {
	Document
	pos int
}

// errorf reports a problem at the current position.
func (s *scanner) errorf(format string, args ...any) *Error {
	e := &Error{Reason: fmt.Sprintf(format, args...)}
	var p positioner
	e.Line, e.Column = p.position(s.text, s.pos)
	return e
}

// found names what stands at the current position.
func (s *scanner) found() string {
	if s.pos >= len(s.text) {
		return "end of input"
	}
	r, size := utf8.DecodeRuneInString(s.text[s.pos:])
	if r == utf8.RuneError && size == 1 {
		return fmt.Sprintf("byte 0x%02x", s.text[s.pos])
	}
	return strconv.QuoteRune(r)
}

func (s *scanner) space() {
	text, pos := s.text, s.pos
	for pos < len(text) && isSpace(text[pos]) {
		pos++
	}
	s.pos = pos
}

func isSpace(c byte) bool {
	const spaces = uint64(1<<' ' | 1<<'\t' | 1<<'\n' | 1<<'\r')
	return c <= ' ' && spaces>>(c&63)&1 != 0
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
func (s *scanner) open(k Kind) (index int) {
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
		return s.expected("a value")
	}
	switch c := s.text[s.pos]; c {
	case '{':
		return s.container(Object, '}', depth)
	case '[':
		return s.container(Array, ']', depth)
	case '"':
		return s.string()
	case 't':
		return s.literal(True, "true")
	case 'f':
		return s.literal(False, "false")
	case 'n':
		return s.literal(Null, "null")
	default:
		if c == '-' || isDigit(c) {
			return s.number()
		}
		return s.expected("a value")
	}
}

// container scans an object or an array up to its closing bracket.
func (s *scanner) container(k Kind, closing byte, depth int) *Error {
	if depth == maxDepth {
		return s.errorf("nested deeper than %d levels", maxDepth)
	}
	index := s.open(k)
	s.pos++
	if s.space(); s.take(closing) {
		s.end(index)
		return nil
	}
	for {
		if k == Object {
			if err := s.key(); err != nil {
				return err
			}
		}
		if err := s.value(depth + 1); err != nil {
			return err
		}
		s.space()
		comma := s.pos
		if !s.take(',') {
			if s.take(closing) {
				break
			}
			return s.expected("',' or '" + string(closing) + "'")
		}
		if s.space(); s.pos < len(s.text) && s.text[s.pos] == closing {
			s.pos = comma
			return s.errorf("a comma before '%c' (remove the comma)", closing)
		}
	}
	s.end(index)
	return nil
}

// key scans the key of a member and the colon behind it.
func (s *scanner) key() *Error {
	if s.pos == len(s.text) || s.text[s.pos] != '"' {
		return s.expected("a key in double quotes")
	}
	if err := s.string(); err != nil {
		return err
	}
	s.space()
	if !s.take(':') {
		return s.expected("':' after a key")
	}
	s.space()
	return nil
}

func (s *scanner) literal(k Kind, word string) *Error {
	rest := s.text[s.pos:]
	if len(rest) < len(word) || string(rest[:len(word)]) != word {
		return s.expected("a value")
	}
	index := s.open(k)
	s.pos += len(word)
	s.end(index)
	return nil
}

// number scans a number by the grammar of JSON; readers check its size.
func (s *scanner) number() *Error {
	index := s.open(Number)
	s.take('-')
	if !s.take('0') && !s.digits() {
		return s.errorf("expected a digit, got %s", s.found())
	}
	if s.pos < len(s.text) && isDigit(s.text[s.pos]) {
		return s.errorf("a number with a leading zero (JSON has decimal numbers only)")
	}
	if s.take('.') && !s.digits() {
		return s.errorf("expected a digit, got %s", s.found())
	}
	if s.take('e') || s.take('E') {
		if !s.take('-') {
			s.take('+')
		}
		if !s.digits() {
			return s.errorf("expected a digit, got %s", s.found())
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
	index := s.open(String)
	for text := s.text; ; {
		pos := plain(text, s.pos)
		if s.pos = pos; pos == len(text) {
			return s.errorf("end of input inside a string")
		}
		switch c := text[pos]; {
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
		default:
			r, size := utf8.DecodeRuneInString(text[pos:])
			if r == utf8.RuneError && size == 1 {
				return s.errorf("%s is not UTF-8 (JSON is UTF-8 text)", s.found())
			}
			s.pos += size
		}
	}
}

// plain returns the first position from one on at which a byte does not stand for itself in a
// string, or the end. It looks at eight bytes at once: the lowest top bit that is set then is
// that of the first such byte. Higher ones may be wrong, because a subtraction borrows.
func plain(text string, pos int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; len(text)-pos >= 8; pos += 8 {
		s := text[pos : pos+8]
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		control, quote, backslash := w-' '*ones, (w^'"'*ones)-ones, (w^'\\'*ones)-ones
		if special := (w | control | quote | backslash) & tops; special != 0 {
			return pos + bits.TrailingZeros64(special)/8
		}
	}
	for pos < len(text) && isPlain(text[pos]) {
		pos++
	}
	return pos
}

// isPlain reports whether a byte stands for itself in a string.
func isPlain(c byte) bool { return ' ' <= c && c < utf8.RuneSelf && c != '"' && c != '\\' }

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
	return 0, s.errorf("unpaired surrogate in a \\u escape")
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
			return 0, s.errorf("expected four hexadecimal digits after \\u, got %s", s.found())
		}
		s.pos++
	}
	return r, nil
}
