package optimize

import (
	"math"
	"slices"

	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/proof"
)

// A branch is a tree on its way to becoming nodes that test words, or the node
// where it ends.
type branch struct {
	to   compile.NodeID // without arms
	arms []arm          // exclusive; the last one is what the others leave
}

// An arm is one for some values of an argument. The last one of a branch has no
// sets.
type arm struct {
	sets []compile.ValueSet
	not  bool // all values but those in the sets
	then *branch
}

func newArm(t *proof.Tree, i int, then *branch) arm {
	if i == len(t.Arms)-1 {
		return arm{then: then}
	}
	v := &t.Arms[i].Values
	return arm{sets(t.Arg, v), v.Not, then}
}

// sets returns the listed values of an argument.
func sets(arg int, v *proof.Values) []compile.ValueSet {
	lo, _ := words(arg)
	var out []compile.ValueSet
	for _, r := range v.Ranges {
		out = append(out, compile.ValueSet{Word: lo, Mask: math.MaxUint64 >> (64 - v.Width), First: r.First, Last: r.Last})
	}
	for _, m := range v.Masks {
		out = append(out, compile.ValueSet{Word: lo, Mask: m.Mask, First: m.Value, Last: m.Value})
	}
	return out
}

// words returns the words of seccomp_data with the halves of an argument.
func words(arg int) (lo, hi compile.Word) {
	if arg == proof.IP {
		return compile.IPLo, compile.IPHi
	}
	return compile.Lo(uint8(arg)), compile.Hi(uint8(arg))
}

// decide says whether a path takes an arm, and which sets that still depends on.
func (a *arm) decide(f *compile.Facts) (t compile.Truth, left []compile.ValueSet) {
	in, out := compile.Yes, compile.No
	if a.not {
		in, out = out, in
	}
	left = a.sets
	for i := range a.sets {
		switch f.In(&a.sets[i]) {
		case compile.Yes:
			return in, nil
		case compile.No:
			if len(left) == len(a.sets) {
				left = slices.Clone(a.sets[:i])
			}
		case compile.Open:
			if len(left) < len(a.sets) {
				left = append(left, a.sets[i])
			}
		}
	}
	if len(left) == 0 {
		return out, nil
	}
	return compile.Open, left
}

// An order is the order in which the words of arguments are tested.
type order [compile.WordCount - 2]compile.Word

