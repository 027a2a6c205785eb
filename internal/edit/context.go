package edit

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

// A context is one of the targets for which a profile is read, and what it means there.
type context struct {
	target   policy.Target
	policy   *policy.Policy
	resolved *policy.Resolved
}

// main is the ABI of the container's own programs, zero if the profile does not depend on it.
func (c *context) main() arch.ABI { return c.target.ABI }

// String names the target for messages: "x86_64 with CAP_SYS_ADMIN before Linux 4.8".
func (c *context) String() string {
	text := listing.Names(c.resolved.ABIs())
	if c.main() == 0 {
		return text
	}
	text = c.main().String()
	switch n := len(c.target.Caps); {
	case n == 0:
		text += " without capabilities"
	case n == 1:
		text += " with " + c.target.Caps[0]
	case n == len(policy.AllCaps()):
		text += " with all capabilities"
	case slices.Equal(c.target.Caps, preset.Caps("docker")) || slices.Equal(c.target.Caps, preset.Caps("podman")):
	default:
		text += " with " + strings.Join(c.target.Caps, ", ")
	}
	if c.target.Kernel != (syscalltables.Version{}) {
		text += " on Linux " + c.target.Kernel.String()
	}
	return text
}

// A profile is the text of a profile and all that it means.
type profile struct {
	source   *language.Source
	doc      *document.Document
	format   oci.Format
	at       string // the pointer of the profile in its document
	entries  []*entry
	contexts []*context // one at least
}

// Limits on the work that a hostile profile makes: targets, and bytes read for all of them.
// Docker's default profile takes some hundred, and 10 MiB.
const (
	maxTargets = 1 << 13
	maxWork    = 1 << 25
)

// open reads a profile for all the targets that its text tells apart.
func open(s *language.Source) (*profile, error) {
	p, err := parse(s)
	if err != nil {
		return nil, err
	}
	targets := []policy.Target{{}}
	if p.conditional() {
		targets = p.targets()
	}
	if len(targets) > maxTargets || len(targets)*len(s.Data()) > maxWork {
		reason := fmt.Sprintf("its conditions tell too many targets apart for its %d bytes: edit and fmt read it for each (use fewer conditions)", len(s.Data()))
		return nil, policy.Errors{{Kind: policy.Invalid, Pointer: p.at + "/syscalls", Reason: reason}}
	}
	return p, p.resolve(targets, false)
}

// ABIs returns those that a profile is for. If that depends on the machine it runs on, they
// are this one's or else the first ones that the profile lists. The error is that of [Edit].
func ABIs(s *language.Source) ([]arch.ABI, error) {
	p, err := parse(s)
	if err != nil {
		return nil, err
	}
	t := policy.Target{}
	if p.conditional() {
		t.ABI = p.mains()[0]
	}
	c, err := p.read(t)
	if err != nil {
		return nil, err
	}
	return c.abis(), nil
}

// with returns a profile with another text, for the same targets.
func (p *profile) with(text []byte) (*profile, error) {
	next, err := parse(language.NewSource(text))
	if err != nil {
		return nil, err
	}
	var targets []policy.Target
	for _, c := range p.contexts {
		targets = append(targets, c.target)
	}
	return next, next.resolve(targets, true)
}

// parse reads the text of a profile.
func parse(s *language.Source) (*profile, error) {
	doc, err := s.JSON()
	if err != nil {
		return nil, err
	}
	p := &profile{source: s, doc: doc, format: oci.Detect(s)}
	switch {
	case !doc.Original() || p.format == "":
		return nil, policy.Errors{{Kind: policy.Invalid, Reason: "not a profile of OCI, Docker or Podman in JSON (seccompile convert --to oci makes one)"}}
	case p.format == oci.Config:
		p.at = "/linux/seccomp"
	}
	p.entries = entriesOf(doc, p.at)
	return p, nil
}

// resolve finds out what the profile means for targets. Those on one ABI for which the same
// entries hold mean the same, and are one context unless each is asked for.
func (p *profile) resolve(targets []policy.Target, each bool) error {
	seen := make(map[string]*policy.Resolved)
	for _, t := range targets {
		c, err := p.read(t)
		if err != nil {
			return err
		}
		var which strings.Builder
		which.WriteString(t.ABI.String())
		for i := range c.policy.Rules {
			which.WriteString(c.policy.Rules[i].Pointer)
		}
		key := which.String()
		switch known := seen[key]; {
		case known == nil:
			if err := c.resolve(); err != nil {
				return err
			}
			seen[key] = c.resolved
		case !each:
			continue
		default:
			c.resolved = known
		}
		p.contexts = append(p.contexts, c)
	}
	p.see()
	return nil
}

// conditional reports whether what the profile means depends on the target.
func (p *profile) conditional() bool { return p.format == oci.Docker || p.format == oci.Podman }

// read reads the profile for a target.
func (p *profile) read(t policy.Target) (*context, error) {
	reading, err := oci.Language{Format: p.format}.Read(p.source, t)
	return &context{target: t, policy: reading.Policy}, err
}

