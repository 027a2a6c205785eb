package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/intake"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// A combined is what profiles are together.
type combined struct {
	*algebra.Result
	sources []source
	reading policy.Options // of the profile that is written
	limits  proof.Limits
}

// combineProfile writes the profile, or says why there is none.
func (a *app) combineProfile(c *combineFlags, r *combined) error {
	p := r.Profile
	if r.Refusal != nil {
		if p = r.Refusal.Nearest; p == nil || !c.nearest {
			return c.refused(r)
		}
	}
	text, name, err := r.own(c)
	switch {
	case err != nil:
		return err
	case text != nil:
		if err := a.put(&c.output, text); err != nil {
			return err
		}
		a.note("%s: the %s is %s itself", c.source, c.noun(), name)
		return nil
	}
	printed, err := ocijson.Print(p)
	if err != nil {
		return c.no(err).Hintf("-f raw writes one filter, which is exact")
	}
	v, err := r.changes(c, printed)
	if err != nil {
		return err
	}
	if r.Refusal == nil {
		if err := r.proved(c, v); err != nil {
			return err
		}
	}
	if err := a.put(&c.output, []byte(printed)); err != nil {
		return err
	}
	if r.Refusal != nil {
		a.stderr.Write(diffText(false, v, false))
		return c.refused(r)
	}
	a.noteCombined(c, r, p, v.Headings)
	return nil
}

// refused says why no profile was written, and which flags help.
func (c *combineFlags) refused(r *combined) error {
	x := r.Refusal
	var cures []string
	if x.Accept != 0 {
		cures = append(cures, fmt.Sprintf("--accept %s lets the profile differ there", x.Accept))
	}
	if x.Reason == algebra.TooManyRules {
		cures = append(cures, "--max-rules lets it have more")
	}
	if x.Reason == algebra.Limit {
		cures = append(cures, "--patience raises the limits of the proof")
	}
	if x.Nearest != nil && !c.nearest {
		cures = append(cures, "--nearest writes the nearest profile and lists what differs")
	}
	return c.no(x).Hintf("%s", strings.Join(cures, "; "))
}

// own returns the text and the name of a source that is the result as it stands, if there is
// one.
func (r *combined) own(c *combineFlags) (text []byte, name string, err error) {
	if r.Profile == nil || r.Except != 0 {
		return nil, "", nil
	}
	one := len(c.Languages) < 2 && !slices.ContainsFunc(r.sources, func(s source) bool { return !bytes.Equal(s.in.Data, r.sources[0].in.Data) })
	reading := r.reading
	reading.ABIs = r.Meaning.ABIs()
	for _, s := range r.sources {
		if !r.stays(s, one) {
			continue
		}
		read, _, err := policy.Resolve(s.Policy, reading)
		if err != nil {
			continue
		}
		same, err := proof.Equal(proof.Policy(r.Meaning), proof.Policy(read), r.limits)
		if err != nil || same.Verdict == proof.Same {
			return s.in.Data, s.Name, err
		}
	}
	return nil, "", nil
}

// stays reports whether the text of a source can be the result: it is a profile in JSON that
// says the same for every container or, as its conditions make no difference then, the one
// text that all sources are.
func (r *combined) stays(s source, one bool) bool {
	if s.in.YAML || !sameExtras(s.Policy, r.Profile) {
		return false
	}
	switch ocijson.Detect(s.in.Source) {
	case ocijson.OCI:
		return one || r.sameABIs(s.Policy)
	case ocijson.Docker, ocijson.Podman:
		return one
	default:
		return false
	}
}

// sameABIs reports whether a policy lists the ABIs of the result, or those of the container if
// it lists none.
func (r *combined) sameABIs(p *policy.Policy) bool {
	listed := slices.Clone(p.ABIs)
	if len(listed) == 0 {
		listed = append(listed, cmp.Or(intake.MainABI(r.reading.ABIs), arch.Native()))
	}
	slices.Sort(listed)
	return slices.Equal(slices.Compact(listed), slices.Sorted(slices.Values(r.Meaning.ABIs())))
}

