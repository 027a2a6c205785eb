package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A wordWriter writes text for people. A file name, a key of a profile or the message of
// another program may contain what a terminal obeys or misrepresents: escape sequences,
// control characters, characters that change the direction of text, bytes that are not
// UTF-8. A wordWriter spells them as Go does, such as \x1b; line feeds and tabs stay.
type wordWriter struct {
	to     io.Writer
	colors func() bool // whether colours may pass; nil for never
	rest   []byte      // the beginning of a character or of a colour
}

// Write implements io.Writer.
func (w *wordWriter) Write(p []byte) (int, error) {
	text := append(w.rest, p...)
	n := w.whole(text)
	w.rest = bytes.Clone(text[n:])
	if _, err := w.to.Write(w.plain(text[:n])); err != nil {
		return 0, err
	}
	return len(p), nil
}

// end writes what never became a character.
func (w *wordWriter) end() error {
	if len(w.rest) == 0 {
		return nil
	}
	_, err := w.to.Write(w.plain(w.rest))
	w.rest = nil
	return err
}

// whole returns the length of a text without a character or colour that it breaks off in.
func (w *wordWriter) whole(text []byte) int {
	for n := max(0, len(text)-longestColor); n < len(text); n++ {
		last := text[n:]
		if utf8.RuneStart(last[0]) && !utf8.FullRune(last) || w.colors != nil && last[0] == 0x1b && bytes.IndexByte(last, 'm') < 0 {
			return n
		}
	}
	return len(text)
}

// plain spells out characters that are invisible or have side effects.
func (w *wordWriter) plain(text []byte) []byte {
	colored := w.colors != nil && w.colors()
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		n := 0
		if colored {
			n = color(text)
		}
		switch {
		case n > 0:
			out, size = append(out, text[:n]...), n
		case r == utf8.RuneError && size == 1:
			out = fmt.Appendf(out, `\x%02x`, text[0])
		case r == '\n' || r == '\t' || unicode.IsGraphic(r):
			out = append(out, text[:size]...)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			out = append(out, quoted[1:len(quoted)-1]...)
		}
		text = text[size:]
	}
	return out
}

const longestColor = len("\x1b[31m")

// color returns the length of the colour that a text begins with, 0 if it does not begin
// with one.
func color(text []byte) int {
	for _, sgr := range [...]string{"0", bold, red, green, yellow, magenta, cyan} {
		if s := "\x1b[" + sgr + "m"; bytes.HasPrefix(text, []byte(s)) {
			return len(s)
		}
	}
	return 0
}

// quoted returns the name of an input as a word for a shell. What comes from standard input
// has no name to give again.
func quoted(name string) string {
	switch {
	case name == standardInput:
		return "PROFILE"
	case name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_") == "":
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
