package yaml

import (
	"math"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"github.com/seccompile/seccompile/internal/document"
)

// scalar writes a value that is not a list or mapping.
func (w *translation) scalar(n *yaml.Node) error {
	if err := w.spot(n); err != nil {
		return err
	}
	switch kind, text := resolve(n); kind {
	case document.String:
		w.quote(text)
	case 0:
		return w.fail(n, "%s: %s", quoted(n.Value), text)
	default:
		w.json = append(w.json, text...)
	}
	return nil
}

// resolve returns the kind of a scalar and its JSON, for a string its text, and for kind 0
// why it has none.
func resolve(n *yaml.Node) (kind document.Kind, text string) {
	plain := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	tagged := n.Style&yaml.TaggedStyle != 0
	tag := n.ShortTag()
	boolean := isBoolean(n.Value)
	switch {
	case tag == "!!str" && plain && !tagged && boolean != 0:
		return boolean, booleanText(boolean)
	case tag == "!!str" && plain && !tagged && isInteger(n.Value): // larger than 64 bits
		return integer(n.Value)
	case tag == "!!str" || tag == "!!timestamp" || tag == "!!merge":
		return document.String, n.Value
	case tag == "!!null" && (n.Value == "" || slices.Contains([]string{"~", "null", "Null", "NULL"}, n.Value)):
		return document.Null, "null"
	case tag == "!!bool" && boolean != 0:
		return boolean, booleanText(boolean)
	case tag == "!!int" && isInteger(n.Value), tag == "!!float" && isInteger(n.Value):
		return integer(n.Value)
	case tag == "!!float":
		return float(n.Value)
	case tag == "!!null" || tag == "!!bool" || tag == "!!int":
		return 0, "not what its tag " + quoted(tag) + " says (remove the tag)"
	}
	return 0, "a value with the tag " + quoted(tag) + ", which JSON cannot say (remove the tag)"
}

// isBoolean returns the kind of a word that is a boolean in YAML 1.1, for which Kubernetes
// takes it, too; 0 if it is not.
func isBoolean(s string) document.Kind {
	lower := strings.ToLower(s)
	if s != lower && s != strings.ToUpper(s) && s != strings.ToUpper(s[:1])+lower[1:] {
		return 0
	}
	switch lower {
	case "true", "yes", "y", "on":
		return document.True
	case "false", "no", "n", "off":
		return document.False
	}
	return 0
}

func booleanText(k document.Kind) string {
	if k == document.True {
		return "true"
	}
	return "false"
}

// isInteger reports whether a plain scalar is a whole number, perhaps one with a wrong
// digit for an octal one.
func isInteger(s string) bool {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	digits := "0123456789_"
	if len(s) > 2 && s[0] == '0' {
		switch s[1] {
		case 'x':
			s, digits = s[2:], "0123456789abcdefABCDEF_"
		case 'o', 'b':
			s = s[2:]
		}
	}
	return strings.Trim(s, digits) == "" && strings.Trim(s, "_") != "" && s[0] != '_'
}

// integer writes a number of any size. One that begins with a zero is octal.
func integer(s string) (document.Kind, string) {
	const most = 100 // digits: reading a number takes time that grows with their square
	digits := strings.ReplaceAll(strings.TrimPrefix(s, "+"), "_", "")
	if len(digits) > most {
		return 0, "a number of more than " + strconv.Itoa(most) + " digits"
	}
	n, ok := decimal(digits)
	if !ok {
		return 0, "a number that begins with a zero is octal, with digits up to 7 (remove the zero, or put text in quotes)"
	}
	return document.Number, n
}

// decimal writes a number of any size, with a prefix for its base, as Go does, in decimal.
func decimal(s string) (string, bool) {
	digits, negative := strings.CutPrefix(s, "-")
	base := 10
	switch {
	case strings.HasPrefix(digits, "0x"):
		digits, base = digits[2:], 16
	case strings.HasPrefix(digits, "0o"):
		digits, base = digits[2:], 8
	case strings.HasPrefix(digits, "0b"):
		digits, base = digits[2:], 2
	case len(digits) > 1 && digits[0] == '0':
		digits, base = digits[1:], 8
	}
	var number []byte // decimal digits, the last first
	for _, c := range []byte(digits) {
		carry, err := strconv.ParseUint(string(c), base, 8)
		if err != nil {
			return "", false
		}
		for i := range number {
			carry += uint64(number[i]) * uint64(base)
			number[i] = byte(carry % 10)
			carry /= 10
		}
		for ; carry > 0; carry /= 10 {
			number = append(number, byte(carry%10))
		}
	}
	if len(number) == 0 {
		return "0", digits != ""
	}
	var b strings.Builder
	if negative {
		b.WriteByte('-')
	}
	for i := len(number) - 1; i >= 0; i-- {
		b.WriteByte('0' + number[i])
	}
	return b.String(), true
}

func float(s string) (document.Kind, string) {
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return 0, "not a number that JSON can say (use a finite number)"
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return document.Number, strconv.FormatFloat(f, 'f', 0, 64)
	}
	return document.Number, strconv.FormatFloat(f, 'g', -1, 64)
}
