package main

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/convert"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/language"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// recordFormats are what a recording can be written as.
func recordFormats() []string {
	return append([]string{string(ocijson.OCI)}, slices.DeleteFunc(intake.LanguageVersions(), func(name string) bool { return !strings.HasPrefix(name, "systemd") })...)
}

// checkFormat refuses what does not go together with a list of names for systemd.
func (r *recordFlags) checkFormat() error {
	if r.format == string(ocijson.OCI) {
		return nil
	}
	if known := recordFormats(); !slices.Contains(known, r.format) {
		return failure.Usagef("record: -f: unknown format %q (known: %s)", r.format, strings.Join(known, ", ")).HintNearest(r.format, known, "")
	}
	info, err := os.Stat(r.path)
	switch {
	case r.base != "" || r.args || r.agent.wanted():
		return failure.Usagef("record: -f %s is a list of the calls of one program, without --base, --args and --agent", r.format)
	case err == nil && info.Mode().IsRegular() && info.Size() > 0:
		return failure.Usagef("record: %s exists, and record cannot add to a unit", failure.Shown(r.path)).Hintf("name another file with -o")
	}
	return nil
}

// text returns a recorded profile in the format that -f names.
func (a *app) text(r *recordRun, p *policy.Policy) ([]byte, error) {
	if r.format == string(ocijson.OCI) {
		text, err := ocijson.Print(p)
		return []byte(text), err
	}
	to, err := languageTo(r.format, nil)
	if err != nil {
		return nil, err
	}
	return a.unit(to, r.format, p)
}

// unit returns a drop-in for systemd that allows the calls of a recorded profile by name,
// whatever their arguments are.
func (a *app) unit(to convert.Language, name string, p *policy.Policy) ([]byte, error) {
	names, tested := make(map[string]bool), make(map[string]bool)
	for i := range p.Rules {
		for _, call := range p.Rules[i].Names {
			if p.Rules[i].Action == cbpf.Allow {
				names[call] = true
				tested[call] = len(p.Rules[i].Args) > 0
			}
		}
	}
	maps.DeleteFunc(tested, func(_ string, yes bool) bool { return !yes })
	if names["clone"] { // its flags cannot be restricted either
		names["clone3"] = true
	}
	unknown, err := unknownTo(to, slices.Sorted(maps.Keys(names)))
	if err != nil {
		return nil, err
	}
	for _, call := range unknown {
		a.warnf("record: %s cannot allow %s: its libseccomp does not know the call", name, call)
		delete(names, call)
	}
	implied, err := passing(to, p, "@default")
	if err != nil {
		return nil, err
	}
	implied = slices.DeleteFunc(implied, func(call string) bool { return names[call] })
	list := &policy.Policy{Default: cbpf.ErrnoClass, NoBound: true, ABIs: p.ABIs, Rules: []policy.Rule{
		{Names: append(slices.Sorted(maps.Keys(names)), implied...), Action: cbpf.Allow},
	}}
	resolved, _, err := policy.Resolve(list, policy.Options{ABIs: p.ABIs})
	if err != nil {
		return nil, err
	}
	comment := "Recorded by seccompile." +
		listed("Arguments are not restricted, because lists of systemd's have no conditions:", slices.Sorted(maps.Keys(tested))) +
		listed("Not recorded, but systemd allows them with every such list:", implied)
	result, err := convert.Convert(&convert.Request{
		Policy: list, Resolved: resolved, To: to, Name: name, Comment: comment, ButFor: convert.Exceptions(),
	})
	if err != nil {
		return nil, err
	}
	return result.Text, nil
}

// listed returns lines about some calls, none if there are none.
func listed(about string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	text, line := "\n"+about, " "
	for _, name := range names {
		if len(line)+len(name) > 96 {
			text, line = text+"\n"+line, " "
		}
		line += " " + name
	}
	return text + "\n" + line
}

// unknownTo returns those of some calls that lists of a version of systemd cannot name.
func unknownTo(l language.Language, names []string) (unknown []string, err error) {
	text := "[Service]\n"
	for _, call := range names {
		text += "SystemCallFilter=" + call + "\n"
	}
	reading, err := l.Read(language.NewSource([]byte(text)), policy.Target{})
	for _, w := range reading.Warnings {
		if w.Kind == policy.UnknownName {
			unknown = append(unknown, names[w.Line-2])
		}
	}
	return unknown, err
}

// passing returns the calls on a policy's ABIs that a list with one word allows.
func passing(l language.Language, p *policy.Policy, word string) (names []string, err error) {
	reading, err := l.Read(language.NewSource([]byte("[Service]\nSystemCallFilter="+word+"\n")), policy.Target{ABI: intake.MainABI(p.ABIs)})
	if err != nil {
		return nil, err
	}
	resolved, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: p.ABIs})
	if err != nil {
		return nil, err
	}
	for _, abi := range p.ABIs {
		for nr, call := range syscalltables.All(abi) {
			if resolved.Eval(&cbpf.Data{Arch: abi.Audit(), NR: nr}) == cbpf.Allow {
				names = append(names, call.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
