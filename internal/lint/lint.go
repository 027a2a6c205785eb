// Package lint reviews seccomp profiles before they ship. It reports what the author
// of a profile may not have meant, what a filter cannot enforce, and how the program
// that the file is for will read it.
package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// A Finding is one fact to know about a profile before it ships.
type Finding struct {
	// ID is a stable identifier of the kind of finding, such as "unknown-name". See
	// [Catalog].
	ID       string
	Severity Severity
	// Pointer is the JSON pointer (RFC 6901) of the value that it is about, or "" for
	// the whole document.
	Pointer string
	// Line and Column are the 1-based position of that value or, if it is absent, of the
	// nearest value around it. They are zero if the input is not JSON. Columns count bytes.
	Line, Column int
	// Reason states the problem and Fix the cure: one sentence each, without a capital
	// letter and a full stop.
	Reason, Fix string

	cure *cure // nil if there is no mechanical one
}

// A Severity says how bad a finding is. The zero Severity means that there is no finding.
type Severity uint8

// The severities, in ascending order.
const (
	Note    Severity = iota + 1 // good to know; usually intentional
	Warning                     // most likely not what the author meant
	Error                       // the profile is refused, or does not do what it says
)

// severities names every Severity.
var severities = [...]string{Note: "note", Warning: "warning", Error: "error"}

// ParseSeverity reads "note", "warning" or "error".
func ParseSeverity(s string) (Severity, error) {
	for v := Note; v <= Error; v++ {
		if s == severities[v] {
			return v, nil
		}
	}
	return 0, fmt.Errorf("lint: unknown severity %q (known: note, warning, error)", s)
}

// String returns "note", "warning" or "error".
func (s Severity) String() string {
	if s == 0 || int(s) >= len(severities) {
		return fmt.Sprintf("Severity(%d)", uint8(s))
	}
	return severities[s]
}

// Options say what to review a profile for. The zero value means no particular
// consumer, this host, no capabilities, and the profile's own ABIs.
type Options struct {
	For Consumer
	// NoStart says that no program starts under the profile, as under a filter that a
	// program installs on itself.
	NoStart bool
	// Format is the format of the file; if it is "", [oci.Detect] finds out.
	Format oci.Format
	// Language is another language that the file is written in, nil for the formats above.
	// Then nothing is said about the text but what that language's reader says.
	Language language.Language
	// Target is the target for the conditions of Docker's and Podman's formats.
	Target policy.Target
	// Resolve says how to read the profile. If it has no ABIs, they are the profile's
	// own, or the host's if the profile names none. The report is then the same on every
	// host.
	Resolve policy.Options
	// Further, if not nil, returns more findings, with IDs of the catalog, about a profile that
	// could be resolved.
	Further func(*Report) []Finding
}

// A Report is the result of Check.
type Report struct {
	// Findings are in file order.
	Findings []Finding
	// Policy, Resolved and Program are the stages of the profile; they are nil from the
	// stage that refused it onwards. They mean what the file says in its own format, even
	// if the consumer reads it in another one.
	Policy   *policy.Policy
	Resolved *policy.Resolved
	Program  *cbpf.Program

	review   *reviewer
	manifest bool // the review is of a manifest, which has no stages
}

// Worst returns the greatest severity of the findings, zero if there are none.
func (r *Report) Worst() Severity {
	var worst Severity
	for _, f := range r.Findings {
		worst = max(worst, f.Severity)
	}
	return worst
}

// Stopped reports whether errors kept the review from most of what it reports.
func (r *Report) Stopped() bool { return r.Resolved == nil && !r.manifest }

// Check reviews a profile in any format that [oci.Language] reads. Its findings include
// everything that reading, resolving and compiling refuse or warn about.
func Check(s *language.Source, o Options) *Report { return &review(s, o).Report }

