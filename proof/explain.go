package proof

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A LimitError says that a question has no answer within its [Limits].
type LimitError struct{ Reason string }

// Error implements error.
func (e *LimitError) Error() string {
	return "proof: " + e.Reason
}

// A Space is what a subject does with the calls of some AUDIT_ARCH values.
type Space struct {
	// Audits are the AUDIT_ARCH values, as ranges: mostly one value, and once all
	// that the subject does not know.
	Audits policy.Intervals
	// Runs cover all numbers, in ascending order.
	Runs []Run
}

// A Run is neighbouring numbers that are treated alike, and differently from
// the next run.
type Run struct {
	First, Last uint32
	// Tree decides by the rest of the call. Runs that are treated alike share it.
	Tree *Tree
}

// IP stands for the instruction pointer where an argument is named.
const IP = -1

// A Tree decides a call by its instruction pointer and arguments, in this order.
// It is the same for all subjects that mean the same.
type Tree struct {
	Action cbpf.Action // without arms
	Arg    int         // 0 to 5 or [IP]: what the arms test
	// Arms are exclusive and cover all values, the one with most values last.
	Arms []Arm
}

// An Arm is what happens for some values of an argument.
type Arm struct {
	Values Values
	Then   *Tree
}

// A Rule is an action and when it is taken.
type Rule struct {
	When   Case // none: otherwise
	Action cbpf.Action
}

// Rules lists a tree as rules of which at most one holds, and last what happens
// otherwise. More says that there are more than most of them.
func (t *Tree) Rules(most int) (list []Rule, more bool) {
	last := t
	for len(last.Arms) > 0 {
		last = last.Arms[len(last.Arms)-1].Then
	}
	var walk func(t *Tree, when Case)
	walk = func(t *Tree, when Case) {
		switch {
		case more || len(t.Arms) == 0 && t.Action == last.Action:
		case len(t.Arms) == 0 && len(list) == most:
			more = true
		case len(t.Arms) == 0:
			list = append(list, Rule{when, t.Action})
		default:
			for _, arm := range t.Arms {
				walk(arm.Then, append(when[:len(when):len(when)], When{t.Arg, arm.Values}))
			}
		}
	}
	walk(t, nil)
	return append(list, Rule{nil, last.Action}), more
}

// Explain says what a subject does with every call. Equal subjects have equal
// explanations. The error is a [*LimitError], or that of a [Policy] that is not valid.
func Explain(s Subject, l Limits) ([]Space, error) {
	if err := validate(s); err != nil {
		return nil, err
	}
	u := newUniverse(newOrder(groups{}), l.orDefault())
	out := s.lift(u)
	if len(out.computed) > 0 {
		u.exhausted("Actions")
	}
	trees := u.planter(out.actions())
	var spaces []Space
	for _, class := range u.classes(out.tuple()) {
		space := Space{Audits: class.audits}
		for _, p := range u.split(class.rest, wordNR) {
			space.Runs = append(space.Runs, Run{p.first, p.last, trees.tree(p.rest)})
		}
		spaces = append(spaces, space)
	}
	if u.over != "" {
		return nil, &LimitError{u.reason()}
	}
	return spaces, nil
}

// A class is the AUDIT_ARCH values for which a tuple leaves the same.
type class struct {
	audits policy.Intervals
	size   uint64 // how many values
	rest   tuple
}

// classes returns the classes of a tuple by their smallest value, but one that
// has most values last: those that a subject does not know.
func (u *universe) classes(t tuple) []class {
	var out []class
	known := map[string]int{}
	for _, p := range u.split(t, wordArch) {
		k := p.rest.key()
		i, ok := known[k]
		if !ok {
			i = len(out)
			known[k] = i
			out = append(out, class{rest: p.rest})
		}
		out[i].audits = append(out[i].audits, policy.Interval{First: p.first, Last: p.last})
		out[i].size += uint64(p.last-p.first) + 1
	}
	if i := slices.IndexFunc(out, func(c class) bool { return c.size > 1<<31 }); i >= 0 {
		wide := out[i]
		out = append(slices.Delete(out, i, i+1), wide)
	}
	return out
}

// planter turns tuples, of which each call is in exactly one set, into trees.
type planter struct {
	*universe
	actions []cbpf.Action // by index of the tuple's sets
	known   map[string]*Tree
	shares  map[set]float64
}

func (u *universe) planter(actions []cbpf.Action) *planter {
	return &planter{u, actions, map[string]*Tree{}, map[set]float64{none: 0, all: 1}}
}

// tree returns the tree of a tuple that tests neither AUDIT_ARCH nor number.
func (p *planter) tree(of tuple) *Tree {
	k := of.key()
	if t := p.known[k]; t != nil {
		return t
	}
	t := &Tree{}
	p.known[k] = t
	first := p.first(of)
	if p.over != "" {
		return t // not to be seen
	}
	if first == lastLevel {
		t.Action = p.actions[of[0].index]
		return t
	}
	w := int(p.bits[first].word) &^ 1 // the upper half of the field
	t.Arg = (w - wordArgs) / 2        // -1 for the instruction pointer
	branches := p.branches(of, p.levels[w+1][0]+1, map[string][]branch{})
	slices.SortStableFunc(branches, func(a, b branch) int { return cmp.Compare(p.share(a.values), p.share(b.values)) })
	for _, b := range branches {
		t.Arms = append(t.Arms, Arm{p.describe(b.values, w), p.tree(b.rest)})
	}
	return t
}

// A branch is the values of a field for which a tuple leaves the same.
type branch struct {
	values set
	rest   tuple
}

// branches returns what a tuple leaves for the values of the field that ends
// before level end. known has the answers for tuples met before.
func (p *planter) branches(of tuple, end uint16, known map[string][]branch) []branch {
	level := p.first(of)
	if level >= end {
		return []branch{{all, of}}
	}
	k := of.key()
	if out, ok := known[k]; ok {
		return slices.Clone(out)
	}
	lo, hi, ok := p.halves(of, level)
	if !ok {
		return nil
	}
	var out []branch
	at := map[string]int{}
	for _, b := range p.branches(lo, end, known) {
		at[b.rest.key()] = len(out)
		out = append(out, branch{p.make(level, b.values, none), b.rest})
	}
	for _, b := range p.branches(hi, end, known) {
		if i, ok := at[b.rest.key()]; ok {
			low, _ := p.at(out[i].values, level)
			out[i].values = p.make(level, low, b.values)
		} else {
			out = append(out, branch{p.make(level, none, b.values), b.rest})
		}
	}
	if len(out) > p.limits.Rows {
		p.exhausted("Rows")
	}
	p.spend(len(out))
	known[k] = out
	return slices.Clone(out)
}

// share returns which part of all calls a set is, from 0 to 1. Only the order
// matters, so rounding does no harm.
func (p *planter) share(s set) float64 {
	v, ok := p.shares[s]
	if !ok && p.spend(1) {
		lo, hi := p.at(s, p.level(s))
		v = (p.share(lo) + p.share(hi)) / 2
		p.shares[s] = v
	}
	return v
}
