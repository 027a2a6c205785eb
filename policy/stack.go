package policy

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// resolveStack resolves a policy and the older ones under it into one that means the same
// as the filters of all.
func resolveStack(p *Policy, o Options) (*Resolved, []Warning, error) {
	members := append(slices.Clone(p.Older), p)
	var listed []arch.ABI
	everywhere := false // some policy is for all ABIs
	for _, m := range members {
		if m != nil {
			listed = append(listed, m.ABIs...)
			everywhere = everywhere || len(m.ABIs) == 0
		}
	}
	stricter := func(older, newer cbpf.Action) bool { return older.Compare(newer) < 0 }
	s := stack{targets: o.ABIs, product: newProduct(stricter)}
	if len(s.targets) == 0 {
		s.targets = listed
	}
	r := resolver{policy: &Policy{}, options: Options{ABIs: s.targets}}
	s.targets = r.targets()
	warnings, err := r.report(setOf(s.targets), "")
	if err != nil {
		return nil, warnings, err
	}
	if other := setOf(s.targets) &^ setOf(listed); other != 0 && !everywhere {
		return nil, warnings, Errors{{Kind: Invalid, Reason: "target " + other.String() + ": the policy is for " + setOf(listed).String() +
			" alone (leave the others out, or read it for them and make another filter)"}}
	}
	var problems Errors
	for i, m := range members {
		resolved, more, err := s.member(m, i == len(p.Older), o)
		warnings = append(warnings, more...)
		if errs, ok := err.(Errors); ok {
			problems = append(problems, errs...)
		}
		s.members = append([]*Resolved{resolved}, s.members...)
	}
	if problems != nil {
		return nil, warnings, problems
	}
	s.left, s.bad = setOf(listed)&^setOf(s.targets), o.BadArch
	all := s.together()
	if s.tooMany {
		return nil, warnings, Errors{{Kind: Invalid, Reason: "the policies of the stack tell too many cases of one call apart together: no filter holds them (use fewer conditions on it)"}}
	}
	return all, warnings, nil
}

// A stack is policies whose filters hold at once.
type stack struct {
	targets []arch.ABI
	left    abiSet      // those that policies decide about and that are no targets
	bad     cbpf.Action // of calls through ABIs that are no targets; zero leaves it to the members
	product             // of the policies, the newest first
}

// member resolves one policy of the stack. One that is for none of the targets has no
// space.
func (s *stack) member(m *Policy, newest bool, o Options) (*Resolved, []Warning, error) {
	switch {
	case m == nil:
		return nil, nil, Errors{{Kind: Invalid, Reason: "a policy of the stack is missing (leave it out)"}}
	case len(m.Older) > 0 && !newest:
		return nil, nil, Errors{{Kind: Invalid, Reason: "a policy of the stack has older ones itself (make one list of all)"}}
	}
	one := *m
	one.Older = nil
	o.BadArch = 0
	if o.ABIs = s.targets; len(m.ABIs) > 0 {
		o.ABIs = slices.DeleteFunc(slices.Clone(s.targets), func(a arch.ABI) bool { return !slices.Contains(m.ABIs, a) })
	}
	if len(o.ABIs) > 0 {
		return resolveOne(&one, o)
	}
	if f := actionFault(m.Elsewhere); f != "" {
		return nil, nil, Errors{{Kind: Invalid, Reason: f}}
	}
	return &Resolved{Default: m.Elsewhere, BadArch: m.Elsewhere}, nil, nil
}

// together returns what the members mean together.
func (s *stack) together() *Resolved {
	all := &Resolved{Default: s.decided(func(m *Resolved) cbpf.Action { return m.Default })}
	all.BadArch = s.decided(func(m *Resolved) cbpf.Action { return m.BadArch })
	if s.left != 0 { // what some policy says about them does not count
		all.BadArch = cbpf.KillThread
	}
	all.BadArch = cmp.Or(s.bad, all.BadArch)
	for abis := range byAudit(s.targets) {
		var shut []Range // numbers of an ABI that is left out
		if slices.ContainsFunc(foreignTo(abis), s.left.has) {
			for _, v := range foreign(abis, Runc) {
				shut = append(shut, Range{v.First, v.Last, cmp.Or(s.bad, cbpf.KillThread), ByBadArch})
			}
		}
		all.Spaces = append(all.Spaces, s.space(abis, all.Default, shut))
	}
	return all
}

// foreignTo returns the ABIs that share their AUDIT_ARCH value with some others.
func foreignTo(abis []arch.ABI) (others []arch.ABI) {
	for _, a := range abis[0].Family() {
		if a.Audit() == abis[0].Audit() && !slices.Contains(abis, a) {
			others = append(others, a)
		}
	}
	return others
}
