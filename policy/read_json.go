package policy

import (
	"iter"
	"math"
	"strconv"
	"strings"
)

// String returns the kind with its article, for messages.
func (k kind) String() string {
	switch k {
	case objectKind:
		return "an object"
	case arrayKind:
		return "a list"
	case stringKind:
		return "a string"
	case numberKind:
		return "a number"
	case trueKind, falseKind:
		return "a boolean"
	case nullKind:
		return "null"
	}
	return "nothing"
}

// expect reports a value of another kind.
func (r *reader) expect(v value, k kind, cure string) bool {
	if v.kind() == k {
		return true
	}
	reason := "want " + k.String() + ", not " + v.kind().String()
	if cure != "" {
		reason += " (" + cure + ")"
	}
	r.fail(v, reason)
	return false
}

// members are those of one object that the reader knows.
type members struct {
	r      *reader
	of     value
	keys   []key
	values [maxKeys]value
}

// members reads an object that may have those of the keys that the format knows. It
// reports keys that are unknown, given twice or in the wrong letter case.
func (r *reader) members(v value, keys []key) (m members, ok bool) {
	m = members{r: r, of: v, keys: keys}
	if !r.expect(v, objectKind, "") {
		return m, false
	}
	for key, val := range v.members() {
		if i := m.find(key); i >= 0 {
			m.values[i] = val
		} else if !r.warned() {
			r.warn(key, UnknownKey, m.unknown(key))
		}
	}
	return m, true
}

// unknown says that a key has no effect, and why.
func (m *members) unknown(key value) string {
	if i, _ := find(key, m.keys); i >= 0 {
		return "a key of " + m.keys[i].in.least().title() + " has no effect in " + m.r.format.title()
	}
	var known []string
	for _, k := range m.keys {
		if k.in.has(m.r.format) {
			known = append(known, k.name)
		}
	}
	return "unknown key, which has no effect" + didYouMean(nearest(key.string(), known))
}

// pick reads an object of which only some members matter.
func (r *reader) pick(v value, keys []key) (m members, ok bool) {
	m = members{r: r, of: v, keys: keys}
	if !r.expect(v, objectKind, "") {
		return m, false
	}
	for key, val := range v.members() {
		if i := m.find(key); i >= 0 {
			m.values[i] = val
		}
	}
	return m, true
}

// find returns the index of a key, or -1 if it is not one of m's in this format, and
// reports it when it is ambiguous.
func (m *members) find(key value) int {
	i, exact := find(key, m.keys)
	switch {
	case i < 0 || !m.keys[i].in.has(m.r.format):
		return -1
	case !exact:
		m.r.fail(key, "the key is spelt "+m.keys[i].name+" (some runtimes would honour this one and others ignore it)")
	case m.values[i].doc != nil:
		m.r.fail(key, "the key is given twice (remove one)")
	}
	return i
}

// get returns the member with one of m's keys, none if it is absent or null.
func (m *members) get(key string) value {
	for i, k := range m.keys {
		if k.name == key && m.values[i].present() {
			return m.values[i]
		}
	}
	return value{}
}

// need is get for a member that must be there.
func (m *members) need(key, cure string) (v value, ok bool) {
	v = m.get(key)
	if !v.present() {
		m.r.failMissing(m.of, key, cure)
		return value{}, false
	}
	return v, true
}

// text returns an optional string member, "" if it is absent.
func (m *members) text(key string) string {
	if v := m.get(key); v.present() {
		s, _ := m.r.text(v)
		return s
	}
	return ""
}

// list yields the elements of an optional list member.
func (m *members) list(key string) iter.Seq2[int, value] {
	v := m.get(key)
	if v.present() {
		m.r.expect(v, arrayKind, "put it in brackets")
	}
	return m.r.elements(v)
}

func (r *reader) text(v value) (s string, ok bool) {
	if !r.expect(v, stringKind, "") {
		return "", false
	}
	return v.string(), true
}

// number reads an unsigned integer.
func (r *reader) number(v value, most uint64) (n uint64, ok bool) {
	if v.kind() != numberKind {
		cure := ""
		if v.kind() == stringKind {
			cure = unshortNumber(v.string())
		}
		return 0, r.expect(v, numberKind, cure)
	}
	digits := v.string()
	n, err := strconv.ParseUint(digits, 10, 64)
	switch {
	case err == nil && n <= most:
		return n, true
	case strings.ContainsAny(digits, ".eE"):
		r.fail(v, shortNumber(digits)+": want an integer without fraction and exponent (write all its digits)")
	case digits[0] == '-':
		r.fail(v, negative(digits, most))
	default:
		r.fail(v, outOfRange(digits, most))
	}
	return 0, false
}

// unshortNumber says how to write a number that is given as a string, as
// hexadecimal ones often are.
func unshortNumber(s string) string {
	if n, err := strconv.ParseUint(s, 0, 64); err == nil {
		return "write " + strconv.FormatUint(n, 10) + " without quotes"
	}
	return ""
}

func negative(digits string, most uint64) string {
	reason := shortNumber(digits) + ": want an unsigned integer"
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n == 0 || most < math.MaxUint64 {
		return reason
	}
	reason += ", for all comparisons are unsigned (write " + strconv.FormatUint(uint64(n), 10)
	if n >= math.MinInt32 {
		reason += ", or " + strconv.FormatUint(uint64(uint32(n)), 10) + " where the argument has 32 bits"
	}
	return reason + ")"
}

func outOfRange(digits string, most uint64) string {
	return shortNumber(digits) + ": out of range (at most " + strconv.FormatUint(most, 10) + ")"
}

func shortNumber(digits string) string {
	if len(digits) > 40 {
		return digits[:40] + "..."
	}
	return digits
}

func didYouMean(near string) string {
	if near == "" {
		return ""
	}
	return " (did you mean " + near + "?)"
}
