package lint

import (
	"errors"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
	"github.com/seccompile/seccompile/words"
)

// stages takes the profile through all stages and reports what each has to say.
func (r *reviewer) stages(target policy.Target) {
	p, warnings, err := policy.Read(r.data, target)
	r.warned(warnings)
	r.refused(err)
	if err != nil {
		return
	}
	r.Policy = p
	resolved, warnings, err := policy.Resolve(p, r.resolving(p))
	r.warned(warnings)
	r.refused(err)
	if err != nil {
		return
	}
	r.Resolved = resolved
	result, err := compiler.Compile(resolved, compiler.Options{})
	if err != nil {
		r.refused(err)
		return
	}
	r.Program = result.Program
}

// resolving returns how a policy is resolved: for the ABIs that it names, or the host's
// if it names none, where the options do not say.
func (r *reviewer) resolving(p *policy.Policy) policy.Options {
	o := r.options.Resolve
	switch {
	case len(o.ABIs) > 0:
	case len(p.ABIs) > 0:
		o.ABIs = p.ABIs
	case arch.Native() != 0:
		o.ABIs = []arch.ABI{arch.Native()}
	}
	return o
}

// format returns the format to read the file in, and the pointers of the keys that
// it has and the consumer ignores. Where there are none, the consumer's reading is the
// file's own.
func (r *reviewer) format() (own policy.Format, ignored []string) {
	own = r.options.Target.Format
	if own == 0 {
		own = policy.Sniff(r.data)
	}
	want := r.options.For.format(own)
	switch own {
	case 0, want:
		return want, nil
	case policy.FormatConfig:
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
func (r *reviewer) unknownKeys(f policy.Format) (pointers []string) {
	target := r.options.Target
	target.Format = f
	_, warnings, _ := policy.Read(r.data, target)
	for _, w := range warnings {
		if w.Kind == policy.UnknownKey {
			pointers = append(pointers, w.Pointer)
		}
	}
	return pointers
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
		if id := w.Kind.String(); w.More > 0 && r.told[id] > 0 {
			r.told[id] += w.More
			continue
		}
		f := Finding{ID: w.Kind.String(), Pointer: w.Pointer}
		f.Reason, f.Fix = sentences(strings.Replace(w.Message, w.Example.Text, plainly(w.Example), 1))
		if w.Kind == policy.IgnoredErrno && r.options.For.runtime() == Crun {
			f.Severity = Error
			f.Reason, _, _ = strings.Cut(f.Reason, ":")
			f.Reason += ", and crun refuses the profile for it"
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
		arg := words.At(e.ABI, call, i)
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
		if id := e.Kind.String(); e.More > 0 && r.told[id] > 0 {
			r.told[id] += e.More
			continue
		}
		f := Finding{ID: e.Kind.String(), Severity: Error, Pointer: e.Pointer, Line: e.Line, Column: e.Column}
		f.Reason, f.Fix = sentences(e.Reason)
		if e.Kind == policy.MixedByteOrder && len(r.options.Resolve.ABIs) == 0 {
			f.Pointer = r.Policy.Pointer + "/architectures" // where they come from
		}
		if r.options.For.runtime() == Crun {
			switch e.Kind {
			case policy.NotifyDefault:
				f.Severity, f.Reason = Note, "crun takes SCMP_ACT_NOTIFY as default action and runc does not"
				f.Fix = "review the rest with --compat strict"
			case policy.NotifyWrite:
				f.Severity, f.Reason = Note, "crun takes SCMP_ACT_NOTIFY for write and runc does not"
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
	near, rest, ok := strings.Cut(strings.TrimPrefix(group, "did you mean "), "?")
	if ok && strings.HasPrefix(group, "did you mean ") {
		return reason, strings.TrimSpace("write " + near + strings.Replace(rest, " known:", ", or one of", 1))
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
