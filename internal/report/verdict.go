package report

import (
	"slices"
	"sort"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// A kind is the effect of a verdict on a call, as far as the page distinguishes it. It
// is also a class in the style sheet.
type kind string

const (
	allowed  kind = "allow"
	logged   kind = "log"
	asked    kind = "ask"  // the listener or a tracer decides
	args     kind = "args" // the arguments decide
	failed   kind = "errno"
	unknown  kind = "enosys" // fails as if the kernel did not have the call
	killed   kind = "kill"   // or gets a signal
	noTarget kind = "none"   // the profile is not for the ABI
)

// kinds returns all kinds in the order of listings, the most permissive first.
func kinds() []kind {
	return []kind{allowed, logged, asked, args, failed, unknown, killed}
}

// Title names the kind as the calls that are treated so.
func (k kind) Title() string {
	switch k {
	case allowed:
		return "Allowed"
	case logged:
		return "Allowed and logged"
	case asked:
		return "Sent to a listener or tracer"
	case args:
		return "By arguments"
	case failed:
		return "Refused"
	case unknown:
		return "ENOSYS"
	case killed:
		return "Killed"
	case noTarget:
		return "Other ABI"
	}
	return ""
}

// kindOf returns the kind of an action.
func kindOf(a arch.ABI, action cbpf.Action) kind {
	switch action.Effective().Class() {
	case cbpf.Allow:
		return allowed
	case cbpf.Log:
		return logged
	case cbpf.Notify, cbpf.TraceClass:
		return asked
	case cbpf.ErrnoClass:
		if a.ErrnoName(action.Effective().Data()) == "ENOSYS" {
			return unknown
		}
		return failed
	}
	return killed
}

// A chip is an action as the page shows it.
type chip struct {
	Kind kind
	Text string
}

func chipOf(a arch.ABI, action cbpf.Action) chip {
	return chip{kindOf(a, action), symbols.Action(a, action)}
}

// predicate says what an action does to a call, as the end of a sentence.
func predicate(a arch.ABI, action cbpf.Action) string {
	switch action.Effective().Class() {
	case cbpf.Allow:
		return "is allowed"
	case cbpf.Log:
		return "is allowed and logged"
	case cbpf.Notify:
		return "is decided by the listener"
	case cbpf.TraceClass:
		return "is decided by a tracer"
	case cbpf.ErrnoClass:
		return "fails with " + symbols.Action(a, action)
	case cbpf.Trap:
		return "gets signal SIGSYS"
	case cbpf.KillThread:
		return "kills the thread"
	}
	return "kills the process"
}

// A verdict is what a profile does with a call.
type verdict struct {
	chip
	Pointer string   // of the rule
	Why     string   // if there is no rule
	Rules   []ruling // if arguments decide
}

// A ruling is a rule of a call whose arguments decide.
type ruling struct {
	chip
	When    string // "otherwise" if nothing else held
	Pointer string // of the rule; "" for what the default action decides
}

// A subject is a profile and what the page needs to know about it.
type subject struct {
	Profile
	short  string // the name without directories, as far as that tells profiles apart
	Letter string // "A" or "B" where there are two
	abis   []arch.ABI
	spaces []proof.Space // nil if that takes more than the limits
	limit  error
}

// newSubject explains a profile as far as the limits allow; a filter beyond them is an error,
// since nothing else is known of it.
func newSubject(p Profile, l proof.Limits) (*subject, error) {
	s := &subject{Profile: p}
	s.spaces, s.limit = proof.Explain(p.meaning(), l)
	if p.Filter == nil {
		s.abis = p.Resolved.ABIs()
		return s, nil
	}
	s.Report, s.abis = new(lint.Report), p.filterABIs()
	return s, s.limit
}

// main is the ABI whose names errors have where several ABIs are meant.
func (s *subject) main() arch.ABI { return s.abis[0] }

// tree returns how a call is decided by its arguments, nil if that is not known.
func (s *subject) tree(audit, nr uint32) *proof.Tree {
	for i := range s.spaces {
		space := &s.spaces[i]
		if space.Audits.Has(audit) {
			k := sort.Search(len(space.Runs), func(k int) bool { return space.Runs[k].Last >= nr })
			return space.Runs[k].Tree
		}
	}
	return nil
}

// verdict returns what a profile does with a call.
func (s *subject) verdict(abi arch.ABI, nr uint32) verdict {
	if s.Filter != nil {
		return s.explained(abi, nr)
	}
	if !slices.Contains(s.abis, abi) {
		return verdict{chip: chip{noTarget, symbols.Action(abi, s.Resolved.BadArch)}, Why: "not an ABI of the profile"}
	}
	decided := s.Resolved.Decide(&cbpf.Data{NR: nr, Arch: abi.Audit()})
	v := verdict{chip: chipOf(abi, decided.Action), Pointer: decided.Pointer}
	switch decided.Reason {
	case policy.ByENOSYS:
		v.Why = "newer than the profile"
		return v
	case policy.ByBadArch:
		v.Why = "not an ABI of the profile"
		return v
	case policy.ByDefault:
		v.Why = "default"
	case policy.ByRule:
	}
	clauses := s.Resolved.Clauses(abi.Audit(), nr)
	if len(clauses) == 0 || len(clauses[0].Conds) == 0 {
		return v
	}
	if t := s.tree(abi.Audit(), nr); t != nil && len(t.Arms) == 0 {
		return verdict{chip: chipOf(abi, t.Action), Why: "all its rules combined"}
	}
	v = verdict{chip: chip{args, "by arguments"}}
	for i := range clauses {
		c := &clauses[i]
		r := ruling{chipOf(abi, c.Action), "otherwise", c.Pointer}
		if len(c.Conds) > 0 {
			_, r.When, _ = strings.Cut(strings.TrimSuffix(symbols.Conds(abi, nr, c.Conds), ")"), "(") // the row names the call
		}
		v.Rules = append(v.Rules, r)
	}
	if last := clauses[len(clauses)-1]; len(last.Conds) > 0 {
		v.Rules = append(v.Rules, ruling{chipOf(abi, s.Resolved.Default), "otherwise", ""})
	}
	return v
}
