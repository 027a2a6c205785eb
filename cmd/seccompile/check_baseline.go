package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// pulled reports whether the profiles are for a runtime to pull.
func (c *checkFlags) pulled() bool { return c.consumer == lint.KEP6061.String() }

// readBaselines reads what --baseline names.
func (a *app) readBaselines(c *checkFlags) error {
	if len(c.baselines) > 0 && !c.pulled() {
		return failure.Usagef("--baseline is for --for %v: no other program intersects profiles", lint.KEP6061)
	}
	for _, arg := range c.baselines {
		base, err := a.read(arg)
		if err == nil {
			err = base.WantProfile()
		}
		if err != nil {
			return err
		}
		c.bases = append(c.bases, base)
	}
	return nil
}

// An opening is calls that one rule or the default action gives a weaker action than a baseline.
type opening struct{ pointer, on, what, example string }

// beyond returns what a profile allows and a baseline does not. What is the same on several
// kernels that the profile is for is said once.
func (c *checkFlags) beyond(r *lint.Report, in, base *intake.Input) (list []lint.Finding, err error) {
	var all []opening
	var kernels []arch.ABI
	for _, a := range r.Resolved.ABIs() {
		if !slices.Contains(kernels, a.Main()) {
			kernels = append(kernels, a.Main())
		}
	}
	for _, kernel := range kernels {
		p, err := c.baseline(base, kernel)
		if err != nil {
			return nil, err
		}
		found, here, err := c.compare(r.Policy, p, in, base, kernel)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
		for _, x := range here {
			i := slices.IndexFunc(all, func(y opening) bool { return y.pointer == x.pointer && y.what == x.what })
			if i < 0 {
				all = append(all, x)
			} else {
				all[i].on += ", " + x.on
			}
		}
	}
	for _, x := range all {
		list = append(list, lint.Finding{ID: "baseline", Pointer: x.pointer,
			Reason: fmt.Sprintf("weaker than %s on %s: %s, such as %s", base.Name, x.on, x.what, x.example)})
	}
	return list, nil
}

// baseline reads a baseline for a kernel.
func (c *checkFlags) baseline(base *intake.Input, kernel arch.ABI) (*policy.Policy, error) {
	t := c.Target
	t.Languages, t.Settings, t.ABIs = nil, nil, []string{kernel.String()}
	lang, place, err := t.Place(base)
	if err != nil {
		return nil, err
	}
	reading, err := base.Read(lang, place)
	return reading.Policy, err
}

// onKernel returns those ABIs of a profile that a kernel has, with the kernel's own, which
// runtimes add to every list, or those that -a chooses.
func (c *checkFlags) onKernel(p *policy.Policy, kernel arch.ABI) (abis []arch.ABI, err error) {
	if abis, err = intake.ParseABIs(c.ABIs); len(abis) == 0 {
		abis = append(lint.ABIs(p), kernel)
	}
	abis = slices.DeleteFunc(abis, func(a arch.ABI) bool { return a.Main() != kernel })
	slices.Sort(abis)
	return slices.Compact(abis), err
}

