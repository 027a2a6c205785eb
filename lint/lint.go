// Package lint reviews seccomp profiles before they ship: what in a profile its
// author may not have meant, what a filter cannot do for it, and what the program
// that the file is for will make of it.
package lint

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A Finding is one thing to know about a profile before it ships.
type Finding struct {
	// ID is a stable identifier of the kind of finding, such as "unknown-name". See
	// [Catalog].
	ID       string
	Severity Severity
	// Pointer is the JSON pointer (RFC 6901) of the value that it is about, "" for
	// the document as a whole.
	Pointer string
	// Line and Column are the 1-based place of that value, or of the nearest one
	// around it if it is absent, and zero in what is not JSON. Columns count bytes.
	Line, Column int
	// Reason says what is so, and Fix what to do about it: a sentence each, without
	// a capital and a full stop.
	Reason, Fix string
}

// A Severity says how bad a finding is. The zero Severity is none.
type Severity uint8

// The severities, in ascending order.
const (
	Note    Severity = iota + 1 // good to know; profiles do such things on purpose
	Warning                     // most likely not what the author wants
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
	return 0, fmt.Errorf("lint: severity %q is unknown (known: note, warning, error)", s)
}

// String returns "note", "warning" or "error".
func (s Severity) String() string {
	if s == 0 || int(s) >= len(severities) {
		return fmt.Sprintf("Severity(%d)", uint8(s))
	}
	return severities[s]
}

// Options choose what a profile is reviewed for. The zero value means: for nobody in
// particular, the host, no capabilities, and the profile's own ABIs.
type Options struct {
	For Consumer
	// Target is what the conditions of Docker's and Podman's formats are resolved for.
	Target policy.Target
	// Resolve says how the profile is understood. Without ABIs they are the
	// profile's own, and the host's if it names none: so the answer is the same on
	// every host.
	Resolve policy.Options
}

// A Report is what Check finds.
type Report struct {
	// Findings are in file order.
	Findings []Finding
	// Policy, Resolved and Program are the stages of the profile, nil from the one on
	// that refused it. They mean what the file says in its own format, even where For
	// reads it in another one.
	Policy   *policy.Policy
	Resolved *policy.Resolved
	Program  *cbpf.Program
}

// Worst returns the greatest severity of the findings, zero if there are none.
func (r *Report) Worst() Severity {
	var worst Severity
	for _, f := range r.Findings {
		worst = max(worst, f.Severity)
	}
	return worst
}

// Check reviews a profile in any format that [policy.Read] takes. Everything that Read,
// Resolve and Compile refuse or warn of is among its findings.
func Check(data []byte, o Options) *Report {
	r := reviewer{options: o, data: data, places: policy.NewLocator(data), told: map[string]int{}}
	if o.For != 0 && int(o.For) >= len(consumers) {
		r.options.For = 0
		r.found(Finding{ID: "invalid", Reason: o.For.String() + " is no consumer", Fix: "take one that this package declares"})
		return &r.Report
	}
	target := o.Target
	var ignored []string
	target.Format, ignored = r.format()
	r.stages(target)
	r.checkFile(target, ignored)
	if r.Resolved != nil {
		r.checkRules()
		r.checkActions()
		r.checkOpen()
		r.checkStart()
	}
	if r.Policy != nil {
		r.checkRuntime()
	}
	r.finish()
	slices.SortStableFunc(r.Findings, func(f, g Finding) int {
		return cmp.Or(cmp.Compare(f.Line, g.Line), cmp.Compare(f.Column, g.Column))
	})
	return &r.Report
}

// A reviewer is one run of Check.
type reviewer struct {
	Report
	options Options
	data    []byte
	places  *policy.Locator
	told    map[string]int // findings of each ID
}

// most bounds the findings of one ID, since hostile input could make one out of every
// few bytes. Those beyond are counted.
const most = 200

// finish says of the findings that are only counted how many they are.
func (r *reviewer) finish() {
	listed, last := map[string]int{}, map[string]int{}
	for i, f := range r.Findings {
		listed[f.ID]++
		last[f.ID] = i
	}
	for id, i := range last {
		if more := r.told[id] - listed[id]; more > 0 {
			r.Findings[i].Reason += fmt.Sprintf(", and %d more such are not listed", more)
		}
	}
}

// found adds a finding. What it leaves out is filled in: severity and fix from the
// catalog, line and column from the pointer.
func (r *reviewer) found(f Finding) {
	if r.told[f.ID]++; r.told[f.ID] > most {
		return
	}
	e := entry(f.ID)
	if f.Severity == 0 {
		f.Severity = e.Severity
	}
	if f.Fix == "" {
		f.Fix = e.Fix
	}
	if f.Line == 0 {
		f.Line, f.Column = r.place(f.Pointer)
	}
	r.Findings = append(r.Findings, f)
}

// place returns the line and column of the value at a pointer, or of the nearest one
// around it.
func (r *reviewer) place(pointer string) (line, column int) {
	for {
		line, column, ok := r.places.Position(pointer)
		if ok || pointer == "" {
			return line, column
		}
		pointer = parent(pointer)
	}
}
