package playground

import (
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/expect"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/intake"
)

// maxExpectations is how many are answered at once.
const maxExpectations = 1000

// expect says which expectations are met.
func (e *Engine) expect(q *expectOf) ([]Outcome, error) {
	s, err := e.good(q.Subject)
	if err != nil {
		return nil, err
	}
	list := []Outcome{}
	for _, x := range q.Expectations[:min(len(q.Expectations), maxExpectations)] {
		want := expect.Expectation{ABI: x.ABI, Call: x.Call, Want: x.Expect}
		got, err := want.Check(func(a arch.ABI) (expect.Subject, error) { return e.decides(s, a) })
		if err != nil {
			list = append(list, Outcome{Failure: failed(err)})
			continue
		}
		list = append(list, Outcome{
			Pass: got.Pass, Got: intake.ActionText(got.Got.Action, got.Call.ABI), Look: graph.Look(got.Got.Action),
		})
	}
	return list, nil
}

// decides returns what decides the calls of an ABI, zero for the filter's first: the filter or,
// as the command does, the profile read for another kernel.
func (e *Engine) decides(s *subject, a arch.ABI) (expect.Subject, error) {
	out := expect.Subject{ABI: s.abis[0], Decide: s.side().Decide}
	sameKernel := func(b arch.ABI) bool { return a.Main() == b.Main() }
	if a == 0 || s.compiled == nil || slices.ContainsFunc(s.abis, sameKernel) {
		return out, nil
	}
	other := s.Subject
	other.Target.ABIs = []string{a.Main().String()}
	t, err := e.good(other)
	if err != nil {
		return out, err
	}
	return expect.Subject{ABI: a, Decide: t.side().Decide}, nil
}

// writeExpectations writes expectations as a file for eval --expect.
func (e *Engine) writeExpectations(q *writeOf) (*Download, error) {
	var list []expect.Expectation
	for _, x := range q.Expectations {
		list = append(list, expect.Expectation{ABI: x.ABI, Call: x.Call, Want: x.Expect})
	}
	text, err := expect.Format(list)
	if err != nil {
		return nil, err
	}
	return &Download{Name: "expectations.txt", Type: "text/plain", Text: string(text)}, nil
}

// readExpectations reads such a file.
func (e *Engine) readExpectations(q *readOf) ([]Expectation, error) {
	if len(q.Text) > maxSource {
		return nil, tooLarge
	}
	parsed, err := expect.Parse([]byte(q.Text))
	if err != nil {
		return nil, err
	}
	list := []Expectation{}
	for _, x := range parsed {
		list = append(list, Expectation{ABI: x.ABI, Call: x.Call, Expect: x.Want})
	}
	return list, nil
}
