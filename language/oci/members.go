package oci

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// expect reports a value of another kind.
func (r *reader) expect(v document.Value, k document.Kind, cure string) bool {
	if v.Kind() == k {
		return true
	}
	reason := "expected " + k.String() + ", got " + v.Kind().String()
	if cure != "" {
		reason += " (" + cure + ")"
	}
	r.fail(v, reason)
	return false
}

// members are those of one object that the reader knows.
type members struct {
	r      *reader
	of     document.Value
	keys   []key
	values [maxKeys]document.Value
	set    uint16 // a bit for each value that there is
}

// put sets the member with a key.
func (m *members) put(i int, v document.Value) {
	m.values[i] = v
	m.set |= 1 << i
}

// members reads an object that may have those of the keys that the format knows. It
// reports keys that are unknown, given twice or in the wrong letter case.
func (r *reader) members(v document.Value, keys []key) (m members, ok bool) {
	m = members{r: r, of: v, keys: keys}
	if !r.expect(v, document.Object, "") {
		return m, false
	}
	for key, val := range v.Members() {
		if i := m.find(key); i >= 0 {
			m.put(i, val)
		} else if !isComment(key) && !r.warned() {
			kind, text := m.unknown(key)
			r.warn(key, kind, text)
		}
	}
	return m, true
}

// isComment reports whether a key is one in which people write comments, whatever the
// format says.
func isComment(key document.Value) bool {
	return key.Is("comment") || key.Is("_comment") || key.Is("description")
}

// unknown says that a key has no effect, and why.
func (m *members) unknown(key document.Value) (policy.WarningKind, string) {
	i, _ := find(key, m.keys)
	switch {
	case i < 0:
		return policy.UnknownKey, "unknown key, which has no effect" + unknown.DidYouMean(m.nearest(key))
	case m.keys[i].in.has(m.r.format):
		return policy.LetterCase, "the key is spelt " + m.keys[i].name + ": " + m.r.habits.title + " ignores this spelling (write " + m.keys[i].name + ")"
	}
	return policy.UnknownKey, "a key of " + m.keys[i].in.least().title() + " has no effect in " + m.r.format.title()
}

// nearest returns the key of the format that is most like an unknown one.
func (m *members) nearest(key document.Value) string {
	var known []string
	for _, k := range m.keys {
		if k.in.has(m.r.format) {
			known = append(known, k.name)
		}
	}
	return unknown.Nearest(key.Text(), known)
}

// pick reads an object and ignores the members that have other keys.
func (r *reader) pick(v document.Value, keys []key) (m members, ok bool) {
	m = members{r: r, of: v, keys: keys}
	if !r.expect(v, document.Object, "") {
		return m, false
	}
	for key, val := range v.Members() {
		if i := m.find(key); i >= 0 {
			m.put(i, val)
		}
	}
	return m, true
}

// find returns the index of a key, or -1 if it is not one of m's in this format, and
// reports it when it is ambiguous.
func (m *members) find(key document.Value) int {
	i, exact := find(key, m.keys)
	switch {
	case i < 0 || !m.keys[i].in.has(m.r.format):
		return -1
	case m.values[i].Exists():
		m.r.fail(key, "the key is given twice (remove one)")
	case exact:
	case m.r.habits.exactKeys:
		return -1
	default:
		m.r.wrongCase(key, m.keys[i])
	}
	return i
}

// wrongCase reports a key in the wrong letter case, and which programs take it.
func (r *reader) wrongCase(at document.Value, k key) {
	who := k.in.readers() + " this spelling too; crun and youki ignore it"
	if k.in&^inBoth == 0 {
		who = k.in.readers() + " this spelling too; runc, crun and youki ignore the key in any"
	}
	r.warn(at, policy.LetterCase, "the key is spelt "+k.name+": "+who+" (write "+k.name+")")
	if !inBoth.has(r.format) && len(r.loose) < maxRemarks {
		r.loose = append(r.loose, remark{at: at})
	}
}

// get returns the member with one of m's keys, none if it is absent or null.
func (m *members) get(key string) document.Value {
	for left := m.set; left != 0; left &= left - 1 {
		if i := bits.TrailingZeros16(left); m.keys[i].name == key && m.values[i].Present() {
			return m.values[i]
		}
	}
	return document.Value{}
}

// need is get for a member that must be there.
func (m *members) need(key, cure string) (v document.Value, ok bool) {
	v = m.get(key)
	if !v.Present() {
		m.r.failMissing(m.of, key, cure)
		return document.Value{}, false
	}
	return v, true
}

// text returns an optional string member, "" if it is absent.
func (m *members) text(key string) string {
	if v := m.get(key); v.Present() {
		s, _ := m.r.text(v)
		return s
	}
	return ""
}

// list returns the elements of an optional list member.
func (m *members) list(key string) elements {
	v := m.get(key)
	if v.Present() {
		m.r.expect(v, document.Array, "put it in brackets")
	}
	return m.r.elements(v)
}

func (r *reader) text(v document.Value) (s string, ok bool) {
	if v.Kind() != document.String {
		return "", r.expect(v, document.String, "")
	}
	return v.Text(), true
}

// number reads an unsigned integer.
func (r *reader) number(v document.Value, most uint64) (n uint64, ok bool) {
	if v.Kind() != document.Number {
		cure := ""
		if v.Kind() == document.String {
			cure = r.meantNumber(v.Text())
		}
		return 0, r.expect(v, document.Number, cure)
	}
	digits := v.Text()
	n, err := strconv.ParseUint(digits, 10, 64)
	switch {
	case err == nil && n <= most:
		return n, true
	case strings.ContainsAny(digits, ".eE"):
		r.fail(v, shortNumber(digits)+": expected an integer without fraction or exponent (write all its digits)")
	case digits[0] == '-':
		r.fail(v, negative(digits, most))
	default:
		r.fail(v, outOfRange(digits, most))
	}
	return 0, false
}

// meantNumber says how to write a number that is given as a string: a hexadecimal one,
// or an error by its name.
func (r *reader) meantNumber(s string) string {
	if n, err := strconv.ParseUint(s, 0, 64); err == nil {
		return "write " + strconv.FormatUint(n, 10) + " without quotes"
	}
	if n, known := r.target.ABI.Errno(s); known {
		return "write " + strconv.Itoa(int(n))
	}
	return ""
}

func negative(digits string, most uint64) string {
	reason := shortNumber(digits) + ": expected an unsigned integer"
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n == 0 || most < math.MaxUint64 {
		return reason
	}
	reason += ", since all comparisons are unsigned (write " + strconv.FormatUint(uint64(n), 10)
	if n >= math.MinInt32 {
		reason += ", or " + strconv.FormatUint(uint64(uint32(n)), 10) + " if the argument has 32 bits"
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
