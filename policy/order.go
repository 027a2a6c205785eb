package policy

import (
	"cmp"
	"slices"
)

// A rank is the place of a condition among the others at its position. The even
// fields order conditions, smaller first. The odd ones only tell them apart:
// conditions that first differ there tie, and so do the rules that they are in.
type rank struct {
	group uint64 // argument, operator class, high word of the datum
	kind  uint64 // what compares by the high word only
	datum uint64
	form  uint64 // operator and low word of the mask
}

// rankOf returns the place of a condition. width is the ABI's argument width.
//
// Larger data rank first, but under Less and LessEqual. On 64-bit ABIs a
// MaskedEqual compares with other operators, and with masks of another high word,
// by the high word of the datum alone: so the high word is part of the group, and
// every high word of a mask is a kind of its own.
func rankOf(c *Cond, width uint64) rank {
	r := rank{group: uint64(5-c.Arg) << 34, form: uint64(c.Op) << 32}
	switch c.Op {
	case Less, LessEqual:
		r.group |= 1 << 32
		r.datum = c.Value
	case GreaterEqual, Greater:
		r.group |= 2 << 32
		r.datum = ^c.Value
	case Equal, NotEqual, MaskedEqual:
		r.group |= ^c.Value >> 32
		r.datum = ^c.Value
		r.form |= c.Mask & 0xffffffff
		if c.Op == MaskedEqual && width > 0xffffffff {
			r.kind = c.Mask>>32 + 1
		}
	}
	return r
}

// fields is how many a rank has.
const fields = 4

func (r *rank) field(i int) uint64 { return [fields]uint64{r.group, r.kind, r.datum, r.form}[i] }

// compareConds orders condition lists so that lists with a common beginning are
// neighbours and every list comes after those that rank before it; 0 means that
// they are the same. common is how many fields of their ranks are the same before
// the first that is not, 4 for each equal condition. If it is odd, the lists tie.
func compareConds(a, b []Cond, width uint64) (order, common int) {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		x, y := rankOf(&a[i], width), rankOf(&b[i], width)
		for j := range fields {
			if c := cmp.Compare(x.field(j), y.field(j)); c != 0 {
				return c, i*fields + j
			}
		}
	}
	return cmp.Compare(len(a), len(b)), fields * min(len(a), len(b))
}

// sortCandidates sorts by compareConds, the rules with the same conditions in
// profile order.
func sortCandidates(list []candidate, width uint64) {
	slices.SortFunc(list, func(a, b candidate) int {
		order, _ := compareConds(a.conds, b.conds, width)
		return cmp.Or(order, cmp.Compare(a.seq, b.seq))
	})
}

// inOrder puts conditional rules, sorted by sortCandidates and each with other
// conditions, into the order in which they are tried: that of a list into which
// each rule is inserted, in profile order, before the first one there that ranks
// after it.
func inOrder(sorted []candidate, width uint64) []candidate {
	for i := 1; i < len(sorted); i++ {
		if _, common := compareConds(sorted[i-1].conds, sorted[i].conds, width); common%2 == 1 {
			return newOrderer(sorted, width).run()
		}
	}
	return sorted // no two rules tie: the order does not depend on the profile's
}

// An orderer builds the list where rules tie. Comparing a rule with every one
// before it would take quadratic time; instead it works on the tree of common
// beginnings, with a node for each field of each rank. All rules below a node of an
// even field come before those below its next sibling, whenever they are inserted.
// So the rule before which a new one goes is the first in the list of those below
// the nearest such sibling, on the way from the new rule's leaf to the root.
type orderer struct {
	sorted []candidate
	nodes  []orderNode
	leaves []int32 // node of each rule
	seq    []int32 // rules in profile order
}

type orderNode struct {
	parent     int32
	next, prev int32 // siblings that have rules
	rules      int32 // how many are below
	first      int32 // the one of them that comes first in the list
	ranks      bool  // siblings are ordered, not tied
}

const none = -1

func newOrderer(sorted []candidate, width uint64) *orderer {
	o := &orderer{
		sorted: sorted,
		nodes:  make([]orderNode, 1, fields*len(sorted)),
		leaves: make([]int32, len(sorted)),
		seq:    make([]int32, len(sorted)),
	}
	o.nodes[0] = orderNode{parent: none, next: none, prev: none, first: none}
	var path []int32 // nodes from the root to the last leaf
	for i := range sorted {
		prev := int32(none)
		common := 0
		if i > 0 {
			_, common = compareConds(sorted[i-1].conds, sorted[i].conds, width)
			if common+1 < len(path) {
				prev = path[common+1]
			}
			path = path[:common+1]
		} else {
			path = append(path, 0)
		}
		for field := common; field < fields*len(sorted[i].conds); field++ {
			o.nodes = append(o.nodes, orderNode{
				parent: path[field], next: none, prev: prev, first: none, ranks: field%2 == 0,
			})
			n := int32(len(o.nodes) - 1)
			if prev != none {
				o.nodes[prev].next = n
			}
			path, prev = append(path, n), none
		}
		o.leaves[i], o.seq[i] = path[len(path)-1], int32(i)
		for _, n := range path {
			o.nodes[n].rules++
		}
	}
	slices.SortFunc(o.seq, func(a, b int32) int { return cmp.Compare(sorted[a].seq, sorted[b].seq) })
	return o
}

// run returns the rules in the order of the list.
func (o *orderer) run() []candidate {
	// Taking the rules out again, last one first, shows for each what was in the
	// tree when it came: the node below which it finds the rule to go before.
	goal := make([]int32, len(o.sorted))
	for _, rule := range slices.Backward(o.seq) {
		goal[rule] = o.goal(o.leaves[rule])
		o.remove(o.leaves[rule])
	}
	// The list is a ring; its last element stands for both ends.
	end := int32(len(o.sorted))
	next, prev := make([]int32, end+1), make([]int32, end+1)
	next[end], prev[end] = end, end
	for _, rule := range o.seq {
		before := end
		if goal[rule] != none {
			before = o.nodes[goal[rule]].first
		}
		next[rule], prev[rule] = before, prev[before]
		next[prev[rule]], prev[before] = rule, rule
		// The rule now precedes all others below a node if it went directly before
		// the first of them, and only then.
		for n := o.leaves[rule]; n != none; n = o.nodes[n].parent {
			if f := &o.nodes[n].first; *f == none || *f == before {
				*f = rule
			}
		}
	}
	list := make([]candidate, 0, end)
	for rule := next[end]; rule != end; rule = next[rule] {
		list = append(list, o.sorted[rule])
	}
	return list
}

// goal returns the node whose rules rank next after a rule, none if no rule does.
func (o *orderer) goal(leaf int32) int32 {
	if o.nodes[leaf].rules > 1 {
		return leaf // longer lists with the same beginning
	}
	for n := leaf; n != none; n = o.nodes[n].parent {
		if o.nodes[n].ranks && o.nodes[n].next != none {
			return o.nodes[n].next
		}
	}
	return none
}

// remove takes a rule out of the tree.
func (o *orderer) remove(leaf int32) {
	for n := leaf; n != none; n = o.nodes[n].parent {
		node := &o.nodes[n]
		node.rules--
		if node.rules > 0 || n == 0 {
			continue
		}
		if node.prev != none {
			o.nodes[node.prev].next = node.next
		}
		if node.next != none {
			o.nodes[node.next].prev = node.prev
		}
	}
}
