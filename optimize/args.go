package optimize

import (
	"math"
	"slices"

	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/proof"
)

// A branch is a tree on its way to becoming nodes that test words, or the node
// where it ends.
type branch struct {
	to   compiler.NodeID // without arms
	arg  int
	arms []arm // exclusive; the last one is what the others leave
}

// An arm is one for some values of the argument. The last one of a branch has no
// items.
type arm struct {
	items []item
	not   bool // all values but the items
	then  *branch
}

func newArm(t *proof.Tree, i int, then *branch) arm {
	if i == len(t.Arms)-1 {
		return arm{then: then}
	}
	v := &t.Arms[i].Values
	return arm{items(v), v.Not, then}
}

// decide tells whether an argument is in an arm, and which items that still
// depends on.
func (f *facts) decide(arg int, a *arm) (t truth, left []item) {
	in, out := yes, no
	if a.not {
		in, out = no, yes
	}
	left = a.items
	for i := range a.items {
		switch f.truth(arg, &a.items[i]) {
		case yes:
			return in, nil
		case no:
			if len(left) == len(a.items) {
				left = slices.Clone(a.items[:i])
			}
		case open:
			if len(left) < len(a.items) {
				left = append(left, a.items[i])
			}
		}
	}
	if len(left) == 0 {
		return out, nil
	}
	return open, left
}

// An order is the order in which the words of arguments are tested.
type order [wordCount - 2]compiler.Word

// orders returns the orders to try. Lower words first lets different calls share
// the tests of upper words, which are mostly against zero; upper words first
// takes ranges of 64 bits apart with the fewest tests.
func orders() []order {
	fill := func(key func(arg int, upper bool) int) order {
		var o order
		var keys [wordCount]int
		for arg := proof.IP; arg <= 5; arg++ {
			lo, hi := words(arg)
			keys[lo], keys[hi] = key(arg, false), key(arg, true)
		}
		for i := range o {
			o[i] = compiler.Word(i) + compiler.IPLo
		}
		slices.SortFunc(o[:], func(v, w compiler.Word) int { return keys[v] - keys[w] })
		return o
	}
	half := func(second bool) int {
		if second {
			return 1
		}
		return 0
	}
	return []order{
		fill(func(arg int, upper bool) int { return arg + 8*half(upper) }),
		fill(func(arg int, upper bool) int { return 2*arg + half(!upper) }),
		fill(func(arg int, upper bool) int { return -arg + 8*half(upper) }),
		fill(func(arg int, upper bool) int { return -2*arg + half(!upper) }),
		fill(func(arg int, upper bool) int { return arg + 8*half(!upper) }),
		fill(func(arg int, upper bool) int { return 2*arg + half(upper) }),
	}
}

// A splitter turns trees into nodes that test words.
type splitter struct {
	b     *compiler.Builder
	order order
	facts facts
	steps int // of work left for the present branch
	left  int // of work left for all
	err   error
}

// Items looked at while a branch is decided word by word. One that takes more is
// decided argument by argument, and one argument that takes more by a chain of
// tests, whose size is linear.
const (
	work       = 1 << 12
	workOfItem = 1 << 6
	workOfAll  = 1 << 22
)

// tree returns the node for a tree; known has those of its subtrees as far as
// they were needed.
func (s *splitter) tree(t *proof.Tree, known map[*proof.Tree]compiler.NodeID) compiler.NodeID {
	if len(t.Arms) == 0 {
		return s.b.Leaf(t.Action)
	}
	if id, ok := known[t]; ok {
		return id
	}
	budget := work
	whole := s.branch(t, &budget)
	id, ok := compiler.NodeID(0), false
	if budget >= 0 {
		id, ok = s.decided(whole)
	}
	if !ok {
		one := &branch{arg: t.Arg}
		for i := range t.Arms {
			one.arms = append(one.arms, newArm(t, i, &branch{to: s.tree(t.Arms[i].Then, known)}))
		}
		if id, ok = s.decided(one); !ok {
			id = s.chain(one)
		}
	}
	known[t] = id
	return id
}

