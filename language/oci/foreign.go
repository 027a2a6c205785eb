package oci

import (
	"bytes"
	"errors"
	"strings"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// foreign says what a document without the keys of a profile is, and which value shows
// it: the profile inside it, or the name of the profile's file.
func foreign(root document.Value) (at document.Value, reason string) {
	what, cure := title(root)
	is := "the document is " + what + ", not a seccomp profile"
	if what == "" {
		what, is = "the document", "the document has no key of a seccomp profile"
	}
	if v := search(root, isProfile); v.Exists() {
		return v, "a profile inside " + what + " (make it a file of its own)"
	}
	if v := search(root, quotesProfile); v.Exists() {
		return v, "a profile in quotes inside " + what + " (make it a file of its own)"
	}
	if v := search(root, namesProfile).Member(localhostProfile); v.Exists() {
		return v, is + " (" + profileOnNode(v.Text()) + ")"
	}
	return root, is + " (" + cure + ")"
}

// localhostProfile is the key in which Kubernetes names the file of a profile.
const localhostProfile = "localhostProfile"

func profileOnNode(name string) string {
	return "its profile is " + unknown.Quote(name) + " in the kubelet's directory seccomp on the node"
}

// title names what a document is instead of a profile, "" if it knows no name, and says
// what to do about it.
func title(root document.Value) (what, cure string) {
	const expected = "expected an object with a defaultAction, or a config.json"
	switch root.Kind() {
	case document.Object:
	case document.Array:
		for _, v := range root.Elements() {
			switch {
			case v.Kind() == document.String:
				return "a list of strings", "put names of calls into names of a rule"
			case v.Member("names").Exists() || v.Member("name").Exists() && v.Member("action").Exists():
				return "a list of rules", "put it into syscalls of an object with a defaultAction"
			}
		}
		return "a list", expected
	default:
		return root.Kind().String(), expected
	}
	if kind := root.Member("kind"); kind.Kind() == document.String && root.Member("apiVersion").Exists() {
		return "a Kubernetes object of kind " + unknown.Quote(kind.Text()), expected
	}
	if search(root, isFirecracker).Exists() {
		return "a filter for Firecracker", "package language/firecracker reads it, and so does the command with --language firecracker"
	}
	if root.Member("$schema").Exists() || root.Member("properties").Exists() || root.Member("definitions").Exists() {
		return "a JSON schema", "expected a profile that follows it"
	}
	return "", expected
}

// search returns the first value, v or one inside it, of which is holds.
func search(v document.Value, is func(document.Value) bool) document.Value {
	if is(v) {
		return v
	}
	for _, elem := range v.Elements() {
		if found := search(elem, is); found.Exists() {
			return found
		}
	}
	for _, val := range v.Members() {
		if found := search(val, is); found.Exists() {
			return found
		}
	}
	return document.Value{}
}

func isProfile(v document.Value) bool {
	return v.Member("defaultAction").Kind() == document.String
}

// quotesProfile reports whether a string holds a profile, as docker inspect shows it.
func quotesProfile(v document.Value) bool {
	return v.Kind() == document.String && strings.Contains(v.Text(), `"defaultAction"`)
}

func isFirecracker(v document.Value) bool {
	return v.Member("default_action").Exists() && v.Member("filter").Kind() == document.Array
}

func namesProfile(v document.Value) bool {
	return v.Member(localhostProfile).Kind() == document.String
}

// namedYAML adds to the problem of a text that is not JSON which object of Kubernetes it
// is, judged by the lines of its usual layout.
func namedYAML(text []byte, err error) error {
	var problems policy.Errors
	if !errors.As(err, &problems) || !strings.HasPrefix(problems[0].Reason, "YAML") {
		return err
	}
	var version, kind, file string
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(string(line), ":")
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		switch {
		case key == "apiVersion" && version == "":
			version = value
		case key == "kind" && kind == "":
			kind = value
		case strings.TrimLeft(key, " -") == localhostProfile && file == "":
			file = value
		}
	}
	if version == "" || kind == "" {
		return err
	}
	p := *problems[0]
	p.Reason = "YAML of a Kubernetes object of kind " + unknown.Quote(kind)
	switch {
	case file != "":
		p.Reason += ", not a profile (" + profileOnNode(file) + ")"
	case kind == "SeccompProfile":
		p.Reason += " (package language/spo reads it, and so does the command)"
	default:
		p.Reason += ", not a profile (expected JSON: an object with a defaultAction)"
	}
	return policy.Errors{&p}
}