func review(s *language.Source, o Options) *reviewer {
	r := &reviewer{options: o, source: s, counts: map[string]int{}}
	r.review = r
	if o.Language != nil {
		r.doc, _ = document.Parse([]byte("{}"))
	} else {
		r.doc, _ = s.JSON() // nil if it is not JSON, and then there is no policy
	}
	if o.For != 0 && int(o.For) >= len(consumers) {
		r.options.For = 0
		r.found(Finding{ID: "invalid", Reason: o.For.String() + " is not a consumer", Fix: "use a consumer that this package declares"})
		return r
	}
	if o.Language != nil {
		r.stages(o.Language)
	} else {
		format, ignored := r.format()
		r.read = format
		r.stages(oci.Language{Format: format})
		r.checkFile(format, ignored)
	}
	if r.Resolved != nil {
		r.checkRules()
		r.checkActions()
		r.checkOpen()
		r.checkNamespaces()
		r.checkStart()
		r.checkLimited()
		r.checkHidden()
	}
	if r.Policy != nil {
		r.checkRuntime()
	}
	if o.For == KEP6061 {
		r.checkArtifact()
	}
	if r.Resolved != nil && o.Further != nil {
		for _, f := range o.Further(&r.Report) {
			r.found(f)
		}
	}
	r.finish()
	return r
}

// A reviewer is one run of Check.
type reviewer struct {
	Report
	options Options
	source  *language.Source
	doc     *document.Document
	read    oci.Format     // that the file is read in
	counts  map[string]int // findings of each ID
}

// most bounds the findings of one ID, since hostile input could make one out of every
// few bytes. Those beyond are counted.
const most = 200

// finish states how many findings are counted but not listed, and sorts those that are.
func (r *reviewer) finish() {
	listed, last := map[string]int{}, map[string]int{}
	for i, f := range r.Findings {
		listed[f.ID]++
		last[f.ID] = i
	}
	for id, i := range last {
		if more := r.counts[id] - listed[id]; more > 0 {
			r.Findings[i].Reason += fmt.Sprintf(", and %d more like it are not listed", more)
		}
	}
	slices.SortStableFunc(r.Findings, func(f, g Finding) int {
		return cmp.Or(cmp.Compare(f.Line, g.Line), cmp.Compare(f.Column, g.Column))
	})
}

// found adds a finding. What it leaves out is filled in: severity and fix from the
// catalog, line and column from the pointer.
func (r *reviewer) found(f Finding) {
	if r.counts[f.ID]++; r.counts[f.ID] > most {
		return
	}
	e := entry(f.ID)
	if f.Severity == 0 {
		f.Severity = e.Severity
	}
	if f.Fix == "" {
		f.Fix = e.Fix
	}
	if f.Pointer = placeOf(f.Pointer); r.options.Language != nil && f.Line == 0 && strings.HasPrefix(f.Pointer, "/") {
		f.Pointer = "" // a key of OCI profiles: the language's own reader says the line
	}
	if p := r.Policy; r.options.Language != nil && p != nil && (p.NoBound || p.Order != policy.Libseccomp) { // of a language with other names
		plain := strings.NewReplacer("SCMP_ACT_", "", "SCMP_CMP_", "")
		f.Reason, f.Fix = plain.Replace(f.Reason), plain.Replace(f.Fix)
	}
	if f.Line == 0 {
		f.Line, f.Column = r.source.Position(f.Pointer)
	}
	if f.cure == nil {
		f.cure = r.simpleCure(&f)
	}
	if r.doc != nil && !r.doc.Original() { // such as YAML, whose text a cure cannot change
		f.cure = nil
	}
	r.Findings = append(r.Findings, f)
}

// placeOf returns the place of a rule, which has no parts, where that is not a JSON pointer.
func placeOf(pointer string) string {
	if pointer == "" || pointer[0] == '/' {
		return pointer
	}
	at := strings.LastIndexByte(pointer, ':')
	if part := strings.IndexByte(pointer[at+1:], '/'); part >= 0 {
		return pointer[:at+1+part]
	}
	return pointer
}
