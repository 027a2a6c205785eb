package playground

import (
	"github.com/seccompile/seccompile/internal/report"
)

// report writes the page of report for one source, or for the comparison of two.
func (e *Engine) report(q *reportOf) (*Download, error) {
	a, err := e.reported(q.Subject)
	if err != nil {
		return nil, err
	}
	out := &Download{Name: "report.html", Type: "text/html"}
	var page []byte
	if q.Second == nil {
		page, err = report.Review(a, report.Options{})
	} else {
		var b report.Profile
		if b, err = e.reported(Subject{*q.Second, q.Target}); err != nil {
			return nil, err
		}
		page, _, err = report.Compare(a, b, report.Options{})
	}
	out.Text = string(page)
	return out, err
}

// reported returns what report is told about a subject.
func (e *Engine) reported(of Subject) (report.Profile, error) {
	s, err := e.good(of)
	if err != nil {
		return report.Profile{}, err
	}
	if s.compiled == nil {
		return report.Profile{Name: s.in.Name, Filter: s.filter, ABIs: s.abis}, nil
	}
	checked, err := s.check()
	if err != nil {
		return report.Profile{}, err
	}
	return report.Profile{Name: s.in.Name, Report: checked.Report}, nil
}
