package playground

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/expect"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/symbols"
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
	out := s.expectant(s.abis[0])
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
	return t.expectant(a), nil
}

// expectant returns what decides the calls of an ABI.
func (s *subject) expectant(a arch.ABI) expect.Subject {
	side := s.side()
	return expect.Subject{ABI: a, Decide: side.Decide, Depends: side.Depends}
}

// writeExpectations writes expectations as a file for eval --expect.
func (e *Engine) writeExpectations(q *writeOf) (*Download, error) {
	var list []expect.Expectation
	for _, x := range q.Expectations {
		if call, err := symbols.ParseLine(x.Call); err == nil { // a line of strace has more than a file takes
			x.ABI, x.Call = cmp.Or(call.ABI, x.ABI), call.String()
		}
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
