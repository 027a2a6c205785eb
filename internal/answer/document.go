package answer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Marshal renders a document for programs to read.
func Marshal(doc any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(doc)
	return EscapedJSON(b.Bytes()), err
}

// Version is the version of every JSON document that the command writes
// itself. It grows when a field changes its meaning or goes away.
const Version = 1

// EscapedJSON replaces invisible characters of a JSON text by their \u escapes, and
// U+FFFD, which releases of Go write either way for what is not UTF-8.
func EscapedJSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case r == '\n' || unicode.IsGraphic(r) && r != utf8.RuneError:
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}
