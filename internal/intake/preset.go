package intake

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/language"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// Names of profiles that are built in.
const (
	// DockerDefault is another name of the preset docker.
	DockerDefault = "docker-default"
	// PresetPrefix comes before a list of presets wherever a command takes a profile.
	PresetPrefix = "preset:"
)

// IsBuiltIn reports whether an argument names a profile that is built in. A file of that
// name is ./docker-default.
func IsBuiltIn(arg string) bool { return arg == DockerDefault || strings.HasPrefix(arg, PresetPrefix) }

// BuiltIn returns the profile that an argument names. Several presets are all under one
// that allows everything.
func BuiltIn(arg string) (*Input, error) {
	if arg == DockerDefault {
		return newPreset(DockerDefault, "docker")
	}
	list, err := Presets(strings.TrimPrefix(arg, PresetPrefix))
	if err != nil {
		return nil, err
	}
	if len(list) == 1 {
		return list[0], nil
	}
	in := New(arg, arg, []byte(`{"defaultAction": "SCMP_ACT_ALLOW"}`))
	in.Presets = list
	return in, nil
}

// Presets returns the presets of a list with commas.
func Presets(names string) (list []*Input, err error) {
	for name := range strings.SplitSeq(names, ",") {
		in, err := newPreset(PresetPrefix+name, name)
		if err != nil {
			return nil, err
		}
		list = append(list, in)
	}
	return list, nil
}

func newPreset(as, name string) (*Input, error) {
	data, err := preset.Profile(name)
	if err != nil {
		known := preset.Names()
		bare := slices.DeleteFunc(slices.Clone(known), func(n string) bool { return strings.ContainsAny(n, "@+") })
		return nil, failure.Usagef("unknown preset %q", name).
			HintNearest(name, known, "the presets are "+strings.Join(bare, ", ")+"; some have releases and features, as docker@28.3.3 and flatpak+devel")
	}
	return New(as, as, data), nil
}

// Whole returns all that the profile is made of.
func (in *Input) Whole() (all []byte) {
	for _, p := range in.Presets {
		all = append(all, p.Data...)
	}
	return append(all, in.Data...)
}

// A stacked is the language of a profile under presets.
type stacked struct {
	language.Language
	presets []*Input
	target  Target
}

// under returns the language of an input, with its presets if it has some. Flags that say
// which language the profile is in do not count for them.
func (t *Target) under(in *Input, l language.Language) language.Language {
	if len(in.Presets) == 0 {
		return l
	}
	own := *t
	own.Languages, own.Settings, own.Root = nil, nil, ""
	return stacked{l, in.Presets, own}
}

// Read implements [language.Language].
func (l stacked) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	all, err := l.Language.Read(s, t)
	if err != nil {
		return all, err
	}
	everywhere(s, all.Policy)
	var older []*policy.Policy
	for _, in := range l.presets {
		lang, place, err := l.target.Place(in)
		if err != nil {
			return all, err
		}
		reading, err := in.Read(lang, place)
		if err != nil {
			return all, err
		}
		p := reading.Policy
		everywhere(in.Source, p)
		p.Pointer = in.Name
		for i := range p.Rules {
			p.Rules[i].Pointer = in.Name + p.Rules[i].Pointer
		}
		older = append(older, p)
	}
	all.Policy.Older = append(older, all.Policy.Older...)
	return all, nil
}

// everywhere has a profile in Docker's or Podman's format that lists no architectures hold on
// all targets, not on the one alone that it was read for: it is one of several here.
func everywhere(s *language.Source, p *policy.Policy) {
	format := ocijson.Detect(s)
	doc, err := s.JSON()
	if err == nil && (format == ocijson.Docker || format == ocijson.Podman) && !doc.Root().Member("architectures").Present() && !doc.Root().Member("archMap").Present() {
		p.ABIs = nil
	}
}
