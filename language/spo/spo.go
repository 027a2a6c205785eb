// Package spo reads and writes SeccompProfile objects of the Kubernetes Security Profiles
// Operator, in YAML or JSON. Start with [Language] and [Write].
package spo

import (
	"errors"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/kube"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// Language is the language of SeccompProfile objects, of all versions of their API
// (security-profiles-operator.x-k8s.io, and seccomp-operator.x-k8s.io before it), and of
// ConfigMaps with profiles, as the operator had them first.
type Language struct {
	// Object is the name of the profile in a text that has several, or NAMESPACE/NAME; the
	// name of a profile in a ConfigMap is its key. "" means that there is one profile. A
	// profile that is not in the text may be in a file beside it.
	Object string
}

// Read implements [language.Language]. A base profile is one of the same text, of a file
// NAME.yaml, of any other *.yaml, *.yml or *.json in the directory of the source, or, as
// oci://REFERENCE, in an OCI image layout that is this directory or one in it. Rules are
// merged as the operator does it: of two rules for a call the more permissive holds. Where
// that depends on conditions in a way that the operator does not keep exactly, Read refuses.
func (l Language) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	objects, err := kube.Objects(s)
	if err != nil {
		return language.Reading{}, err
	}
	r := &reader{source: s, target: t, own: profiles(objects)}
	p := r.choose(l.Object, objects)
	if p == nil {
		return language.Reading{}, r.problems
	}
	read := r.resolve(p)
	if len(r.problems) > 0 {
		return language.Reading{Warnings: r.warnings}, r.problems
	}
	return language.Reading{Policy: read, Warnings: r.warnings}, nil
}

// Is reports whether a text certainly has objects that Language reads.
func Is(s *language.Source) bool {
	objects, err := kube.Objects(s)
	return err == nil && slices.ContainsFunc(profiles(objects), func(p *profile) bool { return !p.configMap })
}

// A profile is one object, or one entry of a ConfigMap.
type profile struct {
	kube.Object
	spec      document.Value // or the string in a ConfigMap
	configMap bool
}

// isProfile reports whether an object is a profile in one of the operator's versions.
func isProfile(o *kube.Object) bool {
	group, _, _ := strings.Cut(o.APIVersion, "/")
	return o.Kind == "SeccompProfile" && (group == "security-profiles-operator.x-k8s.io" || group == "seccomp-operator.x-k8s.io")
}

// version returns the version of the operator's API.
func (p *profile) version() string {
	_, version, _ := strings.Cut(p.APIVersion, "/")
	return version
}

// profiles returns the profiles among objects.
func profiles(objects []kube.Object) (list []*profile) {
	for _, o := range objects {
		if isProfile(&o) {
			list = append(list, &profile{Object: o, spec: kube.Member(o.Root, "spec")})
		}
		if o.Kind != "ConfigMap" || o.APIVersion != "v1" {
			continue
		}
		for key, val := range kube.Member(o.Root, "data").Members() {
			if val.Kind() == document.String && oci.Detect(language.NewSource([]byte(val.Text()))) != "" {
				entry := &profile{Object: o, spec: val, configMap: true}
				entry.Name = key.Text()
				list = append(list, entry)
			}
		}
	}
	return list
}

// named reports whether a profile has a name, perhaps with its namespace.
func (p *profile) named(name string) bool {
	return name == p.Name || name == p.Namespace+"/"+p.Name
}

// A reader reads one profile and its bases.
type reader struct {
	source   *language.Source
	target   policy.Target
	own      []*profile // those of the text
	warnings []policy.Warning
	problems policy.Errors
}

// maxReports bounds the problems and the warnings.
const maxReports = 1000

func (r *reader) fail(place, reason string) {
	if len(r.problems) < maxReports {
		r.problems = append(r.problems, &policy.Error{Kind: policy.Invalid, Pointer: place, Reason: reason})
	}
}

func (r *reader) warn(k policy.WarningKind, place, message string) {
	if len(r.warnings) < maxReports {
		r.warnings = append(r.warnings, policy.Warning{Kind: k, Pointer: place, Message: message})
	}
}

// choose returns the profile to read, nil with a problem if that is not clear.
func (r *reader) choose(name string, objects []kube.Object) *profile {
	fits := r.own
	if name != "" {
		fits = slices.DeleteFunc(slices.Clone(r.own), func(p *profile) bool { return !p.named(name) })
	}
	var names []string
	for _, p := range r.own {
		names = append(names, p.Name)
	}
	switch {
	case len(fits) == 1:
		return fits[0]
	case len(fits) > 1:
		names = nil
		for _, p := range fits {
			names = append(names, strings.TrimPrefix(p.Namespace+"/"+p.Name, "/"))
		}
		r.fail(fits[1].Place(fits[1].Root), "a second profile: "+list(names)+" (name one: object=NAME)")
		return nil
	case name != "":
		if p := r.find(name, nil, r.source.Place(1, 1)); p != nil {
			return p
		}
		if near := unknown.Nearest(name, names); near != "" && len(r.problems) > 0 {
			r.problems[0].Reason += unknown.DidYouMean(near)
		}
		return nil
	case len(objects) > 0:
		o := &objects[0]
		r.fail(o.Place(o.Root), "a Kubernetes object of kind "+unknown.Quote(o.Kind)+", not a SeccompProfile"+group(o))
	default:
		r.fail(r.source.Place(1, 1), "not an object of Kubernetes (expected apiVersion, kind and spec of a SeccompProfile)")
	}
	return nil
}

// group says which group a SeccompProfile should be of.
func group(o *kube.Object) string {
	if o.Kind != "SeccompProfile" {
		return " (give the file that has the profile)"
	}
	return " of the Security Profiles Operator (expected an apiVersion like security-profiles-operator.x-k8s.io/v1)"
}

// list joins names for a message, the first ten of them.
func list(names []string) string {
	const most = 10
	if n := len(names); n > most {
		names = append(slices.Clone(names[:most]), "and more")
	}
	return strings.Join(names, ", ")
}

// read reads a profile without its base.
func (r *reader) read(p *profile) *policy.Policy {
	var reading language.Reading
	var err error
	if p.configMap {
		line, column := p.spec.Place()
		at := func(int, int) string { return p.Source.Place(line, column) }
		reading, err = kube.Profile(language.NewSource([]byte(p.spec.Text())), "", r.target, at)
	} else {
		c := checker{reader: r, profile: p, leave: map[document.Value]bool{}}
		if !c.check() {
			return nil
		}
		inner := p.spec.Extract(func(key, _ document.Value) bool { return c.leave[key] })
		reading, err = kube.Profile(language.NewSource(nil, inner), oci.OCI, r.target, p.Source.Place)
	}
	r.warnings = append(r.warnings, reading.Warnings...)
	var problems policy.Errors
	if errors.As(err, &problems) {
		r.problems = append(r.problems, problems...)
	}
	return reading.Policy
}
