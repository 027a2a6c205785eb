package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/audit"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/record"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
)

// A referee says what a profile has to do with records.
type referee struct {
	abis    []arch.ABI    // of the machine, if the user said so
	abi     arch.ABI      // of records that do not say
	profile *explainer    // nil if there is none
	in      *intake.Input // the profile's
	// strict is the profile with ERRNO in place of LOG: what it logs, it does not allow
	// yet.
	strict *policy.Policy
}

// referee reads the profile that the flags name.
func (a *app) referee(d *denialsFlags) (*referee, error) {
	abis, err := intake.ParseABIs(d.ABIs)
	if err != nil {
		return nil, err
	}
	j := &referee{abis: abis, abi: cmp.Or(intake.MainABI(abis), arch.Native(), arch.X86_64)}
	if err := writable("denials", d.path); err != nil || d.profile == "" {
		return j, err
	}
	in, err := a.read(d.profile)
	if err != nil {
		return nil, err
	}
	c, err := d.whole(in, abis)
	if err != nil {
		return nil, err
	}
	a.warn(in, c.Warnings)
	j.profile, j.in, j.strict = newExplainer(&d.Target, in, c), in, tightened(c.Policy)
	return j, nil
}

// whole reads a profile for a machine with all the ABIs that the profile has for it.
func (d *denialsFlags) whole(in *intake.Input, abis []arch.ABI) (*intake.Compiled, error) {
	c, err := d.Meaning(in)
	if err != nil {
		return nil, err
	}
	for _, abi := range c.Policy.ABIs {
		if slices.Contains(intake.MainABI(abis).Family(), abi) && !slices.Contains(abis, abi) {
			d.ABIs = append(d.ABIs, abi.String())
		}
	}
	return d.Meaning(in)
}

// tightened returns a profile with ERRNO in place of LOG.
func tightened(p *policy.Policy) *policy.Policy {
	eperm := uint(1)
	strict := *p
	if strict.Default == cbpf.Log {
		strict.Default, strict.DefaultErrno = cbpf.ErrnoClass, &eperm
	}
	strict.Rules = slices.Clone(strict.Rules)
	for i := range strict.Rules {
		if r := &strict.Rules[i]; r.Action == cbpf.Log {
			r.Action, r.Errno = cbpf.ErrnoClass, &eperm
		}
	}
	return &strict
}

// call returns the call of a record, as far as it is known: without arguments. assumed
// means that the record does not have the ABI.
func (j *referee) call(rec *audit.Record) (d cbpf.Data, abi arch.ABI, assumed bool) {
	d = cbpf.Data{NR: rec.NR, Arch: rec.Arch, IP: rec.IP}
	if d.Arch == 0 {
		d.Arch, assumed = j.abi.Audit(), true
		for _, a := range j.abi.Family() {
			if rec.Compat && a.Bits() == 32 && a != arch.X32 {
				d.Arch = a.Audit()
			}
		}
	}
	abi, _ = arch.ByAudit(d.Arch, d.NR)
	return d, abi, assumed
}

// A ruling is what a profile has to do with a call.
type ruling struct {
	answers []possibility // in the order in which rules are tried; several if arguments decide
	denied  bool          // the profile does not just allow the call
	fix     *record.Fix
	unfixed error // why it has no fix
	// guarded means that no rule is about the call, and that its arguments decide how much
	// power it gives.
	guarded bool
}

// A possibility is what the profile may do with a call.
type possibility struct {
	policy.Verdict
	fits bool // a record may be about it
}

// rule returns what the profile has to do with a recorded call, nil without a profile.
func (j *referee) rule(rec *audit.Record, d *cbpf.Data) *ruling {
	if j.profile == nil {
		return nil
	}
	r := &ruling{answers: possible(j.profile.resolved, d)}
	for i := range r.answers {
		x := &r.answers[i]
		x.fits = rec.Actions == nil || slices.ContainsFunc(rec.Actions, func(a cbpf.Action) bool { return a.Class() == x.Action.Class() })
		r.denied = r.denied || x.Action.Class() != cbpf.Allow
	}
	switch {
	case !r.denied:
	case len(r.answers) == 1:
		r.fix, r.unfixed = j.profile.allow(j.strict, d, r.answers[0].Verdict)
		abi, _ := arch.ByAudit(d.Arch, d.NR)
		r.guarded = r.fix != nil && len(r.fix.Remove) == 0 && record.Tests(abi, callName(d))
	default:
		r.fix, r.unfixed = anyArgs(r.answers, d)
	}
	return r
}

