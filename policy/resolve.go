package policy

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/syscalltables"
)

// Options choose what a Policy is resolved for. The zero value means: the
// profile's own ABIs and the native one, as runc does it.
type Options struct {
	// ABIs are the target ABIs, all of one byte order. Their order and repetitions
	// do not matter. Empty means the profile's ABIs and [arch.Native].
	ABIs []arch.ABI
	Mode Mode
	// ENOSYS says which numbers that the profile does not name get
	// ERRNO(ENOSYS) instead of a denying default action.
	ENOSYS ENOSYS
	// BadArch decides calls through an ABI that is not a target; the zero value
	// kills the thread.
	BadArch cbpf.Action
	// StrictestWins lets the strictest of all rules that match a call decide, by
	// the kernel's own precedence between filters, instead of profile order. Rules
	// with the same conditions then never contradict each other, and rules that do
	// what the default does count.
	StrictestWins bool
}

// Resolve turns names into numbers for the target ABIs. All problems are
// reported together, as [Errors]; the warnings found come with them.
func Resolve(p *Policy, o Options) (*Resolved, []Warning, error) {
	r := resolver{policy: p, options: o}
	r.readProfile()
	targets := r.targets()
	r.readRules(targets)
	r.candidates = make([]candidate, 0, len(r.names))
	r.byNumber = make([]uint64, 0, len(r.names))
	resolved := &Resolved{Default: r.fallback, BadArch: o.BadArch}
	for abis := targets; len(abis) > 0; {
		n := 1
		for n < len(abis) && abis[n].Audit() == abis[0].Audit() {
			n++
		}
		resolved.Spaces = append(resolved.Spaces, r.space(abis[:n:n]))
		abis = abis[n:]
	}
	warnings, err := r.report(setOf(targets))
	if err != nil {
		return nil, warnings, err
	}
	return resolved, warnings, nil
}

// A resolver is one run of Resolve.
type resolver struct {
	policy  *Policy
	options Options
	notes

	fallback cbpf.Action // default action with its data
	rules    []rule      // as in the policy
	names    []named     // of all rules that are without problems

	candidates []candidate // of the ABI at work
	dropped    []dropped   // of the ABI at work
	byNumber   []uint64    // number << 32 | index of candidate
	muxConds   []Cond      // of the rules on multiplexers, one after the other
	aloneOf    []Clause    // of each rule, for the calls that it decides alone
}

// A named is a name of a rule.
type named struct {
	rule, name int32 // indices of the rule and of the name in it
	call       syscalltables.Call
	mux        muxed
}

// A candidate is a rule that may decide a number of some ABI.
type candidate struct {
	conds      []Cond
	rule, name int32
	seq        int32 // place in profile order
	// by is the multiplexer that the number is of, if the rule names another
	// call, and hides that the rule has conditions that it hides.
	by    multiplexer
	hides bool
}

// targets returns the target ABIs in an order that does not depend on how they
// were listed: families as the ABIs are declared, in each the main ABI first.
func (r *resolver) targets() []arch.ABI {
	for i, a := range r.policy.ABIs {
		if !a.Valid() {
			r.fail(Invalid, -1, sub(r.policy.Pointer+"/architectures", i), a.String()+": no such ABI (take one that package arch declares)")
		}
	}
	for _, a := range r.options.ABIs {
		if !a.Valid() {
			r.fail(Invalid, -1, "", "target "+a.String()+": no such ABI (take one that package arch declares)")
		}
	}
	list, pointer := slices.Clone(r.options.ABIs), ""
	if len(list) == 0 {
		list, pointer = append(slices.Clone(r.policy.ABIs), arch.Native()), r.policy.Pointer+"/architectures"
	}
	list = slices.DeleteFunc(list, func(a arch.ABI) bool { return !a.Valid() })
	if len(list) == 0 {
		r.fail(Invalid, -1, pointer, "no target ABI (name the ABIs to compile for)")
	}
	place := func(a arch.ABI) int {
		if a == a.Main() {
			return int(a) << 8
		}
		return int(a.Main())<<8 + int(a)
	}
	slices.SortFunc(list, func(a, b arch.ABI) int { return cmp.Compare(place(a), place(b)) })
	list = slices.Compact(list)
	var little, big []arch.ABI
	for _, a := range list {
		if a.BigEndian() {
			big = append(big, a)
		} else {
			little = append(little, a)
		}
	}
	if little != nil && big != nil {
		r.fail(MixedByteOrder, -1, pointer, "mixed byte order: "+setOf(little).String()+" little-endian, "+setOf(big).String()+
			" big-endian: a filter has one (compile one for each side, naming its ABIs)")
	}
	return list
}

