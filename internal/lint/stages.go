package lint

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// stages takes the profile through all stages and reports the findings of each.
func (r *reviewer) stages(l language.Language) {
	reading, err := l.Read(r.source, r.options.Target)
	r.warned(reading.Warnings)
	NameNumbers(r.source, r.mainABI(), err)
	r.refused(err)
	if err != nil {
		return
	}
	r.Policy = reading.Policy
	resolved, warnings, err := policy.Resolve(r.Policy, r.resolving(r.Policy))
	r.warned(warnings)
	r.refused(err)
	if err != nil {
		return
	}
	r.Resolved = resolved
	program, defects, err := compiler.Compile(resolved, compiler.Options{})
	r.warned(defects)
	if err != nil {
		r.refused(err)
		return
	}
	r.Program = program
}

// resolving returns how a policy is resolved: for the ABIs that it names, or the host's
// if it names none, unless the options name some.
func (r *reviewer) resolving(p *policy.Policy) policy.Options {
	o := r.options.Resolve
	switch {
	case len(o.ABIs) > 0:
	case len(ABIs(p)) > 0:
		o.ABIs = ABIs(p)
	case arch.Native() != 0:
		o.ABIs = []arch.ABI{arch.Native()}
	}
	return o
}

// ABIs returns the ABIs that a policy and the older ones under it name. Unlike with runc's
// rule, they are the same on every host.
func ABIs(p *policy.Policy) []arch.ABI {
	abis := slices.Clone(p.ABIs)
	for _, older := range p.Older {
		abis = append(abis, older.ABIs...)
	}
	slices.Sort(abis)
	return slices.Compact(abis)
}

// format returns the format to read the file in, and the pointers of the keys that
// it has and the consumer ignores. Where there are none, the consumer's reading is the
// file's own.
func (r *reviewer) format() (own oci.Format, ignored []string) {
	own = r.options.Format
	if own == "" {
		own = oci.Detect(r.source)
	}
	want := r.options.For.format(own)
	switch own {
	case "", want:
		return want, nil
	case oci.Config:
		return own, nil
	default:
	}
	ignored = r.unknownKeys(want)
	for _, pointer := range r.unknownKeys(own) {
		ignored = slices.DeleteFunc(ignored, func(p string) bool { return p == pointer })
	}
	if len(ignored) == 0 {
		return want, nil
	}
	return own, ignored
}

// unknownKeys returns the pointers of the keys that a format does not know.
func (r *reviewer) unknownKeys(f oci.Format) (pointers []string) {
	reading, _ := oci.Language{Format: f}.Read(r.source, r.options.Target)
	for _, w := range reading.Warnings {
		if w.Kind == policy.UnknownKey {
			pointers = append(pointers, w.Pointer)
		}
	}
	return pointers
}

// checkNoNames makes an error of a rule without names where it is one: crun and youki refuse
// a rule without the key, and take an empty list.
func (r *reviewer) checkNoNames(f *Finding) {
	missing := r.doc == nil || !r.doc.Lookup(f.Pointer).Present()
	switch c := r.options.For; {
	case missing && c.with(Crun), c == KEP6061:
		f.Severity, f.Reason = Error, "crun refuses the profile, because a rule has no names"
	case missing && (c.with(Youki) || c.with(Youki06)):
		f.Severity, f.Reason = Error, "youki refuses the profile, because a rule has no names"
	}
}

// warned reports the warnings of a stage. A rule that is dropped in vain is not
// reported as redundant, too.
func (r *reviewer) warned(warnings []policy.Warning) {
	var dropped []string
	for _, w := range warnings {
		if w.Kind == policy.Dropped {
			dropped = append(dropped, parent(parent(w.Pointer)))
		}
	}
	for _, w := range warnings {
		if w.Kind == policy.Redundant && slices.Contains(dropped, w.Pointer) {
			continue
		}
		if id := string(w.Kind); w.More > 0 && r.counts[id] > 0 {
			r.counts[id] += w.More
			continue
		}
		f := Finding{ID: string(w.Kind), Pointer: w.Pointer}
		if r.options.Language != nil { // its keys have no place but the reader's
			f.Line, f.Column = w.Line, w.Column
		}
		f.Reason, f.Fix = sentences(strings.Replace(w.Message, w.Example.Text, plainly(w.Example), 1))
		if w.Kind == policy.LetterCase && r.options.For.direct() && r.options.For != Runc {
			f.Severity = Error
		}
		if (w.Kind == policy.LetterCase || w.Kind == policy.UnknownKey) && r.options.For == KEP6061 {
			f.Severity, f.Reason = Error, strictKey
		}
		if w.Kind == policy.IgnoredErrno && r.options.For.with(Crun) {
			f.Severity = Error
			f.Reason, _, _ = strings.Cut(f.Reason, ":")
			f.Reason += ", and crun refuses the profile for it"
		}
		if w.Kind == policy.NoNames {
			r.checkNoNames(&f)
		}
		r.found(f)
	}
}

