// Package report makes a page for the review of a profile, or of the difference
// between two: what it allows, under which conditions, what is odd about it, what
// it costs and how its filter decides. The page is one HTML file that needs no
// network and, but for search, filters and zoom, no script.
//
// Equal input gives equal bytes. Everything that comes from a profile is escaped,
// and the page's content security policy lets nothing run or load but its own style
// sheet and script.
package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the parts of the page
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"

	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/lint"
	"github.com/seccompile/seccompile/proof"
)

// A Profile is what a report is about.
type Profile struct {
	// Name is what readers know the profile by, such as the name of its file.
	Name string
	// Report is the review of the profile: it must have got as far as Resolved.
	*lint.Report
}

// Options choose how a report is made. The zero value is right for most.
type Options struct {
	// Compiler tunes the filters that are measured.
	Compiler compiler.Options
	// Limits bound the work of finding out what the rules add up to, and how two
	// profiles differ.
	Limits proof.Limits
	// Date is shown as it is; by default the page has none.
	Date string
}

// Review returns the page for one profile. What is not found out within the limits
// of the options is said to be so on the page. The error says that the profile did
// not get as far as Resolved, or that this is not valid.
func Review(p Profile, o Options) ([]byte, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	return render(newBuilder(o, p), nil)
}

// validate returns an error if there is nothing to report about.
func (p *Profile) validate() error {
	if p.Report == nil {
		return fmt.Errorf("report: %s: no review (use lint.Check)", p.Name)
	}
	if err := p.Resolved.Validate(); err != nil {
		return fmt.Errorf("report: %s: %w", p.Name, err)
	}
	return nil
}

// Compare returns the page for the difference between two profiles for one kernel,
// from a to b. The error is as for [Review], a [*proof.LimitError] if the difference
// is not found out within the limits of the options, or says that the profiles are
// for kernels of different byte orders.
func Compare(a, b Profile, o Options) ([]byte, error) {
	if err := errors.Join(a.validate(), b.validate()); err != nil {
		return nil, err
	}
	if a.Resolved.Order() != b.Resolved.Order() {
		return nil, fmt.Errorf("report: %s and %s are for kernels of different byte orders (name the ABIs)", a.Name, b.Name)
	}
	changes, err := proof.Diff(proof.Policy(a.Resolved), proof.Policy(b.Resolved), o.Limits)
	if err != nil {
		return nil, err
	}
	return render(newBuilder(o, a, b), changes)
}

//go:embed page.html
var pageHTML string

//go:embed style.css
var styleCSS string

//go:embed script.js
var scriptJS string

// render fills the page.
func render(b *builder, changes []proof.Change) ([]byte, error) {
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("report: BUG: %w", err)
	}
	page := b.page(changes)
	page.Style, page.Script = template.CSS(styleCSS), template.JS(scriptJS)
	page.CSP = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'",
		digest(styleCSS), digest(scriptJS))
	var out bytes.Buffer
	if err := t.Execute(&out, page); err != nil {
		return nil, fmt.Errorf("report: BUG: %w", err)
	}
	return out.Bytes(), nil
}

// digest names an inline style sheet or script in a content security policy.
func digest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