// space returns the number space of ABIs with one AUDIT_ARCH value.
func (r *resolver) space(abis []arch.ABI) Space {
	s := Space{Audit: abis[0].Audit(), ABIs: abis, Foreign: foreign(abis, r.options.Mode)}
	enosys, _ := abis[0].Errno("ENOSYS")
	s.ENOSYS = cbpf.Errno(enosys)
	for _, a := range abis { // in the order of their numbers, too: x86_64, x32
		used := r.find(a)
		before := len(s.Calls)
		s.Calls = r.calls(s.Calls, a)
		r.checkDropped(a, s.Calls[before:])
		if permits(r.fallback) {
			r.checkOpen(a)
			continue
		}
		unknown, bounded := r.options.ENOSYS.unknown(a, used)
		if !bounded {
			r.found(finding{NoBound, -1, -1, -1}, a, func() (place, string) {
				return place{-1, -1, r.policy.Pointer + "/syscalls"}, "no call to tell new ones by: numbers that Linux may " +
					"assign later get the default action, not ENOSYS"
			})
		}
		s.Unknown = append(s.Unknown, unknown...)
	}
	s.Unknown = merged(s.Unknown)
	return s
}

// maxCandidates bounds the memory that a short profile can ask for: an entry with
// n names that tests m values of one argument stands for n*m rules. No filter of
// 4096 instructions tells this many apart.
const maxCandidates = 1 << 20

// find collects the candidates of one ABI and returns all numbers that rules
// name there.
func (r *resolver) find(a arch.ABI) (used []uint32) {
	bits := a.Bits()
	r.candidates, r.byNumber, r.dropped = r.candidates[:0], r.byNumber[:0], r.dropped[:0]
	used = make([]uint32, 0, len(r.names))
	for _, n := range r.names {
		nr, direct := n.call.Number(a)
		mux, through := n.mux.by.number(a)
		if direct {
			used = append(used, nr)
		}
		if through {
			used = append(used, mux)
		}
		rule := &r.rules[n.rule]
		if rule.redundant && !r.options.StrictestWins {
			if direct {
				r.dropped = append(r.dropped, dropped{n.rule, n.name, nr})
			}
			continue
		}
		if !direct && !through {
			continue
		}
		if rule.cut && bits == 32 {
			r.checkCuts(a, n.rule)
		}
		if len(r.candidates)+len(rule.alternatives(bits)) > maxCandidates {
			r.found(finding{Invalid, -1, -1, -1}, a, func() (place, string) {
				return place{-1, -1, r.policy.Pointer + "/syscalls"}, "more than " + strconv.Itoa(maxCandidates) + " rules, names times tests: " +
					"no filter holds them (name fewer calls or test fewer values)"
			})
			r.candidates, r.byNumber = nil, nil
			return used
		}
		for _, conds := range rule.alternatives(bits) {
			if direct {
				r.add(nr, candidate{conds: conds, rule: n.rule, name: n.name})
			}
			if through {
				start := len(r.muxConds)
				r.muxConds = n.mux.appendConds(r.muxConds, conds, widthOf(a))
				own := r.muxConds[start:len(r.muxConds):len(r.muxConds)]
				r.add(mux, candidate{conds: own, rule: n.rule, name: n.name, by: n.mux.by, hides: len(conds) > 0})
			}
		}
	}
	slices.Sort(r.byNumber)
	return used
}

func (r *resolver) add(nr uint32, c candidate) {
	c.seq = int32(len(r.candidates))
	r.byNumber = append(r.byNumber, uint64(nr)<<32|uint64(c.seq))
	r.candidates = append(r.candidates, c)
}

