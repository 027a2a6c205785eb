package policy

import (
	"cmp"
	"slices"
)

// An Order says which of the rules that match a call decides it.
type Order uint8

const (
	// Libseccomp is the order in which filters of libseccomp try the rules of one call,
	// and so the meaning of OCI profiles: one without conditions decides alone; others
	// come by their conditions and only then as the policy has them. A rule that tests an
	// argument twice stands for one rule for each test. Rules with the same conditions
	// and different actions contradict each other, and those that do what the default
	// does are dropped.
	Libseccomp Order = iota
	// FirstMatch tries rules as the policy has them, and the first of which all
	// conditions hold decides, as in minijail's policies. A name stands for its own number
	// alone, not for those of multiplexers; no number gets ERRNO(ENOSYS) unless
	// [Options] name a kernel; and x32's numbers get the default action where x32 is not a
	// target.
	FirstMatch
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
	case Equal, NotEqual, MaskedEqual, MaskedNotEqual:
		r.group |= ^c.Value >> 32
		r.datum = ^c.Value
		r.form |= c.Mask & 0xffffffff
		if c.Op.masked() && width > 0xffffffff {
			r.kind = c.Mask>>32 + 1
		}
	}
	return r
}

// The fields of a rank, and how many there are.
const (
	groupField = iota
	kindField
	datumField
	formField
	fields
)

// compare orders ranks, and returns how many fields are the same before the first that is not.
func (r *rank) compare(s *rank) (order, common int) {
	switch {
	case r.group != s.group:
		return cmp.Compare(r.group, s.group), groupField
	case r.kind != s.kind:
		return cmp.Compare(r.kind, s.kind), kindField
	case r.datum != s.datum:
		return cmp.Compare(r.datum, s.datum), datumField
	case r.form != s.form:
		return cmp.Compare(r.form, s.form), formField
	}
	return 0, fields
}

// compareCond compares the ranks of two conditions.
func compareCond(a, b *Cond, width uint64) (order, common int) {
	if a.Arg != b.Arg || a.Op != b.Op || a.Mask != b.Mask {
		x, y := rankOf(a, width), rankOf(b, width)
		return x.compare(&y)
	}
	switch a.Op { // only the data differ, as is usual
	case Less, LessEqual:
		return cmp.Compare(a.Value, b.Value), datumField
	case GreaterEqual, Greater:
		return cmp.Compare(b.Value, a.Value), datumField
	}
	if a.Value>>32 != b.Value>>32 {
		return cmp.Compare(b.Value, a.Value), groupField
	}
	return cmp.Compare(b.Value, a.Value), datumField
}

// compareConds orders condition lists so that lists with a common beginning are
// neighbours and every list comes after those that rank before it; 0 means that
// they are the same. common is how many fields of their ranks are the same before
// the first that is not, 4 for each equal condition. If it is odd, the lists tie.
func compareConds(a, b []Cond, width uint64) (order, common int) {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		if order, same := compareCond(&a[i], &b[i], width); order != 0 {
			return order, i*fields + same
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

// maxComparisons bounds the work on rules that tie, in all lists of a profile: that for
// 5800 rules on one number. No filter of 4096 instructions tells this many apart.
const maxComparisons = 1 << 24

// inOrder puts conditional rules, sorted by sortCandidates and each with other
// conditions, into the order in which they are tried: that of a list into which
// each rule is inserted, in profile order, before the first one there that ranks
// after it. It returns none if that would take too many comparisons.
func (r *resolver) inOrder(rules []candidate, width uint64) []candidate {
	if !tied(rules, width) {
		return rules // the order does not depend on the profile's
	}
	n := uint64(len(rules))
	if r.compared += n * (n - 1) / 2; r.compared > maxComparisons {
		r.tooMany(rules[0].rule, rules[0].name, maxComparisons, "pairs of rules that only profile order ranks")
		return nil
	}
	slices.SortFunc(rules, func(a, b candidate) int { return cmp.Compare(a.seq, b.seq) })
	for i, c := range rules {
		before := slices.IndexFunc(rules[:i], func(other candidate) bool {
			order, common := compareConds(c.conds, other.conds, width)
			return order < 0 && common%2 == 0
		})
		if before >= 0 {
			copy(rules[before+1:i+1], rules[before:i])
			rules[before] = c
		}
	}
	return rules
}

// tied reports whether any two of sorted rules tie. Then two neighbours do.
func tied(sorted []candidate, width uint64) bool {
	for i := 1; i < len(sorted); i++ {
		if _, common := compareConds(sorted[i-1].conds, sorted[i].conds, width); common%2 == 1 {
			return true
		}
	}
	return false
}
