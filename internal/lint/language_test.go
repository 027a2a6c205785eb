package lint

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/beats"
	"github.com/seccompile/seccompile/policy"
)

// What the reader of another language says keeps its place; nothing is said by OCI's rules,
// neither of the text nor of conditions.
func TestOtherLanguages(t *testing.T) {
	const text = `seccomp:
  default_action: errno
  syscalls:
  - action: allow
    names_with_args:
    - name: personality
      arguments:
      - {argument: 0, operation: GreaterThan, value: 2}
      - {argument: 0, operation: LessThan, value: 9}
    - name: ptrace
      arguments: [{argument: 0, operation: Equal}]
`
	const want = `11:19 /seccomp/syscalls/0/names_with_args/1/arguments/0 ignored`
	for _, consumer := range []Consumer{0, Crun, Kubernetes, Youki06} {
		o := Options{For: consumer, NoStart: true, Language: beats.Language{AsWritten: true}, Target: policy.Target{ABI: arch.X86_64}}
		o.Resolve.ABIs = []arch.ABI{arch.X86_64}
		var got []string
		for _, f := range Check(language.NewSource([]byte(text)), o).Findings {
			if f.Severity > Note && f.ID != "runtime-start" && f.ID != "no-enosys" {
				got = append(got, fmt.Sprintf("%d:%d %s %s", f.Line, f.Column, f.Pointer, f.ID))
			}
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%v: got %q, want %q", consumer, got, want)
		}
	}
}

// The rules of older policies count, each place once.
func TestOlderPolicies(t *testing.T) {
	rule := func(place string) policy.Rule {
		return policy.Rule{Names: []string{"read"}, Args: []policy.Arg{{Index: 5, Op: policy.Equal, Value: 5}}, Action: cbpf.Notify, Pointer: place}
	}
	notified := &policy.Policy{Default: cbpf.Allow, Rules: []policy.Rule{rule("1:1"), rule("2:1")}}
	again := &policy.Policy{Default: cbpf.Allow, Rules: []policy.Rule{rule("2:1")}}
	newest := policy.Policy{Default: cbpf.Allow, Older: []*policy.Policy{notified, again}}
	o := Options{For: Runc, NoStart: true, Language: written{&newest}, Target: policy.Target{ABI: arch.X86_64}}
	o.Resolve.ABIs = []arch.ABI{arch.X86_64}
	var got []string
	for _, f := range Check(language.NewSource([]byte("a\nb\n")), o).Findings {
		if slices.Contains([]string{"no-argument", "duplicate", "listener"}, f.ID) {
			got = append(got, f.Pointer+" "+f.ID)
		}
	}
	slices.Sort(got)
	if want := []string{"1:1 listener", "1:1 no-argument", "2:1 duplicate", "2:1 no-argument"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A written is a language of one policy, whatever its text.
type written struct{ policy *policy.Policy }

// Read implements [language.Language].
func (w written) Read(*language.Source, policy.Target) (language.Reading, error) {
	return language.Reading{Policy: w.policy}, nil
}
