package spo

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// Write returns a SeccompProfile for the ABIs of a resolved policy, with the name that Object
// is, or converted. It means what r does as far as a profile can say that: the error,
// [policy.Errors], has the place and the reason of each rule that has no words. What a profile
// means for numbers that are not calls, and for other ABIs than r's, cannot be chosen: compare
// the two with package proof.
func (l Language) Write(p *policy.Policy, r *policy.Resolved) ([]byte, error) {
	out, err := listing.Profile(p, r)
	if err != nil {
		return nil, err
	}
	text, err := Write(out, cmp.Or(l.Object, "converted"))
	if err != nil {
		return nil, err
	}
	return append([]byte("# For "+listing.Names(out.ABIs)+".\n"), text...), nil
}

// Write returns a policy as it is, as the YAML of a SeccompProfile of API version v1 with a
// name, or NAMESPACE/NAME.
// Reading it gives the policy again, except for pointers and comments. The error,
// [policy.Errors], has all that such a profile cannot say.
func Write(p *policy.Policy, name string) ([]byte, error) {
	s, err := oci.Spec(p)
	if err != nil {
		return nil, err
	}
	w := writer{}
	if s.DefaultErrnoRet != nil && *s.DefaultErrnoRet != 1 {
		w.fail("", "a SeccompProfile has no error for the default action: it is EPERM")
	}
	w.line("apiVersion: security-profiles-operator.x-k8s.io/v1")
	w.line("kind: SeccompProfile")
	w.line("metadata:")
	if namespace, rest, ok := strings.Cut(name, "/"); ok {
		w.line("  namespace: %s", quote(namespace))
		name = rest
	}
	w.line("  name: %s", quote(name))
	w.line("spec:")
	w.line("  defaultAction: %s", s.DefaultAction)
	w.list("  architectures", s.Architectures)
	for _, a := range s.Architectures {
		if !slices.Contains(architectures(), string(a)) {
			w.fail("", "a SeccompProfile cannot name the architecture "+string(a))
		}
	}
	if len(s.Flags) > 0 {
		w.line("  flags:")
		for _, f := range s.Flags {
			w.line("    - %s", f)
		}
	}
	if s.ListenerPath != "" {
		if !isSocket(s.ListenerPath) {
			w.fail("", "a SeccompProfile cannot say the listener's path "+strconv.Quote(s.ListenerPath)+": it takes sockets in /var/run/security-profiles-operator alone")
		}
		w.line("  listenerPath: %s", quote(s.ListenerPath))
	}
	if s.ListenerMetadata != "" {
		w.line("  listenerMetadata: %s", quote(s.ListenerMetadata))
	}
	if len(s.Syscalls) > 0 {
		w.line("  syscalls:")
	}
	for i := range s.Syscalls {
		w.rule(&s.Syscalls[i], p.Rules[i].Pointer)
	}
	if len(w.problems) > 0 {
		return nil, w.problems
	}
	return []byte(w.text.String()), nil
}

type writer struct {
	text     strings.Builder
	problems policy.Errors
}

func (w *writer) fail(place, reason string) {
	w.problems = append(w.problems, &policy.Error{Kind: policy.Invalid, Pointer: place, Reason: reason})
}

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.text, format+"\n", args...) }

func (w *writer) list(key string, names []specs.Arch) {
	if len(names) == 0 {
		return
	}
	w.line("%s:", key)
	for _, n := range names {
		w.line("    - %s", n)
	}
}

func (w *writer) rule(s *specs.LinuxSyscall, place string) {
	if len(s.Names) == 0 {
		w.fail(place, "a SeccompProfile has no rules without a name")
	}
	w.line("    - action: %s", s.Action)
	if s.ErrnoRet != nil {
		if *s.ErrnoRet == 0 || *s.ErrnoRet > 4095 {
			w.fail(place, fmt.Sprintf("a SeccompProfile cannot say the error %d: its errors are 1 to 4095", *s.ErrnoRet))
		}
		w.line("      errnoRet: %d", *s.ErrnoRet)
	}
	w.line("      names:")
	for _, n := range s.Names {
		w.line("        - %s", quote(n))
	}
	if len(s.Args) > 0 {
		w.line("      args:")
	}
	if len(s.Args) > 6 {
		w.fail(place, "a SeccompProfile has at most six conditions in a rule")
	}
	for _, a := range s.Args {
		w.line("        - index: %d", a.Index)
		w.line("          op: %s", a.Op)
		w.line("          value: %d", a.Value)
		if a.ValueTwo != 0 {
			w.line("          valueTwo: %d", a.ValueTwo)
		}
		if a.Value > math.MaxInt64 || a.ValueTwo > math.MaxInt64 {
			w.fail(place, "a SeccompProfile cannot say values of 2^63 and above")
		}
	}
}

// quote writes text so that every reader of YAML takes it for text.
func quote(s string) string {
	plain := len(s) > 1 && !slices.Contains([]string{"yes", "no", "on", "off", "true", "false", "null"}, strings.ToLower(s)) && 'a' <= s[0] && s[0] <= 'z'
	for i := range len(s) {
		c := s[i]
		plain = plain && (c == '_' || c == '-' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z')
	}
	if plain {
		return s
	}
	return strconv.QuoteToASCII(s)
}
