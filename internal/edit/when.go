package edit

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// lists returns the conditions on an ABI, sorted by argument, of which the lists say when
// they hold: one without conditions always. Lists with a value that has no meaning on the
// ABI are left out, and bad says which words these are.
func (w When) lists(a arch.ABI, call syscalltables.Call) (lists [][]policy.Cond, bad []*ParseError) {
	if w == nil {
		return [][]policy.Cond{nil}, nil
	}
	for _, tests := range w {
		all := [][]policy.Cond{nil}
		for i := range tests {
			some, wrong := (&reader{abi: a, call: call, tests: tests}).test(&tests[i])
			bad = append(bad, wrong...)
			if len(all)*len(some) > maxLists {
				return nil, append(bad, &ParseError{Text: call.Name(), Reason: "too many cases", needed: true})
			}
			all = product(all, some)
		}
		for _, conds := range all {
			slices.SortStableFunc(conds, func(x, y policy.Cond) int { return int(x.Arg) - int(y.Arg) })
			lists = append(lists, conds)
		}
		if len(lists) > maxLists {
			return nil, append(bad, &ParseError{Text: call.Name(), Reason: "too many cases", needed: true})
		}
	}
	return lists, bad
}

// A reader reads the words of tests on an ABI.
type reader struct {
	abi   arch.ABI
	call  syscalltables.Call
	tests []test // that must all hold
}

// width returns the bits of an argument.
func width(a arch.ABI) uint64 { return ^uint64(0) >> (64 - a.Bits()) }

// test returns the lists of conditions of which one must hold.
func (r *reader) test(t *test) (lists [][]policy.Cond, bad []*ParseError) {
	index, x, err := r.argument(t)
	if err != nil {
		return nil, []*ParseError{err}
	}
	full := width(r.abi)
	mask := full
	if t.mask != "" {
		if mask, err = r.value(x, t.mask); err != nil {
			err.needed = true
			return nil, []*ParseError{err}
		}
	}
	each := comparison{arg: uint8(index), mask: mask, full: full}
	if t.op == "!=" {
		lists = [][]policy.Cond{nil}
	}
	var without [][2]uint64 // of !=, if some are ranges
	ranges := slices.ContainsFunc(t.values, func(v span) bool { return v.first != v.last })
	for _, v := range t.values {
		first, err1 := r.value(x, v.first)
		last, err2 := mask, (*ParseError)(nil)
		if v.last != "" {
			last, err2 = r.value(x, v.last)
		}
		if err1 != nil || err2 != nil {
			for _, err := range []*ParseError{err1, err2} {
				if err != nil {
					err.needed = t.op != "=="
					bad = append(bad, err)
				}
			}
			continue
		}
		some, reason := each.lists(t.op, first, last)
		switch {
		case reason != "":
			bad = append(bad, &ParseError{Text: r.call.Name(), Reason: t.arg + ": " + reason, needed: true})
		case t.op == "!=" && ranges:
			without = append(without, [2]uint64{first, last})
		case t.op == "!=":
			lists = product(lists, some)
		default:
			lists = append(lists, some...)
		}
	}
	if t.op == "!=" && ranges {
		lists = each.between(without)
	}
	return lists, bad
}

// between returns when the argument has none of some values, which are ranges.
func (c comparison) between(without [][2]uint64) (lists [][]policy.Cond) {
	slices.SortFunc(without, func(a, b [2]uint64) int { return cmp.Compare(a[0], b[0]) })
	next := uint64(0) // the first value that is not decided yet
	for _, r := range without {
		if r[0] > next {
			lists = append(lists, []policy.Cond{c.cond(policy.GreaterEqual, next), c.cond(policy.LessEqual, r[0]-1)})
		}
		if r[1] == c.mask {
			return lists
		}
		next = max(next, r[1]+1)
	}
	return append(lists, []policy.Cond{c.cond(policy.GreaterEqual, next)})
}

