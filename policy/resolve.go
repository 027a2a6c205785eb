package policy

import (
	"cmp"
	"encoding/binary"
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
	// BadArch decides calls through an ABI that is not a target; the zero value leaves
	// them to the policy's Elsewhere.
	BadArch cbpf.Action
	// StrictestWins lets the strictest of all rules that match a call decide, by
	// the kernel's own precedence between filters, instead of the policy's order. Rules
	// with the same conditions then never contradict each other, and rules that do
	// what the default does count.
	StrictestWins bool
	// Exact makes it an error if a rule does not hold on an ABI that it is for: because
	// the ABI, or every ABI, lacks a call of that name, or because the number is
	// another ABI's. Without it, what a rule names need not exist everywhere.
	Exact bool
}

// Resolve turns names into numbers for the target ABIs. All errors are
// reported together, as [Errors], along with the warnings. Of each kind they
// are the first 1000 and one that says how many more there are (see [Warning.More]):
// what a profile can make Resolve say is bounded. To list all names that no ABI has, look
// up those of the rules with [syscalltables.Lookup].
func Resolve(p *Policy, o Options) (*Resolved, []Warning, error) {
	if p == nil {
		return nil, nil, Errors{{Kind: Invalid, Reason: "no policy to resolve (a reader returns one unless it returns an error)"}}
	}
	if len(p.Older) > 0 || len(p.ABIs) > 0 && (p.NoBound || p.Order == FirstMatch) {
		return resolveStack(p, o)
	}
	return resolveOne(p, o)
}

// resolveOne resolves a policy without older ones for the ABIs of the options.
func resolveOne(p *Policy, o Options) (*Resolved, []Warning, error) {
	r := resolver{policy: p, options: o}
	r.readProfile()
	targets := r.targets()
	r.readRules(targets)
	resolved := &Resolved{Default: r.fallback, BadArch: r.elsewhere()}
	for abis := range byAudit(targets) {
		resolved.Spaces = append(resolved.Spaces, r.space(abis))
	}
	r.placeInText()
	warnings, err := r.report(setOf(targets), p.Pointer+"/syscalls")
	if err != nil {
		return nil, warnings, err
	}
	return resolved, warnings, nil
}

// elsewhere returns the action of calls through other ABIs.
func (r *resolver) elsewhere() cbpf.Action { return cmp.Or(r.options.BadArch, r.policy.Elsewhere) }

// placeInText gives findings about rules the places of these where that is not a JSON
// pointer, which alone has parts.
func (r *resolver) placeInText() {
	for i := range r.findings.list {
		at := &r.findings.list[i].at
		if at.rule == none {
			continue
		}
		if p := r.policy.Rules[at.rule].Pointer; p != "" && p[0] != '/' {
			at.pointer = p
		}
	}
}

// A resolver is one run of Resolve.
type resolver struct {
	policy  *Policy
	options Options
	findings

	fallback cbpf.Action // default action with its data
	rules    []rule      // as in the policy
	names    []named     // of all valid rules, each once in a rule, and numbers

	limited bool                 // some rule is not for all ABIs
	last    []int32              // of each call, the index of the last name, plus 1
	called  []syscalltables.Call // those that rules name, as they first do

	foreign Intervals // numbers of other ABIs than those of the space at work
	on      naming    // the ABI at work

	mentions   []mention        // of the number at work
	lists      map[string]*list // by the rules and the width of arguments
	key        []byte           // into lists
	candidates []candidate      // of the list at work
	muxConds   []Cond           // of the rules on multiplexers, one after the other
	expanded   int              // candidates of all lists
	compared   uint64           // pairs of candidates of lists in which some tie
	exhausted  bool             // they are too many
}

// A candidate is a rule that may decide a number of some ABI.
type candidate struct {
	conds      []Cond
	rule, name int32
	seq        int32 // place in profile order
	hides      bool  // the number is of a multiplexer, which hides the rule's conditions
}

// targets returns the target ABIs in an order that does not depend on how they
// were listed.
func (r *resolver) targets() []arch.ABI {
	for i, a := range r.policy.ABIs {
		if !a.Valid() {
			r.fail(Invalid, none, sub(r.policy.Pointer+"/architectures", i), a.String()+": unknown ABI (use one that package arch declares)")
		}
	}
	for _, a := range r.options.ABIs {
		if !a.Valid() {
			r.fail(Invalid, none, "", "target "+a.String()+": unknown ABI (use one that package arch declares)")
		}
	}
	list, pointer := slices.Clone(r.options.ABIs), ""
	if len(list) == 0 {
		list, pointer = append(slices.Clone(r.policy.ABIs), arch.Native()), cmp.Or(r.policy.ArchMap, r.policy.Pointer+"/architectures")
	}
	list = slices.DeleteFunc(list, func(a arch.ABI) bool { return !a.Valid() })
	if len(list) == 0 {
		r.fail(Invalid, none, pointer, "no target ABI (name the ABIs to compile for)")
	}
	list = inPlace(list)
	var little, big []arch.ABI
	for _, a := range list {
		if a.ByteOrder() == binary.BigEndian {
			big = append(big, a)
		} else {
			little = append(little, a)
		}
	}
	if little != nil && big != nil {
		r.fail(MixedByteOrder, none, pointer, "mixed byte order: "+setOf(little).String()+" little-endian, "+setOf(big).String()+
			" big-endian: a filter has one (compile one for each side, naming its ABIs)")
	}
	return list
}

