package answer

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/grade"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/proof"
)

// CheckOptions say how to review a profile.
type CheckOptions struct {
	For       string // the program that it is for, "" for none in particular
	NoStart   bool   // it need not let a program start
	Baselines []*intake.Input
	Limits    proof.Limits // of the comparison with the baselines
}

// A Checked is a profile and its findings, or a filter, which has none.
type Checked struct {
	In      *intake.Input
	Options lint.Options
	Report  *lint.Report
	Cured   []lint.Finding
	FailOn  lint.Severity // what makes it bad
	Grade   *grade.Grade  // nil if nobody asked, or the profile is refused
	Low     bool          // whether that is too low
	Unread  string        // why the profile could not be read, "" if it was
}

// Bad reports whether a finding is as severe as FailOn, or the grade is too low.
func (c *Checked) Bad() bool { return c.Report.Worst() >= c.FailOn || c.Low }

// OK reports whether the profile was read and nothing is worse than a note, or than
// FailOn allows.
func (c *Checked) OK() bool { return c.Unread == "" && !c.Bad() && c.Report.Worst() < lint.Warning }

// Check reviews an input. A filter has no findings.
func Check(t *intake.Target, in *intake.Input, c CheckOptions) (*Checked, error) {
	p := &Checked{In: in, Report: new(lint.Report), FailOn: lint.Error}
	if p.IsFilter() {
		return p, nil
	}
	var consumer lint.Consumer
	if c.For != "" {
		var err error
		if consumer, err = lint.ParseConsumer(c.For); err != nil {
			var known []string
			for _, x := range lint.Consumers() {
				known = append(known, x.String())
			}
			f := failure.Usagef("--for: %s", failure.Unprefixed(err.Error()))
			return nil, f.HintNearest(c.For, known, "")
		}
	}
	lang, place, err1 := t.Place(in)
	options, err2 := t.Options()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, err
	}
	if consumer != 0 && t.DefaultCaps() {
		place.Caps = consumer.DefaultCaps()
	}
	p.Options = lint.Options{For: consumer, NoStart: c.NoStart, Target: place, Resolve: options}
	if l, ok := lang.(ocijson.Language); ok {
		p.Options.Format = l.Format
	} else {
		p.Options.Language = lang
	}
	var failed error
	if len(c.Baselines) > 0 {
		with := comparer{t, c.Limits}
		p.Options.Further = func(r *lint.Report) (list []lint.Finding) {
			for _, base := range c.Baselines {
				found, err := with.beyond(r, in, base)
				list, failed = append(list, found...), cmp.Or(failed, err)
			}
			return list
		}
	}
	p.Report = lint.Check(in.Source, p.Options)
	return p, failed
}

// A checksJSON is the document of check --json.
type checksJSON struct {
	Version  int         `json:"version"`
	OK       bool        `json:"ok"`
	Profiles []checkJSON `json:"profiles"`
}

// A checkJSON is what was found in one profile.
type checkJSON struct {
	File         string        `json:"file"`
	OK           bool          `json:"ok"`                // no errors, no warnings, and nothing that --fail-on names
	Error        string        `json:"error,omitempty"`   // why the file could not be read
	Stopped      bool          `json:"stopped,omitempty"` // errors kept the review from the rest
	ABIs         []string      `json:"abis,omitempty"`
	Instructions int           `json:"instructions,omitempty"`
	Fixed        []findingJSON `json:"fixed,omitempty"` // what --fix cured, at its place before
	Findings     []findingJSON `json:"findings"`
	Grade        *gradeJSON    `json:"grade,omitempty"`
}

// A findingJSON is one finding.
type findingJSON struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Pointer  string `json:"pointer,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Message  string `json:"message"`
	Fix      string `json:"fix"`
	Fixable  bool   `json:"fixable,omitempty"` // --fix does it
}

func newFindingJSON(f *lint.Finding) findingJSON {
	return findingJSON{f.ID, f.Severity.String(), f.Pointer, f.Line, f.Column, f.Reason, f.Fix, f.Fixable()}
}

// CheckDocument returns the document of check --json; quiet leaves out what Shown does.
func CheckDocument(profiles []*Checked, quiet bool) any {
	doc := checksJSON{Version: Version, OK: true, Profiles: []checkJSON{}}
	for _, c := range profiles {
		p := checkJSON{File: c.In.Path, OK: c.OK(), Error: c.Unread, Stopped: c.Unread == "" && !c.IsFilter() && c.Report.Stopped(), Findings: []findingJSON{}, Grade: newGradeJSON(c.Grade)}
		if r := c.Report; r.Program != nil {
			p.ABIs, p.Instructions = intake.ABINames(r.Resolved.ABIs()), r.Program.Len()
		}
		for _, f := range c.Shown(true, quiet) {
			p.Findings = append(p.Findings, newFindingJSON(&f))
		}
		for _, f := range c.Cured {
			j := newFindingJSON(&f)
			j.Fix, j.Fixable = f.Done(), false // any more
			p.Fixed = append(p.Fixed, j)
		}
		doc.OK = doc.OK && p.OK
		doc.Profiles = append(doc.Profiles, p)
	}
	return doc
}

// Unchecked returns what is known of a profile that could not be read.
func Unchecked(path string, err error) *Checked {
	return &Checked{In: &intake.Input{Path: path}, Report: new(lint.Report), Unread: strings.Join(failure.Messages(err), "\n")}
}

// Shown returns the findings to show: quiet leaves those that make it bad, and notes are
// optional.
func (c *Checked) Shown(notes, quiet bool) []lint.Finding {
	return slices.DeleteFunc(slices.Clone(c.Report.Findings), func(f lint.Finding) bool {
		return quiet && f.Severity < c.FailOn || !notes && f.Severity == lint.Note
	})
}
