package intake

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/seccompile/seccompile/internal/failure"
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
func (t *Target) tongue(in *Input) (language.Language, error) {
	var name string
	var err error
	switch len(t.Languages) {
	case 0:
		name, err = SniffLanguage(in)
	case 1:
		name = t.Languages[0]
	default:
		err = failure.Usagef("--language: expected one, got %s", strings.Join(t.Languages, " and "))
	}
	if err != nil {
		return nil, err
	}
	if name == "" {
		if len(t.Settings) > 0 {
			return nil, failure.Usagef("--set: settings are those of a language other than OCI's").Hintf("name it with --language")
		}
		return in.profileLanguage(""), nil
	}
	x, lang, err := tongueNamed("--language", name, "--set", t.Settings)
	if err != nil {
		return nil, err
	}
	if l, ok := lang.(ocijson.Language); ok {
		return in.profileLanguage(l.Format), nil
	}
	if _, err := in.Source.JSON(); err == nil && (in.YAML || IsObject(in.Data)) && (!x.json || ocijson.Detect(in.Source) != "") {
		return ocijson.Language{}, nil // JSON is a profile in none of the others, so that they can be compared with one
	}
	return lang, nil
}

// IsObject reports whether JSON is an object, as profiles are. A number is a line of LXC's.
func IsObject(json []byte) bool {
	return bytes.HasPrefix(trimmed(json), []byte("{"))
}

// isUnit reports whether a text has the beginning of a section that only units of systemd
// have.
func isUnit(text []byte) bool {
	return regexp.MustCompile(`(?m)^\[(Unit|Service|Socket|Mount|Swap)\]\s*$`).Match(text)
}

// profileLanguage returns the language of a profile in a format of OCI's, Docker's or Podman's.
// A text that looks like YAML and has none of their keys, or mistakes, is for YAML's reader.
func (in *Input) profileLanguage(f ocijson.Format) language.Language {
	l := ocijson.Language{Format: f}
	if _, err := in.Source.JSON(); err != nil && isYAML(in.Data) {
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
func sniffObjects(in *Input) (string, error) {
	if !bytes.Contains(in.Data, []byte("apiVersion")) {
		return "", nil
	}
	profiles, pods := spo.Is(in.Source), kubernetes.Is(in.Source)
	switch {
	case profiles && pods:
		return "", failure.Usagef("%s: it has both profiles and Pods", in.Name).Hintf("say what to read: --language spo or --language kubernetes")
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

// SniffLanguage returns the language that an input is certainly written in, "" for JSON and
// whatever else. No text at all is a policy in a language that has a name.
func SniffLanguage(in *Input) (string, error) {
	text := trimmed(in.Data)
	switch {
	case bytes.HasPrefix(text, []byte("{")) && firecracker.Detect(in.Source):
		return "firecracker", nil
	case bytes.HasPrefix(text, []byte("{")), isYAML(text):
		return sniffObjects(in)
	case isBeats(text):
		return "beats", nil
	case isUnit(text):
		return "systemd", nil
	case isKafel(text):
		return "kafel", nil
	case isSecurityTag(filepath.Base(in.Path)):
		return "snap", nil
	case isLXC(text):
		return "lxc", nil
	case isFirejail(text):
		return "firejail", nil
	case filepath.Ext(in.Path) == ".policy":
		return "", failure.Usagef("%s: it looks like a policy of minijail, which has two dialects that disagree", in.Name).
			Hintf("name the one that it is written for: --language minijail-python (compile_seccomp_policy.py) or --language minijail-c (minijail0 -S)")
	case len(text) == 0:
		return "", in.Unknown()
	}
	return "", nil
}