// branch copies a whole tree, which may share subtrees; budget gets below zero
// where it is too large.
func (s *splitter) branch(t *proof.Tree, budget *int) *branch {
	if *budget--; *budget < 0 {
		return &branch{}
	}
	if len(t.Arms) == 0 {
		return &branch{to: s.b.Leaf(t.Action)}
	}
	b := &branch{arg: t.Arg}
	for i := range t.Arms {
		a := newArm(t, i, s.branch(t.Arms[i].Then, budget))
		*budget -= len(a.items)
		b.arms = append(b.arms, a)
	}
	return b
}

// size returns the number of items in a branch.
func (b *branch) size() int {
	n := 0
	for i := range b.arms {
		n += len(b.arms[i].items) + b.arms[i].then.size()
	}
	return n
}

// decided returns the node for a branch, made by deciding one word after the
// other. ok is false if that took too much work.
func (s *splitter) decided(b *branch) (id compiler.NodeID, ok bool) {
	s.facts.forget()
	s.steps = min(work+workOfItem*b.size(), s.left)
	before := s.steps
	id = s.words(0, s.live(b))
	s.left -= before - s.steps
	return id, s.steps > 0
}

// live drops what the facts exclude, and returns b itself where that is nothing.
func (s *splitter) live(b *branch) *branch {
	if len(b.arms) == 0 || s.steps <= 0 {
		return b
	}
	kept := make([]arm, 0, len(b.arms))
	changed := false
	for i := range b.arms {
		a := &b.arms[i]
		s.steps -= len(a.items) + 1
		t, left := open, a.items
		if i < len(b.arms)-1 {
			t, left = s.facts.decide(b.arg, a)
		}
		if t == no {
			changed = true
			continue
		}
		then := s.live(a.then)
		if t == yes {
			return then
		}
		changed = changed || then != a.then || len(left) < len(a.items)
		kept = append(kept, arm{left, a.not, then})
	}
	if same(kept) {
		return kept[0].then
	}
	if !changed {
		return b
	}
	return &branch{arg: b.arg, arms: kept}
}

// same reports whether all arms end at one node.
func same(arms []arm) bool {
	for i := range arms {
		if then := arms[i].then; i > 0 && (len(then.arms) > 0 || len(arms[0].then.arms) > 0 || then.to != arms[0].then.to) {
			return false
		}
	}
	return true
}

// words decides the words from the i-th on.
func (s *splitter) words(i int, b *branch) compiler.NodeID {
	for ; i < len(s.order) && len(b.arms) > 0 && s.steps > 0; i++ {
		w := s.order[i]
		if cuts := s.cutsOf(nil, w, b); len(cuts) > 0 {
			slices.Sort(cuts)
			return s.node(s.b.Switch(w, s.pieces(nil, i, slices.Compact(cuts), b)))
		}
		if mask, value, ok := s.mask(w, b); ok {
			return s.masked(i, mask, value, b)
		}
	}
	if len(b.arms) > 0 {
		s.steps = 0 // too much work
	}
	return b.to
}

// cutsOf appends the values of a word at which the truth of some item changes.
func (s *splitter) cutsOf(cuts []uint32, w compiler.Word, b *branch) []uint32 {
	if len(b.arms) == 0 {
		return cuts
	}
	for i := range b.arms {
		a := &b.arms[i]
		s.steps -= len(a.items)
		for j := range a.items {
			cuts = s.facts.cuts(cuts, w, b.arg, &a.items[j])
		}
		cuts = s.cutsOf(cuts, w, a.then)
	}
	return cuts
}

// pieces appends the cases of the i-th word, within what is known of it, that lie
// between cuts.
func (s *splitter) pieces(cases []compiler.Case, i int, cuts []uint32, b *branch) []compiler.Case {
	f := &s.facts[s.order[i]]
	if len(cuts) == 0 || len(b.arms) == 0 || s.steps <= 0 {
		return append(cases, compiler.Case{First: f.first, Last: f.last, To: s.rest(i, b)})
	}
	middle := len(cuts) / 2
	first, last := f.first, f.last
	f.last = cuts[middle] - 1
	cases = s.pieces(cases, i, cuts[:middle], s.live(b))
	f.first, f.last = cuts[middle], last
	cases = s.pieces(cases, i, cuts[middle+1:], s.live(b))
	f.first = first
	return cases
}

