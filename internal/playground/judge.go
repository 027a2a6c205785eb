package playground

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/edit"
	"github.com/seccompile/seccompile/internal/grade"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/optimize"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/proof"
)

// grade grades what the filter leaves to a program.
func (e *Engine) grade(of *Subject) (*Grade, error) {
	s, err := e.good(*of)
	if err != nil {
		return nil, err
	}
	scale, err := grade.NewScale(s.abis)
	if err != nil {
		return nil, err
	}
	g, err := scale.Of(s.side().Subject, proof.Limits{})
	if err != nil {
		return nil, err
	}
	out := &Grade{Letter: g.Letter(), Points: g.Points, Rows: []GradeRow{}, Badge: string(g.Badge())}
	for _, l := range g.Lines {
		out.Rows = append(out.Rows, GradeRow{Name: l.Title, Text: l.Reason, Points: l.Points - l.Lost, Of: l.Points})
	}
	return out, nil
}

// shrink looks for a smaller way to say the same.
func (e *Engine) shrink(of *Subject) (*Shrunk, error) {
	s, err := e.good(*of)
	switch {
	case err != nil:
		return nil, err
	case s.compiled == nil:
		return s.shrinkFilter()
	case s.rewritable():
		return s.shrinkProfile()
	}
	return s.shrinkPolicy()
}

// shrinkFilter looks for a shorter filter.
func (s *subject) shrinkFilter() (*Shrunk, error) {
	r, err := optimize.Program(s.filter, proof.Limits{})
	if err != nil {
		return nil, answer.Unlimited(err)
	}
	out := &Shrunk{Source: s.Source, Before: s.filter.Len(), After: r.Program.Len(), Unit: "instructions"}
	if r.Program == s.filter {
		out.Note = "no filter smaller than this one was found"
		return out, nil
	}
	out.Note = fmt.Sprintf("proved to mean the same for every call; no difference in %d test calls", r.Points)
	if s.in.Kind == intake.KindAssembly {
		out.Source.Text = r.Program.Disassemble(symbols.Names())
		return out, nil
	}
	data, err := r.Program.AppendBinary(nil)
	out.Source.Text, out.Source.Binary = base64.StdEncoding.EncodeToString(data), true
	if s.in.Kind != intake.KindFilter && s.Source.Name != "" {
		out.Source.Name = strings.TrimSuffix(s.Source.Name, path.Ext(s.Source.Name)) + ".bpf" // one raw filter
	}
	return out, err
}

// rewritable reports whether the text is one that fmt writes anew.
func (s *subject) rewritable() bool {
	name, _ := s.language()
	return !s.in.YAML && slices.Contains([]string{"oci", "config", "docker", "podman"}, name)
}

// shrinkProfile joins what entries have in common, as fmt does; a text of one line stays one. It
// stays as it is where that makes it no smaller.
func (s *subject) shrinkProfile() (*Shrunk, error) {
	text, err := edit.Format(s.in.Source)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(bytes.TrimSpace(s.in.Data), []byte("\n")) {
		var line bytes.Buffer
		if err := json.Compact(&line, text); err != nil {
			return nil, err
		}
		text = line.Bytes()
	}
	out := &Shrunk{Source: s.Source, Before: len(s.in.Data), After: len(text), Unit: "bytes"}
	if len(text) >= len(s.in.Data) {
		out.After, out.Note = out.Before, "no two entries say what one could, so the text stays as it is"
		return out, nil
	}
	out.Source.Text = string(text)
	out.Note = "entries that differ in their names alone are one now; proved to mean the same with every capability and kernel that the profile mentions"
	return out, nil
}

// shrinkPolicy says of a text that is not written anew whether its filter could be shorter. Such a
// text has more than rules, such as comments, the other settings of a unit or what another machine
// needs, so what it could do without is for its author to say.
func (s *subject) shrinkPolicy() (*Shrunk, error) {
	r, err := optimize.Program(s.filter, proof.Limits{})
	if err != nil {
		return nil, answer.Unlimited(err)
	}
	n := r.Program.Len()
	return &Shrunk{
		Source: s.Source, Before: n, After: n, Unit: "instructions",
		Note: fmt.Sprintf("the filter has %d instructions, and no smaller one was found. The text is left as it is: "+
			"only profiles of OCI, Docker and Podman in JSON are written anew, and seccompile convert --to oci makes one", n),
	}, nil
}
