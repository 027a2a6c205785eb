package playground

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/policy"
)

// read says what a source is, and what is wrong with it.
func (e *Engine) read(of *Subject) (*Reading, error) {
	s := e.subject(*of)
	if s.in == nil {
		return nil, s.err
	}
	r := &Reading{Kind: s.kind(), Good: s.err == nil, Findings: []Finding{}, ABIs: []string{}, Rules: []Rule{}}
	if r.Kind == "empty" && s.err != nil {
		return r, nil
	}
	r.Language, r.Detected = s.language()
	if s.err != nil {
		var problem *failure.Error
		if errors.As(s.err, &problem) && problem.Status == failure.Usage {
			return nil, s.err
		}
	}
	s.places = newPlaces(s.in.Source)
	if s.in.Kind == intake.KindProfile {
		if err := s.review(r); err != nil {
			return nil, err
		}
	}
	if s.err != nil {
		askLanguage(r)
		if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity == lint.Error.String() }) {
			r.Findings = append(r.Findings, s.errors()...)
		}
		return r, nil
	}
	r.ABIs, r.Instructions = intake.ABINames(s.abis), s.filter.Len()
	if s.compiled == nil {
		r.Proof = "the filter is shown as it is: without a profile, nothing is proved about it"
		return r, nil
	}
	r.Rules = s.rules()
	r.Plain = proved.PlainLength(s.compiled.Resolved)
	r.Proof = fmt.Sprintf("the filter is proved to mean what the profile says, for every call: by each of its paths, in %d steps", s.compiled.Result.Proof.Steps)
	return r, nil
}

// kind names what the source is.
func (s *subject) kind() string {
	switch s.in.Kind {
	case intake.KindFilter:
		return "filter"
	case intake.KindAssembly:
		return "assembly"
	case intake.KindArtifact:
		return "artifact"
	case intake.KindSnap:
		return "snap"
	}
	if len(bytes.TrimSpace(bytes.TrimPrefix(s.in.Data, []byte("\ufeff")))) == 0 {
		return "empty"
	}
	return "profile"
}

// review adds the findings of check.
func (s *subject) review(r *Reading) error {
	checked, err := s.check()
	if err != nil {
		return err
	}
	report, fixable := checked.Report, checked.Options.Language == nil && !s.in.YAML
	catalog := lint.Catalog()
	for i := range report.Findings {
		f := &report.Findings[i]
		found := Finding{
			Span: s.places.span(f.Pointer, f.Line, f.Column), ID: f.ID, Severity: f.Severity.String(),
			Pointer: f.Pointer, Reason: f.Reason, Fix: f.Fix,
		}
		for _, entry := range catalog {
			if entry.ID == f.ID {
				found.Why = entry.Why
			}
		}
		if fixable {
			for _, edit := range report.Edits(f) {
				found.Edits = append(found.Edits, Edit{Span{s.places.unit(s.places.start + edit.From), s.places.unit(s.places.start + edit.To)}, edit.Text})
			}
		}
		if found.Edits == nil {
			found.Edits = s.places.spelling(f)
		}
		r.Findings = append(r.Findings, found)
	}
	return nil
}

// askLanguage puts the page's cure in the place of the command's, which is about JSON, for a
// text in which no language was detected: many of them cannot be.
func askLanguage(r *Reading) {
	if r.Language != "" {
		return
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Reason == "the text is not JSON" || f.Reason == "YAML, not JSON" {
			f.Reason, f.Fix = "it is not clear what language this is", "choose it under Language"
		}
	}
}

// spelling returns the edit for a word that is misspelt: the reason begins with the word and the
// fix says which one to write.
func (p *places) spelling(f *lint.Finding) []Edit {
	wrong := regexp.MustCompile(`^"([^"\\]+)": `).FindStringSubmatch(f.Reason)
	right := regexp.MustCompile(`^write (@?[\w.-]+)$`).FindStringSubmatch(f.Fix)
	if wrong == nil || right == nil || f.Line == 0 {
		return nil
	}
	at := p.offset(f.Line, f.Column)
	if strings.HasPrefix(p.text[at:], `"`) {
		at++
	}
	if !strings.HasPrefix(p.text[at:], wrong[1]) {
		return nil
	}
	return []Edit{{Span{p.unit(at), p.unit(at + len(wrong[1]))}, right[1]}}
}

// check reviews a profile as the command does.
func (s *subject) check() (*answer.Checked, error) {
	if s.checked == nil {
		checked, err := answer.Check(&s.flags, s.in, answer.CheckOptions{For: s.Target.Consumer})
		if err != nil {
			return nil, err
		}
		s.checked = checked
	}
	return s.checked, nil
}

// errors returns the problems for which a source is refused, as findings.
func (s *subject) errors() (list []Finding) {
	var problems policy.Errors
	if errors.As(s.err, &problems) {
		for _, p := range problems {
			list = append(list, Finding{Span: s.places.span(p.Pointer, p.Line, p.Column), Severity: lint.Error.String(), Pointer: p.Pointer, Reason: p.Reason})
		}
		return list
	}
	f := failed(s.err)
	for line := range strings.SplitSeq(f.Message, "\n") {
		found := Finding{Severity: lint.Error.String(), Reason: line, Fix: f.Hint}
		if m := regexp.MustCompile(`^(?:.*: )?line (\d+): (.*)$`).FindStringSubmatch(line); m != nil && s.in.Kind == intake.KindAssembly {
			n, _ := strconv.Atoi(m[1])
			found.Span, found.Reason = s.places.line(n), m[2]
		}
		list = append(list, found)
	}
	return list
}

// rules returns where the rules of the policy stand, in the order of the text.
func (s *subject) rules() []Rule {
	var pointers []string
	for _, p := range append(slices.Clone(s.compiled.Policy.Older), s.compiled.Policy) {
		for _, r := range p.Rules {
			if r.Pointer != "" {
				pointers = append(pointers, r.Pointer)
			}
		}
	}
	list := []Rule{}
	for pointer, span := range s.places.spans(pointers) {
		list = append(list, Rule{span, pointer})
	}
	slices.SortFunc(list, func(a, b Rule) int { return cmp.Or(a.From-b.From, a.To-b.To, cmp.Compare(a.Pointer, b.Pointer)) })
	return list
}
