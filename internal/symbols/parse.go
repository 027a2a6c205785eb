package symbols

import (
	"fmt"
	"strconv"
	"strings"
)

// Parse reads a value as Text writes it: constants and numbers joined by "|", or a
// single number that may be negative. Numbers are decimal, hexadecimal (0x) or octal
// (0); on a 32-bit ABI they have 32 bits. The error is a [*ParseError].
func (x Arg) Parse(text string) (uint64, error) {
	if strings.HasPrefix(text, "-") {
		n, err := strconv.ParseInt(text, 0, 64)
		if err != nil || x.abi.Bits() == 32 && n < -1<<31 {
			return 0, &ParseError{x, text}
		}
		return uint64(n) & x.full(), nil
	}
	if v, ok := x.otherHalf(text); ok {
		return v, nil
	}
	v := uint64(0)
	for _, word := range strings.Split(text, "|") {
		bits, known := x.named(word)
		if !known {
			var err error
			if bits, err = strconv.ParseUint(word, 0, 64); err != nil || bits > x.full() {
				return 0, &ParseError{x, word}
			}
		}
		v |= bits
	}
	return v, nil
}

// named returns the value of a constant.
func (x Arg) named(name string) (uint64, bool) {
	for i := range x.constants() {
		if c := &x.constants()[i]; c.name == name && isName(name) {
			return c.value(x.abi)
		}
	}
	return 0, false
}

// otherHalf returns the value of a constant behind a cast.
func (x Arg) otherHalf(text string) (uint64, bool) {
	for _, c := range [...]string{long, unsigned} {
		if name, ok := strings.CutPrefix(text, c); ok {
			w, known := x.named(name)
			v := x.otherwise(w)
			return v, known && v != w && cast(v) == c
		}
	}
	return 0, false
}

// A ParseError is a word that is not a value of an argument.
type ParseError struct {
	Arg  Arg
	Word string
}

// Error says what is wrong with the word.
func (e *ParseError) Error() string {
	x, what := e.Arg, fmt.Sprintf("symbols: %s: ", e.Arg.Name())
	for i := range x.constants() {
		if x.constants()[i].name == e.Word {
			return fmt.Sprintf("%s%v has no %s", what, x.abi, e.Word)
		}
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(e.Word, "-"), 0, 64)
	switch {
	case err == nil && x.abi.Bits() == 32:
		return fmt.Sprintf("%s%s: an argument of %v has 32 bits", what, e.Word, x.abi)
	case err == nil && n > 0:
		return fmt.Sprintf("%s%s: a negative number has 64 bits and stands alone", what, e.Word)
	case x.set == 0:
		return fmt.Sprintf("%s%q is not a number of 64 bits", what, e.Word)
	}
	return fmt.Sprintf("%s%q is neither a known constant for this argument nor a 64-bit number", what, e.Word)
}
