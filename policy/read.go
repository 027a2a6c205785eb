package policy

import (
	"cmp"
	"iter"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
)

// Read reads a profile in the format that t names, or else the one that [Sniff]
// tells. The conditions of Docker's and Podman's formats are resolved for t; with the
// others, it only says what SCMP_ARCH_NATIVE stands for. All problems are reported
// together, as [Errors].
//
// Numbers are unsigned decimal integers of at most 64 bits. A null is an absent
// value. Keys that the format does not know are ignored, as runtime-spec wants
// it, with a warning; a known key in the wrong letter case is an error, because
// some runtimes honour it and others do not, and so is a key given twice.
// Input beyond 16 MiB or 100 levels of nesting is refused. The time taken is
// linear in the size of the input. The warnings are the first 1000 and one that says
// how many more there are (see [Warning.More]); after 1000 problems Read stops.
func Read(data []byte, t Target) (*Policy, []Warning, error) {
	doc, problem := scan(data)
	if problem != nil {
		return nil, nil, Errors{problem}
	}
	r := &reader{doc: doc, target: t}
	if t.ABI == 0 {
		r.target.ABI = arch.Native()
	}
	p := r.document(doc.root())
	warnings, errs := r.report()
	if err := errs.orNil(); err != nil {
		return nil, warnings, err
	}
	return p, warnings, nil
}

// document reads the whole document, in whatever format it is.
func (r *reader) document(root value) *Policy {
	r.format = r.target.Format
	if r.format == 0 {
		t := tell(root)
		if r.format = t.format(); r.format == 0 {
			r.fail(t.problem(root))
			return nil
		}
	}
	switch r.format {
	case FormatOCI:
		return r.profile(root)
	case FormatConfig:
		return r.config(root)
	case FormatDocker, FormatPodman:
		return r.conditionalProfile(root)
	default:
		r.fail(root, "the target's format is none (name one that this package declares)")
		return nil
	}
}

// A reader turns a document into a Policy and collects what it has to say.
type reader struct {
	doc      *document
	target   Target // with the ABI filled in
	format   Format
	prefix   string // JSON pointer of the profile
	problems []remark
	warnings []remark
	unwarned int // warnings beyond maxRemarks
}

// maxRemarks bounds the problems and the warnings, since hostile input could
// make a line of text out of every few bytes. Reading ends with that many problems;
// warnings beyond are counted.
const maxRemarks = 1000

// A remark is a problem or a warning. It names its place by token: pointers and
// lines are made once, for all of them.
type remark struct {
	token   int32
	missing string // key of an absent member of the token
	kind    Kind   // of a warning
	text    string
}

func (r *reader) fail(at value, reason string) {
	if len(r.problems) < maxRemarks {
		r.problems = append(r.problems, remark{token: at.index, text: reason})
	}
}

func (r *reader) failMissing(of value, key, cure string) {
	if len(r.problems) < maxRemarks {
		r.problems = append(r.problems, remark{token: of.index, missing: key, text: cure})
	}
}

func (r *reader) warn(at value, k Kind, message string) {
	if !r.warned() {
		r.warnings = append(r.warnings, remark{token: at.index, kind: k, text: message})
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

// elements yields the elements of an array until there are too many problems
// for reading on to make sense.
func (r *reader) elements(v value) iter.Seq2[int, value] {
	return func(yield func(int, value) bool) {
		i, end := v.inside(arrayKind)
		for n := 0; i < end && len(r.problems) < maxRemarks; n++ {
			if !yield(n, value{v.doc, i}) {
				return
			}
			i = v.doc.tokens[i].next
		}
	}
}

// report returns all warnings and problems in file order, or an indication that
// there are more than can be told.
func (r *reader) report() (warnings []Warning, errs Errors) {
	for i, pointer := range r.places(r.warnings) {
		warnings = append(warnings, Warning{Kind: r.warnings[i].kind, Pointer: pointer, Message: r.warnings[i].text})
	}
	var pos positioner
	for i, pointer := range r.places(r.problems) {
		f := &r.problems[i]
		if f.missing != "" {
			pointer += "/" + f.missing
		}
		line, column := pos.position(r.doc.text, value{r.doc, f.token}.offset())
		errs = append(errs, &Error{Kind: Invalid, Pointer: pointer, Reason: f.text, Line: line, Column: column})
	}
	if r.unwarned > 0 {
		warnings = append(warnings, Warning{
			Kind: UnknownKey, Pointer: r.prefix, Message: strconv.Itoa(r.unwarned) + " more of these warnings are not listed", More: r.unwarned,
		})
	}
	if len(errs) == maxRemarks {
		errs = append(errs, &Error{Kind: Invalid, Pointer: r.prefix, Reason: "there may be more problems (cure these first)"})
	}
	return warnings, errs
}

// places sorts remarks into file order and returns their pointers.
func (r *reader) places(remarks []remark) []string {
	if len(remarks) == 0 {
		return nil
	}
	slices.SortStableFunc(remarks, func(a, b remark) int { return cmp.Compare(a.token, b.token) })
	tokens := make([]int32, len(remarks))
	for i := range remarks {
		tokens[i] = remarks[i].token
	}
	return r.doc.pointers(tokens)
}
