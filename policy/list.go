package policy

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
)

// A list is the clauses that several rules make together, in the order in which they
// are tried, with what is found about them. It holds for all numbers that the same
// rules decide, on all ABIs whose arguments have the same width.
type list struct {
	clauses        []Clause
	contradictions [][2]int32 // a rule, and the one that it contradicts
	overlaps       []overlap
	more           int    // rules among which not all overlaps were found
	reported       abiSet // where all this was reported
}

// An overlap is two rules with different actions, and arguments for which both hold.
type overlap struct {
	first, later candidate
	args         [6]uint64
}

// maxCandidates bounds the memory that a short profile can ask for: an entry that tests
// m values of one argument stands for m rules on each of its names. Names that have all
// their rules in common share these. No filter of 4096 instructions tells this many
// apart.
const maxCandidates = 1 << 20

// list returns the clauses of the rules that mention one number, and reports what is
// found about them.
func (r *resolver) list(a arch.ABI, mentions []mention) []Clause {
	nr := mentions[0].nr
	if multiplexes(a, nr) {
		l := r.newList(a, mentions)
		r.reportList(a, nr, l)
		return l.clauses
	}
	r.key = append(r.key[:0], byte(a.Bits()))
	for _, m := range mentions {
		r.key = binary.LittleEndian.AppendUint32(r.key, uint32(r.names[m.named].rule))
	}
	l := r.lists[string(r.key)]
	if l == nil {
		l = r.newList(a, mentions)
		if r.lists == nil {
			r.lists = make(map[string]*list)
		}
		r.lists[string(r.key)] = l
	}
	r.reportList(a, nr, l)
	return l.clauses
}

func (r *resolver) newList(a arch.ABI, mentions []mention) *list {
	l := &list{}
	candidates := r.expand(a, mentions)
	if len(candidates) > 1 && r.ranked() {
		sortCandidates(candidates, widthOf(a))
		candidates = r.inOrder(r.distinct(l, multiplexes(a, mentions[0].nr), candidates), widthOf(a))
	}
	l.clauses = make([]Clause, len(candidates))
	for i := range candidates {
		c := &candidates[i]
		l.clauses[i] = Clause{Conds: c.conds, Action: r.rules[c.rule].action, Pointer: r.rules[c.rule].pointer}
		if c.hides {
			r.checkHidden(a, mentions[0].nr, c.rule, c.name)
		}
	}
	if n := len(candidates); n > 0 && len(candidates[n-1].conds) == 0 {
		candidates = candidates[:n-1]
	}
	if r.policy.Order != FirstMatch { // which is made for them
		r.findOverlaps(l, candidates, widthOf(a))
	}
	return l
}

// expand returns the candidates that mentions stand for, up to one that always holds:
// none once there are too many in all. They are gone when it is called again.
func (r *resolver) expand(a arch.ABI, mentions []mention) []candidate {
	r.candidates = r.candidates[:0]
	for _, m := range mentions {
		lists := r.rule(m).alternatives(a.Bits()).lists
		n := &r.names[m.named]
		if r.expanded += len(lists); r.expanded > maxCandidates {
			r.tooMany(n.rule, n.name, maxCandidates, "rules, names times tests")
			return nil
		}
		for _, conds := range lists {
			c := candidate{conds: conds, rule: n.rule, name: n.name, seq: int32(len(r.candidates))}
			if m.selector != 0 {
				start := len(r.muxConds)
				r.muxConds = appendMuxed(r.muxConds, conds, m.selector, widthOf(a))
				c.conds, c.hides = r.muxConds[start:len(r.muxConds):len(r.muxConds)], len(conds) > 0
			}
			r.candidates = append(r.candidates, c)
			if len(c.conds) == 0 {
				return r.candidates
			}
		}
	}
	return r.candidates
}

// tooMany reports, once, that the profile stands for too many rules, with the name
// that was one too many.
func (r *resolver) tooMany(rule, name int32, most int, what string) {
	if !r.exhausted {
		call, at := r.name(rule, name)
		r.fail(Invalid, none, at.pointer, call+": more than "+strconv.Itoa(most)+" "+what+": "+
			"no filter holds them (name fewer calls or test fewer values)")
	}
	r.exhausted = true
}

// findOverlaps finds pairs of rules with different actions that hold for the same call.
func (r *resolver) findOverlaps(l *list, candidates []candidate, width uint64) {
	all := r.overlaps(candidates, width, func(first, later *candidate, args [6]uint64) bool {
		same := func(o overlap) bool { return o.first.rule == first.rule && o.later.rule == later.rule }
		if slices.ContainsFunc(l.overlaps, same) {
			return true
		}
		if len(l.overlaps) == maxOverlaps {
			return false
		}
		l.overlaps = append(l.overlaps, overlap{*first, *later, args})
		return true
	})
	if !all {
		l.more = len(candidates)
	}
}

// reportList reports, once on each ABI, what is found about a list.
func (r *resolver) reportList(a arch.ABI, nr uint32, l *list) {
	if l.more > 0 {
		r.checkMore(a, nr, l.more)
	}
	if l.reported&(1<<a) != 0 {
		return
	}
	l.reported |= 1 << a
	for _, pair := range l.contradictions {
		r.contradiction(a, nr, pair[0], pair[1])
	}
	for i := range l.overlaps {
		r.checkOverlap(a, nr, &l.overlaps[i])
	}
}
