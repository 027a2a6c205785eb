package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/firecracker"
	"github.com/seccompile/seccompile/language/kubernetes"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/language/spo"
	"github.com/seccompile/seccompile/language/yaml"
)

// tongue returns the language of an input: OCI's for JSON, the one that --language names, or
// the one that the input certainly is written in. Everything else is for OCI's reader, which says what
// is wrong with it.
func (t *target) tongue(in *input) (language.Language, error) {
	var name string
	var err error
	switch len(t.languages) {
	case 0:
		name, err = sniffLanguage(in)
	case 1:
		name = t.languages[0]
	default:
		err = usagef("--language: expected one, got %s", strings.Join(t.languages, " and "))
	}
	if err != nil {
		return nil, err
	}
	if name == "" {
		if len(t.settings) > 0 {
			return nil, usagef("--set: settings are those of a language other than OCI's").hintf("name it with --language")
		}
		return in.profileLanguage(""), nil
	}
	x, lang, err := languageNamed("--language", name, "--set", t.settings)
	if err != nil {
		return nil, err
	}
	if l, ok := lang.(ocijson.Language); ok {
		return in.profileLanguage(l.Format), nil
	}
	if _, err := in.source.JSON(); err == nil && (in.yaml || isObject(in.data)) && (!x.json || ocijson.Detect(in.source) != "") {
		return ocijson.Language{}, nil // JSON is a profile in none of the others, so that they can be compared with one
	}
	return lang, nil
}

// isObject reports whether JSON is an object, as profiles are. A number is a line of LXC's.
func isObject(json []byte) bool {
	return bytes.HasPrefix(trimmed(json), []byte("{"))
}

// isUnit reports whether a text has the beginning of a section that only units of systemd
// have.
func isUnit(text []byte) bool {
	return regexp.MustCompile(`(?m)^\[(Unit|Service|Socket|Mount|Swap)\]\s*$`).Match(text)
}

// profileLanguage returns the language of a profile in a format of OCI's, Docker's or Podman's.
// A text that looks like YAML and has none of their keys, or mistakes, is for YAML's reader.
func (in *input) profileLanguage(f ocijson.Format) language.Language {
	l := ocijson.Language{Format: f}
	if _, err := in.source.JSON(); err != nil && isYAML(in.data) {
		return yaml.Language{Of: l}
	}
	return l
}

// isYAML reports whether a text has a line of YAML that a profile or an object of Kubernetes
// has.
func isYAML(text []byte) bool {
	text = trimmed(text)
	json := bytes.HasPrefix(text, []byte("{")) && !bytes.HasPrefix(text, []byte("{{")) // a template of YAML
	return !json && regexp.MustCompile(`(?m)^["']?(apiVersion|kind|defaultAction|syscalls|linux)["']?\s*:`).Match(text)
}

// sniffObjects returns the language of a text with objects of Kubernetes, "" if there are none
// that have to do with profiles.
func sniffObjects(in *input) (string, error) {
	if !bytes.Contains(in.data, []byte("apiVersion")) {
		return "", nil
	}
	profiles, pods := spo.Is(in.source), kubernetes.Is(in.source)
	switch {
	case profiles && pods:
		return "", usagef("%s: it has both profiles and Pods", in.name).hintf("say what to read: --language spo or --language kubernetes")
	case profiles:
		return "spo", nil
	case pods:
		return "kubernetes", nil
	}
	return "", nil
}

// isKafel reports whether a text has the beginning of a policy with a name, which only Kafel
// has.
func isKafel(text []byte) bool {
	return regexp.MustCompile(`(?m)^\s*POLICY\s+[A-Za-z]\w*\s*\{`).Match(text)
}

// isSecurityTag reports whether a file has the name that snapd gives to the policy of an
// application or hook.
func isSecurityTag(name string) bool {
	return strings.HasPrefix(name, "snap.") && strings.HasSuffix(name, ".src")
}

// isLXC reports whether a text begins as only policies of LXC and Incus do.
func isLXC(text []byte) bool {
	return regexp.MustCompile(`^[12]\s*\n(deny|allow|black|white)list`).Match(text)
}

// isBeats reports whether a text has, below a key seccomp, keys that only policies of Beats
// have.
func isBeats(text []byte) bool {
	return regexp.MustCompile(`(?m)^seccomp:\s*(#.*)?$`).Match(text) && regexp.MustCompile(`(?m)^\s[\s-]*(default_action|names_with_args):`).Match(text)
}

// isFirejail reports whether a text has the line that profiles of firejail begin with, those
// that come with it and those that it makes.
func isFirejail(text []byte) bool {
	return regexp.MustCompile(`(?m)^include (/etc/firejail/)?globals\.local\s*$`).Match(text)
}

// sniffLanguage returns the language that an input is certainly written in, "" for JSON and
// whatever else. No text at all is a policy in a language that has a name.
func sniffLanguage(in *input) (string, error) {
	text := trimmed(in.data)
	switch {
	case bytes.HasPrefix(text, []byte("{")) && firecracker.Detect(in.source):
		return "firecracker", nil
	case bytes.HasPrefix(text, []byte("{")), isYAML(text):
		return sniffObjects(in)
	case isBeats(text):
		return "beats", nil
	case isUnit(text):
		return "systemd", nil
	case isKafel(text):
		return "kafel", nil
	case isSecurityTag(filepath.Base(in.path)):
		return "snap", nil
	case isLXC(text):
		return "lxc", nil
	case isFirejail(text):
		return "firejail", nil
	case filepath.Ext(in.path) == ".policy":
		return "", usagef("%s: it looks like a policy of minijail, which has two dialects that disagree", in.name).
			hintf("name the one that it is written for: --language minijail-python (compile_seccomp_policy.py) or --language minijail-c (minijail0 -S)")
	case len(text) == 0:
		return "", in.unknown()
	}
	return "", nil
}