// plainly writes the call of a warning with the names of arguments and values.
func plainly(e policy.Example) string {
	call, ok := syscalltables.ByNumber(e.ABI, e.NR)
	if !ok {
		return e.Text
	}
	var args []string
	for i, tested := range e.Tested {
		if !tested {
			continue
		}
		arg := symbols.At(e.ABI, call, i)
		for j, given := range e.Tested[:i] {
			if given {
				arg = arg.Given(j, e.Args[j])
			}
		}
		args = append(args, arg.Name()+"="+arg.Text(e.Args[i]))
	}
	return call.Name() + "(" + strings.Join(args, ", ") + ")"
}

// refused reports the problems for which a stage refuses the profile.
func (r *reviewer) refused(err error) {
	if err == nil {
		return
	}
	var problems policy.Errors
	if !errors.As(err, &problems) {
		f := Finding{ID: "uncompilable"}
		f.Reason, f.Fix = sentences(strings.TrimPrefix(err.Error(), "compiler: "))
		r.found(f)
		return
	}
	for _, e := range problems {
		if id := string(e.Kind); e.More > 0 && r.counts[id] > 0 {
			r.counts[id] += e.More
			continue
		}
		f := Finding{ID: string(e.Kind), Severity: Error, Pointer: e.Pointer, Line: e.Line, Column: e.Column}
		f.Reason, f.Fix = sentences(e.Reason)
		if e.Kind == policy.MixedByteOrder && len(r.options.Resolve.ABIs) == 0 {
			f.Pointer = cmp.Or(r.Policy.ArchMap, r.Policy.Pointer+"/architectures") // where they come from
		}
		if r.options.For.only(Crun) {
			switch e.Kind {
			case policy.NotifyDefault:
				f.Severity, f.Reason = Note, "crun accepts SCMP_ACT_NOTIFY as the default action, runc does not"
				f.Fix = "review the rest with --compat strict"
			case policy.NotifyWrite:
				f.Severity, f.Reason = Note, "crun accepts SCMP_ACT_NOTIFY for write, runc does not"
				f.Fix = "review the rest with --compat strict"
			default:
			}
		}
		r.found(f)
	}
}

// sentences splits a message of package policy, "reason (cure)", perhaps with the
// ABIs that it is about behind it.
func sentences(message string) (reason, fix string) {
	reason, group := cutGroup(message)
	if strings.HasPrefix(group, "on ") {
		var cure string
		if reason, cure = cutGroup(reason); cure != "" {
			return reason + " (" + group + ")", cure
		}
		return message, ""
	}
	if near, ok := strings.CutPrefix(group, "did you mean "); ok {
		return reason, "write " + strings.TrimSuffix(near, "?")
	}
	if known, ok := strings.CutPrefix(group, "known: "); ok {
		return reason, "write one of " + known
	}
	return reason, group
}

// cutGroup cuts off what stands in parentheses, with a space before them, at the end of
// a text.
func cutGroup(text string) (before, group string) {
	if !strings.HasSuffix(text, ")") {
		return text, ""
	}
	depth := 0
	for i := len(text) - 1; i > 0; i-- {
		switch text[i] {
		case ')':
			depth++
		case '(':
			depth--
		}
		if depth > 0 {
			continue
		}
		if text[i-1] != ' ' {
			return text, ""
		}
		return text[:i-1], text[i+1 : len(text)-1]
	}
	return text, ""
}

// Foreign reports whether a policy is in a language other than those of OCI, Docker and
// Podman, which have one order of rules, one filter, and the rules in a list with the name
// syscalls. (The readings of crun and youki have no bound either, but such rules.)
func Foreign(p *policy.Policy) bool {
	return p.Order != policy.Libseccomp || len(p.Older) > 0 || p.NoBound && len(p.Rules) == 0 ||
		slices.ContainsFunc(p.Rules, func(r policy.Rule) bool {
			return r.Pointer != "" && (r.Pointer[0] != '/' || !strings.Contains(r.Pointer, "/syscalls/"))
		})
}
