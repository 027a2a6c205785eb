package lxc

import (
	"math"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// space is what C calls space.
const space = " \t\n\v\f\r"

// maxConditions is how many conditions LXC reads in a line.
const maxConditions = 6

// conditions reads all conditions of a line, which are behind its action: [INDEX,VALUE,OP]
// or [INDEX,VALUE,OP,MASK].
func (r *reader) conditions(line string) (args []policy.Arg, ok bool) {
	if !strings.Contains(line, "[") {
		return nil, true
	}
	for at := 0; ; {
		at += len(line[at:]) - len(strings.TrimLeft(line[at:], "]"))
		if at == len(line) {
			return args, true
		}
		if len(args) == maxConditions {
			r.ignored(line[at:], at+1)
			return args, true
		}
		part, _, _ := strings.Cut(line[at:], "]")
		before, text, found := strings.Cut(part, "[")
		if !found {
			r.fail(at+1, unknown.Quote(part)+": behind a condition there can be only another one, no comment and no space (remove this)")
			return nil, false
		}
		if len(args) > 0 {
			r.ignored(before, at+1)
		}
		arg, ok := r.condition(text, at+len(before)+2)
		if !ok {
			return nil, false
		}
		args = append(args, arg)
		at += len(part)
	}
}

// Lengths at which LXC cuts the words of a condition.
const (
	maxNumber   = 23
	maxOperator = 30
)

// condition reads what is between brackets, from a column of the line at work on.
func (r *reader) condition(text string, column int) (arg policy.Arg, ok bool) {
	fail := func(reason string) (policy.Arg, bool) {
		r.fail(column, unknown.Quote(text)+": "+reason)
		return policy.Arg{}, false
	}
	const form = " (write [INDEX,VALUE,OPERATOR] or [INDEX,VALUE,SCMP_CMP_MASKED_EQ,MASK] without spaces)"
	index, n := scanInt(text, 0, r.binary())
	if n == 0 {
		return fail("the index of an argument is missing" + form)
	}
	rest, ok := strings.CutPrefix(text[n:], ",")
	value := word(rest, ",", maxNumber)
	op, ok2 := strings.CutPrefix(rest[len(value):], ",")
	op = word(op, "0123456789^,", maxOperator)
	switch {
	case !ok || !ok2 || value == "" || op == "":
		return fail("not a condition" + form)
	case uint32(index) > 5:
		return fail("a call has arguments 0 to 5 (use one of these)")
	}
	behind := rest[len(value)+1+len(op):]
	mask, given := strings.CutPrefix(behind, ",")
	if mask = word(mask, ",", maxNumber); !given || mask == "" {
		mask, given = "0", false
	} else {
		behind = behind[1+len(mask):]
	}
	arg.Index = uint(uint32(index))
	if arg.Op, ok = operator(op); !ok {
		return fail(r.unknown(op, "operator", "use SCMP_CMP_EQ, NE, LT, LE, GT, GE or MASKED_EQ, or ==, !=, <, <=, >, >= or &=", operators()))
	}
	v, ok := r.wholeNumber(value)
	m, ok2 := r.wholeNumber(mask)
	switch {
	case !ok:
		return fail(unknown.Quote(value) + " is not a number of 64 bits (write a decimal one, or one with 0x or 0 in front)")
	case !ok2:
		return fail(unknown.Quote(mask) + " is not a number of 64 bits (write a decimal one, or one with 0x or 0 in front)")
	}
	r.ignored(strings.TrimLeft(behind, ","), column+len(text)-len(behind))
	if arg.Value = v; arg.Op == policy.MaskedEqual {
		arg.Value, arg.ValueTwo = m, v
		if m == 0 {
			r.warn(policy.Ignored, column, "no bit is in the mask, so that this holds for every value (add a mask)")
		}
	} else if given {
		r.warn(policy.Ignored, column, op+" has no mask: LXC ignores this one (use SCMP_CMP_MASKED_EQ, or remove it)")
	}
	return arg, true
}

// word returns the characters up to one of some others, at most so many.
func word(s, others string, most int) string {
	if i := strings.IndexAny(s, others); i >= 0 {
		s = s[:i]
	}
	return s[:min(len(s), most)]
}

func operators() []string {
	return []string{"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"}
}

// operator returns what the name or the sign of an operator stands for.
func operator(s string) (op policy.Op, ok bool) {
	for i, sign := range [...]string{"!=", "<", "<=", "==", ">=", ">", "&="} {
		op := policy.NotEqual + policy.Op(i)
		if s == sign || s == op.String() {
			return op, true
		}
	}
	return 0, false
}

// binary reports whether numbers can have 0b in front: since C23, with which LXC 7 is built.
func (r *reader) binary() bool { return r.version >= 7 }

// wholeNumber reads a whole text as strtoull does.
func (r *reader) wholeNumber(s string) (v uint64, ok bool) {
	s = strings.TrimLeft(s, space)
	s, _ = strings.CutPrefix(s, "+")
	base, n := 10, 0
	if s != "" && s[0] == '0' {
		base, n = prefix(s, r.binary())
	}
	v, err := strconv.ParseUint(s[n:], base, 64)
	return v, err == nil
}

// prefix returns the base that the beginning of a number with a 0 names, and its length.
func prefix(s string, binary bool) (base, n int) {
	if len(s) > 1 {
		switch {
		case s[1]|0x20 == 'x':
			return 16, 2
		case s[1]|0x20 == 'b' && binary:
			return 2, 2
		}
	}
	return 8, 0
}

// scanInt reads the number with which a text begins, behind space, as scanf does, and
// returns the end, 0 if there is none. It has a base, or says it if that is 0.
func scanInt(s string, base int, binary bool) (v int64, n int) {
	n = len(s) - len(strings.TrimLeft(s, space))
	negative := false
	if n < len(s) && (s[n] == '-' || s[n] == '+') {
		negative = s[n] == '-'
		n++
	}
	from := n
	if base == 0 {
		base = 10
		if n < len(s) && s[n] == '0' {
			var length int
			base, length = prefix(s[n:], binary)
			if n += length; length > 0 && binary {
				from = n // with C23's scanf, digits have to follow
			}
		}
	}
	for ; n < len(s); n++ {
		d := int64(digit(s[n]))
		if d >= int64(base) {
			break
		}
		if v > (math.MaxInt64-d)/int64(base) {
			v = math.MaxInt64 // and it stays so
		} else {
			v = v*int64(base) + d
		}
	}
	if n == from {
		return 0, 0
	}
	if negative {
		v = -v
	}
	return v, n
}

// digit returns what a character stands for in a number, 99 if nothing.
func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return 99
}