// possible returns what a policy may answer to a call whose arguments are not known.
func possible(r *policy.Resolved, d *cbpf.Data) []possibility {
	var list []possibility
	for _, c := range r.Clauses(d.Arch, d.NR) {
		list = append(list, possibility{Verdict: policy.Verdict{Action: c.Action, Reason: policy.ByRule, Pointer: c.Pointer}})
		if len(c.Conds) == 0 {
			return list
		}
	}
	if list == nil {
		return []possibility{{Verdict: r.Decide(d)}}
	}
	return append(list, possibility{Verdict: policy.Verdict{Action: r.Default, Reason: policy.ByDefault}})
}

// anyArgs returns the change that allows a call whatever its arguments are.
func anyArgs(answers []possibility, d *cbpf.Data) (*record.Fix, error) {
	abi, _ := arch.ByAudit(d.Arch, d.NR)
	name, _, _ := strings.Cut(symbols.Call(abi, d.NR, d.Args), "(")
	for _, x := range answers {
		if x.Reason == policy.ByRule && x.Action.Class() != cbpf.Allow {
			return nil, fmt.Errorf("the rule at %s denies some arguments: change it by hand", x.Pointer)
		}
	}
	return &record.Fix{Rules: []policy.Rule{{Names: []string{name}, Action: cbpf.Allow}}}, nil
}

// fitting are the answers that the record may be about.
func (r *ruling) fitting() []possibility {
	return slices.DeleteFunc(slices.Clone(r.answers), func(x possibility) bool { return !x.fits })
}

// refuses reports whether a rule denies the call, as its author decided.
func (r *ruling) refuses() bool {
	x := r.answers[0]
	return x.Reason == policy.ByRule && !x.Action.Permits(cbpf.Alone) && !r.unsure()
}

// unsure reports whether arguments decide, which records do not have.
func (r *ruling) unsure() bool { return len(r.answers) > 1 }

// blind reports whether the fix allows the call with any arguments, though it matters which
// ones it had.
func (r *ruling) blind() bool { return r.unsure() || r.guarded }

// why says what decided.
func (j *referee) why(s *sighting) string {
	list := s.ruling.fitting()
	stranger := len(list) == 0
	if stranger {
		list = s.ruling.answers
	}
	var reasons []string
	for _, x := range list {
		why := j.profile.why(&s.data, x.Verdict)
		if x.Action.Class() != cbpf.Allow && !slices.Contains(reasons, why) {
			reasons = append(reasons, why)
		}
	}
	text := strings.Join(reasons, ", or ")
	if s.ruling.unsure() {
		text += " (the record does not have the arguments)"
	}
	switch {
	case !s.ruling.denied:
		return fmt.Sprintf("this profile allows %s, so another filter decided, or an earlier version", callName(&s.data))
	case stranger:
		return fmt.Sprintf("this profile answers %s, so another filter decided, or an earlier version: %s", s.ruling.says(s.abi), text)
	}
	return text
}

// says names the answers other than ALLOW.
func (r *ruling) says(abi arch.ABI) string {
	var list []string
	for _, x := range r.answers {
		if text := symbols.Action(abi, x.Action); x.Action.Class() != cbpf.Allow && !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return strings.Join(list, " or ")
}

// cure says what to change in the profile, "" if nothing.
func (j *referee) cure(s *sighting) string {
	r := s.ruling
	if !r.denied {
		return ""
	}
	cure := (&denial{data: s.data, abi: s.abi, explanation: explanation{fix: r.fix, unfixed: r.unfixed}}).cure()
	if r.blind() && r.fix != nil {
		return "trace the program to see the arguments; to allow it with any arguments, " + cure
	}
	return cure
}
