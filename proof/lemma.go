package proof

import (
	"slices"

	"github.com/seccompile/seccompile/policy"
)

// prove is arrive at a place to which several paths lead: it proves once what many need.
func (w *walker) prove(pc int, a acc) bool {
	if !w.at[pc].reads {
		a = acc{word: noWord}
	}
	start := w.goal
	ok := w.claim(pc, a)
	w.goal = start
	return ok
}

// claim tries weaker facts first: what is proved with them is so for more paths. On a
// search tree that is no use: a lemma about all clauses from one on looks at all of them,
// and there the facts have left only a few.
func (w *walker) claim(pc int, a acc) bool {
	if w.goal.narrowed() {
		return w.exactly(pc, a)
	}
	if g := &w.goal; len(g.live) > 0 {
		first, guess := int(g.live[0]), goal{}
		if holds, _, _ := w.clause(g.at(0), g.granted); holds == never {
			guess = w.from(first+1, grantNothing) // a plain program begins with the next clause
		} else {
			guess = w.from(first, w.grants(g, 0)) // or is in the middle of this one
		}
		if done, ok := w.lemma(pc, a, guess); done {
			return ok
		}
		// What is known may be so by chance, and the program does not rely on it.
		if len(guess.live) != len(g.live) || guess.granted != grantNothing {
			if done, ok := w.lemma(pc, a, w.from(first, grantNothing)); done {
				return ok
			}
		}
	}
	if w.lemmas > 1 {
		w.stuck = true
		return false
	}
	w.advance(&w.goal)
	weaker := goal{action: w.goal.action}
	if g := &w.goal; len(g.live) > 0 {
		weaker = w.from(int(g.live[0]), w.grants(g, 0))
	}
	if done, ok := w.lemma(pc, a, weaker); done {
		return ok
	}
	return w.exactly(pc, a)
}

// from returns the goal of the clauses from the i-th on, but for those at the front that
// nothing satisfies, for which programs need no tests.
func (w *walker) from(i int, g granted) goal {
	for i < len(w.goal.clauses) && slices.ContainsFunc(w.goal.clauses[i].Conds, isImpossible) {
		i, g = i+1, grantNothing
	}
	if i == len(w.goal.clauses) {
		return goal{action: w.goal.action}
	}
	n := w.goal
	n.live, n.granted = w.all[i:len(n.clauses)], g
	return n
}

// grants returns what a path knows of the conditions of the i-th live clause.
func (w *walker) grants(g *goal, i int) (known granted) {
	conds := g.at(i).Conds
	for j := range conds {
		d := w.stand(&conds[j], g.grantedOf(i).of(j))
		known |= d.grant(&conds[j]) << (grantBits * j)
	}
	return known
}

// lemma answers whether the program does at pc what a goal wants, whatever the words are.
// If it does not, but does on this path perhaps, nothing is done.
func (w *walker) lemma(pc int, a acc, g goal) (done, ok bool) {
	n := w.memo.number(w.lemmaKey(pc, a, &g))
	switch w.memo.questions[n-1].answer {
	case proved:
		return true, true
	case refuted:
		return w.applies(n), false
	case unproved:
		return false, false
	}
	goal, of, base, m, lists, void := w.goal, w.of, w.base, w.mark(), len(w.lists), w.void
	w.forget()
	w.goal = g
	w.lemmas++
	ok = w.walk(pc, a, true)
	w.lemmas--
	w.undo(m)
	w.goal, w.of, w.base, w.lists, w.void = goal, of, base, w.lists[:lists], void
	if w.stuck {
		w.stuck = false
		w.memo.questions[n-1].answer = unproved
		return false, false
	}
	w.answer(n, ok, anyWord)
	return ok || w.why != "" || w.applies(n), ok
}

// exactly answers whether the program does at pc what the goal wants, with all that the
// path knows. The answer is kept for all paths that know the same of the words that
// matter; it is not if there are no calls on this path for what it knows of another word.
func (w *walker) exactly(pc int, a acc) bool {
	key, matter := w.exactKey(pc, a)
	n := w.memo.number(key)
	switch w.memo.questions[n-1].answer {
	case proved:
		return true
	case refuted:
		if w.applies(n) {
			return false
		}
	}
	before := w.void
	w.void = 0
	ok := w.walk(pc, a, true)
	if w.void&^matter == 0 {
		w.answer(n, ok, matter)
	}
	w.void |= before
	return ok
}

const anyWord = 1<<words - 1