// compare reports the ABIs that only one of profile and baseline is for, and on the others,
// which the runtime's intersection is for, the calls to which the profile gives a weaker action.
func (c *checkFlags) compare(ours, theirs *policy.Policy, in, base *intake.Input, kernel arch.ABI) (list []lint.Finding, more []opening, err error) {
	have, err1 := c.onKernel(ours, kernel)
	want, err2 := c.onKernel(theirs, kernel)
	if err := cmp.Or(err1, err2); err != nil {
		return nil, nil, err
	}
	only := func(of, other []arch.ABI) string {
		return strings.Join(intake.ABINames(slices.DeleteFunc(slices.Clone(of), func(a arch.ABI) bool { return slices.Contains(other, a) })), ", ")
	}
	if surplus := only(have, want); surplus != "" {
		list = append(list, lint.Finding{ID: "baseline-abi", Pointer: ours.Pointer + "/architectures",
			Reason: fmt.Sprintf("%s is not for %s, so all calls there get KILL_THREAD, whatever the profile says", base.Name, surplus)})
	}
	if lacks := only(want, have); lacks != "" {
		list = append(list, lint.Finding{ID: "baseline-abi", Severity: lint.Note, Pointer: ours.Pointer + "/architectures",
			Reason: fmt.Sprintf("the profile is not for %s, which %s is for, so all calls there get KILL_THREAD", lacks, base.Name)})
	}
	limits, err := c.limits()
	if err != nil {
		return nil, nil, err
	}
	both := slices.DeleteFunc(have, func(a arch.ABI) bool { return !slices.Contains(want, a) })
	a, err1 := c.alone(theirs, base, both)
	b, err2 := c.alone(ours, in, both)
	if err := cmp.Or(err1, err2); err != nil {
		return nil, nil, err
	}
	v := &changes{a: a, b: b}
	headings, err := v.weaker(limits)
	var limit *proof.LimitError
	if errors.As(err, &limit) {
		return append(list, lint.Finding{ID: "baseline", Reason: "it is not proved that the profile is at least as strict as " + base.Name + ": " + limit.Reason, Fix: "raise the limits of the proof with --patience, or write the profile with fewer conditions"}), nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, h := range headings {
		more = append(more, v.openings(h, ours.Pointer)...)
	}
	return list, more, nil
}

// alone resolves a profile for ABIs as if no runtime added to what it says.
func (c *checkFlags) alone(p *policy.Policy, in *intake.Input, abis []arch.ABI) (*side, error) {
	o, err := c.Options()
	if err != nil {
		return nil, err
	}
	o.ABIs, o.Exact = abis, false
	if c.ENOSYS == "" {
		o.ENOSYS.Off = true
	}
	r, _, err := policy.Resolve(p, o)
	if err != nil {
		return nil, in.No(err)
	}
	return &side{&intake.Compiled{Policy: p, Options: o, Resolved: r}, in.Name, proof.Policy(r)}, nil
}

// weaker returns the changes that make B weaker.
func (v *changes) weaker(l proof.Limits) ([]*heading, error) {
	found, err := proof.Diff(v.a.subject, v.b.subject, l)
	if err != nil {
		return nil, err
	}
	if err := v.split(slices.DeleteFunc(found, noWeaker)); err != nil {
		return nil, err
	}
	return v.fold()
}

// openings sorts the lines of a heading by what of B decides them.
func (v *changes) openings(h *heading, profile string) (list []opening) {
	for _, g := range h.groups() {
		place := func(l *line) string {
			return cmp.Or(v.b.decide(&l.changes[0].Witness.Call).Pointer, profile+"/defaultAction")
		}
		var together [][]*line
		for _, l := range g.always {
			i := slices.IndexFunc(together, func(x []*line) bool { return place(x[0]) == place(l) })
			if i < 0 {
				i = len(together)
				together = append(together, nil)
			}
			together[i] = append(together[i], l)
		}
		for _, l := range g.partly {
			together = append(together, []*line{l})
		}
		for _, lines := range together {
			c := *lines[0].changes[0]
			example := intake.Describe(&c.Witness.Call, c.shown(), false)
			if len(c.When) > mostCases {
				c.When, c.More = c.When[:mostCases], true
			}
			list = append(list, opening{
				pointer: place(lines[0]), on: h.title, example: example,
				what: fmt.Sprintf("%s, not %s, for %s%s", c.verdicts()[1], c.verdicts()[0], few(lines), c.when()),
			})
		}
	}
	return list
}

// mostCases is how many cases of conditions a finding lists.
const mostCases = 2

// few writes what lines are about, if that is much only the beginning.
func few(lines []*line) string {
	const most = 6
	words := strings.Split(joined(subject(lines)), ", ")
	if len(words) > most {
		words = append(words[:most-1], fmt.Sprintf("%d more", len(words)-most+1))
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return words[0]
}
