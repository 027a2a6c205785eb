package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/language"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

const (
	// dockerDefault is another name of the preset docker.
	dockerDefault = "docker-default"
	// presetPrefix comes before a list of presets wherever a command takes a profile.
	presetPrefix = "preset:"
)

// isBuiltIn reports whether an argument names a profile that is built in. A file of that
// name is ./docker-default.
func isBuiltIn(arg string) bool { return arg == dockerDefault || strings.HasPrefix(arg, presetPrefix) }

// addPresets adds the flag that names presets which hold as well.
func addPresets(cmd *cobra.Command, presets *[]string) {
	cmd.Flags().StringArrayVar(presets, "preset", nil, "`PRESET`s, with commas between them, that hold as well as the profile, or alone if you name no profile")
	completeFlag(cmd, "preset", completePresets)
}

// completePresets completes the last of a list of presets.
func completePresets(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	return completeList(word, preset.Names())
}

// completeBuiltIn completes a profile that is built in.
func completeBuiltIn(word string) (list []string, directive cobra.ShellCompDirective) {
	switch rest, ok := strings.CutPrefix(word, presetPrefix); {
	case ok:
		list, directive = completePresets(nil, nil, rest)
		for i := range list {
			list[i] = presetPrefix + list[i]
		}
	case word != "" && strings.HasPrefix(dockerDefault, word):
		list = []string{dockerDefault}
	case word != "" && strings.HasPrefix(presetPrefix, word):
		list, directive = []string{presetPrefix}, cobra.ShellCompDirectiveNoSpace
	}
	return list, directive
}

// builtIn returns the profile that an argument names. Several presets are all under one
// that allows everything.
func builtIn(arg string) (*input, error) {
	if arg == dockerDefault {
		return newPreset(dockerDefault, "docker")
	}
	list, err := presetInputs(strings.TrimPrefix(arg, presetPrefix))
	if err != nil {
		return nil, err
	}
	if len(list) == 1 {
		return list[0], nil
	}
	in := newInput(arg, arg, []byte(`{"defaultAction": "SCMP_ACT_ALLOW"}`))
	in.presets = list
	return in, nil
}

// presetInputs returns the presets of a list with commas.
func presetInputs(names string) (list []*input, err error) {
	for name := range strings.SplitSeq(names, ",") {
		in, err := newPreset(presetPrefix+name, name)
		if err != nil {
			return nil, err
		}
		list = append(list, in)
	}
	return list, nil
}

func newPreset(as, name string) (*input, error) {
	data, err := preset.Profile(name)
	if err != nil {
		known := preset.Names()
		bare := slices.DeleteFunc(slices.Clone(known), func(n string) bool { return strings.ContainsAny(n, "@+") })
		return nil, usagef("unknown preset %q", name).
			hintNearest(name, known, "the presets are "+strings.Join(bare, ", ")+"; some have releases and features, as docker@28.3.3 and flatpak+devel")
	}
	return newInput(as, as, data), nil
}

// readUnder reads the profile that an argument names, under presets. Without the argument
// they hold alone.
func (a *app) readUnder(presets []string, arg string) (*input, error) {
	if len(presets) == 0 {
		return a.read(arg)
	}
	names := strings.Join(presets, ",")
	if arg == "" {
		return builtIn(presetPrefix + names)
	}
	list, err := presetInputs(names)
	if err != nil {
		return nil, err
	}
	in, err := a.read(arg)
	if err != nil {
		return nil, err
	}
	in.presets = append(list, in.presets...)
	return in, nil
}

// text returns all that the profile is made of.
func (in *input) text() (all []byte) {
	for _, p := range in.presets {
		all = append(all, p.data...)
	}
	return append(all, in.data...)
}

// A stacked is the language of a profile under presets.
type stacked struct {
	language.Language
	presets []*input
	target  target
}

// under returns the language of an input, with its presets if it has some. Flags that say
// which language the profile is in do not count for them.
func (t *target) under(in *input, l language.Language) language.Language {
	if len(in.presets) == 0 {
		return l
	}
	own := *t
	own.languages, own.settings, own.root = nil, nil, ""
	return stacked{l, in.presets, own}
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
		lang, place, err := l.target.place(in)
		if err != nil {
			return all, err
		}
		reading, err := in.policy(lang, place)
		if err != nil {
			return all, err
		}
		p := reading.Policy
		everywhere(in.source, p)
		p.Pointer = in.name
		for i := range p.Rules {
			p.Rules[i].Pointer = in.name + p.Rules[i].Pointer
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
