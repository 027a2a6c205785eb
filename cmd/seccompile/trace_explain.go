package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/record"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
)

// An explainer explains why calls are denied, by the profile or the filter of an input.
type explainer struct {
	name     string
	resolved *policy.Resolved // nil for a filter
	policy   *policy.Policy
	reading  policy.Options
	filter   *cbpf.Program // nil for a profile
	// with reads the profile for a container that has more capabilities.
	with    func(caps ...string) *policy.Resolved
	capable map[string]*policy.Resolved // what it has read
}

// A explanation says why a call is denied and how to change that.
type explanation struct {
	why       string
	fix       *record.Fix
	unfixed   error // why there is no fix
	pointless bool  // the reason and place of the verdict are unknown
}

// newExplainer returns the explainer of a profile.
func newExplainer(t *intake.Target, in *intake.Input, c *intake.Compiled) *explainer {
	return &explainer{
		name: in.Name, resolved: c.Resolved, policy: c.Policy, reading: c.Options, capable: make(map[string]*policy.Resolved),
		with: func(caps ...string) *policy.Resolved {
			more := *t
			none := func(word string) bool { return strings.EqualFold(word, "none") }
			more.Caps = append(slices.DeleteFunc(slices.Clone(t.Caps), none), caps...)
			c, err := more.Meaning(in)
			if err != nil {
				return nil
			}
			return c.Resolved
		},
	}
}

// readOuter returns the explainer of earlier filters, nil if path is "".
func (a *app) readOuter(t *intake.Target, path string) (*explainer, error) {
	if path == "" {
		return nil, nil
	}
	in, err := a.read(path)
	if err != nil {
		return nil, err
	}
	if in.Kind != intake.KindProfile {
		p, err := in.Program()
		return &explainer{name: in.Name, filter: p}, err
	}
	c, err := t.Meaning(in)
	if err != nil {
		return nil, err
	}
	return newExplainer(t, in, c), nil
}

// traces reports whether earlier filters may hand calls to a tracer.
func (e *explainer) traces() bool {
	switch {
	case e == nil:
		return true
	case e.filter != nil:
		return e.filter.Returns(cbpf.TraceClass)
	}
	is := func(a cbpf.Action) bool { return a.Class() == cbpf.TraceClass }
	return is(e.resolved.Default) || is(e.resolved.BadArch) || slices.ContainsFunc(e.resolved.Spaces, func(s policy.Space) bool {
		return slices.ContainsFunc(s.Calls, func(c policy.Call) bool {
			return slices.ContainsFunc(c.Clauses, func(c policy.Clause) bool { return is(c.Action) })
		})
	})
}

// tested returns the arguments of a call as far as rules on it test them.
func (e *explainer) tested(d *cbpf.Data) (args [6]uint64) {
	if e == nil || e.resolved == nil {
		return args
	}
	for _, c := range e.resolved.Clauses(d.Arch, d.NR) {
		for _, cond := range c.Conds {
			args[cond.Arg] |= d.Args[cond.Arg] & cond.Mask
		}
	}
	return args
}

// explain explains the verdict of the profile.
func (e *explainer) explain(d *cbpf.Data, v policy.Verdict) explanation {
	x := explanation{why: e.why(d, v)}
	x.fix, x.unfixed = e.allow(e.policy, d, v)
	return x
}

// allow returns the change that makes a profile, read as this one, allow a call that it
// answers so. What clone3 asks for is in memory, where no filter sees it: the change makes
// it fail so that programs call clone.
func (e *explainer) allow(p *policy.Policy, d *cbpf.Data, v policy.Verdict) (*record.Fix, error) {
	abi, _ := arch.ByAudit(d.Arch, d.NR)
	enosys, _ := abi.Errno("ENOSYS")
	clone3 := callName(d) == "clone3"
	if clone3 && v.Action == cbpf.Errno(enosys) {
		return nil, errors.New("after ENOSYS programs call clone, whose flags a filter can check")
	}
	fix, err := record.Allow(p, e.reading, d)
	if clone3 && fix != nil {
		errno := uint(enosys)
		fix.Rules = []policy.Rule{{Names: []string{"clone3"}, Action: cbpf.ErrnoClass, Errno: &errno}}
	}
	return fix, err
}

