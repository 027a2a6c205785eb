package main

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
)

// The types below are the parts of SARIF 2.1.0 that findings need
// (docs.oasis-open.org/sarif/sarif/v2.1.0).

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string      `json:"id"`
	ShortDescription sarifText   `json:"shortDescription"`
	FullDescription  sarifText   `json:"fullDescription"`
	Help             sarifText   `json:"help"`
	Default          sarifConfig `json:"defaultConfiguration"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifConfig struct {
	Level string `json:"level"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex int             `json:"ruleIndex"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
	Fixes     []sarifFix      `json:"fixes,omitempty"`
}

type sarifFix struct {
	Description sarifText     `json:"description"`
	Changes     []sarifChange `json:"artifactChanges"`
}

type sarifChange struct {
	Artifact     sarifArtifact      `json:"artifactLocation"`
	Replacements []sarifReplacement `json:"replacements"`
}

type sarifReplacement struct {
	Deleted  sarifRegion `json:"deletedRegion"` // empty where text is only inserted
	Inserted *sarifText  `json:"insertedContent,omitempty"`
}

type sarifLocation struct {
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
	EndLine     int `json:"endLine,omitempty"`
	EndColumn   int `json:"endColumn,omitempty"` // of the character behind
}

type sarifLogical struct {
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

// sarifDocument returns the findings as a SARIF log with one run.
func (a *app) sarifDocument(profiles []*answer.Checked) sarifLog {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: "seccompile", Version: buildVersion(), InformationURI: "https://github.com/seccompile/seccompile", Rules: []sarifRule{},
		}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	rules := &run.Tool.Driver.Rules
	for _, e := range lint.Catalog() {
		if slices.ContainsFunc(profiles, func(p *answer.Checked) bool {
			return slices.ContainsFunc(p.Shown(true, a.quiet), func(f lint.Finding) bool { return f.ID == e.ID })
		}) {
			*rules = append(*rules, sarifRule{e.ID, sarifText{ended(e.Title)}, sarifText{e.Why}, sarifText{ended(e.Fix)}, sarifConfig{e.Severity.String()}})
		}
	}
	gradeIndex := len(*rules)
	if slices.ContainsFunc(profiles, func(p *answer.Checked) bool { return p.Grade != nil }) {
		*rules = append(*rules, gradeRule())
	}
	for _, p := range profiles {
		if p.Grade != nil {
			run.Results = append(run.Results, gradeResult(p, gradeIndex))
		}
		for _, f := range p.Shown(true, a.quiet) {
			run.Results = append(run.Results, sarifResult{
				RuleID:    f.ID,
				RuleIndex: slices.IndexFunc(*rules, func(r sarifRule) bool { return r.ID == f.ID }),
				Level:     f.Severity.String(),
				Message:   sarifText{ended(f.Reason) + " Fix: " + f.Fix + "."},
				Locations: []sarifLocation{location(p, f)},
				Fixes:     fixes(p, &f),
			})
		}
	}
	return sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}

// location returns where a finding is: in the file, if the profile came from one, and
// in the document.
func location(c *answer.Checked, f lint.Finding) (l sarifLocation) {
	if isFile(c.In) {
		l.Physical = &sarifPhysical{Artifact: sarifArtifact{fileURI(c.In.Path)}}
		if f.Line > 0 {
			l.Physical.Region = &sarifRegion{StartLine: f.Line, StartColumn: codePoint(c.In.Data, f.Line, f.Column)}
		}
	}
	if f.Pointer != "" || l.Physical == nil {
		l.Logical = []sarifLogical{{f.Pointer, "value"}}
	}
	return l
}

// fixes returns what --fix does about a finding in a file.
func fixes(c *answer.Checked, f *lint.Finding) []sarifFix {
	edits := c.Report.Edits(f)
	if len(edits) == 0 || !isFile(c.In) {
		return nil
	}
	change := sarifChange{Artifact: sarifArtifact{fileURI(c.In.Path)}}
	for _, e := range edits {
		r := sarifReplacement{}
		r.Deleted.StartLine, r.Deleted.StartColumn = characterAt(c.In.Data, e.From)
		r.Deleted.EndLine, r.Deleted.EndColumn = characterAt(c.In.Data, e.To)
		if e.Text != "" {
			r.Inserted = &sarifText{e.Text}
		}
		change.Replacements = append(change.Replacements, r)
	}
	return []sarifFix{{sarifText{ended(f.Done())}, []sarifChange{change}}}
}

// standardInput is the name of an input that is not a file.
const standardInput = "standard input"

// isFile reports whether the input was read from a file of its name.
func isFile(in *intake.Input) bool { return !intake.IsBuiltIn(in.Path) && in.Path != standardInput }

// fileURI returns the name of a file as a URI, relative to the working directory if it
// is in there.
func fileURI(name string) string {
	if wd, err := os.Getwd(); err == nil && filepath.IsAbs(name) {
		if rel, err := filepath.Rel(wd, name); err == nil && filepath.IsLocal(rel) {
			name = rel
		}
	}
	path := filepath.ToSlash(filepath.Clean(name))
	u := url.URL{Path: path}
	if filepath.IsAbs(name) {
		u.Scheme = "file"
		u.Path = "/" + strings.TrimPrefix(path, "/")
	}
	return u.String()
}

// codePoint turns a column in bytes into one in characters. A byte order mark is not a
// character of the text.
func codePoint(data []byte, line, column int) int {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for range line - 1 {
		_, data, _ = bytes.Cut(data, []byte{'\n'})
	}
	return utf8.RuneCount(data[:min(column-1, len(data))]) + 1
}

// characterAt turns a number of bytes before a character into its line and column.
func characterAt(data []byte, offset int) (line, column int) {
	before := bytes.TrimPrefix(data, []byte("\ufeff"))[:offset]
	return bytes.Count(before, []byte{'\n'}) + 1, utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
}

// ended ends a phrase.
func ended(phrase string) string { return phrase + "." }
