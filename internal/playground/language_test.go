package playground

import (
	"slices"
	"strings"
	"testing"
)

// A text that may be in several languages is refused with their names, for a button each, and
// with the titles that the page has for them.
func TestLanguagesToChoose(t *testing.T) {
	both := "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c}]}\n---\n" +
		"apiVersion: security-profiles-operator.x-k8s.io/v1beta1\nkind: SeccompProfile\nmetadata: {name: a}\nspec: {defaultAction: SCMP_ACT_ERRNO}\n"
	for _, test := range []struct {
		source    Source
		languages []string
		hint      string
	}{
		{Source{Text: "read: 1", Name: "a.policy"}, []string{"minijail-python", "minijail-c"}, "minijail (minijail0 -S)"},
		{Source{Text: both, Name: "a.yaml"}, []string{"spo", "kubernetes"}, "Kubernetes Pod"},
	} {
		f := failureOf(t, New(""), "read", Subject{test.source, Target{ABIs: []string{"x86_64"}}})
		if !slices.Equal(f.Languages, test.languages) || !strings.Contains(f.Hint, test.hint) || strings.Contains(f.Hint, "--") {
			t.Errorf("%s: %v (%q)", test.source.Name, f.Languages, f.Hint)
		}
		for _, name := range f.Languages {
			test.source.Language = name
			if name == "kubernetes" {
				continue // which container is another question
			}
			if r := answered[Reading](t, New(""), "read", Subject{test.source, Target{ABIs: []string{"x86_64"}}}); !r.Good {
				t.Errorf("%s in %s: %v", test.source.Name, name, r.Findings)
			}
		}
	}
}

// Of a text in no language that is detected, the page says where to name one.
func TestLanguageNotDetected(t *testing.T) {
	for _, text := range []string{"read\nwrite - 1\n", "# Title\n\nsome: text\n", "read: yes\n"} {
		r := answered[Reading](t, New(""), "read", Subject{Source{Text: text}, Target{ABIs: []string{"x86_64"}}})
		if r.Good || len(r.Findings) != 1 || !strings.Contains(r.Findings[0].Fix, "under Language") {
			t.Errorf("%q: %v", text, r.Findings)
		}
	}
}

// The page has no field for some flags: it says that they are the command's.
func TestFlagsOfTheCommand(t *testing.T) {
	if text, names := languagesIn("raise the limits of the proof with --patience"); text != "raise the limits of the proof with the command's --patience" || names != nil {
		t.Errorf("%q %v", text, names)
	}
}
