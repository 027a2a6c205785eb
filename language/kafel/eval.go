package kafel

import (
	"math"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/policy"
)

// An evaluator turns a condition into lists of conditions on arguments, of which one has to
// hold, for one ABI.
type evaluator struct {
	*reader
	filter   *filter
	abi      arch.ABI
	args     []argument
	unknowns map[string]bool // places of names that are reported
}

// low are the bits of which a comparison looks at no others if nothing in it is longer.
const low = 1<<32 - 1

var always = [][]policy.Arg{nil}

// lists returns the lists for a condition or, negated, its opposite. nil means that none
// ever holds.
func (e *evaluator) lists(n *node, negated bool) [][]policy.Arg {
	switch n.op {
	case "!":
		return e.lists(n.left, !negated)
	case "&&", "||", ",":
		left, right := e.lists(n.left, negated), e.lists(n.right, negated)
		if (n.op == "&&") == negated {
			return e.either(left, right)
		}
		return e.both(n, left, right)
	}
	op := operator(n.op)
	if negated {
		op = opposite(op)
	}
	return e.compare(n, op)
}

// operator returns the operator of a comparison that is not under a mask.
func operator(k kind) policy.Op {
	switch k {
	case "==":
		return policy.Equal
	case "!=":
		return policy.NotEqual
	case "<":
		return policy.Less
	case "<=":
		return policy.LessEqual
	case ">":
		return policy.Greater
	}
	return policy.GreaterEqual
}

// opposite returns the operator that holds where another does not.
func opposite(op policy.Op) policy.Op {
	switch op {
	case policy.Equal:
		return policy.NotEqual
	case policy.NotEqual:
		return policy.Equal
	case policy.Less:
		return policy.GreaterEqual
	case policy.LessEqual:
		return policy.Greater
	case policy.Greater:
		return policy.LessEqual
	}
	return policy.Less // of GreaterEqual
}

// swapped returns the operator for operands that change places.
func swapped(op policy.Op) policy.Op {
	switch op {
	case policy.Less:
		return policy.Greater
	case policy.LessEqual:
		return policy.GreaterEqual
	case policy.Greater:
		return policy.Less
	case policy.GreaterEqual:
		return policy.LessEqual
	}
	return op
}

func isAlways(lists [][]policy.Arg) bool {
	return slices.ContainsFunc(lists, func(list []policy.Arg) bool { return len(list) == 0 })
}

func (e *evaluator) either(left, right [][]policy.Arg) [][]policy.Arg {
	if isAlways(left) || isAlways(right) {
		return always
	}
	return append(left[:len(left):len(left)], right...)
}

func (e *evaluator) both(n *node, left, right [][]policy.Arg) (all [][]policy.Arg) {
	if len(left)*len(right) > maxLists {
		e.stop(n.token.place(), "the condition stands for more than "+strconv.Itoa(maxLists)+" lists of comparisons (split it into several)")
		return nil
	}
	for _, x := range left {
		for _, y := range right {
			all = append(all, append(x[:len(x):len(x)], y...))
		}
	}
	return all
}

// An operand is a number or, of an argument, the bits under mask, with those of number set.
// The mask of a number is 0.
type operand struct {
	arg          int // -1: none
	mask, number uint64
	wide         bool // 64 bits of it are compared
}

// operand returns what a part of a comparison is. ok is false if that is reported.
func (e *evaluator) operand(n *node) (o operand, ok bool) {
	switch n.op {
	case number:
		return constant(n.token.number), true
	case identifier:
		for i, a := range e.args {
			if a.name == n.token.text {
				return operand{arg: i, mask: math.MaxUint64, wide: a.wide && e.abi.Bits() == 64}, true
			}
		}
		if place := n.token.place(); !e.unknowns[place] {
			e.unknowns[place] = true
			call := e.filter.name
			if call == "" {
				call = "SYSCALL[" + strconv.FormatUint(uint64(e.filter.number), 10) + "]"
			}
			e.fail(place, noArgument(n.token.text, call, e.args))
		}
		return o, false
	}
	x, ok1 := e.operand(n.left)
	y, ok2 := e.operand(n.right)
	if !ok1 || !ok2 {
		return o, false
	}
	if x.arg < 0 {
		x, y = y, x
	}
	if x.arg >= 0 && y.arg >= 0 && x.arg != y.arg {
		return o, e.refuse(n, "two arguments under one "+string(n.op))
	}
	return x.combine(y, n.op == "&"), true
}

func constant(n uint64) operand { return operand{arg: -1, number: n, wide: n > low} }

// combine returns the bits that both operands have, or either. y is a number or of the same
// argument.
func (x operand) combine(y operand, and bool) operand {
	neutral, clobber := uint64(math.MaxUint64), uint64(0)
	if !and {
		neutral, clobber = clobber, neutral
	}
	switch {
	case x.arg < 0:
		if and {
			return constant(x.number & y.number)
		}
		return constant(x.number | y.number)
	case y.arg < 0 && y.number == neutral: // however long the number, it changes nothing
		return x
	case y.arg < 0 && y.number == clobber:
		return constant(clobber)
	}
	z := operand{arg: x.arg, wide: x.wide || y.wide}
	if and {
		z.number = x.number & y.number
		z.mask = x.mask&y.mask | x.mask&y.number | x.number&y.mask
	} else {
		z.number = x.number | y.number
		z.mask = (x.mask | y.mask) &^ z.number
	}
	return z
}

