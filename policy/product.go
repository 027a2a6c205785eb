package policy

import (
	"encoding/binary"
	"errors"
	"iter"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// maxTogether bounds the clauses that policies have together for one list of rules of each.
// No filter of 4096 instructions tells this many apart.
const maxTogether = 1 << 14

// maxPairs bounds the work: the pairs of clauses of all lists of two policies.
const maxPairs = 1 << 22

// Product returns the policy that gives each call the action of one of some policies: that
// of the first, unless that of a later one wins against the one chosen before. Nothing may
// win against itself. The policy is for all ABIs that some member is for: a member gives its
// BadArch to those that it is not for, and so does the product to those of no member. A
// clause has the pointer of the member's whose action it has.
//
// The error is that of a member that is not valid; or the members have different byte
// orders, or tell more cases apart together than any filter does.
func Product(wins func(later, earlier cbpf.Action) bool, members ...*Resolved) (*Resolved, error) {
	p := newProduct(wins)
	p.members = members
	var abis []arch.ABI
	for _, m := range members {
		if err := m.Validate(); err != nil {
			return nil, err
		}
		if m.Order() != members[0].Order() {
			return nil, errors.New("policy: mixed byte order: a filter has one (combine policies of one byte order)")
		}
		abis = append(abis, m.ABIs()...)
	}
	if len(members) == 0 {
		return nil, errors.New("policy: no policies (give one at least)")
	}
	all := &Resolved{Default: p.decided(func(m *Resolved) cbpf.Action { return m.Default })}
	all.BadArch = p.decided(func(m *Resolved) cbpf.Action { return m.BadArch })
	for abis := range byAudit(inPlace(abis)) {
		all.Spaces = append(all.Spaces, p.space(abis, all.Default, nil))
	}
	if p.tooMany {
		return nil, errors.New("policy: the policies tell too many cases of a call apart together: no filter holds them (use fewer conditions on it)")
	}
	return all, nil
}

// A product is policies of which one decides each call.
type product struct {
	wins    func(later, earlier cbpf.Action) bool
	members []*Resolved
	lists   map[*Clause]uint32  // numbers of the members' lists of clauses, by the first one
	known   map[string][]Clause // what lists mean together, by their numbers and those of actions
	key     []byte              // into known
	clauses int                 // in known
	pairs   int                 // of clauses looked at
	tooMany bool
}

func newProduct(wins func(later, earlier cbpf.Action) bool) product {
	return product{wins: wins, lists: make(map[*Clause]uint32), known: make(map[string][]Clause)}
}

// decided returns the action that decides among those of the members.
func (p *product) decided(action func(*Resolved) cbpf.Action) (a cbpf.Action) {
	for i, m := range p.members {
		if b := action(m); i == 0 || p.wins(b, a) {
			a = b
		}
	}
	return a
}

// byAudit yields the runs of ABIs that share an AUDIT_ARCH value.
func byAudit(abis []arch.ABI) iter.Seq[[]arch.ABI] {
	return func(yield func([]arch.ABI) bool) {
		for len(abis) > 0 {
			n := 1
			for n < len(abis) && abis[n].Audit() == abis[0].Audit() {
				n++
			}
			if !yield(abis[:n:n]) {
				return
			}
			abis = abis[n:]
		}
	}
}

// space returns the number space of ABIs with one AUDIT_ARCH value. standard is the default
// action of all members together, and what the ranges of shut say counts more than they do.
func (p *product) space(abis []arch.ABI, standard cbpf.Action, shut []Range) Space {
	out := Space{Audit: abis[0].Audit(), ABIs: abis}
	spaces := make([]*Space, len(p.members))
	cuts := []uint32{0}
	for _, x := range shut {
		cuts = append(cuts, x.First, x.Last+1)
	}
	for i, m := range p.members {
		if spaces[i] = m.space(out.Audit); spaces[i] == nil {
			continue
		}
		for _, c := range spaces[i].Calls {
			cuts = append(cuts, c.NR, c.NR+1) // 0 behind the largest number: a cut anyway
		}
		for _, x := range spaces[i].Ranges {
			cuts = append(cuts, x.First, x.Last+1)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	for i, first := range cuts {
		last := uint32(1<<32 - 1)
		if i+1 < len(cuts) {
			last = cuts[i+1] - 1
		}
		if x := (&Space{Ranges: shut}).in(first); x != nil {
			out.addRange(Range{first, last, x.Action, x.Reason})
		} else {
			p.decide(&out, spaces, Interval{first, last}, standard)
		}
	}
	return out
}

// addRange adds the next range, to the one before if that is the same.
func (s *Space) addRange(x Range) {
	if n := len(s.Ranges); n > 0 {
		if before := &s.Ranges[n-1]; before.Last+1 == x.First && before.Action == x.Action && before.Reason == x.Reason {
			before.Last = x.Last
			return
		}
	}
	s.Ranges = append(s.Ranges, x)
}

// decide adds to a space what the members do with numbers that none of them tells apart.
func (p *product) decide(out *Space, spaces []*Space, numbers Interval, standard cbpf.Action) {
	var abi arch.ABI
	var lists [][]Clause
	var reasons []Reason
	for i, m := range p.members {
		list, reason := []Clause{{Action: m.BadArch}}, ByBadArch
		if spaces[i] != nil {
			list, reason = []Clause{{Action: m.Default}}, ByDefault
			if x := spaces[i].in(numbers.First); x != nil {
				list, reason = []Clause{{Action: x.Action}}, x.Reason
			} else if c := spaces[i].call(numbers.First); c != nil {
				list, reason = c.Clauses, ByRule
				if abi == 0 || abi.Bits() < c.ABI.Bits() { // x32's numbers may be x86_64's for a policy
					abi = c.ABI
				}
			}
		}
		lists, reasons = append(lists, list), append(reasons, reason)
	}
	if abi == 0 {
		abi = out.ABIs[0]
	}
	clauses := p.join(lists, widthOf(abi))
	if first := &clauses[0]; len(first.Conds) > 0 || first.Pointer != "" {
		out.Calls = append(out.Calls, Call{NR: numbers.First, ABI: abi, Clauses: clauses})
		return
	}
	x := Range{numbers.First, numbers.Last, clauses[0].Action, ByDefault}
	for i, list := range lists {
		if len(list) == 1 && list[0].Action == x.Action && reasons[i] != ByRule {
			x.Reason = reasons[i]
			break
		}
	}
	if x.Action != standard || x.Reason != ByDefault {
		out.addRange(x)
	}
}

// join returns the clauses that lists of clauses of the members mean together. Calls whose
// lists are the same share them.
func (p *product) join(lists [][]Clause, width uint64) []Clause {
	p.key = p.key[:0]
	for i, list := range lists {
		if len(list) == 1 && len(list[0].Conds) == 0 && list[0].Pointer == "" {
			p.key = binary.LittleEndian.AppendUint32(append(p.key, 0), uint32(list[0].Action))
			continue
		}
		n, ok := p.lists[&list[0]]
		if !ok {
			n = uint32(len(p.lists))
			p.lists[&list[0]] = n
		}
		p.key = binary.LittleEndian.AppendUint32(append(p.key, 1), n)
		if last := list[len(list)-1]; len(last.Conds) > 0 {
			lists[i] = append(slices.Clone(list), Clause{Action: p.members[i].Default})
		}
	}
	if known := p.known[string(p.key)]; known != nil {
		return known
	}
	all := lists[0]
	for _, later := range lists[1:] {
		if len(all) == 1 || !slices.EqualFunc(all, later, sameClause) {
			all = p.both(all, later, width)
		}
	}
	if p.clauses += len(all); p.clauses > maxCandidates {
		p.tooMany = true
	}
	p.known[string(p.key)] = all
	return all
}

// sameClause reports whether two clauses say the same, whatever rules they are from.
func sameClause(x, y Clause) bool { return x.Action == y.Action && slices.Equal(x.Conds, y.Conds) }

// both returns the clauses that an earlier and a later list mean together. The last clause
// of each always holds. Pairs of clauses in the order of the lists are such a list: the first
// pair of which both hold is that of the first of each list that holds. width is the mask
// of an argument.
func (p *product) both(earlier, later []Clause, width uint64) []Clause {
	var out []Clause
	var actions []cbpf.Action // of the later list
	for _, l := range later {
		if !slices.Contains(actions, l.Action) {
			actions = append(actions, l.Action)
		}
	}
	for _, e := range earlier {
		wins := func(a cbpf.Action) bool { return p.wins(a, e.Action) }
		if !slices.ContainsFunc(actions, wins) {
			if e.Pointer == "" && len(later) == 1 && later[0].Action == e.Action {
				e.Pointer = later[0].Pointer // a rule tells more than a default action
			}
			out = append(out, e)
			continue
		}
		p.pairs += len(later)
		for _, l := range later {
			c := e
			if wins(l.Action) {
				c.Action, c.Pointer = l.Action, l.Pointer
			}
			if conds, ok := reduced(slices.Concat(e.Conds, l.Conds), width); ok {
				c.Conds = conds
				out = append(out, c)
			}
		}
		if p.tooMany = p.tooMany || len(out) > maxTogether || p.pairs > maxPairs; p.tooMany {
			return later[len(later)-1:]
		}
	}
	return out
}