// argument returns the argument that a test names, as the other tests decide it.
func (r *reader) argument(t *test) (index int, x symbols.Arg, err *ParseError) {
	var names []string
	for i := range 6 {
		names = append(names, symbols.At(r.abi, r.call, i).Name())
	}
	if index = slices.Index(names, t.arg); index < 0 {
		reason := fmt.Sprintf("unknown argument %q (known: %s)", t.arg, strings.Join(names[:max(len(r.call.Args(r.abi)), 1)], ", "))
		return 0, x, &ParseError{Text: r.call.Name(), Reason: reason, Near: unknown.Nearest(t.arg, names), word: t.arg, needed: true}
	}
	x = symbols.At(r.abi, r.call, index)
	for i := range r.tests {
		other := slices.Index(names, r.tests[i].arg)
		if one := r.tests[i].one(); other >= 0 && other != index && one != "" {
			if v, err := r.value(symbols.At(r.abi, r.call, other), one); err == nil {
				x = x.Given(other, v)
			}
		}
	}
	return index, x, nil
}

// value reads a word, or some with | between them. On an ABI whose arguments have 32 bits,
// one that an int of 64 bits can have is the same value.
func (r *reader) value(x symbols.Arg, text string) (uint64, *ParseError) {
	if rest, ok := strings.CutPrefix(text, "~"); ok {
		v, err := r.value(x, rest)
		return ^v & width(r.abi), err
	}
	v, err := x.Parse(text)
	if err == nil {
		return v & width(r.abi), nil
	}
	if r.abi.Bits() == 32 {
		word := strings.TrimPrefix(strings.TrimPrefix(text, "(long)"), "(unsigned)")
		if n, err := strconv.ParseUint(word, 0, 64); err == nil && n == uint64(int64(int32(n))) {
			return n & width(r.abi), nil
		}
		if v, err := x.Parse(word); err == nil && word != text {
			return v, nil
		}
	}
	var unread *symbols.ParseError
	reason, word := err.Error(), text
	if errors.As(err, &unread) {
		word = unread.Word
	}
	var known []string
	for _, k := range x.Constants() {
		known = append(known, k.Name)
	}
	return 0, &ParseError{Text: r.call.Name(), Reason: strings.TrimPrefix(reason, "symbols: "), Near: unknown.Nearest(word, known), word: word}
}

// A comparison is one of the bits that a mask leaves of an argument.
type comparison struct {
	arg        uint8
	mask, full uint64
}

func (c comparison) cond(op policy.Op, v uint64) policy.Cond {
	return policy.Cond{Arg: c.arg, Op: op, Mask: c.mask, Value: v}
}

// lists returns when the values from first to last, or what an operator leaves of one value,
// are those of the argument. reason says why no filter can tell.
func (c comparison) lists(op string, first, last uint64) (lists [][]policy.Cond, reason string) {
	whole := c.mask == c.full || c.mask == 1<<32-1 // masks of other bits have no order
	if first&^c.mask != 0 || last&^c.mask != 0 {
		return nil, fmt.Sprintf("%#x has bits outside of the mask %#x", first|last, c.mask)
	}
	equal, other := policy.Equal, policy.NotEqual
	if c.mask != c.full {
		equal, other = policy.MaskedEqual, policy.MaskedNotEqual
	}
	single := func(op policy.Op, v uint64) [][]policy.Cond { return [][]policy.Cond{{c.cond(op, v)}} }
	switch {
	case c.mask == 0 && op == "==": // 0 & arg is 0
		return [][]policy.Cond{nil}, ""
	case c.mask == 0 && op == "!=":
		return nil, ""
	case first > last:
		return nil, fmt.Sprintf("%#x is above %#x", first, last)
	case op == "==" && first == last:
		return single(equal, first), ""
	case op == "!=" && first == last:
		return single(other, first), ""
	case !whole:
		return nil, fmt.Sprintf("bits under the mask %#x are in no order (compare them with == or !=)", c.mask)
	case op == "==":
		return [][]policy.Cond{{c.cond(policy.GreaterEqual, first), c.cond(policy.LessEqual, last)}}, ""
	case op == "!=": // see between
		return nil, ""
	case op == "<":
		return single(policy.Less, first), ""
	case op == "<=":
		return single(policy.LessEqual, first), ""
	case op == ">":
		return single(policy.Greater, first), ""
	}
	return single(policy.GreaterEqual, first), ""
}