// sameExtras reports whether two policies ask for the same besides the actions of calls.
func sameExtras(p, q *policy.Policy) bool {
	return slices.Equal(p.Flags, q.Flags) && (p.Flags == nil) == (q.Flags == nil) &&
		p.ListenerPath == q.ListenerPath && p.ListenerMetadata == q.ListenerMetadata
}

// changes reads a profile back and lists how it differs from what it is to mean.
func (r *combined) changes(c *combineFlags, text string) (*answer.Difference, error) {
	in := intake.New("", "the profile that is written", []byte(text))
	t := c.Target
	t.ABIs, t.Languages, t.Settings, t.Root = intake.ABINames(r.Meaning.ABIs()), []string{string(ocijson.OCI)}, nil, ""
	t.StrictestWins, t.Exact = r.reading.StrictestWins, r.reading.Exact
	back, err := t.Meaning(in)
	if err != nil {
		return nil, err
	}
	found, err := proof.Diff(proof.Policy(r.Meaning), proof.Policy(back.Resolved), r.limits)
	if err != nil {
		return nil, answer.Unlimited(err)
	}
	want := answer.ProfileSide("the "+c.noun(), &intake.Compiled{Resolved: r.Meaning})
	return answer.NewDifference(want, answer.ProfileSide(in.Name, back), found, false)
}

// proved returns an error if the profile differs where it may not.
func (r *combined) proved(c *combineFlags, v *answer.Difference) error {
	for i := range v.Changes {
		if x := &v.Changes[i]; !r.lets(x) {
			return c.no(fmt.Errorf("the profile that was found, read with --compat %s, means something else: %s gets %v, not %v",
				c.Compat, intake.Describe(&x.Witness.Call, 0, true), x.To, x.From)).Hintf("-f raw writes one filter, which is exact")
		}
	}
	return nil
}

// lets reports whether the result may differ from what it is to mean by a change.
func (r *combined) lets(x *answer.Change) bool {
	abis := r.Meaning.ABIs()
	known := slices.ContainsFunc(r.Meaning.Spaces, func(s policy.Space) bool { return x.Archs.Has(s.Audit) })
	free := known && !slices.ContainsFunc(x.Calls, func(p answer.Part) bool { return p.Name != "" })
	foreign := free && (x.Range.First >= 2*arch.X32Bit || x.Range.First >= arch.X32Bit && !slices.Contains(abis, arch.X32))
	unassigned := foreign || free && slices.Contains(abis, x.ABI)
	return r.Except&algebra.ExceptData != 0 && x.From.Class() == x.To.Class() ||
		r.Except&algebra.ExceptUnassigned == algebra.ExceptUnassigned && unassigned || r.Except&algebra.ExceptForeign != 0 && foreign
}

// noteCombined says what was proved, and how the profile differs where it may.
func (a *app) noteCombined(c *combineFlags, r *combined, p *policy.Policy, differing []*answer.Heading) {
	but := ""
	if len(differing) > 0 {
		but = " but for " + strings.NewReplacer("foreign", "foreign numbers", "unassigned", "unassigned numbers", ",", " and ").Replace(r.Except.String())
	}
	a.note("%s: %s, proved to mean the %s for every call of %s%s", c.source, answer.Plural(len(p.Rules), "rule"), c.noun(),
		strings.Join(intake.ABINames(r.Meaning.ABIs()), ", "), but)
	for _, h := range differing {
		for _, g := range h.Groups() {
			a.note("%s: %s: %s instead of %s", h.Title, some(g), intake.ActionText(g.To, g.ABI), intake.ActionText(g.From, g.ABI))
		}
	}
}

// some names the first calls and numbers of a group, with (...) where arguments matter, and
// counts the others.
func some(g *answer.Group) string {
	const most = 8
	all := new(answer.CallList)
	for _, l := range slices.Concat(g.Always, g.Partly) {
		if l.All {
			return answer.EveryCall
		}
		for _, p := range l.Changes[0].Calls {
			if !l.Changes[0].Always() && p.Name != "" {
				p.Name += "(...)"
			}
			all.Add(p)
		}
	}
	words := all.Words(false)
	if more := len(words) - most; more > 0 {
		words = append(words[:most:most], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(words, " ")
}