// answer notes the answer to a question: if it is no, with the facts that contradict it,
// of the words that matter.
func (w *walker) answer(n int, ok bool, matter uint32) {
	q := &w.memo.questions[n-1]
	switch {
	case w.why != "" || w.stuck:
	case ok:
		q.answer = proved
	default:
		q.answer = refuted
		q.counter = len(w.counters)
		w.counters = append(w.counters, w.last.about(matter))
	}
}

// A counterexample is facts with which every call gets the wrong action.
type counterexample struct {
	of    [words]fact
	holes []hole
}

// about returns the facts about some words only.
func (c *counterexample) about(matter uint32) (some counterexample) {
	for word := range c.of {
		if some.of[word] = anything(); matter>>word&1 != 0 {
			some.of[word] = c.of[word]
		}
	}
	for _, h := range c.holes {
		if matter>>h.word&1 != 0 {
			some.holes = append(some.holes, h)
		}
	}
	return some
}

// applies reports whether what contradicts the answer to a question is possible on this
// path: then it is wrong, too.
func (w *walker) applies(n int) bool {
	c := &w.counters[w.memo.questions[n-1].counter]
	m, void := w.mark(), w.void
	found := w.combine(c) && !w.wrong()
	w.undo(m)
	w.void = void
	return found
}

func (w *walker) combine(c *counterexample) bool {
	for word, f := range c.of {
		if f != anything() && !w.meet(word, f) {
			return false
		}
	}
	for _, h := range c.holes {
		if !w.assume(h.word, test{bitsAreNot, h.mask, h.value}) {
			return false
		}
	}
	return true
}

// The kinds of keys. No key of one kind is one of another, and each can be read back in
// one way only.
const (
	lemmaKey uint32 = iota
	exactKey
	listKey
)

func (w *walker) startKey(kind uint32, pc int, a acc, g *goal) {
	w.key = append(w.key[:0], kind, uint32(pc), uint32(a.word), a.mask, uint32(g.action), uint32(g.list))
}

// lemmaKey names a lemma. Its live clauses are all from one on.
func (w *walker) lemmaKey(pc int, a acc, g *goal) []uint32 {
	w.startKey(lemmaKey, pc, a, g)
	w.key = append(w.key, uint32(len(g.live)), uint32(g.granted))
	return w.key
}

// wordsInStep is how many words of a key take as long as a step.
const wordsInStep = 16

// exactKey names what is left to prove: where, which conditions of which clauses are open,
// and what is known of the words that matter.
func (w *walker) exactKey(pc int, a acc) (key []uint32, matter uint32) {
	g := &w.goal
	w.startKey(exactKey, pc, a, g)
	matter = uint32(w.at[pc].ahead)
	if a.word != noWord {
		matter |= 1 << a.word
	}
	counts := len(w.key)
	w.key = append(w.key, 0, 0)
	for i := range g.live {
		holds, _, _ := w.clause(g.at(i), g.grantedOf(i))
		if holds == never {
			continue
		}
		known := w.grants(g, i)
		w.key = append(w.key, uint32(g.live[i]), uint32(known))
		w.key[counts]++
		conds := g.at(i).Conds
		for j := range conds {
			matter |= dependsOn(&conds[j], known.of(j))
		}
		if holds == always {
			break
		}
	}
	for word := range w.of {
		if f := &w.of[word]; matter>>word&1 != 0 && *f != anything() {
			w.key = append(w.key, uint32(word), f.first, f.last, f.mask, f.value)
			w.key[counts+1]++
		}
	}
	for _, h := range w.holes[w.base:] {
		if f := &w.of[h.word]; matter>>h.word&1 != 0 && (h.value^f.value)&h.mask&f.mask == 0 {
			w.key = append(w.key, uint32(h.word), h.mask, h.value)
		}
	}
	w.steps += len(w.key) / wordsInStep
	return w.key, matter
}

// dependsOn returns the words that an open condition depends on.
func dependsOn(c *policy.Cond, g granted) (words uint32) {
	u, l := upper(c), lower(c)
	if u.mask != 0 && g != grantAll && g != grantUpper {
		words |= 1 << u.word
	}
	if l.mask != 0 && g != grantAll && g != grantLower && g != denyLower {
		words |= 1 << l.word
	}
	return words
}

// named returns a number for a list of clauses, the same for equal lists.
func (w *walker) named(clauses []policy.Clause) int32 {
	w.key = append(w.key[:0], listKey)
	for i := range clauses {
		c := &clauses[i]
		w.key = append(w.key, uint32(c.Action), uint32(len(c.Conds)))
		for _, d := range c.Conds {
			w.key = append(w.key, uint32(d.Op)<<8|uint32(d.Arg), uint32(d.Mask>>32), uint32(d.Mask), uint32(d.Value>>32), uint32(d.Value))
		}
	}
	return int32(w.memo.number(w.key))
}
