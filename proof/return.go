package proof

import (
	"math"

	"github.com/seccompile/seccompile/cbpf"
)

// ret reports whether the goal wants an action for all calls on the path. What it assumes
// is left to its caller to undo, as by walk.
func (w *walker) ret(a cbpf.Action) bool {
	if w.goal.numbers != nil {
		return w.retNumbers(a)
	}
	return w.retClauses(a, 0, 0)
}

// retClauses is ret for the clauses from the i-th live one on. Those between the i-th and
// the j-th that may hold have this action.
func (w *walker) retClauses(a cbpf.Action, i, j int) bool {
	if !w.spend() {
		return false
	}
	g := &w.goal
	for ; i < len(g.live); i++ {
		c := g.at(i)
		holds, ask, alone := w.clause(c, g.grantedOf(i))
		right := c.Action == a
		switch {
		case holds == never:
			continue
		case holds == always && right:
			return true
		case holds == always:
			return w.wrong()
		case !right:
			return w.split(a, i, j, ask, alone)
		}
		// It is all right whether this clause holds, if nothing after it is wrong.
		for j = max(j, i+1); j < len(g.live); j++ {
			c := g.at(j)
			holds, _, _ := w.clause(c, g.grantedOf(j))
			if holds == never {
				continue
			}
			if c.Action != a {
				break
			}
			if holds == always {
				return true
			}
		}
		if j == len(g.live) && g.action == a {
			return true
		}
		return w.split(a, i, j, ask, alone)
	}
	return g.action == a || w.wrong()
}

// split is retClauses with, and then without, what an open condition of the i-th live
// clause asks. alone says that no other one of it is open.
func (w *walker) split(a cbpf.Action, i, j, ask int, alone bool) bool {
	c := w.goal.at(i)
	d := w.stand(&c.Conds[ask], w.goal.grantedOf(i).of(ask))
	word, t := w.question(&c.Conds[ask], &d)
	m := w.mark()
	if d.upperOpen() || !alone {
		if w.assume(word, t) && !w.retClauses(a, i, j) {
			return false
		}
		w.undo(m)
		return !w.assume(word, t.not()) || w.retClauses(a, i, j)
	}
	// The answer is whether the clause holds.
	if d.negated {
		t = t.not()
	}
	if c.Action != a && w.assume(word, t) && !w.wrong() {
		return false
	}
	w.undo(m)
	return !w.assume(word, t.not()) || w.retClauses(a, i+1, j)
}

// retNumbers is ret for each piece of the numbers on the path.
func (w *walker) retNumbers(a cbpf.Action) bool {
	list, f := w.goal.numbers, w.of[wordNR]
	i := list.find(f.first, w.near)
	for w.near = i; i >= 0; i = list.following(i, &f) {
		p := &list[i]
		if p.call == noCall && p.action == a || p.first == p.last && w.in(wordNR, math.MaxUint32, p.first) == never {
			continue
		}
		if !w.retPiece(p, a) {
			return false
		}
	}
	return true
}

func (w *walker) retPiece(p *piece, a cbpf.Action) bool {
	all, m := w.goal, w.mark()
	ok := !w.enter(p) || w.retClauses(a, 0, 0)
	w.goal = all
	w.undo(m)
	return ok
}

// wrong answers for a path on which all calls get the wrong action: it is fine if there
// are none, and else there is a witness.
func (w *walker) wrong() bool {
	of, m := w.of, w.mark()
	word, some := w.pick()
	if !some {
		w.void |= 1 << word
	} else {
		w.last = counterexample{of, w.holes[w.base:]}
	}
	if some && w.lemmas == 0 {
		c := &w.call
		c.Arch, c.NR = w.of[wordArch].first, w.of[wordNR].first
		c.IP = w.full(wordIP)
		for i := range c.Args {
			c.Args[i] = w.full(wordArgs + 2*i)
		}
	}
	w.undo(m)
	return w.spend() && !some // the limit may have been hit in the middle
}

// full returns the smallest value of two words, of which one is the upper half.
func (s *facts) full(upper int) uint64 {
	return uint64(s.of[upper].first)<<32 | uint64(s.of[upper+1].first)
}
