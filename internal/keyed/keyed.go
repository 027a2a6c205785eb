// Package keyed reads documents whose objects have known keys, and collects what is wrong
// with them. Start with [New].
package keyed

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// maxRemarks bounds the problems and the warnings, since every few bytes of hostile input
// could make a line of text. Reading lists stops after that many problems; further warnings
// are counted.
const maxRemarks = 1000

// A Reader reads one document.
type Reader struct {
	doc      *document.Document
	problems []remark
	warnings []remark
	more     int // warnings that are not listed
}

// A remark is a problem or a warning. Its place is looked up once, for all of them.
type remark struct {
	at   document.Value
	kind policy.WarningKind // of a warning
	text string
}

// New returns a reader of a document.
func New(doc *document.Document) *Reader { return &Reader{doc: doc} }

// Fail reports a problem, which is worded with its cure in parentheses.
func (r *Reader) Fail(at document.Value, reason string) {
	if len(r.problems) < maxRemarks {
		r.problems = append(r.problems, remark{at: at, text: reason})
	}
}

// Failed reports whether there are problems.
func (r *Reader) Failed() bool { return len(r.problems) > 0 }

// Warn reports something that does not mean what it seems to.
func (r *Reader) Warn(at document.Value, k policy.WarningKind, message string) {
	if len(r.warnings) == maxRemarks {
		r.more++
		return
	}
	r.warnings = append(r.warnings, remark{at: at, kind: k, text: message})
}

// Report returns the warnings and the problems, each in the order of the document. err is
// nil if there are no problems.
func (r *Reader) Report() (warnings []policy.Warning, err error) {
	for i, at := range r.places(r.warnings) {
		w := &r.warnings[i]
		warnings = append(warnings, policy.Warning{Kind: w.kind, Pointer: at.Pointer, Line: at.Line, Column: at.Column, Message: w.text})
	}
	if r.more > 0 {
		warnings = append(warnings, policy.Warning{Kind: policy.Ignored, Message: strconv.Itoa(r.more) + " more warnings are not listed", More: r.more})
	}
	var errs policy.Errors
	for i, at := range r.places(r.problems) {
		errs = append(errs, &policy.Error{Kind: policy.Invalid, Pointer: at.Pointer, Line: at.Line, Column: at.Column, Reason: r.problems[i].text})
	}
	if len(errs) == maxRemarks {
		errs = append(errs, &policy.Error{Kind: policy.Invalid, Reason: "there may be more problems (fix these first)"})
	}
	if len(errs) == 0 {
		return warnings, nil
	}
	return warnings, errs
}

// places sorts remarks into the order of the document and returns their places.
func (r *Reader) places(remarks []remark) []document.Place {
	slices.SortStableFunc(remarks, func(a, b remark) int { return a.at.Compare(b.at) })
	values := make([]document.Value, len(remarks))
	for i := range remarks {
		values[i] = remarks[i].at
	}
	return r.doc.Places(values)
}

// Expect reports whether a value is of a kind, and otherwise what to do, if cure says that.
func (r *Reader) Expect(v document.Value, k document.Kind, cure string) bool {
	if v.Kind() != k {
		r.Fail(v, "expected "+k.String()+", got "+v.Kind().String()+" ("+cure+")")
	}
	return v.Kind() == k
}

// Elements yields the elements of a list, up to too many problems for reading on to make
// sense.
func (r *Reader) Elements(v document.Value) iter.Seq2[int, document.Value] {
	return func(yield func(int, document.Value) bool) {
		for i, elem := range v.Elements() {
			if len(r.problems) >= maxRemarks || !yield(i, elem) {
				return
			}
		}
	}
}

// Members yields the members of an object as Elements does the elements of a list.
func (r *Reader) Members(v document.Value) iter.Seq2[document.Value, document.Value] {
	return func(yield func(key, val document.Value) bool) {
		for key, val := range v.Members() {
			if len(r.problems) >= maxRemarks || !yield(key, val) {
				return
			}
		}
	}
}

// An Object has those members of an object that are known.
type Object struct {
	r      *Reader
	of     document.Value
	keys   []string
	values []document.Value
}

// Object reads an object that may have some keys, each once. It warns of other ones, but for
// comments.
func (r *Reader) Object(v document.Value, keys ...string) (Object, bool) {
	o := Object{r: r, of: v, keys: keys, values: make([]document.Value, len(keys))}
	if !r.Expect(v, document.Object, "write it as KEY: VALUE, with the keys "+strings.Join(keys, ", ")) {
		return o, false
	}
	for key, val := range r.Members(v) {
		name := key.Text()
		i := slices.Index(keys, name)
		switch {
		case i >= 0 && o.values[i].Exists():
			r.Fail(key, "the key is given twice (remove one)")
		case i >= 0:
			o.values[i] = val
		case name != "comment" && name != "_comment" && name != "description":
			r.Warn(key, policy.UnknownKey, "unknown key, which has no effect"+unknown.DidYouMean(unknown.Nearest(name, keys)))
		}
	}
	return o, true
}

// Get returns the value of a key, none if it is absent or null.
func (o *Object) Get(key string) document.Value {
	if v := o.values[slices.Index(o.keys, key)]; v.Present() {
		return v
	}
	return document.Value{}
}

// Need is [Object.Get] for a key that must be there.
func (o *Object) Need(key, cure string) (v document.Value, ok bool) {
	if v = o.Get(key); !v.Exists() {
		o.r.Fail(o.of, "the key "+key+" is missing ("+cure+")")
	}
	return v, v.Exists()
}

// Text reads a string.
func (r *Reader) Text(v document.Value, cure string) (s string, ok bool) {
	if !r.Expect(v, document.String, cure) {
		return "", false
	}
	return v.Text(), true
}

// Number reads an unsigned integer.
func (r *Reader) Number(v document.Value, most uint64) (n uint64, ok bool) {
	if v.Kind() != document.Number {
		cure := "write a number from 0 to " + strconv.FormatUint(most, 10)
		if n, err := strconv.ParseUint(v.Text(), 0, 64); err == nil {
			cure = "write " + strconv.FormatUint(n, 10) + " without quotes"
		}
		return 0, r.Expect(v, document.Number, cure)
	}
	n, err := strconv.ParseUint(v.Text(), 10, 64)
	if err != nil || n > most {
		digits, cure := v.Text(), "write one"
		if below, err := strconv.ParseInt(digits, 10, 64); err == nil && most == 1<<64-1 {
			cure = "comparisons are unsigned: write " + strconv.FormatUint(uint64(below), 10)
		}
		r.Fail(v, digits[:min(len(digits), 40)]+": not an integer from 0 to "+strconv.FormatUint(most, 10)+" ("+cure+")")
		return 0, false
	}
	return n, true
}

// Unknown reports a word that is not one of those known.
func (r *Reader) Unknown(at document.Value, what, word string, known []string) {
	cure := "use " + strings.Join(known, ", ")
	if near := unknown.Nearest(word, known); near != "" {
		cure = "did you mean " + near + "?"
	}
	r.Fail(at, unknown.Quote(word)+": unknown "+what+" ("+cure+")")
}