// calls appends the calls of one ABI that its candidates decide.
func (r *resolver) calls(calls []Call, a arch.ABI) []Call {
	calls = slices.Grow(calls, len(r.byNumber))
	var clauses []Clause
	var list []candidate
	for keys := r.byNumber; len(keys) > 0; {
		nr := uint32(keys[0] >> 32)
		if c := &r.candidates[uint32(keys[0])]; len(c.conds) == 0 && (len(keys) == 1 || uint32(keys[1]>>32) != nr) {
			calls = append(calls, Call{NR: nr, ABI: a, Clauses: r.alone(c.rule)})
			keys = keys[1:]
			continue
		}
		list = list[:0]
		for len(keys) > 0 && uint32(keys[0]>>32) == nr {
			list = append(list, r.candidates[uint32(keys[0])])
			keys = keys[1:]
		}
		start := len(clauses)
		for _, c := range r.settle(a, nr, list) {
			rule := &r.rules[c.rule]
			clauses = append(clauses, Clause{Conds: c.conds, Action: rule.action, Pointer: rule.pointer})
		}
		calls = append(calls, Call{NR: nr, ABI: a, Clauses: clauses[start:len(clauses):len(clauses)]})
	}
	return calls
}

// alone returns the clauses of a call that one unconditional rule decides: the
// same ones for all calls of the rule.
func (r *resolver) alone(rule int32) []Clause {
	if r.aloneOf == nil {
		r.aloneOf = make([]Clause, len(r.rules))
	}
	c := r.aloneOf[rule : rule+1 : rule+1]
	c[0] = Clause{Action: r.rules[rule].action, Pointer: r.rules[rule].pointer}
	return c
}

// settle returns which of the candidates for one number, given in profile order,
// decide it, in the order in which they are tried.
func (r *resolver) settle(a arch.ABI, nr uint32, list []candidate) []candidate {
	strictest := r.options.StrictestWins
	if strictest {
		slices.SortFunc(list, func(x, y candidate) int {
			return cmp.Or(r.rules[x.rule].action.Compare(r.rules[y.rule].action), cmp.Compare(x.seq, y.seq))
		})
	}
	always := slices.IndexFunc(list, func(c candidate) bool { return len(c.conds) == 0 })
	conditional := list
	switch {
	case always >= 0 && strictest:
		r.checkBeaten(a, list[always+1:], &list[always])
		list, conditional = list[:always+1], list[:always]
	case always >= 0:
		r.checkBeaten(a, list[:always], &list[always])
		r.checkBeaten(a, list[always+1:], &list[always])
		list, conditional = list[always:always+1], nil
	case !strictest && len(list) > 1:
		sortCandidates(list, widthOf(a))
		list = inOrder(r.distinct(a, nr, list), widthOf(a))
		conditional = list
	}
	if len(conditional) > 1 {
		r.checkOverlaps(a, nr, conditional)
	}
	for i := range list {
		if list[i].hides {
			r.checkHidden(a, &list[i])
		}
	}
	return list
}

// distinct leaves one of several rules with the same conditions. They contradict
// each other if their actions differ. Behind a multiplexer a rule without conditions
// has one, the call that is meant; where it decides there is no contradiction, as
// there is none on the call's own number.
func (r *resolver) distinct(a arch.ABI, nr uint32, sorted []candidate) []candidate {
	kept := sorted[:1]
	for _, c := range sorted[1:] {
		last := &kept[len(kept)-1]
		if !slices.Equal(c.conds, last.conds) {
			kept = append(kept, c)
		} else if r.rules[c.rule].action != r.rules[last.rule].action && !(multiplexes(a, nr) && shadowed(&c, kept)) {
			r.contradiction(a, nr, &c, last)
		}
	}
	return kept
}

// multiplexes reports whether a number is that of socketcall or ipc.
func multiplexes(a arch.ABI, nr uint32) bool {
	sockets, ok1 := a.Socketcall()
	ipcs, ok2 := a.IPC()
	return ok1 && nr == sockets || ok2 && nr == ipcs
}

// shadowed reports whether the conditions of some rule are the first ones of c's.
func shadowed(c *candidate, rules []candidate) bool {
	return slices.ContainsFunc(rules, func(x candidate) bool {
		return len(x.conds) < len(c.conds) && slices.Equal(x.conds, c.conds[:len(x.conds)])
	})
}

// widthOf returns the mask of an argument of the ABI.
func widthOf(a arch.ABI) uint64 { return ^uint64(0) >> (64 - a.Bits()) }
