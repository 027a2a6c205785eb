package combine

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

// A Profile is what was written for profiles together.
type Profile struct {
	Text []byte
	// Own is the name of the source whose text it is, "" if it is of none. Then nothing below is
	// known.
	Own        string
	Policy     *policy.Policy
	Difference *answer.Difference // from what it is to mean
	Refusal    error              // why it is not what was asked for but the nearest, nil if it is
}

// Write writes the profile, and proves what it means. The error says why there is none.
func (c *Combined) Write() (*Profile, error) {
	p := c.Profile
	if c.Refusal != nil {
		if p = c.Refusal.Nearest; p == nil || !c.request.Nearest {
			return nil, c.refused()
		}
	}
	text, name, err := c.own()
	switch {
	case err != nil:
		return nil, err
	case text != nil:
		return &Profile{Text: text, Own: name}, nil
	}
	printed, err := ocijson.Print(p)
	if err != nil {
		return nil, c.request.no(err).Hintf("-f raw writes one filter, which is exact")
	}
	v, err := c.changes(printed)
	if err != nil {
		return nil, err
	}
	written := &Profile{Text: []byte(printed), Policy: p, Difference: v}
	if c.Refusal != nil {
		written.Refusal = c.refused()
		return written, nil
	}
	if err := c.proved(v); err != nil {
		return nil, err
	}
	return written, nil
}

// refused says why no profile is exact, and which flags help.
func (c *Combined) refused() error {
	x := c.Refusal
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
	if x.Nearest != nil && !c.request.Nearest {
		cures = append(cures, "--nearest writes the nearest profile and lists what differs")
	}
	return c.request.no(x).Hintf("%s", strings.Join(cures, "; "))
}

// own returns the text and the name of a source that is the result as it stands, if there is
// one.
func (c *Combined) own() (text []byte, name string, err error) {
	if c.Profile == nil || c.Except != 0 {
		return nil, "", nil
	}
	one := len(c.request.Target.Languages) < 2 && !slices.ContainsFunc(c.request.Sources, func(s Source) bool { return !bytes.Equal(s.in.Data, c.request.Sources[0].in.Data) })
	reading := c.reading
	reading.ABIs = c.Meaning.ABIs()
	for _, s := range c.request.Sources {
		if !c.stays(s, one) {
			continue
		}
		read, _, err := policy.Resolve(s.Policy, reading)
		if err != nil {
			continue
		}
		same, err := proof.Equal(proof.Policy(c.Meaning), proof.Policy(read), c.request.Limits)
		if err != nil || same.Verdict == proof.Same {
			return s.in.Data, s.Name, err
		}
	}
	return nil, "", nil
}

// stays reports whether the text of a source can be the result: it is a profile in JSON that
// says the same for every container or, as its conditions make no difference then, the one
// text that all sources are.
func (c *Combined) stays(s Source, one bool) bool {
	if s.in.YAML || !sameExtras(s.Policy, c.Profile) {
		return false
	}
	switch ocijson.Detect(s.in.Source) {
	case ocijson.OCI:
		return one || c.sameABIs(s.Policy)
	case ocijson.Docker, ocijson.Podman:
		return one
	default:
		return false
	}
}

// sameABIs reports whether a policy lists the ABIs of the result, or those of the container if
// it lists none.
func (c *Combined) sameABIs(p *policy.Policy) bool {
	listed := slices.Clone(p.ABIs)
	if len(listed) == 0 {
		listed = append(listed, cmp.Or(intake.MainABI(c.reading.ABIs), arch.Native()))
	}
	slices.Sort(listed)
	return slices.Equal(slices.Compact(listed), slices.Sorted(slices.Values(c.Meaning.ABIs())))
}

// sameExtras reports whether two policies ask for the same besides the actions of calls.
func sameExtras(p, q *policy.Policy) bool {
	return slices.Equal(p.Flags, q.Flags) && (p.Flags == nil) == (q.Flags == nil) &&
		p.ListenerPath == q.ListenerPath && p.ListenerMetadata == q.ListenerMetadata
}

// changes reads a profile back and lists how it differs from what it is to mean.
func (c *Combined) changes(text string) (*answer.Difference, error) {
	in := intake.New("", "the profile that is written", []byte(text))
	t := *c.request.Target
	t.ABIs, t.Languages, t.Settings, t.Root = intake.ABINames(c.Meaning.ABIs()), []string{string(ocijson.OCI)}, nil, ""
	t.StrictestWins, t.Exact = c.reading.StrictestWins, c.reading.Exact
	back, err := t.Meaning(in)
	if err != nil {
		return nil, err
	}
	found, err := proof.Diff(proof.Policy(c.Meaning), proof.Policy(back.Resolved), c.request.Limits)
	if err != nil {
		return nil, answer.Unlimited(err)
	}
	want := answer.ProfileSide("the "+c.request.Noun(), &intake.Compiled{Resolved: c.Meaning})
	return answer.NewDifference(want, answer.ProfileSide(in.Name, back), found, false)
}

// proved returns an error if the profile differs where it may not.
func (c *Combined) proved(v *answer.Difference) error {
	for i := range v.Changes {
		if x := &v.Changes[i]; !c.lets(x) {
			return c.request.no(fmt.Errorf("the profile that was found, read with --compat %s, means something else: %s gets %v, not %v",
				cmp.Or(c.request.Target.Compat, policy.Runc.String()), intake.Describe(&x.Witness.Call, 0, true), x.To, x.From)).Hintf("-f raw writes one filter, which is exact")
		}
	}
	return nil
}

// lets reports whether the result may differ from what it is to mean by a change.
func (c *Combined) lets(x *answer.Change) bool {
	abis := c.Meaning.ABIs()
	known := slices.ContainsFunc(c.Meaning.Spaces, func(s policy.Space) bool { return x.Archs.Has(s.Audit) })
	free := known && !slices.ContainsFunc(x.Calls, func(p answer.Part) bool { return p.Name != "" })
	foreign := free && (x.Range.First >= 2*arch.X32Bit || x.Range.First >= arch.X32Bit && !slices.Contains(abis, arch.X32))
	unassigned := foreign || free && slices.Contains(abis, x.ABI)
	return c.Except&algebra.ExceptData != 0 && x.From.Class() == x.To.Class() ||
		c.Except&algebra.ExceptUnassigned == algebra.ExceptUnassigned && unassigned || c.Except&algebra.ExceptForeign != 0 && foreign
}
