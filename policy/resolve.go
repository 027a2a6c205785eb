package policy

import (
	"cmp"
	"slices"

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
// reported together, as [Errors]; the warnings found come with them. Of each kind they
// are the first 1000 and one that says how many more there are (see [Warning.More]):
// what a profile can make Resolve say is bounded. To list all names that no ABI has, look
// up those of the rules with [syscalltables.Lookup].
func Resolve(p *Policy, o Options) (*Resolved, []Warning, error) {
	r := resolver{policy: p, options: o}
	r.readProfile()
	targets := r.targets()
	r.readRules(targets)
	resolved := &Resolved{Default: r.fallback, BadArch: o.BadArch}
	for abis := targets; len(abis) > 0; {
		n := 1
		for n < len(abis) && abis[n].Audit() == abis[0].Audit() {
			n++
		}
		resolved.Spaces = append(resolved.Spaces, r.space(abis[:n:n]))
		abis = abis[n:]
	}
	warnings, err := r.report(setOf(targets), p.Pointer+"/syscalls")
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
	names    []named     // of all rules that are without problems, each once in a rule

	mentions []mention // of the ABI at work
	dropped  []dropped // of the ABI at work
	aloneOf  []Clause  // of each rule, for the calls that it decides alone

	lists      map[string]*list // by the rules and the width of arguments
	key        []byte           // into lists
	candidates []candidate      // of the list at work
	muxConds   []Cond           // of the rules on multiplexers, one after the other
	expanded   int              // candidates of all lists
	exhausted  bool             // they are too many
}

// A named is a name of a rule.
type named struct {
	rule, name int32 // indices of the rule and of the name in it
	call       syscalltables.Call
	mux        muxed
}

// A mention is a name that stands for a number of some ABI: its own or, where by says
// so, that of a multiplexer.
type mention struct {
	nr    uint32
	named int32 // index into the resolver's names
	by    multiplexer
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

// find collects the mentions of one ABI's numbers, by number and in profile order, and
// returns all numbers that rules name there.
func (r *resolver) find(a arch.ABI) (used []uint32) {
	r.mentions, r.dropped = r.mentions[:0], r.dropped[:0]
	used = make([]uint32, 0, len(r.names))
	cut := int32(-1)
	for i, n := range r.names {
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
		if direct {
			r.mentions = append(r.mentions, mention{nr: nr, named: int32(i)})
		}
		if through {
			r.mentions = append(r.mentions, mention{mux, int32(i), n.mux.by})
		}
		if (direct || through) && rule.cut && a.Bits() == 32 && cut != n.rule {
			cut = n.rule
			r.checkCuts(a, cut)
		}
	}
	slices.SortStableFunc(r.mentions, func(x, y mention) int { return cmp.Compare(x.nr, y.nr) })
	return used
}

// calls appends the calls of one ABI that its mentions decide.
func (r *resolver) calls(calls []Call, a arch.ABI) []Call {
	for rest := r.mentions; len(rest) > 0; {
		nr, n := rest[0].nr, 1
		for n < len(rest) && rest[n].nr == nr {
			n++
		}
		calls = append(calls, Call{NR: nr, ABI: a, Clauses: r.settle(a, rest[:n])})
		rest = rest[n:]
	}
	return calls
}

// settle returns the clauses that decide a number, in the order in which they are
// tried, from all mentions of it in profile order.
func (r *resolver) settle(a arch.ABI, all []mention) []Clause {
	strictest := r.options.StrictestWins
	if strictest {
		slices.SortStableFunc(all, func(x, y mention) int { return r.rule(x).action.Compare(r.rule(y).action) })
	}
	always := slices.IndexFunc(all, func(m mention) bool {
		return m.by == noMultiplexer && r.rule(m).alternatives(a.Bits()).always
	})
	switch {
	case always < 0:
	case strictest:
		r.checkBeaten(a, all[always+1:], all[always])
		all = all[:always+1]
	default:
		r.checkBeaten(a, all[:always], all[always])
		r.checkBeaten(a, all[always+1:], all[always])
		all = all[always : always+1]
	}
	if always >= 0 && !strictest || always == 0 && !r.rule(all[0]).alternatives(a.Bits()).tests {
		return r.alone(r.names[all[0].named].rule)
	}
	return r.list(a, all)
}

// rule returns the rule of a mention.
func (r *resolver) rule(m mention) *rule { return &r.rules[r.names[m.named].rule] }

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

// distinct leaves one of several rules with the same conditions. They contradict
// each other if their actions differ. Behind a multiplexer a rule without conditions
// has one, the call that is meant; where it decides there is no contradiction, as
// there is none on the call's own number.
func (r *resolver) distinct(l *list, mux bool, sorted []candidate) []candidate {
	kept := sorted[:1]
	for _, c := range sorted[1:] {
		last := &kept[len(kept)-1]
		if !slices.Equal(c.conds, last.conds) {
			kept = append(kept, c)
		} else if r.rules[c.rule].action != r.rules[last.rule].action && !(mux && shadowed(&c, kept)) {
			l.contradictions = append(l.contradictions, [2]int32{c.rule, last.rule})
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