// rest decides the masks that are left on the i-th word, then the other words.
func (s *splitter) rest(i int, b *branch) compiler.NodeID {
	if mask, value, ok := s.mask(s.order[i], b); ok {
		return s.masked(i, mask, value, b)
	}
	return s.words(i+1, b)
}

// mask returns a mask on a word that decides something.
func (s *splitter) mask(w compiler.Word, b *branch) (mask, value uint32, ok bool) {
	for i := range b.arms {
		a := &b.arms[i]
		lo, hi := words(b.arg)
		for j := 0; j < len(a.items) && (w == lo || w == hi); j++ {
			it := &a.items[j]
			if it.ranged || s.facts.truth(b.arg, it) != open {
				continue
			}
			if mask, value = it.half(w == hi); s.facts[w].equal(mask, value) == open {
				return mask, value, true
			}
		}
		if mask, value, ok = s.mask(w, a.then); ok {
			return mask, value, true
		}
	}
	return 0, 0, false
}

// masked tests a mask on the i-th word and goes on with that word.
func (s *splitter) masked(i int, mask, value uint32, b *branch) compiler.NodeID {
	if s.steps--; s.steps <= 0 {
		return 0
	}
	f := &s.facts[s.order[i]]
	n := len(f.tested)
	f.tested = append(f.tested, outcome{mask, value, true})
	pass := s.rest(i, s.live(b))
	f.tested[n].holds = false
	fail := s.rest(i, s.live(b))
	f.tested = f.tested[:n]
	return s.node(s.b.Masked(s.order[i], mask, value, pass, fail))
}

// chain tests the items of a branch, whose arms end at nodes, one by one.
func (s *splitter) chain(b *branch) compiler.NodeID {
	next := b.arms[len(b.arms)-1].then.to
	for i := len(b.arms) - 2; i >= 0; i-- {
		a := &b.arms[i]
		in, out := a.then.to, next
		if a.not {
			in, out = out, in
		}
		for j := range a.items {
			out = s.test(b.arg, &a.items[j], in, out)
		}
		next = out
	}
	return next
}

// test returns the node that goes to in for the values of an item.
func (s *splitter) test(arg int, i *item, in, out compiler.NodeID) compiler.NodeID {
	lo, hi := words(arg)
	if !i.ranged {
		inner := s.node(s.b.Masked(lo, uint32(i.mask), uint32(i.value), in, out))
		return s.node(s.b.Masked(hi, uint32(i.mask>>32), uint32(i.value>>32), inner, out))
	}
	below := s.atLeast(lo, hi, i, i.first, in, out)
	if i.last == math.MaxUint64 || !i.wide && i.last == math.MaxUint32 {
		return below
	}
	return s.atLeast(lo, hi, i, i.last+1, out, below)
}

// atLeast returns the node that goes to in for values from v on.
func (s *splitter) atLeast(lo, hi compiler.Word, i *item, v uint64, in, out compiler.NodeID) compiler.NodeID {
	inner := s.from(lo, uint64(uint32(v)), in, out)
	if !i.wide {
		return inner
	}
	return s.from(hi, v>>32, s.from(hi, v>>32+1, in, inner), out)
}

// from returns the node that goes to in where w is v or more, which may be 2^32.
func (s *splitter) from(w compiler.Word, v uint64, in, out compiler.NodeID) compiler.NodeID {
	switch {
	case v == 0:
		return in
	case v > math.MaxUint32:
		return out
	}
	return s.node(s.b.Switch(w, []compiler.Case{
		{First: 0, Last: uint32(v) - 1, To: out},
		{First: uint32(v), Last: math.MaxUint32, To: in},
	}))
}

// node keeps the first error of the builder.
func (s *splitter) node(id compiler.NodeID, err error) compiler.NodeID {
	if s.err == nil {
		s.err = err
	}
	return id
}
