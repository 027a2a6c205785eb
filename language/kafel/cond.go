package kafel

import (
	"slices"

	"github.com/seccompile/seccompile/internal/unknown"
)

// A node is a part of a condition.
type node struct {
	op          kind // an operator, "!", number or identifier
	left, right *node
	token       token // of the number, the name or the operator
	depth       int
}

// logical reports whether the node is true or false, and not a number.
func (n *node) logical() bool {
	switch n.op {
	case number, identifier, "|", "&":
		return false
	}
	return true
}

// condition reads alternatives with commas between them, and reports if what it reads is
// not a condition.
func (r *reader) condition() *node {
	n := r.anything()
	if n != nil && !n.logical() {
		r.unexpected("an operator that compares: ==, !=, <, <=, > or >=")
	}
	return n
}

// anything reads what can be in parentheses: a condition or a number.
func (r *reader) anything() *node {
	return r.series([]kind{","}, true, func() *node {
		return r.series([]kind{"||"}, true, func() *node {
			return r.series([]kind{"&&"}, true, r.comparison)
		})
	})
}

// series reads operands with operators between them, from left to right.
func (r *reader) series(ops []kind, logical bool, operand func() *node) *node {
	left := operand()
	for left != nil && slices.Contains(ops, r.token.kind) && !r.stopped {
		op := r.token
		if left.logical() != logical {
			r.misplaced(left)
			return nil
		}
		r.next()
		right := operand()
		if right != nil && right.logical() != logical {
			r.misplaced(right)
			return nil
		}
		left = r.join(op, left, right)
	}
	return left
}

// misplaced stops at an operand of the wrong sort.
func (r *reader) misplaced(n *node) {
	if n.logical() {
		r.stop(n.token.place(), n.token.text+": a comparison where a number or an argument belongs (put it between &&, || or commas)")
	} else {
		r.stop(n.token.place(), n.token.text+": a number where a comparison belongs (compare it: ==, !=, <, <=, > or >=)")
	}
}

// join makes a node of two, or of one under !, as deep as kafel lets them be.
func (r *reader) join(op token, left, right *node) *node {
	if left == nil || right == nil && op.kind != "!" {
		return nil
	}
	n := &node{op: op.kind, left: left, right: right, token: op, depth: left.depth + 1}
	if right != nil {
		n.depth = max(n.depth, right.depth+1)
	}
	if n.depth > maxDepth {
		r.stop(op.place(), "more than 200 operators that build on each other, which kafel refuses (write the call several times, each with some of them)")
		return nil
	}
	return n
}

// comparison reads a comparison, or what else can be an operand of && and ||.
func (r *reader) comparison() *node {
	if not := r.token; r.accept("!") {
		if !r.enter() {
			return nil
		}
		operand := r.comparison()
		r.nesting--
		if operand != nil && !operand.logical() {
			r.misplaced(operand)
			return nil
		}
		return r.join(not, operand, nil)
	}
	left := r.bits()
	switch op := r.token; op.kind {
	case "==", "!=", "<", "<=", ">", ">=":
		if left == nil {
			return nil
		}
		if left.logical() {
			r.misplaced(left)
			return nil
		}
		r.next()
		right := r.bits()
		if right != nil && right.logical() {
			r.misplaced(right)
			return nil
		}
		return r.join(op, left, right)
	}
	return left
}

// bits reads an operand of a comparison.
func (r *reader) bits() *node {
	return r.series([]kind{"|"}, false, func() *node {
		return r.series([]kind{"&"}, false, r.operand)
	})
}

// operand reads a number, a name, or what is in parentheses.
func (r *reader) operand() *node {
	t := r.token
	switch {
	case r.accept("("):
		if !r.enter() {
			return nil
		}
		n := r.anything()
		r.nesting--
		r.expect(")", "an operator, or ) to close the one before")
		return n
	case t.kind == number || t.kind == identifier:
		r.next()
		if n, ok := r.constants[t.text]; ok && t.kind == identifier {
			t.kind, t.number = number, n
		}
		return &node{op: t.kind, token: t}
	}
	r.unexpected("a number, an argument or a constant")
	return nil
}

// enter counts parentheses and ! that are open.
func (r *reader) enter() bool {
	if r.nesting++; r.nesting > maxNesting {
		r.stop(r.token.place(), unknown.Quote(r.token.text)+": too deep in parentheses (remove some)")
	}
	return !r.stopped
}
