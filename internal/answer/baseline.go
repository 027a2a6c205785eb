package answer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// An opening is calls that one rule or the default action gives a weaker action than a baseline.
type opening struct{ pointer, on, what, example string }

// A comparer compares profiles with baselines.
type comparer struct {
	*intake.Target
	limits proof.Limits
}

// beyond returns what a profile allows and a baseline does not. What is the same on several
// kernels that the profile is for is said once.
func (c *comparer) beyond(r *lint.Report, in, base *intake.Input) (list []lint.Finding, err error) {
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
func (c *comparer) baseline(base *intake.Input, kernel arch.ABI) (*policy.Policy, error) {
	t := *c.Target
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
func (c *comparer) onKernel(p *policy.Policy, kernel arch.ABI) (abis []arch.ABI, err error) {
	if abis, err = intake.ParseABIs(c.ABIs); len(abis) == 0 {
		abis = append(lint.ABIs(p), kernel)
	}
	abis = slices.DeleteFunc(abis, func(a arch.ABI) bool { return a.Main() != kernel })
	slices.Sort(abis)
	return slices.Compact(abis), err
}

// compare reports the ABIs that only one of profile and baseline is for, and on the others,
// which the runtime's intersection is for, the calls to which the profile gives a weaker action.
func (c *comparer) compare(ours, theirs *policy.Policy, in, base *intake.Input, kernel arch.ABI) (list []lint.Finding, more []opening, err error) {
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
	both := slices.DeleteFunc(have, func(a arch.ABI) bool { return !slices.Contains(want, a) })
	a, err1 := c.alone(theirs, base, both)
	b, err2 := c.alone(ours, in, both)
	if err := cmp.Or(err1, err2); err != nil {
		return nil, nil, err
	}
	v, err := Diff(a, b, true, false, c.limits)
	var limit *proof.LimitError
	if errors.As(err, &limit) {
		return append(list, lint.Finding{ID: "baseline", Reason: "it is not proved that the profile is at least as strict as " + base.Name + ": " + limit.Reason, Fix: "raise the limits of the proof with --patience, or write the profile with fewer conditions"}), nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, h := range v.Headings {
		more = append(more, v.openings(h, ours.Pointer)...)
	}
	return list, more, nil
}

// alone resolves a profile for ABIs as if no runtime added to what it says.
func (c *comparer) alone(p *policy.Policy, in *intake.Input, abis []arch.ABI) (*Side, error) {
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
	return ProfileSide(in.Name, &intake.Compiled{Policy: p, Options: o, Resolved: r}), nil
}

// openings sorts the lines of a heading by what of B decides them.
func (v *Difference) openings(h *Heading, profile string) (list []opening) {
	for _, g := range h.Groups() {
		place := func(l *Line) string {
			return cmp.Or(v.B.Decide(&l.Changes[0].Witness.Call).Pointer, profile+"/defaultAction")
		}
		var together [][]*Line
		for _, l := range g.Always {
			i := slices.IndexFunc(together, func(x []*Line) bool { return place(x[0]) == place(l) })
			if i < 0 {
				i = len(together)
				together = append(together, nil)
			}
			together[i] = append(together[i], l)
		}
		for _, l := range g.Partly {
			together = append(together, []*Line{l})
		}
		for _, lines := range together {
			c := *lines[0].Changes[0]
			example := intake.Describe(&c.Witness.Call, c.Shown(), false)
			if len(c.When) > mostCases {
				c.When, c.More = c.When[:mostCases], true
			}
			list = append(list, opening{
				pointer: place(lines[0]), on: h.Title, example: example,
				what: fmt.Sprintf("%s, not %s, for %s%s", c.Verdicts()[1], c.Verdicts()[0], few(lines), c.WhenText()),
			})
		}
	}
	return list
}

// mostCases is how many cases of conditions a finding lists.
const mostCases = 2

// few writes what lines are about, if that is much only the beginning.
func few(lines []*Line) string {
	const most = 6
	words := strings.Split(strings.Join(Subject(lines), " "), ", ")
	if len(words) > most {
		words = append(words[:most-1], fmt.Sprintf("%d more", len(words)-most+1))
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return words[0]
}
