// Package oci reads and writes container seccomp profiles: the linux.seccomp object of
// runtime-spec, a whole config.json, and the formats of Docker and Podman. Start with
// [Read] for a file, and with [FromSpec] for a value of runtime-spec's type.
package oci

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// Language is the language of container profiles, in JSON. The zero value reads any of
// the formats.
type Language struct {
	// Format is the format to read the text in; "" leaves it to [Detect].
	Format Format
	// Runtime is the runtime that the profile is read like: [Runc], [Crun], [Youki] or
	// [Youki06]. "" is Runc. What Docker or Podman make of their formats goes to it.
	Runtime string
}

// Read implements [language.Language]. The conditions of Docker's and Podman's formats
// are resolved for t; in the other formats, t only decides what SCMP_ARCH_NATIVE means.
//
// Numbers are unsigned decimal integers of at most 64 bits. A null is an absent
// value. As runtime-spec asks, keys that the format does not know are ignored, with a
// warning unless they are comment, _comment or description. An unknown key that is most
// like syscalls is an error in a profile without that key. A known key in the wrong
// letter case counts, as it does for Go's JSON package, with a warning: crun and youki
// ignore it, and so does Read like them. Those of [OCI] and [Config], which these runtimes read, are in
// [policy.Policy.LooseKeys]. A key given twice is an error. Read refuses more than 16 MiB, and more than 100 levels of
// nesting. It takes time linear in the size of the input. The warnings are the first 1000
// and one that says how many more there are (see [policy.Warning.More]); Read stops after
// 1000 problems.
func (l Language) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	doc, err := s.JSON()
	if err != nil {
		return language.Reading{}, namedYAML(s.Data(), err)
	}
	r := &reader{doc: doc, target: t, format: l.Format, runtime: l.Runtime}
	if t.ABI == 0 {
		r.target.ABI = arch.Native()
	}
	p := r.read(doc.Root())
	warnings, errs := r.report()
	if len(errs) > 0 {
		return language.Reading{Warnings: warnings}, errs
	}
	for _, at := range r.places(r.loose) {
		p.LooseKeys = append(p.LooseKeys, at.Pointer)
	}
	return language.Reading{Policy: p, Warnings: warnings}, nil
}

// Read reads a profile in any of the formats, for a target. It is [Language.Read] for
// callers that need neither the format nor places later.
func Read(data []byte, t policy.Target) (*policy.Policy, []policy.Warning, error) {
	reading, err := Language{}.Read(language.NewSource(data), t)
	return reading.Policy, reading.Warnings, err
}

// A reader turns a document into a Policy and collects problems and warnings.
type reader struct {
	doc      *document.Document
	target   policy.Target // with the ABI filled in
	format   Format
	runtime  string
	habits   habits   // of the runtime, with this format
	prefix   string   // JSON pointer of the profile
	caps     []string // all that Linux has; nil in formats without conditions
	problems []remark
	warnings []remark
	unwarned int      // warnings beyond maxRemarks
	loose    []remark // keys in the wrong letter case that a runtime reads, the first maxRemarks
}

// read reads the whole document in r.format, or in the one that it detects.
func (r *reader) read(root document.Value) *policy.Policy {
	if r.format == "" {
		t := detect(root)
		if r.format = t.format(); r.format == "" {
			r.fail(t.problem(root))
			return nil
		}
	}
	var known bool
	if r.habits, known = habitsOf(r.runtime, r.format); !known {
		r.fail(root, "unknown runtime "+strconv.Quote(r.runtime)+" (known: "+strings.Join(runtimeNames(), ", ")+")")
		return nil
	}
	switch r.format {
	case OCI:
		return r.profile(root)
	case Config:
		return r.config(root)
	case Docker, Podman:
		return r.conditionalProfile(root)
	default:
		r.fail(root, "unknown format "+strconv.Quote(string(r.format))+" (name one that this package declares)")
		return nil
	}
}

// maxRemarks bounds the problems and the warnings, since every few bytes of hostile
// input could make a line of text. Reading stops after that many problems; further
// warnings are counted.
const maxRemarks = 1000

// A remark is a problem or a warning. Pointers and lines are made once, for all of
// them.
type remark struct {
	at      document.Value
	missing string             // key of an absent member of the value
	kind    policy.WarningKind // of a warning
	text    string
	bad     *unknown.Word // gives the text, if it is not nil
}

func (r *reader) fail(at document.Value, reason string) {
	if len(r.problems) < maxRemarks {
		r.problems = append(r.problems, remark{at: at, text: reason})
	}
}

// check reports a name that does not exist; nil is none.
func (r *reader) check(at document.Value, bad *unknown.Word) {
	if bad != nil && len(r.problems) < maxRemarks {
		r.problems = append(r.problems, remark{at: at, bad: bad})
	}
}

func (r *reader) failMissing(of document.Value, key, cure string) {
	if len(r.problems) < maxRemarks {
		r.problems = append(r.problems, remark{at: of, missing: key, text: cure})
	}
}

func (r *reader) warn(at document.Value, k policy.WarningKind, message string) {
	if !r.warned() {
		r.warnings = append(r.warnings, remark{at: at, kind: k, text: message})
	}
}

// warned reports whether there are enough warnings, and then counts one more.
func (r *reader) warned() bool {
	full := len(r.warnings) == maxRemarks
	if full {
		r.unwarned++
	}
	return full
}

// Elements go along an array until there are too many problems for reading on to make
// sense.
type elements struct {
	r *reader
	document.Cursor
}

func (r *reader) elements(v document.Value) elements { return elements{r, v.Cursor()} }

func (e *elements) next() bool { return len(e.r.problems) < maxRemarks && e.Next() }

// report returns the warnings and problems in file order, and says whether there are
// more.
func (r *reader) report() (warnings []policy.Warning, errs policy.Errors) {
	for i, at := range r.places(r.warnings) {
		w := &r.warnings[i]
		warnings = append(warnings, policy.Warning{Kind: w.kind, Pointer: at.Pointer, Line: at.Line, Column: at.Column, Message: w.text})
	}
	var lists unknown.Lists
	for i, at := range r.places(r.problems) {
		f := &r.problems[i]
		if f.bad != nil {
			f.text = lists.Text(f.bad)
		}
		if f.missing != "" {
			at.Pointer += "/" + f.missing
		}
		errs = append(errs, &policy.Error{Kind: policy.Invalid, Pointer: at.Pointer, Line: at.Line, Column: at.Column, Reason: f.text})
	}
	if r.unwarned > 0 {
		warnings = append(warnings, policy.Warning{
			Kind: policy.UnknownKey, Pointer: r.prefix, Message: strconv.Itoa(r.unwarned) + " more of these warnings are not listed", More: r.unwarned,
		})
	}
	if len(errs) == maxRemarks {
		errs = append(errs, &policy.Error{Kind: policy.Invalid, Pointer: r.prefix, Reason: "there may be more problems (fix these first)"})
	}
	return warnings, errs
}

// places sorts remarks into file order and returns their places.
func (r *reader) places(remarks []remark) []document.Place {
	slices.SortStableFunc(remarks, func(a, b remark) int { return a.at.Compare(b.at) })
	values := make([]document.Value, len(remarks))
	for i := range remarks {
		values[i] = remarks[i].at
	}
	return r.doc.Places(values)
}