// inPlace sorts ABIs, each once: families as the ABIs are declared, in each the main ABI
// first.
func inPlace(list []arch.ABI) []arch.ABI {
	place := func(a arch.ABI) int {
		if a == a.Main() {
			return int(a) << 8
		}
		return int(a.Main())<<8 + int(a)
	}
	slices.SortFunc(list, func(a, b arch.ABI) int { return cmp.Compare(place(a), place(b)) })
	return slices.Compact(list)
}

// space returns the number space of ABIs with one AUDIT_ARCH value.
func (r *resolver) space(abis []arch.ABI) Space {
	s := Space{Audit: abis[0].Audit(), ABIs: abis}
	r.foreign = nil
	elsewhere := r.elsewhere()
	if x := r.policy.X32; x != nil && len(abis) == 1 && abis[0] == arch.X86_64 {
		r.foreign = []Interval{{arch.X32Bit, 1<<32 - 1}}
		elsewhere = cmp.Or(r.options.BadArch, *x)
	} else if r.policy.Order == Libseccomp {
		r.foreign = foreign(abis, r.options.Mode)
	}
	r.on.numbers = r.on.numbers[:0]
	var newer []Interval
	for _, a := range abis { // in the order of their numbers, too: x86_64, x32
		r.find(&s, a)
		if s.Calls == nil {
			s.Calls = make([]Call, 0, (len(r.on.calls)+2)*len(abis)) // and two multiplexers
		}
		before := len(s.Calls)
		s.Calls = r.calls(s.Calls, a)
		r.checkDropped(a, s.Calls[before:])
		if r.fallback.Permits(cbpf.WithTracer) { // runc leaves new calls to the tracer, too
			r.checkOpen(a)
			continue
		}
		if (r.policy.NoBound || r.policy.Order == FirstMatch) && r.options.ENOSYS == (ENOSYS{}) {
			continue
		}
		unknown, bounded := r.options.ENOSYS.unknown(a, &r.on.used)
		if !bounded {
			r.found(findingKey{string(NoBound), none, none, none, false}, a, func() (place, string) {
				named := "no call"
				if r.on.used.some { // runc takes 0 for no number, and negative ones for unknown calls
					named = "no number above 0"
				}
				return place{none, none, r.policy.Pointer + "/syscalls"}, "the profile names " + named + " on this ABI, " +
					"so newer calls get the default action, not ENOSYS"
			})
		}
		newer = append(newer, unknown...)
	}
	newer = merged(newer)
	if len(r.on.numbers) > 0 { // of which the bound does not count all, and x86_64's skip comes after x32's calls
		slices.Sort(r.on.numbers)
		newer = without(newer, r.on.numbers)
		slices.SortFunc(s.Calls, func(x, y Call) int { return cmp.Compare(x.NR, y.NR) })
	}
	enosys, _ := abis[0].Errno("ENOSYS")
	for _, v := range newer {
		s.Ranges = append(s.Ranges, Range{v.First, v.Last, cbpf.Errno(enosys), ByENOSYS})
	}
	for _, v := range outside(r.foreign, newer) {
		s.Ranges = append(s.Ranges, Range{v.First, v.Last, elsewhere, ByBadArch})
	}
	slices.SortFunc(s.Ranges, func(x, y Range) int { return cmp.Compare(x.First, y.First) })
	return s
}

// ranked reports whether rules are tried in libseccomp's order.
func (r *resolver) ranked() bool { return r.policy.Order == Libseccomp && !r.options.StrictestWins }

// settle returns the clauses that decide a number, in the order in which they are
// tried, from all mentions of it in profile order.
func (r *resolver) settle(a arch.ABI, all []mention) []Clause {
	if r.options.StrictestWins {
		slices.SortStableFunc(all, func(x, y mention) int { return r.rule(x).action.Compare(r.rule(y).action) })
	}
	always := slices.IndexFunc(all, func(m mention) bool {
		return m.selector == 0 && r.rule(m).alternatives(a.Bits()).always
	})
	switch {
	case always < 0:
	case !r.ranked():
		r.checkBeaten(a, all[always+1:], all[always])
		all = all[:always+1]
	default:
		r.checkBeaten(a, all[:always], all[always])
		r.checkBeaten(a, all[always+1:], all[always])
		all = all[always : always+1]
	}
	if always >= 0 && len(all) == 1 {
		return r.rule(all[0]).clause
	}
	return r.list(a, all)
}

// rule returns the rule of a mention.
func (r *resolver) rule(m mention) *rule { return &r.rules[r.names[m.named].rule] }

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

// shadowed reports whether the conditions of some rule are the first ones of c's.
func shadowed(c *candidate, rules []candidate) bool {
	return slices.ContainsFunc(rules, func(x candidate) bool {
		return len(x.conds) < len(c.conds) && slices.Equal(x.conds, c.conds[:len(x.conds)])
	})
}

// widthOf returns the mask of an argument of the ABI.
func widthOf(a arch.ABI) uint64 { return ^uint64(0) >> (64 - a.Bits()) }
