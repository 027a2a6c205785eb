// Package report writes a page for the review of a profile, or of the difference
// between two: what it allows, under which conditions, what check finds, what the
// filter costs and how it decides. The page is a single HTML file that needs no network.
// Only search, filters and zoom need a script.
//
// Equal input gives equal bytes. Everything that comes from a profile is escaped,
// and the page's content security policy blocks everything but its own style sheet
// and script.
package report

import (
	"crypto/sha256"
	_ "embed" // for the parts of the page
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/proof"
)

// A Profile is the subject of a report: a profile or a filter.
type Profile struct {
	// Name identifies the profile to readers, such as the name of its file.
	Name string
	// Report is the review of the profile; it must have reached Resolved. A filter has none.
	*lint.Report
	// Filter is a filter of which no profile is known, and ABIs are those to report about; if
	// there are none, those that it knows.
	Filter *cbpf.Program
	ABIs   []arch.ABI
}

// Options configure a report. The zero value suits most uses.
type Options struct {
	// Compiler tunes the filters that are measured.
	Compiler compile.Options
	// Limits bound the work of combining the rules and of comparing two profiles.
	Limits proof.Limits
	// Format is the form of the report; "" means HTML.
	Format Format
	// Date appears on the page as it is; "" means no date.
	Date string
}

// A Format is a form that a report can have.
type Format string

// The forms.
const (
	HTML     Format = "html"     // a page that needs nothing else
	Markdown Format = "markdown" // for a comment on a pull request: shorter, GitHub's dialect
)

// Formats returns all of them.
func Formats() []Format { return []Format{HTML, Markdown} }

// Review returns the page for one profile. The page says what it could not find out
// within the limits of the options. It is an error if the review of the profile did not
// reach Resolved, or if Resolved is not valid, or a [*proof.LimitError] for a filter that is
// beyond the limits.
func Review(p Profile, o Options) ([]byte, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	b, err := newBuilder(o, p)
	if err != nil {
		return nil, err
	}
	return b.render(b.page(nil))
}

// validate returns an error if there is nothing to report about.
func (p *Profile) validate() error {
	if p.Filter != nil {
		return p.validateFilter()
	}
	if p.Report == nil {
		return fmt.Errorf("report: %s: the profile has no review (use lint.Check)", p.Name)
	}
	if err := p.Resolved.Validate(); err != nil {
		return fmt.Errorf("report: %s: %w", p.Name, err)
	}
	return nil
}

func (p *Profile) validateFilter() error {
	abis := p.filterABIs()
	if len(abis) == 0 {
		return fmt.Errorf("report: %s: the filter does not show its ABI (name those of the kernel)", p.Name)
	}
	for _, a := range abis {
		if a.ByteOrder() != p.Filter.Order() {
			return fmt.Errorf("report: %s: %v has another byte order than the filter", p.Name, a)
		}
	}
	return nil
}

// order returns the byte order of the kernels.
func (p *Profile) order() binary.ByteOrder {
	if p.Filter != nil {
		return p.Filter.Order()
	}
	return p.Resolved.Order()
}

// meaning returns what the proof compares.
func (p *Profile) meaning() proof.Subject {
	if p.Filter != nil {
		return proof.Program(p.Filter)
	}
	return proof.Policy(p.Resolved)
}

// Compare returns the page for the difference between two profiles for one kernel,
// from a to b. Weaker tells whether b lets through any call that a does not, be it with the
// consent of a listener or tracer. The error is as for [Review], or a [*proof.LimitError] if the comparison
// exceeds the limits of the options, or says that the profiles are for kernels of
// different byte orders.
func Compare(a, b Profile, o Options) (content []byte, weaker bool, err error) {
	if err := errors.Join(a.validate(), b.validate()); err != nil {
		return nil, false, err
	}
	if a.order() != b.order() {
		return nil, false, fmt.Errorf("report: %s and %s are for kernels of different byte orders (name the ABIs)", a.Name, b.Name)
	}
	changes, err := proof.Diff(a.meaning(), b.meaning(), o.Limits)
	if err != nil {
		return nil, false, err
	}
	both, err := newBuilder(o, a, b)
	if err != nil {
		return nil, false, err
	}
	p := both.page(changes)
	content, err = both.render(p)
	return content, p.Difference.Gains(), err
}

// Headline answers, in sentences that name two profiles a and b, what a reader of their
// changes asks first: what does b let through that a does not? ABIs are those of both.
// Weaker is as [Compare] returns it.
func Headline(changes []proof.Change, abis []arch.ABI, a, b string) (sentences []string, weaker bool) {
	both := builder{abis: abis, harm: harm{}}
	d := both.difference(changes)
	return d.Answer(a, b), d.Gains()
}

//go:embed tokens.css
var tokensCSS string

//go:embed marks.css
var marksCSS string

//go:embed page.css
var pageCSS string

//go:embed script.js
var scriptJS string

// style is the page's style sheet. The playground shares the tokens and the marks.
func style() string { return tokensCSS + marksCSS + pageCSS }

// render writes a page in its format.
func (b *builder) render(page *page) ([]byte, error) {
	switch b.options.Format {
	case HTML, "":
		return []byte(page.document()), nil
	case Markdown:
		return page.markdown(), nil
	}
	return nil, fmt.Errorf("report: unknown format %q", b.options.Format)
}

// digest names an inline style sheet or script in a content security policy.
func digest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
