package edit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// Settings are what a profile says of no call in particular. What is nil stays as it is.
type Settings struct {
	// Default is the action of calls that no rule decides, with its data. Calls that get the
	// old one by a rule keep it.
	Default *cbpf.Action
	// Flags are those of [cbpf.ProfileFlags] that the profile asks for.
	Flags []cbpf.Flag
	// ABIs are those that the profile is for. In a profile with an archMap, each must come
	// with the main ABI of its kernel.
	ABIs []arch.ABI
}

// set changes the settings of the profile, and proves that nothing else changes: it means
// what it would mean if it had been read with these settings.
func (e *editor) set(s *Settings) error {
	p := e.profile
	root := p.doc.Lookup(p.at)
	o := object{of: root}
	if s.Default != nil {
		spec, err := oci.Spec(&policy.Policy{Default: s.Default.Class()})
		if err != nil {
			return err
		}
		o.put("defaultAction", strconv.Quote(string(spec.DefaultAction)))
		o.drop("defaultErrno")
		if class := s.Default.Class(); class == cbpf.ErrnoClass || class == cbpf.TraceClass {
			o.put("defaultErrnoRet", strconv.Itoa(int(s.Default.Data())))
		} else {
			o.drop("defaultErrnoRet")
		}
	}
	if s.Flags != nil {
		o.put("flags", list(s.Flags, cbpf.Flag.String))
	}
	switch rows := root.Member("archMap"); {
	case s.ABIs == nil:
	case rows.Present() && p.conditional():
		changed, err := mapped(rows, s.ABIs)
		if err != nil {
			return policy.Errors{{Kind: policy.Invalid, Pointer: p.at + "/archMap", Reason: err.Error()}}
		}
		o.edits = append(o.edits, changed...)
	default:
		o.put("architectures", list(s.ABIs, arch.ABI.OCI))
	}
	text := p.apply(o.changed())
	if string(text) == string(p.source.Data()) {
		return nil
	}
	next, err := open(language.NewSource(text))
	if err != nil {
		return err
	}
	for _, c := range next.contexts {
		if err := s.prove(p, c); err != nil {
			return err
		}
	}
	e.profile = next
	return nil
}

// prove proves that a context of the changed profile means what the one before does with
// the settings.
func (s *Settings) prove(before *profile, c *context) error {
	old, err := before.read(c.target)
	if err != nil {
		return err
	}
	want := *old.policy
	if s.Default != nil {
		data := uint(s.Default.Data())
		if want.Default, want.DefaultErrno = s.Default.Class(), nil; want.Default == cbpf.ErrnoClass || want.Default == cbpf.TraceClass {
			want.DefaultErrno = &data
		}
	}
	if s.Flags != nil {
		want.Flags = s.Flags
	}
	if s.ABIs != nil {
		want.ABIs = s.ABIs
		if want.ArchMap != "" {
			want.ABIs = slices.DeleteFunc(slices.Clone(s.ABIs), func(a arch.ABI) bool { return a.Main() != c.main().Main() })
		}
		if len(want.ABIs) == 0 { // the row is gone
			want.ABIs = []arch.ABI{c.main()}
		}
	}
	with := &context{target: c.target, policy: &want}
	if err := with.resolve(); err != nil {
		return err
	}
	found, err := Changes(with.resolved, c.resolved)
	switch {
	case err != nil:
		return err
	case len(found) > 0:
		return fmt.Errorf("edit: the settings would change more: %s", describe(&found[0], c))
	case !slices.Equal(want.Flags, c.policy.Flags) || want.ListenerPath != c.policy.ListenerPath || want.ListenerMetadata != c.policy.ListenerMetadata:
		return fmt.Errorf("edit: the settings would change flags or the listener for %v", c)
	}
	return nil
}

// An object is edits of the members of one.
type object struct {
	of    document.Value
	edits []document.Edit
	gone  []string
	added []string
}

// put gives a member a value.
func (o *object) put(key, text string) {
	if v := o.of.Member(key); v.Exists() {
		o.edits = append(o.edits, v.Replace(text))
	} else {
		o.added = append(o.added, strconv.Quote(key)+": "+text)
	}
}

// drop leaves a member out.
func (o *object) drop(key string) { o.gone = append(o.gone, key) }

// changed returns all edits. New members come before the entries, which are many.
func (o *object) changed() []document.Edit {
	var keys []string
	for key := range o.of.Members() {
		keys = append(keys, key.Text())
	}
	gone := func(i int) bool { return slices.Contains(o.gone, keys[i]) }
	at := slices.Index(keys, "syscalls")
	if at < 0 || o.added == nil {
		return append(o.edits, o.of.Rewrite(gone, o.added)...)
	}
	return slices.Concat(o.edits, o.of.Rewrite(gone, nil), o.of.Insert(at, o.added))
}

// list returns a list of words as JSON.
func list[T any](values []T, word func(T) string) string {
	var words []string
	for _, v := range values {
		words = append(words, strconv.Quote(word(v)))
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// mapped returns the edits after which an archMap is for some ABIs: each row for those of
// its kernel.
func mapped(rows document.Value, abis []arch.ABI) (edits []document.Edit, err error) {
	with := func(main arch.ABI) (subs []arch.ABI) {
		for _, a := range abis {
			if a != main && a.Main() == main.Main() {
				subs = append(subs, a)
			}
		}
		return subs
	}
	var had []arch.ABI // in the order of the rows
	for _, row := range rows.Elements() {
		main := ociABI(row.Member("architecture").Text())
		had = append(had, main)
		var old []arch.ABI
		for _, sub := range row.Member("subArchitectures").Elements() {
			old = append(old, ociABI(sub.Text()))
		}
		subs := with(main)
		same := len(old) == len(subs) && !slices.ContainsFunc(old, func(a arch.ABI) bool { return !slices.Contains(subs, a) })
		if slices.Contains(abis, main) && !same {
			o := object{of: row}
			o.put("subArchitectures", list(subs, arch.ABI.OCI))
			edits = append(edits, o.changed()...)
		}
	}
	var added []string
	for _, a := range abis {
		switch {
		case slices.Contains(had, a), a != a.Main() && slices.Contains(abis, a.Main()):
		case a != a.Main():
			return nil, fmt.Errorf("%v: a row of an archMap is for the main ABI of a kernel and others that come with it (name %v, too)", a, a.Main())
		default:
			added = append(added, fmt.Sprintf(`{"architecture": %q, "subArchitectures": %s}`, a.OCI(), list(with(a), arch.ABI.OCI)))
		}
	}
	return append(edits, rows.Rewrite(func(i int) bool { return !slices.Contains(abis, had[i]) }, added)...), nil
}