// explainOther explains what a filter that is not ours did to a call, if that is what this
// explainer's does.
func (e *explainer) explainOther(d *cbpf.Data, a cbpf.Action) (policy.Verdict, explanation) {
	v := policy.Verdict{}
	if e.filter != nil {
		v.Action = e.filter.Eval(d).Effective()
	} else {
		v = e.resolved.Decide(d)
		v.Action = v.Action.Effective()
	}
	kills := func(a cbpf.Action) bool { return a == cbpf.KillThread || a == cbpf.KillProcess } // a last thread does not show which
	abi, _ := arch.ByAudit(d.Arch, d.NR)
	switch {
	case v.Action != a && !(kills(v.Action) && kills(a)):
		why := fmt.Sprintf("not because of %s, which would answer: %s", e.name, symbols.Action(abi, v.Action))
		return policy.Verdict{Action: a}, explanation{why: why, unfixed: errors.New("another filter is in force"), pointless: true}
	case e.filter != nil:
		return policy.Verdict{Action: a}, explanation{
			why: "the filter in " + e.name + " decides", pointless: true,
			unfixed: errors.New("a filter does not say which rule it is from (give the profile with --outer)"),
		}
	}
	x := e.explain(d, v)
	x.why += " (" + e.name + ")"
	return v, x
}

// why says what decided.
func (e *explainer) why(d *cbpf.Data, v policy.Verdict) string {
	name := callName(d)
	abi, _ := arch.ByAudit(d.Arch, d.NR)
	needed, rule := e.capability(d)
	switch v.Reason {
	case policy.ByBadArch:
		return fmt.Sprintf("the profile is not for %s", abiName(abi, d.Arch))
	case policy.ByENOSYS:
		return fmt.Sprintf("the profile names neither %s nor a newer call", name)
	case policy.ByRule:
		why := fmt.Sprintf("the rule at %s decides", v.Pointer)
		if needed != "" {
			why += fmt.Sprintf("; %s is allowed with %s by %s", name, needed, rule)
		}
		return why
	case policy.ByDefault:
	}
	var allowed []string
	for _, c := range e.resolved.Clauses(d.Arch, d.NR) {
		if c.Action.Permits(cbpf.Alone) {
			allowed = append(allowed, fmt.Sprintf("%s (%s)", symbols.Conds(abi, d.NR, c.Conds), c.Pointer))
		}
	}
	const most = 3
	if more := len(allowed) - most; more > 0 {
		allowed = append(allowed[:most], fmt.Sprintf("%d more", more))
	}
	reason := "no rule allows " + name
	if allowed != nil {
		reason = fmt.Sprintf("%s is allowed only as %s", name, strings.Join(allowed, ", "))
	}
	switch {
	case needed != "" && allowed == nil:
		reason = fmt.Sprintf("%s is allowed only with %s by %s", name, needed, rule)
	case needed != "":
		reason += fmt.Sprintf(", or with %s by %s", needed, rule)
	}
	return fmt.Sprintf("%s, so the default action%s decides", reason, answer.DefaultPlace(e.policy))
}

// capability returns the first capability with which the profile allows a call that it
// does not allow without, and the rule that does, or "".
func (e *explainer) capability(d *cbpf.Data) (name, rule string) {
	if e.resolved.Eval(d).Permits(cbpf.Alone) {
		return "", ""
	}
	all := policy.AllCaps()
	if v, ok := e.decideWith(d, "all"); !ok || !v.Action.Permits(cbpf.Alone) {
		return "", ""
	}
	for _, name := range all {
		if v, ok := e.decideWith(d, name); ok && v.Action.Permits(cbpf.Alone) {
			return name, v.Pointer
		}
	}
	return "", ""
}

// decideWith returns the verdict for a container with one more capability, or all.
func (e *explainer) decideWith(d *cbpf.Data, name string) (policy.Verdict, bool) {
	r, known := e.capable[name]
	if !known {
		r = e.with(name)
		e.capable[name] = r
	}
	if r == nil {
		return policy.Verdict{}, false
	}
	return r.Decide(d), true
}

// callName returns the name of a call, or its number.
func callName(d *cbpf.Data) string {
	if name := policy.Names().Syscall(d.Arch, d.NR); name != "" {
		return name
	}
	abi, _ := arch.ByAudit(d.Arch, d.NR)
	name, _, _ := strings.Cut(symbols.Call(abi, d.NR, d.Args), "(")
	return name
}

func abiName(abi arch.ABI, audit uint32) string {
	if abi == 0 {
		return fmt.Sprintf("AUDIT_ARCH %#x", audit)
	}
	return abi.String()
}