// refuse reports what a policy cannot say.
func (e *evaluator) refuse(n *node, what string) (ok bool) {
	if place := n.token.place(); !e.unknowns[place] {
		e.unknowns[place] = true
		e.fail(place, what+": only comparisons of an argument with a number can be read (compare each argument with numbers)")
	}
	return false
}

// compare returns the lists for a comparison.
func (e *evaluator) compare(n *node, op policy.Op) [][]policy.Arg {
	x, ok1 := e.operand(n.left)
	y, ok2 := e.operand(n.right)
	if !ok1 || !ok2 {
		return nil
	}
	if x.arg < 0 {
		x, y, op = y, x, swapped(op)
	}
	wide := x.wide || y.wide
	x, y = x.cut(wide, e.abi), y.cut(wide, e.abi)
	switch {
	case y.arg < 0 && x.mask != 0:
		return x.compare(e.abi, op, y.number)
	case x == y || x.mask|y.mask == 0: // the same argument, or two numbers
		if holds(op, x.number, y.number) {
			return always
		}
		return nil
	}
	e.refuse(n, "a comparison between arguments")
	return nil
}

// cut returns the bits that a comparison looks at, of those that an argument has.
func (x operand) cut(wide bool, a arch.ABI) operand {
	x.wide = wide
	x.mask &= math.MaxUint64 >> (64 - a.Bits())
	if !wide {
		x.mask &= low
	}
	return x
}

// holds compares numbers, which are 0 both for an argument that is compared with itself.
func holds(op policy.Op, x, y uint64) bool {
	switch op {
	case policy.Equal:
		return x == y
	case policy.NotEqual:
		return x != y
	case policy.Less:
		return x < y
	case policy.LessEqual:
		return x <= y
	case policy.Greater:
		return x > y
	}
	return x >= y
}

// compare returns the lists for a comparison of bits of an argument with a number.
func (x operand) compare(a arch.ABI, op policy.Op, n uint64) [][]policy.Arg {
	all := x.mask | x.number // what it can be at most; number is the least
	switch {
	case op == policy.Equal && (n&^x.mask != x.number), op == policy.Less && n <= x.number, op == policy.LessEqual && n < x.number,
		op == policy.Greater && n >= all, op == policy.GreaterEqual && n > all:
		return nil
	case op == policy.NotEqual && (n&^x.mask != x.number), op == policy.GreaterEqual && n <= x.number, op == policy.Greater && n < x.number,
		op == policy.LessEqual && n >= all, op == policy.Less && n > all:
		return always
	}
	arg := policy.Arg{Index: uint(x.arg), Op: op, Value: n}
	switch {
	case x.number == 0 && x.mask == math.MaxUint64>>(64-a.Bits()): // all of it
		return [][]policy.Arg{{arg}}
	case op == policy.Equal:
		return [][]policy.Arg{{x.bits(policy.MaskedEqual, x.mask, n)}}
	case op == policy.NotEqual:
		return [][]policy.Arg{{x.bits(policy.MaskedNotEqual, x.mask, n)}}
	case x.number == 0 && x.mask == low:
		arg.Low = true
		return [][]policy.Arg{{arg}}
	case op == policy.GreaterEqual: // n is not 0, which would always hold
		return x.bound(true, n-1)
	case op == policy.LessEqual: // and here not the largest
		return x.bound(false, n+1)
	}
	return x.bound(op == policy.Greater, n)
}

// bits returns a condition on bits of the argument.
func (x operand) bits(op policy.Op, mask, n uint64) policy.Arg {
	return policy.Arg{Index: uint(x.arg), Op: op, Value: mask, ValueTwo: n & mask}
}

// bound returns the lists for values that are greater than a number, or less: those which
// are equal down to some bits, and there have any that the number has not, or lack any that
// it has.
func (x operand) bound(greater bool, n uint64) (lists [][]policy.Arg) {
	above := uint64(0) // bits that have to be equal
	prefix := func() []policy.Arg {
		if above == 0 {
			return nil
		}
		return []policy.Arg{x.bits(policy.MaskedEqual, above, n)}
	}
	for i := 63; i >= 0; i-- {
		bit := uint64(1) << i
		switch {
		case x.mask&bit == 0 && (x.number^n)&bit == 0:
		case x.mask&bit == 0 && (x.number&bit != 0) == greater:
			return append(lists, prefix())
		case x.mask&bit == 0:
			return lists
		case (n&bit == 0) == greater:
			run := bit // with the bits below that are alike
			for i > 0 && x.mask&(bit>>1) != 0 && (n&(bit>>1) == 0) == greater {
				i--
				bit >>= 1
				run |= bit
			}
			differ := x.bits(policy.MaskedNotEqual, run, n)
			lists = append(lists, append(prefix(), differ))
			above |= run
		default:
			above |= bit
		}
	}
	return lists
}