// resolve finds out what the profile means on its own ABIs. One that names none is for the
// machine's.
func (c *context) resolve() (err error) {
	c.resolved, _, err = policy.Resolve(c.policy, policy.Options{ABIs: c.abis()})
	var problems policy.Errors
	if errors.As(err, &problems) && c.main() != 0 {
		for _, e := range problems {
			e.Reason += fmt.Sprintf(" (for %v)", c.main())
		}
	}
	return err
}

// abis returns the ABIs that the profile is for there.
func (c *context) abis() []arch.ABI {
	if len(c.policy.ABIs) > 0 {
		return c.policy.ABIs
	}
	return []arch.ABI{cmp.Or(c.main(), arch.Native(), arch.X86_64)}
}

// targets returns the targets that a conditional profile tells apart: each ABI that it
// mentions, and on it each capability that it mentions, the set of each condition, the
// default set, all and none; and with those that go with kernels, each kernel on either side
// of the releases that it mentions.
func (p *profile) targets() (list []policy.Target) {
	usual := preset.Caps("docker")
	if p.format == oci.Podman {
		usual = preset.Caps("podman")
	}
	all := policy.AllCaps()
	sets := [][]string{usual, nil, all}
	kernels := []syscalltables.Version{{}}
	dated := len(sets) // the first of them are read for all kernels
	add := func(caps []string, first bool) {
		caps = slices.DeleteFunc(slices.Clone(caps), func(c string) bool { return !slices.Contains(all, c) }) // nobody holds others
		if len(sets) > maxTargets || slices.ContainsFunc(sets, func(s []string) bool { return slices.Equal(s, caps) }) {
			return
		}
		if sets = append(sets, caps); first {
			last := len(sets) - 1
			sets[dated], sets[last] = sets[last], sets[dated]
			dated++
		}
	}
	conditions := func(do func(c *condition, dated bool)) {
		for _, e := range p.entries {
			isDated := e.guard.Includes.MinKernel+e.guard.Excludes.MinKernel != ""
			do(&e.guard.Includes, isDated)
			do(&e.guard.Excludes, isDated)
		}
	}
	conditions(func(c *condition, dated bool) {
		add(c.Caps, dated)
		if v, err := syscalltables.ParseVersion(c.MinKernel); err == nil && len(kernels) < maxTargets && !slices.Contains(kernels, v) {
			kernels = append(kernels, v)
		}
	})
	conditions(func(c *condition, _ bool) {
		for _, one := range c.Caps {
			add([]string{one}, false)
		}
	})
	if len(kernels) > 1 {
		before, _ := syscalltables.ParseVersion("0.1")
		kernels = append(kernels, before)
	}
	for _, a := range p.mains() {
		for i, caps := range sets {
			of := kernels
			if i >= dated {
				of = kernels[:1]
			}
			for _, v := range of {
				if list = append(list, policy.Target{ABI: a, Caps: caps, Kernel: v}); len(list) > maxTargets {
					return list
				}
			}
		}
	}
	return list
}

// mains returns the ABIs of the containers that a conditional profile is for: those of its
// archMap, those in its conditions, or the machine's, which comes first if it is among them.
func (p *profile) mains() (list []arch.ABI) {
	root := p.doc.Lookup(p.at)
	add := func(a arch.ABI) {
		if a.Valid() && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	for _, row := range root.Member("archMap").Elements() {
		add(ociABI(row.Member("architecture").Text()))
	}
	for _, v := range root.Member("architectures").Elements() {
		add(ociABI(v.Text()).Main())
	}
	if len(list) == 0 {
		add(cmp.Or(arch.Native(), arch.X86_64))
	}
	for _, e := range p.entries {
		for a := range arch.All() {
			if p.mentions(e.guard.Includes.Arches, a) || p.mentions(e.guard.Excludes.Arches, a) {
				add(a)
			}
		}
	}
	if i := slices.Index(list, arch.Native()); i > 0 {
		list[0], list[i] = list[i], list[0]
	}
	return list
}

func ociABI(name string) arch.ABI {
	for a := range arch.All() {
		if a.OCI() == name {
			return a
		}
	}
	return 0
}

// mentions reports whether a list of architectures in a condition has an ABI, by any name
// that some format gives it.
func (p *profile) mentions(arches []string, a arch.ABI) bool {
	return slices.Contains(arches, a.String()) || a.GOARCH() != "" && slices.Contains(arches, a.GOARCH())
}

// archName returns the name that an ABI has in the conditions of the profile's format. Its
// reader knows.
func (p *profile) archName(a arch.ABI) string {
	for _, name := range []string{a.GOARCH(), a.String()} {
		text := fmt.Sprintf(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "includes": {"arches": [%q]}}]}`, name)
		r, err := oci.Language{Format: p.format}.Read(language.NewSource([]byte(text)), policy.Target{ABI: a})
		if err == nil && len(r.Policy.Rules) > 0 {
			return name
		}
	}
	panic("BUG: " + a.String() + " has no name in conditions")
}
