// Package beats reads and writes the seccomp policies of Elastic's Beats, which are those of
// github.com/elastic/go-seccomp-bpf, in YAML. Start with a [Language].
package beats

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/keyed"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/yaml"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Language reads policies of Beats. It implements [language.Language]. The zero value
// reads them as go-seccomp-bpf does.
type Language struct {
	// AsWritten tries calls in the order of the policy, whatever go-seccomp-bpf does behind
	// one whose conditions fail.
	AsWritten bool
}

// Read reads the policy below the key seccomp, for the ABI of the target, which must be one
// that go-seccomp-bpf has calls of: x86_64, x86, arm or aarch64; nothing else of the target
// counts. It refuses what go-seccomp-bpf refuses. The error is [policy.Errors].
func (l Language) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	doc, err := s.JSON()
	if err != nil {
		if doc, err = fromYAML(s); err != nil {
			return language.Reading{}, err
		}
	}
	r := &reader{Reader: keyed.New(doc), Language: l, source: s, abi: t.ABI}
	if r.abi == 0 {
		r.abi = arch.Native()
	}
	if !slices.Contains(known(), r.abi) {
		return language.Reading{}, policy.Errors{{Kind: policy.Invalid, Reason: r.abi.String() + ": go-seccomp-bpf has no calls of it (read the policy for x86_64, x86, arm or aarch64)"}}
	}
	p := r.file(doc.Root())
	if !r.Failed() {
		r.decide(p, doc)
	}
	reading := language.Reading{}
	if reading.Warnings, err = r.Report(); err != nil {
		return reading, err
	}
	reading.Policy = p
	return reading, nil
}

func fromYAML(s *language.Source) (*document.Document, error) {
	y, err := yaml.NewSource(s.Data())
	if err != nil {
		return nil, err
	}
	return y.JSON()
}

// A reader is one run of Read.
type reader struct {
	*keyed.Reader
	Language
	source  *language.Source
	abi     arch.ABI
	entries []entry // of all groups
}

// An entry is a call of a group.
type entry struct {
	at     document.Value // its name
	name   string
	nr     uint32
	lists  [][]test // of which one must hold; none if the entry is for all such calls
	action cbpf.Action
}

// file reads a configuration, of which only the key seccomp counts.
func (r *reader) file(root document.Value) *policy.Policy {
	const cure = "write the key seccomp, and below it default_action and syscalls"
	if !r.Expect(root, document.Object, cure) {
		return nil
	}
	var found, near document.Value
	for key, val := range r.Members(root) {
		name := key.Text()
		switch {
		case name == "seccomp" && found.Exists():
			r.Fail(key, "the key is given twice (remove one)")
		case name == "seccomp":
			found = val
		case strings.HasPrefix(name, "seccomp."):
			r.Fail(key, unknown.Quote(name)+": only Beats take a key with dots, and other users of go-seccomp-bpf ignore it (write seccomp: and the rest below it)")
		case unknown.Nearest(name, []string{"seccomp"}) != "":
			near = key
		}
	}
	switch {
	case found.Present():
		return r.policy(found)
	case near.Exists():
		r.Fail(near, unknown.Quote(near.Text())+": unknown key, and there is no policy (did you mean seccomp?)")
	default:
		r.Fail(root, "there is no policy ("+cure+")")
	}
	return nil
}

// policy reads a policy. Its groups are tried in order; all calls of a group get one action.
func (r *reader) policy(v document.Value) *policy.Policy {
	m, ok := r.Object(v, "default_action", "syscalls", "enabled")
	if !ok {
		return nil
	}
	p := &policy.Policy{Order: policy.FirstMatch, ABIs: []arch.ABI{r.abi}, Default: cbpf.KillThread}
	if a := m.Get("default_action"); a.Exists() {
		p.Default, p.DefaultErrno = parts(r.action(a))
	} else {
		r.Warn(v, policy.Ignored, "there is no default_action, so the thread is killed at calls that no group has (write default_action: kill_thread if that is right)")
	}
	if on := m.Get("enabled"); on.Kind() == document.False {
		r.Fail(on, "the policy is not enabled, so there is no filter (write true, or remove the key)")
	} else if on.Exists() {
		r.Expect(on, document.True, "write true, or remove the key")
	}
	p.Elsewhere = p.Default
	if p.DefaultErrno != nil {
		p.Elsewhere |= cbpf.Action(*p.DefaultErrno)
	}
	if r.abi == arch.X86_64 {
		enosys, _ := r.abi.Errno("ENOSYS")
		x32 := cbpf.Errno(enosys)
		p.X32 = &x32
	}
	groups, ok := m.Need("syscalls", "write a list of groups")
	if !ok || !r.Expect(groups, document.Array, "write a list of groups, each with a dash") {
		return p
	}
	some := false
	for _, elem := range r.Elements(groups) {
		some = true
		r.group(elem)
	}
	if !some {
		r.Fail(groups, "there is no group (write one at least)")
	}
	return p
}

// group reads calls that get one action. One that is there several times with conditions is
// one entry.
func (r *reader) group(v document.Value) {
	m, ok := r.Object(v, "names", "names_with_args", "action")
	if !ok {
		return
	}
	var action cbpf.Action
	if a, ok := m.Need("action", "say what the calls get"); ok {
		action = r.action(a)
	}
	index := make(map[uint32]int) // of the entries of the group
	add := func(e entry) {
		e.action = action
		index[e.nr] = len(r.entries)
		r.entries = append(r.entries, e)
	}
	names, conditional := r.list(m.Get("names"), "the name of a call"), r.list(m.Get("names_with_args"), "a call with its arguments")
	for _, at := range names {
		if e, ok := r.call(at); ok {
			if _, twice := index[e.nr]; twice {
				r.Fail(at, unknown.Quote(e.name)+": the group has the call already (remove one)")
			}
			add(e)
		}
	}
	for _, elem := range conditional {
		e, ok := r.conditional(elem)
		if !ok {
			continue
		}
		i, before := index[e.nr]
		switch {
		case !before:
			add(e)
		case r.entries[i].lists == nil:
			r.Fail(e.at, unknown.Quote(e.name)+": the group has the call without conditions already (remove one)")
		default:
			r.entries[i].lists = append(r.entries[i].lists, e.lists...)
		}
	}
	if len(names)+len(conditional) == 0 {
		r.Warn(v, policy.NoNames, "the group names no call, so it has no effect")
	}
}

// list returns the elements of a list, or the one value that stands for such a list.
func (r *reader) list(v document.Value, what string) (list []document.Value) {
	switch v.Kind() {
	case 0:
	case document.Array:
		for _, elem := range r.Elements(v) {
			list = append(list, elem)
		}
	case document.Object:
		r.Expect(v, document.Array, "write a list, each "+what+" with a dash")
	default:
		list = append(list, v)
	}
	return list
}

// call reads the name of a call. All must exist.
func (r *reader) call(v document.Value) (e entry, ok bool) {
	name, ok := r.Text(v, "write the name of a call")
	if !ok {
		return e, false
	}
	call, exists := syscalltables.Lookup(name)
	if !exists {
		cure := " (remove it)"
		if near := syscalltables.Nearest(name); near != "" {
			cure = unknown.DidYouMean(near)
		}
		r.Fail(v, unknown.Quote(name)+": Linux has no such call"+cure)
		return e, false
	}
	nr, here := call.Number(r.abi)
	if !here {
		r.Fail(v, unknown.Quote(name)+": "+r.abi.String()+" has no such call (leave it out, in a policy for each ABI)")
	}
	return entry{at: v, name: name, nr: nr}, here
}