// orders returns the orders to try. Lower words first lets different calls share
// the tests of upper words, which are mostly against zero; upper words first
// takes ranges of 64 bits apart with the fewest tests.
func orders() []order {
	fill := func(key func(arg int, upper bool) int) order {
		var o order
		var keys [compile.WordCount]int
		for arg := proof.IP; arg <= 5; arg++ {
			lo, hi := words(arg)
			keys[lo], keys[hi] = key(arg, false), key(arg, true)
		}
		for i := range o {
			o[i] = compile.Word(i) + compile.IPLo
		}
		slices.SortFunc(o[:], func(v, w compile.Word) int { return keys[v] - keys[w] })
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
	b     *compile.Builder
	order order
	facts compile.Facts
	steps int // of work left for the present branch
	left  int // of work left for all
	err   error
}

// Sets looked at while a branch is decided word by word. One that takes more is
// decided argument by argument, and one argument that takes more by a chain of
// tests, whose size is linear.
const (
	work      = 1 << 12
	workOfSet = 1 << 6
	workOfAll = 1 << 22
)

// tree returns the node for a tree; known has those of its subtrees as far as
// they were needed.
func (s *splitter) tree(t *proof.Tree, known map[*proof.Tree]compile.NodeID) compile.NodeID {
	if len(t.Arms) == 0 {
		return s.b.Leaf(t.Action)
	}
	if id, ok := known[t]; ok {
		return id
	}
	budget := work
	whole := s.branch(t, &budget)
	id, ok := compile.NodeID(0), false
	if budget >= 0 {
		id, ok = s.decided(whole)
	}
	if !ok {
		one := &branch{}
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
	b := &branch{}
	for i := range t.Arms {
		a := newArm(t, i, s.branch(t.Arms[i].Then, budget))
		*budget -= len(a.sets)
		b.arms = append(b.arms, a)
	}
	return b
}

// size returns the number of sets in a branch.
func (b *branch) size() int {
	n := 0
	for i := range b.arms {
		n += len(b.arms[i].sets) + b.arms[i].then.size()
	}
	return n
}

// decided returns the node for a branch, made by deciding one word after the
// other. ok is false if that took too much work.
func (s *splitter) decided(b *branch) (id compile.NodeID, ok bool) {
	s.facts.Forget()
	s.steps = min(work+workOfSet*b.size(), s.left)
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
		s.steps -= len(a.sets) + 1
		t, left := compile.Open, a.sets
		if i < len(b.arms)-1 {
			t, left = a.decide(&s.facts)
		}
		if t == compile.No {
			changed = true
			continue
		}
		then := s.live(a.then)
		if t == compile.Yes {
			return then
		}
		changed = changed || then != a.then || len(left) < len(a.sets)
		kept = append(kept, arm{left, a.not, then})
	}
	if same(kept) {
		return kept[0].then
	}
	if !changed {
		return b
	}
	return &branch{arms: kept}
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
func (s *splitter) words(i int, b *branch) compile.NodeID {
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

// cutsOf appends the values of a word at which the truth of some set changes.
func (s *splitter) cutsOf(cuts []uint32, w compile.Word, b *branch) []uint32 {
	if len(b.arms) == 0 {
		return cuts
	}
	for i := range b.arms {
		a := &b.arms[i]
		s.steps -= len(a.sets)
		for j := range a.sets {
			cuts = s.facts.Cuts(cuts, w, &a.sets[j])
		}
		cuts = s.cutsOf(cuts, w, a.then)
	}
	return cuts
}

// pieces appends the cases of the i-th word, within what is known of it, that lie
// between cuts.
func (s *splitter) pieces(cases []compile.Case, i int, cuts []uint32, b *branch) []compile.Case {
	f := &s.facts[s.order[i]]
	if len(cuts) == 0 || len(b.arms) == 0 || s.steps <= 0 {
		return append(cases, compile.Case{First: f.First, Last: f.Last, To: s.rest(i, b)})
	}
	middle := len(cuts) / 2
	first, last := f.First, f.Last
	f.Last = cuts[middle] - 1
	cases = s.pieces(cases, i, cuts[:middle], s.live(b))
	f.First, f.Last = cuts[middle], last
	cases = s.pieces(cases, i, cuts[middle+1:], s.live(b))
	f.First = first
	return cases
}

// rest decides the masks that are left on the i-th word, then the other words.
func (s *splitter) rest(i int, b *branch) compile.NodeID {
	if mask, value, ok := s.mask(s.order[i], b); ok {
		return s.masked(i, mask, value, b)
	}
	return s.words(i+1, b)
}

// mask returns a mask on a word that decides something.
func (s *splitter) mask(w compile.Word, b *branch) (mask, value uint32, ok bool) {
	for i := range b.arms {
		a := &b.arms[i]
		for j := range a.sets {
			if mask, value, ok = s.facts.Masked(w, &a.sets[j]); ok {
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
func (s *splitter) masked(i int, mask, value uint32, b *branch) compile.NodeID {
	if s.steps--; s.steps <= 0 {
		return 0
	}
	w := s.order[i]
	pass, fail := s.facts[w].Either(mask, value, func(bool) compile.NodeID { return s.rest(i, s.live(b)) })
	return s.node(s.b.Masked(w, mask, value, pass, fail))
}

// chain tests the sets of a branch, whose arms end at nodes, one by one.
func (s *splitter) chain(b *branch) compile.NodeID {
	next := b.arms[len(b.arms)-1].then.to
	for i := len(b.arms) - 2; i >= 0; i-- {
		a := &b.arms[i]
		in, out := a.then.to, next
		if a.not {
			in, out = out, in
		}
		for j := range a.sets {
			out = s.node(s.b.Member(&a.sets[j], in, out))
		}
		next = out
	}
	return next
}

// node keeps the first error of the builder.
func (s *splitter) node(id compile.NodeID, err error) compile.NodeID {
	if s.err == nil {
		s.err = err
	}
	return id
}
